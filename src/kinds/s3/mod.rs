//! Amazon S3.

pub mod account_public_access_block;
pub mod bucket;
