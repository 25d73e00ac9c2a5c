//! Two versions of the baselines against the same observations: what a change of the declarations
//! does, apart from what had drifted before. Pure.

use std::collections::BTreeMap;

use super::{AccountPlan, Comparison, ObjectPlan, Plan, Verdict};
use crate::names::{AccountId, ItemName, Region};

pub(super) type Key = (AccountId, Region, ItemName, String);

/// What an object is known by in two plans.
pub(super) fn key(object: &ObjectPlan) -> Key {
    (object.account.clone(), object.region.clone(), object.item.clone(), object.observed.id.clone())
}

/// Whether an object differs from what is declared, excepted or not.
fn differs(object: &ObjectPlan) -> bool {
    matches!(object.verdict, Verdict::Drifted | Verdict::Excepted { .. })
}

/// What two plans of an object must share for the change to have done nothing to it.
fn alike(before: &ObjectPlan, after: &ObjectPlan) -> bool {
    let changes = |object: &ObjectPlan| {
        object
            .changes
            .iter()
            .map(|change| (change.drift.clone(), change.action.clone(), change.disposition.clone()))
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
        .filter(differs)
        .map(|object| (key(&object), object))
        .collect();
    let mut introduced = Vec::new();
    for (place, object) in plan.objects.iter().enumerate() {
        let before = earlier.remove(&key(object));
        if differs(object) && !before.is_some_and(|before| alike(&before, object)) {
            introduced.push(place);
        }
    }
    Comparison { base, digest, introduced, removed: earlier.into_values().collect() }
}

impl Comparison {
    /// Whether an object of the plan, by its place, differs because of the change.
    pub fn is_introduced(&self, place: usize) -> bool {
        self.introduced.binary_search(&place).is_ok()
    }
}
