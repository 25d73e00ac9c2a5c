//! The rule's tags.

use std::collections::HashMap;

use aws_sdk_config::Client;
use aws_sdk_config::types::Tag;

use super::{Place, Rule, Spec, rule};
use crate::aws::Call;
use crate::kinds::shapes::tagged::{Tagged, declares, sets};
use crate::kinds::tags::{self, CONFIG, TagRules, Tags};
use crate::kinds::{Cx, ObserveError, Use, WriteCx, WriteError, told};

const LIST: Call = Call::new("config", "ListTagsForResource");

impl Tagged for Rule {
    const TAG_RULES: TagRules = CONFIG;
    const TAG: Call = Call::new("config", "TagResource");
    const UNTAG: Call = Call::new("config", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, rule),
        Use::write_if(Self::UNTAG, declares::<Self>, rule),
    ];
    const MADE_WITH_TAGS: bool = true;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let arn = told("ConfigRuleArn", place.arn.as_deref())?;
        let pages = cx.client(Client::new).list_tags_for_resource().resource_arn(arn);
        let pages = pages.into_paginator().send();
        let tags = cx.list(LIST, arn, pages, "Tags", |page| page.tags).await?;
        let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()));
        let pairs: Option<Vec<_>> = tags.iter().map(pair).collect();
        let pairs = told("Tags.Key", pairs)?;
        Ok(tags::collect(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let tags =
            tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(place)?);
        cx.send(Self::TAG, request.set_tags(Some(tags.collect())).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(place)?);
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

fn arn(place: &Place) -> Result<&str, WriteError> {
    let missing = || WriteError::Unsendable("the plan does not say the rule's ARN".to_owned());
    place.arn.as_deref().ok_or_else(missing)
}
