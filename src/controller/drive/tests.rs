//! The loop on a made-up clock, with made-up runs and messages.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::super::queue::What;
use super::*;
use crate::fleet::file::schedule;

/// How long a run takes here.
const A_RUN: Duration = Duration::from_secs(5);

/// A clock that goes on to the next thing to wake whenever nobody has anything to do.
#[derive(Clone, Default)]
struct Simulated(Arc<Mutex<Passing>>);

#[derive(Default)]
struct Passing {
    now: Duration,
    /// Who sleeps, until when; of those until the same time, who came first.
    sleeping: BTreeMap<(Duration, usize), oneshot::Sender<()>>,
    came: usize,
}

impl Simulated {
    async fn sleep(&self, pause: Duration) {
        self.sleep_until(self.now() + pause).await;
    }

    /// Lets the time pass, for ever.
    async fn pass(&self) {
        loop {
            // All that is awake has its turns first.
            for _ in 0..64 {
                tokio::task::yield_now().await;
            }
            let mut passing = self.0.lock().unwrap();
            let Some(((at, _), sleeper)) = passing.sleeping.pop_first() else { continue };
            if sleeper.is_closed() {
                continue;
            }
            passing.now = passing.now.max(at);
            sleeper.send(()).unwrap();
        }
    }
}

#[async_trait]
impl Clocks for Simulated {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn wall(&self) -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + self.now()
    }

    async fn sleep_until(&self, at: Duration) {
        let waking = {
            let mut passing = self.0.lock().unwrap();
            if at <= passing.now {
                return;
            }
            let (sleeper, waking) = oneshot::channel();
            passing.came += 1;
            let place = (at, passing.came);
            passing.sleeping.insert(place, sleeper);
            waking
        };
        waking.await.unwrap();
    }
}

#[derive(Default)]
struct Fake {
    targets: Mutex<BTreeMap<String, Cron>>,
    /// What is wrong with the files.
    wrong: Mutex<Option<String>>,
    ends: Mutex<VecDeque<Ended>>,
    begun: Mutex<Vec<(Duration, What)>>,
    in_hand: AtomicUsize,
    finished: AtomicUsize,
    messages: Mutex<VecDeque<Result<Vec<Message>, String>>>,
    deleted: Mutex<BTreeSet<String>>,
    cannot_delete: AtomicBool,
    said: Mutex<Vec<String>>,
    clocks: Simulated,
}

#[async_trait]
impl Runs for Fake {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        match self.wrong.lock().unwrap().clone() {
            Some(why) => Err(why),
            None => Ok(self.targets.lock().unwrap().clone()),
        }
    }

    async fn run(&self, job: &Job) -> Ended {
        self.begun.lock().unwrap().push((self.clocks.now(), job.what.clone()));
        assert_eq!(self.in_hand.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        self.clocks.sleep(A_RUN).await;
        self.in_hand.fetch_sub(1, Ordering::SeqCst);
        self.finished.fetch_add(1, Ordering::SeqCst);
        self.ends.lock().unwrap().pop_front().unwrap_or(Ended::Done)
    }

    fn is_ours(&self, event: &Event) -> bool {
        event.by.source_identity.as_deref() == Some("evenkeel-ours")
    }
}

#[async_trait]
impl Inbox for Fake {
    async fn receive(&self) -> Result<Vec<Message>, String> {
        let next = self.messages.lock().unwrap().pop_front();
        match next {
            Some(received) => received,
            None => {
                self.clocks.sleep(Duration::from_secs(1)).await;
                Ok(Vec::new())
            }
        }
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), String> {
        if self.cannot_delete.load(Ordering::SeqCst) {
            return Err("no".to_owned());
        }
        self.deleted.lock().unwrap().extend(receipts);
        Ok(())
    }
}

fn fake(targets: &[(&str, &str)]) -> Arc<Fake> {
    let fake = Arc::new(Fake::default());
    aim(&fake, targets);
    fake
}

fn aim(fake: &Fake, targets: &[(&str, &str)]) {
    let targets = targets.iter().map(|(name, cron)| ((*name).to_owned(), schedule(cron).unwrap()));
    *fake.targets.lock().unwrap() = targets.collect();
    *fake.wrong.lock().unwrap() = None;
}

/// Runs the controller for so long, and then until the run in hand is over.
async fn drive(fake: &Arc<Fake>, time: Duration) {
    let hearing = Arc::clone(fake);
    let controller = Controller {
        runs: Arc::clone(fake) as Arc<dyn Runs>,
        inbox: Some(Arc::clone(fake) as Arc<dyn Inbox>),
        hearer: Arc::new(move |said| hearing.said.lock().unwrap().push(format!("{said:?}"))),
        clocks: Arc::new(fake.clocks.clone()),
    };
    let stop = Stop::default();
    let raising = stop.clone();
    let clocks = fake.clocks.clone();
    let stopping = async move {
        clocks.sleep(time).await;
        raising.raise();
    };
    tokio::select! {
        _ = async { tokio::join!(controller.drive(&stop), stopping) } => {}
        () = fake.clocks.pass() => {}
    }
}

fn targets_begun(fake: &Fake) -> Vec<(u64, String)> {
    let begun = fake.begun.lock().unwrap();
    let targets = begun.iter().filter_map(|(at, what)| match what {
        What::Target(name) => Some((at.as_secs(), name.clone())),
        What::Parts { .. } => None,
    });
    targets.collect()
}

