#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::record::Record;
use super::*;
use crate::kinds::cloudtrail::trail::delivery::Delivering;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{GrantClass, Needs, Risk, Undo};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";
const PATTERN: &str = r#"{ $.userIdentity.type = "Root" }"#;

fn facts() -> Facts {
    Facts::example(LogAlarm::NAME)
}

fn merged(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

/// What names an alarm, with more.
fn spec(fields: Value) -> Spec {
    let spec = json!({ "alarm_name": "root", "log_group_name": "trail", "metric_name": "Root",
        "metric_namespace": "CIS" });
    serde_json::from_value(merged(spec, fields)).unwrap()
}

/// All that AWS needs, with more.
fn whole(fields: Value) -> Spec {
    let needed = json!({ "filter_pattern": PATTERN, "metric_value": "1", "statistic": "Sum",
        "period": 300, "evaluation_periods": 1, "threshold": 1,
        "comparison_operator": "GreaterThanOrEqualToThreshold" });
    spec(merged(needed, fields))
}

fn filter(fields: Value) -> filter::Record {
    let record = json!({ "filter_pattern": PATTERN, "field_selection_criteria": null,
        "apply_on_transformed_logs": false, "metric_name": "Root", "metric_namespace": "CIS",
        "metric_value": "1", "default_value": null, "unit": null, "dimensions": {},
        "emit_system_field_dimensions": [] });
    serde_json::from_value(merged(record, fields)).unwrap()
}

fn alarm(fields: Value) -> Record {
    let record = json!({ "metric": { "name": "Root", "namespace": "CIS" }, "dimensions": {},
        "unit": null, "alarm_description": null, "statistic": "Sum", "extended_statistic": null,
        "evaluate_low_sample_count_percentile": null, "period": 300, "evaluation_periods": 1,
        "datapoints_to_alarm": null, "threshold": 1.0,
        "comparison_operator": "GreaterThanOrEqualToThreshold", "treat_missing_data": null,
        "actions_enabled": true, "alarm_actions": [TOPIC], "ok_actions": [],
        "insufficient_data_actions": [], "warm_up": null, "wall_clock_window": null,
        "tags_propagation": null });
    serde_json::from_value(merged(record, fields)).unwrap()
}

fn at() -> State<LogAlarm> {
    State::at(Place::of(&spec(json!({}))))
}

fn there(filter: Option<filter::Record>, alarm: Option<Record>) -> Object<State<LogAlarm>> {
    let alarm = alarm::Now::of(alarm, BTreeSet::new());
    let state = at().with::<filter::Filter>(&filter).with::<alarm::Alarm>(&alarm);
    Object::present("root", state)
}

fn diff(spec: &Spec, object: &Object<State<LogAlarm>>) -> Vec<Change<Action<LogAlarm>>> {
    LogAlarm::diff(&facts(), spec, object)
}

/// The fields that differ.
fn fields(changes: &[Change<Action<LogAlarm>>]) -> Vec<&str> {
    changes.iter().flat_map(|change| &change.drift).map(|drift| drift.field.as_str()).collect()
}

fn written(change: &Change<Action<LogAlarm>>) -> Value {
    match &change.action.as_ref().unwrap().step {
        Step::Write { write, .. } => write.clone(),
        Step::Create(record) => json!({ "create": record }),
    }
}

#[test]
fn a_new_one_is_a_filter_and_then_an_alarm_and_then_its_tags() {
    let declared = whole(json!({ "alarm_actions": [TOPIC], "tags": { "a": "b" } }));
    let changes = diff(&declared, &Object::absent("root"));
    assert_eq!(written(&changes[0])["create"]["filter_pattern"], PATTERN);
    assert_eq!(written(&changes[1])["put"]["alarm_actions"], json!([TOPIC]));
    assert_eq!(changes[1].needs, Needs::Only(vec![0]));
    assert_eq!(changes[2].needs, Needs::Only(vec![0, 1]), "there is nothing to tag before");
    assert!(changes[1].warnings[0].contains("AWS charges"), "{changes:?}");
}

#[test]
fn what_aws_needs_must_be_declared() {
    let changes = diff(&spec(json!({ "statistic": "Sum" })), &Object::absent("root"));
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    let reason = change.withheld.as_ref().unwrap();
    assert!(change.action.is_none());
    for field in ["filter_pattern", "metric_value", "period", "threshold", "comparison_operator"] {
        assert!(reason.contains(field), "{reason}");
    }
    assert!(!reason.contains("statistic"), "{reason}");
    // Of the two, one is there.
    let changes = diff(&spec(json!({})), &there(None, Some(alarm(json!({})))));
    assert!(changes[0].withheld.as_ref().unwrap().contains("no such filter"), "{changes:?}");
    let changes = diff(&spec(json!({})), &there(Some(filter(json!({}))), None));
    assert!(changes[0].withheld.as_ref().unwrap().contains("no such alarm"), "{changes:?}");
}

#[test]
fn what_is_there_is_adopted() {
    let as_it_is = there(Some(filter(json!({}))), Some(alarm(json!({}))));
    assert!(diff(&whole(json!({ "alarm_actions": [TOPIC] })), &as_it_is).is_empty());
    let same = json!({ "alarm_actions": [TOPIC], "datapoints_to_alarm": 1, "ok_actions": [],
        "treat_missing_data": "missing", "alarm_description": "", "field_selection_criteria": "",
        "apply_on_transformed_logs": false, "filter_pattern": r#"{$.userIdentity.type="Root"}"# });
    assert_eq!(diff(&whole(same), &as_it_is), [], "that is how AWS says the same");
}

#[test]
fn whatever_blinds_the_filter_is_seen_and_taken_away() {
    for (blind, field) in [
        (json!({ "filter_pattern": "{ $.no = 1 }" }), "filter_pattern"),
        (json!({ "field_selection_criteria": "@aws.region = \"x\"" }), "field_selection_criteria"),
        (json!({ "metric_name": "Other" }), "metric_name"),
        (json!({ "metric_namespace": "Other" }), "metric_namespace"),
        (json!({ "metric_value": "0" }), "metric_value"),
        (json!({ "dimensions": { "Who": "$.who" } }), "metric_name.dimensions"),
        (json!({ "emit_system_field_dimensions": ["@aws.region"] }), "metric_name.dimensions"),
    ] {
        let before = there(Some(filter(blind)), Some(alarm(json!({}))));
        let changes = diff(&whole(json!({})), &before);
        assert_eq!(fields(&changes), [field]);
        assert_eq!(written(&changes[0]), json!({ "put": filter(json!({})) }));
        let Undo::By(back) = LogAlarm::undo(changes[0].action.as_ref().unwrap(), &before) else {
            panic!("{field}")
        };
        assert_ne!(back[0], *changes[0].action.as_ref().unwrap());
    }
}

#[test]
fn whatever_blinds_or_silences_the_alarm_is_seen_and_taken_away() {
    let declared = json!({ "alarm_actions": [TOPIC], "treat_missing_data": "notBreaching",
        "actions_enabled": true, "datapoints_to_alarm": 1 });
    let right = json!({ "treat_missing_data": "notBreaching", "datapoints_to_alarm": 1 });
    for (blind, field) in [
        (json!({ "actions_enabled": false }), "actions_enabled"),
        (json!({ "alarm_actions": [] }), "alarm_actions"),
        (json!({ "threshold": 1000.0 }), "threshold"),
        (json!({ "period": 60 }), "period"),
        (json!({ "evaluation_periods": 5 }), "evaluation_periods"),
        (json!({ "comparison_operator": "LessThanThreshold" }), "comparison_operator"),
        (json!({ "statistic": "Minimum" }), "statistic"),
        (json!({ "statistic": null, "extended_statistic": "p10" }), "statistic"),
        (json!({ "treat_missing_data": "ignore" }), "treat_missing_data"),
        (json!({ "metric": { "name": "Other", "namespace": "CIS" } }), "metric_name"),
        (json!({ "metric": { "name": "Root", "namespace": "Other" } }), "metric_namespace"),
        (json!({ "dimensions": { "Who": "me" } }), "metric_name.dimensions"),
        (json!({ "unit": "Bytes" }), "metric_name.unit"),
        (
            json!({ "warm_up": { "minutes": 2880, "only_start_after": true } }),
            "actions_enabled.warm_up",
        ),
        (json!({ "wall_clock_window": { "timezone": null } }), "period.wall_clock_window"),
    ] {
        let there = there(Some(filter(json!({}))), Some(alarm(merged(right.clone(), blind))));
        let changes = diff(&whole(declared.clone()), &there);
        assert_eq!(fields(&changes), [field]);
        assert_eq!(written(&changes[0]), json!({ "put": alarm(right.clone()) }), "{field}");
    }
}

#[test]
fn what_is_not_declared_stays() {
    let kept = json!({ "extended_statistic": "p90", "statistic": null, "threshold": 3.5,
        "evaluate_low_sample_count_percentile": "ignore", "datapoints_to_alarm": 1,
        "tags_propagation": { "enabled": true, "included": ["a"], "excluded": null },
        "unit": "Count", "ok_actions": [TOPIC] });
    let before = there(Some(filter(json!({ "unit": "Count" }))), Some(alarm(kept.clone())));
    let changes = diff(&spec(json!({ "alarm_description": "d" })), &before);
    assert_eq!(
        written(&changes[0]),
        json!({ "put": alarm(merged(kept, json!({ "alarm_description": "d" }))) })
    );
    let Undo::By(back) = LogAlarm::undo(changes[0].action.as_ref().unwrap(), &before) else {
        panic!("{changes:?}")
    };
    assert_ne!(back[0], *changes[0].action.as_ref().unwrap());
}

#[test]
fn who_is_not_told_any_more_and_what_is_weaker_is_said() {
    let before =
        there(Some(filter(json!({}))), Some(alarm(json!({ "treat_missing_data": "breaching" }))));
    let said = |fields: Value| diff(&whole(fields), &before)[0].warnings.join("; ");
    assert!(said(json!({ "alarm_actions": [] })).contains("no longer told (alarm_actions)"));
    assert!(
        said(json!({ "threshold": 5 })).contains("weaker than before: threshold goes from 1 to 5")
    );
    assert_eq!(said(json!({ "threshold": 0.5 })), "");
    assert!(said(json!({ "treat_missing_data": "ignore" })).contains("weaker than before"));
    let less = json!({ "comparison_operator": "LessThanThreshold", "threshold": 0 });
    assert!(said(less).contains("weaker than before: threshold"));
    let pattern = diff(&whole(json!({ "filter_pattern": "" })), &before);
    assert_eq!(pattern[0].risk, Risk::Disruptive);
}

#[test]
fn an_alarm_that_tells_another_account_is_a_rise_and_another_region_is_refused() {
    let before = there(Some(filter(json!({}))), Some(alarm(json!({}))));
    let foreign = "arn:aws:sns:eu-west-1:999988887777:theirs";
    let change = &diff(&whole(json!({ "alarm_actions": [foreign] })), &before)[0];
    assert_eq!(change.grants[0].class, GrantClass::Foreign);
    let elsewhere = "arn:aws:sns:us-east-1:111122223333:alerts";
    let change = &diff(&whole(json!({ "ok_actions": [elsewhere] })), &before)[0];
    assert!(change.withheld.as_ref().unwrap().contains("of another"), "{change:?}");
}

#[test]
fn a_topic_that_is_not_there_is_a_finding_or_a_warning() {
    let gone = BTreeSet::from([TOPIC.to_owned()]);
    let with = |record: Record| {
        let alarm = alarm::Now::of(Some(record), gone.clone());
        let state =
            at().with::<filter::Filter>(&Some(filter(json!({})))).with::<alarm::Alarm>(&alarm);
        Object::present("root", state)
    };
    let declared = whole(json!({ "alarm_actions": [TOPIC] }));
    let changes = diff(&declared, &with(alarm(json!({}))));
    assert!(changes[0].action.is_none() && fields(&changes) == ["alarm_actions"], "{changes:?}");
    assert!(changes[0].withheld.as_ref().unwrap().contains("sns.topic"), "{changes:?}");
    let changes = diff(&declared, &with(alarm(json!({ "alarm_actions": [] }))));
    assert!(
        changes[0].action.is_some() && changes[0].warnings[0].contains("no topic"),
        "{changes:?}"
    );
}

#[test]
fn a_trail_that_does_not_deliver_is_a_finding() {
    let trail = |is_logging, error: Option<&str>| Delivering {
        arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t".to_owned(),
        is_logging,
        error: error.map(str::to_owned),
    };
    let found = |trails: Vec<Delivering>, required: bool| {
        let object = there(Some(filter(json!({}))), Some(alarm(json!({}))));
        let state = object.state().unwrap().clone();
        let state = state.with::<trail::Delivery>(&trail::Now::from(trails));
        let declared = whole(json!({ "require_trail": required }));
        diff(&declared, &Object::present("root", state)).into_iter().find_map(|one| one.withheld)
    };
    assert!(found(Vec::new(), true).unwrap().contains("no trail delivers to it"));
    assert!(found(vec![trail(false, None)], true).unwrap().contains("does not record"));
    assert!(found(vec![trail(true, Some("no role"))], true).unwrap().contains("no role"));
    assert_eq!(found(vec![trail(false, None), trail(true, None)], true), None);
    assert_eq!(found(Vec::new(), false), None);
}

#[test]
fn an_alarm_of_another_sort_is_left_alone() {
    let place =
        Place { other_sort: Some("a composite alarm".to_owned()), ..Place::of(&spec(json!({}))) };
    let state = State::at(place).with::<filter::Filter>(&None);
    let changes = diff(&whole(json!({ "tags": { "a": "b" } })), &Object::present("root", state));
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(change.action.is_none(), "{change:?}");
    assert!(change.withheld.as_ref().unwrap().contains("composite"), "{change:?}");
}

#[test]
fn what_was_made_is_taken_back_and_nothing_else() {
    let changes = diff(&whole(json!({})), &Object::absent("root"));
    for (change, part) in changes.iter().zip(["metric_filter", "alarm"]) {
        let Undo::By(back) =
            LogAlarm::undo(change.action.as_ref().unwrap(), &Object::absent("root"))
        else {
            panic!("{change:?}")
        };
        let Step::Write { part: own, write } = &back[0].step else { panic!("{back:?}") };
        assert_eq!((own.as_str(), write), (part, &json!("delete")));
    }
}

#[test]
fn what_cloudwatch_would_refuse_is_known_before() {
    let problems = |fields: Value| LogAlarm::check(&whole(fields)).len();
    for fine in [
        json!({}),
        json!({ "period": 10, "evaluation_periods": 8640 }),
        json!({ "period": 86_400, "evaluation_periods": 7 }),
        json!({ "alarm_name": "a:b", "filter_name": "ab" }),
    ] {
        assert_eq!(problems(fine.clone()), 0, "{fine}");
    }
    for wrong in [
        json!({ "period": 90 }),
        json!({ "period": 300, "evaluation_periods": 289 }),
        json!({ "period": 86_400, "evaluation_periods": 8 }),
        json!({ "datapoints_to_alarm": 2 }),
        json!({ "alarm_actions": ["alerts"] }),
        json!({ "filter_pattern": "{ $.a = 1" }),
        json!({ "alarm_name": "a:b" }),
        json!({ "alarm_name": "a\nb" }),
        json!({ "tags": { "aws:a": "b" } }),
    ] {
        assert_eq!(problems(wrong.clone()), 1, "{wrong}");
    }
}
