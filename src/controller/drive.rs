//! The loop of the controller: ticks and messages fill the queue, one run at a time empties it.
//!
//! One run at a time, so that no two of them write to one account. What an event touched comes
//! before what the schedule says, and waits for the run in hand at most.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use croner::Cron;
use futures::future::{BoxFuture, FutureExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::events::{Event, NoEvent, Routes, parse};
use super::queue::{Cause, Job, Key, Queue};
use super::schedule::Schedules;
use crate::reconcile::Stop;

/// What one call sets off comes together: a look waits so long after the first event.
pub const TOGETHER: Duration = Duration::from_millis(100);
/// Things that may wait; with more, messages stay in their queue until there is room.
pub const MOST_WAITING: usize = 50_000;
/// The clock on the wall and the files are looked at this often at least.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The pause after a queue could not be asked; each further failure doubles it.
const INBOX_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST_INBOX_PAUSE: Duration = Duration::from_secs(60);

/// How a run ended, for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There is nothing to repeat before the next cause.
    Done,
    /// It failed, all or in part: it is repeated after a pause.
    Again,
    /// It was stopped on request.
    Stopped,
}

/// Who runs what the queue says.
#[async_trait]
pub trait Runs: Send + Sync {
    /// The targets with their schedules, as the files say now.
    ///
    /// # Errors
    /// The files cannot be used; what was read before stays in force.
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String>;

    /// Runs a job, whole.
    async fn run(&self, job: &Job) -> Ended;

    /// Whether a call was made by one of our own runs: they look at what they wrote by themselves.
    fn is_ours(&self, event: &Event) -> bool;
}

/// A message, as the queue gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub body: String,
    /// What it is deleted by.
    pub receipt: String,
}

/// Where events come from.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Waits for messages, for some seconds at most.
    ///
    /// # Errors
    /// The queue cannot be asked.
    async fn receive(&self) -> Result<Vec<Message>, String>;

    /// Deletes messages by their receipts.
    ///
    /// # Errors
    /// They were not deleted, and come again.
    async fn delete(&self, receipts: Vec<String>) -> Result<(), String>;
}

/// What happens in the loop, for logs.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Said<'a> {
    /// A target is looked at on this schedule from now on.
    Scheduled {
        /// The target.
        target: &'a str,
        /// Its schedule.
        schedule: &'a Cron,
    },
    /// The files cannot be used; what was read before stays in force.
    Files {
        /// Why.
        why: &'a str,
    },
    /// A call touched so many parts, which are looked at next.
    Told {
        /// The call.
        event: &'a Event,
        /// How many parts.
        parts: usize,
    },
    /// A message is no event; it is left to its queue's dead letters.
    NoEvent {
        /// Why.
        why: &'a NoEvent,
    },
    /// The queue cannot be asked: until it can, only the schedule finds drift.
    Deaf {
        /// Why.
        why: &'a str,
        /// When it is asked again.
        pause: Duration,
    },
    /// A job failed and is repeated.
    Again {
        /// The job.
        job: &'a Job,
        /// Failures in a row.
        failures: u32,
    },
}

