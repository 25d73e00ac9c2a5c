//! Kinds of Amazon CloudWatch Logs.

pub mod log_group;
pub mod resource_policy;
