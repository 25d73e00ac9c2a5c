//! The hub's tags.

use std::collections::HashMap;

use aws_sdk_securityhub::Client;

use super::{Hub, Place, Spec, hub};
use crate::aws::Call;
use crate::kinds::shapes::tagged::{Tagged, declares, sets};
use crate::kinds::tags::{self, SECURITY_HUB, TagRules, Tags};
use crate::kinds::{Cx, Facts, ObserveError, Use, WriteCx, WriteError};

const LIST: Call = Call::new("securityhub", "ListTagsForResource");

impl Tagged for Hub {
    const TAG_RULES: TagRules = SECURITY_HUB;
    const TAG: Call = Call::new("securityhub", "TagResource");
    const UNTAG: Call = Call::new("securityhub", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, hub),
        Use::write_if(Self::UNTAG, declares::<Self>, hub),
    ];
    const MADE_WITH_TAGS: bool = true;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, _place: &Place) -> Result<Tags, ObserveError> {
        let arn = arn(cx);
        let request = cx.client(Client::new).list_tags_for_resource().resource_arn(&arn);
        let answer = cx.read(LIST, &arn, request.send()).await?;
        // A hub without tags may have no list of them.
        let tags = answer.tags().into_iter().flatten();
        Ok(tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        _place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(cx));
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(
        cx: &WriteCx,
        _place: &Place,
        keys: Vec<String>,
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(cx));
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

fn arn(facts: &Facts) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:securityhub:{region}:{account}:hub/default")
}
