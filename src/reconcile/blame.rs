//! Which calls cannot have made an object what it is, by what its kind says of its own: how its drift is put right, and
//! what takes that back.
//!
//! A call of a kind's table is told apart only by what is sure: it is none of those that would bring the drift back,
//! and it makes the opposite, or is about another part of the object than all of them. What is about the object as such,
//! such as `PutRule`, may change anything of it; so may whatever the table does not have.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::{FieldDrift, Undo, registry};
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
/// Words of calls by which something begins or ends, and is as it was otherwise.
const RUNNING: [&str; 2] = ["Start", "Stop"];
/// Words of calls that are about what an object has by reference: another thing than what is put into it by the same name.
const LINKING: [&str; 2] = ["Attach", "Detach"];

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
            false if LINKING.contains(&word) => {
                Self { word, part: format!("link {}", one_of(part)) }
            }
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

/// What differs of an object, and the calls that cannot have made it so.
pub struct Blamed<'a> {
    /// What differs; none where a change does not say.
    pub drift: Option<&'a FieldDrift>,
    /// Whether only people can mend it.
    pub is_finding: bool,
    /// The calls, by the names of their events.
    pub not_by: BTreeSet<String>,
}

/// What differs of an object, each with the calls that cannot have made it so.
pub fn each(object: &ObjectPlan) -> Vec<Blamed<'_>> {
    let kind = registry::find(&object.item.kind).filter(|_| object.verdict == Verdict::Drifted);
    let mut all = Vec::new();
    for change in &object.changes {
        let cannot = kind.map(|kind| of_change(kind, change)).unwrap_or_default();
        let is_finding = change.action.is_none();
        if change.drift.is_empty() {
            all.push(Blamed { drift: None, is_finding, not_by: cannot.clone() });
        }
        for drift in &change.drift {
            let mut not_by = cannot.clone();
            if let Some(kind) = kind {
                let turning = kind.events().into_iter();
                not_by.extend(turning.filter(|event| makes_the_opposite(event, drift)));
            }
            all.push(Blamed { drift: Some(drift), is_finding, not_by });
        }
    }
    if all.is_empty() {
        all.push(Blamed { drift: None, is_finding: false, not_by: BTreeSet::new() });
    }
    all
}

/// The calls of a kind's table that cannot have made what a change would put right.
fn of_change(kind: &dyn DynKind, change: &PlannedChange) -> BTreeSet<String> {
    let own = kind.own_events();
    let Some(back) = back(kind, &own, change) else {
        // Whatever only people can mend, it does not come of something being begun.
        let is_finding = change.action.is_none();
        let begins = |event: &String| is_finding && Operation::of(event).word == RUNNING[0];
        return own.into_iter().filter(begins).collect();
    };
    let back: Vec<Operation<'_>> = back.iter().map(|event| Operation::of(event)).collect();
    let cannot = |event: &String| {
        let own = Operation::of(event);
        let is_of_a_part = own.is_of_a_part(kind);
        let is_other =
            |back: &Operation<'_>| own.is_opposite(back) || (is_of_a_part && own.part != back.part);
        let is_of_running =
            RUNNING.contains(&own.word) && !back.iter().any(|back| RUNNING.contains(&back.word));
        is_of_running || back.iter().all(is_other)
    };
    own.iter().filter(|event| cannot(event)).cloned().collect()
}

/// Whether a call turns on what is off, or off what is on.
fn makes_the_opposite(event: &str, drift: &FieldDrift) -> bool {
    let of_field = drift.field.rsplit('.').next().unwrap_or_default().contains("enable");
    let is_on = |value: &Option<Value>| match value {
        Some(Value::Bool(is_on)) if of_field => Some(*is_on),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("enabled") => Some(true),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("disabled") => Some(false),
        _ => None,
    };
    match (is_on(&drift.actual), is_on(&drift.desired)) {
        (Some(false), Some(true)) => Operation::of(event).word == "Enable",
        (Some(true), Some(false)) => Operation::of(event).word == "Disable",
        _ => false,
    }
}

