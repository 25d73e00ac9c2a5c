//! Writes for a whole account, such as that of a role, which objects in several Regions need: the first
//! of them makes it, and the others wait for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ObjectPlan, PlannedChange};

/// Leaves each write for the whole account once: the first in the order of applying, or of those that
/// are only reported the first one. An object that needs nothing else keeps it, for it differs.
pub fn once(objects: &mut [ObjectPlan], order: &mut Vec<u32>, of_account: impl Fn(u32) -> bool) {
    let places: BTreeMap<u32, usize> = order.iter().copied().zip(0..).collect();
    let mut same: BTreeMap<String, Vec<(usize, u32)>> = BTreeMap::new();
    for object in objects.iter() {
        let all = object.changes.iter().filter(|change| of_account(change.id));
        for change in all.filter(|_| object.changes.len() > 1) {
            let place = places.get(&change.id).copied().unwrap_or(usize::MAX);
            same.entry(what(object, change)).or_default().push((place, change.id));
        }
    }
    let mut instead: BTreeMap<u32, u32> = BTreeMap::new();
    for mut ids in same.into_values() {
        ids.sort_unstable();
        let mut ids = ids.into_iter().map(|(_, id)| id);
        if let Some(first) = ids.next() {
            instead.extend(ids.map(|other| (other, first)));
        }
    }
    order.retain(|id| !instead.contains_key(id));
    for object in objects {
        object.changes.retain(|change| !instead.contains_key(&change.id));
        for change in &mut object.changes {
            let waits = change.depends_on.iter().map(|id| *instead.get(id).unwrap_or(id));
            change.depends_on = waits.collect::<BTreeSet<u32>>().into_iter().collect();
        }
    }
}

/// What a write does, and what becomes of it.
fn what(object: &ObjectPlan, change: &PlannedChange) -> String {
    let action = change.action.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {:?} {action}", object.item.kind, change.disposition)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::testing::{change, object};

    #[test]
    fn what_is_for_the_whole_account_is_planned_once_and_waited_for() {
        let role = |id: u32| change(json!({ "id": id, "action": "CreateServiceLinkedRole" }));
        let recorder = |id: u32| {
            change(json!({ "id": id, "action": { "PutRecorder": id }, "depends_on": [id - 1] }))
        };
        let mut objects = vec![
            object(1, json!({ "changes": [role(1), recorder(2)] })),
            object(2, json!({ "changes": [role(3), recorder(4)] })),
            // It needs nothing else, and differs all the same.
            object(3, json!({ "changes": [role(5)] })),
            object(4, json!({ "changes": [role(6), recorder(7)] })),
        ];
        let mut order = vec![3, 4, 1, 2, 5, 6, 7];
        once(&mut objects, &mut order, |id| [1, 3, 5, 6].contains(&id));
        assert_eq!(order, [3, 4, 2, 5, 7]);
        let left: Vec<Vec<(u32, Vec<u32>)>> = objects
            .iter()
            .map(|object| {
                object.changes.iter().map(|one| (one.id, one.depends_on.clone())).collect()
            })
            .collect();
        let needs = |id: u32| vec![(id, vec![3])];
        assert_eq!(left[0], needs(2));
        assert_eq!(left[1], [(3, vec![]), (4, vec![3])]);
        assert_eq!(left[2], [(5, vec![])]);
        assert_eq!(left[3], needs(7));
    }
}
