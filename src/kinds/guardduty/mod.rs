//! Kinds of Amazon GuardDuty.

pub mod detector;
