//! How everything stands, in one document: what the running controller knows, or what can be read without
//! it. What is not known is said to be so, with the reason, and never left out.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::around::Files;
use super::health::Ready;
use super::known::{Guards, Outbox};
use super::objects::State;
use super::seconds_since;
use crate::fleet::notify::Severity;
use crate::names::AccountId;
use crate::reconcile::LeaseCounts;
use crate::store::history::NotSeen;

/// The version of the document; it grows when a reader of an older one would misread.
pub const FORMAT_VERSION: &str = "1";

/// Drifted objects that are named, and accounts of each sort; all are counted.
pub const NAMED: usize = 100;

/// How everything stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// See [`FORMAT_VERSION`].
    pub format_version: String,
    /// When it was so.
    pub time: DateTime<Utc>,
    /// The running controller; none where nobody could ask it.
    pub controller: Option<Controller>,
    /// What is not known, and why: `controller`, `accounts`, `drift`, `guards`, `notices`, `runs`, `store`.
    pub unknown: BTreeMap<String, String>,
    /// How well the accounts are seen.
    pub accounts: Option<Accounts>,
    /// What is not as declared.
    pub drift: Option<Drift>,
    /// Why nothing is written at all, if the kill switch is on.
    pub kill_switch: Option<String>,
    /// What else is held back beyond one run.
    pub guards: Option<Guards>,
    /// What waits to be told.
    pub notices: Option<Vec<Outbox>>,
    /// The latest runs.
    pub runs: Option<Vec<RunLine>>,
}

/// The running controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controller {
    /// Its version.
    pub version: String,
    /// When it began.
    pub started: DateTime<Utc>,
    /// Whether its loop goes round.
    pub alive: bool,
    /// What it takes to be ready.
    pub ready: Ready,
    /// The files in force.
    pub files: Files,
    /// What is to be looked at.
    pub queue: Queue,
    /// The queue of events; none where none is configured.
    pub events: Option<Events>,
    /// Leases of accounts; none where one controller has the fleet for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leases: Option<LeaseCounts>,
    /// What is wrong with the certificate that it answers with, or with new files for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen_tls: Option<String>,
}

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// How many looks wait.
    pub waiting: usize,
    /// How long the longest of what is due has waited.
    pub late_seconds: f64,
    /// What is being looked at.
    pub in_hand: Vec<String>,
}

/// The queue of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Events {
    /// How long ago it last answered.
    pub answer_age_seconds: Option<f64>,
    /// Why it does not answer now, or why nothing may come into it.
    pub deaf: Option<String>,
    /// For how long that has been so.
    pub deaf_seconds: Option<f64>,
    /// Why nobody can say whether its policy lets events in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_unknown: Option<String>,
    /// Events since the start.
    pub events: u64,
    /// Of these, of evenkeel's own calls.
    pub own: u64,
    /// Messages that are no event.
    pub unreadable: u64,
}

/// How well the accounts are seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Accounts {
    /// How many were looked at.
    pub seen: usize,
    /// How old the last full look is at the account where it is oldest.
    pub oldest_full_look_seconds: Option<f64>,
    /// How many accounts were never looked at in full.
    pub never_in_full: usize,
    /// The accounts that are not heard of, for how long; none known where no controller says it.
    pub blind: Option<Named>,
    /// Whether somebody would notice that an account is blind: with a queue of events and a heartbeat. None
    /// known where no controller says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<bool>,
    /// The accounts that could not be looked at, for how long, and why.
    pub unseen: Option<Named>,
    /// The targets whose latest run came to nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen_targets: Vec<UnseenTarget>,
    /// The accounts that miss an objective, by its name, with the age.
    pub missed: Option<BTreeMap<String, Named>>,
    /// The declared objectives in seconds, by name.
    pub objectives_seconds: BTreeMap<String, f64>,
}

