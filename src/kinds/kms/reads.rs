//! The reads of KMS that its kinds share.

use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::types::{AliasListEntry, KeyListEntry, KeyManagerType, KeyMetadata, Tag};

use super::key::spec::{KeyState, Nature, Rotation};
use crate::aws::error::{AbsentIf, ErrorClass};
use crate::aws::said::Said;
use crate::aws::{AwsError, Call};
use crate::kinds::{Cx, ObserveError, count, known, told};

pub const DESCRIBE: Call = Call::new("kms", "DescribeKey");
pub const LIST_TAGS: Call = Call::new("kms", "ListResourceTags");
pub const GET_ROTATION: Call = Call::new("kms", "GetKeyRotationStatus");
pub const LIST_KEYS: Call = Call::new("kms", "ListKeys");
pub const LIST_ALIASES: Call = Call::new("kms", "ListAliases");

/// AWS's period of rotation when none is given, in days, and so the one of answers that leave it
/// out. Source: KMS API Reference, `GetKeyRotationStatus`, `RotationPeriodInDays`: "The default
/// value is 365 days".
pub const DEFAULT_PERIOD: u32 = 365;

/// All aliases, those of AWS included.
pub async fn aliases(cx: &Cx) -> Result<Arc<Vec<AliasListEntry>>, AwsError> {
    let client = cx.client(Client::new);
    let pages = client.list_aliases().into_paginator().send();
    cx.list(LIST_ALIASES, "", pages, "Aliases", |page| page.aliases).await
}

/// All keys, those of AWS included.
pub async fn keys(cx: &Cx) -> Result<Arc<Vec<KeyListEntry>>, AwsError> {
    let client = cx.client(Client::new);
    // The largest page that AWS gives: an account may have ten thousand keys and more.
    let pages = client.list_keys().limit(1000).into_paginator().send();
    cx.list(LIST_KEYS, "", pages, "Keys", |page| page.keys).await
}

/// A key by its id, ARN or alias; `None` when there is none.
pub async fn describe(cx: &Cx, key: &str) -> Result<Option<KeyMetadata>, ObserveError> {
    let client = cx.client(Client::new);
    let answer = cx.read(DESCRIBE, key, client.describe_key().key_id(key).send()).await;
    let answer = answer.absent_if(&["NotFoundException"]).map_err(|error| refused(key, error))?;
    answer.map(|answer| told("KeyMetadata", answer.key_metadata().cloned())).transpose()
}

/// The tags of a key.
pub async fn tags(cx: &Cx, key: &str) -> Result<Arc<Vec<Tag>>, ObserveError> {
    let client = cx.client(Client::new);
    let pages = client.list_resource_tags().key_id(key).into_paginator().send();
    let tags = cx.list(LIST_TAGS, key, pages, "Tags", |page| page.tags).await;
    tags.map_err(|error| refused(key, error))
}

/// The rotation of a key; `None` when it cannot rotate.
pub async fn rotation(cx: &Cx, key: &str) -> Result<Option<Rotation>, ObserveError> {
    let client = cx.client(Client::new);
    let said = Said::new("KeyRotationEnabled");
    let request =
        client.get_key_rotation_status().key_id(key).customize().interceptor(said.clone());
    let answer = cx
        .read(GET_ROTATION, key, async {
            let answer = request.send().await?;
            Ok((said.is_there().then(|| answer.key_rotation_enabled()), answer))
        })
        .await;
    // What cannot rotate is no error: keys of other types and origins.
    let answer = answer
        .absent_if(&["UnsupportedOperationException"])
        .map_err(|error| refused(key, error))?;
    let Some(answer) = answer else { return Ok(None) };
    let (enabled, answer) = answer.as_ref();
    let enabled = told("KeyRotationEnabled", *enabled)?;
    let period = answer.rotation_period_in_days().map(period).transpose()?;
    let period_in_days = enabled.then(|| period.unwrap_or(DEFAULT_PERIOD));
    Ok(Some(Rotation { enabled, period_in_days }))
}

/// A period of rotation as AWS says it: never zero, which would fit below every limit.
fn period(days: i32) -> Result<u32, ObserveError> {
    match count("RotationPeriodInDays", days)? {
        0 => Err(ObserveError::Malformed {
            field: "RotationPeriodInDays".to_owned(),
            problem: "0 is no period".to_owned(),
        }),
        days => Ok(days),
    }
}

/// What a key is made of, in AWS's word.
pub fn key_spec(metadata: &KeyMetadata) -> Result<&str, ObserveError> {
    // Answers from before 2021 have the older member alone; where both are, they agree.
    #[allow(deprecated)]
    let older = metadata.customer_master_key_spec().map(|spec| spec.as_str());
    told("KeySpec", metadata.key_spec().map(|spec| spec.as_str()).or(older))
}

/// What cannot be changed in a key.
pub fn nature(metadata: &KeyMetadata) -> Result<Nature, ObserveError> {
    let spec = key_spec(metadata)?;
    let usage = told("KeyUsage", metadata.key_usage().map(|usage| usage.as_str()))?;
    let origin = told("Origin", metadata.origin().map(|origin| origin.as_str()))?;
    Ok(Nature {
        key_spec: known("KeySpec", spec)?,
        key_usage: known("KeyUsage", usage)?,
        origin: known("Origin", origin)?,
        multi_region: metadata.multi_region(),
    })
}

/// The state of a key.
pub fn state(metadata: &KeyMetadata) -> Result<KeyState, ObserveError> {
    let state = told("KeyState", metadata.key_state().map(|state| state.as_str()))?;
    known("KeyState", state)
}

/// Whether the account made the key, and not AWS. Source: KMS API Reference, `KeyMetadata`,
/// `KeyManager`.
pub fn is_customers(metadata: &KeyMetadata) -> Result<bool, ObserveError> {
    match told("KeyManager", metadata.key_manager())? {
        KeyManagerType::Customer => Ok(true),
        KeyManagerType::Aws => Ok(false),
        other => Err(ObserveError::UnknownValue {
            field: "KeyManager".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}

/// A read of one key that AWS refused. The key's own policy decides first: where it lets nobody in,
/// no permission of the identity helps.
pub fn refused(key: &str, error: AwsError) -> ObserveError {
    if error.class != ErrorClass::Denied {
        return error.into();
    }
    let remedy = format!(
        "allow {action} to the identity that evenkeel uses (`evenkeel policy`); when it is allowed there, \
         the key policy of {key} refuses, and no permission of the identity helps: let somebody whom \
         that policy lets in add {action} to it, or leave the key out",
        action = error.call.iam_action()
    );
    ObserveError::Refused { what: format!("key {key}"), error, remedy }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn who_manages_a_key_is_one_of_two_words() {
        let of = |word: &str| {
            let key = KeyMetadata::builder().key_id("1").key_manager(KeyManagerType::from(word));
            is_customers(&key.build().unwrap())
        };
        assert!(of("CUSTOMER").unwrap());
        assert!(!of("AWS").unwrap());
        for word in ["", "customer", "CUSTOMER-x"] {
            assert!(of(word).unwrap_err().to_string().contains("KeyManager"), "{word}");
        }
    }

    #[test]
    fn no_days_are_no_period() {
        assert_eq!(period(90).unwrap(), 90);
        assert!(period(0).is_err());
        assert!(period(-1).is_err());
    }
}
