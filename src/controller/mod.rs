//! The controller: looks again on a schedule and when AWS tells of a change, for as long as it runs.
//!
//! A tick or an event only says "look again", and no decision is taken from its content: a run
//! ([`crate::reconcile`]) finds out for itself what there is to do. So an event that is lost, comes
//! twice, late or out of order, or that somebody made up, costs a few looks at most.
//!
//! [`queue`] remembers what is to be looked at, and when; [`schedule`] and [`events`] fill it;
//! [`drive`] is the only loop. [`sqs`] is where events come from.

pub mod drive;
pub mod events;
pub mod queue;
pub mod schedule;
pub mod sqs;
