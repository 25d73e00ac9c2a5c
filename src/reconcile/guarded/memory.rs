//! The documents of the guards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::guards::{Breaker, Budget};
use crate::names::AccountId;
use crate::plan::{Guard, Held};
use crate::store::error::StoreError;

/// What is remembered of all accounts together.
pub const ALL: &str = "guards/all";

/// What is remembered of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfAccount {
    /// What was written there of late.
    pub budget: Budget,
    /// What became of it.
    pub breaker: Breaker,
}

/// What is remembered of all accounts together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfAll {
    /// What was written of late.
    pub budget: Budget,
    /// What became of it.
    pub breaker: Breaker,
    /// What became of it in each wave.
    pub waves: BTreeMap<String, Breaker>,
}

/// Where it is remembered of each account.
pub const ACCOUNTS: &str = "guards/account/";

/// Where it is remembered of an account.
pub fn document_of(account: &AccountId) -> String {
    format!("{ACCOUNTS}{account}")
}

/// Nothing is let through by guards that cannot remember.
pub fn unreadable(error: &StoreError) -> Held {
    Held::by(
        Guard::Memory,
        format!("what the guards remember cannot be read or written: {error}"),
        error.released_by(),
    )
}
