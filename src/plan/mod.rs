//! The plan: what would change, why, how risky it is, in which order. Data only; renderers and the
//! applying side read it and decide nothing of their own.

pub mod assemble;
pub mod check;
pub mod compare;
pub mod contradict;
pub mod estimate;
pub mod file;
pub mod held;

pub mod input;
pub mod make;
pub mod merge;
pub mod moving;
mod objects;
mod once;
pub mod open;
pub mod order;
pub mod outcome;
mod pack;
pub mod render;
pub mod sign;
mod stay;
pub mod thin;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::baseline::item::{Location, Mode};
pub use crate::fleet::account::{FailedAccount, SkippedAccount};
pub use crate::fleet::shard::Shards;
pub use assemble::{AccountPlan, Assembly, PlanHead, assemble};
pub use held::{Guard, Held, RunLimit};
pub use input::{AccountInput, Declared, ObservedItem, Waiver, region_of};
pub use make::plan_account;
pub use objects::{Objects, Sort};
pub use outcome::{PlanOutcome, Spot};
pub use thin::Detail;

use crate::kinds::change::FieldDrift;
use crate::kinds::object::Unknown;
use crate::kinds::{Charge, Grant, Object, Risk, Undo};
use crate::names::{AccountId, ItemName, Region};

/// The version of the plan's JSON form; it grows when a reader of an older one would misread.
pub const FORMAT_VERSION: &str = "1";

/// One reviewed (or to be reviewed) set of changes.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// See [`FORMAT_VERSION`].
    pub format_version: String,
    /// The version of evenkeel that made it.
    pub evenkeel_version: String,
    /// The run that made it; CloudTrail and the audit log carry it too.
    pub run: String,
    /// What was declared.
    pub baseline: BaselineRef,
    /// The accounts that were looked at.
    pub targets: Vec<TargetRef>,
    /// The accounts that could not be looked at: everything in them is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedAccount>,
    /// The accounts that were left out, such as suspended ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedAccount>,
    /// The snapshot that the plan was made from; absent when the accounts themselves were looked at.
    #[serde(default)]
    pub snapshot: Option<SnapshotRef>,
    /// The shards of the fleet that the plan has; absent when nobody has split the fleet.
    #[serde(default)]
    pub shards: Option<Shards>,
    /// What another version of the baseline says of the same observations.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// Objects that are as declared and not listed in `objects`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub in_sync: usize,
    /// Every object that the baseline governs, in the order of rendering.
    pub objects: Objects,
    /// The ids of all changes to apply, prerequisites first.
    pub order: Vec<u32>,
    /// What the observation cost.
    pub cost: Cost,
    /// What would hold back all of `order` if somebody applied it at the moment at which it is shown. It is
    /// no part of a plan that is kept: who applies that asks anew.
    #[serde(skip)]
    pub held_now: Vec<Held>,
    /// What to run where apply would refuse it as it is, for those who read it: it is in no file.
    #[serde(skip)]
    pub next: Option<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The baseline that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BaselineRef {
    /// Its name.
    pub name: String,
    /// Digest of its effective content, hexadecimal.
    pub digest: String,
    /// The files that were named on the command line or in the fleet file.
    pub files: Vec<String>,
    /// The targets of the fleet file; none when the files were named on the command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

/// An account that was looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TargetRef {
    /// The account.
    pub account: AccountId,
    /// Its name, when known.
    #[serde(default)]
    pub name: Option<String>,
    /// `aws`, `aws-cn` …
    pub partition: String,
    /// Where its global objects are governed from.
    pub home_region: Region,
    /// The Regions that were looked at.
    pub regions: Vec<Region>,
}

/// The snapshot that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SnapshotRef {
    /// When it was taken, as RFC 3339.
    pub taken: String,
    /// How old it was when the plan was made, in words.
    pub age: String,
}

/// A plan beside that of another version of the baseline, for the same observations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// The other version: a git ref or a folder.
    pub base: String,
    /// Its digest.
    pub digest: String,
    /// Objects that the change of the baseline makes differ, differ in another way, excepted or
    /// unknown, by their place in `objects`.
    pub introduced: Vec<usize>,
    /// Objects that were planned to change and would not be any more.
    pub removed: Vec<ObjectPlan>,
}

/// What an observation cost.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Cost {
    /// HTTP requests, pages and retries included.
    pub requests: u64,
    /// Wall time in milliseconds.
    pub milliseconds: u64,
}

/// How an object was, to which a rollback leads back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PutsBack {
    /// The object before the run.
    #[serde(flatten)]
    pub before: Object<Value>,
    /// The fields that cannot be taken back, and so stay as they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stays: BTreeSet<String>,
    /// What the run did to it.
    #[serde(default)]
    pub run: WrittenByRun,
}

