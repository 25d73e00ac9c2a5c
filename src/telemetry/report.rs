//! Makes the status: of the running controller, or from what can be read without it.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};

use super::around::{Around, Kept};
use super::figures::{OfFleet, drifted, is_read, of_open};
use super::hub::{Sources, Telemetry};
use super::known::{self, Known};
use super::objects::{Objects, State};
use super::runs::in_words;
use super::seconds_since;
use super::status::{
    Accounts, Controller, Drift, Drifted, Events, FORMAT_VERSION, Named, NamedAccount, Queue,
    RunLine, Status, UnseenTarget,
};
use crate::controller::sight::{Counts, Seen};
use crate::fleet::file::Objectives;
use crate::guards::KillSwitch;
use crate::names::{AccountId, VERSION};
use crate::store::Store;
use crate::store::history::{LookShown, NotSeen, RunRecord};

/// Runs that are named.
const RUNS: u32 = 5;

impl Telemetry {
    /// How everything stands.
    pub async fn status(&self, around: &dyn Around) -> Status {
        let known = self.known(around).await;
        let Sources { clocks, sight, objectives, kill_switch, hears } = &self.sources;
        let (now, wall) = (clocks.now(), clocks.wall());
        let (seen, counts, is_watched) = {
            let sight = sight.lock().unwrap_or_else(PoisonError::into_inner);
            (sight.all(now), sight.counts, *hears && sight.watches())
        };
        let signs = self.pace.now();
        let mut status = of_known(&known, kill_switch, wall);
        status.drift = Some(drift(&self.objects(), wall));
        let accounts = accounts(&seen, objectives, &self.objects(), wall);
        status.accounts = Some(match is_watched {
            true => Accounts { watched: Some(true), ..accounts },
            // Nobody is known to be blind, and nobody would know it.
            false => Accounts { blind: None, watched: Some(false), ..accounts },
        });
        status.runs = Some(self.runs.latest());
        match OfFleet::ask(around).await {
            Ok(None) => {}
            Ok(Some(fleet)) => with_others(&mut status, &fleet, wall),
            Err(why) => {
                // What this one has seen is no more than a part.
                status.drift = None;
                status.unknown.insert("drift".to_owned(), why);
            }
        }
        let age = |at| now.saturating_sub(at).as_secs_f64();
        status.controller = Some(Controller {
            version: VERSION.to_owned(),
            started: self.started.1,
            alive: self.is_alive(),
            ready: super::health::Ready::of(&signs, *hears, &known),
            files: around.files(),
            queue: Queue {
                waiting: signs.waiting,
                late_seconds: signs.late_by(now).as_secs_f64(),
                in_hand: signs.in_hand.iter().map(in_words).collect(),
            },
            events: hears.then(|| {
                let Counts { events, ours, unreadable } = counts;
                Events {
                    answer_age_seconds: signs.answered.map(age),
                    deaf: signs.no_events().map(|(_, why)| why.clone()),
                    deaf_seconds: signs.no_events().map(|(since, _)| age(*since)),
                    policy_unknown: signs.door_unknown.clone(),
                    events,
                    own: ours,
                    unreadable,
                }
            }),
            leases: around.leases(),
            listen_tls: self.tls.as_ref().and_then(|tls| tls.wrong()),
        });
        status
    }
}

/// Adds what other controllers have seen, who share the store: one that took no account has seen nothing.
fn with_others(status: &mut Status, fleet: &OfFleet, now: DateTime<Utc>) {
    let looks = &fleet.looks;
    status.drift = Some(counted(looks, fleet.drifted(), now));
    let Some(accounts) = &mut status.accounts else { return };
    let all = accounts_of(looks, now);
    accounts.seen = all.seen;
    accounts.oldest_full_look_seconds = all.oldest_full_look_seconds;
    accounts.never_in_full = all.never_in_full;
    accounts.unseen = all.unseen;
    accounts.unseen_targets = UnseenTarget::all(&fleet.lost, now);
    // Others may have looked since.
    let age = |account: &AccountId| {
        let look = looks.iter().find(|look| look.account == *account)?;
        Some(seconds_since(look.whole?, now))
    };
    let most = accounts.objectives_seconds.get("full").copied().unwrap_or(f64::MAX);
    let full = accounts.missed.as_mut().and_then(|all| all.get_mut("full"));
    if let Some(full) = full.filter(|full| full.count == full.worst.len()) {
        let is_late = |one: &&NamedAccount| age(&one.account).is_none_or(|age| age > most);
        *full = Named::of(full.worst.iter().filter(is_late).cloned().collect());
    }
}

