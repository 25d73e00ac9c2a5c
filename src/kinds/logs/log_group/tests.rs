#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::kms_key::Now as KeyNow;
use super::retention::Now as Kept;
use super::*;
use crate::kinds::kms::named::Named;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{Needs, Risk, Undo};

fn facts() -> Facts {
    Facts::example(LogGroup::NAME)
}

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "log_group_name": "audit" });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn there() -> State<LogGroup> {
    State::at(Place { log_group_name: "audit".to_owned(), log_group_class: None })
}

fn diff(fields: Value, state: State<LogGroup>) -> Vec<Change<Action<LogGroup>>> {
    LogGroup::diff(&facts(), &spec(fields), &Object::present("audit", state))
}

fn kept(days: Option<u32>, policy: Option<&str>) -> State<LogGroup> {
    let policy = policy.map(str::to_owned);
    there().with::<retention::Retention>(&Kept { days, policy, is_delivery: false })
}

#[test]
fn a_new_group_is_made_first_and_gets_what_is_declared() {
    let declared = spec(json!({
        "retention_in_days": 365, "deletion_protection_enabled": true, "kms_key_id": "alias/logs",
        "log_group_class": "STANDARD", "tags": {},
    }));
    let changes = LogGroup::diff(&facts(), &declared, &Object::absent("audit"));
    let steps: Vec<Value> =
        changes.iter().map(|change| json!(change.action.as_ref().unwrap().step)).collect();
    assert_eq!(
        steps,
        [
            json!({ "create": "STANDARD" }),
            json!({ "write": { "part": "deletion_protection_enabled", "write": true } }),
            json!({ "write": { "part": "kms_key_id", "write": "alias/logs" } }),
            json!({ "write": { "part": "retention_in_days", "write": 365 } }),
        ]
    );
    assert!(changes.iter().all(|change| change.risk == Risk::Safe));
    assert!(changes[1..].iter().all(|change| change.needs == Needs::Only(vec![0])));
}

#[test]
fn keeping_events_longer_is_as_good_and_shorter_is_for_ever() {
    let exact = |days: u32| json!({ "retention_in_days": days, "retention_mode": "exact" });
    let cases = [
        (json!({ "retention_in_days": 365 }), None, None),
        (json!({ "retention_in_days": 365 }), Some(400), None),
        (json!({ "retention_in_days": 365 }), Some(90), Some((Some(365), Risk::Safe))),
        (json!({ "retention_in_days": 0 }), Some(90), Some((None, Risk::Safe))),
        (exact(365), Some(400), Some((Some(365), Risk::Destructive))),
        (exact(365), None, Some((Some(365), Risk::Destructive))),
        (exact(0), None, None),
    ];
    for (declared, days, expected) in cases {
        let object = Object::present("audit", kept(days, None));
        let changes = LogGroup::diff(&facts(), &spec(declared.clone()), &object);
        let seen = changes.first().map(|change| {
            let action = change.action.clone().unwrap();
            let Step::Write { write, .. } = &action.step else { unreachable!() };
            assert_eq!(undone(&action, &object), json!(days));
            (serde_json::from_value(write.clone()).unwrap(), change.risk)
        });
        assert_eq!(seen, expected, "{declared} {days:?}");
    }
}

fn undone(action: &Action<LogGroup>, object: &Object<State<LogGroup>>) -> Value {
    let Undo::By(actions) = LogGroup::undo(action, object) else { unreachable!() };
    let Step::Write { write, .. } = &actions[0].step else { unreachable!() };
    write.clone()
}

#[test]
fn a_policy_of_the_account_goes_before_the_group() {
    let change = &diff(json!({ "retention_in_days": 365 }), kept(Some(30), Some("short")))[0];
    assert_eq!(change.action, None);
    assert!(change.withheld.as_ref().unwrap().contains("\"short\""));
}

