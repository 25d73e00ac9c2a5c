//! The audit log of a simulation, and what must always hold of it and of the writers.

#![allow(clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::super::clocks::Clocks;
use super::super::declared::{BUDGET, Thing};
use super::super::ledger::{Asker, Stood};
use super::{Line, World, Write};
use crate::fleet::access::source_identity;
use crate::names::AccountId;
use crate::reconcile::locks::Held;

impl World {
    /// A run of a process begins.
    pub fn begin_run(&self, id: &str) -> u64 {
        let mut state = self.state();
        state.runs.push(id.to_owned());
        state.runs.len() as u64
    }

    /// The intents that have no outcome.
    pub fn unfinished(&self) -> Vec<(Write, Thing)> {
        self.state().open.iter().map(|(write, thing)| (*write, thing.clone())).collect()
    }

    /// The controller stands still for so long that its leases run out, but for those of the writes that
    /// are on their way.
    pub fn lose_leases(&self) {
        let writing: BTreeSet<AccountId> = self.state().writing.keys().cloned().collect();
        let is_writing = |name: &str| writing.iter().any(|account| account.as_str() == name);
        self.leases.lose(self.clocks.now(), is_writing);
        self.say(|| "leases are lost".to_owned());
    }

    /// Whether an account is still the run's that holds it.
    pub fn is_held(&self, account: &AccountId, held: &Held) -> bool {
        self.leases.holds(account, held.token().unwrap_or_default(), self.clocks.now())
    }

    /// A write is about to be sent, which the guards let through.
    pub fn intends(&self, asker: &Asker, stood: &Stood, write: Write, thing: &Thing) {
        assert_eq!(self.kill_switch.pulled(), None, "a write begins while the kill switch is on");
        let mut state = self.state();
        let now = (self.clocks.now(), self.clocks.wall());
        assert!(now.0 >= state.store_is_back, "a write begins while the store is away");
        let other = state.writing.insert(thing.0.clone(), write);
        assert_eq!(other, None, "two write to {}", thing.0);
        assert!(state.open.insert(write, thing.clone()).is_none(), "{write:?} is begun twice");
        let done = state.writes_of.entry((write.0, thing.0.clone())).or_default();
        *done += 1;
        assert!(*done <= BUDGET, "run {} is over its budget in {}", write.0, thing.0);
        let value = state.things[thing];
        state.ledger.begins(asker, stood, write, thing, value, now);
        state.audit.push((write, thing.clone(), Line::Intent));
    }

    /// A write comes to AWS.
    pub fn writes(&self, write: Write, thing: &Thing, value: u64) {
        assert_eq!(self.state().open.get(&write), Some(thing), "a write without intent");
        let run = self.state().runs.get(usize::try_from(write.0 - 1).unwrap_or(0)).cloned();
        self.set(thing, value, &source_identity(&run.unwrap_or_default()));
        self.state().ledger.accepted(write, thing, value);
    }

    /// A thing is seen as it was written.
    pub fn sees(&self, write: Write, thing: &Thing) {
        self.state().ledger.seen(write, thing);
    }

    /// The guards are told what became of a write, for as long as this is kept.
    pub fn tells(self: &Arc<Self>) -> Telling {
        self.state().ledger.tells();
        Telling(Arc::clone(self))
    }

    /// What came of a write is noted.
    pub fn notes(&self, write: Write, line: Line) {
        let mut state = self.state();
        let thing = state.open.remove(&write);
        let thing = thing.unwrap_or_else(|| panic!("{write:?} has no intent, or two outcomes"));
        if state.writing.get(&thing.0) == Some(&write) {
            state.writing.remove(&thing.0);
        }
        state.ledger.ends(|one| one == write);
        state.audit.push((write, thing, line));
    }

    /// A look has found that a thing is not what it is to be, and the guards have heard that.
    pub fn found_drifted(&self, thing: &Thing, wanted: u64) {
        let (mut state, now) = (self.state(), self.clocks.now());
        let value = state.things[thing];
        state.ledger.found_drifted(thing, wanted, value, now);
    }

    /// A whole look at a target has ended.
    pub fn looked(&self, asker: &Asker, target: &str) {
        let now = self.clocks.now();
        self.state().ledger.looked(asker, target, now);
    }
}

/// Somebody who tells the guards what became of a write, until it is done or who does it is dead.
pub struct Telling(Arc<World>);

impl Drop for Telling {
    fn drop(&mut self) {
        let now = self.0.clocks.now();
        self.0.state().ledger.told(now);
    }
}
