use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::super::channel::Channel;
use super::super::letter::{AffectedObject, Letter, Notice, Reader, Status};
use super::super::matter::{About, Subject};
use super::*;
use crate::fleet::notify::{Common, Filter, On, Severity};
use crate::store::memory::InMemory;

/// A channel that takes what it is sent, refuses, or never answers.
#[derive(Default)]
struct Made {
    refuses: AtomicBool,
    hangs: bool,
    taken: Mutex<Vec<String>>,
}

#[async_trait]
impl Channel for Arc<Made> {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.refuses.load(Ordering::SeqCst) {
            return Err(NotSent::because("no"));
        }
        self.taken.lock().unwrap().push(letter.id.clone());
        Ok(())
    }
}

fn reached(name: &str, channel: &Arc<Made>, per_hour: u32) -> Reached {
    let filter = Filter {
        on: On::ALL.into(),
        severity: Severity::Low,
        kinds: Default::default(),
        targets: Default::default(),
    };
    Reached {
        name: name.to_owned(),
        common: Common { filter, per_hour },
        reader: Reader::People,
        channel: Box::new(Arc::clone(channel)),
    }
}

fn letter(number: u32) -> Letter {
    let notice = Notice {
        id: format!("notice-{number}"),
        status: Status::New,
        on: On::Drift,
        severity: Severity::Medium,
        what: Vec::new(),
        did: String::new(),
        look: String::new(),
        places: vec![AffectedObject {
            subject: Subject::named(number.to_string(), "x"),
            since: Utc::now(),
            by: Vec::new(),
            more_by: 0,
            not_kept: 0,
        }],
        count: 1,
    };
    Letter::of(Utc::now(), About::default(), vec![notice])
}

async fn put(memory: &dyn Memory, channel: &str, number: u32, ago: TimeDelta) {
    outbox::put(memory, channel, Reader::People, letter(number), Utc::now() - ago).await.unwrap();
}

#[tokio::test]
async fn a_channel_that_hangs_or_refuses_keeps_nobody_waiting_and_loses_nothing() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let good = Arc::new(Made::default());
    let refusing = Arc::new(Made { refuses: true.into(), ..Made::default() });
    let hanging = Arc::new(Made { hangs: true, ..Made::default() });
    for name in ["slack.good", "slack.refusing", "slack.hanging"] {
        put(memory.as_ref(), name, 1, TimeDelta::zero()).await;
    }
    let channels = vec![
        reached("slack.hanging", &hanging, 10),
        reached("slack.refusing", &refusing, 10),
        reached("slack.good", &good, 10),
    ];
    let longest = Duration::from_millis(20);
    let courier = Courier { longest, ..Courier::new(Arc::clone(&memory), channels) };
    assert_eq!(courier.round().await, Round { sent: 1, left: 2 });
    assert_eq!(good.taken.lock().unwrap().len(), 1);
    for (name, why) in [("slack.refusing", "no"), ("slack.hanging", "longer than 20ms")] {
        let waiting = outbox::waiting(memory.as_ref(), name).await.unwrap();
        let (_, waiting) = &waiting[0];
        assert!(waiting.why.as_ref().unwrap().contains(why), "{waiting:?}");
        assert!(waiting.tries == 1 && !waiting.is_due(Utc::now()), "{waiting:?}");
    }
    // It is not tried again before its time, and nobody else tries it.
    refusing.refuses.store(false, Ordering::SeqCst);
    assert_eq!(courier.round().await, Round { sent: 0, left: 2 });
}

