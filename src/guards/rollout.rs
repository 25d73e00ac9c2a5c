//! Waves: a new version of a target's baselines reaches the canary accounts first, and the next wave
//! only when all accounts of the one before were as declared for its soak time.
//!
//! Held back is only what the new version says anew: items that are the same in the version that all
//! accounts have are repaired everywhere, whatever the rollout does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::at;
use crate::digest;
use crate::fleet::guards::Wave;
use crate::names::{AccountId, ItemName};
use crate::plan::{Guard, Held};

/// A version of a target's baselines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The digest of all of it.
    pub digest: String,
    /// The digests of its items.
    pub items: BTreeMap<String, String>,
}

/// How far a target's version is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The target.
    pub target: String,
    /// The version that all accounts may have.
    done: Option<Version>,
    /// The one that is on its way.
    current: Option<Current>,
    /// The versions that somebody gave up, by their digests: for good, whatever went out since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    given_up: BTreeMap<String, Halted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Current {
    version: Version,
    since: DateTime<Utc>,
    /// The wave that it has reached.
    wave: usize,
    /// When it reached that wave.
    reached: DateTime<Utc>,
    /// The accounts of the target.
    accounts: BTreeSet<AccountId>,
    /// Since when each account is as the version declares, as far as anybody looked.
    healthy: BTreeMap<AccountId, DateTime<Utc>>,
    /// When the latest look began that found nothing to change in an account.
    #[serde(default)]
    confirmed: BTreeMap<AccountId, DateTime<Utc>>,
    /// When something to change was found in an account for the last time: a look that began before says
    /// nothing of what is there since.
    #[serde(default)]
    drifted: BTreeMap<AccountId, DateTime<Utc>>,
    halted: Option<Halted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Halted {
    at: DateTime<Utc>,
    why: String,
    /// Whether a person gave the version up.
    aborted: bool,
}

/// What a run found of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// All of it was looked at, and nothing was to be changed.
    Good,
    /// Nobody knows.
    Open,
    /// Something was not as declared, and was put right.
    Repaired {
        /// Whether all of it was looked at, so that it is as declared now.
        whole: bool,
    },
    /// Something is not as declared.
    Drifted,
    /// Something went wrong.
    Bad(String),
}

impl Health {
    /// With what was found of one more object of the account: the worse of both.
    pub fn and(self, other: Self) -> Self {
        let rank = |health: &Self| match health {
            Self::Good => 0,
            Self::Open => 1,
            Self::Repaired { .. } => 2,
            Self::Drifted => 3,
            Self::Bad(_) => 4,
        };
        match (self, other) {
            (Self::Open, Self::Repaired { .. }) | (Self::Repaired { .. }, Self::Open) => {
                Self::Repaired { whole: false }
            }
            (Self::Repaired { whole: one }, Self::Repaired { whole: other }) => {
                Self::Repaired { whole: one && other }
            }
            (one, other) if rank(&other) > rank(&one) => other,
            (one, _) => one,
        }
    }
}

/// How far a rollout is, for people to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The target.
    pub target: String,
    /// The version that all accounts have, if there is one.
    pub done: Option<String>,
    /// The version on its way, if there is one.
    pub version: Option<String>,
    /// The name of the wave that it has reached.
    pub wave: Option<String>,
    /// When it reached it.
    pub reached: Option<DateTime<Utc>>,
    /// The accounts of that wave that are not there yet.
    pub missing: BTreeSet<AccountId>,
    /// The accounts that are as the version declares.
    pub healthy: BTreeSet<AccountId>,
    /// When the soak time of that wave is over, if all of its accounts stay as declared: a whole look that
    /// begins then or later moves it on.
    pub soaks_until: Option<DateTime<Utc>>,
    /// Why it does not go on, if it does not.
    pub halted: Option<String>,
    /// Whether that is because somebody gave it up.
    pub given_up: bool,
}

/// Where it is remembered how far a target is.
pub fn document(target: &str) -> String {
    format!("{FOLDER}{}", digest::of(&target))
}

/// Where all rollouts are.
pub const FOLDER: &str = "guards/rollout/";

/// The wave of an account; as many as there are waves for what comes last.
pub fn wave_of(waves: &[Wave], account: &AccountId) -> usize {
    let share = share(account);
    let has = |wave: &Wave| {
        wave.accounts.iter().any(|one| one == account.as_str())
            || wave.percent.is_some_and(|percent| share < percent)
    };
    waves.iter().position(has).unwrap_or(waves.len())
}

/// A number below 100 that an account always has.
fn share(account: &AccountId) -> u32 {
    let digest = digest::of(&account.as_str());
    let number = digest.get(..8).and_then(|first| u32::from_str_radix(first, 16).ok());
    number.unwrap_or_default() % 100
}

