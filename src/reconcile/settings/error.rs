//! Why nothing can be done with the files, and what the reader should do next.

use std::path::PathBuf;

use crate::baseline::Problems;
use crate::fleet::file::Git;
use crate::fleet::urls::without_secrets;
use crate::names::{InvalidName, UnknownRegion};

/// The files, or what is selected of them, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A kind or service that is none.
    #[error("there is no kind {name:?}")]
    NoKind {
        /// Its name.
        name: String,
    },
    /// A Region that is none.
    #[error(transparent)]
    NoRegion(#[from] UnknownRegion),
    /// An account id that is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// What is declared has errors.
    #[error("{}; nothing was looked at", counted(.0))]
    Declared(Problems),
    /// What another version declares has errors.
    #[error(
        "the files of {name}, which --compare-to names, cannot be used: {}; nothing was looked at",
        counted(problems)
    )]
    OtherVersion {
        /// The version's name.
        name: String,
        /// The errors.
        problems: Problems,
    },
    /// Nothing says what is declared.
    #[error("there is no baseline: no -b, and no fleet file {}", config.display())]
    NoBaseline {
        /// The fleet file that is not there.
        config: PathBuf,
    },
    /// Targets of the fleet file, and baselines in their place.
    #[error("-t chooses a target of the fleet file, and -b replaces its baselines")]
    Both,
    /// A target that is none.
    #[error("the fleet file has no target {name:?}")]
    NoTarget {
        /// Its name.
        name: String,
        /// Those that there are.
        there: Vec<String>,
    },
    /// The fleet file has no target.
    #[error("no target is left: the selectors exclude everything")]
    NothingLeft,
    /// The fleet file only names the repository of the files.
    #[error(
        "this fleet file declares nothing: its [controller] git names where the controller's files are, {}",
        place(of)
    )]
    Elsewhere {
        /// The repository.
        of: Box<Git>,
    },
    /// The same, and it says besides what is taken from there alone.
    #[error(
        "[controller] git names where the files are, and this fleet file also has what does not count here: {parts}"
    )]
    SaysMore {
        /// What it says besides.
        parts: String,
        /// The repository.
        of: Box<Git>,
    },
    /// A baseline outside of the fleet file's repository.
    #[error("the target {target:?} names {}: {why}", file.display())]
    Outside {
        /// The target.
        target: String,
        /// The baseline.
        file: PathBuf,
        /// Why it is not reached.
        why: std::io::Error,
    },
    /// The schedule of targets that have none of their own is no schedule.
    #[error("--schedule is not a cron expression: {why}")]
    Schedule {
        /// Why.
        why: String,
    },
}

/// How many errors there are.
pub(crate) fn counted(problems: &Problems) -> String {
    let errors = problems.errors();
    let word = if errors == 1 { "error" } else { "errors" };
    format!("{errors} {word} in what is declared")
}

fn place(Git { url, reference, path, .. }: &Git) -> String {
    format!("{path} of {} {reference}", without_secrets(url))
}

impl SettingsError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoKind { .. } => "`evenkeel explain` lists all kinds".to_owned(),
            Self::NoRegion(error) => error.remedy(),
            Self::Name(_) => "an account id has twelve digits".to_owned(),
            Self::Declared(_) => "mend what the problems name, each with its file and line".to_owned(),
            Self::OtherVersion { .. } => {
                "the problems above are those of that version; compare with one that is right, or plan without --compare-to".to_owned()
            }
            Self::NoBaseline { .. } => {
                "name a baseline with -b, or make a starter repository with `evenkeel init`".to_owned()
            }
            Self::Both => "use one of the two".to_owned(),
            Self::NoTarget { there, .. } => format!("it has {}", there.join(", ")),
            Self::NothingLeft => {
                "a run that looks at nothing would look green; correct -a and -t".to_owned()
            }
            Self::Elsewhere { .. } => {
                "run this in a checkout of that repository, at the commit that `evenkeel status` says is in force, with the controller's audit log (EVENKEEL_AUDIT_LOG=PATH) and its store".to_owned()
            }
            Self::SaysMore { of, .. } => format!(
                "they belong into {}; the file that the controller is started with says only [controller], [store], [safety] kill_switch or kill_switch_parameter, [limits] and home_region",
                place(of)
            ),
            Self::Outside { .. } => {
                "keep the baselines of a fleet in the repository of its fleet file".to_owned()
            }
            Self::Schedule { .. } => {
                "six fields, seconds first: \"0 */15 * * * *\"".to_owned()
            }
        }
    }
}
