//! What the history is made of.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::{AccountId, ItemName, Region};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything is as declared.
    InSync,
    /// Something differs and is only reported.
    Drift,
    /// A guard held something back; the rest may be written.
    #[serde(rename = "held_back", alias = "refused")]
    Refused,
    /// Some of it failed or is unknown.
    Partly,
    /// Nothing is known.
    Unknown,
    /// Stopped on request, or killed ([`RunAbout::killed`]).
    Interrupted,
}

impl Ending {
    /// The word in the tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Drift => "drift",
            Self::Refused => "refused",
            Self::Partly => "partly",
            Self::Unknown => "unknown",
            Self::Interrupted => "interrupted",
        }
    }

    /// For people to read, as the lines of `run` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Refused => "held back",
            other => other.word(),
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        let all = [
            Self::InSync,
            Self::Drift,
            Self::Refused,
            Self::Partly,
            Self::Unknown,
            Self::Interrupted,
        ];
        all.into_iter().find(|ending| ending.word() == word)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub run: String,
    /// What was called: `check`, `apply` …
    pub command: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended; none while it is under way, or where it was killed and nobody has found that yet. Of
    /// one that was killed: when it was heard of last.
    pub ended: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Ending>,
    /// The rest.
    pub about: RunAbout,
}

impl RunRecord {
    /// How it ended, for people to read.
    pub fn ending(&self) -> &'static str {
        match self.outcome {
            None => "not ended",
            Some(_) if self.about.killed => "killed",
            Some(_) if self.about.failed => "failed",
            Some(outcome) => outcome.as_str(),
        }
    }
}

/// What a run was of, and what it found and did.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunAbout {
    /// The baseline: name and digest.
    pub baseline: String,
    /// The commit of the files, where they are in git.
    pub commit: Option<String>,
    /// The targets.
    pub targets: Vec<String>,
    /// How many accounts were looked at.
    pub accounts: usize,
    /// The objects, counted, as the plan counts them.
    pub summary: Value,
    /// Changes that were written.
    pub applied: usize,
    /// What was to be written and was not: what, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// The changes that failed and were there all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<u32>,
    /// Whether its process ended in the middle of it, as was found later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub killed: bool,
    /// Whether it came to nothing before it had looked; why is in `left`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// The shard that it was of, where that has no account: there was nothing to look at.
    pub empty_shard: Option<String>,
    /// The run that it puts back.
    pub rolls_back: Option<String>,
    /// Who did what the run was made for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<ByWhom>,
    /// The guards that somebody overruled for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<String>,
    /// Who did, where some are overruled.
    pub overruled_by: Option<String>,
}

/// Who did something in an account, as CloudTrail says.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ByWhom {
    /// The principal: an ARN, or a service. Empty, it stands for calls whose callers were not kept.
    pub principal: String,
    /// What was called: `cloudtrail:DeleteTrail`.
    pub call: String,
    /// When.
    pub time: Option<DateTime<Utc>>,
    /// From which address.
    pub address: Option<String>,
    /// With what.
    pub agent: Option<String>,
    /// The event's id.
    pub event: Option<String>,
    /// When they called the same again, as far as that is kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<DateTime<Utc>>,
    /// How often besides, between these times.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// CloudTrail tells the second of a call, and not more.
const A_SECOND: TimeDelta = TimeDelta::seconds(1);

/// Whether a call of which an event tells was surely made before a time.
pub fn is_before(call: DateTime<Utc>, time: DateTime<Utc>) -> bool {
    call + A_SECOND <= time
}

/// A write that is about to be sent.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The run.
    pub run: String,
    /// The change's id in the run's plan.
    pub change: u32,
    /// When.
    pub time: DateTime<Utc>,
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The item.
    pub item: ItemName,
    /// The object's id.
    pub object: String,
    /// Who AWS says that we are.
    pub actor: String,
    /// The token of the account's lease, where there are leases.
    pub token: Option<i64>,
    /// The rest.
    pub about: IntentAbout,
}

/// What a write is.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntentAbout {
    /// The change in words.
    pub name: String,
    /// The exact write.
    pub action: Value,
    /// The object directly before.
    pub before: Value,
    /// What is declared of it.
    pub spec: Value,
    /// What differs: a plan's list of fields.
    pub drift: Value,
    /// How it is taken back.
    pub undo: Value,
    /// Whether the object is the account's only one, whatever the Region.
    pub global: bool,
    /// The baseline: name and digest.
    pub baseline: String,
    /// The commit of the files, where they are in git.
    pub commit: Option<String>,
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The run that began the write.
    pub run: String,
    /// The change's id in that run's plan.
    pub change: u32,
    /// When.
    pub time: DateTime<Utc>,
    /// What.
    pub outcome: OutcomeWord,
    /// Who AWS says that we are.
    pub actor: String,
    /// The rest.
    pub about: OutcomeAbout,
}

/// What came of a write, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// AWS accepted it.
    Applied,
    /// AWS refused it or did not answer, or nothing was sent.
    Failed,
    /// The run died, and a later one observed the object.
    Recovered,
}

