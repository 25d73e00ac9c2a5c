use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reconcile::Named;
use crate::store::history::ByWhom;

fn part(account: &str, kind: &'static str, region: Option<&str>) -> Key {
    let region = region.map(Region::new);
    Key::Part(Part { account: account.parse().unwrap(), kind, region })
}

fn target(name: &str) -> Key {
    Key::Target(name.to_owned())
}

/// A call by somebody that names something, so many seconds after the first.
fn called(who: &str, call: &str, names: &str, second: i64) -> Cause {
    let by = ByWhom {
        principal: who.to_owned(),
        call: call.to_owned(),
        time: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(second)),
        ..ByWhom::default()
    };
    let named = Named::of(&json!({ "name": names }), &Value::Null, &Value::Null);
    let region = Region::new("eu-west-1");
    let told = DateTime::UNIX_EPOCH;
    Cause::Event(Box::new(Called::of(by, None, region, Arc::new(named), told)))
}

fn event(number: usize) -> Cause {
    called(&format!("user-{number}"), "s:C", "a", 0)
}

/// Who called, by their names, and how often in all; without a name those who are not kept.
fn callers(causes: &Causes) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for cause in &causes.kept {
        let Cause::Event(called) = cause else { continue };
        *all.entry(called.by.principal.clone()).or_default() += called.by.count();
    }
    all
}

const A: &str = "111122223333";
const B: &str = "444455556666";

#[test]
fn of_two_wishes_the_earlier_holds() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    let later = now + Duration::from_secs(60);
    queue.add(target("t"), later, Cause::Schedule);
    queue.add(target("t"), now, Cause::Start);
    queue.add(target("t"), later, Cause::Schedule);
    assert_eq!((queue.len(), queue.next_at(now)), (1, Some(now)));
    let job = queue.take(now).unwrap();
    assert_eq!(job.causes.kept, [Cause::Schedule, Cause::Start]);
    assert!(queue.is_empty() && queue.take(later).is_none());
}

#[test]
fn a_storm_of_events_is_one_look_that_counts_them() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    for second in 0..10_000 {
        queue.add(part(A, "cloudtrail.trail", None), now, called("ci", "s:C", "a", second));
    }
    queue.add(part(A, "ec2.ebs_encryption", Some("eu-west-1")), now, event(0));
    queue.add(part(B, "cloudtrail.trail", None), now, event(1));
    let job = queue.take(now).unwrap();
    let What::Parts { account, parts } = &job.what else { panic!("{job:?}") };
    assert_eq!((account.as_str(), parts.len(), job.causes.kept.len()), (A, 2, 2));
    let all = callers(&job.causes);
    assert_eq!(all, BTreeMap::from([("ci".to_owned(), 10_000), ("user-0".to_owned(), 1)]));
    let What::Parts { account, .. } = queue.take(now).unwrap().what else { panic!() };
    assert_eq!(account.as_str(), B);
    assert!(queue.is_empty());
}

#[test]
fn who_comes_after_many_others_is_kept_with_them() {
    let mut causes = Causes::default();
    for number in 0..20 {
        causes.add(event(number));
    }
    causes.add(called("eve", "s:Stop", "a", 1));
    assert_eq!(causes.kept.len(), 21);
    assert!(callers(&causes).contains_key("eve"));
}

