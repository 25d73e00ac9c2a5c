//! How Inspector is configured: what the parts for images and for instances read together.

use std::sync::Arc;

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::operation::get_configuration::GetConfigurationOutput;

use crate::aws::{AwsError, Call};
use crate::kinds::{Cx, ObserveError};

pub const GET: Call = Call::new("inspector2", "GetConfiguration");
pub const UPDATE: Call = Call::new("inspector2", "UpdateConfiguration");

/// The configuration as Inspector describes it.
pub async fn get(cx: &Cx) -> Result<Arc<GetConfigurationOutput>, AwsError> {
    cx.read(GET, "", cx.client(Client::new).get_configuration().send()).await
}

/// Whether a section is in force: `false` where Inspector failed with it.
pub fn in_force(field: &str, status: &str) -> Result<bool, ObserveError> {
    match status {
        "SUCCESS" | "ACTIVATED" | "DEACTIVATED" => Ok(true),
        "FAILED" => Ok(false),
        "PENDING" => Err(ObserveError::Pending {
            reason: format!("Inspector is still working: {field} is {status}"),
            remedy: "run again in a few minutes".to_owned(),
        }),
        other => {
            Err(ObserveError::UnknownValue { field: field.to_owned(), value: other.to_owned() })
        }
    }
}
