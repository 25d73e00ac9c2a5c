//! `evenkeel run`: the controller on the command line. What is looked at comes from the schedule and
//! from events; each run reconciles as the modes allow and ends with one line of JSON in the log;
//! SIGTERM lets the run in hand finish its write.

mod runs;
mod said;

use std::sync::Arc;

use evenkeel::aws::session::Options;
use evenkeel::controller::drive::{Controller, Inbox, Machine};
use evenkeel::controller::sqs::Sqs;
use evenkeel::names::Region;
use evenkeel::reconcile::Stop;
use serde_json::json;

use super::args::{Global, RunArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::settings::{self, Settings};
use super::{ask, out};
use runs::{Reconciler, schedules};

/// Runs the command.
pub async fn run(global: &Global, args: &RunArgs) -> Result<Exit, Failure> {
    let settings = settings::resolve(global, &args.selectors)?;
    let targets =
        schedules(settings.fleet.as_ref(), &args.selectors, &args.schedule).map_err(|error| {
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
    let _listening = ask::stop_on_signals(&stop);
    let runs = Reconciler::new(global, args, &stop);
    if args.once {
        let mut worst = Exit::Done;
        for target in targets.keys() {
            worst = worst.max(runs.target(target).await);
        }
        return Ok(worst);
    }
    let controller = Controller {
        runs: Arc::new(runs),
        inbox: inbox(&settings),
        hearer: Arc::new(said::log),
        clocks: Arc::new(Machine::default()),
    };
    controller.drive(&stop).await;
    log(&json!({"event": "stopped"}));
    Ok(Exit::Done)
}

/// Where events come from, if the fleet file says so.
fn inbox(settings: &Settings) -> Option<Arc<dyn Inbox>> {
    let file = &settings.fleet.as_ref()?.file;
    let url = file.controller.as_ref()?.event_queue_url.as_ref()?;
    let options = Options {
        home_region: file.home_region.as_deref().map(Region::new),
        requests_per_second: file.limits.requests_per_second,
        record: false,
    };
    Some(Arc::new(Sqs::new(url, options)))
}

/// Parts of the fleet file that this version does not act on.
fn not_yet(settings: &Settings) -> Vec<&'static str> {
    let Some(fleet) = &settings.fleet else { return Vec::new() };
    let listens = fleet.file.controller.as_ref().is_some_and(|part| part.listen.is_some());
    let parts = [("[notify]", !fleet.file.notify.is_empty()), ("[controller] listen", listens)];
    parts.into_iter().filter(|(_, is_there)| *is_there).map(|(part, _)| part).collect()
}

fn log(line: &serde_json::Value) {
    out::line(&line.to_string());
}
