//! Kinds of AWS CloudTrail.

pub mod trail;