#[tokio::test]
async fn of_two_couriers_one_sends() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let channel = Arc::new(Made::default());
    for number in 0..5 {
        put(memory.as_ref(), "slack.x", number, TimeDelta::zero()).await;
    }
    // The same once more is the same.
    put(memory.as_ref(), "slack.x", 0, TimeDelta::zero()).await;
    let courier = || Courier::new(Arc::clone(&memory), vec![reached("slack.x", &channel, 100)]);
    let (one, other) = (courier(), courier());
    futures::future::join(one.round(), other.round()).await;
    let mut taken = channel.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 5);
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 5);
    assert!(outbox::waiting(memory.as_ref(), "slack.x").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_hour_has_its_limit_and_what_waits_comes_together() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let channel = Arc::new(Made::default());
    let courier = Courier::new(Arc::clone(&memory), vec![reached("slack.x", &channel, 3)]);
    for number in 0..100 {
        put(memory.as_ref(), "slack.x", number, TimeDelta::zero()).await;
    }
    let waiting = outbox::waiting(memory.as_ref(), "slack.x").await.unwrap();
    assert_eq!(waiting.len(), 20);
    let notices = waiting.iter().map(|(_, one)| one.letter.notices.len() + one.letter.more);
    assert_eq!(notices.sum::<usize>(), 100);
    assert_eq!(courier.round().await, Round { sent: 3, left: 17 });
    assert_eq!(courier.round().await, Round { sent: 0, left: 17 });
}

#[tokio::test]
async fn what_a_channel_did_not_take_keeps_nothing_else_waiting_for_an_hour() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let channel = Arc::new(Made { refuses: true.into(), ..Made::default() });
    let courier = Courier::new(Arc::clone(&memory), vec![reached("slack.x", &channel, 2)]);
    for number in 0..3 {
        put(memory.as_ref(), "slack.x", number, TimeDelta::zero()).await;
    }
    assert_eq!(courier.round().await, Round { sent: 0, left: 3 });
    channel.refuses.store(false, Ordering::SeqCst);
    for number in 3..6 {
        put(memory.as_ref(), "slack.x", number, TimeDelta::zero()).await;
    }
    assert_eq!(courier.round().await, Round { sent: 2, left: 4 });
}

#[tokio::test]
async fn what_is_urgent_goes_first_but_not_before_what_it_ends() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let channel = Arc::new(Made::default());
    let courier = Courier::new(Arc::clone(&memory), vec![reached("slack.x", &channel, 2)]);
    let urgent = |number| {
        let mut letter = letter(number);
        letter.notices[0].severity = Severity::High;
        letter
    };
    for number in 0..3 {
        put(memory.as_ref(), "slack.x", number, TimeDelta::minutes(i64::from(9 - number))).await;
    }
    // About the first; and about something else.
    let mut again = urgent(0).notices;
    again[0].id = "again".to_owned();
    let again = Letter::of(Utc::now(), About::default(), again);
    let (again_id, other) = (again.id.clone(), urgent(7));
    let other_id = other.id.clone();
    for one in [again, other] {
        outbox::put(memory.as_ref(), "slack.x", Reader::People, one, Utc::now()).await.unwrap();
    }
    assert_eq!(courier.round().await, Round { sent: 2, left: 3 });
    let taken = channel.taken.lock().unwrap().clone();
    assert_eq!(taken[0], other_id);
    assert!(!taken.contains(&again_id), "{taken:?}");
}

#[tokio::test]
async fn what_is_a_week_old_and_never_arrived_is_given_up() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let channel = Arc::new(Made { refuses: true.into(), ..Made::default() });
    let courier = Courier::new(Arc::clone(&memory), vec![reached("slack.x", &channel, 9)]);
    put(memory.as_ref(), "slack.x", 1, TimeDelta::days(8)).await;
    // It is tried at least once, however old it is.
    assert_eq!(courier.round().await, Round { sent: 0, left: 1 });
    assert_eq!(courier.round().await, Round::default());
}

#[tokio::test]
async fn the_end_of_something_waits_for_its_beginning() {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let channel = Arc::new(Made { refuses: true.into(), ..Made::default() });
    let courier = Courier::new(Arc::clone(&memory), vec![reached("slack.x", &channel, 9)]);
    put(memory.as_ref(), "slack.x", 1, TimeDelta::seconds(2)).await;
    assert_eq!(courier.round().await, Round { sent: 0, left: 1 });
    channel.refuses.store(false, Ordering::SeqCst);
    let mut over = letter(1);
    over.notices[0].id = "over".to_owned();
    let over = Letter::of(over.time, over.about, over.notices);
    outbox::put(memory.as_ref(), "slack.x", Reader::People, over, Utc::now()).await.unwrap();
    put(memory.as_ref(), "slack.x", 2, TimeDelta::zero()).await;
    assert_eq!(courier.round().await, Round { sent: 1, left: 2 });
}
