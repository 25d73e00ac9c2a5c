//! How many objects stand how: of what this process has seen itself, or, where several controllers share a
//! store, of the whole fleet, so that each of them shows the same.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::around::Around;
use super::known;
use super::objects::{Objects, Open, State};
use super::seconds_since;
use super::status::Drifted;
use crate::controller::sight::Seen;
use crate::fleet::file::Objectives;
use crate::fleet::notify::Severity;
use crate::kinds::TRAIL;
use crate::names::AccountId;
use crate::notify::holds;
use crate::plan::Held;
use crate::store::history::{Entry, FailedWrite, LookShown, NotSeen, UNREAD};

/// What all controllers of a fleet have seen, as the store that they share has it.
pub struct OfFleet {
    /// The latest look at each account.
    pub looks: Vec<LookShown>,
    /// What is not as declared.
    pub drift: Vec<Entry>,
    /// The targets whose latest run came to nothing.
    pub lost: BTreeMap<String, NotSeen>,
}

impl OfFleet {
    /// What they have seen; none where no store is shared.
    ///
    /// # Errors
    /// Why the store does not say it.
    pub async fn ask(around: &dyn Around) -> Result<Option<Self>, String> {
        let Some(Ok(store)) = around.kept().await.store else { return Ok(None) };
        if !store.is_shared() {
            return Ok(None);
        }
        let asked = async {
            Ok((store.looks().await?, store.open_drift().await?, store.unseen_targets().await?))
        };
        let (looks, drift, lost) = known::in_time(asked).await?;
        Ok(Some(Self { looks, drift, lost }))
    }

    /// What is not as declared.
    pub fn drifted(&self) -> Vec<Drifted> {
        self.drift.iter().filter(|entry| is_read(entry)).map(drifted).collect()
    }

    /// How many objects the latest looks counted of a sort.
    pub fn count(&self, sort: &str) -> usize {
        self.looks.iter().map(|look| look.count(sort)).sum()
    }

    /// How well this process sees its accounts, where others may have looked at them since.
    pub fn seen(&self, seen: Vec<Seen>, objectives: &Objectives, now: DateTime<Utc>) -> Vec<Seen> {
        let whole = self.looks.iter().filter_map(|look| Some((&look.account, look.whole?)));
        let whole: BTreeMap<&AccountId, DateTime<Utc>> = whole.collect();
        let most = objectives.full.map(|span| span.duration());
        let by_all = |mut one: Seen| {
            let Some(whole) = whole.get(&one.account) else { return one };
            let age = (now - whole).to_std().unwrap_or_default();
            one.full = Some(one.full.map_or(age, |own| own.min(age)));
            if one.full <= most {
                one.missed.retain(|objective| *objective != "full");
            }
            one
        };
        seen.into_iter().map(by_all).collect()
    }
}

/// A drifted object, as this process has seen it.
pub fn of_open(open: &Open) -> Drifted {
    Drifted {
        title: open.title.clone(),
        state: open.state,
        severity: open.severity,
        since: open.since,
        guard: open.guard.map(str::to_owned),
        released_by: open.released_by.clone(),
        failed_since: open.failed,
    }
}

/// Whether drift is counted as such: what could not be read since is unknown, until it is read.
pub fn is_read(entry: &Entry) -> bool {
    entry.about[UNREAD].is_null()
}

/// A drifted object, as the store has it.
pub fn drifted(entry: &Entry) -> Drifted {
    let about = &entry.about;
    let held: Option<Held> = serde_json::from_value(about["held_back"].clone()).unwrap_or_default();
    let failed_since = failed(entry);
    let is_failed = about["is_applied"].as_bool() == Some(true) && failed_since.is_some();
    let held = held.as_ref().filter(|_| !is_failed).map(holds::Hold::from);
    let state = match (about["is_applied"].as_bool(), &held) {
        _ if is_failed => State::Failed,
        (Some(true), _) => State::ToChange,
        (_, Some(_)) => State::HeldBack,
        _ => State::Reported,
    };
    let severity = match () {
        () if entry.object.item.kind == TRAIL => Severity::Critical,
        () if is_failed || held.as_ref().is_some_and(|held| held.is_alarming) => Severity::High,
        () => Severity::Medium,
    };
    let title =
        about["title"].as_str().map_or_else(|| entry.object.item.to_string(), str::to_owned);
    let (guard, released_by) = held.map(|held| (held.guard.to_owned(), held.released_by)).unzip();
    Drifted { title, state, severity, since: entry.time, guard, released_by, failed_since }
}

/// Since when writes of a drifted object fail, as the store has it.
pub fn failed(entry: &Entry) -> Option<DateTime<Utc>> {
    let failed: Option<FailedWrite> =
        serde_json::from_value(entry.about["failed"].clone()).unwrap_or_default();
    failed.map(|failed| failed.since)
}

/// How many objects stand how.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// By the word of how they stand.
    pub states: BTreeMap<&'static str, usize>,
    /// What is not as declared and not excepted, with the age of the oldest in seconds.
    pub drift: BTreeMap<Severity, (usize, f64)>,
    /// What each guard holds back.
    pub held: BTreeMap<String, usize>,
    /// The accounts that could not be looked at.
    pub unseen: usize,
    /// The targets whose latest run came to nothing.
    pub lost: usize,
}