impl OutcomeWord {
    /// The word in the tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Recovered => "recovered",
        }
    }
}

/// More of what came of a write.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutcomeAbout {
    /// Why it failed.
    pub error: Option<String>,
    /// Of which kind the failure was.
    pub class: Option<Value>,
    /// What the earlier steps of a call that failed made, which is there.
    pub left: Option<String>,
    /// The ids that AWS gave to what was made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<String>,
    /// The object now, of one that a later run observed.
    pub after: Option<Value>,
    /// Whether that is as declared.
    pub in_sync: Option<bool>,
    /// That later run.
    pub observed_in: Option<String>,
}

/// An object, observed after its changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The run.
    pub run: String,
    /// The object.
    pub object: DriftKey,
    /// When.
    pub time: DateTime<Utc>,
    /// The object now; null where it could not be observed.
    pub after: Value,
    /// Whether it is as declared.
    pub in_sync: bool,
}

/// An object, as an item of a baseline governs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DriftKey {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The item.
    pub item: ItemName,
    /// The object's id.
    pub object: String,
}

/// An object that is not as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftSeen {
    /// The object.
    pub key: DriftKey,
    /// What is done about it, for people and for notices.
    pub about: Value,
    /// What differs.
    pub rows: Vec<RowSeen>,
}

/// A field of an object that is not as declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowSeen {
    /// The field; empty for the whole object.
    pub field: String,
    /// What is there.
    pub actual: Value,
    /// What is declared.
    pub desired: Value,
    /// Whether only people can mend it: then its words may say how long it has been so.
    pub is_finding: bool,
    /// When it was read, where that was long before the look was over.
    pub read: Option<DateTime<Utc>>,
    /// When it was not so last, as far as that is known.
    pub right: Option<DateTime<Utc>>,
    /// The calls that cannot have made it so.
    pub not_by: BTreeSet<String>,
    /// Who may have done it, as far as events told of who touched such objects.
    pub by: Vec<ByWhom>,
}

/// Who touched an object, as events told, whenever that was.
#[derive(Debug, Clone, PartialEq)]
pub struct Touched {
    /// The object.
    pub key: DriftKey,
    /// Who.
    pub by: Vec<ByWhom>,
}

/// Why an object is not as declared still that was to be put right.
#[derive(Debug, Clone, PartialEq)]
pub struct Hindered {
    /// The run.
    pub run: String,
    /// When.
    pub time: DateTime<Utc>,
    /// The object.
    pub object: DriftKey,
    /// Why.
    pub by: Hindrance,
}

/// What keeps an object from being put right.
#[derive(Debug, Clone, PartialEq)]
pub enum Hindrance {
    /// A write failed.
    Failed {
        /// Why.
        why: String,
        /// Of which kind the failure was, where that is known.
        class: Option<Value>,
    },
    /// All was written, and the object is not as declared.
    NotRight,
    /// A guard held a write back: which, why, and what releases it.
    HeldBack(Value),
}

/// A write of an object that failed; forgotten when the object is seen as declared.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedWrite {
    /// Since when writes of it fail.
    pub since: DateTime<Utc>,
    /// The run whose write failed last.
    pub run: String,
    /// Why it did.
    pub why: String,
    /// Of which kind that failure was, where that is known.
    pub class: Option<Value>,
}

/// An account that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnseenAccount {
    /// The run.
    pub run: String,
    /// When.
    pub time: DateTime<Utc>,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: Option<String>,
    /// The targets that select it, where that is known.
    pub targets: Vec<String>,
    /// Why.
    pub why: String,
}

/// Since when an account or a target cannot be looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotSeen {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why, when it was last tried.
    pub why: String,
    /// Whether it was looked at all the same, and only what was to follow failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_seen: bool,
}

/// The accounts that a target selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The run that knows it.
    pub run: String,
    /// When.
    pub time: DateTime<Utc>,
    /// The target.
    pub target: String,
    /// All accounts that it selects.
    pub accounts: BTreeSet<AccountId>,
    /// All targets that there are.
    pub targets: BTreeSet<String>,
}

/// How much of what is declared for an account a look has looked at. What of that is not among its objects is
/// not there, or not declared any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Account,
    /// Everything that this target declares there; others declare more.
    Target(String),
    /// Less.
    Part,
}

/// What a look saw in an account.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenAccount {
    /// The run.
    pub run: String,
    /// When it had been looked at.
    pub time: DateTime<Utc>,
    /// When the look began: what it saw as declared was so then, and later nobody knows.
    pub began: DateTime<Utc>,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: Option<String>,
    /// The targets that select it, where that is known.
    pub targets: Vec<String>,
    /// How much of what is declared for it was looked at.
    pub extent: Extent,
    /// The objects that are not as declared.
    pub drifted: Vec<DriftSeen>,
    /// The objects that are.
    pub in_sync: Vec<DriftKey>,
    /// The objects of which nobody knows, or that are excepted: what was said of them before stays.
    pub unknown: Vec<DriftKey>,
    /// How many of these are excepted.
    pub excepted: usize,
    /// Who touched its objects, of those that events told of for this look.
    pub touched: Vec<Touched>,
}
