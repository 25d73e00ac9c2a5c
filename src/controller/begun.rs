//! A run of the controller that begins.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::in_force::Shown;
use super::queue::Job;
use crate::guards::Pulled;
use crate::reconcile::Selectors;

/// A run that begins.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// What is looked at, and why.
    pub job: &'a Job,
    /// When.
    pub started: DateTime<Utc>,
    /// The version of the files that it uses.
    pub files: &'a Shown,
    /// Why the kill switch is on, if it is.
    pub pulled: Option<&'a Pulled>,
}

/// What such a run is about to look at.
#[derive(Debug, Clone, Copy)]
pub struct Looking<'a> {
    /// The run.
    pub begun: &'a Begun<'a>,
    /// The fleet file, where the files are.
    pub config: &'a Path,
    /// What is selected for it.
    pub selectors: &'a Selectors,
    /// Where somebody finds its files, if not here.
    pub checkout: Option<&'a str>,
    /// Whether the controller leaves out nothing of what is declared.
    pub is_whole: bool,
    /// Whether others take some of its accounts.
    pub is_shared: bool,
}
