//! What the guards say of a look: of each account as it is planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::memory::{ALL, OfAccount, OfAll, document_of, unreadable};
use super::{Guarded, Hand, troubled};
use crate::fleet::jobs::Chosen;
use crate::guards::breaker::Standing as Breaking;
use crate::guards::fight::{FIGHTS, declared};
use crate::guards::rollout::{self, Health, wave_of};
use crate::guards::{Breaker, Confirmed, Fight, Hold, ObjectKey, Rollout, Version};
use crate::guards::{first_run, hold::HOLDS, object::folder};
use crate::names::{AccountId, ItemName};
use crate::plan::words::counted;
use crate::plan::{AccountPlan, Guard, Held, ObjectPlan, Plan, PlannedChange, RunLimit, Verdict};
use crate::reconcile::report::ApplyReport;
use crate::reconcile::target::FleetTarget;
use crate::store::error::StoreError;
use crate::store::memory::change;

/// Which targets declare each item in an account, by their place in the list.
pub type Origins = BTreeMap<ItemName, BTreeSet<usize>>;

/// What a look is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Whether its plan may be applied; otherwise nothing is written down.
    pub writes: bool,
    /// Whether all is looked at that its targets declare in its accounts.
    pub is_full: bool,
    /// Whether these are all accounts of its targets.
    pub is_all: bool,
}

/// What the guards say of a look.
pub struct Standing {
    pub(super) guarded: Arc<Guarded>,
    view: View,
    now: DateTime<Utc>,
    /// By target: its name, its version and how far it is. None for what nobody rolls out.
    targets: Vec<Target>,
    all: OfAll,
    /// Why nothing at all is let through.
    nothing: Option<Held>,
    /// How many changes of the day's budget are left to be planned.
    left: Mutex<usize>,
    /// What could not be read, where that holds nothing back.
    forgotten: Mutex<Option<StoreError>>,
}

struct Target {
    name: String,
    version: Version,
    rollout: Option<Rollout>,
    /// Of the wave that it has reached, the accounts of other shards that are not as declared by all that
    /// is remembered here.
    missing_elsewhere: usize,
    first_run: Option<Held>,
}

/// A target, as the guards are asked about it.
#[derive(Debug, Clone)]
pub struct Aim {
    /// Its name.
    pub name: String,
    /// The version of what it declares.
    pub version: Version,
    /// Whether it was not asked for.
    pub is_beside: bool,
    /// Its accounts that are looked at.
    pub accounts: BTreeSet<AccountId>,
    /// Its accounts that other shards look at.
    pub elsewhere: BTreeSet<AccountId>,
}

impl Aim {
    /// All targets of a look, each with its accounts.
    pub fn all(targets: &[FleetTarget], chosen: &Chosen) -> Vec<Self> {
        let of = |(place, target): (usize, &FleetTarget)| {
            let jobs = chosen.jobs.iter().filter(|job| job.targets.contains(&place));
            let others = chosen.elsewhere.iter().filter(|(_, targets)| targets.contains(&place));
            Self {
                name: target.name.clone(),
                version: target.version(),
                is_beside: target.is_beside,
                accounts: jobs.map(|job| job.account.id.clone()).collect(),
                elsewhere: others.map(|(account, _)| account.clone()).collect(),
            }
        };
        targets.iter().enumerate().map(of).collect()
    }
}

/// How much breakers let through.
enum Flow {
    All,
    One(Held),
    None(Held),
}

impl Standing {
    /// Asks what the guards remember, and lets rollouts go on.
    pub async fn of(
        guarded: &Arc<Guarded>,
        aims: Vec<Aim>,
        view: View,
        now: DateTime<Utc>,
    ) -> Self {
        let mut standing = Self {
            guarded: Arc::clone(guarded),
            view,
            now,
            targets: Vec::new(),
            all: OfAll::default(),
            nothing: None,
            left: Mutex::default(),
            forgotten: Mutex::default(),
        };
        match standing.read(aims).await {
            Err(error) if view.writes && !guarded.overrules(Guard::Memory) => {
                standing.nothing = Some(unreadable(&error));
            }
            Err(error) => standing.forgets(error),
            Ok(()) => {}
        }
        standing
    }

