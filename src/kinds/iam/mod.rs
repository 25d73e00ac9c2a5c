//! Kinds of AWS Identity and Access Management. IAM is global: once per account.

pub mod account_alias;
pub mod password_policy;
pub mod role;
pub mod root_user;
