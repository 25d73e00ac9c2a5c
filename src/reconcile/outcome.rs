//! What a run means, in one word.

use super::report::{ApplyReport, Step};
use crate::plan::{Plan, PlanOutcome};

/// How a run ended, the worse ones later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunOutcome {
    /// Everything is as declared.
    InSync,
    /// Something differs and is only reported.
    Drift,
    /// A guard refused; nothing was written.
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
        let Some(report) = report else { return plan.outcome().into() };
        let sum = plan.summary();
        match report.outcome() {
            Self::InSync if sum.unknown + sum.failed_accounts > 0 => Self::Partly,
            Self::InSync if sum.reported > 0 || !report.only_reported.is_empty() => Self::Drift,
            outcome => outcome,
        }
    }

    /// In words, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Drift => "drift",
            Self::Refused => "refused",
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
        let is_refused = |step: &Step| matches!(step, Step::Refused { .. });
        match self.refused.is_some() && self.outcomes.iter().all(|one| is_refused(&one.step)) {
            true => RunOutcome::Refused,
            false => RunOutcome::Partly,
        }
    }
}
