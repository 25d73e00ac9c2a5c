{{- define "evenkeel.name" -}}
{{- if contains "evenkeel" .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-evenkeel" .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "evenkeel.selector" -}}
app.kubernetes.io/name: evenkeel
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "evenkeel.labels" -}}
{{ include "evenkeel.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "evenkeel.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "evenkeel.name" .) }}{{ else }}{{ required "serviceAccount.name: without serviceAccount.create, name one" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- /* Probes that nobody answers would end the pod again and again. */}}
{{- define "evenkeel.listens" -}}
{{- $listen := printf `(?m)^\s*listen\s*=\s*"(0\.0\.0\.0|\[::\]):%d"` (int .Values.metrics.port) }}
{{- if not (regexMatch $listen .Values.fleet) }}
{{- fail (printf "metrics.enabled: fleet needs [controller] listen = \"0.0.0.0:%d\" and listen_token; or set metrics.enabled to false, without probes" (int .Values.metrics.port)) }}
{{- end }}
{{- $tls := regexMatch `(?m)^\s*(listen_tls\b|\[controller\.listen_tls\])` .Values.fleet }}
{{- if ne $tls (not (empty .Values.metrics.tlsSecret)) }}
{{- fail "metrics.tlsSecret: it and listen_tls in fleet's [controller] need each other, since probes ask over HTTPS or in clear" }}
{{- end }}
{{- end }}