/// A target whose latest run came to nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnseenTarget {
    /// Its name.
    pub target: String,
    /// For how long.
    pub seconds: f64,
    /// Why.
    pub why: String,
    /// Whether it was looked at all the same, and only what was to follow failed.
    #[serde(default)]
    pub was_seen: bool,
}

impl UnseenTarget {
    /// All of these.
    pub fn all(lost: &BTreeMap<String, NotSeen>, now: DateTime<Utc>) -> Vec<Self> {
        let one = |(target, NotSeen { since, why, was_seen }): (&String, &NotSeen)| Self {
            target: target.clone(),
            seconds: seconds_since(*since, now),
            why: why.clone(),
            was_seen: *was_seen,
        };
        lost.iter().map(one).collect()
    }
}

/// Some accounts, of which the worst are named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// How many there are.
    pub count: usize,
    /// The worst of them, the worst first.
    pub worst: Vec<NamedAccount>,
}

/// An account with a time.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedAccount {
    /// The account.
    pub account: AccountId,
    /// How long, or how old.
    pub seconds: f64,
    /// Why, where that is known.
    #[serde(default)]
    pub why: Option<String>,
}

impl Named {
    /// All of these, the worst first.
    pub fn of(mut all: Vec<NamedAccount>) -> Self {
        all.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        let count = all.len();
        all.truncate(NAMED);
        Self { count, worst: all }
    }
}

/// What is not as declared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Objects that are not as declared.
    pub objects: usize,
    /// Objects as declared, by the last full looks.
    pub in_sync: Option<usize>,
    /// Objects of which nobody can say.
    pub unknown: Option<usize>,
    /// Objects that an exception covers.
    pub excepted: Option<usize>,
    /// The drifted objects by how much they matter, the worst first.
    pub by_severity: Vec<Group>,
    /// Those that guards hold back, by guard.
    #[serde(default)]
    pub held_back: Vec<HeldBack>,
    /// The drifted objects themselves, the worst and oldest first.
    pub worst: Vec<Drifted>,
}

/// Drifted objects that matter alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// How much.
    pub severity: Severity,
    /// How many.
    pub objects: usize,
    /// How many are younger than an hour, a day, a week, and older.
    pub ages: [usize; 4],
    /// Since when the oldest is.
    pub oldest: DateTime<Utc>,
}

/// A drifted object.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// What it is.
    pub title: String,
    /// How it stands.
    pub state: State,
    /// How much it matters.
    pub severity: Severity,
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// The guard that holds its changes back.
    #[serde(default)]
    pub guard: Option<String>,
    /// What releases them.
    #[serde(default)]
    pub released_by: Option<String>,
    /// Since when writes of it fail, if they do.
    #[serde(default)]
    pub failed_since: Option<DateTime<Utc>>,
}

/// Drifted objects whose changes one guard holds back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// The guard.
    pub guard: String,
    /// How many objects.
    pub objects: usize,
    /// What releases the worst and oldest of them.
    pub released_by: String,
}

