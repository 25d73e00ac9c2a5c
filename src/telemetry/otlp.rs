//! Spans in the JSON form of OTLP, and who sends them (OpenTelemetry Protocol 1.9, "OTLP/HTTP").
//!
//! OpenTelemetry's own exporter asks for an HTTP client of its kind; this one takes the way that AWS is
//! reached by, with the same proxies and trusted certificates, and the form that a JSON library can write.

use std::ffi::OsString;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use serde_json::{Value as Json, json};
use tokio::runtime::{Builder, Runtime};

use crate::aws::plain::Plain;

/// Where spans are sent below a collector's endpoint.
const PATH: &str = "/v1/traces";
/// How long an answer may take, where the environment says nothing else (OTEL_EXPORTER_OTLP_TIMEOUT).
const LONGEST: Duration = Duration::from_secs(10);

/// A collector, as OpenTelemetry's variables name it.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector {
    url: String,
    headers: Vec<(String, String)>,
    longest: Duration,
}

impl fmt::Debug for Collector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its headers are secrets, and its URL may hold one.
        out.write_str("Collector(…)")
    }
}

impl Collector {
    /// The one that the environment names; none where it names none, or says that there be none.
    ///
    /// # Errors
    /// What it names cannot be used.
    pub fn of(environment: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, String> {
        let read = |name: &str| {
            let value = environment(name)?.into_string().ok()?;
            let value = value.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let either = |what: &str| {
            let of_traces = read(&format!("OTEL_EXPORTER_OTLP_TRACES_{what}"));
            of_traces.or_else(|| read(&format!("OTEL_EXPORTER_OTLP_{what}")))
        };
        let is_off = read("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"))
            || read("OTEL_TRACES_EXPORTER").is_some_and(|to| to != "otlp");
        let whole = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let base = read("OTEL_EXPORTER_OTLP_ENDPOINT");
        let url = match (whole, base) {
            _ if is_off => return Ok(None),
            (Some(url), _) => url,
            (None, Some(base)) => format!("{}{PATH}", base.trim_end_matches('/')),
            (None, None) => return Ok(None),
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(
                "OTEL_EXPORTER_OTLP_ENDPOINT is no URL that begins with http:// or https://"
                    .to_owned(),
            );
        }
        if either("PROTOCOL").is_some_and(|protocol| protocol == "grpc") {
            return Err("OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and evenkeel sends http/json: name the collector's HTTP endpoint, often on port 4318".to_owned());
        }
        let longest = either("TIMEOUT").and_then(|milliseconds| milliseconds.parse().ok());
        Ok(Some(Self {
            url,
            headers: either("HEADERS").map(|list| headers(&list)).unwrap_or_default(),
            longest: longest.map_or(LONGEST, Duration::from_millis),
        }))
    }
}

/// `name=value,name=value`, the values with per cent signs (OpenTelemetry, "OTLP Exporter Configuration").
fn headers(list: &str) -> Vec<(String, String)> {
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim().to_ascii_lowercase(), value.into_owned()))
    };
    list.split(',').filter_map(header).collect()
}

/// Who sends spans. It is asked by a thread of its own, and waits there.
pub struct Otlp {
    collector: Collector,
    plain: Plain,
    runtime: Option<Runtime>,
    resource: Json,
    /// Whether it was said that nothing arrives.
    has_failed: AtomicBool,
}

impl fmt::Debug for Otlp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Otlp")
    }
}

impl Drop for Otlp {
    fn drop(&mut self) {
        // Dropped by a task, it must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Otlp {
    /// To this collector.
    ///
    /// # Errors
    /// There is no way to it.
    pub fn new(collector: Collector) -> Result<Self, String> {
        let plain = Plain::from_environment().map_err(|error| error.to_string())?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("evenkeel-traces")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let has_failed = AtomicBool::new(false);
        Ok(Self { collector, plain, runtime: Some(runtime), resource: Json::Null, has_failed })
    }

    async fn send(&self, body: String) -> Result<(), String> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        let broken = |_| "its URL cannot be sent to".to_owned();
        request.set_method("POST").map_err(broken)?;
        request.set_uri(self.collector.url.as_str()).map_err(broken)?;
        request.headers_mut().insert("content-type", "application/json");
        for (name, value) in &self.collector.headers {
            let tried = request.headers_mut().try_insert(name.clone(), value.clone());
            tried.map_err(|_| "a header cannot be sent".to_owned())?;
        }
        let sent = tokio::time::timeout(self.collector.longest, self.plain.send(request)).await;
        let answer = sent.map_err(|_| "it did not answer in time".to_owned())?;
        let status = answer.map_err(|_| "it could not be reached".to_owned())?.status().as_u16();
        match status {
            200..300 => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

impl SpanExporter for Otlp {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let body = body(&self.resource, &batch).to_string();
        let Some(runtime) = &self.runtime else { return Err(OTelSdkError::AlreadyShutdown) };
        match runtime.block_on(self.send(body)) {
            Ok(()) => {
                self.has_failed.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(why) => {
                // Once, and not for each batch: what is traced goes on without.
                if !self.has_failed.swap(true, Ordering::Relaxed) {
                    tracing::warn!("traces do not arrive at their collector: {why}");
                }
                Err(OTelSdkError::InternalFailure(why))
            }
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        let all = resource.iter().map(|(key, value)| attribute(key.as_str(), value));
        self.resource = json!({"attributes": all.collect::<Vec<_>>()});
    }
}

/// Some spans, in the form of an `ExportTraceServiceRequest`.
fn body(resource: &Json, batch: &[SpanData]) -> Json {
    let spans: Vec<Json> = batch.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{
            "scope": {"name": "evenkeel", "version": crate::names::VERSION},
            "spans": spans,
        }],
    }]})
}

