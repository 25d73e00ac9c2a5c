#![allow(clippy::unwrap_used, clippy::panic)]

use aws_sdk_config::primitives::DateTime;
use aws_sdk_config::types::{
    ConformancePackState, ConformancePackStatusDetail, TemplateSsmDocumentDetails,
};
use serde_json::{Value, json};

use super::pack::{Now, Pack};
use super::template::{MARK, Seen, mark, requested};
use super::*;
use crate::kinds::object::Cause;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{Risk, Undo};

const BODY: &str = "Resources: {}\n";

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "conformance_pack_name": "p", "template_body": BODY });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn digest(text: &str) -> String {
    Template::Body(text.to_owned()).digest().unwrap()
}

fn now(fields: Value) -> Now {
    let mut now = json!({
        "template": { "own": { "digest": digest(BODY) } }, "input_parameters": {},
        "delivery_s3_bucket": null, "delivery_s3_key_prefix": null,
    });
    now.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(now).unwrap()
}

fn place(is_of_aws: bool) -> Place {
    Place { conformance_pack_name: "p".to_owned(), arn: Some("arn".to_owned()), is_of_aws }
}

fn object(now: &Now) -> Object<State<ConformancePack>> {
    Object::present("p", State::at(place(false)).with::<Pack>(now))
}

fn diff(fields: Value, now: &Now) -> Vec<Change<Action<ConformancePack>>> {
    ConformancePack::diff(&Facts::example(ConformancePack::NAME), &spec(fields), &object(now))
}

fn making(fields: Value) -> Change<Action<ConformancePack>> {
    let absent = Object::absent("p");
    ConformancePack::diff(&Facts::example(ConformancePack::NAME), &spec(fields), &absent).remove(0)
}

fn said() -> aws_sdk_config::types::builders::ConformancePackDetailBuilder {
    ConformancePackDetail::builder()
        .conformance_pack_name("p")
        .conformance_pack_arn("arn")
        .conformance_pack_id("id")
        .last_update_requested_time(DateTime::from_millis(1_764_000_000_123))
}

fn row(state: &str, reason: Option<&str>, stack: &str) -> ConformancePackStatusDetail {
    ConformancePackStatusDetail::builder()
        .conformance_pack_name("p")
        .conformance_pack_id("id")
        .conformance_pack_arn("arn")
        .stack_arn(stack)
        .conformance_pack_state(ConformancePackState::from(state))
        .set_conformance_pack_status_reason(reason.map(str::to_owned))
        .last_update_requested_time(DateTime::from_secs(1))
        .build()
        .unwrap()
}

#[test]
fn a_pack_is_made_whole_and_stays() {
    let change = making(json!({ "input_parameters": { "a": "1" }, "tags": { "k": "v" } }));
    let fields: Vec<&str> = change.drift.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["", "tags", "template_body", "input_parameters"]);
    assert_eq!(change.drift[2].desired, Some(json!(digest(BODY))), "plans show no long text");
    assert_eq!(change.risk, Risk::Safe);
    assert!(change.warnings.iter().any(|one| one.contains("charges")), "{change:#?}");
    let action = change.action.unwrap();
    assert!(ConformancePack::calls(&action).contains(&tags::TAG), "the mark is a write, too");
    assert!(matches!(ConformancePack::undo(&action, &Object::absent("p")), Undo::Impossible(_)));
    let none = making(json!({ "template_body": null }));
    assert!(none.action.is_none() && none.withheld.unwrap().contains("without a template"));
}

#[test]
fn what_repairs_by_itself_is_said_and_what_nobody_looked_into() {
    let body = "Resources:\n  R:\n    Type: AWS::Config::RemediationConfiguration\n";
    let change = making(json!({ "template_body": body }));
    assert_eq!(change.risk, Risk::Disruptive);
    assert!(change.warnings[0].contains("remediation actions"));
    let uri = json!({ "template_body": null, "template_s3_uri": "s3://b/p.yaml" });
    let change = making(uri);
    assert_eq!(change.risk, Risk::Safe);
    assert!(change.warnings[0].contains("does not look into"), "{change:#?}");
}

