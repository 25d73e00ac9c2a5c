//! The writes on a key.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::error::BuildError;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, OriginType, Tag};

use super::policy::POLICY_NAME;
use super::spec::{Action, NewKey, Step};
use super::{grants, marks};
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::kms::reads;
use crate::kinds::{Made, ObserveError, WriteCx, WriteError, sendable};

pub const CREATE_KEY: Call = Call::new("kms", "CreateKey");
pub const CREATE_ALIAS: Call = Call::new("kms", "CreateAlias");
pub const UPDATE_ALIAS: Call = Call::new("kms", "UpdateAlias");
pub const DELETE_ALIAS: Call = Call::new("kms", "DeleteAlias");
pub const PUT_POLICY: Call = Call::new("kms", "PutKeyPolicy");
pub const UPDATE_DESCRIPTION: Call = Call::new("kms", "UpdateKeyDescription");
pub const ENABLE: Call = Call::new("kms", "EnableKey");
pub const DISABLE: Call = Call::new("kms", "DisableKey");
pub const ENABLE_ROTATION: Call = Call::new("kms", "EnableKeyRotation");
pub const DISABLE_ROTATION: Call = Call::new("kms", "DisableKeyRotation");
pub const TAG: Call = Call::new("kms", "TagResource");
pub const UNTAG: Call = Call::new("kms", "UntagResource");
pub const CANCEL_DELETION: Call = Call::new("kms", "CancelKeyDeletion");
pub const SCHEDULE_DELETION: Call = Call::new("kms", "ScheduleKeyDeletion");

/// Waits before each further look for a key whose answer was lost.
const AFTER_LOSS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(8),
    Duration::from_secs(15),
];
/// Waits before a throttled try is made again.
const THROTTLED: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let alias = action.alias.as_str();
    if let Step::Create(key) = &action.step {
        return create(cx, &client, alias, key).await.map(drop);
    }
    let key = target(cx, action).await?;
    match &action.step {
        Step::Create(_) => {}
        Step::CreateAlias => {
            create_alias(cx, &client, alias, &key).await?;
        }
        Step::UpdateAlias { .. } => {
            let request = client.update_alias().alias_name(alias).target_key_id(key);
            cx.write(UPDATE_ALIAS, request.send()).await?;
        }
        Step::DeleteAlias => {
            cx.write(DELETE_ALIAS, client.delete_alias().alias_name(alias).send()).await?;
        }
        Step::PutPolicy { policy } => {
            let request =
                || client.put_key_policy().key_id(&key).policy_name(POLICY_NAME).policy(policy);
            settle(is_new_principal, || cx.write(PUT_POLICY, request().send())).await?;
        }
        Step::Describe { description } => {
            let request = client.update_key_description().key_id(key).description(description);
            cx.write(UPDATE_DESCRIPTION, request.send()).await?;
        }
        Step::Enable => {
            cx.write(ENABLE, client.enable_key().key_id(key).send()).await?;
        }
        Step::Disable => {
            cx.write(DISABLE, client.disable_key().key_id(key).send()).await?;
        }
        Step::Rotate { period_in_days } => {
            let period =
                period_in_days.map(|days| sendable("RotationPeriodInDays", days)).transpose()?;
            let request = || {
                client.enable_key_rotation().key_id(&key).set_rotation_period_in_days(period).send()
            };
            settle(is_busy, || cx.write(ENABLE_ROTATION, request())).await?;
        }
        Step::StopRotating => {
            let request = client.disable_key_rotation().key_id(key);
            cx.write(DISABLE_ROTATION, request.send()).await?;
        }
        Step::Tag { tags } => {
            let tags = tags.iter().map(|(key, value)| tag(key, value)).collect::<Result<_, _>>()?;
            let request = client.tag_resource().key_id(key).set_tags(Some(tags));
            cx.write(TAG, request.send()).await?;
        }
        Step::Untag { tags } => {
            let keys = tags.keys().cloned().collect();
            let request = client.untag_resource().key_id(key).set_tag_keys(Some(keys));
            cx.write(UNTAG, request.send()).await?;
        }
        Step::CancelDeletion => {
            let request = client.cancel_key_deletion().key_id(key);
            cx.write(CANCEL_DELETION, request.send()).await?;
        }
        Step::ScheduleDeletion { window_days } => {
            let window = sendable("PendingWindowInDays", *window_days)?;
            has_no_other_users(cx, &key, alias).await?;
            let request = client.schedule_key_deletion().key_id(key).pending_window_in_days(window);
            cx.write(SCHEDULE_DELETION, request.send()).await?;
        }
    }
    Ok(())
}

