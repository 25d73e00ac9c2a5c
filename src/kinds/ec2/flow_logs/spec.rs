//! What a baseline declares of flow logs, what is observed of them, and the writes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::ec2::vpcs::Exclude;
use crate::kinds::spec::aws_enum;
use crate::kinds::{Drift, compared};
use crate::names::Arn;

/// A flow log of every VPC in every Region, which records its traffic.
///
/// A VPC fits that has one flow log as it is declared. A field that is not declared may be anything. AWS
/// changes no flow log, and takes no second one of a VPC to the same destination: one that goes there
/// and is otherwise not as declared is deleted and made anew, with its tags; what flows in between is
/// not recorded. One that goes elsewhere is left alone, until `exclusive` is true.
///
/// Flow logs of subnets, network interfaces and gateways are not looked at. VPCs that another account
/// shares with this one are left to their owner. A flow log that cannot deliver is reported with AWS's
/// reason: whether the destination lets it in, is for whoever declares that. A bucket does with
/// `services = ["vpc_flow_logs"]` of `s3.bucket`; a log group takes a role that
/// `vpc-flow-logs.amazonaws.com` may assume.
///
/// Source: EC2 API Reference, `CreateFlowLogs`, `DescribeFlowLogs`, `DeleteFlowLogs`; VPC User Guide,
/// "Logging IP traffic using VPC Flow Logs".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The traffic that is recorded: `ALL`, `ACCEPT` or `REJECT`. CIS asks at least for what is rejected.
    pub traffic_type: TrafficType,
    /// Where the records go, an ARN: of a bucket, `arn:aws:s3:::NAME`, with a folder behind it or not; of a
    /// log group; or of a Firehose stream.
    pub log_destination: String,
    /// What the destination is: `cloud-watch-logs`, `s3` or `kinesis-data-firehose`. Its ARN says so, too.
    #[serde(default)]
    pub log_destination_type: Option<LogDestinationType>,
    /// The role by which records go to a log group, an ARN; a log group has to have one. For a stream of
    /// another account, the role that delivers there.
    #[serde(default)]
    pub deliver_logs_permission_arn: Option<String>,
    /// For how many seconds at most packets are counted together: 60 or 600. AWS's default is 600;
    /// instances of the Nitro system have 60 at most, whatever is declared.
    #[serde(default)]
    pub max_aggregation_interval: Option<u32>,
    /// The fields of a record in their order, by AWS's names, such as `srcaddr`. AWS's default is version,
    /// account-id, interface-id, srcaddr, dstaddr, srcport, dstport, protocol, packets, bytes, start, end,
    /// action and log-status.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub log_format: Option<Vec<String>>,
    /// The format of files in a bucket: `plain-text`, which is AWS's default, or `parquet`.
    #[serde(default)]
    pub file_format: Option<FileFormat>,
    /// Whether the folders in a bucket have names as Hive wants them. AWS's default is false.
    #[serde(default)]
    pub hive_compatible_partitions: Option<bool>,
    /// Whether a bucket has a folder for each hour. AWS's default is false: one for each day.
    #[serde(default)]
    pub per_hour_partition: Option<bool>,
    /// Whether other flow logs of a VPC are deleted; false by default.
    #[serde(default)]
    pub exclusive: Option<bool>,
    /// VPCs that are left out. Of what one entry gives, all must hold; of several entries, one is enough.
    #[serde(default)]
    pub exclude: Option<Vec<Exclude>>,
}

aws_enum! {
    /// The traffic that is recorded.
    TrafficType {
        Accept = "ACCEPT",
        Reject = "REJECT",
        All = "ALL",
    }
}

aws_enum! {
    /// What records are delivered to.
    LogDestinationType {
        CloudWatchLogs = "cloud-watch-logs",
        S3 = "s3",
        Firehose = "kinesis-data-firehose",
    }
}