fn span(span: &SpanData) -> Json {
    let context = &span.span_context;
    let mut json = json!({
        "traceId": context.trace_id().to_string(),
        "spanId": context.span_id().to_string(),
        "name": span.name,
        // SpanKind of trace.proto: 1 is internal, 3 a client.
        "kind": if span.span_kind == SpanKind::Client { 3 } else { 1 },
        "startTimeUnixNano": nanoseconds(span.start_time),
        "endTimeUnixNano": nanoseconds(span.end_time),
        "attributes": attributes(&span.attributes),
    });
    if span.parent_span_id != opentelemetry::trace::SpanId::INVALID {
        json["parentSpanId"] = json!(span.parent_span_id.to_string());
    }
    match &span.status {
        Status::Unset => {}
        Status::Ok => json["status"] = json!({"code": 1}),
        Status::Error { description } => {
            json["status"] = json!({"code": 2, "message": description});
        }
    }
    json
}

/// A number of 64 bits is a text in this form.
fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

fn attributes(all: &[KeyValue]) -> Vec<Json> {
    all.iter().map(|one| attribute(one.key.as_str(), &one.value)).collect()
}

fn attribute(key: &str, value: &Value) -> Json {
    let value = match value {
        Value::Bool(value) => json!({"boolValue": value}),
        Value::I64(value) => json!({"intValue": value.to_string()}),
        Value::F64(value) => json!({"doubleValue": value}),
        other => json!({"stringValue": other.as_str()}),
    };
    json!({"key": key, "value": value})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn collector(variables: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        Collector::of(|name| {
            let found = variables.iter().find(|(there, _)| *there == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_collector_is_named_by_opentelemetrys_own_variables() {
        assert_eq!(collector(&[]), Ok(None));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");
        let found = collector(&[base]).unwrap().unwrap();
        assert_eq!(
            (found.url.as_str(), found.longest),
            ("http://127.0.0.1:4318/v1/traces", LONGEST)
        );
        let found = collector(&[
            base,
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example/here"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, X-Team=sec"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ]);
        let found = found.unwrap().unwrap();
        assert_eq!(found.url, "https://traces.example/here");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found.headers, [header("api-key", "a b"), header("x-team", "sec")]);
        assert_eq!(found.longest, Duration::from_millis(1500));
        assert!(!format!("{found:?}").contains("a b"), "a header may be a secret");
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(collector(&[base, off]), Ok(None));
        }
        assert!(collector(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")]).is_err());
        assert!(collector(&[base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).is_err());
    }

    #[test]
    fn a_span_is_written_as_the_protocol_has_it() {
        let context = SpanContext::new(
            TraceId::from(0x1234_u128),
            SpanId::from(0x56_u64),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        let data = SpanData {
            span_context: context,
            parent_span_id: SpanId::from(7_u64),
            parent_span_is_remote: false,
            span_kind: SpanKind::Client,
            name: "call".into(),
            start_time: SystemTime::UNIX_EPOCH + Duration::from_nanos(1),
            end_time: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
            attributes: vec![KeyValue::new("rpc.service", "iam"), KeyValue::new("n", 7_i64)],
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status: Status::error("AccessDenied"),
            instrumentation_scope: InstrumentationScope::default(),
        };
        assert_eq!(
            span(&data),
            json!({
                "traceId": "00000000000000000000000000001234",
                "spanId": "0000000000000056",
                "name": "call",
                "kind": 3,
                "startTimeUnixNano": "1",
                "endTimeUnixNano": "1000000000",
                "attributes": [
                    {"key": "rpc.service", "value": {"stringValue": "iam"}},
                    {"key": "n", "value": {"intValue": "7"}},
                ],
                "parentSpanId": "0000000000000007",
                "status": {"code": 2, "message": "AccessDenied"},
            })
        );
    }
}
