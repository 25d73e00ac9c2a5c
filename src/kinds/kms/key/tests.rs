#![allow(clippy::unwrap_used, clippy::panic)]

use super::grants::ForeignGrant;
use super::spec::{Found, KeyState, KeyUsage, Marked, Nature, Origin, Rotation, Step};
use super::*;
use crate::kinds::erased::{DiffError, DynKind, erase};
use crate::kinds::{GrantClass, Needs, Risk};
use crate::policy_document::{Admission, Keys};

fn facts() -> Facts {
    Facts::example(Key::NAME)
}

fn state() -> State {
    State {
        key_id: "1234".to_owned(),
        found: Found::Alias,
        others: Default::default(),
        key_state: KeyState::Enabled,
        deletion_date: None,
        description: Some(String::new()),
        nature: nature(),
        policy: None,
        foreign_grants: Default::default(),
        rotation: Some(Rotation { enabled: false, period_in_days: None }),
        tags: None,
    }
}

fn nature() -> Nature {
    Nature {
        key_spec: KeySpec::SymmetricDefault,
        key_usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        multi_region: Some(false),
    }
}

fn marked() -> Box<Marked> {
    Box::new(Marked {
        key_id: "marked".to_owned(),
        key_state: KeyState::Enabled,
        deletion_date: None,
        nature: nature(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        run: Some("a-run".to_owned()),
        policy: OWN_POLICY.to_owned(),
        foreign_grants: Default::default(),
    })
}

const OWN_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
const OTHERS_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"kms:Decrypt","Resource":"*"}]}"#;

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
        [Some(Step::Create(_)), Some(Step::Rotate { .. }), Some(Step::Disable)]
    ));
}

#[test]
fn a_key_with_the_mark_alone_is_adopted_openly_and_as_a_change_of_its_own() {
    let found = Found::Mark(marked());
    let object = Object::present("alias/audit", State { found, ..state() });
    let changes = Key::diff(&facts(), &spec(), &object);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].action.as_ref().unwrap().step, Step::CreateAlias);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert!(changes[0].grants.is_empty());
    for word in ["adopts the key marked", "2026-01-01", "AWS_KMS", "a-run", "CloudTrail"] {
        assert!(changes[0].warnings[0].contains(word), "{:?}", changes[0].warnings);
    }
}

#[test]
fn a_planted_key_is_not_adopted_or_says_whom_it_lets_in() {
    let adopt = |marked: Marked, spec: &Spec| {
        let found = Found::Mark(Box::new(marked));
        let object = Object::present("alias/audit", State { found, ..state() });
        Key::diff(&facts(), spec, &object)
    };
    let differs = [
        Nature { origin: Origin::External, ..nature() },
        Nature { key_spec: KeySpec::Rsa2048, ..nature() },
        Nature { key_usage: KeyUsage::SignVerify, ..nature() },
        Nature { multi_region: Some(true), ..nature() },
    ];
    for nature in differs {
        let spec = Spec { enable_key_rotation: Some(true), enabled: Some(true), ..spec() };
        let changes = adopt(Marked { nature, ..*marked() }, &spec);
        assert_eq!(changes.len(), 1, "{changes:#?}");
        assert_eq!(changes[0].action, None, "{nature:?}");
        assert!(changes[0].withheld.as_deref().unwrap().contains("marked"));
    }
    let external = Nature { origin: Origin::External, ..nature() };
    let spec = Spec { origin: Some(Origin::External), ..spec() };
    let changes = adopt(Marked { nature: external, ..*marked() }, &spec);
    assert!(changes[0].action.is_some(), "it is what is declared");
    let changes = adopt(Marked { policy: OTHERS_POLICY.to_owned(), ..*marked() }, &self::spec());
    assert_eq!(changes[0].grants.len(), 1);
    assert_eq!(changes[0].grants[0].class, GrantClass::Foreign);
    assert!(changes[0].warnings[1].contains("999999999999"), "{:?}", changes[0].warnings);
    let grant = ForeignGrant {
        grant_id: "g".to_owned(),
        grantee: "arn:aws:iam::999999999999:root".to_owned(),
        operations: ["Decrypt".to_owned()].into(),
    };
    let changes = adopt(Marked { foreign_grants: [grant].into(), ..*marked() }, &self::spec());
    let [grant] = &changes[0].grants[..] else { panic!("{changes:#?}") };
    assert_eq!(grant.class, GrantClass::Foreign);
    assert_eq!(grant.accounts, Some(["999999999999".parse().unwrap()].into()));
}

