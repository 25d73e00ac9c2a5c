#![allow(clippy::unwrap_used, clippy::panic)]

mod keys;
mod policies;
mod rises;

use std::collections::{BTreeMap, BTreeSet};

use super::encryption::{Encryption, EncryptionType, SseAlgorithm};
use super::lifecycle::{Expiration, Lifecycle, Rule};
use super::logging::{GranteeType, LogGrant, LogKeyFormat, LogPermission, Logging};
use super::object_lock::{EventHold, ObjectLock, ObjectLockMode};
use super::public_access_block::PublicAccessBlock;
use super::spec::*;
use super::versioning::Versioning;
use super::*;
use crate::kinds::kms::named::Named;
use crate::kinds::shapes::part::{self, Part};
use crate::kinds::tags::Tags;
use crate::kinds::{GrantClass, Risk, Status, Undo};
use crate::names::{ItemName, Region};
use crate::policy_document::PolicyDocument;

/// A bucket as observed, with all its parts.
#[derive(Debug, Clone, Default)]
struct State {
    region: String,
    policy: Option<String>,
    encryption: Option<Encryption>,
    key: Option<Named>,
    declared_key: Option<Named>,
    versioning: Option<Versioning>,
    mfa_delete: bool,
    object_lock: Option<ObjectLock>,
    lifecycle: Option<Lifecycle>,
    is_empty: bool,
    object_ownership: Option<ownership::ObjectOwnership>,
    public_access_block: Option<PublicAccessBlock>,
    logging: Option<Logging>,
    tags: Tags,
    system_tags: Tags,
}

impl State {
    fn in_parts(self, bucket: &str) -> part::State<Bucket> {
        let Self { encryption, key, declared_key, versioning, mfa_delete, tags, .. } = self;
        let (lifecycle, is_empty, system_tags) = (self.lifecycle, self.is_empty, self.system_tags);
        part::State::at(Place { bucket: bucket.to_owned(), region: self.region })
            .with::<public_access_block::Switches>(&self.public_access_block)
            .with::<ownership::Ownership>(&self.object_ownership)
            .with::<encryption::DefaultEncryption>(&encryption::Now {
                encryption,
                key,
                declared_key,
                key_policy: None,
            })
            .with::<versioning::Versions>(&versioning::Now { versioning, mfa_delete })
            .with::<policy::Policy>(&self.policy)
            .with::<lifecycle::LifecycleRules>(&lifecycle::Now { lifecycle, is_empty })
            .with::<object_lock::Lock>(&self.object_lock)
            .with::<logging::AccessLog>(&self.logging)
            .with::<tags::AllTags>(&tags::Now { tags, system_tags })
    }
}

fn in_parts(object: &Object<State>) -> Object<part::State<Bucket>> {
    match &object.status {
        Status::Present(state) => Object::present(&object.id, state.clone().in_parts(&object.id)),
        _ => Object::absent(&object.id),
    }
}

/// What is written, by its part.
#[derive(Debug, PartialEq)]
enum Step {
    Create { object_lock: bool },
    PutPublicAccessBlock(Option<PublicAccessBlock>),
    PutOwnership(Option<ownership::ObjectOwnership>),
    PutEncryption(Option<Encryption>),
    PutVersioning(Versioning),
    PutPolicy(Option<String>),
    PutLifecycle(Lifecycle),
    PutObjectLock(ObjectLock),
    PutLogging(Option<Logging>),
    PutTags(Tags),
}

#[derive(Debug, PartialEq)]
struct Action {
    step: Step,
    whole: part::Action<Bucket>,
}

