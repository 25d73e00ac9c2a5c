//! The analyzer's tags.

use std::collections::HashMap;

use aws_sdk_accessanalyzer::Client;

use super::{Analyzer, Place, Spec, analyzer, analyzers, arn};
use crate::aws::Call;
use crate::kinds::shapes::tagged::{Tagged, declares, sets};
use crate::kinds::tags::{self, ACCESS_ANALYZER, TagRules, Tags};
use crate::kinds::{Cx, ObserveError, Use, WriteCx, WriteError};

impl Tagged for Analyzer {
    const TAG_RULES: TagRules = ACCESS_ANALYZER;
    const TAG: Call = Call::new("accessanalyzer", "TagResource");
    const UNTAG: Call = Call::new("accessanalyzer", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::write_if(Self::TAG, sets::<Self>, analyzer),
        Use::write_if(Self::UNTAG, declares::<Self>, analyzer),
    ];
    const MADE_WITH_TAGS: bool = true;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let all = analyzers(cx).await?;
        let there = all.iter().find(|one| one.name() == place.analyzer_name);
        // An analyzer without tags may have no list of them.
        let tags = there.and_then(|one| one.tags()).into_iter().flatten();
        Ok(tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(cx, place));
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(cx, place));
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}
