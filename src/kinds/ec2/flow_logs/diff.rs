//! The flow logs of a VPC against the declared one.

use super::spec::{Action, FlowLog, LogDestinationType, Settings, Spec, State, Step};
use crate::kinds::{Change, Charge, Drift, Facts, Risk, compared};

/// The changes of a VPC. AWS takes no second flow log of it to the same destination, so that a wrong one
/// there goes first; what goes elsewhere goes once the right one is there.
pub fn changes(facts: &Facts, spec: &Spec, vpc: &str, state: &State) -> Vec<Change<Action>> {
    let wanted = Settings::from(spec);
    let act = |step| Action { vpc_id: vpc.to_owned(), step };
    compared::mark("exclusive");
    if state.flow_logs.is_empty() {
        compared::mark_all();
    }
    let fits: Vec<&FlowLog> =
        state.flow_logs.iter().filter(|one| wanted.drift(&one.settings).is_empty()).collect();
    let works = fits.iter().find(|one| one.problem.is_none());
    let kept = works.or(fits.first()).copied();
    let is_kept = |one: &FlowLog| kept.is_some_and(|kept| kept.flow_log_id == one.flow_log_id);
    let (wrong, others): (Vec<FlowLog>, Vec<FlowLog>) = state
        .flow_logs
        .iter()
        .filter(|one| !is_kept(one))
        .cloned()
        .partition(|one| kept.is_none() && one.settings.goes_where(&wanted));

    let mut changes = Vec::new();
    let mut needed = Vec::new();
    if let Some(kept) = kept {
        changes.extend(out_of_order(&wanted, kept));
    } else {
        let new = match wrong.first() {
            Some(wrong) => {
                let settings = wanted.clone().or(&wrong.settings);
                FlowLog { settings, ..wrong.again() }
            }
            None => FlowLog::new(wanted.clone()),
        };
        if !wrong.is_empty() {
            changes.push(replaced(act(Step::Delete(wrong.clone())), &wanted, &wrong));
        }
        let create = create(facts, act(Step::Create(new)), &wanted);
        let create = if wrong.is_empty() { create.independent() } else { create.needs([0]) };
        needed.push(changes.len());
        changes.push(match unknown(&wrong) {
            Some(reason) => create.withhold(reason),
            None => create,
        });
    }
    if spec.exclusive == Some(true) && !others.is_empty() {
        changes.push(removed(act(Step::Delete(others.clone())), &others).needs(needed));
    }
    changes
}

/// The right flow log, and that nothing arrives.
fn out_of_order(wanted: &Settings, kept: &FlowLog) -> Option<Change<Action>> {
    let problem = kept.problem.as_deref()?;
    let mut drift = Drift::new();
    let words = |word| format!("{}, {word}", wanted.log_destination);
    drift.add(
        "log_destination",
        Some(words("not in working order")),
        Some(words("in working order")),
    );
    let help = match wanted.log_destination_type {
        Some(LogDestinationType::CloudWatchLogs) => {
            "the role must be one that vpc-flow-logs.amazonaws.com may assume, and may write to the log group, which must be there"
        }
        Some(LogDestinationType::S3) => {
            "the bucket must be there, and its policy and key must let delivery.logs.amazonaws.com in"
        }
        _ => "the stream must be there and have the tag LogDeliveryEnabled",
    };
    let id = kept.flow_log_id.as_deref().unwrap_or_default();
    Some(Change::finding(drift).withhold(format!("{id} does not deliver: {problem}; {help}")))
}

fn create(facts: &Facts, action: Action, wanted: &Settings) -> Change<Action> {
    let mut drift = Drift::new();
    drift.add("log_destination", None::<&str>, Some(&wanted.log_destination));
    let charge = match wanted.log_destination_type {
        Some(LogDestinationType::CloudWatchLogs) => Charge::LogsToCloudwatch,
        _ => Charge::LogsToOthers,
    };
    Change::new(action, drift)
        .charged("AWS charges for each gigabyte that flow logs deliver", [charge])
        .sends(&facts.account, "flow logs are sent", wanted.log_destination.as_str())
}

fn replaced(action: Action, wanted: &Settings, wrong: &[FlowLog]) -> Change<Action> {
    let drift = wrong.first().map(|one| wanted.drift(&one.settings)).unwrap_or_default();
    let names: Vec<String> = wrong.iter().map(FlowLog::words).collect();
    let change = Change::new(action, drift).independent().risk(Risk::Disruptive).warn(format!(
        "AWS changes no flow log and takes no second one to the same destination: {} goes, and what flows until the next change is not recorded",
        names.join(", ")
    ));
    match unknown(wrong) {
        Some(reason) => change.withhold(reason),
        None => change,
    }
}

/// What would be lost with a flow log that is made anew.
fn unknown(wrong: &[FlowLog]) -> Option<String> {
    let lossy = wrong.iter().find(|one| !one.unknown.is_empty())?;
    Some(format!(
        "{} has {}, which evenkeel does not know and would take away: replace it yourself, or declare it as it is",
        lossy.words(),
        lossy.unknown.join(", ")
    ))
}

fn removed(action: Action, others: &[FlowLog]) -> Change<Action> {
    let mut drift = Drift::new();
    for one in others {
        drift.add("exclusive", Some(one.words()), None::<&str>);
    }
    Change::new(action, drift)
        .risk(Risk::Disruptive)
        .warn("whoever reads the records there gets no more of them")
        .moves()
}
