//! `evenkeel run`: the controller in its simplest form. Cron schedules; each run reconciles as the
//! modes allow, and ends with one line of JSON in the log; SIGTERM lets the run in hand finish its
//! write.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use evenkeel::plan::Detail;
use evenkeel::reconcile::{Listener, Listeners, Stop, reconcile};
use serde_json::json;
use tokio::sync::Mutex;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::args::{Global, RunArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::listen::{JsonLine, Talk};
use super::look::{self, Wish};
use super::settings::{self, Settings, Work};
use super::{ask, out};

/// Runs the command.
pub async fn run(global: &Global, args: &RunArgs) -> Result<Exit, Failure> {
    let settings = Arc::new(settings::resolve(global, &args.selectors)?);
    evenkeel::fleet::file::schedule(&args.schedule).map_err(|error| {
        Failure::usage(
            format!("--schedule is not a cron expression: {error}"),
            "six fields, seconds first: \"0 */15 * * * *\"",
        )
    })?;
    for part in not_yet(&settings) {
        out::say(&format!(
            "note: {part} is in the fleet file, and this version does not act on it"
        ));
    }
    let stop = Stop::default();
    let job = Reconciler {
        global: global.clone(),
        args: Arc::new(Wanted {
            selectors: args.selectors.clone(),
            audit_log: args.audit_log.clone(),
        }),
        stop: stop.clone(),
        // Two runs must never write at the same time.
        turn: Arc::new(Mutex::new(())),
    };
    if args.once {
        let _listening = ask::stop_on_signals(&stop);
        let mut worst = Exit::Done;
        for (index, _) in chosen(&settings) {
            worst = worst.max(job.reconcile(index).await);
        }
        return Ok(worst);
    }
    let _listening = ask::stop_on_signals(&stop);
    let mut scheduler = start(&settings, args, &job).await.map_err(|error| {
        Failure::usage(
            format!("the schedule cannot be started: {error}"),
            "look at the cron expressions",
        )
    })?;
    stop.raised().await;
    log(&json!({"event": "stopping"}));
    // The run in hand holds the turn until its write is recorded.
    let _turn = job.turn.lock().await;
    let _ = scheduler.shutdown().await;
    log(&json!({"event": "stopped"}));
    Ok(Exit::Done)
}

/// Parts of the fleet file that wait for the full controller.
fn not_yet(settings: &Settings) -> Vec<&'static str> {
    let Some(fleet) = &settings.fleet else { return Vec::new() };
    let parts = [
        ("[notify]", !fleet.file.notify.is_empty()),
        ("[controller]", fleet.file.controller.is_some()),
        ("[store] url", fleet.file.store.url.is_some()),
    ];
    parts.into_iter().filter(|(_, is_there)| *is_there).map(|(part, _)| part).collect()
}

async fn start(
    settings: &Settings,
    args: &RunArgs,
    job: &Reconciler,
) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    for (index, work) in chosen(settings) {
        let schedule = work.schedule.as_deref().unwrap_or(&args.schedule);
        let job = job.clone();
        scheduler
            .add(Job::new_async(schedule, move |_, _| {
                let job = job.clone();
                Box::pin(async move {
                    job.reconcile(index).await;
                })
            })?)
            .await?;
        log(&json!({"event": "scheduled", "target": work.target.name, "schedule": schedule}));
    }
    scheduler.start().await?;
    Ok(scheduler)
}

/// The targets that were asked for, with their place among all.
fn chosen(settings: &Settings) -> impl Iterator<Item = (usize, &Work)> {
    settings.targets.iter().enumerate().filter(|(_, work)| !work.target.is_beside)
}

struct Wanted {
    selectors: super::args::Selectors,
    audit_log: Option<std::path::PathBuf>,
}

#[derive(Clone)]
struct Reconciler {
    global: Global,
    args: Arc<Wanted>,
    stop: Stop,
    turn: Arc<Mutex<()>>,
}

impl Reconciler {
    /// One run of one target, and its line in the log.
    async fn reconcile(&self, index: usize) -> Exit {
        let _turn = self.turn.lock().await;
        if self.stop.is_raised() {
            return Exit::Interrupted;
        }
        let started = Utc::now();
        self.attempt(index, started).await.unwrap_or_else(|failure| {
            log(
                &json!({"event": "run", "started": started, "outcome": "failed", "error": failure.to_string()}),
            );
            failure.exit()
        })
    }

    async fn attempt(&self, index: usize, started: DateTime<Utc>) -> Result<Exit, Failure> {
        // The files are read anew: what is in git now is what is desired now.
        let selectors = &self.args.selectors;
        let mut settings = settings::resolve(&self.global, selectors)?;
        let Some(work) = settings.targets.get(index) else {
            return Err(Failure::usage(
                "the target is not in the fleet file any more",
                "restart evenkeel run",
            ));
        };
        let line = JsonLine::new(&work.target.name, started);
        // What the other targets declare and except for the same accounts holds here as well.
        for (other, work) in settings.targets.iter_mut().enumerate() {
            work.target.is_beside = other != index;
        }
        let audit_log = self.args.audit_log.clone().unwrap_or_else(|| settings.audit_log.clone());
        let wish = Wish { detail: Some(Detail::All), ..Wish::default() };
        let wanted = look::wanted(&self.global, selectors, settings, wish)?;
        let listener: Arc<dyn Listener> = Arc::new(Listeners(vec![Arc::new(Talk), Arc::new(line)]));
        Ok(reconcile(wanted, &audit_log, &self.stop, &listener).await?.into())
    }
}

fn log(line: &serde_json::Value) {
    out::line(&line.to_string());
}
