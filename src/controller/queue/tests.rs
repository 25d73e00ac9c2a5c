use proptest::prelude::*;

use super::*;

fn part(account: &str, kind: &'static str, region: Option<&str>) -> Key {
    let region = region.map(Region::new);
    Key::Part(Part { account: account.parse().unwrap(), kind, region })
}

fn target(name: &str) -> Key {
    Key::Target(name.to_owned())
}

fn event(id: usize) -> Cause {
    let (call, time) = ("s:C".to_owned(), DateTime::UNIX_EPOCH);
    let region = Region::new("eu-west-1");
    let (by, named) = (Box::default(), Arc::default());
    Cause::Event { id: id.to_string(), call, region, time, by, named }
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
    assert_eq!((queue.len(), queue.next_at()), (1, Some(now)));
    let job = queue.take(now).unwrap();
    assert_eq!(job.causes.kept, [Cause::Schedule, Cause::Start]);
    assert!(queue.is_empty() && queue.take(later).is_none());
}

#[test]
fn a_storm_of_events_is_one_look_that_counts_them() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    for id in 0..10_000 {
        queue.add(part(A, "cloudtrail.trail", None), now, event(id));
    }
    queue.add(part(A, "ec2.ebs_encryption", Some("eu-west-1")), now, event(0));
    queue.add(part(B, "cloudtrail.trail", None), now, event(1));
    let job = queue.take(now).unwrap();
    let What::Parts { account, parts } = &job.what else { panic!("{job:?}") };
    assert_eq!((account.as_str(), parts.len()), (A, 2));
    assert_eq!(job.causes.kept.len() + job.causes.more, 10_000);
    let What::Parts { account, .. } = queue.take(now).unwrap().what else { panic!() };
    assert_eq!(account.as_str(), B);
    assert!(queue.is_empty());
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
        let at = queue.next_at().unwrap();
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
    assert_eq!(queue.next_at(), Some(Duration::from_secs(60)));
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
    while let Some(at) = queue.next_at() {
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
    let mut queue = Queue::new(Lanes { parts: 2, targets: 1 });
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
    assert_eq!((queue.take(now), queue.next_at()), (None, None));
    queue.done(&first.what);
    assert_eq!(queue.next_at(), Some(now));
    let What::Parts { account, .. } = queue.take(now).unwrap().what else { panic!() };
    assert_eq!(account.as_str(), A, "who waits longest, and of those the first");
    assert_eq!(queue.take(now), None);
    assert_eq!(queue.late_by(now + Duration::from_secs(7)), Duration::from_secs(7));
}

#[test]
fn a_look_that_was_stopped_is_not_in_hand_any_more() {
    let now = Duration::from_secs(1000);
    let mut queue = Queue::default();
    queue.add(target("t"), now, Cause::Start);
    let job = queue.take(now).unwrap();
    queue.add(target("t"), now, Cause::Schedule);
    assert!(queue.take(now).is_none() && queue.in_hand().len() == 1);
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
        let lanes = Lanes { parts: lanes.0, targets: lanes.1 };
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
            prop_assert_eq!(queue.in_hand(), &in_hand[..]);
            let targets = in_hand.iter().filter(|what| is_target(what)).count();
            let parts = in_hand.len() - targets;
            prop_assert!(targets <= lanes.targets && parts <= lanes.parts);
            prop_assert!(queue.next_at().is_none_or(|at| at > now), "it could be looked at now");
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
