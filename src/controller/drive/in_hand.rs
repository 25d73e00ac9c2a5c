//! The runs that the loop has in hand.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Runs;
use crate::controller::ended::Ended;
use crate::controller::queue::Job;

/// The runs in hand, each a task of its own, so that one that computes for long keeps nobody waiting.
#[derive(Default)]
pub struct InHand {
    tasks: JoinSet<Ended>,
    jobs: HashMap<tokio::task::Id, Job>,
}

impl InHand {
    /// Begins a run.
    pub fn begin(&mut self, runs: Arc<dyn Runs>, job: Job) {
        let shared = job.clone();
        let task = self.tasks.spawn(async move { runs.run(&shared).await });
        self.jobs.insert(task.id(), job);
    }

    /// The next one that ends; none where there is none. One that panics has no end of its own.
    pub async fn next(&mut self) -> Option<(Job, Option<Ended>)> {
        let (id, ended) = match self.tasks.join_next_with_id().await? {
            Ok((id, ended)) => (id, Some(ended)),
            Err(error) => (error.id(), None),
        };
        Some((self.jobs.remove(&id)?, ended))
    }
}
