//! What a run does, step by step, each of which takes its time and may be the last one: ask the guards,
//! look, look after what a dead run left, ask again, look again, note, write, note. What a job is narrowed
//! to, who touched what, the guards, what they remember, whose calls are ours, what is known of an account
//! that was looked at, what a run means, and how it ended for the loop are evenkeel's own; the accounts are
//! made up. Not here are what needs AWS (the look and the write themselves), the disk (the files, the audit
//! log) or a database (the history, shares of a target), or waits by a clock of its own.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use croner::Cron;
use futures::future::join_all;

use super::super::clocks::Clocks;
use super::super::drive::{Runs, Woken};
use super::super::ended::Ended;
use super::super::events::Event;
use super::super::queue::{Job, What};
use super::super::reconciler::causes::heard;
use super::super::reconciler::narrowed::narrowed;
use super::super::reconciler::ours::Ours;
use super::super::reconciler::whole::WholeLook;
use super::super::setback::Setback;
use super::super::sight::Sight;
use super::away::Away;
use super::leases::{Leasing, TERM};
use super::ledger::Asker;
use super::plans;
use super::world::{BUDGET, KINDS, Line, Thing, World};
use crate::aws::error::ErrorClass;
use crate::fleet::file::schedule;
use crate::guards::Version;
use crate::names::AccountId;
use crate::plan::{AccountPlan, Guard, ObjectPlan, Plan};
use crate::reconcile::guarded::{Aim, Origins, Sent, Standing, View};
use crate::reconcile::locks::Held;
use crate::reconcile::{
    AccountLocks, ApplyOutcome, ApplyReport, Claims, Guarded, Guards, Hand, RunEvent, RunOutcome,
    Safety, Selectors, Step, Stop, Told,
};

/// One life of the controller.
pub struct Process {
    world: Arc<World>,
    locks: AccountLocks,
    is_dead: Arc<AtomicBool>,
    stop: Stop,
    guards: Guards,
    ours: Ours,
    alive: Mutex<BTreeSet<u64>>,
    all: Mutex<BTreeSet<u64>>,
    in_hand: Mutex<Vec<What>>,
    sight: Arc<Mutex<Sight>>,
    was_pulled: Mutex<bool>,
    schedule: Cron,
}

/// What a look has found.
struct Looked {
    plan: Plan,
    standing: Standing,
}

