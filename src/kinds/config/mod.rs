//! AWS Config.

pub mod aggregation_authorization;
pub mod aggregator;
pub mod conformance_pack;
pub mod recorder;
pub mod rule;
mod tags;