#[test]
fn whoever_sends_many_events_pushes_nobody_out_and_what_is_not_kept_is_counted() {
    let mut causes = Causes::default();
    // One principal, with many objects and with many sessions; and 10,000 others.
    for number in 0..1_000 {
        causes.add(called("ci", "s:C", &format!("object-{number}"), 0));
        let session = format!("arn:aws:sts::1:assumed-role/mallory/{number}");
        causes.add(called(&session, "s:C", "a", 0));
    }
    causes.add(called("ci", "s:Stop", "a", 7));
    let of = |causes: &Causes, part: &str| -> usize {
        let all = callers(causes);
        all.iter().filter(|(who, _)| who.contains(part)).map(|(_, count)| count).sum()
    };
    assert_eq!((of(&causes, "ci"), of(&causes, "mallory")), (51, 50));
    assert_eq!(callers(&causes)[""], 1_900);
    for number in 0..10_000 {
        causes.add(event(number));
    }
    causes.add(called("ci", "s:Other", "a", 7));
    assert!(causes.kept.len() < 2_100, "{}", causes.kept.len());
    let stopped =
        |cause: &Cause| matches!(cause, Cause::Event(called) if called.by.call == "s:Stop");
    assert!(causes.kept.iter().any(stopped), "by nobody else's calls");
    let all: usize = callers(&causes).values().sum();
    assert_eq!(all, 2_000 + 1 + 10_000 + 1);
}

#[test]
fn what_touched_several_parts_is_told_once_and_each_part_keeps_as_many() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    for number in 0..100 {
        let cause = called("ci", "s:C", &format!("object-{number}"), 0);
        queue.add(part(A, "cloudtrail.trail", None), now, cause);
    }
    for key in [part(A, "cloudtrail.trail", None), part(A, "iam.role", None)] {
        queue.add(key, now, called("eve", "s:C", "a", 3));
    }
    queue.add(part(A, "iam.role", None), now, called("ci", "s:C", "role", 3));
    let causes = queue.take(now).unwrap().causes;
    let all = callers(&causes);
    assert_eq!((all["eve"], all["ci"], all[""]), (1, 51, 50));
}

#[test]
fn what_an_event_touched_comes_before_what_the_schedule_says() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    queue.add(target("t"), now - Duration::from_secs(60), Cause::Schedule);
    queue.add(part(A, "kms.key", Some("eu-west-1")), now, event(0));
    assert!(matches!(queue.take(now).unwrap().what, What::Parts { .. }));
    assert!(matches!(queue.take(now).unwrap().what, What::Target(_)));
}

#[test]
fn what_is_not_due_is_not_taken_with_the_rest_of_its_account() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    queue.add(part(A, "iam.role", None), now, event(0));
    queue.add(part(A, "kms.key", Some("eu-west-1")), now + Duration::from_secs(1), event(1));
    let What::Parts { parts, .. } = queue.take(now).unwrap().what else { panic!() };
    assert_eq!(parts, BTreeSet::from([("iam.role", None)]));
    assert_eq!(queue.len(), 1);
}

#[test]
fn pauses_depend_on_why_and_how_often_and_a_success_forgets_them() {
    let mut now = Duration::ZERO;
    let mut queue = Queue::default();
    let what = What::Target("t".to_owned());
    let mut pauses = Vec::new();
    let mut fail = |queue: &mut Queue, setback, failures| {
        assert_eq!(queue.failed(&what, setback, now, 0.0), failures);
        let at = queue.next_at(now).unwrap();
        pauses.push((at - now).as_secs());
        now = at;
        assert_eq!(queue.take(now).unwrap().what, what);
    };
    let slow = Setback::Throttled { after: Some(Duration::from_secs(40)) };
    fail(&mut queue, Setback::Unreachable, 1);
    fail(&mut queue, Setback::Unreachable, 2);
    // Of another sort, the pause begins anew.
    fail(&mut queue, Setback::Denied, 3);
    fail(&mut queue, Setback::Denied, 4);
    fail(&mut queue, slow, 5);
    fail(&mut queue, Setback::Throttled { after: None }, 6);
    queue.done(&what);
    fail(&mut queue, Setback::Denied, 1);
    assert_eq!(pauses, [5, 10, 900, 1800, 40, 30, 900]);
}

#[test]
fn a_schedule_does_not_wait_for_what_is_denied() {
    let mut queue = Queue::default();
    queue.failed(&What::Target("t".to_owned()), Setback::Denied, Duration::ZERO, 0.0);
    queue.add(target("t"), Duration::from_secs(60), Cause::Schedule);
    assert_eq!(queue.next_at(Duration::ZERO), Some(Duration::from_secs(60)));
}

