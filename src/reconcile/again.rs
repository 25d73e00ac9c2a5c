//! The look directly before a write: whether the object is still what the plan was made for, and
//! the change still what it needs. What somebody else did meanwhile is never overwritten.

mod made;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::observe::into_unknown;
use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::kinds::erased::DynKind;
use crate::kinds::object::Unknown;
use crate::kinds::{Change, Cx, Facts, FieldDrift, Object, Status, registry};
use crate::names::{ItemName, Region};
use crate::plan::make::state_digest;
use crate::plan::{ObjectPlan, PlannedChange, PutsBack};

/// An object as it is now, and the changes that it needs now.
pub struct Now {
    /// The object.
    pub object: Object<Value>,
    changes: Vec<Change<Value>>,
    facts: Facts,
}

/// What this run has written before, and what may therefore have moved by its own hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing in the account: every move is somebody else's.
    Nothing,
    /// Other objects of the account: this one must need what was planned, for the same reason.
    Others,
    /// The object itself: it must need what was planned.
    ThisObject,
}

/// What is to be done with a planned change.
#[derive(Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is still what the object needs.
    Fits,
    /// The object has it already.
    Needless,
    /// The object has moved, or needs something else now.
    Moved(String),
}

/// How an object stands once its planned changes were tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing differs.
    InSync,
    /// What the plan had to write is there. Something still differs that it only reported, or that
    /// evenkeel can only report.
    OnlyReported,
    /// Something that was written is not there.
    Open,
    /// What was written is there, and something else is needed by now.
    NeedsMore,
    /// What was written is there, and somebody else must do their part, for this reason.
    Awaited(String),
    /// Another item claims it too, so that nobody can say how it is to be.
    Contradicted(String),
    /// It could not be observed, for this reason.
    Unknown(String),
}

/// The field of a spec that a path belongs to.
pub fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

/// Where an object is.
pub fn facts(session: &Session, region: &Region, item: &ItemName) -> Facts {
    Facts {
        account: session.account().clone(),
        partition: session.partition().to_owned(),
        region: region.clone(),
        home_region: session.home_region().clone(),
        item: item.clone(),
    }
}

/// What is declared, with some of its fields as they were once; `None` when nobody can say how they were.
pub fn as_it_was(
    kind: &dyn DynKind,
    facts: &Facts,
    spec: &Value,
    fields: &BTreeSet<&str>,
    before: &Object<Value>,
) -> Option<Value> {
    let was = kind.as_it_was(facts, before).ok()??;
    let mut wanted = spec.as_object()?.clone();
    for field in fields {
        let Some(value) = said(&was, field) else {
            // It was said in other fields, as a service's statement is among those of others.
            return Some(was);
        };
        wanted.insert((*field).to_owned(), value.clone());
    }
    Some(Value::Object(wanted))
}

/// A declaration without some of its fields.
fn without(mut said: Value, fields: &BTreeSet<String>) -> Value {
    if let Value::Object(all) = &mut said {
        all.retain(|field, _| !fields.contains(field));
    }
    said
}

/// What a declaration says of a field, if it says anything.
pub fn said<'a>(spec: &'a Value, field: &str) -> Option<&'a Value> {
    spec.get(field).filter(|value| !value.is_null())
}

/// A context whose reads are all made anew.
pub fn fresh(session: &Arc<Session>, facts: Facts) -> Cx {
    Cx::new(facts, Arc::clone(session), Arc::new(ReadCache::default()))
}

/// Reads one object anew; `None` when it is not among those of its item any more.
///
/// # Errors
/// It cannot be read, or not be judged.
pub async fn look(
    cx: &Cx,
    kind: &dyn DynKind,
    spec: &Value,
    id: &str,
) -> Result<Option<Now>, Unknown> {
    let object = kind.observe_one(cx, spec, id).await.map_err(into_unknown)?;
    object.map(|object| Now::of(cx.facts(), kind, spec, object)).transpose()
}

