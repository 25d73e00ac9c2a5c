//! What guards hold back, as notices say it.

use crate::plan::{Guard, Held, ObjectPlan};
use crate::reconcile::Step;

/// A change that a guard holds back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The guard's name.
    pub guard: &'static str,
    /// By which guard, why, and what releases it.
    pub why: String,
    /// What releases it.
    pub released_by: String,
    /// Whether somebody should look at it today.
    pub is_alarming: bool,
}

impl From<&Held> for Hold {
    fn from(held: &Held) -> Self {
        Self {
            guard: held.guard.as_str(),
            why: held.to_string(),
            released_by: held.released_by.clone(),
            // The others wait for their time, or for somebody who knows of them.
            is_alarming: matches!(
                held.guard,
                Guard::KillSwitch | Guard::Breaker | Guard::Fight | Guard::Memory
            ),
        }
    }
}

/// What a guard holds back of an object that was planned.
pub fn of_plan(object: &ObjectPlan) -> Option<Hold> {
    object.held().map(Hold::from)
}

/// What a guard held back directly before a write.
pub fn of_step(step: &Step) -> Option<Hold> {
    match step {
        Step::HeldBack { held } => Some(held.into()),
        _ => None,
    }
}
