#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use super::spec::Step;
use super::*;
use crate::kinds::{GrantClass, Risk};
use crate::names::{ItemName, Region};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}"#;

fn facts() -> Facts {
    Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new("us-east-1"),
        home_region: Region::new("us-east-1"),
        item: ItemName::singleton(Role::NAME),
    }
}

fn spec() -> Spec {
    Spec { role_name: "audit".to_owned(), ..Spec::default() }
}

fn state() -> State {
    State {
        path: "/".to_owned(),
        description: "old".to_owned(),
        max_session_duration: 7200,
        assume_role_policy: TRUST.to_owned(),
        permissions_boundary: None,
        managed_policy_arns: Some(BTreeSet::from(["arn:old".to_owned()])),
        inline_policies: Some(BTreeMap::new()),
        tags: BTreeMap::new(),
    }
}

fn changes(spec: &Spec, state: State) -> Vec<Change<Action>> {
    Role::diff(&facts(), spec, &Object::present("audit", state))
}

fn steps(changes: &[Change<Action>]) -> Vec<Step> {
    changes.iter().filter_map(|change| Some(change.action.clone()?.step)).collect()
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(changes(&spec(), state()).is_empty());
}

#[test]
fn a_role_that_is_not_there_and_has_no_trust_policy_is_a_finding() {
    let changes = Role::diff(&facts(), &spec(), &Object::absent("audit"));
    assert_eq!(changes[0].action, None);
    assert!(changes[0].withheld.as_deref().unwrap().contains("assume_role_policy"));
}

#[test]
fn description_and_duration_are_always_written_together() {
    let spec = Spec { description: Some("new".to_owned()), ..spec() };
    assert_eq!(
        steps(&changes(&spec, state())),
        [Step::Update { description: "new".to_owned(), max_session_duration: 7200 }]
    );
}

