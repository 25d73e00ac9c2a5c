//! What a baseline declares of a trail, what is observed of it, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::selectors::{AdvancedEventSelector, EventSelector, Selectors};
use crate::kinds::kms::named::Named;
use crate::kinds::spec::aws_enum;

/// A CloudTrail trail: the record of who did what in an account.
///
/// A trail lives in its home Region; a multi-Region trail is made once and records all Regions. Its
/// bucket and key must allow CloudTrail before it is made: declare them as `s3.bucket` and `kms.key`
/// and refer to them, so that they come first.
///
/// A trail is known by its name, its home Region and its account: one of the same name that is at
/// home elsewhere is reported and never written to.
///
/// Where there is no such trail, an organization trail that records this account takes its place:
/// every declared field is compared with it, and what differs is reported, for only the management
/// account can change it. In accounts that rely on it, declare what it is to do (`is_logging`,
/// `record_all_management_events`, `enable_log_file_validation` …) and leave out what is the
/// management account's business, such as the bucket. The trail of AWS Control Tower is left alone
/// too. evenkeel never deletes a trail.
///
/// A trail that records and cannot deliver is reported where the field that it contradicts is
/// declared: `is_logging` for log files, `enable_log_file_validation` for digests, `sns_topic_name`
/// and `cloud_watch_logs_log_group_arn` for what goes there.
///
/// Source: CloudTrail API Reference, `CreateTrail`, `UpdateTrail`, `PutEventSelectors`,
/// `GetTrailStatus`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The trail's name, 3 to 128 characters: letters, digits, `.`, `_`, `-`. It cannot be changed.
    #[schemars(regex(pattern = r"^[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?![._-])){1,126}[A-Za-z0-9]$"))]
    pub name: String,
    /// The Region that the trail is made and governed in; the home Region of the account by
    /// default. It cannot be changed.
    pub home_region: Option<String>,
    /// The bucket that the log files go to; needed to make a trail.
    #[schemars(length(min = 3, max = 63))]
    pub s3_bucket_name: Option<String>,
    /// What stands before `AWSLogs/` in the names of the log files, up to 200 characters; "" for
    /// nothing. The bucket must let CloudTrail write there (`service_prefixes` of `s3.bucket`), or AWS
    /// refuses the trail.
    #[schemars(length(max = 200))]
    pub s3_key_prefix: Option<String>,
    /// Whether all Regions are recorded. AWS's default is false.
    pub is_multi_region_trail: Option<bool>,
    /// Whether events of global services such as IAM are recorded; a multi-Region trail always does.
    pub include_global_service_events: Option<bool>,
    /// Whether all accounts of the organization are recorded; only in the management account.
    pub is_organization_trail: Option<bool>,
    /// Whether digests prove that log files were not changed. AWS's default is false.
    pub enable_log_file_validation: Option<bool>,
    /// The KMS key that encrypts the log files: an ARN, an id or an alias; "" for S3's own key. A key
    /// that cannot work (disabled, about to be deleted, of the wrong spec, not there) is a finding,
    /// and is not written; so is a key of this account whose policy does not let CloudTrail use it for
    /// this trail. Whether a key of another account works is seen only where that account lets evenkeel
    /// look (`kms:DescribeKey`), and whom it lets in is not.
    pub kms_key_id: Option<String>,
    /// The CloudWatch Logs group that events are also sent to, an ARN; "" for none.
    pub cloud_watch_logs_log_group_arn: Option<String>,
    /// The role with which CloudTrail writes to that group, an ARN; "" for none.
    pub cloud_watch_logs_role_arn: Option<String>,
    /// The SNS topic that is told of new log files, a name or an ARN; "" for none. A name means the
    /// topic of that name in the trail's own account and home Region.
    #[schemars(length(max = 256))]
    pub sns_topic_name: Option<String>,
    /// Whether the trail records. A new trail does not until it is started.
    pub is_logging: Option<bool>,
    /// Whether CloudTrail's own deliveries are recorded; AWS's default is true.
    pub recursive_logging: Option<bool>,
    /// Basic event selectors, up to 5; [] for AWS's default, all management events and nothing
    /// else. Not together with `advanced_event_selectors`.
    #[schemars(length(max = 5))]
    pub event_selectors: Option<BTreeSet<EventSelector>>,
    /// Advanced event selectors. Not together with `event_selectors`.
    pub advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
    /// What unusual activity is looked for; [] for nothing.
    pub insight_selectors: Option<BTreeSet<InsightSelector>>,
    /// The summaries that are made of data events; [] for none.
    pub event_aggregation: Option<BTreeSet<AggregationTemplate>>,
    /// All tags of the trail, up to 50; tags of AWS's own (`aws:…`) do not count.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether it is a finding when the selectors do not record every management event, reads and
    /// writes, of every source. Data events do not count.
    pub record_all_management_events: Option<bool>,
    /// Whether it is a finding when the selectors leave out the management events of a source, such
    /// as KMS or RDS data, that they record of others, or record none at all. It does not ask for
    /// reads and writes both: `record_all_management_events` does.
    pub forbid_excluded_sources: Option<bool>,
}

/// Unusual activity of one sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InsightSelector {
    /// The sort.
    pub insight_type: InsightType,
    /// In which events; management events by default.
    #[serde(default = "management")]
    #[schemars(length(min = 1))]
    pub event_categories: BTreeSet<InsightCategory>,
}

aws_enum! {
    /// A sort of unusual activity: unusually many or few calls, or errors.
    InsightType {
        ApiCallRateInsight = "ApiCallRateInsight",
        ApiErrorRateInsight = "ApiErrorRateInsight",
    }
}