impl Now {
    /// An object that has just been observed.
    ///
    /// # Errors
    /// It could not be read, or cannot be judged.
    pub fn of(
        facts: &Facts,
        kind: &dyn DynKind,
        spec: &Value,
        object: Object<Value>,
    ) -> Result<Self, Unknown> {
        let changes = match &object.status {
            Status::Unknown(unknown) => return Err(unknown.clone()),
            Status::Skipped { .. } => Vec::new(),
            Status::Present(_) | Status::Absent => kind.diff(facts, spec, &object)?,
        };
        Ok(Self { object, changes, facts: facts.clone() })
    }

    /// Whether evenkeel has nothing to write here.
    pub fn is_as_declared(&self) -> bool {
        !matches!(self.object.status, Status::Skipped { .. }) && self.writes().next().is_none()
    }

    /// How it stands once its planned changes were tried.
    pub fn standing(&self, planned: &ObjectPlan) -> Standing {
        if let Status::Skipped { reason } = &self.object.status {
            return Standing::Unknown(format!("it is out of reach now: {reason}"));
        }
        if let Some(back) = &planned.puts_back {
            return match self.is_back(planned, back) {
                true => Standing::InSync,
                false => Standing::Open,
            };
        }
        if self.changes.is_empty() {
            return Standing::InSync;
        }
        let (applied, reported): (Vec<_>, Vec<_>) =
            planned.changes.iter().partition(|change| change.is_applied());
        let has = |changes: &[&PlannedChange], field: &str| {
            changes.iter().flat_map(|change| &change.drift).any(|drift| drift.field == field)
        };
        let was_only_reported = |write: &Change<Value>| {
            // A write of a whole object is another one after the writes before it.
            let fields = || write.drift.iter().map(|drift| drift.field.as_str());
            reported.iter().any(|change| change.action.as_deref() == write.action.as_ref())
                || fields().all(|field| has(&reported, field) && !has(&applied, field))
        };
        // A write of a whole object may be another one by now, for the same field.
        let was_to_be_applied = |now: &FieldDrift| {
            applied.iter().flat_map(|change| &change.drift).any(|then| {
                (&then.field, &then.desired) == (&now.field, &now.desired)
                    && (now.desired.is_some() || then.actual == now.actual)
            })
        };
        let is_what_was_planned = |write: &Change<Value>| {
            applied.iter().any(|change| change.action.as_deref() == write.action.as_ref())
                || write.drift.iter().any(was_to_be_applied)
        };
        // What cannot be written by now is not there either.
        let is_withheld = |write: &Change<Value>| {
            let planned = |field: &str| has(&applied, field) && !has(&reported, field);
            write.withheld.is_some() && write.drift.iter().any(|drift| planned(&drift.field))
        };
        if self.changes.iter().any(is_withheld) {
            Standing::Open
        } else if self.writes().all(was_only_reported) {
            Standing::OnlyReported
        } else if self.writes().any(is_what_was_planned) {
            Standing::Open
        } else {
            Standing::NeedsMore
        }
    }

    /// Whether it is as it was once, as far as the plan puts it back.
    fn is_back(&self, planned: &ObjectPlan, back: &PutsBack) -> bool {
        let kind = registry::find(&planned.item.kind);
        let digest = |object| state_digest(kind, object);
        // What the run left is not what was there before it, whatever one would declare of both.
        if digest(&self.object) == planned.state_digest
            && planned.state_digest != digest(&back.before)
        {
            return false;
        }
        let fields = planned.changes.iter().flat_map(|change| &change.drift);
        let fields: BTreeSet<&str> = fields.map(|drift| top(&drift.field)).collect();
        self.is_as_before(&planned.item.kind, &planned.spec, &fields, back)
    }

