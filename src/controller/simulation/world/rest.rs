//! Rest.

use std::sync::PoisonError;

use super::super::super::clocks::Clocks;
use super::super::declared::{ACCOUNTS, KINDS};
use super::{Line, World};

impl World {
    /// Whether all has come to rest.
    pub fn is_at_rest(&self) -> bool {
        let state = self.state();
        let wanted = state.shelf.good().wanted;
        let is_declared = state.things.iter().all(|((_, kind), value)| *value == wanted[*kind]);
        let sight = state.sight.as_ref().map(|sight| {
            let sight = sight.lock().unwrap_or_else(PoisonError::into_inner);
            sight.all(self.clocks.now())
        });
        let sees = sight.is_some_and(|seen| {
            seen.len() == ACCOUNTS.len()
                && seen.iter().all(|one| {
                    one.blind.is_none() && one.full.is_some_and(|full| full.as_secs() < 1800)
                })
        });
        is_declared && sees && state.open.is_empty() && state.undeleted.is_empty()
    }

    /// What must hold then besides.
    pub fn at_rest(&self) {
        let state = self.state();
        let intents = state.audit.iter().filter(|(.., line)| *line == Line::Intent).count();
        assert_eq!(intents * 2, state.audit.len(), "each intent has one end");
        assert!(intents >= ACCOUNTS.len() * KINDS.len(), "something was written");
    }
}