impl Process {
    /// Begins.
    pub fn start(world: &Arc<World>, stop: &Stop, sight: &Arc<Mutex<Sight>>) -> Self {
        world.say(|| "started".to_owned());
        world.lives(sight);
        let is_dead = Arc::new(AtomicBool::new(false));
        let clocks = world.clocks.clone();
        let claims = Claims {
            leases: Arc::new(Leasing::of(world, &is_dead)),
            holder: world.number(u64::MAX).to_string(),
            term: TERM,
            pause: Arc::new(move |time| {
                let clocks = clocks.clone();
                Box::pin(async move { clocks.sleep(time).await })
            }),
            tally: Arc::default(),
        };
        let safety = Safety { max_changes_per_account: BUDGET, ..Safety::default() };
        Self {
            world: Arc::clone(world),
            locks: AccountLocks::claimed(claims),
            is_dead,
            stop: stop.clone(),
            guards: Guards { safety, windows: Vec::new(), kill_switch: world.kill_switch.clone() },
            ours: Ours::default(),
            alive: Mutex::default(),
            all: Mutex::default(),
            in_hand: Mutex::default(),
            sight: Arc::clone(sight),
            was_pulled: Mutex::default(),
            schedule: schedule("0 */15 * * * *").unwrap(),
        }
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

    /// Which accounts and kinds a job is about, as it is narrowed for its run.
    fn about(&self, what: &What) -> (Vec<AccountId>, BTreeSet<usize>) {
        let selectors = narrowed(&Selectors::default(), what).unwrap();
        let declared = self.world.files();
        let is_asked =
            |all: &[String], name: &str| all.is_empty() || all.iter().any(|one| one == name);
        let targets =
            declared.targets.iter().filter(|(name, _)| is_asked(&selectors.targets, name));
        let accounts: BTreeSet<&AccountId> = targets.flat_map(|(_, accounts)| accounts).collect();
        let accounts =
            accounts.into_iter().filter(|one| is_asked(&selectors.accounts, one.as_str()));
        let kinds = KINDS.iter().enumerate().filter(|(_, kind)| is_asked(&selectors.kinds, kind.0));
        (accounts.cloned().collect(), kinds.map(|(place, _)| place).collect())
    }

    /// The run, as the guards are asked about it.
    fn asker(&self, run: u64, what: &What) -> Asker {
        let world = &self.world;
        let declared = world.files();
        let items = KINDS.iter().zip(declared.wanted);
        let items = items.map(|((name, ..), wanted)| ((*name).to_owned(), wanted.to_string()));
        let version = Version { digest: declared.number.to_string(), items: items.collect() };
        let aims = declared.targets.iter().map(|(name, accounts)| Aim {
            name: name.clone(),
            version: version.clone(),
            is_beside: match what {
                What::Target(asked) | What::Path(asked) => asked != name,
                What::Account(account) | What::Parts { account, .. } => !accounts.contains(account),
            },
            accounts: accounts.iter().cloned().collect(),
            elsewhere: BTreeSet::new(),
        });
        let (halted, known) = world.rollouts(&declared);
        Asker {
            run,
            rules: world.rules(),
            aims: aims.collect(),
            began: world.clocks.now(),
            halted,
            known,
            declared,
        }
    }

    fn guarded(&self, asker: &Asker, job: &Job) -> Arc<Guarded> {
        let mut guarded = Guarded::of(Hand::Loop, None, Arc::new(Away::of(&self.world)));
        guarded.rules = asker.rules.clone();
        guarded.protects_first_run = true;
        let clocks = self.world.clocks.clone();
        guarded.clock = Arc::new(move || clocks.wall());
        guarded.heard.told = heard(&job.what, &job.causes);
        Arc::new(guarded)
    }

    async fn whole(&self, run: u64, job: &Job) -> Ended {
        let asker = self.asker(run, &job.what);
        let Looked { mut plan, standing } = self.look(&asker, job).await;
        if self.stop.is_raised() {
            return Ended::Stopped;
        }
        let accounts: Vec<AccountId> =
            plan.targets.iter().map(|target| target.account.clone()).collect();
        self.recover(&accounts).await;
        let wall = self.world.clocks.wall();
        self.guards.hold(&mut plan, Some(&standing), wall);
        for (object, held) in plan.held() {
            self.world.say(|| format!("run {run} is held back at {object} by {}", held.guard));
        }
        if self.guards.check(&plan, wall).is_err() {
            return Ended::Done;
        }
        let report = match plan.order.is_empty() {
            true => None,
            false => Some(self.apply(&asker, &plan, &standing).await),
        };
        if let What::Target(target) = &job.what {
            self.world.looked(&asker, target);
        }
        if let Err(error) = standing.conclude(&plan, report.as_ref()).await {
            self.world.say(|| format!("run {run} is not remembered: {error}"));
        }
        self.looked(&plan, &job.what);
        let is_mended = report.as_ref().is_some_and(|report| report.applied() > 0);
        let throttled = plan.failed.iter().map(|_| ErrorClass::Throttled);
        let setback = || Setback::of(throttled, None);
        Ended::of(RunOutcome::of(&plan, report.as_ref()), is_mended, None, setback)
    }

    /// A whole look has ended, as the controller hears of it.
    fn looked(&self, plan: &Plan, what: &What) {
        let clocks = Arc::new(self.world.clocks.clone());
        let whole = WholeLook::of(what, Arc::clone(&self.sight), clocks);
        let event = RunEvent::Planned { plan };
        let told = Told { time: self.world.clocks.wall(), run: &plan.run, event };
        if let Some(whole) = whole.filter(|_| plan.failed.is_empty()) {
            whole.hear(&told).unwrap();
        }
    }

    /// Asks the guards, and looks at each account.
    async fn look(&self, asker: &Asker, job: &Job) -> Looked {
        let (accounts, kinds) = self.about(&job.what);
        let is_full = matches!(job.what, What::Target(_));
        let view = View { writes: true, is_full, is_all: true };
        let guarded = self.guarded(asker, job);
        let now = guarded.now();
        let standing = Standing::of(&guarded, asker.aims.clone(), view, now).await;
        let looks = accounts.iter().map(|account| self.look_at(account, &kinds, asker, &standing));
        let (mut looked, mut failed, mut objects) = (Vec::new(), Vec::new(), Vec::new());
        for (account, found) in accounts.iter().zip(join_all(looks).await) {
            match found {
                Some(found) => {
                    looked.push(account.clone());
                    objects.extend(found.objects);
                }
                None => failed.push(account.clone()),
            }
        }
        let plan = plans::plan(&asker.run.to_string(), &looked, &failed, objects);
        Looked { plan, standing }
    }

    /// What is not as declared in an account; none where nobody knows.
    async fn look_at(
        &self,
        account: &AccountId,
        kinds: &BTreeSet<usize>,
        asker: &Asker,
        standing: &Standing,
    ) -> Option<AccountPlan> {
        let _held = self.locks.hold(account).await;
        self.world.takes(10_000).await;
        if self.world.happens(8) {
            self.world.say(|| format!("throttled in {account}"));
            return None;
        }
        let things = kinds.iter().map(|kind| (account.clone(), *kind));
        let objects = things.filter_map(|thing| {
            let (now, wanted) = (self.world.thing(&thing), asker.declared.wanted[thing.1]);
            (now != wanted).then(|| plans::drifted(&thing, now, wanted))
        });
        let objects: Vec<ObjectPlan> = objects.collect();
        let order = objects.iter().map(|object| object.changes[0].id).collect();
        let mut plan = AccountPlan { in_sync: kinds.len() - objects.len(), objects, order };
        let places = asker.aims.iter().enumerate();
        let of = places.filter(|(_, aim)| aim.accounts.contains(account)).map(|(place, _)| place);
        let of: BTreeSet<usize> = of.collect();
        let origins: Origins =
            KINDS.iter().map(|kind| (kind.0.parse().unwrap(), of.clone())).collect();
        standing.hold(account, &mut plan, &origins).await;
        let is_heard = !plan.objects.iter().filter_map(ObjectPlan::held).any(is_memory);
        for object in plan.objects.iter().filter(|_| is_heard) {
            let kind = KINDS.iter().position(|kind| kind.0 == object.item.to_string()).unwrap();
            self.world.found_drifted(&(account.clone(), kind), asker.declared.wanted[kind]);
        }
        Some(plan)
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
            // Without its lease, nobody knows whether somebody else writes there.
            if self.is_held(&thing.0, &held)
                && self.world.unfinished().iter().any(|(open, _)| *open == write)
            {
                self.world.say(|| format!("recovered {write:?}"));
                self.world.notes(write, Line::Recovered);
            }
        }
    }