impl From<part::Action<Bucket>> for Action {
    fn from(whole: part::Action<Bucket>) -> Self {
        let step = match &whole.step {
            part::Step::Create(Making { object_lock }) => {
                Step::Create { object_lock: *object_lock }
            }
            part::Step::Write { part, write } => {
                let write = write.clone();
                macro_rules! read {
                    ($step:ident) => {
                        Step::$step(serde_json::from_value(write).unwrap())
                    };
                }
                match part.as_str() {
                    public_access_block::Switches::NAME => read!(PutPublicAccessBlock),
                    ownership::Ownership::NAME => read!(PutOwnership),
                    encryption::DefaultEncryption::NAME => read!(PutEncryption),
                    versioning::Versions::NAME => read!(PutVersioning),
                    policy::Policy::NAME => read!(PutPolicy),
                    lifecycle::LifecycleRules::NAME => read!(PutLifecycle),
                    object_lock::Lock::NAME => read!(PutObjectLock),
                    logging::AccessLog::NAME => read!(PutLogging),
                    tags::AllTags::NAME => read!(PutTags),
                    other => panic!("{other}"),
                }
            }
        };
        Self { step, whole }
    }
}

fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    let changes = Bucket::diff(facts, spec, &in_parts(object));
    changes.into_iter().map(|change| change.map(Action::from)).collect()
}

fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    match Bucket::undo(&action.whole, &in_parts(before)) {
        Undo::By(actions) => Undo::By(actions.into_iter().map(Action::from).collect()),
        Undo::Impossible(reason) => Undo::Impossible(reason),
    }
}

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
    diff(&facts(), spec, &Object::present("audit", state))
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
    let changes = diff(&facts(), &spec, &Object::absent("audit"));
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
    let changes = diff(&facts(), &spec, &object);
    assert_eq!(changes[0].risk, Risk::Destructive);
    let undo = undo(changes[0].action.as_ref().unwrap(), &object);
    assert!(matches!(undo, Undo::Impossible(_)));
}

#[test]
fn a_hold_that_cannot_be_declared_is_sent_back() {
    let hold = EventHold { days: Some(30), years: None };
    let held = ObjectLock {
        mode: Some(ObjectLockMode::Governance),
        days: Some(7),
        event_hold: Some(hold.clone()),
        ..ObjectLock::default()
    };
    let spec = Spec {
        object_lock_mode: Some(ObjectLockMode::Governance),
        object_lock_days: Some(14),
        ..spec()
    };
    let object = Object::present("audit", State { object_lock: Some(held.clone()), ..state() });
    let changes = diff(&facts(), &spec, &object);
    let Step::PutObjectLock(lock) = step(&changes[0]) else { panic!("no lock") };
    assert_eq!(lock, &ObjectLock { days: Some(14), ..held.clone() });
    let undo = undo(changes[0].action.as_ref().unwrap(), &object);
    let Undo::By(actions) = undo else { panic!("no undo") };
    assert_eq!(actions[0].step, Step::PutObjectLock(held));
}

