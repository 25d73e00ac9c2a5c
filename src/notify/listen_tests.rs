use serde_json::{Value, json};

use super::*;
use crate::plan::{
    AccountPlan, BaselineRef, Cost, Guard, Held, PlanHead, PlannedChange, TargetRef, assemble,
};
use crate::reconcile::RunOutcome;
use crate::reconcile::event::Stream;

fn object(kind: &str, verdict: Value, disposition: Value) -> ObjectPlan {
    serde_json::from_value(json!({
        "account": "000000000001", "region": "eu-west-1", "global": true,
        "item": kind, "mode": "enforce", "controls": [],
        "verdict": verdict, "spec": {"x": 14}, "state_digest": "",
        "observed": {"id": "", "status": "absent"},
        "changes": [{
            "id": 1, "action": {"put": 1}, "risk": "safe", "warnings": [],
            "permissions": ["iam:UpdateAccountPasswordPolicy"], "disposition": disposition,
            "depends_on": [],
            "drift": [{"field": "x", "actual": 9, "desired": 14}],
        }],
    }))
    .unwrap()
}

fn apply() -> Value {
    json!({"is": "apply"})
}

fn drifted(kind: &str) -> ObjectPlan {
    object(kind, json!({"is": "drifted"}), apply())
}

fn plan(objects: Vec<ObjectPlan>) -> Plan {
    let region = objects[0].region.clone();
    let head = PlanHead {
        run: "r".to_owned(),
        baseline: BaselineRef {
            name: "b".to_owned(),
            digest: "d".to_owned(),
            files: Vec::new(),
            targets: vec!["here".to_owned()],
        },
        targets: vec![TargetRef {
            account: objects[0].account.clone(),
            name: Some("payments".to_owned()),
            partition: "aws".to_owned(),
            home_region: region.clone(),
            regions: vec![region],
        }],
        failed: Vec::new(),
        skipped: Vec::new(),
        snapshot: None,
        shards: None,
        cost: Cost::default(),
    };
    let order = objects.iter().flat_map(|object| &object.changes);
    let order = order.filter(|change| change.is_applied()).map(|change| change.id).collect();
    assemble(head, vec![AccountPlan { objects, in_sync: 0, order }])
}

fn hearing() -> Hearing {
    Hearing::of(Run {
        keeps_drift: true,
        is_whole: true,
        path: &["cloudtrail.trail"],
        ..Run::default()
    })
}

fn hear(hearing: &Hearing, plan: &Plan, step: Option<&Step>, in_sync: Option<bool>) -> Seen {
    let stream = Stream::new("r", vec![hearing]);
    stream.tell(RunEvent::Planned { plan }).unwrap();
    let object = &plan.objects[0];
    let change: &PlannedChange = &object.changes[0];
    if let Some(step) = step {
        stream.tell(RunEvent::Wrote { object, change, step }).unwrap();
    }
    if let Some(in_sync) = in_sync {
        let event = RunEvent::Verified { object, after: None, in_sync, by: "arn" };
        stream.tell(event).unwrap();
    }
    let outcome = RunOutcome::InSync;
    stream.tell(RunEvent::Ended { outcome, report: None }).unwrap();
    hearing.seen(Utc::now(), Some("record 7, abc".to_owned())).unwrap()
}

/// The only thing that matters.
fn only(seen: &Seen) -> (On, Severity, String) {
    let all: Vec<&Matter> = seen.standing.iter().chain(&seen.done).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].what, ["x 9 → 14"]);
    (all[0].on, all[0].severity, all[0].did.clone())
}

