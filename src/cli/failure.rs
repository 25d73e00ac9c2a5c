//! Why a command failed, what the reader should do next, and which exit code that is.

use std::path::{Path, PathBuf};

use evenkeel::aws::ConnectError;
use evenkeel::aws::mac::MacError;
use evenkeel::fleet::access::AccessError;
use evenkeel::kinds::erased::Misfit;
use evenkeel::names::InvalidName;
use evenkeel::reconcile::recorded::RecordedError;
use evenkeel::reconcile::{ListenError, LookError, Refusal, RunError};
use evenkeel::store::StoreError;
use evenkeel::store::audit::AuditError;
use miette::Diagnostic;

use super::exit::Exit;

/// A command's failure.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Somebody stopped it before anything was written.
    #[error("interrupted; nothing was changed")]
    Interrupted,
    /// The file system refused.
    #[error("cannot {doing} {}: {why}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// No way into an account.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// KMS does not sign, or check a signature.
    #[error("cannot use the key of the signature: {0}")]
    Mac(MacError),
    /// A guard said no.
    #[error("refused: {refusal}")]
    Refused {
        /// Why.
        refusal: Box<Refusal>,
        /// The command line that is not refused for this reason.
        next: Option<String>,
    },
    /// The audit log failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name on the command line is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A stored thing does not fit its kind.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The files declare nothing usable; the problems have been printed.
    #[error("{said}")]
    Declared {
        /// How many there are.
        said: String,
    },
    /// Something else that the reader can mend.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
        /// The command line to run next.
        next: Option<String>,
    },
}

// Not by `#[from]`: the message says it all, and a source would be printed again below it.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal: Box::new(refusal), next: None }
    }
}

impl From<MacError> for Failure {
    fn from(error: MacError) -> Self {
        match error {
            MacError::Connect(error) => Self::Connect(error),
            error @ MacError::Refused { .. } => Self::Mac(error),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::usage(error.to_string(), error.remedy())
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Stopped => Self::Interrupted,
            LookError::Connect(error) => Self::Connect(error),
            LookError::Refused(refusal) => refusal.into(),
            LookError::Recorded(RecordedError::File { doing, path, why }) => {
                Self::File { doing, path, why }
            }
            LookError::Listener(ListenError::Audit(error)) => Self::Audit(error),
            other => Self::usage(other.to_string(), other.remedy()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Look(error) => error.into(),
            RunError::Refused(refusal) => refusal.into(),
            RunError::Listener(error) => LookError::from(error).into(),
        }
    }
}

impl Failure {
    /// A file-system failure.
    pub fn file(doing: &'static str, path: &Path, why: std::io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), why }
    }

    /// A mistake with a remedy.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into(), next: None }
    }

    /// With the command line that does not have this mistake.
    #[must_use]
    pub fn with_next(self, line: String) -> Self {
        match self {
            Self::Usage { message, help, .. } => Self::Usage { message, help, next: Some(line) },
            other => other,
        }
    }

    /// Says with which command line a refusal would not be one, where options help.
    #[must_use]
    pub fn or_with(self, line: impl FnOnce(&[(&'static str, Option<String>)]) -> String) -> Self {
        match self {
            Self::Refused { refusal, next: None } => {
                let options = refusal.options();
                let next = (!options.is_empty()).then(|| line(&options));
                Self::Refused { refusal, next }
            }
            other => other,
        }
    }

    /// The command line to run next, if there is one. It is not part of the help, which is broken
    /// into lines.
    pub fn next(&self) -> Option<&str> {
        match self {
            Self::Refused { next, .. } | Self::Usage { next, .. } => next.as_deref(),
            _ => None,
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. }
            | Self::Audit(AuditError::Held { .. })
            | Self::Store(StoreError::Held { .. }) => Exit::Refused,
            Self::Interrupted => Exit::Interrupted,
            _ => Exit::Error,
        }
    }
}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::Connect(error) => Some(Box::new(error.remedy())),
            Self::Mac(error) => Some(Box::new(error.remedy())),
            Self::Refused { refusal, .. } => Some(Box::new(refusal.remedy())),
            Self::Audit(error) => Some(Box::new(error.remedy())),
            Self::Store(error) => Some(Box::new(error.remedy())),
            Self::Usage { help, .. } => Some(Box::new(help)),
            Self::File { .. }
            | Self::Name(_)
            | Self::Misfit(_)
            | Self::Declared { .. }
            | Self::Interrupted => None,
        }
    }
}