/// The key that a step is for: the one that was observed, or that the plan has made, and no other,
/// wherever the alias points by now.
async fn target(cx: &WriteCx, action: &Action) -> Result<String, WriteError> {
    let alias = action.alias.as_str();
    match (&action.step, &action.key_id) {
        (Step::CreateAlias, Some(key)) => Ok(key.clone()),
        (Step::CreateAlias, None) => {
            Err(WriteError::Unsendable("the plan does not say which key".to_owned()))
        }
        (Step::UpdateAlias { from }, Some(key)) => {
            let found = behind(cx, alias).await?;
            if found == *from { Ok(key.clone()) } else { Err(moved(alias, &found, from)) }
        }
        // A marked key is saved before it gets its alias back: a dying one takes none.
        (Step::CancelDeletion, Some(key)) if is_marked(cx, key, alias).await? => Ok(key.clone()),
        (_, Some(key)) => {
            // The key may have been found by its mark, before its new alias was seen.
            let found = settle(is_absent, || behind(cx, alias)).await?;
            if found == *key { Ok(found) } else { Err(moved(alias, &found, key)) }
        }
        (_, None) => {
            // An alias that was just made may not be seen yet.
            let found = settle(is_absent, || behind(cx, alias)).await?;
            if is_ours(cx, &found, alias).await? {
                Ok(found)
            } else {
                Err(WriteError::Changed(format!(
                    "{alias} points to the key {found}, which does not bear its mark"
                )))
            }
        }
    }
}

/// Nothing, where nobody has given a key another alias or a grant: whoever has, uses it, and what is encrypted
/// with it is lost with it.
async fn has_no_other_users(cx: &WriteCx, key: &str, alias: &str) -> Result<(), WriteError> {
    let now = cx.afresh();
    let aliases = reads::aliases(&now).await?;
    let other = aliases
        .iter()
        .filter(|entry| entry.target_key_id() == Some(key))
        .find_map(|entry| entry.alias_name().filter(|name| *name != alias));
    if let Some(other) = other {
        return Err(WriteError::Changed(format!(
            "{other} points to the key {key}, too: somebody uses it, and it stays"
        )));
    }
    match grants::count_all(&now, key).await? {
        0 => Ok(()),
        count => Err(WriteError::Changed(format!(
            "the key {key} has grants ({count}; aws kms list-grants --key-id {key}): somebody uses it, and it stays"
        ))),
    }
}

/// The id of the key behind an alias.
async fn behind(cx: &WriteCx, alias: &str) -> Result<String, AwsError> {
    let client = cx.client(Client::new);
    let answer = cx.write(reads::DESCRIBE, client.describe_key().key_id(alias).send()).await?;
    let metadata = answer.key_metadata().ok_or_else(|| {
        AwsError::malformed(&cx.region, reads::DESCRIBE, "AWS did not say KeyMetadata")
    })?;
    Ok(metadata.key_id().to_owned())
}

/// Whether a key bears the mark of an alias; of one that was just made, it may not be seen yet.
async fn is_ours(cx: &WriteCx, key: &str, alias: &str) -> Result<bool, ObserveError> {
    for pause in AFTER_LOSS {
        if is_marked(cx, key, alias).await? {
            return Ok(true);
        }
        tokio::time::sleep(pause).await;
    }
    Ok(false)
}

/// Whether a key bears the mark of an alias now.
async fn is_marked(cx: &WriteCx, key: &str, alias: &str) -> Result<bool, ObserveError> {
    let tags = reads::tags(&cx.afresh(), key).await?;
    Ok(tags.iter().any(|tag| tag.tag_key() == marks::ALIAS && tag.tag_value() == alias))
}

fn moved(alias: &str, found: &str, wanted: &str) -> WriteError {
    WriteError::Changed(format!(
        "{alias} points to the key {found} now, and pointed to {wanted} when the plan was made"
    ))
}

