use aws_sdk_guardduty::types::{Condition as Said, FindingCriteria};
use serde_json::{Value, json};

use super::*;
use crate::kinds::shapes::Inspect;
use crate::kinds::{Kind, compared};

fn found(spec: &Value, state: &Value) -> Vec<(String, Value, Value)> {
    let spec: Spec = serde_json::from_value(spec.clone()).unwrap();
    let object = Object::present("", serde_json::from_value::<State>(state.clone()).unwrap());
    let facts = Facts::example(Suppressions::NAME);
    let changes = Inspect::<Suppressions>::diff(&facts, &spec, &object);
    assert!(changes.iter().all(|change| change.withheld.is_some()));
    let drift = changes.into_iter().flat_map(|change| change.drift);
    drift.map(|one| (one.field, one.actual.unwrap(), one.desired.unwrap())).collect()
}

fn fields(spec: &Value, state: &Value) -> Vec<String> {
    found(spec, state).into_iter().map(|(field, ..)| field).collect()
}

#[test]
fn a_filter_that_archives_and_is_not_allowed_as_it_is_is_a_finding() {
    let low = json!({ "severity": { "less_than": 4 } });
    let state = json!({ "filters": { "quiet": low } });
    for (allowed, expected) in [
        (json!({}), vec!["allowed_filters.quiet"]),
        (json!({ "other": {} }), vec!["allowed_filters.quiet"]),
        (json!({ "quiet": {} }), vec![]),
        (json!({ "quiet": { "finding_criteria": low } }), vec![]),
        (
            json!({ "quiet": { "finding_criteria": { "severity": { "less_than": 3 } } } }),
            vec!["allowed_filters.quiet"],
        ),
        (json!({ "quiet": { "finding_criteria": {} } }), vec!["allowed_filters.quiet"]),
    ] {
        assert_eq!(fields(&json!({ "allowed_filters": allowed }), &state), expected, "{allowed}");
    }
    assert!(fields(&json!({}), &json!({})).is_empty());
    let everything = json!({ "filters": { "all": {} } });
    let (_, actual, wanted) = found(&json!({ "allowed_filters": {} }), &everything).remove(0);
    assert_eq!(
        (actual, wanted),
        (json!("archives all findings"), json!("no filter that archives"))
    );
}

#[test]
fn a_list_that_is_not_allowed_or_comes_from_elsewhere_is_a_finding() {
    let state = json!({
        "ip_sets": [{ "name": "offices", "location": "https://s3.amazonaws.com/b/ips.txt" }],
        "trusted_entity_sets": [{ "name": "partners", "location": "s3://b/entities.txt" }],
    });
    let both = |ips: Value, entities: Value| {
        fields(&json!({ "allowed_ip_sets": ips, "allowed_trusted_entity_sets": entities }), &state)
    };
    let all = ["allowed_ip_sets.offices", "allowed_trusted_entity_sets.partners"];
    assert_eq!(both(json!({}), json!({})), all);
    assert!(both(json!({ "offices": {} }), json!({ "partners": {} })).is_empty());
    let right = json!({ "offices": { "location": "https://s3.amazonaws.com/b/ips.txt" } });
    let wrong = json!({ "partners": { "location": "s3://b/others.txt" } });
    assert_eq!(both(right, wrong), all[1..]);
}

#[test]
fn what_is_declared_is_compared_and_what_is_exported_is_allowed() {
    let state: State = serde_json::from_value(json!({
        "filters": { "quiet": { "type": { "equals": ["b", "a"] } } },
        "ip_sets": [{ "name": "one", "location": "a" }, { "name": "one", "location": "b" }],
        "trusted_entity_sets": [],
    }))
    .unwrap();
    let facts = Facts::example(Suppressions::NAME);
    let object = Object::present("", state);
    let spec = Suppressions::export(&facts, &object).unwrap();
    let (changes, fields) =
        compared::during(|| Inspect::<Suppressions>::diff(&facts, &spec, &object));
    assert!(changes.is_empty(), "{changes:#?}");
    for field in ["allowed_filters", "allowed_ip_sets", "allowed_trusted_entity_sets"] {
        assert!(fields.contains(field), "{field}");
    }
}

#[test]
#[allow(deprecated)]
fn older_and_newer_names_of_conditions_say_the_same() {
    let read = |condition: Said| {
        let said = FindingCriteria::builder().criterion("x", condition).build();
        observe::criteria(&said).ok()
    };
    let old = Said::builder().eq("a").eq("b").neq("c").gt(1).gte(2).lt(3).lte(4).build();
    let new = Said::builder().equals("b").equals("a").not_equals("c").greater_than(1);
    let new = new.greater_than_or_equal(2).less_than(3).less_than_or_equal(4).build();
    assert_eq!(read(old), read(new));
    assert!(read(Said::builder().matches("a*").not_matches("b*").build()).is_some());
    // A condition of a later version of the API.
    assert_eq!(read(Said::builder().build()), None);
    assert_eq!(observe::criteria(&FindingCriteria::builder().build()).unwrap(), Criteria::new());
}
