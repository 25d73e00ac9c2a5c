//! What is kept: the files in force, the store, and the outbox of notices.

use chrono::{DateTime, Utc};

use super::around::Files;
use super::book::{Book, Levels};
use super::known::{Known, Outbox};
use super::{number, seconds_since};

/// What is kept.
#[derive(Debug, Clone)]
pub struct Keeps {
    refused: Levels,
    unreachable: Levels,
    in_force: Levels,
    store: Levels,
    outbox: Levels,
    waiting: Levels,
    failing: Levels,
    oldest: Levels,
}

impl Keeps {
    /// Describes it.
    pub fn of(book: &mut Book) -> Self {
        Self {
            refused: book.gauge(
                "files_refused",
                &[],
                "Whether the newest version of the files was refused, and an older one is in force",
            ),
            unreachable: book.gauge(
                "files_unreachable",
                &[],
                "Whether the repository that the files come from cannot be reached",
            ),
            in_force: book.gauge(
                "files_in_force_age_seconds",
                &[],
                "For how long the version of the files in force has been so",
            ),
            store: book.gauge(
                "store_up",
                &[],
                "Whether the store answers and takes in what is written; without it nothing is written to AWS. Absent where there is none",
            ),
            outbox: book.gauge(
                "notices_outbox_up",
                &[],
                "Whether the outbox of notices can be read; else its other figures are absent",
            ),
            waiting: book.gauge("notices_waiting", &["channel"], "Notices that wait to be sent"),
            failing: book.gauge(
                "notices_failing",
                &["channel"],
                "Of these, those that were tried in vain",
            ),
            oldest: book.gauge(
                "notices_oldest_seconds",
                &["channel"],
                "For how long the oldest of these waits; 0 where none does",
            ),
        }
    }

    /// Says how it stands now.
    pub fn fill(&self, files: &Files, known: &Known, now: DateTime<Utc>) {
        self.refused.is(&[], files.refused.is_some());
        self.unreachable.is(&[], files.unreachable.is_some());
        self.in_force.set(&[], seconds_since(files.since, now));
        let up = |store: &Result<_, _>| f64::from(u8::from(store.is_ok()));
        self.store.maybe(&[], known.store.as_ref().map(up));
        self.outbox.is(&[], known.notices.is_ok());
        // The fleet file may name other channels by now.
        for levels in [&self.waiting, &self.failing, &self.oldest] {
            levels.clear();
        }
        for one in known.notices.iter().flatten() {
            let Outbox { channel, waiting, failing, oldest } = one;
            let label = [("channel", channel.as_str())];
            self.waiting.set(&label, number(*waiting));
            self.failing.set(&label, number(*failing));
            let oldest = oldest.map_or(0.0, |since| seconds_since(since, now));
            self.oldest.set(&label, oldest);
        }
    }
}
