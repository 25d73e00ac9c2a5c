//! The loop of the controller: ticks and messages fill the queue, and runs empty it, several at a time.
//!
//! What an event touched has a lane of its own, and waits for no target's run. No account is in two
//! runs at once: the queue sees to it for what events touched, and the runs among themselves for the
//! accounts of targets.

mod in_hand;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use croner::Cron;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::in_hand::InHand;
use super::PATH;
use super::clocks::Clocks;
use super::ended::Ended;
use super::events::{Event, Routes, parse};
use super::inbox::{Batch, Inbox, Message, poll, watch};
use super::keeping::Keeping;
use super::pace::{Came, Pace};
use super::queue::{Cause, Job, Key, Lanes, Part, Queue};
use super::said::{Hearer, Said};
use super::schedule::Schedules;
use super::setback::Setback;
use super::sight::Sight;
use super::strange::Strange;
use super::waiting::Waiting;
use crate::names::{AccountId, Region};
use crate::reconcile::Stop;
use crate::store::history::callers::Kept;

/// What one call sets off comes together: a look waits so long after the first event.
pub const TOGETHER: Duration = Duration::from_millis(100);
/// Things that may wait; with more, messages stay in their queue until there is room.
pub const MOST_WAITING: usize = 50_000;
/// The clock on the wall and the files are looked at this often at least.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Calls at a time that are made only to be heard of.
const BEATS_AT_ONCE: usize = 8;

/// Why the loop is woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woken {
    /// The files say something else than before.
    Files,
    /// The kill switch is off again: what was held back is to be written.
    Released,
    /// A look at what events depend on has left these accounts behind: it is looked at in each of them alone.
    LeftBehind(BTreeSet<AccountId>),
}

/// Who runs what the queue says.
#[async_trait]
pub trait Runs: Send + Sync {
    /// The targets with their schedules, as the files say now.
    ///
    /// # Errors
    /// The files cannot be used; what was read before stays in force.
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String>;

    /// Waits until something is to be looked at that neither the schedule nor an event tells of.
    async fn woken(&self) -> Woken {
        std::future::pending().await
    }

    /// Runs a job, whole. Several are run at a time, and see to it that none writes to an account
    /// that another one has in hand.
    async fn run(&self, job: &Job) -> Ended;

    /// Whether a call was made by one of our own runs: they look at what they wrote by themselves.
    fn is_ours(&self, event: &Event) -> bool;

    /// Keeps events until their looks are over, where that can be done: their messages are deleted then.
    async fn keep(&self, _waiting: Vec<Waiting>) {}

    /// The events whose looks a process before this one did not get to.
    async fn waiting(&self) -> Vec<Waiting> {
        Vec::new()
    }

    /// Waits for events whose looks another controller, which is gone, did not get to.
    async fn left_waiting(&self) -> Vec<Waiting> {
        std::future::pending().await
    }
}

/// Who makes calls that are made only to be heard of.
#[async_trait]
pub trait Heart: Send + Sync {
    /// Makes one in an account, which carries a mark. Whatever AWS answers, it has heard of it.
    ///
    /// # Errors
    /// It could not be made.
    async fn beat(&self, account: &AccountId, region: &Region, mark: &str) -> Result<(), String>;

    /// Passes on that the event of a call came here which another controller waits for: of several
    /// controllers, each message goes to one.
    fn pass_on(&self, _account: &AccountId, _mark: &str) {}

    /// Waits for the accounts whose event of a call with this mark came to another controller.
    async fn passed_on(&self, _mark: &str) -> Vec<AccountId> {
        std::future::pending().await
    }
}

/// The controller.
pub struct Controller {
    /// Who runs.
    pub runs: Arc<dyn Runs>,
    /// Where events come from, if they do.
    pub inbox: Option<Arc<dyn Inbox>>,
    /// Who hears.
    pub hearer: Hearer,
    /// The clocks.
    pub clocks: Arc<dyn Clocks>,
    /// How many runs there may be at a time.
    pub lanes: Lanes,
    /// How well each account is seen.
    pub sight: Arc<Mutex<Sight>>,
    /// Who makes calls to hear of them, if somebody does.
    pub heart: Option<Arc<dyn Heart>>,
    /// How often it is looked at what events depend on; never, where no events come.
    pub path_every: Option<Duration>,
    /// Where its random numbers begin.
    pub seed: u64,
}

