//! Kinds of Amazon SNS.

mod delivery;
pub mod subscription;
pub mod topic;
