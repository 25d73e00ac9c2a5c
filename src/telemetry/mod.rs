//! What a running controller shows of itself: metrics ([`Telemetry`]), whether it is alive and ready
//! ([`health`]), how everything stands ([`status`]), and traces ([`traces`]).
//!
//! It listens to what everybody else listens to: the one stream of a run, and what the loop says. What
//! others keep (the queue, how accounts are seen, the guards, the store) is asked for when somebody wants
//! to know. Nothing here decides anything, and what fails here stops nothing.

pub mod around;
pub mod ask;
pub mod audience;
pub mod aws;
pub mod book;
pub mod figures;
pub mod guards;
pub mod health;
pub mod hearing;
pub mod hub;
pub mod kept;
pub mod known;
pub mod leases;
pub mod listener;
pub mod objects;
pub mod otlp;
pub mod pace;
pub mod report;
pub mod runs;
pub mod seen;
pub mod serve;
pub mod shown;
mod state;
pub mod status;
pub mod tls;
pub mod token;
pub mod traces;
pub mod trust;

pub use around::{Around, Files, Kept, RefusedFiles};
pub use hub::Telemetry;
pub use shown::Shown;

use chrono::{DateTime, Utc};

/// Seconds from then to now; none are negative, whatever was done to the clock.
fn seconds_since(then: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    (now - then).as_seconds_f64().max(0.0)
}

/// A count as a sample has it.
fn number(count: usize) -> f64 {
    // Exact up to 2^53.
    #[allow(clippy::cast_precision_loss)]
    let number = count as f64;
    number
}
