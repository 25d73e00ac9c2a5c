//! Shapes over [`Kind`](super::Kind): how most kinds find their objects and write them.
//!
//! A shape is a narrower trait and a wrapper type for which `Kind` is implemented once, so that a kind
//! of that shape says its facts and judgments alone. What fits no shape implements `Kind` itself;
//! nothing is bent for it.
//!
//! [`part`] is for named objects whose settings AWS keeps apart: the kind finds the object and lists
//! its parts, and each part is a file. [`sweep`] is for one item and all objects of a sort: the kind
//! lists them, says how they can be left out, and reads one. [`tagged`] is the part that is the same
//! everywhere.

pub mod audit;
#[cfg(test)]
mod begun;
pub mod part;
pub mod setting;
pub mod sweep;
pub mod tagged;

pub use audit::{Audit, Findings, Inspect};
pub use setting::{Setting, Unset, Whole, Write};
