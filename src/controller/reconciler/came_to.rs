//! Notes in the store what runs came to that have no plan, and so nobody else who tells of them.

use chrono::{DateTime, Utc};

use crate::controller::error::ControllerError;
use crate::controller::queue::What;
use crate::fleet::Fleet;
use crate::reconcile::{Keeper, Kept};
use crate::store::history::{Ending, NotSeen, RunAbout, RunRecord};
use crate::store::{Store, StoreError};

/// What a run came to.
pub struct CameTo<'a> {
    /// What was to be looked at.
    pub what: &'a What,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it came to that.
    pub ended: DateTime<Utc>,
    /// Whether it came to a plan.
    pub has_looked: bool,
}

impl CameTo<'_> {
    /// Notes why it failed, or that it did not.
    pub async fn note(
        &self,
        keeper: &Keeper,
        fleet: Option<&Fleet>,
        failed: Option<&ControllerError>,
    ) {
        if failed.is_none() && self.target().is_none() {
            return;
        }
        let Kept::In(store, _) = keeper.kept(fleet).await else { return };
        if let Err(error) = self.note_in(&store, failed).await {
            tracing::warn!("what the run came to is not remembered: {error}");
        }
    }

    /// The target that was to be looked at in whole.
    fn target(&self) -> Option<&str> {
        match self.what {
            What::Target(name) => Some(name),
            What::Path(_) | What::Account(_) | What::Parts { .. } => None,
        }
    }

    async fn note_in(
        &self,
        store: &Store,
        failed: Option<&ControllerError>,
    ) -> Result<(), StoreError> {
        if let Some(error) = failed.filter(|_| !self.has_looked) {
            store.note_run(&self.record(error)).await?;
        }
        let Some(target) = self.target() else { return Ok(()) };
        let unseen = failed.map(|error| NotSeen {
            since: self.ended,
            why: error.to_string(),
            was_seen: self.has_looked,
        });
        store.note_target(target, unseen).await
    }

    fn record(&self, error: &ControllerError) -> RunRecord {
        let targets = match self.what {
            What::Target(name) | What::Path(name) => vec![name.clone()],
            What::Account(_) | What::Parts { .. } => Vec::new(),
        };
        RunRecord {
            run: uuid::Uuid::now_v7().to_string(),
            command: "run".to_owned(),
            began: self.started,
            ended: Some(self.ended),
            outcome: Some(Ending::Unknown),
            about: RunAbout {
                targets,
                failed: true,
                left: vec![format!("nothing was looked at: {error}")],
                ..RunAbout::default()
            },
        }
    }
}