/// A call that was made to be heard of: in which account, and why it could not be made.
type Beat = (AccountId, Result<(), String>);

impl Controller {
    /// Runs until somebody wishes to stop; the runs in hand then come to their own end.
    pub async fn drive(&self, stop: &Stop) {
        let (sender, mut batches) = mpsc::channel::<Batch>(1);
        // What is spawned ends with this.
        let mut polling = JoinSet::new();
        let (hearer, clocks) = (&self.hearer, &self.clocks);
        if let Some((inbox, every)) = self.inbox.clone().zip(self.path_every) {
            polling.spawn(watch(inbox, every, Arc::clone(hearer), Arc::clone(clocks)));
        }
        if let Some(inbox) = self.inbox.clone() {
            polling.spawn(poll(inbox, sender, Arc::clone(hearer), Arc::clone(clocks)));
        }
        let mut state = State::new(self);
        let (passing, mut passed) = mpsc::channel(1);
        if let Some(heart) = self.heart.clone() {
            polling.spawn(pass(heart, state.mark.clone(), passing));
        }
        let (taking, mut taken) = mpsc::channel(1);
        polling.spawn(take_over(Arc::clone(&self.runs), taking));
        let mut in_hand = InHand::default();
        let mut keeping = Keeping::default();
        state.take_up(self.runs.waiting().await);
        let mut beating: FuturesUnordered<BoxFuture<'_, Beat>> = FuturesUnordered::new();
        loop {
            state.tick();
            if let Some(heart) = &self.heart {
                let due = state.beats(BEATS_AT_ONCE.saturating_sub(beating.len()));
                let due = due.into_iter();
                beating.extend(due.map(|(account, region)| {
                    beat(Arc::clone(heart), account, region, state.mark.clone())
                }));
            }
            while let Some(job) = state.queue.take(self.clocks.now()) {
                job.what.parts().iter().for_each(|part| state.pace.begun(part));
                in_hand.begin(Arc::clone(&self.runs), job);
            }
            keeping.begin(|waiting| {
                let runs = Arc::clone(&self.runs);
                async move { runs.keep(waiting).await }.boxed()
            });
            state.say(Said::Turn { queue: &state.queue });
            let until = state.wakes_at(self.heart.is_some() && beating.len() < BEATS_AT_ONCE);
            tokio::select! {
                biased;
                () = stop.raised() => break,
                Some((job, ended)) = in_hand.next() => state.ended(&job, ended),
                Some((messages, queued)) = batches.recv(), if state.has_room() => {
                    let (receipts, waiting) = state.take_in(messages);
                    keeping.add(waiting, (queued, receipts));
                }
                () = keeping.done() => {}
                Some(waiting) = taken.recv(), if state.has_room() => state.take_up(waiting),
                Some((account, made)) = beating.next() => state.beaten(&account, made),
                Some(accounts) = passed.recv() => {
                    accounts.iter().for_each(|account| state.came(account));
                }
                woken = self.runs.woken() => state.woken(woken),
                () = self.clocks.sleep_until(until) => {}
            }
        }
        drop(polling);
        state.say(Said::Stopping);
        while in_hand.next().await.is_some() {}
    }
}

/// Brings what others have heard of our calls.
async fn pass(heart: Arc<dyn Heart>, mark: String, sender: mpsc::Sender<Vec<AccountId>>) {
    while sender.send(heart.passed_on(&mark).await).await.is_ok() {}
}

/// Brings what others have left behind.
async fn take_over(runs: Arc<dyn Runs>, sender: mpsc::Sender<Vec<Waiting>>) {
    while sender.send(runs.left_waiting().await).await.is_ok() {}
}

fn beat(
    heart: Arc<dyn Heart>,
    account: AccountId,
    region: Region,
    mark: String,
) -> BoxFuture<'static, Beat> {
    async move {
        let made = heart.beat(&account, &region, &mark).await;
        (account, made)
    }
    .boxed()
}

struct State<'a> {
    of: &'a Controller,
    queue: Queue,
    pace: Pace,
    schedules: Schedules,
    targets: BTreeMap<String, Cron>,
    routes: &'static Routes,
    read_at: Option<Duration>,
    /// What is wrong with the files, said once.
    wrong: Option<String>,
    /// When it was looked at what events depend on.
    path_at: Option<Duration>,
    /// Why no such call could be made in an account, said once.
    silent: BTreeMap<AccountId, String>,
    /// The messages that could not be read.
    strange: Strange,
    /// What this controller's own calls carry.
    mark: String,
    random: fastrand::Rng,
}

