//! All that a running controller shows of itself, in one place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turn;

use super::around::Around;
use super::aws::Requests;
use super::book::{Book, Described, Levels};
use super::figures::{Figures, OfFleet};
use super::guards::Hold;
use super::health::Ready;
use super::kept::Keeps;
use super::known::{Known, known};
use super::leases::Leases;
use super::objects::Objects;
use super::pace::Pace;
use super::runs::Runs;
use super::seen::Sees;
use super::tls::Tls;
use crate::aws::meter::Sent;
use crate::controller::clocks::Clocks;
use crate::controller::said::Said;
use crate::controller::sight::Sight;
use crate::fleet::file::Objectives;
use crate::guards::KillSwitch;
use crate::names::VERSION;

/// What was read of late stands for now: many may ask at the same time.
const FRESH: Duration = Duration::from_secs(2);

/// What telemetry looks at.
pub struct Sources {
    /// The clocks of the loop.
    pub clocks: Arc<dyn Clocks>,
    /// How well each account is seen.
    pub sight: Arc<Mutex<Sight>>,
    /// The objectives.
    pub objectives: Objectives,
    /// The kill switch.
    pub kill_switch: KillSwitch,
    /// Whether a queue of events is configured.
    pub hears: bool,
}

/// The metrics, with what they are described by.
#[derive(Debug)]
pub(super) struct Metrics {
    book: Book,
    requests: Requests,
    sees: Sees,
    hold: Hold,
    keeps: Keeps,
    leases: Leases,
    certificate: Levels,
}

/// What a running controller shows of itself.
pub struct Telemetry {
    pub(super) sources: Sources,
    /// What it answers by, with TLS.
    pub(super) tls: Option<Arc<Tls>>,
    metrics: Metrics,
    pub(super) runs: Runs,
    pub(super) pace: Pace,
    objects: Mutex<Objects>,
    /// What was read last, and when.
    read: Turn<Option<(Duration, Arc<Known>)>>,
    /// When it began, by both clocks.
    pub(super) started: (Duration, chrono::DateTime<chrono::Utc>),
}

impl Telemetry {
    /// Looks at these.
    pub fn new(sources: Sources) -> Self {
        let mut book = Book::default();
        let build = book.gauge("build_info", &["version"], "1, with the version of evenkeel");
        build.set(&[("version", VERSION)], 1.0);
        let runs = Runs::of(&mut book);
        let pace = Pace::of(&mut book);
        let started =
            book.gauge("start_time_seconds", &[], "When the controller began, since 1970");
        let (now, wall) = (sources.clocks.now(), sources.clocks.wall());
        started.set(&[], super::seconds_since(chrono::DateTime::UNIX_EPOCH, wall));
        let metrics = Metrics {
            requests: Requests::of(&mut book),
            sees: Sees::of(&mut book),
            hold: Hold::of(&mut book),
            keeps: Keeps::of(&mut book),
            leases: Leases::of(&mut book),
            certificate: book.gauge(
                "listen_tls_refused",
                &[],
                "Whether new files of [controller] listen_tls were refused, or its certificate is not valid now; absent without TLS",
            ),
            book,
        };
        let (objects, read) = (Mutex::default(), Turn::default());
        Self { sources, tls: None, metrics, runs, pace, objects, read, started: (now, wall) }
    }

    /// With TLS, by what it answers.
    pub fn answering_by(self, tls: Option<Arc<Tls>>) -> Self {
        Self { tls, ..self }
    }

    /// Hears what happens in the loop.
    pub fn hear(&self, said: &Said<'_>) {
        let clocks = &self.sources.clocks;
        self.pace.hear(said, clocks.now(), clocks.wall());
    }

    /// Hears of a request to AWS.
    pub fn sent(&self, sent: &Sent) {
        self.metrics.requests.hear(sent);
    }

    /// The objects, as the latest looks found them.
    pub fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs, for one that ends before it has something to tell.
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// Each metric that there is.
    pub fn described(&self) -> &[Described] {
        self.metrics.book.described()
    }

    /// What is kept outside of the process, read now or a moment ago.
    pub async fn known(&self, around: &dyn Around) -> Arc<Known> {
        // Who comes second waits for the first, and takes what that one has read.
        let mut read = self.read.lock().await;
        let clocks = &self.sources.clocks;
        if let Some((at, known)) = &*read
            && clocks.now().saturating_sub(*at) < FRESH
        {
            return Arc::clone(known);
        }
        let found = Arc::new(known(&around.kept().await, clocks.wall()).await);
        *read = Some((clocks.now(), Arc::clone(&found)));
        found
    }

    /// Whether it is alive.
    pub fn is_alive(&self) -> bool {
        super::health::is_alive(&self.pace.now(), self.started.0, self.sources.clocks.now())
    }

    /// What it takes to be ready, as it stands.
    pub async fn ready(&self, around: &dyn Around) -> Ready {
        let known = self.known(around).await;
        Ready::of(&self.pace.now(), self.sources.hears, &known)
    }

    /// All metrics, as they are now.
    ///
    /// # Errors
    /// A value cannot be written.
    pub async fn metrics(&self, around: &dyn Around) -> Result<String, std::fmt::Error> {
        let known = self.known(around).await;
        let Sources { clocks, sight, objectives, kill_switch, hears } = &self.sources;
        let (now, wall) = (clocks.now(), clocks.wall());
        let (seen, events) = {
            let sight = sight.lock().unwrap_or_else(PoisonError::into_inner);
            (sight.all(now), sight.counts)
        };
        self.pace.fill(*hears, now);
        let fleet = OfFleet::ask(around).await;
        let (figures, seen, accounts) = match &fleet {
            Ok(None) => {
                let accounts = seen.len();
                (Some(Figures::of(&self.objects(), wall)), seen, accounts)
            }
            Ok(Some(fleet)) => {
                let accounts = fleet.looks.iter().filter(|look| look.whole.is_some()).count();
                let figures = Figures::of_fleet(fleet, wall);
                (Some(figures), fleet.seen(seen, objectives, wall), accounts)
            }
            // What this one has seen is no more than a part.
            Err(_) => {
                let accounts = seen.len();
                (None, seen, accounts)
            }
        };
        self.runs.fill(figures.as_ref());
        self.metrics.sees.fill(&seen, accounts, objectives, events);
        let guards = known.guards.as_ref().ok();
        self.metrics.hold.fill(kill_switch.pulled().is_some(), guards, wall);
        self.metrics.keeps.fill(&around.files(), &known, wall);
        self.metrics.leases.fill(around.leases());
        let wrong = self.tls.as_ref().map(|tls| f64::from(u8::from(tls.wrong().is_some())));
        self.metrics.certificate.maybe(&[], wrong);
        self.metrics.book.text()
    }
}