/// What a run did to an object: by it a rollback knows, before each of its writes, that nobody else has a part in what
/// that takes away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WrittenByRun {
    /// What was declared of it then.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub spec: Value,
    /// Whether the run made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made: bool,
    /// Its writes, each with what takes it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<WrittenWrite>,
}

/// A write of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WrittenWrite {
    /// The write.
    pub write: Value,
    /// What takes it back, in this order.
    pub back: Vec<Value>,
    /// The ids that AWS gave to what it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
}

/// One object and what the plan says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ObjectPlan {
    /// The account.
    pub account: AccountId,
    /// The Region; for global kinds the home Region.
    pub region: Region,
    /// Whether the object is the account's only one, whatever the Region.
    pub global: bool,
    /// The item that governs it.
    pub item: ItemName,
    /// Where the item is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Why we have the item, in its author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the item may do here.
    pub mode: Mode,
    /// The compliance items served, as `CIS 1.7`, `IAM.15`.
    pub controls: Vec<String>,
    /// The conclusion.
    pub verdict: Verdict,
    /// The spec for this account and Region.
    pub spec: Value,
    /// The object as observed; the state before any change.
    pub observed: Object<Value>,
    /// The object as it was once and is to be again, where the plan puts back what a run did; its `spec`
    /// only finds it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puts_back: Option<Box<PutsBack>>,
    /// Digest of `observed`, hexadecimal; what moved since is refused.
    pub state_digest: String,
    /// The changes, in the order in which they must be done.
    pub changes: Vec<PlannedChange>,
    /// Which objects it is alike to, once that was found out; see [`thin::Alike`].
    #[serde(skip)]
    pub alike: Option<AlikeTo>,
}

/// The mark of objects that are shown together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlikeTo {
    /// The same for all of them.
    pub mark: Arc<str>,
    /// Whether this one holds what is shown of all; the others have left it out.
    pub holds: bool,
}

/// The conclusion about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// It is as declared.
    InSync,
    /// It differs; see the changes.
    Drifted,
    /// It could not be read: neither in sync nor changed.
    Unknown(Unknown),
    /// It is outside the item's reach.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It differs and an exception covers it.
    Excepted {
        /// The last day of the exception.
        until: String,
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
    },
}

/// One change of an object.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedChange {
    /// Its number in the plan, from 1.
    pub id: u32,
    /// What differs.
    pub drift: Vec<FieldDrift>,
    /// The exact write; absent for a finding that only people can mend.
    #[serde(default)]
    pub action: Option<Box<Value>>,
    /// How much the write can hurt.
    pub risk: Risk,
    /// What to know before agreeing.
    pub warnings: Vec<String>,
    /// Whether it would be written.
    pub disposition: Disposition,
    /// The IAM actions that the write uses.
    pub permissions: Vec<String>,
    /// How it is taken back.
    #[serde(default)]
    pub undo: Option<Box<Undo<Value>>>,
    /// The changes that must succeed before.
    pub depends_on: Vec<u32>,
    /// Whether it takes something away that counts against a quota, so that it goes first when an
    /// earlier change of the object is refused for a quota.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub makes_room: bool,
    /// The rises of privileges that it would make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What AWS charges for from then on, each as often as there is one more of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
}

/// Whether a change would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Disposition {
    /// It would be.
    Apply,
    /// It is only reported.
    Report {
        /// Why.
        reason: String,
    },
    /// It would be, and a guard holds it back.
    HeldBack(Held),
}

impl PlannedChange {
    /// What it writes, in words: `tags (kms:TagResource)`.
    pub fn name(&self) -> String {
        const NAMED: usize = 3;
        let mut fields: Vec<String> = Vec::new();
        for drift in self.drift.iter().filter(|drift| !drift.field.is_empty()) {
            let top = drift.field.split(['.', '[']).next().unwrap_or_default().to_owned();
            if !fields.contains(&top) {
                fields.push(top);
            }
        }
        let fields = words::shortened_list(&fields, NAMED);
        let name = match (fields.as_str(), self.permissions.first()) {
            ("", Some(permission)) => permission.clone(),
            ("", None) => format!("change {}", self.id),
            (fields, Some(permission)) => format!("{fields} ({permission})"),
            (fields, None) => fields.to_owned(),
        };
        crate::visible::visible(&name).into_owned()
    }

    /// Whether `apply` would write it.
    pub fn is_applied(&self) -> bool {
        self.disposition == Disposition::Apply
    }
}

