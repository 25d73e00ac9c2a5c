//! What drift of an object is known by.

use crate::plan::ObjectPlan;
use crate::store::history::DriftKey;

/// What drift is known by.
pub fn key(object: &ObjectPlan) -> DriftKey {
    DriftKey {
        account: object.account.clone(),
        region: object.region.clone(),
        item: object.item.clone(),
        object: object.observed.id.clone(),
    }
}
