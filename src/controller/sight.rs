//! How well the controller sees each account: how old its last whole look and its last event are, and
//! whether its events come at all. Pure: the clock is an argument, the time since the start.
//!
//! Events need a trail that logs, a rule and a queue, and whoever takes one of them away is not told of
//! any more. So the controller makes a call itself from time to time ([`Sight::begin`]) and expects its
//! event. An account whose call was not heard of in time is blind: it is said, and it is looked at more
//! often ([`Sight::blind`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::fleet::file::{Heartbeat, Objectives};
use crate::names::{AccountId, Region};

/// A blind account is looked at so often.
pub const BLIND_EVERY: Duration = Duration::from_secs(5 * 60);

/// What is known of all accounts.
#[derive(Debug, Default)]
pub struct Sight {
    heartbeat: Option<Heartbeat>,
    objectives: Objectives,
    accounts: BTreeMap<AccountId, Account>,
    /// What was not heard of before this process began, until the account is looked at.
    before: Before,
    /// The accounts that have left the fleet while they were blind, until it is said.
    left: Vec<AccountId>,
    /// Of the messages, since the start.
    pub counts: Counts,
}

/// What came out of the queue of events since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events of calls.
    pub events: u64,
    /// Of these, those of our own calls.
    pub ours: u64,
    /// Messages that are no event, each once: they go to the queue's dead letters.
    pub unreadable: u64,
}

/// What was not heard of before this process began.
#[derive(Debug, Default)]
struct Before {
    silences: BTreeMap<AccountId, Silence>,
    /// All targets.
    targets: BTreeSet<String>,
    /// Those of whose accounts it is known since which of these they select.
    selected: BTreeMap<String, BTreeSet<AccountId>>,
}

impl Before {
    /// All targets are these.
    fn keep_targets(&mut self, names: &BTreeSet<String>) {
        self.targets.clone_from(names);
        self.selected.retain(|target, _| names.contains(target));
    }

    /// A target selects these accounts.
    fn selects(&mut self, target: &str, accounts: &BTreeSet<AccountId>) {
        let ours = self.silences.keys().filter(|account| accounts.contains(*account));
        self.selected.insert(target.to_owned(), ours.cloned().collect());
    }

    /// Forgets the accounts that no target selects, once that is known; gives those that were blind.
    fn leave(&mut self) -> Vec<AccountId> {
        let is_known = |target: &String| self.selected.contains_key(target);
        if self.targets.is_empty() || !self.targets.iter().all(is_known) {
            return Vec::new();
        }
        let selected = &self.selected;
        let is_left = |account: &AccountId| !selected.values().any(|all| all.contains(account));
        let left = self.silences.extract_if(.., |account, _| is_left(account));
        left.filter(|(_, silence)| silence.is_blind).map(|(account, _)| account).collect()
    }
}

#[derive(Debug)]
struct Account {
    home: Region,
    /// The last whole look of each target.
    full: BTreeMap<String, Duration>,
    /// The last event, and how long it was on its way.
    event: Option<(Duration, Duration)>,
    /// When the last call was made whose event is expected.
    sent: Option<Duration>,
    /// The first such call since the last event of one.
    unheard: Option<Duration>,
    /// Since when it is blind.
    blind: Option<Duration>,
    /// For how long nothing was heard of it before that, by another process.
    silent_before: Duration,
    /// When it was looked at because it is blind.
    polled: Option<Duration>,
}

impl Account {
    /// When the next call is due whose event is expected. Of who was silent before this process began, it is soon known
    /// whether that is so still: only what this process calls is answered to it.
    fn next(&self, account: &AccountId, every: Duration) -> Duration {
        match (self.sent, self.unheard) {
            (Some(sent), _) => sent + every,
            (None, Some(_)) => Duration::ZERO,
            (None, None) => every.mul_f64(place(account)),
        }
    }

    fn silent(&self, now: Duration) -> Duration {
        let since = self.unheard.map(|unheard| now.saturating_sub(unheard) + self.silent_before);
        since.unwrap_or_default()
    }
}

/// How well an account is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The account.
    pub account: AccountId,
    /// How old its last whole look is; of several targets, the oldest.
    pub full: Option<Duration>,
    /// How old its last event is.
    pub event: Option<Duration>,
    /// How long that event was on its way.
    pub lag: Option<Duration>,
    /// For how long it has been blind.
    pub blind: Option<Duration>,
    /// Which objectives are missed: `full`, `event`.
    pub missed: Vec<&'static str>,
}

/// For how long nothing has been heard of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The account.
    pub account: AccountId,
    /// For how long.
    pub silent: Duration,
    /// Whether that is too long.
    pub is_blind: bool,
}

