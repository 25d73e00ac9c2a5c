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
        Self { target: target.to_owned(), done: None, current: None }
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

    /// A version that nobody has seen before begins; the one that all accounts have needs no rollout.
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
                halted: None,
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
        true
    }

    /// Gives the version up. Says whether one was on its way.
    pub fn abort(&mut self, by: &str, now: DateTime<Utc>) -> bool {
        let Some(current) = self.current.as_mut() else { return false };
        current.halted = Some(Halted { at: now, why: format!("{by} gave it up"), aborted: true });
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
mod tests {
    use super::super::seeded::Seeded;
    use super::*;

    fn account(number: u64) -> AccountId {
        format!("{number:012}").parse().unwrap()
    }

    fn fleet() -> BTreeSet<AccountId> {
        (1..=40).map(account).collect()
    }

    fn waves() -> Vec<Wave> {
        let wave = |name: &str, accounts: &[u64], percent, soak_minutes| Wave {
            name: name.to_owned(),
            accounts: accounts.iter().map(|one| format!("{one:012}")).collect(),
            percent,
            soak_minutes,
        };
        vec![wave("canary", &[1, 2], None, 60), wave("some", &[], Some(30), 30)]
    }

    fn version(digest: &str, items: &[(&str, &str)]) -> Version {
        let items = items.iter().map(|(item, digest)| ((*item).to_owned(), (*digest).to_owned()));
        Version { digest: digest.to_owned(), items: items.collect() }
    }

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn item(name: &str) -> ItemName {
        name.parse().unwrap()
    }

    const NEW: &str = "iam.password_policy";
    const OLD: &str = "s3.account_public_access_block";

    fn begun() -> Rollout {
        let mut rollout = Rollout::of("all");
        rollout.done = Some(version("v1", &[(OLD, "1"), (NEW, "1")]));
        rollout.look(&waves(), &version("v2", &[(OLD, "1"), (NEW, "2")]), &fleet(), start());
        rollout
    }

    #[test]
    fn a_new_version_goes_on_only_while_the_wave_before_is_healthy_for_its_soak_time() {
        let (waves, mut rollout) = (waves(), begun());
        let next = version("v2", &[(OLD, "1"), (NEW, "2")]);
        let of =
            |rollout: &Rollout, number, name| rollout.held(&waves, &account(number), &item(name));
        let last = (3..=40).find(|one| wave_of(&waves, &account(*one)) == 2).unwrap();
        assert_eq!(of(&rollout, 1, NEW), None);
        assert_eq!(of(&rollout, last, OLD), None, "what is the same is repaired everywhere");
        let held = of(&rollout, last, NEW).unwrap();
        assert!(held.reason.contains("\"canary\"") && held.reason.contains("the rest"), "{held}");
        assert!(held.reason.contains("neither is written"), "it was in v1, otherwise: {held}");
        let hour = |hours| start() + TimeDelta::hours(hours);
        let good = |rollout: &mut Rollout, number, at| {
            rollout.heard(&waves, "v2", &account(number), &Health::Good, (at, at));
        };
        let ends = |rollout: &mut Rollout, at| {
            rollout.goes_on(&waves, "v2", at);
            rollout.progress(&waves).wave.unwrap_or_default()
        };
        good(&mut rollout, 1, start());
        assert_eq!(ends(&mut rollout, hour(5)), "canary", "account 2 is not there yet");
        assert_eq!(rollout.progress(&waves).soaks_until, None);
        good(&mut rollout, 1, hour(5));
        good(&mut rollout, 2, hour(5));
        assert_eq!(ends(&mut rollout, hour(5)), "canary", "the soak time is not over");
        assert_eq!(rollout.progress(&waves).soaks_until, Some(hour(6)));
        rollout.look(&waves, &next, &fleet(), hour(9));
        assert_eq!(ends(&mut rollout, hour(9)), "canary", "time alone moves nothing on");
        good(&mut rollout, 1, hour(6));
        assert_eq!(ends(&mut rollout, hour(9)), "canary", "account 2 was not looked at since");
        good(&mut rollout, 2, hour(6));
        assert_eq!(ends(&mut rollout, hour(6)), "some");
        for one in fleet() {
            rollout.heard(&waves, "v2", &one, &Health::Good, (hour(6), hour(6)));
        }
        assert_eq!(ends(&mut rollout, hour(7)), "some", "nobody has looked since");
        for one in fleet() {
            rollout.heard(&waves, "v2", &one, &Health::Good, (hour(7), hour(7)));
        }
        ends(&mut rollout, hour(7));
        assert_eq!(rollout.progress(&waves).done.unwrap(), "v2");
        assert_eq!(of(&rollout, last, NEW), None);
    }

    #[test]
    fn drift_in_the_soak_time_begins_it_anew_whoever_finds_it_and_whether_it_is_put_right_or_not() {
        let waves = waves();
        let hour = |hours| start() + TimeDelta::hours(hours);
        let whole = Health::Repaired { whole: true };
        // By what is found within the soak time: when a look at the end of it moves on, and one an hour later.
        let cases = [
            (Health::Good, "some", "some"),
            (Health::Open, "some", "some"),
            (whole.clone(), "canary", "some"),
            (Health::Repaired { whole: false }, "canary", "some"),
            // Nobody saw it as declared since.
            (Health::Drifted, "canary", "some"),
        ];
        for (found, first, later) in cases {
            let mut rollout = begun();
            let mut hear = |number, health: &Health, at| {
                rollout.heard(&waves, "v2", &account(number), health, (at, at));
                rollout.goes_on(&waves, "v2", at);
                rollout.progress(&waves).wave.unwrap()
            };
            hear(1, &whole, hour(0));
            assert_eq!(hear(2, &whole, hour(0)), "canary");
            hear(1, &found, start() + TimeDelta::minutes(30));
            hear(1, &Health::Good, hour(1));
            assert_eq!(hear(2, &Health::Good, hour(1)), first, "{found:?}");
            hear(1, &Health::Good, hour(2));
            assert_eq!(hear(2, &Health::Good, hour(2)), later, "{found:?}");
        }
        // The look at the end itself finds it, and puts it right.
        let mut rollout = begun();
        for (at, health) in [(hour(0), &whole), (hour(1), &whole)] {
            for number in [1, 2] {
                rollout.heard(&waves, "v2", &account(number), health, (at, at));
            }
            rollout.goes_on(&waves, "v2", at);
            assert_eq!(rollout.progress(&waves).wave.unwrap(), "canary");
        }
        assert_eq!(rollout.progress(&waves).soaks_until, Some(hour(2)));
    }

    #[test]
    fn the_first_that_goes_wrong_halts_it_until_somebody_decides() {
        let (waves, mut rollout) = (waves(), begun());
        let next = version("v2", &[(OLD, "1"), (NEW, "2")]);
        let bad = Health::Bad("AWS refused it".to_owned());
        rollout.heard(&waves, "v2", &account(1), &bad, (start(), start()));
        rollout.heard(&waves, "v2", &account(1), &Health::Good, (start(), start()));
        let held = rollout.held(&waves, &account(2), &item(NEW)).unwrap();
        assert!(
            held.reason.contains("AWS refused it") && held.released_by.contains("resume"),
            "{held}"
        );
        assert!(held.reason.contains("neither is written"), "{held}");
        assert!(held.released_by.contains("the one that all accounts have"), "{held}");
        assert_eq!(rollout.held(&waves, &account(2), &item(OLD)), None);
        rollout.look(&waves, &next, &fleet(), start() + TimeDelta::days(9));
        assert_eq!(rollout.progress(&waves).wave.unwrap(), "canary");
        assert!(rollout.resume(false, start()) && !rollout.resume(false, start()));
        assert_eq!(rollout.held(&waves, &account(2), &item(NEW)), None);
        assert!(rollout.abort("ops", start()));
        assert_eq!(rollout.given_up(), Some((start(), "ops gave it up")));
        assert!(!rollout.resume(false, start()) && rollout.given_up().is_some());
        let held = rollout.held(&waves, &account(1), &item(NEW)).unwrap();
        assert!(held.reason.contains("ops gave it up"), "{held}");
        // Another version begins anew; the old one needs no rollout.
        rollout.look(&waves, &version("v3", &[]), &fleet(), start());
        assert_eq!(rollout.progress(&waves).version.unwrap(), "v3");
        rollout.look(&waves, &version("v1", &[]), &fleet(), start());
        assert_eq!(rollout.progress(&waves).version, None);
    }

    #[test]
    fn percentages_are_of_all_accounts_and_an_account_keeps_its_wave() {
        let waves = waves();
        let some = (3..1003).filter(|one| wave_of(&waves, &account(*one)) == 1).count();
        assert!((250..350).contains(&some), "{some}");
        let mut all = waves.clone();
        all[1].percent = Some(100);
        assert!((1..200).all(|one| wave_of(&all, &account(one)) < 2));
        // A larger percentage takes none away.
        all[1].percent = Some(60);
        for one in (3..200).filter(|one| wave_of(&waves, &account(*one)) == 1) {
            assert_eq!(wave_of(&all, &account(one)), 1);
        }
    }

    #[test]
    fn in_any_history_no_account_gets_a_version_before_its_waves_were_healthy() {
        for seed in 0..200 {
            let (mut numbers, waves) = (Seeded(seed), waves());
            let (mut rollout, mut now) = (Rollout::of("all"), start());
            let mut healthy: BTreeMap<AccountId, DateTime<Utc>> = BTreeMap::new();
            let mut passed = 0;
            let one = version("v1", &[(NEW, "1")]);
            for _ in 0..400 {
                now += TimeDelta::minutes(i64::try_from(numbers.below(20)).unwrap());
                rollout.look(&waves, &one, &fleet(), now);
                let about = account(1 + numbers.below(40));
                if rollout.held(&waves, &about, &item(NEW)).is_some() {
                    if numbers.below(10) == 0 {
                        rollout.resume(true, now);
                    }
                    continue;
                }
                // It is written there: all accounts of the waves before were healthy for their time.
                assert!(wave_of(&waves, &about) <= passed, "{seed}");
                let health = match numbers.below(50) {
                    0 => Health::Bad("why".to_owned()),
                    1 => Health::Open,
                    2 => Health::Drifted,
                    3 => Health::Repaired { whole: true },
                    4 => Health::Repaired { whole: false },
                    _ => Health::Good,
                };
                rollout.heard(&waves, "v1", &about, &health, (now, now));
                match health {
                    Health::Open => {}
                    Health::Good => drop(healthy.entry(about).or_insert(now)),
                    Health::Repaired { whole: true } => drop(healthy.insert(about, now)),
                    Health::Repaired { whole: false } => {
                        healthy.entry(about).and_modify(|since| *since = now);
                    }
                    Health::Drifted | Health::Bad(_) => drop(healthy.remove(&about)),
                }
                let is_over = waves.get(passed).is_none_or(|wave| {
                    let soak = TimeDelta::minutes(i64::from(wave.soak_minutes));
                    let is_soaked = |one: &AccountId| {
                        healthy.get(one).is_some_and(|since| *since + soak <= now)
                    };
                    fleet().iter().filter(|one| wave_of(&waves, one) == passed).all(is_soaked)
                });
                rollout.goes_on(&waves, "v1", now);
                passed += usize::from(is_over && passed < waves.len());
                rollout = serde_json::from_value(serde_json::to_value(&rollout).unwrap()).unwrap();
            }
        }
    }
}
