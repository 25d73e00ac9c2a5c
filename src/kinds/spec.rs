//! What the specs of several kinds share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to do with objects that are in use by something that a change would cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InUse {
    /// Report the drift and leave the object alone.
    #[default]
    Report,
    /// Change it all the same.
    Enforce,
}
