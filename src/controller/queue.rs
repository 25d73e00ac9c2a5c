//! What is to be looked at, and when. Pure: the clock is an argument, the time since the start.
//!
//! Each thing has one slot, and of two wishes the earlier holds, so that a storm of events is one
//! look. What is in hand can be wished for again meanwhile: it is then looked at once more, since
//! nobody knows what the look in hand has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::names::{AccountId, Region};

/// The pause after the first failure; each further one in a row doubles it.
pub const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause after failures.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Looks at a part that fail in a row, after which it is left to its target's schedule: an event may
/// name what is not there.
pub const MOST_FAILURES: u32 = 6;
/// Causes that are kept for each thing; more are only counted.
const CAUSES_KEPT: usize = 16;

/// One kind of an account in one Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: &'static str,
    /// The Region; none where the kind's objects exist once in an account.
    pub region: Option<Region>,
}

/// What can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A part of an account. Parts come before targets.
    Part(Part),
    /// All that a target declares, in all of its accounts.
    Target(String),
}

/// Why something is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The controller has just started.
    Start,
    /// Its schedule says so.
    Schedule,
    /// AWS told of a call that may have changed it.
    Event {
        /// The event's id.
        id: String,
        /// The call, as `cloudtrail.amazonaws.com:DeleteTrail`.
        call: String,
        /// Who AWS says did it.
        by: String,
    },
    /// The look before failed.
    Again {
        /// Failures in a row.
        failures: u32,
    },
}

/// The causes of one look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Causes {
    /// The first ones.
    pub kept: Vec<Cause>,
    /// How many more there were.
    pub more: usize,
}

impl Causes {
    fn add(&mut self, cause: Cause) {
        if self.kept.contains(&cause) {
            return;
        }
        match self.kept.len() < CAUSES_KEPT {
            true => self.kept.push(cause),
            false => self.more += 1,
        }
    }

    fn add_all(&mut self, others: Self) {
        others.kept.into_iter().for_each(|cause| self.add(cause));
        self.more += others.more;
    }
}

/// What is looked at in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What: a target, or parts of one account.
    pub what: What,
    /// Why.
    pub causes: Causes,
}

/// What one run looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A whole target.
    Target(String),
    /// Parts of one account.
    Parts {
        /// The account.
        account: AccountId,
        /// The parts: kinds with their Regions.
        parts: BTreeSet<(&'static str, Option<Region>)>,
    },
}

impl What {
    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Target(name) => vec![Key::Target(name.clone())],
            Self::Parts { account, parts } => parts
                .iter()
                .map(|(kind, region)| {
                    Key::Part(Part { account: account.clone(), kind, region: region.clone() })
                })
                .collect(),
        }
    }
}

/// What is to be looked at.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<Key, Slot>,
    failures: BTreeMap<Key, u32>,
}

#[derive(Debug)]
struct Slot {
    at: Duration,
    causes: Causes,
}

impl Queue {
    /// Wishes for a look at some time. When there is such a wish already, the earlier time holds.
    pub fn add(&mut self, key: Key, at: Duration, cause: Cause) {
        let slot =
            self.waiting.entry(key).or_insert_with(|| Slot { at, causes: Causes::default() });
        slot.at = slot.at.min(at);
        slot.causes.add(cause);
    }

    /// How many things wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the next thing is due, if something waits.
    pub fn next_at(&self) -> Option<Duration> {
        self.waiting.values().map(|slot| slot.at).min()
    }

    /// Takes what one run looks at next, if something is due: the parts of the account that waits
    /// longest, or else the target that does.
    pub fn take(&mut self, now: Duration) -> Option<Job> {
        let due = self.waiting.iter().filter(|(_, slot)| slot.at <= now);
        let key = due.min_by_key(|(key, slot)| (matches!(key, Key::Target(_)), slot.at))?.0.clone();
        match key {
            Key::Target(name) => {
                let slot = self.waiting.remove(&Key::Target(name.clone()))?;
                Some(Job { what: What::Target(name), causes: slot.causes })
            }
            Key::Part(Part { account, .. }) => {
                let with = |key: &Key, slot: &Slot| match key {
                    Key::Part(part) => part.account == account && slot.at <= now,
                    Key::Target(_) => false,
                };
                let mut causes = Causes::default();
                let mut parts = BTreeSet::new();
                for (key, slot) in self.waiting.extract_if(.., |key, slot| with(key, slot)) {
                    if let Key::Part(part) = key {
                        parts.insert((part.kind, part.region));
                    }
                    causes.add_all(slot.causes);
                }
                Some(Job { what: What::Parts { account, parts }, causes })
            }
        }
    }

    /// A look is over, and shall not be repeated before its next cause.
    pub fn done(&mut self, what: &What) {
        what.keys().iter().for_each(|key| {
            self.failures.remove(key);
        });
    }

