//! Desired state.
pub mod catalog;
