//! In which order the changes of a role are made, and which of them need which.
//!
//! At no moment may anybody have rights that they have neither before nor after: those who come into
//! the trust policy must not meet permissions that are on their way out, and those who leave it must
//! not get the new ones. Within that, what is added comes before what is taken away, so that nobody
//! is cut off who is not to be; where a quota leaves no room for that, the plan says so. That is an
//! order alone: what must go goes although what was to come before it could not be written, or an
//! administrator's policy would stay for ever beside one that is misspelt.

use super::spec::Action;
use crate::kinds::{Change, Needs};

/// What a change does to the rights of the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing: a finding, a description, a tag.
    Apart,
    /// Limits them: a boundary.
    Bound,
    /// Lets others in or out.
    Trust,
    /// Gives permissions.
    Add,
    /// Takes permissions away so that others find room.
    MakeRoom,
    /// Takes permissions away.
    Remove,
    /// Lifts a limit.
    Unbound,
}

/// Whom a new trust policy lets in and out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Somebody comes in.
    pub lets_in: bool,
    /// Somebody is let out.
    pub lets_out: bool,
}

impl Turn {
    /// The parts in the order of doing them, each with those that it needs.
    fn order(self) -> Vec<(Part, &'static [Part])> {
        use Part::{Add, Bound, MakeRoom, Remove, Trust, Unbound};
        let between: [(Part, &'static [Part]); 4] = match (self.lets_in, self.lets_out) {
            // Everything old goes before anybody comes, everything new comes when the others are out.
            (true, true) => [
                (MakeRoom, &[]),
                (Remove, &[]),
                (Trust, &[Bound, MakeRoom, Remove]),
                (Add, &[Bound, MakeRoom, Trust]),
            ],
            (true, false) => [
                (MakeRoom, &[]),
                (Add, &[Bound, MakeRoom]),
                (Remove, &[]),
                (Trust, &[Bound, MakeRoom, Remove]),
            ],
            (false, _) => {
                [(Trust, &[]), (MakeRoom, &[]), (Add, &[Bound, MakeRoom, Trust]), (Remove, &[])]
            }
        };
        let first: (Part, &'static [Part]) = (Bound, &[]);
        let last: (Part, &'static [Part]) = (Unbound, &[MakeRoom, Remove, Trust]);
        std::iter::once(first).chain(between).chain(std::iter::once(last)).collect()
    }
}

/// The changes in their order. Those that stand apart keep their own and need nothing of others.
pub fn order(turn: Turn, changes: Vec<(Part, Change<Action>)>) -> Vec<Change<Action>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut ordered: Vec<Change<Action>> = Vec::new();
    let (apart, mut others): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|(part, _)| *part == Part::Apart);
    for (part, needs) in turn.order() {
        let (now, later): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(other, _)| *other == part);
        others = later;
        let before: Vec<usize> =
            (0..parts.len()).filter(|at| needs.contains(&parts[*at])).collect();
        for (part, change) in now {
            parts.push(part);
            ordered.push(change.needs(before.iter().copied()));
        }
    }
    let start = ordered.len();
    for (_, mut change) in apart {
        if let Needs::Only(earlier) = &mut change.needs {
            earlier.iter_mut().for_each(|at| *at += start);
        }
        ordered.push(change);
    }
    ordered
}
