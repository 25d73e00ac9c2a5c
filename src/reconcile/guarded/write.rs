//! What the guards say directly before a write, and what they hear of it.

use chrono::Utc;

use super::memory::{ALL, OfAccount, OfAll, document_of, unreadable};
use super::{Guarded, Rules};
use crate::guards::fight::FIGHTS;
use crate::guards::hold::HOLDS;
use crate::guards::rollout::wave_of;
use crate::guards::{Breaker, Budget, Fight, Hold, ObjectKey};
use crate::names::AccountId;
use crate::plan::{Guard, Held, ObjectPlan, PlannedChange};
use crate::store::error::StoreError;
use crate::store::memory::change;

/// What became of a change that the guards let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// AWS accepted it.
    Accepted,
    /// AWS did not.
    Failed,
    /// It was not sent after all.
    Unsent,
}

/// In how many accounts changes must have failed before all are stopped.
const ACCOUNTS: usize = 2;

impl Guarded {
    /// Asks for leave to write a change, and counts it.
    ///
    /// # Errors
    /// A guard holds it back.
    pub async fn before(
        &self,
        object: &ObjectPlan,
        planned: &PlannedChange,
        by: &str,
        run: &str,
    ) -> Result<(), Held> {
        let asked = self.asked(object, planned, by, run).await;
        match asked {
            Ok(None) => Ok(()),
            Ok(Some(held)) => Err(held),
            Err(_) if self.overrules(Guard::Memory) => Ok(()),
            Err(error) => Err(unreadable(&error)),
        }
    }

    async fn asked(
        &self,
        object: &ObjectPlan,
        planned: &PlannedChange,
        by: &str,
        run: &str,
    ) -> Result<Option<Held>, StoreError> {
        let (memory, now) = (self.memory.as_ref(), Utc::now());
        let key = ObjectKey::of(object);
        if let Some(document) = memory.read(&key.document(HOLDS)).await?
            && let Some(held) = document.typed::<Hold>()?.held(now)
            && !self.overrules(Guard::Hold)
        {
            return Ok(Some(held));
        }
        let account = &object.account;
        if let Some(held) = self.take(account).await? {
            return Ok(Some(held));
        }
        let mut held = None;
        change(memory, &key.document(FIGHTS), |there: Option<Fight>| {
            let mut fight = there.unwrap_or_else(|| Fight::about(key.clone()));
            held = fight.held().filter(|_| !self.overrules(Guard::Fight));
            if held.is_some() {
                return None;
            }
            fight.writes(&planned.drift, by, run, now);
            Some(fight)
        })
        .await?;
        if held.is_some() {
            self.heard_breakers(account, Sent::Unsent).await?;
        }
        Ok(held)
    }

    /// Takes a change out of the budgets and past the breakers of an account and of all.
    async fn take(&self, account: &AccountId) -> Result<Option<Held>, StoreError> {
        let (memory, rules, now) = (self.memory.as_ref(), &self.rules, Utc::now());
        let mut held = None;
        let passes =
            |breaker: &mut Breaker| breaker.lets_through(now) || self.overrules(Guard::Breaker);
        let takes = |budget: &mut Budget, limit: usize| {
            let is_there = budget.take(limit, now);
            if !is_there && self.overrules(Guard::Budget) {
                budget.count(now);
            }
            is_there || self.overrules(Guard::Budget)
        };
        change(memory, &document_of(account), |there: Option<OfAccount>| {
            let mut own = there.unwrap_or_default();
            held = None;
            if !passes(&mut own.breaker) {
                held = Some(broken(&format!("in account {account}")));
            } else if !takes(&mut own.budget, rules.per_account_per_day) {
                held =
                    Some(spent(&format!("account {account}"), "max_changes_per_account_per_day"));
            }
            held.is_none().then_some(own)
        })
        .await?;
        if held.is_some() {
            return Ok(held);
        }
        {
            let _turn = self.turn.lock().await;
            change(memory, ALL, |there: Option<OfAll>| {
                let mut all = there.unwrap_or_default();
                held = None;
                let wave = wave(rules, account);
                let is_through = wave
                    .as_ref()
                    .is_none_or(|wave| passes(all.waves.entry(wave.clone()).or_default()));
                if !is_through {
                    held = Some(broken(&format!("in the wave {:?}", wave.unwrap_or_default())));
                } else if !passes(&mut all.breaker) {
                    held = Some(broken("in all accounts"));
                } else if !takes(&mut all.budget, rules.per_day) {
                    held = Some(spent("all accounts", "max_changes_per_day"));
                }
                held.is_none().then_some(all)
            })
            .await?;
        }
        if held.is_some() {
            change(memory, &document_of(account), |there: Option<OfAccount>| {
                let mut own = there?;
                own.breaker.unsent();
                Some(own)
            })
            .await?;
        }
        Ok(held)
    }

    /// Hears what became of a change that was let through.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn after(
        &self,
        object: &ObjectPlan,
        planned: &PlannedChange,
        sent: Sent,
    ) -> Result<(), StoreError> {
        if sent != Sent::Accepted {
            let name = ObjectKey::of(object).document(FIGHTS);
            change(self.memory.as_ref(), &name, |there: Option<Fight>| {
                let mut fight = there?;
                fight.failed(&planned.drift);
                Some(fight)
            })
            .await?;
        }
        self.heard_breakers(&object.account, sent).await
    }

    async fn heard_breakers(&self, account: &AccountId, sent: Sent) -> Result<(), StoreError> {
        let (memory, rules, now) = (self.memory.as_ref(), &self.rules, Utc::now());
        let hear = |breaker: &mut Breaker, accounts: usize| match sent {
            Sent::Unsent => breaker.unsent(),
            Sent::Accepted | Sent::Failed => {
                let is_good = sent == Sent::Accepted;
                breaker.heard(&rules.breaker, accounts, account, is_good, now);
            }
        };
        change(memory, &document_of(account), |there: Option<OfAccount>| {
            let mut own = there.unwrap_or_default();
            hear(&mut own.breaker, 1);
            Some(own)
        })
        .await?;
        let _turn = self.turn.lock().await;
        change(memory, ALL, |there: Option<OfAll>| {
            let mut all = there.unwrap_or_default();
            hear(&mut all.breaker, ACCOUNTS);
            if let Some(wave) = wave(rules, account) {
                hear(all.waves.entry(wave).or_default(), ACCOUNTS);
            }
            Some(all)
        })
        .await
    }
}

fn wave(rules: &Rules, account: &AccountId) -> Option<String> {
    rules.waves.get(wave_of(&rules.waves, account)).map(|wave| wave.name.clone())
}

fn broken(whose: &str) -> Held {
    Held::by(
        Guard::Breaker,
        format!("too many changes failed {whose}"),
        "one change that is tried after a pause and accepted: run check for when",
    )
}

fn spent(whose: &str, option: &str) -> Held {
    Held::by(
        Guard::Budget,
        format!("{whose} has had as many changes in 24 hours as are allowed"),
        format!("time, or [safety] {option}"),
    )
}
