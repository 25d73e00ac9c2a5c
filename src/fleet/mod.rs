//! The fleet file, `evenkeel.toml`: which accounts get which baselines, and how to get into them.

pub mod file;

pub use file::{Fleet, FleetFile, Target, load};
