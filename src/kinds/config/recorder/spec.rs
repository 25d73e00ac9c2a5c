//! What a baseline declares of the AWS Config recorder, what is observed of it, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::kms::named::Named;
use crate::kinds::spec::aws_enum;

/// AWS Config in a Region: the recorder, the channel through which it delivers, whether it runs, and
/// how long history is kept.
///
/// A Region has one recorder and one channel, so evenkeel adopts those that are there, whatever
/// their names. It makes them in the only order that works: recorder, channel, start. The recorder of
/// AWS Control Tower is reported and left alone; those that AWS services have for themselves are not
/// looked at. evenkeel never deletes a recorder, but for `rollback` the one that the run made.
///
/// A recorder that runs and fails is reported where `recording = true` is declared, and a delivery
/// that fails where the field that it contradicts is: `s3_bucket_name` for history,
/// `snapshot_delivery_frequency` for snapshots, `sns_topic_arn` for notices.
///
/// Source: AWS Config API Reference, `PutConfigurationRecorder`, `PutDeliveryChannel`,
/// `StartConfigurationRecorder`, `PutRetentionConfiguration`, `RecordingGroup`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The recorder's name, which cannot be changed; leave it out to adopt what is there, or to make
    /// one with the name `default`.
    #[schemars(length(min = 1, max = 256))]
    pub recorder_name: Option<String>,
    /// The role with which Config looks at resources, an ARN; "" for the service-linked role
    /// `AWSServiceRoleForConfig`, which a new recorder gets when nothing is declared.
    pub role_arn: Option<String>,
    /// Which resource types are recorded: all, those in `resource_types`, or all but those. AWS's
    /// default is all.
    pub strategy: Option<Strategy>,
    /// Whether IAM users, groups, roles and policies are recorded too, with the strategy for all
    /// types. They are the same in every Region, so evenkeel asks for them in the home Region alone.
    /// Where the recorder that is there goes by a list and no `strategy` is declared, the list is
    /// looked at.
    pub include_global_resource_types: Option<bool>,
    /// The types that are recorded, or left out, as `strategy` says: `AWS::EC2::Instance`.
    pub resource_types: Option<BTreeSet<String>>,
    /// How often changes are recorded. AWS's default is `CONTINUOUS`; Firewall Manager needs it.
    pub recording_frequency: Option<Frequency>,
    /// Types with another frequency, at most one group; [] for none. A `description` that is not
    /// declared is not compared, and stays.
    #[schemars(length(max = 1))]
    pub recording_overrides: Option<Vec<Override>>,
    /// Whether the recorder runs. A new one does not until it is started.
    pub recording: Option<bool>,
    /// The channel's name, which cannot be changed; leave it out to adopt what is there, or to make
    /// one with the name `default`.
    #[schemars(length(min = 1, max = 256))]
    pub delivery_channel_name: Option<String>,
    /// The bucket that history and snapshots go to; it may be in another account or Region.
    #[schemars(length(min = 3, max = 63))]
    pub s3_bucket_name: Option<String>,
    /// What stands before `AWSLogs/` in the names of the files; "" for nothing. The bucket must let Config
    /// write there (`service_prefixes` of `s3.bucket`), or AWS refuses the channel.
    pub s3_key_prefix: Option<String>,
    /// The KMS key that encrypts the files, an ARN; "" for the bucket's default. A key that cannot
    /// work (disabled, about to be deleted, of the wrong spec, not there) is a finding, and is not
    /// written; whether a key of another account works is seen only where that account lets evenkeel
    /// look (`kms:DescribeKey`). With the service-linked role, Config delivers as a service: a key of
    /// this account whose policy does not let it in is a finding too. Whether another role may use the
    /// key is for its own policies to say, and a delivery that fails is reported.
    pub s3_kms_key_arn: Option<String>,
    /// The SNS topic that is told of changes, an ARN; "" for none.
    pub sns_topic_arn: Option<String>,
    /// How often a snapshot of everything is delivered.
    pub snapshot_delivery_frequency: Option<SnapshotFrequency>,
    /// Days that history is kept, 30 to 2557. AWS's default is 2557, seven years.
    #[schemars(range(min = 30, max = 2557))]
    pub retention_period_in_days: Option<u32>,
}

impl Override {
    /// Whether this, as declared, agrees with what is there; a description that is not declared
    /// agrees with any.
    pub fn agrees_with(&self, actual: &Self) -> bool {
        self.resource_types == actual.resource_types
            && self.recording_frequency == actual.recording_frequency
            && (self.description.is_none() || self.description == actual.description)
    }
}

impl Spec {
    /// Whether anything is declared of the recorder itself.
    pub fn has_recorder(&self) -> bool {
        self.recorder_name.is_some()
            || self.role_arn.is_some()
            || self.strategy.is_some()
            || self.include_global_resource_types.is_some()
            || self.resource_types.is_some()
            || self.recording_frequency.is_some()
            || self.recording_overrides.is_some()
            || self.recording == Some(true)
    }