/// The events that insights are looked for in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum InsightCategory {
    /// Management events.
    Management,
    /// Data events.
    Data,
}

fn management() -> BTreeSet<InsightCategory> {
    BTreeSet::from([InsightCategory::Management])
}

aws_enum! {
    /// A summary of data events: by call, by resource or by user.
    AggregationTemplate {
        ApiActivity = "API_ACTIVITY",
        ResourceAccess = "RESOURCE_ACCESS",
        UserActions = "USER_ACTIONS",
    }
}

/// The settings of `CreateTrail` and `UpdateTrail`. In an update, what is `None` stays as it is.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub s3_bucket_name: Option<String>,
    pub s3_key_prefix: Option<String>,
    pub is_multi_region_trail: Option<bool>,
    pub include_global_service_events: Option<bool>,
    pub is_organization_trail: Option<bool>,
    pub enable_log_file_validation: Option<bool>,
    pub kms_key_id: Option<String>,
    pub cloud_watch_logs_log_group_arn: Option<String>,
    pub cloud_watch_logs_role_arn: Option<String>,
    pub sns_topic_name: Option<String>,
    pub recursive_logging: Option<bool>,
}

/// A trail as observed. What the spec does not declare may be absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its ARN; it holds its home Region and account.
    pub arn: String,
    /// Its settings, all of them.
    pub settings: Settings,
    /// Whether it records.
    pub is_logging: bool,
    /// What could not be delivered lately, though it records: by the field of the spec that it
    /// contradicts and AWS's name of it, as in `is_logging.latest_delivery_error`.
    #[serde(default)]
    pub delivery_errors: BTreeMap<String, String>,
    /// What AWS did not show of another account's trail, by the field of the spec, with the reason.
    #[serde(default)]
    pub hidden: BTreeMap<String, String>,
    /// The ARNs of more trails with this name that are no more the declared one than this.
    #[serde(default)]
    pub namesakes: Vec<String>,
    /// Its event selectors.
    pub selectors: Option<Selectors>,
    /// Its insight selectors.
    pub insight_selectors: Option<BTreeSet<InsightSelector>>,
    /// Its aggregation of data events.
    pub event_aggregation: Option<BTreeSet<AggregationTemplate>>,
    /// Its tags, without AWS's own.
    pub tags: Option<BTreeMap<String, String>>,
    /// What the declared name of the key stands for; absent when none is declared.
    #[serde(default)]
    pub declared_key: Option<Named>,
    /// The policy of that key, where it is told here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_policy: Option<String>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The trail: its name.
    pub trail: String,
    /// Its home Region.
    pub region: String,
    /// What to do.
    pub step: Step,
}

/// What to do with a trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes the trail; it does not record yet.
    Create {
        /// Its settings.
        settings: Settings,
        /// Its tags.
        tags: BTreeMap<String, String>,
    },
    /// Changes settings; those that are not there stay as they are.
    Update {
        /// The settings.
        settings: Settings,
    },
    /// Replaces all event selectors.
    PutEventSelectors {
        /// The selectors.
        selectors: Selectors,
    },
    /// Replaces all insight selectors.
    PutInsightSelectors {
        /// The selectors.
        insight_selectors: BTreeSet<InsightSelector>,
    },
    /// Replaces the aggregation of data events.
    PutEventConfiguration {
        /// The templates.
        event_aggregation: BTreeSet<AggregationTemplate>,
    },
    /// Sets tags.
    AddTags {
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Takes tags away.
    RemoveTags {
        /// The tags, with the values that they have.
        tags: BTreeMap<String, String>,
    },
    /// Lets the trail record.
    StartLogging,
    /// Stops the record.
    StopLogging,
}

impl Spec {
    /// The declared key, unless it is S3's own.
    pub fn key(&self) -> Option<&str> {
        self.kms_key_id.as_deref().filter(|key| !key.is_empty())
    }

    /// Whether the event selectors must be read.
    pub fn looks_at_selectors(&self) -> bool {
        self.declares_selectors()
            || self.forbid_excluded_sources.is_some()
            || self.record_all_management_events.is_some()
    }

    /// Whether the event selectors themselves are declared.
    pub fn declares_selectors(&self) -> bool {
        self.event_selectors.is_some() || self.advanced_event_selectors.is_some()
    }

    /// The declared event selectors, as AWS stores them.
    pub fn selectors(&self) -> Option<Selectors> {
        let basic = self.event_selectors.clone().map(Selectors::Basic);
        let advanced = || self.advanced_event_selectors.clone().map(Selectors::Advanced);
        basic.or_else(advanced).map(Selectors::normal)
    }

    /// Whether anything depends on which management events are recorded.
    pub fn promises_events(&self) -> bool {
        self.forbid_excluded_sources == Some(true)
            || self.record_all_management_events == Some(true)
    }

    /// Whether any of the settings of `UpdateTrail` is declared.
    pub fn has_settings(&self) -> bool {
        self.s3_bucket_name.is_some()
            || self.s3_key_prefix.is_some()
            || self.is_multi_region_trail.is_some()
            || self.include_global_service_events.is_some()
            || self.is_organization_trail.is_some()
            || self.enable_log_file_validation.is_some()
            || self.kms_key_id.is_some()
            || self.cloud_watch_logs_log_group_arn.is_some()
            || self.cloud_watch_logs_role_arn.is_some()
            || self.sns_topic_name.is_some()
            || self.recursive_logging.is_some()
    }
}
