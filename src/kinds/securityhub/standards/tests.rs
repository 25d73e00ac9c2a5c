#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::spec::Enabled;
use super::*;
use crate::kinds::{Needs, Risk};

const FSBP: &str = "aws-foundational-security-best-practices/v/1.0.0";
const CIS: &str = "cis-aws-foundations-benchmark/v/1.2.0";

fn spec(fields: Value) -> Spec {
    serde_json::from_value(fields).unwrap()
}

fn state(enabled: &[(&str, Option<&str>)]) -> State {
    let enabled = enabled.iter().map(|(name, problem)| {
        let problem = problem.map(str::to_owned);
        ((*name).to_owned(), Enabled { problem, ..Enabled::default() })
    });
    let available = [FSBP, CIS].map(str::to_owned).into();
    State { is_on: true, available, enabled: enabled.collect() }
}

fn diff(fields: Value, state: State) -> Vec<Change<Action>> {
    Standards::diff(&Facts::example(Standards::NAME), &spec(fields), &Object::present("", state))
}

#[test]
fn standards_have_a_name_in_both_forms_of_their_arns() {
    let arn = format!("arn:aws:securityhub:eu-west-1::standards/{FSBP}");
    assert_eq!(name(&arn), Some(FSBP));
    assert_eq!(name(&format!("arn:aws:securityhub:::ruleset/{CIS}")), Some(CIS));
    assert_eq!(name("arn:aws:securityhub:eu-west-1::product/aws/guardduty"), None);
}

#[test]
fn what_is_missing_is_turned_on_and_what_is_too_much_off() {
    let changes = diff(json!({ "standards": [FSBP] }), state(&[(CIS, None)]));
    assert_eq!(
        changes[0].action,
        Some(Action::Enable { standard: FSBP.to_owned(), input: Default::default() })
    );
    assert_eq!((changes[0].risk, changes[1].risk), (Risk::Safe, Risk::Disruptive));
    assert!(changes[1].warnings[0].contains("weaker than before"));
    assert_eq!(changes[1].needs, Needs::Only(vec![0]), "none goes before the others are there");
    let others = json!({ "standards": [CIS], "exclusive": false });
    assert!(diff(others, state(&[(CIS, None), (FSBP, None)])).is_empty());
}

#[test]
fn a_standard_that_the_region_lacks_or_that_checks_only_a_part_is_reported() {
    let change = diff(json!({ "standards": ["x/v/1"] }), state(&[])).remove(0);
    assert!(change.action.is_none() && change.withheld.unwrap().contains("has no x/v/1"));
    let problem = Some("INCOMPLETE: NO_AVAILABLE_CONFIGURATION_RECORDER");
    let change = diff(json!({ "standards": [FSBP] }), state(&[(FSBP, problem)])).remove(0);
    assert!(change.action.is_none() && change.withheld.unwrap().contains("config.recorder"));
}

#[test]
fn none_is_turned_off_while_one_cannot_be_had() {
    let changes =
        diff(json!({ "standards": [FSBP, "x/v/1"] }), state(&[(FSBP, None), (CIS, None)]));
    assert!(changes.iter().all(|change| change.withheld.is_some()), "{changes:?}");
    assert!(changes[1].withheld.as_ref().unwrap().contains("no x/v/1"), "{changes:?}");
}

#[test]
fn before_the_hub_is_on_its_coming_is_said() {
    let change = diff(json!({ "standards": [FSBP] }), State::default()).remove(0);
    assert!(change.action.is_some() && change.warnings[1].contains("not on yet"));
}

#[test]
fn what_a_standard_was_told_stays() {
    let declared = json!({ "standards": [FSBP], "standards_input": { FSBP: { "a": "b" } } });
    let change = diff(declared, state(&[(FSBP, None)])).remove(0);
    assert!(change.action.is_none() && change.withheld.unwrap().contains("off and on"));
}

#[test]
fn what_cannot_be_is_said_before() {
    for (fields, words) in [
        (json!({ "standards": ["service-managed-aws-control-tower/v/1.0.0"] }), "Control Tower"),
        (json!({ "standards": ["arn:aws:securityhub:::ruleset/x/v/1"] }), "not the name"),
        (json!({ "standards": [], "standards_input": { FSBP: {} } }), "not among"),
    ] {
        let problems = Standards::check(&spec(fields));
        assert!(problems.iter().any(|problem| problem.message.contains(words)), "{words}");
    }
}
