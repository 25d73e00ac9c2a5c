//! What happens in the controller, as lines of JSON.

use std::sync::Arc;

use evenkeel::controller::begun::{Begun, Looking};
use evenkeel::controller::in_force::{Offer, Shown};
use evenkeel::controller::queue::{Cause, Causes, What};
use evenkeel::controller::sight::Change;
use evenkeel::controller::{Audience, Said};
use evenkeel::reconcile::Listener;
use evenkeel::telemetry::shown::short;
use serde_json::{Value, json};

use super::super::args::Global;
use super::super::listen::{ByHand, JsonLine, Talk};
use super::super::{again, out, settings};

/// Who writes the lines.
pub struct Lines {
    global: Global,
}

impl Lines {
    /// As the global options say.
    pub fn new(global: &Global) -> Self {
        Self { global: global.clone() }
    }
}

impl Audience for Lines {
    fn hear(&self, said: &Said<'_>) {
        match said {
            Said::Problems { problems } => settings::print(&self.global, problems),
            Said::Warned { warning } => out::warn(warning),
            said => log(said),
        }
    }

    fn of_run(&self, looking: &Looking<'_>) -> Vec<Arc<dyn Listener>> {
        let begun = looking.begun;
        let line = JsonLine::new(run(begun), begun.started).by_hand(by_hand(looking));
        vec![Arc::new(Talk), Arc::new(line)]
    }
}

/// The command line that goes on by hand where a guard holds something back, and where it is run.
fn by_hand(looking: &Looking<'_>) -> ByHand {
    let config = looking.config.to_owned();
    let selectors = looking.selectors.clone();
    let checkout = looking.checkout.map(str::to_owned);
    Box::new(move |guard, kinds| {
        let line = again::by_hand(&config, &selectors, kinds, guard)?;
        Some(match &checkout {
            Some(place) => format!("{line}   # {place}"),
            None => line,
        })
    })
}

/// The line of a run, as far as it is known when it begins.
fn run(begun: &Begun<'_>) -> Value {
    let mut line = what(&begun.job.what);
    if begun.job.causes != Causes::default() {
        line["causes"] = causes(&begun.job.causes);
    }
    line["files"] = files(begun);
    if let Some(pulled) = begun.pulled {
        line["kill_switch"] = json!(pulled.to_string());
    }
    line
}

/// What it says of the version of the files.
fn files(begun: &Begun<'_>) -> Value {
    let Shown { label, since, refused, .. } = begun.files;
    let mut line = json!({
        "digest": short(label),
        "since": since,
        "age_seconds": (begun.started - since).num_seconds().max(0),
    });
    if let Some(commit) = &label.commit {
        line["commit"] = json!(commit);
    }
    if let Some(refused) = refused {
        line["refused"] = json!({
            "digest": short(&refused.label),
            "commit": refused.label.commit,
            "since": refused.since,
        });
    }
    line
}

/// What has changed of how well an account is seen.
fn of_sight(change: &Change) -> Value {
    match change {
        Change::Blind { account, silent } => json!({
            "event": "blind", "account": account, "silent_seconds": silent.as_secs(),
        }),
        Change::Sees { account, blind } => json!({
            "event": "sees", "account": account, "blind_seconds": blind.as_secs(),
        }),
        Change::Left { account } => json!({"event": "left", "account": account}),
    }
}