#[test]
fn an_event_does_not_wait_for_the_pause_after_a_failure() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    let key = part(A, "iam.role", None);
    queue.add(key.clone(), now, event(0));
    let job = queue.take(now).unwrap();
    queue.failed(&job.what, Setback::Other, now, 0.0);
    queue.add(key, now, event(1));
    assert_eq!(queue.take(now).unwrap().causes.kept, [Cause::Again { failures: 1 }, event(1)]);
    assert!(queue.is_empty());
}

#[test]
fn a_part_that_fails_too_often_is_left_to_the_schedule() {
    let mut now = Duration::ZERO;
    let mut queue = Queue::default();
    queue.add(part(A, "iam.role", Some("nowhere-1")), now, event(0));
    let mut looks = 0;
    while let Some(at) = queue.next_at(now) {
        now = now.max(at);
        let job = queue.take(now).unwrap();
        looks += 1;
        assert_eq!(queue.failed(&job.what, Setback::Other, now, 0.0), looks);
    }
    assert_eq!((looks, queue.failures.len()), (MOST_FAILURES, 0));
}

#[test]
fn a_target_that_has_gone_is_forgotten() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    queue.add(target("old"), now, Cause::Schedule);
    queue.failed(&What::Target("old".to_owned()), Setback::Other, now, 0.0);
    queue.add(target("new"), now, Cause::Schedule);
    queue.add(part(A, "iam.role", None), now, event(0));
    queue.keep_targets(&BTreeSet::from(["new".to_owned()]));
    assert_eq!((queue.len(), queue.failures.len()), (2, 0));
}

#[test]
fn one_look_at_a_time_of_an_account_and_the_next_account_beside_it() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::new(Lanes { parts: 2, targets: 1, slow: 0 });
    for account in [A, B, "777788889999"] {
        queue.add(part(account, "iam.role", None), now, event(0));
    }
    queue.add(target("s"), now, Cause::Start);
    queue.add(target("t"), now, Cause::Start);
    let first = queue.take(now).unwrap();
    // What comes meanwhile waits for the look in hand, whatever part it is of.
    queue.add(part(A, "kms.key", Some("eu-west-1")), now, event(1));
    let second = queue.take(now).unwrap();
    assert!(first.what != second.what && matches!(second.what, What::Parts { .. }));
    assert_eq!(queue.take(now).unwrap().what, What::Target("s".to_owned()));
    assert_eq!((queue.take(now), queue.next_at(now)), (None, None));
    queue.done(&first.what);
    assert_eq!(queue.next_at(now), Some(now));
    let What::Parts { account, .. } = queue.take(now).unwrap().what else { panic!() };
    assert_eq!(account.as_str(), A, "who waits longest, and of those the first");
    assert_eq!(queue.take(now), None);
    assert_eq!(queue.late_by(now + Duration::from_secs(7)), Duration::from_secs(7));
}

/// Accounts that take long, and that no event is of, fill no lane; nor do those that events are of.
#[test]
fn an_event_does_not_wait_for_accounts_that_take_long() {
    let lanes = Lanes { parts: 2, targets: 1, slow: 2 };
    for slow in [Cause::Path, event(0)] {
        let now = Duration::from_secs(1000);
        let mut queue = Queue::new(lanes);
        for account in ["100000000001", "100000000002", "100000000003", "100000000004"] {
            queue.add(part(account, "cloudtrail.trail", None), now, slow.clone());
        }
        assert!(queue.take(now).is_some() && queue.take(now).is_some());
        queue.add(part(A, "iam.role", None), now, event(1));
        assert_eq!((queue.take(now), queue.next_at(now)), (None, Some(now + PATIENCE)));
        let later = now + PATIENCE;
        let first = queue.take(later).unwrap();
        let whom = |job: &Job| job.what.parts()[0].account.to_string();
        // Whoever waits longest, of those that no event is of only as many as leave places for events.
        let next = queue.take(later).unwrap();
        assert!(queue.take(later).is_none() && whom(&first) != whom(&next));
        assert_eq!(whom(&first) == A || whom(&next) == A, slow == Cause::Path, "{slow:?}");
        let last = later + PATIENCE;
        assert_eq!(queue.next_at(last), None, "so many slow ones are all that have places");
        queue.done(&first.what);
        assert!(queue.take(last).is_some());
    }
}

