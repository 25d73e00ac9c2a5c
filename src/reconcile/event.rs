//! What happens in a run, as one stream of events. Whoever shows, logs, counts or remembers a run
//! listens to it; the run knows none of them.
//!
//! The audit log is the first listener of everything that writes: an event is on the disk before the
//! next listener hears of it, and before the write that it announces is sent. Any listener can stop a
//! run by an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::outcome::RunOutcome;
use super::refusal::Refusal;
use super::report::{ApplyReport, Step};
use crate::baseline::item::Location;
use crate::fleet::account::FailedAccount;
use crate::fleet::select::SelectError;
use crate::fleet::shard::Shard;
use crate::kinds::Object;
use crate::names::{AccountId, ItemName, Region};
use crate::plan::{ObjectPlan, Plan, PlannedChange};
use crate::store::StoreError;
use crate::store::audit::{AuditError, Failed, Fault, Record, Writer};

/// Something that happens in a run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// So many accounts will be looked at.
    Chosen {
        /// How many.
        accounts: usize,
    },
    /// These are all accounts that the targets select, whoever looks at them: others that they selected before
    /// are not theirs any more.
    Selected {
        /// The accounts.
        accounts: &'a BTreeSet<AccountId>,
    },
    /// Other targets declare things for an account, which this run is not asked for: what it sees is a part.
    GovernedBeside {
        /// The account.
        account: &'a AccountId,
        /// These targets.
        targets: &'a BTreeSet<String>,
    },
    /// Which of the run's several targets select an account.
    SelectedBy {
        /// The account.
        account: &'a AccountId,
        /// These targets.
        targets: &'a BTreeSet<String>,
    },
    /// Which of the several targets that select an account declare which items for it.
    DeclaredBy {
        /// The account.
        account: &'a AccountId,
        /// The targets of each item.
        items: &'a BTreeMap<ItemName, BTreeSet<String>>,
    },
    /// So many items more of an account will be observed.
    Found {
        /// The account.
        account: &'a AccountId,
        /// How many.
        items: usize,
    },
    /// An account is held for a look, with the token of its lease, where several controllers share it.
    Held {
        /// The account.
        account: &'a AccountId,
        /// The token.
        token: i64,
    },
    /// An item of an account was observed.
    Observed {
        /// The account.
        account: &'a AccountId,
        /// The item.
        item: &'a ItemName,
        /// The Region.
        region: &'a Region,
    },
    /// An account was looked at, or could not be.
    Seen {
        /// The account.
        account: &'a AccountId,
    },
    /// An account takes long, and others do not wait for it: it is looked at alone.
    LeftBehind {
        /// The account.
        account: &'a AccountId,
    },
    /// All accounts were looked at, or could not be.
    Looked,
    /// Something besides that the reader should know.
    Noted(Note<'a>),
    /// The plan is made.
    Planned {
        /// The plan.
        plan: &'a Plan,
    },
    /// The audit log is open for writing: no run of this log is alive but those of this process, which
    /// the writer knows.
    Opened {
        /// The log.
        log: &'a Writer,
    },
    /// A guard said no; nothing is written.
    Refused {
        /// Why.
        refusal: &'a Refusal,
    },
    /// A write during which an earlier run died was looked after.
    Recovered {
        /// What the earlier run was about to write.
        intent: &'a Record,
        /// What was found of it, or why nobody knows.
        found: Result<Recovered<'a>, &'a str>,
        /// Who AWS says that we are.
        by: &'a str,
    },
    /// The object of a write was seen again to which an earlier run got no answer.
    SeenSince {
        /// What the earlier run wrote, or not.
        intent: &'a Record,
        /// The object now.
        now: Recovered<'a>,
        /// Who AWS says that we are.
        by: &'a str,
    },
    /// A change is about to be sent to AWS. It is not when somebody cannot hear of it.
    Writing {
        /// Its object, as planned.
        object: &'a ObjectPlan,
        /// The change.
        change: &'a PlannedChange,
        /// The object as it was observed directly before.
        before: &'a Object<Value>,
        /// Who AWS says that we are.
        by: &'a str,
        /// The token of the account's lease, where several controllers share it.
        token: Option<i64>,
    },
    /// What AWS said to a write, or that it said nothing.
    Answered {
        /// The object, as planned.
        object: &'a ObjectPlan,
        /// The change.
        change: &'a PlannedChange,
        /// The ids that AWS gave to what was made; why it was not accepted, if it was not.
        answer: Result<&'a [String], &'a Failed>,
        /// Who AWS says that we are.
        by: &'a str,
    },
    /// A change was refused for a quota: another one, which makes room, goes first.
    MakesRoom {
        /// The object, as planned.
        object: &'a ObjectPlan,
        /// The change that was refused.
        refused: &'a PlannedChange,
        /// The one that makes room.
        room: &'a PlannedChange,
    },
    /// What became of a change in the end, whether it was sent or not.
    Wrote {
        /// The object, as planned.
        object: &'a ObjectPlan,
        /// The change.
        change: &'a PlannedChange,
        /// What became of it.
        step: &'a Step,
    },
    /// A change that failed is there all the same, as was seen.
    FoundThere {
        /// Its object.
        object: &'a ObjectPlan,
        /// The change.
        change: &'a PlannedChange,
        /// Who AWS says that we are.
        by: &'a str,
    },
    /// An object was observed again after its last change.
    Verified {
        /// The object, as planned.
        object: &'a ObjectPlan,
        /// The object now; none where it could not be observed.
        after: Option<&'a Object<Value>>,
        /// Whether it is as declared.
        in_sync: bool,
        /// Who AWS says that we are.
        by: &'a str,
    },
    /// The run is over.
    Ended {
        /// How.
        outcome: RunOutcome,
        /// What became of the changes, where there were some.
        report: Option<&'a ApplyReport>,
    },
}

