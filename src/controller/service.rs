//! A whole controller: its files, its runs, its loop, and all that goes on beside them.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::FutureExt;

use super::audience::{Audience, Voice};
use super::beating::Beating;
use super::clocks::{Clocks, Machine};
use super::drive::{Controller, Heart, Runs};
use super::error::ControllerError;
use super::files::{Files, Wanted};
use super::heads::Heads;
use super::inbox::Inbox;
use super::pulse::{FleetNow, Pulse};
use super::queue::Lanes;
use super::reconciler::hands::OfAws;
use super::reconciler::{Own, Reconciler};
use super::sight::Sight;
use super::silences::{self, Silences};
use super::sqs::Sqs;
use crate::aws::session;
use crate::baseline::disk::Disk;
use crate::fleet::span::Span;
use crate::fleet::{self, Fleet, file};
use crate::guards::KillSwitch;
use crate::notify::Telling;
use crate::reconcile::{Keeper, RunOutcome, Stop};
use crate::store::Store;
use crate::store::audit::SharedLog;

/// How often it is looked at what events depend on, where the fleet file does not say.
const PATH_EVERY: Duration = Duration::from_secs(2 * 60);

/// What a controller is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which files there are, and what of them is selected.
    pub files: Wanted,
    /// The append-only log of every write.
    pub audit_log: PathBuf,
    /// Whether each target is looked at once, and it ends then.
    pub once: bool,
}

/// How often it is looked at whether the kill switch is on, to say so.
const SWITCH_EVERY: Duration = Duration::from_millis(500);

/// A whole controller.
pub struct Service {
    /// What the fleet file said of it when it began.
    pub(crate) part: file::Controller,
    /// The folder of that file.
    pub(crate) folder: PathBuf,
    pub(crate) runs: Arc<Reconciler>,
    pub(crate) clocks: Arc<dyn Clocks>,
    pub(crate) sight: Arc<Mutex<Sight>>,
    pub(crate) inbox: Option<Arc<dyn Inbox>>,
    heads: Heads,
}

// The futures that callers hold are boxed: rustc would otherwise lay out in the caller's own crate all that a
// run is made of, and pass the depth (128) at which it gives up there.
impl Service {
    /// Reads the files, and opens what it writes. Everything that happens is said to the audience, and to
    /// those that come later ([`Self::heard_by`]).
    ///
    /// # Errors
    /// The files cannot be used, or somebody else has the audit log or the store.
    pub async fn open(
        options: Options,
        stop: &Stop,
        audience: Arc<dyn Audience>,
    ) -> Result<Self, ControllerError> {
        Self::opened(options, stop, audience).boxed().await
    }

    async fn opened(
        options: Options,
        stop: &Stop,
        audience: Arc<dyn Audience>,
    ) -> Result<Self, ControllerError> {
        let Options { files, audit_log, once } = options;
        // What is wrong with it is said when the files are read.
        let fleet = fleet::load(&files.config, &Disk).ok();
        let fleet = fleet.as_ref();
        let cache = audit_log.parent().unwrap_or(Path::new("")).join("git");
        let voice = Voice::heard_by(audience);
        let files = Arc::new(Files::open(files, fleet, &cache, &voice).await?);
        let telling = Arc::new(Telling::new(voice.warns()));
        voice.add(Arc::clone(&telling) as Arc<dyn Audience>);
        let audit_log = SharedLog::at(audit_log);
        // Whoever is to write for a year should know at once that it cannot.
        if !once {
            audit_log.keep_open()?;
        }
        let part = fleet.and_then(|fleet| fleet.file.controller.clone()).unwrap_or_default();
        let clocks: Arc<dyn Clocks> = Arc::new(Machine::default());
        let sight = Sight::new(part.heartbeat.clone(), part.objectives.clone());
        let sight = Arc::new(Mutex::new(sight));
        let runs = Reconciler {
            hands: Arc::new(OfAws),
            clocks: Arc::clone(&clocks),
            files,
            // Jobs that end keep a store when somebody names it, or a controller has made one.
            keeper: Keeper::beside(audit_log.path(), !once, voice.warns()),
            audit_log,
            kill_switch: KillSwitch::of(fleet),
            switch_every: SWITCH_EVERY,
            stop: stop.clone(),
            telling,
            seen_by: (!once).then(|| Arc::clone(&sight)),
            shares: !once,
            path_every: part.path_every.map_or(PATH_EVERY, Span::duration),
            own: Own::default(),
            voice,
        };
        runs.is_alone().await?;
        Ok(Self {
            heads: Heads::said_by(&runs.voice),
            inbox: fleet.and_then(inbox),
            folder: fleet.map(|fleet| fleet.folder.clone()).unwrap_or_default(),
            part,
            runs: Arc::new(runs),
            clocks,
            sight,
        })
    }

