//! Kinds of Amazon EventBridge.

pub mod bus_policies;
pub mod rule;
