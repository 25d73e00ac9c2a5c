//! Observing an item's objects again, which alone makes a change a success.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;

use super::{OfAccount, place};
use crate::aws::reads::ReadCache;
use crate::kinds::object::Cause;
use crate::kinds::{Facts, Object, registry};
use crate::plan::ObjectPlan;
use crate::plan::contradict::contradictions;
use crate::reconcile::again::{self, Now, Standing};
use crate::reconcile::event::{ListenError, RunEvent};
use crate::reconcile::observe::{into_unknown, observe_all};

/// Waits before the second, third … observation of an object that is not yet as declared: AWS is
/// eventually consistent, mostly for seconds.
const SETTLING: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Items that claim things looked at at the same time: there are few.
const CLAIMANTS_IN_HAND: usize = 8;

/// Objects as they are now, by their ids, and how they stand.
type Seen<'a> = BTreeMap<&'a str, (Option<Object<Value>>, Standing)>;

/// The things that an object turned out to be.
pub(super) fn claimed(
    facts: &Facts,
    item: &ObjectPlan,
    object: &Object<Value>,
) -> BTreeSet<String> {
    let kind = registry::find(&item.item.kind);
    let claims = kind.and_then(|kind| kind.claims(facts, &item.spec, object).ok());
    claims.unwrap_or_default().into_iter().map(|claim| claim.thing).collect()
}

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
            let mut now = self.look(done, &waiting).await;
            self.hear_others(done, &waiting, &mut now).await;
            let mut still = Vec::new();
            let wait = waits.next().filter(|_| !self.applier.stop.is_raised());
            for object in waiting {
                let unseen = || (None, Standing::Unknown("it was not found".to_owned()));
                let (after, standing) =
                    now.get(object.observed.id.as_str()).cloned().unwrap_or_else(unseen);
                let is_settled = matches!(
                    standing,
                    Standing::InSync
                        | Standing::OnlyReported
                        | Standing::Awaited(_)
                        | Standing::Contradicted(_)
                );
                let can_converge =
                    !object.changes.iter().any(|change| self.failed.contains_key(&change.id));
                if !is_settled && can_converge && wait.is_some() {
                    still.push(object);
                    continue;
                }
                let (after, by) = (after.as_ref(), self.by(object));
                // What was put back is as it was, which is seldom as declared.
                let in_sync = standing == Standing::InSync && object.puts_back.is_none();
                self.stream.tell(RunEvent::Verified { object, after, in_sync, by })?;
                self.seen_after(object, &standing).await;
                if is_settled {
                    self.found(object)?;
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

    /// What was made may be claimed by another item too, such as by one for all keys of the account: both
    /// are unknown to the next look, and to this one.
    async fn hear_others(
        &mut self,
        item: &ObjectPlan,
        waiting: &[&'a ObjectPlan],
        now: &mut Seen<'a>,
    ) {
        let Some(session) = self.applier.sessions.get(&item.account) else { return };
        let facts = again::facts(session, &item.region, &item.item);
        let is_new = |object: &&'a ObjectPlan| {
            let after = now.get(object.observed.id.as_str()).and_then(|(after, _)| after.as_ref());
            let before = claimed(&facts, item, &object.observed);
            after.is_some_and(|after| !claimed(&facts, item, after).is_subset(&before))
        };
        if !waiting.iter().any(is_new) {
            return;
        }
        let claimants = self.applier.claimants.get(&item.account).cloned().unwrap_or_default();
        let here = claimants.into_iter().filter(|(_, facts)| facts.region == item.region).collect();
        let turns = Semaphore::new(CLAIMANTS_IN_HAND);
        let reads = Arc::new(ReadCache::default());
        let seen = observe_all(session, &reads, here, None, &turns, |_, _| {}).await;
        let all: Vec<_> = seen.iter().collect();
        for ((at, of_item), unknown) in contradictions(&all, &registry::find) {
            let claimant = all[at];
            let Some(object) = claimant.objects.as_ref().ok().and_then(|list| list.get(of_item))
            else {
                continue;
            };
            let standing = Standing::Contradicted(unknown.reason);
            if claimant.declared.item == item.item {
                if let Some((_, stands)) = now.get_mut(object.id.as_str()) {
                    *stands = standing;
                }
                continue;
            }
            let wrote = self.changes.iter().find(|(other, change)| {
                self.written.contains(&change.id)
                    && other.item == claimant.declared.item
                    && other.region == item.region
                    && other.observed.id == object.id
            });
            if let Some((other, _)) = wrote {
                self.stands(other, standing);
            }
        }
    }

    /// Notes how an object stands in the end.
    fn stands(&mut self, object: &ObjectPlan, standing: Standing) {
        let (report, title) = (&mut self.report, object.title());
        match standing {
            Standing::InSync => {}
            Standing::OnlyReported => report.only_reported.push(title),
            Standing::Awaited(why) => report.awaited.push((title, why)),
            Standing::Open => report.not_converged.push(title),
            Standing::NeedsMore => report.needs_more.push(title),
            Standing::Unknown(why) | Standing::Contradicted(why) => {
                report.unobserved.push((title, why))
            }
        }
    }

    /// The waiting objects of an item now, and how they stand.
    async fn look(&self, item: &ObjectPlan, waiting: &[&'a ObjectPlan]) -> Seen<'a> {
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
                Err(unknown) if unknown.cause == Cause::Awaited => {
                    Standing::Awaited(unknown.reason)
                }
                Err(unknown) => Standing::Unknown(unknown.reason),
            };
            Some((object.observed.id.as_str(), (Some(seen), standing)))
        });
        judged.collect()
    }
}
