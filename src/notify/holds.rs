//! What guards hold back, as notices say it.

use crate::plan::ObjectPlan;
use crate::reconcile::Step;

/// A change that a guard holds back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The guard's name.
    pub guard: &'static str,
    /// Why, and what releases it.
    pub why: String,
    /// Whether somebody should look at it today.
    pub is_alarming: bool,
}

/// What a guard holds back of an object that was planned.
pub fn of_plan(_object: &ObjectPlan) -> Option<Hold> {
    None
}

/// What a guard held back directly before a write.
pub fn of_step(_step: &Step) -> Option<Hold> {
    None
}
