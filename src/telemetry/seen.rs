//! How well the accounts are seen, against the objectives. A thousand accounts would be thousands of
//! series that nobody looks at one by one: so there are counts, and the worst age of all. Which account it
//! is, `evenkeel status` says.

use super::book::{Book, Counts, Levels};
use super::number;
use crate::controller::sight::{Counts as Events, Seen};
use crate::fleet::file::Objectives;

/// How well the accounts are seen.
#[derive(Debug, Clone)]
pub struct Sees {
    accounts: Levels,
    blind: Levels,
    blind_for: Levels,
    missed: Levels,
    full: Levels,
    objective: Levels,
    events: Counts,
    ours: Counts,
    unreadable: Counts,
}

impl Sees {
    /// Describes them.
    pub fn of(book: &mut Book) -> Self {
        Self {
            accounts: book.gauge("accounts", &[], "Accounts that were looked at in whole, since the start or as the store has it"),
            blind: book.gauge(
                "accounts_blind",
                &[],
                "Accounts whose heartbeat was not heard of in time: events of them do not come",
            ),
            blind_for: book.gauge(
                "account_blind_longest_seconds",
                &[],
                "For how long the account that is blind for the longest time has been",
            ),
            missed: book.gauge(
                "accounts_objective_missed",
                &["objective"],
                "Accounts that miss a declared objective. objective: full, event",
            ),
            full: book.gauge(
                "account_full_look_oldest_seconds",
                &[],
                "Age of the last full look at the account where it is oldest; absent before the first",
            ),
            objective: book.gauge(
                "objective_seconds",
                &["objective"],
                "The declared objectives; absent where none is declared. objective: full, event",
            ),
            events: book.counter("events", &[], "Events of calls that came out of the queue"),
            ours: book.counter("events_own", &[], "Of these, events of evenkeel's own calls, which cause no look"),
            unreadable: book.counter(
                "events_unreadable",
                &[],
                "Messages that are no event of CloudTrail; they go to the queue's dead letters",
            ),
        }
    }

    /// Says how it is now.
    pub fn fill(&self, seen: &[Seen], accounts: usize, objectives: &Objectives, events: Events) {
        self.accounts.set(&[], number(accounts));
        let blind = seen.iter().filter_map(|seen| seen.blind);
        self.blind.set(&[], number(blind.clone().count()));
        self.blind_for.set(&[], blind.max().unwrap_or_default().as_secs_f64());
        let all = [("full", objectives.full), ("event", objectives.event)];
        for (objective, declared) in all {
            let missed = seen.iter().filter(|seen| seen.missed.contains(&objective)).count();
            self.missed.set(&[("objective", objective)], number(missed));
            let declared = declared.map(|span| span.duration().as_secs_f64());
            self.objective.maybe(&[("objective", objective)], declared);
        }
        let oldest = seen.iter().filter_map(|seen| seen.full).max();
        self.full.maybe(&[], oldest.map(|age| age.as_secs_f64()));
        self.events.set(&[], events.events);
        self.ours.set(&[], events.ours);
        self.unreadable.set(&[], events.unreadable);
    }
}
