//! The objects that the fleet governs, by what the latest looks found of them: what is not as declared,
//! since when, and what is done about it. Pure: the clock is an argument.
//!
//! Only what is not as declared is kept one by one. How many there are in all is as of the last full look;
//! what an event or a write tells in between counts at once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SubsecRound, Utc};

pub use super::state::State;
use super::state::{severity, state};
use crate::controller::queue::What;
use crate::fleet::notify::Severity;
use crate::names::{AccountId, ItemName, Region};
use crate::notify::holds;
use crate::plan::{ObjectPlan, Plan, Verdict};
use crate::reconcile::{RunEvent, Step, Told};
use crate::store::history::{DriftKey, LookShown, NotSeen};

/// An object that is not as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// How it stands.
    pub state: State,
    /// How much that matters, by the rules of notices.
    pub severity: Severity,
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// What it is, for people to read.
    pub title: String,
    /// The guard that holds its changes back, if one does.
    pub guard: Option<&'static str>,
    /// What releases them.
    pub released_by: Option<String>,
    /// Since when writes of it fail, if they do.
    pub failed: Option<DateTime<Utc>>,
    /// The target whose full look found it; empty where a smaller look did.
    of: String,
}

/// An account that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub why: String,
    /// The target that was to be looked at; empty where it was less.
    of: String,
}

#[derive(Debug, Default)]
struct OfAccount {
    /// How many objects each target has there, by its last full look.
    objects: BTreeMap<String, usize>,
    open: BTreeMap<(Region, ItemName, String), Open>,
}

/// What the store has of an account that this process has not looked at.
#[derive(Debug)]
struct Before {
    /// How many objects were seen there, however they stood.
    objects: usize,
    /// The targets that select it, as far as that is known.
    targets: BTreeSet<String>,
}

/// The objects of all accounts.
#[derive(Debug, Default)]
pub struct Objects {
    accounts: BTreeMap<AccountId, OfAccount>,
    /// What a process before this one has seen in other accounts.
    before: BTreeMap<AccountId, Before>,
    /// The targets whose latest run came to nothing.
    lost: BTreeMap<String, NotSeen>,
    /// The accounts that could not be looked at.
    unseen: BTreeMap<AccountId, Unseen>,
    /// What the store, which is older than this process, knows of drift.
    known: BTreeMap<DriftKey, Earlier>,
}

/// What is known of drift from before this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// Since when writes of it fail, if they do.
    pub failed: Option<DateTime<Utc>>,
}

/// Which part of its accounts a look looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All that a target declares there.
    Target(String),
    /// All that is declared there.
    Account,
    /// Less than that.
    Some,
}

impl Part {
    /// That of a job. `is_whole` is whether the command line narrows nothing.
    pub fn of(what: &What, is_whole: bool) -> Self {
        match what {
            What::Target(name) if is_whole => Self::Target(name.clone()),
            What::Account(_) if is_whole => Self::Account,
            _ => Self::Some,
        }
    }

    /// The target that it is; empty where it is less.
    fn target(&self) -> &str {
        match self {
            Self::Target(name) => name,
            Self::Account | Self::Some => "",
        }
    }
}

impl Objects {
    /// Takes over what the store remembers of drift.
    pub fn known(&mut self, drift: impl IntoIterator<Item = (DriftKey, Earlier)>) {
        for (key, earlier) in drift {
            // It may have been looked at while the store was asked.
            let place = (key.region.clone(), key.item.clone(), key.object.clone());
            let of = self.accounts.get_mut(&key.account);
            if let Some(open) = of.and_then(|of| of.open.get_mut(&place)) {
                open.since = open.since.min(earlier.since);
                open.failed_before(earlier.failed);
            }
            self.known.insert(key, earlier);
        }
    }

    /// Takes over what the store remembers of accounts: where this process finds no way in, that is unknown. `unread` is
    /// how much of the drift that goes on there could not be read last, and is counted as unknown already.
    pub fn remember(
        &mut self,
        looks: impl IntoIterator<Item = LookShown>,
        unread: &BTreeMap<AccountId, usize>,
    ) {
        for look in looks {
            if self.accounts.contains_key(&look.account) {
                continue;
            }
            let counts = ["in_sync", "unknown", "excepted"].map(|sort| look.count(sort));
            let unread = unread.get(&look.account).copied().unwrap_or_default();
            let objects = counts.iter().sum::<usize>() + look.open.saturating_sub(unread);
            let before = Before { objects, targets: look.targets() };
            self.before.insert(look.account, before);
        }
    }

    /// A run of a target came to nothing. `was_seen` is whether it had looked by then.
    pub fn target_failed(&mut self, target: &str, why: String, was_seen: bool, now: DateTime<Utc>) {
        let since = self.lost.get(target).map_or(now, |lost| lost.since);
        self.lost.insert(target.to_owned(), NotSeen { since, why, was_seen });
    }

    /// A target could be looked at.
    pub fn target_seen(&mut self, target: &str) {
        self.lost.remove(target);
    }

    /// The targets whose latest run came to nothing.
    pub fn lost(&self) -> &BTreeMap<String, NotSeen> {
        &self.lost
    }

