//! A failure as it may be shown: file names, arguments and AWS's messages are texts of others, and
//! must not steer the reader's terminal.

use std::error::Error;
use std::fmt;

use evenkeel::visible::visible_lines;
use miette::Diagnostic;

use super::failure::Failure;

/// A message with its causes and advice, made visible.
#[derive(Debug)]
pub struct Shown {
    message: String,
    cause: Option<Box<Shown>>,
    help: Option<String>,
}

impl Shown {
    /// The failure made visible.
    pub fn new(failure: &Failure) -> Self {
        let help = failure.help().map(|help| visible_lines(&help.to_string()));
        Self { help, ..Self::of(failure) }
    }

    fn of(error: &dyn Error) -> Self {
        let message = error.to_string();
        let mut source = error.source();
        // Most messages hold that of their cause, and nobody reads it twice.
        while let Some(cause) = source.filter(|cause| message.contains(cause.to_string().trim())) {
            source = cause.source();
        }
        let cause = source.map(|cause| Box::new(Self::of(cause)));
        Self { message: visible_lines(&message), cause, help: None }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use evenkeel::aws::{AwsError, Call, ConnectError};
    use evenkeel::kinds::registry;
    use evenkeel::names::{AccountId, Region};
    use evenkeel::store::audit::AuditError;

    use super::*;

    /// A message without its cause's.
    #[derive(Debug, thiserror::Error)]
    #[error("it did not work")]
    struct Bare(#[source] AuditError);

    fn full() -> AuditError {
        let source = std::io::Error::from_raw_os_error(28);
        AuditError::Io { doing: "write", path: "audit.jsonl".into(), source }
    }

    fn lines(error: &dyn Error) -> Vec<String> {
        let shown = Shown::of(error);
        let mut lines = vec![shown.message];
        let mut cause = shown.cause;
        while let Some(one) = cause {
            lines.push(one.message);
            cause = one.cause;
        }
        lines
    }

    #[test]
    fn a_cause_that_the_message_holds_already_is_not_said_again() {
        let json = serde_json::from_str::<u32>("x").unwrap_err();
        let stranger = "12".parse::<AccountId>().unwrap_err();
        let no_answer = AwsError::malformed(
            &Region::new("eu-west-1"),
            Call::new("sts", "GetCallerIdentity"),
            "AWS did not say Account",
        );
        let misfit = registry::find("iam.role").unwrap().writes(&serde_json::json!(1)).unwrap_err();
        let failures = [
            Failure::Audit(full()),
            Failure::Audit(AuditError::Record(json)),
            Failure::Connect(ConnectError::Account(stranger)),
            Failure::Connect(ConnectError::Identity(no_answer)),
            Failure::Misfit(misfit),
        ];
        for failure in &failures {
            let lines = lines(failure);
            assert_eq!(lines.len(), 1, "{lines:#?}");
            assert_eq!(lines[0], failure.to_string());
        }
    }

    #[test]
    fn a_cause_that_says_more_is_said_once() {
        let bare = Bare(full());
        assert_eq!(lines(&bare), ["it did not work".to_owned(), full().to_string()]);
    }
}
