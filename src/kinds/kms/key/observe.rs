//! Reading a key: by its alias, or by the mark that evenkeel leaves on the keys that it makes.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;
use aws_sdk_kms::types::{AliasListEntry, KeyMetadata, Tag};

use super::spec::{KeyState, Rotation, Spec, State};
use crate::aws::error::AbsentIf;
use crate::aws::{AwsError, Call};
use crate::kinds::tags;
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, known};
use crate::policy_document::PolicyDocument;

pub const DESCRIBE: Call = Call::new("kms", "DescribeKey");
pub const GET_POLICY: Call = Call::new("kms", "GetKeyPolicy");
pub const GET_ROTATION: Call = Call::new("kms", "GetKeyRotationStatus");
pub const LIST_TAGS: Call = Call::new("kms", "ListResourceTags");
pub const LIST_KEYS: Call = Call::new("kms", "ListKeys");
pub const LIST_ALIASES: Call = Call::new("kms", "ListAliases");

/// The only name that a key policy has.
pub const POLICY_NAME: &str = "default";
/// The tag that names the alias for which evenkeel made a key.
pub const MARK: &str = "evenkeel:alias";

/// The aliases that are not AWS's own.
pub async fn names(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    Ok(aliases(cx)
        .await?
        .iter()
        .filter(|alias| alias.target_key_id().is_some())
        .filter_map(|alias| alias.alias_name())
        .filter(|name| !name.starts_with("alias/aws/"))
        .map(str::to_owned)
        .collect())
}

async fn aliases(cx: &Cx) -> Result<Arc<Vec<AliasListEntry>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(LIST_ALIASES, "", async {
        client.list_aliases().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await
    })
    .await
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let Some((answer, has_alias)) = find(cx, &spec.alias).await? else {
        return Ok(vec![Object::absent(&spec.alias)]);
    };
    let Some(metadata) = answer.key_metadata() else {
        return Ok(vec![Object::absent(&spec.alias)]);
    };
    let key_id = metadata.key_id();
    let (policy, rotation, tags) = together!(
        async { if spec.has_policy() { policy(cx, key_id).await.map(Some) } else { Ok(None) } },
        async {
            if spec.has_rotation() {
                rotation(cx, key_id).await.map_err(ObserveError::from)
            } else {
                Ok(None)
            }
        },
        async {
            match spec.tags {
                Some(_) => Ok(Some(all_tags(cx, key_id).await?)),
                None => Ok(None),
            }
        },
    )?;
    let state = State {
        key_id: key_id.to_owned(),
        has_alias,
        key_state: state_of(metadata)?,
        deletion_date: metadata.deletion_date().map(ToString::to_string),
        description: metadata.description().unwrap_or_default().to_owned(),
        key_spec: known("KeySpec", word(metadata.key_spec().map(|word| word.as_str())))?,
        key_usage: known("KeyUsage", word(metadata.key_usage().map(|word| word.as_str())))?,
        origin: known("Origin", word(metadata.origin().map(|word| word.as_str())))?,
        multi_region: metadata.multi_region().unwrap_or(false),
        policy,
        rotation,
        tags: tags
            .map(|tags| tags::collect(tags.iter().map(|tag| (tag.tag_key(), tag.tag_value())))),
    };
    Ok(vec![Object::present(&spec.alias, state).labelled(key_id)])
}

fn word(word: Option<&str>) -> &str {
    word.unwrap_or_default()
}

/// The state of a key.
pub fn state_of(metadata: &KeyMetadata) -> Result<KeyState, ObserveError> {
    known("KeyState", word(metadata.key_state().map(|state| state.as_str())))
}

/// The key behind an alias, or the one that was made for it and got no alias yet; and whether the
/// alias is there.
pub async fn find(
    cx: &Cx,
    alias: &str,
) -> Result<Option<(Arc<DescribeKeyOutput>, bool)>, AwsError> {
    if let Some(answer) = describe(cx, alias).await? {
        return Ok(Some((answer, true)));
    }
    let client = cx.client(Client::new);
    let aliases = aliases(cx);
    let keys = async {
        cx.read(LIST_KEYS, "", async {
            client.list_keys().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await
        })
        .await
    };
    let (aliases, keys) = together!(aliases, keys)?;
    let named: BTreeSet<&str> = aliases.iter().filter_map(|alias| alias.target_key_id()).collect();
    for key in keys.iter().filter_map(|key| key.key_id()).filter(|key| !named.contains(key)) {
        let Some(answer) = describe(cx, key).await? else { continue };
        let own = answer.key_metadata().is_some_and(|metadata| {
            metadata.key_manager().is_some_and(|manager| manager.as_str() == "CUSTOMER")
                && metadata.deletion_date().is_none()
        });
        if own && is_marked(&all_tags(cx, key).await?, alias) {
            return Ok(Some((answer, false)));
        }
    }
    Ok(None)
}

fn is_marked(tags: &[Tag], alias: &str) -> bool {
    tags.iter().any(|tag| tag.tag_key() == MARK && tag.tag_value() == alias)
}

async fn describe(
    cx: &Cx,
    key: &str,
) -> Result<Option<std::sync::Arc<DescribeKeyOutput>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(DESCRIBE, key, client.describe_key().key_id(key).send())
        .await
        .absent_if(&["NotFoundException"])
}

/// The text of the key policy, once it is known to be one.
async fn policy(cx: &Cx, key: &str) -> Result<String, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_key_policy().key_id(key).policy_name(POLICY_NAME).send();
    let answer = cx.read(GET_POLICY, key, request).await?;
    let text = answer.policy().unwrap_or_default().to_owned();
    PolicyDocument::from_text(&text).map_err(|error| ObserveError::Malformed {
        field: "Policy".to_owned(),
        problem: error.to_string(),
    })?;
    Ok(text)
}

async fn rotation(cx: &Cx, key: &str) -> Result<Option<Rotation>, AwsError> {
    let client = cx.client(Client::new);
    let request = client.get_key_rotation_status().key_id(key).send();
    let answer = cx.read(GET_ROTATION, key, request).await;
    // What cannot rotate is no error: keys of other types and origins.
    let Some(answer) = answer.absent_if(&["UnsupportedOperationException"])? else {
        return Ok(None);
    };
    let enabled = answer.key_rotation_enabled();
    let period = answer.rotation_period_in_days().and_then(|days| u32::try_from(days).ok());
    Ok(Some(Rotation {
        enabled,
        // Older answers leave the period out.
        period_in_days: enabled.then(|| period.unwrap_or(365)),
    }))
}

async fn all_tags(cx: &Cx, key: &str) -> Result<Vec<Tag>, AwsError> {
    let client = cx.client(Client::new);
    let tags = cx
        .read(LIST_TAGS, key, async {
            client
                .list_resource_tags()
                .key_id(key)
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
        })
        .await?;
    Ok(tags.to_vec())
}
