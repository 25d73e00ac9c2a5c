//! Leases of accounts, where several controllers share a fleet: who claims and renews them says it here.

use super::book::{Book, Counts, Levels};

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
                "Accounts whose lease this controller holds; absent where one controller has the fleet for itself",
            ),
            lost: book.counter(
                "leases_lost",
                &[],
                "Leases that somebody else took over, or that ran out, while this controller worked with them",
            ),
        }
    }

    /// So many are held now.
    pub fn hold(&self, count: usize) {
        self.held.set(&[], super::number(count));
    }

    /// One was lost.
    pub fn lose(&self) {
        self.lost.add(&[]);
    }
}
