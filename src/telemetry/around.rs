//! What telemetry asks of whoever runs the controller.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::fleet::guards::Wave;
use crate::reconcile::LeaseCounts;
use crate::store::{Memory, Store};

/// Who knows the files in force and where things are kept.
#[async_trait]
pub trait Around: Send + Sync {
    /// Which version of the files is in force.
    fn files(&self) -> Files;

    /// The leases of this controller, where several share the fleet.
    fn leases(&self) -> Option<LeaseCounts>;

    /// Where things are kept. It waits for no database.
    async fn kept(&self) -> Kept;
}

/// The version of the files in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The digest of their texts.
    pub digest: String,
    /// The commit that they are from, where that is known.
    pub commit: Option<String>,
    /// Since when they are in force.
    pub since: DateTime<Utc>,
    /// A later version, which was refused.
    pub refused: Option<RefusedFiles>,
    /// Why the place that they come from cannot be reached, if it cannot.
    pub unreachable: Option<String>,
}

/// A version of the files that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFiles {
    /// The digest of their texts.
    pub digest: String,
    /// The commit that they are from, where that is known.
    pub commit: Option<String>,
    /// When they came.
    pub since: DateTime<Utc>,
    /// Why they cannot be used.
    pub why: String,
}

/// Where things are kept.
pub struct Kept {
    /// The store, if the fleet file names one; or why it is not open.
    pub store: Option<Result<Store, String>>,
    /// Where guards remember.
    pub guards: Arc<dyn Memory>,
    /// Where notices wait.
    pub notices: Arc<dyn Memory>,
    /// The waves of a rollout.
    pub waves: Vec<Wave>,
    /// The channels of notices.
    pub channels: Vec<String>,
}
