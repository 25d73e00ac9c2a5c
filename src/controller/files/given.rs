//! Files that somebody gives, and that nobody has to wait for.

use std::sync::{Arc, Mutex};

use chrono::Utc;
use tokio::sync::Notify;

use super::{Files, Origin, Voice, Wanted, label, look};
use crate::baseline::load::Memory;
use crate::controller::in_force::InForce;
use crate::reconcile::SettingsError;

impl Files {
    /// A first version, of a commit.
    pub fn given(
        wanted: Wanted,
        texts: Memory,
        commit: &str,
        voice: &Arc<Voice>,
    ) -> Result<Self, SettingsError> {
        let look = look(&wanted, None);
        let texts = look.texts(Box::new(texts));
        let label = label(&texts, Some(commit.to_owned()), &wanted);
        let version = look.judge(texts, &|_| {})?;
        Ok(Self {
            in_force: Mutex::new(InForce::new(version, label, Utc::now())),
            changed: Notify::new(),
            wished: Notify::new(),
            own: None,
            trouble: Mutex::default(),
            voice: Arc::clone(voice),
            wanted,
            place: Origin::Disk,
        })
    }

    /// Another version, of a commit.
    pub fn give(&self, texts: Memory, commit: &str) {
        let look = look(&self.wanted, None);
        self.read(look, look.texts(Box::new(texts)), Some(commit.to_owned()));
    }
}