    /// Hears what happens in a run.
    pub fn hear(&mut self, told: &Told<'_>, part: &Part, at: &Looked) {
        // As the store has times.
        let now = told.time.trunc_subsecs(6);
        match told.event {
            RunEvent::Planned { plan } => self.looked(plan, part, at, now),
            RunEvent::Wrote { object, step, .. } => self.wrote(object, step, now),
            RunEvent::Verified { object, in_sync: true, .. } => {
                self.known.remove(&key(object));
                if let Some(of) = self.accounts.get_mut(&object.account) {
                    of.open.remove(&place(object));
                }
            }
            RunEvent::Verified { object, in_sync: false, .. } => {
                // A guard may have held some of it back.
                let is_held = self.open(object).is_none_or(|open| open.state == State::HeldBack);
                if object.is_all_applied() && !is_held {
                    self.failed(object, now);
                }
            }
            _ => {}
        }
    }

    fn looked(&mut self, plan: &Plan, part: &Part, at: &Looked, now: DateTime<Utc>) {
        if plan.snapshot.is_some() {
            return;
        }
        for failed in &plan.failed {
            let before = self.unseen.get(&failed.account);
            let since = before.map_or(now, |unseen| unseen.since);
            let of = match (part, before) {
                (Part::Target(name), _) => name.clone(),
                (_, before) => before.map(|unseen| unseen.of.clone()).unwrap_or_default(),
            };
            let unseen = Unseen { since, why: failed.reason.clone(), of };
            self.unseen.insert(failed.account.clone(), unseen);
        }
        let mut before = BTreeMap::new();
        for target in &plan.targets {
            self.unseen.remove(&target.account);
            self.before.remove(&target.account);
            let of = self.accounts.entry(target.account.clone()).or_default();
            before.insert(target.account.clone(), of.forget(part));
        }
        for object in plan.objects.each() {
            let before = before.get(&object.account);
            let now = at.get(&object.account).map_or(now, |at| at.trunc_subsecs(6));
            self.found(&object, part, before, now);
        }
    }

    fn found(
        &mut self,
        object: &ObjectPlan,
        part: &Part,
        before: Option<&Opens>,
        now: DateTime<Utc>,
    ) {
        let Some(of) = self.accounts.get_mut(&object.account) else { return };
        let place = place(object);
        let target = part.target().to_owned();
        if matches!(object.verdict, Verdict::Skipped { .. }) {
            return;
        }
        if *part != Part::Some {
            *of.objects.entry(target.clone()).or_default() += 1;
        }
        let Some(state) = state(object) else {
            of.open.remove(&place);
            self.known.remove(&key(object));
            return;
        };
        let there = of.open.get(&place).or_else(|| before.and_then(|all| all.get(&place)));
        // What nobody could read for a while did not begin anew.
        let earlier = there.map(|there| Earlier { since: there.since, failed: there.failed });
        let earlier = earlier.or_else(|| self.known.get(&key(object)).copied());
        let since = earlier.map_or(now, |earlier| earlier.since);
        let target = match (part, there) {
            (Part::Some, Some(there)) => there.of.clone(),
            _ => target,
        };
        let held = holds::of_plan(object);
        let severity = severity(object, held.as_ref().is_some_and(|held| held.is_alarming));
        let (guard, released_by) = held.map(|held| (held.guard, held.released_by)).unzip();
        let title = object.title();
        let failed = None;
        let mut open =
            Open { state, severity, since, title, guard, released_by, failed, of: target };
        open.failed_before(earlier.and_then(|earlier| earlier.failed));
        of.open.insert(place, open);
    }

    fn wrote(&mut self, object: &ObjectPlan, step: &Step, now: DateTime<Utc>) {
        match step {
            step if step.is_failure() => self.failed(object, now),
            Step::HeldBack { held } => {
                let held = holds::Hold::from(held);
                if let Some(open) = self.open(object) {
                    open.state = State::HeldBack;
                    open.severity = severity(object, held.is_alarming);
                    open.guard = Some(held.guard);
                    open.released_by = Some(held.released_by);
                }
            }
            _ => {}
        }
    }

    fn failed(&mut self, object: &ObjectPlan, now: DateTime<Utc>) {
        if let Some(open) = self.open(object) {
            open.state = State::ToChange;
            open.failed_before(Some(open.failed.unwrap_or(now)));
        }
    }

    fn open(&mut self, object: &ObjectPlan) -> Option<&mut Open> {
        self.accounts.get_mut(&object.account)?.open.get_mut(&place(object))
    }

    /// Forgets what a target has in other accounts than these: somebody else has looked at those by now,
    /// or they are not of the target any more.
    pub fn keep_accounts(&mut self, target: &str, accounts: &BTreeSet<AccountId>) {
        let part = Part::Target(target.to_owned());
        for (account, of) in &mut self.accounts {
            if !accounts.contains(account) {
                drop(of.forget(&part));
            }
        }
        self.unseen.retain(|account, unseen| unseen.of != target || accounts.contains(account));
        self.before.retain(|account, before| {
            let is_left = !accounts.contains(account) && before.targets.remove(target);
            !is_left || !before.targets.is_empty()
        });
        self.forget_empty();
    }

