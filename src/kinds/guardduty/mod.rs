//! Kinds of Amazon GuardDuty.

pub mod detector;
pub mod malware_scan_settings;
pub mod organization;
pub mod publishing_destination;
pub mod suppressions;