/// The writes that would bring back what differs; none where that is not known of all of it. What a kind reads on the
/// way brings nothing back.
fn back(kind: &dyn DynKind, own: &[String], change: &PlannedChange) -> Option<BTreeSet<String>> {
    // An object that is not there, or another one, may be so in many ways.
    if change.drift.is_empty() || change.drift.iter().any(|drift| drift.field.is_empty()) {
        return None;
    }
    let Undo::By(actions) = change.undo.as_deref()? else { return None };
    let mut all = BTreeSet::new();
    for action in actions {
        all.extend(kind.events_of(action).ok()?.into_iter().filter(|event| own.contains(event)));
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An object of which these changes are planned: a field, and the writes that take it back.
    fn object(item: &str, changes: &[(&str, Value)]) -> ObjectPlan {
        let changes: Vec<Value> = (1..)
            .zip(changes)
            .map(|(id, (field, undo)): (u32, _)| {
                json!({
                    "id": id, "action": {}, "risk": "safe", "warnings": [], "disposition": {"is": "apply"},
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

    /// Whether none of what differs can have been made by each of these calls.
    fn said(object: &ObjectPlan, calls: &[&str]) -> Vec<bool> {
        let each = each(object);
        let is_in = |call: &&str| {
            let end = format!(":{call}");
            each.iter().all(|one| one.not_by.iter().any(|event| event.ends_with(&end)))
        };
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
            let object = object("cloudtrail.trail.main", &[(field, undo)]);
            let all: Vec<_> = each(&object).into_iter().map(|one| one.not_by).collect();
            assert_eq!(all, [BTreeSet::new()], "{field}");
        }
    }

    #[test]
    fn what_a_kind_reads_on_the_way_brings_nothing_back() {
        let undo = json!({"by": [{"alias": "alias/k", "key_id": "k", "step": "disable"}]});
        let key = object("kms.key.k", &[("enabled", undo)]);
        assert_eq!(said(&key, &["EnableKey", "TagResource", "DisableKey"]), [true, true, false]);
    }

    #[test]
    fn who_turned_on_what_is_off_has_not_done_it_by_whatever_call() {
        let alarm = object("cloudwatch.log_alarm.a", &[("actions_enabled", Value::Null)]);
        let calls = ["EnableAlarmActions", "DisableAlarmActions", "PutMetricAlarm"];
        assert_eq!(said(&alarm, &calls), [true, false, false]);
        let mut rule = object("events.rule.r", &[("state", Value::Null)]);
        let drift = &mut rule.changes[0].drift[0];
        (drift.actual, drift.desired) = (Some(json!("DISABLED")), Some(json!("ENABLED")));
        assert_eq!(said(&rule, &["EnableRule", "DisableRule", "PutRule"]), [true, false, false]);
        let drift = &mut rule.changes[0].drift[0];
        (drift.actual, drift.desired) = (Some(json!("ENABLED")), Some(json!("DISABLED")));
        assert_eq!(said(&rule, &["EnableRule", "DisableRule", "PutRule"]), [false, true, false]);
    }

    #[test]
    fn a_policy_of_its_own_is_not_one_that_is_attached() {
        let step = json!({"detach": {"policy_arn": "arn:aws:iam::aws:policy/SecurityAudit"}});
        let undo = json!({"by": [{"role_name": "r", "step": step}]});
        let role = object("iam.role.r", &[("managed_policy_arns", undo)]);
        let calls = ["PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy"];
        assert_eq!(said(&role, &calls), [true, true, true, false]);
    }

    #[test]
    fn what_only_people_can_mend_does_not_come_of_a_start() {
        let field = "s3_bucket_name.config_history_delivery_info";
        let mut recorder = object("config.recorder", &[(field, Value::Null)]);
        recorder.changes[0].action = None;
        let calls =
            ["StartConfigurationRecorder", "StopConfigurationRecorder", "PutDeliveryChannel"];
        assert_eq!(said(&recorder, &calls), [true, false, false]);
    }

    #[test]
    fn each_field_has_calls_of_its_own() {
        let undo = trail("stop_logging");
        let both = object("cloudtrail.trail.main", &[("is_logging", undo), ("", Value::Null)]);
        let has = |one: &Blamed<'_>| one.not_by.iter().any(|call| call.ends_with(":StartLogging"));
        assert_eq!(each(&both).iter().map(has).collect::<Vec<_>>(), [true, false]);
    }
}
