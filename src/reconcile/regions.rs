//! The Regions that an account can use.

use std::sync::Arc;

use aws_sdk_ec2::Client;

use crate::aws::{AwsError, Call, Session};
use crate::names::Region;

/// The IAM action behind [`enabled`].
pub const PERMISSION: &str = "ec2:DescribeRegions";

/// The enabled Regions of an account, opt-in Regions that it has opted into included, sorted.
///
/// Source: EC2 API Reference, `DescribeRegions`: without `AllRegions` it returns just those.
///
/// # Errors
/// AWS did not answer.
pub async fn enabled(session: &Arc<Session>) -> Result<Vec<Region>, AwsError> {
    let home = session.home_region().clone();
    let request = session.client(&home, Client::new).describe_regions().all_regions(false).send();
    let answer =
        Box::pin(session.send(&home, Call::new("ec2", "DescribeRegions"), request)).await?;
    let mut regions: Vec<Region> = answer
        .regions()
        .iter()
        .filter_map(|region| region.region_name())
        .map(Region::new)
        .collect();
    regions.sort();
    Ok(regions)
}