#[test]
fn a_lock_in_a_key_policy_is_not_lifted_without_leave() {
    let lock = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
        {"Sid":"Lock","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}"#;
    let spec = Spec { key_administrators: Some(Default::default()), ..spec() };
    let locked = State { policy: Some(lock.to_owned()), ..state() };
    let changes = Key::diff(&facts(), &spec, &Object::present("alias/audit", locked));
    assert_eq!(changes[0].warnings, ["no longer denied: kms:Decrypt for everybody (\"Lock\")"]);
    assert_eq!(changes[0].grants[0].class, GrantClass::Administrator);
    // What silences a service is put right without leave.
    let mute =
        lock.replace(r#""Principal":"*""#, r#""Principal":{"Service":"cloudtrail.amazonaws.com"}"#);
    let muted = State { policy: Some(mute), ..state() };
    let changes = Key::diff(&facts(), &spec, &Object::present("alias/audit", muted));
    assert!(changes[0].grants.is_empty() && changes[0].warnings.len() == 1, "{changes:#?}");
}

#[test]
fn an_alias_that_was_moved_is_put_back_and_nothing_else_is_written() {
    let found = Found::Moved(marked());
    let moved = State { found, policy: Some(OTHERS_POLICY.to_owned()), ..state() };
    let object = Object::present("alias/audit", moved.clone());
    let spec = Spec {
        key_users: Some(Default::default()),
        enable_key_rotation: Some(true),
        description: Some("audit".to_owned()),
        ..spec()
    };
    let changes = Key::diff(&facts(), &spec, &object);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let action = changes[0].action.as_ref().unwrap();
    assert_eq!(action.key_id.as_deref(), Some("marked"));
    assert_eq!(action.step, Step::UpdateAlias { from: "1234".to_owned() });
    assert_eq!(changes[0].risk, Risk::Disruptive);
    let said = changes[0].warnings.join("\n");
    assert!(said.contains("1234") && said.contains("marked"), "{said}");
    let Undo::By(back) = Key::undo(action, &object) else { panic!("it can be moved again") };
    assert_eq!(back[0].key_id.as_deref(), Some("1234"));
    assert_eq!(back[0].step, Step::UpdateAlias { from: "marked".to_owned() });
    // Whoever plants a mark does not get the alias.
    let planted = Nature { origin: Origin::External, ..nature() };
    let found = Found::Moved(Box::new(Marked { nature: planted, ..*marked() }));
    let object = Object::present("alias/audit", State { found, ..moved });
    let changes = Key::diff(&facts(), &spec, &object);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].action, None);
}

/// Whether the alias points elsewhere or is gone: the marked key is saved or said, and of any other
/// key nothing is written.
#[test]
fn a_marked_key_that_is_about_to_be_deleted_is_saved_or_said() {
    let dying = Marked {
        key_state: KeyState::PendingDeletion,
        deletion_date: Some("2026-12-24".to_owned()),
        ..*marked()
    };
    let moved = State { found: Found::Moved(Box::new(dying.clone())), ..state() };
    let gone = State {
        key_id: "marked".to_owned(),
        found: Found::Mark(Box::new(dying)),
        key_state: KeyState::PendingDeletion,
        ..state()
    };
    for state in [moved, gone] {
        let object = Object::present("alias/audit", state);
        for prevent_destroy in [None, Some(false)] {
            let spec = Spec { prevent_destroy, description: Some("audit".to_owned()), ..spec() };
            let changes = Key::diff(&facts(), &spec, &object);
            assert_eq!(changes.len(), 1, "{changes:#?}");
            assert_eq!(changes[0].action, None);
            let said = changes[0].withheld.as_deref().unwrap();
            assert!(said.contains("marked") && said.contains("2026-12-24"), "{said}");
        }
        let spec = Spec { prevent_destroy: Some(true), ..spec() };
        let changes = Key::diff(&facts(), &spec, &object);
        let actions: Vec<_> = changes.iter().filter_map(|change| change.action.as_ref()).collect();
        assert_eq!(actions[0].step, Step::CancelDeletion);
        assert!(matches!(actions[1].step, Step::UpdateAlias { .. } | Step::CreateAlias));
        assert_eq!(actions.len(), 2);
        for action in actions {
            assert_eq!(action.key_id.as_deref(), Some("marked"));
        }
        assert_eq!(changes[1].needs, Needs::Only(vec![0]), "a dying key takes no alias");
    }
}

