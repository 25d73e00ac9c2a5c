#![allow(clippy::unwrap_used, clippy::panic)]

use super::spec::{KeyState, KeyUsage, Origin, Rotation, Step};
use super::*;
use crate::kinds::{GrantClass, Risk};
use crate::names::{ItemName, Region};

fn facts() -> Facts {
    Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new("eu-west-1"),
        home_region: Region::new("eu-west-1"),
        item: ItemName::singleton(Key::NAME),
    }
}

fn state() -> State {
    State {
        key_id: "1234".to_owned(),
        has_alias: true,
        key_state: KeyState::Enabled,
        deletion_date: None,
        description: String::new(),
        key_spec: KeySpec::SymmetricDefault,
        key_usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        multi_region: false,
        policy: None,
        rotation: Some(Rotation { enabled: false, period_in_days: None }),
        tags: None,
    }
}

fn spec() -> Spec {
    Spec { alias: "alias/audit".to_owned(), ..Spec::default() }
}

fn steps(spec: &Spec, object: &Object<State>) -> Vec<Option<Step>> {
    Key::diff(&facts(), spec, object)
        .into_iter()
        .map(|change| change.action.map(|action| action.step))
        .collect()
}

#[test]
fn a_new_key_gets_its_alias_and_then_the_rest() {
    let spec = Spec { enable_key_rotation: Some(true), enabled: Some(false), ..spec() };
    let steps = steps(&spec, &Object::absent("alias/audit"));
    assert!(matches!(
        steps.as_slice(),
        [
            Some(Step::Create(_)),
            Some(Step::CreateAlias),
            Some(Step::Rotate { .. }),
            Some(Step::Disable)
        ]
    ));
}

#[test]
fn a_key_that_was_left_without_its_alias_is_gone_on_with() {
    let object = Object::present("alias/audit", State { has_alias: false, ..state() });
    assert_eq!(steps(&spec(), &object), [Some(Step::CreateAlias)]);
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert_eq!(steps(&spec(), &Object::present("alias/audit", state())), []);
}

#[test]
fn what_cannot_change_is_a_finding() {
    let spec = Spec { multi_region: Some(true), key_spec: Some(KeySpec::Rsa2048), ..spec() };
    let changes = Key::diff(&facts(), &spec, &Object::present("alias/audit", state()));
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].action, None);
    assert_eq!(changes[0].drift.len(), 2);
    assert!(changes[0].withheld.is_some());
}

#[test]
fn a_scheduled_deletion_is_reported_or_cancelled_as_declared() {
    let pending = State {
        key_state: KeyState::PendingDeletion,
        deletion_date: Some("2026-12-01".to_owned()),
        ..state()
    };
    let object = Object::present("alias/audit", pending);
    let spec = Spec { enabled: Some(true), ..spec() };
    assert_eq!(steps(&spec, &object), [None]);
    let spec = Spec { prevent_destroy: Some(true), ..spec };
    assert_eq!(steps(&spec, &object), [Some(Step::CancelDeletion), Some(Step::Enable)]);
}

#[test]
fn a_disabled_key_is_enabled_before_it_rotates_and_rotates_before_it_is_disabled() {
    let rotate = Spec { enable_key_rotation: Some(true), ..spec() };
    let disabled =
        Object::present("alias/audit", State { key_state: KeyState::Disabled, ..state() });
    let enable = Spec { enabled: Some(true), ..rotate.clone() };
    assert_eq!(
        steps(&enable, &disabled),
        [Some(Step::Enable), Some(Step::Rotate { period_in_days: None })]
    );
    let disable = Spec { enabled: Some(false), ..rotate.clone() };
    assert_eq!(
        steps(&disable, &Object::present("alias/audit", state())),
        [Some(Step::Rotate { period_in_days: None }), Some(Step::Disable)]
    );
    assert_eq!(steps(&rotate, &disabled), [None], "a finding, since nobody enables it");
}

#[test]
fn a_narrower_policy_is_disruptive_and_names_who_loses() {
    let before = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
        {"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"kms:Decrypt","Resource":"*"}]}"#;
    let spec = Spec { key_administrators: Some(Default::default()), ..spec() };
    let object =
        Object::present("alias/audit", State { policy: Some(before.to_owned()), ..state() });
    let changes = Key::diff(&facts(), &spec, &object);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(
        changes[0].warnings,
        ["no longer allowed: kms:Decrypt for 444455556666 (\"Partner\")"]
    );
    let Undo::By(actions) = Key::undo(changes[0].action.as_ref().unwrap(), &object) else {
        panic!("a policy can be put back")
    };
    assert_eq!(actions[0].step, Step::PutPolicy { policy: before.to_owned() });
}

#[test]
fn rules_between_fields() {
    let cases = [
        (Spec { alias: "alias/aws/s3".to_owned(), ..Spec::default() }, "alias"),
        (Spec { rotation_period_in_days: Some(90), ..spec() }, "rotation_period_in_days"),
        (
            Spec { enable_key_rotation: Some(true), key_spec: Some(KeySpec::Rsa2048), ..spec() },
            "enable_key_rotation",
        ),
        (Spec { deletion_window_days: Some(7), ..spec() }, "deletion_window_days"),
        (
            Spec {
                policy: Some(PolicyDocument::of_statements(Vec::new())),
                key_users: Some(Default::default()),
                ..spec()
            },
            "policy",
        ),
    ];
    for (spec, field) in cases {
        let problems = Key::check(&spec);
        assert_eq!(problems.len(), 1, "{spec:?}");
        assert_eq!(problems[0].field, field);
    }
}

#[test]
fn a_key_for_another_account_gives_rights() {
    let users = |account: &str| {
        let spec = Spec {
            key_users: Some([format!("arn:aws:iam::{account}:root")].into()),
            via_services: Some(["s3".to_owned()].into()),
            service_principals: Some(["cloudtrail.amazonaws.com".to_owned()].into()),
            ..spec()
        };
        let changes = Key::diff(&facts(), &spec, &Object::absent("alias/a"));
        changes.into_iter().flat_map(|change| change.grants).collect::<Vec<_>>()
    };
    assert_eq!(users(facts().account.as_str()), []);
    let foreign = users("999999999999");
    assert!(foreign.iter().all(|grant| grant.class == GrantClass::Foreign), "{foreign:?}");
    assert!(foreign.iter().any(|grant| grant.what.contains("account 999999999999")), "{foreign:?}");
}