#[test]
fn what_became_of_an_object_is_what_is_told() {
    let failed = Step::Failed { error: "AccessDenied (request 7): no\nremedy".to_owned() };
    let moved = Step::Moved { why: "somebody was faster".to_owned() };
    for (kind, step, in_sync, on, severity, did) in [
        (
            "iam.password_policy",
            Some(Step::Applied),
            Some(true),
            On::Applied,
            Severity::Low,
            "put it right",
        ),
        (
            "cloudtrail.trail",
            Some(Step::Applied),
            Some(true),
            On::Applied,
            Severity::High,
            "put it right",
        ),
        (
            "iam.password_policy",
            Some(Step::Applied),
            Some(false),
            On::Failed,
            Severity::High,
            "still not as declared",
        ),
        (
            "iam.password_policy",
            Some(Step::Applied),
            None,
            On::Failed,
            Severity::High,
            "nobody could observe",
        ),
        ("iam.password_policy", Some(failed), None, On::Failed, Severity::High, "AccessDenied: no"),
        (
            "iam.password_policy",
            Some(moved),
            None,
            On::Failed,
            Severity::High,
            "somebody was faster",
        ),
        ("iam.password_policy", None, None, On::Drift, Severity::Medium, "did not get to it"),
        ("cloudtrail.trail", None, None, On::Drift, Severity::Critical, "did not get to it"),
    ] {
        let seen = hear(&hearing(), &plan(vec![drifted(kind)]), step.as_ref(), in_sync);
        let told = only(&seen);
        assert_eq!((told.0, told.1), (on, severity), "{kind} {step:?}");
        assert!(told.2.contains(did), "{did:?} is not in {:?}", told.2);
        assert_eq!(seen.about.audit_log.as_deref(), Some("record 7, abc"));
    }
}

#[test]
fn what_is_only_reported_says_why() {
    let reported = json!({"is": "report", "reason": "mode report"});
    let reported = object("iam.password_policy", json!({"is": "drifted"}), reported);
    let seen = hear(&hearing(), &plan(vec![reported]), None, None);
    assert_eq!(
        only(&seen),
        (On::Drift, Severity::Medium, "only reports it: mode report".to_owned())
    );
}

#[test]
fn a_run_that_nobody_agreed_to_is_not_told_and_one_of_a_trial_tells_only_what_failed() {
    let hearing = hearing();
    let plan = plan(vec![drifted("iam.password_policy")]);
    let stream = Stream::new("r", vec![&hearing]);
    stream.tell(RunEvent::Planned { plan: &plan }).unwrap();
    assert!(hearing.seen(Utc::now(), None).is_none());
    let trial = Hearing::of(Run::default());
    assert!(hear(&trial, &plan, None, None).standing.is_empty());
    let failed = Step::Failed { error: "no".to_owned() };
    assert_eq!(hear(&trial, &plan, Some(&failed), None).standing.len(), 1);
}

#[test]
fn exceptions_are_told_of_in_their_last_week_and_the_unknown_is_never_fine() {
    let until = |days: i64| (Utc::now() + TimeDelta::days(days)).date_naive().to_string();
    let excepted = |days: i64| {
        let verdict =
            json!({"is": "excepted", "until": until(days), "owner": "ops", "reason": "why"});
        object("iam.password_policy", verdict, json!({"is": "report", "reason": "excepted"}))
    };
    let soon = hear(&hearing(), &plan(vec![excepted(3)]), None, None);
    assert_eq!(soon.standing[0].on, On::ExceptionExpiring);
    assert!(soon.standing[0].what[0].starts_with("ops has an exception until"));
    let later = hear(&hearing(), &plan(vec![excepted(30)]), None, None);
    assert!(later.standing.is_empty());
    let verdict = json!({"is": "unknown", "reason": "AccessDenied"});
    let unknown = object("iam.password_policy", verdict, apply());
    let subject = Subject::of(&unknown, None, &[]);
    let seen = hear(&hearing(), &plan(vec![unknown]), None, None);
    assert_eq!(seen.standing[0].on, On::Blind);
    assert_eq!(seen.fine.ends(&subject, false), None);
}

#[test]
fn what_another_run_did_meanwhile_is_no_failure_and_is_not_told_as_ours() {
    let seen =
        hear(&hearing(), &plan(vec![drifted("iam.password_policy")]), Some(&Step::Needless), None);
    assert!(seen.standing.is_empty() && seen.done.is_empty(), "{seen:?}");
    let told = Subject::of(&drifted("iam.password_policy"), None, &[]);
    assert!(seen.fine.ends(&told, true).is_some(), "what was told of it before is over");
}

#[test]
fn a_long_reason_of_a_guard_is_told_with_what_releases_it() {
    let reason = "somebody changes it back ".repeat(20);
    let held = Held::by(Guard::Fight, reason, "evenkeel release it");
    let step = Step::HeldBack { held };
    let seen = hear(&hearing(), &plan(vec![drifted("iam.password_policy")]), Some(&step), None);
    assert!(only(&seen).2.ends_with("evenkeel release it"), "{seen:?}");
}

