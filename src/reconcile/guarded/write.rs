//! What the guards say directly before a write, and what they hear of it.

use super::memory::{ALL, OfAccount, OfAll, document_of, unreadable};
use super::{Guarded, Rules};
use crate::guards::fight::{FIGHTS, declared};
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
    /// It was not made, because it was there.
    WasThere,
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
        let (memory, now) = (self.memory.as_ref(), self.now());
        let key = ObjectKey::of(object);
        if let Some(document) = memory.read(&key.document(HOLDS)).await?
            && let Some(held) = document.typed::<Hold>()?.held(now)
            && !self.overrules(Guard::Hold)
            && !self.own().contains(&key)
        {
            return Ok(Some(held));
        }
        let account = &object.account;
        if let Some(held) = self.take(account).await? {
            return Ok(Some(held));
        }
        let mut held = None;
        let (who, declared) = (self.who(object), declared(object));
        change(memory, &key.document(FIGHTS), |there: Option<Fight>| {
            let mut fight = there.clone().unwrap_or_else(|| Fight::about(key.clone()));
            // Another run may have written it, and somebody have changed that back, since this one
            // has planned.
            let (rules, drift) = (&self.rules.fights, &planned.drift);
            fight.seen(rules, drift, &declared, who.as_ref(), Some(run), now);
            held = fight.held().filter(|_| !self.overrules(Guard::Fight));
            if held.is_some() {
                return (there.as_ref() != Some(&fight)).then_some(fight);
            }
            fight.writes(drift, &declared, by, run, now);
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
        let (memory, rules, now) = (self.memory.as_ref(), &self.rules, self.now());
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
                own.budget.give_back();
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

    /// Hears how an object is after the changes of a run that did not fail: whether it has what was written.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn seen_after(
        &self,
        object: &ObjectPlan,
        run: &str,
        has_it: bool,
    ) -> Result<(), StoreError> {
        self.about_fight(&ObjectKey::of(object), |fight| fight.after(run, has_it)).await
    }

    /// Hears that an object is as declared in which an earlier run was killed.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn seen_again(&self, object: &ObjectKey) -> Result<(), StoreError> {
        self.about_fight(object, Fight::is_as_written).await
    }

    async fn about_fight(
        &self,
        object: &ObjectKey,
        hear: impl Fn(&mut Fight) + Send + Sync,
    ) -> Result<(), StoreError> {
        change(self.memory.as_ref(), &object.document(FIGHTS), |there: Option<Fight>| {
            let before = there?;
            let mut fight = before.clone();
            hear(&mut fight);
            (fight != before).then_some(fight)
        })
        .await
    }

    async fn heard_breakers(&self, account: &AccountId, sent: Sent) -> Result<(), StoreError> {
        let (memory, rules, now) = (self.memory.as_ref(), &self.rules, self.now());
        let hear = |breaker: &mut Breaker, accounts: usize| match sent {
            Sent::Unsent => breaker.unsent(),
            Sent::Accepted | Sent::Failed | Sent::WasThere => {
                let is_good = sent != Sent::Failed;
                breaker.heard(&rules.breaker, accounts, account, is_good, now);
            }
        };
        change(memory, &document_of(account), |there: Option<OfAccount>| {
            let mut own = there.unwrap_or_default();
            hear(&mut own.breaker, 1);
            if sent == Sent::Unsent {
                own.budget.give_back();
            }
            Some(own)
        })
        .await?;
        let _turn = self.turn.lock().await;
        change(memory, ALL, |there: Option<OfAll>| {
            let mut all = there.unwrap_or_default();
            hear(&mut all.breaker, ACCOUNTS);
            if sent == Sent::Unsent {
                all.budget.give_back();
            }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use chrono::DateTime;
    use futures::future::join_all;
    use serde_json::json;

    use super::super::Hand;
    use super::*;
    use crate::plan::render::testing::{change as planned, object};
    use crate::store::memory::InMemory;

    /// Guards whose clock is moved by hand, in minutes.
    fn guarded(rules: Rules) -> (Guarded, Arc<AtomicI64>) {
        let mut guarded = Guarded::of(Hand::Person, None, Arc::new(InMemory::default()));
        guarded.rules = rules;
        let minutes = Arc::new(AtomicI64::new(0));
        let time = Arc::clone(&minutes);
        guarded.clock = Arc::new(move || {
            let now = 1_700_000_000 + time.load(Ordering::SeqCst) * 60;
            DateTime::from_timestamp(now, 0).unwrap()
        });
        (guarded, minutes)
    }

    fn drifted(account: usize, id: usize) -> ObjectPlan {
        let drift = json!([{"field": "length", "actual": 8, "desired": 14}]);
        object(
            account,
            json!({
                "observed": {"id": format!("o{id}"), "status": "absent"},
                "changes": [planned(json!({"drift": drift}))],
            }),
        )
    }

    async fn write(guarded: &Guarded, object: &ObjectPlan, sent: Sent) -> Result<(), Held> {
        let change = &object.changes[0];
        guarded.before(object, change, "us", "run").await?;
        guarded.after(object, change, sent).await.unwrap();
        Ok(())
    }

    #[tokio::test]
    async fn budgets_hold_for_any_number_of_writers_at_the_same_time() {
        let rules = Rules { per_account_per_day: 5, per_day: 8, ..Rules::default() };
        let (guarded, minutes) = guarded(rules);
        let objects: Vec<ObjectPlan> =
            (0..12).map(|id| drifted(1, id)).chain((0..12).map(|id| drifted(2, id))).collect();
        let all = join_all(objects.iter().map(|one| write(&guarded, one, Sent::Accepted))).await;
        let written = |account: usize| {
            let of =
                |(place, done): &(usize, &Result<(), Held>)| place / 12 == account && done.is_ok();
            all.iter().enumerate().filter(of).count()
        };
        assert!(written(0) <= 5 && written(1) <= 5, "{all:?}");
        assert_eq!(written(0) + written(1), 8, "{all:?}");
        let held = all.iter().filter_map(|one| one.as_ref().err());
        assert!(held.clone().all(|held| held.guard == Guard::Budget), "{all:?}");
        minutes.store(26 * 60, Ordering::SeqCst);
        write(&guarded, &objects[0], Sent::Accepted).await.unwrap();
    }

    #[tokio::test]
    async fn an_account_that_fails_is_left_and_one_change_alone_is_tried_later() {
        let (guarded, minutes) = guarded(Rules::default());
        let objects: Vec<ObjectPlan> = (0..8).map(|id| drifted(1, id)).collect();
        for object in &objects[..5] {
            write(&guarded, object, Sent::Failed).await.unwrap();
        }
        let held = write(&guarded, &objects[5], Sent::Accepted).await.unwrap_err();
        assert_eq!(held.guard, Guard::Breaker);
        write(&guarded, &drifted(2, 0), Sent::Accepted).await.unwrap();
        minutes.store(15, Ordering::SeqCst);
        let change = &objects[5].changes[0];
        guarded.before(&objects[5], change, "us", "run").await.unwrap();
        assert!(guarded.before(&objects[6], change, "us", "run").await.is_err());
        guarded.after(&objects[5], change, Sent::Accepted).await.unwrap();
        write(&guarded, &objects[6], Sent::Accepted).await.unwrap();
    }

    #[tokio::test]
    async fn failures_in_two_accounts_stop_all_and_an_overruled_guard_still_counts() {
        let (mut guarded, _) = guarded(Rules::default());
        for id in 0..2 {
            write(&guarded, &drifted(1, id), Sent::Failed).await.unwrap();
            write(&guarded, &drifted(2, id), Sent::Failed).await.unwrap();
        }
        write(&guarded, &drifted(3, 0), Sent::Accepted).await.unwrap();
        write(&guarded, &drifted(1, 2), Sent::Failed).await.unwrap();
        let held = write(&guarded, &drifted(3, 1), Sent::Accepted).await.unwrap_err();
        assert!(held.reason.contains("in all accounts"), "{held}");
        guarded.overruled.insert(Guard::Breaker);
        write(&guarded, &drifted(3, 1), Sent::Accepted).await.unwrap();
        guarded.overruled.clear();
        let account = "000000000003".parse().unwrap();
        let document = guarded.memory.read(&document_of(&account)).await.unwrap().unwrap();
        let own: OfAccount = document.typed().unwrap();
        assert_eq!(own.budget.spent(guarded.now()), 2);
    }

    #[tokio::test]
    async fn what_was_changed_back_since_the_plan_is_fought_over_as_well() {
        let fights = crate::fleet::guards::Fights { times: 2, hours: 24 };
        let (guarded, _) = guarded(Rules { fights, ..Rules::default() });
        let object = drifted(1, 0);
        let change = &object.changes[0];
        // Three runs have planned the same, and somebody changes it back after each write.
        for run in ["first", "second"] {
            guarded.before(&object, change, "us", run).await.unwrap();
            guarded.after(&object, change, Sent::Accepted).await.unwrap();
            guarded.seen_after(&object, run, true).await.unwrap();
        }
        let held = guarded.before(&object, change, "us", "third").await.unwrap_err();
        assert_eq!(held.guard, Guard::Fight, "{held}");
        // It stays so for who plans later.
        let fight = guarded.memory.read(&ObjectKey::of(&object).document(FIGHTS)).await.unwrap();
        let fight: Fight = fight.unwrap().typed().unwrap();
        assert!(fight.held().is_some());
    }

    #[tokio::test]
    async fn what_somebody_holds_is_not_written() {
        let (other, minutes) = guarded(Rules::default());
        let (guarded, _) = guarded(Rules::default());
        let object = drifted(1, 0);
        let key = ObjectKey::of(&object);
        let hold = Hold {
            object: key.clone(),
            since: guarded.now(),
            until: guarded.now() + chrono::TimeDelta::minutes(10),
            owner: "ops".to_owned(),
            reason: "rolled back".to_owned(),
        };
        assert!(guarded.hold(hold.clone()).await.unwrap());
        assert!(!guarded.hold(hold).await.unwrap(), "it is held already");
        write(&guarded, &object, Sent::Accepted).await.unwrap();
        // Everybody else is held back.
        let guarded = Guarded { memory: Arc::clone(&guarded.memory), ..other };
        let held = write(&guarded, &object, Sent::Accepted).await.unwrap_err();
        assert_eq!(held.guard, Guard::Hold);
        minutes.store(10, Ordering::SeqCst);
        write(&guarded, &object, Sent::Accepted).await.unwrap();
    }
}
