//! What the loader has to know of the kinds.

/// How many items of a kind a baseline may declare, and what names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// At most one item, one object per account (or per account and Region).
    Singleton,
    /// Any number of items; `field` holds the AWS name, by default `prefix` and the item's name.
    Named {
        /// The spec's field that holds the AWS name.
        field: &'static str,
        /// What stands before the item's name in the default.
        prefix: &'static str,
    },
    /// At most one item, many objects.
    Sweep,
}

/// A rule of a spec that its schema cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// Path of the field at fault, such as `lifecycle[0].days`; empty for the item itself.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}
