//! Two versions of the baselines against the same observations: what a change of the declarations
//! does, apart from what had drifted before. Pure.

use std::collections::BTreeMap;

use super::{AccountPlan, Comparison, Disposition, ObjectPlan, Plan, Verdict};
use crate::names::{AccountId, ItemName, Region};

/// What an object is known by in two plans.
pub type Key = (AccountId, Region, ItemName, String);

/// What an object is known by in two plans.
pub fn key(object: &ObjectPlan) -> Key {
    (object.account.clone(), object.region.clone(), object.item.clone(), object.observed.id.clone())
}

/// Whether something is said of an object: it is neither in sync nor outside the item's reach.
fn is_said(object: &ObjectPlan) -> bool {
    !matches!(object.verdict, Verdict::InSync | Verdict::Skipped { .. })
}

/// What would become of a change if no guard held it back: guards are not asked of the other version.
fn asked(disposition: &Disposition) -> Disposition {
    match disposition {
        Disposition::HeldBack(_) => Disposition::Apply,
        other => other.clone(),
    }
}

/// What two plans of an object must share for the change to have done nothing to it.
fn alike(before: &ObjectPlan, after: &ObjectPlan) -> bool {
    let changes = |object: &ObjectPlan| {
        object
            .changes
            .iter()
            .map(|change| (change.drift.clone(), change.action.clone(), asked(&change.disposition)))
            .collect::<Vec<_>>()
    };
    std::mem::discriminant(&before.verdict) == std::mem::discriminant(&after.verdict)
        && changes(before) == changes(after)
}

/// Compares a plan with the accounts' parts for the other version.
pub fn compare(plan: &Plan, base: String, digest: String, before: Vec<AccountPlan>) -> Comparison {
    let mut earlier: BTreeMap<Key, ObjectPlan> = before
        .into_iter()
        .flat_map(|account| account.objects)
        .filter(is_said)
        .map(|object| (key(&object), object))
        .collect();
    let mut introduced = Vec::new();
    for (place, object) in plan.objects.each().enumerate() {
        // What the change brings into sync stays among what it removes.
        if !is_said(&object) {
            continue;
        }
        let before = earlier.remove(&key(&object));
        if !before.is_some_and(|before| alike(&before, &object)) {
            introduced.push(place);
        }
    }
    // What was excepted or unknown was not planned, so that nothing is lost with it.
    earlier.retain(|_, object| object.verdict == Verdict::Drifted);
    Comparison { base, digest, introduced, removed: earlier.into_values().collect() }
}

impl Comparison {
    /// Whether an object of the plan, by its place, differs because of the change.
    pub fn is_introduced(&self, place: usize) -> bool {
        self.introduced.binary_search(&place).is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{BaselineRef, Cost, PlanHead, assemble};

    fn object(account: &str, verdict: &serde_json::Value) -> ObjectPlan {
        let changes = match verdict["is"].as_str() {
            Some("drifted" | "excepted") => json!([{
                "id": 1, "action": {}, "risk": "safe", "warnings": [], "permissions": [],
                "disposition": {"is": "apply"}, "depends_on": [],
                "drift": [{"field": "length", "actual": 8, "desired": 14}],
            }]),
            _ => json!([]),
        };
        serde_json::from_value(json!({
            "account": account, "region": "eu-west-1", "global": true,
            "item": "iam.password_policy", "mode": "enforce", "controls": [],
            "verdict": verdict, "spec": null, "state_digest": "",
            "observed": {"id": "", "status": "absent"}, "changes": changes,
        }))
        .unwrap()
    }

    /// Whether an object is introduced, and whether it is removed.
    fn fate(before: Option<&serde_json::Value>, after: Option<&serde_json::Value>) -> (bool, bool) {
        let part = |verdict: Option<&serde_json::Value>| AccountPlan {
            objects: verdict.map(|verdict| object("000000000001", verdict)).into_iter().collect(),
            ..AccountPlan::default()
        };
        let head = PlanHead {
            run: String::new(),
            baseline: BaselineRef {
                name: String::new(),
                digest: String::new(),
                files: Vec::new(),
                targets: Vec::new(),
            },
            targets: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            snapshot: None,
            shards: None,
            cost: Cost::default(),
        };
        let plan = assemble(head, vec![part(after)]);
        let comparison = compare(&plan, "main".to_owned(), String::new(), vec![part(before)]);
        (comparison.is_introduced(0), !comparison.removed.is_empty())
    }

    #[test]
    fn every_pair_of_verdicts_has_its_place() {
        let drifted = json!({"is": "drifted"});
        let in_sync = json!({"is": "in_sync"});
        let skipped = json!({"is": "skipped", "reason": "r"});
        let unknown = json!({"is": "unknown", "reason": "r"});
        let excepted = json!({"is": "excepted", "until": "u", "owner": "o", "reason": "r"});
        let cases = [
            (None, Some(&drifted), (true, false)),
            (Some(&in_sync), Some(&drifted), (true, false)),
            (Some(&drifted), Some(&drifted), (false, false)),
            // Removed: the item went, or asks for less.
            (Some(&drifted), None, (false, true)),
            (Some(&drifted), Some(&in_sync), (false, true)),
            (Some(&drifted), Some(&skipped), (false, true)),
            // A new exception is a change that somebody has to see.
            (Some(&drifted), Some(&excepted), (true, false)),
            (Some(&in_sync), Some(&excepted), (true, false)),
            (Some(&excepted), Some(&drifted), (true, false)),
            // What was excepted was not planned.
            (Some(&excepted), None, (false, false)),
            (Some(&excepted), Some(&excepted), (false, false)),
            // What the change asks for and nobody knows.
            (None, Some(&unknown), (true, false)),
            (Some(&unknown), Some(&unknown), (false, false)),
            (Some(&unknown), None, (false, false)),
        ];
        for (before, after, wanted) in cases {
            assert_eq!(fate(before, after), wanted, "{before:?} → {after:?}");
        }
    }
}
