//! Kinds of Amazon CloudWatch Logs.

mod claims;
pub mod log_group;
pub mod log_groups;
pub mod resource_policy;
