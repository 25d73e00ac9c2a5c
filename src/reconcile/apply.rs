//! Applies a plan: one write at a time, each object observed directly before it, each write in the
//! audit log before and after, each object observed again afterwards. Only that observation makes a
//! change a success.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::again::{self, Fit, Now, Written};
use super::guard::Refusal;
use super::stop::Stop;
use crate::aws::Session;
use crate::aws::error::ErrorClass;
use crate::kinds::erased::ApplyError;
use crate::kinds::object::Unknown;
use crate::kinds::{Object, Status, WriteError, registry};
use crate::names::{AccountId, ItemName, Region};
use crate::plan::{ObjectPlan, Plan, PlannedChange};
use crate::store::audit::{AuditError, AuditLog, FailureClass, NotSent, Phase, Record};

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
    /// Not written, because the object has it already.
    Needless,
    /// AWS refused it, or did not answer; or the object could not be observed before.
    Failed {
        /// What went wrong, with the remedy.
        error: String,
    },
    /// AWS refused it, or did not answer, and the object is as declared all the same: an answer was
    /// lost and the call made again below us, or somebody else did it.
    Found,
    /// Not written, because the object is not what the plan was made for any more.
    Moved {
        /// What is different now.
        why: String,
    },
    /// Not tried, because one that it waits for was not done.
    Blocked {
        /// The change that was not done.
        by: u32,
    },
    /// Not tried, because the run was asked to stop, or cannot write its log.
    NotTried,
    /// Not tried, because a guard says no by now.
    Refused {
        /// Why.
        why: String,
    },
}

impl Step {
    /// Whether the change is there now.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Applied | Self::Needless | Self::Found)
    }
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
    /// Why the audit log could not be written: nothing was written to AWS from then on.
    pub log_failure: Option<String>,
    /// Objects of writes that are in the log without what came of them, because it could not be
    /// written any more.
    pub unrecorded: Vec<String>,
}

impl ApplyReport {
    /// How many changes were written, by what AWS answered or by what is there.
    pub fn applied(&self) -> usize {
        let is_there = |step: &Step| matches!(step, Step::Applied | Step::Found);
        self.outcomes.iter().filter(|outcome| is_there(&outcome.step)).count()
    }

    /// How many changes are not there.
    pub fn left(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !outcome.step.is_done()).count()
    }

    /// Whether everything was applied, every object is as declared, and the log tells of it.
    pub fn is_complete(&self) -> bool {
        self.left() == 0 && self.not_converged.is_empty() && self.log_failure.is_none()
    }

    fn add(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.not_converged.extend(other.not_converged);
        self.interrupted |= other.interrupted;
        self.refused = self.refused.take().or(other.refused);
        self.log_failure = self.log_failure.take().or(other.log_failure);
        self.unrecorded.extend(other.unrecorded);
    }
}

/// Told of each step while it happens.
pub trait Progress: Send {
    /// A change is about to be written.
    fn writing(&mut self, _object: &ObjectPlan, _change: &PlannedChange) {}
    /// A change was refused for a quota: another one, which makes room, goes first.
    fn makes_room(&mut self, _: &ObjectPlan, _refused: &PlannedChange, _room: &PlannedChange) {}
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

impl Applier<'_> {
    /// Applies the plan's changes: in order within an account, several accounts at the same time.
    /// When the audit log cannot be written, nothing more is written to AWS either.
    pub async fn apply(&self, plan: &Plan, progress: &mut dyn Progress) -> ApplyReport {
        let changes = plan.changes();
        let mut by_account: BTreeMap<&AccountId, Vec<Planned<'_>>> = BTreeMap::new();
        let mut named = BTreeSet::new();
        let order = plan.order.iter().filter(|id| named.insert(**id));
        for (object, change) in order.filter_map(|id| changes.get(id).copied()) {
            by_account.entry(&object.account).or_default().push((object, change));
        }
        let shared = Mutex::new(progress);
        let halt = Stop::default();
        let mut accounts = Vec::new();
        for (account, changes) in by_account {
            let of_account = OfAccount {
                applier: self,
                plan,
                progress: &shared,
                halt: &halt,
                pending: pending(&changes),
                changes,
                report: ApplyReport::default(),
                failed: BTreeMap::new(),
                done: BTreeSet::new(),
                written: BTreeSet::new(),
                moved: BTreeMap::new(),
            };
            accounts.push(async move { (account, of_account.run().await) }.boxed());
        }
        let mut reports: Vec<_> = stream::iter(accounts)
            .buffer_unordered(self.concurrent_accounts.max(1))
            .collect()
            .await;
        reports.sort_by_key(|(account, _)| *account);
        let mut all = ApplyReport::default();
        reports.into_iter().for_each(|(_, report)| all.add(report));
        all
    }
}

