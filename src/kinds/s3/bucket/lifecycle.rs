//! The lifecycle of a bucket: what becomes of objects as they grow old.
//!
//! Source: S3 API Reference, `LifecycleRule` and `PutBucketLifecycleConfiguration`.

mod effects;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use effects::{new_deletions, new_moves};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, known, told,
};

const GET: Call = Call::new("s3", "GetBucketLifecycleConfiguration");
const PUT: Call = Call::new("s3", "PutBucketLifecycleConfiguration");
const DELETE: Call = Call::new("s3", "DeleteBucketLifecycle");
const LIST_VERSIONS: Call = Call::new("s3", "ListObjectVersions");

aws_enum! {
    /// Whether a rule is in force.
    Status { Enabled = "Enabled", Disabled = "Disabled", }
}

aws_enum! {
    /// A cheaper class of storage.
    StorageClass {
        StandardIa = "STANDARD_IA",
        OnezoneIa = "ONEZONE_IA",
        IntelligentTiering = "INTELLIGENT_TIERING",
        GlacierIr = "GLACIER_IR",
        Glacier = "GLACIER",
        DeepArchive = "DEEP_ARCHIVE",
    }
}

aws_enum! {
    /// Which small objects lifecycle rules leave alone.
    MinimumObjectSize {
        AllStorageClasses128K = "all_storage_classes_128K",
        VariesByStorageClass = "varies_by_storage_class",
    }
}

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

/// A lifecycle rule.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's name, up to 255 characters; AWS makes one when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub id: Option<String>,
    /// Whether the rule is in force; `Enabled` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Which objects the rule is for; all by default.
    #[serde(default, skip_serializing_if = "Filter::is_everything")]
    pub filter: Filter,
    /// When objects move to cheaper storage.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub transitions: BTreeSet<Transition>,
    /// When objects are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// When former versions move to cheaper storage.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub noncurrent_version_transitions: BTreeSet<NoncurrentVersionTransition>,
    /// When former versions are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_version_expiration: Option<NoncurrentVersionExpiration>,
    /// When what was never uploaded whole is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
}

/// Which objects a rule is for: those that fulfil all of it.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Names that begin with this.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Objects with all of these tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Objects of more bytes than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<i64>,
    /// Objects of fewer bytes than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<i64>,
}

impl Filter {
    /// Whether the rule is for all objects.
    fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// A move to cheaper storage, after `days` or on `date`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Days after the object was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i32>,
    /// A day, `2030-01-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Where to.
    pub storage_class: StorageClass,
}

/// A deletion, after `days` or on `date`.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Expiration {
    /// Days after the object was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub days: Option<i32>,
    /// A day, `2030-01-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Whether marks of deleted objects without versions are deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_object_delete_marker: Option<bool>,
}

impl Expiration {
    /// The same in S3's form, which has no `false` for marks; `None` when nothing is left.
    fn normal(&self) -> Option<Self> {
        let marker = self.expired_object_delete_marker.filter(|marker| *marker);
        let normal = Self { expired_object_delete_marker: marker, ..self.clone() };
        (normal != Self::default()).then_some(normal)
    }
}

/// A move of former versions to cheaper storage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoncurrentVersionTransition {
    /// Days after a newer version was made.
    pub noncurrent_days: i32,
    /// How many former versions stay in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_noncurrent_versions: Option<i32>,
    /// Where to.
    pub storage_class: StorageClass,
}

/// A deletion of former versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoncurrentVersionExpiration {
    /// Days after a newer version was made.
    #[schemars(range(min = 1))]
    pub noncurrent_days: i32,
    /// How many former versions stay in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_noncurrent_versions: Option<i32>,
}

/// A deletion of what was never uploaded whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbortIncompleteMultipartUpload {
    /// Days after the upload began.
    #[schemars(range(min = 1))]
    pub days_after_initiation: i32,
}

impl Rule {
    /// Whether the rule deletes objects or versions.
    pub fn deletes(&self) -> bool {
        let current = self.expiration.as_ref();
        current.is_some_and(|rule| rule.days.is_some() || rule.date.is_some())
            || self.noncurrent_version_expiration.is_some()
    }

    /// The rule in the one form that all ways of writing it share: enabled unless it says
    /// otherwise, and without an expiration that says nothing.
    fn normal(&self) -> Self {
        Self {
            status: Some(self.status.unwrap_or(Status::Enabled)),
            expiration: self.expiration.as_ref().and_then(Expiration::normal),
            ..self.clone()
        }
    }

    /// Whether another rule does the same, whatever it is called.
    fn does_same(&self, other: &Self) -> bool {
        let plain = |rule: &Self| Self { id: None, ..rule.normal() };
        plain(self) == plain(other)
    }

    /// Whether another rule is the same; a name counts only when it is declared here.
    fn is_same(&self, other: &Self) -> bool {
        (self.id.is_none() || self.id == other.id) && self.does_same(other)
    }
}

