//! What an account's part of a plan is made from.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;

use super::Mode;
use crate::baseline::ResolvedItem;
use crate::kinds::erased::DynKind;
use crate::kinds::object::Unknown;
use crate::kinds::{AllowedGrants, Facts, Object, Risk};
use crate::names::ItemName;

/// An item as declared for one account and Region.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name, spec, place and the rest; shared by the Regions in which it says the same.
    pub resolved: Arc<ResolvedItem>,
    /// What it may do here, the target's ceiling applied.
    pub mode: Mode,
}

impl Deref for Declared {
    type Target = ResolvedItem;

    fn deref(&self) -> &ResolvedItem {
        &self.resolved
    }
}

/// An item and what was observed of it.
#[derive(Debug, Clone)]
pub struct ObservedItem {
    /// What was declared.
    pub declared: Declared,
    /// Where.
    pub facts: Facts,
    /// The objects, or why there are none to see.
    pub objects: Result<Vec<Object<Value>>, Unknown>,
}

/// An exception that covers an object today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The last day.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

/// What one account's part of a plan is made from.
pub struct AccountInput<'a> {
    /// What was declared and observed.
    pub items: Vec<ObservedItem>,
    /// What was not asked for and can contradict it, or lead it elsewhere: it is heard, and has no place
    /// in the plan.
    pub beside: Vec<ObservedItem>,
    /// Finds a kind by its name.
    pub kind: &'a dyn Fn(&str) -> Option<&'static dyn DynKind>,
    /// The exception that covers an object today, if any.
    pub waiver: &'a dyn Fn(&ItemName, &Facts, &str) -> Option<Waiver>,
    /// Changes of a higher risk are only reported.
    pub max_risk: Risk,
    /// Changes with another rise of privileges are only reported.
    pub allow_grants: AllowedGrants,
}