    /// A look failed: it is repeated after a pause that doubles with each failure in a row.
    /// `spread` between 0 and 1 makes the pause up to a fifth shorter, so that what failed together
    /// does not come back together. A part that failed too often is left to the schedule. Gives the
    /// failures in a row.
    pub fn failed(&mut self, what: &What, now: Duration, spread: f64) -> u32 {
        let mut most = 0;
        for key in what.keys() {
            let failures = self.failures.entry(key.clone()).or_default();
            *failures = failures.saturating_add(1);
            let failures = *failures;
            most = most.max(failures);
            if failures >= MOST_FAILURES && matches!(key, Key::Part(_)) {
                self.failures.remove(&key);
                continue;
            }
            let doubled = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(16));
            let pause = doubled.min(LONGEST_PAUSE).mul_f64(1.0 - spread.clamp(0.0, 1.0) / 5.0);
            self.add(key, now + pause, Cause::Again { failures });
        }
        most
    }

    /// Forgets the targets that are not among these any more.
    pub fn keep_targets(&mut self, names: &BTreeSet<String>) {
        let stays = |key: &Key| match key {
            Key::Target(name) => names.contains(name),
            Key::Part(_) => true,
        };
        self.waiting.retain(|key, _| stays(key));
        self.failures.retain(|key, _| stays(key));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
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
        let (call, by) = ("s:C".to_owned(), "arn".to_owned());
        Cause::Event { id: id.to_string(), call, by }
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
    fn pauses_double_up_to_a_limit_and_a_success_forgets_them() {
        let mut now = Duration::ZERO;
        let mut queue = Queue::default();
        let what = What::Target("t".to_owned());
        let mut pauses = Vec::new();
        for failures in 1..=9 {
            assert_eq!(queue.failed(&what, now, 0.0), failures);
            let at = queue.next_at().unwrap();
            pauses.push((at - now).as_secs());
            now = at;
            assert_eq!(queue.take(now).unwrap().what, what);
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
        queue.done(&what);
        assert_eq!(queue.failed(&what, now, 1.0), 1);
        assert_eq!(queue.next_at().unwrap() - now, FIRST_PAUSE.mul_f64(0.8));
    }

    #[test]
    fn an_event_does_not_wait_for_the_pause_after_a_failure() {
        let now = Duration::from_secs(1000);
        let mut queue = Queue::default();
        let key = part(A, "iam.role", None);
        queue.add(key.clone(), now, event(0));
        let job = queue.take(now).unwrap();
        queue.failed(&job.what, now, 0.0);
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
            assert_eq!(queue.failed(&job.what, now, 0.0), looks);
        }
        assert_eq!((looks, queue.failures.len()), (MOST_FAILURES, 0));
    }

    #[test]
    fn a_target_that_has_gone_is_forgotten() {
        let now = Duration::from_secs(1000);
        let mut queue = Queue::default();
        queue.add(target("old"), now, Cause::Schedule);
        queue.failed(&What::Target("old".to_owned()), now, 0.0);
        queue.add(target("new"), now, Cause::Schedule);
        queue.add(part(A, "iam.role", None), now, event(0));
        queue.keep_targets(&BTreeSet::from(["new".to_owned()]));
        assert_eq!((queue.len(), queue.failures.len()), (2, 0));
    }

    proptest! {
        /// Whatever is wished for is handed out, once, and never before its time.
        #[test]
        fn nothing_is_lost_and_nothing_early(
            wishes in proptest::collection::vec((0_usize..6, 0_u64..100), 0..60),
            steps in proptest::collection::vec(0_u64..30, 0..20),
        ) {
            let start = Duration::ZERO;
            let at = |seconds| start + Duration::from_secs(seconds);
            let keys = [
                target("s"), target("t"), part(A, "iam.role", None),
                part(A, "kms.key", Some("eu-west-1")), part(B, "iam.role", None),
                part(A, "kms.key", Some("us-east-1")),
            ];
            let mut queue = Queue::default();
            let mut earliest: BTreeMap<Key, Duration> = BTreeMap::new();
            for (key, seconds) in wishes {
                queue.add(keys[key].clone(), at(seconds), Cause::Schedule);
                let first = earliest.entry(keys[key].clone()).or_insert_with(|| at(seconds));
                *first = (*first).min(at(seconds));
            }
            let mut now = start;
            for step in steps.into_iter().chain([1_000]) {
                now += Duration::from_secs(step);
                while let Some(job) = queue.take(now) {
                    for key in job.what.keys() {
                        let due = earliest.remove(&key);
                        prop_assert!(due.is_some_and(|due| due <= now), "{key:?}");
                    }
                }
                prop_assert!(earliest.values().all(|due| *due > now));
            }
            prop_assert!(earliest.is_empty() && queue.is_empty());
        }
    }
}
