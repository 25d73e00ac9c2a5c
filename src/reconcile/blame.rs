//! Which calls cannot have made an object what it is, by what its kind says of its own: how its drift is put right, and
//! what takes that back.
//!
//! A call of a kind's table is told apart only by what is sure: it is none of those that would bring the drift back,
//! and it makes the opposite, or is about another part of the object than all of them. What is about the object as such,
//! such as `PutRule`, may change anything of it; so may whatever the table does not have.

use std::collections::BTreeSet;

use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::{Undo, registry};
use crate::plan::{ObjectPlan, PlannedChange, Verdict};

/// Words of calls that change what there is.
const CHANGING: [&str; 16] = [
    "Put",
    "Set",
    "Reset",
    "Update",
    "Modify",
    "Delete",
    "Start",
    "Stop",
    "Enable",
    "Disable",
    "Attach",
    "Detach",
    "Add",
    "Remove",
    "Associate",
    "Disassociate",
];
/// Words of which one makes what the other takes away.
const OPPOSITES: [(&str, &str); 6] = [
    ("Enable", "Disable"),
    ("Start", "Stop"),
    ("Attach", "Detach"),
    ("Associate", "Disassociate"),
    ("Authorize", "Revoke"),
    ("Add", "Remove"),
];
/// What all calls are about that tag.
const TAGS: &str = "tag";

/// A call, taken apart.
struct Operation<'a> {
    word: &'a str,
    /// What it is about, in small letters.
    part: String,
}

impl<'a> Operation<'a> {
    fn of(event: &'a str) -> Self {
        let name = event.rsplit(':').next().unwrap_or_default();
        let end = name.char_indices().skip(1).find(|(_, letter)| letter.is_ascii_uppercase());
        let (word, part) = name.split_at(end.map_or(name.len(), |(end, _)| end));
        match name.contains("Tag") {
            true => Self { word, part: TAGS.to_owned() },
            false => Self { word, part: one_of(part) },
        }
    }

    fn is_opposite(&self, other: &Self) -> bool {
        let words = (self.word, other.word);
        let turned = (other.word, self.word);
        self.part == other.part && OPPOSITES.iter().any(|pair| *pair == words || *pair == turned)
    }

    /// Whether it changes a part of an object, and not the object as such.
    fn is_of_a_part(&self, kind: &dyn DynKind) -> bool {
        let thing = kind.name().rsplit(['.', '_']).next().unwrap_or_default();
        let is_whole = |name: &str| self.part.ends_with(&one_of(name));
        let by_name = match kind.identity() {
            Identity::Named { field, .. } => is_whole(field),
            Identity::Singleton | Identity::Sweep => false,
        };
        self.part == TAGS || CHANGING.contains(&self.word) && !is_whole(thing) && !by_name
    }
}

/// A word for one of several, in small letters.
fn one_of(word: &str) -> String {
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    word.to_ascii_lowercase().trim_end_matches('s').to_owned()
}

/// The calls, by the names of their events, that cannot have made an object differ as it does.
pub fn cannot_have_done(object: &ObjectPlan) -> BTreeSet<String> {
    let kind = registry::find(&object.item.kind).filter(|_| object.verdict == Verdict::Drifted);
    let Some((kind, back)) = kind.and_then(|kind| Some((kind, back(kind, object)?))) else {
        return BTreeSet::new();
    };
    let back: Vec<Operation<'_>> = back.iter().map(|event| Operation::of(event)).collect();
    let cannot = |event: &String| {
        let own = Operation::of(event);
        let is_of_a_part = own.is_of_a_part(kind);
        let is_other =
            |back: &Operation<'_>| own.is_opposite(back) || (is_of_a_part && own.part != back.part);
        back.iter().all(is_other)
    };
    kind.own_events().into_iter().filter(cannot).collect()
}

/// The calls that would bring back what differs; none where that is not known of all of it.
fn back(kind: &dyn DynKind, object: &ObjectPlan) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for PlannedChange { drift, undo, .. } in &object.changes {
        // An object that is not there, or another one, may be so in many ways.
        if drift.is_empty() || drift.iter().any(|drift| drift.field.is_empty()) {
            return None;
        }
        let Undo::By(actions) = undo.as_deref()? else { return None };
        for action in actions {
            let events = kind.events_of(action).ok()?;
            all.extend(events);
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An object of which these changes are planned: a field, and the writes that take it back.
    fn object(item: &str, changes: &[(&str, Value)]) -> ObjectPlan {
        let changes: Vec<Value> = (1..)
            .zip(changes)
            .map(|(id, (field, undo)): (u32, _)| {
                json!({
                    "id": id, "risk": "safe", "warnings": [], "disposition": {"is": "apply"},
                    "drift": [{"field": field, "actual": false, "desired": true}],
                    "permissions": [], "depends_on": [], "undo": undo,
                })
            })
            .collect();
        serde_json::from_value(json!({
            "account": "111122223333", "region": "eu-west-1", "global": false, "item": item,
            "mode": "report", "controls": [], "verdict": {"is": "drifted"}, "spec": {},
            "state_digest": "", "observed": {"id": "", "status": "absent"}, "changes": changes,
        }))
        .unwrap()
    }

    fn said(object: &ObjectPlan, calls: &[&str]) -> Vec<bool> {
        let cannot = cannot_have_done(object);
        let is_in = |call: &&str| cannot.iter().any(|event| event.ends_with(&format!(":{call}")));
        calls.iter().map(is_in).collect()
    }

    fn trail(step: &str) -> Value {
        json!({"by": [{"trail": "main", "region": "eu-west-1", "step": step}]})
    }

    #[test]
    fn who_called_the_opposite_or_changed_another_part_has_not_done_it() {
        let stopped = object("cloudtrail.trail.main", &[("is_logging", trail("stop_logging"))]);
        let others = ["PutEventSelectors", "PutInsightSelectors", "AddTags", "StartLogging"];
        assert_eq!(said(&stopped, &others), [true; 4]);
        // What makes, changes or takes away the whole may have; so may what the table does not have.
        let may_have = ["StopLogging", "UpdateTrail", "CreateTrail", "DeleteTrail", "Unheard"];
        assert_eq!(said(&stopped, &may_have), [false; 5]);
        let key = || ("kms_key_id", json!({"by": [{"do": "reset_key"}]}));
        let off = || ("enabled", json!({"by": [{"do": "disable"}]}));
        let calls = [
            "DisableEbsEncryptionByDefault",
            "EnableEbsEncryptionByDefault",
            "ModifyEbsDefaultKmsKeyId",
            "ResetEbsDefaultKmsKeyId",
        ];
        let of = |changes: &[(&str, Value)]| said(&object("ec2.ebs_encryption", changes), &calls);
        assert_eq!(of(&[off()]), [false, true, true, true]);
        // A key may be AWS's own because somebody has set just that one.
        assert_eq!(of(&[key()]), [true, true, false, false]);
        assert_eq!(of(&[off(), key()]), [false, true, false, false]);
    }

    #[test]
    fn what_cannot_be_told_may_have_been_done_by_all() {
        for (field, undo) in [
            ("", trail("stop_logging")),
            ("is_logging", Value::Null),
            ("is_logging", json!({"impossible": "lost"})),
            ("is_logging", json!({"by": []})),
            ("is_logging", json!({"by": [{"another": "version"}]})),
        ] {
            let all = cannot_have_done(&object("cloudtrail.trail.main", &[(field, undo)]));
            assert_eq!(all, BTreeSet::new(), "{field}");
        }
    }
}
