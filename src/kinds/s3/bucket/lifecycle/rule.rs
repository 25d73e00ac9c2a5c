//! Lifecycle rules as they are declared, and when two of them are the same.
//!
//! Source: S3 API Reference, `LifecycleRule`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::spec::aws_enum;

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

/// A lifecycle rule.
#[serde_with::skip_serializing_none]
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's name, up to 255 characters; AWS makes one when there is none.
    #[serde(default)]
    #[schemars(length(max = 255))]
    pub id: Option<String>,
    /// Whether the rule is in force; `Enabled` by default.
    #[serde(default)]
    pub status: Option<Status>,
    /// Which objects the rule is for; all by default.
    #[serde(default, skip_serializing_if = "Filter::is_everything")]
    pub filter: Filter,
    /// When objects move to cheaper storage.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub transitions: BTreeSet<Transition>,
    /// When objects are deleted.
    #[serde(default)]
    pub expiration: Option<Expiration>,
    /// When former versions move to cheaper storage.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub noncurrent_version_transitions: BTreeSet<NoncurrentVersionTransition>,
    /// When former versions are deleted.
    #[serde(default)]
    pub noncurrent_version_expiration: Option<NoncurrentVersionExpiration>,
    /// When what was never uploaded whole is deleted.
    #[serde(default)]
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
}

/// Which objects a rule is for: those that fulfil all of it.
#[serde_with::skip_serializing_none]
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
    pub object_size_greater_than: Option<i64>,
    /// Objects of fewer bytes than this.
    pub object_size_less_than: Option<i64>,
}

impl Filter {
    /// Whether the rule is for all objects.
    fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// A move to cheaper storage, after `days` or on `date`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Days after the object was made.
    #[serde(default)]
    pub days: Option<i32>,
    /// A day, `2030-01-01`.
    #[serde(default)]
    pub date: Option<String>,
    /// Where to.
    pub storage_class: StorageClass,
}

/// A deletion, after `days` or on `date`.
#[serde_with::skip_serializing_none]
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Expiration {
    /// Days after the object was made.
    #[schemars(range(min = 1))]
    pub days: Option<i32>,
    /// A day, `2030-01-01`.
    pub date: Option<String>,
    /// Whether marks of deleted objects without versions are deleted.
    pub expired_object_delete_marker: Option<bool>,
}

impl Expiration {
    /// The same in S3's form, which has no `false` for marks; `None` when nothing is left.
    pub fn normal(&self) -> Option<Self> {
        let marker = self.expired_object_delete_marker.filter(|marker| *marker);
        let normal = Self { expired_object_delete_marker: marker, ..self.clone() };
        (normal != Self::default()).then_some(normal)
    }
}

/// A move of former versions to cheaper storage.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoncurrentVersionTransition {
    /// Days after a newer version was made.
    pub noncurrent_days: i32,
    /// How many former versions stay in any case.
    #[serde(default)]
    pub newer_noncurrent_versions: Option<i32>,
    /// Where to.
    pub storage_class: StorageClass,
}

/// A deletion of former versions.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoncurrentVersionExpiration {
    /// Days after a newer version was made.
    #[schemars(range(min = 1))]
    pub noncurrent_days: i32,
    /// How many former versions stay in any case.
    #[serde(default)]
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
    pub fn normal(&self) -> Self {
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
    pub fn is_same(&self, other: &Self) -> bool {
        (self.id.is_none() || self.id == other.id) && self.does_same(other)
    }
}

/// Whether the declared rules are those that are there, in any order.
pub fn same_rules(declared: &[Rule], actual: &[Rule]) -> bool {
    let mut left: Vec<&Rule> = actual.iter().collect();
    declared.len() == actual.len()
        && declared.iter().all(|rule| {
            let found = left.iter().position(|there| rule.is_same(there));
            found.map(|index| left.swap_remove(index)).is_some()
        })
}
