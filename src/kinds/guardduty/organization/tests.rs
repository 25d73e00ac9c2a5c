use serde_json::{Value, json};

use super::*;
use crate::kinds::{GrantClass, Needs, Risk};

/// The account of `Facts::example`.
const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

fn spec(fields: Value) -> Spec {
    serde_json::from_value(fields).unwrap()
}

fn state(fields: Value) -> State {
    serde_json::from_value(fields).unwrap()
}

/// What an administrator has configured.
fn configured(members: &str, features: Value, is_full: bool) -> State {
    state(json!({ "has_detector": true, "configuration": {
        "auto_enable_organization_members": members, "features": features,
        "member_account_limit_reached": is_full,
    } }))
}

fn diff(fields: Value, state: State) -> Vec<Change<Action>> {
    let facts = Facts::example(Organization::NAME);
    Organization::diff(&facts, &spec(fields), &Object::present("", state))
}

fn fields(change: &Change<Action>) -> Vec<&str> {
    change.drift.iter().map(|one| one.field.as_str()).collect()
}

#[test]
fn an_administrator_is_named_where_there_is_none_and_gets_rights() {
    let none = || state(json!({ "administrator": {} }));
    let changes = diff(json!({ "admin_account_id": OTHER }), none());
    assert_eq!(changes[0].action, Some(Action::EnableAdministrator(OTHER.parse().unwrap())));
    assert_eq!(changes[0].grants[0].class, GrantClass::Foreign);
    let before = Object::present("", none());
    let undo = Organization::undo(changes[0].action.as_ref().unwrap(), &before);
    assert!(matches!(undo, Undo::Impossible(reason) if reason.contains("all members")));
    assert!(diff(json!({ "admin_account_id": OWN }), none())[0].grants.is_empty());
}

#[test]
fn another_administrator_is_reported_and_not_taken_away() {
    let there = || state(json!({ "administrator": { "account_id": OTHER } }));
    assert!(diff(json!({ "admin_account_id": OTHER }), there()).is_empty());
    let changes = diff(json!({ "admin_account_id": OWN }), there());
    assert_eq!((changes.len(), changes[0].action.is_none()), (1, true));
    assert!(changes[0].withheld.as_ref().unwrap().contains("takes no administrator"));
}

#[test]
fn what_another_account_configures_is_never_taken_for_in_sync() {
    let there = state(json!({ "administrator": { "account_id": OTHER }, "has_detector": true }));
    let wanted = json!({ "admin_account_id": OTHER, "auto_enable_organization_members": "NONE" });
    let changes = diff(wanted, there);
    assert_eq!((changes.len(), changes[0].action.is_none()), (1, true));
    assert!(changes[0].withheld.as_ref().unwrap().contains(OTHER));
}

#[test]
fn a_first_configuration_follows_what_makes_the_account_the_administrator() {
    let none = state(json!({ "administrator": {}, "has_detector": false }));
    let wanted = json!({
        "admin_account_id": OWN, "auto_enable_organization_members": "NEW",
        "features": { "S3_DATA_EVENTS": { "auto_enable": "NEW" }, "EKS_AUDIT_LOGS": { "auto_enable": "NONE" } },
    });
    let changes = diff(wanted, none);
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[1].needs, Needs::Only(vec![0]));
    let differs = ["auto_enable_organization_members", "features.S3_DATA_EVENTS.auto_enable"];
    assert_eq!(fields(&changes[1]), differs);
    assert!(changes[1].warnings.iter().any(|words| words.contains("no detector here yet")));
    assert_eq!(changes[1].charges.len(), 1);
    let alone = diff(json!({ "auto_enable_organization_members": "NEW" }), state(json!({})));
    assert_eq!(alone[0].needs, Needs::Only(Vec::new()));
}