#[test]
fn keys_are_compared_by_what_they_are() {
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1".to_owned();
    let state = |now: &str, problem: Option<&str>| {
        let unusable = problem.map(str::to_owned);
        let declared = Some(Named::There { arn: arn.clone(), is_own: false, unusable });
        there().with::<kms_key::KmsKey>(&KeyNow {
            arn: Some(now.to_owned()),
            declared,
            ..KeyNow::default()
        })
    };
    let declared = json!({ "kms_key_id": "alias/logs" });
    assert!(diff(declared.clone(), state(&arn, None)).is_empty());
    let broken = Some("it is in the state Disabled, and must be Enabled");
    for now in [arn.as_str(), "arn:other"] {
        let change = &diff(declared.clone(), state(now, broken))[0];
        assert_eq!(change.action, None, "{now}");
        let why = change.withheld.as_ref().unwrap();
        assert!(why.contains("alias/logs: it is in the state Disabled"), "{why}");
    }
    assert_eq!(diff(json!({ "kms_key_id": "" }), state(&arn, None))[0].risk, Risk::Disruptive);
}

/// The conditions are those of the CloudWatch Logs User Guide and of a key that evenkeel makes.
#[test]
fn a_key_that_shuts_cloudwatch_logs_out_is_a_finding() {
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let with = |now: &str, service: &str, condition: Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": service }, "Resource": "*",
            "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            "Condition": condition,
        }] });
        let declared = Named::There { arn: arn.to_owned(), is_own: false, unusable: None };
        diff(
            json!({ "kms_key_id": "alias/logs" }),
            there().with::<kms_key::KmsKey>(&KeyNow {
                arn: Some(now.to_owned()),
                declared: Some(declared),
                key_policy: Some(policy.to_string()),
            }),
        )
    };
    let of = |group: &str| json!({ "ArnEquals": { "kms:EncryptionContext:aws:logs:arn": group } });
    let service = "logs.eu-west-1.amazonaws.com";
    for group in ["log-group:audit", "log-group:*", "*"] {
        let condition = of(&format!("arn:aws:logs:eu-west-1:111122223333:{group}"));
        assert!(with(arn, service, condition).is_empty(), "{group}");
    }
    for (service, condition) in [
        (service, of("arn:aws:logs:eu-west-1:111122223333:log-group:other")),
        ("logs.eu-central-1.amazonaws.com", json!({})),
        ("delivery.logs.amazonaws.com", json!({})),
    ] {
        let changes = with(arn, service, condition.clone());
        assert_eq!((changes.len(), &changes[0].action), (1, &None), "{service} {condition}");
        let why = changes[0].withheld.as_ref().unwrap();
        assert!(why.contains("logs.eu-west-1.amazonaws.com is let in by no statement"), "{why}");
        // Before it is given, it is a warning: the key may be let in by then.
        let change = &with("arn:other", service, condition)[0];
        assert!(change.action.is_some() && change.withheld.is_none(), "{change:?}");
        assert!(change.warnings.iter().any(|one| one.contains("must be let in")), "{change:?}");
    }
}

#[test]
fn the_order_of_a_data_protection_policy_means_nothing() {
    let policy =
        |one: &str, other: &str| json!({ "Statement": [{ "DataIdentifier": [one, other] }] });
    let now = policy("a", "b").as_object().cloned();
    let state = there().with::<data_protection::DataProtection>(&now);
    assert!(diff(json!({ "data_protection_policy": policy("b", "a") }), state.clone()).is_empty());
    assert_eq!(diff(json!({ "data_protection_policy": policy("b", "c") }), state).len(), 1);
}

#[test]
fn a_part_that_was_not_read_and_a_write_of_no_part_are_never_taken_for_right() {
    assert!(diff(json!({ "retention_in_days": 365 }), there()).is_empty());
    let erased = crate::kinds::registry::find(LogGroup::NAME).unwrap();
    let (declared, state) = (json!(spec(json!({ "retention_in_days": 365 }))), json!(there()));
    assert!(erased.diff(&facts(), &declared, &Object::present("audit", state)).is_err());
    let action = json!({ "log_group_name": "audit", "step": { "write": { "part": "retention_in_days", "write": "x" } } });
    assert!(erased.writes(&action).is_err());
}