/// What has changed of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing is heard of it: for so long, since the first call that was not heard of.
    Blind {
        /// The account.
        account: AccountId,
        /// For how long.
        silent: Duration,
    },
    /// It is heard of again.
    Sees {
        /// The account.
        account: AccountId,
        /// For how long it was blind.
        blind: Duration,
    },
    /// It was blind, and no target selects it any more: nothing is expected of it.
    Left {
        /// The account.
        account: AccountId,
    },
}

impl Sight {
    /// One that expects this much.
    pub fn new(heartbeat: Option<Heartbeat>, objectives: Objectives) -> Self {
        Self { heartbeat, objectives, ..Self::default() }
    }

    /// A whole look of a target at an account is over; without a target, of all that are known.
    pub fn looked(
        &mut self,
        account: &AccountId,
        home: &Region,
        target: Option<&str>,
        now: Duration,
    ) {
        let before = self.before.silences.remove(account);
        let known = self.accounts.entry(account.clone()).or_insert_with(|| Account {
            home: home.clone(),
            full: BTreeMap::new(),
            event: None,
            sent: None,
            unheard: before.as_ref().map(|_| now),
            blind: before.as_ref().filter(|before| before.is_blind).map(|_| now),
            silent_before: before.map(|before| before.silent).unwrap_or_default(),
            polled: None,
        });
        known.home = home.clone();
        match target {
            Some(target) => drop(known.full.insert(target.to_owned(), now)),
            None => known.full.values_mut().for_each(|at| *at = now),
        }
    }

    /// Another controller has looked at all that a target declares for an account.
    pub fn looked_elsewhere(&mut self, account: &AccountId, target: &str, now: Duration) {
        if let Some(known) = self.accounts.get_mut(account) {
            known.full.insert(target.to_owned(), now);
        }
    }

    /// Forgets the targets that are not among these any more, and the accounts without a target.
    pub fn keep_targets(&mut self, names: &BTreeSet<String>) {
        for account in self.accounts.values_mut() {
            account.full.retain(|target, _| names.contains(target));
        }
        self.forget(|account| account.full.is_empty());
        self.before.keep_targets(names);
        self.left.extend(self.before.leave());
    }

    /// Forgets accounts; those that are blind have left.
    fn forget(&mut self, is_left: impl Fn(&Account) -> bool) {
        let left = self.accounts.extract_if(.., |_, account| is_left(account));
        let blind = left.filter(|(_, account)| account.blind.is_some());
        self.left.extend(blind.map(|(account, _)| account));
    }

    /// Forgets what was seen for a target in other accounts than these, which it selects: one that no target
    /// selects any more misses no objective, and no event of it is expected.
    pub fn keep_accounts(&mut self, target: &str, accounts: &BTreeSet<AccountId>) {
        for (_, known) in
            self.accounts.iter_mut().filter(|(account, _)| !accounts.contains(*account))
        {
            known.full.remove(target);
        }
        self.forget(|account| account.full.is_empty());
        self.before.selects(target, accounts);
        self.left.extend(self.before.leave());
    }

    /// An event of an account came, which was so long on its way.
    pub fn heard(&mut self, account: &AccountId, lag: Duration, now: Duration) {
        self.counts.events += 1;
        if let Some(known) = self.accounts.get_mut(account) {
            known.event = Some((now, lag));
        }
    }

    /// Begins calls whose event is expected, so many at most, where they are due. They do not come
    /// together: each account has a place of its own in the time between two calls.
    pub fn begin(&mut self, now: Duration, most: usize) -> Vec<(AccountId, Region)> {
        let Some(heartbeat) = &self.heartbeat else { return Vec::new() };
        let every = heartbeat.every.duration();
        let due =
            self.accounts.iter_mut().filter(|(account, known)| known.next(account, every) <= now);
        let mut begun = Vec::new();
        for (account, known) in due.take(most) {
            known.sent = Some(now);
            known.unheard.get_or_insert(now);
            begun.push((account.clone(), known.home.clone()));
        }
        begun
    }

    /// Such a call could not be made: then the account cannot be looked into either, which its runs say,
    /// and nothing is expected of it.
    pub fn not_made(&mut self, account: &AccountId) {
        if let Some(known) = self.accounts.get_mut(account)
            && known.unheard == known.sent
        {
            known.unheard = None;
        }
    }

    /// When there is something to do next, beginning such calls included where that is possible.
    pub fn wakes_at(&self, may_begin: bool) -> Option<Duration> {
        let heartbeat = self.heartbeat.as_ref()?;
        let (every, within) = (heartbeat.every.duration(), heartbeat.within.duration());
        let all = self.accounts.iter().flat_map(|(account, known)| {
            let begins = may_begin.then(|| known.next(account, every));
            let blind = match known.blind {
                None => known
                    .unheard
                    .map(|unheard| unheard + within.saturating_sub(known.silent_before)),
                Some(_) => known.polled.map(|polled| polled + BLIND_EVERY),
            };
            begins.into_iter().chain(blind)
        });
        all.min()
    }