impl<'a> State<'a> {
    fn new(of: &'a Controller) -> Self {
        let mut random = fastrand::Rng::with_seed(of.seed);
        Self {
            of,
            queue: Queue::new(of.lanes),
            pace: Pace::default(),
            schedules: Schedules::default(),
            targets: BTreeMap::new(),
            routes: Routes::of_all_kinds(),
            read_at: None,
            wrong: None,
            path_at: None,
            silent: BTreeMap::new(),
            strange: Strange::default(),
            mark: format!("{:032x}", random.u128(..)),
            random,
        }
    }

    fn say(&self, said: Said<'_>) {
        (self.of.hearer)(said);
    }

    /// Looks at the files and at the clock on the wall.
    fn tick(&mut self) {
        let now = self.of.clocks.now();
        if self.read_at.is_none_or(|at| now - at >= LONGEST_SLEEP) {
            self.read_at = Some(now);
            self.read_files(now);
        }
        for name in self.schedules.due(self.of.clocks.wall()) {
            self.queue.add(Key::Target(name), now, Cause::Schedule);
        }
        if let Some(every) = self.of.path_every
            && now >= self.path_at.unwrap_or_default() + every
        {
            self.path_at = Some(now);
            for target in self.targets.keys() {
                self.queue.add(Key::Path(target.clone()), now, Cause::Path);
            }
        }
        let changes = self.sight().tick(now);
        changes.iter().for_each(|change| self.say(Said::Sight { change }));
        let blind = self.sight().blind(now);
        for account in blind {
            self.queue.add(Key::Account(account), now, Cause::Blind);
        }
    }

    fn sight(&self) -> MutexGuard<'a, Sight> {
        self.of.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The accounts in which calls are made now to be heard of.
    fn beats(&self, most: usize) -> Vec<(AccountId, Region)> {
        self.sight().begin(self.of.clocks.now(), most)
    }

    fn beaten(&mut self, account: &AccountId, made: Result<(), String>) {
        match made {
            Ok(()) => drop(self.silent.remove(account)),
            Err(why) => {
                self.sight().not_made(account);
                if self.silent.get(account) != Some(&why) {
                    self.say(Said::NoBeat { account, why: &why });
                    self.silent.insert(account.clone(), why);
                }
            }
        }
    }

    /// The event of one of our calls came.
    fn came(&self, account: &AccountId) {
        let change = self.sight().came(account, self.of.clocks.now());
        change.iter().for_each(|change| self.say(Said::Sight { change }));
    }

    fn woken(&mut self, woken: Woken) {
        let now = self.of.clocks.now();
        match woken {
            Woken::Files => self.read_at = None,
            Woken::Released => {
                for target in self.targets.keys() {
                    self.queue.add(Key::Target(target.clone()), now, Cause::Released);
                }
            }
            Woken::LeftBehind(accounts) => {
                for account in accounts {
                    for kind in PATH {
                        let part = Part { account: account.clone(), kind, region: None };
                        self.queue.add(Key::Part(part), now, Cause::Path);
                    }
                }
            }
        }
    }

    fn read_files(&mut self, now: Duration) {
        let targets = match self.of.runs.targets() {
            Ok(targets) => targets,
            Err(why) => {
                if self.wrong.as_ref() != Some(&why) {
                    self.say(Said::Files { why: &why });
                }
                self.wrong = Some(why);
                return;
            }
        };
        self.wrong = None;
        for (target, schedule) in &targets {
            let before = self.targets.get(target);
            if before != Some(schedule) {
                self.say(Said::Scheduled { target, schedule });
            }
            if before.is_none() {
                // What happened while nobody looked is found by looking.
                self.queue.add(Key::Target(target.clone()), now, Cause::Start);
            }
        }
        let names = targets.keys().cloned().collect();
        self.queue.keep_targets(&names);
        self.sight().keep_targets(&names);
        self.schedules.set(targets.clone(), self.of.clocks.wall());
        self.targets = targets;
    }

    fn has_room(&self) -> bool {
        self.queue.len() < MOST_WAITING
    }

