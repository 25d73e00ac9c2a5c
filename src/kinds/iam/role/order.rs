//! In which order the changes of a role are made, and which of them need which.
//!
//! At no moment may anybody have rights that they have neither before nor after: those who come into
//! the trust policy must not meet permissions that are on their way out, and those who leave it must
//! not get the new ones. Whom the trust policy shuts out is out first, and that waits for nothing;
//! who comes in comes last, when the role is what it is to be. In between, what is added comes before
//! what is taken away, so that nobody is cut off who is not to be; where a quota leaves no room for
//! that, the plan says so. That is an order alone: what must go goes although what was to come before
//! it could not be written, or an administrator's policy would stay for ever beside one that is misspelt.

use super::spec::Action;
use crate::kinds::{Change, Needs};

/// What a change does to the rights of the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing: a finding, a description, a tag.
    Apart,
    /// Limits them: a boundary.
    Bound,
    /// Lets others out, and nobody in whom something else is still to wait for.
    Close,
    /// Lets others in.
    Open,
    /// Gives permissions.
    Add,
    /// Takes permissions away so that others find room.
    MakeRoom,
    /// Takes permissions away.
    Remove,
    /// Lifts a limit.
    Unbound,
}

impl Part {
    /// Whether those who come in must wait for it.
    pub fn comes_before_others(self) -> bool {
        matches!(self, Self::Bound | Self::MakeRoom | Self::Remove)
    }
}

/// The parts in the order of doing them, each with those that it needs.
const ORDER: [(Part, &[Part]); 7] = {
    use Part::{Add, Bound, Close, MakeRoom, Open, Remove, Unbound};
    [
        (Bound, &[]),
        (Close, &[]),
        (MakeRoom, &[]),
        (Add, &[Bound, Close, MakeRoom]),
        (Remove, &[]),
        (Open, &[Bound, MakeRoom, Remove]),
        (Unbound, &[Close, MakeRoom, Remove, Open]),
    ]
};

/// The changes in their order. Those that stand apart keep their own and need nothing of others.
pub fn order(changes: Vec<(Part, Change<Action>)>) -> Vec<Change<Action>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut ordered: Vec<Change<Action>> = Vec::new();
    let (apart, mut others): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|(part, _)| *part == Part::Apart);
    for (part, needs) in ORDER {
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
