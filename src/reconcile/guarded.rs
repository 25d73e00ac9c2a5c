//! Asks the guards that remember more than one run, and keeps what they remember.
//!
//! They are asked twice: when an account was looked at, so that a plan shows what they hold back, and
//! directly before each write, since another run may have written meanwhile. What they cannot read or
//! write down, they do not let through.

mod beside;
mod memory;
mod standing;
mod write;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::heard::Hearsay;
use super::report::ApplyReport;
use crate::fleet::Fleet;
use crate::fleet::file::FleetFile;
use crate::fleet::guards::{Breaker, Fights, Wave};
use crate::guards::hold::HOLDS;
use crate::guards::{Hold, ObjectKey, Who};
use crate::plan::{Guard, ObjectPlan};
use crate::store::error::StoreError;
use crate::store::memory::{Memory, change};

pub use beside::{beside, gone};
pub use memory::{ACCOUNTS, ALL, OfAccount, OfAll, document_of, unreadable};
pub use standing::{Aim, Origins, Standing, View};
pub use write::Sent;

/// Who wishes to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// A person, who sees the plan.
    Person,
    /// `run`: nobody looks.
    Loop,
}

/// What the guards go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Changes in all in a day.
    pub per_day: usize,
    /// Changes in one account in a day.
    pub per_account_per_day: usize,
    /// When too much fails.
    pub breaker: Breaker,
    /// When somebody changes things back.
    pub fights: Fights,
    /// The waves of a rollout.
    pub waves: Vec<Wave>,
    /// The targets that the fleet file calls confirmed.
    pub confirmed: BTreeSet<String>,
}

impl Rules {
    /// Those of a fleet file.
    pub fn of(file: &FleetFile) -> Self {
        let confirmed = file.targets.iter().filter(|target| target.confirmed);
        Self {
            per_day: file.safety.max_changes_per_day,
            per_account_per_day: file.safety.max_changes_per_account_per_day,
            breaker: file.safety.breaker.clone(),
            fights: file.safety.fights.clone(),
            waves: file.rollout.waves.clone(),
            confirmed: confirmed.map(|target| target.name.clone()).collect(),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        let safety = crate::fleet::file::SafetyTable::default();
        Self {
            per_day: safety.max_changes_per_day,
            per_account_per_day: safety.max_changes_per_account_per_day,
            breaker: safety.breaker,
            fights: safety.fights,
            waves: Vec::new(),
            confirmed: BTreeSet::new(),
        }
    }
}

/// What time it is; a simulation has another one.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The guards, and what they remember.
pub struct Guarded {
    /// Where it is kept.
    pub memory: Arc<dyn Memory>,
    /// What they go by.
    pub rules: Rules,
    /// Who wishes to write.
    pub hand: Hand,
    /// Whether the first run of a target is protected: not of what the command line names.
    pub protects_first_run: bool,
    /// Guards that the person overrules.
    pub overruled: BTreeSet<Guard>,
    /// Who touched what, as far as events told.
    pub heard: Hearsay,
    /// What time it is.
    pub clock: Clock,
    /// The objects that this run holds itself.
    own: Mutex<BTreeSet<ObjectKey>>,
    /// One at a time writes down what is counted of all accounts.
    turn: tokio::sync::Mutex<()>,
}

impl Guarded {
    /// Guards that go by a fleet file, and remember in such a memory; without a fleet file, they go by what
    /// one holds that says nothing, and there is no target whose first run could be confirmed.
    ///
    /// A store is a memory. Where there is none, a file is one: [`beside()`] an audit log.
    pub fn of(hand: Hand, fleet: Option<&Fleet>, memory: Arc<dyn Memory>) -> Self {
        Self {
            memory,
            rules: fleet.map(|fleet| Rules::of(&fleet.file)).unwrap_or_default(),
            hand,
            protects_first_run: fleet.is_some(),
            overruled: BTreeSet::new(),
            heard: Hearsay::default(),
            clock: Arc::new(Utc::now),
            own: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Lets an object be left as it is by everybody else, from now on. Says whether it does: who holds it
    /// already goes on. What is held for the same reason, as by a rollback that came half the way, is not held
    /// against this run.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn hold(&self, hold: Hold) -> Result<bool, StoreError> {
        let (name, now) = (hold.object.document(HOLDS), self.now());
        let (mut is_free, mut is_own) = (false, false);
        change(self.memory.as_ref(), &name, |there: Option<Hold>| {
            is_own = there.as_ref().is_some_and(|there| there.reason == hold.reason);
            is_free = there.is_none_or(|there| there.held(now).is_none());
            is_free.then(|| hold.clone())
        })
        .await?;
        if is_free || is_own {
            self.own().insert(hold.object);
        }
        Ok(is_free)
    }

    /// Gives a hold of this run back.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn let_go(&self, object: &ObjectKey) -> Result<(), StoreError> {
        if !self.own().remove(object) {
            return Ok(());
        }
        let name = object.document(HOLDS);
        match self.memory.read(&name).await? {
            Some(document) => self.memory.remove(&name, document.version).await,
            None => Ok(()),
        }
    }

    /// The objects that this run holds itself.
    fn own(&self) -> MutexGuard<'_, BTreeSet<ObjectKey>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    fn overrules(&self, guard: Guard) -> bool {
        self.overruled.contains(&guard)
    }

    /// The latest that an event told of who may have touched an object.
    fn who(&self, object: &ObjectPlan) -> Option<Who> {
        let all = self.heard.of_object(object).into_iter().filter(|by| !by.is_not_kept());
        let by = all.max_by_key(|by| by.times().last())?;
        let time = by.times().last();
        Some(Who { principal: by.principal, call: by.call, time })
    }
}

/// What went wrong with an object of a plan, if something did.
fn troubled(report: &ApplyReport, title: &str, change: u32) -> Option<String> {
    use super::report::Step;
    let failed = report.outcomes.iter().find_map(|outcome| match &outcome.step {
        Step::Failed { error } if outcome.change == change => error.lines().next(),
        _ => None,
    });
    let is_named = |titles: &[String]| titles.iter().any(|one| one == title);
    failed
        .map(|error| format!("{title}: {error}"))
        .or_else(|| {
            is_named(&report.not_converged)
                .then(|| format!("{title} is not as declared after its changes"))
        })
        .or_else(|| {
            report
                .unobserved
                .iter()
                .find(|(one, _)| one == title)
                .map(|(_, why)| format!("nobody knows whether {title} is as declared: {why}"))
        })
}
