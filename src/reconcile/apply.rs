//! Applies a plan: one write at a time, each in the audit log before and after, each object
//! observed again afterwards. Only that observation makes a change a success.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::guard::Refusal;
use super::stop::Stop;
use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::kinds::{Cx, Facts, Object, Status, registry};
use crate::names::{AccountId, ItemName, Region};
use crate::plan::{ObjectPlan, Plan, PlannedChange};
use crate::store::audit::{AuditError, AuditLog, Phase, Record};

/// Waits before the second, third … observation of an object that is not yet as declared: AWS is
/// eventually consistent, mostly for seconds.
const SETTLING: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// AWS accepted it.
    Applied,
    /// AWS refused it, or did not answer.
    Failed {
        /// What went wrong, with the remedy.
        error: String,
    },
    /// Not tried, because one that it waits for failed.
    Blocked {
        /// The change that failed.
        by: u32,
    },
    /// Not tried, because the run was asked to stop.
    NotTried,
    /// Not tried, because a guard says no by now.
    Refused {
        /// Why.
        why: String,
    },
}

/// A change and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOutcome {
    /// The change's id.
    pub change: u32,
    /// Its object, in words.
    pub title: String,
    /// What became of it.
    pub step: Step,
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// Each change, in the order of applying.
    pub outcomes: Vec<ApplyOutcome>,
    /// Objects whose writes were accepted and that are still not as declared.
    pub not_converged: Vec<String>,
    /// Whether the run was asked to stop before the end.
    pub interrupted: bool,
    /// Why a guard let no account begin any more, if one did.
    pub refused: Option<Refusal>,
}

impl ApplyReport {
    /// How many changes AWS accepted.
    pub fn applied(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.step == Step::Applied).count()
    }

    /// Whether everything was applied and every object is as declared.
    pub fn is_complete(&self) -> bool {
        self.applied() == self.outcomes.len() && self.not_converged.is_empty()
    }
}

/// Told of each step while it happens.
pub trait Progress: Send {
    /// A change is about to be written.
    fn writing(&mut self, _object: &ObjectPlan, _change: &PlannedChange) {}
    /// A change was written, or not.
    fn wrote(&mut self, _object: &ObjectPlan, _change: &PlannedChange, _step: &Step) {}
    /// An object was observed again.
    fn verified(&mut self, _object: &ObjectPlan, _in_sync: bool) {}
}

/// Everything that applying needs.
pub struct Applier<'a> {
    /// The way into each account.
    pub sessions: &'a BTreeMap<AccountId, Arc<Session>>,
    /// Where every write is recorded.
    pub audit: &'a AuditLog,
    /// The wish to stop.
    pub stop: &'a Stop,
    /// Accounts written to at the same time.
    pub concurrent_accounts: usize,
    /// Asked before the first write of each account: a long run may outlast what allowed it, such as
    /// a change window.
    pub may_begin: &'a (dyn Fn() -> Result<(), Refusal> + Sync),
}

/// The one who is told of steps, shared by the accounts.
type Shared<'a> = Mutex<&'a mut dyn Progress>;