    /// Whether some of its fields are as they were once. Its own kind says so, to which an id that AWS gives anew
    /// is no difference: what is declared, with these fields as they were, is compared with what is there, and
    /// what one would declare of it today with what one would have declared of it then. Where that cannot be
    /// said, every byte must be the same.
    pub fn is_as_before(
        &self,
        kind: &str,
        spec: &Value,
        fields: &BTreeSet<&str>,
        back: &PutsBack,
    ) -> bool {
        let before = &back.before;
        match (&self.object.status, &before.status) {
            (Status::Absent, Status::Absent) => true,
            (Status::Present(now), Status::Present(then)) => {
                let digest = |object| state_digest(registry::find(kind), object);
                now == then
                    || digest(&self.object) == digest(before)
                    || self.needs_none(kind, spec, fields, back).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Whether nothing is to be written for some fields to be as they were; `None` when nobody can say.
    fn needs_none(
        &self,
        kind: &str,
        spec: &Value,
        fields: &BTreeSet<&str>,
        PutsBack { before, stays, .. }: &PutsBack,
    ) -> Option<bool> {
        let kind = registry::find(kind)?;
        if ![before, &self.object].iter().all(|object| kind.is_told_whole(object).unwrap_or(false))
        {
            return None;
        }
        let wanted = as_it_was(kind, &self.facts, spec, fields, before)?;
        // A declaration says nothing of what it does not name: neither of a policy that is not there, nor of
        // statements beside those that it merges.
        let was = kind.as_it_was(&self.facts, before).ok()??;
        let is = kind.as_it_was(&self.facts, &self.object).ok()??;
        let says_neither =
            |field: &&&str| said(&was, field).is_none() && said(&is, field).is_none();
        let is_same = match fields.iter().find(says_neither) {
            // It is said in other fields; what cannot be taken back stays otherwise.
            Some(_) => without(was, stays) == without(is, stays),
            None => fields.iter().all(|field| said(&was, field) == said(&is, field)),
        };
        if !is_same {
            return Some(false);
        }
        let changes = kind.diff(&self.facts, &wanted, &self.object).ok()?;
        let mut drift = changes.iter().flat_map(|change| &change.drift);
        Some(!drift.any(|drift| fields.contains(top(&drift.field)) || drift.field.is_empty()))
    }

    fn writes(&self) -> impl Iterator<Item = &Change<Value>> {
        self.changes.iter().filter(|change| change.action.is_some() && change.withheld.is_none())
    }

    /// Why a planned change would be withheld now.
    fn withheld(&self, planned: &PlannedChange) -> Option<&str> {
        let is_same = |now: &&Change<Value>| {
            let has = |field: &str| planned.drift.iter().any(|drift| drift.field == field);
            now.action.as_ref() == planned.action.as_deref()
                && now.drift.iter().any(|drift| has(&drift.field))
        };
        let now = self.changes.iter().filter(|now| now.withheld.is_some()).find(is_same)?;
        now.withheld.as_deref()
    }

    /// What is to be done with a planned change.
    pub fn fit(&self, planned: &ObjectPlan, change: &PlannedChange, written: Written) -> Fit {
        if let Status::Skipped { reason } = &self.object.status {
            return Fit::Moved(format!("it is out of reach now: {reason}"));
        }
        if self.object.managed_by != planned.observed.managed_by {
            return Fit::Moved(match &self.object.managed_by {
                Some(manager) => format!("it is managed by {manager} now"),
                None => "somebody else managed it before".to_owned(),
            });
        }
        let kind = registry::find(&planned.item.kind);
        let has_moved = || state_digest(kind, &self.object) != planned.state_digest;
        if let Some(back) = &planned.puts_back {
            return match () {
                () if written == Written::ThisObject => Fit::Fits,
                () if self.is_back(planned, back) => Fit::Needless,
                () if has_moved() => {
                    Fit::Moved("it has changed since the plan was made".to_owned())
                }
                () => Fit::Fits,
            };
        }
        if let Some(why) = self.withheld(change) {
            return Fit::Moved(format!("it cannot be written by now: {why}"));
        }
        if self.is_as_declared() {
            return Fit::Needless;
        }
        // What else was planned, or went with the making, was meant for a new one.
        let was_made = planned.observed.status == Status::Absent
            && matches!(self.object.status, Status::Present(_));
        if was_made && written != Written::ThisObject {
            return Fit::Moved(
                "it is there by now, and was not when the plan was made: nobody knows whose it is"
                    .to_owned(),
            );
        }
        // What was to be changed of it was planned for what is gone, and would be refused, or made anew.
        let has_gone = matches!(planned.observed.status, Status::Present(_))
            && self.object.status == Status::Absent;
        if has_gone && written != Written::ThisObject {
            return Fit::Moved("it is not there any more".to_owned());
        }
        if written == Written::Nothing && has_moved() {
            return Fit::Moved("it has changed since the plan was made".to_owned());
        }
        match self.same_write(planned, change) {
            Some(now) if !may_differ(planned, change, written) && now.drift != change.drift => {
                Fit::Moved(exceeds(now, change).unwrap_or_else(|| {
                    "it differs in another way than when the plan was made".to_owned()
                }))
            }
            Some(now) => exceeds(now, change).map_or(Fit::Fits, Fit::Moved),
            None if self.has_nothing_of(change) || self.needs_only_later(planned, change) => {
                Fit::Needless
            }
            None => Fit::Moved("it would be changed in another way now".to_owned()),
        }
    }

    /// The write that a planned one would be now.
    fn same_write(&self, planned: &ObjectPlan, change: &PlannedChange) -> Option<&Change<Value>> {
        let kind = registry::find(&planned.item.kind);
        let is_same = |now: &Value, then: &Value| {
            now == then || kind.is_some_and(|kind| kind.is_same_write(then, now).unwrap_or(false))
        };
        self.writes().find(|now| match (&now.action, &change.action) {
            (Some(now), Some(then)) => is_same(now, then),
            _ => false,
        })
    }

    /// Whether all that the object needs now is planned after a change: such as a role for the
    /// whole account, which the same item made in another Region.
    fn needs_only_later(&self, planned: &ObjectPlan, change: &PlannedChange) -> bool {
        let later = planned.changes.iter().filter(|later| later.id > change.id);
        let later: Vec<_> = later.filter_map(|later| later.action.as_deref()).collect();
        self.writes().all(|now| now.action.as_ref().is_some_and(|now| later.contains(&now)))
    }

    /// Whether none of the fields of a change differs any more.
    fn has_nothing_of(&self, change: &PlannedChange) -> bool {
        let differs = |field: &str| {
            self.changes.iter().flat_map(|now| &now.drift).any(|now| now.field == field)
        };
        !change.drift.is_empty() && !change.drift.iter().any(|drift| differs(&drift.field))
    }
}

/// What a write would do now that the plan, by which it was agreed to, did not show.
fn exceeds(now: &Change<Value>, planned: &PlannedChange) -> Option<String> {
    if now.risk > planned.risk {
        return Some(format!("the change would be {} now", now.risk.as_str()));
    }
    let is_more = now.grants.iter().any(|grant| !planned.grants.contains(grant));
    is_more.then(|| "the change would give more rights now".to_owned())
}

/// Whether what a change removes may differ otherwise by the run's own hand: it has written to the same fields before.
fn may_differ(planned: &ObjectPlan, change: &PlannedChange, written: Written) -> bool {
    let mut earlier = planned.changes.iter().filter(|one| one.is_applied() && one.id < change.id);
    written == Written::ThisObject
        && (planned.observed.status == Status::Absent
            || change.drift.is_empty()
            || earlier.any(|one| touches_same(one, change)))
}

/// Whether an earlier write is, as far as anybody can say, to a field of a change.
fn touches_same(earlier: &PlannedChange, change: &PlannedChange) -> bool {
    let fields = |change: &PlannedChange| {
        change.drift.iter().map(|drift| top(&drift.field).to_owned()).collect::<BTreeSet<_>>()
    };
    earlier.drift.is_empty() || !fields(earlier).is_disjoint(&fields(change))
}
