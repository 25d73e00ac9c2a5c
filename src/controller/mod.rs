//! The controller: looks again on a schedule and when AWS tells of a change, for as long as it runs.
//!
//! A tick or an event only says "look again", and no decision is taken from its content: a run
//! ([`crate::reconcile`]) finds out for itself what there is to do. So an event that is lost, comes
//! twice, late or out of order, or that somebody made up, costs a few looks at most.
//!
//! [`queue`] remembers what is to be looked at, and when; [`schedule`] and [`events`] fill it, and [`setback`]
//! says how long what failed waits;
//! [`drive`] is the only loop. [`inbox`] and [`sqs`] are where events come from, and [`door`] whether they may; [`sight`]
//! knows how well each account is seen, and [`pulse`] makes the calls that it expects to hear of. [`in_force`] says which version of the
//! files holds; [`git`] brings them from elsewhere.

pub mod caller;
pub mod door;
pub mod drive;
pub mod events;
pub mod git;
pub mod in_force;
pub mod inbox;
pub mod pace;
pub mod pulse;
pub mod queue;
pub mod schedule;
pub mod setback;
pub mod sight;
pub mod sqs;

/// The kinds that events themselves depend on: they are looked at often, whatever happens.
pub const PATH: [&str; 3] = ["cloudtrail.trail", "events.bus_policies", "events.rule"];

/// Of these, the kind without which nothing tells of any call: its drift is critical.
pub const TRAIL: &str = "cloudtrail.trail";

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use crate::kinds::registry;

    #[test]
    fn what_events_depend_on_is_known() {
        assert!(super::PATH.iter().all(|kind| registry::find(kind).is_some()));
        assert!(super::PATH.contains(&super::TRAIL));
    }
}
