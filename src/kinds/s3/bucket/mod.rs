//! `s3.bucket`: a bucket with all its settings, its policy merged from what must be in it.

mod apply;
mod calls;
mod check;
mod diff;
mod encryption;
pub mod lifecycle;
mod logging;
mod name;
mod observe;
mod policy;
pub mod spec;
mod tls;

pub use std::collections::BTreeSet;

use spec::{Action, Spec, State};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Change, Controls, Cx, Facts, Found, Kind, Object, ObserveError, Scope, Undo, Use, WriteCx,
    WriteError,
};
use crate::names::Region;
use crate::policy_document::PolicyDocument;

/// The kind.
pub struct Bucket;

impl Kind for Bucket {
    const NAME: &'static str = "s3.bucket";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Named { field: "bucket", prefix: "" };
    const NOT_STATE: &'static [&'static str] = &["bucket", "prevent_destroy"];
    const AFTER: &'static [&'static str] = &["kms.key", "iam.role"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["2.1.1", "2.1.2", "2.1.4", "3.4"],
        cis_v5: &["2.1.1", "2.1.2", "2.1.4", "3.4"],
        fsbp: &[
            "S3.5",
            "S3.8",
            "S3.9",
            "S3.12",
            "S3.13",
            "S3.14",
            "S3.15",
            "S3.17",
            "S3.20",
            "CloudTrail.6",
            "CloudTrail.7",
        ],
        well_architected: &["SEC04-BP01", "SEC07-BP04", "SEC08-BP02", "SEC08-BP04", "SEC09-BP02"],
    };
    const CALLS: &'static [Use<Spec>] = calls::CALLS;
    const MORE_EVENTS: &'static [&'static str] = &["s3.amazonaws.com:DeleteBucket"];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[s3.bucket.access-logs]
bucket        = "access-logs-${account.id}"
services      = ["s3_access_logs", "elb"]
sse_algorithm = "AES256"
versioning    = "Enabled"

[kms.key.audit]
service_principals = ["cloudtrail.amazonaws.com"]

[s3.bucket.audit]
bucket                   = "audit-${account.id}"
services                 = ["cloudtrail", "config", "vpc_flow_logs", "guardduty", "macie"]
organization_id          = "o-a1b2c3d4e5"
sse_algorithm            = "aws:kms"
kms_master_key_id        = "${kms.key.audit.alias}"
bucket_key_enabled       = true
blocked_encryption_types = ["SSE-C"]
versioning               = "Enabled"
mfa_delete               = false
object_lock_mode         = "GOVERNANCE"
object_lock_days         = 365
transition_default_minimum_object_size = "all_storage_classes_128K"
object_ownership         = "BucketOwnerEnforced"
require_tls              = true
min_tls_version          = "1.2"
access_log_bucket        = "${s3.bucket.access-logs.bucket}"
access_log_prefix        = "audit/"
access_log_key_format    = "EventTime"
prevent_destroy          = true
tags                     = { team = "security", purpose = "audit" }

[s3.bucket.audit.public_access_block]
block_public_acls       = true
ignore_public_acls      = true
block_public_policy     = true
restrict_public_buckets = true

[[s3.bucket.audit.lifecycle]]
id                                = "keep-seven-years"
transitions                       = [{ days = 90, storage_class = "STANDARD_IA" }, { days = 365, storage_class = "GLACIER" }]
expiration                        = { days = 2557 }
noncurrent_version_expiration     = { noncurrent_days = 90 }
abort_incomplete_multipart_upload = { days_after_initiation = 7 }
"#,
        r#"
[s3.bucket.access-logs]
bucket        = "access-logs-${account.id}"
services      = ["s3_access_logs"]
sse_algorithm = "AES256"
versioning    = "Suspended"

[kms.key.audit]
service_principals = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]

[s3.bucket.audit]
bucket                   = "audit-${account.id}"
services                 = ["cloudtrail", "waf", "route53_resolver"]
source_accounts          = ["${account.id}", "444455556666"]
sse_algorithm            = "AES256"
bucket_key_enabled       = false
blocked_encryption_types = ["NONE"]
versioning               = "Enabled"
object_lock_mode         = "GOVERNANCE"
object_lock_years        = 2
lifecycle                = []
object_ownership         = "BucketOwnerPreferred"
require_tls              = false
access_log_bucket        = ""
tags                     = {}

