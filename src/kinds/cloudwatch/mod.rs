//! Kinds of Amazon CloudWatch.

pub mod log_alarm;
