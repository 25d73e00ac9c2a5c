//! The Regions that an account can use.

use std::sync::Arc;

use aws_sdk_ec2::Client;

use crate::aws::reads::ReadCache;
use crate::aws::{AwsError, Call, Session};
use crate::names::Region;

const DESCRIBE_REGIONS: Call = Call::new("ec2", "DescribeRegions");
/// The IAM action behind [`enabled`].
pub const PERMISSION: &str = "ec2:DescribeRegions";

/// The enabled Regions of an account, opt-in Regions that it has opted into included, sorted.
///
/// Source: EC2 API Reference, `DescribeRegions`: without `AllRegions` it returns just those.
///
/// # Errors
/// AWS did not answer.
pub async fn enabled(
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
) -> Result<Arc<Vec<Region>>, AwsError> {
    let home = session.home_region();
    let request = async {
        let client = session.client(home, Client::new);
        let request = client.describe_regions().all_regions(false).send();
        let answer = session.send(home, DESCRIBE_REGIONS, Some(""), request).await?;
        let mut regions: Vec<Region> = answer
            .regions()
            .iter()
            .filter_map(|region| region.region_name())
            .map(Region::new)
            .collect();
        regions.sort();
        Ok(regions)
    };
    reads.once(home, DESCRIBE_REGIONS, "enabled", Box::pin(request)).await
}
