//! Shapes over [`Kind`](super::Kind): how most kinds find their objects and write them.
//!
//! A shape is a narrower trait and a wrapper type for which `Kind` is implemented once, so that a kind
//! of that shape says its facts and judgments alone. What fits no shape implements `Kind` itself;
//! nothing is bent for it.

pub mod audit;
#[cfg(test)]
mod begun;
pub mod setting;
pub mod sweep;

pub use audit::{Audit, Findings, Inspect};
pub use setting::{Setting, Unset, Whole, Write};