impl Drift {
    /// All of these; what is no drift is counted apart by who knows it.
    pub fn of(mut all: Vec<Drifted>, now: DateTime<Utc>) -> Self {
        all.sort_by(|one, other| {
            (other.severity, one.since, &one.title).cmp(&(one.severity, other.since, &other.title))
        });
        let mut by_severity: Vec<Group> = Vec::new();
        let mut held_back: BTreeMap<&str, HeldBack> = BTreeMap::new();
        for one in &all {
            if let (State::HeldBack, Some(guard)) = (one.state, &one.guard) {
                let held = held_back.entry(guard).or_insert_with(|| HeldBack {
                    guard: guard.clone(),
                    objects: 0,
                    released_by: one.released_by.clone().unwrap_or_default(),
                });
                held.objects += 1;
            }
            let age = now - one.since;
            let ends = [TimeDelta::hours(1), TimeDelta::days(1), TimeDelta::weeks(1)];
            let place = ends.iter().position(|end| age < *end).unwrap_or(ends.len());
            let is_new = by_severity.last().is_none_or(|last| last.severity != one.severity);
            if is_new {
                let (severity, oldest) = (one.severity, one.since);
                by_severity.push(Group { severity, objects: 0, ages: [0; 4], oldest });
            }
            if let Some(group) = by_severity.last_mut() {
                group.objects += 1;
                group.ages[place] += 1;
            }
        }
        let objects = all.len();
        let held_back = held_back.into_values().collect();
        all.truncate(NAMED);
        Self { objects, by_severity, held_back, worst: all, ..Self::default() }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunLine {
    /// Its id.
    pub run: String,
    /// What was called, or looked at.
    pub of: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended; none while it is under way, or where it was killed.
    pub ended: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<String>,
    /// How many accounts it looked at.
    pub accounts: usize,
    /// Changes that were written.
    pub applied: usize,
    /// The shard that it was of, where that has no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_shard: Option<String>,
}

/// What it all comes to, the worse ones later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// All is as declared, and seen.
    Good,
    /// Something is not as declared.
    Drift,
    /// A guard holds something back.
    HeldBack,
    /// Something is not seen, failed, or does not work.
    Partly,
}

impl Status {
    /// Whether nobody has looked at anything yet, as far as that is known.
    pub fn is_blank(&self) -> bool {
        let mut runs = self.runs.iter().flatten();
        self.has_no_accounts() && self.empty_shard().is_none() && runs.all(|run| run.accounts == 0)
    }

    fn has_no_accounts(&self) -> bool {
        self.accounts.as_ref().is_some_and(|accounts| accounts.seen == 0)
    }

    /// The shard that is looked at, where it has no account: that nothing was seen is right then.
    pub fn empty_shard(&self) -> Option<&str> {
        let mut runs = self.runs.iter().flatten().filter(|_| self.has_no_accounts());
        runs.find_map(|run| run.empty_shard.as_deref())
    }

