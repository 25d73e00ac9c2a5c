use serde_json::{Value, json};

use super::*;
use crate::kinds::{GrantClass, Needs, Risk};

/// The account of `Facts::example`.
const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

fn declared(fields: Value) -> Spec {
    serde_json::from_value(fields).unwrap()
}

fn configured(enable: bool, standards: &str, of_type: &str) -> Value {
    json!({ "auto_enable": enable, "auto_enable_standards": standards, "configuration_type": of_type,
        "member_account_limit_reached": false })
}

fn diff(fields: Value, state: Value) -> Vec<Change<Action>> {
    let facts = Facts::example(Organization::NAME);
    let object = Object::present("", serde_json::from_value(state).unwrap());
    Organization::diff(&facts, &declared(fields), &object)
}

/// The same of what an administrator has configured.
fn against(fields: Value, configuration: Value) -> Vec<Change<Action>> {
    diff(fields, json!({ "configuration": configuration }))
}

#[test]
fn who_administers_is_named_once_and_another_one_is_reported() {
    let none = json!({ "administrator": {} });
    let changes = diff(json!({ "admin_account_id": OTHER }), none.clone());
    assert_eq!(changes[0].grants[0].class, GrantClass::Foreign);
    assert!(diff(json!({ "admin_account_id": OWN }), none)[0].grants.is_empty());
    let there = json!({ "administrator": { "account_id": OTHER } });
    assert!(diff(json!({ "admin_account_id": OTHER }), there.clone()).is_empty());
    assert!(diff(json!({ "admin_account_id": OWN }), there.clone())[0].action.is_none());
    let both = json!({ "admin_account_id": OTHER, "auto_enable": false });
    let changes = diff(both, there);
    assert_eq!((changes.len(), changes[0].action.is_none()), (1, true));
    assert!(changes[0].withheld.as_ref().unwrap().contains(OTHER));
}

#[test]
fn one_write_has_all_of_it_and_comes_back() {
    let there = configured(false, "NONE", "LOCAL");
    let changes = against(json!({ "auto_enable": true }), there.clone());
    let action = changes[0].action.clone().unwrap();
    let whole = json!({ "auto_enable": true, "auto_enable_standards": "NONE", "configuration_type": "LOCAL" });
    assert_eq!(json!(action), json!({ "configure": whole }));
    assert_eq!((changes[0].risk, changes[0].charges.len()), (Risk::Safe, 1));
    let before = serde_json::from_value(json!({ "configuration": there })).unwrap();
    let back = json!(Organization::undo(&action, &Object::present("", before)));
    let was = json!({ "auto_enable": false, "auto_enable_standards": "NONE", "configuration_type": "LOCAL" });
    assert_eq!(back, json!({ "by": [{ "configure": was }] }));
}

#[test]
fn central_configuration_switches_nothing_on_beside_its_policies() {
    let changes =
        against(json!({ "configuration_type": "CENTRAL" }), configured(true, "DEFAULT", "LOCAL"));
    let whole = json!({ "auto_enable": false, "auto_enable_standards": "NONE", "configuration_type": "CENTRAL" });
    assert_eq!(json!(changes[0].action), json!({ "configure": whole }));
    assert_eq!(changes[0].risk, Risk::Disruptive);
    let changes = against(json!({ "auto_enable": true }), configured(false, "NONE", "CENTRAL"));
    assert!(changes[0].action.is_none() && changes[0].withheld.is_some());
    let changes = against(
        json!({ "auto_enable": true, "configuration_type": "LOCAL" }),
        configured(false, "NONE", "CENTRAL"),
    );
    assert!(changes[0].action.is_some());
    assert_eq!(changes[0].risk, Risk::Disruptive);
    let problems = |fields: Value| Organization::check(&declared(fields)).len();
    assert_eq!(
        problems(
            json!({ "configuration_type": "CENTRAL", "auto_enable": true, "auto_enable_standards": "DEFAULT" })
        ),
        2
    );
    assert_eq!(
        problems(
            json!({ "configuration_type": "CENTRAL", "auto_enable": false, "auto_enable_standards": "NONE" })
        ),
        0
    );
    assert_eq!(problems(json!({ "configuration_type": "LOCAL", "auto_enable": true })), 0);
}

#[test]
fn what_is_not_there_is_configured_after_the_administrator_is_named() {
    let changes = diff(
        json!({ "admin_account_id": OWN, "auto_enable": true }),
        json!({ "administrator": {} }),
    );
    assert_eq!(changes[1].needs, Needs::Only(vec![0]));
    let first = json!({ "auto_enable": true, "auto_enable_standards": "DEFAULT", "configuration_type": "LOCAL" });
    assert_eq!(json!(changes[1].action), json!({ "configure": first }));
    let off = diff(json!({ "auto_enable": true }), json!({}));
    assert!(off[0].warnings.iter().any(|words| words.contains("not on here yet")), "{off:#?}");
}

#[test]
fn what_is_weaker_is_said() {
    let words = |fields: Value| {
        let changes = against(fields, configured(true, "DEFAULT", "LOCAL"));
        changes[0].warnings.join("; ")
    };
    assert!(words(json!({ "auto_enable": false })).contains("is not switched on"));
    assert!(words(json!({ "auto_enable_standards": "NONE" })).contains("without standards"));
}

#[test]
fn what_does_not_work_is_a_finding() {
    let mut failed = configured(false, "NONE", "CENTRAL");
    failed["failed"] = json!("no finding aggregator");
    let changes = against(json!({ "configuration_type": "CENTRAL" }), failed);
    assert!(changes[0].withheld.as_ref().unwrap().contains("no finding aggregator"));
    let mut full = configured(true, "NONE", "LOCAL");
    full["member_account_limit_reached"] = json!(true);
    assert_eq!(against(json!({ "auto_enable": true }), full.clone()).len(), 1);
    assert!(against(json!({ "auto_enable_standards": "NONE" }), full).is_empty());
}

#[test]
fn no_standards_are_fewer() {
    assert!(spec::AutoEnableStandards::None < spec::AutoEnableStandards::Default);
}
