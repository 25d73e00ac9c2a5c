//! `evenkeel run`: the controller in its simplest form. Cron schedules; each run reconciles as the
//! modes allow, and ends with one line of JSON in the log; SIGTERM lets the run in hand finish its
//! write.

use std::sync::Arc;

use chrono::Utc;
use evenkeel::plan::Detail;
use evenkeel::reconcile::guard::{check_budget, check_windows};
use evenkeel::reconcile::{Applier, Progress, Stop};
use serde_json::json;
use tokio::sync::Mutex;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::args::{Global, RunArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Wish};
use super::settings::{self, Settings};
use super::{apply, ask, out};

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
        ask::stop_on_signals(&stop);
        let mut worst = Exit::Done;
        for index in 0..settings.targets.len() {
            worst = worst.max(job.reconcile(index).await);
        }
        return Ok(worst);
    }
    ask::stop_on_signals(&stop);
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
    for (index, work) in settings.targets.iter().enumerate() {
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
        log(&json!({"event": "scheduled", "target": work.name, "schedule": schedule}));
    }
    scheduler.start().await?;
    Ok(scheduler)
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

struct Quiet;
impl Progress for Quiet {}

impl Reconciler {
    /// One run of one target, and its line in the log.
    async fn reconcile(&self, index: usize) -> Exit {
        let _turn = self.turn.lock().await;
        if self.stop.is_raised() {
            return Exit::Interrupted;
        }
        let started = Utc::now();
        match self.attempt(index).await {
            Ok((exit, mut line)) => {
                line["event"] = json!("run");
                line["started"] = json!(started);
                line["seconds"] = json!((Utc::now() - started).as_seconds_f64());
                log(&line);
                exit
            }
            Err(failure) => {
                log(
                    &json!({"event": "run", "started": started, "outcome": "failed", "error": failure.to_string()}),
                );
                failure.exit()
            }
        }
    }

    async fn attempt(&self, index: usize) -> Result<(Exit, serde_json::Value), Failure> {
        // The files are read anew: what is in git now is what is desired now.
        let mut settings = settings::resolve(&self.global, &self.args.selectors)?;
        if index >= settings.targets.len() {
            return Err(Failure::usage(
                "the target is not in the fleet file any more",
                "restart evenkeel run",
            ));
        }
        let work = settings.targets.swap_remove(index);
        let name = work.name.clone();
        settings.targets = vec![work];
        let wish = Wish {
            audit_log: self.args.audit_log.clone(),
            detail: Some(Detail::All),
            ..Wish::default()
        };
        let global = Global { quiet: true, ..self.global.clone() };
        let looked = look::at(&global, &self.args.selectors, settings, wish).await?;
        looked.say_outside();
        let summary = looked.plan.summary();
        let audit = apply::open_log(&looked, &self.stop).await?;
        let mut line = json!({
            "target": name, "run": looked.plan.run, "baseline": looked.plan.baseline.digest,
            "calls": looked.plan.cost.requests, "summary": summary, "applied": 0,
        });
        let drifted: Vec<_> = looked
            .plan
            .objects
            .iter()
            .filter(|object| !object.changes.is_empty())
            .map(evenkeel::plan::ObjectPlan::title)
            .collect();
        line["drift"] = json!(drifted);
        let mut exit = super::plan::exit_of(&looked.plan);
        if !looked.plan.order.is_empty() {
            check_budget(&looked.plan, &looked.safety)?;
            check_windows(&looked.windows, Utc::now())?;
            let applier = Applier {
                sessions: &looked.sessions,
                audit: &audit,
                stop: &self.stop,
                concurrent_accounts: looked.concurrent_accounts,
                may_begin: &|| check_windows(&looked.windows, Utc::now()),
            };
            let report = applier.apply(&looked.plan, &mut Quiet).await;
            line["applied"] = json!(report.applied());
            let failed: Vec<_> = report
                .outcomes
                .iter()
                .filter(|outcome| !outcome.step.is_done())
                .map(|outcome| format!("{}: {:?}", outcome.title, outcome.step))
                .collect();
            line["failed"] = json!(failed);
            if let Some(why) = &report.log_failure {
                line["error"] = json!(format!("{why}: nothing more was written to AWS"));
            }
            exit = if report.interrupted {
                Exit::Interrupted
            } else if report.refused.is_some() && report.applied() == 0 {
                Exit::Refused
            } else if !report.is_complete() || summary.unknown + summary.failed_accounts > 0 {
                Exit::Partly
            } else if summary.reported > 0 {
                Exit::Drift
            } else {
                Exit::Done
            };
        }
        line["outcome"] = json!(match exit {
            Exit::Done => "in sync",
            Exit::Drift => "drift",
            Exit::Partly | Exit::Error => "partly",
            Exit::Refused => "refused",
            Exit::Interrupted => "interrupted",
        });
        Ok((exit, line))
    }
}

fn log(line: &serde_json::Value) {
    out::line(&line.to_string());
}
