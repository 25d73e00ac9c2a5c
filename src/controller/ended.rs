//! How a run ended, for the loop.

use std::time::Duration;

use super::setback::Setback;
use crate::reconcile::RunOutcome;

/// How a run ended, for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There is nothing to repeat before the next cause.
    Done,
    /// The same, and something was put right.
    Mended,
    /// It failed, all or in part: it is repeated after a pause.
    Again(Setback),
    /// It is done, but for what is left to other controllers.
    Elsewhere {
        /// When that is looked after; at once, where they have not begun with it.
        after: Duration,
    },
    /// It was stopped on request.
    Stopped,
}

impl Ended {
    /// How a run with this outcome ended. `is_mended` is whether it put something right, `left` when what
    /// others have of it in hand is looked after, and `setback` why some of it failed, where it did.
    pub fn of(
        outcome: RunOutcome,
        is_mended: bool,
        left: Option<Duration>,
        setback: impl FnOnce() -> Setback,
    ) -> Self {
        match outcome {
            RunOutcome::InSync
            | RunOutcome::Elsewhere
            | RunOutcome::Drift
            | RunOutcome::Refused => match left {
                Some(after) => Self::Elsewhere { after },
                None if is_mended => Self::Mended,
                None => Self::Done,
            },
            RunOutcome::Partly | RunOutcome::Unknown => Self::Again(setback()),
            RunOutcome::Interrupted => Self::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_run_ended_follows_from_its_outcome() {
        let of = |outcome, is_mended, left| Ended::of(outcome, is_mended, left, || Setback::Denied);
        let after = Duration::from_secs(60);
        for outcome in [RunOutcome::InSync, RunOutcome::Drift, RunOutcome::Refused] {
            assert_eq!(of(outcome, false, None), Ended::Done);
            assert_eq!(of(outcome, true, None), Ended::Mended);
            assert_eq!(of(outcome, true, Some(after)), Ended::Elsewhere { after });
        }
        for outcome in [RunOutcome::Partly, RunOutcome::Unknown] {
            assert_eq!(of(outcome, true, Some(after)), Ended::Again(Setback::Denied));
        }
        assert_eq!(of(RunOutcome::Interrupted, true, None), Ended::Stopped);
    }
}
