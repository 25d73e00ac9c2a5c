use std::collections::BTreeMap;

use aws_sdk_detective::types::MemberStatus;
use serde_json::{Value, json};

use super::enabled::Enabled;
use super::packages::{Ingest, Packages, Sources};
use super::*;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{Risk, Undo, compared};

const ARN: &str = "arn:aws:detective:eu-west-1:111122223333:graph:0123456789abcdef0123456789abcdef";

fn spec(fields: Value) -> Spec {
    let mut all = json!({ "enabled": true });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn there(sources: &[(&str, Ingest)], auto_enable: bool) -> Object<State<Graph>> {
    let sources = sources.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect();
    let state = State::at(Place { graph_arn: Some(ARN.to_owned()) })
        .with::<Enabled>(&())
        .with::<Packages>(&Sources(sources))
        .with::<auto_enable::AutoEnable>(&auto_enable)
        .with::<OwnTags<Graph>>(&BTreeMap::new());
    Object::present("", state)
}

fn diff(spec: &Spec, object: &Object<State<Graph>>) -> Vec<Change<Action<Graph>>> {
    let facts = Facts::example(Graph::NAME);
    compared::during(|| Graph::diff(&facts, spec, object)).0
}

fn operations(changes: &[Change<Action<Graph>>]) -> Vec<&'static str> {
    let actions = changes.iter().filter_map(|one| one.action.as_ref());
    actions.map(|action| Graph::calls(action)[0].operation).collect()
}

#[test]
fn a_graph_is_made_with_what_every_graph_has_and_the_rest_is_added() {
    let absent = Object::absent("");
    let core = spec(json!({ "datasource_packages": ["DETECTIVE_CORE"], "tags": { "team": "a" } }));
    let changes = diff(&core, &absent);
    assert_eq!(operations(&changes), ["CreateGraph"]);
    assert!(changes[0].warnings[0].contains("each gigabyte"), "{:?}", changes[0].warnings);
    assert!(matches!(
        Graph::undo(changes[0].action.as_ref().unwrap(), &absent),
        Undo::Impossible(_)
    ));
    let more = spec(json!({ "datasource_packages": ["EKS_AUDIT"], "auto_enable_members": true }));
    assert_eq!(
        operations(&diff(&more, &absent)),
        ["CreateGraph", "UpdateDatasourcePackages", "UpdateOrganizationConfiguration"]
    );
    assert!(diff(&spec(json!({ "enabled": false })), &absent).is_empty());
}

#[test]
fn sources_are_added_and_never_taken_away() {
    let all = spec(json!({ "datasource_packages": ["DETECTIVE_CORE", "EKS_AUDIT"] }));
    let stopped = there(
        &[
            ("DETECTIVE_CORE", Ingest::Started),
            ("EKS_AUDIT", Ingest::Stopped),
            ("NEW", Ingest::Started),
        ],
        false,
    );
    let changes = diff(&all, &stopped);
    assert_eq!(operations(&changes), ["UpdateDatasourcePackages"]);
    assert_eq!(changes[0].drift[0].field, "datasource_packages.EKS_AUDIT");
    let action = changes[0].action.as_ref().unwrap();
    let Step::Write { write, .. } = &action.step else { panic!("a write of a part") };
    assert_eq!(*write, json!(["EKS_AUDIT"]), "what is there is not sent again");
    assert!(matches!(Graph::undo(action, &stopped), Undo::Impossible(_)));
    let core = spec(json!({ "datasource_packages": ["DETECTIVE_CORE"] }));
    assert!(diff(&core, &stopped).is_empty());
}

#[test]
fn a_graph_goes_only_where_that_is_declared_and_nobody_brings_it_back() {
    let now = there(&[], false);
    let changes = diff(&spec(json!({ "enabled": false })), &now);
    assert_eq!(operations(&changes), ["DeleteGraph"]);
    assert_eq!(changes[0].risk, Risk::Destructive);
    assert!(matches!(Graph::undo(changes[0].action.as_ref().unwrap(), &now), Undo::Impossible(_)));
}

#[test]
fn new_accounts_become_members_or_not_and_back() {
    let wanted = spec(json!({ "auto_enable_members": false }));
    let now = there(&[], true);
    let changes = diff(&wanted, &now);
    assert_eq!(operations(&changes), ["UpdateOrganizationConfiguration"]);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    let action = changes[0].action.as_ref().unwrap();
    let Undo::By(back) = Graph::undo(action, &now) else { panic!("as it was") };
    let Undo::By(again) = Graph::undo(&back[0], &there(&[], false)) else { panic!("once more") };
    assert!(Graph::is_same_write(action, &again[0]));
    assert!(diff(&wanted, &there(&[], false)).is_empty());
}

#[test]
fn export_declares_what_is_known_and_started() {
    let now = there(
        &[
            ("DETECTIVE_CORE", Ingest::Started),
            ("EKS_AUDIT", Ingest::Disabled),
            ("NEW", Ingest::Started),
        ],
        true,
    );
    let spec = Graph::export(&Facts::example(Graph::NAME), &now).unwrap();
    assert!(spec.enabled && spec.auto_enable_members == Some(true));
    assert_eq!(json!(spec.datasource_packages), json!(["DETECTIVE_CORE"]));
    assert!(diff(&spec, &now).is_empty());
}

#[test]
fn only_who_has_accepted_is_a_member_and_words_of_later_are_unknown() {
    for (word, is_member) in [
        ("ENABLED", Some(true)),
        ("ACCEPTED_BUT_DISABLED", Some(true)),
        ("INVITED", Some(false)),
        ("VERIFICATION_IN_PROGRESS", Some(false)),
        ("VERIFICATION_FAILED", Some(false)),
        ("RESTING", None),
    ] {
        let said = invitations::is_member(&MemberStatus::from(word));
        assert_eq!(said.ok(), is_member, "{word}");
    }
}

#[test]
fn what_a_graph_that_is_not_there_has_and_keys_that_detective_refuses_are_said() {
    for (fields, field) in [
        (json!({ "tags": { "team/a=b": "c d" } }), None),
        (json!({ "enabled": false }), None),
        (json!({ "enabled": false, "tags": {} }), Some("tags")),
        (json!({ "enabled": false, "auto_enable_members": true }), Some("auto_enable_members")),
        (json!({ "tags": { "a b": "c" } }), Some("tags.a b")),
    ] {
        let problems = Graph::check(&spec(fields.clone()));
        let first = problems.first().map(|one| one.field.as_str());
        assert_eq!(first, field, "{fields}");
    }
}
