//! The accounts, the queue of events, the store and the audit log of a simulation, and what must
//! always hold.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use serde_json::{Value, json};

use super::super::clocks::Clocks;
use super::super::drive::simulated::Simulated;
use super::super::in_force::{InForce, Label};
use super::super::inbox::Message;
use super::super::sight::Sight;
use super::leases::AllLeases;
use super::ledger::{Asker, Ledger, Stood};
use super::runs::Process;
use super::{CALM, Story, TROUBLE};
use crate::fleet::guards::{Breaker as BreakerRules, Fights, Wave};
use crate::guards::rollout::{self, Rollout, wave_of};
use crate::guards::{Breaker, Confirmed, Hold, KillSwitch, ObjectKey};
use crate::guards::{fight::FIGHTS, first_run, hold::HOLDS};
use crate::names::AccountId;
use crate::reconcile::guarded::{ALL, OfAccount, OfAll, document_of};
use crate::reconcile::{Rules, Stop};
use crate::store::memory::{Document, InMemory, Memory, NOT_THERE};

/// Accounts.
pub const ACCOUNTS: [&str; 4] = ["111111111111", "222222222222", "333333333333", "444444444444"];
/// Kinds, with the call by which somebody changes them; where the Region is none, they are global.
pub const KINDS: [(&str, &str, &str, Option<&str>); 3] = [
    ("cloudtrail.trail", "cloudtrail.amazonaws.com", "UpdateTrail", None),
    ("iam.password_policy", "iam.amazonaws.com", "UpdateAccountPasswordPolicy", None),
    ("ec2.ebs_encryption", "ec2.amazonaws.com", "DisableEbsEncryptionByDefault", Some("eu-west-1")),
];
/// Changes of one run in one account, at most.
pub const BUDGET: usize = 2;

/// One object: an account and one of the kinds.
pub type Thing = (AccountId, usize);

/// What the files declare: each target's accounts, and what each kind is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The targets.
    pub targets: BTreeMap<String, Vec<AccountId>>,
    /// The number of the version.
    pub number: u64,
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
    files: InForce<Declared>,
    /// What each version has declared.
    versions: BTreeMap<String, [u64; 3]>,
    rules: Rules,
    ledger: Ledger,
    audit: Vec<(Write, Thing, Line)>,
    open: BTreeMap<Write, Thing>,
    writing: BTreeMap<AccountId, Write>,
    runs: u64,
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

/// Rules as fleet files have them, some of them strict.
fn rules(random: &mut fastrand::Rng) -> Rules {
    let wave = |name: &str, account: &str, soak_minutes| Wave {
        name: name.to_owned(),
        accounts: vec![account.to_owned()],
        percent: None,
        soak_minutes,
    };
    let waves = vec![wave("canary", ACCOUNTS[2], 10), wave("some", ACCOUNTS[0], 5)];
    Rules {
        per_day: random.usize(20..120),
        per_account_per_day: random.usize(6..40),
        breaker: BreakerRules { failures: 3, percent: 50, minutes: 15, pause_minutes: 3 },
        fights: Fights { times: random.usize(1..4), hours: 24 },
        waves: if random.bool() { waves } else { Vec::new() },
        confirmed: if random.bool() { ["t".to_owned()].into() } else { BTreeSet::new() },
    }
}

impl World {
    /// A first one, in which nothing is as declared.
    pub fn new(seed: u64, clocks: Simulated, story: Option<Story>) -> Self {
        let all: Vec<AccountId> = ACCOUNTS.iter().map(|id| Self::account(id)).collect();
        let things =
            all.iter().flat_map(|account| (0..KINDS.len()).map(|kind| (account.clone(), kind)));
        let targets = [("s", all[..3].to_vec()), ("t", all[2..].to_vec())];
        let targets = targets.map(|(name, accounts)| (name.to_owned(), accounts)).into();
        let declared = Declared { targets, number: 1, wanted: [1; 3] };
        let label = Label { digest: "1".to_owned(), commit: None };
        let mut random = fastrand::Rng::with_seed(seed);
        let rules = rules(&mut random);
        let mut ledger = Ledger::default();
        rules.confirmed.iter().for_each(|target| ledger.confirm(target));
        let state = State {
            random,
            things: things.map(|thing| (thing, 0)).collect(),
            files: InForce::new(declared, label, clocks.wall()),
            versions: [("1".to_owned(), [1; 3])].into(),
            rules,
            ledger,
            audit: Vec::new(),
            open: BTreeMap::new(),
            writing: BTreeMap::new(),
            runs: 0,
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
        let line = format!("{:9.3} {}", self.clocks.now().as_secs_f64(), what());
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
            (state.rules.per_day, state.rules.per_account_per_day) = (10_000, 10_000);
        }
        if self.kill_switch.pulled().is_some() {
            self.kill_switch.toggle();
        }
        self.say(|| "calm".to_owned());
    }

