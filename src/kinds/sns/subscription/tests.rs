#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::settings::{Now, Settings};
use super::*;
use crate::kinds::object::Cause;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{GrantClass, Risk, Undo};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:alerts";

fn facts() -> Facts {
    Facts::example(Subscription::NAME)
}

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "topic_arn": TOPIC, "protocol": "sqs", "endpoint": QUEUE });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn there(now: Value) -> Object<State<Subscription>> {
    let now: Now = serde_json::from_value(now).unwrap();
    let place = Place::of(&spec(json!({})), Some(&format!("{TOPIC}:1")));
    Object::present("alerts", State::at(place).with::<Settings>(&now))
}

fn nothing() -> Value {
    json!({ "filter_policy": null, "filter_policy_scope": null, "raw_message_delivery": false,
        "redrive_policy": null, "delivery_policy": null, "subscription_role_arn": null })
}

fn with(field: &str, value: Value) -> Value {
    let mut now = nothing();
    now[field] = value;
    now
}

fn write(action: &Action<Subscription>) -> Value {
    match &action.step {
        Step::Write { write, .. } => write.clone(),
        Step::Create(attributes) => json!(attributes),
    }
}

#[test]
fn a_new_one_is_made_with_all_that_is_declared_at_once() {
    let declared =
        spec(json!({ "filter_policy": { "severity": ["HIGH"] }, "raw_message_delivery": true,
        "filter_policy_scope": "MessageAttributes", "redrive_policy": {} }));
    let changes = Subscription::diff(&facts(), &declared, &Object::absent("x"));
    let [change] = changes.as_slice() else { unreachable!("{changes:?}") };
    let made = write(change.action.as_ref().unwrap());
    assert_eq!(
        made,
        json!({ "FilterPolicy": r#"{"severity":["HIGH"]}"#, "FilterPolicyScope": "MessageAttributes",
            "RawMessageDelivery": "true" })
    );
    assert!(change.warnings.is_empty());
    let mail = spec(json!({ "protocol": "email", "endpoint": "a@example.com" }));
    let changes = Subscription::diff(&facts(), &mail, &Object::absent("x"));
    assert!(changes[0].warnings[0].contains("must confirm"), "{changes:?}");
}

#[test]
fn messages_that_leave_the_account_are_a_rise() {
    let queue = |account: &str| {
        let endpoint = format!("arn:aws:sqs:eu-west-1:{account}:alerts");
        let declared = spec(json!({ "protocol": "sqs", "endpoint": endpoint }));
        Subscription::diff(&facts(), &declared, &Object::absent("x")).remove(0)
    };
    assert_eq!(queue("444455556666").grants[0].class, GrantClass::Foreign);
    assert!(queue("111122223333").grants.is_empty());
}

#[test]
fn one_that_was_not_confirmed_waits_and_is_no_drift() {
    let mail = spec(json!({ "protocol": "email", "endpoint": "a@example.com" }));
    let object: Object<State<Subscription>> = Object::unknown("x", waiting(&mail));
    let crate::kinds::Status::Unknown(unknown) = object.status else { unreachable!() };
    assert_eq!(unknown.cause, Cause::Awaited);
    assert!(unknown.reason.contains("a@example.com") && unknown.remedy.is_some());
}

#[test]
fn rows_are_known_by_protocol_and_endpoint_and_mail_has_no_case() {
    let row = |protocol: &str, endpoint: &str| {
        types::Subscription::builder().protocol(protocol).endpoint(endpoint).build()
    };
    let mail = spec(json!({ "protocol": "email", "endpoint": "Team@Example.com" }));
    assert!(is_it(&mail, &row("email", "team@example.com")));
    assert!(!is_it(&mail, &row("email-json", "team@example.com")));
    assert!(!is_it(&spec(json!({})), &row("sqs", &QUEUE.to_uppercase())));
    let governs = |spec: &Spec| Subscription::governs(&json!(spec), None);
    let other = spec(json!({ "protocol": "email", "endpoint": "team@example.com" }));
    assert_eq!(governs(&mail), governs(&other));
    assert_ne!(governs(&mail), governs(&spec(json!({}))));
    assert_eq!(id(&facts(), &spec(json!({}))), format!("alerts sqs {QUEUE}"));
}

