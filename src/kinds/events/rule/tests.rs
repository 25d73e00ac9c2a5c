#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::record::Record;
use super::targets::Seen;
use super::*;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{GrantClass, Needs, Risk, Undo};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";

fn facts() -> Facts {
    Facts::example(Rule::NAME)
}

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "name": "r" });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn there() -> State<Rule> {
    State::at(Place::of(&spec(json!({}))))
}

fn record(fields: Value) -> Record {
    let mut record = json!({ "event_pattern": { "source": ["aws.guardduty"] },
        "schedule_expression": null, "state": "ENABLED", "description": "d", "role_arn": null });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

fn with_record(fields: Value) -> Object<State<Rule>> {
    Object::present("r", there().with::<record::Settings>(&record(fields)))
}

fn with_targets(targets: Value) -> Object<State<Rule>> {
    let seen: Vec<Seen> = serde_json::from_value(targets).unwrap();
    Object::present("r", there().with::<targets::Targets>(&seen))
}

fn seen(id: &str, more: Value) -> Value {
    let mut target = json!({ "id": id, "arn": TOPIC, "others": [] });
    target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    target
}

fn target(id: &str, more: Value) -> Value {
    let mut target = seen(id, more);
    target.as_object_mut().unwrap().remove("others");
    target
}

fn write(action: &Action<Rule>) -> Value {
    match &action.step {
        Step::Write { write, .. } => write.clone(),
        Step::Create(record) => json!({ "create": record }),
    }
}

fn writes(changes: &[Change<Action<Rule>>]) -> Vec<Value> {
    changes.iter().map(|change| write(change.action.as_ref().unwrap())).collect()
}

#[test]
fn a_new_rule_is_made_whole_and_then_gets_its_targets() {
    let declared = spec(json!({ "event_pattern": { "source": ["aws.guardduty"] },
        "state": "DISABLED", "targets": [target("mail", json!({}))], "tags": {} }));
    let changes = Rule::diff(&facts(), &declared, &Object::absent("r"));
    let writes = writes(&changes);
    assert_eq!(writes[0]["create"]["state"], "DISABLED");
    assert_eq!(writes[1]["put"][0]["id"], "mail");
    assert_eq!((writes.len(), &changes[1].needs), (2, &Needs::Only(vec![0])));
    let without = spec(json!({ "state": "ENABLED", "targets": [] }));
    let changes = Rule::diff(&facts(), &without, &Object::absent("r"));
    assert!(changes[0].withheld.is_some() && changes[0].action.is_none(), "{changes:?}");
}

#[test]
fn what_is_not_declared_is_sent_back_as_it_is() {
    let object = with_record(json!({ "state": "DISABLED", "role_arn": "arn:aws:iam::1:role/r" }));
    let changes = Rule::diff(&facts(), &spec(json!({ "description": "" })), &object);
    let sent = &writes(&changes)[0];
    assert_eq!((&sent["state"], &sent["description"]), (&json!("DISABLED"), &Value::Null));
    assert_eq!(sent["role_arn"], "arn:aws:iam::1:role/r");
    assert_eq!(changes[0].risk, Risk::Safe);
    let action = changes[0].action.as_ref().unwrap();
    let Undo::By(back) = Rule::undo(action, &object) else { unreachable!() };
    assert_eq!(write(&back[0])["description"], "d");
}

#[test]
fn patterns_are_compared_by_meaning() {
    let pattern = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let object = with_record(json!({ "event_pattern":
        pattern(r#"{"source":["a","b"],"detail":{"severity":[{"numeric":[">=",4]}]}}"#) }));
    let same = pattern(r#"{"detail":{"severity":[{"numeric":[">=",4]}]},"source":["b","a"]}"#);
    assert!(Rule::diff(&facts(), &spec(json!({ "event_pattern": same })), &object).is_empty());
    for other in [
        r#"{"source":["a","b"],"detail":{"severity":[{"numeric":[">=",4.0]}]}}"#,
        r#"{"source":["a","b"],"detail":{"severity":[4,5,6,7,8]}}"#,
        r#"{"source":["a"],"detail":{"severity":[{"numeric":[">=",4]}]}}"#,
    ] {
        let changes =
            Rule::diff(&facts(), &spec(json!({ "event_pattern": pattern(other) })), &object);
        assert_eq!((changes.len(), changes[0].risk), (1, Risk::Disruptive), "{other}");
    }
    let nothing = Rule::diff(&facts(), &spec(json!({ "event_pattern": {} })), &object);
    assert!(nothing[0].withheld.is_some(), "a rule needs a pattern or a time");
}

#[test]
fn a_rule_that_is_switched_off_says_what_that_means() {
    let off = Rule::diff(&facts(), &spec(json!({ "state": "DISABLED" })), &with_record(json!({})));
    assert!(off[0].warnings[0].contains("nothing is sent"), "{off:?}");
    let object = with_record(json!({ "state": "DISABLED" }));
    let on = Rule::diff(&facts(), &spec(json!({ "state": "ENABLED" })), &object);
    assert_eq!((on[0].risk, on[0].warnings.len()), (Risk::Safe, 0));
}

#[test]
fn targets_are_compared_one_by_one_with_aws_defaults_written_out() {
    let defaults = json!({ "retry_policy":
        { "maximum_retry_attempts": 185, "maximum_event_age_in_seconds": 86400 } });
    let object = with_targets(json!([seen("b", json!({})), seen("a", defaults)]));
    let same = spec(json!({ "targets": [target("a", json!({})), target("b", json!({}))] }));
    assert!(Rule::diff(&facts(), &same, &object).is_empty());
    let declared = spec(json!({ "targets": [
        target("a", json!({ "input_path": "$.detail" })), target("c", json!({})) ] }));
    let changes = Rule::diff(&facts(), &declared, &object);
    let written = writes(&changes);
    let put = &written[0]["put"];
    assert_eq!((&put[0]["id"], &put[1]["id"]), (&json!("a"), &json!("c")));
    assert_eq!(written[1], json!({ "remove": ["b"] }));
    assert!(changes[1].makes_room && changes[1].risk == Risk::Disruptive);
    assert_eq!(changes[1].needs, Needs::Only(vec![0]), "nobody goes before the others are there");
    let undo = |change: &Change<Action<Rule>>| {
        let Undo::By(back) = Rule::undo(change.action.as_ref().unwrap(), &object) else {
            unreachable!()
        };
        back.iter().map(write).collect::<Vec<_>>()
    };
    assert_eq!(undo(&changes[0])[0], json!({ "remove": ["c"] }));
    assert_eq!(undo(&changes[0])[1]["put"][0]["id"], "a");
    assert_eq!(undo(&changes[1])[0]["put"][0]["id"], "b");
}

#[test]
fn where_there_is_no_room_what_goes_goes_first() {
    let five: Vec<Value> = (0..5).map(|number| seen(&number.to_string(), json!({}))).collect();
    let declared = spec(json!({ "targets": [target("x", json!({}))] }));
    let changes = Rule::diff(&facts(), &declared, &with_targets(json!(five)));
    assert!(writes(&changes)[0].get("remove").is_some(), "{changes:?}");
}

#[test]
fn a_target_with_parameters_that_are_not_known_is_left_alone() {
    let object = with_targets(json!([seen("a", json!({ "others": ["EcsParameters"] }))]));
    let declared = spec(json!({ "targets": [target("a", json!({}))] }));
    let changes = Rule::diff(&facts(), &declared, &object);
    assert!(changes[0].withheld.as_ref().unwrap().contains("EcsParameters"), "{changes:?}");
    let none = Rule::diff(&facts(), &spec(json!({ "targets": [] })), &object);
    let undo = Rule::undo(none[0].action.as_ref().unwrap(), &object);
    assert!(matches!(undo, Undo::Impossible(_)));
}

#[test]
fn events_that_leave_the_account_are_said() {
    let bus = json!({ "arn": "arn:aws:events:eu-west-1:444455556666:event-bus/theirs" });
    let declared = spec(json!({ "targets": [target("a", bus)] }));
    let changes = Rule::diff(&facts(), &declared, &with_targets(json!([])));
    let grant = &changes[0].grants[0];
    assert_eq!(grant.class, GrantClass::Foreign);
    assert_eq!(grant.what, "events are sent to account 444455556666");
    let own = json!({ "arn": "arn:aws:events:eu-west-1:111122223333:event-bus/ours" });
    let declared = spec(json!({ "targets": [target("a", own)] }));
    assert!(Rule::diff(&facts(), &declared, &with_targets(json!([])))[0].grants.is_empty());
}

#[test]
fn rules_of_two_buses_are_two() {
    let on = |bus: &str| spec(json!({ "event_bus_name": bus }));
    let governs = |spec: &Spec| Rule::governs(&json!(spec), None);
    assert_eq!(governs(&on("default")), governs(&spec(json!({}))));
    assert_ne!(governs(&on("other")), governs(&spec(json!({}))));
    assert_eq!(Place::of(&on("other")).id(), "other/r");
    assert_eq!(
        arn(&facts(), &Place::of(&on("other"))),
        "arn:aws:events:eu-west-1:111122223333:rule/other/r"
    );
}

#[test]
fn what_would_be_refused_or_never_fit_is_said_before() {
    let pattern = |pattern: Value| json!({ "event_pattern": pattern });
    let to = |more: Value| json!({ "targets": [target("a", more)] });
    for (fields, wrong) in [
        (
            pattern(
                json!({ "source": ["a"], "detail": { "$or": [{ "a": ["x"] }, { "b": [1] }] } }),
            ),
            0,
        ),
        (pattern(json!({})), 0),
        (pattern(json!({ "source": "a" })), 1),
        (pattern(json!({ "detail": { "severity": 7 } })), 1),
        (pattern(json!({ "detail": {} })), 1),
        (pattern(json!({ "source": [] })), 1),
        (pattern(json!({ "$or": ["x"] })), 1),
        (pattern(json!({ "source": ["x".repeat(4096)] })), 1),
        (json!({ "schedule_expression": "rate(1 day)" }), 0),
        (json!({ "schedule_expression": "rate(5 minutes)" }), 0),
        (json!({ "schedule_expression": "cron(0 20 * * ? *)" }), 0),
        (json!({ "schedule_expression": "daily" }), 1),
        (json!({ "schedule_expression": "rate(1 days)" }), 1),
        (json!({ "schedule_expression": "rate(5 minute)" }), 1),
        (json!({ "schedule_expression": "rate(0 minutes)" }), 1),
        (json!({ "schedule_expression": "rate(5)" }), 1),
        (json!({ "schedule_expression": "cron(0 10 * * *)" }), 1),
        (json!({ "schedule_expression": "cron(0 10 * * * *)" }), 1),
        (pattern(json!({ "source": [{ "prefixx": "a" }] })), 1),
        (to(json!({ "arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:x" })), 1),
        (to(json!({ "arn": "arn:aws:sqs:eu-west-1:111122223333:x.fifo" })), 1),
        (json!({ "schedule_expression": "rate(1 day)", "event_bus_name": "other" }), 1),
        (json!({ "targets": [target("a", json!({})), target("a", json!({}))] }), 1),
        (to(json!({ "arn": "alerts" })), 1),
        (to(json!({ "input": "\"x\"" })), 0),
        (to(json!({ "input": "x" })), 1),
        (to(json!({ "input": "{}", "input_path": "$.detail" })), 1),
        (to(json!({ "input_path": "detail" })), 1),
        (to(json!({ "dead_letter_config": { "arn": TOPIC } })), 1),
        (to(json!({ "sqs_parameters": { "message_group_id": "x" } })), 1),
        (
            to(json!({ "input_transformer": { "input_paths_map": { "who": "$.a" },
            "input_template": "\"<who> <aws.events.rule-name> <not a part>\"" } })),
            0,
        ),
        (
            to(json!({ "input_transformer": { "input_paths_map": { "who": "$.a" },
            "input_template": "\"<whom>\"" } })),
            1,
        ),
        (
            to(json!({ "input_transformer": { "input_paths_map": { "who": "a" },
            "input_template": "\"<who>\"" } })),
            1,
        ),
    ] {
        let problems = Rule::check(&spec(fields.clone()));
        assert_eq!(problems.len(), wrong, "{fields}: {problems:?}");
    }
}

#[test]
fn a_queue_of_another_account_for_what_is_not_delivered_is_foreign() {
    let queue = |account: &str| {
        let arn = format!("arn:aws:sqs:eu-west-1:{account}:missed");
        spec(json!({ "targets": [target("a", json!({ "dead_letter_config": { "arn": arn } }))] }))
    };
    let changes = Rule::diff(&facts(), &queue("999988887777"), &with_targets(json!([])));
    assert_eq!(changes[0].grants[0].class, GrantClass::Foreign);
    let own = facts().account;
    let changes = Rule::diff(&facts(), &queue(own.as_str()), &with_targets(json!([])));
    assert!(changes[0].grants.is_empty());
}
