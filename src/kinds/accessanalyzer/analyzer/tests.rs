#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{Needs, Risk};

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "analyzer_name": "a", "type": "ACCOUNT_UNUSED_ACCESS" });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn place(of_type: AnalyzerType) -> Place {
    Place { analyzer_name: "a".to_owned(), of_type }
}

fn diff(fields: Value, state: State<Analyzer>) -> Vec<Change<Action<Analyzer>>> {
    let facts = Facts::example(Analyzer::NAME);
    Analyzer::diff(&facts, &spec(fields), &Object::present("a", state))
}

fn unused() -> State<Analyzer> {
    State::at(place(AnalyzerType::AccountUnusedAccess)).with::<status::Status>(&None)
}

fn configured(fields: Value) -> State<Analyzer> {
    let now: Configuration = serde_json::from_value(fields).unwrap();
    unused().with::<configuration::Configured>(&now)
}

fn summary(name: &str, of_type: &str, managed_by: Option<&str>) -> AnalyzerSummary {
    AnalyzerSummary::builder()
        .arn(format!("arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/{name}"))
        .name(name)
        .r#type(of_type.into())
        .created_at(aws_sdk_accessanalyzer::primitives::DateTime::from_secs(1))
        .status(types::AnalyzerStatus::Active)
        .set_managed_by(managed_by.map(str::to_owned))
        .build()
        .unwrap()
}

#[test]
fn an_analyzer_is_made_in_one_write_that_says_what_it_costs() {
    let declared = spec(json!({
        "unused_access_age": 45, "exclusions": [{ "resource_tags": [{ "a": "b" }] }],
        "archive_rules": { "r": { "resource": { "contains": ["x"] } } }, "tags": { "k": "v" },
    }));
    let changes = Analyzer::diff(&Facts::example(Analyzer::NAME), &declared, &Object::absent("a"));
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(matches!(changes[0].action.as_ref().unwrap().step, Step::Create(_)));
    assert!(changes[0].warnings[0].contains("charges"));
    let fields: Vec<&str> = changes[0].drift.iter().map(|drift| drift.field.as_str()).collect();
    assert_eq!(fields, ["", "type", "unused_access_age", "exclusions", "archive_rules", "tags"]);
}

#[test]
fn one_of_the_type_is_adopted_whatever_its_name_and_those_of_services_are_not() {
    let all = [
        summary("hub", "ACCOUNT_UNUSED_ACCESS", Some("securityhubv2.amazonaws.com")),
        summary("other", "ACCOUNT_UNUSED_ACCESS", None),
        summary("organization", "ORGANIZATION", None),
    ];
    assert_eq!(chosen(&all, &spec(json!({}))).unwrap().name(), "other");
    assert!(chosen(&all[..1], &spec(json!({}))).is_none());
    let of_organization = json!({ "type": "ORGANIZATION" });
    assert!(chosen(&all, &spec(of_organization)).is_none(), "a Region has several of them");
    let named = json!({ "type": "ORGANIZATION", "analyzer_name": "organization" });
    assert_eq!(chosen(&all, &spec(named)).unwrap().name(), "organization");
}

#[test]
fn two_items_of_a_type_are_one() {
    let governs = |of_type: &str| Analyzer::governs(&json!({ "type": of_type }), None);
    assert_eq!(governs("ACCOUNT"), Some("ACCOUNT".to_owned()));
    assert_eq!(governs("ORGANIZATION_UNUSED_ACCESS"), None);
}

#[test]
fn a_name_that_is_taken_by_another_type_is_a_finding() {
    let changes =
        diff(json!({}), State::at(place(AnalyzerType::Account)).with::<status::Status>(&None));
    assert_eq!(changes[0].action, None);
    assert!(changes[0].withheld.as_ref().unwrap().contains("cannot be changed"));
}

#[test]
fn one_that_does_not_work_is_a_finding_though_all_else_is_right() {
    let broken = Some("DISABLED: AWS_SERVICE_ACCESS_DISABLED".to_owned());
    let state = State::at(place(AnalyzerType::AccountUnusedAccess)).with::<status::Status>(&broken);
    let changes = diff(json!({}), state);
    assert_eq!(changes[0].drift[0].field, "type.status");
    assert_eq!(changes[0].action, None);
}

#[test]
fn the_configuration_is_written_whole_and_seeing_less_is_said() {
    let now = json!({
        "unused_access_age": 90, "exclusions": [{ "resource_tags": [{ "a": "b" }] }], "inclusions": [],
    });
    assert!(diff(json!({ "unused_access_age": 90 }), configured(now.clone())).is_empty());
    let change = diff(json!({ "unused_access_age": 30 }), configured(now.clone())).remove(0);
    let Step::Write { write, .. } = &change.action.as_ref().unwrap().step else { unreachable!() };
    assert_eq!(
        (&write["unused_access_age"], &write["exclusions"]),
        (&json!(30), &now["exclusions"])
    );
    assert_eq!(change.risk, Risk::Safe);
    let more = json!({ "exclusions": [{ "resource_tags": [{ "a": "b" }] }, { "resource_tags": [{ "c": "d" }] }] });
    let change = diff(more, configured(now.clone())).remove(0);
    assert_eq!(change.risk, Risk::Disruptive);
    assert!(change.warnings[0].contains("weaker"));
    assert_eq!(diff(json!({ "exclusions": [] }), configured(now)).remove(0).risk, Risk::Safe);
}