    /// Writes what the plan has, each account on its own.
    async fn apply(&self, asker: &Asker, plan: &Plan, standing: &Standing) -> ApplyReport {
        let mut by_account: BTreeMap<&AccountId, Vec<&ObjectPlan>> = BTreeMap::new();
        for object in plan.objects.iter().filter(|object| object.is_changed()) {
            by_account.entry(&object.account).or_default().push(object);
        }
        let accounts = by_account.into_values().map(|all| self.apply_to(asker, all, standing));
        let mut whole = ApplyReport::default();
        for report in join_all(accounts).await {
            whole.outcomes.extend(report.outcomes);
            whole.interrupted |= report.interrupted;
            whole.refused = whole.refused.take().or(report.refused);
        }
        whole
    }

    async fn apply_to(
        &self,
        asker: &Asker,
        objects: Vec<&ObjectPlan>,
        standing: &Standing,
    ) -> ApplyReport {
        let mut report = ApplyReport::default();
        let Some(first) = objects.first() else { return report };
        let held = self.locks.hold(&first.account).await;
        for object in objects {
            let step = self.one(asker, object, (standing, &held), &mut report).await;
            self.world.say(|| format!("run {} {}: {step}", asker.run, object.title()));
            let change = object.changes[0].id;
            report.outcomes.push(ApplyOutcome { change, title: object.title(), step });
        }
        held.give_back().await;
        report
    }

    /// Whether an account is this run's still.
    fn is_held(&self, account: &AccountId, held: &Held) -> bool {
        let token = held.token().unwrap_or_default();
        self.world.leases.holds(account, token, self.world.clocks.now())
    }

