//! The lifecycle of a bucket: what becomes of objects as they grow old.
//!
//! Source: S3 API Reference, `LifecycleRule` and `PutBucketLifecycleConfiguration`.

mod effects;
mod rule;
#[cfg(test)]
mod tests;
mod wire;

use aws_sdk_s3::types;
use serde::{Deserialize, Serialize};

use effects::{new_deletions, new_moves};
use rule::same_rules;
pub use rule::{Expiration, MinimumObjectSize, Rule, StorageClass};
pub use wire::is_day;
use wire::{read, send};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Facts, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, known,
    told,
};

const GET: Call = Call::new("s3", "GetBucketLifecycleConfiguration");
const PUT: Call = Call::new("s3", "PutBucketLifecycleConfiguration");
const DELETE: Call = Call::new("s3", "DeleteBucketLifecycle");
const LIST_VERSIONS: Call = Call::new("s3", "ListObjectVersions");

/// The lifecycle of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Which small objects are left alone.
    pub transition_default_minimum_object_size: Option<MinimumObjectSize>,
}

/// What is there of the lifecycle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The lifecycle; `None` when there is none.
    pub lifecycle: Option<Lifecycle>,
    /// Whether nothing is in the bucket, no former version either, so that no rule can delete
    /// anything. Only looked at when new rules would.
    pub is_empty: bool,
}

/// The part.
pub struct LifecycleRules;

impl Part for LifecycleRules {
    type Of = Bucket;
    type Now = Now;
    /// Without rules, deletes them.
    type Write = Lifecycle;

    const NAME: &'static str = "lifecycle";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        // Whether anything is there matters only where a rule deletes.
        Use::read_if(LIST_VERSIONS, |spec| spec.lifecycle.iter().flatten().any(Rule::deletes)),
        Use::write_if(PUT, Self::is_declared, bucket),
        Use::write_if(DELETE, Self::is_declared, bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.lifecycle.is_some() || spec.transition_default_minimum_object_size.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let lifecycle = lifecycle(cx, &place.bucket).await?;
        let is_empty = is_empty(cx, spec, &place.bucket, lifecycle.as_ref()).await?;
        Ok(Now { lifecycle, is_empty })
    }

    fn diff(look: &Look<'_, Bucket>, now: &Now) -> Vec<Change<Lifecycle>> {
        let spec = look.spec;
        let actual = now.lifecycle.clone().unwrap_or_default();
        let mut drift = Drift::new();
        compared::mark("lifecycle");
        if let Some(rules) = &spec.lifecycle
            && !same_rules(rules, &actual.rules)
        {
            let there = (!actual.rules.is_empty()).then_some(&actual.rules);
            drift.add("lifecycle", there, Some(rules));
        }
        let rules = spec.lifecycle.as_ref().unwrap_or(&actual.rules).clone();
        drift.compare(
            "transition_default_minimum_object_size",
            actual.transition_default_minimum_object_size.as_ref(),
            spec.transition_default_minimum_object_size.as_ref(),
        );
        if drift.is_empty() {
            return Vec::new();
        }
        if rules.is_empty() && spec.lifecycle.is_none() {
            return vec![Change::finding(drift).withhold(
                "S3 keeps a minimum size with lifecycle rules alone, and there are none: declare \
                 lifecycle",
            )];
        }
        let deletions = new_deletions(&rules, &actual.rules).len();
        let moves = new_moves(&rules, &actual.rules);
        let desired = Lifecycle {
            rules,
            transition_default_minimum_object_size: spec
                .transition_default_minimum_object_size
                .or(actual.transition_default_minimum_object_size),
        };
        let mut change = Change::new(desired, drift);
        if look.is_new() {
            return vec![change];
        }
        if moves.iter().any(|class| class.must_be_restored()) {
            change = change.risk(Risk::Disruptive);
        }
        for class in &moves {
            change = change.warn(class.what_it_costs());
        }
        vec![match deletions {
            0 => change,
            _ if now.is_empty => {
                change.warn("the bucket is empty: what the rules delete is still to come")
            }
            1 => change
                .risk(Risk::Destructive)
                .warn("a new or changed rule deletes objects that are old enough, within a day"),
            _ => change.risk(Risk::Destructive).warn(format!(
                "{deletions} new or changed rules delete objects that are old enough, within a day"
            )),
        }]
    }

