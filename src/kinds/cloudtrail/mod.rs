//! Kinds of AWS CloudTrail.

pub mod event_data_stores;
pub mod trail;
