//! Whether a way back takes away what the run has put there, and that alone. Many writes replace a whole record: a
//! policy, a set of tags, an alarm. What somebody had put beside the run's own values by the time that the run looked
//! at them would go with it.

use serde_json::Value;

use crate::kinds::erased::DynKind;
use crate::kinds::kms::named;
use crate::kinds::{Object, Undo, merged};

/// A write of a run, and those that take it back.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The write.
    pub write: &'a Value,
    /// What takes it back, in this order.
    pub back: &'a [Value],
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

/// What a write of a way back would take away from an object, which was there before the run and is now. Its kind says
/// so: what would take that write back is the run's own write again, wherever nobody else has a part in it.
pub fn takes(
    kind: &dyn DynKind,
    back: &Value,
    (before, now): (&Object<Value>, &Object<Value>),
    run: &[Written<'_>],
) -> Takes {
    let again = match kind.undo(back, now) {
        Ok(Undo::By(again)) => again,
        // Such as the end of what the run made: nothing is known to stand beside it.
        Ok(Undo::Impossible(_)) => return Takes::ItsOwn,
        Err(_) => return Takes::More,
    };
    let is_same = |one: &Value, other: &Value| {
        is_alike(one, other) || kind.is_same_write(one, other).unwrap_or(false)
    };
    if again.iter().all(|again| is_same(back, again)) {
        return Takes::Nothing;
    }
    // What does the same whatever is there, such as a rule that goes, takes nothing else with it.
    if matches!(kind.undo(back, before), Ok(Undo::By(then)) if then == again) {
        return Takes::ItsOwn;
    }
    // A policy may have come to where it is in several steps.
    let is_own = |again: &Value| {
        run.iter().any(|written| match written.back {
            [_] => is_same(written.write, again),
            // Each of several takes a part of the write back.
            _ => is_part(again, written.write) || is_same(written.write, again),
        })
    };
    match again.iter().all(is_own) {
        true => Takes::ItsOwn,
        false => Takes::More,
    }
}

/// Whether two values say the same; what says nothing may be left out.
fn is_alike(one: &Value, other: &Value) -> bool {
    is_part(one, other) && is_part(other, one)
}

/// Whether all that a value says is said by another one.
fn is_part(part: &Value, whole: &Value) -> bool {
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
                || is_policy(one) && merged::is_same(&Some(one.clone()), &Some(other.clone()))
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

fn is_policy(text: &str) -> bool {
    let document = serde_json::from_str::<Value>(text);
    document.is_ok_and(|document| document.get("Statement").is_some())
}
