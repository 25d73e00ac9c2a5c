//! What people and the ledger know of the guards' memory.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use serde_json::{Value, json};

use super::super::super::clocks::Clocks;
use super::super::declared::{Declared, KINDS, Thing};
use super::super::ledger::Stood;
use super::World;
use crate::guards::rollout::{self, Rollout, wave_of};
use crate::guards::{Breaker, Confirmed, Hold, ObjectKey};
use crate::guards::{fight::FIGHTS, first_run, hold::HOLDS};
use crate::reconcile::Rules;
use crate::reconcile::guarded::{ALL, Aim, OfAccount, OfAll, document_of};
use crate::store::memory::{Document, Memory, NOT_THERE};

impl World {
    fn remembered(&self, name: &str) -> Option<Document> {
        self.memory.read(name).now_or_never().unwrap().unwrap()
    }

    fn list(&self, prefix: &str) -> Vec<Document> {
        self.memory.list(prefix).now_or_never().unwrap().unwrap()
    }

    fn remember(&self, name: &str, seen: u64, body: &Value) {
        self.memory.write(name, seen, body).now_or_never().unwrap().unwrap();
    }

    fn key(thing: &Thing) -> ObjectKey {
        let kind = &KINDS[thing.1];
        let region = kind.region.unwrap_or("global");
        format!("{}/{region}/{}", thing.0, kind.item).parse().unwrap()
    }

    /// How the guards stand towards a write.
    pub fn stood(&self, thing: &Thing, rules: &Rules) -> Stood {
        let wall = self.clocks.wall();
        let own: OfAccount = self
            .remembered(&document_of(&thing.0))
            .map_or_else(Default::default, |one| one.typed().unwrap());
        let all: OfAll =
            self.remembered(ALL).map_or_else(Default::default, |one| one.typed().unwrap());
        let wave = rules.waves.get(wave_of(&rules.waves, &thing.0));
        let of_wave = wave.and_then(|wave| Some((&wave.name, all.waves.get(&wave.name)?)));
        let mut breakers = vec![
            (format!("account {}", thing.0), own.breaker.standing(wall)),
            ("all".to_owned(), all.breaker.standing(wall)),
        ];
        breakers
            .extend(of_wave.map(|(name, one): (_, &Breaker)| (name.clone(), one.standing(wall))));
        let hold = self.remembered(&Self::key(thing).document(HOLDS));
        let hold = hold.map(|one| one.typed::<Hold>().unwrap().until);
        Stood { at: self.clocks.now(), held: hold.filter(|until| wall < *until), breakers }
    }

    /// How far the rollouts of targets are: those that are halted at a version, and what their accounts
    /// have of it already.
    pub fn rollouts(
        &self,
        aims: &[Aim],
        declared: &Declared,
        rules: &Rules,
    ) -> (BTreeSet<String>, BTreeSet<(String, usize)>) {
        let (mut halted, mut known) = (BTreeSet::new(), BTreeSet::new());
        for Aim { name, version, .. } in aims {
            self.state().versions.insert(version.digest.clone(), declared.wanted);
            let there = self.remembered(&rollout::document(name));
            let Some(document) = there.filter(|_| !rules.waves.is_empty()) else { continue };
            let progress = document.typed::<Rollout>().unwrap().progress(&rules.waves);
            if progress.halted.is_some() && progress.version.as_ref() == Some(&version.digest) {
                halted.insert(name.clone());
            }
            let state = self.state();
            let Some(done) = progress.done.and_then(|done| state.versions.get(&done)) else {
                continue;
            };
            let same = (0..KINDS.len()).filter(|kind| done[*kind] == declared.wanted[*kind]);
            known.extend(same.map(|kind| (name.clone(), kind)));
        }
        (halted, known)
    }

    /// Somebody asks for a thing to be left as it is.
    pub fn hold(&self, thing: &Thing, time: Duration) {
        let since = self.clocks.wall();
        let object = Self::key(thing);
        let name = object.document(HOLDS);
        let until = since + TimeDelta::from_std(time).unwrap();
        let hold = Hold { object, since, until, owner: "ops".to_owned(), reason: "why".to_owned() };
        let seen = self.remembered(&name).map_or(NOT_THERE, |one| one.version);
        self.remember(&name, seen, &json!(hold));
        self.say(|| format!("ops hold {thing:?}"));
    }

    /// People settle what waits for them: targets are confirmed, what is held is released, rollouts go on.
    pub fn settle(&self) {
        let now = self.clocks.now();
        self.state().ledger.decide(now);
        for target in ["s", "t"] {
            let name = first_run::document(target);
            let seen = self.remembered(&name).map_or(NOT_THERE, |one| one.version);
            let (target, since) = (target.to_owned(), self.clocks.wall());
            self.state().ledger.confirm(&target);
            let confirmed = Confirmed { target, since, by: "ops".to_owned(), applied: false };
            self.remember(&name, seen, &json!(confirmed));
        }
        for of in [FIGHTS, HOLDS] {
            for document in self.list(&format!("guards/{of}/")) {
                self.memory
                    .remove(&document.name, document.version)
                    .now_or_never()
                    .unwrap()
                    .unwrap();
            }
        }
        let things: Vec<Thing> = self.state().things.keys().cloned().collect();
        things.iter().for_each(|thing| self.state().ledger.release(thing));
        self.decide(|rollout, wall| rollout.resume(true, wall));
        self.say(|| "people settle what waits for them".to_owned());
    }

    /// People give up what is on its way.
    pub fn abort(&self) {
        self.decide(|rollout, wall| rollout.abort("ops", wall));
        self.say(|| "people give the rollouts up".to_owned());
    }

    fn decide(&self, decide: impl Fn(&mut Rollout, DateTime<Utc>) -> bool) {
        for document in self.list(rollout::FOLDER) {
            let mut rollout: Rollout = document.typed().unwrap();
            if decide(&mut rollout, self.clocks.wall()) {
                self.remember(&document.name, document.version, &json!(rollout));
            }
        }
    }
}
