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
        let cause = error.source().map(|source| Box::new(Self::of(source)));
        Self { message: visible_lines(&error.to_string()), cause, help: None }
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
