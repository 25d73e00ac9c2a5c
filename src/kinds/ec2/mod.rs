//! Kinds of Amazon EC2 and VPC. They are regional.

pub mod allowed_images;
pub mod default_security_group;
pub mod ebs_encryption;
pub mod flow_logs;
pub mod image_block_public_access;
pub mod instance_metadata_defaults;
pub mod owner;
pub mod serial_console_access;
pub mod snapshot_block_public_access;
pub mod vpc_block_public_access;
pub mod vpcs;