/// Who hears what happens in the loop.
pub type Hearer = Arc<dyn Fn(Said<'_>) + Send + Sync>;

/// The clocks of the loop.
#[async_trait]
pub trait Clocks: Send + Sync {
    /// The time since the start, which nobody sets.
    fn now(&self) -> Duration;

    /// The clock on the wall.
    fn wall(&self) -> DateTime<Utc>;

    /// Sleeps until a time since the start.
    async fn sleep_until(&self, at: Duration);
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct Machine {
    start: Instant,
}

impl Default for Machine {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

#[async_trait]
impl Clocks for Machine {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep_until(&self, at: Duration) {
        tokio::time::sleep_until(self.start + at).await;
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
}

/// Messages on their way from the inbox, and whom to tell that they are in the queue.
type Batch = (Vec<Message>, oneshot::Sender<Vec<String>>);

impl Controller {
    /// Runs until somebody wishes to stop; the run in hand then comes to its own end.
    pub async fn drive(&self, stop: &Stop) {
        let (sender, mut batches) = mpsc::channel::<Batch>(1);
        let polling = self.inbox.clone().map(|inbox| {
            tokio::spawn(poll(inbox, sender, Arc::clone(&self.hearer), Arc::clone(&self.clocks)))
        });
        let mut state = State::new(self);
        let mut in_hand: Option<BoxFuture<'_, (Job, Ended)>> = None;
        loop {
            state.tick();
            if in_hand.is_none()
                && let Some(job) = state.queue.take(self.clocks.now())
            {
                let runs = Arc::clone(&self.runs);
                in_hand = Some(
                    async move {
                        let ended = runs.run(&job).await;
                        (job, ended)
                    }
                    .boxed(),
                );
            }
            let until = state.wakes_at(in_hand.is_some());
            tokio::select! {
                biased;
                () = stop.raised() => break,
                (job, ended) = of(&mut in_hand) => {
                    in_hand = None;
                    state.ended(&job, ended);
                }
                Some((messages, queued)) = batches.recv(), if state.has_room() => {
                    // Who asks has gone only when the loop is over.
                    let _ = queued.send(state.take_in(messages));
                }
                () = self.clocks.sleep_until(until) => {}
            }
        }
        if let Some(polling) = polling {
            polling.abort();
        }
        if let Some(run) = in_hand {
            run.await;
        }
    }
}

/// The run in hand; never, where there is none.
async fn of(in_hand: &mut Option<BoxFuture<'_, (Job, Ended)>>) -> (Job, Ended) {
    match in_hand {
        Some(run) => run.await,
        None => std::future::pending().await,
    }
}

struct State<'a> {
    of: &'a Controller,
    queue: Queue,
    schedules: Schedules,
    targets: BTreeMap<String, Cron>,
    routes: Routes,
    read_at: Option<Duration>,
    /// What is wrong with the files, said once.
    wrong: Option<String>,
    random: fastrand::Rng,
}

impl<'a> State<'a> {
    fn new(of: &'a Controller) -> Self {
        Self {
            of,
            queue: Queue::default(),
            schedules: Schedules::default(),
            targets: BTreeMap::new(),
            routes: Routes::of_all_kinds(),
            read_at: None,
            wrong: None,
            random: fastrand::Rng::new(),
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
        self.queue.keep_targets(&targets.keys().cloned().collect());
        self.schedules.set(targets.clone(), self.of.clocks.wall());
        self.targets = targets;
    }

    fn has_room(&self) -> bool {
        self.queue.len() < MOST_WAITING
    }

    fn wakes_at(&self, is_busy: bool) -> Duration {
        let now = self.of.clocks.now();
        let tick = self.schedules.pause(self.of.clocks.wall()).map(|pause| now + pause);
        let due = self.queue.next_at().filter(|_| !is_busy);
        let soonest = tick.into_iter().chain(due).min();
        soonest.unwrap_or(now + LONGEST_SLEEP).min(now + LONGEST_SLEEP)
    }

    /// Puts into the queue what messages tell; gives the receipts of those that are done with.
    fn take_in(&mut self, messages: Vec<Message>) -> Vec<String> {
        let at = self.of.clocks.now() + TOGETHER;
        let mut receipts = Vec::new();
        for message in messages {
            let event = match parse(&message.body) {
                Ok(event) => event,
                Err(why) => {
                    self.say(Said::NoEvent { why: &why });
                    continue;
                }
            };
            receipts.push(message.receipt);
            if self.of.runs.is_ours(&event) {
                continue;
            }
            let parts = self.routes.parts(&event);
            self.say(Said::Told { event: &event, parts: parts.len() });
            for part in parts {
                let (id, call) = (event.id.clone(), event.call.clone());
                let cause = Cause::Event { id, call, by: event.by.arn.clone() };
                self.queue.add(Key::Part(part), at, cause);
            }
        }
        receipts
    }

    fn ended(&mut self, job: &Job, ended: Ended) {
        match ended {
            Ended::Done | Ended::Stopped => self.queue.done(&job.what),
            Ended::Again => {
                let failures =
                    self.queue.failed(&job.what, self.of.clocks.now(), self.random.f64());
                self.say(Said::Again { job, failures });
            }
        }
    }
}

/// Brings messages, and deletes those that are in the controller's queue: when the controller dies
/// with them, its next start looks at everything.
async fn poll(
    inbox: Arc<dyn Inbox>,
    sender: mpsc::Sender<Batch>,
    hearer: Hearer,
    clocks: Arc<dyn Clocks>,
) {
    let mut pause = INBOX_PAUSE;
    loop {
        let received = async {
            let messages = inbox.receive().await?;
            if messages.is_empty() {
                return Ok(true);
            }
            let (queued, receipts) = oneshot::channel();
            if sender.send((messages, queued)).await.is_err() {
                return Ok(false);
            }
            let Ok(receipts) = receipts.await else { return Ok(false) };
            if !receipts.is_empty() {
                inbox.delete(receipts).await?;
            }
            Ok::<bool, String>(true)
        };
        match received.await {
            Ok(true) => pause = INBOX_PAUSE,
            Ok(false) => return,
            Err(why) => {
                hearer(Said::Deaf { why: &why, pause });
                clocks.sleep_until(clocks.now() + pause).await;
                pause = (pause * 2).min(LONGEST_INBOX_PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests;
