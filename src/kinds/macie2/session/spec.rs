//! What is declared of a session of Macie.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kinds::spec::aws_enum;
use crate::names::AccountId;

/// Amazon Macie in a Region: whether it looks at the account's buckets, what it looks for in them, and where its results
/// go.
///
/// Macie suspended (`PAUSED`) keeps its settings, cancels all jobs and looks at nothing; Macie disabled (`DISABLED`)
/// has lost settings, jobs and findings. In a Region that Macie is known not to be offered in, and where nobody
/// answers, there is nothing to declare, and the object is left out.
///
/// In an account that a Macie administrator account manages, that account decides on `status` and on automated
/// discovery: evenkeel compares and reports, names the administrator, and does not write these. All else stays the
/// account's own. `auto_enable_members` and `auto_enable_organization_members` are for the organization's Macie
/// administrator account.
///
/// Jobs and automated discovery look for what managed data identifiers find, and use an identifier or allow list of
/// one's own only where they name it: evenkeel makes these, and leaves who names them alone.
///
/// Source: Macie API Reference; Macie User Guide, "Macie administrator and member account relationships", "Suspending
/// Macie", "Defining sensitive data exceptions with allow lists", "Building custom data identifiers", "Storing and
/// retaining sensitive data discovery results".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether Macie is on: `ENABLED`, `PAUSED` (AWS calls it suspended), or `DISABLED`, which loses all that Macie
    /// has. AWS's default is `DISABLED`.
    pub status: Status,
    /// How soon repetitions of a policy finding are told to Security Hub and EventBridge. AWS's default is
    /// `FIFTEEN_MINUTES`.
    pub finding_publishing_frequency: Option<Frequency>,
    /// Whether Macie looks for sensitive data by itself, in samples of all buckets, day by day. AWS may have it on
    /// where Macie is new.
    pub automated_discovery: Option<Discovery>,
    /// In which accounts of the organization automated discovery is enabled by itself: `ALL`, those that come (`NEW`),
    /// or `NONE`; for the organization's Macie administrator account.
    pub auto_enable_organization_members: Option<AutoEnable>,
    /// Whether new accounts of the organization become members, with Macie enabled; for the organization's Macie
    /// administrator account. AWS's default is false.
    pub auto_enable_members: Option<bool>,
    /// The account that must be the Macie administrator of this one, as a finding if it is not; "" if there must be
    /// none.
    pub require_administrator_account: Option<String>,
    /// Whether policy findings, on how buckets are protected, are published to Security Hub. AWS's default is true.
    pub publish_policy_findings: Option<bool>,
    /// Whether findings of sensitive data are published to Security Hub. AWS's default is false.
    pub publish_classification_findings: Option<bool>,
    /// Whether it is a finding when a rule archives findings by itself (a findings filter with the action `ARCHIVE`), so
    /// that nobody sees them.
    pub forbid_suppression_rules: Option<bool>,
    /// Where the results of every analysis are kept, those that found nothing among them. Without it Macie forgets
    /// them after 90 days. AWS's default is none.
    pub classification_export: Option<ClassificationExport>,
    /// Identifiers of one's own that must be there, by name. Others are left alone. Macie changes none: one that
    /// differs is deleted and made anew, and jobs go on with the former until they name the new one.
    pub custom_data_identifiers: Option<BTreeMap<String, CustomDataIdentifier>>,
    /// All allow lists, by name: what Macie does not report. {} for none. One that is not declared is reported, not
    /// deleted.
    pub allow_lists: Option<BTreeMap<String, AllowList>>,
    /// Jobs that must be there and neither paused nor cancelled, by name. evenkeel reports, and makes none.
    #[schemars(length(min = 1))]
    pub classification_jobs: Option<BTreeSet<String>>,
}

aws_enum! {
    /// Whether Macie is on.
    #[derive(Default)]
    Status {
        #[default]
        Enabled = "ENABLED",
        Paused = "PAUSED",
        Disabled = "DISABLED",
    }
}

aws_enum! {
    /// How soon repetitions of a finding are told.
    Frequency {
        FifteenMinutes = "FIFTEEN_MINUTES",
        OneHour = "ONE_HOUR",
        SixHours = "SIX_HOURS",
    }
}

