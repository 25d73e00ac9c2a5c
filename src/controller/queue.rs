//! What is to be looked at, and when. Pure: the clock is an argument, the time since the start.
//!
//! Each thing has one slot, and of two wishes the earlier holds, so that a storm of events is one
//! look. What is in hand can be wished for again meanwhile: it is then looked at once more, since
//! nobody knows what the look in hand has seen, and only when that look is over: of one account, and
//! of one target, there is one look at a time. That a target's run and a look at a part do not write to
//! one account at once is for those who run them to see to, since the queue does not know the accounts
//! of a target ([`crate::reconcile::AccountLocks`]).

mod cause;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use cause::{Called, Cause, Causes};

use super::setback::Setback;
use crate::names::{AccountId, Region};
use crate::store::history::callers::Kept;

/// Looks at a part that fail in a row, after which it is left to its target's schedule: an event may
/// name what is not there.
pub const MOST_FAILURES: u32 = 6;

/// One kind of an account in one Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: &'static str,
    /// The Region; none where the kind's objects exist once in an account.
    pub region: Option<Region>,
}

/// What can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A part of an account. Parts come before all else.
    Part(Part),
    /// All that is declared for an account.
    Account(AccountId),
    /// What the events of a target's accounts depend on.
    Path(String),
    /// All that a target declares, in all of its accounts.
    Target(String),
}

/// What is looked at in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What: a target, an account, or parts of one.
    pub what: What,
    /// Why.
    pub causes: Causes,
}

/// What one run looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A whole target.
    Target(String),
    /// A whole account.
    Account(AccountId),
    /// What the events of a target's accounts depend on.
    Path(String),
    /// Parts of one account.
    Parts {
        /// The account.
        account: AccountId,
        /// The parts: kinds with their Regions.
        parts: BTreeSet<(&'static str, Option<Region>)>,
    },
}

impl What {
    /// The parts of an account, where it is such.
    pub fn parts(&self) -> Vec<Part> {
        let keys = self.keys().into_iter();
        let parts = keys.filter_map(|key| match key {
            Key::Part(part) => Some(part),
            Key::Account(_) | Key::Path(_) | Key::Target(_) => None,
        });
        parts.collect()
    }

    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Target(name) => vec![Key::Target(name.clone())],
            Self::Account(account) => vec![Key::Account(account.clone())],
            Self::Path(name) => vec![Key::Path(name.clone())],
            Self::Parts { account, parts } => parts
                .iter()
                .map(|(kind, region)| {
                    Key::Part(Part { account: account.clone(), kind, region: region.clone() })
                })
                .collect(),
        }
    }
}

/// A look that is not over after so long keeps nobody waiting any more.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many looks there may be at a time. What is not a whole target has a lane of its own: what an
/// event touched waits for no target's run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes {
    /// Looks at parts, at accounts and at what events depend on.
    pub parts: usize,
    /// Looks at targets.
    pub targets: usize,
    /// Looks of the first sort that take long ([`PATIENCE`]): so many have places of their own, so that others do not
    /// wait for accounts that are slow.
    pub slow: usize,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { parts: 8, targets: 4, slow: 24 }
    }
}

/// What is to be looked at.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: Lanes,
    waiting: BTreeMap<Key, Slot>,
    in_hand: Vec<InHand>,
    failures: BTreeMap<Key, Failures>,
}

/// Failures in a row.
#[derive(Debug)]
struct Failures {
    all: u32,
    /// Why the latest one failed, and how many of this sort there are in a row.
    latest: Setback,
    of_its_sort: u32,
}

impl Failures {
    /// One more.
    fn add(before: Option<&Self>, setback: Setback) -> Self {
        let same = before.filter(|before| before.latest.is_like(&setback));
        Self {
            all: before.map_or(0, |before| before.all).saturating_add(1),
            latest: setback,
            of_its_sort: same.map_or(0, |same| same.of_its_sort).saturating_add(1),
        }
    }
}

/// What is being looked at.
#[derive(Debug)]
struct InHand {
    what: What,
    since: Duration,
    /// Whether an event asked for it.
    is_told: bool,
}

#[derive(Debug)]
struct Slot {
    at: Duration,
    causes: Causes,
}

