//! Kinds of Amazon Inspector.

pub mod scanning;
