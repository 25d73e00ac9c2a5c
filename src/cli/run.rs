//! `evenkeel run`: the controller on the command line. What is looked at comes from the schedule and
//! from events; each run reconciles as the modes allow and ends with one line of JSON in the log;
//! SIGTERM lets the run in hand finish its write.

mod anchored;
mod causes;
mod files;
pub mod listen;
mod mended;
mod runs;
mod said;
pub mod shared;
mod signals;
mod whole;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evenkeel::aws::session::Options;
use evenkeel::baseline::disk::Disk;
use evenkeel::controller::drive::{Clocks, Controller, Heart, Machine, Runs, Said};
use evenkeel::controller::inbox::Inbox;
use evenkeel::controller::pulse::{FleetNow, Pulse};
use evenkeel::controller::queue::Lanes;
use evenkeel::controller::sight::{Change, Sight};
use evenkeel::controller::sqs::Sqs;
use evenkeel::fleet::span::Span;
use evenkeel::fleet::{self, Fleet};
use evenkeel::guards::KillSwitch;
use evenkeel::names::Region;
use evenkeel::notify::besides::{QUEUE, blind, deaf, silence_of};
use evenkeel::reconcile::Stop;
use evenkeel::store::audit::SharedLog;
use evenkeel::telemetry::hub::Sources;
use serde_json::json;

use super::args::{Global, RunArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::notices::Telling;
use super::{ask, out, settings};
use anchored::Keeping;
use files::Files;
use listen::Shown;
use runs::Reconciler;
use shared::Beating;

/// How often it is looked at what events depend on, where the fleet file does not say.
const PATH_EVERY: Duration = Duration::from_secs(2 * 60);

/// Runs the command.
pub async fn run(global: &Global, args: &RunArgs) -> Result<Exit, Failure> {
    // What is wrong with it is said when the files are read.
    let fleet = fleet::load(&global.config, &Disk).ok();
    let path = settings::likely_audit_log(global, args.audit_log.as_ref());
    let cache = path.parent().unwrap_or(Path::new("")).join("git");
    let files = Arc::new(Files::open(global, args, fleet.as_ref(), &cache).await?);
    let stop = Stop::default();
    let audit_log = SharedLog::at(path);
    let kill_switch = KillSwitch::of(fleet.as_ref());
    // Whoever is to write for a year should know at once that it cannot.
    if !args.once {
        audit_log.keep_open()?;
    }
    let runs = Reconciler::new(&files, args, audit_log, kill_switch.clone(), &stop);
    runs.is_alone().await?;
    if args.once {
        return Ok(once(&files, &runs, &stop).await);
    }
    let _listening = ask::stop_a_service_on_signals(&stop);
    let _signals = signals::listen(&files, &kill_switch);
    let part = fleet.as_ref().and_then(|fleet| fleet.file.controller.clone()).unwrap_or_default();
    let clocks: Arc<dyn Clocks> = Arc::new(Machine::default());
    let sight = Arc::new(Mutex::new(Sight::new(part.heartbeat.clone(), part.objectives.clone())));
    let inbox = fleet.as_ref().and_then(inbox);
    let sources = Sources {
        clocks: Arc::clone(&clocks),
        sight: Arc::clone(&sight),
        objectives: part.objectives.clone(),
        kill_switch: kill_switch.clone(),
        hears: inbox.is_some(),
    };
    let folder = fleet.as_ref().map(|fleet| fleet.folder.clone()).unwrap_or_default();
    let shown = listen::open(&part, &folder, sources).await?;
    let telemetry = shown.as_ref().map(|shown| Arc::clone(&shown.telemetry));
    let runs = runs.seen_by(Arc::clone(&sight), Arc::clone(&clocks)).shown_by(telemetry.clone());
    let path_every = part.path_every.map_or(PATH_EVERY, Span::duration);
    let runs = Arc::new(runs.path_every(path_every));
    let (heads, log_file) = (Keeping::default(), runs.audit_log());
    let controller = Controller {
        runs: Arc::clone(&runs) as Arc<dyn Runs>,
        hearer: {
            let files = Arc::clone(&files);
            Arc::new(move |said: Said<'_>| {
                tell(&files.telling, &said);
                telemetry.iter().for_each(|telemetry| telemetry.hear(&said));
                said::log(said);
            })
        },
        clocks,
        lanes: Lanes::default(),
        sight,
        heart: part.heartbeat.as_ref().filter(|_| inbox.is_some()).map(|_| heart(&files, &runs)),
        path_every: inbox.is_some().then_some(path_every),
        inbox,
        seed: fastrand::u64(..),
    };
    tokio::select! {
        () = controller.drive(&stop) => {}
        () = files.watch() => {}
        () = runs.watch_kill_switch() => {}
        () = serve(shown, &files, &runs) => {}
        () = files.telling.keep_sending() => {}
        () = heads.keep_all(&files, &log_file) => {}
    }
    runs.end().await;
    heads.keep(&files, &log_file).await;
    files.telling.end().await;
    log(&json!({"event": "stopped"}));
    Ok(Exit::Done)
}

/// Looks at each target once.
async fn once(files: &Files, runs: &Reconciler, stop: &Stop) -> Exit {
    let _listening = ask::stop_on_signals(stop);
    let mut worst = Exit::Done;
    for target in files.good().what.targets.keys() {
        worst = worst.max(runs.target(target).await);
    }
    runs.end().await;
    Keeping::default().keep(files, &runs.audit_log()).await;
    files.telling.end().await;
    worst
}

/// Answers who asks, if the fleet file says where.
async fn serve(shown: Option<Shown>, files: &Arc<Files>, runs: &Arc<Reconciler>) {
    match shown {
        Some(shown) => shown.serve(files, runs).await,
        None => std::future::pending().await,
    }
}

/// Tells of an account whose events do not come any more, or come again; and of all of them.
fn tell(telling: &Telling, said: &Said<'_>) {
    match said {
        Said::Sight { change: Change::Blind { account, silent } } => {
            telling.note(vec![blind(account, *silent)], Vec::new());
        }
        Said::Sight { change: Change::Sees { account, .. } } => {
            telling.note(Vec::new(), vec![(Some(account.clone()), silence_of(account))]);
        }
        Said::Door { shut: Ok(Some(why)) } => telling.note(vec![deaf(why)], Vec::new()),
        Said::Door { shut: Ok(None) } => {
            telling.note(Vec::new(), vec![(None, QUEUE.to_owned())]);
        }
        _ => {}
    }
}

/// Who makes the calls that are made to hear of them.
fn heart(files: &Arc<Files>, runs: &Reconciler) -> Arc<dyn Heart> {
    let files = Arc::clone(files);
    let now: FleetNow = Arc::new(move || {
        let version = files.good();
        fleet::load(&files.global.config, &version.what.texts).ok()
    });
    let options = now().as_ref().map(options).unwrap_or_default();
    Arc::new(Beating::new(Arc::new(Pulse::new(now, options)), runs.among()))
}

fn options(fleet: &Fleet) -> Options {
    Options {
        home_region: fleet.file.home_region.as_deref().map(Region::new),
        requests_per_second: fleet.file.limits.requests_per_second,
        ..Options::default()
    }
}

/// Where events come from, if the fleet file says so.
fn inbox(fleet: &Fleet) -> Option<Arc<dyn Inbox>> {
    let url = fleet.file.controller.as_ref()?.event_queue_url.as_ref()?;
    Some(Arc::new(Sqs::new(url, options(fleet))))
}

fn log(line: &serde_json::Value) {
    out::line(&line.to_string());
}