    fn forgets(&self, error: StoreError) {
        let mut forgotten = self.forgotten.lock().unwrap_or_else(PoisonError::into_inner);
        forgotten.get_or_insert(error);
    }

    /// Why what the guards remember is neither shown nor heeded, where nobody is to write or somebody has
    /// overruled that.
    pub fn forgotten(&self) -> Option<StoreError> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Why nothing at all is let through, where what the guards remember cannot be read.
    pub fn nothing(&self) -> Option<&Held> {
        self.nothing.as_ref()
    }

    /// Who wishes to write.
    pub fn hand(&self) -> Hand {
        self.guarded.hand
    }

    /// The guards themselves.
    pub fn guarded(&self) -> &Guarded {
        &self.guarded
    }

    async fn read(&mut self, aims: Vec<Aim>) -> Result<(), StoreError> {
        let guarded = Arc::clone(&self.guarded);
        let (memory, rules) = (guarded.memory.as_ref(), &guarded.rules);
        if let Some(document) = memory.read(ALL).await? {
            self.all = document.typed()?;
        }
        let left = self.all.budget.left(rules.per_day, self.now);
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
        for aim in aims {
            let (rollout, first_run) = match aim.is_beside {
                true => (None, None),
                false => (self.rollout(&aim).await?, self.first_run(&aim.name).await?),
            };
            let Aim { name, version, elsewhere, .. } = aim;
            let missing = rollout.iter().flat_map(|rollout| rollout.progress(&rules.waves).missing);
            let missing_elsewhere = missing.filter(|one| elsewhere.contains(one)).count();
            self.targets.push(Target { name, version, rollout, missing_elsewhere, first_run });
        }
        Ok(())
    }

    /// How far a target's version is. What is only shown moves nothing, and shows no rollout that
    /// nothing is remembered of.
    async fn rollout(&self, aim: &Aim) -> Result<Option<Rollout>, StoreError> {
        let (memory, waves) = (self.guarded.memory.as_ref(), &self.guarded.rules.waves);
        let name = rollout::document(&aim.name);
        let version = &aim.version;
        // A wave has all of its accounts, whichever of them are looked at here.
        let accounts: BTreeSet<_> = aim.accounts.union(&aim.elsewhere).cloned().collect();
        let look = |there: Option<Rollout>| {
            let mut rollout = there.unwrap_or_else(|| Rollout::of(&aim.name));
            match self.view.is_full {
                true => rollout.look(waves, version, &accounts, self.now),
                false => rollout.begin(waves, version, self.now),
            }
            rollout
        };
        if !self.view.writes {
            let there: Option<Rollout> =
                memory.read(&name).await?.map(|document| document.typed()).transpose()?;
            return Ok(there.map(|there| look(Some(there))));
        }
        if waves.is_empty() && memory.read(&name).await?.is_none() {
            return Ok(None);
        }
        let mut now = None;
        change(memory, &name, |there: Option<Rollout>| {
            let rollout = look(there.clone());
            now = Some(rollout.clone());
            (there.as_ref() != Some(&rollout)).then_some(rollout)
        })
        .await?;
        Ok(now)
    }

    async fn first_run(&self, target: &str) -> Result<Option<Held>, StoreError> {
        let guarded = &self.guarded;
        if guarded.hand == Hand::Person || !guarded.protects_first_run || !self.view.writes {
            return Ok(None);
        }
        let document = guarded.memory.read(&first_run::document(target)).await?;
        let confirmed: Option<Confirmed> = document.map(|document| document.typed()).transpose()?;
        let in_file = guarded.rules.confirmed.contains(target);
        Ok(first_run::held(target, in_file, confirmed.as_ref()))
    }

    /// Holds back in an account what the guards do not let through.
    pub async fn hold(&self, account: &AccountId, plan: &mut AccountPlan, origins: &Origins) {
        if plan.order.is_empty() {
            return;
        }
        if let Some(held) = &self.nothing {
            plan.hold(|_, _| Some(held.clone()));
            return;
        }
        if let Err(error) = self.holding(account, plan, origins).await {
            if self.view.writes && !self.guarded.overrules(Guard::Memory) {
                let held = unreadable(&error);
                plan.hold(|_, _| Some(held.clone()));
            } else {
                self.forgets(error);
            }
        }
    }

