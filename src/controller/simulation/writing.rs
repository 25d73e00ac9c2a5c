//! The writes of a run: ask the guards, look again, note, write, note, look.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::super::clocks::Clocks;
use super::declared::Thing;
use super::ledger::{Asker, Stood};
use super::plans;
use super::world::{Line, World};
use crate::aws::error::ErrorClass;
use crate::names::AccountId;
use crate::plan::ObjectPlan;
use crate::reconcile::guarded::{Sent, Standing};
use crate::reconcile::locks::Held;
use crate::reconcile::{
    ApplyOutcome, ApplyReport, Guards, Listener, Look, RunEvent, Step, Stop, Told,
};
use crate::store::audit::Failed;

/// Who AWS says that we are.
const BY: &str = "evenkeel";

/// The writes of a run.
pub struct Writing<'a> {
    /// Where.
    pub world: &'a Arc<World>,
    /// What the run wishes.
    pub wish: &'a Look,
    /// What stands between the plan and its writes.
    pub guards: Guards,
    /// The run, as the guards are asked about it.
    pub asker: &'a Asker,
    /// What they say.
    pub standing: &'a Standing,
    /// Raised when somebody wishes to stop.
    pub stop: &'a Stop,
    /// Who listens.
    pub listener: &'a dyn Listener,
}

impl Writing<'_> {
    fn tell(&self, event: RunEvent<'_>) {
        let told = Told { time: self.world.clocks.wall(), run: &self.wish.run, event };
        self.listener.hear(&told).unwrap();
    }

    /// Writes to an account.
    pub async fn to(&self, account: &AccountId, objects: Vec<&ObjectPlan>) -> ApplyReport {
        let mut report = ApplyReport::default();
        let held = self.wish.locks.hold(account).await;
        for object in objects {
            let step = self.one(object, &held, &mut report).await;
            self.world.say(|| format!("run {} {}: {step}", self.asker.run, object.title()));
            let change = &object.changes[0];
            self.tell(RunEvent::Wrote { object, change, step: &step });
            report.outcomes.push(ApplyOutcome { change: change.id, title: object.title(), step });
        }
        held.give_back().await;
        report
    }

    async fn one(&self, object: &ObjectPlan, held: &Held, report: &mut ApplyReport) -> Step {
        let world = self.world;
        if self.stop.is_raised() {
            report.interrupted = true;
            return Step::NotTried;
        }
        world.takes(500).await;
        let (change, thing) = (&object.changes[0], plans::thing(object));
        let (now, wanted) = (world.thing(&thing), self.asker.declared.wanted[thing.1]);
        if now == wanted {
            return Step::Needless;
        }
        if change.drift[0].actual != Some(now.into()) {
            return Step::Moved { why: "it is something else".to_owned() };
        }
        if let Err(refusal) = self.guards.may_begin(world.clocks.wall()) {
            let held = refusal.held();
            report.refused = Some(refusal);
            return Step::HeldBack { held };
        }
        let stood = world.stood(&thing, &self.asker.rules);
        let (guarded, run) = (self.standing.guarded(), &self.wish.run);
        if let Err(held) = guarded.before(object, change, BY, run).await {
            return Step::HeldBack { held };
        }
        if let Err(refusal) = self.guards.may_begin(world.clocks.wall()) {
            let held = refusal.held();
            report.refused = Some(refusal);
            self.guards_hear(object, Sent::Unsent).await;
            return Step::HeldBack { held };
        }
        if !world.is_held(&object.account, held) {
            self.guards_hear(object, Sent::Unsent).await;
            return Step::LeaseLost { why: "somebody may have taken it over".to_owned() };
        }
        let step = self.write(object, &thing, held, &stood).await;
        // Whoever holds the thing alone looks at it again, and the guards hear of that.
        if step == Step::Applied && world.is_held(&object.account, held) {
            let seen = guarded.seen_after(object, run, true).await;
            if seen.is_ok() && world.is_held(&object.account, held) {
                world.sees((self.asker.run, change.id), &thing);
                let in_sync = world.thing(&thing) == wanted;
                self.tell(RunEvent::Verified { object, after: None, in_sync, by: BY });
            }
        }
        step
    }

    async fn write(&self, object: &ObjectPlan, thing: &Thing, held: &Held, stood: &Stood) -> Step {
        let (world, change) = (self.world, &object.changes[0]);
        let write = (self.asker.run, change.id);
        let (before, token) = (&object.observed, held.token());
        self.tell(RunEvent::Writing { object, change, before, by: BY, token });
        world.intends(self.asker, stood, write, thing);
        world.takes(300).await;
        let is_refused = world.is_refused(&thing.0);
        if !is_refused {
            world.writes(write, thing, self.asker.declared.wanted[thing.1]);
        }
        world.takes(300).await;
        let error = "AWS refused it".to_owned();
        let failed = Failed { error: error.clone(), class: None, again_after: None, left: None };
        let answer = if is_refused { Err(&failed) } else { Ok(()) };
        self.tell(RunEvent::Answered { object, change, answer: answer.map(|()| &[][..]), by: BY });
        let sent = if is_refused { Sent::Failed } else { Sent::Accepted };
        self.guards_hear(object, sent).await;
        world.notes(write, Line::Outcome);
        if is_refused {
            self.wish.meter.failed(ErrorClass::ServerFault);
            return Step::Failed { error };
        }
        Step::Applied
    }

    /// Tells the guards what became of a change that they let through.
    async fn guards_hear(&self, object: &ObjectPlan, sent: Sent) {
        let change = &object.changes[0];
        let _telling = self.world.tells();
        if let Err(error) = self.standing.guarded().after(object, change, sent).await {
            self.world.say(|| format!("{} is not remembered: {error}", object.title()));
        }
    }
}
