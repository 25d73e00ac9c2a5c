#![allow(clippy::unwrap_used, clippy::panic)]

use aws_sdk_config::types::{
    AccountAggregationSource, AggregatedSourceStatus, AggregatedSourceStatusType as Status,
    AggregatorFilterResourceType, AggregatorFilterType, AggregatorFilters,
    OrganizationAggregationSource,
};
use serde_json::json;

use super::health::{Failures, failures};
use super::*;
use crate::kinds::Undo;
use crate::kinds::shapes::part::{Action, State, Step};

fn spec(fields: Value) -> Spec {
    let mut spec = json!({
        "configuration_aggregator_name": "all",
        "account_aggregation_source": { "account_ids": ["111122223333", "999988887777"], "all_aws_regions": true },
    });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn some(regions: &[&str]) -> AccountAggregationSource {
    let source =
        AccountAggregationSource::builder().account_ids("999988887777").account_ids("111122223333");
    let source = match regions {
        [] => source.all_aws_regions(true),
        some => source.set_aws_regions(Some(some.iter().map(|&one| one.to_owned()).collect())),
    };
    source.build().unwrap()
}

fn said(source: AccountAggregationSource) -> ConfigurationAggregator {
    ConfigurationAggregator::builder().account_aggregation_sources(source).build()
}

fn object(now: &Collected, failures: &Failures) -> Object<State<Aggregator>> {
    let place = Place {
        configuration_aggregator_name: "all".to_owned(),
        arn: Some("arn".to_owned()),
        of_organization: Some(now.is_of_organization()),
    };
    let state = State::at(place).with::<collected::Collecting>(now);
    Object::present("all", state.with::<health::Sources>(failures))
}

fn diff(fields: Value, object: &Object<State<Aggregator>>) -> Vec<Change<Action<Aggregator>>> {
    Aggregator::diff(&Facts::example(Aggregator::NAME), &spec(fields), object)
}

fn fields(change: &Change<Action<Aggregator>>) -> Vec<&str> {
    change.drift.iter().map(|one| one.field.as_str()).collect()
}

#[test]
fn one_that_is_not_there_is_made_whole_and_can_be_taken_back() {
    let absent = Object::absent("all");
    let filters = json!({ "resource_types": ["AWS::S3::Bucket"] });
    let changes = diff(json!({ "aggregator_filters": filters, "tags": { "a": "1" } }), &absent);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(
        fields(&changes[0]),
        ["", "account_aggregation_source", "aggregator_filters", "tags"]
    );
    let Undo::By(undo) = Aggregator::undo(changes[0].action.as_ref().unwrap(), &absent) else {
        panic!("it is deleted")
    };
    assert_eq!(Aggregator::calls(&undo[0])[0].operation, "DeleteConfigurationAggregator");
    assert!(matches!(Aggregator::undo(&undo[0], &absent), Undo::Impossible(_)));
    let changes = diff(json!({ "account_aggregation_source": null }), &absent);
    assert!(changes[0].withheld.as_ref().unwrap().contains("declare one"), "{changes:#?}");
}

/// What somebody has set on one that was made is not the making's own.
#[test]
fn what_takes_its_deletion_back_is_its_making_where_nobody_has_changed_it() {
    let absent = Object::absent("all");
    let made = |fields: Value| diff(fields, &absent).remove(0).action.unwrap();
    let collected = |action: &Action<Aggregator>| match &action.step {
        Step::Create(making) => making.collected.clone(),
        Step::Write { .. } => panic!("{action:?}"),
    };
    let ours = made(json!({}));
    let Undo::By(deletes) = Aggregator::undo(&ours, &absent) else { panic!("it is deleted") };
    let again = |now: &Collected| match Aggregator::undo(&deletes[0], &object(now, &vec![])) {
        Undo::By(again) => again[0].clone(),
        Undo::Impossible(reason) => panic!("{reason}"),
    };
    assert!(Aggregator::is_same_write(&ours, &again(&collected(&ours))));
    let filters = json!({ "resource_types": ["AWS::S3::Bucket"] });
    let theirs = collected(&made(json!({ "aggregator_filters": filters })));
    assert!(!Aggregator::is_same_write(&ours, &again(&theirs)));
}

#[test]
fn order_means_nothing_and_what_is_not_declared_stays() {
    let now = Collected::of(&said(some(&[]))).unwrap();
    assert!(diff(json!({}), &object(&now, &vec![])).is_empty());
    let two = json!({ "account_ids": ["999988887777", "111122223333"], "aws_regions": ["us-east-1", "eu-west-1"] });
    let now = Collected::of(&said(some(&["eu-west-1", "us-east-1"]))).unwrap();
    let declared = json!({ "account_aggregation_source": two });
    assert!(diff(declared.clone(), &object(&now, &vec![])).is_empty());
    let all = object(&Collected::of(&said(some(&[]))).unwrap(), &vec![]);
    let change = diff(declared, &all).remove(0);
    assert!(change.warnings[0].contains("no longer collected"), "{change:#?}");
    let Step::Write { write, .. } = &change.action.as_ref().unwrap().step else { panic!() };
    assert_eq!(write["put"]["filters"], json!({}));
    let Undo::By(undo) = Aggregator::undo(change.action.as_ref().unwrap(), &all) else { panic!() };
    let Step::Write { write, .. } = &undo[0].step else { panic!() };
    assert_eq!(write["put"]["accounts"]["all_aws_regions"], json!(true));
}

#[test]
fn only_what_is_lost_is_warned_of() {
    let source = |accounts: Value, regions: Value| json!({ "account_aggregation_source": { "account_ids": accounts, "aws_regions": regions } });
    let both = json!(["111122223333", "999988887777"]);
    let now = object(&Collected::of(&said(some(&["eu-west-1"]))).unwrap(), &vec![]);
    let warned = |fields: Value| !diff(fields, &now)[0].warnings.is_empty();
    assert!(!warned(source(both.clone(), json!(["eu-west-1", "us-east-1"]))));
    assert!(!warned(json!({})), "all Regions have the one");
    assert!(warned(source(json!(["111122223333"]), json!(["eu-west-1"]))));
    assert!(warned(source(both, json!(["us-east-1"]))));
    let filters = json!({ "resource_types": ["AWS::S3::Bucket"] });
    assert!(warned(json!({ "aggregator_filters": filters })));
}

#[test]
fn an_aggregator_of_the_organization_is_another_thing() {
    let source = OrganizationAggregationSource::builder()
        .role_arn("arn:aws:iam::111122223333:role/config")
        .all_aws_regions(true)
        .build()
        .unwrap();
    let said = ConfigurationAggregator::builder().organization_aggregation_source(source).build();
    let now = object(&Collected::of(&said).unwrap(), &vec![]);
    let changes = diff(json!({ "tags": { "a": "1" } }), &now);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(changes[0].action.is_none());
    assert!(changes[0].withheld.as_ref().unwrap().contains("collects from the organization"));
    let source =
        json!({ "role_arn": "arn:aws:iam::111122223333:role/config", "all_aws_regions": true });
    let declared =
        json!({ "account_aggregation_source": null, "organization_aggregation_source": source });
    assert!(diff(declared.clone(), &now).is_empty());
    let accounts = object(&Collected::of(&self::said(some(&[]))).unwrap(), &vec![]);
    assert!(diff(declared, &accounts)[0].withheld.as_ref().unwrap().contains("from accounts"));
}

#[test]
fn what_aws_leaves_open_is_not_guessed() {
    assert!(Collected::of(&ConfigurationAggregator::builder().build()).is_err());
    let none = AccountAggregationSource::builder().account_ids("111122223333").build().unwrap();
    assert!(Collected::of(&said(none)).is_err(), "no Region is known");
    let of_type = |of_type: Option<AggregatorFilterType>, value: Option<&str>| {
        let filter = AggregatorFilterResourceType::builder()
            .set_type(of_type)
            .set_value(value.map(|value| vec![value.to_owned()]))
            .build();
        let filters = AggregatorFilters::builder().resource_type(filter).build();
        let one = ConfigurationAggregator::builder().account_aggregation_sources(some(&[]));
        Collected::of(&one.aggregator_filters(filters).build()).is_ok()
    };
    assert!(of_type(Some(AggregatorFilterType::Include), Some("AWS::S3::Bucket")));
    assert!(!of_type(Some(AggregatorFilterType::from("EXCLUDE")), Some("AWS::S3::Bucket")));
    assert!(!of_type(None, Some("AWS::S3::Bucket")));
    assert!(!of_type(Some(AggregatorFilterType::Include), None));
}

#[test]
fn a_source_that_nothing_comes_from_is_a_finding_that_names_it() {
    let source = |account: &str, region: &str, status: Status| {
        AggregatedSourceStatus::builder()
            .source_id(account)
            .aws_region(region)
            .last_update_status(status)
    };
    let failed = |region: &str| {
        let one = source("999988887777", region, Status::Failed);
        one.last_error_code("AccessDenied").last_error_message("not authorized").build()
    };
    let sources = [
        failed("us-east-1"),
        source("111122223333", "eu-west-1", Status::Succeeded).build(),
        failed("eu-west-1"),
        source("111122223333", "us-east-1", Status::Outdated).build(),
    ];
    let now = Collected::of(&said(some(&[]))).unwrap();
    let changes = diff(json!({}), &object(&now, &failures(&sources).unwrap()));
    assert_eq!(changes.len(), 1);
    assert!(changes[0].action.is_none());
    assert_eq!(
        fields(&changes[0]),
        ["account_aggregation_source.111122223333", "account_aggregation_source.999988887777"]
    );
    let actual = |at: usize| changes[0].drift[at].actual.clone().unwrap();
    assert_eq!(actual(0), json!("OUTDATED in us-east-1"));
    assert_eq!(actual(1), json!("FAILED in eu-west-1, us-east-1: AccessDenied: not authorized"));
    let unsaid = AggregatedSourceStatus::builder().source_id("111122223333").build();
    assert!(failures(&[unsaid]).is_err());
}

#[test]
fn those_of_services_and_of_control_tower_are_theirs() {
    let of = |name: &str, by: Option<&str>| {
        let one = ConfigurationAggregator::builder().set_created_by(by.map(str::to_owned)).build();
        managed(Object::present(name, ()), &one).managed_by
    };
    assert_eq!(of("all", None), None);
    assert_eq!(of("all", Some("x.amazonaws.com")).as_deref(), Some("x.amazonaws.com"));
    let tower = of("aws-controltower-ConfigAggregatorForOrganizations", None);
    assert_eq!(tower.as_deref(), Some("AWS Control Tower"));
}

#[test]
fn what_config_refuses_is_said_before() {
    let role = "arn:aws:iam::111122223333:role/config";
    let both = json!({ "role_arn": role, "all_aws_regions": true });
    let accounts = json!(["111122223333"]);
    let cases = [
        (json!({ "organization_aggregation_source": both }), "not from both"),
        (json!({ "account_aggregation_source": { "account_ids": accounts } }), "which Regions"),
        (
            json!({ "account_aggregation_source": { "account_ids": accounts, "all_aws_regions": true, "aws_regions": ["eu-west-1"] } }),
            "a list of them",
        ),
        (
            json!({ "account_aggregation_source": null, "organization_aggregation_source": { "role_arn": role } }),
            "which Regions",
        ),
    ];
    for (fields, words) in cases {
        let problems = Aggregator::check(&spec(fields));
        assert!(problems.iter().any(|one| one.message.contains(words)), "{words}: {problems:?}");
    }
    assert!(Aggregator::check(&spec(json!({}))).is_empty());
}
