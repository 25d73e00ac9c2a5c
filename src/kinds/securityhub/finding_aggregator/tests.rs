#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use super::linked::Linking;
use super::*;
use crate::kinds::shapes::part::{Action, State};
use crate::kinds::{Risk, Undo};

fn spec(mode: &str, regions: &[&str]) -> Spec {
    let regions = (!regions.is_empty()).then_some(regions);
    serde_json::from_value(
        json!({ "home_region": "eu-west-1", "region_linking_mode": mode, "linked_regions": regions }),
    )
    .unwrap()
}

fn there(home: &str, mode: &str, regions: &[&str]) -> Object<State<FindingAggregator>> {
    let arn = format!("arn:aws:securityhub:{home}:111122223333:finding-aggregator/1");
    let place = Place { home_region: home.to_owned(), arn: Some(arn) };
    let now = Linked::declared(&spec(mode, regions));
    Object::present("", State::at(place).with::<Linking>(&now))
}

fn diff(
    spec: &Spec,
    object: &Object<State<FindingAggregator>>,
) -> Vec<Change<Action<FindingAggregator>>> {
    FindingAggregator::diff(&Facts::example(FindingAggregator::NAME), spec, object)
}

#[test]
fn one_that_is_not_there_is_made_at_home_and_can_be_taken_back() {
    let absent = Object::absent("");
    let changes = diff(&spec("SPECIFIED_REGIONS", &["us-east-1"]), &absent);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let fields: Vec<&str> = changes[0].drift.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["home_region", "region_linking_mode", "linked_regions"]);
    let action = changes[0].action.as_ref().unwrap();
    assert_eq!(action.place.home_region, "eu-west-1");
    let Undo::By(undo) = FindingAggregator::undo(action, &absent) else { panic!("deleted") };
    assert_eq!(FindingAggregator::calls(&undo[0])[0].operation, "DeleteFindingAggregator");
    assert!(matches!(FindingAggregator::undo(&undo[0], &absent), Undo::Impossible(_)));
}

#[test]
fn order_means_nothing_and_what_is_lost_is_warned_of() {
    let some = there("eu-west-1", "SPECIFIED_REGIONS", &["us-east-1", "eu-central-1"]);
    assert!(diff(&spec("SPECIFIED_REGIONS", &["eu-central-1", "us-east-1"]), &some).is_empty());
    let more = diff(&spec("ALL_REGIONS", &[]), &some).remove(0);
    assert_eq!((more.risk, more.warnings.len()), (Risk::Safe, 0), "{more:#?}");
    let less = diff(&spec("SPECIFIED_REGIONS", &["us-east-1"]), &some).remove(0);
    assert_eq!(less.risk, Risk::Disruptive, "{less:#?}");
    assert!(less.warnings[0].contains("no longer linked"), "{less:#?}");
    let Undo::By(undo) = FindingAggregator::undo(less.action.as_ref().unwrap(), &some) else {
        panic!("linked again")
    };
    let undo = serde_json::to_value(&undo[0]).unwrap().to_string();
    assert!(undo.contains("eu-central-1"), "{undo}");
}

#[test]
fn what_is_at_home_elsewhere_is_a_finding() {
    let elsewhere = there("us-east-1", "ALL_REGIONS", &[]);
    let changes = diff(&spec("ALL_REGIONS", &[]), &elsewhere);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(changes[0].action.is_none());
    assert!(changes[0].withheld.as_ref().unwrap().contains("home_region = \"us-east-1\""));
}

#[test]
fn regions_go_with_the_modes_that_have_some() {
    for (spec, problem) in [
        (spec("ALL_REGIONS", &[]), None),
        (spec("SPECIFIED_REGIONS", &["us-east-1"]), None),
        (spec("ALL_REGIONS", &["us-east-1"]), Some("no Regions go with")),
        (spec("SPECIFIED_REGIONS", &[]), Some("needs the Regions")),
        (spec("ALL_REGIONS_EXCEPT_SPECIFIED", &["eu-west-1"]), Some("is the home Region")),
    ] {
        let problems = FindingAggregator::check(&spec);
        assert_eq!(problems.is_empty(), problem.is_none(), "{problems:?}");
        if let Some(problem) = problem {
            assert!(problems[0].message.contains(problem), "{problems:?}");
        }
    }
}
