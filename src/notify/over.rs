//! What is over, of what was told.

use crate::names::AccountId;

/// What is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// The account, where it is of one.
    pub account: Option<AccountId>,
    /// What it is called.
    pub key: String,
    /// Why, where it is not just so no longer.
    pub why: Option<&'static str>,
}
