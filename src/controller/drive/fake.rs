//! Made-up runs, messages and hearts for the tests of the loop, on a made-up clock.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::super::queue::What;
use super::super::waiting::Waiting;
use super::simulated::Simulated;
use super::*;
use crate::fleet::file::schedule;

/// How long a run takes here.
pub const A_RUN: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Fake {
    pub targets: Mutex<BTreeMap<String, Cron>>,
    /// What is wrong with the files.
    pub wrong: Mutex<Option<String>>,
    pub ends: Mutex<VecDeque<Ended>>,
    pub begun: Mutex<Vec<(Duration, What)>>,
    /// What is in hand: an account, or a target's name.
    pub in_hand: Mutex<BTreeSet<String>>,
    /// What wakes the loop next.
    pub waking: Mutex<VecDeque<(Duration, Woken)>>,
    pub lanes: Mutex<Lanes>,
    pub finished: AtomicUsize,
    pub messages: Mutex<VecDeque<Result<Vec<Message>, String>>>,
    pub deleted: Mutex<BTreeSet<String>>,
    pub cannot_delete: AtomicBool,
    /// Messages that were kept from others, and when.
    pub kept: Mutex<Vec<(Duration, usize)>>,
    /// Where calls are made to be heard of, and when; nobody hears of them while it is deaf.
    pub beats: Mutex<Vec<(Duration, AccountId)>>,
    pub is_deaf: AtomicBool,
    /// Whether the events of our own calls come to another controller, and what was passed on by whom.
    pub goes_elsewhere: AtomicBool,
    pub elsewhere: Mutex<Vec<AccountId>>,
    pub passed: Mutex<Vec<(AccountId, String)>>,
    pub sight: Arc<Mutex<Sight>>,
    pub path_every: Mutex<Option<Duration>>,
    pub said: Mutex<Vec<String>>,
    /// How long it takes to keep what waits; what was kept, with how many messages were deleted by then.
    pub keeps_for: Mutex<Duration>,
    pub waits: Mutex<Vec<(Waiting, usize)>>,
    /// What waited when the process before ended.
    pub waited: Mutex<Vec<Waiting>>,
    /// Of others who are gone, what is found and when.
    pub left: Mutex<VecDeque<(Duration, Vec<Waiting>)>>,
    pub clocks: Simulated,
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
        let whom = match &job.what {
            What::Target(name) => name.clone(),
            What::Path(name) => format!("path of {name}"),
            What::Account(account) | What::Parts { account, .. } => account.to_string(),
        };
        assert!(self.in_hand.lock().unwrap().insert(whom.clone()), "{whom} twice at once");
        self.clocks.sleep(A_RUN).await;
        self.in_hand.lock().unwrap().remove(&whom);
        self.finished.fetch_add(1, Ordering::SeqCst);
        self.ends.lock().unwrap().pop_front().unwrap_or(Ended::Done)
    }

    async fn woken(&self) -> Woken {
        let next = self.waking.lock().unwrap().front().cloned();
        let Some((at, woken)) = next else { return std::future::pending().await };
        self.clocks.sleep_until(at).await;
        self.waking.lock().unwrap().pop_front();
        woken
    }

    fn is_ours(&self, event: &Event) -> bool {
        event.by.source_identity.as_deref() == Some("evenkeel-ours")
    }

    async fn keep(&self, waiting: Vec<Waiting>) {
        let time = *self.keeps_for.lock().unwrap();
        if !time.is_zero() {
            self.clocks.sleep(time).await;
        }
        let deleted = self.deleted.lock().unwrap().len();
        self.waits.lock().unwrap().extend(waiting.into_iter().map(|one| (one, deleted)));
    }

    async fn waiting(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.waited.lock().unwrap())
    }

    async fn left_waiting(&self) -> Vec<Waiting> {
        let next = self.left.lock().unwrap().pop_front();
        let Some((at, left)) = next else { return std::future::pending().await };
        self.clocks.sleep_until(at).await;
        left
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

    async fn keep(&self, receipts: Vec<String>) -> Result<(), String> {
        self.kept.lock().unwrap().push((self.clocks.now(), receipts.len()));
        Ok(())
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), String> {
        if self.cannot_delete.load(Ordering::SeqCst) {
            return Err("no".to_owned());
        }
        self.deleted.lock().unwrap().extend(receipts);
        Ok(())
    }

    fn most(&self) -> usize {
        10
    }
}