#[test]
fn shortcuts_make_a_trust_policy_and_the_plan_says_who_loses_and_gains() {
    let spec = Spec {
        trusted_account_ids: Some(BTreeSet::from(["111122223333".parse().unwrap()])),
        require_mfa: Some(true),
        mfa_max_age_seconds: Some(3600),
        ..spec()
    };
    let changes = changes(&spec, state());
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(
        changes[0].warnings,
        [
            "no longer allowed: sts:AssumeRole for arn:aws:iam::444455556666:root",
            "allowed from now on: sts:AssumeRole for arn:aws:iam::111122223333:root",
        ]
    );
    let Some(Step::UpdateTrust { policy }) = steps(&changes).pop() else { panic!("no trust") };
    assert!(policy.contains(r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#), "{policy}");
    assert!(policy.contains(r#""NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}"#));
}

#[test]
fn new_permissions_come_before_old_ones_go_and_a_boundary_comes_first() {
    let spec = Spec {
        permissions_boundary: Some("arn:boundary".to_owned()),
        managed_policy_arns: Some(BTreeSet::from(["arn:new".to_owned()])),
        ..spec()
    };
    assert_eq!(
        steps(&changes(&spec, state())),
        [
            Step::PutBoundary { policy_arn: "arn:boundary".to_owned() },
            Step::Attach { policy_arn: "arn:new".to_owned() },
            Step::Detach { policy_arn: "arn:old".to_owned() },
        ]
    );
}

#[test]
fn policies_that_are_not_declared_stay_when_the_list_is_not_exclusive() {
    let spec = Spec {
        managed_policy_arns: Some(BTreeSet::new()),
        exclusive_policies: Some(false),
        ..spec()
    };
    assert!(changes(&spec, state()).is_empty());
    let spec = Spec { exclusive_policies: None, ..spec };
    assert_eq!(
        steps(&changes(&spec, state())),
        [Step::Detach { policy_arn: "arn:old".to_owned() }]
    );
}

#[test]
fn rules_between_fields() {
    let accounts = || Some(BTreeSet::from(["111122223333".parse().unwrap()]));
    let cases = [
        (Spec { external_id: Some("xy".to_owned()), ..spec() }, "external_id"),
        (
            Spec { trusted_account_ids: accounts(), mfa_max_age_seconds: Some(60), ..spec() },
            "mfa_max_age_seconds",
        ),
        (Spec { exclusive_policies: Some(true), ..spec() }, "exclusive_policies"),
        (
            Spec {
                trusted_account_ids: accounts(),
                assume_role_policy: PolicyDocument::from_text(TRUST).ok(),
                ..spec()
            },
            "assume_role_policy",
        ),
    ];
    for (spec, field) in cases {
        let problems = Role::check(&spec);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].field, field);
    }
}

/// The classes of rights that the changes give, by their steps' names.
fn given(changes: &[Change<Action>]) -> Vec<(String, GrantClass)> {
    let of = |change: &Change<Action>| -> Vec<(String, GrantClass)> {
        let step = serde_json::to_value(&change.action.as_ref().unwrap().step).unwrap();
        let name = step.as_object().and_then(|map| map.keys().next().cloned());
        let name = name.or_else(|| step.as_str().map(str::to_owned)).unwrap();
        change.grants.iter().map(|grant| (name.clone(), grant.class)).collect()
    };
    changes.iter().flat_map(of).collect()
}

#[test]
fn rights_for_others_and_over_everything_are_named() {
    const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
    let policy = |text: &str| PolicyDocument::from_text(text).unwrap();
    let everything = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let new = Spec {
        trusted_account_ids: Some(BTreeSet::from(["999999999999".parse().unwrap()])),
        managed_policy_arns: Some(BTreeSet::from([ADMIN.to_owned()])),
        inline_policies: Some(BTreeMap::from([("all".to_owned(), policy(everything))])),
        ..spec()
    };
    assert_eq!(
        given(&Role::diff(&facts(), &new, &Object::absent("audit"))),
        [
            ("create".to_owned(), GrantClass::Foreign),
            ("put_inline".to_owned(), GrantClass::Administrator),
            ("attach".to_owned(), GrantClass::Administrator),
        ]
    );
    // The account's own principals and services get nothing that counts.
    let own = Spec {
        trusted_account_ids: Some(BTreeSet::from(["111122223333".parse().unwrap()])),
        ..spec()
    };
    assert_eq!(given(&Role::diff(&facts(), &own, &Object::absent("audit"))), []);
    // Who is trusted already is no rise.
    let same = Spec {
        assume_role_policy: Some(policy(TRUST)),
        description: Some("new".to_owned()),
        ..spec()
    };
    assert_eq!(given(&changes(&same, state())), []);
}

#[test]
fn a_limit_that_goes_from_an_administrator_gives_rights() {
    const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
    let administrator = State {
        permissions_boundary: Some("arn:aws:iam::111122223333:policy/limit".to_owned()),
        managed_policy_arns: Some(BTreeSet::from([ADMIN.to_owned()])),
        inline_policies: Some(BTreeMap::from([(
            "stop".to_owned(),
            r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#.to_owned(),
        )])),
        ..state()
    };
    let free = Spec { permissions_boundary: Some(String::new()), ..spec() };
    let rise = |step: &str| [(step.to_owned(), GrantClass::Administrator)];
    assert_eq!(given(&changes(&free, administrator.clone())), rise("delete_boundary"));
    let bare = Spec { inline_policies: Some(BTreeMap::new()), ..spec() };
    assert_eq!(given(&changes(&bare, administrator.clone())), rise("delete_inline"));
    let reader = State { managed_policy_arns: Some(BTreeSet::new()), ..administrator };
    assert_eq!(given(&changes(&free, reader.clone())), []);
    // What was not looked at may be anything.
    let unseen = State { managed_policy_arns: None, ..reader };
    assert_eq!(given(&changes(&free, unseen)), rise("delete_boundary"));
}
