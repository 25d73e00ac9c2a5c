//! Why a controller cannot start, or one of its runs came to nothing.

use super::git::GitError;
use crate::names::InvalidName;
use crate::reconcile::{ListenError, LookError, Refusal, RunError, RunOutcome, SettingsError};
use crate::store::StoreError;
use crate::store::audit::AuditError;

/// A controller cannot start, or one of its runs came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The files cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The place that the files come from cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] GitError),
    /// A guard said no.
    #[error("refused: {0}")]
    Refused(Box<Refusal>),
    /// There is no plan, or somebody who listens cannot go on.
    #[error(transparent)]
    Run(RunError),
    /// The audit log failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InvalidName> for ControllerError {
    fn from(error: InvalidName) -> Self {
        Self::Settings(error.into())
    }
}

impl From<RunError> for ControllerError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Refused(refusal) | RunError::Look(LookError::Refused(refusal)) => {
                Self::Refused(Box::new(refusal))
            }
            other => Self::Run(other),
        }
    }
}

impl ControllerError {
    /// The outcome of a run that ended so: a guard said no, somebody wished it, or nothing is known.
    pub fn outcome(&self) -> RunOutcome {
        match self {
            Self::Refused(_)
            | Self::Store(StoreError::Held { .. })
            | Self::Audit(AuditError::Held { .. })
            | Self::Run(
                RunError::Listener(ListenError::Audit(AuditError::Held { .. }))
                | RunError::Look(LookError::Listener(ListenError::Audit(AuditError::Held {
                    ..
                }))),
            ) => RunOutcome::Refused,
            Self::Run(RunError::Look(LookError::Stopped)) => RunOutcome::Interrupted,
            _ => RunOutcome::Unknown,
        }
    }

    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Settings(error) => error.remedy(),
            Self::Unreachable(_) => {
                "the controller starts with the files of [controller] git alone: correct it, or let git reach it".to_owned()
            }
            Self::Refused(refusal) => refusal.remedy().into_owned(),
            Self::Run(error) => error.remedy(),
            Self::Audit(error) => error.remedy().to_owned(),
            Self::Store(error) => error.remedy().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_of_an_error_is_that_of_a_run() {
        let refused = || Refusal::NobodyToAsk;
        let held = || AuditError::Held { path: "log".into(), holder: "1".to_owned() };
        let all: [(ControllerError, RunOutcome); 7] = [
            (RunError::Refused(refused()).into(), RunOutcome::Refused),
            (RunError::Look(refused().into()).into(), RunOutcome::Refused),
            (RunError::from(held()).into(), RunOutcome::Refused),
            (held().into(), RunOutcome::Refused),
            (RunError::Look(LookError::Stopped).into(), RunOutcome::Interrupted),
            (SettingsError::NothingLeft.into(), RunOutcome::Unknown),
            (
                RunError::Look(LookError::NothingDeclared { is_narrowed: true }).into(),
                RunOutcome::Unknown,
            ),
        ];
        for (error, outcome) in all {
            assert_eq!(error.outcome(), outcome, "{error}");
            assert!(outcome == RunOutcome::Interrupted || !error.remedy().is_empty(), "{error}");
        }
    }
}
