//! Whether a run put something right. What is broken once more right after it is looked at at once: only events
//! that tell of nothing wait for each other.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::reconcile::{ListenError, Listener, RunEvent, Told};

/// Hears of the first write that AWS accepts.
#[derive(Debug, Default)]
pub struct Mended(AtomicBool);

impl Mended {
    /// Whether AWS accepted a write.
    pub fn anything(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Listener for Mended {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if matches!(told.event, RunEvent::Answered { answer: Ok(()), .. }) {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
