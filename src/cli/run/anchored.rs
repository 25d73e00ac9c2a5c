//! Keeps the heads of the controller's audit log (`[store] anchor`), whose fleet file may name another
//! bucket later. No run waits for it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evenkeel::fleet::Fleet;
use evenkeel::fleet::file::Anchor;
use evenkeel::notify::anchor::Anchored;
use evenkeel::notify::besides::{ANCHOR, not_anchored};

use super::super::anchor;
use super::files::Files;

/// How often it is looked whether there is a new head.
const EVERY: Duration = Duration::from_secs(5);

/// Who keeps them.
#[derive(Default)]
pub struct Keeping {
    current: Mutex<Option<(Anchor, Arc<Anchored>)>>,
    /// What was told of the last one: why it is not kept, or that it is.
    told: Mutex<Option<Result<(), String>>>,
}

impl Keeping {
    fn of(&self, fleet: Option<&Fleet>) -> Option<Arc<Anchored>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let named = fleet.and_then(|fleet| fleet.file.store.anchor.as_ref());
        let there = current.as_ref().map(|(anchor, _)| anchor);
        if there != named {
            *current = named.cloned().zip(anchor::of(fleet).map(Arc::new));
        }
        current.as_ref().map(|(_, anchored)| Arc::clone(anchored))
    }

    /// Keeps the head, if there is a new one; what goes wrong is told once.
    pub async fn keep(&self, files: &Files, log: &Path) {
        let version = files.good();
        let Some(anchored) = self.of(version.what.fleet.as_ref()) else { return };
        let kept = anchor::keep(&anchored, log).await;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() == Some(&kept) {
            return;
        }
        match &kept {
            Err(why) => {
                tracing::warn!("the head of the audit log is not kept: {why}");
                files.telling.note(vec![not_anchored(why)], Vec::new());
            }
            // What an earlier process could not keep is over as well.
            Ok(()) => files.telling.note(Vec::new(), vec![(None, ANCHOR.to_owned())]),
        }
        *told = Some(kept);
    }

    /// Keeps each new head, until this is dropped.
    pub async fn keep_all(&self, files: &Files, log: &Path) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.keep(files, log).await;
        }
    }
}