#[test]
fn what_aws_would_refuse_is_said_before() {
    let problems = |fields: Value| LogGroup::check(&spec(fields)).len();
    assert_eq!(problems(json!({ "retention_in_days": 366 })), 1);
    assert_eq!(problems(json!({ "retention_in_days": 0, "retention_mode": "exact" })), 0);
    assert_eq!(problems(json!({ "retention_mode": "exact" })), 1);
    assert_eq!(problems(json!({ "data_protection_policy": { "Name": "x".repeat(30_720) } })), 1);
}

#[test]
fn a_data_protection_policy_says_what_is_masked_and_reported_and_no_more() {
    let statement = |operation: &str, names: &[&str]| {
        let arns: Vec<String> = names
            .iter()
            .map(|name| format!("arn:aws:dataprotection::aws:data-identifier/{name}"))
            .collect();
        json!({ "DataIdentifier": arns, "Operation": { operation: {} } })
    };
    let policy = |masked: &[&str], reported: &[&str], description: &str| {
        json!({ "Name": "p", "Description": description, "Statement":
            [statement("Deidentify", masked), statement("Audit", reported)] })
    };
    let said = |before: &Value, after: &Value| {
        let now = before.as_object().cloned();
        let state = there().with::<data_protection::DataProtection>(&now);
        let changes = diff(json!({ "data_protection_policy": after }), state);
        assert_eq!(changes.len(), 1);
        (changes[0].risk, changes[0].warnings.clone())
    };
    let both = policy(&["EmailAddress", "Name"], &["EmailAddress"], "a");
    let other = policy(&["EmailAddress", "Name"], &["EmailAddress"], "b");
    assert_eq!(said(&both, &other), (Risk::Safe, vec![]), "a description hides nothing");
    let (risk, lines) = said(&both, &policy(&["EmailAddress"], &[], "a"));
    assert_eq!((risk, lines.len()), (Risk::Safe, 2), "{lines:?}");
    assert!(lines[0].starts_with("weaker than before: Name is seen"), "{lines:?}");
    assert!(lines[1].starts_with("weaker than before: EmailAddress is no longer reported"));
    let (risk, lines) = said(&policy(&["Name"], &["EmailAddress"], "a"), &both);
    assert_eq!((risk, lines.len()), (Risk::Disruptive, 1), "{lines:?}");
    assert!(lines[0].contains("no longer sees EmailAddress"), "{lines:?}");
}

#[test]
fn keeping_events_for_ever_is_said() {
    let change = &diff(json!({ "retention_in_days": 0 }), kept(Some(1827), None))[0];
    assert!(change.warnings[0].contains("for ever"), "{:?}", change.warnings);
}

#[test]
fn a_group_whose_class_keeps_events_for_one_day_is_reported_whatever_aws_says_of_it() {
    for days in [None, Some(1)] {
        let now = Kept { days, policy: None, is_delivery: true };
        let of_class = || there().with::<retention::Retention>(&now);
        for (declared, mode) in [(365, "at_least"), (365, "exact"), (0, "exact"), (0, "at_least")] {
            let fields = json!({ "retention_in_days": declared, "retention_mode": mode });
            let changes = diff(fields, of_class());
            assert_eq!(changes.len(), 1, "{declared} {mode} {days:?}");
            assert!(changes[0].action.is_none(), "{declared} {mode}");
            assert!(changes[0].withheld.as_deref().unwrap().contains("class DELIVERY"));
        }
        assert!(diff(json!({ "retention_in_days": 1 }), of_class()).is_empty(), "{days:?}");
    }
}