#[test]
fn filters_are_compared_by_meaning_and_put_back_with_what_they_look_at() {
    let declared = |policy: Value, scope: &str| {
        spec(json!({ "filter_policy": policy, "filter_policy_scope": scope }))
    };
    let flat = json!({ "severity": ["HIGH", "CRITICAL"] });
    let object = there(with("filter_policy", json!({ "severity": ["CRITICAL", "HIGH"] })));
    let same = declared(flat.clone(), "MessageAttributes");
    assert!(Subscription::diff(&facts(), &same, &object).is_empty());
    let deep = json!({ "detail": { "severity": ["HIGH"] } });
    let changes = Subscription::diff(&facts(), &declared(deep.clone(), "MessageBody"), &object);
    let action = changes[0].action.as_ref().unwrap();
    assert_eq!(write(action)["filter"]["turns"], true);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    let Undo::By(back) = Subscription::undo(action, &object) else { unreachable!() };
    let back = &write(&back[0])["filter"];
    assert_eq!((&back["scope"], &back["turns"]), (&json!("MessageAttributes"), &json!(true)));
    let all = Subscription::diff(&facts(), &spec(json!({ "filter_policy": {} })), &object);
    assert_eq!(write(all[0].action.as_ref().unwrap())["filter"]["policy"], Value::Null);
    assert!(all[0].warnings[0].contains("every message"), "{all:?}");
    let none = there(with("filter_policy", json!({})));
    assert!(Subscription::diff(&facts(), &spec(json!({ "filter_policy": {} })), &none).is_empty());
}

#[test]
fn each_setting_is_written_alone() {
    for (declared, now, expected) in [
        (json!({ "raw_message_delivery": true }), nothing(), json!({ "raw": true })),
        (
            json!({ "redrive_policy": {} }),
            with("redrive_policy", json!({ "deadLetterTargetArn": QUEUE })),
            json!({ "redrive": null }),
        ),
        (
            json!({ "delivery_policy": { "healthyRetryPolicy": { "numRetries": 3 } } }),
            nothing(),
            json!({ "delivery": { "healthyRetryPolicy": { "numRetries": 3 } } }),
        ),
        (
            json!({ "subscription_role_arn": "arn:aws:iam::111122223333:role/r" }),
            with("subscription_role_arn", json!("arn:aws:iam::111122223333:role/q")),
            json!({ "role": "arn:aws:iam::111122223333:role/r" }),
        ),
    ] {
        let object = there(now);
        let changes = Subscription::diff(&facts(), &spec(declared), &object);
        let action = changes[0].action.clone().unwrap();
        assert_eq!((changes.len(), write(&action)), (1, expected));
        assert!(matches!(Subscription::undo(&action, &object), Undo::By(_)));
    }
}

#[test]
fn what_sns_would_refuse_is_said_before() {
    let stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a";
    let role = "arn:aws:iam::111122223333:role/r";
    for (fields, wrong) in [
        (json!({}), 0),
        (json!({ "endpoint": "alerts" }), 1),
        (json!({ "protocol": "email", "endpoint": "team@example.com" }), 0),
        (json!({ "protocol": "email", "endpoint": "team" }), 1),
        (json!({ "protocol": "email", "endpoint": "team@example" }), 1),
        (json!({ "protocol": "https", "endpoint": "https://a.example/x?y=z" }), 0),
        (json!({ "protocol": "https", "endpoint": "http://a.example" }), 1),
        (json!({ "protocol": "https", "endpoint": "https://me:secret@a.example" }), 1),
        (json!({ "protocol": "sms", "endpoint": "+15550100" }), 0),
        (json!({ "protocol": "sms", "endpoint": "15550100" }), 1),
        (json!({ "protocol": "sms", "endpoint": "call me" }), 1),
        (json!({ "protocol": "lambda", "endpoint": QUEUE }), 1),
        (json!({ "protocol": "firehose", "endpoint": stream }), 1),
        (json!({ "protocol": "firehose", "endpoint": stream, "subscription_role_arn": role }), 0),
        (json!({ "subscription_role_arn": role }), 1),
        (
            json!({ "protocol": "email", "endpoint": "a@b.example", "raw_message_delivery": true }),
            1,
        ),
        (json!({ "delivery_policy": {} }), 1),
        (json!({ "filter_policy_scope": "MessageBody" }), 1),
        (json!({ "redrive_policy": { "deadLetterTargetArn": QUEUE } }), 0),
        (json!({ "redrive_policy": { "deadLetterTargetArn": "x" } }), 1),
        (json!({ "redrive_policy": {} }), 0),
    ] {
        let problems = Subscription::check(&spec(fields.clone()));
        assert_eq!(problems.len(), wrong, "{fields}: {problems:?}");
        assert!(problems.iter().all(|problem| !problem.message.contains("secret")));
    }
}

#[test]
fn a_queue_of_another_account_for_what_is_not_delivered_is_foreign() {
    let of = |arn: &str| spec(json!({ "redrive_policy": { "deadLetterTargetArn": arn } }));
    let foreign = QUEUE.replace("111122223333", "999988887777");
    for (arn, rises) in [(foreign.as_str(), 1), (QUEUE, 0)] {
        let changes = Subscription::diff(&facts(), &of(arn), &there(nothing()));
        assert_eq!(changes[0].grants.len(), rises, "{arn}");
        let changes = Subscription::diff(&facts(), &of(arn), &Object::absent("a"));
        assert_eq!(changes[0].grants.len(), rises, "{arn}");
    }
}
