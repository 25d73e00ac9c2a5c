//! What was seen and is not in the store yet: before a write, it is tried again, since what is put right then no later
//! look sees.

use std::collections::VecDeque;
use std::sync::PoisonError;

use super::Remembered;
use crate::store::StoreError;
use crate::store::history::{SeenAccount, UnseenAccount};

/// Accounts whose drift is noted at once.
const AT_ONCE: usize = 50;

/// What a look has seen, as far as the store has not taken it in.
#[derive(Debug, Default)]
pub struct Unnoted {
    unseen: Vec<UnseenAccount>,
    seen: VecDeque<Vec<SeenAccount>>,
    /// Whether it is noted no more, since something was written meanwhile.
    is_lost: bool,
}

impl Unnoted {
    /// All of a look.
    pub fn of(seen: Vec<SeenAccount>, unseen: Vec<UnseenAccount>) -> Self {
        let (mut seen, mut all) = (seen.into_iter(), VecDeque::new());
        loop {
            let some: Vec<SeenAccount> = seen.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                return Self { unseen, seen: all, is_lost: false };
            }
            all.push_back(some);
        }
    }

    /// Whether the store has all of it.
    pub fn is_empty(&self) -> bool {
        self.unseen.is_empty() && self.seen.is_empty()
    }
}

impl Remembered {
    /// Notes what was seen, as far as the store has not taken it in.
    pub(super) fn note_what_was_seen(&self) -> Result<(), StoreError> {
        let _noting = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let unseen = self.noted().unnoted.unseen.clone();
        if !unseen.is_empty() {
            let store = self.store.clone();
            self.store.wait(async move { store.note_unseen(unseen).await })?;
            self.noted().unnoted.unseen.clear();
        }
        loop {
            let some = self.noted().unnoted.seen.front().cloned();
            let Some(some) = some else { return Ok(()) };
            let store = self.store.clone();
            self.store.wait(async move { store.note_seen(some).await })?;
            self.noted().unnoted.seen.pop_front();
        }
    }

    /// The same before a write: without the drift that it puts right, nobody would know of that.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn note_before_a_write(&self) -> Result<(), StoreError> {
        if self.noted().unnoted.is_lost {
            return Ok(());
        }
        match self.note_what_was_seen() {
            Err(error @ (StoreError::Unreachable { .. } | StoreError::Held { .. })) => Err(error),
            Err(error) => {
                tracing::warn!("what was seen is not remembered: {error}");
                self.noted().unnoted.is_lost = true;
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
