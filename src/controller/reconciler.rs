//! The runs of the controller: each of one version of the files, several at a time, one in an account.

mod attempt;
mod behind;
mod came_to;
pub mod causes;
pub mod hands;
mod mended;
pub mod narrowed;
pub mod ours;
mod unanswered;
pub mod whole;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use croner::Cron;
use tokio::sync::Notify;

use super::among::Among;
use super::audience::Voice;
use super::begun::Begun;
use super::clocks::Clocks;
use super::drive::{Runs, Woken};
use super::ended::Ended;
use super::events::Event;
use super::files::Files;
use super::queue::{Causes, Job, What};
use super::said::Said;
use super::setback::Setback;
use super::sight::Sight;
use super::waiting::Waiting;
use crate::aws::meter::Meter;
use crate::guards::KillSwitch;
use crate::guards::kill_switch::{News, Watched};
use crate::notify::Telling;
use crate::reconcile::look::Listed;
use crate::reconcile::{AccountLocks, Keeper, Kept, LastRight, LeaseCounts, RunOutcome, Stop};
use crate::store::audit::SharedLog;
use crate::store::history::{Answered, WaitingEvent};
use crate::store::{Store, StoreError};

use attempt::Attempt;
use behind::Behind;
use came_to::CameTo;
use causes::heard;
use hands::Hands;
use mended::Mended;
use ours::Ours;
use unanswered::Unanswered;

/// How often it is looked at what a parameter says, to say whether the kill switch is on; a run that writes reads it each second.
const PARAMETER_EVERY: Duration = Duration::from_secs(5);

/// Who reconciles.
pub struct Reconciler {
    /// Who looks at accounts and writes there.
    pub hands: Arc<dyn Hands>,
    /// What time it is.
    pub clocks: Arc<dyn Clocks>,
    /// The files.
    pub files: Arc<Files>,
    /// Open as long as the controller lives.
    pub audit_log: SharedLog,
    /// What stops all writing.
    pub kill_switch: KillSwitch,
    /// How often it is looked at whether it is on, to say so; each write looks for itself.
    pub switch_every: Duration,
    /// Raised when somebody wishes to stop.
    pub stop: Stop,
    /// Where runs are remembered.
    pub keeper: Keeper,
    /// Who tells people.
    pub telling: Arc<Telling>,
    /// To whom it is said what happens.
    pub voice: Arc<Voice>,
    /// Who knows how well each account is seen, if somebody does.
    pub seen_by: Option<Arc<Mutex<Sight>>>,
    /// Whether it shares out with others what a tick wants.
    pub shares: bool,
    /// How often it is looked at what events depend on.
    pub path_every: Duration,
    /// What is of this process alone.
    pub own: Own,
}

/// What the runs of one process have in common.
#[derive(Default)]
pub struct Own {
    /// Two runs must never write to one account at the same time.
    pub locks: AccountLocks,
    /// What this controller is among several.
    pub among: Arc<Among>,
    /// The organization as it was listed last.
    listed: Arc<Listed>,
    /// Said when the kill switch is off again.
    released: Notify,
    ours: Ours,
    /// When each object was as declared last.
    right: Arc<LastRight>,
    /// The accounts that looks have left behind.
    behind: Arc<Behind>,
    /// What events told for looks that came to nothing.
    unanswered: Unanswered,
}

impl Reconciler {
    /// Refuses where somebody else writes with the store already.
    ///
    /// # Errors
    /// Somebody does.
    pub async fn is_alone(&self) -> Result<(), StoreError> {
        match self.keeper.kept(self.files.good().what.fleet.as_ref()).await {
            Kept::Gone(error @ StoreError::Held { .. }) => Err(error),
            // What else is wrong with it may pass.
            Kept::Nowhere | Kept::In(..) | Kept::Gone(_) => Ok(()),
        }
    }

    /// The audit log's file.
    pub fn log_file(&self) -> &Path {
        self.audit_log.path()
    }

    /// The leases that it has, where several controllers share the fleet.
    pub fn leases(&self) -> Option<LeaseCounts> {
        self.own.locks.leases()
    }

    /// Gives back what it has claimed among several controllers.
    pub async fn end(&self) {
        self.own.among.leave();
        self.own.locks.end().await;
    }

    /// One run of one target.
    pub async fn target(&self, name: &str) -> RunOutcome {
        let job = Job { what: What::Target(name.to_owned()), causes: Causes::default() };
        self.reconcile(&job, &Arc::default(), &Arc::default()).await.0
    }

