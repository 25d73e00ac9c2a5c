//! The tags of a bucket. One write sets all, AWS's own among them.

use aws_sdk_s3::types::{Tag, Tagging};
use serde::{Deserialize, Serialize};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::tags::{S3, Tags, is_reserved};
use crate::kinds::{Change, Cx, ObserveError, Undo, Use, WriteCx, WriteError};

const GET: Call = Call::new("s3", "GetBucketTagging");
const PUT: Call = Call::new("s3", "PutBucketTagging");
const DELETE: Call = Call::new("s3", "DeleteBucketTagging");

/// The tags of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// Those that are not AWS's own.
    pub tags: Tags,
    /// AWS's own, which a write must carry.
    pub system_tags: Tags,
}

impl Now {
    fn with_those_of_aws(&self, tags: &Tags) -> Tags {
        let mut all = self.system_tags.clone();
        all.extend(tags.clone());
        all
    }
}

pub struct AllTags;

impl Part for AllTags {
    type Of = Bucket;
    type Now = Now;
    type Write = Tags;

    const NAME: &'static str = "tags";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(PUT, Self::is_declared, bucket),
        Use::write_if(DELETE, Self::is_declared, bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.tags.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_bucket_tagging, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await.absent_if(&["NoSuchTagSet"])?;
        let tags = answer.iter().flat_map(|answer| answer.tag_set());
        let tags = tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
        let (system_tags, tags) = tags.partition(|(key, _)| is_reserved(key));
        Ok(Now { tags, system_tags })
    }

    fn diff(look: &Look<'_, Bucket>, now: &Now) -> Vec<Change<Tags>> {
        let Some(desired) = look.spec.tags.as_ref() else { return Vec::new() };
        let comparison = S3.compare(&now.tags, desired);
        let removes = !comparison.remove.is_empty();
        let mut drift = comparison.set_drift;
        drift.0.extend(comparison.remove_drift.0);
        if drift.is_empty() {
            return Vec::new();
        }
        let change = Change::new(now.with_those_of_aws(desired), drift);
        let warning = "policies and cost reports that look at these tags no longer see them";
        vec![if removes { look.disruptive(change, warning) } else { change }]
    }

    fn calls(_: &Tags) -> Vec<Call> {
        // Deleting the last tag needs the same permission.
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, tags: &Tags) -> Result<(), WriteError> {
        let bucket = &place.bucket;
        if tags.is_empty() {
            let request = request!(delete_bucket_tagging, cx, bucket);
            return cx.send(DELETE, request.send()).await;
        }
        let tags = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<_, _>>()?;
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build()?;
        let request = request!(put_bucket_tagging, cx, bucket).tagging(tagging);
        cx.send(PUT, request.send()).await
    }

    fn undo(_: &Tags, before: &Now) -> Undo<Tags> {
        Undo::By(vec![before.with_those_of_aws(&before.tags)])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.tags = Some(now.tags.clone());
    }
}
