//! What happens in the controller's loop, as lines of JSON.

use evenkeel::controller::drive::Said;
use evenkeel::controller::queue::{Cause, Causes, What};
use serde_json::{Value, json};

/// Logs what happened.
pub fn log(said: Said<'_>) {
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
        Said::Again { job, failures } => {
            json!({"event": "again", "of": what(&job.what), "failures": failures})
        }
        _ => return,
    });
}

/// What is looked at, as the line of a run names it.
pub fn what(what: &What) -> Value {
    match what {
        What::Target(name) => json!({ "target": name }),
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
pub fn causes(causes: &Causes) -> Value {
    let kept = causes.kept.iter().map(|cause| match cause {
        Cause::Start => json!("start"),
        Cause::Schedule => json!("schedule"),
        Cause::Event { id, call, by } => json!({"call": call, "by": by, "id": id}),
        Cause::Again { failures } => json!({ "failures": failures }),
    });
    let mut all: Vec<Value> = kept.collect();
    if causes.more > 0 {
        all.push(json!({"more": causes.more}));
    }
    Value::Array(all)
}