/// Whether the declared rules are those that are there, in any order.
fn same_rules(declared: &[Rule], actual: &[Rule]) -> bool {
    let mut left: Vec<&Rule> = actual.iter().collect();
    declared.len() == actual.len()
        && declared.iter().all(|rule| {
            let found = left.iter().position(|there| rule.is_same(there));
            found.map(|index| left.swap_remove(index)).is_some()
        })
}

/// A date as S3 keeps it, which is midnight UTC.
fn day(date: &DateTime) -> Result<String, ObserveError> {
    let malformed = |problem: String| ObserveError::Malformed { field: "Date".to_owned(), problem };
    let text = date.fmt(DateTimeFormat::DateTime).map_err(|error| malformed(error.to_string()))?;
    match text.split_once('T') {
        Some((day, "00:00:00Z")) => Ok(day.to_owned()),
        _ => Err(malformed(format!("{text} is not midnight"))),
    }
}

fn midnight(day: &str) -> Result<DateTime, WriteError> {
    DateTime::from_str(&format!("{day}T00:00:00Z"), DateTimeFormat::DateTime)
        .map_err(|error| WriteError::Unsendable(format!("{day:?} is no day: {error}")))
}

/// Whether a text is a day, `2030-01-01`.
pub fn is_day(text: &str) -> bool {
    midnight(text).is_ok()
}

/// Reads a rule.
#[allow(deprecated)] // Rules from before filters have their prefix beside them.
fn read(rule: &types::LifecycleRule) -> Result<Rule, ObserveError> {
    let class = |class: Option<&types::TransitionStorageClass>| {
        known("StorageClass", told("StorageClass", class)?.as_str())
    };
    let filter = match rule.filter() {
        None => {
            Filter { prefix: rule.prefix().unwrap_or_default().to_owned(), ..Filter::default() }
        }
        Some(filter) => read_filter(filter),
    };
    Ok(Rule {
        id: rule.id().map(str::to_owned),
        status: Some(known("Status", rule.status().as_str())?),
        filter,
        transitions: rule
            .transitions()
            .iter()
            .map(|transition| {
                Ok(Transition {
                    days: transition.days(),
                    date: transition.date().map(day).transpose()?,
                    storage_class: class(transition.storage_class())?,
                })
            })
            .collect::<Result<_, ObserveError>>()?,
        expiration: rule.expiration().map(read_expiration).transpose()?.flatten(),
        noncurrent_version_transitions: rule
            .noncurrent_version_transitions()
            .iter()
            .map(|transition| {
                Ok(NoncurrentVersionTransition {
                    noncurrent_days: told("NoncurrentDays", transition.noncurrent_days())?,
                    newer_noncurrent_versions: transition.newer_noncurrent_versions(),
                    storage_class: class(transition.storage_class())?,
                })
            })
            .collect::<Result<_, ObserveError>>()?,
        noncurrent_version_expiration: rule
            .noncurrent_version_expiration()
            .map(|expiration| {
                Ok::<_, ObserveError>(NoncurrentVersionExpiration {
                    noncurrent_days: told("NoncurrentDays", expiration.noncurrent_days())?,
                    newer_noncurrent_versions: expiration.newer_noncurrent_versions(),
                })
            })
            .transpose()?,
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_multipart_upload()
            .map(|abort| {
                let days = told("DaysAfterInitiation", abort.days_after_initiation())?;
                Ok::<_, ObserveError>(AbortIncompleteMultipartUpload {
                    days_after_initiation: days,
                })
            })
            .transpose()?,
    })
}

fn read_expiration(
    expiration: &types::LifecycleExpiration,
) -> Result<Option<Expiration>, ObserveError> {
    let expiration = Expiration {
        days: expiration.days(),
        date: expiration.date().map(day).transpose()?,
        expired_object_delete_marker: expiration.expired_object_delete_marker(),
    };
    Ok(expiration.normal())
}

fn read_filter(filter: &types::LifecycleRuleFilter) -> Filter {
    let (prefix, tags, greater, less) = match filter.and() {
        Some(and) => {
            (and.prefix(), and.tags(), and.object_size_greater_than(), and.object_size_less_than())
        }
        None => (
            filter.prefix(),
            filter.tag().map(std::slice::from_ref).unwrap_or_default(),
            filter.object_size_greater_than(),
            filter.object_size_less_than(),
        ),
    };
    Filter {
        prefix: prefix.unwrap_or_default().to_owned(),
        tags: tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
        object_size_greater_than: greater,
        object_size_less_than: less,
    }
}

