#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use super::spec::*;
use super::*;
use crate::kinds::Risk;
use crate::names::{ItemName, Region};

fn facts(region: &str) -> Facts {
    Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new(region),
        home_region: Region::new("us-east-1"),
        item: ItemName::singleton(ConfigRecorder::NAME),
    }
}

fn types(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn recorder() -> Recorder {
    Recorder {
        name: "theirs".to_owned(),
        role_arn: "arn:aws:iam::111122223333:role/config".to_owned(),
        strategy: Strategy::All,
        include_global_resource_types: true,
        resource_types: BTreeSet::new(),
        recording_frequency: Frequency::Continuous,
        recording_overrides: Vec::new(),
    }
}

fn state() -> State {
    State {
        recorder: Some(recorder()),
        recording: true,
        channel: Some(Channel {
            name: "theirs".to_owned(),
            s3_bucket_name: Some("logs".to_owned()),
            ..Channel::default()
        }),
        ..State::default()
    }
}

fn changes(spec: &Spec, state: State) -> Vec<Change<Action>> {
    ConfigRecorder::diff(&facts("us-east-1"), spec, &Object::present("", state))
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(changes(&Spec::default(), state()).is_empty());
    assert!(changes(&Spec::default(), State::default()).is_empty());
}

#[test]
fn everything_is_made_in_the_only_order_that_works() {
    let spec = Spec {
        recording: Some(true),
        s3_bucket_name: Some("logs".to_owned()),
        retention_period_in_days: Some(DEFAULT),
        ..Spec::default()
    };
    let empty = State { has_service_linked_role: Some(false), ..State::default() };
    let actions: Vec<_> =
        changes(&spec, empty).into_iter().map(|change| change.action.unwrap()).collect();
    assert!(
        matches!(
            actions.as_slice(),
            [
                Action::CreateServiceLinkedRole,
                Action::PutRecorder { .. },
                Action::PutChannel { .. },
                Action::Start { .. }
            ]
        ),
        "{actions:?}"
    );
}

const DEFAULT: u32 = super::diff::DEFAULT_RETENTION;

#[test]
fn what_is_there_is_adopted_whatever_its_name_and_settings_that_are_not_declared_stay() {
    let spec = Spec { recording_frequency: Some(Frequency::Daily), ..Spec::default() };
    let changes = changes(&spec, state());
    let recorder = Recorder { recording_frequency: Frequency::Daily, ..recorder() };
    assert_eq!(changes[0].action, Some(Action::PutRecorder { recorder }));
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(changes.len(), 1);
}

#[test]
fn another_name_is_a_finding() {
    let spec = Spec { recorder_name: Some("ours".to_owned()), ..Spec::default() };
    let changes = changes(&spec, state());
    assert_eq!(changes[0].action, None);
    assert_eq!(changes.len(), 1);
}

#[test]
fn global_types_are_recorded_in_the_home_region_alone() {
    let spec = Spec { include_global_resource_types: Some(true), ..Spec::default() };
    assert!(changes(&spec, state()).is_empty());
    let elsewhere = ConfigRecorder::diff(&facts("eu-west-1"), &spec, &Object::present("", state()));
    let Some(Action::PutRecorder { recorder }) = &elsewhere[0].action else { panic!("no change") };
    assert!(!recorder.include_global_resource_types);
}

#[test]
fn dangers() {
    let inclusion = |names: &[&str]| Spec {
        strategy: Some(Strategy::Inclusion),
        resource_types: Some(types(names)),
        ..Spec::default()
    };
    let cases = [
        (Spec { recording: Some(false), ..Spec::default() }, Risk::Destructive),
        (Spec { retention_period_in_days: Some(30), ..Spec::default() }, Risk::Destructive),
        (Spec { s3_bucket_name: Some("other".to_owned()), ..Spec::default() }, Risk::Disruptive),
        (inclusion(&["AWS::EC2::Instance"]), Risk::Disruptive),
        (Spec { sns_topic_arn: Some("arn:topic".to_owned()), ..Spec::default() }, Risk::Safe),
    ];
    for (spec, risk) in cases {
        let changes = changes(&spec, state());
        assert_eq!(changes.len(), 1, "{spec:?}");
        assert_eq!(changes[0].risk, risk, "{spec:?}");
    }
    let few = State {
        recorder: Some(Recorder {
            strategy: Strategy::Inclusion,
            resource_types: types(&["A"]),
            ..recorder()
        }),
        ..state()
    };
    assert_eq!(changes(&inclusion(&["A", "B"]), few)[0].risk, Risk::Safe, "more is recorded");
}

#[test]
fn a_recorder_without_a_place_to_deliver_to_is_not_started() {
    let spec = Spec { recording: Some(true), ..Spec::default() };
    let last = changes(&spec, State::default()).pop().unwrap();
    assert_eq!(last.action, None);
    assert!(last.withheld.unwrap().contains("s3_bucket_name"));
}

#[test]
fn a_recorder_that_cannot_deliver_is_a_finding() {
    let failed = State { failure: Some("AccessDenied: no".to_owned()), ..state() };
    let changes = changes(&Spec::default(), failed);
    assert_eq!(changes[0].action, None);
}

#[test]
fn undo_restores_or_deletes() {
    let object = Object::present("", state());
    let put = Action::PutRecorder {
        recorder: Recorder { recording_frequency: Frequency::Daily, ..recorder() },
    };
    assert_eq!(
        ConfigRecorder::undo(&put, &object),
        Undo::By(vec![Action::PutRecorder { recorder: recorder() }])
    );
    assert_eq!(
        ConfigRecorder::undo(&put, &Object::present("", State::default())),
        Undo::By(vec![Action::DeleteRecorder { name: "theirs".to_owned() }])
    );
}

#[test]
fn rules_between_fields() {
    let cases = [
        (Spec { resource_types: Some(types(&["A"])), ..Spec::default() }, "resource_types"),
        (Spec { strategy: Some(Strategy::Inclusion), ..Spec::default() }, "strategy"),
        (
            Spec {
                strategy: Some(Strategy::Exclusion),
                resource_types: Some(types(&["A"])),
                include_global_resource_types: Some(true),
                ..Spec::default()
            },
            "include_global_resource_types",
        ),
    ];
    for (spec, field) in cases {
        let problems = ConfigRecorder::check(&spec);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].field, field);
    }
}
