#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use super::spec::Step;
use super::*;
use crate::kinds::{GrantClass, Needs, Risk};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}"#;

fn facts() -> Facts {
    Facts::example(Role::NAME)
}

fn spec() -> Spec {
    Spec { role_name: "audit".to_owned(), ..Spec::default() }
}

fn state() -> State {
    State {
        role_name: "audit".to_owned(),
        arn: "arn:aws:iam::111122223333:role/audit".to_owned(),
        role_id: "AROAEXAMPLE".to_owned(),
        path: "/".to_owned(),
        description: "old".to_owned(),
        max_session_duration: Some(7200),
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
            "allowed from now on: sts:AssumeRole for arn:aws:iam::111122223333:root if aws:MultiFactorAuthPresent, aws:MultiFactorAuthAge",
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
fn at_the_quota_as_little_as_needed_goes_first_and_the_plan_says_why() {
    let arns = |range: std::ops::Range<u32>| -> BTreeSet<String> {
        range.map(|number| format!("arn:p{number:02}")).collect()
    };
    let full = State { managed_policy_arns: Some(arns(0..10)), ..state() };
    let spec = Spec { managed_policy_arns: Some(arns(2..11)), ..spec() };
    let changes = changes(&spec, full);
    assert_eq!(
        steps(&changes),
        [
            Step::Detach { policy_arn: "arn:p00".to_owned() },
            Step::Attach { policy_arn: "arn:p10".to_owned() },
            Step::Detach { policy_arn: "arn:p01".to_owned() },
        ]
    );
    assert!(changes[0].warnings[1].contains("for a moment less is allowed"));
    assert_eq!(changes[0].needs, Needs::Only(vec![]));
    assert_eq!(changes[1].needs, Needs::Only(vec![0]));
    assert_eq!(changes[2].needs, Needs::Only(vec![]), "what goes waits for nothing that comes");
    assert!(changes[2].makes_room);
    assert_eq!(
        changes[2].warnings,
        [
            "what only this policy allows stops working at once",
            "what this policy denies, if anything, is no longer denied",
        ]
    );
}

#[test]
fn inline_policies_that_leave_no_room_go_first() {
    let policy = |length: usize| {
        PolicyDocument::of_statements(vec![serde_json::json!({
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "x".repeat(length),
        })])
    };
    let old = BTreeMap::from([
        ("large".to_owned(), policy(6000).to_compact_string()),
        ("small".to_owned(), policy(100).to_compact_string()),
    ]);
    let of = |length: usize| {
        let new = BTreeMap::from([("new".to_owned(), policy(length))]);
        let spec = Spec { inline_policies: Some(new), ..spec() };
        let changes = changes(&spec, State { inline_policies: Some(old.clone()), ..state() });
        let words = steps(&changes).into_iter().map(|step| match step {
            Step::PutInline { name, .. } | Step::DeleteInline { name } => name,
            other => panic!("{other:?}"),
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(of(1000), ["new", "large", "small"]);
    assert_eq!(of(5000), ["large", "new", "small"]);
}

/// At no moment has anybody rights that they have neither before nor after.
#[test]
fn who_comes_meets_no_old_rights_and_who_goes_gets_no_new_ones() {
    let place = |account: &str| {
        let accounts = account.split(' ').map(|account| account.parse().unwrap()).collect();
        let spec = Spec {
            trusted_account_ids: Some(accounts),
            managed_policy_arns: Some(BTreeSet::from(["arn:new".to_owned()])),
            permissions_boundary: Some("arn:bound".to_owned()),
            ..spec()
        };
        let changes = changes(&spec, state());
        let words = steps(&changes).into_iter().map(|step| match step {
            Step::UpdateTrust { policy } if policy.contains("Deny") => "nobody",
            Step::UpdateTrust { policy } if account.split(' ').all(|one| policy.contains(one)) => {
                "trust"
            }
            Step::UpdateTrust { .. } => "close",
            Step::Attach { .. } => "attach",
            Step::Detach { .. } => "detach",
            Step::PutBoundary { .. } => "bound",
            other => panic!("{other:?}"),
        });
        let needs: Vec<_> = changes.iter().map(|change| change.needs.clone()).collect();
        (words.collect::<Vec<_>>(), needs)
    };
    let only = |places: &[usize]| Needs::Only(places.to_vec());
    let (words, needs) = place("111122223333");
    assert_eq!(words, ["bound", "nobody", "attach", "detach", "trust"], "one comes and one goes");
    assert_eq!(needs, [only(&[]), only(&[]), only(&[0, 1]), only(&[]), only(&[0, 3])]);
    let (words, needs) = place("111122223333 444455556666");
    assert_eq!(words, ["bound", "attach", "detach", "trust"], "one comes, in a statement of many");
    assert_eq!(needs[3], only(&[0, 2]));
    let (words, _) = place("444455556666");
    assert_eq!(words, ["bound", "attach", "detach"], "nobody comes or goes");
}

/// What evenkeel itself has shut is no lock of somebody's.
#[test]
fn a_role_that_a_run_left_closed_is_opened_by_the_next_one() {
    let trust = |account: &str| {
        PolicyDocument::of_statements(vec![serde_json::json!({
            "Effect": "Allow", "Principal": { "AWS": account }, "Action": "sts:AssumeRole",
        })])
    };
    let closed = super::trust::closed(&trust("444455556666"), &trust("111122223333"), "aws");
    let spec = Spec { assume_role_policy: Some(trust("111122223333")), ..spec() };
    let grants = |text: String| {
        let changes = changes(&spec, State { assume_role_policy: text, ..state() });
        changes[0].grants.iter().filter(|one| one.class == GrantClass::Administrator).count()
    };
    assert_eq!(grants(closed.to_compact_string()), 0);
    assert_eq!(grants(closed.to_compact_string().replace("EvenkeelClosed", "Locked")), 1);
}

/// Whoever goes is out whatever becomes of the rest, and who stays is never shut out.
#[test]
fn closing_waits_for_nothing_and_keeps_who_stays() {
    let trust = |accounts: &[&str]| {
        PolicyDocument::of_statements(vec![serde_json::json!({
            "Effect": "Allow", "Principal": { "AWS": accounts }, "Action": "sts:AssumeRole",
        })])
    };
    let state = State {
        assume_role_policy: trust(&["111122223333", "444455556666"]).to_compact_string(),
        ..state()
    };
    let spec = Spec {
        assume_role_policy: Some(trust(&["444455556666", "777788889999"])),
        permissions_boundary: Some("arn:bound".to_owned()),
        ..spec()
    };
    let changes = changes(&spec, state.clone());
    let [_, close, open] = changes.as_slice() else { panic!("{changes:#?}") };
    let policy = |change: &Change<Action>| match &change.action.as_ref().unwrap().step {
        Step::UpdateTrust { policy } => PolicyDocument::from_text(policy).unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(policy(close).same_meaning(&trust(&["444455556666"]), "aws"), "{close:#?}");
    assert_eq!((&close.needs, &close.grants), (&Needs::Only(vec![]), &vec![]));
    assert!(close.warnings.iter().any(|warning| warning.contains("no longer allowed")));
    assert!(policy(open).same_meaning(&spec.assume_role_policy.clone().unwrap(), "aws"));
    assert_eq!(open.needs, Needs::Only(vec![0]));
    assert!(!open.grants.is_empty(), "{open:#?}");
    // Nothing to wait for: one change is enough.
    let alone = Spec { permissions_boundary: None, ..spec };
    assert_eq!(self::changes(&alone, state).len(), 1);
}

#[test]
fn what_does_not_need_the_others_waits_for_none() {
    let spec = Spec {
        description: Some("new".to_owned()),
        managed_policy_arns: Some(BTreeSet::from(["arn:new".to_owned()])),
        tags: Some(BTreeMap::from([("team".to_owned(), "core".to_owned())])),
        ..spec()
    };
    let changes = changes(&spec, state());
    assert_eq!(changes.len(), 4);
    for change in &changes {
        let step = &change.action.as_ref().unwrap().step;
        assert_eq!(change.needs, Needs::Only(vec![]), "{step:?}");
    }
}

#[test]
fn another_spelling_of_a_policy_is_a_finding_and_nothing_is_taken_away() {
    let arn = |name: &str| format!("arn:aws:iam::{}:policy/{name}", facts().account);
    let state = State {
        managed_policy_arns: Some([arn("Readers")].into()),
        permissions_boundary: Some(arn("Bound")),
        inline_policies: Some([("Logs".to_owned(), "{}".to_owned())].into()),
        ..state()
    };
    let spec = Spec {
        managed_policy_arns: Some(
            [arn("readers"), "arn:aws:iam::999999999999:policy/a".to_owned()].into(),
        ),
        permissions_boundary: Some(arn("bound")),
        inline_policies: Some(
            [("logs".to_owned(), PolicyDocument::of_statements(Vec::new()))].into(),
        ),
        ..spec()
    };
    let changes = changes(&spec, state);
    let said: Vec<&str> = changes.iter().filter_map(|change| change.withheld.as_deref()).collect();
    assert!(changes.iter().all(|change| change.action.is_none()), "{changes:#?}");
    for word in ["policy/Readers", "policy/Bound", "\"Logs\"", "999999999999"] {
        assert!(said.iter().any(|said| said.contains(word)), "{word}: {said:?}");
    }
    assert_eq!(changes.len(), 4);
}

#[test]
fn another_spelling_of_the_name_is_a_finding_with_the_right_one() {
    let changes = changes(&spec(), State { role_name: "Audit".to_owned(), ..state() });
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].action, None);
    assert!(changes[0].withheld.as_deref().unwrap().contains("role_name = \"Audit\""));
}

#[test]
fn a_policy_that_cannot_be_understood_is_not_compared() {
    let spec = Spec {
        assume_role_policy: PolicyDocument::from_text(TRUST).ok(),
        inline_policies: Some(BTreeMap::from([(
            "p".to_owned(),
            PolicyDocument::of_statements(Vec::new()),
        )])),
        ..spec()
    };
    let inline_policies = Some(BTreeMap::from([("p".to_owned(), "{".to_owned())]));
    let object = Object::present(
        "audit",
        State { assume_role_policy: "{".to_owned(), inline_policies, ..state() },
    );
    let (changes, fields) = crate::kinds::compared::during(|| Role::diff(&facts(), &spec, &object));
    assert!(changes.is_empty());
    assert!(!fields.contains("assume_role_policy") && !fields.contains("inline_policies"));
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

#[test]
fn a_policy_that_denies_is_not_taken_off_an_administrator_without_leave() {
    const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
    let detach = |arn: &str, others: &[&str], inline: Option<BTreeMap<String, String>>| {
        let attached = others.iter().chain([&arn]).map(|arn| (*arn).to_owned()).collect();
        let state =
            State { managed_policy_arns: Some(attached), inline_policies: inline, ..state() };
        let others = others.iter().map(|arn| (*arn).to_owned()).collect();
        let changes = changes(&Spec { managed_policy_arns: Some(others), ..spec() }, state);
        assert_eq!(steps(&changes), [Step::Detach { policy_arn: arn.to_owned() }]);
        let says = changes[0].warnings.iter().any(|line| line.contains("no longer denied"));
        (changes[0].grants.iter().map(|grant| grant.class).collect::<Vec<_>>(), says)
    };
    let rise = (vec![GrantClass::Administrator], true);
    let own = "arn:aws:iam::111122223333:policy/lockdown";
    for arn in ["AWSDenyAll", "AWSCompromisedKeyQuarantineV3"]
        .map(|name| format!("arn:aws:iam::aws:policy/{name}"))
    {
        assert_eq!(detach(&arn, &[ADMIN], Some(BTreeMap::new())), rise);
        assert_eq!(detach(&arn, &[], None), rise, "nobody knows what else it may do");
        assert_eq!(detach(&arn, &[], Some(BTreeMap::new())), (vec![], true));
    }
    assert_eq!(detach(own, &[ADMIN], Some(BTreeMap::new())), rise);
    assert_eq!(detach(own, &[], None), (vec![], true));
    let reader = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    assert_eq!(detach(reader, &[ADMIN], Some(BTreeMap::new())), (vec![], false));
}

#[test]
fn a_lock_in_a_trust_policy_is_not_lifted_without_leave() {
    let lock = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"},
        {"Sid":"Lock","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}"#;
    let own = Spec {
        trusted_account_ids: Some(BTreeSet::from(["111122223333".parse().unwrap()])),
        ..spec()
    };
    let changes = changes(&own, State { assume_role_policy: lock.to_owned(), ..state() });
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].warnings, ["no longer denied: sts:AssumeRole for everybody (\"Lock\")"]);
    assert_eq!(given(&changes), [("update_trust".to_owned(), GrantClass::Administrator)]);
}

/// A role's own policy with one statement.
fn allows(action: &str, resource: &str) -> PolicyDocument {
    PolicyDocument::of_statements(vec![
        serde_json::json!({ "Effect": "Allow", "Action": action, "Resource": resource }),
    ])
}

#[test]
fn a_role_that_can_change_itself_is_an_administrator() {
    let declared = |action: &str, resource: &str| Spec {
        inline_policies: Some(BTreeMap::from([("k".to_owned(), allows(action, resource))])),
        managed_policy_arns: Some(BTreeSet::from([
            "arn:aws:iam::111122223333:policy/own".to_owned()
        ])),
        ..spec()
    };
    let rise = [("put_inline".to_owned(), GrantClass::Administrator)];
    for (action, resource) in [
        ("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/audit"),
        ("iam:PutRolePolicy", "arn:aws:iam::*:role/audi?"),
        ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::111122223333:role/audit"),
        ("iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/own"),
    ] {
        let there = State { managed_policy_arns: Some(BTreeSet::new()), ..state() };
        assert_eq!(given(&changes(&declared(action, resource), there)), rise, "{action}");
        let trust = Some(BTreeSet::from(["111122223333".parse().unwrap()]));
        let new = Spec { trusted_account_ids: trust, ..declared(action, resource) };
        assert_eq!(given(&Role::diff(&facts(), &new, &Object::absent("audit"))), rise, "{action}");
    }
    let other = declared("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/other");
    assert_eq!(given(&changes(&other, state())), []);
}

#[test]
fn a_policy_that_cannot_be_understood_may_allow_anything() {
    let there = |text: &str| State {
        permissions_boundary: Some("arn:aws:iam::111122223333:policy/limit".to_owned()),
        managed_policy_arns: Some(BTreeSet::new()),
        inline_policies: Some(BTreeMap::from([("odd".to_owned(), text.to_owned())])),
        ..state()
    };
    let rise = |step: &str| [(step.to_owned(), GrantClass::Administrator)];
    let reads = r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let free = Spec { permissions_boundary: Some(String::new()), ..spec() };
    assert_eq!(given(&changes(&free, there(reads))), []);
    assert_eq!(given(&changes(&free, there("{"))), rise("delete_boundary"));
    let beside = |exclusive| Spec {
        inline_policies: Some(BTreeMap::from([(
            "new".to_owned(),
            allows("ec2:StopInstances", "*"),
        )])),
        exclusive_policies: Some(exclusive),
        ..spec()
    };
    assert_eq!(given(&changes(&beside(false), there(reads))), []);
    assert_eq!(given(&changes(&beside(false), there("{"))), rise("put_inline"));
    // It may deny as well: it does not go without leave where nothing else is known to limit.
    let bare = Spec { inline_policies: Some(BTreeMap::new()), ..spec() };
    let administrator = State {
        managed_policy_arns: Some(BTreeSet::from([
            "arn:aws:iam::aws:policy/AdministratorAccess".to_owned()
        ])),
        ..there("{")
    };
    assert_eq!(given(&changes(&bare, administrator)), rise("delete_inline"));
}

/// A finding that says that the role is missing stands for all that is declared of it.
#[test]
fn a_role_that_is_missing_is_a_finding_whatever_is_declared_of_it() {
    let erased = crate::kinds::registry::find(Role::NAME).unwrap();
    for declared in [
        serde_json::json!({ "role_name": "r", "managed_policy_arns": [] }),
        serde_json::json!({ "role_name": "r", "inline_policies": {} }),
        serde_json::json!({ "role_name": "r", "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"] }),
    ] {
        let changes = erased.diff(&facts(), &declared, &Object::absent("r")).unwrap();
        let why = changes[0].withheld.as_deref().unwrap();
        assert!(why.contains("trusted_account_ids"), "{declared}: {why}");
    }
}

#[test]
fn conditions_that_a_trust_policy_loses_are_named() {
    let own = Some(BTreeSet::from(["111122223333".parse().unwrap()]));
    let strict = Spec {
        trusted_account_ids: own.clone(),
        external_id: Some("x1".to_owned()),
        require_mfa: Some(true),
        ..spec()
    };
    let there = super::trust::declared("aws", &strict).unwrap().to_compact_string();
    let open = Spec { trusted_account_ids: own, ..spec() };
    let changes = changes(&open, State { assume_role_policy: there, ..state() });
    let said = changes[0].warnings.join("\n");
    for key in ["sts:ExternalId x1", "aws:MultiFactorAuthPresent true"] {
        assert!(said.contains(&format!("no longer needs {key}")), "{said}");
    }
}
