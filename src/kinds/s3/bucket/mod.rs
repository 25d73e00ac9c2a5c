//! `s3.bucket`: a bucket with all its settings, its policy merged from what must be in it.

mod check;
mod delivery;
mod encryption;
pub mod lifecycle;
mod logging;
pub mod name;
mod object_lock;
mod ownership;
pub mod place;
mod policy;
mod public_access_block;
pub mod spec;
mod statements;
mod tags;
mod tls;
mod versioning;

use std::collections::BTreeSet;

use place::{HEAD, LIST, Place};
use spec::Spec;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration};
use serde::{Deserialize, Serialize};

use crate::aws::{Call, ErrorClass};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::spec::found;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError,
};
use crate::names::Region;

const CREATE: Call = Call::new("s3", "CreateBucket");
/// The one Region that S3 does not want to be named.
const NAMELESS_REGION: &str = "us-east-1";

/// A request about a bucket that insists on its owner, the account: S3 refuses it where another account
/// has the bucket.
macro_rules! request {
    ($operation:ident, $cx:expr, $bucket:expr) => {
        $cx.client(aws_sdk_s3::Client::new)
            .$operation()
            .bucket($bucket)
            .expected_bucket_owner($cx.account.as_str())
    };
}
use request;

/// How a bucket is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    /// Whether objects can be locked.
    object_lock: bool,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket;