    /// The files in force.
    pub fn files(&self) -> Arc<Declared> {
        Arc::clone(&self.state().files.good().what)
    }

    /// What the guards go by.
    pub fn rules(&self) -> Rules {
        self.state().rules.clone()
    }

    /// Somebody offers other files; odd numbers are good.
    pub fn offer(&self, number: u64) {
        let offer = {
            let mut state = self.state();
            let mut declared = Declared::clone(&state.files.good().what);
            declared.number = number;
            let one = state.random.usize(0..KINDS.len());
            for kind in 0..KINDS.len() {
                if kind == one || state.random.bool() {
                    declared.wanted[kind] = number;
                }
            }
            state.versions.insert(number.to_string(), declared.wanted);
            let found = if number % 2 == 1 { Ok(declared) } else { Err("invalid".to_owned()) };
            let label = Label { digest: number.to_string(), commit: None };
            state.files.offer(label, found, self.clocks.wall())
        };
        self.say(|| format!("files {number}: {offer:?}"));
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
            let wanted = state.files.good().what.wanted[0];
            let is_blind = state.things[&trail] != wanted;
            state.things.insert(thing.clone(), value);
            state.ledger.has(thing, value, self.clocks.now());
            is_blind
        };
        self.say(|| format!("{identity} sets {} {} to {value}", thing.0, KINDS[thing.1].0));
        if !silent {
            let (_, source, name, _) = KINDS[thing.1];
            self.tell(&thing.0, source, name, identity, &json!(null));
        }
    }

    /// A look has found that a thing is not what it is to be, and the guards have heard that.
    pub fn found_drifted(&self, thing: &Thing, wanted: u64) {
        let (mut state, now) = (self.state(), self.clocks.now());
        let value = state.things[thing];
        state.ledger.found_drifted(thing, wanted, value, now);
    }

    /// A whole look at a target has ended.
    pub fn looked(&self, asker: &Asker, target: &str) {
        let now = self.clocks.now();
        self.state().ledger.looked(asker, target, now);
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

    /// The controller stands still for so long that its leases run out, but for those of the writes that
    /// are on their way.
    pub fn lose_leases(&self) {
        let writing: BTreeSet<AccountId> = self.state().writing.keys().cloned().collect();
        let is_writing = |name: &str| writing.iter().any(|account| account.as_str() == name);
        self.leases.lose(self.clocks.now(), is_writing);
        self.say(|| "leases are lost".to_owned());
    }

    /// A write is about to be sent, which the guards let through.
    pub fn intends(&self, asker: &Asker, stood: &Stood, write: Write, thing: &Thing) {
        assert_eq!(self.kill_switch.pulled(), None, "a write begins while the kill switch is on");
        let mut state = self.state();
        let now = (self.clocks.now(), self.clocks.wall());
        assert!(now.0 >= state.store_is_back, "a write begins while the store is away");
        let other = state.writing.insert(thing.0.clone(), write);
        assert_eq!(other, None, "two write to {}", thing.0);
        assert!(state.open.insert(write, thing.clone()).is_none(), "{write:?} is begun twice");
        let done = state.writes_of.entry((write.0, thing.0.clone())).or_default();
        *done += 1;
        assert!(*done <= BUDGET, "run {} is over its budget in {}", write.0, thing.0);
        let value = state.things[thing];
        state.ledger.begins(asker, stood, write, thing, value, now);
        state.audit.push((write, thing.clone(), Line::Intent));
    }

    /// A write comes to AWS.
    pub fn writes(&self, write: Write, thing: &Thing, value: u64) {
        assert_eq!(self.state().open.get(&write), Some(thing), "a write without intent");
        self.set(thing, value, &format!("evenkeel-{}", write.0));
        self.state().ledger.accepted(write, thing, value);
    }

    /// A thing is seen as it was written.
    pub fn sees(&self, write: Write, thing: &Thing) {
        self.state().ledger.seen(write, thing);
    }

    /// The guards are told what became of a write, for as long as this is kept.
    pub fn tells(self: &Arc<Self>) -> Telling {
        self.state().ledger.tells();
        Telling(Arc::clone(self))
    }

    /// What came of a write is noted.
    pub fn notes(&self, write: Write, line: Line) {
        let mut state = self.state();
        let thing = state.open.remove(&write);
        let thing = thing.unwrap_or_else(|| panic!("{write:?} has no intent, or two outcomes"));
        if state.writing.get(&thing.0) == Some(&write) {
            state.writing.remove(&thing.0);
        }
        state.ledger.ends(|one| one == write);
        state.audit.push((write, thing, line));
    }

    /// A process lives, and sees so.
    pub fn lives(&self, sight: &Arc<Mutex<Sight>>) {
        self.state().sight = Some(Arc::clone(sight));
    }

    /// A process is no more.
    pub fn died(&self, process: &Process) {
        let mut state = self.state();
        let runs = process.runs();
        state.writing.retain(|_, write| !runs.contains(&write.0));
        state.ledger.ends(|write| runs.contains(&write.0));
    }
}

