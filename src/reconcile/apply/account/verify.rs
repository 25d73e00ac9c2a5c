//! Observing an item's objects again, which alone makes a change a success.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{OfAccount, place};
use crate::kinds::{Object, registry};
use crate::plan::ObjectPlan;
use crate::reconcile::again::{self, Now};
use crate::reconcile::event::{ListenError, RunEvent};

/// Waits before the second, third … observation of an object that is not yet as declared: AWS is
/// eventually consistent, mostly for seconds.
const SETTLING: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

impl<'a> OfAccount<'a, '_> {
    /// Observes an item's objects again once their last change was tried.
    pub(super) async fn verify(&mut self, done: &'a ObjectPlan) -> Result<(), ListenError> {
        let place = place(done);
        let touched: BTreeMap<&str, &ObjectPlan> = self
            .changes
            .iter()
            .filter(|(object, change)| {
                self.written.contains(&change.id) && super::place(object) == place
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
                let (after, by) = (after.map(|(after, _)| after), self.by(object));
                self.stream.tell(RunEvent::Verified { object, after, in_sync, by })?;
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
}
