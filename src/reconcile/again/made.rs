//! The look before a further write to what the run itself has made.

use serde_json::Value;

use super::{Fit, Now, top, touches_same};
use crate::kinds::erased::DynKind;
use crate::kinds::{Change, FieldDrift, registry};
use crate::plan::make::refused;
use crate::plan::{ObjectPlan, PlannedChange};
use crate::reconcile::limits::Safety;
use crate::reconcile::rollback::own::is_part;

/// What is said of a new object on which there is more than the run has put there.
pub const NOT_AS_MADE: &str =
    "somebody has changed it since this run made it: make a new plan, which shows it as it is";

impl Now {
    /// The same of what the run itself has made, of which `is_all_own` says that nothing is there but what the run
    /// writes, and `new` how it was first seen: nothing is to be lost that somebody has set on it. What is written is
    /// what it needs now, which keeps what AWS gives to all that is new; the plan knew nothing of that. What it does beyond
    /// what the plan showed must be within the limits.
    pub fn fit_of_made(
        &self,
        planned: &ObjectPlan,
        change: &PlannedChange,
        is_all_own: bool,
        new: Option<&Self>,
        safety: &Safety,
    ) -> (Fit, Option<&Value>) {
        let write = self.same_write(planned, change).or_else(|| self.same_need(change));
        if !is_as_first_seen(planned, change, write, new) {
            return (Fit::Moved(NOT_AS_MADE.to_owned()), None);
        }
        if is_all_own {
            return (Fit::Fits, None);
        }
        let Some(write) = write else {
            let is_needless = self.has_nothing_of(change) || self.needs_only_later(planned, change);
            if let Some(why) = self.withheld_of(change) {
                return (Fit::Moved(format!("it cannot be written by now: {why}")), None);
            }
            return match () {
                () if self.is_as_declared() || is_needless => (Fit::Needless, None),
                () => (Fit::Moved(NOT_AS_MADE.to_owned()), None),
            };
        };
        let kind = registry::find(&planned.item.kind);
        if write.drift.iter().any(|drift| is_more(kind, drift, change)) {
            return (Fit::Moved(NOT_AS_MADE.to_owned()), None);
        }
        // What AWS gives to all that is new may make it more of a change than it was for what was not there.
        let risen: Vec<_> =
            write.grants.iter().filter(|grant| !change.grants.contains(grant)).cloned().collect();
        let most = safety.max_risk.max(change.risk);
        match refused(write.risk, &risen, most, &safety.allow_grants) {
            None => (Fit::Fits, write.action.as_ref()),
            Some(why) => (Fit::Moved(format!("by now, {why}")), None),
        }
    }

    /// Why what a planned write leads to cannot be written now.
    fn withheld_of(&self, change: &PlannedChange) -> Option<&str> {
        let has = |field: &str| change.drift.iter().any(|drift| drift.field == field);
        let is_of = |now: &&Change<Value>| now.drift.iter().any(|drift| has(&drift.field));
        let withheld = self.changes.iter().filter(|now| now.withheld.is_some());
        withheld.filter(is_of).find_map(|now| now.withheld.as_deref())
    }

    /// The write that leads to what a planned one leads to, or to what of that is not there by itself.
    fn same_need(&self, change: &PlannedChange) -> Option<&Change<Value>> {
        let leads_to = |drift: &[FieldDrift]| {
            let of = |one: &FieldDrift| (one.field.clone(), one.desired.clone());
            drift.iter().map(of).collect::<Vec<_>>()
        };
        let planned = leads_to(&change.drift);
        let is_less = |now: &Change<Value>| {
            now.action
                .as_ref()
                .zip(change.action.as_deref())
                .is_some_and(|(now, then)| is_part(now, then))
        };
        self.writes()
            .find(|now| !planned.is_empty() && leads_to(&now.drift) == planned || is_less(now))
    }
}

/// Whether what is there of a new object is more than AWS gives to all that is new: something of which the plan does not
/// speak, things of which there are several, a mark, or another value.
fn is_more(kind: Option<&dyn DynKind>, now: &FieldDrift, planned: &PlannedChange) -> bool {
    let Some(same) = planned.drift.iter().find(|planned| planned.field == now.field) else {
        return true;
    };
    if same.actual == now.actual {
        return false;
    }
    match &now.actual {
        // Nothing: also what a look sees that is too early for what AWS gives.
        None | Some(Value::Null) => false,
        Some(Value::Bool(false)) => gives_otherwise(kind, &now.field, &Value::Bool(false)),
        Some(Value::Array(all)) => all.iter().any(Value::is_object),
        Some(Value::Object(all)) => !all.is_empty(),
        // AWS's word for nothing; or a policy: of those that are merged, the write keeps what is there.
        Some(Value::String(text)) if text.is_empty() || text == "NONE" || text.starts_with('{') => {
            false
        }
        Some(value) => top(&now.field) == "tags" || !is_given(kind, &now.field, value),
    }
}

/// Whether AWS gives this value to all that is new.
fn is_given(kind: Option<&dyn DynKind>, field: &str, value: &Value) -> bool {
    given(kind, field).any(|given| given == *value)
}

/// Whether AWS gives other values than this to all that is new.
fn gives_otherwise(kind: Option<&dyn DynKind>, field: &str, value: &Value) -> bool {
    given(kind, field).next().is_some() && !is_given(kind, field, value)
}

fn given(kind: Option<&dyn DynKind>, field: &str) -> impl Iterator<Item = Value> {
    let all = kind.map_or(&[][..], |kind| kind.given());
    all.iter()
        .filter(move |(of, _)| *of == field)
        .filter_map(|(_, json)| serde_json::from_str(json).ok())
}

/// Whether a new object needs of a change what it needed when it was first seen. What needed nothing then, or something
/// else, and was not written to by the run since, somebody has changed.
fn is_as_first_seen(
    planned: &ObjectPlan,
    change: &PlannedChange,
    write: Option<&Change<Value>>,
    new: Option<&Now>,
) -> bool {
    let (Some(write), Some(new)) = (write, new) else { return true };
    let then = new.same_write(planned, change).or_else(|| new.same_need(change));
    let making = planned.changes.first().map(|making| making.id);
    let is_since = |one: &PlannedChange| Some(one.id) != making && one.id < change.id;
    let mut since = planned.changes.iter().filter(|one| is_since(one));
    then.is_some_and(|then| then.drift == write.drift) || since.any(|one| touches_same(one, change))
}