impl Figures {
    /// Of what this process has seen itself.
    pub fn of(objects: &Objects, now: DateTime<Utc>) -> Self {
        let drifted = objects.open_ones().filter(|(_, open)| open.state.is_drift());
        let drifted: Vec<Drifted> = drifted.map(|(_, open)| of_open(open)).collect();
        let of = |state| objects.count(state);
        let counts = [objects.in_sync(), of(State::Unknown), of(State::Excepted)];
        let unseen = (objects.unseen().len(), objects.lost().len());
        Self::counted(&drifted, counts, unseen, now)
    }

    /// Of the whole fleet.
    pub fn of_fleet(fleet: &OfFleet, now: DateTime<Utc>) -> Self {
        let counts = ["in_sync", "unknown", "excepted"].map(|sort| fleet.count(sort));
        let unseen = fleet.looks.iter().filter(|look| look.unseen().is_some()).count();
        Self::counted(&fleet.drifted(), counts, (unseen, fleet.lost.len()), now)
    }

    fn counted(
        drifted: &[Drifted],
        [in_sync, unknown, excepted]: [usize; 3],
        (unseen, lost): (usize, usize),
        now: DateTime<Utc>,
    ) -> Self {
        let mut figures = Self { unseen, lost, ..Self::default() };
        let (of_unknown, of_excepted) = (State::Unknown.as_str(), State::Excepted.as_str());
        for (word, count) in [("in_sync", in_sync), (of_unknown, unknown), (of_excepted, excepted)]
        {
            figures.states.insert(word, count);
        }
        for one in drifted {
            *figures.states.entry(one.state.as_str()).or_default() += 1;
            let (count, oldest) = figures.drift.entry(one.severity).or_default();
            *count += 1;
            *oldest = oldest.max(seconds_since(one.since, now));
            if let Some(guard) = &one.guard {
                *figures.held.entry(guard.clone()).or_default() += 1;
            }
        }
        figures
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::names::Region;
    use crate::store::history::{DriftKey, What};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    /// Two accounts, of which one has drifted, and one could not be looked at.
    fn fleet() -> OfFleet {
        let look = |account: &str, second: i64, about: serde_json::Value| LookShown {
            account: account.parse().unwrap(),
            name: None,
            run: "r".to_owned(),
            time: at(second),
            whole: Some(at(second)),
            about,
            open: 0,
            lost: BTreeSet::new(),
        };
        let held = json!({"guard": "budget", "reason": "spent", "released_by": "time"});
        let drift = Entry {
            time: at(40),
            what: What::Drift,
            object: DriftKey {
                account: "000000000001".parse().unwrap(),
                region: Region::new("eu-west-1"),
                item: format!("{TRAIL}.main").parse().unwrap(),
                object: String::new(),
            },
            run: "r".to_owned(),
            change: None,
            actor: None,
            about: json!({"title": "the trail", "is_applied": false, "held_back": held}),
        };
        let unseen = json!({"since": at(95), "why": "refused"});
        let looks = vec![
            look("000000000001", 96, json!({"drifted": 1, "in_sync": 2, "unknown": 0})),
            look("000000000002", 90, json!({"in_sync": 3, "unseen": unseen})),
        ];
        OfFleet { looks, drift: vec![drift], lost: BTreeMap::new() }
    }

    #[test]
    fn each_of_several_controllers_shows_the_whole_fleet_once() {
        let figures = Figures::of_fleet(&fleet(), at(100));
        let states = [("in_sync", 2), ("unknown", 3), ("excepted", 0), ("held_back", 1)];
        assert_eq!(figures.states, states.into());
        assert_eq!(figures.drift, [(Severity::Critical, (1, 60.0))].into());
        assert_eq!(figures.held, [("budget".to_owned(), 1)].into());
        assert_eq!(figures.unseen, 1);
        let alone = Figures::of(&Objects::default(), at(100));
        assert_eq!((alone.states["in_sync"], alone.unseen), (0, 0));
    }

    #[test]
    fn an_account_at_which_another_controller_has_looked_since_misses_no_objective() {
        let seen = |account: &str| Seen {
            account: account.parse().unwrap(),
            full: Some(Duration::from_secs(50)),
            event: None,
            lag: None,
            blind: None,
            missed: vec!["full", "event"],
        };
        let all = vec![seen("000000000001"), seen("000000000002"), seen("000000000003")];
        let objectives = Objectives { full: Some("5s".parse().unwrap()), ..Objectives::default() };
        let all = fleet().seen(all, &objectives, at(100));
        let missed: Vec<_> = all.iter().map(|one| one.missed.len()).collect();
        assert_eq!(missed, [1, 2, 2]);
        let full: Vec<_> = all.iter().filter_map(|one| one.full).map(|age| age.as_secs()).collect();
        assert_eq!(full, [4, 10, 50]);
    }
}