#[test]
fn a_rule_that_nobody_declared_is_taken_away() {
    let rule = json!({ "resource": { "eq": ["b", "a"] } });
    let now: BTreeMap<String, Filter> =
        serde_json::from_value(json!({ "kept": rule, "hides": rule })).unwrap();
    let state = unused().with::<archive_rules::ArchiveRules>(&now);
    let kept = json!({ "archive_rules": { "kept": { "resource": { "eq": ["a", "b"] } } } });
    let changes = diff(kept, state.clone());
    assert_eq!(changes.len(), 1, "the order of values means nothing");
    assert_eq!(changes[0].drift[0].field, "archive_rules.hides");
    assert!(changes[0].makes_room && changes[0].needs == Needs::Only(Vec::new()));
    let action = changes[0].action.as_ref().unwrap();
    let crate::kinds::Undo::By(undo) = Analyzer::undo(action, &Object::present("a", state)) else {
        unreachable!()
    };
    let Step::Write { write, .. } = &undo[0].step else { unreachable!() };
    assert_eq!(write["create"]["rule_name"], "hides");
}

#[test]
fn what_aws_refuses_is_said_before() {
    let cases = [
        (json!({ "type": "ACCOUNT", "unused_access_age": 5 }), "has none"),
        (json!({ "inclusions": [{ "resource_types": ["AWS::S3::Bucket"] }] }), "has none"),
        (json!({ "exclusions": [{ "account_ids": ["111122223333"] }] }), "organization alone"),
        (json!({ "exclusions": [{}] }), "says nothing"),
        (
            json!({ "type": "ACCOUNT", "archive_rules": { "1": { "resource": { "exists": true } } } }),
            "name",
        ),
        (json!({ "type": "ACCOUNT", "archive_rules": { "a": {} } }), "says nothing"),
    ];
    for (fields, words) in cases {
        let problems = Analyzer::check(&spec(fields.clone()));
        assert!(problems.iter().any(|problem| problem.message.contains(words)), "{fields}");
    }
}

#[test]
fn a_rule_that_access_analyzer_does_not_take_is_refused() {
    let problems = |rule: Value| {
        let of = json!({ "type": "ACCOUNT", "archive_rules": { "r": rule } });
        let problems = Analyzer::check(&spec(of));
        problems.first().map(|problem| problem.message.clone()).unwrap_or_default()
    };
    for (rule, words) in [
        (json!({ "nope": { "exists": true } }), "nothing that findings can be chosen by"),
        (json!({ "status": { "eq": ["ACTIVE"] } }), "no rule takes it"),
        (json!({ "isPublic": { "eq": ["nein"] } }), "isPublic is never \"nein\""),
        (json!({ "resourceOwnerAccount": { "neq": ["1"] } }), "is no account"),
    ] {
        assert!(problems(rule.clone()).contains(words), "{rule}: {}", problems(rule.clone()));
    }
    for rule in [
        json!({ "condition.aws:PrincipalOrgID": { "eq": ["o-a1b2c3d4e5"] } }),
        json!({ "principal.Federated": { "exists": false }, "isPublic": { "eq": ["false"] } }),
    ] {
        assert_eq!(problems(rule.clone()), "", "{rule}");
    }
    let inclusion = |one: Value| {
        let of = json!({ "type": "ACCOUNT_INTERNAL_ACCESS", "inclusions": [one] });
        Analyzer::check(&spec(of)).len()
    };
    assert_eq!(inclusion(json!({ "resource_types": ["AWS::Nope::Nope"] })), 1);
    assert_eq!(inclusion(json!({ "resource_arns": ["x"] })), 1);
    assert_eq!(inclusion(json!({ "resource_types": ["AWS::S3::Bucket"] })), 0);
}

#[test]
fn a_rule_that_hides_findings_is_disruptive_and_one_that_hides_all_says_so() {
    let change = |rule: Value| {
        let state = unused().with::<archive_rules::ArchiveRules>(&BTreeMap::new());
        diff(json!({ "archive_rules": { "r": rule } }), state).remove(0)
    };
    let all = change(json!({ "isPublic": { "eq": ["true", "false"] } }));
    assert!(all.warnings[0].contains("every finding"), "{all:?}");
    let some = change(json!({ "isPublic": { "eq": ["false"] } }));
    assert!(!some.warnings[0].contains("every finding"), "{some:?}");
    assert_eq!((all.risk, some.risk), (Risk::Disruptive, Risk::Disruptive));
}
