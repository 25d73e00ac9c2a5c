//! Rules between the fields of a bucket's spec.

use super::lifecycle::{Rule, is_day};
use super::spec::{Service, Spec, SseAlgorithm, Versioning};
use crate::baseline::catalog::SpecProblem;
use crate::policy_document::PolicyDocument;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Problems(Vec::new());
    if spec.prevent_destroy == Some(false) {
        problems.add("prevent_destroy", "evenkeel never deletes a bucket", "leave this out");
    }
    encryption(spec, &mut problems);
    object_lock(spec, &mut problems);
    if spec.access_log_prefix.is_some()
        && spec.access_log_bucket.as_deref().is_none_or(str::is_empty)
    {
        problems.add(
            "access_log_prefix",
            "a prefix has no meaning without an access log",
            "declare access_log_bucket",
        );
    }
    if (spec.source_accounts.is_some() || spec.organization_id.is_some()) && spec.services.is_none()
    {
        let field =
            if spec.source_accounts.is_some() { "source_accounts" } else { "organization_id" };
        problems.add(field, "this has no effect without services", "declare services");
    }
    for (index, rule) in spec.lifecycle.iter().flatten().enumerate() {
        lifecycle_rule(index, rule, &mut problems);
    }
    if let Some(statements) = &spec.extra_policy_statements {
        let values = statements.iter().map(|statement| serde_json::json!(statement)).collect();
        let text = PolicyDocument::of_statements(values).to_compact_string();
        if let Err(error) = PolicyDocument::from_text(&text) {
            problems.add(
                "extra_policy_statements",
                &error.to_string(),
                "see the IAM policy grammar",
            );
        }
    }
    problems.0
}

struct Problems(Vec<SpecProblem>);

impl Problems {
    fn add(&mut self, field: &str, message: &str, help: &str) {
        self.0.push(SpecProblem {
            field: field.to_owned(),
            message: message.to_owned(),
            help: Some(help.to_owned()),
        });
    }
}

fn encryption(spec: &Spec, problems: &mut Problems) {
    let algorithm = spec.sse_algorithm;
    let has_key = spec.kms_master_key_id.as_deref().is_some_and(|key| !key.is_empty());
    if has_key && matches!(algorithm, None | Some(SseAlgorithm::Aes256)) {
        problems.add(
            "kms_master_key_id",
            "a KMS key needs encryption with KMS",
            "add sse_algorithm = \"aws:kms\"",
        );
    }
    if spec.bucket_key_enabled == Some(true) && algorithm == Some(SseAlgorithm::Aes256) {
        problems.add(
            "bucket_key_enabled",
            "a bucket key has no effect with AES256",
            "leave it out, or set sse_algorithm = \"aws:kms\"",
        );
    }
    let own_key_of_aws = spec.kms_master_key_id.as_deref() == Some("");
    if own_key_of_aws
        && matches!(algorithm, Some(SseAlgorithm::Kms | SseAlgorithm::KmsDsse))
        && spec.services.as_ref().is_some_and(|services| !services.is_empty())
    {
        problems.add(
            "kms_master_key_id",
            "services that deliver logs may not use AWS's own key, aws/s3",
            "name a key of your own, or set sse_algorithm = \"AES256\"",
        );
    }
    let services = spec.services.iter().flatten();
    let needs_aes =
        services.filter(|service| matches!(service, Service::S3AccessLogs | Service::Elb)).count();
    if needs_aes > 0 && !matches!(algorithm, None | Some(SseAlgorithm::Aes256)) {
        problems.add(
            "sse_algorithm",
            "S3 access logs and load balancers cannot write to a bucket with KMS encryption",
            "set sse_algorithm = \"AES256\", or give them a bucket of their own",
        );
    }
}

fn object_lock(spec: &Spec, problems: &mut Problems) {
    let periods = [spec.object_lock_days, spec.object_lock_years].into_iter().flatten().count();
    match (spec.object_lock_mode, periods) {
        (Some(_), 1) | (None, 0) => {}
        (Some(_), 0) => problems.add(
            "object_lock_mode",
            "an object lock needs a period",
            "add object_lock_days or object_lock_years",
        ),
        (Some(_), _) => problems.add(
            "object_lock_years",
            "an object lock has one period, and this one has days and years",
            "keep one of them",
        ),
        (None, _) => {
            let days = spec.object_lock_days.is_some();
            problems.add(
                if days { "object_lock_days" } else { "object_lock_years" },
                "a period of object lock needs a mode",
                "add object_lock_mode = \"GOVERNANCE\"",
            );
        }
    }
    if spec.has_object_lock() && spec.versioning == Some(Versioning::Suspended) {
        problems.add(
            "versioning",
            "a bucket with object lock always keeps versions",
            "set versioning = \"Enabled\"",
        );
    }
}

fn lifecycle_rule(index: usize, rule: &Rule, problems: &mut Problems) {
    let place = format!("lifecycle[{index}]");
    let nothing = rule.transitions.is_empty()
        && rule.expiration.is_none()
        && rule.noncurrent_version_transitions.is_empty()
        && rule.noncurrent_version_expiration.is_none()
        && rule.abort_incomplete_multipart_upload.is_none();
    if nothing {
        problems.add(
            &place,
            "this rule does nothing",
            "add transitions, expiration or another of the five actions",
        );
    }
    let dates = rule
        .transitions
        .iter()
        .map(|transition| (transition.days.is_some(), transition.date.as_deref()))
        .chain(rule.expiration.iter().map(|expiration| {
            let other = expiration.expired_object_delete_marker.is_some();
            (expiration.days.is_some() || other, expiration.date.as_deref())
        }));
    for (has_days, date) in dates {
        if has_days == date.is_some() {
            problems.add(&place, "needs either days or a date", "give one of the two");
        }
        if date.is_some_and(|date| !is_day(date)) {
            problems.add(&place, "a date is a day", "write it as \"2030-01-31\"");
        }
    }
}
