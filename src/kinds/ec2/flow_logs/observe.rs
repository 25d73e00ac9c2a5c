//! Reading the flow logs of a Region: two lists, however many VPCs there are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Filter, Vpc};
use serde::Deserialize;

use super::FlowLogs;
use super::spec::{FileFormat, FlowLog, LogDestinationType, Settings, Spec, State, place};
use crate::aws::{AwsError, Call};
use crate::kinds::ec2::vpcs::{self, Exclude};
use crate::kinds::shapes::sweep::{Reach, Sweep, Way};
use crate::kinds::together::together;
use crate::kinds::{Cx, Facts, ObserveError, Status, count, known, told};

pub const FLOW_LOGS: Call = Call::new("ec2", "DescribeFlowLogs");
/// As many as AWS gives in one answer: lists that ask for no number have a smaller quota.
const PAGE: i32 = 1000;

/// How a flow log fares, in the only word that AWS documents.
#[derive(Debug, Deserialize)]
enum FlowLogStatus {
    #[serde(rename = "ACTIVE")]
    Active,
}

/// How its records fare.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DeliverLogsStatus {
    Success,
    Failed,
}

/// A VPC with its flow logs, as they are listed.
pub struct Listed {
    id: String,
    vpc: Vpc,
    flow_logs: Vec<types::FlowLog>,
}

impl Sweep for FlowLogs {
    type Listed = Listed;
    type Exclude = Exclude;

    async fn list(cx: &Cx) -> Result<Vec<Listed>, ObserveError> {
        let (vpcs, flow_logs) = together!(vpcs::all(cx), flow_logs(cx, None))?;
        beside(&vpcs, &flow_logs)
    }

    async fn find(cx: &Cx, id: &str) -> Result<Option<Listed>, ObserveError> {
        let (vpcs, flow_logs) = together!(vpcs::one(cx, id), flow_logs(cx, Some(id)))?;
        Ok(beside(&vpcs, &flow_logs)?.into_iter().find(|listed| listed.id == id))
    }

    fn id(listed: &Listed) -> &str {
        &listed.id
    }

