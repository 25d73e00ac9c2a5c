use std::collections::BTreeMap;

use aws_sdk_route53resolver::types::{
    ResolverQueryLogConfig as Said, ResolverQueryLogConfigAssociation as Association,
    ResolverQueryLogConfigAssociationError as Fault,
    ResolverQueryLogConfigAssociationStatus as AssociationStatus,
    ResolverQueryLogConfigStatus as ConfigStatus,
};
use serde_json::{Value, json};

use super::observe::{associated, named, problem_of_config};
use super::spec::{Associated, Config, Making, Standing};
use super::*;
use crate::kinds::{Change, Facts, GrantClass, Risk, compared};

const BUCKET: &str = "arn:aws:s3:::dns";

fn spec(fields: Value) -> Spec {
    let mut all = json!({ "name": "dns", "destination_arn": BUCKET });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn config(associated: &[&str]) -> Config {
    Config {
        config_id: "rslvr-qlc-1".to_owned(),
        destination_arn: BUCKET.to_owned(),
        problem: None,
        associated: associated
            .iter()
            .map(|vpc| ((*vpc).to_owned(), Associated::default()))
            .collect(),
        tags: BTreeMap::new(),
    }
}

fn there(config: Option<Config>) -> Object<State> {
    let standing = [
        ("vpc-1", Standing::Own),
        ("vpc-2", Standing::Own),
        ("vpc-3", Standing::LeftOut),
        ("vpc-4", Standing::Shared),
    ];
    let vpcs = standing.map(|(vpc, standing)| (vpc.to_owned(), standing));
    Object::present("dns", State { config, vpcs: Some(vpcs.into()) })
}

fn diff(spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    let facts = Facts::example(QueryLogConfig::NAME);
    compared::during(|| QueryLogConfig::diff(&facts, spec, object)).0
}

/// What the changes do, in a word or two each.
fn steps(spec: &Spec, object: &Object<State>) -> Vec<String> {
    let step = |change: Change<Action>| match change.action.map(|action| action.step) {
        Some(Step::Create(_)) => "create".to_owned(),
        Some(Step::Delete) => "delete".to_owned(),
        Some(Step::Associate { vpc_id }) => format!("+{vpc_id}"),
        Some(Step::Disassociate { vpc_id }) => format!("-{vpc_id}"),
        Some(Step::Tag(_)) => "tag".to_owned(),
        Some(Step::Untag(_)) => "untag".to_owned(),
        None => format!("finding on {}", change.drift[0].field),
    };
    diff(spec, object).into_iter().map(step).collect()
}

#[test]
fn every_vpc_of_the_account_is_associated_but_those_that_are_left_out() {
    let all = spec(json!({ "vpcs": ["*"], "tags": { "team": "a" } }));
    assert_eq!(steps(&all, &there(None)), ["create", "+vpc-1", "+vpc-2"]);
    assert_eq!(steps(&all, &there(Some(config(&["vpc-1"])))), ["tag", "+vpc-2"]);
    // What is left out, shared or gone stays as it is.
    let more = config(&["vpc-1", "vpc-2", "vpc-3", "vpc-4", "vpc-9"]);
    assert_eq!(steps(&spec(json!({ "vpcs": ["*"] })), &there(Some(more))), Vec::<String>::new());
    assert_eq!(steps(&spec(json!({})), &there(Some(config(&[])))), Vec::<String>::new());
}

#[test]
fn vpcs_by_their_ids_are_all_and_others_are_taken_out() {
    let one = spec(json!({ "vpcs": ["vpc-1"] }));
    let more = there(Some(config(&["vpc-2", "vpc-4", "vpc-9"])));
    assert_eq!(steps(&one, &more), ["+vpc-1", "-vpc-2"]);
    let changes = diff(&one, &more);
    assert_eq!(changes[1].risk, Risk::Disruptive);
    let gone = spec(json!({ "vpcs": ["vpc-8"] }));
    assert_eq!(steps(&gone, &there(Some(config(&[])))), ["finding on vpcs.vpc-8"]);
    assert_eq!(steps(&spec(json!({ "vpcs": [] })), &there(Some(config(&["vpc-1"])))), ["-vpc-1"]);
}

#[test]
fn what_cannot_be_changed_and_what_does_not_arrive_are_reported() {
    let elsewhere = Config { destination_arn: "arn:aws:s3:::nowhere".to_owned(), ..config(&[]) };
    // Nor are more queries sent there.
    let all = spec(json!({ "vpcs": ["*"], "tags": { "team": "a" } }));
    assert_eq!(steps(&all, &there(Some(elsewhere))), ["finding on destination_arn"]);
    let mut blind = config(&["vpc-1"]);
    blind.associated.insert(
        "vpc-2".to_owned(),
        Associated { problem: Some("ACTION_NEEDED, ACCESS_DENIED".to_owned()) },
    );
    let changes = diff(&spec(json!({ "vpcs": ["*"] })), &there(Some(blind)));
    assert_eq!(changes.len(), 1);
    let withheld = changes[0].withheld.as_deref().unwrap();
    assert!(withheld.contains("vpc-2: ACTION_NEEDED, ACCESS_DENIED"), "{withheld}");
    let failed = Config { problem: Some("FAILED".to_owned()), ..config(&[]) };
    assert_eq!(steps(&spec(json!({})), &there(Some(failed))), ["finding on destination_arn"]);
    // AWS may write the ARN of a log group with more behind it.
    let group = "arn:aws:logs:eu-west-1:111122223333:log-group:dns";
    let there = there(Some(Config { destination_arn: group.to_owned(), ..config(&[]) }));
    let declared = spec(json!({ "destination_arn": format!("{group}:*") }));
    assert_eq!(steps(&declared, &there), Vec::<String>::new());
}

#[test]
fn queries_that_go_to_another_account_are_a_rise() {
    let foreign = "arn:aws:logs:eu-west-1:999988887777:log-group:dns";
    let changes = diff(&spec(json!({ "destination_arn": foreign, "vpcs": ["*"] })), &there(None));
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|one| one.grants[0].class == GrantClass::Foreign));
}