/// A rule for AWS.
///
/// # Errors
/// A date is no day, or a required member is missing.
fn send(rule: &Rule) -> Result<types::LifecycleRule, WriteError> {
    let rule = rule.normal();
    let class = |class: StorageClass| types::TransitionStorageClass::from(class.as_str());
    let transitions: Vec<_> = rule
        .transitions
        .iter()
        .map(|transition| {
            Ok(types::Transition::builder()
                .set_days(transition.days)
                .set_date(transition.date.as_deref().map(midnight).transpose()?)
                .storage_class(class(transition.storage_class))
                .build())
        })
        .collect::<Result<_, WriteError>>()?;
    let noncurrent: Vec<_> = rule
        .noncurrent_version_transitions
        .iter()
        .map(|transition| {
            types::NoncurrentVersionTransition::builder()
                .noncurrent_days(transition.noncurrent_days)
                .set_newer_noncurrent_versions(transition.newer_noncurrent_versions)
                .storage_class(class(transition.storage_class))
                .build()
        })
        .collect();
    let expiration = match &rule.expiration {
        Some(expiration) => Some(
            types::LifecycleExpiration::builder()
                .set_days(expiration.days)
                .set_date(expiration.date.as_deref().map(midnight).transpose()?)
                .set_expired_object_delete_marker(expiration.expired_object_delete_marker)
                .build(),
        ),
        None => None,
    };
    let status = rule.status.unwrap_or(Status::Enabled);
    Ok(types::LifecycleRule::builder()
        .set_id(rule.id.clone())
        .status(types::ExpirationStatus::from(status.as_str()))
        .filter(send_filter(&rule.filter)?)
        .set_transitions((!transitions.is_empty()).then_some(transitions))
        .set_expiration(expiration)
        .set_noncurrent_version_transitions((!noncurrent.is_empty()).then_some(noncurrent))
        .set_noncurrent_version_expiration(rule.noncurrent_version_expiration.as_ref().map(
            |expiration| {
                types::NoncurrentVersionExpiration::builder()
                    .noncurrent_days(expiration.noncurrent_days)
                    .set_newer_noncurrent_versions(expiration.newer_noncurrent_versions)
                    .build()
            },
        ))
        .set_abort_incomplete_multipart_upload(rule.abort_incomplete_multipart_upload.as_ref().map(
            |abort| {
                types::AbortIncompleteMultipartUpload::builder()
                    .days_after_initiation(abort.days_after_initiation)
                    .build()
            },
        ))
        .build()?)
}

/// One condition stands alone; two or more need an `And`.
fn send_filter(filter: &Filter) -> Result<types::LifecycleRuleFilter, BuildError> {
    let tags: Vec<types::Tag> = filter
        .tags
        .iter()
        .map(|(key, value)| types::Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()?;
    let conditions = usize::from(!filter.prefix.is_empty())
        + tags.len()
        + usize::from(filter.object_size_greater_than.is_some())
        + usize::from(filter.object_size_less_than.is_some());
    let prefix = (!filter.prefix.is_empty()).then(|| filter.prefix.clone());
    if conditions > 1 {
        let and = types::LifecycleRuleAndOperator::builder()
            .set_prefix(prefix)
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_object_size_greater_than(filter.object_size_greater_than)
            .set_object_size_less_than(filter.object_size_less_than)
            .build();
        return Ok(types::LifecycleRuleFilter::builder().and(and).build());
    }
    let prefix = if conditions == 0 { Some(String::new()) } else { prefix };
    Ok(types::LifecycleRuleFilter::builder()
        .set_prefix(prefix)
        .set_tag(tags.into_iter().next())
        .set_object_size_greater_than(filter.object_size_greater_than)
        .set_object_size_less_than(filter.object_size_less_than)
        .build())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule {
            filter: Filter {
                prefix: "AWSLogs/".to_owned(),
                tags: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
                object_size_greater_than: Some(1),
                object_size_less_than: None,
            },
            transitions: BTreeSet::from([Transition {
                days: None,
                date: Some("2030-01-01".to_owned()),
                storage_class: StorageClass::Glacier,
            }]),
            expiration: Some(Expiration { days: Some(400), ..Expiration::default() }),
            ..Rule::default()
        }
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        for filter in [rule().filter, Filter::default()] {
            let rule = Rule { filter, ..rule() };
            let back = read(&send(&rule).unwrap()).unwrap();
            assert!(rule.is_same(&back), "{back:?}");
        }
    }

    #[test]
    fn the_name_that_aws_makes_and_the_order_mean_nothing() {
        let named = |id: &str| Rule { id: Some(id.to_owned()), ..rule() };
        let other = Rule { expiration: None, ..rule() };
        assert!(same_rules(&[rule(), other.clone()], &[other.clone(), named("made-up")]));
        assert!(!same_rules(&[named("mine")], &[named("made-up")]));
        assert!(!same_rules(&[rule()], &[rule(), rule()]));
    }

    #[test]
    fn new_deletions_are_found() {
        let later = Rule {
            expiration: Some(Expiration { days: Some(500), ..Expiration::default() }),
            ..rule()
        };
        assert!(new_deletions(&[rule()], &[rule()]).is_empty());
        let named = Rule { id: Some("another name".to_owned()), ..rule() };
        assert!(new_deletions(&[named], &[rule()]).is_empty());
        assert_eq!(new_deletions(&[rule()], &[later]).len(), 1);
        assert!(new_deletions(&[Rule { expiration: None, ..rule() }], &[]).is_empty());
        let off = Rule { status: Some(Status::Disabled), ..rule() };
        assert!(new_deletions(&[off], &[]).is_empty());
    }
}