#[test]
fn one_write_has_what_differs_and_comes_back() {
    let there = configured(
        "NEW",
        json!({
            "S3_DATA_EVENTS": { "auto_enable": "NEW" },
            "EKS_AUDIT_LOGS": { "auto_enable": "ALL" },
            "RUNTIME_MONITORING": { "auto_enable": "NEW", "additional_configuration":
                { "EC2_AGENT_MANAGEMENT": "NONE", "EKS_ADDON_MANAGEMENT": "NEW" } },
        }),
        false,
    );
    let wanted = json!({
        "auto_enable_organization_members": "ALL",
        "features": {
            "EKS_AUDIT_LOGS": { "auto_enable": "ALL" },
            "RUNTIME_MONITORING": { "auto_enable": "NEW", "additional_configuration": { "EC2_AGENT_MANAGEMENT": "NEW" } },
        },
    });
    let changes = diff(wanted, there.clone());
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].risk, Risk::Disruptive, "agents");
    let action = changes[0].action.clone().unwrap();
    let sent = json!({ "configure": { "auto_enable_organization_members": "ALL", "features": {
        "RUNTIME_MONITORING": { "auto_enable": "NEW", "additional_configuration":
            { "EC2_AGENT_MANAGEMENT": "NEW" } },
    } } });
    assert_eq!(json!(action), sent);
    let back = Organization::undo(&action, &Object::present("", there));
    let put_back = json!({ "by": [{ "configure": { "auto_enable_organization_members": "NEW", "features": {
        "RUNTIME_MONITORING": { "auto_enable": "NEW", "additional_configuration":
            { "EC2_AGENT_MANAGEMENT": "NONE" } },
    } } }] });
    assert_eq!(json!(back), put_back);
}

#[test]
fn a_plan_that_says_more_than_is_needed_by_now_does_the_same() {
    let action = |members: &str, features: Value| -> Action {
        let wanted = json!({ "auto_enable_organization_members": members, "features": features });
        serde_json::from_value(json!({ "configure": wanted })).unwrap()
    };
    let feature = |mode: &str| json!({ "S3_DATA_EVENTS": { "auto_enable": mode } });
    let planned = action("NEW", feature("NEW"));
    assert!(Organization::is_same_write(&planned, &action("NEW", json!({}))));
    assert!(!Organization::is_same_write(&planned, &action("NEW", feature("ALL"))));
    assert!(!Organization::is_same_write(&planned, &action("ALL", feature("NEW"))));
    assert!(!Organization::is_same_write(&action("NEW", json!({})), &planned));
}

#[test]
fn what_is_weaker_or_dearer_is_said() {
    let feature = |mode: &str| json!({ "S3_DATA_EVENTS": { "auto_enable": mode } });
    let wanted = |mode: &str| json!({ "auto_enable_organization_members": "ALL", "features": feature(mode) });
    let weaker = diff(wanted("NEW"), configured("ALL", feature("ALL"), false));
    assert!(weaker[0].warnings[0].contains("weaker than before"), "{weaker:#?}");
    assert!(weaker[0].charges.is_empty());
    let dearer = diff(wanted("ALL"), configured("ALL", feature("NEW"), false));
    assert_eq!(dearer[0].charges.len(), 1);
    assert!(dearer[0].warnings.iter().any(|words| words.contains("24 hours")), "{dearer:#?}");
}

#[test]
fn a_feature_that_a_region_lacks_is_reported_where_it_is_to_be_on() {
    let wanted = |mode: &str| {
        json!({ "auto_enable_organization_members": "NEW",
            "features": { "AI_PROTECTION": { "auto_enable": mode } } })
    };
    let there = || configured("NEW", json!({}), false);
    assert!(diff(wanted("NONE"), there()).is_empty());
    let changes = diff(wanted("NEW"), there());
    assert_eq!((changes.len(), changes[0].action.is_none()), (1, true));
    assert!(changes[0].withheld.as_ref().unwrap().contains("in this Region"));
}

#[test]
fn that_aws_takes_no_more_members_is_a_finding() {
    let full = |mode: &str| {
        diff(json!({ "auto_enable_organization_members": mode }), configured(mode, json!({}), true))
    };
    assert!(full("NONE").is_empty());
    assert!(full("NEW")[0].action.is_none());
}

#[test]
fn what_guardduty_would_refuse_is_refused() {
    let problems = |fields: Value| Organization::check(&spec(fields)).len();
    let with = |features: Value| {
        problems(json!({ "auto_enable_organization_members": "NEW", "features": features }))
    };
    assert_eq!(problems(json!({ "features": {} })), 1);
    assert_eq!(with(json!({})), 0);
    assert_eq!(with(json!({ "EKS_RUNTIME_MONITORING": { "auto_enable": "NEW" } })), 1);
    let more = json!({ "RDS_DATA_RISK": "NEW" });
    let of =
        |name: &str| json!({ name: { "auto_enable": "NEW", "additional_configuration": more } });
    assert_eq!(with(of("RDS_LOGIN_EVENTS")), 0);
    assert_eq!(with(of("S3_DATA_EVENTS")), 1);
}
