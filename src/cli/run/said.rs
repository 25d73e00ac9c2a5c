//! What happens in the controller's loop, as lines of JSON.

use evenkeel::controller::drive::Said;
use evenkeel::controller::queue::{Cause, Causes, What};
use evenkeel::controller::sight::Change;
use evenkeel::guards::Pulled;
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
        Said::Door { shut: Ok(Some(why)) } => json!({"event": "deaf", "error": why}),
        Said::Door { shut: Ok(None) } => json!({"event": "hears"}),
        Said::Door { shut: Err(why) } => json!({"event": "queue_policy_unknown", "error": why}),
        Said::Sight { change: Change::Blind { account, silent } } => json!({
            "event": "blind", "account": account, "silent_seconds": silent.as_secs(),
        }),
        Said::Sight { change: Change::Sees { account, blind } } => json!({
            "event": "sees", "account": account, "blind_seconds": blind.as_secs(),
        }),
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
        _ => return,
    });
}

/// Logs that the kill switch is on, and why, or that it is off again.
pub fn kill_switch(pulled: Option<&Pulled>) {
    super::log(&match pulled {
        Some(pulled) => json!({
            "event": "kill_switch", "on": true,
            "why": pulled.to_string(), "release": pulled.release(),
        }),
        None => json!({"event": "kill_switch", "on": false}),
    });
}

/// What is looked at, as the line of a run names it.
pub fn what(what: &What) -> Value {
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
pub fn causes(causes: &Causes) -> Value {
    let kept = causes.kept.iter().map(|cause| match cause {
        Cause::Start => json!("start"),
        Cause::Released => json!("released"),
        Cause::Schedule => json!("schedule"),
        Cause::Blind => json!("blind"),
        Cause::Path => json!("events depend on it"),
        Cause::Elsewhere => json!("others had it in hand"),
        Cause::Event { id, call, time, by } => json!({
            "call": call,
            "time": time,
            "by": by.arn,
            "source_identity": by.source_identity,
            "source_address": by.source_address,
            "user_agent": by.user_agent,
            "id": id,
        }),
        Cause::Again { failures } => json!({ "failures": failures }),
    });
    let mut all: Vec<Value> = kept.collect();
    if causes.more > 0 {
        all.push(json!({"more": causes.more}));
    }
    Value::Array(all)
}