fn event(name: &str, account: &str, identity: &str) -> Message {
    let body = json!({
        "detail-type": "AWS API Call via CloudTrail", "account": account, "region": "eu-west-1",
        "detail": {
            "eventID": "e", "eventTime": "2026-03-01T12:00:00Z",
            "eventSource": "cloudtrail.amazonaws.com", "eventName": name,
            "userIdentity": {"arn": "arn:m", "sessionContext": {"sourceIdentity": identity}},
        },
    });
    Message { body: body.to_string(), receipt: format!("{name} {account} {identity}") }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_target_is_looked_at_first_at_the_start_and_then_by_its_schedule() {
    let fake = fake(&[("often", "0 */10 * * * *"), ("seldom", "0 0 * * * *")]);
    drive(&fake, 25 * MINUTE).await;
    let expected = [(0, "often"), (5, "seldom"), (600, "often"), (1200, "often")];
    assert_eq!(targets_begun(&fake), expected.map(|(at, name)| (at, name.to_owned())));
}

#[tokio::test]
async fn an_event_is_looked_at_at_once_and_its_message_is_deleted() {
    let fake = fake(&[]);
    let storm: Vec<_> = (0..1000).map(|_| event("DeleteTrail", "111122223333", "m")).collect();
    fake.messages.lock().unwrap().push_back(Ok(storm));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert!(begun[0].0 < Duration::from_millis(200), "{begun:?}");
    assert_eq!(fake.deleted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_during_a_run_waits_for_it_and_comes_before_targets() {
    let fake = fake(&[("a", "0 0 0 * * *"), ("b", "0 0 0 * * *")]);
    fake.messages.lock().unwrap().push_back(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    let order: Vec<_> = begun.iter().map(|(_, what)| matches!(what, What::Target(_))).collect();
    assert_eq!(order, [true, false, true]);
}

#[tokio::test]
async fn our_own_calls_are_no_cause() {
    let fake = fake(&[]);
    let ours = event("UpdateTrail", "111122223333", "evenkeel-ours");
    let another = event("UpdateTrail", "444455556666", "evenkeel-other");
    fake.messages.lock().unwrap().push_back(Ok(vec![ours, another]));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert!(
        matches!(&begun[..], [(_, What::Parts { account, .. })] if account.as_str() == "444455556666"),
        "{begun:?}"
    );
    assert_eq!(fake.deleted.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_left_to_the_dead_letters() {
    let fake = fake(&[]);
    let odd = Message { body: "?".to_owned(), receipt: "odd".to_owned() };
    fake.messages.lock().unwrap().push_back(Ok(vec![odd]));
    drive(&fake, MINUTE).await;
    assert!(fake.deleted.lock().unwrap().is_empty() && fake.begun.lock().unwrap().is_empty());
    assert!(fake.said.lock().unwrap().iter().any(|said| said.contains("NoEvent")));
}

#[tokio::test]
async fn what_failed_is_repeated_and_what_was_not_deleted_does_no_harm() {
    let fake = fake(&[]);
    fake.cannot_delete.store(true, Ordering::SeqCst);
    fake.ends.lock().unwrap().extend([Ended::Again, Ended::Again]);
    fake.messages.lock().unwrap().push_back(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    drive(&fake, 10 * MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    let at: Vec<u64> = begun.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(at.len(), 3, "{at:?}");
    assert!((17..=20).contains(&(at[1] - at[0])) && (29..=35).contains(&(at[2] - at[1])), "{at:?}");
}

#[tokio::test]
async fn a_queue_that_cannot_be_asked_is_said_and_asked_again() {
    let fake = fake(&[]);
    let mut messages = vec![Err("down".to_owned()); 3];
    messages.push(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    fake.messages.lock().unwrap().extend(messages);
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert_eq!(begun[0].0.as_secs(), 1 + 2 + 4);
    assert_eq!(fake.said.lock().unwrap().iter().filter(|said| said.contains("Deaf")).count(), 3);
}

#[tokio::test]
async fn files_that_break_are_said_once_and_the_last_good_ones_hold() {
    let fake = fake(&[("t", "0 */10 * * * *")]);
    let breaking = Arc::clone(&fake);
    let later = async move {
        breaking.clocks.sleep(MINUTE).await;
        *breaking.wrong.lock().unwrap() = Some("line 3".to_owned());
        breaking.clocks.sleep(20 * MINUTE).await;
        aim(&breaking, &[("u", "0 */10 * * * *")]);
    };
    tokio::join!(drive(&fake, 25 * MINUTE), later);
    let begun: Vec<_> = targets_begun(&fake).into_iter().map(|(_, name)| name).collect();
    assert_eq!(begun, ["t", "t", "t", "u"]);
    assert_eq!(fake.said.lock().unwrap().iter().filter(|said| said.contains("line 3")).count(), 1);
}

#[tokio::test]
async fn the_run_in_hand_comes_to_its_end_and_no_other_begins() {
    let fake = fake(&[("a", "0 0 0 * * *"), ("b", "0 0 0 * * *")]);
    drive(&fake, Duration::from_secs(2)).await;
    assert_eq!(fake.begun.lock().unwrap().len(), 1);
    assert_eq!(fake.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn nothing_is_run_where_nothing_is_declared_and_nothing_happens() {
    let fake = fake(&[]);
    drive(&fake, 60 * MINUTE).await;
    assert!(fake.begun.lock().unwrap().is_empty() && fake.said.lock().unwrap().is_empty());
}