#[test]
fn what_is_told_is_of_the_targets_that_declare_it() {
    use std::collections::{BTreeMap, BTreeSet};
    let (account, item) = ("000000000001".parse().unwrap(), "iam.password_policy".parse().unwrap());
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let mut plan = plan(vec![drifted("iam.password_policy")]);
    plan.baseline.targets = vec!["here".to_owned(), "lab".to_owned(), "prod".to_owned()];
    let unnamed = Plan {
        baseline: BaselineRef { targets: Vec::new(), ..plan.baseline.clone() },
        ..plan.clone()
    };
    let of = |plan: &Plan, events: &[RunEvent<'_>]| {
        let hearing = hearing();
        let stream = Stream::new("r", vec![&hearing]);
        events.iter().for_each(|event| stream.tell(*event).unwrap());
        hear(&hearing, plan, None, None).standing[0].subject.targets.clone()
    };
    let targets = |events: &[RunEvent<'_>]| of(&plan, events);
    assert_eq!(targets(&[]), ["here", "lab", "prod"], "all of the run");
    let (two, one) = (names(&["lab", "prod"]), names(&["prod"]));
    let selected = RunEvent::SelectedBy { account: &account, targets: &two };
    assert_eq!(targets(&[selected]), ["lab", "prod"]);
    let items = BTreeMap::from([(item, one)]);
    let declared = RunEvent::DeclaredBy { account: &account, items: &items };
    assert_eq!(targets(&[selected, declared]), ["prod"]);
    assert!(of(&unnamed, &[selected, declared]).is_empty(), "baselines of the command line");
}

#[test]
fn of_an_account_that_another_target_governs_as_well_what_is_not_seen_may_be_the_others() {
    let plan = plan(vec![drifted("iam.password_policy")]);
    let account = &plan.objects[0].account;
    let others = ["other".to_owned()].into();
    let gone = |events: &[RunEvent<'_>], targets: &[&str]| {
        let hearing = hearing();
        let stream = Stream::new("r", vec![&hearing]);
        events.iter().for_each(|event| stream.tell(*event).unwrap());
        let subject = Subject {
            account: Some(account.clone()),
            item: Some("ec2.ebs_encryption".parse().unwrap()),
            targets: targets.iter().map(|name| (*name).to_owned()).collect(),
            ..Subject::named("key", "title")
        };
        hear(&hearing, &plan, None, None).fine.ends(&subject, false).is_some()
    };
    let beside = RunEvent::GovernedBeside { account, targets: &others };
    assert!(gone(&[], &["here"]) && gone(&[], &["other"]), "no target is there any more");
    assert!(gone(&[beside], &["here"]));
    assert!(!gone(&[beside], &["other"]) && !gone(&[beside], &["here", "other"]));
}

#[test]
fn what_was_told_of_an_account_that_no_target_selects_any_more_is_over() {
    let plan = plan(vec![drifted("iam.password_policy")]);
    let here = &plan.objects[0].account;
    let accounts = [here.clone()].into();
    let is_over = |account: &AccountId, targets: &[&str], is_of_all: bool| {
        let all = ["here".to_owned(), "other".to_owned()].into();
        let run = Run { keeps_drift: true, is_whole: true, targets: all, ..Run::default() };
        let hearing = Hearing::of(run);
        if is_of_all {
            let stream = Stream::new("r", vec![&hearing]);
            stream.tell(RunEvent::Selected { accounts: &accounts }).unwrap();
        }
        let fine = hear(&hearing, &plan, None, None).fine;
        let of = |item: Option<&str>| Subject {
            account: Some(account.clone()),
            item: item.map(|item| item.parse().unwrap()),
            targets: targets.iter().map(|name| (*name).to_owned()).collect(),
            ..Subject::named("key", "title")
        };
        let [object, whole] =
            [Some("ec2.ebs_encryption"), None].map(|item| fine.ends(&of(item), false).is_some());
        assert_eq!(object, whole);
        assert_eq!(fine.is_elsewhere(account), is_of_all && account != here);
        object
    };
    let left: AccountId = "000000000009".parse().unwrap();
    assert!(is_over(&left, &["here"], true) && is_over(&left, &["here", "removed"], true));
    assert!(!is_over(&left, &["here"], false), "the run was of some accounts");
    assert!(!is_over(&left, &["here", "other"], true), "another target may select it");
    assert!(!is_over(&left, &[], true), "nobody knows of which target it was");
}
