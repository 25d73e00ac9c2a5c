//! The group's tags.

use aws_sdk_cloudwatchlogs::Client;
use serde::{Deserialize, Serialize};

use super::{LogGroup, Place, Spec, arn, group};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::tags::{self, LOGS};
use crate::kinds::{Change, Cx, ObserveError, Undo, Use, WriteCx, WriteError};

const LIST: Call = Call::new("logs", "ListTagsForResource");
const TAG: Call = Call::new("logs", "TagResource");
const UNTAG: Call = Call::new("logs", "UntagResource");

pub struct Tags;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Set(tags::Tags),
    Remove(tags::Tags),
}

impl Part for Tags {
    type Of = LogGroup;
    type Now = tags::Tags;
    type Write = Write;

    const NAME: &'static str = "tags";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, |spec| spec.tags.is_some()),
        Use::write_if(TAG, |spec| spec.tags.as_ref().is_some_and(|tags| !tags.is_empty()), group),
        Use::write_if(UNTAG, |spec| spec.tags.is_some(), group),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.tags.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<tags::Tags, ObserveError> {
        let arn = arn(cx, place);
        let request = cx.client(Client::new).list_tags_for_resource().resource_arn(&arn);
        let answer = cx.read(LIST, &arn, request.send()).await?;
        // A group without tags may have no list of them.
        let tags = answer.tags().into_iter().flatten();
        Ok(tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    fn diff(look: &Look<'_, LogGroup>, now: &tags::Tags) -> Vec<Change<Write>> {
        let Some(wanted) = &look.spec.tags else { return Vec::new() };
        LOGS.changes(now, wanted, Write::Set, Write::Remove)
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Set(_) => TAG,
            Write::Remove(_) => UNTAG,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        let (client, arn) = (cx.client(Client::new), arn(cx, place));
        match write {
            Write::Set(tags) => {
                let tags = tags.clone().into_iter().collect();
                let request = client.tag_resource().resource_arn(arn).set_tags(Some(tags));
                cx.send(TAG, request.send()).await
            }
            Write::Remove(tags) => {
                let keys = tags.keys().cloned().collect();
                let request = client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
                cx.send(UNTAG, request.send()).await
            }
        }
    }

    fn undo(write: &Write, before: &tags::Tags) -> Undo<Write> {
        match write {
            Write::Set(tags) => Undo::By(LOGS.undo(tags, Some(before), Write::Set, Write::Remove)),
            Write::Remove(tags) => Undo::By(vec![Write::Set(tags.clone())]),
        }
    }

    fn export(now: &tags::Tags, spec: &mut Spec) {
        spec.tags = Some(now.clone());
    }
}
