#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::kinds::Needs;
use crate::kinds::shapes::part::{Action, State, Step};

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "enable": true });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn there() -> State<Detector> {
    State::at(Place { detector_id: Some("d".to_owned()) }).with::<enable::Enable>(&true)
}

fn diff(fields: Value, state: State<Detector>) -> Vec<Change<Action<Detector>>> {
    Detector::diff(&Facts::example(Detector::NAME), &spec(fields), &Object::present("", state))
}

fn absent(fields: Value) -> Vec<Change<Action<Detector>>> {
    Detector::diff(&Facts::example(Detector::NAME), &spec(fields), &Object::absent(""))
}

fn with_features(features: Value) -> State<Detector> {
    let now: BTreeMap<String, features::There> = serde_json::from_value(features).unwrap();
    there().with::<features::Features>(&now)
}

fn feature(status: &str, is_of_policy: bool) -> Value {
    json!({ "feature": { "status": status, "additional_configuration": { "EC2_AGENT_MANAGEMENT": "DISABLED" } }, "is_of_policy": is_of_policy })
}

#[test]
fn a_detector_is_made_in_one_write_that_names_what_aws_turns_on_besides() {
    let changes = absent(json!({
        "features": { "S3_DATA_EVENTS": { "status": "DISABLED" } }, "tags": { "a": "b" },
        "finding_publishing_frequency": "ONE_HOUR",
    }));
    assert_eq!(changes.len(), 1);
    assert!(matches!(changes[0].action.as_ref().unwrap().step, Step::Create(_)));
    let warning = &changes[0].warnings[0];
    assert!(warning.contains("EKS_AUDIT_LOGS") && !warning.contains("S3_DATA_EVENTS"), "{warning}");
    assert!(absent(json!({ "enable": false, "tags": {} })).is_empty(), "nothing there is off");
}

#[test]
fn what_is_declared_of_a_detector_that_is_not_there_is_never_passed_over() {
    for (field, value) in [
        ("finding_publishing_frequency", json!("FIFTEEN_MINUTES")),
        ("tags", json!({ "a": "b" })),
        ("require_administrator_account", json!("444455556666")),
        ("features", json!({ "S3_DATA_EVENTS": { "status": "ENABLED" } })),
    ] {
        let changes = absent(json!({ "enable": false, field: value }));
        assert_eq!(changes.len(), 1, "{field}");
        assert!(changes[0].action.is_none() && changes[0].withheld.is_some(), "{field}");
        assert!(changes[0].drift[0].field.starts_with(field), "{field}");
    }
    for (field, value) in [
        ("tags", json!({})),
        ("require_administrator_account", json!("")),
        ("features", json!({ "S3_DATA_EVENTS": { "status": "DISABLED" } })),
    ] {
        assert!(absent(json!({ "enable": false, field: value })).is_empty(), "{field}");
    }
}

#[test]
fn suspending_is_said_to_blind() {
    let change = diff(json!({ "enable": false }), there()).remove(0);
    assert_eq!((change.risk, change.needs), (Risk::Disruptive, Needs::Only(Vec::new())));
    assert!(change.warnings[0].contains("no threat"));
}

#[test]
fn each_feature_is_a_write_of_its_own_and_says_what_it_loses_or_costs() {
    let declared = json!({ "features": {
        "S3_DATA_EVENTS": { "status": "ENABLED" }, "RDS_LOGIN_EVENTS": { "status": "DISABLED" },
        "RUNTIME_MONITORING": { "status": "ENABLED", "additional_configuration": { "EC2_AGENT_MANAGEMENT": "ENABLED" } },
    } });
    let now = json!({
        "S3_DATA_EVENTS": feature("DISABLED", false), "RDS_LOGIN_EVENTS": feature("ENABLED", false),
        "RUNTIME_MONITORING": feature("ENABLED", false), "FLOW_LOGS": feature("ENABLED", false),
    });
    let changes = diff(declared, with_features(now));
    let words = |place: usize| changes[place].warnings.join(" ");
    assert_eq!(changes.len(), 3);
    assert!(words(0).contains("weaker than before: features.RDS_LOGIN_EVENTS.status"));
    assert!(words(1).contains("agents") && changes[1].risk == Risk::Disruptive);
    assert!(words(2).contains("AWS charges for S3_DATA_EVENTS"));
    assert!(changes.iter().all(|change| change.needs == Needs::Only(Vec::new())));
}

#[test]
fn a_feature_of_a_policy_or_that_the_region_lacks_is_reported() {
    let declared = json!({ "features": { "S3_DATA_EVENTS": { "status": "ENABLED" } } });
    let of_policy = json!({ "S3_DATA_EVENTS": feature("DISABLED", true) });
    for (now, words) in [(of_policy, "policy of the organization"), (json!({}), "lacks it")] {
        let change = diff(declared.clone(), with_features(now)).remove(0);
        assert_eq!(change.action, None);
        assert!(change.withheld.as_ref().unwrap().contains(words));
    }
    let off = json!({ "features": { "S3_DATA_EVENTS": { "status": "DISABLED" } } });
    assert!(diff(off, with_features(json!({}))).is_empty(), "what is not there is off");
}

#[test]
fn another_administrator_or_none_is_a_finding() {
    let now = |account: &str, status: &str| -> Option<administrator::Administrator> {
        serde_json::from_value(json!({ "account_id": account, "status": status })).unwrap()
    };
    let cases = [
        ("444455556666", now("444455556666", "Enabled"), 0),
        ("444455556666", now("444455556666", "Disabled"), 1),
        ("444455556666", now("999988887777", "ENABLED"), 1),
        ("444455556666", None, 1),
        ("", None, 0),
        ("", now("999988887777", "Enabled"), 1),
    ];
    for (wanted, now, findings) in cases {
        let state = there().with::<administrator::AdministratorAccount>(&now);
        let changes = diff(json!({ "require_administrator_account": wanted }), state);
        assert_eq!(changes.len(), findings, "{wanted} {now:?}");
        assert!(changes.iter().all(|change| change.action.is_none()));
    }
}

#[test]
fn what_guardduty_refuses_is_said_before() {
    let on = json!({ "status": "ENABLED" });
    let cases = [
        (json!({ "features": { "EKS_RUNTIME_MONITORING": on } }), "takes no feature"),
        (json!({ "features": { "FLOW_LOGS": on } }), "takes no feature"),
        (
            json!({ "features": { "S3_DATA_EVENTS": { "status": "ENABLED", "additional_configuration": { "EC2_AGENT_MANAGEMENT": "ENABLED" } } } }),
            "has no EC2",
        ),
        (json!({ "require_administrator_account": "me" }), "is no account"),
    ];
    for (fields, words) in cases {
        let problems = Detector::check(&spec(fields.clone()));
        assert!(problems.iter().any(|problem| problem.message.contains(words)), "{fields}");
    }
}