#[test]
fn a_template_is_known_by_its_mark_and_by_the_time_of_the_last_put() {
    let time = requested(&said().build().unwrap()).unwrap();
    assert_eq!(time, "2025-11-24T16:00:00.123Z");
    let seen = |mark: &str| {
        let tags = Tags::from([(MARK.to_owned(), mark.to_owned())]);
        Seen::of(&said().build().unwrap(), &tags).unwrap()
    };
    let own = seen(&mark(&digest(BODY), &time));
    assert_eq!(own, Seen::Own { digest: digest(BODY) });
    let later = seen(&mark(&digest(BODY), "2025-11-24T16:00:00.122Z"));
    assert_eq!(later, Seen::Unknown { since: time });
    assert!(matches!(seen("anything"), Seen::Unknown { .. }));
    let without_time = said().set_last_update_requested_time(None).build().unwrap();
    assert!(Seen::of(&without_time, &Tags::new()).is_err());
}

#[test]
fn only_what_evenkeel_put_itself_and_nobody_since_is_in_sync() {
    assert!(diff(json!({}), &now(json!({}))).is_empty());
    let unknown = now(json!({ "template": { "unknown": { "since": "2025" } } }));
    let change = diff(json!({}), &unknown).remove(0);
    assert_eq!(change.risk, Risk::Disruptive);
    assert!(change.warnings[0].contains("nobody can put it back"), "{change:#?}");
    assert!(change.drift[0].actual.as_ref().unwrap().as_str().unwrap().contains("not known"));
    let undo = ConformancePack::undo(change.action.as_ref().unwrap(), &object(&unknown));
    assert!(matches!(undo, Undo::Impossible(reason) if reason.contains("does not tell")));
    let other = diff(json!({ "template_body": "Resources: {A: {}}" }), &now(json!({}))).remove(0);
    assert!(other.drift[0].actual.as_ref().unwrap().as_str().unwrap().contains("another one"));
}

#[test]
fn line_ends_and_the_order_of_json_mean_nothing() {
    assert_eq!(digest("a: 1\r\nb: 2\r\n"), digest("a: 1\nb: 2"));
    assert_eq!(
        digest("{\"a\": 1, \"b\": {\"d\": 1, \"c\": 2}}"),
        digest("{\"b\":{\"c\":2,\"d\":1},\n\"a\":1}")
    );
    assert_ne!(digest("a: 1"), digest("a: 2"));
    assert_ne!(digest("[1, 2]"), digest("[2, 1]"), "lists have an order");
    let uri = Template::S3Uri("s3://b/p".to_owned()).digest().unwrap();
    assert_ne!(Template::Body("s3://b/p".to_owned()).digest().unwrap(), uri);
}

#[test]
fn what_is_not_declared_stays_and_what_was_there_can_be_put_back() {
    let parameters = json!({ "input_parameters": { "a": "1" }, "delivery_s3_bucket": "b" });
    let now = now(parameters);
    let change = diff(json!({ "input_parameters": { "a": "2" } }), &now).remove(0);
    assert_eq!(change.risk, Risk::Safe);
    assert!(change.warnings[0].contains("another measure"), "{change:#?}");
    let Step::Write { write, .. } = &change.action.as_ref().unwrap().step else { panic!() };
    assert_eq!(
        (&write["delivery_s3_bucket"], &write["template"]["body"]),
        (&json!("b"), &json!(BODY))
    );
    let Undo::By(undo) = ConformancePack::undo(change.action.as_ref().unwrap(), &object(&now))
    else {
        panic!("the template is the same")
    };
    let Step::Write { write, .. } = &undo[0].step else { panic!() };
    assert_eq!(write["input_parameters"], json!({ "a": "1" }));
    assert!(diff(json!({ "delivery_s3_key_prefix": "" }), &now).is_empty(), "\"\" is none");
}

#[test]
fn without_its_template_nothing_of_a_pack_is_written() {
    let changes =
        diff(json!({ "template_body": null, "input_parameters": { "a": "2" } }), &now(json!({})));
    assert!(changes[0].action.is_none());
    assert!(changes[0].withheld.as_ref().unwrap().contains("declare that, too"));
}

