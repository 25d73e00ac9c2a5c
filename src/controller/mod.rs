//! The controller: looks again on a schedule and when AWS tells of a change, for as long as it runs.
//!
//! A tick or an event only says "look again", and no decision is taken from its content: a run
//! ([`crate::reconcile`]) finds out for itself what there is to do. So an event that is lost, comes
//! twice, late or out of order, or that somebody made up, costs a few looks at most.
//!
//! [`Service`] is a whole controller. [`queue`] remembers what is to be looked at, and when; [`schedule`]
//! and [`events`] fill it, and [`setback`] says how long what failed waits; [`drive`] is the only loop, and
//! [`reconciler`] makes the runs. [`inbox`] and [`sqs`] are where events come from, and [`door`] whether
//! they may; [`sight`] knows how well each account is seen, and [`pulse`] makes the calls that it expects
//! to hear of. [`files`] reads the files anew, [`in_force`] says which version of them holds, and [`git`]
//! brings them from elsewhere; [`among`] is for several controllers of one fleet.
//!
//! Everything that happens is said to whoever is an [`Audience`]:
//!
//! ```no_run
//! use std::path::PathBuf;
//! use std::sync::Arc;
//!
//! use evenkeel::controller::files::Wanted;
//! use evenkeel::controller::{Audience, ControllerError, Options, Said, Service};
//! use evenkeel::reconcile::{Selectors, Stop};
//!
//! struct Prints;
//!
//! impl Audience for Prints {
//!     fn hear(&self, said: &Said<'_>) {
//!         println!("{said:?}");
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), ControllerError> {
//! let options = Options {
//!     files: Wanted {
//!         config: PathBuf::from("evenkeel.toml"),
//!         selectors: Selectors::default(),
//!         schedule: "0 */15 * * * *".to_owned(),
//!         commit: None,
//!     },
//!     audit_log: PathBuf::from(".evenkeel/audit.jsonl"),
//!     once: false,
//! };
//! let stop = Stop::default();
//! let service = Service::open(options, &stop, Arc::new(Prints)).await?;
//! service.drive(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

pub mod among;
pub mod audience;
pub mod beating;
pub mod begun;
pub mod caller;
pub mod clocks;
pub mod door;
pub mod drive;
pub mod ended;
pub mod error;
pub mod events;
pub mod files;
pub mod git;
pub mod heads;
pub mod in_force;
pub mod inbox;
mod keeping;
pub mod pace;
pub mod pulse;
pub mod queue;
pub mod reconciler;
pub mod said;
pub mod schedule;
pub mod service;
pub mod setback;
pub mod sight;
mod silences;
pub mod sqs;
mod strange;
pub mod told;
pub mod waiting;

pub use audience::Audience;
pub use error::ControllerError;
pub use said::Said;
pub use service::{Options, Service};

use crate::kinds::TRAIL;

/// The kinds that events themselves depend on: they are looked at often, whatever happens.
pub const PATH: [&str; 3] = [TRAIL, "events.bus_policies", "events.rule"];

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use crate::kinds::registry;

    #[test]
    fn what_events_depend_on_is_known() {
        assert!(super::PATH.iter().all(|kind| registry::find(kind).is_some()));
    }
}
