//! AWS Config.

pub mod recorder;
pub mod rule;