impl ObjectPlan {
    /// Whether `apply` would write anything here.
    pub fn is_changed(&self) -> bool {
        self.changes.iter().any(PlannedChange::is_applied)
    }

    /// Whether all that differs is written as declared, so that nothing differs after it.
    pub fn is_all_applied(&self) -> bool {
        self.puts_back.is_none() && self.changes.iter().all(PlannedChange::is_applied)
    }

    /// Whether `apply` would write something here, or would if no guard held it back.
    pub fn is_meant(&self) -> bool {
        self.changes.iter().any(PlannedChange::is_meant)
    }

    /// The highest risk of what `apply` would write here.
    pub fn risk(&self) -> Option<Risk> {
        self.changes.iter().filter(|change| change.is_applied()).map(|change| change.risk).max()
    }

    /// `ec2.default_security_group vpc-0a1b in eu-west-1 of 111122223333`, for people to read.
    pub fn title(&self) -> String {
        words::title(&self.item, &self.observed.id, self.global, &self.region, &self.account)
    }
}

/// A plan's objects and changes, counted.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Summary {
    /// Objects that apply would change.
    pub to_change: usize,
    /// Objects that differ and are only reported.
    pub reported: usize,
    /// Objects that differ and of which guards hold back all that apply would change.
    #[serde(default)]
    pub held_back: usize,
    /// Objects as declared.
    pub in_sync: usize,
    /// Objects that could not be read.
    pub unknown: usize,
    /// Objects that differ and are excepted.
    pub excepted: usize,
    /// Objects outside their item's reach.
    pub skipped: usize,
    /// Of the objects that apply would change, those whose riskiest change is disruptive.
    #[serde(default)]
    pub disruptive_objects: usize,
    /// Of them, those with a destructive change.
    #[serde(default)]
    pub destructive_objects: usize,
    /// Accounts that could not be looked at.
    #[serde(default)]
    pub failed_accounts: usize,
    /// Accounts that were left out, such as suspended ones.
    #[serde(default)]
    pub left_out_accounts: usize,
    /// Changes that apply would write.
    pub changes: usize,
    /// Changes that guards hold back.
    #[serde(default)]
    pub held_back_changes: usize,
    /// Of those that apply would write, the disruptive.
    pub disruptive: usize,
    /// Of them, the destructive.
    pub destructive: usize,
}

impl Summary {
    /// Counts an object.
    fn count(&mut self, object: &ObjectPlan) {
        match &object.verdict {
            Verdict::InSync => self.in_sync += 1,
            Verdict::Drifted if object.is_changed() => self.to_change += 1,
            Verdict::Drifted if object.held().is_some() => self.held_back += 1,
            Verdict::Drifted => self.reported += 1,
            Verdict::Unknown(_) => self.unknown += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
            Verdict::Excepted { .. } => self.excepted += 1,
        }
        match object.risk() {
            Some(Risk::Disruptive) => self.disruptive_objects += 1,
            Some(Risk::Destructive) => self.destructive_objects += 1,
            Some(Risk::Safe) | None => {}
        }
        self.held_back_changes +=
            object.changes.iter().filter(|change| change.held().is_some()).count();
        for change in object.changes.iter().filter(|change| change.is_applied()) {
            self.changes += 1;
            match change.risk {
                Risk::Safe => {}
                Risk::Disruptive => self.disruptive += 1,
                Risk::Destructive => self.destructive += 1,
            }
        }
    }

    /// Adds other objects.
    fn add(&mut self, other: &Self) {
        self.to_change += other.to_change;
        self.reported += other.reported;
        self.held_back += other.held_back;
        self.in_sync += other.in_sync;
        self.unknown += other.unknown;
        self.excepted += other.excepted;
        self.skipped += other.skipped;
        self.disruptive_objects += other.disruptive_objects;
        self.destructive_objects += other.destructive_objects;
        self.failed_accounts += other.failed_accounts;
        self.left_out_accounts += other.left_out_accounts;
        self.changes += other.changes;
        self.held_back_changes += other.held_back_changes;
        self.disruptive += other.disruptive;
        self.destructive += other.destructive;
    }
}

impl Plan {
    /// Counts.
    pub fn summary(&self) -> Summary {
        let mut sum = self.objects.summary();
        sum.failed_accounts = self.failed.len();
        sum.left_out_accounts = self.skipped.len();
        sum.in_sync += self.in_sync;
        sum
    }

    /// Every change by its id, with its object.
    pub fn changes(&self) -> BTreeMap<u32, (&ObjectPlan, &PlannedChange)> {
        self.objects
            .iter()
            .flat_map(|object| {
                object.changes.iter().map(move |change| (change.id, (object, change)))
            })
            .collect()
    }
}
