#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use super::selectors::{EventSelector, ReadWriteType};
use super::spec::{Settings, Step};
use super::*;
use crate::kinds::Risk;
use crate::names::{ItemName, Region};

fn facts() -> Facts {
    Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new("eu-west-1"),
        home_region: Region::new("eu-west-1"),
        item: ItemName::singleton(Trail::NAME),
    }
}

fn spec() -> Spec {
    Spec { name: "audit".to_owned(), ..Spec::default() }
}

fn state() -> State {
    State {
        arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit".to_owned(),
        settings: Settings {
            s3_bucket_name: Some("logs".to_owned()),
            is_multi_region_trail: Some(true),
            enable_log_file_validation: Some(true),
            kms_key_id: Some("arn:aws:kms:eu-west-1:111122223333:key/1".to_owned()),
            cloud_watch_logs_log_group_arn: Some("arn:group:*".to_owned()),
            cloud_watch_logs_role_arn: Some("arn:role".to_owned()),
            sns_topic_name: Some("arn:aws:sns:eu-west-1:111122223333:trail".to_owned()),
            ..Settings::default()
        },
        is_logging: true,
        delivery_error: None,
        selectors: Some(Selectors::default_selector()),
        insight_selectors: None,
        event_aggregation: None,
        tags: None,
        declared_key_arn: None,
    }
}

fn changes(spec: &Spec, state: State) -> Vec<Change<Action>> {
    Trail::diff(&facts(), spec, &Object::present("audit", state))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(changes(&spec(), state()).is_empty());
}

#[test]
fn a_new_trail_is_started_last() {
    let spec = Spec {
        s3_bucket_name: some("logs"),
        is_logging: Some(true),
        insight_selectors: Some(BTreeSet::new()),
        event_selectors: Some(BTreeSet::new()),
        ..spec()
    };
    let changes = Trail::diff(&facts(), &spec, &Object::absent("audit"));
    let steps: Vec<_> =
        changes.iter().map(|change| &change.action.as_ref().unwrap().step).collect();
    assert!(matches!(steps.as_slice(), [Step::Create { .. }, Step::StartLogging]), "{steps:?}");
}

#[test]
fn other_spellings_of_the_same_are_no_drift() {
    let same = Spec {
        kms_key_id: some("alias/audit"),
        cloud_watch_logs_log_group_arn: some("arn:group"),
        cloud_watch_logs_role_arn: some("arn:role"),
        sns_topic_name: some("trail"),
        s3_key_prefix: some(""),
        event_selectors: Some(BTreeSet::new()),
        ..spec()
    };
    let now = State { declared_key_arn: state().settings.kms_key_id, ..state() };
    assert!(changes(&same, now).is_empty());
}

#[test]
fn only_what_differs_is_sent_and_undone() {
    let spec = Spec { kms_key_id: some(""), is_multi_region_trail: Some(true), ..spec() };
    let object = Object::present("audit", state());
    let changes = Trail::diff(&facts(), &spec, &object);
    let action = changes[0].action.as_ref().unwrap();
    let sent = Settings { kms_key_id: some(""), ..Settings::default() };
    assert_eq!(action.step, Step::Update { settings: sent });
    let Undo::By(undo) = Trail::undo(action, &object) else { panic!("no undo") };
    let back = Settings { kms_key_id: state().settings.kms_key_id, ..Settings::default() };
    assert_eq!(undo[0].step, Step::Update { settings: back });
}

#[test]
fn dangers() {
    let narrow = EventSelector {
        read_write_type: ReadWriteType::WriteOnly,
        include_management_events: true,
        data_resources: BTreeSet::new(),
        exclude_management_event_sources: BTreeSet::new(),
    };
    let cases = [
        (Spec { is_logging: Some(false), ..spec() }, Risk::Destructive),
        (Spec { is_multi_region_trail: Some(false), ..spec() }, Risk::Destructive),
        (Spec { s3_bucket_name: some("other"), ..spec() }, Risk::Disruptive),
        (Spec { kms_key_id: some(""), ..spec() }, Risk::Disruptive),
        (Spec { enable_log_file_validation: Some(false), ..spec() }, Risk::Disruptive),
        (Spec { event_selectors: Some(BTreeSet::from([narrow])), ..spec() }, Risk::Disruptive),
        (
            Spec { insight_selectors: Some(BTreeSet::new()), s3_key_prefix: some("x"), ..spec() },
            Risk::Disruptive,
        ),
    ];
    for (spec, risk) in cases {
        let changes = changes(&spec, state());
        assert_eq!(changes.len(), 1, "{spec:?}");
        assert_eq!(changes[0].risk, risk, "{spec:?}");
    }
}

#[test]
fn an_organization_trail_satisfies_the_item() {
    let of_organization =
        State { arn: "arn:aws:cloudtrail:us-east-1:999999999999:trail/org".to_owned(), ..state() };
    let spec = Spec {
        s3_bucket_name: some("mine"),
        is_logging: Some(true),
        enable_log_file_validation: Some(true),
        ..spec()
    };
    assert!(changes(&spec, of_organization.clone()).is_empty());
    let stopped = State { is_logging: false, ..of_organization };
    let changes = changes(&spec, stopped);
    assert_eq!(changes[0].action, None);
    assert_eq!(changes[0].drift[0].field, "is_logging");
}

#[test]
fn a_trail_that_cannot_deliver_is_a_finding() {
    let changes = changes(&spec(), State { delivery_error: some("AccessDenied"), ..state() });
    assert_eq!(changes[0].action, None);
    assert!(changes[0].drift[0].actual.as_ref().unwrap().to_string().contains("AccessDenied"));
}

#[test]
fn sources_that_are_left_out_are_a_finding() {
    let mut selectors = BTreeSet::new();
    selectors.insert(EventSelector {
        read_write_type: ReadWriteType::All,
        include_management_events: true,
        data_resources: BTreeSet::new(),
        exclude_management_event_sources: BTreeSet::from(["kms.amazonaws.com".to_owned()]),
    });
    let spec = Spec { forbid_excluded_sources: Some(true), ..spec() };
    let now = State { selectors: Some(Selectors::Basic(selectors.clone())), ..state() };
    assert_eq!(changes(&spec, now)[0].drift[0].field, "forbid_excluded_sources");
    let declared = Spec { event_selectors: Some(selectors), ..spec };
    assert_eq!(Trail::check(&declared)[0].field, "forbid_excluded_sources");
}

#[test]
fn a_trail_in_another_region_is_governed_there() {
    let spec = Spec { home_region: some("us-east-1"), is_logging: Some(false), ..spec() };
    let changes = changes(&spec, state());
    assert_eq!(changes[0].action, None);
    assert_eq!(changes[1].action.as_ref().unwrap().region, "eu-west-1");
}
