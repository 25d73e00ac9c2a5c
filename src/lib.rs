//! evenkeel keeps AWS accounts in their declared security state.
//!
//! The data flows one way:
//!
//! ```text
//! TOML files ──load──▶ Baseline ──┐
//!                                 ├─▶ diff (pure) ─▶ Plan ─▶ render │ apply ─▶ audit
//! AWS ──observe──▶ Snapshot ──────┘
//! ```
//!
//! Everything between Baseline and Snapshot on one side and Plan on the other is a pure function:
//! no clock, no network. IO lives at the two ends: observing reads and never writes, applying does
//! one write at a time and decides nothing.

pub mod aws;
pub mod baseline;
pub mod controller;
pub mod deploy;
pub mod digest;
pub mod export;
pub mod files;
pub mod fleet;
pub mod guards;
pub mod kinds;
pub mod names;
pub mod notify;
pub mod permissions;
pub mod plan;
pub mod policy_document;
pub mod reconcile;
pub mod store;
pub mod telemetry;
pub mod visible;
