//! How a command ends.

use std::process::ExitCode;

use evenkeel::plan::PlanOutcome;
use evenkeel::reconcile::RunOutcome;

/// The exit codes, as scripts rely on them, the worse ones later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, and nothing left to do.
    Done,
    /// Drift, or changes pending.
    Drift,
    /// A guard refused or held something back, and nothing failed: what no guard held back is written.
    Refused,
    /// Some of it failed or is unknown, the rest is done.
    Partly,
    /// An error.
    Error,
    /// Stopped cleanly on request.
    Interrupted,
}

impl From<PlanOutcome> for Exit {
    fn from(outcome: PlanOutcome) -> Self {
        RunOutcome::from(outcome).into()
    }
}

impl From<RunOutcome> for Exit {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::InSync | RunOutcome::Elsewhere => Self::Done,
            RunOutcome::Drift => Self::Drift,
            RunOutcome::Refused => Self::Refused,
            RunOutcome::Partly => Self::Partly,
            RunOutcome::Unknown => Self::Error,
            RunOutcome::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Exit> for RunOutcome {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::InSync,
            Exit::Drift => Self::Drift,
            Exit::Refused => Self::Refused,
            Exit::Partly => Self::Partly,
            Exit::Error => Self::Unknown,
            Exit::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Drift => 2,
            Exit::Refused => 3,
            Exit::Partly => 4,
            Exit::Interrupted => 130,
        })
    }
}
