//! The files of a simulation: what lies there, and the last version that is good.

#![allow(clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use super::super::super::audience::Voice;
use super::super::super::files::{Files, Wanted};
use super::super::declared::{ACCOUNTS, Declared, KINDS, invalid};
use super::World;
use crate::baseline::load::Memory;
use crate::fleet::guards::{Breaker, Fights, Wave};
use crate::reconcile::Rules;

/// What lies there.
pub struct Shelf {
    /// All good versions, by their commits.
    versions: BTreeMap<String, Arc<Declared>>,
    /// The last good one.
    good: Arc<Declared>,
    rules: Rules,
    /// The number of what lies there now, be it good or not.
    latest: u64,
    /// The controller that looks there, if one lives.
    read_by: Weak<Files>,
}

impl Shelf {
    /// A first version.
    pub fn new(random: &mut fastrand::Rng) -> Self {
        let good = Arc::new(Declared::first());
        let (latest, commit) = (good.number, good.number.to_string());
        let versions = [(commit, Arc::clone(&good))].into();
        Self { versions, good, rules: rules(random), latest, read_by: Weak::new() }
    }

    /// The last good version.
    pub fn good(&self) -> &Declared {
        &self.good
    }

    /// What its fleet file says to the guards.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Who looks there from now on.
    pub fn is_read_by(&mut self, files: &Arc<Files>) {
        self.read_by = Arc::downgrade(files);
    }

    fn texts(&self) -> Memory {
        match self.latest == self.good.number {
            true => self.good.texts(&self.rules),
            false => invalid(self.latest),
        }
    }
}

impl World {
    /// The last good version.
    pub fn files(&self) -> Arc<Declared> {
        Arc::clone(&self.state().shelf.good)
    }

    /// What a version declares, by its commit.
    pub fn version(&self, commit: &str) -> Arc<Declared> {
        Arc::clone(&self.state().shelf.versions[commit])
    }

    /// The files, as a controller that starts has them. It is started with the last good version, whatever
    /// lies there by now.
    pub fn read_by(&self, wanted: Wanted, voice: &Arc<Voice>) -> Files {
        let (good, rules) = {
            let state = self.state();
            (Arc::clone(&state.shelf.good), state.shelf.rules.clone())
        };
        let files = Files::given(wanted, good.texts(&rules), &good.number.to_string(), voice);
        let files = files.unwrap_or_else(|error| panic!("{error}"));
        let (latest, texts) = {
            let state = self.state();
            (state.shelf.latest, state.shelf.texts())
        };
        files.give(texts, &latest.to_string());
        files
    }

    /// Somebody offers other files; odd numbers are good.
    pub fn offer(&self, number: u64) {
        {
            let mut state = self.state();
            let mut declared = Declared::clone(&state.shelf.good);
            declared.number = number;
            let one = state.random.usize(0..KINDS.len());
            for kind in 0..KINDS.len() {
                if kind == one || state.random.bool() {
                    declared.wanted[kind] = number;
                }
            }
            state.shelf.latest = number;
            if number % 2 == 1 {
                let declared = Arc::new(declared);
                state.shelf.versions.insert(number.to_string(), Arc::clone(&declared));
                state.shelf.good = declared;
            }
        }
        self.say(|| format!("files {number}"));
        self.give();
    }

    /// People let go what the budgets of a day hold back, in files that are good.
    pub(super) fn give_way(&self) {
        {
            let mut state = self.state();
            state.shelf.latest = state.shelf.good.number;
            let rules = &mut state.shelf.rules;
            (rules.per_day, rules.per_account_per_day) = (10_000, 10_000);
        }
        self.give();
    }

    /// The controller looks at what lies there, and goes by the last good version.
    fn give(&self) {
        let (read_by, latest, texts, good) = {
            let shelf = &self.state().shelf;
            let good = shelf.good.number.to_string();
            (shelf.read_by.upgrade(), shelf.latest.to_string(), shelf.texts(), good)
        };
        let Some(files) = read_by else { return };
        files.give(texts, &latest);
        assert_eq!(files.good().label.commit, Some(good), "another version is in force");
    }
}

/// Rules as fleet files have them, some of them strict.
fn rules(random: &mut fastrand::Rng) -> Rules {
    let wave = |name: &str, account: &str, soak_minutes| Wave {
        name: name.to_owned(),
        accounts: vec![account.to_owned()],
        percent: None,
        soak_minutes,
    };
    let waves = vec![wave("canary", ACCOUNTS[2], 10), wave("some", ACCOUNTS[0], 5)];
    Rules {
        per_day: random.usize(20..120),
        per_account_per_day: random.usize(6..40),
        breaker: Breaker { failures: 3, percent: 50, minutes: 15, pause_minutes: 3 },
        fights: Fights { times: random.usize(1..4), hours: 24 },
        waves: if random.bool() { waves } else { Vec::new() },
        confirmed: if random.bool() { ["t".to_owned()].into() } else { BTreeSet::new() },
    }
}
