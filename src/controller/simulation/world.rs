//! The accounts, the queue of events and the audit log of a simulation, and what must always hold.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::drive::simulated::Simulated;
use super::super::drive::{Clocks, Heart};
use super::super::in_force::{InForce, Label};
use super::super::inbox::{Inbox, Message};
use super::runs::Process;
use super::{CALM, TROUBLE};
use crate::guards::KillSwitch;
use crate::names::{AccountId, Region};
use crate::store::{Lease, Leases, StoreError};

/// Accounts.
pub const ACCOUNTS: [&str; 4] = ["111111111111", "222222222222", "333333333333", "444444444444"];
/// Kinds, with the call by which somebody changes them; where the Region is none, they are global.
pub const KINDS: [(&str, &str, &str, Option<&str>); 3] = [
    ("cloudtrail.trail", "cloudtrail.amazonaws.com", "UpdateTrail", None),
    ("iam.password_policy", "iam.amazonaws.com", "UpdateAccountPasswordPolicy", None),
    ("ec2.ebs_encryption", "ec2.amazonaws.com", "DisableEbsEncryptionByDefault", Some("eu-west-1")),
];
/// Writes of one run in one account at most.
pub const BUDGET: usize = 2;

/// How long a lease holds without a sign of its holder.
pub const TERM: Duration = Duration::from_secs(60);

/// One object: an account and one of the kinds.
pub type Thing = (AccountId, usize);

/// What the files declare: each target's accounts, and what each kind is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The targets.
    pub targets: BTreeMap<String, Vec<AccountId>>,
    /// What each kind is to be.
    pub wanted: [u64; 3],
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// About to write.
    Intent,
    /// Written, or not.
    Outcome,
    /// Observed again after a run that died.
    Recovered,
}

/// A write: its run and its number.
pub type Write = (u64, u64);

/// When the controller ends, and whether it was asked to.
pub struct Death {
    /// When.
    pub at: Duration,
    /// Whether it may finish the write in hand.
    pub is_kind: bool,
}

/// All that is there.
pub struct World {
    /// The clock.
    pub clocks: Simulated,
    /// The kill switch.
    pub kill_switch: KillSwitch,
    state: Mutex<State>,
}

struct State {
    random: fastrand::Rng,
    things: BTreeMap<Thing, u64>,
    files: InForce<Declared>,
    audit: Vec<(Write, Thing, Line)>,
    open: BTreeMap<Write, Thing>,
    writing: BTreeMap<AccountId, Write>,
    /// Events of calls that came to another process than the one that made the call.
    passed: Vec<(String, AccountId)>,
    /// The leases: who has each, its token, and until when.
    leases: BTreeMap<String, (String, i64, Duration)>,
    lives: u64,
    runs: u64,
    writes_of: BTreeMap<(u64, AccountId), usize>,
    /// Messages by when they come.
    messages: Vec<(Duration, Message)>,
    given: u64,
    undeleted: BTreeSet<String>,
    trouble: bool,
    said: Vec<String>,
}