/// A change with its object.
type Planned<'a> = (&'a ObjectPlan, &'a PlannedChange);

/// Where an item's objects were observed.
type Place = (Region, ItemName);

fn place(object: &ObjectPlan) -> Place {
    (object.region.clone(), object.item.clone())
}

fn is_same(one: &ObjectPlan, other: &ObjectPlan) -> bool {
    place(one) == place(other) && one.observed.id == other.observed.id
}

/// How many changes each item has.
fn pending(changes: &[Planned<'_>]) -> BTreeMap<Place, usize> {
    let mut pending = BTreeMap::new();
    for (object, _) in changes {
        *pending.entry(place(object)).or_default() += 1;
    }
    pending
}

/// The log could not be written, and what AWS had said by then.
struct Unlogged<'a> {
    error: AuditError,
    /// The change that was written, and what became of it.
    in_hand: Option<(&'a PlannedChange, Step)>,
}

impl From<AuditError> for Unlogged<'_> {
    fn from(error: AuditError) -> Self {
        Self { error, in_hand: None }
    }
}

impl From<serde_json::Error> for Unlogged<'_> {
    fn from(error: serde_json::Error) -> Self {
        AuditError::from(error).into()
    }
}

/// What became of a try.
struct Tried {
    step: Step,
    /// Whether a quota was the reason.
    is_full: bool,
}

impl From<Step> for Tried {
    fn from(step: Step) -> Self {
        Self { step, is_full: false }
    }
}

/// Without a look at the object, nothing is written.
fn unseen(unknown: &Unknown) -> Step {
    let why = &unknown.reason;
    let mut error =
        format!("it could not be observed before the write, so that nothing was written: {why}");
    if let Some(remedy) = &unknown.remedy {
        error = format!("{error}\n{remedy}");
    }
    Step::Failed { error }
}

/// The changes of one account.
struct OfAccount<'a, 'p> {
    applier: &'a Applier<'a>,
    plan: &'a Plan,
    progress: &'a Shared<'p>,
    /// Raised by the account that cannot write the log: the others finish the write in hand, and
    /// begin no new one.
    halt: &'a Stop,
    changes: Vec<Planned<'a>>,
    /// How many changes of each item are left.
    pending: BTreeMap<Place, usize>,
    report: ApplyReport,
    /// Changes that were not done, each with the one that is to blame.
    failed: BTreeMap<u32, u32>,
    /// Changes that have an outcome.
    done: BTreeSet<u32>,
    /// Changes that were sent to AWS.
    written: BTreeSet<u32>,
    /// Objects that somebody has moved.
    moved: BTreeMap<(Place, String), String>,
}

