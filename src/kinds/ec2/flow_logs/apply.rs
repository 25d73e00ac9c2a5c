//! Making and deleting flow logs. AWS tells what failed inside an answer that says "done".

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, DestinationOptionsRequest, ResourceType, Tag, TagSpecification};

use super::observe::{format, of_vpc};
use super::spec::{Action, FlowLog, LogDestinationType, Step};
use crate::aws::error::{Detail, ErrorClass};
use crate::aws::{AwsError, Call};
use crate::kinds::{WriteCx, WriteError, sendable};

pub const CREATE: Call = Call::new("ec2", "CreateFlowLogs");
pub const DELETE: Call = Call::new("ec2", "DeleteFlowLogs");
/// What AWS says when there is one, and when there is none.
const THERE: &str = "FlowLogAlreadyExists";
const GONE: &str = "InvalidFlowLogId.NotFound";

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    match &action.step {
        Step::Create(new) => create(cx, &action.vpc_id, new).await,
        Step::Delete(flow_logs) => delete(cx, &action.vpc_id, flow_logs).await,
    }
}

async fn create(cx: &WriteCx, vpc: &str, new: &FlowLog) -> Result<(), WriteError> {
    let settings = &new.settings;
    let interval = settings.max_aggregation_interval;
    let interval = interval.map(|one| sendable("MaxAggregationInterval", one)).transpose()?;
    let to = settings.log_destination_type;
    let request = cx
        .client(Client::new)
        .create_flow_logs()
        .resource_type(types::FlowLogsResourceType::Vpc)
        .resource_ids(vpc)
        .traffic_type(types::TrafficType::from(settings.traffic_type.as_str()))
        .set_log_destination_type(to.map(|to| types::LogDestinationType::from(to.as_str())))
        .log_destination(&settings.log_destination)
        .set_deliver_logs_permission_arn(settings.deliver_logs_permission_arn.clone())
        .set_deliver_cross_account_role(settings.deliver_cross_account_role.clone())
        .set_max_aggregation_interval(interval)
        .set_log_format(settings.log_format.as_deref().map(format))
        .set_destination_options((to == Some(LogDestinationType::S3)).then(|| options(new)))
        .set_tag_specifications(tags(&new.tags))
        // A later try, when an answer was lost, is answered alike.
        .client_token(uuid::Uuid::new_v4().to_string());
    let answer = match cx.write(CREATE, request.send()).await {
        Ok(answer) => answer,
        Err(error) => return Err(refused(cx, vpc, new, error).await),
    };
    if let Some(error) = failed(cx, CREATE, vpc, answer.unsuccessful()) {
        return Err(refused(cx, vpc, new, error).await);
    }
    if answer.flow_log_ids().is_empty() {
        let problem = format!("AWS names no flow log that it made for the VPC {vpc}");
        return Err(AwsError::malformed(&cx.region, CREATE, &problem).into());
    }
    answer.flow_log_ids().iter().for_each(|id| cx.note_made(Some(id)));
    Ok(())
}

/// What a refusal means: somebody else has made it, or another one to the same place.
async fn refused(cx: &WriteCx, vpc: &str, new: &FlowLog, error: AwsError) -> WriteError {
    if !error.is_code(&[THERE]) {
        return error.into();
    }
    match of_vpc(cx, vpc).await {
        Ok(there) if there.iter().any(|one| new.is(one)) => WriteError::was_there(&error),
        Ok(_) => WriteError::Another(error.to_string()),
        Err(look) => look.into(),
    }
}

fn options(new: &FlowLog) -> DestinationOptionsRequest {
    let settings = &new.settings;
    let format = settings.file_format;
    DestinationOptionsRequest::builder()
        .set_file_format(format.map(|one| types::DestinationFileFormat::from(one.as_str())))
        .set_hive_compatible_partitions(settings.hive_compatible_partitions)
        .set_per_hour_partition(settings.per_hour_partition)
        .build()
}

fn tags(tags: &BTreeMap<String, String>) -> Option<Vec<TagSpecification>> {
    let of = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let specification = TagSpecification::builder().resource_type(ResourceType::VpcFlowLog);
    (!tags.is_empty()).then(|| vec![specification.set_tags(Some(of.collect())).build()])
}

async fn delete(cx: &WriteCx, vpc: &str, flow_logs: &[FlowLog]) -> Result<(), WriteError> {
    // One that was made has an id only now, and one that is gone cannot be deleted.
    let there = of_vpc(cx, vpc).await?;
    let meant = there.into_iter().filter(|there| flow_logs.iter().any(|one| one.is(there)));
    let ids: Vec<String> = meant.filter_map(|one| one.flow_log_id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let request = cx.client(Client::new).delete_flow_logs().set_flow_log_ids(Some(ids));
    let answer = match cx.write(DELETE, request.send()).await {
        Ok(answer) => answer,
        Err(error) if error.is_code(&[GONE]) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let left = answer.unsuccessful().iter().filter(|one| code(one) != Some(GONE)).cloned();
    let left: Vec<_> = left.collect();
    failed(cx, DELETE, vpc, &left).map_or(Ok(()), |error| Err(error.into()))
}

fn code(one: &types::UnsuccessfulItem) -> Option<&str> {
    one.error().and_then(|error| error.code())
}

/// The first that failed of a write, named with its VPC.
fn failed(
    cx: &WriteCx,
    call: Call,
    vpc: &str,
    unsuccessful: &[types::UnsuccessfulItem],
) -> Option<AwsError> {
    let first = unsuccessful.first()?;
    let code = code(first).unwrap_or("Unsuccessful").to_owned();
    let message = first.error().and_then(|error| error.message()).unwrap_or("AWS gave no message");
    let what = match first.resource_id().filter(|id| *id != vpc) {
        Some(id) => format!("{id} of the VPC {vpc}"),
        None => format!("the VPC {vpc}"),
    };
    Some(AwsError::new(Detail {
        account: Some(cx.account.clone()),
        region: cx.region.clone(),
        call,
        class: ErrorClass::of(&code, message, None),
        message: format!("{what}: {message}"),
        code,
        status: Some(200),
        request_id: None,
        after_loss: false,
    }))
}
