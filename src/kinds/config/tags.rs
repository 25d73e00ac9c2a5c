//! The tags of what AWS Config has: one API for the objects of all its kinds.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::types::Tag;

use crate::aws::Call;
use crate::kinds::calls::On;
use crate::kinds::shapes::part::Parted;
use crate::kinds::shapes::tagged::{Tagged, declares, sets};
use crate::kinds::tags::{self, CONFIG, TagRules, Tags};
use crate::kinds::{Cx, ObserveError, Use, WriteCx, WriteError, told};

pub const LIST: Call = Call::new("config", "ListTagsForResource");
pub const TAG: Call = Call::new("config", "TagResource");
const UNTAG: Call = Call::new("config", "UntagResource");

/// A kind of Config whose objects have tags, and get those that are declared when they are made.
pub trait Resource: Parted {
    /// The objects, as permissions name them.
    const OBJECTS: On<Self::Spec>;

    /// The ARN of an object that is there.
    fn arn(place: &Self::Place) -> Option<&str>;

    /// All tags that are declared.
    fn declared(spec: &Self::Spec) -> Option<&Tags>;

    /// Declares tags.
    fn declare(spec: &mut Self::Spec, tags: Tags);
}

impl<K: Resource> Tagged for K {
    const TAG_RULES: TagRules = CONFIG;
    const TAG: Call = TAG;
    const UNTAG: Call = UNTAG;
    const TAG_CALLS: &'static [Use<K::Spec>] = &[
        Use::read_if(LIST, declares::<K>),
        Use::write_if(TAG, sets::<K>, K::OBJECTS),
        Use::write_if(UNTAG, declares::<K>, K::OBJECTS),
    ];
    const MADE_WITH_TAGS: bool = true;

    fn tags(spec: &K::Spec) -> Option<&Tags> {
        K::declared(spec)
    }

    fn declare_tags(spec: &mut K::Spec, tags: Tags) {
        K::declare(spec, tags);
    }

    async fn read_tags(cx: &Cx, place: &K::Place) -> Result<Tags, ObserveError> {
        let pairs = pairs(&all(cx, told("the ARN", K::arn(place))?).await?)?;
        Ok(tags::collect(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &K::Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        set(cx, arn::<K>(place)?, tags).await
    }

    async fn remove_tags(
        cx: &WriteCx,
        place: &K::Place,
        keys: Vec<String>,
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn::<K>(place)?);
        cx.send(UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

/// All tags of an object, those of AWS and of evenkeel included.
pub async fn all(cx: &Cx, arn: &str) -> Result<Arc<Vec<Tag>>, ObserveError> {
    let pages = cx.client(Client::new).list_tags_for_resource().resource_arn(arn);
    let pages = pages.into_paginator().send();
    Ok(cx.list(LIST, arn, pages, "Tags", |page| page.tags).await?)
}

/// Tags as keys and values.
pub fn pairs(tags: &[Tag]) -> Result<Tags, ObserveError> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()));
    told("Tags.Key", tags.iter().map(pair).collect())
}

/// Sets tags of an object.
pub async fn set(
    cx: &WriteCx,
    arn: &str,
    tags: impl IntoIterator<Item = (String, String)>,
) -> Result<(), WriteError> {
    let request = cx.client(Client::new).tag_resource().resource_arn(arn);
    cx.send(TAG, request.set_tags(Some(built(tags))).send()).await
}

/// The tags with which an object is made; nothing where there are none.
pub fn made_with(tags: &Tags) -> Option<Vec<Tag>> {
    (!tags.is_empty()).then(|| built(tags.clone()))
}

fn built(tags: impl IntoIterator<Item = (String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn arn<K: Resource>(place: &K::Place) -> Result<&str, WriteError> {
    let missing = || WriteError::Unsendable("the plan does not say the object's ARN".to_owned());
    K::arn(place).ok_or_else(missing)
}
