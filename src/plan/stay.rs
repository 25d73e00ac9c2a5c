//! What comes last and cannot come: somebody still delivers as before, and the plan does not move them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::input::ObservedItem;
use super::moving;
use super::order::{Step, delivers, see_each_other};
use super::{Disposition, ObjectPlan};
use crate::kinds::Status;
use crate::kinds::erased::DynKind;
use crate::names::{ItemName, Region};

/// Somebody who is to deliver elsewhere, and is not led there.
struct Left {
    item: ItemName,
    region: Option<Region>,
    after: &'static [&'static str],
    /// What it is and what it is to be.
    names: Vec<Value>,
}

impl Left {
    /// Whether it uses an object that has these names.
    fn uses(&self, object: &ObjectPlan, names: &[String]) -> bool {
        see_each_other(self.region.as_ref(), region(object).as_ref())
            && delivers(&self.item, self.after, &object.item)
            && names.iter().any(|name| self.names.iter().any(|it| moving::names(it, name)))
    }
}

fn region(object: &ObjectPlan) -> Option<Region> {
    (!object.global).then(|| object.region.clone())
}

/// Only reports what takes away that which somebody still uses: whoever should move and is only reported,
/// or, from `beside` on, is not in the plan.
pub fn stay(
    objects: &mut [ObjectPlan],
    beside: Option<usize>,
    steps: &BTreeMap<u32, Step>,
    items: &[&ObservedItem],
    kind: &dyn Fn(&str) -> Option<&'static dyn DynKind>,
) {
    let is = |id: u32, what: fn(&Step) -> bool| steps.get(&id).is_some_and(what);
    let mut left = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let is_beside = beside.is_some_and(|beside| at >= beside);
        let mut changes = object.changes.iter();
        if changes.any(|one| is(one.id, |step| step.moves) && (is_beside || !one.is_applied())) {
            let after = kind(&object.item.kind).map(DynKind::after).unwrap_or_default();
            let state = match &object.observed.status {
                Status::Present(state) => Some(state.clone()),
                _ => None,
            };
            let names = state.into_iter().chain([object.spec.clone()]).collect();
            left.push(Left { item: object.item.clone(), region: region(object), after, names });
        }
    }
    if left.is_empty() {
        return;
    }
    for object in objects.iter_mut() {
        if !object.changes.iter().any(|one| one.is_applied() && is(one.id, |one| one.comes_last)) {
            continue;
        }
        let mut names = vec![object.observed.id.clone()];
        let observed = items
            .iter()
            .find(|one| one.declared.item == object.item && one.facts.region == object.region);
        if let (Some(observed), Some(kind)) = (observed, kind(&object.item.kind)) {
            names.extend(kind.other_names(&observed.facts, &object.observed).unwrap_or_default());
        }
        let Some(one) = left.iter().find(|one| one.uses(object, &names)) else { continue };
        for change in &mut object.changes {
            if change.is_applied() && is(change.id, |step| step.comes_last) {
                let reason = format!(
                    "{} still delivers as before, and this plan does not change that",
                    one.item
                );
                change.disposition = Disposition::Report { reason };
            }
        }
    }
}
