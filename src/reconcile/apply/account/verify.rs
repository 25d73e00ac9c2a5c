//! Observing an item's objects again, which alone makes a change a success.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{OfAccount, place};
use crate::kinds::{Object, registry};
use crate::plan::ObjectPlan;
use crate::reconcile::again::{self, Now, Standing};
use crate::reconcile::event::{ListenError, RunEvent};
use crate::reconcile::observe::into_unknown;

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
        let touched: BTreeMap<&str, &'a ObjectPlan> = self
            .changes
            .iter()
            .filter(|(object, change)| {
                self.written.contains(&change.id) && super::place(object) == place
            })
            .map(|(object, _)| (object.observed.id.as_str(), *object))
            .collect();
        let mut waiting: Vec<&'a ObjectPlan> = touched.into_values().collect();
        let mut waits = SETTLING.iter();
        while !waiting.is_empty() {
            let now = self.look(done, &waiting).await;
            let mut still = Vec::new();
            let wait = waits.next().filter(|_| !self.applier.stop.is_raised());
            for object in waiting {
                let unseen = || (None, Standing::Unknown("it was not found".to_owned()));
                let (after, standing) =
                    now.get(object.observed.id.as_str()).cloned().unwrap_or_else(unseen);
                let is_settled = matches!(standing, Standing::InSync | Standing::OnlyReported);
                let can_converge =
                    !object.changes.iter().any(|change| self.failed.contains_key(&change.id));
                if !is_settled && can_converge && wait.is_some() {
                    still.push(object);
                    continue;
                }
                let (after, by) = (after.as_ref(), self.by(object));
                let in_sync = standing == Standing::InSync;
                self.stream.tell(RunEvent::Verified { object, after, in_sync, by })?;
                if is_settled {
                    self.found(object);
                }
                // What failed has been said.
                if is_settled || can_converge {
                    self.stands(object, standing);
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

    /// Notes how an object stands in the end.
    fn stands(&mut self, object: &ObjectPlan, standing: Standing) {
        let (report, title) = (&mut self.report, object.title());
        match standing {
            Standing::InSync => {}
            Standing::OnlyReported => report.only_reported.push(title),
            Standing::Open => report.not_converged.push(title),
            Standing::Unknown(why) => report.unobserved.push((title, why)),
        }
    }

    /// The waiting objects of an item now, and how they stand.
    async fn look(
        &self,
        item: &ObjectPlan,
        waiting: &[&'a ObjectPlan],
    ) -> BTreeMap<&'a str, (Option<Object<Value>>, Standing)> {
        let (Some(kind), Some(session)) =
            (registry::find(&item.item.kind), self.applier.sessions.get(&item.account))
        else {
            return BTreeMap::new();
        };
        let cx = again::fresh(session, again::facts(session, &item.region, &item.item));
        let objects = match kind.observe(&cx, &item.spec).await {
            Ok(objects) => objects,
            Err(error) => {
                let why = into_unknown(error).reason;
                let unknown = |object: &&'a ObjectPlan| {
                    (object.observed.id.as_str(), (None, Standing::Unknown(why.clone())))
                };
                return waiting.iter().map(unknown).collect();
            }
        };
        let judged = objects.into_iter().filter_map(|seen| {
            let object = waiting.iter().find(|object| object.observed.id == seen.id)?;
            let standing = match Now::of(cx.facts(), kind, &item.spec, seen.clone()) {
                Ok(now) => now.standing(object),
                Err(unknown) => Standing::Unknown(unknown.reason),
            };
            Some((object.observed.id.as_str(), (Some(seen), standing)))
        });
        judged.collect()
    }
}