aws_enum! {
    /// The format of files in a bucket.
    FileFormat {
        PlainText = "plain-text",
        Parquet = "parquet",
    }
}

impl LogDestinationType {
    /// What an ARN is of, if records can go there.
    pub fn of(arn: &str) -> Option<Self> {
        let Arn { service, resource, .. } = Arn::parse(arn)?;
        let name =
            |prefix: &str| resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
        match service {
            "s3" if !resource.is_empty() && !resource.starts_with('/') => Some(Self::S3),
            "logs" if name("log-group:") => Some(Self::CloudWatchLogs),
            "firehose" if name("deliverystream/") => Some(Self::Firehose),
            _ => None,
        }
    }
}

/// An ARN of a destination without what AWS may add to it or leave out.
pub fn place(arn: &str) -> &str {
    let arn = arn.strip_suffix(":*").unwrap_or(arn);
    arn.trim_end_matches('/')
}

/// What a flow log is made with, and keeps.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The traffic that is recorded.
    pub traffic_type: TrafficType,
    /// Where the records go.
    pub log_destination: String,
    /// What that is; `None` where the declared ARN is of nothing that AWS delivers to.
    #[serde(default)]
    pub log_destination_type: Option<LogDestinationType>,
    /// As in [`Spec`].
    #[serde(default)]
    pub deliver_logs_permission_arn: Option<String>,
    /// The role by which records go to another account.
    #[serde(default)]
    pub deliver_cross_account_role: Option<String>,
    /// As in [`Spec`].
    #[serde(default)]
    pub max_aggregation_interval: Option<u32>,
    /// As in [`Spec`].
    #[serde(default)]
    pub log_format: Option<Vec<String>>,
    /// As in [`Spec`]; absent where the destination is no bucket.
    #[serde(default)]
    pub file_format: Option<FileFormat>,
    /// As in [`Spec`]; absent where the destination is no bucket.
    #[serde(default)]
    pub hive_compatible_partitions: Option<bool>,
    /// As in [`Spec`]; absent where the destination is no bucket.
    #[serde(default)]
    pub per_hour_partition: Option<bool>,
}

impl From<&Spec> for Settings {
    fn from(spec: &Spec) -> Self {
        Self {
            traffic_type: spec.traffic_type,
            log_destination: spec.log_destination.clone(),
            log_destination_type: LogDestinationType::of(&spec.log_destination),
            deliver_logs_permission_arn: spec.deliver_logs_permission_arn.clone(),
            deliver_cross_account_role: None,
            max_aggregation_interval: spec.max_aggregation_interval,
            log_format: spec.log_format.clone(),
            file_format: spec.file_format,
            hive_compatible_partitions: spec.hive_compatible_partitions,
            per_hour_partition: spec.per_hour_partition,
        }
    }
}

/// AWS's default of `max_aggregation_interval`, in seconds.
const DEFAULT_INTERVAL: u32 = 600;
/// And of `log_format`.
const DEFAULT_FORMAT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

impl Settings {
    /// What of a flow log that is there is not as declared.
    pub fn drift(&self, seen: &Self) -> Drift {
        let mut drift = Drift::new();
        let Self { traffic_type, log_destination: to, .. } = self;
        drift.compare("traffic_type", Some(&seen.traffic_type), Some(traffic_type));
        compared::mark("log_destination");
        if !self.goes_where(seen) {
            drift.add("log_destination", Some(&seen.log_destination), Some(to));
        }
        macro_rules! compare {
            ($($field:ident)+) => {
                $(drift.compare(stringify!($field), seen.$field.as_ref(), self.$field.as_ref());)+
            };
        }
        compare!(log_destination_type deliver_logs_permission_arn deliver_cross_account_role);
        compare!(max_aggregation_interval log_format);
        compare!(file_format hive_compatible_partitions per_hour_partition);
        drift
    }

    /// Whether records go to the same place.
    pub fn goes_where(&self, other: &Self) -> bool {
        place(&self.log_destination) == place(&other.log_destination)
    }

