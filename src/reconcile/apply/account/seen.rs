//! The look at an object directly before a write to it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{OfAccount, Planned, place};
use crate::aws::Session;
use crate::kinds::erased::DynKind;
use crate::kinds::object::Unknown;
use crate::kinds::{Cx, Facts, Object, Status};
use crate::plan::{ObjectPlan, PlannedChange};
use crate::reconcile::again::{self, Fit, Now, Written};
use crate::reconcile::limits::Safety;
use crate::reconcile::report::Step;
use crate::reconcile::rollback::own::is_of;
use crate::reconcile::rollback::still::{Still, is_still_own};

/// How long is waited for a new object to be seen whole, from look to look.
const NEW_IS_SEEN: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(4)];

/// Why nothing more is written to an object that was there when it was to be made.
const NOT_OURS: &str = "it was there when it was to be made, and nobody knows whose it is: what was planned for a new one is not \
     written to it; make a new plan, which shows it as it is";

/// The object directly before the write; or what becomes of a change that does not fit it.
async fn seen_before(
    cx: &Cx,
    kind: &dyn DynKind,
    object: &ObjectPlan,
    change: &PlannedChange,
    written: Written,
) -> Result<Object<Value>, Step> {
    match again::look(cx, kind, &object.spec, &object.observed.id).await {
        Ok(Some(now)) => match now.fit(object, change, written) {
            Fit::Fits => Ok(now.object),
            Fit::Moved(why) => Err(Step::Moved { why }),
            Fit::Needless => Err(Step::Needless),
        },
        Ok(None) => Err(Step::Moved { why: "it is not there any more".to_owned() }),
        Err(unknown) => Err(unseen(&unknown)),
    }
}

/// What the run has made, directly before it writes more to it, and the write that it needs, where that is not just the
/// planned one. What somebody has set on it since, as whoever marks all that is new does, is not overwritten. A new
/// object may not be seen yet where AWS has copies; then nothing that is on it can be seen either.
async fn seen_of_made(
    session: &Arc<Session>,
    facts: &Facts,
    kind: &dyn DynKind,
    (object, change): Planned<'_>,
    (new, safety): (&mut Option<Now>, &Safety),
) -> Result<(Object<Value>, Option<Value>), Step> {
    let mut pauses = NEW_IS_SEEN.iter();
    loop {
        let cx = again::fresh(session, facts.clone());
        match again::look(&cx, kind, &object.spec, &object.observed.id).await {
            Ok(Some(now)) if matches!(now.object.status, Status::Present(_)) => {
                let writes: Vec<_> =
                    object.changes.iter().filter_map(|one| one.action.as_deref()).collect();
                let is_all_own = is_of(kind, facts, &now.object, &writes) == Some(true);
                let (fit, write) =
                    now.fit_of_made(object, change, is_all_own, new.as_ref(), safety);
                let seen = match fit {
                    Fit::Fits => Ok((now.object.clone(), write.cloned())),
                    Fit::Moved(why) => Err(Step::Moved { why }),
                    Fit::Needless => Err(Step::Needless),
                };
                new.get_or_insert(now);
                return seen;
            }
            Ok(_) => return Ok((object.observed.clone(), None)),
            Err(unknown) => match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(unseen(&unknown)),
            },
        }
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

impl OfAccount<'_, '_> {
    /// The object directly before a write, and the write that it needs, where that is not just the planned one.
    pub(super) async fn seen(
        &mut self,
        session: &Arc<Session>,
        (kind, facts): (&dyn DynKind, &Facts),
        (object, change): Planned<'_>,
    ) -> Result<(Object<Value>, Option<Value>), Step> {
        let written = self.written_before(object);
        // What the run itself has made and still needs was planned for an object that is not there.
        let was_there = object.changes.iter().any(|change| self.there.contains(&change.id));
        let is_made = written == Written::ThisObject
            && object.observed.status == Status::Absent
            && !was_there;
        match is_made {
            true => {
                let at = (place(object), object.observed.id.clone());
                let safety = self.applier.safety;
                let new = self.new.entry(at).or_default();
                match seen_of_made(session, facts, kind, (object, change), (new, safety)).await {
                    Err(Step::Moved { why }) => Err(self.moved(object, why)),
                    seen => seen,
                }
            }
            false => {
                let cx = again::fresh(session, facts.clone());
                let seen = seen_before(&cx, kind, object, change, written).await;
                self.of_somebody(object, seen).map(|before| (before, None))
            }
        }
    }

    /// What becomes of a write of a rollback that does not take away just what the run has written.
    pub(super) async fn not_own(
        &mut self,
        session: &Arc<Session>,
        (kind, facts): (&dyn DynKind, &Facts),
        object: &ObjectPlan,
        action: &Value,
    ) -> Option<Step> {
        let back = object.puts_back.as_ref()?;
        match is_still_own(session, facts, kind, (object, back), action).await {
            Ok(Still::Own) => None,
            Ok(Still::Needless) => Some(Step::Needless),
            Err(why) => Some(self.moved(object, why)),
        }
    }

    /// What a look found, unless it is somebody else's, which is left alone whole.
    fn of_somebody(
        &mut self,
        object: &ObjectPlan,
        seen: Result<Object<Value>, Step>,
    ) -> Result<Object<Value>, Step> {
        match seen {
            Ok(_) if object.changes.iter().any(|change| self.not_ours.contains(&change.id)) => {
                Err(Step::Moved { why: NOT_OURS.to_owned() })
            }
            Err(Step::Moved { why }) => Err(self.moved(object, why)),
            seen => seen,
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
}
