//! What refers to a name that leads elsewhere than it should: what it was compared with is about to be
//! another thing, so that nobody can say yet whether it is as declared.

use serde_json::Value;

use super::input::ObservedItem;
use super::{ObjectPlan, Verdict};
use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::object::{Cause, Unknown};
use crate::names::{ItemName, Region};

/// A name that leads elsewhere, such as an alias that somebody has moved to another key.
struct Moving {
    item: ItemName,
    region: Option<Region>,
    name: String,
}

impl Moving {
    fn of(object: &ObjectPlan, kind: &dyn DynKind) -> Option<Self> {
        let Identity::Named { field, .. } = kind.identity() else { return None };
        let moves =
            object.changes.iter().flat_map(|change| &change.drift).any(|drift| {
                drift.field == field && drift.actual.is_some() && drift.desired.is_some()
            });
        moves.then(|| Self {
            item: object.item.clone(),
            region: place(object),
            name: object.observed.id.clone(),
        })
    }

    fn is_seen_from(&self, object: &ObjectPlan) -> bool {
        match (&self.region, place(object)) {
            (Some(here), Some(there)) => *here == there,
            _ => true,
        }
    }
}

/// Whether the plan of an object finds that its name leads elsewhere than it should.
pub fn leads_elsewhere(object: &ObjectPlan, kind: &dyn DynKind) -> bool {
    Moving::of(object, kind).is_some()
}

/// The Region of an object; none for a global one.
fn place(object: &ObjectPlan) -> Option<Region> {
    (!object.global).then(|| object.region.clone())
}

/// Makes unknown what is in sync with a name that is about to lead to another thing.
pub fn unsettle(
    objects: &mut [ObjectPlan],
    items: &[&ObservedItem],
    kind: &dyn Fn(&str) -> Option<&'static dyn DynKind>,
) {
    let moving: Vec<Moving> =
        objects.iter().filter_map(|object| Moving::of(object, kind(&object.item.kind)?)).collect();
    if moving.is_empty() {
        return;
    }
    for object in objects.iter_mut().filter(|object| object.verdict == Verdict::InSync) {
        let declared = items.iter().find(|item| item.declared.item == object.item);
        let refers = |moving: &&Moving| {
            moving.item != object.item
                && moving.is_seen_from(object)
                && (declared.is_some_and(|item| {
                    item.declared.references.values().any(|items| items.contains(&moving.item))
                }) || names(&object.spec, &moving.name))
        };
        let Some(moving) = moving.iter().find(refers) else { continue };
        object.verdict = Verdict::Unknown(Unknown {
            reason: format!(
                "it refers to {} ({}), which leads elsewhere than it should: what it was compared with \
                 is not what is declared",
                moving.item, moving.name
            ),
            permission: None,
            remedy: Some(format!("put {} right first, and look again", moving.item)),
            cause: Cause::Unjudged,
        });
    }
}

/// Whether a name, or an ARN that ends with it, is anywhere in a spec.
pub fn names(spec: &Value, name: &str) -> bool {
    match spec {
        Value::String(text) => {
            let start = text.strip_suffix(name);
            start.is_some_and(|start| start.is_empty() || start.ends_with(':'))
        }
        Value::Array(list) => list.iter().any(|one| names(one, name)),
        Value::Object(fields) => fields.values().any(|one| names(one, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_found_alone_and_at_the_end_of_an_arn() {
        let spec = |key: &str| json!({ "a": [{ "kms_key_id": key }] });
        assert!(names(&spec("alias/audit"), "alias/audit"));
        assert!(names(&spec("arn:aws:kms:eu-west-1:1:alias/audit"), "alias/audit"));
        assert!(!names(&spec("alias/audit-2"), "alias/audit"));
        assert!(!names(&spec("my-alias/audit"), "alias/audit"));
    }
}
