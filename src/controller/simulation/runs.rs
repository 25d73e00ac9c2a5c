//! The runs that the controller wishes for, as [`crate::reconcile::reconcile`] makes them: look, look after what a dead run
//! left, ask the guards, write what they let through, and tell all of it to who listens. The accounts are made up,
//! and each step takes its time and may be the last one.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::future::join_all;

use super::super::clocks::Clocks;
use super::super::reconciler::hands::Hands;
use super::away::Away;
use super::declared::{ACCOUNTS, KINDS, wanted_of};
use super::ledger::Asker;
use super::plans;
use super::world::{Line, World};
use super::writing::Writing;
use crate::aws::error::ErrorClass;
use crate::fleet::jobs::{Asked, Chosen, Job};
use crate::fleet::select::Choice;
use crate::names::AccountId;
use crate::plan::{AccountPlan, Guard, ObjectPlan, Plan};
use crate::reconcile::guarded::{Aim, Origins, Standing, View};
use crate::reconcile::{
    ApplyReport, FleetTarget, Guards, Listener, Look, LookError, RunError, RunEvent, RunOutcome,
    Selection, Stop, Told,
};
use crate::store::audit::SharedLog;

/// The accounts, as one life of the controller has them.
pub struct Accounts {
    world: Arc<World>,
    alive: Mutex<BTreeSet<u64>>,
    all: Mutex<BTreeSet<u64>>,
}

impl Accounts {
    /// Those of a world.
    pub fn of(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), alive: Mutex::default(), all: Mutex::default() }
    }

    /// All its runs.
    pub fn runs(&self) -> BTreeSet<u64> {
        lock(&self.all).clone()
    }
}

#[async_trait]
impl Hands for Accounts {
    async fn reconcile(
        &self,
        mut wish: Look,
        _: &SharedLog,
        stop: &Stop,
        listener: &Arc<dyn Listener>,
    ) -> Result<RunOutcome, RunError> {
        let number = self.world.begin_run(&wish.run);
        lock(&self.all).insert(number);
        lock(&self.alive).insert(number);
        // What guards remember is in a store that is away at times.
        let guarded = Arc::get_mut(&mut wish.guarded).unwrap();
        guarded.memory = Arc::new(Away::of(&self.world));
        let (wish, listener) = (&wish, listener.as_ref());
        let run = Run { of: self, world: &self.world, number, wish, stop, listener };
        let ended = run.whole().await;
        lock(&self.alive).remove(&number);
        ended
    }
}

/// One run.
struct Run<'a> {
    of: &'a Accounts,
    world: &'a Arc<World>,
    number: u64,
    wish: &'a Look,
    stop: &'a Stop,
    listener: &'a dyn Listener,
}