/// What people and the ledger know of the guards' memory.
impl World {
    fn remembered(&self, name: &str) -> Option<Document> {
        self.memory.read(name).now_or_never().unwrap().unwrap()
    }

    fn list(&self, prefix: &str) -> Vec<Document> {
        self.memory.list(prefix).now_or_never().unwrap().unwrap()
    }

    fn remember(&self, name: &str, seen: u64, body: &Value) {
        self.memory.write(name, seen, body).now_or_never().unwrap().unwrap();
    }

    fn key(thing: &Thing) -> ObjectKey {
        let (name, _, _, region) = KINDS[thing.1];
        format!("{}/{}/{name}", thing.0, region.unwrap_or("global")).parse().unwrap()
    }

    /// How the guards stand towards a write.
    pub fn stood(&self, thing: &Thing, rules: &Rules) -> Stood {
        let wall = self.clocks.wall();
        let own: OfAccount = self
            .remembered(&document_of(&thing.0))
            .map_or_else(Default::default, |one| one.typed().unwrap());
        let all: OfAll =
            self.remembered(ALL).map_or_else(Default::default, |one| one.typed().unwrap());
        let wave = rules.waves.get(wave_of(&rules.waves, &thing.0));
        let of_wave = wave.and_then(|wave| Some((&wave.name, all.waves.get(&wave.name)?)));
        let mut breakers = vec![
            (format!("account {}", thing.0), own.breaker.standing(wall)),
            ("all".to_owned(), all.breaker.standing(wall)),
        ];
        breakers
            .extend(of_wave.map(|(name, one): (_, &Breaker)| (name.clone(), one.standing(wall))));
        let hold = self.remembered(&Self::key(thing).document(HOLDS));
        let hold = hold.map(|one| one.typed::<Hold>().unwrap().until);
        Stood { at: self.clocks.now(), held: hold.filter(|until| wall < *until), breakers }
    }

    /// How far the rollouts of targets are: those that are halted at a version, and what their accounts
    /// have of it already.
    pub fn rollouts(&self, declared: &Declared) -> (BTreeSet<String>, BTreeSet<(String, usize)>) {
        let (mut halted, mut known) = (BTreeSet::new(), BTreeSet::new());
        let rules = self.rules();
        if rules.waves.is_empty() {
            return (halted, known);
        }
        for target in declared.targets.keys() {
            let Some(document) = self.remembered(&rollout::document(target)) else { continue };
            let progress = document.typed::<Rollout>().unwrap().progress(&rules.waves);
            if progress.halted.is_some() && progress.version == Some(declared.number.to_string()) {
                halted.insert(target.clone());
            }
            let state = self.state();
            let Some(done) = progress.done.and_then(|done| state.versions.get(&done)) else {
                continue;
            };
            let same = (0..KINDS.len()).filter(|kind| done[*kind] == declared.wanted[*kind]);
            known.extend(same.map(|kind| (target.clone(), kind)));
        }
        (halted, known)
    }