#[test]
fn a_document_is_compared_by_name_and_by_a_declared_version() {
    let details = TemplateSsmDocumentDetails::builder().document_name("d").document_version("2");
    let pack = said().template_ssm_document_details(details.build().unwrap()).build().unwrap();
    let now = now(json!({ "template": Seen::of(&pack, &Tags::new()).unwrap() }));
    let declared = |document: Value| {
        diff(json!({ "template_body": null, "template_ssm_document": document }), &now)
    };
    assert!(declared(json!({ "name": "d" })).is_empty());
    assert!(declared(json!({ "name": "d", "version": "2" })).is_empty());
    let change = declared(json!({ "name": "d", "version": "3" })).remove(0);
    let undo = ConformancePack::undo(change.action.as_ref().unwrap(), &object(&now));
    assert!(matches!(undo, Undo::By(_)), "AWS tells a document");
    assert_eq!(declared(json!({ "name": "e" })).len(), 1);
    assert_eq!(diff(json!({}), &now).len(), 1, "another sort of template");
}

#[test]
fn packs_of_aws_and_others_do_not_become_each_other() {
    let of_aws = Object::present("p", State::at(place(true)).with::<Pack>(&now(json!({}))));
    let facts = Facts::example(ConformancePack::NAME);
    let changes = ConformancePack::diff(&facts, &spec(json!({ "tags": { "a": "1" } })), &of_aws);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(changes[0].action.is_none());
    assert!(changes[0].withheld.as_ref().unwrap().contains("managed pack"));
    assert!(status::is_of_aws(&row("CREATE_COMPLETE", None, "")));
    assert!(!status::is_of_aws(&row("CREATE_COMPLETE", None, "stack")));
}

#[test]
fn how_far_aws_is_decides_whether_a_pack_is_judged() {
    let cause = |state: &str| {
        status::problem(&row(state, None, "stack")).map_err(|error| error.into_unknown().cause)
    };
    for state in ["CREATE_COMPLETE", "UPDATE_COMPLETE"] {
        assert_eq!(cause(state), Ok(None));
    }
    for state in ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"] {
        assert_eq!(cause(state), Err(Cause::Awaited));
    }
    assert_eq!(cause("DELETE_IN_PROGRESS"), Err(Cause::Unread));
    assert_eq!(cause("SOMETHING_NEW"), Err(Cause::Unread));
    for state in ["CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"] {
        let problem = status::problem(&row(state, Some("the rule x"), "stack")).unwrap();
        assert_eq!(problem, Some(format!("{state}: the rule x")));
    }
}

#[test]
fn a_pack_that_aws_could_not_make_is_put_once_more() {
    let failed = now(json!({ "problem": "CREATE_FAILED: the rule x" }));
    let change = diff(json!({}), &failed).remove(0);
    assert_eq!(change.drift[0].field, "template_body");
    assert_eq!(change.drift[0].actual, Some(json!("CREATE_FAILED: the rule x")));
    assert!(change.action.is_some() && change.warnings[0].contains("once more"), "{change:#?}");
}

#[test]
fn packs_of_services_are_theirs() {
    assert_eq!(owner_of(&said().build().unwrap()), None);
    let of = said().created_by("config-multiaccountsetup.amazonaws.com").build().unwrap();
    assert_eq!(owner_of(&of).as_deref(), Some("config-multiaccountsetup.amazonaws.com"));
}

#[test]
fn what_config_refuses_is_said_before() {
    let uri = "s3://b/p.yaml";
    let many: Tags = (0..61).map(|number| (format!("p{number}"), String::new())).collect();
    let tags: Tags = (0..50).map(|number| (format!("t{number}"), String::new())).collect();
    let cases = [
        (json!({ "template_s3_uri": uri }), "one template"),
        (json!({ "template_body": "x".repeat(51_201) }), "longer"),
        (json!({ "input_parameters": many }), "more than AWS takes"),
        (json!({ "input_parameters": { "x".repeat(256): "" } }), "the name"),
        (json!({ "input_parameters": { "a": "x".repeat(4097) } }), "the value"),
        (json!({ "tags": tags }), "no room"),
    ];
    for (fields, words) in cases {
        let problems = ConformancePack::check(&spec(fields));
        assert!(problems.iter().any(|one| one.message.contains(words)), "{words}: {problems:?}");
    }
    assert!(ConformancePack::check(&spec(json!({}))).is_empty());
}
