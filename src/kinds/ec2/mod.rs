//! Kinds of Amazon EC2 and VPC. They are regional.

pub mod default_security_group;
pub mod ebs_encryption;
pub mod flow_logs;
pub mod snapshot_block_public_access;
pub mod vpcs;