    async fn holding(
        &self,
        account: &AccountId,
        plan: &mut AccountPlan,
        origins: &Origins,
    ) -> Result<(), StoreError> {
        let guarded = &self.guarded;
        self.drifted(account).await?;
        let document = guarded.memory.read(&document_of(account)).await?;
        let own: OfAccount = document.map(|one| one.typed()).transpose()?.unwrap_or_default();
        let mut objects = self.holds(account).await?;
        objects.extend(self.fights(account, plan).await?);
        plan.hold(|object, _| {
            self.by_target(account, object, origins)
                .or_else(|| objects.get(&ObjectKey::of(object)).cloned())
                .filter(|held| !guarded.overrules(held.guard))
        });
        match self.flow(account, &own.breaker) {
            Flow::All => {}
            Flow::None(held) => plan.hold(|_, _| Some(held.clone())),
            Flow::One(held) => {
                let first = plan.order.first().copied();
                plan.hold(|_, change| (Some(change.id) != first).then(|| held.clone()));
            }
        }
        if let Some(held) = self.over_budget(account, &own, plan.order.len()) {
            plan.hold(|_, _| Some(held.clone()));
        }
        Ok(())
    }

    /// An account is not as a version on its way declares: its soak time begins anew, whatever becomes of
    /// the run.
    async fn drifted(&self, account: &AccountId) -> Result<(), StoreError> {
        let (memory, waves) = (self.guarded.memory.as_ref(), &self.guarded.rules.waves);
        let is_meant =
            |target: &&Target| target.rollout.as_ref().is_some_and(Rollout::is_under_way);
        for target in self.targets.iter().filter(|_| self.view.writes).filter(is_meant) {
            let times = (self.now, self.guarded.now());
            change(memory, &rollout::document(&target.name), |there: Option<Rollout>| {
                let mut now = there.clone()?;
                now.heard(waves, &target.version.digest, account, &Health::Drifted, times);
                (there.as_ref() != Some(&now)).then_some(now)
            })
            .await?;
        }
        Ok(())
    }

    /// First runs and waves: what the targets of an item say.
    fn by_target(
        &self,
        account: &AccountId,
        object: &ObjectPlan,
        origins: &Origins,
    ) -> Option<Held> {
        let waves = &self.guarded.rules.waves;
        let targets = origins.get(&object.item).into_iter().flatten();
        targets.filter_map(|place| self.targets.get(*place)).find_map(|target| {
            let by_wave = || {
                let held = target.rollout.as_ref()?.held(waves, account, &object.item)?;
                Some(with_other_shards(held, target.missing_elsewhere))
            };
            target.first_run.clone().or_else(by_wave)
        })
    }

    async fn holds(&self, account: &AccountId) -> Result<BTreeMap<ObjectKey, Held>, StoreError> {
        let mut held = BTreeMap::new();
        for document in self.guarded.memory.list(&format!("{}/", folder(HOLDS, account))).await? {
            let hold: Hold = document.typed()?;
            held.extend(hold.held(self.now).map(|held| (hold.object.clone(), held)));
        }
        Ok(held)
    }

    /// The objects that somebody fights over, after what was seen now.
    async fn fights(
        &self,
        account: &AccountId,
        plan: &AccountPlan,
    ) -> Result<BTreeMap<ObjectKey, Held>, StoreError> {
        let guarded = &self.guarded;
        let rules = &guarded.rules.fights;
        let mut held = BTreeMap::new();
        let documents = guarded.memory.list(&format!("{}/", folder(FIGHTS, account))).await?;
        let mut fights = BTreeMap::new();
        for document in documents {
            let fight: Fight = document.typed()?;
            if self.view.writes && fight.is_over(rules, self.now) {
                let name = &document.name;
                match guarded.memory.remove(name, document.version).await {
                    // Somebody else writes it just now: it is not over.
                    Ok(()) | Err(StoreError::Moved { .. }) => continue,
                    Err(error) => return Err(error),
                }
            }
            fights.insert(fight.object.clone(), fight);
        }
        if fights.is_empty() {
            return Ok(held);
        }
        for object in plan.objects.iter() {
            let key = ObjectKey::of(object);
            if object.verdict == Verdict::InSync && fights.contains_key(&key) && self.view.writes {
                guarded.seen_again(&key).await?;
            }
            if !object.is_changed() {
                continue;
            }
            let Some(mut fight) = fights.remove(&key) else { continue };
            let (who, declared) = (guarded.who(object), declared(object));
            let see = |fight: &mut Fight| {
                for change in object.changes.iter().filter(|change| change.is_applied()) {
                    fight.seen(rules, &change.drift, &declared, who.as_ref(), None, self.now);
                }
            };
            see(&mut fight);
            if self.view.writes {
                change(guarded.memory.as_ref(), &key.document(FIGHTS), |there: Option<Fight>| {
                    let mut now = there?;
                    see(&mut now);
                    fight = now.clone();
                    Some(now)
                })
                .await?;
            }
            held.extend(fight.held().map(|why| (key, why)));
        }
        Ok(held)
    }

