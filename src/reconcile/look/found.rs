//! What has been seen so far, account by account, and the plan that it becomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::declare::{Conflict, Selection};
use super::super::event::{Note, RunEvent, Stream};
use super::super::fleet::{Outcome, Wanted};
use super::super::met::Met;
use super::error::LookError;
use crate::aws::Session;
use crate::fleet::jobs::Job;
use crate::kinds::Facts;
use crate::names::{AccountId, Region};
use crate::plan::thin::Alike;
use crate::plan::{
    AccountPlan, Assembly, Declared, Detail, FailedAccount, Plan, PlanHead, TargetRef,
};

/// The ways into the accounts that were looked at.
pub type Sessions = BTreeMap<AccountId, Arc<Session>>;

/// The items of each account whose objects claim things, such as a key by its id.
pub type Claimants = BTreeMap<AccountId, Vec<(Declared, Facts)>>;

/// What has been seen so far.
pub struct Found<'a> {
    stream: &'a Stream<'a>,
    targets: Vec<TargetRef>,
    parts: Assembly,
    before: Vec<AccountPlan>,
    failed: Vec<FailedAccount>,
    conflicts: Vec<Conflict>,
    sessions: Sessions,
    claimants: Claimants,
    met: Met,
    /// Items of all accounts and Regions.
    declared: usize,
    /// The Regions in which an item that has Regions is declared.
    governed: BTreeSet<Region>,
    /// Whether an item has Regions, be it in one that was not asked for.
    has_regional: bool,
    /// Accounts that only the other version of the baselines selects.
    of_other_alone: BTreeSet<AccountId>,
    /// Where only what is shown is kept: what is alike, once.
    alike: Option<Alike>,
}

impl<'a> Found<'a> {
    /// Nothing yet.
    pub fn new(wanted: &Wanted, jobs: &[Job], stream: &'a Stream<'a>) -> Self {
        let of_other = jobs.iter().filter(|job| job.targets.is_empty());
        Self {
            stream,
            targets: Vec::new(),
            parts: Assembly::default(),
            before: Vec::new(),
            failed: Vec::new(),
            conflicts: Vec::new(),
            sessions: Sessions::new(),
            claimants: Claimants::new(),
            met: Met::default(),
            declared: 0,
            governed: BTreeSet::new(),
            has_regional: false,
            of_other_alone: of_other.map(|job| job.account.id.clone()).collect(),
            alike: (wanted.detail == Detail::Shown).then(Alike::default),
        }
    }

    /// Adds what became of an account.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Seen(mut seen) => {
                if let Some(alike) = &mut self.alike {
                    seen.plan.objects.iter_mut().for_each(|object| alike.note(object));
                }
                self.declared += seen.declared;
                self.met.add(std::mem::take(&mut seen.met));
                self.has_regional |= seen.governed.is_some();
                self.governed.extend(seen.governed.into_iter().flatten());
                let account = seen.target.account.clone();
                if let Some(session) = seen.session {
                    self.sessions.insert(account.clone(), session);
                    self.claimants.insert(account.clone(), seen.claimants);
                }
                self.before.extend(seen.before);
                if !self.of_other_alone.contains(&account) {
                    self.parts.add(account, seen.plan);
                    self.targets.push(seen.target);
                }
            }
            Outcome::Failed(failed) if self.of_other_alone.contains(&failed.account) => {
                self.stream.mention(RunEvent::Noted(Note::OtherUnseen(&failed)));
            }
            Outcome::Failed(failed) => self.failed.push(failed),
            Outcome::LeftBehind(account) => {
                self.stream.mention(RunEvent::LeftBehind { account: &account });
            }
            Outcome::Conflicts(conflicts) => self.conflicts.extend(conflicts),
        }
    }

    /// Forgets what was seen in accounts, which are looked at again; false where it cannot, as what is alike in several
    /// is kept once.
    pub fn forget(&mut self, accounts: &BTreeSet<AccountId>) -> bool {
        if self.alike.is_some() {
            return false;
        }
        self.targets.retain(|target| !accounts.contains(&target.account));
        self.failed.retain(|failed| !accounts.contains(&failed.account));
        for account in accounts {
            self.parts.forget(account);
        }
        true
    }

    /// Says which exceptions and entries of `exclude` met nothing; of a look at a part, nobody knows.
    pub fn say_what_met_nothing(&self, is_whole: bool) {
        if is_whole && self.failed.is_empty() {
            for (at, what) in self.met.nothing() {
                self.stream.mention(RunEvent::Noted(Note::MetNothing { at, what: what.as_str() }));
            }
        }
    }

    /// Whether any account was seen.
    pub fn has_seen(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Whether it is enough for a plan: no contradictions, and not nothing at all.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self, selection: &Selection, may_be_empty: bool) -> Result<(), LookError> {
        let is_narrowed = !selection.regions.is_empty() || !selection.kinds.is_empty();
        if !self.conflicts.is_empty() {
            return Err(LookError::Conflicts(self.conflicts.clone()));
        }
        let is_nothing = self.declared == 0 && self.failed.is_empty() && self.has_seen();
        if is_nothing && !may_be_empty {
            return Err(LookError::NothingDeclared { is_narrowed });
        }
        // Items without Regions are looked at in any case, and would make it look green.
        let all_seen = self.has_seen() && self.failed.is_empty() && !may_be_empty;
        let unseen = selection.regions.iter().find(|region| !self.governed.contains(*region));
        match unseen.filter(|_| all_seen) {
            Some(region) if self.has_regional => {
                Err(LookError::NothingIn { region: region.clone() })
            }
            Some(region) => {
                self.stream.mention(RunEvent::Noted(Note::NothingIn(region)));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The plan, the accounts' parts of the version that is compared with, and the ways in.
    pub fn plan(mut self, head: PlanHead) -> (Plan, Vec<AccountPlan>, Sessions, Claimants) {
        self.targets.sort_by(|left, right| left.account.cmp(&right.account));
        self.failed.sort_by(|left, right| left.account.cmp(&right.account));
        let head = PlanHead { targets: self.targets, failed: self.failed, ..head };
        (self.parts.finish(head), self.before, self.sessions, self.claimants)
    }
}