    fn wakes_at(&self, may_beat: bool) -> Duration {
        let now = self.of.clocks.now();
        let tick = self.schedules.pause(self.of.clocks.wall()).map(|pause| now + pause);
        let path = self.of.path_every.map(|every| self.path_at.unwrap_or_default() + every);
        let sight = self.sight().wakes_at(may_beat);
        let soonest =
            tick.into_iter().chain(self.queue.next_at(now)).chain(path).chain(sight).min();
        soonest.unwrap_or(now + LONGEST_SLEEP).min(now + LONGEST_SLEEP)
    }

    /// Puts into the queue what messages tell; gives the receipts of those that are done with, and what waits for its look.
    fn take_in(&mut self, messages: Vec<Message>) -> (Vec<String>, Vec<Waiting>) {
        let at = self.of.clocks.now() + TOGETHER;
        let (mut receipts, mut waiting) = (Vec::new(), Vec::new());
        for message in messages {
            let event = match parse(&message.body) {
                Ok(event) => event,
                Err(why) => {
                    if self.strange.is_new(&message.id) {
                        self.say(Said::NoEvent { why: &why });
                        self.sight().counts.unreadable += 1;
                    }
                    continue;
                }
            };
            receipts.push(message.receipt);
            waiting.extend(self.told(&event, at));
        }
        (receipts, waiting)
    }

    /// Puts into the queue what waited for a look when another process ended.
    fn take_up(&mut self, waiting: Vec<Waiting>) {
        let now = self.of.clocks.now();
        for Waiting { part, called } in waiting {
            self.queue.add(Key::Part(part), now, Cause::Event(Box::new(called)));
        }
    }

    /// Puts into the queue what an event may have touched; gives what of it waits for its look.
    fn told(&mut self, event: &Event, at: Duration) -> Vec<Waiting> {
        let now = self.of.clocks.now();
        let lag = (self.of.clocks.wall() - event.time).to_std().unwrap_or_default();
        self.sight().heard(&event.account, lag, now);
        if let Some(mark) = &event.heartbeat {
            match (*mark == self.mark, &self.of.heart) {
                (true, _) => self.came(&event.account),
                // Of another controller, or of one before: not an answer to ours.
                (false, Some(heart)) => {
                    self.sight().came_to_another(&event.account, lag, now);
                    heart.pass_on(&event.account, mark);
                }
                (false, None) => {}
            }
            return Vec::new();
        }
        if self.of.runs.is_ours(event) {
            self.sight().counts.ours += 1;
            return Vec::new();
        }
        let parts = self.routes.parts(event);
        self.say(Said::Told { event, parts: parts.len() });
        let called = event.called(self.of.clocks.wall());
        let mut waiting = Vec::new();
        for part in parts {
            let cause = Cause::Event(Box::new(called.clone()));
            let at = self.pace.told(&part, event.sort, now).max(at);
            match self.queue.add(Key::Part(part.clone()), at, cause) {
                Kept::New | Kept::Again => {
                    waiting.push(Waiting { part, called: called.clone() });
                }
                Kept::Counted => {}
            }
        }
        waiting
    }

    fn ended(&mut self, job: &Job, ended: Option<Ended>) {
        if job.causes.has_event() {
            let now = self.of.clocks.now();
            self.pace.forget(now);
            let came = match ended {
                Some(Ended::Mended) => Came::Mended,
                Some(Ended::Done) => Came::Nothing,
                _ => Came::Unknown,
            };
            job.what.parts().into_iter().for_each(|part| self.pace.looked(part, now, came));
        }
        match ended {
            Some(Ended::Done | Ended::Mended) => self.queue.done(&job.what),
            Some(Ended::Elsewhere { after }) => {
                self.queue.left(&job.what, self.of.clocks.now() + after);
            }
            Some(Ended::Stopped) => self.queue.stopped(&job.what),
            Some(Ended::Again(setback)) => self.failed(job, setback),
            None => {
                self.say(Said::Defect { job });
                self.failed(job, Setback::Defect);
            }
        }
    }

    fn failed(&mut self, job: &Job, setback: Setback) {
        let (now, spread) = (self.of.clocks.now(), self.random.f64());
        let failures = self.queue.failed(&job.what, setback, now, spread);
        self.say(Said::Again { job, failures, setback });
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
pub mod simulated;
#[cfg(test)]
mod tests;
