//! Words of the commands that look: plans, checks, snapshots, exports.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::key::KeyPlace;
use super::{GrantArg, RiskArg, Selectors};

/// How a plan is printed.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// The form of the output
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
    /// Write the output to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// One document with a `format_version`.
    Json,
    /// The same, one JSON object a line: head, objects, summary.
    JsonLines,
    /// For a pull-request comment.
    Markdown,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// One HTML file.
    Html,
    /// For CI's test reports.
    Junit,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub selectors: Selectors,
    #[command(flatten)]
    pub output: Output,
    /// Save the plan, so that `apply FILE` does this and no more
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Sign the saved plan: env:NAME, file:PATH or kms:ARN says where the key is
    #[arg(long, value_name = "KEY", requires = "save")]
    pub sign: Option<KeyPlace>,
    /// Exit with code 2 when there is drift
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Report changes of a higher risk instead of planning them
    #[arg(long, value_name = "RISK")]
    pub max_risk: Option<RiskArg>,
    /// Also plan changes that give rights to other accounts, to everybody, or over everything;
    /// may be repeated
    #[arg(long, value_name = "CLASS")]
    pub allow_grants: Vec<GrantArg>,
    /// Plan from a snapshot instead of AWS; needs no credentials
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub snapshot: Option<PathBuf>,
    /// Refuse a snapshot that is older than this
    #[arg(long, value_name = "HOURS", requires = "snapshot")]
    pub max_age: Option<u32>,
    /// Separate what a change of the baselines does from what had drifted: a git ref or a folder
    #[arg(long, value_name = "DIR_OR_GIT_REF")]
    pub compare_to: Option<String>,
}

/// `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    #[command(flatten)]
    pub selectors: Selectors,
    /// The file
    #[arg(long, value_name = "FILE", default_value = "evenkeel.snapshot")]
    pub out: PathBuf,
}

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The account (12 digits), by default that of the AWS credentials
    #[arg(short, long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Only this Region; may be repeated; all enabled ones by default
    #[arg(short, long, value_name = "REGION")]
    pub region: Vec<String>,
    /// Only this kind or service; may be repeated
    #[arg(short, long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Write the baseline to a file instead of standard output; never over one that is there
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over the file
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// `merge-reports`.
#[derive(Debug, Args)]
pub struct MergeReportsArgs {
    /// Plans of different shards, from `plan --format json` or `plan --save`
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
    #[command(flatten)]
    pub output: Output,
    /// Save the whole, so that `apply FILE` does this and no more
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Take only reports that are signed with this key: env:NAME, file:PATH or kms:ARN
    #[arg(long, value_name = "KEY")]
    pub verify: Option<KeyPlace>,
    /// Sign the saved whole: env:NAME, file:PATH or kms:ARN says where the key is
    #[arg(long, value_name = "KEY", requires = "save")]
    pub sign: Option<KeyPlace>,
    /// Exit with code 2 when there is drift
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub selectors: Selectors,
    #[command(flatten)]
    pub output: Output,
    /// Tell the channels of the fleet file ([notify]) what is seen
    #[arg(long)]
    pub notify: bool,
}
