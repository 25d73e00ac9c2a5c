//! A rollback that came half the way: what it did is as it was, and the rest is as the run left it.

use serde_json::{Map, Value};

use super::judged::Back;
use super::later::Later;
use crate::kinds::erased::DynKind;
use crate::kinds::{Facts, FieldDrift, Object, Status};
use crate::reconcile::again::top;
use crate::store::history::ChangeShown;

/// An object between how a run left it and how it was, in what one would declare of it.
pub struct Half {
    was: Map<String, Value>,
    is: Map<String, Value>,
}

impl Half {
    /// `None` where anything of it is not as the run left it, unless it is as it was and an earlier rollback of
    /// the run has put it there; or where nobody can say so. Then somebody else has changed it.
    pub fn of(
        kind: &dyn DynKind,
        facts: &Facts,
        (before, after): (&Object<Value>, &Object<Value>),
        now: &Object<Value>,
        later: &Later<'_>,
    ) -> Option<Self> {
        let said = |object| match (kind.is_told_whole(object), kind.as_it_was(facts, object)) {
            (Ok(true), Ok(Some(Value::Object(said)))) => Some(said),
            _ => None,
        };
        let was = match before.status {
            // What is new has nothing set.
            Status::Absent => Map::new(),
            _ => said(before)?,
        };
        let (left, is) = (said(after)?, said(now)?);
        let half = Self { was, is };
        let fields = half.was.keys().chain(half.is.keys()).chain(left.keys());
        let is_explained = |field: &String| {
            let (is, left) = (value(&half.is, field), value(&left, field));
            is == left || is == value(&half.was, field) && later.has_put_back(field)
        };
        fields.clone().all(is_explained).then_some(half)
    }

    /// Leaves out what is back already. As long as the object is there, what made it is not taken back.
    pub fn leaves_to_do(&self, backs: &mut Vec<Back<'_>>, made: Option<&ChangeShown>) {
        backs.retain(|back| {
            made.is_some_and(|made| std::ptr::eq(made, back.change)) || self.needs(back)
        });
    }

    /// Whether a way back is still to be gone.
    fn needs(&self, back: &Back<'_>) -> bool {
        let mut fields = back.drift.iter().map(|drift| drift.field.as_str()).peekable();
        let is_back = |field: &str| {
            let is_said = |said: &Map<String, Value>| said.contains_key(top(field));
            // What is said in other fields is not known to be back.
            at(&self.is, field) == at(&self.was, field) && (is_said(&self.is) || is_said(&self.was))
        };
        fields.peek().is_none() || !fields.all(|field| !field.is_empty() && is_back(field))
    }
}

/// Whether what was seen after a run is how the run left it: each field that it wrote is as it wrote it, or as it was
/// where it died before it could. What the look saw otherwise, somebody else has made of it between the write and the
/// look, and it is theirs.
pub fn is_left_by_run(
    kind: &dyn DynKind,
    facts: &Facts,
    declared_then: &Value,
    (before, after): (&Object<Value>, &Object<Value>),
    all: &[FieldDrift],
) -> bool {
    let Ok(changes) = kind.diff(facts, declared_then, after) else { return false };
    // What only people can mend, such as a standard that has nothing to check yet, is no other value.
    let open = changes.iter().filter(|change| change.action.is_some());
    let open: Vec<&FieldDrift> = open.flat_map(|change| &change.drift).collect();
    let is_not_there = |wrote: &&FieldDrift| {
        open.iter().any(|open| {
            let is_same = match &wrote.desired {
                Some(desired) => open.desired.as_ref() == Some(desired),
                None => open.desired.is_none() && open.actual == wrote.actual,
            };
            open.field.is_empty() || open.field == wrote.field && is_same
        })
    };
    let said = |object: &Object<Value>| match (&object.status, kind.as_it_was(facts, object)) {
        (Status::Absent, _) => Map::new(),
        (_, Ok(Some(Value::Object(said)))) => said,
        _ => Map::new(),
    };
    let (was, is) = (said(before), said(after));
    // What another step then took for what was there was on the way, and need not be there.
    let is_on_the_way = |step: usize, wrote: &FieldDrift| {
        let then = |later: &FieldDrift| later.field == wrote.field && later.actual == wrote.desired;
        wrote.desired.is_some() && all[step + 1..].iter().any(then)
    };
    let wrote = all.iter().enumerate().filter(|(step, wrote)| !is_on_the_way(*step, wrote));
    let wrote = wrote.map(|(_, wrote)| wrote);
    wrote.filter(is_not_there).all(|wrote| {
        let field = top(&wrote.field);
        let is_said = was.contains_key(field) || is.contains_key(field);
        is_said && value(&was, field) == value(&is, field)
    })
}

/// What is said at the path of a field: of one entry of a table, where that is known by its key.
fn at<'a>(said: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let field = value(said, top(path));
    match (field, path[top(path).len()..].strip_prefix('.')) {
        (Some(Value::Object(table)), Some(key)) if table.values().all(Value::is_string) => {
            table.get(key)
        }
        _ => field,
    }
}

/// What is said of a field; an empty list or table says what nothing says.
fn value<'a>(said: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    said.get(field).filter(|value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(table) => !table.is_empty(),
        _ => true,
    })
}