    /// How much the breakers of an account, of its wave and of all accounts let through.
    fn flow(&self, account: &AccountId, own: &Breaker) -> Flow {
        if self.guarded.overrules(Guard::Breaker) {
            return Flow::All;
        }
        let waves = &self.guarded.rules.waves;
        let wave = waves.get(wave_of(waves, account));
        let of_wave = wave.and_then(|wave| Some((wave, self.all.waves.get(&wave.name)?)));
        let all = [
            (Some(&self.all.breaker), "in all accounts".to_owned()),
            (
                of_wave.map(|(_, breaker)| breaker),
                match of_wave {
                    Some((wave, _)) => format!("in the wave {:?}", wave.name),
                    None => String::new(),
                },
            ),
            (Some(own), format!("in account {account}")),
        ];
        let mut flow = Flow::All;
        for (breaker, whose) in all {
            let Some(breaker) = breaker else { continue };
            match breaker.standing(self.now) {
                Breaking::Closed => {}
                Breaking::HalfOpen { why, is_tried: false } => {
                    flow = Flow::One(broken(&whose, &why, None))
                }
                Breaking::HalfOpen { why, is_tried: true } => {
                    return Flow::None(broken(&whose, &why, None));
                }
                Breaking::Open { why, until } => {
                    return Flow::None(broken(&whose, &why, Some(until)));
                }
            }
        }
        flow
    }

    /// Whether so many changes are more than the day has left.
    fn over_budget(&self, account: &AccountId, own: &OfAccount, planned: usize) -> Option<Held> {
        let rules = &self.guarded.rules;
        if planned == 0 || self.guarded.overrules(Guard::Budget) {
            return None;
        }
        let limit = rules.per_account_per_day;
        let left = own.budget.left(limit, self.now);
        let day = Day { limit, left, is_unused: left == limit };
        if planned > day.left {
            let again = own.budget.has_again(limit, planned, self.now);
            let held = day.spent(
                &format!("account {account}"),
                planned,
                again,
                RunLimit::MaxChangesPerAccount,
            );
            return Some(held);
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if planned > *left {
            let limit = rules.per_day;
            let again = self.all.budget.has_again(limit, planned, self.now);
            let is_unused = self.all.budget.left(limit, self.now) == limit;
            let day = Day { limit, left: *left, is_unused };
            return Some(day.spent("all accounts", planned, again, RunLimit::MaxChanges));
        }
        *left -= planned;
        None
    }

    /// After a run: what it found goes to the rollouts, and who applied all of a target has confirmed it.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn conclude(
        &self,
        plan: &Plan,
        report: Option<&ApplyReport>,
    ) -> Result<(), StoreError> {
        if self.nothing.is_some() {
            return Ok(());
        }
        let health = self.health(plan, report);
        // What was written is so since now, and not since the look began.
        let now = self.guarded.now();
        let (memory, waves) = (self.guarded.memory.as_ref(), &self.guarded.rules.waves);
        for target in self.targets.iter().filter(|target| target.rollout.is_some()) {
            let digest = &target.version.digest;
            change(memory, &rollout::document(&target.name), |there: Option<Rollout>| {
                let mut rollout = there.clone()?;
                for (account, health) in &health {
                    rollout.heard(waves, digest, account, health, (self.now, now));
                }
                if self.view.is_full {
                    rollout.goes_on(waves, digest, now);
                }
                (there.as_ref() != Some(&rollout)).then_some(rollout)
            })
            .await?;
        }
        let is_done = report.is_some_and(|report| report.applied() > 0 && report.is_complete());
        if !(self.guarded.hand == Hand::Person && self.view.is_full && self.view.is_all && is_done)
        {
            return Ok(());
        }
        let protected = self.targets.iter().filter(|_| self.guarded.protects_first_run);
        for Target { name, .. } in protected {
            change(memory, &first_run::document(name), |there: Option<Confirmed>| {
                let by = format!("evenkeel apply, run {}", plan.run);
                let now = Confirmed { target: name.clone(), since: self.now, by, applied: true };
                there.is_none().then_some(now)
            })
            .await?;
        }
        Ok(())
    }