aws_enum! {
    /// Whether automated discovery is on.
    Discovery {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

aws_enum! {
    /// In which accounts automated discovery is enabled by itself.
    AutoEnable {
        All = "ALL",
        New = "NEW",
        None = "NONE",
    }
}

aws_enum! {
    /// How severe a finding is.
    Severity {
        Low = "LOW",
        Medium = "MEDIUM",
        High = "HIGH",
    }
}

/// Where the results of every analysis are kept.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassificationExport {
    /// The bucket, whose policy must let Macie in: `services = ["macie"]` of `s3.bucket`.
    #[schemars(length(min = 3, max = 63))]
    pub bucket_name: String,
    /// What the names of the results begin with.
    pub key_prefix: Option<String>,
    /// The key that they are encrypted with, in the Region of the bucket: its ARN, id or alias, or the alias's ARN. Its
    /// policy must let Macie in: `service_principals = ["macie.amazonaws.com"]` of `kms.key`.
    #[schemars(length(min = 1))]
    pub kms_key_arn: String,
    /// The account that the bucket must be of: to a bucket that another account has by then, Macie writes nothing.
    pub expected_bucket_owner: Option<AccountId>,
}

/// What Macie looks for in addition to what it knows by itself.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomDataIdentifier {
    /// The pattern, of 512 characters at most.
    #[schemars(length(min = 1, max = 512))]
    pub regex: String,
    /// What it is for, in 512 characters at most. AWS's default is none.
    #[schemars(length(min = 1, max = 512))]
    pub description: Option<String>,
    /// Words one of which must be near the text: 50 at most, of 3 to 90 characters. None, if not said.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 50))]
    pub keywords: BTreeSet<String>,
    /// Words with which a text is none: 10 at most, of 4 to 90 characters. None, if not said.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 10))]
    pub ignore_words: BTreeSet<String>,
    /// How near a keyword must be, in characters. 50, if not said.
    #[serde(default = "near")]
    #[schemars(range(min = 1, max = 300))]
    pub maximum_match_distance: u32,
    /// From how many occurrences on a finding has which severity: more for a higher one. `MEDIUM` from the first on, if
    /// not said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = each_severity)]
    pub severity_levels: BTreeMap<Severity, u32>,
}

/// Says of each severity what its number is.
fn each_severity(schema: &mut Schema) {
    let levels = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (severity, level) in levels.into_iter().flatten() {
        if let Some(level) = level.as_object_mut() {
            let doc = format!("From how many occurrences on a finding is {severity}.");
            level.insert("description".to_owned(), doc.into());
        }
    }
}

/// AWS's default.
fn near() -> u32 {
    50
}

/// What Macie does not report: either a pattern, or the words in an object.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowList {
    /// What it is for, in 512 characters at most. None, if not said.
    #[schemars(length(min = 1, max = 512))]
    pub description: Option<String>,
    /// The pattern of text that is not reported.
    #[schemars(length(min = 1, max = 512))]
    pub regex: Option<String>,
    /// The object with the words that are not reported, a line each.
    pub s3_words_list: Option<WordsList>,
}

/// An object with words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordsList {
    /// The bucket.
    #[schemars(length(min = 3, max = 255))]
    pub bucket_name: String,
    /// The name of the object.
    #[schemars(length(min = 1, max = 1024))]
    pub object_key: String,
}

pub const SAMPLES: [&str; 3] = [
    r#"
[kms.key.macie]
service_principals = ["macie.amazonaws.com"]

[s3.bucket.macie]
bucket   = "macie-results-${account.id}"
services = ["macie"]

[macie2.session]
status                          = "ENABLED"
finding_publishing_frequency    = "FIFTEEN_MINUTES"
automated_discovery             = "ENABLED"
publish_policy_findings         = true
publish_classification_findings = true
forbid_suppression_rules        = true
require_administrator_account   = ""

[macie2.session.classification_export]
bucket_name           = "${s3.bucket.macie.bucket}"
key_prefix            = "results"
kms_key_arn           = "${kms.key.macie.alias}"
expected_bucket_owner = "${account.id}"

[macie2.session.custom_data_identifiers.orders]
regex                  = "[A-Z]{2}-[0-9]{8}"
description            = "Numbers of orders"
keywords               = ["order", "invoice"]
ignore_words           = ["XX-00000000"]
maximum_match_distance = 30
severity_levels        = { LOW = 1, HIGH = 100 }

[macie2.session.allow_lists.examples]
description = "Made-up cards of the documentation"
regex       = "4111-1111-[0-9]{4}-1111"

[macie2.session.allow_lists.press]
s3_words_list = { bucket_name = "press-${account.id}", object_key = "speakers.txt" }
"#,
    r#"
[kms.key.macie-archive]
service_principals = ["macie.amazonaws.com"]

[s3.bucket.macie-archive]
bucket   = "macie-archive-${account.id}"
services = ["macie"]

[macie2.session]
status                          = "PAUSED"
finding_publishing_frequency    = "SIX_HOURS"
automated_discovery             = "DISABLED"
publish_policy_findings         = false
publish_classification_findings = false
forbid_suppression_rules        = false

[macie2.session.classification_export]
bucket_name = "${s3.bucket.macie-archive.bucket}"
kms_key_arn = "${kms.key.macie-archive.alias}"

[macie2.session.custom_data_identifiers.orders]
regex           = "[A-Z]{3}-[0-9]{8}"
severity_levels = { MEDIUM = 5 }

[macie2.session.allow_lists.examples]
regex = "4111-1111-1111-1111"

[macie2.session.allow_lists.press]
s3_words_list = { bucket_name = "press-${account.id}", object_key = "names.txt" }
"#,
    r#"
[macie2.session]
status = "DISABLED"
"#,
];
