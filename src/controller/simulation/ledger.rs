//! What must hold of the guards, whatever they remember: counted anew here, from what is really
//! written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::declared::{Declared, KINDS, Thing};
use super::world::Write;
use crate::guards::breaker::Standing;
use crate::guards::rollout::wave_of;
use crate::names::AccountId;
use crate::reconcile::Rules;
use crate::reconcile::guarded::Aim;

/// Nobody waits longer for a change that is tried.
const TRIED: TimeDelta = TimeDelta::minutes(10);

/// A run, as the guards were asked about it.
pub struct Asker {
    /// Its number.
    pub run: u64,
    /// What it goes by.
    pub rules: Rules,
    /// The files that it uses.
    pub declared: std::sync::Arc<Declared>,
    /// Its targets.
    pub aims: Vec<Aim>,
    /// When it began.
    pub began: Duration,
    /// The targets whose rollout was halted then.
    pub halted: BTreeSet<String>,
    /// What every account of a target has of this version already.
    pub known: BTreeSet<(String, usize)>,
}

/// How the guards stood when leave to write was asked for.
pub struct Stood {
    /// When.
    pub at: Duration,
    /// Until when somebody holds the thing.
    pub held: Option<DateTime<Utc>>,
    /// The breakers of the account, of its wave and of all accounts.
    pub breakers: Vec<(String, Standing)>,
}

/// What is written, and by which leave.
#[derive(Default)]
pub struct Ledger {
    written: BTreeMap<AccountId, usize>,
    things: BTreeMap<Thing, Turns>,
    probes: BTreeMap<String, (Write, DateTime<Utc>)>,
    /// How many tell the guards just now what became of a write, and when one last ended to.
    telling: usize,
    told: Duration,
    /// Since when a thing had a value, as far as anybody looked, by a clock that was only ever set forward.
    had: BTreeMap<(Thing, u64), Duration>,
    /// The waves of a target's version that were as declared for their time when a look ended.
    passed: BTreeSet<(String, u64, usize)>,
    /// By how much the clock on the wall was set forward, in all.
    forward: Duration,
    confirmed: BTreeSet<String>,
    /// When people decided something last.
    decided: Duration,
}

/// The turns of a thing that somebody may change back.
#[derive(Default)]
struct Turns {
    /// What AWS accepted last, until somebody has seen it.
    unseen: Option<(Write, u64)>,
    /// What was written last and seen so, until somebody changed that back.
    last: Option<u64>,
    lost: usize,
    /// How often people released it.
    released: usize,
    /// The same when the last write began.
    began: usize,
}

impl Ledger {
    /// A target that may be applied.
    pub fn confirm(&mut self, target: &str) {
        self.confirmed.insert(target.to_owned());
    }

    /// People decided something.
    pub fn decide(&mut self, now: Duration) {
        self.decided = now;
    }

    /// Nothing of a thing is fought over any more.
    pub fn release(&mut self, thing: &Thing) {
        let turns = self.things.entry(thing.clone()).or_default();
        turns.released += 1;
        (turns.unseen, turns.last, turns.lost) = (None, None, 0);
    }

    /// The clock on the wall was set forward.
    pub fn set_forward(&mut self, by: Duration) {
        self.forward += by;
    }

    /// A thing has a value.
    pub fn has(&mut self, thing: &Thing, value: u64, now: Duration) {
        let now = now + self.forward;
        self.had.entry((thing.clone(), value)).or_insert(now);
    }

    /// A look has found that a thing is not what it is to be; what it is by now.
    pub fn found_drifted(&mut self, thing: &Thing, wanted: u64, value: u64, now: Duration) {
        self.had.remove(&(thing.clone(), wanted));
        if value == wanted {
            self.has(thing, wanted, now);
        }
    }

    /// A whole look at a target has ended.
    pub fn looked(&mut self, asker: &Asker, target: &str, now: Duration) {
        let (accounts, number) = (&asker.declared.targets[target], asker.declared.number);
        for (place, wave) in asker.rules.waves.iter().enumerate() {
            let soak = Duration::from_secs(u64::from(wave.soak_minutes) * 60);
            let is_soaked = |account: &&AccountId| {
                (0..KINDS.len()).all(|kind| {
                    let wanted = asker.declared.wanted[kind];
                    let since = self.had.get(&(((*account).clone(), kind), wanted));
                    since.is_some_and(|since| *since + soak <= now + self.forward)
                })
            };
            let mut of_wave =
                accounts.iter().filter(|one| wave_of(&asker.rules.waves, one) == place);
            if of_wave.all(|account| is_soaked(&account)) {
                self.passed.insert((target.to_owned(), number, place));
            }
        }
    }

