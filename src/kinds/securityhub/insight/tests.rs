#![allow(clippy::unwrap_used, clippy::panic)]

use aws_sdk_securityhub::types::{
    AwsSecurityFindingFilters, DateFilter, MapFilter, NumberFilter, StringFilter,
    StringFilterComparison,
};
use serde_json::json;

use super::attributes::{Filters, read, send, shape};
use super::defined::Definition;
use super::*;
use crate::kinds::shapes::part::{Action, State};
use crate::kinds::{Undo, compared};

fn spec(group: &str, filters: &Value) -> Spec {
    let spec = json!({ "name": "critical", "group_by_attribute": group, "filters": filters });
    serde_json::from_value(spec).unwrap()
}

fn severities(words: &[&str]) -> Value {
    let all = words.iter().map(|word| json!({ "value": word, "comparison": "EQUALS" }));
    json!({ "SeverityLabel": all.collect::<Vec<_>>() })
}

fn there(spec: &Spec) -> Object<State<Insight>> {
    let arn = "arn:aws:securityhub:eu-west-1:111122223333:insight/111122223333/custom/1";
    let place = Place { name: spec.name.clone(), arn: Some(arn.to_owned()) };
    Object::present("critical", State::at(place).with::<Definition>(&Defined::declared(spec)))
}

fn diff(spec: &Spec, object: &Object<State<Insight>>) -> Vec<Change<Action<Insight>>> {
    let facts = Facts::example(Insight::NAME);
    compared::during(|| Insight::diff(&facts, spec, object)).0
}

fn fields(changes: &[Change<Action<Insight>>]) -> Vec<&str> {
    changes.iter().flat_map(|one| &one.drift).map(|one| one.field.as_str()).collect()
}

#[test]
fn one_that_is_not_there_is_made_whole_and_taken_back() {
    let spec = spec("ResourceId", &severities(&["HIGH"]));
    let absent = Object::absent("critical");
    let changes = diff(&spec, &absent);
    assert_eq!(fields(&changes), ["", "group_by_attribute", "filters.SeverityLabel"]);
    let made = changes[0].action.as_ref().unwrap();
    let Undo::By(undo) = Insight::undo(made, &absent) else { panic!("deleted") };
    assert_eq!(Insight::calls(&undo[0])[0].operation, "DeleteInsight");
    // What would take that back while nobody has changed it is the making itself.
    let Undo::By(again) = Insight::undo(&undo[0], &there(&spec)) else { panic!("made again") };
    assert_eq!(Insight::calls(&again[0])[0].operation, "CreateInsight");
    assert!(Insight::is_same_write(made, &again[0]));
    let other = there(&super::tests::spec("ResourceId", &severities(&["LOW"])));
    let Undo::By(again) = Insight::undo(&undo[0], &other) else { panic!("made again") };
    assert!(!Insight::is_same_write(made, &again[0]));
    assert!(matches!(Insight::undo(&undo[0], &absent), Undo::Impossible(_)));
}

#[test]
fn what_counts_something_else_is_put_right_and_back() {
    let now = there(&spec("ResourceId", &severities(&["LOW"])));
    let mut filters = severities(&["HIGH", "CRITICAL"]);
    filters["Confidence"] = json!([{ "gte": 70 }]);
    let wanted = spec("AwsAccountId", &filters);
    let changes = diff(&wanted, &now);
    assert_eq!(
        fields(&changes),
        ["group_by_attribute", "filters.Confidence", "filters.SeverityLabel"]
    );
    let action = changes[0].action.as_ref().unwrap();
    assert_eq!(Insight::calls(action)[0].operation, "UpdateInsight");
    let Undo::By(undo) = Insight::undo(action, &now) else { panic!("put back") };
    // What would take the way back back is the write itself.
    let Undo::By(again) = Insight::undo(&undo[0], &there(&wanted)) else { panic!("put again") };
    assert!(Insight::is_same_write(action, &again[0]));
    // What filters more than is declared is drift of its own.
    let more = spec("ResourceId", &json!({}));
    assert_eq!(fields(&diff(&more, &now)), ["filters.SeverityLabel"]);
}

#[test]
fn order_doubles_and_spellings_of_times_say_nothing() {
    let dates = |start: &str| json!([{ "start": start, "end": "2026-12-31T23:59:59Z" }]);
    let mut one = severities(&["HIGH", "CRITICAL"]);
    let mut other = severities(&["CRITICAL", "HIGH", "CRITICAL"]);
    one["CreatedAt"] = dates("2026-01-01T00:00:00Z");
    other["CreatedAt"] = dates("2026-01-01T01:00:00.000+01:00");
    one["Confidence"] = json!([{ "gte": 0.0 }]);
    other["Confidence"] = json!([{ "gte": 0.0 }, { "gte": -0.0 }]);
    let now = there(&spec("ResourceId", &one));
    assert!(diff(&spec("ResourceId", &other), &now).is_empty());
}

