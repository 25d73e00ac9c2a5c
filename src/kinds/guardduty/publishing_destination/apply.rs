//! The writes on a publishing destination.

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::{DestinationProperties, DestinationType};

use super::diff::is_same_write;
use super::observe::{self, DESCRIBE, LIST};
use super::spec::{Action, Destination, Making, Properties, bucket_of};
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::guardduty::detector;
use crate::kinds::kms::named::{self, DELIVERY};
use crate::kinds::kms::reads;
use crate::kinds::s3::bucket::place;
use crate::kinds::tags::Tags;
use crate::kinds::{Facts, Made, ObserveError, WriteCx, WriteError};

pub const CREATE: Call = Call::new("guardduty", "CreatePublishingDestination");
pub const UPDATE: Call = Call::new("guardduty", "UpdatePublishingDestination");
pub const DELETE: Call = Call::new("guardduty", "DeletePublishingDestination");
pub const TAG: Call = Call::new("guardduty", "TagResource");
pub const UNTAG: Call = Call::new("guardduty", "UntagResource");

/// The calls of a write.
pub fn calls(action: &Action) -> Vec<Call> {
    let to = |call, properties: &Properties| {
        let mut calls = vec![call, detector::LIST, LIST, DESCRIBE, reads::DESCRIBE];
        calls.extend(properties.expected_bucket_owner.is_none().then_some(place::LIST));
        calls
    };
    let on = |call| vec![call, detector::LIST, LIST, DESCRIBE];
    match action {
        Action::Create(making) => to(CREATE, &making.properties),
        Action::Update(properties) => to(UPDATE, properties),
        Action::Delete => on(DELETE),
        Action::Tag(_) => on(TAG),
        Action::Untag(_) => on(UNTAG),
    }
}

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    // A detector that the same plan makes has an id only now.
    let Some(detector) = detector::id(&cx.afresh()).await? else {
        return Err(WriteError::Look(ObserveError::Unclear {
            reason: "GuardDuty has no detector here, so that nothing was sent".to_owned(),
            remedy: "declare guardduty.detector with enable = true for this account and Region, then run again".to_owned(),
        }));
    };
    match action {
        Action::Create(making) => {
            let properties = send(cx, &making.properties).await?;
            settle(is_settling, || async {
                create(cx, &detector, making, properties.clone()).await.map(drop)
            })
            .await?;
            verified(cx, &detector).await
        }
        Action::Update(wanted) => {
            let properties = send(cx, wanted).await?;
            let id = &there(cx, &detector).await?.destination_id;
            settle(is_settling, || async {
                let request = cx.client(Client::new).update_publishing_destination();
                let request = request.detector_id(&detector).destination_id(id);
                let request = request.destination_properties(properties.clone());
                cx.send(UPDATE, request.send()).await.map_err(|error| of_folder(error, wanted))
            })
            .await?;
            verified(cx, &detector).await
        }
        Action::Delete => delete(cx, &detector).await,
        Action::Tag(tags) => tag(cx, &detector, tags).await,
        Action::Untag(tags) => {
            let arn = arn(cx, &detector, &there(cx, &detector).await?);
            let request = cx.client(Client::new).untag_resource().resource_arn(arn);
            let keys = tags.keys().cloned().collect();
            cx.send(UNTAG, request.set_tag_keys(Some(keys)).send()).await
        }
    }
}

/// GuardDuty tries bucket and key at once, and new policies need some time to arrive.
fn is_settling(error: &WriteError) -> bool {
    matches!(error, WriteError::Aws(error)
        if error.class == ErrorClass::Settling || error.message.contains("does not have permission"))
}

/// The properties as they are sent, with the ARN of a key that can be used.
async fn send(cx: &WriteCx, properties: &Properties) -> Result<DestinationProperties, WriteError> {
    let key = named::ready(cx, &properties.kms_key_arn, DELIVERY).await?;
    let arn = &properties.destination_arn;
    if properties.expected_bucket_owner.is_none() && !observe::is_own(&cx.afresh(), arn).await? {
        let bucket = bucket_of(arn).unwrap_or_default();
        return Err(WriteError::Look(ObserveError::Unclear {
            reason: format!("the bucket {bucket} is not among those of this account, so that nothing was sent"),
            remedy: "make the bucket first, or declare expected_bucket_owner if it is another account's; then run again".to_owned(),
        }));
    }
    let owner = properties.expected_bucket_owner.as_ref().map(ToString::to_string);
    Ok(DestinationProperties::builder()
        .destination_arn(arn)
        .kms_key_arn(key)
        .set_expected_bucket_owner(owner)
        .build())
}