[s3.bucket.audit.public_access_block]
block_public_acls       = true
ignore_public_acls      = false
block_public_policy     = true
restrict_public_buckets = false

[[s3.bucket.audit.extra_policy_statements]]
Sid       = "ReadByAuditors"
Effect    = "Allow"
Principal = { AWS = "arn:${partition}:iam::${account.id}:root" }
Action    = ["s3:GetObject", "s3:ListBucket"]
Resource  = ["arn:${partition}:s3:::audit-${account.id}", "arn:${partition}:s3:::audit-${account.id}/*"]
"#,
        r#"
[s3.bucket.audit]
bucket = "audit-${account.id}"
region = "eu-west-1"

[[s3.bucket.audit.lifecycle]]
id                             = "what-was-sent-and-read"
status                         = "Disabled"
filter                         = { prefix = "sent/", tags = { read = "yes" }, object_size_greater_than = 131072, object_size_less_than = 1073741824 }
transitions                    = [{ date = "2040-01-01", storage_class = "GLACIER" }]
expiration                     = { date = "2045-01-01" }
noncurrent_version_transitions = [{ noncurrent_days = 30, newer_noncurrent_versions = 3, storage_class = "STANDARD_IA" }]
noncurrent_version_expiration  = { noncurrent_days = 365, newer_noncurrent_versions = 5 }

[[s3.bucket.audit.lifecycle]]
id         = "what-is-gone"
expiration = { expired_object_delete_marker = true }
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![calls::of(&action.step)]
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        observe::observe(cx, spec).await
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        diff::diff(facts, spec, object)
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        apply::apply(cx, action).await
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        diff::undo(action, before)
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let names = observe::names(cx).await?;
        Ok(names.into_iter().map(|name| crate::kinds::spec::found([("bucket", name)])).collect())
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let encryption = state.encryption.as_ref();
        let lock = state.object_lock.as_ref().filter(|lock| lock.mode.is_some());
        let with_kms =
            encryption.filter(|encryption| encryption.sse_algorithm != spec::SseAlgorithm::Aes256);
        let logging = state.logging.as_ref();
        let statements = state.policy.as_deref().and_then(|text| {
            let statements = PolicyDocument::from_text(text).ok()?.statements();
            serde_json::from_value(serde_json::Value::Array(statements)).ok()
        });
        Some(Spec {
            bucket: object.id.clone(),
            region: Some(state.region.clone()),
            sse_algorithm: encryption.map(|encryption| encryption.sse_algorithm),
            kms_master_key_id: with_kms
                .map(|encryption| encryption.kms_master_key_id.clone().unwrap_or_default()),
            bucket_key_enabled: with_kms.map(|encryption| encryption.bucket_key_enabled),
            blocked_encryption_types: encryption
                .map(|encryption| encryption.blocked_encryption_types.clone())
                .filter(|types| !types.is_empty()),
            versioning: state.versioning,
            mfa_delete: Some(state.mfa_delete),
            object_lock_mode: lock.and_then(|lock| lock.mode),
            object_lock_days: lock.and_then(|lock| lock.days),
            object_lock_years: lock.and_then(|lock| lock.years),
            lifecycle: state.lifecycle.as_ref().map(|lifecycle| lifecycle.rules.clone()),
            transition_default_minimum_object_size: state
                .lifecycle
                .as_ref()
                .and_then(|lifecycle| lifecycle.transition_default_minimum_object_size),
            object_ownership: state.object_ownership,
            public_access_block: state.public_access_block,
            access_log_bucket: logging.map(|logging| logging.bucket.clone()),
            access_log_prefix: logging.map(|logging| logging.prefix.clone()),
            access_log_key_format: logging.and_then(|logging| logging.key_format),
            extra_policy_statements: statements,
            tags: Some(state.tags.clone()),
            ..Spec::default()
        })
    }
}

#[cfg(test)]
mod tests;
