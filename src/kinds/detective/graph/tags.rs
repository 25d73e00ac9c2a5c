//! The graph's tags.

use std::collections::HashMap;

use aws_sdk_detective::Client;

use super::{Graph, Place, Spec, graphs};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::tagged::{Tagged, declares, sets};
use crate::kinds::tags::{self, DETECTIVE, TagRules, Tags};
use crate::kinds::{Cx, ObserveError, Use, WriteCx, WriteError, told};

const LIST: Call = Call::new("detective", "ListTagsForResource");

impl Tagged for Graph {
    const TAG_RULES: TagRules = DETECTIVE;
    const TAG: Call = Call::new("detective", "TagResource");
    const UNTAG: Call = Call::new("detective", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, graphs),
        Use::write_if(Self::UNTAG, declares::<Self>, graphs),
    ];
    const MADE_WITH_TAGS: bool = true;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let arn = told("GraphArn", place.graph_arn.as_deref())?;
        let request = cx.client(Client::new).list_tags_for_resource().resource_arn(arn);
        let answer = cx.read(LIST, arn, request.send()).await?;
        let tags = told("Tags", answer.tags())?.iter();
        Ok(tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).tag_resource().resource_arn(place.found(cx).await?);
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(place.found(cx).await?);
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

/// Keys have fewer signs than elsewhere (Detective API Reference, `TagResource`).
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let is_taken =
        |sign: char| sign.is_ascii_alphabetic() || ('+'..='=').contains(&sign) || sign == '_';
    let keys = spec.tags.iter().flat_map(|tags| tags.keys());
    let wrong = keys.filter(|key| !key.chars().all(is_taken));
    let mut problems: Vec<SpecProblem> = wrong
        .map(|key| {
            SpecProblem::new(
                format!("tags.{key}"),
                format!("Detective takes no such key as {key:?}"),
                "letters, digits and + , - . / : ; < = _ are taken",
            )
        })
        .collect();
    problems.extend(DETECTIVE.check(spec.tags.as_ref()));
    problems
}