impl Kind for Bucket {
    const NAME: &'static str = "s3.bucket";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Named { field: "bucket", prefix: "" };
    const REGION: Option<&'static str> = Some("region");
    const IN_REGION: &'static [&'static str] = &["kms_master_key_id"];
    const NOT_STATE: &'static [&'static str] = &["bucket", "prevent_destroy"];
    const AFTER: &'static [&'static str] = &["kms.key", "iam.role"];
    const BESIDE: &'static [&'static str] = &[
        "/parts/encryption/key",
        "/parts/encryption/declared_key",
        "/parts/encryption/key_policy",
        "/parts/lifecycle/is_empty",
    ];
    const CONTROLS: Controls = Controls {
        cis_v3: &["2.1.1", "2.1.2", "2.1.4", "3.4"],
        cis_v5: &["2.1.1", "2.1.2", "2.1.4", "3.4"],
        fsbp: &["S3.2", "S3.3", "S3.5", "S3.6", "S3.8", "S3.9", "S3.12", "S3.13"],
        security_hub: &[
            "S3.10",
            "S3.14",
            "S3.15",
            "S3.17",
            "S3.20",
            "CloudTrail.6",
            "CloudTrail.7",
        ],
        well_architected: &[
            "SEC03-BP07",
            "SEC04-BP01",
            "SEC07-BP04",
            "SEC08-BP02",
            "SEC08-BP04",
            "SEC09-BP02",
        ],
        by_fields: &[
            // CIS takes either statement; Security Hub asks for `aws:SecureTransport`.
            (&["2.1.1"], &["require_tls", "min_tls_version"]),
            (&["S3.5"], &["require_tls"]),
            (&["2.1.2", "S3.20"], &["mfa_delete"]),
            (&["2.1.4", "S3.2", "S3.3", "S3.8", "CloudTrail.6"], &["public_access_block"]),
            (&["3.4", "S3.9", "CloudTrail.7"], &["access_log_bucket"]),
            (&["S3.6"], &["forbid_foreign_access"]),
            (&["S3.10", "S3.13"], &["lifecycle"]),
            (&["S3.12"], &["object_ownership"]),
            (&["S3.14"], &["versioning"]),
            (&["S3.15"], &["object_lock_mode"]),
            (&["S3.17"], &["sse_algorithm"]),
        ],
    };
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(LIST), Use::read(HEAD), Use::write(CREATE, bucket)];
    const LENT: Option<&'static [Call]> = Some(&[CREATE, policy::PUT, encryption::PUT]);
    const MORE_EVENTS: &'static [&'static str] = &["s3.amazonaws.com:DeleteBucket"];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("sse_algorithm", r#""AES256""#),
        ("kms_master_key_id", r#""""#),
        ("bucket_key_enabled", "false"),
        ("lifecycle", "[]"),
        ("object_ownership", r#""BucketOwnerEnforced""#),
        ("public_access_block.block_public_acls", "true"),
        ("public_access_block.ignore_public_acls", "true"),
        ("public_access_block.block_public_policy", "true"),
        ("public_access_block.restrict_public_buckets", "true"),
        ("transition_default_minimum_object_size", r#""all_storage_classes_128K""#),
        ("access_log_bucket", r#""""#),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[s3.bucket.access-logs]
bucket        = "access-logs-${account.id}"
services      = ["s3_access_logs", "elb"]
sse_algorithm = "AES256"
versioning    = "Enabled"

[kms.key.audit]
service_principals = ["cloudtrail.amazonaws.com", "config.amazonaws.com", "delivery.logs.amazonaws.com"]

[s3.bucket.audit]
bucket                   = "audit-${account.id}"
services                 = ["cloudtrail", "config", "vpc_flow_logs", "guardduty", "macie"]
service_prefixes         = { cloudtrail = "trails", guardduty = "findings" }
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
forbid_foreign_access    = true
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
forbid_foreign_access    = false
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

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("access_log_key_format"),
        Stricter::Neither("bucket_key_enabled"),
        Stricter::Neither("forbid_foreign_access"),
        Stricter::Neither("object_lock_days"),
        Stricter::Neither("object_lock_mode"),
        Stricter::Neither("object_lock_years"),
        Stricter::Neither("transition_default_minimum_object_size"),
        Stricter::Order("versioning", &["Suspended", "Enabled"]),
        Stricter::On("mfa_delete"),
        Stricter::On("require_tls"),
        Stricter::Order("min_tls_version", &["1.2", "1.3"]),
        Stricter::Set("access_log_bucket"),
        Stricter::Order(
            "object_ownership",
            &["ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"],
        ),
        Stricter::Order("sse_algorithm", &["AES256", "aws:kms", "aws:kms:dsse"]),
        Stricter::Holding("blocked_encryption_types", "SSE-C"),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check::check(spec)
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let names = place::names(cx).await?;
        Ok(names.into_iter().map(|name| found([("bucket", name)])).collect())
    }

    by_parts!();
}

impl Parted for Bucket {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &public_access_block::Switches,
        &ownership::Ownership,
        &encryption::DefaultEncryption,
        &versioning::Versions,
        &policy::Policy,
        &lifecycle::LifecycleRules,
        &object_lock::Lock,
        &logging::AccessLog,
        &tags::AllTags,
    ];
    const CREATE: Call = CREATE;
    const CREATING: &'static [Call] = &[CREATE, place::LIST, place::HEAD];
    const KEPT: &'static str = "evenkeel never deletes a bucket";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        place::find(cx, &spec.bucket).await
    }

    fn place(facts: &Facts, spec: &Spec) -> Place {
        let region = spec.region.clone().unwrap_or_else(|| facts.home_region.to_string());
        Place { bucket: spec.bucket.clone(), region }
    }

    fn region(place: &Place) -> Option<Region> {
        Some(Region::new(&place.region))
    }

    fn making(facts: &Facts, spec: &Spec) -> Change<Making> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.bucket));
        // A bucket whose name S3 takes no more; those that have one may stay.
        if let Some(problem) = name::problem(&spec.bucket) {
            return Change::finding(drift).withhold(format!(
                "there is no such bucket, and S3 makes none of this name: {problem}; choose another name"
            ));
        }
        drift.add("region", None::<&str>, Some(&Self::place(facts, spec).region));
        Change::new(Making { object_lock: spec.object_lock_mode.is_some() }, drift)
    }

    // Of a bucket that is there already, S3 says in us-east-1 that it was made, and sets its ACL anew (S3 API
    // Reference, `CreateBucket`, `BucketAlreadyOwnedByYou`).
    fn looked_for(place: &Place) -> Option<Spec> {
        (place.region == NAMELESS_REGION).then(|| Self::named(&place.bucket, place))
    }

    async fn create(cx: &WriteCx, place: &Place, making: &Making) -> Result<Made, WriteError> {
        let region = place.region.as_str();
        let configuration = (region != NAMELESS_REGION).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        // Such names are the account's own, and S3 wants to be told.
        let own_name = place.bucket.ends_with(&format!("-{}-{region}-an", cx.account));
        let request = cx
            .client(Client::new)
            .create_bucket()
            .bucket(&place.bucket)
            .set_create_bucket_configuration(configuration)
            .set_bucket_namespace(own_name.then_some(BucketNamespace::AccountRegional))
            .set_object_lock_enabled_for_bucket(making.object_lock.then_some(true));
        match cx.made(CREATE, request.send()).await {
            // An earlier try whose answer was lost made it, or somebody else of the account did since
            // the look.
            Err(WriteError::Aws(error)) if error.is_code(&["BucketAlreadyOwnedByYou"]) => {
                Err(WriteError::was_there(&error))
            }
            answer => answer,
        }
    }

    fn immovable(spec: &Spec, place: &Place) -> Option<Change<Making>> {
        let mut drift = Drift::new();
        drift.compare("region", Some(&place.region), spec.region.as_ref()).then(|| {
            Change::finding(drift).withhold(
                "a bucket cannot move to another Region: make another bucket, or declare this Region",
            )
        })
    }

    // S3 takes one change of a bucket at a time, and does not know new principals at once.
    fn is_settling(error: &WriteError) -> bool {
        let WriteError::Aws(error) = error else { return false };
        error.class == ErrorClass::Settling
            || (error.is_code(&["MalformedPolicy"]) && error.message.contains("principal"))
    }

    fn named(id: &str, place: &Place) -> Spec {
        Spec { bucket: id.to_owned(), region: Some(place.region.clone()), ..Spec::default() }
    }
}

fn bucket(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.bucket(&spec.bucket)]).into()
}

fn unknown_value(field: &str, value: &str) -> ObserveError {
    ObserveError::UnknownValue { field: field.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests;
