//! The accounts, the queue of events, the store and the audit log of a simulation, and what must
//! always hold.

#![allow(clippy::unwrap_used)]

mod files;
mod log;
mod people;
mod rest;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::clocks::Clocks;
use super::super::drive::simulated::Simulated;
use super::super::files::Files;
use super::super::inbox::Message;
use super::super::sight::Sight;
use super::declared::{ACCOUNTS, KINDS, Thing};
use super::leases::AllLeases;
use super::ledger::Ledger;
use super::{CALM, Story, TROUBLE};
use crate::guards::KillSwitch;
use crate::names::AccountId;
use crate::reconcile::Stop;
use crate::store::memory::InMemory;
use files::Shelf;

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
pub type Write = (u64, u32);

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
    /// Who has which account.
    pub leases: AllLeases,
    /// What guards remember.
    pub memory: Arc<InMemory>,
    /// Raised when all is at rest.
    pub over: Stop,
    state: Mutex<State>,
}

pub(super) struct State {
    random: fastrand::Rng,
    things: BTreeMap<Thing, u64>,
    shelf: Shelf,
    /// What each version has declared, by the digest of its baseline.
    versions: BTreeMap<String, [u64; 3]>,
    ledger: Ledger,
    audit: Vec<(Write, Thing, Line)>,
    open: BTreeMap<Write, Thing>,
    writing: BTreeMap<AccountId, Write>,
    /// The ids of all runs, by their numbers.
    runs: Vec<String>,
    writes_of: BTreeMap<(u64, AccountId), usize>,
    /// Messages by when they come.
    pub(super) messages: Vec<(Duration, Message)>,
    given: u64,
    pub(super) undeleted: BTreeSet<String>,
    /// The accounts in which AWS accepts no write, and until when.
    refusing: (BTreeSet<AccountId>, Duration),
    store_is_back: Duration,
    trouble: bool,
    sight: Option<Arc<Mutex<Sight>>>,
    story: Option<Story>,
}

impl World {
    /// A first one, in which nothing is as declared.
    pub fn new(seed: u64, clocks: Simulated, story: Option<Story>) -> Self {
        let all: Vec<AccountId> = ACCOUNTS.iter().map(|id| Self::account(id)).collect();
        let things =
            all.iter().flat_map(|account| (0..KINDS.len()).map(|kind| (account.clone(), kind)));
        let mut random = fastrand::Rng::with_seed(seed);
        let shelf = Shelf::new(&mut random);
        let mut ledger = Ledger::default();
        shelf.rules().confirmed.iter().for_each(|target| ledger.confirm(target));
        let state = State {
            random,
            things: things.map(|thing| (thing, 0)).collect(),
            shelf,
            versions: BTreeMap::new(),
            ledger,
            audit: Vec::new(),
            open: BTreeMap::new(),
            writing: BTreeMap::new(),
            runs: Vec::new(),
            writes_of: BTreeMap::new(),
            messages: Vec::new(),
            given: 0,
            undeleted: BTreeSet::new(),
            refusing: (BTreeSet::new(), Duration::ZERO),
            store_is_back: Duration::ZERO,
            trouble: true,
            sight: None,
            story,
        };
        Self {
            clocks,
            kill_switch: KillSwitch::default(),
            leases: AllLeases::default(),
            memory: Arc::default(),
            over: Stop::default(),
            state: Mutex::new(state),
        }
    }

    /// An account by its id.
    pub fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what happens.
    pub fn say(&self, what: impl FnOnce() -> String) {
        let Some(story) = self.state().story.clone() else { return };
        let mut line = format!("{:9.3} {}", self.clocks.now().as_secs_f64(), what());
        if line.contains("evenkeel-") {
            // Ids of runs are never the same twice.
            for (number, id) in self.state().runs.iter().enumerate() {
                line = line.replace(id, &(number + 1).to_string());
            }
        }
        story.lock().unwrap_or_else(PoisonError::into_inner).push(line);
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
        let after = Duration::from_millis(1 + state.random.u64(0..20 * 60 * 1000));
        let is_kind = state.random.bool();
        let at = self.clocks.now() + after;
        match at < TROUBLE {
            true => Death { at, is_kind },
            false => Death { at: TROUBLE + CALM, is_kind },
        }
    }

    /// The end of the trouble. What the budgets of a day hold back, people let go.
    pub fn calm(&self) {
        {
            let mut state = self.state();
            state.trouble = false;
            (state.store_is_back, state.refusing.1) = (Duration::ZERO, Duration::ZERO);
        }
        if self.kill_switch.pulled().is_some() {
            self.kill_switch.toggle();
        }
        self.give_way();
        self.say(|| "calm".to_owned());
    }

    /// Somebody sets the clock on the wall.
    pub fn set_clock(&self, seconds: i64) {
        self.clocks.set(seconds);
        if let Ok(forward) = u64::try_from(seconds) {
            self.state().ledger.set_forward(Duration::from_secs(forward));
        }
        self.say(|| format!("the clock is set by {seconds}"));
    }

    /// From now on, AWS accepts no write in these accounts.
    pub fn refuse(&self, accounts: BTreeSet<&str>, time: Duration) {
        self.say(|| format!("{accounts:?} refuse for {time:?}"));
        let accounts = accounts.into_iter().map(Self::account).collect();
        self.state().refusing = (accounts, self.clocks.now() + time);
    }

    /// Whether AWS refuses a write.
    pub fn is_refused(&self, account: &AccountId) -> bool {
        let by_chance = self.happens(10);
        let state = self.state();
        let (accounts, until) = &state.refusing;
        by_chance || (self.clocks.now() < *until && accounts.contains(account))
    }

    /// The store cannot be reached for a while.
    pub fn lose_store(&self, time: Duration) {
        self.state().store_is_back = self.clocks.now() + time;
        self.say(|| format!("the store is away for {time:?}"));
    }

    /// When the store can be reached.
    pub fn store_is_back(&self) -> Duration {
        self.state().store_is_back
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
            let wanted = state.shelf.good().wanted[0];
            let is_blind = state.things[&trail] != wanted;
            state.things.insert(thing.clone(), value);
            state.ledger.has(thing, value, self.clocks.now());
            is_blind
        };
        self.say(|| format!("{identity} sets {} {} to {value}", thing.0, KINDS[thing.1].name));
        if !silent {
            let kind = &KINDS[thing.1];
            self.tell(&thing.0, kind.source, kind.call, identity, &json!(null));
        }
    }

    /// AWS tells of a call.
    pub fn tell(
        &self,
        account: &AccountId,
        source: &str,
        name: &str,
        identity: &str,
        request: &Value,
    ) {
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
            let message =
                Message { id: id.to_string(), body: text, receipt: format!("{id}.{copy}") };
            state.messages.push((self.clocks.now() + late, message));
        }
    }

    /// A process lives, sees so, and has these files.
    pub fn lives(&self, sight: &Arc<Mutex<Sight>>, files: &Arc<Files>) {
        let mut state = self.state();
        state.sight = Some(Arc::clone(sight));
        state.shelf.is_read_by(files);
    }

    /// A process is no more, which had these runs.
    pub fn died(&self, runs: &BTreeSet<u64>) {
        let mut state = self.state();
        state.writing.retain(|_, write| !runs.contains(&write.0));
        state.ledger.ends(|write| runs.contains(&write.0));
    }
}
