//! The Regions that an account can use.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ec2::Client;

use crate::aws::permission::DESCRIBE_REGIONS;
use crate::aws::reads::ReadCache;
use crate::aws::{AwsError, Session};
use crate::names::{Region, UnknownRegion, known_region};

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

/// Refuses what AWS has no Region for. The list of this version is asked first and AWS itself only for
/// what it has not: AWS may have more by now. Where AWS does not say, the reads in it will.
///
/// # Errors
/// A Region that neither knows.
pub async fn insist(
    session: &Arc<Session>,
    wanted: &BTreeSet<Region>,
) -> Result<(), UnknownRegion> {
    let mut of_aws = None;
    for region in wanted {
        let Err(unknown) = known_region(region.as_str()) else { continue };
        if of_aws.is_none() {
            of_aws = Some(everywhere(session).await);
        }
        if let Some(Ok(regions)) = &of_aws
            && !regions.contains(region)
        {
            return Err(unknown);
        }
    }
    Ok(())
}

/// All Regions of the partition, those that the account has not opted into included.
async fn everywhere(session: &Arc<Session>) -> Result<Vec<Region>, AwsError> {
    let home = session.home_region();
    let client = session.client(home, Client::new);
    let request = client.describe_regions().all_regions(true).send();
    let answer = session.send(home, DESCRIBE_REGIONS, Some("all"), request).await?;
    let names = answer.regions().iter().filter_map(|region| region.region_name());
    Ok(names.map(Region::new).collect())
}

async fn ask(session: &Arc<Session>, region: &Region) -> Result<Vec<Region>, AwsError> {
    let client = session.client(region, Client::new);
    let request = client.describe_regions().all_regions(false).send();
    let answer = session.send(region, DESCRIBE_REGIONS, Some(""), request).await?;
    // Every account has a Region at least: an answer without any is none.
    let names: Option<Vec<Region>> = answer
        .regions()
        .iter()
        .map(|region| region.region_name().map(Region::new))
        .collect::<Option<_>>()
        .filter(|names: &Vec<Region>| !names.is_empty());
    let mut regions = names.ok_or_else(|| {
        AwsError::malformed(region, DESCRIBE_REGIONS, "AWS did not say which Regions are enabled")
    })?;
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
