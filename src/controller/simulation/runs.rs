//! What a run does, step by step, each of which takes its time and may be the last one: look, look
//! after what a dead run left, ask the guards, look again, note, write, note.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use croner::Cron;

use super::super::PATH;
use super::super::drive::{Clocks, Ended, Runs, Woken};
use super::super::events::Event;
use super::super::queue::{Job, What};
use super::super::sight::Sight;
use super::world::{BUDGET, KINDS, Leasing, Line, TERM, Thing, World};
use crate::fleet::file::schedule;
use crate::names::{AccountId, Region};
use crate::reconcile::{AccountLocks, Claims, Stop};

/// One life of the controller.
pub struct Process {
    world: Arc<World>,
    locks: AccountLocks,
    is_dead: Arc<AtomicBool>,
    stop: Stop,
    alive: Mutex<BTreeSet<u64>>,
    all: Mutex<BTreeSet<u64>>,
    in_hand: Mutex<Vec<What>>,
    sight: Mutex<Option<Arc<Mutex<Sight>>>>,
    was_pulled: Mutex<bool>,
}

impl Process {
    /// Begins.
    pub fn start(world: &Arc<World>, stop: &Stop) -> Self {
        let life = world.begin_life();
        world.say(&format!("life {life} begins"));
        let is_dead = Arc::new(AtomicBool::new(false));
        let (clocks, leasing) = (
            world.clocks.clone(),
            Leasing { world: Arc::clone(world), is_dead: Arc::clone(&is_dead) },
        );
        let claims = Claims {
            leases: Arc::new(leasing),
            holder: format!("life {life}"),
            term: TERM,
            pause: Arc::new(move |time| {
                let clocks = clocks.clone();
                Box::pin(async move { clocks.sleep(time).await })
            }),
        };
        Self {
            world: Arc::clone(world),
            locks: AccountLocks::claimed(claims),
            is_dead,
            stop: stop.clone(),
            alive: Mutex::default(),
            all: Mutex::default(),
            in_hand: Mutex::default(),
            sight: Mutex::default(),
            was_pulled: Mutex::default(),
        }
    }

    /// Tells this of whole looks.
    pub fn sees_with(&self, sight: Arc<Mutex<Sight>>) -> Arc<Mutex<Sight>> {
        *lock(&self.sight) = Some(Arc::clone(&sight));
        sight
    }

    /// It comes to its own end, and gives back what it has claimed.
    pub async fn end(&self) {
        self.locks.end().await;
    }

