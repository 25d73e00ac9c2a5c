//! Kinds of AWS Key Management Service.

pub mod key;
