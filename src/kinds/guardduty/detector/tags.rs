//! The detector's tags.

use std::collections::HashMap;

use aws_sdk_guardduty::Client;

use super::{Detector, Place, Spec, any, detector};
use crate::aws::Call;
use crate::kinds::shapes::tagged::{Tagged, declares, sets};
use crate::kinds::tags::{self, GUARDDUTY, TagRules, Tags};
use crate::kinds::{Cx, Facts, ObserveError, Use, WriteCx, WriteError};

impl Tagged for Detector {
    const TAG_RULES: TagRules = GUARDDUTY;
    const TAG: Call = Call::new("guardduty", "TagResource");
    const UNTAG: Call = Call::new("guardduty", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::write_if(Self::TAG, sets::<Self>, any),
        Use::write_if(Self::UNTAG, declares::<Self>, any),
    ];
    const MADE_WITH_TAGS: bool = true;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let detector = detector(cx, place).await?;
        // A detector without tags may have no list of them.
        let tags = detector.tags().into_iter().flatten();
        Ok(tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(cx, place)?);
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(cx, place)?);
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

fn arn(facts: &Facts, place: &Place) -> Result<String, WriteError> {
    let Facts { partition, region, account, .. } = facts;
    Ok(format!("arn:{partition}:guardduty:{region}:{account}:detector/{}", place.id()?))
}