impl Current {
    /// The accounts of the wave in hand that are not as declared yet.
    fn missing(&self, waves: &[Wave]) -> BTreeSet<AccountId> {
        let of_wave = |one: &&AccountId| wave_of(waves, one) == self.wave;
        let all = self.accounts.iter().filter(of_wave);
        all.filter(|one| !self.healthy.contains_key(*one)).cloned().collect()
    }

    /// An account is not as declared.
    fn forget(&mut self, account: &AccountId, now: DateTime<Utc>) {
        self.healthy.remove(account);
        self.confirmed.remove(account);
        self.drifted.insert(account.clone(), now);
    }

    /// A look that began and ended then found nothing to change in an account.
    fn confirm(&mut self, account: &AccountId, began: DateTime<Utc>, now: DateTime<Utc>) {
        if self.drifted.get(account).is_some_and(|at| *at > began) {
            return;
        }
        let at = match self.healthy.contains_key(account) {
            true => began,
            false => now,
        };
        self.healthy.entry(account.clone()).or_insert(now);
        let latest = self.confirmed.entry(account.clone()).or_insert(at);
        *latest = at.max(*latest);
    }

    /// When the soak time of the wave in hand is over. None as long as an account is not as declared.
    fn soaks_until(&self, waves: &[Wave]) -> Option<DateTime<Utc>> {
        let wave = waves.get(self.wave)?;
        let of_wave = |one: &&AccountId| wave_of(waves, one) == self.wave;
        let mut since = self.accounts.iter().filter(of_wave).map(|one| self.healthy.get(one));
        let begins = since.try_fold(self.reached, |latest, one| Some(latest.max(*one?)))?;
        begins.checked_add_signed(TimeDelta::minutes(i64::from(wave.soak_minutes)))
    }
}

impl Rollout {
    /// Nothing is known of a target yet.
    pub fn of(target: &str) -> Self {
        Self { target: target.to_owned(), done: None, current: None, given_up: BTreeMap::new() }
    }

    /// A look at a target begins, with all of its accounts, also those that other shards look at: a new
    /// version begins with the first wave. It goes on only when the look has ended: see
    /// [`Rollout::goes_on`].
    pub fn look(
        &mut self,
        waves: &[Wave],
        version: &Version,
        accounts: &BTreeSet<AccountId>,
        now: DateTime<Utc>,
    ) {
        self.begin(waves, version, now);
        let Some(current) = self.current.as_mut() else { return };
        current.accounts.clone_from(accounts);
        if current.halted.is_none() && current.wave >= waves.len() {
            self.finish();
        }
    }

    /// A whole look has ended, and all that it found was heard: the next wave begins when looks that began
    /// at the end of the soak time or later found each account of this one as declared. Time alone moves
    /// nothing on.
    pub fn goes_on(&mut self, waves: &[Wave], digest: &str, now: DateTime<Utc>) {
        let is_meant = |one: &&mut Current| one.version.digest == digest && one.halted.is_none();
        let Some(current) = self.current.as_mut().filter(is_meant) else { return };
        let Some(ready) = current.soaks_until(waves).filter(|ready| *ready <= now) else { return };
        let of_wave = |one: &&AccountId| wave_of(waves, one) == current.wave;
        let is_seen = |one: &AccountId| current.confirmed.get(one).is_some_and(|at| *at >= ready);
        if !current.accounts.iter().filter(of_wave).all(is_seen) {
            return;
        }
        current.wave += 1;
        current.reached = now;
        if current.wave >= waves.len() {
            self.finish();
        }
    }

    /// A version that nobody has seen before begins; the one that all accounts have needs no rollout, and one
    /// that was given up stays so.
    pub fn begin(&mut self, waves: &[Wave], version: &Version, now: DateTime<Utc>) {
        if waves.is_empty() {
            (self.done, self.current) = (Some(version.clone()), None);
            return;
        }
        if self.done.as_ref().is_some_and(|done| done.digest == version.digest) {
            self.current = None;
            return;
        }
        let is_known =
            self.current.as_ref().is_some_and(|one| one.version.digest == version.digest);
        if !is_known {
            self.current = Some(Current {
                version: version.clone(),
                since: now,
                wave: 0,
                reached: now,
                accounts: BTreeSet::new(),
                healthy: BTreeMap::new(),
                confirmed: BTreeMap::new(),
                drifted: BTreeMap::new(),
                halted: self.given_up.get(&version.digest).cloned(),
            });
        }
    }

    fn finish(&mut self) {
        if let Some(current) = self.current.take() {
            self.done = Some(current.version);
        }
    }