    /// How each account is after a run.
    fn health(&self, plan: &Plan, report: Option<&ApplyReport>) -> BTreeMap<AccountId, Health> {
        let whole = if self.view.is_full { Health::Good } else { Health::Open };
        let mut all: BTreeMap<AccountId, Health> =
            plan.targets.iter().map(|target| (target.account.clone(), whole.clone())).collect();
        for object in plan.objects.each() {
            let Some(health) = all.get_mut(&object.account) else { continue };
            let so_far = std::mem::replace(health, Health::Open);
            *health = so_far.and(self.health_of(&object, report));
        }
        all
    }

    fn health_of(&self, object: &ObjectPlan, report: Option<&ApplyReport>) -> Health {
        let title = object.title();
        let applied = || object.changes.iter().filter(|change| change.is_applied());
        let trouble =
            report.and_then(|report| applied().find_map(|one| troubled(report, &title, one.id)));
        let is_done = |change: &PlannedChange| {
            let mut outcomes = report.iter().flat_map(|report| &report.outcomes);
            outcomes.any(|one| one.change == change.id && one.step.is_done())
        };
        match (trouble, &object.verdict) {
            (Some(why), _) => Health::Bad(why),
            _ if object.held().is_some() || !applied().all(is_done) => Health::Drifted,
            _ if object.is_changed() => Health::Repaired { whole: self.view.is_full },
            (None, Verdict::Unknown(_)) => Health::Open,
            (None, _) => Health::Good,
        }
    }
}

/// Shards that share nothing never hear of each other's accounts.
fn with_other_shards(mut held: Held, missing: usize) -> Held {
    if missing > 0 {
        held.reason += &format!(
            "; {} of the wave that it has reached {} in other shards, and nothing that is remembered here says that they are as declared: with --shard, all shards must share a store ([store] url)",
            counted(missing, "account"),
            if missing == 1 { "is" } else { "are" }
        );
    }
    held
}

fn broken(whose: &str, why: &str, until: Option<DateTime<Utc>>) -> Held {
    let released_by = match until {
        Some(until) => {
            format!("one change that is tried after {} and accepted", until.to_rfc3339())
        }
        None => "the one change that is tried now, if it is accepted".to_owned(),
    };
    Held::by(Guard::Breaker, format!("too many changes failed {whose}: {why}"), released_by)
}

/// What a day allows, and what of it is left.
struct Day {
    limit: usize,
    left: usize,
    /// Whether nothing was written within it.
    is_unused: bool,
}

impl Day {
    /// Holds back what is too much for it.
    fn spent(
        &self,
        whose: &str,
        planned: usize,
        again: Option<DateTime<Utc>>,
        of_run: RunLimit,
    ) -> Held {
        let Self { limit, left, is_unused } = self;
        let when =
            again.map_or_else(String::new, |at| format!("time, at {}, or ", at.to_rfc3339()));
        let option = match of_run {
            RunLimit::MaxChanges => "max_changes_per_day",
            RunLimit::MaxChangesPerAccount => "max_changes_per_account_per_day",
        };
        let reason = format!(
            "{} of {whose} are more than the {left} that are left of {limit} in 24 hours",
            counted(planned, "change")
        );
        // Who raises the limit of a run raises that of the day as far, and all of that is left then where
        // nothing was used up.
        Held::by(Guard::Budget, reason, format!("{when}[safety] {option}"))
            .raised_with(is_unused.then_some(of_run))
    }
}
