//! Looking once more at what the plan could only report or did not know, when all is written: what was
//! written elsewhere may have put it right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use tokio::time::Instant;

use super::OfAccount;
use super::verify::claimed;
use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::kinds::object::{Cause, Unknown};
use crate::kinds::{Cx, Object, Status, registry};
use crate::names::AccountId;
use crate::plan::moving::leads_elsewhere;
use crate::plan::{Mode, ObjectPlan, Plan, Verdict};
use crate::reconcile::again::{self, Now, Standing};
use crate::reconcile::event::{ListenError, RunEvent};
use crate::reconcile::report::Anew;
use crate::reconcile::rollback::rolled_back;

/// Objects looked at at the same time.
const IN_HAND: usize = 8;
/// How long an account may be looked at: what AWS does not say by then stays as it was found.
const MOST: Duration = Duration::from_secs(120);

/// What is looked at once more in an account.
#[derive(Default)]
pub struct Open<'a> {
    /// Findings, and what is unknown.
    objects: Vec<&'a ObjectPlan>,
    /// Changes that lead a name to another thing. Before they are done, nobody knows what refers to it.
    moving: Vec<u32>,
}

impl<'a> Open<'a> {
    /// What a plan leaves open, account by account. What is put back is as it was, and not as declared.
    pub fn of(plan: &'a Plan) -> BTreeMap<&'a AccountId, Self> {
        let mut all: BTreeMap<&'a AccountId, Self> = BTreeMap::new();
        if rolled_back(plan).is_some() {
            return all;
        }
        for object in plan.objects.iter() {
            let moves =
                registry::find(&object.item.kind).is_some_and(|kind| leads_elsewhere(object, kind));
            if !moves && !object.is_open() {
                continue;
            }
            let of_account = all.entry(&object.account).or_default();
            if moves {
                of_account.moving.extend(object.changes.iter().map(|change| change.id));
            }
            if object.is_open() {
                of_account.objects.push(object);
            }
        }
        all
    }
}

/// How an object, or what an item governs, is by now.
enum Seen {
    /// As declared; where it is one object, that.
    InSync(Option<Box<Object<Value>>>),
    /// It differs, and nothing more is to be written.
    Differs,
    /// It differs, and something is to be written that nobody has planned.
    NeedsMore,
    /// It was read, and cannot be judged.
    Unjudged(Unknown),
}

impl Seen {
    /// The worse of two.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unjudged(unknown), _) | (_, Self::Unjudged(unknown)) => Self::Unjudged(unknown),
            (Self::NeedsMore, _) | (_, Self::NeedsMore) => Self::NeedsMore,
            (Self::Differs, _) | (_, Self::Differs) => Self::Differs,
            (Self::InSync(_), Self::InSync(_)) => Self::InSync(None),
        }
    }
}

/// Whether it is not known which objects an item governs.
fn is_whole_item(object: &ObjectPlan) -> bool {
    object.observed.id.is_empty() && matches!(object.observed.status, Status::Unknown(_))
}

/// Looks at what is open; `None` where nothing more is known than before.
async fn see(
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
    object: &ObjectPlan,
    (items, until): (usize, Instant),
) -> Option<Seen> {
    let kind = registry::find(&object.item.kind)?;
    let facts = again::facts(session, &object.region, &object.item);
    let cx = Cx::new(facts, Arc::clone(session), Arc::clone(reads)).until(Some(until)).among(items);
    let is_whole = is_whole_item(object);
    let found = match is_whole {
        true => kind.observe(&cx, &object.spec).await.ok()?,
        false => vec![kind.observe_one(&cx, &object.spec, &object.observed.id).await.ok()??],
    };
    let mut seen = None;
    for now in found {
        // A claim that the plan did not know of may contradict another item's.
        let before = claimed(cx.facts(), object, &object.observed);
        if !claimed(cx.facts(), object, &now).is_subset(&before) {
            return None;
        }
        let stands = match &now.status {
            Status::Skipped { .. } if is_whole => continue,
            Status::Skipped { .. } => return None,
            _ => match Now::of(cx.facts(), kind, &object.spec, now.clone()) {
                Ok(judged) => stands(&judged, object, now),
                Err(unknown) if unknown.cause == Cause::Unread => return None,
                Err(unknown) => Seen::Unjudged(unknown),
            },
        };
        seen = Some(match seen {
            None => stands,
            Some(so_far) => Seen::and(so_far, stands),
        });
    }
    Some(seen.unwrap_or(Seen::InSync(None)))
}

fn stands(now: &Now, planned: &ObjectPlan, object: Object<Value>) -> Seen {
    match now.standing(planned) {
        Standing::InSync => Seen::InSync(Some(Box::new(object))),
        // What only reports plans no writes.
        Standing::NeedsMore | Standing::Open if planned.mode == Mode::Enforce => Seen::NeedsMore,
        _ => Seen::Differs,
    }
}

impl OfAccount<'_, '_> {
    /// Whether every name leads where it should by now.
    fn is_settled(&self) -> bool {
        let is_done = |id: &u32| self.done.contains(id) && !self.failed.contains_key(id);
        self.open.moving.iter().all(is_done)
    }

    /// Looks once more at what the plan left open, if anything was written.
    ///
    /// # Errors
    /// Somebody, the audit log above all, cannot hear of it.
    pub(super) async fn look_anew(&mut self) -> Result<(), ListenError> {
        let is_over =
            self.is_stopping() || self.lost.is_some() || self.report.log_failure.is_some();
        if self.written.is_empty() || is_over || !self.is_settled() {
            return Ok(());
        }
        let open = std::mem::take(&mut self.open.objects);
        let Some(first) = open.first() else { return Ok(()) };
        let Some(session) = self.applier.sessions.get(&first.account) else { return Ok(()) };
        let mut items: BTreeMap<_, usize> = BTreeMap::new();
        for object in &open {
            *items.entry((&object.item.kind, &object.region)).or_default() += 1;
        }
        let (reads, until) = (Arc::new(ReadCache::default()), Instant::now() + MOST);
        let looks: Vec<_> = open
            .iter()
            .map(|object| {
                let items = items.get(&(&object.item.kind, &object.region)).copied();
                see(session, &reads, object, (items.unwrap_or(1), until)).boxed()
            })
            .collect();
        let seen: Vec<Option<Seen>> = tokio::select! {
            seen = stream::iter(looks).buffered(IN_HAND).collect() => seen,
            // What nobody has looked at again stays as it was found.
            () = self.applier.stop.raised() => return Ok(()),
        };
        for (object, seen) in open.iter().zip(seen) {
            if let Some(seen) = seen {
                self.note(object, seen)?;
            }
        }
        Ok(())
    }

    /// Notes how something is that was open.
    fn note(&mut self, object: &ObjectPlan, seen: Seen) -> Result<(), ListenError> {
        let title = object.title();
        let was_unknown = matches!(object.verdict, Verdict::Unknown(_));
        let verdict = match seen {
            Seen::InSync(after) => {
                let by = self.by(object);
                let after = after.as_deref();
                self.stream.tell(RunEvent::Verified { object, after, in_sync: true, by })?;
                self.found(object)?;
                self.report.is_right(&title);
                Verdict::InSync
            }
            Seen::NeedsMore if was_unknown => {
                self.report.needs_more.push(title.clone());
                Verdict::Drifted
            }
            Seen::Differs if was_unknown => Verdict::Drifted,
            Seen::Unjudged(unknown) if !was_unknown && !object.is_changed() => {
                Verdict::Unknown(unknown)
            }
            _ => return Ok(()),
        };
        self.report.anew.push(Anew { title, verdict });
        Ok(())
    }
}