#[test]
fn an_alias_that_goes_back_to_a_disabled_key_says_so() {
    let found = Found::Moved(Box::new(Marked { key_state: KeyState::Disabled, ..*marked() }));
    let object = Object::present("alias/audit", State { found, ..state() });
    let said = |enabled| {
        let spec = Spec { enabled, ..spec() };
        Key::diff(&facts(), &spec, &object)[0].warnings.join("\n")
    };
    assert!(said(None).contains("Disabled") && said(None).contains("enable it"), "{}", said(None));
    assert!(said(Some(true)).contains("the next apply enables it"), "{}", said(Some(true)));
}

#[test]
fn other_keys_with_the_mark_are_a_finding() {
    let others = BTreeSet::from(["orphan".to_owned()]);
    let object = Object::present("alias/audit", State { others, ..state() });
    let changes = Key::diff(&facts(), &spec(), &object);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].action, None);
    assert!(changes[0].withheld.as_deref().unwrap().contains("orphan"));
}

/// Every state, with whatever is declared, is equal, drift, a finding or unknown.
#[test]
fn no_state_of_a_key_is_passed_over() {
    let erased: Box<dyn DynKind> = erase::<Key>();
    let all = [
        KeyState::Creating,
        KeyState::Enabled,
        KeyState::Disabled,
        KeyState::PendingDeletion,
        KeyState::PendingImport,
        KeyState::PendingReplicaDeletion,
        KeyState::Unavailable,
        KeyState::Updating,
    ];
    for key_state in all {
        for (enabled, rotates) in [(true, true), (true, false), (false, true), (false, false)] {
            let spec =
                Spec { enabled: Some(enabled), enable_key_rotation: Some(rotates), ..spec() };
            let rotation = Some(Rotation { enabled: false, period_in_days: None });
            let state = State { key_state, rotation, ..state() };
            let object = Object::present("alias/audit", serde_json::to_value(&state).unwrap());
            let spec = serde_json::to_value(&spec).unwrap();
            let changes = match erased.diff(&facts(), &spec, &object) {
                Ok(changes) => changes,
                Err(DiffError::NotCompared { fields, .. }) => panic!("{key_state:?}: {fields:?}"),
                Err(other) => panic!("{other}"),
            };
            let equal = match key_state {
                KeyState::Enabled => enabled && !rotates,
                KeyState::Disabled => !enabled && !rotates,
                _ => false,
            };
            assert_eq!(changes.is_empty(), equal, "{key_state:?} {enabled} {rotates}");
        }
    }
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

/// EventBridge sends no account to a topic, so that a condition on it never holds.
#[test]
fn rules_publish_to_the_encrypted_topics_of_the_account() {
    let spec =
        Spec { service_principals: Some(["events.amazonaws.com".to_owned()].into()), ..spec() };
    let policy = super::policy::declared(&facts(), &spec).unwrap();
    let asked = |topic: &str| {
        let wanted = serde_json::json!({
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
            "Condition": { "ArnLike": { "kms:EncryptionContext:aws:sns:topicArn": topic } },
        });
        let keys = Keys { not_sent: &["aws:SourceAccount"], ..Keys::default() };
        policy.admission(&wanted, keys, "aws")
    };
    let account = facts().account;
    let own = format!("arn:aws:sns:eu-west-1:{account}:alerts");
    assert_eq!(asked(&own), Admission::In);
    let foreign = "arn:aws:sns:eu-west-1:999999999999:alerts";
    assert_eq!(asked(foreign), Admission::Out);
    let changes = Key::diff(&facts(), &spec, &Object::absent("alias/a"));
    assert!(changes.iter().all(|change| change.grants.is_empty()), "{changes:?}");
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

#[test]
fn who_is_nobody_for_aws_is_refused_before() {
    let of = |name: &str| {
        let key_users = Some([name.to_owned()].into());
        Key::check(&Spec { alias: "alias/a".to_owned(), key_users, ..Spec::default() })
    };
    for name in ["nonsense", "arn:aws:iam::111122223333:group/a", "arn:aws:s3:::bucket"] {
        assert_eq!(of(name).len(), 1, "{name}");
    }
    for name in ["111122223333", "arn:aws:iam::111122223333:role/a"] {
        assert!(of(name).is_empty(), "{name}");
    }
}