#[test]
fn what_a_run_made_is_made_again_by_the_same_writes_and_nothing_else_is() {
    let declared = spec(json!({ "vpcs": ["*"], "tags": { "team": "a" } }));
    let absent = there(None);
    let run: Vec<Action> =
        diff(&declared, &absent).into_iter().filter_map(|one| one.action).collect();
    let back = |action: &Action, now: &Object<State>| match QueryLogConfig::undo(action, now) {
        Undo::By(writes) => writes,
        Undo::Impossible(reason) => panic!("{reason}"),
    };
    let delete = back(&run[0], &absent).remove(0);
    assert_eq!(delete.step, Step::Delete);
    let mut made = config(&["vpc-1", "vpc-2"]);
    made.tags = declared.tags.clone().unwrap();
    let again = back(&delete, &there(Some(made.clone())));
    assert_eq!(again.len(), 3);
    let is_own = |again: &Action| run.iter().any(|one| QueryLogConfig::is_same_write(one, again));
    assert!(again.iter().all(is_own));
    // What somebody has put there since is not the run's.
    made.associated.insert("vpc-9".to_owned(), Associated::default());
    assert!(!back(&delete, &there(Some(made.clone()))).iter().all(is_own));
    made.associated.remove("vpc-9");
    made.tags.insert("owner".to_owned(), "b".to_owned());
    assert!(!back(&delete, &there(Some(made))).iter().all(is_own));
    assert!(matches!(QueryLogConfig::undo(&delete, &absent), Undo::Impossible(_)));
    // A VPC that is out again already needs no write.
    let out = back(&run[1], &absent).remove(0);
    assert_eq!(out.step, Step::Disassociate { vpc_id: "vpc-1".to_owned() });
    assert_eq!(back(&out, &there(Some(config(&[])))), Vec::new());
    assert_eq!(back(&out, &there(Some(config(&["vpc-1"])))), [run[1].clone()]);
}

#[test]
fn tags_are_put_back_as_they_were() {
    let mut before = config(&[]);
    before.tags = [("team".to_owned(), "a".to_owned())].into();
    let before = there(Some(before));
    let changes = diff(&spec(json!({ "tags": { "owner": "b" } })), &before);
    let undone =
        changes.iter().map(|one| QueryLogConfig::undo(one.action.as_ref().unwrap(), &before));
    let undone: Vec<Step> = undone
        .flat_map(|undo| match undo {
            Undo::By(writes) => writes,
            Undo::Impossible(reason) => panic!("{reason}"),
        })
        .map(|action| action.step)
        .collect();
    let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    assert_eq!(undone, [Step::Untag(one("owner", "b")), Step::Tag(one("team", "a"))]);
}

#[test]
fn a_write_on_another_configuration_is_another_write() {
    let act = |id: Option<&str>, vpc: &str| Action {
        name: "dns".to_owned(),
        config_id: id.map(str::to_owned),
        step: Step::Associate { vpc_id: vpc.to_owned() },
    };
    assert!(QueryLogConfig::is_same_write(&act(None, "vpc-1"), &act(Some("a"), "vpc-1")));
    assert!(!QueryLogConfig::is_same_write(&act(Some("b"), "vpc-1"), &act(Some("a"), "vpc-1")));
    assert!(!QueryLogConfig::is_same_write(&act(Some("a"), "vpc-2"), &act(Some("a"), "vpc-1")));
    let make = |arn: &str| Action {
        name: "dns".to_owned(),
        config_id: None,
        step: Step::Create(Making { destination_arn: arn.to_owned(), tags: BTreeMap::new() }),
    };
    let same = |one: &str, other: &str| QueryLogConfig::is_same_write(&make(one), &make(other));
    assert!(same("arn:aws:s3:::dns/", BUCKET) && !same("arn:aws:s3:::other", BUCKET));
}