    /// It is no more.
    pub fn dies(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    /// All its runs.
    pub fn runs(&self) -> BTreeSet<u64> {
        lock(&self.all).clone()
    }

    /// What must hold of its sight when all has come to rest.
    pub fn look_at_rest(&self) {
        let sight = lock(&self.sight).clone().unwrap();
        let seen = lock(&sight).all(self.world.clocks.now());
        assert_eq!(seen.len(), super::world::ACCOUNTS.len());
        for one in seen {
            assert_eq!(one.blind, None, "{} is blind", one.account);
            assert!(one.full.is_some_and(|full| full.as_secs() < 1800), "{one:?}");
        }
    }

    /// Which accounts and kinds a job is about.
    fn about(&self, what: &What) -> (Vec<AccountId>, BTreeSet<usize>) {
        let declared = self.world.files();
        let of = |name: &String| declared.targets.get(name).cloned().unwrap_or_default();
        let all = || (0..KINDS.len()).collect();
        let named = |name: &str| KINDS.iter().position(|kind| kind.0 == name);
        match what {
            What::Target(name) => (of(name), all()),
            What::Path(name) => (of(name), PATH.iter().filter_map(|kind| named(kind)).collect()),
            What::Account(account) => (vec![account.clone()], all()),
            What::Parts { account, parts } => {
                let kinds = parts.iter().filter_map(|(kind, _)| named(kind)).collect();
                (vec![account.clone()], kinds)
            }
        }
    }

    async fn whole(&self, run: u64, what: &What) -> Ended {
        let world = &self.world;
        let wanted = world.files().wanted;
        let (accounts, kinds) = self.about(what);
        let looks = accounts.iter().map(|account| self.look(account, &kinds, &wanted));
        let looked = futures::future::join_all(looks).await;
        if self.stop.is_raised() {
            return Ended::Stopped;
        }
        self.recover(&accounts).await;
        let has_failed = looked.iter().any(Option::is_none);
        let drift: Vec<Vec<Thing>> = looked.into_iter().flatten().collect();
        if drift.iter().any(|things| things.len() > BUDGET) && !matches!(what, What::Target(_)) {
            // A whole target is written part by part here, so that everything can come to rest.
            world.say(&format!("run {run} is over its budget"));
            return Ended::Done;
        }
        let writes = drift
            .into_iter()
            .enumerate()
            .map(|(place, things)| self.write(run, place as u64 * 100, things, wanted));
        let written = futures::future::join_all(writes).await;
        if let (false, Some(sight)) = (has_failed, lock(&self.sight).clone()) {
            let target = match what {
                What::Target(name) => Some(name.as_str()),
                _ => None,
            };
            if matches!(what, What::Target(_) | What::Account(_)) {
                let now = world.clocks.now();
                let home = Region::new("eu-west-1");
                accounts.iter().for_each(|one| lock(&sight).looked(one, &home, target, now));
            }
        }
        match has_failed || written.contains(&false) {
            true => Ended::Again,
            false => Ended::Done,
        }
    }

    /// The things of an account that are not as declared; none where nobody knows.
    async fn look(
        &self,
        account: &AccountId,
        kinds: &BTreeSet<usize>,
        wanted: &[u64; 3],
    ) -> Option<Vec<Thing>> {
        let held = self.locks.hold(account).await;
        self.world.takes(10_000).await;
        let is_throttled = self.world.happens(8);
        let things = kinds.iter().map(|kind| (account.clone(), *kind));
        let drifted = things.filter(|thing| self.world.thing(thing) != wanted[thing.1]).collect();
        held.give_back().await;
        if is_throttled {
            self.world.say(&format!("throttled in {account}"));
            return None;
        }
        Some(drifted)
    }

    /// Looks after the writes of dead runs.
    async fn recover(&self, accounts: &[AccountId]) {
        let is_dead = |run: u64| !lock(&self.alive).contains(&run);
        for (write, thing) in self.world.unfinished() {
            if !is_dead(write.0) || !accounts.contains(&thing.0) {
                continue;
            }
            let held = self.locks.hold(&thing.0).await;
            self.world.takes(1_000).await;
            // Without its lease, nobody knows whether another process writes there.
            if self.world.is_held(&thing.0, held.token())
                && self.world.unfinished().iter().any(|(open, _)| *open == write)
            {
                self.world.say(&format!("recovered {write:?}"));
                self.world.notes(write, Line::Recovered);
            }
            held.give_back().await;
        }
    }

    /// Writes in an account, one thing after the other; whether all of it was done.
    async fn write(&self, run: u64, first: u64, things: Vec<Thing>, wanted: [u64; 3]) -> bool {
        let Some((account, _)) = things.first().cloned() else { return true };
        let held = self.locks.hold(&account).await;
        let is_done = self.write_held(run, first, things, wanted, held.token().unwrap()).await;
        held.give_back().await;
        is_done
    }

    async fn write_held(
        &self,
        run: u64,
        first: u64,
        things: Vec<Thing>,
        wanted: [u64; 3],
        token: i64,
    ) -> bool {
        let world = &self.world;
        let is_all = things.len() <= BUDGET;
        for (number, thing) in things.into_iter().take(BUDGET).enumerate() {
            if self.stop.is_raised() {
                return false;
            }
            world.takes(500).await;
            if world.thing(&thing) == wanted[thing.1] {
                continue;
            }
            if world.kill_switch.pulled().is_some() {
                world.say(&format!("run {run} is held back"));
                return true;
            }
            let write = (run, first + number as u64);
            if !world.intends(write, &thing, token) {
                return false;
            }
            world.takes(300).await;
            let is_refused = world.happens(10);
            if !is_refused {
                world.writes(write, &thing, wanted[thing.1], &format!("evenkeel-{run}"));
            }
            world.takes(300).await;
            world.notes(write, Line::Outcome);
            if is_refused {
                return false;
            }
        }
        is_all
    }
}

/// Not poisoned by what a test found.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Runs for Process {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        let cron = schedule("0 */15 * * * *")?;
        Ok(self.world.files().targets.into_keys().map(|name| (name, cron.clone())).collect())
    }

    async fn woken(&self) -> Woken {
        loop {
            let is_pulled = self.world.kill_switch.pulled().is_some();
            let was_pulled = std::mem::replace(&mut *lock(&self.was_pulled), is_pulled);
            if was_pulled && !is_pulled {
                return Woken::Released;
            }
            self.world.clocks.sleep(std::time::Duration::from_secs(30)).await;
        }
    }

    async fn run(&self, job: &Job) -> Ended {
        let whom = |what: &What| match what {
            What::Account(account) | What::Parts { account, .. } => account.to_string(),
            other => format!("{other:?}"),
        };
        let is_alone = !lock(&self.in_hand).iter().any(|other| whom(other) == whom(&job.what));
        assert!(is_alone, "{:?} twice at once", job.what);
        lock(&self.in_hand).push(job.what.clone());
        let run = self.world.begin_run();
        lock(&self.alive).insert(run);
        lock(&self.all).insert(run);
        self.world.say(&format!("run {run} of {:?}", job.what));
        let ended = self.whole(run, &job.what).await;
        self.world.say(&format!("run {run} {ended:?}"));
        lock(&self.alive).remove(&run);
        lock(&self.in_hand).retain(|other| *other != job.what);
        ended
    }

    fn is_ours(&self, event: &Event) -> bool {
        let run = event.by.source_identity.as_ref().and_then(|name| name.strip_prefix("evenkeel-"));
        run.and_then(|run| run.parse().ok()).is_some_and(|run: u64| lock(&self.all).contains(&run))
    }
}