    /// Forgets the targets that are not among these any more.
    pub fn keep_targets(&mut self, names: &BTreeSet<String>) {
        let is_kept = |name: &String| name.is_empty() || names.contains(name);
        for of in self.accounts.values_mut() {
            of.objects.retain(|name, _| is_kept(name));
            of.open.retain(|_, open| is_kept(&open.of));
        }
        self.unseen.retain(|_, unseen| is_kept(&unseen.of));
        self.lost.retain(|name, _| names.contains(name));
        self.before.retain(|_, before| {
            before.targets.is_empty() || before.targets.iter().any(|name| names.contains(name))
        });
        self.forget_empty();
    }

    fn forget_empty(&mut self) {
        self.accounts.retain(|_, of| !of.objects.is_empty() || !of.open.is_empty());
    }

    /// What is not as declared, with its account.
    pub fn open_ones(&self) -> impl Iterator<Item = (&AccountId, &Open)> + Clone {
        let of = |(account, of)| {
            let of: &OfAccount = of;
            of.open.values().map(move |open| (account, open))
        };
        self.accounts.iter().flat_map(of)
    }

    /// How many objects are as declared, by the last full looks; none of what could not be looked at since.
    pub fn in_sync(&self) -> usize {
        self.as_declared().0
    }

    /// How many objects nobody knows of: what could not be read, and what was as declared and could not be
    /// looked at since.
    pub fn unknown(&self) -> usize {
        let unread = self.open_ones().filter(|(_, open)| open.state == State::Unknown).count();
        unread + self.as_declared().1
    }

    fn is_lost(&self, target: &str) -> bool {
        self.lost.get(target).is_some_and(|lost| !lost.was_seen)
    }

    /// How many objects were as declared when they were looked at last: those that can be looked at still,
    /// and those that cannot, nor those of which only the store knows.
    fn as_declared(&self) -> (usize, usize) {
        let (mut seen, mut unseen) = (0, 0);
        for (account, of) in &self.accounts {
            let all = of.objects.values().sum::<usize>().saturating_sub(of.open.len());
            let lost = match self.unseen.contains_key(account) {
                true => all,
                false => all.min(of.as_declared_for(|target| self.is_lost(target))),
            };
            seen += all - lost;
            unseen += lost;
        }
        let of_store = self.before.iter().filter(|(account, before)| {
            self.unseen.contains_key(*account)
                || before.targets.iter().any(|target| self.is_lost(target))
        });
        (seen, unseen + of_store.map(|(_, before)| before.objects).sum::<usize>())
    }

    /// How many objects stand so.
    pub fn count(&self, state: State) -> usize {
        match state {
            State::Unknown => self.unknown(),
            state => self.open_ones().filter(|(_, open)| open.state == state).count(),
        }
    }

    /// The accounts that could not be looked at.
    pub fn unseen(&self) -> &BTreeMap<AccountId, Unseen> {
        &self.unseen
    }
}

impl Open {
    /// A write of it has failed, and nothing was written since: that stays so as long as it is to be put right.
    fn failed_before(&mut self, since: Option<DateTime<Utc>>) {
        self.failed = since.or(self.failed).filter(|_| self.state != State::Reported);
        if self.failed.is_some() && self.state == State::ToChange {
            self.state = State::Failed;
            self.severity = self.severity.max(Severity::High);
            self.guard = None;
            self.released_by = None;
        }
    }
}

/// When each account had been looked at: in a long look, the others come long after that.
pub type Looked = BTreeMap<AccountId, DateTime<Utc>>;

type Opens = BTreeMap<(Region, ItemName, String), Open>;

impl OfAccount {
    /// How many objects of some targets were as declared.
    fn as_declared_for(&self, is_one: impl Fn(&str) -> bool) -> usize {
        let all = self.objects.iter().filter(|(target, _)| is_one(target));
        let all = all.map(|(_, count)| count).sum::<usize>();
        all.saturating_sub(self.open.values().filter(|open| is_one(&open.of)).count())
    }

    /// Forgets what a look finds anew, and gives it.
    fn forget(&mut self, part: &Part) -> Opens {
        match part {
            Part::Some => Opens::new(),
            Part::Account => {
                self.objects.clear();
                std::mem::take(&mut self.open)
            }
            Part::Target(name) => {
                self.objects.remove(name);
                self.objects.remove("");
                let is_of = |open: &Open| open.of == *name || open.of.is_empty();
                self.open.extract_if(.., |_, open| is_of(open)).collect()
            }
        }
    }
}

fn place(object: &ObjectPlan) -> (Region, ItemName, String) {
    (object.region.clone(), object.item.clone(), object.observed.id.clone())
}

fn key(object: &ObjectPlan) -> DriftKey {
    let (region, item, id) = place(object);
    DriftKey { account: object.account.clone(), region, item, object: id }
}

#[cfg(test)]
#[path = "alike_tests.rs"]
#[allow(clippy::unwrap_used)]
mod alike;
#[cfg(test)]
#[path = "objects_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