    /// Hears what a look found of an account, which began and ended then. What goes wrong halts the rollout;
    /// drift begins the soak time anew, whether it was put right or not.
    pub fn heard(
        &mut self,
        waves: &[Wave],
        digest: &str,
        account: &AccountId,
        health: &Health,
        (began, now): (DateTime<Utc>, DateTime<Utc>),
    ) {
        let Some(current) = self.current.as_mut().filter(|one| one.version.digest == digest) else {
            return;
        };
        if wave_of(waves, account) > current.wave {
            return;
        }
        match health {
            Health::Open => {}
            Health::Good => current.confirm(account, began, now),
            Health::Repaired { whole } => {
                let was_healthy = current.healthy.contains_key(account);
                current.forget(account, now);
                if *whole || was_healthy {
                    current.healthy.insert(account.clone(), now);
                }
            }
            Health::Drifted => current.forget(account, now),
            Health::Bad(why) => {
                current.forget(account, now);
                current.halted.get_or_insert_with(|| Halted {
                    at: now,
                    why: format!("account {account}: {why}"),
                    aborted: false,
                });
            }
        }
    }

    /// Whether a version is on its way.
    pub fn is_under_way(&self) -> bool {
        self.current.is_some()
    }

    /// Whether a change of an item in an account is held back, and why.
    pub fn held(&self, waves: &[Wave], account: &AccountId, item: &ItemName) -> Option<Held> {
        let current = self.current.as_ref()?;
        let item = item.to_string();
        let before = self.done.as_ref().and_then(|done| done.items.get(&item));
        if before.is_some() && before == current.version.items.get(&item) {
            return None;
        }
        let version = short(&current.version.digest);
        // Only digests are kept of what the version before says: nobody could write it.
        let neither = match before {
            Some(_) => "; the version before says otherwise, and neither is written here meanwhile",
            None => "",
        };
        if let Some(Halted { at: since, why, aborted }) = &current.halted {
            let (word, resume) = match aborted {
                true => ("was given up", "evenkeel rollout resume --given-up"),
                false => ("is halted since", "evenkeel rollout resume"),
            };
            let reason = format!("the rollout of {version} {word} {}: {why}{neither}", at(*since));
            let other = match before.is_some() {
                true => format!(
                    "another version of the baselines of {:?}, or the one that all accounts have, which is repaired at once",
                    self.target
                ),
                false => format!("another version of the baselines of {:?}", self.target),
            };
            let release = match aborted {
                true => format!("{other}, or {resume}"),
                false => format!("{resume}, or {other}"),
            };
            return Some(Held::by(Guard::Wave, reason, release));
        }
        let own = wave_of(waves, account);
        if own <= current.wave {
            return None;
        }
        let name = |wave: usize| waves.get(wave).map_or("the rest", |wave| wave.name.as_str());
        Some(Held::by(
            Guard::Wave,
            format!(
                "the rollout of {version} has reached the wave {:?}, and the account is in {:?}{neither}",
                name(current.wave),
                name(own)
            ),
            "the waves before it being as declared for their soak time: evenkeel rollout status",
        ))
    }

    /// When the version on its way was given up, and by whom.
    pub fn given_up(&self) -> Option<(DateTime<Utc>, &str)> {
        let halted = self.current.as_ref()?.halted.as_ref()?;
        halted.aborted.then_some((halted.at, halted.why.as_str()))
    }

    /// Goes on after a halt, from the wave that was reached: its soak time begins anew. A version that was
    /// given up stays so, but where that is asked for. Says whether there was such a halt.
    pub fn resume(&mut self, also_given_up: bool, now: DateTime<Utc>) -> bool {
        let ends = |halted: &Halted| also_given_up || !halted.aborted;
        let halted = |one: &&mut Current| one.halted.as_ref().is_some_and(ends);
        let Some(current) = self.current.as_mut().filter(halted) else {
            return false;
        };
        (current.halted, current.reached) = (None, now);
        self.given_up.remove(&current.version.digest);
        true
    }

    /// Gives the version up. Says whether one was on its way.
    pub fn abort(&mut self, by: &str, now: DateTime<Utc>) -> bool {
        let Some(current) = self.current.as_mut() else { return false };
        let halted = Halted { at: now, why: format!("{by} gave it up"), aborted: true };
        self.given_up.insert(current.version.digest.clone(), halted.clone());
        current.halted = Some(halted);
        true
    }

    /// How far it is.
    pub fn progress(&self, waves: &[Wave]) -> Progress {
        let current = self.current.as_ref();
        let name = |wave: usize| waves.get(wave).map_or("the rest", |wave| wave.name.as_str());
        Progress {
            target: self.target.clone(),
            done: self.done.as_ref().map(|done| done.digest.clone()),
            version: current.map(|one| one.version.digest.clone()),
            wave: current.map(|one| name(one.wave).to_owned()),
            reached: current.map(|one| one.reached),
            missing: current.map(|one| one.missing(waves)).unwrap_or_default(),
            healthy: current.map(|one| one.healthy.keys().cloned().collect()).unwrap_or_default(),
            soaks_until: current.and_then(|one| one.soaks_until(waves)),
            halted: current.and_then(|one| Some(one.halted.as_ref()?.why.clone())),
            given_up: self.given_up().is_some(),
        }
    }
}

/// A digest as people see it.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