    /// Somebody asks for a thing to be left as it is.
    pub fn hold(&self, thing: &Thing, time: Duration) {
        let since = self.clocks.wall();
        let object = Self::key(thing);
        let name = object.document(HOLDS);
        let until = since + TimeDelta::from_std(time).unwrap();
        let hold = Hold { object, since, until, owner: "ops".to_owned(), reason: "why".to_owned() };
        let seen = self.remembered(&name).map_or(NOT_THERE, |one| one.version);
        self.remember(&name, seen, &json!(hold));
        self.say(|| format!("ops hold {thing:?}"));
    }

    /// People settle what waits for them: targets are confirmed, what is held is released, rollouts go on.
    pub fn settle(&self) {
        let now = self.clocks.now();
        self.state().ledger.decide(now);
        for target in ["s", "t"] {
            let name = first_run::document(target);
            let seen = self.remembered(&name).map_or(NOT_THERE, |one| one.version);
            let (target, since) = (target.to_owned(), self.clocks.wall());
            self.state().ledger.confirm(&target);
            let confirmed = Confirmed { target, since, by: "ops".to_owned(), applied: false };
            self.remember(&name, seen, &json!(confirmed));
        }
        for of in [FIGHTS, HOLDS] {
            for document in self.list(&format!("guards/{of}/")) {
                self.memory
                    .remove(&document.name, document.version)
                    .now_or_never()
                    .unwrap()
                    .unwrap();
            }
        }
        let things: Vec<Thing> = self.state().things.keys().cloned().collect();
        things.iter().for_each(|thing| self.state().ledger.release(thing));
        self.decide(|rollout, wall| rollout.resume(true, wall));
        self.say(|| "people settle what waits for them".to_owned());
    }

    /// People give up what is on its way.
    pub fn abort(&self) {
        self.decide(|rollout, wall| rollout.abort("ops", wall));
        self.say(|| "people give the rollouts up".to_owned());
    }

    fn decide(&self, decide: impl Fn(&mut Rollout, DateTime<Utc>) -> bool) {
        for document in self.list(rollout::FOLDER) {
            let mut rollout: Rollout = document.typed().unwrap();
            if decide(&mut rollout, self.clocks.wall()) {
                self.remember(&document.name, document.version, &json!(rollout));
            }
        }
    }
}

/// Rest.
impl World {
    /// Whether all has come to rest.
    pub fn is_at_rest(&self) -> bool {
        let state = self.state();
        let wanted = state.files.good().what.wanted;
        let is_declared = state.things.iter().all(|((_, kind), value)| *value == wanted[*kind]);
        let sight = state.sight.as_ref().map(|sight| {
            let sight = sight.lock().unwrap_or_else(PoisonError::into_inner);
            sight.all(self.clocks.now())
        });
        let sees = sight.is_some_and(|seen| {
            seen.len() == ACCOUNTS.len()
                && seen.iter().all(|one| {
                    one.blind.is_none() && one.full.is_some_and(|full| full.as_secs() < 1800)
                })
        });
        is_declared && sees && state.open.is_empty() && state.undeleted.is_empty()
    }

    /// What must hold then besides.
    pub fn at_rest(&self) {
        let state = self.state();
        let intents = state.audit.iter().filter(|(.., line)| *line == Line::Intent).count();
        assert_eq!(intents * 2, state.audit.len(), "each intent has one end");
        assert!(intents >= ACCOUNTS.len() * KINDS.len(), "something was written");
    }
}

/// Somebody who tells the guards what became of a write, until it is done or who does it is dead.
pub struct Telling(Arc<World>);

impl Drop for Telling {
    fn drop(&mut self) {
        let now = self.0.clocks.now();
        self.0.state().ledger.told(now);
    }
}
