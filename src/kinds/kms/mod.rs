//! Kinds of AWS Key Management Service.

pub mod key;
pub mod key_rotation;