    /// A run, and when what other controllers have of it in hand is looked after. `meter` counts its calls.
    async fn reconcile(
        &self,
        job: &Job,
        meter: &Arc<Meter>,
        mended: &Arc<Mended>,
    ) -> (RunOutcome, Option<Duration>) {
        if self.stop.is_raised() {
            return (RunOutcome::Interrupted, None);
        }
        let started = self.clocks.wall();
        let version = self.files.good();
        self.kill_switch.look().await;
        let (files, pulled) = (self.files.shown(&version), self.kill_switch.pulled());
        let begun = Begun { job, started, files: &files, pulled: pulled.as_ref() };
        let attempt = Attempt { of: self, begun: &begun, version: &version, meter, mended };
        let ended = attempt.run().await;
        let told = heard(&job.what, &job.causes);
        // What the store has not taken in answers nothing: a later look names who did it.
        let outcome = ended.as_ref().ok().map(|ended| ended.0).filter(|_| !mended.is_forgotten());
        let answered = self.own.unanswered.ended(&job.what, &told, outcome);
        self.answered(answered).await;
        let failed = ended.as_ref().err();
        // One that somebody stopped says nothing.
        if failed.is_none_or(|error| error.outcome() != RunOutcome::Interrupted) {
            let came_to = CameTo {
                what: &job.what,
                started,
                ended: self.clocks.wall(),
                has_looked: mended.has_looked(),
            };
            came_to.note(&self.keeper, version.what.fleet.as_ref(), failed).await;
        }
        match ended {
            Ok(ended) => ended,
            Err(error) => {
                let has_looked = mended.has_looked();
                self.voice.say(&Said::Failed { begun: &begun, error: &error, has_looked });
                (error.outcome(), None)
            }
        }
    }

    /// Where it is kept what happened, if it is open.
    async fn history(&self) -> Option<Store> {
        let version = self.files.good();
        let kept = self.keeper.kept(version.what.fleet.as_ref()).await;
        kept.history().cloned()
    }

    /// Forgets what looks have answered.
    async fn answered(&self, looks: Vec<Answered>) {
        if looks.is_empty() {
            return;
        }
        let Some(store) = self.history().await else { return };
        if let Err(error) = store.note_answered(looks, self.clocks.wall()).await {
            tracing::warn!("the next start looks again for events that are answered: {error}");
        }
    }

    /// Says when the kill switch is pulled and released, for as long as the controller runs.
    pub async fn watch_kill_switch(&self) {
        let mut watched = Watched::default();
        loop {
            self.kill_switch.look_within(PARAMETER_EVERY).await;
            match watched.news(self.kill_switch.pulled()) {
                None => {}
                Some(News::On(on)) => self.voice.say(&Said::KillSwitch { pulled: Some(&on) }),
                Some(News::Off { was_told }) => {
                    if was_told {
                        self.voice.say(&Said::KillSwitch { pulled: None });
                    }
                    self.own.released.notify_one();
                }
            }
            self.clocks.sleep_until(self.clocks.now() + self.switch_every).await;
        }
    }
}

#[async_trait]
impl Runs for Reconciler {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        let targets = self.files.good().what.targets.clone();
        self.voice.say(&Said::Targets { targets: &targets });
        Ok(targets)
    }

    async fn woken(&self) -> Woken {
        tokio::select! {
            biased;
            () = self.files.changed() => Woken::Files,
            () = self.own.released.notified() => Woken::Released,
            accounts = self.own.behind.next() => Woken::LeftBehind(accounts),
        }
    }

    async fn run(&self, job: &Job) -> Ended {
        let (meter, mended) = (Arc::new(Meter::default()), Arc::new(Mended::default()));
        let (outcome, left) = self.reconcile(job, &meter, &mended).await;
        let setback = || Setback::of(meter.failures(), meter.wait());
        Ended::of(outcome, mended.anything(), left, setback)
    }

    fn is_ours(&self, event: &Event) -> bool {
        self.own.ours.made(event)
    }

    async fn keep(&self, waiting: Vec<Waiting>) {
        let Some(store) = self.history().await else { return };
        let events = waiting.iter().map(Waiting::stored).collect::<Result<Vec<_>, _>>();
        let holder = self.own.among.sign_of_life().await.unwrap_or_default();
        let kept = match events {
            Ok(events) => store.note_waiting(events, &holder).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = kept {
            tracing::warn!("who made a call is named only if nobody kills this process: {error}");
        }
    }

    async fn waiting(&self) -> Vec<Waiting> {
        let Some(store) = self.history().await else { return Vec::new() };
        match store.waiting(self.clocks.wall()).await {
            Ok(events) => events.iter().filter_map(read).collect(),
            Err(error) => {
                tracing::warn!("which events waited is not known: {error}");
                Vec::new()
            }
        }
    }

    async fn left_waiting(&self) -> Vec<Waiting> {
        loop {
            self.clocks.sleep_until(self.clocks.now() + self.own.among.looks_round_every()).await;
            let Some(store) = self.own.among.store() else { continue };
            let Some(holder) = self.own.among.sign_of_life().await else { continue };
            match store.take_over_waiting(&holder, self.clocks.wall()).await {
                Ok(events) if events.is_empty() => {}
                Ok(events) => return events.iter().filter_map(read).collect(),
                Err(error) => tracing::debug!("what others left is not known: {error}"),
            }
        }
    }
}

/// An event that waited; none where it cannot be read.
fn read(event: &WaitingEvent) -> Option<Waiting> {
    Waiting::of_stored(event).unwrap_or_else(|error| {
        tracing::warn!("an event that waited cannot be read: {error}");
        None
    })
}
