//! What a look at a fleet wants, and what it sees in an account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::Semaphore;

use super::super::declare::{Conflict, Selection};
use super::super::guarded::Standing;
use super::super::locks::AccountLocks;
use super::super::met::Met;
use super::super::share::Share;
use super::super::target::FleetTarget;
use crate::aws::Session;
use crate::aws::session::Identity;
use crate::aws::tape::Recorded;
use crate::kinds::{AllowedGrants, Facts, Risk};
use crate::names::{AccountId, Region};
use crate::plan::{AccountPlan, Declared, Detail, FailedAccount, Spot, TargetRef};

/// What a look at a fleet wants.
pub struct Wanted {
    /// The run's id.
    pub run: String,
    /// The targets.
    pub targets: Vec<FleetTarget>,
    /// The targets of the version that is compared with.
    pub before: Vec<FleetTarget>,
    /// The organization's id, when it is known.
    pub organization: Option<String>,
    /// The home Region that the fleet file names; a snapshot may be from before it did.
    pub home_region: Option<Region>,
    /// Which part of the baselines.
    pub selection: Selection,
    /// Only these places.
    pub only: Option<BTreeSet<Spot>>,
    /// Whether what is there is to be put back.
    pub puts_back: bool,
    /// The roles by which the fleet's accounts are entered.
    pub entered_by: Vec<String>,
    /// Changes of a higher risk are only reported.
    pub max_risk: Risk,
    /// Changes with another rise of privileges are only reported.
    pub allow_grants: AllowedGrants,
    /// Today, for exceptions.
    pub today: NaiveDate,
    /// How long an account may take.
    pub account_timeout: Duration,
    /// Accounts looked at at the same time.
    pub concurrent_accounts: usize,
    /// The accounts that runs hold: one is held while it is looked at.
    pub locks: AccountLocks,
    /// In which turn of each account it was looked at.
    pub looked_in: Mutex<BTreeMap<AccountId, u64>>,
    /// What is left to this run of what several controllers look at.
    pub share: Option<Arc<Share>>,
    /// For how long others wait for an account.
    pub patience: Option<Duration>,
    /// How many more may be left behind.
    pub behind: Semaphore,
    /// The turns of items, in all of them together.
    pub turns: Semaphore,
    /// Whether sessions are narrowed to reading, whatever the targets may do.
    pub read_only: bool,
    /// How much of the plan is kept.
    pub detail: Detail,
    /// Whether the sessions are kept, for writing.
    pub to_apply: bool,
    /// What the guards say that remember more than one run, where they are asked.
    pub standing: Option<Arc<Standing>>,
}

impl Wanted {
    /// Notes in which turn an account is looked at.
    pub fn looks_in(&self, account: &AccountId, turn: u64) {
        let mut all = self.looked_in.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(account.clone(), turn);
    }

    /// Forgets that an account was looked at.
    pub fn leaves(&self, account: &AccountId) {
        let mut all = self.looked_in.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(account);
    }

    /// The accounts that another run has had in hand since they were looked at: it may have seen, or made, something
    /// else there. What one still has in hand, it tells later.
    pub fn overtaken(&self) -> BTreeSet<AccountId> {
        let all = self.looked_in.lock().unwrap_or_else(PoisonError::into_inner);
        let is_earlier =
            |(account, turn): &(&AccountId, &u64)| self.locks.latest_over(account) > **turn;
        all.iter().filter(is_earlier).map(|(account, _)| account.clone()).collect()
    }
}

/// What was seen in an account.
pub struct Seen {
    /// The account.
    pub target: TargetRef,
    /// How many items are declared for it, in all its Regions.
    pub declared: usize,
    /// The Regions in which an item that has Regions is declared; none where no item has Regions, be it
    /// in one that was not asked for.
    pub governed: Option<BTreeSet<Region>>,
    /// Its part of the plan.
    pub plan: AccountPlan,
    /// The same for the version of the baselines that is compared with.
    pub before: Option<AccountPlan>,
    /// What exceptions and exclusions met.
    pub met: Met,
    /// The items that claim things, for looking at them again.
    pub claimants: Vec<(Declared, Facts)>,
    /// The way in, for writing.
    pub session: Option<Arc<Session>>,
    /// Whose credentials looked, and what AWS answered, when it was recorded.
    pub recorded: Option<(Identity, Vec<Recorded>)>,
}

/// What became of a look at an account.
pub enum Outcome {
    /// It was looked at; single things may still be unknown.
    Seen(Box<Seen>),
    /// There is no way in.
    Failed(FailedAccount),
    /// Others wait for it no longer, and it is looked at alone.
    LeftBehind(AccountId),
    /// The targets contradict each other.
    Conflicts(Vec<Conflict>),
}
