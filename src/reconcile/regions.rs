//! The Regions that an account can use.

use std::sync::Arc;

use aws_sdk_ec2::Client;

use crate::aws::permission::DESCRIBE_REGIONS;
use crate::aws::reads::ReadCache;
use crate::aws::{AwsError, Session};
use crate::names::Region;

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
        match ask(session, home).await {
            Ok(regions) => Ok(regions),
            // The home may be the one Region that is denied; any other knows them all as well.
            Err(error) => match default_of(session.partition()) {
                Some(other) if other != *home => ask(session, &other).await.map_err(|_| error),
                _ => Err(error),
            },
        }
    };
    reads.once(home, DESCRIBE_REGIONS, "enabled", Box::pin(request)).await
}

async fn ask(session: &Arc<Session>, region: &Region) -> Result<Vec<Region>, AwsError> {
    let client = session.client(region, Client::new);
    let request = client.describe_regions().all_regions(false).send();
    let answer = session.send(region, DESCRIBE_REGIONS, Some(""), request).await?;
    let mut regions: Vec<Region> = answer
        .regions()
        .iter()
        .filter_map(|region| region.region_name())
        .map(Region::new)
        .collect();
    regions.sort();
    Ok(regions)
}

/// The Region of a partition that is always enabled, and in which its global services are.
///
/// Source: IAM User Guide, "AWS Identity and Access Management endpoints"; AWS General Reference.
fn default_of(partition: &str) -> Option<Region> {
    let code = match partition {
        "aws" => "us-east-1",
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => return None,
    };
    Some(Region::new(code))
}
