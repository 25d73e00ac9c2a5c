//! What it means that a way back puts one resource policy in the place of another. What a kind declares merges
//! statements into those of others, so that the policy that was there before is seldom what a declaration asks for:
//! the two policies themselves say what the way between them gives and takes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Back;
use crate::kinds::erased::DynKind;
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo};
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants;

/// A policy in a write: none where the write takes it away.
type Policy = Option<PolicyDocument>;

/// What is said of each way back, one after the other; nothing of those that write no resource policy.
pub fn judged(
    kind: &dyn DynKind,
    facts: &Facts,
    now: &Object<Value>,
    backs: &[Back<'_>],
) -> Vec<Vec<Change<Value>>> {
    let mut there = BTreeMap::new();
    let of = |back: &Back<'_>| {
        let writes = back.actions.iter();
        writes.filter_map(|write| of_write(kind, facts, now, write, &mut there)).collect()
    };
    backs.iter().map(of).collect()
}

/// `there` is what the ways before this one have left.
fn of_write(
    kind: &dyn DynKind,
    facts: &Facts,
    now: &Object<Value>,
    write: &Value,
    there: &mut BTreeMap<String, Policy>,
) -> Option<Change<Value>> {
    let Ok(Undo::By(again)) = kind.undo(write, now) else { return None };
    let [again] = again.as_slice() else { return None };
    let (place, then) = taken_out(write);
    let (same, now) = taken_out(again);
    if place != same || then.is_none() && now.is_none() {
        return None;
    }
    let before = there.insert(place.to_string(), then.clone()).unwrap_or(now);
    let nothing = || PolicyDocument::of_statements(Vec::new());
    let (before, then) = (before.unwrap_or_else(nothing), then.unwrap_or_else(nothing));
    let partition = &facts.partition;
    let mut change = Change::finding(Drift::new())
        .rises(grants::of_resource_policy(Some(&before), &then, facts.account.as_str()))
        .rises(grants::of_lifted_denials(&before, &then));
    for warning in before.narrowing(&then, partition).warnings() {
        change = change.risk(Risk::Disruptive).warn(warning);
    }
    Some(before.widening(&then, partition).into_iter().fold(change, Change::warn))
}

/// A write without its resource policy, and that.
fn taken_out(write: &Value) -> (Value, Policy) {
    let mut policy = None;
    let rest = without(write, &mut policy);
    (rest, policy)
}

fn without(value: &Value, policy: &mut Policy) -> Value {
    match value {
        Value::String(text) => match of_resource(text) {
            Some(document) => {
                *policy = Some(document);
                Value::Null
            }
            None => value.clone(),
        },
        Value::Array(all) => all.iter().map(|one| without(one, policy)).collect(),
        Value::Object(all) => {
            all.iter().map(|(name, one)| (name.clone(), without(one, policy))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A policy that says who may do what with something: one of an identity does not say who, one of trust not with what.
fn of_resource(text: &str) -> Policy {
    let document =
        text.trim_start().starts_with('{').then(|| PolicyDocument::from_text(text))?.ok()?;
    let has =
        |statement: &Value, keys: [&str; 2]| keys.iter().any(|key| statement.get(key).is_some());
    let is_whole = |one: &Value| {
        has(one, ["Principal", "NotPrincipal"]) && has(one, ["Resource", "NotResource"])
    };
    document.statements().iter().any(is_whole).then_some(document)
}