    /// Whether this says that there is no recorder: an empty name, which nobody can declare and by which the way
    /// back to it is judged.
    pub fn has_no_recorder(&self) -> bool {
        self.recorder_name.as_deref() == Some("")
    }

    /// Whether this says in the same way that there is no channel.
    pub fn has_no_channel(&self) -> bool {
        self.delivery_channel_name.as_deref() == Some("")
    }

    /// The declared key of the channel, unless it is the bucket's own.
    pub fn key(&self) -> Option<&str> {
        self.s3_kms_key_arn.as_deref().filter(|key| !key.is_empty())
    }

    /// Whether anything is declared of the channel.
    pub fn has_channel(&self) -> bool {
        self.delivery_channel_name.is_some()
            || self.s3_bucket_name.is_some()
            || self.s3_key_prefix.is_some()
            || self.s3_kms_key_arn.is_some()
            || self.sns_topic_arn.is_some()
            || self.snapshot_delivery_frequency.is_some()
    }

    /// Whether the recorder may be given the service-linked role.
    pub fn may_use_service_linked_role(&self) -> bool {
        self.has_recorder()
            && self
                .role_arn
                .as_deref()
                .is_none_or(|role| role.is_empty() || is_service_linked(role))
    }
}

/// The name of the role that Config has for itself.
pub const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForConfig";

/// Whether a role is Config's own.
pub fn is_service_linked(role_arn: &str) -> bool {
    role_arn.ends_with(SERVICE_LINKED_ROLE)
}

/// The name of what is made new.
pub const NEW: &str = "default";

aws_enum! {
    /// Which resource types are recorded.
    Strategy {
        All = "ALL_SUPPORTED_RESOURCE_TYPES",
        Inclusion = "INCLUSION_BY_RESOURCE_TYPES",
        Exclusion = "EXCLUSION_BY_RESOURCE_TYPES",
    }
}

aws_enum! {
    /// How often changes are recorded.
    Frequency { Continuous = "CONTINUOUS", Daily = "DAILY", }
}

aws_enum! {
    /// How often snapshots are delivered.
    SnapshotFrequency {
        OneHour = "One_Hour",
        ThreeHours = "Three_Hours",
        SixHours = "Six_Hours",
        TwelveHours = "Twelve_Hours",
        TwentyFourHours = "TwentyFour_Hours",
    }
}

/// Types with a frequency of their own.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Why, 1 to 256 characters.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub description: Option<String>,
    /// The types.
    #[schemars(length(min = 1))]
    pub resource_types: BTreeSet<String>,
    /// How often.
    pub recording_frequency: Frequency,
}

/// AWS Config in a Region, as observed. It is there even when nothing is set up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The recorder.
    pub recorder: Option<Recorder>,
    /// Its ARN, which holds an id of Config's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder_arn: Option<String>,
    /// Whether it runs.
    pub recording: bool,
    /// What fails though it runs: by the field of the spec that it contradicts and AWS's name of
    /// it, as in `recording.last_status`.
    #[serde(default)]
    pub failures: BTreeMap<String, String>,
    /// The channel.
    pub channel: Option<Channel>,
    /// Days that history is kept; absent for AWS's default or when not looked at.
    pub retention_period_in_days: Option<u32>,
    /// What the declared name of the channel's key stands for; absent when none is declared.
    #[serde(default)]
    pub declared_key: Option<Named>,
    /// The policy of that key, where it is told here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_policy: Option<String>,
    /// Whether the service-linked role is there; absent when not looked at.
    pub has_service_linked_role: Option<bool>,
}

/// A recorder, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorder {
    pub name: String,
    pub role_arn: String,
    pub strategy: Strategy,
    /// As in [`Spec`], for this Region.
    pub include_global_resource_types: bool,
    pub resource_types: BTreeSet<String>,
    pub recording_frequency: Frequency,
    pub recording_overrides: Vec<Override>,
}

/// A delivery channel, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub name: String,
    pub s3_bucket_name: Option<String>,
    pub s3_key_prefix: Option<String>,
    pub s3_kms_key_arn: Option<String>,
    pub sns_topic_arn: Option<String>,
    pub snapshot_delivery_frequency: Option<SnapshotFrequency>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Makes the role that Config has for itself; harmless when it is there.
    CreateServiceLinkedRole,
    /// Makes or replaces the recorder.
    PutRecorder {
        /// All of it.
        recorder: Recorder,
    },
    /// Deletes the recorder; only to undo its making.
    DeleteRecorder {
        /// Its name.
        name: String,
    },
    /// Makes or replaces the channel.
    PutChannel {
        /// All of it.
        channel: Channel,
    },
    /// Deletes the channel; only to undo its making.
    DeleteChannel {
        /// Its name.
        name: String,
    },
    /// Lets the recorder run.
    Start {
        /// Its name.
        name: String,
    },
    /// Stops the recorder.
    Stop {
        /// Its name.
        name: String,
    },
    /// Sets how long history is kept.
    PutRetention {
        /// Days.
        days: u32,
    },
    /// Goes back to AWS's default; only to undo.
    DeleteRetention,
}
