//! Whether the policies that a run wrote were as it had written them when it looked afterwards. A policy is written whole,
//! and so is put back whole: what somebody had put beside the run's own by then would go with it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kinds::erased::DynKind;
use crate::kinds::{Object, Undo, merged};
use crate::store::history::ChangeShown;

/// Whether each policy that was written last is there as it was written, or as it was before, where the write never
/// came.
pub fn are_as_written(
    kind: &dyn DynKind,
    (before, after): (&Object<Value>, &Object<Value>),
    changes: &[&ChangeShown],
) -> bool {
    let mut seen = BTreeSet::new();
    changes.iter().rev().all(|change| {
        let action = &change.intent.about.action;
        let mut policies = Vec::new();
        policies_of(action, String::new(), &mut policies);
        policies.iter().all(|(place, text)| {
            // An earlier write of the same policy was only on the way.
            let mut without = action.clone();
            if let Some(value) = without.pointer_mut(place) {
                *value = Value::Null;
            }
            if !seen.insert(without.to_string()) {
                return true;
            }
            let of = |object| policy_at(kind, action, place, object);
            let Some(there) = of(after) else { return true };
            merged::is_same(&there, &Some(text.clone()))
                || of(before).is_some_and(|was| merged::is_same(&there, &was))
        })
    })
}

/// The texts of policies in a write, each with its place.
fn policies_of(value: &Value, place: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if is_policy(text) => found.push((place, text.clone())),
        Value::Array(all) => {
            for (at, one) in all.iter().enumerate() {
                policies_of(one, format!("{place}/{at}"), found);
            }
        }
        Value::Object(all) => {
            for (name, one) in all {
                let name = name.replace('~', "~0").replace('/', "~1");
                policies_of(one, format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
}

fn is_policy(text: &str) -> bool {
    let document = serde_json::from_str::<Value>(text);
    document.is_ok_and(|document| document.get("Statement").is_some())
}

/// The policy of an object, by the write that would put it there; `None` where that is no such write.
fn policy_at(
    kind: &dyn DynKind,
    action: &Value,
    place: &str,
    object: &Object<Value>,
) -> Option<merged::Write> {
    let Ok(Undo::By(writes)) = kind.undo(action, object) else { return None };
    let [write] = writes.as_slice() else { return None };
    match write.pointer(place)? {
        Value::String(text) => Some(Some(text.clone())),
        Value::Null => Some(None),
        _ => None,
    }
}
