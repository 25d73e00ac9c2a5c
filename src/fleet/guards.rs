//! What the fleet file says to the guards that remember more than one run: breakers, fights and the
//! waves of a rollout.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When writing stops because too much of it fails. It is looked at for an account, for a wave of the
/// rollout and for all accounts; the last two stop only when changes of more than one account failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// Failed changes, at the least.
    #[schemars(range(min = 1, max = 10000))]
    pub failures: usize,
    /// Of so many per cent of all changes that were tried, at the least.
    #[schemars(range(min = 1, max = 100))]
    pub percent: u32,
    /// Within so many minutes.
    #[schemars(range(min = 1, max = 1440))]
    pub minutes: u32,
    /// Minutes until one change is tried again. A failure then doubles them, up to a day.
    #[schemars(range(min = 1, max = 1440))]
    pub pause_minutes: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, percent: 50, minutes: 15, pause_minutes: 15 }
    }
}

/// When writing an object stops because somebody changes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fights {
    /// The same field of the same object was changed back so many times.
    #[schemars(range(min = 1, max = 100))]
    pub times: usize,
    /// Within so many hours.
    #[schemars(range(min = 1, max = 720))]
    pub hours: u32,
}

impl Default for Fights {
    fn default() -> Self {
        Self { times: 3, hours: 24 }
    }
}

/// How a new version of the baselines reaches the accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// The waves, the first one first; what is in none of them comes last.
    #[serde(rename = "wave")]
    pub waves: Vec<Wave>,
}

/// Accounts that get a new version of the baselines together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// Its name, such as `canary`.
    #[schemars(length(min = 1))]
    pub name: String,
    /// These accounts.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: Vec<String>,
    /// So many per cent of all accounts, those of the waves before among them. Which ones depends on
    /// their ids alone.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub percent: Option<u32>,
    /// For how long all of its accounts must be as declared before the next wave begins.
    #[schemars(range(min = 0, max = 43200))]
    pub soak_minutes: u32,
}
