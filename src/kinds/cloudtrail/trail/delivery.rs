//! Which trails deliver to a log group, for others who count what is in it.

use aws_sdk_cloudtrail::Client;
use serde::{Deserialize, Serialize};

pub use super::observe::{DESCRIBE, STATUS};
use crate::kinds::{Cx, ObserveError, together, told};

/// A trail that is to deliver to a log group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivering {
    /// Its ARN.
    pub arn: String,
    /// Whether it records.
    pub is_logging: bool,
    /// Why nothing arrives in the group.
    pub error: Option<String>,
}

impl Delivering {
    /// Whether events arrive.
    pub fn works(&self) -> bool {
        self.is_logging && self.error.is_none()
    }

    /// What is wrong with it.
    pub fn in_words(&self) -> String {
        match &self.error {
            Some(error) => format!("{} cannot deliver: {error}", self.arn),
            None if self.is_logging => format!("{} delivers", self.arn),
            None => format!("{} does not record", self.arn),
        }
    }
}

/// The trails of this Region that deliver to a log group, by the ARN that they know it by. A trail delivers
/// to a group of its own Region (CloudTrail User Guide, "Monitoring CloudTrail Log Files with Amazon
/// CloudWatch Logs").
///
/// # Errors
/// Nobody can say which there are, or whether one works.
pub async fn to_log_group(cx: &Cx, group: &str) -> Result<Vec<Delivering>, ObserveError> {
    let request = cx.client(Client::new).describe_trails().include_shadow_trails(true).send();
    let answer = cx.read(DESCRIBE, "", request).await?;
    let trails = told("trailList", answer.trail_list.as_ref())?.iter();
    let here = trails.filter(|trail| trail.cloud_watch_logs_log_group_arn() == Some(group));
    let looks = here.map(|trail| async {
        let arn = told("TrailARN", trail.trail_arn())?;
        let request = cx.client(Client::new).get_trail_status().name(arn).send();
        let status = cx.read(STATUS, arn, request).await?;
        let error = status.latest_cloud_watch_logs_delivery_error();
        Ok::<_, ObserveError>(Delivering {
            arn: arn.to_owned(),
            is_logging: told("IsLogging", status.is_logging())?,
            error: error.filter(|error| !error.is_empty()).map(str::to_owned),
        })
    });
    together::all(looks).await
}