impl Queue {
    /// One with so many looks at a time.
    pub fn new(lanes: Lanes) -> Self {
        Self { lanes, ..Self::default() }
    }

    /// Wishes for a look at some time. When there is such a wish already, the earlier time holds. Says what became of the
    /// cause.
    pub fn add(&mut self, key: Key, at: Duration, cause: Cause) -> Kept {
        let slot =
            self.waiting.entry(key).or_insert_with(|| Slot { at, causes: Causes::default() });
        slot.at = slot.at.min(at);
        slot.causes.add(cause)
    }

    /// How many things wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What is being looked at.
    pub fn in_hand(&self) -> impl Iterator<Item = &What> {
        self.in_hand.iter().map(|one| &one.what)
    }

    /// How long the longest of what is due has waited.
    pub fn late_by(&self, now: Duration) -> Duration {
        self.first_due().map(|at| now.saturating_sub(at)).unwrap_or_default()
    }

    /// When the first of what waits is due, or was.
    pub fn first_due(&self) -> Option<Duration> {
        self.waiting.values().map(|slot| slot.at).min()
    }

    /// When the next thing is due that could be looked at beside what is in hand.
    pub fn next_at(&self, now: Duration) -> Option<Duration> {
        let free = Free::of(self, now);
        let at = |(key, slot): (&Key, &Slot)| match free.room(key, slot) {
            Room::Free => Some(slot.at),
            // Once one of those in hand takes long.
            Room::Later => free.roomier_at.map(|at| at.max(slot.at)),
            Room::Taken => None,
        };
        self.waiting.iter().filter_map(at).min()
    }

    /// Takes in hand what one run looks at next, if something is due: the parts of the account that
    /// waits longest, or else what does.
    pub fn take(&mut self, now: Duration) -> Option<Job> {
        let free = Free::of(self, now);
        let is_due = |key: &Key, slot: &Slot| slot.at <= now && free.room(key, slot) == Room::Free;
        let due = self.waiting.iter().filter(|(key, slot)| is_due(key, slot));
        let rank = |key: &Key| match key {
            Key::Part(_) => 0,
            Key::Path(_) => 1,
            Key::Account(_) => 2,
            Key::Target(_) => 3,
        };
        let key = due.min_by_key(|(key, slot)| (rank(key), slot.at))?.0.clone();
        let job = self.remove(key, now)?;
        let is_told = job.causes.has_event();
        self.in_hand.push(InHand { what: job.what.clone(), since: now, is_told });
        Some(job)
    }

    fn remove(&mut self, key: Key, now: Duration) -> Option<Job> {
        match key {
            Key::Target(name) => {
                let slot = self.waiting.remove(&Key::Target(name.clone()))?;
                Some(Job { what: What::Target(name), causes: slot.causes })
            }
            Key::Path(name) => {
                let slot = self.waiting.remove(&Key::Path(name.clone()))?;
                Some(Job { what: What::Path(name), causes: slot.causes })
            }
            Key::Account(account) => {
                let slot = self.waiting.remove(&Key::Account(account.clone()))?;
                Some(Job { what: What::Account(account), causes: slot.causes })
            }
            Key::Part(Part { account, .. }) => {
                let with = |key: &Key, slot: &Slot| match key {
                    Key::Part(part) => part.account == account && slot.at <= now,
                    _ => false,
                };
                let mut causes = Causes::default();
                let mut parts = BTreeSet::new();
                for (key, slot) in self.waiting.extract_if(.., |key, slot| with(key, slot)) {
                    if let Key::Part(part) = key {
                        parts.insert((part.kind, part.region));
                    }
                    causes.add_all(slot.causes);
                }
                Some(Job { what: What::Parts { account, parts }, causes })
            }
        }
    }

    /// A look was stopped, and nobody knows what it has seen.
    pub fn stopped(&mut self, what: &What) {
        self.in_hand.retain(|one| one.what != *what);
    }

    /// A look is over, and shall not be repeated before its next cause.
    pub fn done(&mut self, what: &What) {
        self.stopped(what);
        what.keys().iter().for_each(|key| {
            self.failures.remove(key);
        });
    }

