#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::kinds::Undo;
use crate::kinds::shapes::part::{Action, State, Step};

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "config_rule_name": "r", "source_identifier": "ACCESS_KEYS_ROTATED" });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn place() -> Place {
    Place { config_rule_name: "r".to_owned(), arn: Some("arn".to_owned()) }
}

fn record(fields: Value) -> Record {
    let mut record = json!(Record::default().with(&spec(json!({}))));
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

fn object(now: Record) -> Object<State<Rule>> {
    Object::present("r", State::at(place()).with::<record::Evaluated>(&now))
}

fn diff(fields: Value, now: Record) -> Vec<Change<Action<Rule>>> {
    Rule::diff(&Facts::example(Rule::NAME), &spec(fields), &object(now))
}

fn written(change: &Change<Action<Rule>>) -> Value {
    let Step::Write { write, .. } = &change.action.as_ref().unwrap().step else { unreachable!() };
    write.clone()
}

#[test]
fn a_rule_is_made_in_one_write() {
    let declared = spec(json!({ "input_parameters": { "a": "1" }, "tags": { "k": "v" } }));
    let changes = Rule::diff(&Facts::example(Rule::NAME), &declared, &Object::absent("r"));
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let fields: Vec<&str> = changes[0].drift.iter().map(|drift| drift.field.as_str()).collect();
    assert_eq!(fields, ["", "source_identifier", "input_parameters", "tags"]);
}

#[test]
fn what_is_not_declared_stays_as_it_is() {
    let now = record(json!({
        "description": "kept", "scope": { "tag_key": "team" }, "maximum_execution_frequency": "One_Hour",
        "input_parameters": { "maxAccessKeyAge": "90" },
    }));
    assert!(diff(json!({}), now.clone()).is_empty());
    let change =
        diff(json!({ "input_parameters": { "maxAccessKeyAge": "45" } }), now.clone()).remove(0);
    let sent = written(&change);
    assert_eq!(
        (&sent["description"], &sent["scope"]),
        (&json!("kept"), &json!({ "tag_key": "team" }))
    );
    assert!(change.warnings[0].contains("another measure"));
    let Undo::By(undo) = Rule::undo(change.action.as_ref().unwrap(), &object(now.clone())) else {
        unreachable!()
    };
    let Step::Write { write, .. } = &undo[0].step else { unreachable!() };
    assert_eq!(*write, json!(now));
}

#[test]
fn another_rule_under_the_same_name_is_disruptive() {
    let change =
        diff(json!({ "source_identifier": "S3_BUCKET_LOGGING_ENABLED" }), record(json!({})));
    assert_eq!(change[0].risk, crate::kinds::Risk::Disruptive);
    assert!(change[0].warnings[0].contains("another one"), "{change:?}");
}

#[test]
fn parameters_are_compared_by_meaning_and_modes_have_a_default() {
    let source = aws_sdk_config::types::Source::builder()
        .owner(aws_sdk_config::types::Owner::Aws)
        .source_identifier("ACCESS_KEYS_ROTATED")
        .build()
        .unwrap();
    let said = ConfigRule::builder()
        .source(source)
        .input_parameters("{ \"b\": true,\n \"maxAccessKeyAge\": 90 }");
    let now = record::read(&said.clone().build()).unwrap();
    let declared = json!({ "input_parameters": { "maxAccessKeyAge": "90", "b": "true" }, "evaluation_modes": ["DETECTIVE"] });
    assert!(diff(declared, now).is_empty());
    assert!(record::read(&said.input_parameters("no JSON").build()).is_err());
}

#[test]
fn a_policy_is_the_same_whatever_ends_its_last_line() {
    let policy = json!({ "runtime": "guard-2.x.x", "text": "rule x { true }", "enable_debug_log_delivery": false });
    let now = record(
        json!({ "source_owner": "CUSTOM_POLICY", "source_identifier": null, "policy": policy }),
    );
    let declared = |text: &str| json!({ "source_owner": "CUSTOM_POLICY", "source_identifier": null, "policy_text": text });
    assert!(diff(declared("rule x { true }\n"), now.clone()).is_empty());
    let change = diff(declared("rule x { false }"), now).remove(0);
    assert!(change.warnings[0].contains("another one"));
}

#[test]
fn of_another_owners_rule_nothing_of_the_source_is_kept() {
    let policy =
        json!({ "runtime": "guard-2.x.x", "text": "", "enable_debug_log_delivery": false });
    let details = json!([{ "message_type": "ConfigurationItemChangeNotification" }]);
    let now = record(json!({
        "source_owner": "CUSTOM_POLICY", "source_identifier": null, "policy": policy, "source_details": details,
    }));
    let change = diff(json!({}), now.clone()).remove(0);
    let sent = written(&change);
    assert_eq!((&sent["policy"], &sent["source_details"]), (&Value::Null, &json!([])));
    let undo = Rule::undo(change.action.as_ref().unwrap(), &object(now));
    assert!(matches!(undo, Undo::Impossible(_)), "its text was not read");
}

#[test]
fn rules_of_services_are_theirs() {
    let rule = ConfigRule::builder().config_rule_name("r");
    assert_eq!(owner_of(&rule.clone().build()), None);
    let of = rule.clone().created_by("securityhub.amazonaws.com").build();
    assert_eq!(owner_of(&of).as_deref(), Some("securityhub.amazonaws.com"));
    let internal = rule.rule_evaluation_visibility(RuleEvaluationVisibility::Internal).build();
    assert!(owner_of(&internal).is_some());
}

#[test]
fn what_config_refuses_is_said_before() {
    let policy = |more: Value| {
        let mut fields = json!({
            "source_owner": "CUSTOM_POLICY", "source_identifier": null, "policy_text": "rule x { true }",
            "source_details": [{ "message_type": "ConfigurationItemChangeNotification" }],
        });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let scheduled = json!([{ "message_type": "ScheduledNotification" }]);
    let hourly = json!([{ "message_type": "ConfigurationItemChangeNotification", "maximum_execution_frequency": "One_Hour" }]);
    let cases = [
        (json!({ "source_identifier": null }), "which rule"),
        (json!({ "source_identifier": "access-keys" }), "not the identifier"),
        (json!({ "source_details": scheduled }), "has its own"),
        (json!({ "policy_text": "x" }), "only a policy"),
        (json!({ "source_owner": "CUSTOM_LAMBDA" }), "not the ARN"),
        (json!({ "source_owner": "CUSTOM_LAMBDA" }), "nothing lets"),
        (policy(json!({ "source_identifier": "X" })), "has none"),
        (policy(json!({ "policy_text": null })), "no policy"),
        (policy(json!({ "source_details": scheduled })), "no other message"),
        (policy(json!({ "source_details": hourly })), "has a frequency"),
        (policy(json!({ "policy_runtime": "guard-3" })), "alone"),
        (json!({ "scope": { "tag_value": "x" } }), "without its key"),
        (json!({ "scope": { "compliance_resource_id": "x" } }), "type and its id"),
        (json!({ "scope": { "tag_key": "x", "compliance_resource_types": ["a"] } }), "not both"),
        (json!({ "input_parameters": { "a": "x".repeat(1024) } }), "longer"),
    ];
    for (fields, words) in cases {
        let problems = Rule::check(&spec(fields.clone()));
        assert!(
            problems.iter().any(|problem| problem.message.contains(words)),
            "{words}: {fields}"
        );
    }
    assert!(Rule::check(&spec(policy(json!({})))).is_empty());
}

#[test]
fn a_function_of_another_account_is_foreign() {
    let facts = Facts::example(Rule::NAME);
    let function = |account: &str| {
        let arn = format!("arn:aws:lambda:eu-west-1:{account}:function:f");
        json!({ "source_owner": "CUSTOM_LAMBDA", "source_identifier": arn })
    };
    for (account, rises) in [("999988887777", 1), (facts.account.as_str(), 0)] {
        let declared = spec(function(account));
        let made = Rule::diff(&facts, &declared, &Object::absent("r"));
        assert_eq!(made[0].grants.len(), rises, "{account}");
        let moved = diff(function(account), record(json!({})));
        assert_eq!(moved[0].grants.len(), rises, "{account}");
    }
}
