//! The fleet file, `evenkeel.toml`: which accounts get which baselines, and how to get into them.

pub mod access;
pub mod account;
pub mod ceilings;
pub mod checkout;
pub mod elsewhere;
pub mod file;
pub mod guards;
pub mod jobs;
mod listen;
pub mod load;
pub mod notify;
pub mod organization;
mod own;
mod rules;
pub mod select;
pub mod shard;
pub mod snapshot;
pub mod span;
pub mod urls;

pub use file::{FleetFile, Target};
pub use load::{Fleet, load};
