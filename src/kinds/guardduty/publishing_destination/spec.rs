//! What a baseline declares of the export of findings, what is observed, and the writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::let_in::Keyed;
use crate::kinds::kms::named;
use crate::kinds::spec::aws_enum;
use crate::kinds::tags::{GUARDDUTY, Tags};
use crate::names::{AccountId, Arn};

/// Where GuardDuty exports the findings of a Region to: a bucket, or a folder in it, encrypted with a key.
/// Exported findings stay for as long as the bucket keeps them; GuardDuty itself forgets them after 90 days.
///
/// A detector has one destination. GuardDuty takes it only if the bucket's policy and the key's policy let it in:
/// `services = ["guardduty"]` of `s3.bucket`, and `service_principals = ["guardduty.amazonaws.com"]` of
/// `kms.key`. A folder must be there as an empty object with its name and `/`, whenever a destination is made or
/// changed: GuardDuty makes none, and a lifecycle rule that deletes it breaks the next change.
///
/// A destination to which nothing is exported is reported with what must be put right. Where the bucket is another
/// account's, `expected_bucket_owner` says whose: to export to it is a rise of privileges (`foreign`), and without
/// that field nothing is exported to a bucket that is not this account's. In an account that a GuardDuty
/// administrator account manages, that account exports the findings: what differs is reported. A Region without a
/// detector exports nothing: where the same plan makes one, the destination is made after it.
///
/// Source: GuardDuty API Reference, `CreatePublishingDestination`, `UpdatePublishingDestination`,
/// `DescribePublishingDestination`, `DestinationProperties`; GuardDuty User Guide, "Exporting generated findings to
/// Amazon S3".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The ARN of the bucket, with or without a folder: `arn:aws:s3:::findings/guardduty`.
    #[schemars(length(min = 1))]
    pub destination_arn: String,
    /// The key that findings are encrypted with, in the Region of the bucket: its ARN, id or alias, or the alias's
    /// ARN. Where the bucket is in another Region, only the ARNs say which key is meant.
    #[schemars(length(min = 1))]
    pub kms_key_arn: String,
    /// The account that the bucket must be of: to a bucket that another account has by then, GuardDuty exports
    /// nothing. AWS's default is to ask nobody. Once set it can be changed, and not be taken away.
    #[serde(default)]
    pub expected_bucket_owner: Option<AccountId>,
    /// All tags of the destination; {} for none. Tags of AWS (`aws:…`) are left alone.
    #[serde(default)]
    pub tags: Option<Tags>,
}

/// Samples, which together declare every field.
pub const SAMPLES: [&str; 2] = [
    r#"
[kms.key.findings]
service_principals = ["guardduty.amazonaws.com"]

[s3.bucket.findings]
bucket   = "guardduty-findings-${account.id}"
services = ["guardduty"]

[guardduty.detector]
enable = true

[guardduty.publishing_destination]
destination_arn       = "arn:${partition}:s3:::${s3.bucket.findings.bucket}"
kms_key_arn           = "${kms.key.findings.alias}"
expected_bucket_owner = "${account.id}"
tags                  = { team = "security" }
"#,
    r#"
[kms.key.findings-archive]
service_principals = ["guardduty.amazonaws.com"]

[s3.bucket.findings-archive]
bucket   = "findings-archive-${account.id}"
services = ["guardduty"]

[guardduty.detector]
enable = true

[guardduty.publishing_destination]
destination_arn = "arn:${partition}:s3:::${s3.bucket.findings-archive.bucket}/"
kms_key_arn     = "${kms.key.findings-archive.alias}"
tags            = {}
"#,
];

/// What GuardDuty would refuse.
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if bucket_of(&spec.destination_arn).is_none() {
        problems.push(SpecProblem::new(
            "destination_arn",
            format!("{:?} is no ARN of a bucket, or of a folder in one", spec.destination_arn),
            "such as \"arn:aws:s3:::findings\" or \"arn:aws:s3:::findings/guardduty\"",
        ));
    }
    problems.extend(named::wrong("kms_key_arn", &spec.kms_key_arn, named::DELIVERY));
    problems.extend(GUARDDUTY.check(spec.tags.as_ref()));
    problems
}

/// The bucket in the ARN of a destination.
pub fn bucket_of(arn: &str) -> Option<&str> {
    let arn = Arn::parse(arn).filter(|arn| arn.service == "s3" && !arn.partition.is_empty())?;
    let bucket = arn.resource.split('/').next()?;
    let fits = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-'
    };
    let is_bucket = (3..=63).contains(&bucket.len()) && bucket.bytes().all(fits);
    (arn.region.is_empty() && arn.account.is_empty() && is_bucket).then_some(bucket)
}

/// A destination without the `/` that its ARN may end with.
pub fn plain(arn: &str) -> &str {
    arn.trim_end_matches('/')
}

aws_enum! {
    /// How a destination fares.
    Status {
        Publishing = "PUBLISHING",
        Unable = "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY",
        Stopped = "STOPPED",
    }
}

/// Where findings go, as it is written: as a whole.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Properties {
    /// As in [`Spec`].
    pub destination_arn: String,
    /// The ARN of the key, or its name where none is there yet.
    pub kms_key_arn: String,
    /// As in [`Spec`].
    #[serde(default)]
    pub expected_bucket_owner: Option<AccountId>,
}

/// A destination that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// GuardDuty's own id.
    pub destination_id: String,
    /// Where findings go.
    pub properties: Properties,
    /// Whether they arrive.
    pub status: Status,
    /// Without those of AWS.
    pub tags: Tags,
}

/// The export as observed.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The Region's detector, if there is one.
    #[serde(default)]
    pub detector_id: Option<String>,
    /// Its destination, if it has one.
    #[serde(default)]
    pub destination: Option<Destination>,
    /// The declared key.
    pub declared_key: Keyed,
    /// Whether the declared bucket is among the account's own; absent where it does not matter.
    #[serde(default)]
    pub is_own_bucket: Option<bool>,
}

/// How a destination is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    /// Where findings go.
    pub properties: Properties,
    /// Its tags.
    pub tags: Tags,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Makes the destination.
    Create(Making),
    /// Leads findings elsewhere.
    Update(Properties),
    /// Ends the export; only to undo that it was made.
    Delete,
    /// Sets tags.
    Tag(Tags),
    /// Takes tags away.
    Untag(Tags),
}