/// What was found of a write during which an earlier run died, or to which it got no answer.
#[derive(Debug, Clone, Copy)]
pub struct Recovered<'a> {
    /// The object now; none where it is not there.
    pub after: Option<&'a Object<Value>>,
    /// Whether it is as declared.
    pub in_sync: bool,
}

/// Something besides that the reader should know.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Note<'a> {
    /// An account that only the other version of the baselines selects could not be looked at.
    OtherUnseen(&'a FailedAccount),
    /// The organization could not be asked, and only what may be written depends on it.
    NoOrganization {
        /// Why.
        why: &'a str,
    },
    /// Nobody knows which accounts the fleet has, so that none is trusted for being one of them.
    TrustsNobody(&'a SelectError),
    /// The shard has no account.
    EmptyShard(Shard),
    /// A Region was asked for, and only items without Regions are declared.
    NothingIn(&'a Region),
    /// An account is outside of the fleet, and is only reported.
    OutsideFleet(&'a str),
    /// An exception, or an entry of `exclude`, met no object.
    MetNothing {
        /// Where it stands.
        at: &'a Location,
        /// What it is.
        what: &'a str,
    },
    /// Nobody knows what targets that were not asked for except in an account, and it is only reported.
    Undecided(&'a str),
    /// What the guards remember cannot be read, and holds nothing back.
    GuardsForget(&'a StoreError),
    /// The audit log is not as its runs wrote it.
    Damaged {
        /// The log.
        log: &'a Path,
        /// What is wrong with it.
        fault: &'a Fault,
    },
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherUnseen(FailedAccount { account, reason, .. }) => write!(
                out,
                "account {account}, which this version of the files does not select, could not be looked at, so that nobody can say what is removed there: {reason}"
            ),
            Self::NoOrganization { why } => out.write_str(why),
            Self::TrustsNobody(error) => write!(
                out,
                "[safety] trust_fleet_accounts trusts nobody in this run, because {error}"
            ),
            Self::EmptyShard(shard) => {
                write!(out, "the shard {shard} holds no account; there is nothing to look at")
            }
            Self::NothingIn(region) => write!(
                out,
                "nothing is declared for {region}: what was looked at exists once in an account, whatever -r says"
            ),
            Self::OutsideFleet(why) => {
                write!(out, "{why}: it is only reported; --outside-fleet lets -b write there")
            }
            Self::MetNothing { at, what } => write!(
                out,
                "{what} ({}:{}) matched nothing in the accounts that were looked at: correct it, or take it away",
                at.file, at.line
            ),
            Self::Undecided(why) => write!(out, "{why}; the account is only reported"),
            Self::GuardsForget(error) => write!(
                out,
                "what the guards remember cannot be read, and is neither shown nor heeded: {error}; {}",
                error.remedy()
            ),
            Self::Damaged { log, fault } => write!(
                out,
                "the audit log {} is not as its runs wrote it ({fault}); see evenkeel audit verify",
                log.display()
            ),
        }
    }
}

/// An event, when it happened, and in which run.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// When.
    pub time: DateTime<Utc>,
    /// The run's id.
    pub run: &'a str,
    /// What happened.
    pub event: RunEvent<'a>,
}

/// Somebody could not take an event in.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else.
    #[error("{0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// Another controller works on the account by now: only there, nothing more is written.
    #[error("{0}")]
    LeaseLost(String),
    /// Somebody, of an event before.
    #[error("an earlier event could not be told")]
    Earlier,
}

impl ListenError {
    /// What the reader should do next, where the store is to blame.
    pub fn store_remedy(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => Some(error.remedy()),
            _ => None,
        }
    }

    /// Whether the audit log has heard of the event, and somebody behind it could not.
    pub fn is_behind_the_log(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Other(_) | Self::LeaseLost(_))
    }
}