    /// Somebody else hears it from now on.
    pub fn heard_by(&self, audience: Arc<dyn Audience>) {
        self.runs.voice.add(audience);
    }

    /// Its runs.
    pub fn runs(&self) -> &Arc<Reconciler> {
        &self.runs
    }

    /// Its files.
    pub fn files(&self) -> &Arc<Files> {
        &self.runs.files
    }

    /// What stops all writing.
    pub fn kill_switch(&self) -> &KillSwitch {
        &self.runs.kill_switch
    }

    /// Looks at each target once; gives the worst outcome.
    pub async fn once(&self) -> RunOutcome {
        self.looked().boxed().await
    }

    async fn looked(&self) -> RunOutcome {
        let mut worst = RunOutcome::InSync;
        for target in self.files().good().what.targets.keys() {
            worst = worst.max(self.runs.target(target).await);
        }
        self.end().await;
        worst
    }

    /// Runs until somebody wishes to stop; the runs in hand then come to their own end. What goes on
    /// `beside` it, such as a server, ends with it.
    pub async fn drive(&self, beside: impl Future<Output = ()>) {
        let mut silences = Silences::of(&self.sight, &self.clocks);
        self.recall(&mut silences).boxed().await;
        tokio::select! {
            () = self.driven(&mut silences).boxed() => {}
            () = beside => {}
        }
        if self.watches() {
            silences.note_if(self.store().await, true).boxed().await;
        }
        self.end().boxed().await;
    }

    /// Whether it is noticed that an account is not heard of.
    fn watches(&self) -> bool {
        self.inbox.is_some() && self.part.heartbeat.is_some()
    }

    /// Where things are remembered, if somewhere.
    async fn store(&self) -> Option<Store> {
        let good = self.files().good();
        self.runs.keeper.kept(good.what.fleet.as_ref()).await.history().cloned()
    }

    async fn recall(&self, silences: &mut Silences) {
        if !self.watches() {
            return;
        }
        let Some(store) = self.store().await else { return };
        if let Err(error) = silences.recall(&store).await {
            tracing::warn!("of which accounts nothing was heard before is not known: {error}");
        }
    }

    async fn remember(&self, silences: &mut Silences) {
        loop {
            tokio::time::sleep(silences::EVERY).await;
            if self.watches() {
                silences.note_if(self.store().await, false).await;
            }
        }
    }

    async fn driven(&self, silences: &mut Silences) {
        let controller = self.controller();
        let log_file = self.runs.log_file();
        tokio::select! {
            () = self.remember(silences) => {}
            () = controller.drive(&self.runs.stop) => {}
            () = self.files().watch() => {}
            () = self.runs.watch_kill_switch() => {}
            () = self.runs.telling.keep_sending() => {}
            () = self.heads.keep_all(self.files(), log_file) => {}
        }
    }

    /// Gives back what it has, keeps the head of its log, and sends what waits.
    async fn end(&self) {
        self.runs.end().await;
        self.heads.keep(self.files(), self.runs.log_file()).await;
        self.runs.telling.end().await;
    }

    fn controller(&self) -> Controller {
        let voice = Arc::clone(&self.runs.voice);
        let beats = self.part.heartbeat.as_ref().filter(|_| self.inbox.is_some());
        Controller {
            runs: Arc::clone(&self.runs) as Arc<dyn Runs>,
            inbox: self.inbox.clone(),
            hearer: Arc::new(move |said| voice.say(&said)),
            clocks: Arc::clone(&self.clocks),
            lanes: Lanes::default(),
            sight: Arc::clone(&self.sight),
            heart: beats.map(|_| self.heart()),
            path_every: self.inbox.is_some().then_some(self.runs.path_every),
            seed: fastrand::u64(..),
        }
    }

    /// Who makes the calls that are made to hear of them.
    fn heart(&self) -> Arc<dyn Heart> {
        let files = Arc::clone(self.files());
        let now: FleetNow =
            Arc::new(move || fleet::load(files.config(), &files.good().what.texts).ok());
        let options = now().as_ref().map_or_else(session::Options::default, Fleet::options);
        let pulse = Arc::new(Pulse::new(now, options));
        Arc::new(Beating::new(pulse, &self.runs.own.among))
    }
}

/// Where events come from, if the fleet file says so.
fn inbox(fleet: &Fleet) -> Option<Arc<dyn Inbox>> {
    let url = fleet.file.controller.as_ref()?.event_queue_url.as_ref()?;
    Some(Arc::new(Sqs::new(url, fleet.options())))
}