    /// What it all comes to. `insists` is whether the controller is to be there.
    pub fn standing(&self, insists: bool) -> Standing {
        let unknown = self.unknown.keys().any(|part| insists || part != "controller");
        let sick = self.controller.as_ref().is_some_and(|controller| {
            let files = &controller.files;
            !controller.alive
                || !controller.ready.is_whole()
                || files.refused.is_some()
                || files.unreachable.is_some()
                || controller.listen_tls.is_some()
        });
        let some = |named: &Option<Named>| named.as_ref().is_some_and(|named| named.count > 0);
        let unseen = self.accounts.as_ref().is_some_and(|accounts| {
            let missed = accounts.missed.iter().flat_map(BTreeMap::values);
            some(&accounts.blind)
                || some(&accounts.unseen)
                || !accounts.unseen_targets.is_empty()
                || missed.into_iter().any(|named| named.count > 0)
        });
        let drift = self.drift.as_ref();
        let failed = drift.is_some_and(|drift| {
            let is_failed = |one: &Drifted| one.state == State::Failed;
            drift.unknown.is_some_and(|count| count > 0) || drift.worst.iter().any(is_failed)
        });
        let held = self.guards.as_ref().is_some_and(|guards| {
            let halted = guards.rollouts.iter().any(|one| one.halted.is_some());
            !guards.breakers.is_empty() || !guards.fights.is_empty() || halted
        });
        let is_held = |one: &Drifted| one.state == State::HeldBack;
        let held = held || drift.is_some_and(|drift| drift.worst.iter().any(is_held));
        match () {
            () if unknown || sick || unseen || failed || self.is_blank() => Standing::Partly,
            () if held || self.kill_switch.is_some() => Standing::HeldBack,
            () if drift.is_some_and(|drift| drift.objects > 0) => Standing::Drift,
            () => Standing::Good,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn drifted(severity: Severity, state: State, hours: i64) -> Drifted {
        Drifted {
            title: format!("of {hours} hours"),
            state,
            severity,
            since: now() - TimeDelta::hours(hours),
            guard: None,
            released_by: None,
            failed_since: None,
        }
    }

    fn status(drift: Vec<Drifted>) -> Status {
        Status {
            format_version: FORMAT_VERSION.to_owned(),
            time: now(),
            controller: None,
            unknown: BTreeMap::new(),
            accounts: Some(Accounts { seen: 1, ..Accounts::default() }),
            drift: Some(Drift::of(drift, now())),
            kill_switch: None,
            guards: Some(Guards::default()),
            notices: Some(Vec::new()),
            runs: Some(Vec::new()),
        }
    }

    #[test]
    fn the_worst_and_oldest_come_first_and_all_are_counted() {
        let all = (0..300).map(|hour| drifted(Severity::Medium, State::Reported, hour));
        let critical = drifted(Severity::Critical, State::ToChange, 0);
        let drift = Drift::of(all.chain([critical]).collect(), now());
        assert_eq!((drift.objects, drift.worst.len()), (301, NAMED));
        assert_eq!(drift.worst[0].severity, Severity::Critical);
        assert_eq!(drift.worst[1].title, "of 299 hours");
        assert_eq!(drift.by_severity.len(), 2, "{drift:?}");
        let (critical, medium) = (&drift.by_severity[0], &drift.by_severity[1]);
        assert_eq!((critical.objects, critical.ages), (1, [1, 0, 0, 0]));
        assert_eq!((medium.objects, medium.ages), (300, [1, 23, 144, 132]));
        assert_eq!(medium.oldest, now() - TimeDelta::hours(299));
    }

    #[test]
    fn what_it_comes_to_is_the_worst_of_it() {
        let reported = || drifted(Severity::Medium, State::Reported, 1);
        assert_eq!(status(Vec::new()).standing(true), Standing::Good);
        assert_eq!(status(vec![reported()]).standing(true), Standing::Drift);
        let held = drifted(Severity::Medium, State::HeldBack, 1);
        assert_eq!(status(vec![reported(), held]).standing(true), Standing::HeldBack);
        let failed = drifted(Severity::High, State::Failed, 1);
        assert_eq!(status(vec![failed]).standing(true), Standing::Partly);
        let mut blind = status(Vec::new());
        let account = "111122223333".parse().unwrap();
        let named = Named::of(vec![NamedAccount { account, seconds: 1.0, why: None }]);
        blind.accounts.as_mut().unwrap().blind = Some(named);
        assert_eq!(blind.standing(true), Standing::Partly);
        let mut lost = status(Vec::new());
        lost.accounts.as_mut().unwrap().unseen_targets = vec![UnseenTarget {
            target: "prod".to_owned(),
            seconds: 1.0,
            why: "the organization cannot be listed".to_owned(),
            was_seen: false,
        }];
        assert_eq!(lost.standing(true), Standing::Partly);
        let mut blank = status(Vec::new());
        blank.accounts = Some(Accounts::default());
        assert_eq!(blank.standing(true), Standing::Partly, "nothing was looked at");
        blank.runs = Some(vec![RunLine {
            run: "r".to_owned(),
            of: "target prod".to_owned(),
            began: now(),
            ended: Some(now()),
            outcome: Some("in_sync".to_owned()),
            accounts: 0,
            applied: 0,
            empty_shard: Some("3/8".to_owned()),
        }]);
        assert_eq!(blank.standing(true), Standing::Good, "there is nothing to look at");
        assert_eq!(blank.empty_shard(), Some("3/8"));
        let mut alone = status(Vec::new());
        alone.unknown.insert("controller".to_owned(), "nobody answers".to_owned());
        assert_eq!(alone.standing(true), Standing::Partly);
        assert_eq!(alone.standing(false), Standing::Good);
        let mut stopped = status(Vec::new());
        stopped.kill_switch = Some("the file STOP is there".to_owned());
        assert_eq!(stopped.standing(true), Standing::HeldBack);
    }

    #[test]
    fn what_the_controller_says_is_read_as_it_was_written() {
        let status = status(vec![drifted(Severity::High, State::Failed, 3)]);
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    }
}