    /// The same, with AWS's defaults for what is not sent (EC2 API Reference, `CreateFlowLogs`).
    pub fn whole(&self) -> Self {
        let to = self.log_destination_type.or(LogDestinationType::of(&self.log_destination));
        let to_files = to == Some(LogDestinationType::S3);
        let fields = || DEFAULT_FORMAT.split(' ').map(str::to_owned).collect();
        Self {
            log_destination_type: to,
            max_aggregation_interval: self.max_aggregation_interval.or(Some(DEFAULT_INTERVAL)),
            log_format: self.log_format.clone().or_else(|| Some(fields())),
            file_format: self.file_format.or(to_files.then_some(FileFormat::PlainText)),
            hive_compatible_partitions: self
                .hive_compatible_partitions
                .or(to_files.then_some(false)),
            per_hour_partition: self.per_hour_partition.or(to_files.then_some(false)),
            ..self.clone()
        }
    }

    /// The same, with what is not declared as it is there.
    pub fn or(self, there: &Self) -> Self {
        let there = there.clone();
        Self {
            deliver_logs_permission_arn: self
                .deliver_logs_permission_arn
                .or(there.deliver_logs_permission_arn),
            deliver_cross_account_role: self
                .deliver_cross_account_role
                .or(there.deliver_cross_account_role),
            max_aggregation_interval: self
                .max_aggregation_interval
                .or(there.max_aggregation_interval),
            log_format: self.log_format.or(there.log_format),
            file_format: self.file_format.or(there.file_format),
            hive_compatible_partitions: self
                .hive_compatible_partitions
                .or(there.hive_compatible_partitions),
            per_hour_partition: self.per_hour_partition.or(there.per_hour_partition),
            ..self
        }
    }
}

/// The flow logs of a VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// By their destinations, of which AWS takes none twice: whatever id each has.
    pub flow_logs: Vec<FlowLog>,
}

/// A flow log that is there, was there, or is to go.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowLog {
    /// Its id; absent when it is known by its settings alone.
    #[serde(default)]
    pub flow_log_id: Option<String>,
    /// What it was made with.
    #[serde(flatten)]
    pub settings: Settings,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Members that evenkeel does not know how to make again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Why nothing is delivered, in AWS's words.
    #[serde(default)]
    pub problem: Option<String>,
}

impl FlowLog {
    /// One that is still to be made.
    pub fn new(settings: Settings) -> Self {
        let (tags, unknown) = (BTreeMap::new(), Vec::new());
        Self { flow_log_id: None, settings, tags, unknown, problem: None }
    }

    /// Whether this one, of which a write speaks, is one that is there.
    pub fn is(&self, there: &Self) -> bool {
        match &self.flow_log_id {
            Some(_) => self.flow_log_id == there.flow_log_id,
            None => self.settings.drift(&there.settings).is_empty(),
        }
    }

    /// Those of what is there that this one, of which a write speaks, is; itself where it is none of them.
    pub fn those(&self, there: &[Self]) -> Vec<Self> {
        let those: Vec<Self> = there.iter().filter(|one| self.is(one)).cloned().collect();
        if those.is_empty() { vec![self.clone()] } else { those }
    }

    /// The same once more, which AWS gives another id and only the tags that are not its own.
    pub fn again(&self) -> Self {
        let own = self.tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
        let tags = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { flow_log_id: None, tags, problem: None, ..self.clone() }
    }

    /// `fl-0123456789abcdef0 to arn:aws:s3:::bucket`.
    pub fn words(&self) -> String {
        let id = self.flow_log_id.as_deref().unwrap_or("a flow log");
        format!("{id} to {}", self.settings.log_destination)
    }
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The VPC.
    pub vpc_id: String,
    /// What to do.
    pub step: Step,
}

/// What to do with flow logs of a VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes one.
    Create(FlowLog),
    /// Deletes some.
    Delete(Vec<FlowLog>),
}
