//! Keeps the heads of the controller's audit log (`[store] anchor`), whose fleet file may name another
//! bucket later. No run waits for it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::audience::Voice;
use super::files::Files;
use super::said::Said;
use crate::fleet::Fleet;
use crate::fleet::file::Anchor;
use crate::notify::anchor::Anchored;

/// How often it is looked whether there is a new head.
const EVERY: Duration = Duration::from_secs(5);

/// Who keeps them.
pub struct Heads {
    current: Mutex<Option<(Anchor, Arc<Anchored>)>>,
    /// What was told of the last one: why it is not kept, or that it is.
    told: Mutex<Option<Result<(), String>>>,
    voice: Arc<Voice>,
}

impl Heads {
    /// Says whether they are kept.
    pub fn said_by(voice: &Arc<Voice>) -> Self {
        let (current, told) = (Mutex::default(), Mutex::default());
        Self { current, told, voice: Arc::clone(voice) }
    }

    fn of(&self, fleet: Option<&Fleet>) -> Option<Arc<Anchored>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let named = fleet.and_then(|fleet| fleet.file.store.anchor.as_ref());
        let there = current.as_ref().map(|(anchor, _)| anchor);
        if there != named {
            *current = named.cloned().zip(Anchored::of(fleet).map(Arc::new));
        }
        current.as_ref().map(|(_, anchored)| Arc::clone(anchored))
    }

    /// Keeps the head, if there is a new one; what goes wrong is said once.
    pub async fn keep(&self, files: &Files, log: &Path) {
        let version = files.good();
        let Some(anchored) = self.of(version.what.fleet.as_ref()) else { return };
        let kept = anchored.keep_in_time(log).await;
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.replace(kept.clone()).as_ref() == Some(&kept) {
                return;
            }
        }
        if let Err(why) = &kept {
            tracing::warn!("the head of the audit log is not kept: {why}");
        }
        // That it is kept is said the first time, too: what an earlier process could not keep is over.
        self.voice.say(&Said::Head { kept: kept.as_ref().copied().map_err(String::as_str) });
    }

    /// Keeps each new head, until this is dropped.
    pub async fn keep_all(&self, files: &Files, log: &Path) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.keep(files, log).await;
        }
    }
}
