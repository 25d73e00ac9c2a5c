//! Kinds of Amazon Detective.

pub mod graph;
