//! What outlives a run.

pub mod audit;
pub mod error;
pub mod kept;
pub mod memory;