/// Somebody who hears what happens in a run.
pub trait Listener: Send + Sync {
    /// Hears an event. Events of one account come in order, those of several mixed.
    ///
    /// # Errors
    /// It cannot be taken in: nothing more is written to AWS.
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError>;
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Listener for Nobody {
    fn hear(&self, _: &Told<'_>) -> Result<(), ListenError> {
        Ok(())
    }
}

/// Several listeners, in the order in which they hear.
#[derive(Clone, Default)]
pub struct Listeners(pub Vec<Arc<dyn Listener>>);

impl Listener for Listeners {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        self.0.iter().try_for_each(|listener| listener.hear(told))
    }
}

/// The events of a run, on their way to those who listen.
pub struct Stream<'a> {
    run: &'a str,
    listeners: Vec<&'a dyn Listener>,
    /// Whether somebody could not hear of something that cannot be undone by saying so.
    has_failed: AtomicBool,
}

impl<'a> Stream<'a> {
    /// The events of a run, for some listeners in their order.
    pub fn new(run: &'a str, listeners: Vec<&'a dyn Listener>) -> Self {
        Self { run, listeners, has_failed: AtomicBool::new(false) }
    }

    /// Tells each listener, in order, up to the first that cannot take it in. Nothing is about to be
    /// written when somebody could not hear of what was before.
    ///
    /// # Errors
    /// The first error of a listener.
    pub fn tell(&self, event: RunEvent<'_>) -> Result<(), ListenError> {
        if matches!(event, RunEvent::Writing { .. }) && self.has_failed.load(Ordering::SeqCst) {
            return Err(ListenError::Earlier);
        }
        let told = Told { time: Utc::now(), run: self.run, event };
        let heard = self.listeners.iter().try_for_each(|listener| listener.hear(&told));
        if heard.as_ref().is_err_and(|error| !matches!(error, ListenError::LeaseLost(_))) {
            self.has_failed.store(true, Ordering::SeqCst);
        }
        heard
    }

    /// Tells what nobody decides by; an error counts when something is to be written next.
    pub fn mention(&self, event: RunEvent<'_>) {
        if let Err(error) = self.tell(event) {
            tracing::warn!("somebody could not hear of {}: {error}", self.run);
        }
    }
}
