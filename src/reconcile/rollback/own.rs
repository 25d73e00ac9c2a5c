//! Whether a way back takes away what the run has put there, and that alone. Many writes replace a whole record: a
//! policy, a set of tags, an alarm. What somebody had put beside the run's own values by the time that the run looked
//! at them would go with it.

use serde_json::Value;

use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::kms::named;
use crate::kinds::{Facts, Object, Status, Undo, merged};

/// A write of a run, and those that take it back.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The write.
    pub write: &'a Value,
    /// What takes it back, in this order.
    pub back: &'a [Value],
}

/// An object that a way back leads to.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// As the run found it.
    pub before: &'a Object<Value>,
    /// As it is, in what was declared of it.
    pub now: &'a Object<Value>,
    /// As it is; where the run made it, in all that can be declared of it.
    pub whole: &'a Object<Value>,
}

/// What a write of a way back would take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// What the run has written there.
    ItsOwn,
    /// Nothing: what it would put there is there.
    Nothing,
    /// Something else.
    More,
}

/// What a write of a way back would take away from an object. Its kind says so: what would take that write back is the run's own write again, wherever nobody else has a part in it; and what
/// the run made is so made again.
pub fn takes(
    kind: &dyn DynKind,
    facts: &Facts,
    back: &Value,
    Seen { before, now, whole }: Seen<'_>,
    run: &[Written<'_>],
) -> Takes {
    let is_same = |one: &Value, other: &Value| {
        is_alike(one, other)
            || has_as_many_statements(one, other) && kind.is_same_write(one, other).unwrap_or(false)
    };
    // A policy may have come to where it is in several steps.
    let is_own = |again: &Value| {
        run.iter().any(|written| match written.back {
            [_] => is_same(written.write, again),
            // Each of several takes a part of the write back.
            _ => is_part(again, written.write) || is_same(written.write, again),
        })
    };
    let own_or_more = |is_own: bool| if is_own { Takes::ItsOwn } else { Takes::More };
    let is_as_made = || making(kind, facts, whole).map(|made| made.iter().all(is_own));
    let again = match kind.undo(back, now) {
        Ok(Undo::By(again)) => again,
        // Such as the end of what the run made.
        Ok(Undo::Impossible(_)) => return own_or_more(is_as_made() == Some(true)),
        Err(_) => return Takes::More,
    };
    if again.iter().all(|again| is_same(back, again)) {
        return Takes::Nothing;
    }
    // What does the same whatever is there, such as a rule that goes, takes nothing else with it.
    let is_alike_then = matches!(kind.undo(back, before), Ok(Undo::By(then)) if then == again);
    let takes_own = is_alike_then || again.iter().all(is_own);
    // With what the run made goes all that stands in it.
    let is_named = !matches!(kind.identity(), Identity::Singleton);
    // What was made in part, such as a filter whose alarm AWS refused, is not what a declaration makes.
    let is_whole = !is_named || before.status != Status::Absent || is_as_made() != Some(false);
    own_or_more(takes_own && is_whole)
}

/// Whether what has these ids, which AWS gives to nothing else, is still there.
pub fn are_there(made: &[String], whole: &Object<Value>) -> bool {
    let says = |id: &String| whole.state().is_some_and(|state| says(state, id));
    made.iter().all(says)
}

fn says(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(all) => all.iter().any(|one| says(one, id)),
        Value::Object(all) => all.values().any(|one| says(one, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The writes that would make an object as it is; `None` where nobody can say so.
pub fn making(kind: &dyn DynKind, facts: &Facts, now: &Object<Value>) -> Option<Vec<Value>> {
    let spec = kind.as_it_was(facts, now).ok()??;
    let changes = kind.diff(facts, &spec, &Object::absent(&now.id)).ok()?;
    let writes: Vec<Value> = changes.into_iter().filter_map(|change| change.action).collect();
    (!writes.is_empty()).then_some(writes)
}

/// Whether all that is there of an object is what some writes put there, whichever of them are done; `None` where
/// nobody can say what would make it as it is.
pub fn is_of(
    kind: &dyn DynKind,
    facts: &Facts,
    now: &Object<Value>,
    writes: &[&Value],
) -> Option<bool> {
    let is_of_them = |made: &Value| {
        let is_it = |write: &&Value| {
            is_part(made, write) || kind.is_same_write(write, made).unwrap_or(false)
        };
        writes.iter().any(is_it)
    };
    Some(making(kind, facts, now)?.iter().all(is_of_them))
}

/// Whether two values say the same; what says nothing may be left out.
fn is_alike(one: &Value, other: &Value) -> bool {
    is_part(one, other) && is_part(other, one)
}

/// Whether all that a value says is said by another one.
pub fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        _ if says_nothing(part) => true,
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| is_part(value, whole.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.iter().all(|one| whole.iter().any(|other| is_alike(one, other)))
        }
        (Value::String(one), Value::String(other)) => {
            one == other
                || statements_of(one).is_some()
                    && statements_of(one) == statements_of(other)
                    && merged::is_same(&Some(one.clone()), &Some(other.clone()))
                // Whether the name stands for that one, the look after the write has said.
                || stands_for(one, other)
                || stands_for(other, one)
        }
        _ => part == whole,
    }
}

/// Whether a name may be that of what has this ARN.
fn stands_for(name: &str, arn: &str) -> bool {
    named::is_there_by_now(name, arn)
        || arn.starts_with("arn:") && arn.rsplit([':', '/']).next() == Some(name)
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether the policies in two writes have the same number of statements, where both have any: to say once more what
/// another statement says changes nothing of what a policy means, and may be somebody else's all the same.
fn has_as_many_statements(one: &Value, other: &Value) -> bool {
    let (one, other) = (statements(one), statements(other));
    one == other || one == 0 || other == 0
}

fn statements(write: &Value) -> usize {
    match write {
        Value::String(text) => statements_of(text).unwrap_or(0),
        Value::Array(all) => all.iter().map(statements).sum(),
        Value::Object(all) => all.values().map(statements).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The same of a text; `None` where it is no policy.
fn statements_of(text: &str) -> Option<usize> {
    let document = serde_json::from_str::<Value>(text).ok()?;
    Some(document.get("Statement")?.as_array().map_or(1, Vec::len))
}
