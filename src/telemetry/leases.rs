//! Leases of accounts, where several controllers share a fleet.

use super::book::{Book, Counts, Levels};
use super::number;
use crate::reconcile::LeaseCounts;

/// Leases of accounts.
#[derive(Debug, Clone)]
pub struct Leases {
    held: Levels,
    lost: Counts,
}

impl Leases {
    /// Describes them.
    pub fn of(book: &mut Book) -> Self {
        Self {
            held: book.gauge(
                "leases_held",
                &[],
                "Accounts whose lease this controller holds, while it looks or writes there; absent where one controller has the fleet for itself",
            ),
            lost: book.counter(
                "leases_lost",
                &[],
                "Leases that somebody else took over, or that ran out, while this controller worked with them",
            ),
        }
    }

    /// Says how it stands now; nothing is held where accounts are not shared.
    pub fn fill(&self, leases: Option<LeaseCounts>) {
        self.held.maybe(&[], leases.map(|leases| number(leases.held)));
        self.lost.set(&[], leases.map_or(0, |leases| leases.lost));
    }
}