    /// A look is over, and others have some of it in hand: it is looked after later.
    pub fn left(&mut self, what: &What, at: Duration) {
        self.done(what);
        for key in what.keys() {
            self.add(key, at, Cause::Elsewhere);
        }
    }

    /// A look failed: it is repeated after a pause, which depends on why ([`Setback::pause`]) and on how
    /// often it has failed so in a row. A part that failed too often is left to the schedule. Gives the
    /// failures in a row.
    pub fn failed(&mut self, what: &What, setback: Setback, now: Duration, spread: f64) -> u32 {
        self.stopped(what);
        let mut most = 0;
        for key in what.keys() {
            let failures = Failures::add(self.failures.get(&key), setback);
            let (all, pause) = (failures.all, setback.pause(failures.of_its_sort, spread));
            most = most.max(all);
            if all >= MOST_FAILURES && matches!(key, Key::Part(_)) {
                self.failures.remove(&key);
                continue;
            }
            self.failures.insert(key.clone(), failures);
            // The others are looked at again in a short while in any case.
            if matches!(key, Key::Part(_) | Key::Target(_)) {
                self.add(key, now + pause, Cause::Again { failures: all });
            }
        }
        most
    }

    /// Forgets the targets that are not among these any more.
    pub fn keep_targets(&mut self, names: &BTreeSet<String>) {
        let stays = |key: &Key| match key {
            Key::Target(name) | Key::Path(name) => names.contains(name),
            Key::Part(_) | Key::Account(_) => true,
        };
        self.waiting.retain(|key, _| stays(key));
        self.failures.retain(|key, _| stays(key));
    }
}

/// Whether something can be looked at beside what is in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// It can.
    Free,
    /// Its lane is full.
    Later,
    /// It, or its account, is in hand.
    Taken,
}

/// What could be looked at beside what is in hand.
struct Free<'a> {
    /// Whether there is a place for what an event asked for, and for other looks at parts.
    told: bool,
    untold: bool,
    targets: bool,
    /// When one of those in hand leaves its lane, if none is over before.
    roomier_at: Option<Duration>,
    accounts: BTreeSet<&'a AccountId>,
    paths: BTreeSet<&'a String>,
    names: BTreeSet<&'a String>,
}

impl<'a> Free<'a> {
    fn of(queue: &'a Queue, now: Duration) -> Self {
        let (mut accounts, mut paths) = (BTreeSet::new(), BTreeSet::new());
        let mut names = BTreeSet::new();
        for one in &queue.in_hand {
            match &one.what {
                What::Target(name) => names.insert(name),
                What::Path(name) => paths.insert(name),
                What::Account(account) | What::Parts { account, .. } => accounts.insert(account),
            };
        }
        let Lanes { parts, targets, slow } = queue.lanes;
        let of_parts = || queue.in_hand.iter().filter(|one| !matches!(one.what, What::Target(_)));
        let takes_long = |one: &&InHand| now.saturating_sub(one.since) >= PATIENCE;
        let (all, long) = (of_parts().count(), of_parts().filter(takes_long).count());
        let told = all - long.min(slow) < parts;
        // The others leave places for events, however many of them take long.
        let untold = of_parts().filter(|one| !one.is_told).count() < parts + slow / 2;
        let leaves_at = of_parts().filter(|one| !takes_long(one)).map(|one| one.since + PATIENCE);
        Self {
            told,
            untold: told && untold,
            targets: names.len() < targets,
            roomier_at: leaves_at.min().filter(|_| long < slow),
            accounts,
            paths,
            names,
        }
    }

    fn room(&self, key: &Key, slot: &Slot) -> Room {
        let (is_in_hand, has_room) = match key {
            Key::Part(Part { account, .. }) if slot.causes.has_event() => {
                (self.accounts.contains(account), self.told)
            }
            Key::Part(Part { account, .. }) | Key::Account(account) => {
                (self.accounts.contains(account), self.untold)
            }
            Key::Path(name) => (self.paths.contains(name), self.untold),
            Key::Target(name) => (self.names.contains(name), self.targets),
        };
        match (is_in_hand, has_room, key) {
            (false, true, _) => Room::Free,
            (false, false, Key::Part(_) | Key::Account(_) | Key::Path(_)) => Room::Later,
            _ => Room::Taken,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