fn tell(progress: &Shared<'_>, what: impl FnOnce(&mut dyn Progress)) {
    what(&mut **progress.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Where an item's objects were observed.
type Place = (AccountId, Region, ItemName);

impl Applier<'_> {
    /// Applies the plan's changes: in order within an account, several accounts at the same time.
    ///
    /// # Errors
    /// The audit log cannot be written: then nothing more is written to AWS either.
    pub async fn apply(
        &self,
        plan: &Plan,
        progress: &mut dyn Progress,
    ) -> Result<ApplyReport, AuditError> {
        let changes = plan.changes();
        let mut by_account: BTreeMap<&AccountId, Vec<(&ObjectPlan, &PlannedChange)>> =
            BTreeMap::new();
        let mut named = BTreeSet::new();
        let order = plan.order.iter().filter(|id| named.insert(**id));
        for (object, change) in order.filter_map(|id| changes.get(id).copied()) {
            by_account.entry(&object.account).or_default().push((object, change));
        }
        let shared = Mutex::new(progress);
        let halt = Stop::default();
        let mut accounts = Vec::new();
        for (account, changes) in by_account {
            let (shared, halt) = (&shared, &halt);
            let work = async move {
                let report = self.apply_account(plan, &changes, shared, halt).await;
                if report.is_err() {
                    // The others finish the write in hand, and begin no new one.
                    halt.raise();
                }
                (account, report)
            };
            accounts.push(work.boxed());
        }
        let mut reports: Vec<_> = stream::iter(accounts)
            .buffer_unordered(self.concurrent_accounts.max(1))
            .collect()
            .await;
        reports.sort_by_key(|(account, _)| *account);
        let mut all = ApplyReport::default();
        for (_, report) in reports {
            let report = report?;
            all.outcomes.extend(report.outcomes);
            all.not_converged.extend(report.not_converged);
            all.interrupted |= report.interrupted;
            all.refused = all.refused.or(report.refused);
        }
        Ok(all)
    }

    async fn apply_account(
        &self,
        plan: &Plan,
        changes: &[(&ObjectPlan, &PlannedChange)],
        progress: &Shared<'_>,
        halt: &Stop,
    ) -> Result<ApplyReport, AuditError> {
        let mut report = ApplyReport::default();
        let mut failed: BTreeMap<u32, u32> = BTreeMap::new();
        let mut pending: BTreeMap<Place, usize> = BTreeMap::new();
        for (object, _) in changes {
            *pending.entry(place(object)).or_default() += 1;
        }
        let mut touched: BTreeSet<u32> = BTreeSet::new();
        report.refused = (self.may_begin)().err();
        for (object, change) in changes {
            let id = change.id;
            let cause = change.depends_on.iter().find_map(|before| failed.get(before)).copied();
            let step = if self.stop.is_raised() || halt.is_raised() {
                report.interrupted = true;
                Step::NotTried
            } else if let Some(refusal) = &report.refused {
                Step::Refused { why: refusal.to_string() }
            } else if let Some(by) = cause {
                Step::Blocked { by }
            } else {
                tell(progress, |progress| progress.writing(object, change));
                let step = self.write(plan, object, change).await?;
                touched.insert(id);
                step
            };
            match &step {
                Step::Applied => {}
                Step::Failed { .. } | Step::NotTried | Step::Refused { .. } => {
                    failed.insert(id, id);
                }
                Step::Blocked { by } => {
                    failed.insert(id, *by);
                }
            }
            tell(progress, |progress| progress.wrote(object, change, &step));
            report.outcomes.push(ApplyOutcome { change: id, title: object.title(), step });
            if let Some(left) = pending.get_mut(&place(object)) {
                *left -= 1;
                if *left == 0 {
                    self.verify(plan, changes, object, &touched, &mut report, progress).await?;
                }
            }
        }
        Ok(report)
    }

    async fn write(
        &self,
        plan: &Plan,
        object: &ObjectPlan,
        change: &PlannedChange,
    ) -> Result<Step, AuditError> {
        // The last guard: whatever made the plan, what it only reports is not written.
        if !change.is_applied() {
            return Ok(Step::Failed {
                error: "the plan only reports this change: it is not written".to_owned(),
            });
        }
        let (Some(action), Some(kind), Some(session)) =
            (&change.action, registry::find(&object.item.kind), self.sessions.get(&object.account))
        else {
            return Ok(Step::Failed {
                error: "the plan holds a change without a way to do it".to_owned(),
            });
        };
        let before = serde_json::to_value(&object.observed)?;
        self.record(
            plan,
            object,
            change.id,
            Phase::Intent { action: Value::clone(action), before },
        )?;
        let cx = Cx::new(facts(plan, object), Arc::clone(session), Arc::new(ReadCache::default()))
            .writable();
        let (step, phase) = match kind.apply(&cx, action).await {
            Ok(()) => (Step::Applied, Phase::Applied),
            Err(error) => {
                let text = match &error {
                    crate::kinds::erased::ApplyError::Write(write) => {
                        format!("{write}\n{}", write.remedy())
                    }
                    crate::kinds::erased::ApplyError::Misfit(misfit) => misfit.to_string(),
                };
                (Step::Failed { error: text.clone() }, Phase::Failed { error: text })
            }
        };
        self.record(plan, object, change.id, phase)?;
        Ok(step)
    }

    /// Observes an item's objects again once their last change was tried.
    async fn verify(
        &self,
        plan: &Plan,
        written: &[(&ObjectPlan, &PlannedChange)],
        done: &ObjectPlan,
        touched: &BTreeSet<u32>,
        report: &mut ApplyReport,
        progress: &Shared<'_>,
    ) -> Result<(), AuditError> {
        let place = place(done);
        let touched: BTreeMap<&str, &ObjectPlan> = written
            .iter()
            .filter(|(object, change)| touched.contains(&change.id) && self::place(object) == place)
            .map(|(object, _)| (object.observed.id.as_str(), *object))
            .collect();
        let mut waiting: Vec<&ObjectPlan> = touched.into_values().collect();
        let failed: BTreeSet<u32> = report
            .outcomes
            .iter()
            .filter(|outcome| outcome.step != Step::Applied)
            .map(|outcome| outcome.change)
            .collect();
        let mut waits = SETTLING.iter();
        while !waiting.is_empty() {
            let now = self.look(plan, done).await;
            let mut still = Vec::new();
            let wait = waits.next();
            for object in waiting {
                let after = now.get(&object.observed.id);
                let in_sync = after.is_some_and(|(_, in_sync)| *in_sync);
                let can_converge = !object.changes.iter().any(|change| failed.contains(&change.id));
                if !in_sync && can_converge && wait.is_some() && !self.stop.is_raised() {
                    still.push(object);
                    continue;
                }
                let after =
                    after.map_or(Ok(Value::Null), |(after, _)| serde_json::to_value(after))?;
                self.record(plan, object, 0, Phase::Observed { after, in_sync })?;
                tell(progress, |progress| progress.verified(object, in_sync));
                if !in_sync && can_converge {
                    report.not_converged.push(object.title());
                }
            }
            waiting = still;
            if let (false, Some(wait)) = (waiting.is_empty(), wait) {
                tokio::time::sleep(*wait).await;
            }
        }
        Ok(())
    }

    /// The objects of an item now, and whether nothing is left for evenkeel to write.
    async fn look(
        &self,
        plan: &Plan,
        object: &ObjectPlan,
    ) -> BTreeMap<String, (Object<Value>, bool)> {
        let (Some(kind), Some(session)) =
            (registry::find(&object.item.kind), self.sessions.get(&object.account))
        else {
            return BTreeMap::new();
        };
        let facts = facts(plan, object);
        let cx = Cx::new(facts.clone(), Arc::clone(session), Arc::new(ReadCache::default()));
        let Ok(objects) = kind.observe(&cx, &object.spec).await else { return BTreeMap::new() };
        objects
            .into_iter()
            .map(|seen| {
                let known = matches!(seen.status, Status::Present(_) | Status::Absent);
                let in_sync = known
                    && kind.diff(&facts, &object.spec, &seen).is_ok_and(|changes| {
                        changes
                            .iter()
                            .all(|change| change.action.is_none() || change.withheld.is_some())
                    });
                (seen.id.clone(), (seen, in_sync))
            })
            .collect()
    }

    fn record(
        &self,
        plan: &Plan,
        object: &ObjectPlan,
        change: u32,
        phase: Phase,
    ) -> Result<(), AuditError> {
        let by = self
            .sessions
            .get(&object.account)
            .map(|session| session.caller_arn().to_owned())
            .unwrap_or_default();
        self.audit.append(&Record {
            time: Utc::now(),
            run: plan.run.clone(),
            change,
            account: object.account.clone(),
            region: object.region.clone(),
            item: object.item.clone(),
            object: object.observed.id.clone(),
            by,
            baseline: format!("{}@{}", plan.baseline.name, plan.baseline.digest),
            phase,
        })
    }
}

fn place(object: &ObjectPlan) -> Place {
    (object.account.clone(), object.region.clone(), object.item.clone())
}

/// Where an object of a plan is.
fn facts(plan: &Plan, object: &ObjectPlan) -> Facts {
    let target = plan.targets.iter().find(|target| target.account == object.account);
    Facts {
        account: object.account.clone(),
        partition: target.map_or_else(|| "aws".to_owned(), |target| target.partition.clone()),
        region: object.region.clone(),
        home_region: target
            .map_or_else(|| object.region.clone(), |target| target.home_region.clone()),
        item: object.item.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{AccountPlan, BaselineRef, Cost, PlanHead, assemble};

    struct Nobody;
    impl Progress for Nobody {}

    #[tokio::test]
    async fn what_may_not_be_written_is_not_whatever_the_order_says() {
        let object = serde_json::from_value(json!({
            "account": "000000000001", "region": "eu-west-1", "global": true,
            "item": "iam.password_policy", "mode": "report", "controls": [],
            "verdict": {"is": "drifted"}, "spec": null, "state_digest": "",
            "observed": {"id": "", "status": "absent"},
            "changes": [{
                "id": 1, "action": {}, "risk": "safe", "warnings": [], "permissions": [],
                "disposition": {"is": "report", "reason": "mode is \"report\""},
                "depends_on": [], "drift": [],
            }],
        }))
        .unwrap();
        let head = PlanHead {
            run: String::new(),
            baseline: BaselineRef {
                name: String::new(),
                digest: String::new(),
                files: Vec::new(),
                targets: Vec::new(),
            },
            targets: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            snapshot: None,
            shards: None,
            cost: Cost::default(),
        };
        let part = AccountPlan { objects: vec![object], in_sync: 0, order: vec![1, 1, 7] };
        let plan = assemble(head, vec![part]);
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.jsonl");
        let applier = Applier {
            sessions: &BTreeMap::new(),
            audit: &AuditLog::open(&log).unwrap(),
            stop: &Stop::default(),
            concurrent_accounts: 1,
            may_begin: &|| Ok(()),
        };
        let closed = Refusal::OutsideWindow { next: None };
        let late = Applier { may_begin: &|| Err(closed.clone()), ..applier };
        let report = late.apply(&plan, &mut Nobody).await.unwrap();
        assert_eq!(report.refused, Some(closed.clone()));
        assert!(matches!(report.outcomes[0].step, Step::Refused { .. }), "{report:?}");
        let applier = Applier { may_begin: &|| Ok(()), ..late };
        let report = applier.apply(&plan, &mut Nobody).await.unwrap();
        assert_eq!(report.outcomes.len(), 1);
        assert!(
            matches!(&report.outcomes[0].step, Step::Failed { error } if error.contains("only reports")),
            "{report:?}"
        );
        assert!(!std::fs::read_to_string(&log).unwrap().contains("intent"));
    }
}
