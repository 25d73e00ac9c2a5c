//! The changes of one account, one after the other.

mod anew;
mod failure;
mod guards;
mod seen;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

pub use anew::Open;
use failure::{sent, there_by_then};
use serde_json::Value;

use super::super::again::{self, Now};
use super::super::event::{ListenError, RunEvent, Stream};
use super::super::guarded::Sent;
use super::super::locks::Held as HeldAccount;
use super::super::report::{ApplyOutcome, ApplyReport, Step};
use super::super::stop::Stop;
use super::applier::Applier;
use crate::aws::error::ErrorClass;
use crate::kinds::erased::ApplyError;
use crate::kinds::{Object, WriteError, registry};
use crate::names::{ItemName, Region};
use crate::plan::{ObjectPlan, Plan, PlannedChange};
use crate::store::audit::{Failed, FailureClass, NotSent};

/// A change with its object.
pub type Planned<'a> = (&'a ObjectPlan, &'a PlannedChange);

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

/// A step that somebody, the audit log above all, could not hear of, and what AWS had said by then.
struct Unheard<'a> {
    error: ListenError,
    /// The change that was written, and what became of it.
    in_hand: Option<(&'a PlannedChange, Step)>,
}

impl From<ListenError> for Unheard<'_> {
    fn from(error: ListenError) -> Self {
        Self { error, in_hand: None }
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

impl From<Failed> for Tried {
    fn from(failed: Failed) -> Self {
        let is_full = failed.class == Some(FailureClass::Aws(ErrorClass::Quota));
        Self { step: Step::Failed { error: failed.error }, is_full }
    }
}

/// The changes of one account.
pub struct OfAccount<'a, 'p> {
    applier: &'a Applier<'a>,
    plan: &'a Plan,
    stream: &'a Stream<'p>,
    /// Raised by the account whose step somebody could not hear of: the others finish the write in hand, and
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
    /// Those of them that were not made, because what they make was there.
    there: BTreeSet<u32>,
    /// Those of these that nobody knows the maker of: what was planned beside them was planned for an object of
    /// our own.
    not_ours: BTreeSet<u32>,
    /// Those of them that AWS refused, because something else was there.
    another: BTreeSet<u32>,
    /// The token of the account's lease, where several controllers share it.
    token: Option<i64>,
    /// Who has the lease by now, where it is lost.
    lost: Option<String>,
    /// Objects that somebody has moved.
    moved: BTreeMap<(Place, String), String>,
    /// Objects that the run itself has made, as they were first seen.
    new: BTreeMap<(Place, String), Option<Now>>,
    /// What is looked at once more when all is written.
    open: Open<'a>,
}

impl<'a, 'p> OfAccount<'a, 'p> {
    /// Nothing done yet.
    pub fn new(
        applier: &'a Applier<'a>,
        plan: &'a Plan,
        stream: &'a Stream<'p>,
        halt: &'a Stop,
        changes: Vec<Planned<'a>>,
        open: Open<'a>,
    ) -> Self {
        Self {
            applier,
            plan,
            stream,
            halt,
            pending: pending(&changes),
            changes,
            report: ApplyReport::default(),
            failed: BTreeMap::new(),
            done: BTreeSet::new(),
            written: BTreeSet::new(),
            there: BTreeSet::new(),
            not_ours: BTreeSet::new(),
            another: BTreeSet::new(),
            token: None,
            lost: None,
            moved: BTreeMap::new(),
            new: BTreeMap::new(),
            open,
        }
    }

    /// Does the changes in their order.
    pub async fn run(mut self) -> ApplyReport {
        let account = self.changes.first().map(|(object, _)| &object.account);
        let held = match account {
            Some(account) => tokio::select! {
                held = self.applier.locks.hold(account) => Some(held),
                // Who has it may be dead, and its lease long.
                () = self.applier.stop.raised() => None,
            },
            None => None,
        };
        self.token = held.as_ref().and_then(HeldAccount::token);
        self.ask_anew().await;
        for (object, change) in self.changes.clone() {
            if self.done.contains(&change.id) {
                continue;
            }
            let Err(unheard) = self.one(object, change).await else { continue };
            self.unheard(object, change, unheard);
        }
        if let Err(error) = self.look_anew().await {
            self.ends(error);
        }
        if let Some(held) = held {
            if self.lost.is_some() {
                held.lost();
            }
            held.give_back().await;
        }
        self.report
    }

    /// Ends what somebody could not hear of: everywhere, or only here, where it is somebody else's turn.
    fn unheard(
        &mut self,
        object: &ObjectPlan,
        change: &PlannedChange,
        Unheard { error, in_hand }: Unheard<'_>,
    ) {
        let left = self.ends(error);
        if let Some((in_hand, step)) = in_hand {
            self.report.unrecorded.push(object.title());
            self.settle(object, in_hand, step);
        }
        if !self.done.contains(&change.id) {
            self.settle(object, change, left);
        }
    }

    /// Writes nothing more after something that somebody could not hear of, and says what becomes of what is
    /// left.
    fn ends(&mut self, error: ListenError) -> Step {
        match error {
            ListenError::LeaseLost(why) => {
                self.lost = Some(why.clone());
                Step::LeaseLost { why }
            }
            error => {
                self.halt.raise();
                if self.report.log_failure.is_none() {
                    self.report.log_failure = Some(error.to_string());
                    self.report.store_remedy = error.store_remedy();
                }
                Step::NotTried
            }
        }
    }

    /// Asks whether a write may begin now. Who has refused once is not asked again.
    fn ask(&mut self) -> Option<Step> {
        if self.report.refused.is_none() {
            self.report.refused = (self.applier.may_begin)().err();
        }
        self.report.refused.as_ref().map(|refusal| Step::HeldBack { held: refusal.held() })
    }

    /// The same, once it was looked again at what stops everybody.
    async fn ask_anew(&mut self) -> Option<Step> {
        self.applier.kill_switch.look().await;
        self.ask()
    }

    /// Who AWS says that we are in the account of an object.
    fn by(&self, object: &ObjectPlan) -> &'a str {
        let session = self.applier.sessions.get(&object.account);
        session.map(|session| session.caller_arn()).unwrap_or_default()
    }

    /// Does one change, and before it what makes room for it if there is none.
    async fn one(
        &mut self,
        object: &'a ObjectPlan,
        change: &'a PlannedChange,
    ) -> Result<(), Unheard<'a>> {
        let mut tried = self.attempt(object, change).await?;
        while tried.is_full && !self.is_stopping() {
            let Some(room) = self.makes_room(object, change) else { break };
            self.stream.mention(RunEvent::MakesRoom { object, refused: change, room });
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

    /// A change, as it is called where another object, or the same one, waits for it.
    fn named(&self, id: u32, waiting: &ObjectPlan) -> String {
        self.changes.iter().find(|(_, change)| change.id == id).map_or_else(
            || format!("change {id}"),
            |(needed, change)| match is_same(needed, waiting) {
                true => change.name(),
                false => format!("{} of {}", change.name(), needed.title()),
            },
        )
    }

    /// What becomes of a change that is not to be tried, after all that has happened so far.
    fn ruled_out(&mut self, object: &ObjectPlan, change: &PlannedChange) -> Option<Step> {
        if let Some(refusal) = &self.report.refused {
            return Some(Step::HeldBack { held: refusal.held() });
        }
        if let Some(why) = &self.lost {
            return Some(Step::LeaseLost { why: why.clone() });
        }
        // The last guard: whatever made the plan, what it only reports is not written.
        if !change.is_applied() {
            let error =
                "the plan only reports this change: it is not written\nmake a new plan".to_owned();
            return Some(Step::Failed { error });
        }
        if self.is_stopping() {
            self.report.interrupted |= self.applier.stop.is_raised();
            return Some(Step::NotTried);
        }
        if let Some(by) = change.depends_on.iter().find_map(|before| self.failed.get(before)) {
            return Some(Step::Blocked { by: *by, what: self.named(*by, object) });
        }
        let moved = self.moved.get(&(place(object), object.observed.id.clone()));
        moved.map(|why| Step::Moved { why: why.clone() })
    }

    /// Looks at a change's object, and writes if it is still what the plan was made for.
    async fn attempt(
        &mut self,
        object: &'a ObjectPlan,
        change: &'a PlannedChange,
    ) -> Result<Tried, Unheard<'a>> {
        if let Some(step) = self.ruled_out(object, change) {
            return Ok(step.into());
        }
        let (Some(_), Some(kind), Some(session)) = (
            &change.action,
            registry::find(&object.item.kind),
            self.applier.sessions.get(&object.account),
        ) else {
            let error =
                "the plan holds a change without a way to do it\nmake a new plan with this version of evenkeel".to_owned();
            return Ok(Step::Failed { error }.into());
        };
        let facts = again::facts(session, &object.region, &object.item);
        let looked = self.seen(session, (kind, &facts), (object, change)).await;
        let (before, write) = match looked {
            Ok(seen) => seen,
            Err(step) => return Ok(step.into()),
        };
        // What is heard of is what is sent.
        let sent_as =
            write.map(|write| PlannedChange { action: Some(write.into()), ..change.clone() });
        let planned = change;
        let change = sent_as.as_ref().unwrap_or(change);
        let Some(action) = &change.action else { return Ok(Step::Needless.into()) };
        if let Some(step) = self.not_own(session, (kind, &facts), object, action).await {
            return Ok(step.into());
        }
        // The look took its time.
        if let Some(refused) = self.ask_anew().await {
            return Ok(refused.into());
        }
        let by = self.by(object);
        if let Some(held) = self.held_back(object, change).await {
            return Ok(Step::HeldBack { held }.into());
        }
        // So did the guards, which ask a store.
        if let Some(refused) = self.ask_anew().await {
            self.after(object, change, Sent::Unsent).await;
            return Ok(refused.into());
        }
        if let Err(error) = self.announce(object, change, &before) {
            self.after(object, change, Sent::Unsent).await;
            return Err(error.into());
        }
        self.written.insert(change.id);
        let cx = again::fresh(session, facts).writable(&self.plan.run);
        let written = kind.apply(&cx, action).await;
        let made = cx.noted();
        let there = written.as_ref().err().and_then(there_by_then);
        self.remember(change, &written);
        let failed = written.err().map(|error| self.failure(object, change, &error));
        self.after(object, change, sent(failed.is_some(), there.is_some())).await;
        let answer = failed.as_ref().map_or(Ok(made.as_slice()), Err);
        let mut heard = self.stream.tell(RunEvent::Answered { object, change, answer, by });
        if there.is_some() {
            self.there.insert(change.id);
            heard =
                heard.and_then(|()| self.stream.tell(RunEvent::FoundThere { object, change, by }));
        }
        let tried = match (failed, there) {
            (None, _) => Step::Applied.into(),
            (Some(_), Some(why)) => Step::WasThere { why }.into(),
            (Some(failed), None) => Tried::from(failed),
        };
        match heard {
            Ok(()) => Ok(tried),
            Err(error) => Err(Unheard { error, in_hand: Some((planned, tried.step)) }),
        }
    }

    /// Notes that an object is somebody else's by now, so that nothing more is written to it.
    fn moved(&mut self, object: &ObjectPlan, why: String) -> Step {
        self.moved.insert((place(object), object.observed.id.clone()), why.clone());
        Step::Moved { why }
    }

    /// Remembers what was in the way of a change, and whose it is.
    fn remember(&mut self, change: &PlannedChange, written: &Result<(), ApplyError>) {
        match written {
            Err(ApplyError::Write(WriteError::WasThere(_) | WriteError::ThereByNow(_))) => {
                self.not_ours.insert(change.id);
            }
            Err(ApplyError::Write(WriteError::Another(_))) => {
                self.another.insert(change.id);
            }
            _ => {}
        }
    }

    /// Says that a change is about to be written. When somebody behind the audit log cannot hear of
    /// it, the log learns that nothing was sent.
    fn announce(
        &self,
        object: &ObjectPlan,
        change: &PlannedChange,
        before: &Object<Value>,
    ) -> Result<(), ListenError> {
        let by = self.by(object);
        let token = self.token;
        let heard = self.stream.tell(RunEvent::Writing { object, change, before, by, token });
        if let Err(why) = &heard
            && why.is_behind_the_log()
        {
            let failed = Failed {
                error: format!("nothing was sent, because somebody could not hear of it: {why}"),
                class: Some(FailureClass::Ours(NotSent::Unheard)),
                again_after: None,
                left: None,
            };
            self.stream.mention(RunEvent::Answered { object, change, answer: Err(&failed), by });
        }
        heard
    }

    /// Notes what became of a change.
    fn settle(&mut self, object: &ObjectPlan, change: &PlannedChange, step: Step) {
        let id = change.id;
        match &step {
            Step::Applied | Step::Needless | Step::Found | Step::WasThere { .. } => {}
            Step::Failed { .. }
            | Step::Moved { .. }
            | Step::NotTried
            | Step::LeaseLost { .. }
            | Step::HeldBack { .. } => {
                self.failed.insert(id, id);
            }
            Step::Blocked { by, .. } => {
                self.failed.insert(id, *by);
            }
        }
        self.done.insert(id);
        self.stream.mention(RunEvent::Wrote { object, change, step: &step });
        self.report.outcomes.push(ApplyOutcome { change: id, title: object.title(), step });
    }

    /// Corrects what was said of an object's changes once it is seen to be as declared: what was sent
    /// and refused is there, and what waited for it is not needed.
    ///
    /// # Errors
    /// Somebody, the audit log above all, cannot hear of it.
    pub(super) fn found(&mut self, object: &ObjectPlan) -> Result<(), ListenError> {
        for change in &object.changes {
            let outcomes = &mut self.report.outcomes;
            let Some(outcome) = outcomes.iter_mut().find(|outcome| outcome.change == change.id)
            else {
                continue;
            };
            let step = match &outcome.step {
                Step::Failed { error } if self.another.contains(&change.id) => {
                    Step::WasThere { why: error.lines().next().unwrap_or_default().to_owned() }
                }
                Step::Failed { .. } if self.written.contains(&change.id) => Step::Found,
                Step::Blocked { .. } => Step::Needless,
                _ => continue,
            };
            outcome.step = step.clone();
            self.failed.remove(&change.id);
            self.stream.mention(RunEvent::Wrote { object, change, step: &step });
            if matches!(step, Step::Found | Step::WasThere { .. }) {
                let by = self.by(object);
                self.stream.tell(RunEvent::FoundThere { object, change, by })?;
            }
        }
        Ok(())
    }

    /// The same; once it was the last one of its item, the item's objects are observed again.
    async fn finish(
        &mut self,
        object: &'a ObjectPlan,
        change: &PlannedChange,
        step: Step,
    ) -> Result<(), ListenError> {
        self.settle(object, change, step);
        if let Some(left) = self.pending.get_mut(&place(object)) {
            *left -= 1;
            // What could not be recorded is not looked at: the next run does it.
            if *left == 0 && !self.halt.is_raised() && self.lost.is_none() {
                return self.verify(object).await;
            }
        }
        Ok(())
    }
}