fn log(said: &Said<'_>) {
    super::log(&match said {
        Said::Scheduled { target, schedule } => {
            json!({"event": "scheduled", "target": target, "schedule": schedule.pattern.to_string()})
        }
        Said::Files { why } => json!({"event": "files", "error": why}),
        Said::Told { event, parts } => json!({
            "event": "told",
            "id": event.id,
            "time": event.time,
            "account": event.account,
            "region": event.region,
            "call": event.call,
            "by": event.by.arn,
            "source_identity": event.by.source_identity,
            "source_address": event.by.source_address,
            "user_agent": event.by.user_agent,
            "refused": event.refused,
            "parts": parts,
        }),
        Said::NoEvent { why } => json!({"event": "unreadable", "error": why.to_string()}),
        Said::Deaf { why, pause } => {
            json!({"event": "deaf", "error": why, "again_in_seconds": pause.as_secs()})
        }
        Said::Answered { deaf: Some(deaf) } => {
            json!({"event": "hears", "deaf_seconds": deaf.as_secs()})
        }
        Said::Door { shut: Ok(Some(why)) } => json!({"event": "deaf", "error": why}),
        Said::Door { shut: Ok(None) } => json!({"event": "hears"}),
        Said::Door { shut: Err(why) } => json!({"event": "queue_policy_unknown", "error": why}),
        Said::Sight { change } => of_sight(change),
        Said::NoBeat { account, why } => {
            json!({"event": "no_heartbeat", "account": account, "error": why})
        }
        Said::Defect { job } => json!({
            "event": "defect", "of": what(&job.what),
            "error": "this is a defect of evenkeel: report it with the lines that begin with \"thread\"",
        }),
        Said::Again { job, failures, setback } => json!({
            "event": "again", "of": what(&job.what), "failures": failures, "why": setback.as_str(),
        }),
        Said::Version { label, offer, why, .. } => {
            let mut line = json!({
                "event": "files",
                "digest": short(label),
                "commit": label.commit,
                "in_force": *offer != Offer::Refused,
            });
            if *offer == Offer::Refused {
                line["error"] = json!(why);
            }
            line
        }
        Said::Unreachable { why } => json!({"event": "files", "error": why, "in_force": false}),
        Said::KillSwitch { pulled: Some(pulled) } => json!({
            "event": "kill_switch", "on": true,
            "why": pulled.to_string(), "release": pulled.release(),
        }),
        Said::KillSwitch { pulled: None } => json!({"event": "kill_switch", "on": false}),
        Said::Failed { begun, error, .. } => {
            let mut line = run(begun);
            line["event"] = json!("run");
            line["started"] = json!(begun.started);
            line["outcome"] = json!("failed");
            line["error"] = json!(error.to_string());
            line
        }
        _ => return,
    });
}

/// What is looked at, as the line of a run names it.
fn what(what: &What) -> Value {
    match what {
        What::Target(name) => json!({ "target": name }),
        What::Path(name) => json!({ "target": name, "only": "what events depend on" }),
        What::Account(account) => json!({ "account": account }),
        What::Parts { account, parts } => {
            let parts = parts.iter().map(|(kind, region)| match region {
                Some(region) => format!("{kind} in {region}"),
                None => (*kind).to_owned(),
            });
            json!({"account": account, "parts": parts.collect::<Vec<_>>()})
        }
    }
}

/// Why it is looked at.
fn causes(causes: &Causes) -> Value {
    let kept = causes.kept.iter().map(|cause| match cause {
        Cause::Start => json!("start"),
        Cause::Released => json!("released"),
        Cause::Schedule => json!("schedule"),
        Cause::Blind => json!("blind"),
        Cause::Path => json!("events depend on it"),
        Cause::Elsewhere => json!("the rest of what others share"),
        Cause::Event(called) if called.by.is_not_kept() => json!({
            "call": called.by.call, "more": called.by.count(),
        }),
        Cause::Event(called) => {
            let by = &called.by;
            let mut event = json!({
                "call": by.call,
                "time": by.time,
                "by": by.principal,
                "source_identity": called.source_identity,
                "source_address": by.address,
                "user_agent": by.agent,
                "id": by.event,
            });
            if by.count() > 1 {
                event["times"] = json!(by.count());
                event["last"] = json!(by.times().last());
            }
            event
        }
        Cause::Again { failures } => json!({ "failures": failures }),
    });
    Value::Array(kept.collect())
}
