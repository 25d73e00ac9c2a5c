//! `evenkeel run`: the controller on the command line. What is looked at comes from the schedule and
//! from events; each run reconciles as the modes allow and ends with one line of JSON in the log;
//! SIGTERM lets the run in hand finish its write.

mod said;
mod signals;

use std::sync::Arc;

use evenkeel::controller::files::Wanted;
use evenkeel::controller::{Options, Service};
use evenkeel::reconcile::Stop;
use evenkeel::telemetry::Shown;
use serde_json::json;

use super::args::{Global, RunArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{ask, out, settings};
use said::Lines;

/// Where a deployment says which commit its files are of.
const COMMIT: &str = "EVENKEEL_COMMIT";

/// Runs the command.
pub async fn run(global: &Global, args: &RunArgs) -> Result<Exit, Failure> {
    let options = Options {
        files: Wanted {
            config: global.config.clone(),
            selectors: args.selectors.plain(),
            schedule: args.schedule.clone(),
            commit: std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty()),
        },
        audit_log: settings::likely_audit_log(global, args.audit_log.as_ref()),
        once: args.once,
    };
    let stop = Stop::default();
    // From the first moment on: whoever asks a command to end hears how it ended.
    let _listening = match args.once {
        true => ask::stop_on_signals(&stop),
        false => ask::stop_a_service_on_signals(&stop),
    };
    let service = tokio::select! {
        service = Service::open(options, &stop, Arc::new(Lines::new(global))) => {
            service.map_err(|error| settings::of_controller(global, error))?
        }
        () = stop.raised() => return Err(Failure::Interrupted),
    };
    if args.once {
        return Ok(service.once().await.into());
    }
    let _signals = signals::listen(service.files(), service.kill_switch());
    let shown = Shown::of(&service).await.map_err(|why| {
        Failure::usage(
            why,
            "correct [controller] listen, listen_token and listen_tls in the fleet file, or end who has the address",
        )
    })?;
    if let Some(shown) = &shown {
        log(&json!({"event": "listening", "address": shown.address()}));
    }
    service.drive(serve(shown)).await;
    log(&json!({"event": "stopped"}));
    Ok(Exit::Done)
}

/// Answers who asks, if the fleet file says where.
async fn serve(shown: Option<Shown>) {
    match shown {
        Some(shown) => shown.serve().await,
        None => std::future::pending().await,
    }
}

fn log(line: &serde_json::Value) {
    out::line(&line.to_string());
}
