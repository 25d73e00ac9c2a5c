//! Kinds of Amazon ECR.

pub mod registry_scanning;
