#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use super::lifecycle::{Expiration, Lifecycle, Rule};
use super::spec::*;
use super::*;
use crate::kinds::Risk;
use crate::names::{ItemName, Region};

fn facts() -> Facts {
    Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new("us-east-1"),
        home_region: Region::new("us-east-1"),
        item: ItemName::singleton(Bucket::NAME),
    }
}

fn spec() -> Spec {
    Spec { bucket: "audit".to_owned(), ..Spec::default() }
}

fn state() -> State {
    State { region: "us-east-1".to_owned(), ..State::default() }
}

fn changes(spec: &Spec, state: State) -> Vec<Change<Action>> {
    Bucket::diff(&facts(), spec, &Object::present("audit", state))
}

fn expire(days: i32) -> Rule {
    Rule {
        expiration: Some(Expiration { days: Some(days), ..Expiration::default() }),
        ..Rule::default()
    }
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(changes(&spec(), state()).is_empty());
}

#[test]
fn a_new_bucket_is_made_first_and_hurts_nobody() {
    let spec = Spec {
        require_tls: Some(true),
        versioning: Some(Versioning::Enabled),
        lifecycle: Some(vec![expire(1)]),
        ..spec()
    };
    let changes = Bucket::diff(&facts(), &spec, &Object::absent("audit"));
    let steps: Vec<_> =
        changes.iter().map(|change| &change.action.as_ref().unwrap().step).collect();
    assert!(matches!(
        steps.as_slice(),
        [
            Step::Create { object_lock: false },
            Step::PutVersioning(_),
            Step::PutPolicy(Some(_)),
            Step::PutLifecycle(_)
        ]
    ));
    assert!(changes.iter().all(|change| change.risk == Risk::Safe));
}

#[test]
fn statements_of_others_stay_in_the_policy() {
    let theirs = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::audit/*"}]}"#;
    let spec = Spec { require_tls: Some(true), ..spec() };
    let changes = changes(&spec, State { policy: Some(theirs.to_owned()), ..state() });
    let Some(Action { step: Step::PutPolicy(Some(policy)), .. }) = &changes[0].action else {
        panic!("no policy")
    };
    let document = PolicyDocument::from_text(policy).unwrap();
    assert_eq!(document.statements().len(), 2);
    assert!(policy.contains("Theirs") && policy.contains("DenyInsecureTransport"));
    assert_eq!(changes[0].risk, Risk::Disruptive, "who comes without TLS is cut off");
    let after = State { policy: Some(policy.clone()), ..state() };
    assert!(self::changes(&spec, after).is_empty());
}

#[test]
fn shortening_how_long_things_are_kept_is_destructive() {
    let kept = |days| {
        Some(Lifecycle { rules: vec![expire(days)], transition_default_minimum_object_size: None })
    };
    let spec = Spec { lifecycle: Some(vec![expire(30)]), ..spec() };
    let now = State { lifecycle: kept(365), ..state() };
    assert_eq!(changes(&spec, now)[0].risk, Risk::Destructive);
    let now = State { lifecycle: kept(30), ..state() };
    assert!(changes(&spec, now).is_empty());
}

#[test]
fn an_object_lock_is_for_ever() {
    let spec = Spec {
        object_lock_mode: Some(ObjectLockMode::Governance),
        object_lock_days: Some(1),
        ..spec()
    };
    let object = Object::present("audit", state());
    let changes = Bucket::diff(&facts(), &spec, &object);
    assert_eq!(changes[0].risk, Risk::Destructive);
    let undo = Bucket::undo(changes[0].action.as_ref().unwrap(), &object);
    assert!(matches!(undo, Undo::Impossible(_)));
    let held = ObjectLock { has_event_hold: true, ..ObjectLock::default() };
    let changes = self::changes(&spec, State { object_lock: Some(held), ..state() });
    assert_eq!(changes[0].action, None, "a hold would be lost");
}

#[test]
fn a_write_of_tags_carries_those_of_aws() {
    let tag = |key: &str| BTreeMap::from([(key.to_owned(), "x".to_owned())]);
    let spec = Spec { tags: Some(tag("team")), ..spec() };
    let now = State { tags: tag("old"), system_tags: tag("aws:stack"), ..state() };
    let changes = changes(&spec, now);
    let Some(Action { step: Step::PutTags(tags), .. }) = &changes[0].action else {
        panic!("no tags")
    };
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["aws:stack", "team"]);
    assert_eq!(changes[0].risk, Risk::Disruptive, "a tag goes");
}

#[test]
fn encryption_settings_that_are_not_declared_stay() {
    let now = Encryption {
        sse_algorithm: SseAlgorithm::Kms,
        kms_master_key_id: Some("arn:key".to_owned()),
        bucket_key_enabled: false,
        blocked_encryption_types: BTreeSet::from([EncryptionType::SseC]),
    };
    let spec = Spec { bucket_key_enabled: Some(true), ..spec() };
    let changes = changes(&spec, State { encryption: Some(now.clone()), ..state() });
    let desired = Encryption { bucket_key_enabled: true, ..now };
    assert_eq!(changes[0].action.as_ref().unwrap().step, Step::PutEncryption(Some(desired)));
    assert_eq!(changes[0].drift.len(), 1);
}

#[test]
fn never_versioned_is_as_good_as_suspended() {
    let spec = Spec { versioning: Some(Versioning::Suspended), ..spec() };
    assert!(changes(&spec, state()).is_empty());
    let now = State { versioning: Some(Versioning::Enabled), ..state() };
    assert_eq!(changes(&spec, now)[0].risk, Risk::Disruptive);
}

#[test]
fn rules_between_fields() {
    let cases = [
        (Spec { prevent_destroy: Some(false), ..spec() }, "prevent_destroy"),
        (Spec { kms_master_key_id: Some("k".to_owned()), ..spec() }, "kms_master_key_id"),
        (
            Spec {
                bucket_key_enabled: Some(true),
                sse_algorithm: Some(SseAlgorithm::Aes256),
                ..spec()
            },
            "bucket_key_enabled",
        ),
        (
            Spec {
                services: Some(BTreeSet::from([Service::Elb])),
                sse_algorithm: Some(SseAlgorithm::Kms),
                ..spec()
            },
            "sse_algorithm",
        ),
        (Spec { object_lock_mode: Some(ObjectLockMode::Governance), ..spec() }, "object_lock_mode"),
        (Spec { object_lock_years: Some(1), ..spec() }, "object_lock_years"),
        (Spec { access_log_prefix: Some("x".to_owned()), ..spec() }, "access_log_prefix"),
        (Spec { organization_id: Some("o-a1b2c3d4e5".to_owned()), ..spec() }, "organization_id"),
        (Spec { lifecycle: Some(vec![Rule::default()]), ..spec() }, "lifecycle[0]"),
        (
            Spec { extra_policy_statements: Some(vec![BTreeMap::new()]), ..spec() },
            "extra_policy_statements",
        ),
    ];
    for (spec, field) in cases {
        let problems = Bucket::check(&spec);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].field, field);
    }
}