#[test]
fn a_name_stands_for_one_configuration_the_own_one_first() {
    let facts = Facts::example(QueryLogConfig::NAME);
    let one = |id: &str, owner: &str| Said::builder().id(id).name("dns").owner_id(owner).build();
    let id = |all: &[Said]| {
        named(all, &facts, "dns").unwrap().and_then(|one| one.id().map(str::to_owned))
    };
    let (own, other) = ("111122223333", "444455556666");
    assert_eq!(id(&[]), None);
    assert_eq!(id(&[one("a", own), one("a", own)]).as_deref(), Some("a"));
    assert_eq!(id(&[one("a", other)]).as_deref(), Some("a"));
    assert_eq!(id(&[one("a", other), one("b", own)]).as_deref(), Some("b"));
    let error = named(&[one("a", own), one("b", own)], &facts, "dns").unwrap_err();
    assert!(error.to_string().starts_with("2 query logging configurations"), "{error}");
    assert!(named(&[Said::builder().id("a").build()], &facts, "dns").is_err());
}

#[test]
fn what_aws_is_still_doing_and_words_of_later_are_unknown() {
    let config = |status: &str| Said::builder().status(ConfigStatus::from(status)).build();
    assert_eq!(problem_of_config(&config("CREATED")).unwrap(), None);
    assert!(problem_of_config(&config("FAILED")).unwrap().is_some());
    for status in ["CREATING", "DELETING", "RESTING"] {
        assert!(problem_of_config(&config(status)).is_err(), "{status}");
    }
    assert!(problem_of_config(&Said::builder().build()).is_err());
    let problem = |status: &str, fault: &str| {
        let one = Association::builder()
            .resolver_query_log_config_id("a")
            .resource_id("vpc-1")
            .status(AssociationStatus::from(status))
            .error(Fault::from(fault))
            .error_message("no such bucket")
            .build();
        associated(&[one], "a").map(|mut all| all.remove("vpc-1").unwrap().problem)
    };
    assert_eq!(problem("ACTIVE", "NONE").unwrap(), None);
    assert_eq!(
        problem("ACTION_NEEDED", "DESTINATION_NOT_FOUND").unwrap().unwrap(),
        "ACTION_NEEDED, DESTINATION_NOT_FOUND, no such bucket"
    );
    assert!(problem("FAILED", "NONE").unwrap().is_some());
    assert!(problem("ACTIVE", "ACCESS_DENIED").unwrap().is_some());
    for (status, fault) in
        [("CREATING", "NONE"), ("DELETING", "NONE"), ("RESTING", "NONE"), ("ACTIVE", "BORED")]
    {
        assert!(problem(status, fault).is_err(), "{status} {fault}");
    }
}

#[test]
fn what_resolver_would_refuse_is_said_before() {
    for (fields, field) in [
        (json!({ "vpcs": ["*"], "exclude": [{ "vpc_ids": ["vpc-0abc"] }] }), None),
        (json!({ "vpcs": ["vpc-0abc"] }), None),
        (json!({ "name": "123" }), Some("name")),
        (
            json!({ "destination_arn": "arn:aws:sqs:eu-west-1:111122223333:a" }),
            Some("destination_arn"),
        ),
        (json!({ "vpcs": ["*", "vpc-0abc"] }), Some("vpcs")),
        (json!({ "vpcs": ["subnet-1"] }), Some("vpcs")),
        (
            json!({ "vpcs": ["vpc-0abc"], "exclude": [{ "vpc_ids": ["vpc-0abc"] }] }),
            Some("exclude"),
        ),
        (json!({ "vpcs": ["*"], "exclude": [{ "vpc_ids": ["vpc"] }] }), Some("exclude[0].vpc_ids")),
        (json!({ "tags": { "aws:a": "b" } }), Some("tags")),
    ] {
        let problems = QueryLogConfig::check(&spec(fields.clone()));
        let first = problems.first().map(|one| one.field.as_str());
        assert_eq!(first.map(|path| path.split(".aws").next().unwrap()), field, "{fields}");
    }
}

#[test]
fn a_stream_needs_the_permissions_of_its_delivery() {
    let arns = Arns::of("aws", "111122223333");
    let stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/dns";
    let to_stream = spec(json!({ "destination_arn": stream }));
    assert!(makes_roles(&to_stream) && to_a_stream(&to_stream));
    assert_eq!(roles(&to_stream, &arns).len(), 2);
    assert_eq!(super::stream(&to_stream, &arns)[0].resources, [stream.to_owned()].into());
    let to_bucket = spec(json!({ "vpcs": ["*"] }));
    assert_eq!(roles(&to_bucket, &arns).len(), 1);
    assert!(!makes_roles(&spec(json!({ "vpcs": [] }))));
}
