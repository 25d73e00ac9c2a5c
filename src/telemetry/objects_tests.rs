use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::plan::{AccountPlan, BaselineRef, Cost, FailedAccount, PlanHead, TargetRef, assemble};

fn account() -> AccountId {
    "000000000001".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(super) fn object(item: &str, id: &str, verdict: Value, disposition: Value) -> ObjectPlan {
    serde_json::from_value(json!({
        "account": "000000000001", "region": "eu-west-1", "global": false,
        "item": item, "mode": "enforce", "controls": [],
        "verdict": verdict, "spec": {}, "state_digest": "",
        "observed": {"id": id, "status": "absent"},
        "changes": [{
            "id": 1, "action": {"put": 1}, "risk": "safe", "warnings": [],
            "permissions": [], "disposition": disposition, "depends_on": [],
            "drift": [{"field": "f", "actual": null, "desired": 1}],
        }],
    }))
    .unwrap()
}

pub(super) fn drifted(id: &str) -> ObjectPlan {
    object("cloudtrail.trail.main", id, json!({"is": "drifted"}), json!({"is": "apply"}))
}

pub(super) fn fine(id: &str) -> ObjectPlan {
    let mut fine = drifted(id);
    (fine.verdict, fine.changes) = (Verdict::InSync, Vec::new());
    fine
}

pub(super) fn plan(objects: Vec<ObjectPlan>) -> Plan {
    let head = PlanHead {
        run: "r".to_owned(),
        baseline: BaselineRef {
            name: "b".to_owned(),
            digest: "d".to_owned(),
            files: Vec::new(),
            targets: Vec::new(),
        },
        targets: vec![TargetRef {
            account: account(),
            name: None,
            partition: "aws".to_owned(),
            home_region: Region::new("eu-west-1"),
            regions: Vec::new(),
        }],
        failed: Vec::new(),
        skipped: Vec::new(),
        snapshot: None,
        shards: None,
        cost: Cost::default(),
    };
    assemble(head, vec![AccountPlan { objects, in_sync: 0, order: Vec::new() }])
}

fn look(objects: &mut Objects, plan: &Plan, part: &Part, minutes: i64) {
    let time = now() + TimeDelta::minutes(minutes);
    objects.hear(&Told { time, run: "r", event: RunEvent::Planned { plan } }, part, &Looked::new());
}

pub(super) fn target(name: &str) -> Part {
    Part::Target(name.to_owned())
}

fn states(objects: &Objects) -> Vec<(State, Severity, i64)> {
    let of =
        |(_, open): (_, &Open)| (open.state, open.severity, (open.since - now()).num_minutes());
    objects.open_ones().map(of).collect()
}

#[test]
fn drift_is_as_old_as_its_first_look_and_ends_with_the_write() {
    let mut objects = Objects::default();
    look(&mut objects, &plan(vec![drifted("a"), fine("b"), fine("c")]), &target("t"), 0);
    look(&mut objects, &plan(vec![drifted("a"), fine("b"), fine("c")]), &target("t"), 5);
    assert_eq!(states(&objects), [(State::ToChange, Severity::Critical, 0)]);
    assert_eq!(objects.in_sync(), 2);
    let object = drifted("a");
    let verified = |in_sync| RunEvent::Verified { object: &object, after: None, in_sync, by: "" };
    let told = |event| Told { time: now(), run: "r", event };
    objects.hear(&told(verified(false)), &target("t"), &Looked::new());
    assert_eq!(states(&objects)[0].0, State::Failed);
    objects.hear(&told(verified(true)), &target("t"), &Looked::new());
    assert!(states(&objects).is_empty());
    assert_eq!(objects.in_sync(), 3);
    look(&mut objects, &plan(vec![drifted("a")]), &Part::Some, 9);
    assert_eq!(states(&objects), [(State::ToChange, Severity::Critical, 9)], "it began anew");
}

#[test]
fn a_look_at_a_part_says_nothing_of_the_rest() {
    let mut objects = Objects::default();
    let other = |id| {
        object(
            "iam.password_policy",
            id,
            json!({"is": "drifted"}),
            json!({"is": "report", "reason": "r"}),
        )
    };
    look(&mut objects, &plan(vec![drifted("a"), other("")]), &target("t"), 0);
    look(&mut objects, &plan(vec![fine("a")]), &Part::Some, 1);
    assert_eq!(states(&objects), [(State::Reported, Severity::Medium, 0)]);
    look(&mut objects, &plan(vec![drifted("new")]), &Part::Some, 2);
    look(&mut objects, &plan(vec![fine("a")]), &target("t"), 3);
    assert!(states(&objects).is_empty(), "what is not there any more has ended");
    look(&mut objects, &plan(vec![other("")]), &target("u"), 4);
    look(&mut objects, &plan(vec![fine("a")]), &target("t"), 5);
    assert_eq!(states(&objects).len(), 1, "another target's objects are its own");
    look(&mut objects, &plan(vec![fine("a"), fine("b")]), &Part::Account, 6);
    assert!(states(&objects).is_empty());
    assert_eq!(objects.in_sync(), 2);
}

#[test]
fn what_is_somebody_elses_by_now_is_forgotten_and_nothing_else() {
    let mut objects = Objects::default();
    let mut both = plan(vec![drifted("a"), fine("b")]);
    both.failed.push(FailedAccount {
        account: "000000000002".parse().unwrap(),
        name: None,
        reason: "no way in".to_owned(),
        remedy: None,
    });
    let stands =
        |objects: &Objects| (states(objects).len(), objects.in_sync(), objects.unseen().len());
    let accounts = |of: &[&str]| of.iter().map(|account| account.parse().unwrap()).collect();
    look(&mut objects, &both, &target("t"), 0);
    look(&mut objects, &plan(vec![fine("c")]), &target("u"), 0);
    assert_eq!(stands(&objects), (1, 2, 1));
    objects.keep_accounts("u", &accounts(&["000000000001"]));
    objects.keep_accounts("t", &accounts(&["000000000001", "000000000002"]));
    assert_eq!(stands(&objects), (1, 2, 1), "what was looked at stays");
    objects.keep_accounts("t", &accounts(&["000000000001"]));
    assert_eq!(stands(&objects), (1, 2, 0), "another controller has looked at it");
    objects.keep_accounts("t", &accounts(&[]));
    assert_eq!(stands(&objects), (0, 1, 0), "and what another target has there stays");
    look(&mut objects, &both, &target("t"), 1);
    objects.keep_targets(&["t".to_owned()].into());
    assert_eq!(stands(&objects), (1, 1, 1));
    objects.keep_targets(&["u".to_owned()].into());
    assert_eq!(stands(&objects), (0, 0, 0));
}

#[test]
fn what_the_store_knows_is_older_than_the_process() {
    let mut objects = Objects::default();
    let earlier = |days| Earlier { since: now() - TimeDelta::days(days), failed: None };
    objects.known([(super::key(&drifted("a")), earlier(2))]);
    look(&mut objects, &plan(vec![drifted("a")]), &target("t"), 0);
    assert_eq!(states(&objects)[0].2, -2 * 24 * 60);
    look(&mut objects, &plan(vec![fine("a")]), &target("t"), 1);
    look(&mut objects, &plan(vec![drifted("a")]), &target("t"), 2);
    assert_eq!(states(&objects)[0].2, 2, "and what began anew is not");
    objects.known([(super::key(&drifted("a")), earlier(1))]);
    assert_eq!(states(&objects)[0].2, -24 * 60, "whoever was faster");
}

#[test]
fn what_is_held_back_has_its_guard_and_an_unseen_account_is_counted_until_it_is_seen() {
    let mut objects = Objects::default();
    let held = json!({"is": "held_back", "guard": "fight", "reason": "r", "released_by": "x"});
    let held = object("iam.password_policy", "", json!({"is": "drifted"}), held);
    let mut first = plan(vec![held]);
    first.failed.push(FailedAccount {
        account: "000000000002".parse().unwrap(),
        name: None,
        reason: "no way in".to_owned(),
        remedy: None,
    });
    look(&mut objects, &first, &target("t"), 0);
    let (_, open) = objects.open_ones().next().unwrap();
    assert_eq!(
        (open.state, open.severity, open.guard),
        (State::HeldBack, Severity::High, Some("fight"))
    );
    assert_eq!(objects.unseen().len(), 1);
    let mut later = plan(Vec::new());
    later.targets[0].account = "000000000002".parse().unwrap();
    look(&mut objects, &later, &target("t"), 1);
    assert!(objects.unseen().is_empty());
}

#[test]
fn nothing_is_in_sync_in_an_account_that_cannot_be_looked_at() {
    let mut objects = Objects::default();
    let two = || plan(vec![drifted("a"), fine("b"), fine("c")]);
    let stands = |objects: &Objects| {
        (objects.in_sync(), objects.count(State::Unknown), objects.count(State::ToChange))
    };
    look(&mut objects, &two(), &target("t"), 0);
    assert_eq!(stands(&objects), (2, 0, 1));
    let mut refused = plan(Vec::new());
    let account = refused.targets.pop().unwrap().account;
    let reason = "AssumeRole is refused".to_owned();
    refused.failed.push(FailedAccount { account, name: None, reason, remedy: None });
    look(&mut objects, &refused, &target("t"), 1);
    assert_eq!(stands(&objects), (0, 2, 1), "what differed is not said to be right");
    look(&mut objects, &two(), &target("t"), 2);
    assert_eq!(stands(&objects), (2, 0, 1));
}

#[test]
fn nothing_is_in_sync_of_a_target_whose_latest_run_came_to_nothing() {
    let mut objects = Objects::default();
    let stands = |objects: &Objects| (objects.in_sync(), objects.count(State::Unknown));
    look(&mut objects, &plan(vec![drifted("a"), fine("b"), fine("c")]), &target("t"), 0);
    look(&mut objects, &plan(vec![fine("d")]), &target("u"), 0);
    assert_eq!(stands(&objects), (3, 0));
    let why = || "the organization cannot be listed".to_owned();
    objects.target_failed("t", why(), true, now());
    assert_eq!(stands(&objects), (3, 0), "it was looked at before it failed");
    objects.target_failed("t", why(), false, now() + TimeDelta::minutes(1));
    assert_eq!(stands(&objects), (1, 2), "what another target has there was seen");
    assert_eq!(objects.lost()["t"].since, now());
    objects.target_seen("t");
    assert_eq!((stands(&objects), objects.lost().len()), ((3, 0), 0));
    objects.target_failed("t", why(), false, now());
    objects.keep_targets(&["u".to_owned()].into());
    assert_eq!((stands(&objects), objects.lost().len()), ((1, 0), 0));
}

#[test]
fn what_a_process_before_has_seen_is_unknown_where_there_is_no_way_in() {
    let mut objects = Objects::default();
    let other: AccountId = "000000000002".parse().unwrap();
    let of_store = |account: &AccountId| LookShown {
        account: account.clone(),
        name: None,
        run: "before".to_owned(),
        time: now(),
        whole: Some(now()),
        about: json!({"in_sync": 2, "unknown": 0, "excepted": 0, "open": 1, "targets": ["t"]}),
        open: 1,
        lost: BTreeSet::new(),
    };
    objects.remember([of_store(&account()), of_store(&other)], &BTreeMap::new());
    let stands = |objects: &Objects| (objects.in_sync(), objects.count(State::Unknown));
    assert_eq!(stands(&objects), (0, 0), "nothing was tried yet");
    let mut first = plan(vec![fine("a")]);
    let failed = || FailedAccount {
        account: "000000000002".parse().unwrap(),
        name: None,
        reason: "no way in".to_owned(),
        remedy: None,
    };
    first.failed.push(failed());
    look(&mut objects, &first, &target("t"), 0);
    assert_eq!(stands(&objects), (1, 3));
    objects.target_failed("t", "not listed".to_owned(), false, now());
    assert_eq!(stands(&objects), (0, 4));
    objects.keep_accounts("t", &[account()].into());
    assert_eq!(stands(&objects), (0, 1), "it is not selected any more");
    // What differed and could not be read last is one object, and not two.
    let mut objects = Objects::default();
    let about = json!({"in_sync": 1, "unknown": 1, "excepted": 0, "open": 1, "targets": ["t"]});
    let unread = BTreeMap::from([(other.clone(), 1)]);
    objects.remember([LookShown { about, ..of_store(&other) }], &unread);
    objects.target_failed("t", "not listed".to_owned(), false, now());
    assert_eq!(stands(&objects), (0, 2));
    let mut objects = Objects::default();
    objects.remember([of_store(&other)], &BTreeMap::new());
    let mut seen = plan(Vec::new());
    seen.targets[0].account = other;
    look(&mut objects, &seen, &target("t"), 1);
    assert_eq!((stands(&objects), objects.before.len()), ((0, 0), 0));
}
