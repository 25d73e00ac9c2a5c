//! How many leases of accounts a controller has, and how many it has lost: for whoever looks at it from
//! outside.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::store::Lease;

/// The leases of a controller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseCounts {
    /// Accounts whose lease it holds now.
    pub held: usize,
    /// Leases that it lost while it worked with them.
    pub lost: u64,
}

/// Counts leases.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// The token of each lease that is held, by its name.
    held: BTreeMap<String, i64>,
    lost: u64,
}

impl Tally {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is held from now on.
    pub(super) fn take(&self, lease: &Lease) {
        self.counted().held.insert(lease.name.clone(), lease.token);
    }

    /// One is given back.
    pub(super) fn give_back(&self, lease: &Lease) {
        self.counted().end(lease);
    }

    /// One is lost. However often and by whomever that is noticed, it counts once.
    pub(super) fn lose(&self, lease: &Lease) {
        let mut counted = self.counted();
        if counted.end(lease) {
            counted.lost += 1;
        }
    }

    /// How many there are.
    pub fn counts(&self) -> LeaseCounts {
        let counted = self.counted();
        LeaseCounts { held: counted.held.len(), lost: counted.lost }
    }
}

impl Counted {
    /// Whether it was held; a later one of the same account is another one.
    fn end(&mut self, lease: &Lease) -> bool {
        let is_held = self.held.get(&lease.name) == Some(&lease.token);
        is_held && self.held.remove(&lease.name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_lost_once_and_a_later_one_is_another() {
        let lease = |token| Lease { name: "1".to_owned(), holder: "h".to_owned(), token };
        let tally = Tally::default();
        let is = |held, lost| assert_eq!(tally.counts(), LeaseCounts { held, lost });
        tally.take(&lease(1));
        is(1, 0);
        tally.lose(&lease(1));
        tally.lose(&lease(1));
        is(0, 1);
        tally.take(&lease(2));
        tally.lose(&lease(1));
        tally.give_back(&lease(1));
        is(1, 1);
        tally.give_back(&lease(2));
        is(0, 1);
    }
}
