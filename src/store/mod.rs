//! What outlives a run.

pub mod audit;
