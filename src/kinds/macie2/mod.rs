//! Kinds of Amazon Macie.

pub mod session;
