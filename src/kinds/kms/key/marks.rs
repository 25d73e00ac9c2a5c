//! The mark by which evenkeel finds a key again that it made: tags that name the alias and the run.
//!
//! `CreateKey` has no token that makes a second try harmless, and a key has no name. The mark is all
//! that tells, when an answer was lost or a run died before the alias was there, that the key was
//! made. Everybody who may tag keys can set it, so that it finds keys and proves nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_kms::types::KeyMetadata;
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};

use super::spec::{KeyState, Marked};
use super::{grants, policy};
use crate::aws::Call;
use crate::kinds::kms::reads;
use crate::kinds::{Cx, ObserveError, together, told};

pub const GET_RESOURCES: Call = Call::new("tag", "GetResources");

/// The tag that names the alias for which evenkeel made a key.
pub const ALIAS: &str = "evenkeel:alias";
/// The tag that names the run in which it did.
pub const RUN: &str = "evenkeel:run";

/// A key that bears the mark of an alias.
pub struct Bearer {
    pub metadata: KeyMetadata,
    state: KeyState,
    run: Option<String>,
}

impl Bearer {
    /// Whether somebody has scheduled its deletion.
    pub fn is_dying(&self) -> bool {
        self.state.is_dying()
    }

    /// When AWS deletes it, as far as AWS says it.
    pub fn deletion(&self) -> Option<String> {
        self.metadata.deletion_date().map(ToString::to_string)
    }

    /// What is known of it, for those who decide whether it is adopted.
    pub async fn known(&self, cx: &Cx) -> Result<Marked, ObserveError> {
        let key_id = self.metadata.key_id();
        let created = told("CreationDate", self.metadata.creation_date())?;
        Ok(Marked {
            key_id: key_id.to_owned(),
            key_state: self.state,
            deletion_date: self.deletion(),
            nature: reads::nature(&self.metadata)?,
            created: created.to_string(),
            run: self.run.clone(),
            policy: policy::read(cx, key_id).await?,
            foreign_grants: grants::foreign(cx, key_id).await?,
        })
    }
}

/// The keys that bear the mark of an alias, `known` left out, which is known to be there. Those
/// that are about to be deleted are among them.
pub async fn bearers(
    cx: &Cx,
    alias: &str,
    known: Option<&str>,
) -> Result<Vec<Bearer>, ObserveError> {
    let resources = resources(cx).await?;
    let mut keys = BTreeSet::new();
    for resource in resources.iter().filter(|resource| is_of(resource, alias)) {
        let arn = told("ResourceARN", resource.resource_arn())?;
        if known != Some(id_of(arn)) {
            keys.insert(id_of(arn));
        }
    }
    let bearers = keys.into_iter().map(|key| bearer(cx, key, alias));
    Ok(together::all(bearers).await?.into_iter().flatten().collect())
}

/// Whether the index of tags says that a key bears the mark of an alias.
pub async fn is_marked(cx: &Cx, alias: &str, key: &str) -> Result<bool, ObserveError> {
    Ok(resources(cx).await?.iter().any(|resource| {
        is_of(resource, alias) && resource.resource_arn().is_some_and(|arn| id_of(arn) == key)
    }))
}

/// A key, when it bears the mark of an alias: the index of tags is only eventually right, and the
/// key itself has the last word.
async fn bearer(cx: &Cx, key: &str, alias: &str) -> Result<Option<Bearer>, ObserveError> {
    let Some(metadata) = reads::describe(cx, key).await? else { return Ok(None) };
    if !reads::is_customers(&metadata)? {
        return Ok(None);
    }
    let state = reads::state(&metadata)?;
    let tags = reads::tags(cx, key).await?;
    let value = |name: &str| {
        tags.iter().find(|tag| tag.tag_key() == name).map(|tag| tag.tag_value().to_owned())
    };
    Ok((value(ALIAS).as_deref() == Some(alias)).then(|| Bearer {
        metadata,
        state,
        run: value(RUN),
    }))
}

/// All keys of the Region that bear a mark, in one read for all aliases: to ask each of ten thousand
/// keys for its tags would take ten minutes.
/// An answer without a list does not say that there are none.
async fn resources(cx: &Cx) -> Result<Arc<Vec<ResourceTagMapping>>, ObserveError> {
    let client = cx.client(Client::new);
    let resources = cx
        .read(GET_RESOURCES, ALIAS, async {
            let pages = client
                .get_resources()
                .resource_type_filters("kms:key")
                .tag_filters(TagFilter::builder().key(ALIAS).build())
                .into_paginator()
                .send();
            let pages = pages.collect::<Result<Vec<_>, _>>().await?;
            let lists: Option<Vec<_>> =
                pages.into_iter().map(|page| page.resource_tag_mapping_list).collect();
            Ok(lists.map(|lists| Arc::new(lists.concat())))
        })
        .await?;
    told("ResourceTagMappingList", resources.as_ref().clone())
}

fn is_of(resource: &ResourceTagMapping, alias: &str) -> bool {
    resource.tags().iter().any(|tag| tag.key() == ALIAS && tag.value() == alias)
}

/// A key's id from its ARN, `…:key/ID`.
fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