impl Run<'_> {
    fn tell(&self, event: RunEvent<'_>) -> Result<(), RunError> {
        let told = Told { time: self.world.clocks.wall(), run: &self.wish.run, event };
        Ok(self.listener.hear(&told)?)
    }

    fn chosen(&self) -> Result<Chosen, LookError> {
        let own = World::account(ACCOUNTS[0]);
        let targets: Vec<Choice<'_>> = self.wish.targets.iter().map(FleetTarget::choice).collect();
        let asked = Asked {
            own: &own,
            organization: None,
            targets: &targets,
            before: None,
            accounts: &self.wish.accounts,
            shard: None,
        };
        Ok(asked.choose()?)
    }

    fn is_full(&self) -> bool {
        self.wish.accounts.is_empty() && self.wish.selection == Selection::default()
    }

    /// The run, as the guards are asked about it.
    fn asker(&self, chosen: &Chosen) -> Asker {
        let declared = self.world.version(self.wish.commit.as_deref().unwrap());
        for target in &self.wish.targets {
            assert_eq!(wanted_of(target), declared.wanted, "a run has other files than it says");
        }
        let rules = self.wish.guarded.rules.clone();
        let aims = Aim::all(&self.wish.targets, chosen);
        let (halted, known) = self.world.rollouts(&aims, &declared, &rules);
        let began = self.world.clocks.now();
        Asker { run: self.number, rules, declared, aims, began, halted, known }
    }

    fn guards(&self) -> Guards {
        let Look { safety, kill_switch, .. } = self.wish;
        Guards { safety: safety.clone(), windows: Vec::new(), kill_switch: kill_switch.clone() }
    }

    async fn whole(self) -> Result<RunOutcome, RunError> {
        let (number, world) = (self.number, self.world);
        let chosen = self.chosen()?;
        world.say(|| format!("run {number} of {} accounts", chosen.jobs.len()));
        if self.wish.accounts.is_empty() {
            let accounts = chosen.jobs.iter().map(|job| job.account.id.clone()).collect();
            self.tell(RunEvent::Selected { accounts: &accounts })?;
        }
        let asker = self.asker(&chosen);
        let (plan, standing) = tokio::select! {
            biased;
            () = self.stop.raised() => return Err(LookError::Stopped.into()),
            looked = self.look(&asker, &chosen) => looked?,
        };
        let accounts: Vec<&AccountId> = plan.targets.iter().map(|target| &target.account).collect();
        tokio::select! {
            biased;
            () = self.stop.raised() => return Err(LookError::Stopped.into()),
            () = self.recover(&accounts) => {}
        }
        let report = match plan.order.is_empty() {
            true => None,
            false => {
                self.guards().check(&plan, world.clocks.wall())?;
                Some(self.apply(&asker, &plan, &standing).await)
            }
        };
        for aim in asker.aims.iter().filter(|aim| self.is_full() && !aim.is_beside) {
            world.looked(&asker, &aim.name);
        }
        let concluded = match &report {
            Some(report) => standing.conclude(&report.judged(&plan), Some(report)).await,
            None => standing.conclude(&plan, None).await,
        };
        if let Err(error) = concluded {
            world.say(|| format!("run {number} is not remembered: {error}"));
        }
        let mut outcome = RunOutcome::of(&plan, report.as_ref());
        if standing.nothing().is_some() {
            outcome = outcome.max(RunOutcome::Partly);
        }
        world.say(|| format!("run {number} {outcome:?}"));
        self.tell(RunEvent::Ended { outcome, report: report.as_ref() })?;
        Ok(outcome)
    }

    /// Asks the guards, and looks at each account.
    async fn look(&self, asker: &Asker, chosen: &Chosen) -> Result<(Plan, Standing), RunError> {
        let view = View { writes: true, is_full: self.is_full(), is_all: true };
        let guarded = &self.wish.guarded;
        let standing = Standing::of(guarded, asker.aims.clone(), view, guarded.now()).await;
        let looks = chosen.jobs.iter().map(|job| self.look_at(job, asker, &standing));
        let (mut looked, mut failed, mut objects) = (Vec::new(), Vec::new(), Vec::new());
        for (job, found) in chosen.jobs.iter().zip(join_all(looks).await) {
            match found {
                Some(found) => {
                    looked.push(job.account.id.clone());
                    objects.extend(found.objects);
                }
                None => failed.push(job.account.id.clone()),
            }
        }
        let mut plan = plans::plan(&self.wish.run, &looked, &failed, objects);
        self.guards().hold(&mut plan, Some(&standing), self.world.clocks.wall());
        let number = self.number;
        for (object, held) in plan.held() {
            self.world.say(|| format!("run {number} is held back at {object} by {}", held.guard));
        }
        self.tell(RunEvent::Planned { plan: &plan })?;
        Ok((plan, standing))
    }

    /// What is not as declared in an account; none where nobody knows.
    async fn look_at(&self, job: &Job, asker: &Asker, standing: &Standing) -> Option<AccountPlan> {
        let (account, world) = (&job.account.id, self.world);
        let _held = self.wish.locks.hold(account).await;
        world.takes(10_000).await;
        let _ = self.tell(RunEvent::Seen { account });
        if world.happens(8) {
            world.say(|| format!("throttled in {account}"));
            self.wish.meter.was_throttled(None);
            self.wish.meter.failed(ErrorClass::Throttled);
            return None;
        }
        let kinds = KINDS.iter().enumerate();
        let is_asked = |name: &str| self.wish.selection.has_kind(name);
        let kinds = kinds.filter(|(_, kind)| is_asked(kind.name)).map(|(place, _)| place);
        let things: Vec<_> = kinds.map(|kind| (account.clone(), kind)).collect();
        let objects = things.iter().filter_map(|thing| {
            let (now, wanted) = (world.thing(thing), asker.declared.wanted[thing.1]);
            (now != wanted).then(|| plans::drifted(thing, now, wanted))
        });
        let objects: Vec<ObjectPlan> = objects.collect();
        let order = objects.iter().map(|object| object.changes[0].id).collect();
        let mut plan = AccountPlan { in_sync: things.len() - objects.len(), objects, order };
        let of: BTreeSet<usize> = job.targets.iter().copied().collect();
        let origins: Origins =
            KINDS.iter().map(|kind| (kind.item.parse().unwrap(), of.clone())).collect();
        standing.hold(account, &mut plan, &origins).await;
        let mut held = plan.objects.iter().filter_map(ObjectPlan::held);
        if !held.any(|held| held.guard == Guard::Memory) {
            for object in &plan.objects {
                let thing = plans::thing(object);
                world.found_drifted(&thing, asker.declared.wanted[thing.1]);
            }
        }
        Some(plan)
    }

    /// Looks after the writes of dead runs.
    async fn recover(&self, accounts: &[&AccountId]) {
        let is_dead = |run: u64| !lock(&self.of.alive).contains(&run);
        let world = self.world;
        for (write, thing) in world.unfinished() {
            if !is_dead(write.0) || !accounts.contains(&&thing.0) {
                continue;
            }
            let held = self.wish.locks.hold(&thing.0).await;
            world.takes(1_000).await;
            // Without its lease, nobody knows whether somebody else writes there.
            if world.is_held(&thing.0, &held)
                && world.unfinished().iter().any(|(open, _)| *open == write)
            {
                world.say(|| format!("recovered {write:?}"));
                world.notes(write, Line::Recovered);
            }
        }
    }

    /// Writes what the plan has, each account on its own.
    async fn apply(&self, asker: &Asker, plan: &Plan, standing: &Standing) -> ApplyReport {
        let mut by_account: BTreeMap<&AccountId, Vec<&ObjectPlan>> = BTreeMap::new();
        for object in plan.objects.iter().filter(|object| object.is_changed()) {
            by_account.entry(&object.account).or_default().push(object);
        }
        let writing = Writing {
            world: self.world,
            wish: self.wish,
            guards: self.guards(),
            asker,
            standing,
            stop: self.stop,
            listener: self.listener,
        };
        let accounts = by_account.into_iter().map(|(account, all)| writing.to(account, all));
        let mut whole = ApplyReport::default();
        for report in join_all(accounts).await {
            whole.outcomes.extend(report.outcomes);
            whole.interrupted |= report.interrupted;
            whole.refused = whole.refused.take().or(report.refused);
        }
        whole
    }
}

/// Not poisoned by what a test found.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