#[test]
fn a_look_that_was_stopped_is_not_in_hand_any_more() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    queue.add(target("t"), now, Cause::Start);
    let job = queue.take(now).unwrap();
    queue.add(target("t"), now, Cause::Schedule);
    assert!(queue.take(now).is_none() && queue.in_hand().count() == 1);
    queue.stopped(&job.what);
    assert!(queue.take(now).is_some());
}

proptest! {
    /// Whatever is wished for is handed out, once, never before its time, never beside a look at the
    /// same, never more at a time than there is room for; and what could be handed out is.
    #[test]
    fn nothing_is_lost_nothing_early_and_nothing_twice_at_once(
        wishes in proptest::collection::vec((0_usize..7, 0_u64..100), 0..60),
        steps in proptest::collection::vec((0_u64..30, 0_usize..4), 0..20),
        lanes in (1_usize..3, 1_usize..3),
    ) {
        let lanes = Lanes { parts: lanes.0, targets: lanes.1, slow: 0 };
        let at = Duration::from_secs;
        let keys = [
            target("s"), target("t"), part(A, "iam.role", None),
            part(A, "kms.key", Some("eu-west-1")), part(B, "iam.role", None),
            Key::Account(A.parse().unwrap()), Key::Path("s".to_owned()),
        ];
        let mut queue = Queue::new(lanes);
        let mut earliest: BTreeMap<Key, Duration> = BTreeMap::new();
        for (key, seconds) in wishes {
            queue.add(keys[key].clone(), at(seconds), Cause::Schedule);
            let first = earliest.entry(keys[key].clone()).or_insert_with(|| at(seconds));
            *first = (*first).min(at(seconds));
        }
        let whom = |what: &What| match what {
            What::Target(name) => name.clone(),
            What::Path(name) => format!("path of {name}"),
            What::Account(account) | What::Parts { account, .. } => account.to_string(),
        };
        let is_target = |what: &What| matches!(what, What::Target(_));
        let mut now = Duration::ZERO;
        let mut in_hand: Vec<What> = Vec::new();
        // At the end, everything comes to its end.
        for (step, ended) in steps.into_iter().chain([(1_000, 9); 8]) {
            now += at(step);
            for _ in 0..ended.min(in_hand.len()) {
                queue.done(&in_hand.remove(0));
            }
            while let Some(job) = queue.take(now) {
                prop_assert!(in_hand.iter().all(|other| whom(other) != whom(&job.what)));
                for key in job.what.keys() {
                    let due = earliest.remove(&key);
                    prop_assert!(due.is_some_and(|due| due <= now), "{key:?}");
                }
                in_hand.push(job.what);
            }
            prop_assert_eq!(queue.in_hand().cloned().collect::<Vec<_>>(), in_hand.clone());
            let targets = in_hand.iter().filter(|what| is_target(what)).count();
            let parts = in_hand.len() - targets;
            prop_assert!(targets <= lanes.targets && parts <= lanes.parts);
            prop_assert!(queue.next_at(now).is_none_or(|at| at > now), "it could be looked at now");
            for (key, due) in &earliest {
                let is_full = parts == lanes.parts;
                let (is_full, who) = match key {
                    Key::Target(name) => (targets == lanes.targets, name.clone()),
                    Key::Path(name) => (is_full, format!("path of {name}")),
                    Key::Account(account) | Key::Part(Part { account, .. }) => {
                        (is_full, account.to_string())
                    }
                };
                let waits = is_full || in_hand.iter().any(|what| whom(what) == who);
                prop_assert!(*due > now || waits, "{key:?} waits for nothing");
            }
        }
        prop_assert!(earliest.is_empty() && queue.is_empty());
    }
}