#[test]
fn what_an_access_log_has_and_nobody_declares_is_sent_back() {
    let there = Logging {
        bucket: "logs".to_owned(),
        prefix: "old/".to_owned(),
        key_format: Some(LogKeyFormat::EventTime),
        grants: vec![LogGrant {
            grantee_type: GranteeType::CanonicalUser,
            id: Some("79a5".to_owned()),
            display_name: None,
            email_address: None,
            uri: None,
            permission: LogPermission::Read,
        }],
    };
    let declared = Spec {
        access_log_bucket: Some("logs".to_owned()),
        access_log_prefix: Some("new/".to_owned()),
        ..spec()
    };
    let object = Object::present("audit", State { logging: Some(there.clone()), ..state() });
    let changes = diff(&facts(), &declared, &object);
    let new = Logging { prefix: "new/".to_owned(), ..there.clone() };
    assert_eq!(step(&changes[0]), &Step::PutLogging(Some(new)));
    let Undo::By(actions) = undo(changes[0].action.as_ref().unwrap(), &object) else {
        panic!("no undo")
    };
    assert_eq!(actions[0].step, Step::PutLogging(Some(there)));
    // Logs without a format have the simple one.
    let simple = Spec {
        access_log_bucket: Some("logs".to_owned()),
        access_log_key_format: Some(LogKeyFormat::SimplePrefix),
        ..spec()
    };
    let plain = Logging { bucket: "logs".to_owned(), ..Logging::default() };
    assert!(self::changes(&simple, State { logging: Some(plain), ..state() }).is_empty());
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
        sse_algorithm: Some(SseAlgorithm::Kms),
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
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn rules_between_fields() {
    let cases = [
        (Spec { prevent_destroy: Some(false), ..spec() }, "prevent_destroy"),
        (Spec { kms_master_key_id: Some("alias/k".to_owned()), ..spec() }, "kms_master_key_id"),
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
    let statement = |sid: &str, principal: serde_json::Value| {
        let statement = serde_json::json!({ "Sid": sid, "Effect": "Allow", "Principal": principal,
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::audit/*" });
        serde_json::from_value::<BTreeMap<String, serde_json::Value>>(statement).unwrap()
    };
    let everybody = serde_json::json!("*");
    let more = [
        Spec {
            require_tls: Some(true),
            extra_policy_statements: Some(vec![statement(
                "DenyInsecureTransport",
                everybody.clone(),
            )]),
            ..spec()
        },
        Spec {
            extra_policy_statements: Some(vec![
                statement("A", everybody.clone()),
                statement("A", everybody.clone()),
            ]),
            ..spec()
        },
        Spec {
            extra_policy_statements: Some(vec![statement(
                "A",
                serde_json::json!({ "CanonicalUser": "79a5" }),
            )]),
            ..spec()
        },
    ]
    .map(|spec| (spec, "extra_policy_statements"));
    let expiring =
        |expiration: Expiration| Rule { expiration: Some(expiration), ..Rule::default() };
    let marks = |days, marker| {
        expiring(Expiration {
            days,
            expired_object_delete_marker: Some(marker),
            ..Expiration::default()
        })
    };
    let rules = [marks(Some(1), true), marks(None, false)]
        .map(|rule| (Spec { lifecycle: Some(vec![rule]), ..spec() }, "lifecycle[0]"));
    let twice = Rule { id: Some("a".to_owned()), ..expire(1) };
    let twice = Spec { lifecycle: Some(vec![twice.clone(), twice]), ..spec() };
    let old = Spec { bucket: "A_b".to_owned(), region: Some("eu-west-1".to_owned()), ..spec() };
    let tag = BTreeMap::from([("aws:x".to_owned(), String::new())]);
    let others = [
        (twice, "lifecycle[1].id"),
        (old, "bucket"),
        (Spec { tags: Some(tag), ..spec() }, "tags"),
        (
            Spec { access_log_key_format: Some(LogKeyFormat::EventTime), ..spec() },
            "access_log_key_format",
        ),
    ];
    for (spec, field) in cases.into_iter().chain(more).chain(rules).chain(others) {
        let problems = Bucket::check(&spec);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].field, field);
    }
}

fn step(change: &Change<Action>) -> &Step {
    &change.action.as_ref().unwrap().step
}

/// A finding that names its reason and writes nothing.
#[track_caller]
fn is_finding(changes: &[Change<Action>], field: &str, reason: &str) {
    let [change] = changes else { panic!("{changes:?}") };
    assert_eq!(change.action, None);
    assert_eq!(change.drift[0].field, field);
    let withheld = change.withheld.as_deref().unwrap();
    assert!(withheld.contains(reason), "{withheld}");
}

/// A rule without `ApplyServerSideEncryptionByDefault` says no algorithm.
#[test]
fn a_rule_of_encryption_that_names_no_algorithm_is_none_that_was_declared() {
    let unnamed = || Encryption {
        sse_algorithm: None,
        kms_master_key_id: None,
        bucket_key_enabled: false,
        blocked_encryption_types: BTreeSet::from([EncryptionType::SseC]),
    };
    let there = || State { encryption: Some(unnamed()), ..state() };
    let declared = Spec { sse_algorithm: Some(SseAlgorithm::Aes256), ..spec() };
    let found = changes(&declared, there());
    let desired = Encryption { sse_algorithm: Some(SseAlgorithm::Aes256), ..unnamed() };
    assert_eq!(found[0].action.as_ref().unwrap().step, Step::PutEncryption(Some(desired)));
    assert_eq!(found[0].drift[0].actual, None);
    // What is not declared stays as it is: nothing fills it in.
    let other = Spec { bucket_key_enabled: Some(true), ..spec() };
    let desired = Encryption { bucket_key_enabled: true, ..unnamed() };
    let found = changes(&other, there());
    assert_eq!(found[0].action.as_ref().unwrap().step, Step::PutEncryption(Some(desired)));
}

#[test]
fn an_empty_bucket_loses_nothing() {
    let spec = Spec { lifecycle: Some(vec![expire(30)]), ..spec() };
    assert_eq!(changes(&spec, state())[0].risk, Risk::Destructive);
    assert_eq!(changes(&spec, State { is_empty: true, ..state() })[0].risk, Risk::Safe);
}

#[test]
fn a_minimum_size_without_rules_is_a_finding() {
    let size = Some(lifecycle::MinimumObjectSize::VariesByStorageClass);
    let declared = Spec { transition_default_minimum_object_size: size, ..spec() };
    let field = "transition_default_minimum_object_size";
    is_finding(&changes(&declared, state()), field, "declare lifecycle");
    let rules = Lifecycle { rules: vec![expire(1)], transition_default_minimum_object_size: size };
    assert!(changes(&declared, State { lifecycle: Some(rules), ..state() }).is_empty());
}

#[test]
fn marks_that_are_false_are_not_there() {
    let declared = Rule {
        expiration: Some(Expiration {
            days: Some(400),
            expired_object_delete_marker: Some(false),
            ..Expiration::default()
        }),
        ..Rule::default()
    };
    let there = Lifecycle { rules: vec![expire(400)], ..Lifecycle::default() };
    let spec = Spec { lifecycle: Some(vec![declared]), ..spec() };
    assert!(changes(&spec, State { lifecycle: Some(there), ..state() }).is_empty());
}

#[test]
fn a_name_that_s3_makes_no_more_may_stay() {
    let old =
        Spec { bucket: "Audit_Logs".to_owned(), versioning: Some(Versioning::Enabled), ..spec() };
    let missing = diff(&facts(), &old, &Object::absent("Audit_Logs"));
    is_finding(&missing, "", "S3 makes none of this name");
    let there = diff(&facts(), &old, &Object::present("Audit_Logs", state()));
    assert!(matches!(step(&there[0]), Step::PutVersioning(_)));
}

#[test]
fn versioning_behind_mfa_is_for_the_root_user() {
    let spec = Spec { versioning: Some(Versioning::Suspended), ..spec() };
    let now = State { versioning: Some(Versioning::Enabled), mfa_delete: true, ..state() };
    assert!(changes(&spec, now)[0].withheld.as_deref().unwrap().contains("root user"));
}

#[test]
fn a_failure_stops_only_what_needs_it() {
    let spec = Spec {
        versioning: Some(Versioning::Enabled),
        object_lock_mode: Some(ObjectLockMode::Governance),
        object_lock_days: Some(1),
        tags: Some(BTreeMap::from([("a".to_owned(), "b".to_owned())])),
        ..spec()
    };
    use crate::kinds::Needs;
    let needs = |object: &Object<State>| -> Vec<Needs> {
        let changes = diff(&facts(), &spec, object);
        changes.into_iter().map(|change| change.needs).collect()
    };
    let only = |places: &[usize]| Needs::Only(places.to_vec());
    assert_eq!(needs(&Object::present("audit", state())), [only(&[]), only(&[0]), only(&[])]);
    assert_eq!(needs(&Object::absent("audit"))[1..], [only(&[0]), only(&[0, 1]), only(&[0])]);
}