    /// A write was let through and begins, while the thing has this value.
    pub fn begins(
        &mut self,
        asker: &Asker,
        stood: &Stood,
        write: Write,
        thing: &Thing,
        value: u64,
        now: (Duration, DateTime<Utc>),
    ) {
        self.in_budget(asker, thing);
        self.not_fought_over(asker, thing, value);
        if stood.at > self.decided {
            assert!(stood.held.is_none_or(|until| now.1 >= until), "{thing:?} is held");
        }
        self.past_breakers(stood, write, now.1);
        let account = &thing.0;
        let of_account = |aim: &&Aim| {
            let accounts = asker.declared.targets.get(&aim.name);
            !aim.is_beside && accounts.is_some_and(|all| all.contains(account))
        };
        for aim in asker.aims.iter().filter(of_account) {
            let name = &aim.name;
            assert!(self.confirmed.contains(name), "{name} was never confirmed");
            if !asker.known.contains(&(name.clone(), thing.1)) {
                self.in_its_turn(asker, name, account);
            }
        }
    }

    fn in_budget(&mut self, asker: &Asker, thing: &Thing) {
        *self.written.entry(thing.0.clone()).or_default() += 1;
        let (own, all) = (self.written[&thing.0], self.written.values().sum::<usize>());
        let Rules { per_account_per_day, per_day, .. } = &asker.rules;
        assert!(own <= *per_account_per_day, "{own} writes in {} in a day", thing.0);
        assert!(all <= *per_day, "{all} writes in a day");
    }

    fn not_fought_over(&mut self, asker: &Asker, thing: &Thing, value: u64) {
        let turns = self.things.entry(thing.clone()).or_default();
        if turns.last.take_if(|last| *last != value).is_some() {
            turns.lost += 1;
        }
        turns.began = turns.released;
        let most = asker.rules.fights.times;
        assert!(turns.lost < most, "{thing:?} was changed back {} times", turns.lost);
    }

    fn past_breakers(&mut self, stood: &Stood, write: Write, wall: DateTime<Utc>) {
        for (whose, standing) in &stood.breakers {
            match standing {
                Standing::Closed => continue,
                Standing::Open { until, .. } => {
                    assert!(wall >= *until, "the breaker of {whose} is open")
                }
                Standing::HalfOpen { is_tried, .. } => {
                    // What became of the first may have come in between the look at it and the leave.
                    let may_be_over = self.telling > 0 || self.told >= stood.at;
                    let is_second = *is_tried && !may_be_over;
                    assert!(!is_second, "a second change is tried past the breaker of {whose}");
                }
            }
            let other = self.probes.insert(whose.clone(), (write, wall));
            let is_over = other.is_none_or(|(_, began)| wall >= began + TRIED);
            assert!(is_over, "two changes are tried past the breaker of {whose}");
        }
    }

    /// All accounts of the waves before had what the version declares for long enough, when a look ended.
    fn in_its_turn(&self, asker: &Asker, target: &str, account: &AccountId) {
        let waves = &asker.rules.waves;
        if asker.began > self.decided {
            assert!(!asker.halted.contains(target), "the rollout of {target} is halted");
        }
        for before in 0..wave_of(waves, account) {
            let is_passed =
                self.passed.contains(&(target.to_owned(), asker.declared.number, before));
            assert!(is_passed, "{account} is written before wave {before} of {target} was healthy");
        }
    }

    /// AWS accepted a write.
    pub fn accepted(&mut self, write: Write, thing: &Thing, value: u64) {
        let turns = self.things.entry(thing.clone()).or_default();
        turns.last = None;
        turns.unseen = (turns.began == turns.released).then_some((write, value));
    }

    /// A thing was seen as a write had made it, and the guards have heard of that.
    pub fn seen(&mut self, write: Write, thing: &Thing) {
        let turns = self.things.entry(thing.clone()).or_default();
        let unseen = turns.unseen.take_if(|(of, _)| *of == write);
        turns.last = unseen.map(|(_, value)| value).or(turns.last);
    }

    /// Somebody begins to tell the guards what became of a write.
    pub fn tells(&mut self) {
        self.telling += 1;
    }

    /// Somebody ends to, or has died of it.
    pub fn told(&mut self, now: Duration) {
        (self.telling, self.told) = (self.telling - 1, now);
    }

    /// A write has an end.
    pub fn ends(&mut self, is_it: impl Fn(Write) -> bool) {
        self.probes.retain(|_, (write, _)| !is_it(*write));
    }
}
