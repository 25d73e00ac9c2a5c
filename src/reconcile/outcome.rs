//! What a run means, in one word.

use super::report::{ApplyReport, Step};
use crate::plan::{Guard, Plan, PlanOutcome};
use crate::store::history::Ending;

/// How a run ended, the worse ones later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunOutcome {
    /// Other controllers have looked at everything: nothing was left to this run, and it knows nothing.
    Elsewhere,
    /// Everything is as declared.
    InSync,
    /// Something differs and is only reported.
    Drift,
    /// A guard refused, or held something back: that was not written.
    Refused,
    /// Some of it failed or is unknown, the rest is done.
    Partly,
    /// Nothing is known.
    Unknown,
    /// Stopped on request.
    Interrupted,
}

impl RunOutcome {
    /// The outcome of a run whose plan had nothing to apply, or which applied it.
    pub fn of(plan: &Plan, report: Option<&ApplyReport>) -> Self {
        let judged = report.map(|report| report.judged(plan));
        let plan = judged.as_deref().unwrap_or(plan);
        let sum = plan.summary();
        let is_held = sum.held_back_changes > 0;
        // That nothing can be remembered is a failure, which may be over the next time.
        let is_forgotten = is_held && plan.held().any(|(_, held)| held.guard == Guard::Memory);
        let Some(report) = report else {
            return match plan.outcome() {
                PlanOutcome::InSync | PlanOutcome::Drift if is_forgotten => Self::Partly,
                PlanOutcome::InSync | PlanOutcome::Drift if is_held => Self::Refused,
                outcome => outcome.into(),
            };
        };
        match report.outcome() {
            Self::InSync if sum.unknown + sum.failed_accounts > 0 => Self::Partly,
            Self::InSync if is_forgotten || !report.awaited.is_empty() => Self::Partly,
            Self::InSync if is_held => Self::Refused,
            Self::InSync if sum.reported > 0 || !report.only_reported.is_empty() => Self::Drift,
            outcome => outcome,
        }
    }

    /// In words, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "left to others",
            Self::InSync => "in sync",
            Self::Drift => "drift",
            Self::Refused => "held back",
            Self::Partly | Self::Unknown => "partly",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<PlanOutcome> for RunOutcome {
    fn from(outcome: PlanOutcome) -> Self {
        match outcome {
            PlanOutcome::InSync => Self::InSync,
            PlanOutcome::Drift => Self::Drift,
            PlanOutcome::Partly => Self::Partly,
            PlanOutcome::Unknown => Self::Unknown,
        }
    }
}

impl ApplyReport {
    /// What came of the changes alone: all there, some, or none because a guard said no.
    pub fn outcome(&self) -> RunOutcome {
        if self.log_failure.is_some() {
            return RunOutcome::Partly;
        }
        if self.interrupted {
            return RunOutcome::Interrupted;
        }
        if self.is_complete() {
            return RunOutcome::InSync;
        }
        let is_held = |step: &Step| match step {
            Step::HeldBack { held } => held.guard != Guard::Memory,
            Step::Blocked { .. } => true,
            _ => false,
        };
        let mut steps = self.outcomes.iter().map(|one| &one.step);
        let is_only_held = self.held().next().is_some()
            && steps.all(|step| step.is_done() || is_held(step))
            && self.not_converged.is_empty()
            && self.unobserved.is_empty();
        match is_only_held {
            true => RunOutcome::Refused,
            false => RunOutcome::Partly,
        }
    }
}

impl From<RunOutcome> for Ending {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::InSync | RunOutcome::Elsewhere => Self::InSync,
            RunOutcome::Drift => Self::Drift,
            RunOutcome::Refused => Self::Refused,
            RunOutcome::Partly => Self::Partly,
            RunOutcome::Unknown => Self::Unknown,
            RunOutcome::Interrupted => Self::Interrupted,
        }
    }
}