impl<'a> OfAccount<'a, '_> {
    async fn run(mut self) -> ApplyReport {
        self.report.refused = (self.applier.may_begin)().err();
        for (object, change) in self.changes.clone() {
            if self.done.contains(&change.id) {
                continue;
            }
            let Err(unlogged) = self.one(object, change).await else { continue };
            self.halt.raise();
            self.report.log_failure.get_or_insert_with(|| unlogged.error.to_string());
            if let Some((in_hand, step)) = unlogged.in_hand {
                self.report.unrecorded.push(object.title());
                self.settle(object, in_hand, step);
            }
            if !self.done.contains(&change.id) {
                self.settle(object, change, Step::NotTried);
            }
        }
        self.report
    }

    fn tell(&self, what: impl FnOnce(&mut dyn Progress)) {
        what(&mut **self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Does one change, and before it what makes room for it if there is none.
    async fn one(
        &mut self,
        object: &'a ObjectPlan,
        change: &'a PlannedChange,
    ) -> Result<(), Unlogged<'a>> {
        let mut tried = self.attempt(object, change).await?;
        while tried.is_full && !self.is_stopping() {
            let Some(room) = self.makes_room(object, change) else { break };
            self.tell(|progress| progress.makes_room(object, change, room));
            let made = self.attempt(object, room).await;
            if made.is_err() {
                // The refused change has its outcome in the log; the other one has not.
                self.settle(object, change, tried.step.clone());
            }
            let made = made?;
            let is_made = made.step == Step::Applied;
            self.finish(object, room, made.step).await?;
            if is_made {
                tried = self.attempt(object, change).await?;
            }
        }
        Ok(self.finish(object, change, tried.step).await?)
    }

    fn is_stopping(&self) -> bool {
        self.applier.stop.is_raised() || self.halt.is_raised()
    }

    /// The next change of the same object that makes room.
    fn makes_room(
        &self,
        object: &ObjectPlan,
        refused: &PlannedChange,
    ) -> Option<&'a PlannedChange> {
        let later = self.changes.iter().skip_while(|(_, change)| change.id != refused.id).skip(1);
        later
            .filter(|(other, room)| {
                room.makes_room
                    && is_same(object, other)
                    && !self.done.contains(&room.id)
                    && !room.depends_on.iter().any(|before| self.failed.contains_key(before))
            })
            .map(|(_, room)| *room)
            .next()
    }

    /// Looks at a change's object, and writes if it is still what the plan was made for.
    async fn attempt(
        &mut self,
        object: &'a ObjectPlan,
        change: &'a PlannedChange,
    ) -> Result<Tried, Unlogged<'a>> {
        if let Some(refusal) = &self.report.refused {
            return Ok(Step::Refused { why: refusal.to_string() }.into());
        }
        // The last guard: whatever made the plan, what it only reports is not written.
        if !change.is_applied() {
            let error = "the plan only reports this change: it is not written".to_owned();
            return Ok(Step::Failed { error }.into());
        }
        if self.is_stopping() {
            self.report.interrupted |= self.applier.stop.is_raised();
            return Ok(Step::NotTried.into());
        }
        if let Some(by) = change.depends_on.iter().find_map(|before| self.failed.get(before)) {
            return Ok(Step::Blocked { by: *by }.into());
        }
        let key = (place(object), object.observed.id.clone());
        if let Some(why) = self.moved.get(&key) {
            return Ok(Step::Moved { why: why.clone() }.into());
        }
        let (Some(action), Some(kind), Some(session)) = (
            &change.action,
            registry::find(&object.item.kind),
            self.applier.sessions.get(&object.account),
        ) else {
            let error = "the plan holds a change without a way to do it".to_owned();
            return Ok(Step::Failed { error }.into());
        };
        let facts = again::facts(session, &object.region, &object.item);
        let written = self.written_before(object);
        // What the run itself has just made is nobody else's, and what it still needs was planned
        // for an object that is not there.
        let is_made = written == Written::ThisObject && object.observed.status == Status::Absent;
        let before = if is_made {
            object.observed.clone()
        } else {
            let cx = again::fresh(session, facts.clone());
            let now = again::look(&cx, kind, &object.spec, &object.observed.id).await;
            let fit = match &now {
                Ok(Some(now)) => now.fit(object, change, written),
                Ok(None) => Fit::Moved("it is not there any more".to_owned()),
                Err(unknown) => return Ok(unseen(unknown).into()),
            };
            match (fit, now) {
                (Fit::Fits, Ok(Some(now))) => now.object,
                (Fit::Moved(why), _) => {
                    self.moved.insert(key, why.clone());
                    return Ok(Step::Moved { why }.into());
                }
                _ => return Ok(Step::Needless.into()),
            }
        };
        self.tell(|progress| progress.writing(object, change));
        let intent = Phase::Intent {
            action: Value::clone(action),
            before: serde_json::to_value(&before)?,
            spec: object.spec.clone(),
        };
        self.record(object, change.id, intent)?;
        self.written.insert(change.id);
        let written =
            kind.apply(&again::fresh(session, facts).writable(&self.plan.run), action).await;
        let (tried, phase) = match written {
            Ok(()) => (Step::Applied.into(), Phase::Applied),
            Err(error) => self.failure(object, change, &error),
        };
        match self.record(object, change.id, phase) {
            Ok(()) => Ok(tried),
            Err(error) => Err(Unlogged { error, in_hand: Some((change, tried.step)) }),
        }
    }

    fn written_before(&self, object: &ObjectPlan) -> Written {
        let is_own = |change: &PlannedChange| self.written.contains(&change.id);
        match () {
            () if object.changes.iter().any(is_own) => Written::ThisObject,
            () if !self.written.is_empty() => Written::Others,
            () => Written::Nothing,
        }
    }

    /// What a failed write is to the run and to the log.
    fn failure(
        &self,
        object: &ObjectPlan,
        change: &PlannedChange,
        error: &ApplyError,
    ) -> (Tried, Phase) {
        let (text, class) = match error {
            ApplyError::Write(write) => {
                let class = match write {
                    WriteError::Aws(error) => FailureClass::Aws(error.class),
                    WriteError::Unsendable(_) | WriteError::Look(_) | WriteError::Changed(_) => {
                        FailureClass::Ours(NotSent::Unsendable)
                    }
                };
                (format!("{write}\n{}", write.remedy()), class)
            }
            ApplyError::Misfit(misfit) => (misfit.to_string(), FailureClass::Ours(NotSent::Misfit)),
        };
        let is_full = class == FailureClass::Aws(ErrorClass::Quota);
        let room = self.makes_room(object, change).filter(|_| is_full);
        let phase = Phase::Failed {
            error: text.clone(),
            class: Some(class),
            again_after: room.map(|room| room.id),
        };
        (Tried { step: Step::Failed { error: text }, is_full }, phase)
    }

    /// Notes what became of a change.
    fn settle(&mut self, object: &ObjectPlan, change: &PlannedChange, step: Step) {
        let id = change.id;
        match &step {
            Step::Applied | Step::Needless | Step::Found => {}
            Step::Failed { .. } | Step::Moved { .. } | Step::NotTried | Step::Refused { .. } => {
                self.failed.insert(id, id);
            }
            Step::Blocked { by } => {
                self.failed.insert(id, *by);
            }
        }
        self.done.insert(id);
        self.tell(|progress| progress.wrote(object, change, &step));
        self.report.outcomes.push(ApplyOutcome { change: id, title: object.title(), step });
    }

    /// The same; once it was the last one of its item, the item's objects are observed again.
    async fn finish(
        &mut self,
        object: &'a ObjectPlan,
        change: &PlannedChange,
        step: Step,
    ) -> Result<(), AuditError> {
        self.settle(object, change, step);
        if let Some(left) = self.pending.get_mut(&place(object)) {
            *left -= 1;
            // What could not be recorded is not looked at: the next run does it.
            if *left == 0 && !self.halt.is_raised() {
                return self.verify(object).await;
            }
        }
        Ok(())
    }

    /// Observes an item's objects again once their last change was tried.
    async fn verify(&mut self, done: &'a ObjectPlan) -> Result<(), AuditError> {
        let place = place(done);
        let touched: BTreeMap<&str, &ObjectPlan> = self
            .changes
            .iter()
            .filter(|(object, change)| {
                self.written.contains(&change.id) && self::place(object) == place
            })
            .map(|(object, _)| (object.observed.id.as_str(), *object))
            .collect();
        let mut waiting: Vec<&ObjectPlan> = touched.into_values().collect();
        let mut waits = SETTLING.iter();
        while !waiting.is_empty() {
            let now = self.look(done).await;
            let mut still = Vec::new();
            let wait = waits.next().filter(|_| !self.applier.stop.is_raised());
            for object in waiting {
                let after = now.get(&object.observed.id);
                let in_sync = after.is_some_and(|(_, in_sync)| *in_sync);
                let can_converge =
                    !object.changes.iter().any(|change| self.failed.contains_key(&change.id));
                if !in_sync && can_converge && wait.is_some() {
                    still.push(object);
                    continue;
                }
                let after =
                    after.map_or(Ok(Value::Null), |(after, _)| serde_json::to_value(after))?;
                self.record(object, 0, Phase::Observed { after, in_sync })?;
                if in_sync {
                    self.found(object);
                }
                self.tell(|progress| progress.verified(object, in_sync));
                if !in_sync && can_converge {
                    self.report.not_converged.push(object.title());
                }
            }
            waiting = still;
            if let (false, Some(wait)) = (waiting.is_empty(), wait) {
                tokio::select! {
                    () = tokio::time::sleep(*wait) => {}
                    () = self.applier.stop.raised() => {}
                }
            }
        }
        Ok(())
    }

    /// Corrects what was said of an object's changes once it is seen to be as declared: what was sent
    /// and refused is there, and what waited for it is not needed.
    fn found(&mut self, object: &ObjectPlan) {
        for change in &object.changes {
            let Some(outcome) =
                self.report.outcomes.iter_mut().find(|outcome| outcome.change == change.id)
            else {
                continue;
            };
            let step = match &outcome.step {
                Step::Failed { .. } if self.written.contains(&change.id) => Step::Found,
                Step::Blocked { .. } => Step::Needless,
                _ => continue,
            };
            outcome.step = step.clone();
            self.failed.remove(&change.id);
            self.tell(|progress| progress.wrote(object, change, &step));
        }
    }

    /// The objects of an item now, and whether nothing is left for evenkeel to write.
    async fn look(&self, object: &ObjectPlan) -> BTreeMap<String, (Object<Value>, bool)> {
        let (Some(kind), Some(session)) =
            (registry::find(&object.item.kind), self.applier.sessions.get(&object.account))
        else {
            return BTreeMap::new();
        };
        let cx = again::fresh(session, again::facts(session, &object.region, &object.item));
        let Ok(objects) = kind.observe(&cx, &object.spec).await else { return BTreeMap::new() };
        let judged = objects.into_iter().map(|seen| {
            let now = Now::of(cx.facts(), kind, &object.spec, seen.clone());
            let in_sync = now.is_ok_and(|now| now.is_as_declared());
            (seen.id.clone(), (seen, in_sync))
        });
        judged.collect()
    }

    fn record(&self, object: &ObjectPlan, change: u32, phase: Phase) -> Result<(), AuditError> {
        let sessions = self.applier.sessions;
        let by = sessions.get(&object.account).map(|session| session.caller_arn().to_owned());
        self.applier.audit.append(&Record {
            time: Utc::now(),
            run: self.plan.run.clone(),
            change,
            account: object.account.clone(),
            region: object.region.clone(),
            item: object.item.clone(),
            object: object.observed.id.clone(),
            by: by.unwrap_or_default(),
            baseline: format!("{}@{}", self.plan.baseline.name, self.plan.baseline.digest),
            phase,
        })
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
        let report = late.apply(&plan, &mut Nobody).await;
        assert_eq!(report.refused, Some(closed.clone()));
        assert!(matches!(report.outcomes[0].step, Step::Refused { .. }), "{report:?}");
        let applier = Applier { may_begin: &|| Ok(()), ..late };
        let report = applier.apply(&plan, &mut Nobody).await;
        assert_eq!(report.outcomes.len(), 1);
        assert!(
            matches!(&report.outcomes[0].step, Step::Failed { error } if error.contains("only reports")),
            "{report:?}"
        );
        assert!(!std::fs::read_to_string(&log).unwrap().contains("intent"));
    }
}
