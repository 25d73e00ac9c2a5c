//! Kinds of AWS Security Hub (CSPM).

pub(in crate::kinds) mod administrator;
pub mod control;
pub mod finding_aggregator;
pub mod hub;
pub mod hub_v2;
pub mod insight;
pub mod organization;
pub mod standards;

use std::sync::Arc;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::operation::describe_hub::DescribeHubOutput;

use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::{Allowed, Arns, Cx, ObserveError, WriteError};

const DESCRIBE: Call = Call::new("securityhub", "DescribeHub");

/// The hub of a Region as AWS describes it; `None` where Security Hub is off.
async fn described(cx: &Cx) -> Result<Option<Arc<DescribeHubOutput>>, ObserveError> {
    match cx.read(DESCRIBE, "", cx.client(Client::new).describe_hub().send()).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_off(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether Security Hub says that it is off. The same code stands for a lack of permission (Security Hub
/// API Reference, `InvalidAccessException`): the text tells the two apart.
fn is_off(error: &AwsError) -> bool {
    error.is_code(&["ResourceNotFoundException"])
        || (error.is_code(&["InvalidAccessException"]) && error.message.contains("not subscribed"))
}

/// Whether an error passes by itself. Security Hub has one code for its rate and its quotas (Security Hub
/// API Reference, "Quotas": a standard a second).
fn is_settling(error: &WriteError) -> bool {
    matches!(error, WriteError::Aws(error)
        if error.class == ErrorClass::Settling || error.is_code(&["LimitExceededException"]))
}

/// The resource of all calls but a few: the hub (Service Authorization Reference, "AWS Security Hub").
fn hub_arn(arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("securityhub", "hub/default")]).into()
}