    fn calls(_: &Lifecycle) -> Vec<Call> {
        // Deleting the last rule needs the same permission.
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, lifecycle: &Lifecycle) -> Result<(), WriteError> {
        let bucket = &place.bucket;
        if lifecycle.rules.is_empty() {
            let request = request!(delete_bucket_lifecycle, cx, bucket);
            return cx.send(DELETE, request.send()).await;
        }
        let rules = lifecycle.rules.iter().map(send).collect::<Result<_, _>>()?;
        let configuration =
            types::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build()?;
        let size = lifecycle
            .transition_default_minimum_object_size
            .map(|size| types::TransitionDefaultMinimumObjectSize::from(size.as_str()));
        let request = request!(put_bucket_lifecycle_configuration, cx, bucket)
            .set_transition_default_minimum_object_size(size)
            .lifecycle_configuration(configuration);
        cx.send(PUT, request.send()).await
    }

    fn is_same(one: &Lifecycle, other: &Lifecycle) -> bool {
        // "By default, objects smaller than 128 KB are not transitioned" (`PutBucketLifecycleConfiguration`).
        let size = |of: &Lifecycle| {
            of.transition_default_minimum_object_size
                .unwrap_or(MinimumObjectSize::AllStorageClasses128K)
        };
        same_rules(&one.rules, &other.rules) && (one.rules.is_empty() || size(one) == size(other))
    }

    fn undo(_: &Lifecycle, before: &Now) -> Undo<Lifecycle> {
        Undo::By(vec![before.lifecycle.clone().unwrap_or_default()])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.lifecycle = now.lifecycle.as_ref().map(|lifecycle| lifecycle.rules.clone());
        spec.transition_default_minimum_object_size = now
            .lifecycle
            .as_ref()
            .and_then(|lifecycle| lifecycle.transition_default_minimum_object_size);
    }

    fn as_it_was(_facts: &Facts, now: &Now, spec: &mut Spec) {
        Self::export(now, spec);
        spec.lifecycle.get_or_insert_default();
    }
}

async fn lifecycle(cx: &Cx, bucket: &str) -> Result<Option<Lifecycle>, ObserveError> {
    let request = request!(get_bucket_lifecycle_configuration, cx, bucket).send();
    let answer =
        cx.read(GET, bucket, request).await.absent_if(&["NoSuchLifecycleConfiguration"])?;
    let Some(answer) = answer else { return Ok(None) };
    let size = answer.transition_default_minimum_object_size();
    Ok(Some(Lifecycle {
        // A configuration has a rule at least; without any, there is none, and AWS says so.
        rules: told("Rule", answer.rules.as_ref())?.iter().map(read).collect::<Result<_, _>>()?,
        transition_default_minimum_object_size: size
            .map(|size| known("TransitionDefaultMinimumObjectSize", size.as_str()))
            .transpose()?,
    }))
}

/// Whether nothing is there that the declared rules could newly delete. Who may not ask is told
/// of the deletions instead: it decides no verdict.
async fn is_empty(
    cx: &Cx,
    spec: &Spec,
    bucket: &str,
    lifecycle: Option<&Lifecycle>,
) -> Result<bool, ObserveError> {
    let there = lifecycle.map(|lifecycle| lifecycle.rules.as_slice()).unwrap_or_default();
    let declared = spec.lifecycle.as_deref().unwrap_or_default();
    if new_deletions(declared, there).is_empty() {
        return Ok(false);
    }
    let request = request!(list_object_versions, cx, bucket).max_keys(1).send();
    let answer = cx.read(LIST_VERSIONS, bucket, request).await.absent_if(&["AccessDenied"])?;
    Ok(answer
        .is_some_and(|answer| answer.versions().is_empty() && answer.delete_markers().is_empty()))
}