#[async_trait]
impl Heart for Fake {
    async fn beat(&self, account: &AccountId, _: &Region, mark: &str) -> Result<(), String> {
        self.beats.lock().unwrap().push((self.clocks.now(), account.clone()));
        if self.goes_elsewhere.load(Ordering::SeqCst) && mark != "of another" {
            self.elsewhere.lock().unwrap().push(account.clone());
        } else if !self.is_deaf.load(Ordering::SeqCst) {
            let mut beat = body("CreateTags", account.as_str(), "evenkeel-ours");
            beat["detail"]["eventSource"] = json!("ec2.amazonaws.com");
            beat["detail"]["errorCode"] = json!("Client.DryRunOperation");
            beat["detail"]["requestParameters"] =
                json!({"tagSet": {"items": [{"key": "evenkeel-heartbeat", "value": mark}]}});
            let message = Message { body: beat.to_string(), ..event("CreateTags", "beat", "") };
            self.messages.lock().unwrap().push_back(Ok(vec![message]));
        }
        Ok(())
    }

    fn pass_on(&self, account: &AccountId, mark: &str) {
        self.passed.lock().unwrap().push((account.clone(), mark.to_owned()));
    }

    async fn passed_on(&self, _: &str) -> Vec<AccountId> {
        if !self.goes_elsewhere.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        self.clocks.sleep(Duration::from_secs(10)).await;
        std::mem::take(&mut *self.elsewhere.lock().unwrap())
    }
}

pub fn fake(targets: &[(&str, &str)]) -> Arc<Fake> {
    let fake = Arc::new(Fake::default());
    aim(&fake, targets);
    fake
}

pub fn aim(fake: &Fake, targets: &[(&str, &str)]) {
    let targets = targets.iter().map(|(name, cron)| ((*name).to_owned(), schedule(cron).unwrap()));
    *fake.targets.lock().unwrap() = targets.collect();
    *fake.wrong.lock().unwrap() = None;
}

/// Runs the controller for so long, and then until the run in hand is over.
pub fn controller(fake: &Arc<Fake>) -> Controller {
    let hearing = Arc::clone(fake);
    Controller {
        runs: Arc::clone(fake) as Arc<dyn Runs>,
        inbox: Some(Arc::clone(fake) as Arc<dyn Inbox>),
        hearer: Arc::new(move |said| {
            // What comes with each turn is no news.
            if !matches!(said, Said::Turn { .. } | Said::Stopping | Said::Answered { deaf: None }) {
                hearing.said.lock().unwrap().push(format!("{said:?}"));
            }
        }),
        clocks: Arc::new(fake.clocks.clone()),
        lanes: *fake.lanes.lock().unwrap(),
        sight: Arc::clone(&fake.sight),
        heart: Some(Arc::clone(fake) as Arc<dyn Heart>),
        path_every: *fake.path_every.lock().unwrap(),
        seed: 0,
    }
}

/// Raises the stop after some time.
async fn stopping(clocks: Simulated, time: Duration, stop: Stop) {
    clocks.sleep(time).await;
    stop.raise();
}

pub async fn drive(fake: &Arc<Fake>, time: Duration) {
    let (controller, stop) = (controller(fake), Stop::default());
    let stopping = stopping(fake.clocks.clone(), time, stop.clone());
    tokio::select! {
        biased;
        _ = async { tokio::join!(controller.drive(&stop), stopping) } => {}
        () = fake.clocks.pass() => {}
    }
}

/// The same for much work at a time: time passes only when the thread rests, which it does when nobody is awake.
pub fn drive_to_rest(fake: &Arc<Fake>, time: Duration) {
    let (controller, stop) = (controller(fake), Stop::default());
    let stopping = stopping(fake.clocks.clone(), time, stop.clone());
    let clocks = fake.clocks.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || {
            clocks.go_on();
        })
        .build()
        .unwrap();
    let driving = async move { tokio::join!(controller.drive(&stop), stopping) };
    runtime.block_on(async { tokio::spawn(driving).await.unwrap() });
}

pub fn targets_begun(fake: &Fake) -> Vec<(u64, String)> {
    let begun = fake.begun.lock().unwrap();
    let targets = begun.iter().filter_map(|(at, what)| match what {
        What::Target(name) => Some((at.as_secs(), name.clone())),
        _ => None,
    });
    targets.collect()
}

pub fn body(name: &str, account: &str, identity: &str) -> serde_json::Value {
    json!({
        "detail-type": "AWS API Call via CloudTrail", "account": account, "region": "eu-west-1",
        "detail": {
            "eventID": "e", "eventTime": "2026-03-01T12:00:00Z",
            "eventSource": "cloudtrail.amazonaws.com", "eventName": name,
            "userIdentity": {"arn": "arn:m", "sessionContext": {"sourceIdentity": identity}},
        },
    })
}

pub fn event(name: &str, account: &str, identity: &str) -> Message {
    Message {
        body: body(name, account, identity).to_string(),
        id: format!("{name} {account} {identity}"),
        receipt: format!("{name} {account} {identity}"),
    }
}