async fn create(
    cx: &WriteCx,
    detector: &str,
    making: &Making,
    properties: DestinationProperties,
) -> Result<Made, WriteError> {
    let tags = making.tags.clone().into_iter().collect();
    let request = cx
        .client(Client::new)
        .create_publishing_destination()
        .detector_id(detector)
        .destination_type(DestinationType::S3)
        .destination_properties(properties)
        .set_tags(Some(tags).filter(|_| !making.tags.is_empty()));
    match cx.make(CREATE, request.send()).await {
        Ok((answer, made)) => {
            cx.note_made(answer.destination_id());
            Ok(made)
        }
        // GuardDuty has one code for everything: a look says whether one is there.
        Err(error) if error.is_code(&["BadRequestException"]) => {
            Err(refused(cx, detector, making, error).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// What a refusal means: an earlier try made it, somebody else made one, or GuardDuty takes none such.
async fn refused(cx: &WriteCx, detector: &str, making: &Making, error: AwsError) -> WriteError {
    match observe::of(&cx.afresh(), detector).await {
        Ok(Some(Destination { properties, tags, .. })) => {
            let made = Action::Create(Making { properties, tags });
            match is_same_write(&Action::Create(making.clone()), &made) {
                true => WriteError::was_there(&error),
                false => WriteError::Another(error.to_string()),
            }
        }
        Ok(None) => of_folder(error.into(), &making.properties),
        Err(look) => look.into(),
    }
}

/// A refusal with what helps where a folder is missing.
fn of_folder(error: WriteError, wanted: &Properties) -> WriteError {
    match error {
        WriteError::Aws(error) if error.message.contains("folder does not exist") => {
            WriteError::Look(ObserveError::Unclear {
                reason: error.to_string(),
                remedy: format!(
                    "put an empty object there that is called like the folder of {}, with / at its end, and let no \
                     lifecycle rule delete it; then run again",
                    wanted.destination_arn
                ),
            })
        }
        error => error,
    }
}

/// Waits until GuardDuty has looked at the destination, for as long as such things take. How it fares then, the
/// next look says.
async fn verified(cx: &WriteCx, detector: &str) -> Result<(), WriteError> {
    let is_pending = |error: &ObserveError| matches!(error, ObserveError::Pending { .. });
    match settle(is_pending, || async { observe::of(&cx.afresh(), detector).await }).await {
        Ok(_) | Err(ObserveError::Pending { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The destination that a write is about.
async fn there(cx: &WriteCx, detector: &str) -> Result<Destination, WriteError> {
    let missing = || WriteError::Changed("there is no publishing destination any more".to_owned());
    observe::of(&cx.afresh(), detector).await?.ok_or_else(missing)
}

async fn delete(cx: &WriteCx, detector: &str) -> Result<(), WriteError> {
    let Some(there) = observe::of(&cx.afresh(), detector).await? else { return Ok(()) };
    let request = cx.client(Client::new).delete_publishing_destination();
    let request = request.detector_id(detector).destination_id(there.destination_id);
    cx.send(DELETE, request.send()).await
}

async fn tag(cx: &WriteCx, detector: &str, tags: &Tags) -> Result<(), WriteError> {
    let arn = arn(cx, detector, &there(cx, detector).await?);
    let request = cx.client(Client::new).tag_resource().resource_arn(arn);
    cx.send(TAG, request.set_tags(Some(tags.clone().into_iter().collect())).send()).await
}

/// Source: Service Authorization Reference, "Amazon GuardDuty".
fn arn(facts: &Facts, detector: &str, there: &Destination) -> String {
    let Facts { partition, region, account, .. } = facts;
    let id = &there.destination_id;
    format!(
        "arn:{partition}:guardduty:{region}:{account}:detector/{detector}/publishingdestination/{id}"
    )
}
