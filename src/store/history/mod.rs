//! What happened: runs, the changes that they made, and drift from when it was first seen until it was
//! seen otherwise. A history that cannot be, such as an outcome of a write that was never begun, or a
//! second outcome, is refused by the tables themselves.

mod alive;
mod ask;
pub mod callers;
mod changes;
mod counts;
mod drift;
mod hindered;
mod lacking;
mod late;
mod later;
mod looks;
mod records;
mod retain;
mod rights;
mod rows;
mod runs;
mod waiting;
mod written;

pub use alive::Alive;
pub use ask::{ChangeShown, Entry, Filter, RunShown, What};
pub use drift::UNREAD;
pub(super) use lacking::Gaps;
pub use late::NamedLate;
pub use looks::LookShown;
pub use records::{
    ByWhom, DriftKey, DriftSeen, Ending, Extent, FailedWrite, Hindered, Hindrance, Intent,
    IntentAbout, NotSeen, Outcome, OutcomeAbout, OutcomeWord, RowSeen, RunAbout, RunRecord,
    SeenAccount, Selected, Touched, UnseenAccount, Verified, is_before,
};
pub use retain::Removed;
pub use rights::Rights;
pub use rows::DriftRow;
pub use waiting::{Answered, WaitingEvent};

use chrono::{DateTime, TimeDelta, Utc};

/// A time as the tables have it.
pub(super) fn microseconds(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// A time as the tables have it, read.
pub(super) fn time(microseconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::microseconds(microseconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod contract;
