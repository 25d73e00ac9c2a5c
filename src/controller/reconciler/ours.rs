//! Which calls our own runs made.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::controller::events::Event;
use crate::fleet::access::source_identity;

/// Runs whose calls are known to be ours; CloudTrail's events come within minutes of a call.
const REMEMBERED: usize = 1_000;

/// The source identities of the latest runs. A source identity stays with a session, and nobody can take
/// one that the role's trust policy does not give them; without roles, our own calls are looked after once
/// more.
#[derive(Debug, Default)]
pub struct Ours(Mutex<VecDeque<String>>);

impl Ours {
    /// A run begins.
    pub fn begins(&self, run: &str) {
        let mut ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ours.push_back(source_identity(run));
        if ours.len() > REMEMBERED {
            ours.pop_front();
        }
    }

    /// Whether a call was made by one of them.
    pub fn made(&self, event: &Event) -> bool {
        let ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        event.by.source_identity.as_ref().is_some_and(|identity| ours.contains(identity))
    }
}