/// Drift, with how many objects stand otherwise, by what the looks at all accounts counted.
fn counted(looks: &[LookShown], drift: Vec<Drifted>, now: DateTime<Utc>) -> Drift {
    let count = |sort| Some(looks.iter().map(|look| look.count(sort)).sum());
    Drift {
        in_sync: count("in_sync"),
        unknown: count("unknown"),
        excepted: count("excepted"),
        ..Drift::of(drift, now)
    }
}

/// How everything stands as far as that can be read without a controller, of which is said why it was
/// not asked.
pub async fn without_controller(
    kept: &Kept,
    kill_switch: &KillSwitch,
    why: String,
    now: DateTime<Utc>,
) -> Status {
    let known = known::known(kept, now).await;
    let mut status = of_known(&known, kill_switch, now);
    status.unknown.insert("controller".to_owned(), why);
    let asked = match &kept.store {
        Some(Ok(store)) => of_store(store, &mut status, now).await,
        Some(Err(why)) => Err(why.clone()),
        None => {
            Err("the fleet file names no store ([store] url), and no controller has run with this audit log"
                .to_owned())
        }
    };
    if let Err(why) = asked {
        for part in ["accounts", "drift", "runs"] {
            status.unknown.insert(part.to_owned(), why.clone());
        }
    }
    status
}

async fn of_store(store: &Store, status: &mut Status, now: DateTime<Utc>) -> Result<(), String> {
    let asked = async {
        let (looks, drift) = (store.looks().await?, store.open_drift().await?);
        Ok((looks, drift, store.unseen_targets().await?, store.runs(None, Some(RUNS)).await?))
    };
    let (looks, drift, lost, runs) = known::in_time(asked).await?;
    let unseen_targets = UnseenTarget::all(&lost, now);
    status.accounts = Some(Accounts { unseen_targets, ..accounts_of(&looks, now) });
    status.drift = Some(counted(
        &looks,
        drift.iter().filter(|entry| is_read(entry)).map(drifted).collect(),
        now,
    ));
    status.runs = Some(runs.into_iter().map(run).collect());
    Ok(())
}

/// What both have.
fn of_known(known: &Known, kill_switch: &KillSwitch, now: DateTime<Utc>) -> Status {
    let mut unknown = BTreeMap::new();
    let mut note = |part: &str, why: &String| {
        unknown.insert(part.to_owned(), why.clone());
    };
    if let Some(Err(why)) = &known.store {
        note("store", why);
    }
    let guards = known.guards.as_ref().inspect_err(|why| note("guards", why)).ok().cloned();
    let notices = known.notices.as_ref().inspect_err(|why| note("notices", why)).ok().cloned();
    Status {
        format_version: FORMAT_VERSION.to_owned(),
        time: now,
        controller: None,
        unknown,
        accounts: None,
        drift: None,
        kill_switch: kill_switch
            .pulled()
            .map(|on| format!("{on}; to release it, {}", on.release())),
        guards,
        notices,
        runs: None,
    }
}

fn drift(objects: &Objects, now: DateTime<Utc>) -> Drift {
    let all = objects.open_ones().filter(|(_, open)| open.state.is_drift());
    let all = all.map(|(_, open)| of_open(open));
    Drift {
        in_sync: Some(objects.in_sync()),
        unknown: Some(objects.count(State::Unknown)),
        excepted: Some(objects.count(State::Excepted)),
        ..Drift::of(all.collect(), now)
    }
}

fn accounts(
    seen: &[Seen],
    objectives: &Objectives,
    objects: &Objects,
    now: DateTime<Utc>,
) -> Accounts {
    let named = |seen: &Seen, seconds: f64| NamedAccount {
        account: seen.account.clone(),
        seconds,
        why: None,
    };
    let blind = seen.iter().filter_map(|one| Some(named(one, one.blind?.as_secs_f64())));
    let unseen = objects.unseen().iter().map(|(account, unseen)| NamedAccount {
        account: account.clone(),
        seconds: seconds_since(unseen.since, now),
        why: Some(unseen.why.clone()),
    });
    let missed = ["full", "event"].map(|objective| {
        let of = seen.iter().filter(|one| one.missed.contains(&objective));
        let age = |one: &Seen| match objective {
            "full" => one.full,
            _ => one.lag.max(one.blind),
        };
        let of = of.map(|one| named(one, age(one).unwrap_or_default().as_secs_f64()));
        (objective.to_owned(), Named::of(of.collect()))
    });
    let declared = [("full", objectives.full), ("event", objectives.event)];
    let declared = declared
        .into_iter()
        .filter_map(|(name, span)| Some((name.to_owned(), span?.duration().as_secs_f64())));
    Accounts {
        seen: seen.len(),
        oldest_full_look_seconds: seen
            .iter()
            .filter_map(|one| one.full)
            .max()
            .map(|age| age.as_secs_f64()),
        never_in_full: 0,
        blind: Some(Named::of(blind.collect())),
        watched: None,
        unseen: Some(Named::of(unseen.collect())),
        unseen_targets: UnseenTarget::all(objects.lost(), now),
        missed: Some(missed.into()),
        objectives_seconds: declared.collect(),
    }
}

