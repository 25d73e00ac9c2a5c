//! Which standards are turned on and off.

use super::spec::{Action, Enabled, Input, Spec, State};
use crate::kinds::{Change, Charge, Drift, Risk, Undo, compared};

pub fn diff(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    compared::mark("standards");
    compared::mark("standards_input");
    let mut changes = Vec::new();
    for standard in &spec.standards {
        let input = spec.standards_input.as_ref().and_then(|inputs| inputs.get(standard));
        match state.enabled.get(standard) {
            Some(there) => changes.extend(findings(standard, input, there)),
            None => changes.push(enable(standard, input, state)),
        }
    }
    // What takes its place must be there first.
    let before: Vec<usize> =
        (0..changes.len()).filter(|at| changes[*at].action.is_some()).collect();
    let lacking = spec.standards.iter().find(|name| lacks(state, name));
    let others = state.enabled.keys().filter(|name| !spec.standards.contains(*name));
    for standard in others.filter(|_| spec.is_exclusive()) {
        let mut drift = Drift::new();
        drift.add("standards", Some(standard), None::<&str>);
        let change = Change::new(Action::Disable { standard: standard.clone() }, drift)
            .needs(before.iter().copied())
            .risk(Risk::Disruptive)
            .warn(format!(
                "weaker than before: what only {standard} checks is no longer checked, and which of its controls were turned on or off is forgotten"
            ));
        changes.push(match lacking {
            Some(lacking) => change.withhold(format!(
                "none is turned off while one of those that are to be on cannot be had: this Region has no {lacking}"
            )),
            None => change,
        });
    }
    changes
}

/// Whether a Region is known not to have a standard.
fn lacks(state: &State, standard: &str) -> bool {
    state.is_on && !state.available.contains(standard) && !state.enabled.contains_key(standard)
}

fn enable(standard: &str, input: Option<&Input>, state: &State) -> Change<Action> {
    let mut drift = Drift::new();
    drift.add("standards", None::<&str>, Some(standard));
    if lacks(state, standard) {
        return Change::finding(drift).withhold(format!(
            "this Region has no {standard}: look its name up in DescribeStandards, or leave it out here"
        ));
    }
    let action =
        Action::Enable { standard: standard.to_owned(), input: input.cloned().unwrap_or_default() };
    let change = Change::new(action, drift).independent().charged(
        &format!("AWS charges for every check of the controls of {standard}"),
        [Charge::SecurityCheck],
    );
    if state.is_on {
        change
    } else {
        change.warn("Security Hub is not on yet: it must be by the time of this change")
    }
}

/// What is wrong with a standard that is on, and that no write mends.
fn findings(standard: &str, input: Option<&Input>, there: &Enabled) -> Vec<Change<Action>> {
    let mut findings = Vec::new();
    if let Some(problem) = &there.problem {
        let mut drift = Drift::new();
        drift.add("standards", Some(format!("{standard}: {problem}")), Some(standard));
        let remedy = if problem.contains("NO_AVAILABLE_CONFIGURATION_RECORDER") {
            "AWS Config records nothing here, so that controls cannot be checked: an item config.recorder must have it record (recording = true); where this plan makes it record, Security Hub sees that after a while"
        } else if problem.contains("MAXIMUM_NUMBER_OF_CONFIG_RULES") {
            "there is no room for Security Hub's rules: take Config rules away, or ask AWS for a larger quota"
        } else {
            "AWS checks only a part of its controls: look at the standard in Security Hub's console"
        };
        findings.push(Change::finding(drift).withhold(remedy));
    }
    let mut drift = Drift::new();
    if drift.compare(&format!("standards_input.{standard}"), Some(&there.input), input) {
        findings.push(Change::finding(drift).withhold(
            "a standard is told this only when it is turned on: turn it off and on again, which forgets which of its controls are on",
        ));
    }
    findings
}

pub fn undo(action: &Action, before: Option<&State>) -> Undo<Action> {
    match action {
        Action::Enable { standard, .. } => {
            Undo::By(vec![Action::Disable { standard: standard.clone() }])
        }
        Action::Disable { standard } => {
            match before.and_then(|state| state.enabled.get(standard)) {
                Some(there) => {
                    let (standard, input) = (standard.clone(), there.input.clone());
                    Undo::By(vec![Action::Enable { standard, input }])
                }
                None => Undo::Impossible("what was there before was not observed".to_owned()),
            }
        }
    }
}

pub fn export(state: &State) -> Option<Spec> {
    let told = state.enabled.iter().filter(|(_, one)| !one.input.is_empty());
    let told = told.map(|(name, one)| (name.clone(), one.input.clone())).collect();
    state.is_on.then(|| Spec {
        standards: state.enabled.keys().cloned().collect(),
        exclusive: Some(true),
        standards_input: Some(told),
        under_administrator: None,
    })
}
