//! Whether a run has looked, whether that is remembered, and whether it put something right. What is broken once more right after it is
//! looked at at once: only events
//! that tell of nothing wait for each other.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::reconcile::{ListenError, Listener, RunEvent, Told};

/// Hears of the plan, and of the first write that AWS accepts.
#[derive(Debug, Default)]
pub struct Mended {
    has_looked: AtomicBool,
    has_written: AtomicBool,
    is_forgotten: AtomicBool,
}

impl Mended {
    /// Whether AWS accepted a write.
    pub fn anything(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    /// What the run has seen is not remembered.
    pub fn forgets(&self) {
        self.is_forgotten.store(true, Ordering::Relaxed);
    }

    /// Whether what it has seen is not remembered.
    pub fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Relaxed)
    }

    /// Whether the run came to a plan.
    pub fn has_looked(&self) -> bool {
        self.has_looked.load(Ordering::Relaxed)
    }
}

impl Listener for Mended {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        match told.event {
            RunEvent::Planned { .. } => self.has_looked.store(true, Ordering::Relaxed),
            RunEvent::Answered { answer: Ok(_), .. } => {
                self.has_written.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
        Ok(())
    }
}