fn accounts_of(looks: &[LookShown], now: DateTime<Utc>) -> Accounts {
    let unseen = looks.iter().filter_map(|look| {
        let NotSeen { since, why, .. } = look.unseen()?;
        let (account, seconds) = (look.account.clone(), seconds_since(since, now));
        Some(NamedAccount { account, seconds, why: Some(why) })
    });
    let oldest = looks.iter().filter_map(|look| look.whole).min();
    Accounts {
        seen: looks.len(),
        oldest_full_look_seconds: oldest.map(|time| seconds_since(time, now)),
        never_in_full: looks.iter().filter(|look| look.whole.is_none()).count(),
        unseen: Some(Named::of(unseen.collect())),
        ..Accounts::default()
    }
}

fn run(record: RunRecord) -> RunLine {
    let targets = record.about.targets.join(", ");
    RunLine {
        of: match targets.is_empty() {
            true => record.command.clone(),
            false => format!("{} {targets}", record.command),
        },
        began: record.began,
        ended: record.ended,
        outcome: record.outcome.is_some().then(|| record.ending().replace(' ', "_")),
        accounts: record.about.accounts,
        applied: record.about.applied,
        empty_shard: record.about.empty_shard,
        run: record.run,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::kinds::TRAIL;
    use crate::names::Region;
    use crate::store::history::{DriftKey, Entry, What};
    use crate::telemetry::known::Guards;
    use crate::telemetry::status::Standing;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn look(account: &str, second: i64, about: serde_json::Value) -> LookShown {
        LookShown {
            account: account.parse().unwrap(),
            name: None,
            run: "r".to_owned(),
            time: at(second),
            whole: Some(at(second)),
            about,
            open: 0,
            lost: BTreeSet::new(),
        }
    }

    #[test]
    fn a_controller_that_took_no_account_tells_of_what_the_others_have_seen() {
        let known = Known { store: None, guards: Ok(Guards::default()), notices: Ok(Vec::new()) };
        let mut status = of_known(&known, &KillSwitch::default(), at(100));
        let late = |account: &str| NamedAccount {
            account: account.parse().unwrap(),
            seconds: 50.0,
            why: None,
        };
        let missed = Named::of(vec![late("000000000001"), late("000000000002")]);
        status.drift = Some(Drift::default());
        status.runs = Some(Vec::new());
        status.accounts = Some(Accounts {
            missed: Some([("full".to_owned(), missed)].into()),
            objectives_seconds: [("full".to_owned(), 30.0)].into(),
            ..Accounts::default()
        });
        let looks = [
            look("000000000001", 96, json!({"drifted": 1, "in_sync": 2, "unknown": 0})),
            look("000000000002", 90, json!({"drifted": 0, "in_sync": 3, "unknown": 0})),
        ];
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
            about: json!({"title": "the trail", "is_applied": false}),
        };
        // What could not be read since is counted as unknown by the look that tried.
        let mut unread = drift.clone();
        unread.about["unread"] = json!(true);
        let drift = vec![drift, unread];
        let fleet = OfFleet { looks: looks.into(), drift, lost: BTreeMap::new() };
        with_others(&mut status, &fleet, at(100));
        let drift = status.drift.as_ref().unwrap();
        assert_eq!((drift.objects, drift.in_sync, drift.unknown), (1, Some(5), Some(0)));
        let accounts = status.accounts.as_ref().unwrap();
        assert_eq!((accounts.seen, accounts.oldest_full_look_seconds), (2, Some(10.0)));
        assert_eq!(accounts.missed.as_ref().unwrap()["full"].count, 0, "others have looked since");
        assert_eq!(status.standing(true), Standing::Drift);
        // What nobody can look at is nobody's to call in sync.
        let unseen = json!({"since": at(95), "why": "refused"});
        let looks = [look("000000000002", 90, json!({"in_sync": 3, "unseen": unseen}))];
        let fleet = OfFleet { looks: looks.into(), drift: Vec::new(), lost: BTreeMap::new() };
        with_others(&mut status, &fleet, at(100));
        let drift = status.drift.as_ref().unwrap();
        assert_eq!((drift.in_sync, drift.unknown), (Some(0), Some(3)));
        assert_eq!(status.standing(true), Standing::Partly);
    }
}
