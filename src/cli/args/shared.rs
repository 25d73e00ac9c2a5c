//! Words that several commands take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where what is remembered is, without a store.
#[derive(Debug, Clone, Default, Args)]
pub struct Beside {
    /// The audit log, beside which is kept what is remembered where the fleet file names no store
    #[arg(long, value_name = "FILE", env = "EVENKEEL_AUDIT_LOG")]
    pub audit_log: Option<PathBuf>,
}

/// The forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}
