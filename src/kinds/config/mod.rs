//! AWS Config.

pub mod recorder;