impl World {
    /// A first one, in which nothing is as declared.
    pub fn new(seed: u64, clocks: Simulated) -> Self {
        let all: Vec<AccountId> = ACCOUNTS.iter().map(|id| id.parse().unwrap()).collect();
        let things =
            all.iter().flat_map(|account| (0..KINDS.len()).map(|kind| (account.clone(), kind)));
        let targets = [("s", all[..3].to_vec()), ("t", all[2..].to_vec())];
        let targets = targets.map(|(name, accounts)| (name.to_owned(), accounts)).into();
        let declared = Declared { targets, wanted: [1; 3] };
        let label = Label { digest: "1".to_owned(), commit: None };
        let state = State {
            random: fastrand::Rng::with_seed(seed),
            things: things.map(|thing| (thing, 0)).collect(),
            files: InForce::new(declared, label, clocks.wall()),
            audit: Vec::new(),
            open: BTreeMap::new(),
            writing: BTreeMap::new(),
            passed: Vec::new(),
            leases: BTreeMap::new(),
            lives: 0,
            runs: 0,
            writes_of: BTreeMap::new(),
            messages: Vec::new(),
            given: 0,
            undeleted: BTreeSet::new(),
            trouble: true,
            said: Vec::new(),
        };
        Self { clocks, kill_switch: KillSwitch::default(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what happens.
    pub fn say(&self, what: &str) {
        let line = format!("{:9.3} {what}", self.clocks.now().as_secs_f64());
        self.state().said.push(line);
    }

    /// All that happened.
    pub fn said(&self) -> Vec<String> {
        self.state().said.clone()
    }

    /// A number below another one.
    pub fn number(&self, below: u64) -> u64 {
        self.state().random.u64(0..below.max(1))
    }

    /// Whether something happens that does so once in so many times, as long as there is trouble.
    pub fn happens(&self, once_in: u64) -> bool {
        let mut state = self.state();
        let happens = state.random.u64(0..once_in) == 0;
        happens && state.trouble
    }

    /// Takes a while.
    pub async fn takes(&self, most_milliseconds: u64) {
        let pause = Duration::from_millis(1 + self.number(most_milliseconds));
        self.clocks.sleep(pause).await;
    }

    /// When the controller ends next.
    pub fn next_death(&self) -> Death {
        let mut state = self.state();
        let after = Duration::from_millis(1 + state.random.u64(0..40 * 60 * 1000));
        let is_kind = state.random.bool();
        let at = self.clocks.now() + after;
        match at < TROUBLE {
            true => Death { at, is_kind },
            false => Death { at: TROUBLE + CALM, is_kind },
        }
    }

    /// The end of the trouble.
    pub fn calm(&self) {
        self.state().trouble = false;
        if self.kill_switch.pulled().is_some() {
            self.kill_switch.toggle();
        }
        self.say("calm");
    }

    /// The files in force.
    pub fn files(&self) -> Declared {
        Declared::clone(&self.state().files.good().what)
    }

    /// Somebody offers other files; odd numbers are not valid.
    pub fn offer(&self, number: u64) {
        let mut declared = self.files();
        declared.wanted = [number; 3];
        let found = if number % 2 == 1 { Ok(declared) } else { Err("invalid".to_owned()) };
        let label = Label { digest: number.to_string(), commit: None };
        let offer = self.state().files.offer(label, found, self.clocks.wall());
        self.say(&format!("files {number}: {offer:?}"));
    }

    /// What a thing is now.
    pub fn thing(&self, thing: &Thing) -> u64 {
        self.state().things[thing]
    }

    /// Somebody sets a thing, and AWS may tell of it.
    pub fn set(&self, thing: &Thing, value: u64, identity: &str) {
        let silent = {
            let mut state = self.state();
            // Without its trail, an account tells nothing.
            let trail = (thing.0.clone(), 0);
            let wanted = state.files.good().what.wanted[0];
            let is_blind = state.things[&trail] != wanted;
            state.things.insert(thing.clone(), value);
            is_blind
        };
        self.say(&format!("{identity} sets {} {} to {value}", thing.0, KINDS[thing.1].0));
        if !silent {
            let (_, source, name, _) = KINDS[thing.1];
            self.tell(&thing.0, source, name, identity, json!(null));
        }
    }

    fn tell(&self, account: &AccountId, source: &str, name: &str, identity: &str, request: Value) {
        let mut state = self.state();
        state.given += 1;
        let id = format!("e{}", state.given);
        let body = json!({
            "detail-type": "AWS API Call via CloudTrail", "account": account, "region": "eu-west-1",
            "detail": {
                "eventID": id, "eventTime": self.clocks.wall(), "eventSource": source,
                "eventName": name, "requestParameters": request,
                "userIdentity": {"arn": "arn:m", "sessionContext": {"sourceIdentity": identity}},
            },
        });
        // Lost, once, or twice; late, and so out of order.
        let copies = match (state.trouble, state.random.u64(0..20)) {
            (true, 0) => 0,
            (true, 1..=3) => 2,
            _ => 1,
        };
        for copy in 0..copies {
            let late = Duration::from_millis(state.random.u64(0..20_000));
            let text = if state.trouble && state.random.u64(0..50) == 0 {
                "?".to_owned()
            } else {
                body.to_string()
            };
            let message = Message { body: text, receipt: format!("{id}.{copy}"), is_first: true };
            state.messages.push((self.clocks.now() + late, message));
        }
    }

    /// A run of a process begins.
    pub fn begin_run(&self) -> u64 {
        let mut state = self.state();
        state.runs += 1;
        state.runs
    }

    /// The intents that have no outcome.
    pub fn unfinished(&self) -> Vec<(Write, Thing)> {
        self.state().open.iter().map(|(write, thing)| (*write, thing.clone())).collect()
    }

    /// Whether a token is that of the lease which holds now.
    pub fn is_held(&self, account: &AccountId, token: Option<i64>) -> bool {
        let now = self.clocks.now();
        let state = self.state();
        let lease = state.leases.get(account.as_str());
        lease.is_some_and(|(_, held, until)| Some(*held) == token && *until > now)
    }

    /// A process begins another life; gives its number.
    pub fn begin_life(&self) -> u64 {
        let mut state = self.state();
        state.lives += 1;
        state.lives
    }

    /// A controller stands still for so long that its leases run out, but for those of writes that are
    /// on their way.
    pub fn lose_leases(&self) {
        let now = self.clocks.now();
        let mut state = self.state();
        let State { leases, writing, .. } = &mut *state;
        for (name, (.., until)) in leases.iter_mut() {
            if !writing.keys().any(|account| account.as_str() == name) {
                *until = (*until).min(now);
            }
        }
        drop(state);
        self.say("leases are lost");
    }

    /// A write is about to be sent; false where somebody else has the lease by now.
    pub fn intends(&self, write: Write, thing: &Thing, token: i64) -> bool {
        assert_eq!(self.kill_switch.pulled(), None, "a write begins while the kill switch is on");
        let now = self.clocks.now();
        let mut state = self.state();
        let held = state.leases.get_mut(thing.0.as_str());
        let Some((.., until)) = held.filter(|(_, held, until)| *held == token && *until > now)
        else {
            drop(state);
            self.say(&format!("{write:?} lost its lease of {}", thing.0));
            return false;
        };
        *until = now + TERM;
        let other = state.writing.insert(thing.0.clone(), write);
        assert_eq!(other, None, "two write to {}", thing.0);
        assert!(state.open.insert(write, thing.clone()).is_none(), "{write:?} is begun twice");
        let done = state.writes_of.entry((write.0, thing.0.clone())).or_default();
        *done += 1;
        assert!(*done <= BUDGET, "run {} is over its budget in {}", write.0, thing.0);
        state.audit.push((write, thing.clone(), Line::Intent));
        true
    }

    /// A write comes to AWS.
    pub fn writes(&self, write: Write, thing: &Thing, value: u64, identity: &str) {
        assert_eq!(self.state().open.get(&write), Some(thing), "a write without intent");
        self.set(thing, value, identity);
    }

    /// What came of a write is noted.
    pub fn notes(&self, write: Write, line: Line) {
        let mut state = self.state();
        let thing = state.open.remove(&write);
        let thing = thing.unwrap_or_else(|| panic!("{write:?} has no intent, or two outcomes"));
        if state.writing.get(&thing.0) == Some(&write) {
            state.writing.remove(&thing.0);
        }
        state.audit.push((write, thing, line));
    }

    /// A process is no more.
    pub fn died(&self, process: &Process) {
        let mut state = self.state();
        let runs = process.runs();
        state.writing.retain(|_, write| !runs.contains(&write.0));
    }

    /// What must hold when all has come to rest.
    pub fn at_rest(&self) {
        let state = self.state();
        let wanted = state.files.good().what.wanted;
        for ((account, kind), value) in &state.things {
            assert_eq!(*value, wanted[*kind], "{account} {} is not as declared", KINDS[*kind].0);
        }
        assert!(state.open.is_empty(), "writes that nobody looked after: {:?}", state.open);
        let intents = state.audit.iter().filter(|(.., line)| *line == Line::Intent).count();
        assert_eq!(intents * 2, state.audit.len(), "each intent has one end");
        assert!(intents >= ACCOUNTS.len() * KINDS.len(), "something was written");
        assert!(state.undeleted.is_empty(), "messages that are left: {:?}", state.undeleted);
    }
}

/// The leases of the world, for one life of one process.
pub struct Leasing {
    /// The world.
    pub world: Arc<World>,
    /// Whether the process is dead: whatever is left of it asks for nothing any more.
    pub is_dead: Arc<AtomicBool>,
}

impl Leasing {
    fn ask(&self) -> Result<(), StoreError> {
        let is_away = self.is_dead.load(Ordering::SeqCst) || self.world.happens(100);
        let gone = || StoreError::Unreachable { store: "world".to_owned(), why: "away".to_owned() };
        if is_away { Err(gone()) } else { Ok(()) }
    }

    fn until(&self, lease: &Lease, term: Duration) -> Result<(), StoreError> {
        let until = self.world.clocks.now() + term;
        let mut state = self.world.state();
        let held = state.leases.get_mut(&lease.name).filter(|held| held.1 == lease.token);
        let lost = || StoreError::LeaseLost { name: lease.name.clone(), why: String::new() };
        held.map(|held| held.2 = until).ok_or_else(lost)
    }
}

#[async_trait]
impl Leases for Leasing {
    async fn claim(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
    ) -> Result<Vec<Lease>, StoreError> {
        self.ask()?;
        let now = self.world.clocks.now();
        let mut state = self.world.state();
        let mut taken = Vec::new();
        for name in names {
            let lease = state.leases.entry(name.clone()).or_default();
            if lease.2 <= now && taken.len() < most {
                *lease = (holder.to_owned(), lease.1 + 1, now + term);
                let (name, holder) = (name.clone(), holder.to_owned());
                taken.push(Lease { name, holder, token: lease.1 });
            }
        }
        Ok(taken)
    }

    async fn renew(&self, lease: &Lease, term: Duration) -> Result<(), StoreError> {
        self.ask()?;
        self.until(lease, term)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.ask()?;
        self.until(lease, Duration::ZERO).or(Ok(()))
    }

    async fn release_all(&self, holder: &str) -> Result<(), StoreError> {
        self.ask()?;
        let now = self.world.clocks.now();
        let mut state = self.world.state();
        let own = state.leases.values_mut().filter(|lease| lease.0 == holder);
        own.for_each(|lease| lease.2 = lease.2.min(now));
        Ok(())
    }
}

#[async_trait]
impl Inbox for World {
    async fn receive(&self) -> Result<Vec<Message>, String> {
        if self.happens(200) {
            return Err("the queue is away".to_owned());
        }
        let until = self.clocks.now() + Duration::from_secs(20);
        loop {
            let now = self.clocks.now();
            let next = {
                let mut state = self.state();
                let due: Vec<_> =
                    state.messages.extract_if(.., |(at, _)| *at <= now).take(10).collect();
                let due: Vec<Message> = due.into_iter().map(|(_, message)| message).collect();
                if !due.is_empty() || now >= until {
                    let real = due.iter().filter(|message| message.body != "?");
                    let receipts: Vec<_> = real.map(|message| message.receipt.clone()).collect();
                    state.undeleted.extend(receipts);
                    // Who dies with them is given them again.
                    let again =
                        due.iter().cloned().map(|message| (now + Duration::from_secs(60), message));
                    let again: Vec<_> = again.filter(|(_, message)| message.body != "?").collect();
                    state.messages.extend(again);
                    return Ok(due);
                }
                state.messages.iter().map(|(at, _)| *at).min()
            };
            let next = next.unwrap_or(until).max(now + Duration::from_millis(1));
            self.clocks.sleep_until(next.min(until)).await;
        }
    }

    async fn keep(&self, _: Vec<String>) -> Result<(), String> {
        Ok(())
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), String> {
        if self.happens(50) {
            return Err("cannot delete".to_owned());
        }
        let mut state = self.state();
        for receipt in receipts {
            state.undeleted.remove(&receipt);
            state.messages.retain(|(_, message)| message.receipt != receipt);
        }
        Ok(())
    }

    fn most(&self) -> usize {
        10
    }
}

#[async_trait]
impl Heart for World {
    fn pass_on(&self, account: &AccountId, mark: &str) {
        self.state().passed.push((mark.to_owned(), account.clone()));
    }

    async fn passed_on(&self, mark: &str) -> Vec<AccountId> {
        self.clocks.sleep(Duration::from_secs(10)).await;
        let mut state = self.state();
        let passed = state.passed.extract_if(.., |(of, _)| of == mark);
        passed.map(|(_, account)| account).collect()
    }

    async fn beat(&self, account: &AccountId, _: &Region, mark: &str) -> Result<(), String> {
        self.takes(500).await;
        if self.happens(20) {
            return Err("no answer".to_owned());
        }
        let trail = (account.clone(), 0);
        if self.thing(&trail) == self.files().wanted[0] {
            let request =
                json!({"tagSet": {"items": [{"key": "evenkeel-heartbeat", "value": mark}]}});
            self.tell(account, "ec2.amazonaws.com", "CreateTags", "beat", request);
        }
        Ok(())
    }
}
