//! What a controller says: the one stream of all that happens in its loop and around its runs. What
//! happens in a run has a stream of its own ([`crate::reconcile::RunEvent`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use croner::Cron;

use super::begun::Begun;
use super::error::ControllerError;
use super::events::{Event, NoEvent};
use super::in_force::{Label, Offer};
use super::queue::{Job, Queue, What};
use super::setback::Setback;
use super::sight::Change;
use crate::baseline::Problems;
use crate::guards::Pulled;
use crate::names::AccountId;
use crate::reconcile::Warning;

/// Who hears what happens in the loop.
pub type Hearer = Arc<dyn Fn(Said<'_>) + Send + Sync>;

/// What happens in the loop and around the runs, for logs, metrics and notices.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Said<'a> {
    /// The loop has come round: what is due is in hand.
    Turn {
        /// What is to be looked at.
        queue: &'a Queue,
    },
    /// Somebody wishes to stop: the loop is over, and what is in hand comes to its own end.
    Stopping,
    /// The queue of events has answered.
    Answered {
        /// For how long it could not be asked before, if that was so.
        deaf: Option<Duration>,
    },
    /// A target is looked at on this schedule from now on.
    Scheduled {
        /// The target.
        target: &'a str,
        /// Its schedule.
        schedule: &'a Cron,
    },
    /// The files cannot be used; what was read before stays in force.
    Files {
        /// Why.
        why: &'a str,
    },
    /// A call touched so many parts, which are looked at next.
    Told {
        /// The call.
        event: &'a Event,
        /// How many parts.
        parts: usize,
    },
    /// A message is no event; it is left to its queue's dead letters.
    NoEvent {
        /// Why.
        why: &'a NoEvent,
    },
    /// The queue cannot be asked: until it can, only the schedule finds drift.
    Deaf {
        /// Why.
        why: &'a str,
        /// When it is asked again.
        pause: Duration,
    },
    /// Whether events may come into the queue is another answer than before; that they may is the first.
    Door {
        /// Why they may not, if they may not; or why nobody can say.
        shut: &'a Result<Option<String>, String>,
    },
    /// An account is not heard of any more, or is again.
    Sight {
        /// What has changed.
        change: &'a Change,
    },
    /// A call that was to be heard of could not be made.
    NoBeat {
        /// In which account.
        account: &'a AccountId,
        /// Why.
        why: &'a str,
    },
    /// evenkeel itself failed in a job.
    Defect {
        /// The job.
        job: &'a Job,
    },
    /// A job failed and is repeated.
    Again {
        /// The job.
        job: &'a Job,
        /// Failures in a row.
        failures: u32,
        /// Why the last one failed.
        setback: Setback,
    },
    /// These targets are looked at, each on its schedule.
    Targets {
        /// Their schedules.
        targets: &'a BTreeMap<String, Cron>,
    },
    /// Something in the files is wrong, or should be looked at.
    Problems {
        /// What.
        problems: &'a Problems,
    },
    /// Another version of the files was offered.
    Version {
        /// Which.
        label: &'a Label,
        /// What became of it.
        offer: Offer,
        /// Why it is refused, if it is.
        why: Option<&'a str>,
        /// Where somebody finds its files, if not here.
        checkout: Option<&'a str>,
    },
    /// The place that the files come from cannot be reached.
    Unreachable {
        /// Why.
        why: &'a str,
    },
    /// The kill switch is on, or is off again.
    KillSwitch {
        /// Why it is on, if it is.
        pulled: Option<&'a Pulled>,
    },
    /// A run came to an end before it had one to tell.
    Failed {
        /// The run.
        begun: &'a Begun<'a>,
        /// Why.
        error: &'a ControllerError,
        /// Whether it had looked by then.
        has_looked: bool,
    },
    /// What somebody did concerns nothing that is declared: there is no run.
    NothingDeclared {
        /// What was to be looked at.
        what: &'a What,
    },
    /// A target was looked at by several controllers, this one among them.
    Shared {
        /// The target.
        target: &'a str,
        /// The accounts that no other one has looked at.
        rest: &'a BTreeSet<AccountId>,
    },
    /// Whether the head of the audit log is kept where the fleet file says is another answer than before.
    Head {
        /// Why it is not kept, if it is not.
        kept: Result<(), &'a str>,
    },
    /// Something that people should know.
    Warned {
        /// What.
        warning: &'a Warning,
    },
}
