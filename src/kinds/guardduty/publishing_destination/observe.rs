//! Reading where findings are exported to.

use std::sync::Arc;

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::operation::describe_publishing_destination::DescribePublishingDestinationOutput as Said;
use aws_sdk_guardduty::types::{self, DestinationType, PublishingStatus};

use super::spec::{Destination, Properties, Spec, State, bucket_of};
use crate::aws::{AwsError, Call};
use crate::kinds::guardduty::detector::{self, administrator};
use crate::kinds::kms::let_in;
use crate::kinds::kms::named::DELIVERY;
use crate::kinds::s3::bucket::place;
use crate::kinds::tags;
use crate::kinds::together::{together, when};
use crate::kinds::{Cx, Object, ObserveError, known, told};

pub const LIST: Call = Call::new("guardduty", "ListPublishingDestinations");
pub const DESCRIBE: Call = Call::new("guardduty", "DescribePublishingDestination");

/// Whether the owner of the bucket is not declared, so that evenkeel looks.
pub fn looks_at_bucket(spec: &Spec) -> bool {
    spec.expected_bucket_owner.is_none()
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Object<State>, ObserveError> {
    let (there, declared_key, is_own_bucket) = together!(
        there(cx),
        let_in::look_at(cx, &spec.kms_key_arn, DELIVERY),
        when(looks_at_bucket(spec), is_own(cx, &spec.destination_arn)),
    )?;
    let state =
        |detector_id, destination| State { detector_id, destination, declared_key, is_own_bucket };
    let Some((id, destination, administrator)) = there else {
        return Ok(Object::present("", state(None, None)));
    };
    let object = Object::present("", state(Some(id), destination));
    Ok(match administrator {
        Some(administrator) if administrator.manages()? => object.managed_by(administrator.title()),
        Some(_) | None => object,
    })
}

type There = (String, Option<Destination>, Option<administrator::Administrator>);

/// The detector, its destination, and who manages it; `None` without a detector.
async fn there(cx: &Cx) -> Result<Option<There>, ObserveError> {
    let Some(id) = detector::id(cx).await? else { return Ok(None) };
    let (destination, administrator) = together!(of(cx, &id), administrator::of(cx, &id))?;
    Ok(Some((id, destination, administrator)))
}

/// Whether the bucket of a destination is among the account's own.
///
/// # Errors
/// S3 did not say it.
pub async fn is_own(cx: &Cx, destination_arn: &str) -> Result<bool, ObserveError> {
    let bucket = bucket_of(destination_arn);
    Ok(place::names(cx).await?.iter().any(|name| Some(name.as_str()) == bucket))
}

/// The destination of a detector.
///
/// # Errors
/// GuardDuty did not say it, or is still looking at it.
pub async fn of(cx: &Cx, detector_id: &str) -> Result<Option<Destination>, ObserveError> {
    let all = listed(cx, detector_id).await?;
    let id = match all.as_slice() {
        [] => return Ok(None),
        [one] => told("destinationId", one.destination_id())?,
        more => {
            return Err(ObserveError::Malformed {
                field: "destinations".to_owned(),
                problem: format!("a detector has one destination, not {}", more.len()),
            });
        }
    };
    let request = cx.client(Client::new).describe_publishing_destination();
    let request = request.detector_id(detector_id).destination_id(id);
    let answer = cx.read(DESCRIBE, &format!("{detector_id} {id}"), request.send()).await?;
    let found = read(&answer)?;
    match found.destination_id == id {
        true => Ok(Some(found)),
        false => Err(ObserveError::Malformed {
            field: "destinationId".to_owned(),
            problem: format!("it is {:?} of the destination {id}", found.destination_id),
        }),
    }
}

/// The destinations of a detector, which come in pages.
async fn listed(cx: &Cx, detector_id: &str) -> Result<Arc<Vec<types::Destination>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(LIST, detector_id, async {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let request = client.list_publishing_destinations().detector_id(detector_id);
            let page = request.set_next_token(token).send().await?;
            all.extend(page.destinations.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(all);
            }
        }
    })
    .await
}

fn read(said: &Said) -> Result<Destination, ObserveError> {
    let of_type = told("destinationType", said.destination_type())?;
    if *of_type != DestinationType::S3 {
        return Err(ObserveError::UnknownValue {
            field: "destinationType".to_owned(),
            value: of_type.as_str().to_owned(),
        });
    }
    let properties = told("destinationProperties", said.destination_properties())?;
    // It appears only where somebody has said it.
    let owner = properties.expected_bucket_owner().filter(|owner| !owner.is_empty());
    let owner = owner.map(|owner| known("expectedBucketOwner", owner)).transpose()?;
    let status = told("status", said.status())?;
    if *status == PublishingStatus::PendingVerification {
        return Err(ObserveError::Pending {
            reason: "GuardDuty is still looking at whether it may export findings".to_owned(),
            remedy: "run again in a few minutes".to_owned(),
        });
    }
    let tags = said.tags().into_iter().flatten();
    Ok(Destination {
        destination_id: told("destinationId", said.destination_id())?.to_owned(),
        properties: Properties {
            destination_arn: told("destinationArn", properties.destination_arn())?.to_owned(),
            kms_key_arn: told("kmsKeyArn", properties.kms_key_arn())?.to_owned(),
            expected_bucket_owner: owner,
        },
        status: known("status", status.as_str())?,
        tags: tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))),
    })
}