    /// `payments, 10.0.0.0/16`.
    fn label(listed: &Listed) -> Option<String> {
        Some(vpcs::shown(&listed.vpc).into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    async fn reach(cx: &Cx, listed: &Listed) -> Result<Reach, ObserveError> {
        Ok(vpcs::shared_by(cx, &listed.vpc)?.map_or(Reach::Open, Reach::Closed))
    }

    fn exclude(spec: &Spec) -> &[Exclude] {
        spec.exclude.as_deref().unwrap_or_default()
    }

    fn ways<'a>(entry: &'a Exclude, listed: &'a Listed) -> Vec<Way<'a>> {
        vpcs::ways(entry, &listed.id)
    }

    async fn tags(_cx: &Cx, listed: &Listed) -> Result<BTreeMap<String, String>, ObserveError> {
        vpcs::tags(&listed.vpc)
    }

    async fn read(cx: &Cx, _spec: &Spec, listed: &Listed) -> Result<Status<State>, ObserveError> {
        Ok(Status::Present(State { flow_logs: seen(cx, &listed.flow_logs)? }))
    }
}

/// Each VPC with its flow logs. Those of subnets and of VPCs that are gone are nobody's.
fn beside(vpcs: &[Vpc], flow_logs: &[types::FlowLog]) -> Result<Vec<Listed>, ObserveError> {
    let mut of_vpc: HashMap<&str, Vec<types::FlowLog>> = HashMap::new();
    for one in flow_logs {
        let resource = told("ResourceId of a flow log", one.resource_id())?;
        of_vpc.entry(resource).or_default().push(one.clone());
    }
    let listed = vpcs.iter().map(|vpc| {
        let id = told("VpcId", vpc.vpc_id())?;
        let flow_logs = of_vpc.get(id).cloned().unwrap_or_default();
        Ok(Listed { id: id.to_owned(), vpc: vpc.clone(), flow_logs })
    });
    listed.collect()
}

/// The flow logs of a VPC as they are now.
pub async fn of_vpc(cx: &Cx, vpc: &str) -> Result<Vec<FlowLog>, ObserveError> {
    let all = flow_logs(cx, Some(vpc)).await?;
    let own: Vec<_> = all.iter().filter(|one| one.resource_id() == Some(vpc)).cloned().collect();
    seen(cx, &own)
}

/// The flow logs of a Region, or of one resource.
async fn flow_logs(cx: &Cx, resource: Option<&str>) -> Result<Arc<Vec<types::FlowLog>>, AwsError> {
    let of = resource.map(|id| vec![Filter::builder().name("resource-id").values(id).build()]);
    let request = cx.client(Client::new).describe_flow_logs().max_results(PAGE).set_filter(of);
    let pages = request.into_paginator().send();
    cx.list(FLOW_LOGS, resource.unwrap_or_default(), pages, "FlowLogs", |page| page.flow_logs).await
}

fn seen(facts: &Facts, flow_logs: &[types::FlowLog]) -> Result<Vec<FlowLog>, ObserveError> {
    let mut seen: Vec<FlowLog> =
        flow_logs.iter().map(|one| read(facts, one)).collect::<Result<_, _>>()?;
    let place = |one: &FlowLog| (one.settings.log_destination.clone(), one.flow_log_id.clone());
    seen.sort_by_key(place);
    // A list may show what is made meanwhile on two of its pages.
    seen.dedup();
    Ok(seen)
}

fn read(facts: &Facts, one: &types::FlowLog) -> Result<FlowLog, ObserveError> {
    let id = told("FlowLogId", one.flow_log_id())?;
    // One that is not active records nothing, and AWS knows no word for it.
    let FlowLogStatus::Active =
        known("FlowLogStatus", told("FlowLogStatus", one.flow_log_status())?)?;
    let tags = one.tags().iter().map(|tag| {
        let key = told("Key of a flow log's tag", tag.key())?;
        Ok((key.to_owned(), tag.value().unwrap_or_default().to_owned()))
    });
    let unknown = [("TagFieldSpecifications", one.tag_field_specifications().is_empty())];
    let unknown = unknown.into_iter().filter(|(_, is_empty)| !is_empty);
    Ok(FlowLog {
        flow_log_id: Some(id.to_owned()),
        settings: settings(facts, one)?,
        tags: tags.collect::<Result<_, ObserveError>>()?,
        unknown: unknown.map(|(member, _)| member.to_owned()).collect(),
        problem: problem(one)?,
    })
}

/// Why nothing is delivered. AWS says nothing of it before it has delivered something.
fn problem(one: &types::FlowLog) -> Result<Option<String>, ObserveError> {
    let Some(word) = one.deliver_logs_status() else { return Ok(None) };
    Ok(match known("DeliverLogsStatus", word)? {
        DeliverLogsStatus::Success => None,
        DeliverLogsStatus::Failed => {
            let reason = one.deliver_logs_error_message().filter(|reason| !reason.is_empty());
            Some(reason.unwrap_or("AWS gives no reason").to_owned())
        }
    })
}

fn settings(facts: &Facts, one: &types::FlowLog) -> Result<Settings, ObserveError> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = told("LogDestinationType", one.log_destination_type())?;
    let kind = known("LogDestinationType", kind.as_str())?;
    let interval = told("MaxAggregationInterval", one.max_aggregation_interval())?;
    let (file_format, hive, per_hour) = match kind {
        LogDestinationType::S3 => {
            // Absent members have AWS's defaults (`DestinationOptionsRequest`).
            let options = one.destination_options();
            let format = options.and_then(|options| options.file_format());
            let format = format.map(|format| known("FileFormat", format.as_str())).transpose()?;
            let hive = options.and_then(|options| options.hive_compatible_partitions());
            let per_hour = options.and_then(|options| options.per_hour_partition());
            let format = format.unwrap_or(FileFormat::PlainText);
            (Some(format), Some(hive.unwrap_or(false)), Some(per_hour.unwrap_or(false)))
        }
        LogDestinationType::CloudWatchLogs | LogDestinationType::Firehose => (None, None, None),
    };
    Ok(Settings {
        traffic_type: known("TrafficType", told("TrafficType", one.traffic_type())?.as_str())?,
        log_destination: destination(facts, kind, one)?,
        log_destination_type: Some(kind),
        deliver_logs_permission_arn: text(one.deliver_logs_permission_arn()),
        deliver_cross_account_role: text(one.deliver_cross_account_role()),
        max_aggregation_interval: Some(count("MaxAggregationInterval", interval)?),
        log_format: Some(fields(told("LogFormat", one.log_format())?)?),
        file_format,
        hive_compatible_partitions: hive,
        per_hour_partition: per_hour,
    })
}

/// The ARN of where records go: a log group may be named alone, one of this account and Region.
fn destination(
    facts: &Facts,
    kind: LogDestinationType,
    one: &types::FlowLog,
) -> Result<String, ObserveError> {
    let arn = one.log_destination().filter(|arn| !arn.is_empty());
    let group = one.log_group_name().filter(|_| kind == LogDestinationType::CloudWatchLogs);
    match (arn, group) {
        (Some(arn), _) => Ok(place(arn).to_owned()),
        (None, Some(name)) => {
            let Facts { partition, region, account, .. } = facts;
            Ok(format!("arn:{partition}:logs:{region}:{account}:log-group:{name}"))
        }
        (None, None) => told("LogDestination", None),
    }
}

/// The fields of a format: `${version} ${account-id}`.
fn fields(format: &str) -> Result<Vec<String>, ObserveError> {
    let field = |word: &str| word.strip_prefix("${")?.strip_suffix('}').map(str::to_owned);
    let fields: Option<Vec<String>> = format.split_whitespace().map(field).collect();
    let fields = fields.filter(|fields| !fields.is_empty());
    fields.ok_or_else(|| ObserveError::Malformed {
        field: "LogFormat".to_owned(),
        problem: format!("{format:?} is no list of fields"),
    })
}

/// A format as AWS takes it.
pub fn format(fields: &[String]) -> String {
    fields.iter().map(|field| format!("${{{field}}}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_format_goes_there_and_back() {
        let text = "${version} ${account-id} ${pkt-srcaddr}";
        assert_eq!(fields(text).unwrap(), ["version", "account-id", "pkt-srcaddr"]);
        assert_eq!(format(&fields(text).unwrap()), text);
        for wrong in ["", " ", "version", "${version},${action}x", "${version"] {
            assert!(fields(wrong).is_err(), "{wrong:?}");
        }
    }
}