/// Makes the key and gives it its alias.
///
/// An answer that is lost leaves a key that nobody knows, so that nothing below this makes the call
/// a second time. What it made is looked for first: among the keys that were not there before, by
/// its mark.
async fn create(
    cx: &WriteCx,
    client: &Client,
    alias: &str,
    key: &NewKey,
) -> Result<Made, WriteError> {
    if let Some(found) = reads::describe(cx, alias).await? {
        if is_of_this_run(cx, found.key_id(), alias).await? {
            return Err(WriteError::WasThereAlike(format!(
                "{alias} points to the key {}, which bears the mark of this run",
                found.key_id()
            )));
        }
        return Err(WriteError::Changed(format!(
            "{alias} was not there when the plan was made, and points to the key {} now",
            found.key_id()
        )));
    }
    let bearers = marks::bearers(cx, alias, None).await?;
    if let Some(bearer) = bearers.iter().find(|bearer| !bearer.is_dying()) {
        return Err(WriteError::Changed(format!(
            "the key {} bears the mark of {alias}, and did not when the plan was made",
            bearer.metadata.key_id()
        )));
    }
    let before = ids(cx).await?;
    let mark = [(marks::ALIAS, alias), (marks::RUN, cx.run())];
    let declared = key.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let tags: Vec<Tag> =
        declared.chain(mark).map(|(key, value)| tag(key, value)).collect::<Result<_, _>>()?;
    let request = || {
        client
            .create_key()
            .set_description(key.description.clone())
            .set_key_spec(key.key_spec.map(|spec| KeySpec::from(spec.as_str())))
            .set_key_usage(key.key_usage.map(|usage| KeyUsageType::from(usage.as_str())))
            .set_origin(key.origin.map(|origin| OriginType::from(origin.as_str())))
            .set_multi_region(key.multi_region)
            .set_policy(key.policy.clone())
            .set_tags(Some(tags.clone()))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
    };
    let mut pauses = THROTTLED.iter();
    let (key, made) = loop {
        let answer = settle(is_unknown_principal, || cx.make(CREATE_KEY, request())).await;
        match answer {
            Ok((answer, made)) => {
                let Some(metadata) = answer.key_metadata() else {
                    let problem = "AWS did not say which key it made";
                    return Err(AwsError::malformed(&cx.region, CREATE_KEY, problem).into());
                };
                cx.note_made(Some(metadata.key_id()));
                break (metadata.key_id().to_owned(), Some(made));
            }
            // Refused before anything was made.
            Err(error) if error.class == ErrorClass::Throttled => match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(error.into()),
            },
            Err(error) if is_lost(&error) => {
                break (find_lost(cx, alias, &before).await?.ok_or(error)?, None);
            }
            Err(error) => return Err(error.into()),
        }
    };
    match (create_alias(cx, client, alias, &key).await, made) {
        // Nobody else gives an alias to a key that was made a moment ago.
        (Err(WriteError::WasThereAlike(_)), Some(made)) => Ok(made),
        (Err(WriteError::Aws(error)), _) => Err(WriteError::Half {
            left: format!(
                "the key {key}, which costs, bears the mark of {alias} and has no alias: the next plan gives it that one, and warns where it is somebody else's by then"
            ),
            error,
        }),
        (answer, _) => answer,
    }
}

/// Whether nobody can tell from the answer whether the key was made.
fn is_lost(error: &AwsError) -> bool {
    matches!(error.class, ErrorClass::Unreachable | ErrorClass::ServerFault)
}

/// Whether a key bears the mark of an alias and of this run.
async fn is_of_this_run(cx: &WriteCx, key: &str, alias: &str) -> Result<bool, ObserveError> {
    let tags = reads::tags(&cx.afresh(), key).await?;
    let has = |name: &str, value: &str| {
        tags.iter().any(|tag| tag.tag_key() == name && tag.tag_value() == value)
    };
    Ok(has(marks::ALIAS, alias) && has(marks::RUN, cx.run()))
}

/// The key that a call made whose answer was lost: the one that was not there before, and bears the
/// mark of this run.
async fn find_lost(
    cx: &WriteCx,
    alias: &str,
    before: &BTreeSet<String>,
) -> Result<Option<String>, AwsError> {
    for pause in AFTER_LOSS {
        tokio::time::sleep(pause).await;
        for key in ids(&cx.afresh()).await?.difference(before) {
            // A key that shows nobody its tags was not made by this call.
            if is_of_this_run(cx, key, alias).await.unwrap_or(false) {
                return Ok(Some(key.clone()));
            }
        }
    }
    Ok(None)
}

async fn ids(cx: &crate::kinds::Cx) -> Result<BTreeSet<String>, AwsError> {
    let keys = reads::keys(cx).await?;
    Ok(keys.iter().filter_map(|key| key.key_id()).map(str::to_owned).collect())
}

async fn create_alias(
    cx: &WriteCx,
    client: &Client,
    alias: &str,
    key: &str,
) -> Result<Made, WriteError> {
    let request = || client.create_alias().alias_name(alias).target_key_id(key).send();
    // A key that was just made may not be known everywhere yet.
    match settle(is_absent, || cx.make(CREATE_ALIAS, request())).await {
        // One from an earlier try is as good; one that points elsewhere is not.
        Err(error) if error.is_code(&["AlreadyExistsException"]) => {
            Err(match behind(cx, alias).await? == key {
                true => WriteError::WasThereAlike(error.to_string()),
                false => error.into(),
            })
        }
        answer => Ok(answer?.1),
    }
}

fn tag(key: &str, value: &str) -> Result<Tag, BuildError> {
    Tag::builder().tag_key(key).tag_value(value).build()
}

fn is_absent(error: &AwsError) -> bool {
    error.is_code(&["NotFoundException"])
}

/// A principal that was made a moment ago is not known to KMS yet.
fn is_new_principal(error: &AwsError) -> bool {
    is_busy(error) || is_unknown_principal(error)
}

/// The same where a time-out may hide that the call was done.
fn is_unknown_principal(error: &AwsError) -> bool {
    error.is_code(&["MalformedPolicyDocumentException"])
}

fn is_busy(error: &AwsError) -> bool {
    error.is_code(&["KMSInvalidStateException", "DependencyTimeoutException"])
}
