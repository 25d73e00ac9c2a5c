//! Accounts that nobody looked at, and why.

use serde::{Deserialize, Serialize};

use crate::names::AccountId;

/// An account that could not be looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FailedAccount {
    /// The account.
    pub account: AccountId,
    /// Its name, when known.
    #[serde(default)]
    pub name: Option<String>,
    /// Why.
    pub reason: String,
    /// What the reader should do next.
    #[serde(default)]
    pub remedy: Option<String>,
}

/// An account that a target selects and that is not looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SkippedAccount {
    /// The account.
    pub account: AccountId,
    /// Its name, when known.
    #[serde(default)]
    pub name: Option<String>,
    /// Why: `suspended`, `closed` …
    pub reason: String,
}