    async fn one(
        &self,
        asker: &Asker,
        object: &ObjectPlan,
        (standing, held): (&Standing, &Held),
        report: &mut ApplyReport,
    ) -> Step {
        let world = &self.world;
        if self.stop.is_raised() {
            report.interrupted = true;
            return Step::NotTried;
        }
        world.takes(500).await;
        let change = &object.changes[0];
        let kind = KINDS.iter().position(|kind| kind.0 == object.item.to_string()).unwrap();
        let thing: Thing = (object.account.clone(), kind);
        let (now, wanted) = (world.thing(&thing), asker.declared.wanted[kind]);
        if now == wanted {
            return Step::Needless;
        }
        if change.drift[0].actual != Some(now.into()) {
            return Step::Moved { why: "it is something else".to_owned() };
        }
        if let Err(refusal) = self.guards.may_begin(world.clocks.wall()) {
            let held = refusal.held();
            report.refused = Some(refusal);
            return Step::HeldBack { held };
        }
        let stood = world.stood(&thing, &asker.rules);
        let run = asker.run.to_string();
        if let Err(held) = standing.guarded().before(object, change, "evenkeel", &run).await {
            return Step::HeldBack { held };
        }
        if let Err(refusal) = self.guards.may_begin(world.clocks.wall()) {
            let held = refusal.held();
            report.refused = Some(refusal);
            self.hear(object, standing, Sent::Unsent).await;
            return Step::HeldBack { held };
        }
        if !self.is_held(&object.account, held) {
            self.hear(object, standing, Sent::Unsent).await;
            return Step::LeaseLost { why: "somebody may have taken it over".to_owned() };
        }
        let step = self.write(asker, object, &thing, wanted, (standing, &stood)).await;
        // Whoever holds the thing alone looks at it again, and the guards hear of that.
        if step == Step::Applied && self.is_held(&object.account, held) {
            let seen = standing.guarded().seen_after(object, &run, true).await;
            if seen.is_ok() && self.is_held(&object.account, held) {
                world.sees((asker.run, change.id), &thing);
            }
        }
        step
    }

    async fn write(
        &self,
        asker: &Asker,
        object: &ObjectPlan,
        thing: &Thing,
        wanted: u64,
        (standing, stood): (&Standing, &super::ledger::Stood),
    ) -> Step {
        let (world, change) = (&self.world, &object.changes[0]);
        let write = (asker.run, change.id);
        world.intends(asker, stood, write, thing);
        world.takes(300).await;
        let is_refused = world.is_refused(&thing.0);
        if !is_refused {
            world.writes(write, thing, wanted);
        }
        world.takes(300).await;
        let sent = if is_refused { Sent::Failed } else { Sent::Accepted };
        self.hear(object, standing, sent).await;
        world.notes(write, Line::Outcome);
        match is_refused {
            true => Step::Failed { error: "AWS refused it".to_owned() },
            false => Step::Applied,
        }
    }
}

impl Process {
    /// Tells the guards what became of a change that they let through.
    async fn hear(&self, object: &ObjectPlan, standing: &Standing, sent: Sent) {
        let change = &object.changes[0];
        let _telling = self.world.tells();
        if let Err(error) = standing.guarded().after(object, change, sent).await {
            self.world.say(|| format!("{} is not remembered: {error}", object.title()));
        }
    }
}

/// Whether the guards could not remember.
fn is_memory(held: &crate::plan::Held) -> bool {
    held.guard == Guard::Memory
}

/// Not poisoned by what a test found.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Runs for Process {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        let names = self.world.files().targets.keys().cloned().collect::<Vec<_>>();
        Ok(names.into_iter().map(|name| (name, self.schedule.clone())).collect())
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
        self.ours.begins(&run.to_string());
        self.world.say(|| format!("run {run} of {:?}", job.what));
        let ended = self.whole(run, job).await;
        self.world.say(|| format!("run {run} {ended:?}"));
        lock(&self.alive).remove(&run);
        lock(&self.in_hand).retain(|other| *other != job.what);
        ended
    }

    fn is_ours(&self, event: &Event) -> bool {
        self.ours.made(event)
    }
}
