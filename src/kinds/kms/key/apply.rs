//! The writes on a key.

use aws_sdk_kms::Client;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, OriginType, Tag};

use super::observe::{self, DESCRIBE, MARK, POLICY_NAME};
use super::spec::{Action, NewKey, Step};
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call};
use crate::kinds::WriteCx;

pub const CREATE_KEY: Call = Call::new("kms", "CreateKey");
pub const CREATE_ALIAS: Call = Call::new("kms", "CreateAlias");
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

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), AwsError> {
    let client = cx.client(Client::new);
    let alias = action.alias.as_str();
    match &action.step {
        Step::Create(key) => create(cx, &client, alias, key).await,
        Step::CreateAlias => {
            // A key that was just made may not be listed yet.
            let key = settle(is_absent, || locate(cx, alias)).await?;
            let request = client.create_alias().alias_name(alias).target_key_id(key);
            match cx.write(CREATE_ALIAS, request.send()).await {
                Err(error) if error.is_code(&["AlreadyExistsException"]) => {
                    // Ours from an earlier try is as good; anybody else's is not.
                    observe::find(cx, alias).await.and_then(|found| match found {
                        Some((_, true)) => Ok(()),
                        _ => Err(error),
                    })
                }
                answer => answer.map(drop),
            }
        }
        Step::DeleteAlias => {
            cx.write(DELETE_ALIAS, client.delete_alias().alias_name(alias).send()).await.map(drop)
        }
        Step::PutPolicy { policy } => {
            let key = locate(cx, alias).await?;
            let request =
                || client.put_key_policy().key_id(&key).policy_name(POLICY_NAME).policy(policy);
            settle(is_new_principal, || cx.write(PUT_POLICY, request().send())).await.map(drop)
        }
        Step::Describe { description } => {
            let key = locate(cx, alias).await?;
            let request = client.update_key_description().key_id(key).description(description);
            cx.write(UPDATE_DESCRIPTION, request.send()).await.map(drop)
        }
        Step::Enable => {
            let key = locate(cx, alias).await?;
            cx.write(ENABLE, client.enable_key().key_id(key).send()).await.map(drop)
        }
        Step::Disable => {
            let key = locate(cx, alias).await?;
            cx.write(DISABLE, client.disable_key().key_id(key).send()).await.map(drop)
        }
        Step::Rotate { period_in_days } => {
            let key = locate(cx, alias).await?;
            let period = period_in_days.and_then(|days| i32::try_from(days).ok());
            let request = || {
                client.enable_key_rotation().key_id(&key).set_rotation_period_in_days(period).send()
            };
            settle(is_busy, || cx.write(ENABLE_ROTATION, request())).await.map(drop)
        }
        Step::StopRotating => {
            let key = locate(cx, alias).await?;
            let request = client.disable_key_rotation().key_id(key);
            cx.write(DISABLE_ROTATION, request.send()).await.map(drop)
        }
        Step::Tag { tags } => {
            let key = locate(cx, alias).await?;
            let tags = tags.iter().filter_map(|(key, value)| tag(key, value)).collect();
            let request = client.tag_resource().key_id(key).set_tags(Some(tags));
            cx.write(TAG, request.send()).await.map(drop)
        }
        Step::Untag { tags } => {
            let key = locate(cx, alias).await?;
            let keys = tags.keys().cloned().collect();
            let request = client.untag_resource().key_id(key).set_tag_keys(Some(keys));
            cx.write(UNTAG, request.send()).await.map(drop)
        }
        Step::CancelDeletion => {
            let key = locate(cx, alias).await?;
            let request = client.cancel_key_deletion().key_id(key);
            cx.write(CANCEL_DELETION, request.send()).await.map(drop)
        }
        Step::ScheduleDeletion { window_days } => {
            let key = locate(cx, alias).await?;
            let window = i32::try_from(*window_days).unwrap_or(i32::MAX);
            let request = client.schedule_key_deletion().key_id(key).pending_window_in_days(window);
            cx.write(SCHEDULE_DELETION, request.send()).await.map(drop)
        }
    }
}

async fn create(cx: &WriteCx, client: &Client, alias: &str, key: &NewKey) -> Result<(), AwsError> {
    // CreateKey has no token that makes a second try harmless, so look first.
    if observe::find(cx, alias).await?.is_some() {
        return Ok(());
    }
    let tags: Vec<Tag> = key
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .chain([(MARK, alias)])
        .filter_map(|(key, value)| tag(key, value))
        .collect();
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
            .send()
    };
    settle(is_new_principal, || cx.write(CREATE_KEY, request())).await.map(drop)
}

/// The id of the key behind an alias, or made for it.
async fn locate(cx: &WriteCx, alias: &str) -> Result<String, AwsError> {
    let found = observe::find(cx, alias).await?;
    match found.as_ref().and_then(|(answer, _)| answer.key_metadata()) {
        Some(metadata) => Ok(metadata.key_id().to_owned()),
        None => {
            // AWS's own words for a key that is not there.
            let client = cx.client(Client::new);
            let answer = cx.write(DESCRIBE, client.describe_key().key_id(alias).send()).await?;
            Ok(answer.key_metadata().map(|data| data.key_id().to_owned()).unwrap_or_default())
        }
    }
}

/// A tag; both parts are always there.
fn tag(key: &str, value: &str) -> Option<Tag> {
    Tag::builder().tag_key(key).tag_value(value).build().ok()
}

fn is_absent(error: &AwsError) -> bool {
    error.is_code(&["NotFoundException"])
}

/// A principal that was made a moment ago is not known to KMS yet.
fn is_new_principal(error: &AwsError) -> bool {
    is_busy(error) || error.is_code(&["MalformedPolicyDocumentException"])
}

fn is_busy(error: &AwsError) -> bool {
    error.is_code(&["KMSInvalidStateException", "DependencyTimeoutException"])
}