    /// Whether calls are made to be heard of: without them, nobody would notice that an account is blind.
    pub fn watches(&self) -> bool {
        self.heartbeat.is_some()
    }

    /// The event of such a call came.
    pub fn came(&mut self, account: &AccountId, now: Duration) -> Option<Change> {
        let Some(known) = self.accounts.get_mut(account) else {
            let before = self.before.silences.remove(account)?;
            let sees = || Change::Sees { account: account.clone(), blind: before.silent };
            return before.is_blind.then(sees);
        };
        known.unheard = None;
        known.polled = None;
        let before = std::mem::take(&mut known.silent_before);
        let since = known.blind.take()?;
        Some(Change::Sees { account: account.clone(), blind: now.saturating_sub(since) + before })
    }

    /// The event of such a call of another process came, so long after the call: until then, the account was heard of. One
    /// that is blind is so until it answers to us.
    pub fn came_to_another(&mut self, account: &AccountId, age: Duration, now: Duration) {
        if let Some(before) = self.before.silences.get_mut(account)
            && !before.is_blind
        {
            before.silent = before.silent.min(age);
        }
        if let Some(known) = self.accounts.get_mut(account)
            && known.blind.is_none()
            && age < known.silent(now)
        {
            let since = age.min(now);
            known.unheard = Some(now.saturating_sub(since));
            known.silent_before = age.saturating_sub(since);
        }
    }

    /// What another process has not heard of: an account stays as silent as it was over a restart.
    pub fn remember(&mut self, silences: impl IntoIterator<Item = Silence>) {
        let silences = silences.into_iter().map(|silence| (silence.account.clone(), silence));
        self.before.silences.extend(silences);
    }

    /// The accounts of which something is expected that has not come yet, and the blind ones.
    pub fn silences(&self, now: Duration) -> Vec<Silence> {
        if self.heartbeat.is_none() {
            return Vec::new();
        }
        let silence = |(account, known): (&AccountId, &Account)| Silence {
            account: account.clone(),
            silent: known.silent(now),
            is_blind: known.blind.is_some(),
        };
        let before = self.before.silences.values().cloned();
        let all = self.accounts.iter().map(silence).chain(before);
        all.filter(|one| one.is_blind || !one.silent.is_zero()).collect()
    }

    /// The accounts that have become blind, or have left while they were.
    pub fn tick(&mut self, now: Duration) -> Vec<Change> {
        let left = std::mem::take(&mut self.left).into_iter();
        let mut blind: Vec<Change> = left.map(|account| Change::Left { account }).collect();
        let Some(heartbeat) = &self.heartbeat else { return blind };
        let within = heartbeat.within.duration();
        for (account, known) in &mut self.accounts {
            if let (None, Some(unheard)) = (known.blind, known.unheard)
                && now + known.silent_before >= unheard + within
            {
                known.blind = Some(unheard);
                let silent = now.saturating_sub(unheard) + known.silent_before;
                blind.push(Change::Blind { account: account.clone(), silent });
            }
        }
        blind
    }

    /// The blind accounts that are to be looked at now.
    pub fn blind(&mut self, now: Duration) -> Vec<AccountId> {
        let mut due = Vec::new();
        for (account, known) in &mut self.accounts {
            let is_due = known.polled.is_none_or(|polled| now >= polled + BLIND_EVERY);
            if known.blind.is_some() && is_due {
                known.polled = Some(now);
                due.push(account.clone());
            }
        }
        due
    }

    /// How well each account is seen.
    pub fn all(&self, now: Duration) -> Vec<Seen> {
        let age = |at: Duration| now.saturating_sub(at);
        let all = self.accounts.iter().map(|(account, known)| {
            let full = known.full.values().min().map(|at| age(*at));
            let lag = known.event.map(|(_, lag)| lag);
            let mut missed = Vec::new();
            let objective = self.objectives.full.map(|span| span.duration());
            if objective.zip(full).is_some_and(|(most, full)| full > most) {
                missed.push("full");
            }
            let objective = self.objectives.event.map(|span| span.duration());
            if objective
                .is_some_and(|most| known.blind.is_some() || lag.is_some_and(|lag| lag > most))
            {
                missed.push("event");
            }
            Seen {
                account: account.clone(),
                full,
                event: known.event.map(|(at, _)| age(at)),
                lag,
                blind: known.blind.map(|since| age(since) + known.silent_before),
                missed,
            }
        });
        all.collect()
    }
}

/// The place of an account in a period, between 0 and 1: the same in every process.
fn place(account: &AccountId) -> f64 {
    // FNV-1a, 32 bits.
    let hash = account
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    f64::from(hash) / f64::from(u32::MAX)
}

#[cfg(test)]
#[path = "sight_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
