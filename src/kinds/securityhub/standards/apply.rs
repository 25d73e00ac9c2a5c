//! Turning standards on and off.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    StandardsStatus, StandardsSubscription, StandardsSubscriptionRequest,
};

use super::observe::{standard_of, standards, subscriptions};
use super::spec::Action;
use super::{DISABLE, ENABLE, name};
use crate::aws::{AwsError, Call};
use crate::kinds::{WriteCx, WriteError};

pub async fn write(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    match action {
        Action::Enable { standard, input } => {
            let all = standards(&cx.afresh()).await?;
            let mut arns = all.iter().filter_map(|one| one.standards_arn());
            let arn = arns.find(|arn| name(arn) == Some(standard)).ok_or_else(|| {
                WriteError::Changed(format!("this Region no longer has the standard {standard}"))
            })?;
            let request = StandardsSubscriptionRequest::builder()
                .standards_arn(arn)
                .set_standards_input(Some(input.clone().into_iter().collect()))
                .build();
            let request = client.batch_enable_standards().standards_subscription_requests(request);
            let answer = cx.write(ENABLE, request.send()).await?;
            whole(cx, ENABLE, answer.standards_subscriptions())
        }
        Action::Disable { standard } => {
            let all = subscriptions(&cx.afresh()).await?;
            let mut arn = None;
            for one in all.iter() {
                if standard_of(one)? == standard {
                    arn = one.standards_subscription_arn();
                }
            }
            // It is off already.
            let Some(arn) = arn else { return Ok(()) };
            let request = client.batch_disable_standards().standards_subscription_arns(arn);
            let answer = cx.write(DISABLE, request.send()).await?;
            whole(cx, DISABLE, answer.standards_subscriptions())
        }
    }
}

/// A success may hold a failure.
fn whole(
    cx: &WriteCx,
    call: Call,
    subscriptions: &[StandardsSubscription],
) -> Result<(), WriteError> {
    let is_failed =
        |one: &&StandardsSubscription| one.standards_status() == Some(&StandardsStatus::Failed);
    let Some(failed) = subscriptions.iter().find(is_failed) else { return Ok(()) };
    let arn = failed.standards_arn().unwrap_or("a standard");
    let reason = failed.standards_status_reason().and_then(|one| one.status_reason_code());
    let reason = reason.map_or("it gives no reason", |code| code.as_str());
    let problem = format!("AWS failed with {arn}: {reason}");
    Err(AwsError::malformed(&cx.region, call, &problem).into())
}
