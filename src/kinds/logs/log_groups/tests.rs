use serde_json::{Value, json};

use super::*;
use crate::kinds::Risk;
use crate::kinds::kms::named::Named;
use crate::kinds::logs::log_group::LogGroupClass;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

fn spec(fields: Value) -> Spec {
    serde_json::from_value(fields).unwrap()
}

fn kept(days: Option<u32>) -> State {
    State {
        log_group_class: Some(LogGroupClass::Standard),
        retention_in_days: days,
        retention_policy: None,
        kms_key_id: None,
        declared_key: None,
        shut_out: None,
        deletion_protection_enabled: Some(false),
    }
}

fn diff(fields: Value, state: State) -> Vec<Change<Action>> {
    let facts = Facts::example(LogGroups::NAME);
    LogGroups::diff(&facts, &spec(fields), &Object::present("/app/orders", state))
}

fn step(changes: &[Change<Action>]) -> Option<Step> {
    assert!(changes.len() < 2, "{changes:#?}");
    changes.first()?.action.clone().map(|action| action.step)
}

#[test]
fn events_are_never_kept_for_a_shorter_time() {
    for (declared, days, expected) in [
        (365, Some(90), Some(Some(365))),
        (365, Some(365), None),
        (365, Some(400), None),
        (365, None, None),
        (1, None, None),
        (0, Some(3653), Some(None)),
        (0, None, None),
    ] {
        let changes = diff(json!({ "retention_in_days": declared }), kept(days));
        assert!(changes.iter().all(|change| change.risk == Risk::Safe));
        assert_eq!(step(&changes), expected.map(Step::Retain), "{declared} {days:?}");
        if let Some(action) = changes.first().and_then(|change| change.action.clone()) {
            let before = Object::present("/app/orders", kept(days));
            let undo = Action { step: Step::Retain(days), ..action.clone() };
            assert_eq!(LogGroups::undo(&action, &before), Undo::By(vec![undo]));
        }
    }
}

#[test]
fn what_the_group_does_not_decide_is_told_or_left_alone() {
    let of_account = State { retention_policy: Some("all".to_owned()), ..kept(Some(30)) };
    let changes = diff(json!({ "retention_in_days": 365 }), of_account);
    assert!(changes[0].action.is_none());
    assert!(changes[0].withheld.as_deref().unwrap().contains("account-level retention policy"));
    let one_day = State { log_group_class: Some(LogGroupClass::Delivery), ..kept(Some(1)) };
    let untold = State { log_group_class: Some(LogGroupClass::Delivery), ..kept(None) };
    for state in [&one_day, &untold] {
        for days in [365, 0] {
            let changes = diff(json!({ "retention_in_days": days }), state.clone());
            assert!(changes[0].action.is_none(), "{days}");
            assert!(changes[0].withheld.as_deref().unwrap().contains("class DELIVERY"), "{days}");
        }
        assert!(diff(json!({ "retention_in_days": 1 }), state.clone()).is_empty());
    }
    // Where nothing else is declared of it, it is skipped.
    let alone = |fields: Value| spec(fields).is_of_retention_alone();
    assert!(alone(json!({ "retention_in_days": 365 })) && alone(json!({ "retention_in_days": 0 })));
    assert!(!alone(json!({ "retention_in_days": 365, "kms_key_id": "" })));
    assert!(!alone(json!({ "retention_in_days": 1 })) && !alone(json!({ "kms_key_id": "" })));
    // Without it, the export would declare what AWS takes for no such group.
    let facts = Facts::example(LogGroups::NAME);
    let export = LogGroups::export(&facts, &Object::present("a", one_day)).unwrap();
    assert_eq!(export.retention_in_days, None);
}

#[test]
fn protection_is_compared_and_its_end_is_said() {
    let on = diff(json!({ "deletion_protection_enabled": true }), kept(None));
    assert_eq!((step(&on), on[0].risk), (Some(Step::Protect(true)), Risk::Safe));
    let untold = State { deletion_protection_enabled: None, ..kept(None) };
    assert_eq!(
        step(&diff(json!({ "deletion_protection_enabled": true }), untold)),
        Some(Step::Protect(true))
    );
    let protected = State { deletion_protection_enabled: Some(true), ..kept(None) };
    let off = diff(json!({ "deletion_protection_enabled": false }), protected);
    assert_eq!((step(&off), off[0].risk), (Some(Step::Protect(false)), Risk::Disruptive));
    assert!(off[0].warnings[0].contains("can delete this one"));
}

#[test]
fn a_key_is_compared_by_what_its_name_stands_for() {
    let named = |unusable: Option<&str>| Named::There {
        arn: KEY.to_owned(),
        is_own: false,
        unusable: unusable.map(str::to_owned),
    };
    let state = |actual: Option<&str>, key: Named| State {
        kms_key_id: actual.map(str::to_owned),
        declared_key: Some(key),
        ..kept(None)
    };
    let declared = || json!({ "kms_key_id": "alias/logs" });
    assert_eq!(step(&diff(declared(), state(Some(KEY), named(None)))), None);
    let given = diff(declared(), state(None, named(None)));
    assert_eq!(step(&given), Some(Step::Encrypt(Some(KEY.to_owned()))));
    assert_eq!(given[0].risk, Risk::Disruptive);
    let shut =
        State { shut_out: Some("it is shut out".to_owned()), ..state(Some(KEY), named(None)) };
    let told = diff(declared(), shut);
    assert!(told[0].action.is_none() && told[0].withheld.as_deref().unwrap().contains("shut out"));
    let broken = diff(declared(), state(None, named(Some("it is in the state Disabled"))));
    assert!(broken[0].action.is_none());
    let none = State { kms_key_id: Some(KEY.to_owned()), ..kept(None) };
    assert_eq!(step(&diff(json!({ "kms_key_id": "" }), none)), Some(Step::Encrypt(None)));
}

#[test]
fn only_groups_of_the_pattern_may_be_written_to() {
    let arns = Arns::of("aws", "111122223333");
    let of = |fields: Value| {
        let allowed = groups(&spec(fields), &arns);
        allowed[0].resources.iter().cloned().collect::<Vec<_>>()
    };
    let start = "arn:aws:logs:*:111122223333:log-group:";
    assert_eq!(of(json!({})), [format!("{start}*")]);
    assert_eq!(of(json!({ "name_pattern": "/app/*" })), [format!("{start}/app/*")]);
    let one = of(json!({ "name_pattern": "/app/a?c" }));
    assert_eq!(one, [format!("{start}/app/a?c"), format!("{start}/app/a?c:*")]);
}

#[test]
fn what_can_meet_no_group_is_refused() {
    let wrong = |fields: Value| {
        let problems = spec(fields).problems();
        problems.first().map(|problem| problem.field.clone()).unwrap_or_default()
    };
    for (fields, field) in [
        (json!({ "retention_in_days": 0, "name_pattern": "/a*?" }), ""),
        (json!({ "retention_in_days": 100 }), "retention_in_days"),
        (json!({ "kms_key_id": "nonsense" }), "kms_key_id"),
        (json!({ "name_pattern": "arn:aws:logs:eu-west-1:1:log-group:a" }), "name_pattern"),
        (json!({ "exclude": [{ "log_group_names": ["/a/*"] }] }), ""),
        (json!({ "exclude": [{}, { "log_group_names": ["a b"] }] }), "exclude[1].log_group_names"),
    ] {
        assert_eq!(wrong(fields.clone()), field, "{fields}");
    }
}