#[test]
fn every_attribute_goes_to_aws_and_comes_back() {
    let condition = |name: &str| match format!("{:?}", shape(name).unwrap()).as_str() {
        "Text" => json!({ "value": "a", "comparison": "PREFIX_NOT_EQUALS" }),
        "Map" => json!({ "key": "a", "value": "b", "comparison": "NOT_CONTAINS" }),
        "Number" => json!({ "gte": 1.5, "lte": 2.0, "eq": 3.0, "gt": 4.0, "lt": 5.0 }),
        "Date" => {
            json!({ "date_range": { "value": 3, "unit": "DAYS", "comparison": "OLDER_THAN" } })
        }
        "Ip" => json!({ "cidr": "203.0.113.0/24" }),
        "Keyword" => json!({ "value": "a" }),
        _ => json!({ "value": "true" }),
    };
    let names = include_str!("attributes.rs").lines().filter_map(|line| {
        line.strip_prefix("        \"").and_then(|rest| rest.split_once('"')).map(|(name, _)| name)
    });
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 107, "those of AWS's API model");
    let all = names.iter().map(|name| (*name, json!([condition(name)])));
    let all: Filters =
        all.map(|(name, one)| (name.to_owned(), serde_json::from_value(one).unwrap())).collect();
    assert_eq!(read(&send(&all).unwrap()).unwrap(), all);
}

#[test]
fn what_aws_does_not_say_or_says_in_unknown_words_is_unknown() {
    let filters = |one: StringFilter| AwsSecurityFindingFilters::builder().severity_label(one);
    let known = StringFilter::builder().value("HIGH");
    let fine = known.clone().comparison(StringFilterComparison::Equals).build();
    assert!(read(&filters(fine).build()).is_ok());
    for (one, member) in [
        (known.clone().build(), "Comparison"),
        (StringFilter::builder().comparison(StringFilterComparison::Equals).build(), "Value"),
    ] {
        let error = read(&filters(one).build()).unwrap_err().to_string();
        assert!(error.contains(&format!("SeverityLabel.{member}")), "{error}");
    }
    let word = known.comparison(StringFilterComparison::from("SOUNDS_LIKE")).build();
    let error = read(&filters(word).build()).unwrap_err();
    assert!(matches!(error, ObserveError::UnknownValue { .. }), "{error}");
    let empty = AwsSecurityFindingFilters::builder;
    assert!(read(&empty().confidence(NumberFilter::builder().build()).build()).is_err());
    assert!(read(&empty().updated_at(DateFilter::builder().build()).build()).is_err());
    assert!(read(&empty().resource_tags(MapFilter::builder().build()).build()).is_err());
    assert!(read(&empty().build()).unwrap().is_empty());
}

#[test]
fn a_name_stands_for_one_insight() {
    let one = |arn: &str| Said::builder().insight_arn(arn).name("a").build();
    assert!(named(&[], "a").unwrap().is_none());
    assert_eq!(named(&[one("1")], "a").unwrap().unwrap().insight_arn(), Some("1"));
    let error = named(&[one("1"), one("2")], "a").unwrap_err();
    assert!(error.to_string().starts_with("2 insights are named \"a\""), "{error}");
}

#[test]
fn a_condition_is_what_its_attribute_can_be_compared_with() {
    let many: Vec<Value> = vec![json!({ "value": "a", "comparison": "EQUALS" }); 21];
    for (filters, problem) in [
        (json!({ "Severity": [{ "value": "a", "comparison": "EQUALS" }] }), Some("no attribute")),
        (json!({ "SeverityLabel": [] }), Some("0 conditions")),
        (json!({ "SeverityLabel": many }), Some("21 conditions")),
        (json!({ "SeverityLabel": [{ "value": "HIGH" }] }), Some("lacks comparison")),
        (json!({ "SeverityLabel": [{ "gte": 1 }] }), Some("lacks value")),
        (json!({ "Confidence": [{ "value": "70" }] }), Some("has value")),
        (json!({ "Confidence": [{}] }), Some("needs one of gte")),
        (json!({ "Confidence": [{ "gt": 70 }] }), None),
        (json!({ "UpdatedAt": [{ "start": "yesterday" }] }), Some("for a time")),
        (
            json!({ "UpdatedAt": [{ "start": "2026-01-01T00:00:00Z", "date_range": { "value": 1 } }] }),
            Some("both"),
        ),
        (json!({ "UpdatedAt": [{ "date_range": { "value": 1 } }] }), None),
        (
            json!({ "ResourceTags": [{ "key": "a", "value": "b", "comparison": "PREFIX" }] }),
            Some("has PREFIX"),
        ),
        (json!({ "Sample": [{ "value": "yes" }] }), Some("neither true nor false")),
        (json!({ "Sample": [{ "value": "true" }] }), None),
    ] {
        let problems = Insight::check(&spec("ResourceId", &filters));
        assert_eq!(problems.is_empty(), problem.is_none(), "{filters} {problems:?}");
        if let Some(problem) = problem {
            assert!(problems[0].message.contains(problem), "{problems:?}");
        }
    }
}

#[test]
fn findings_are_counted_by_an_attribute_that_they_have() {
    let filters = json!({ "Confidence": [{ "gt": 70 }] });
    let problems = Insight::check(&spec("Resource", &filters));
    assert!(problems[0].message.contains("no attribute \"Resource\""), "{problems:?}");
}
