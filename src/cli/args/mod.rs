//! The command line's words. What they mean is in the commands' own files.

mod apply;
mod files;
mod guards;
mod history;
mod plan;
mod shared;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use evenkeel::fleet::shard::Shard;

pub use apply::{ApplyArgs, GrantArg, GuardArg, RiskArg, RunArgs};
pub use files::{
    CompletionsArgs, DeployArgs, DeployForm, DeployPart, ExplainArgs, InitArgs, PolicyArgs,
    PolicyFormat, PolicyMode, SchemaArgs, SchemaOf, ValidateArgs,
};
pub use guards::{
    ConfirmArgs, ReleaseArgs, RolloutArgs, RolloutCommand, RolloutResumeArgs, RolloutTargetArgs,
    StatusArgs,
};
pub use history::{
    AuditArgs, AuditCommand, AuditExportArgs, AuditVerifyArgs, HistoryArgs, LogToRead, NotifyArgs,
    NotifyCommand, NotifyTestArgs, RollbackArgs, ShowArgs,
};
pub use plan::{CheckArgs, ExportArgs, Format, MergeReportsArgs, Output, PlanArgs, SnapshotArgs};
pub use shared::{Beside, ListFormat};

/// Keeps AWS accounts in the security state that your TOML files declare.
#[derive(Debug, Parser)]
#[command(name = "evenkeel", version = evenkeel::names::VERSION, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The heading of the options below in every command's help.
const GLOBAL: &str = "Options of every command";

/// What applies to every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The fleet file; without one, the target is the account of the AWS credentials
    #[arg(long, global = true, default_value = "evenkeel.toml", value_name = "FILE", help_heading = GLOBAL)]
    pub config: PathBuf,
    /// When to colour the output
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN", help_heading = GLOBAL)]
    pub color: Color,
    /// The form of the log on standard error
    #[arg(long, global = true, default_value = "text", value_name = "FORM", help_heading = GLOBAL)]
    pub log_format: LogFormat,
    /// Say more; twice for the details of every step
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub verbose: u8,
    /// Say only what was asked for, and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    pub quiet: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a starter repository: fleet file, baselines, CI workflow; never overwrites
    Init(InitArgs),
    /// Check baselines and the fleet file, offline and without credentials
    Validate(ValidateArgs),
    /// Show what would change, and why; writes nothing
    Plan(PlanArgs),
    /// Show the plan, ask, do it, and verify it: exit code 0 when nothing is left, 2 when findings that
    /// are only reported stay open
    Apply(ApplyArgs),
    /// Report drift: exit code 0 when there is none, 2 when there is some
    Check(CheckArgs),
    /// Record the observed state of the selected targets, for plans without credentials
    Snapshot(SnapshotArgs),
    /// Write the present state of an account as a baseline
    Export(ExportArgs),
    /// Put the plans of shards together
    MergeReports(MergeReportsArgs),
    /// The controller: reconcile on a schedule, as the modes allow
    Run(RunArgs),
    /// How everything stands, in one screen: exit code 0 when all is as declared and seen, 2 when there is
    /// drift, 3 when a guard holds something back, 4 when something is not seen, failed or does not work
    Status(StatusArgs),
    /// Let `run` apply a target that was never applied before
    Confirm(ConfirmArgs),
    /// Let an object be written again that a fight or a hold holds back; without one, list them
    Release(ReleaseArgs),
    /// How far a new version of the baselines is in its waves; go on after a halt; give it up
    Rollout(RolloutArgs),
    /// What happened to objects: drift, and what was done about it, the latest first
    History(HistoryArgs),
    /// One run with its changes
    Show(ShowArgs),
    /// Put back what a run did: show the plan, ask, do it, and verify it
    Rollback(RollbackArgs),
    /// Look after the log of every write
    Audit(AuditArgs),
    /// Look after the channels of notices
    Notify(NotifyArgs),
    /// What a kind is: fields, ranges, risks, permissions, compliance items
    Explain(ExplainArgs),
    /// The least-privilege IAM policy for exactly this baseline
    Policy(PolicyArgs),
    /// Templates of what evenkeel itself needs in AWS: queue of events, roles, event rules
    Deploy(DeployArgs),
    /// JSON Schema of baseline and fleet files, for editors
    Schema(SchemaArgs),
    /// Completions for a shell
    Completions(CompletionsArgs),
    /// The manual page
    Man,
}

/// Which baselines, accounts, Regions and kinds.
#[derive(Debug, Clone, Default, Args)]
pub struct Selectors {
    /// A baseline file, instead of the fleet file's targets, for the account of the credentials or
    /// those of -a; may be repeated
    #[arg(short, long, value_name = "FILE")]
    pub baseline: Vec<PathBuf>,
    /// Only this target of the fleet file; may be repeated
    #[arg(short, long, value_name = "TARGET")]
    pub target: Vec<String>,
    /// Only this account (12 digits); may be repeated
    #[arg(short, long, value_name = "ACCOUNT")]
    pub account: Vec<String>,
    /// Only this Region; may be repeated
    #[arg(short, long, value_name = "REGION")]
    pub region: Vec<String>,
    /// Only this kind, such as iam.password_policy, or a service, such as iam; may be repeated
    #[arg(short, long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only a part of the accounts: 3/8 is the third of eight; an account keeps its shard
    #[arg(long, value_name = "N/M")]
    pub shard: Option<Shard>,
    /// With -b: write also to accounts that no target of the fleet file selects, or that `except`
    /// names; without it, they are only reported
    #[arg(long, requires = "baseline")]
    pub outside_fleet: bool,
}

impl Selectors {
    /// As the library takes them.
    pub fn plain(&self) -> evenkeel::reconcile::Selectors {
        evenkeel::reconcile::Selectors {
            baselines: self.baseline.clone(),
            targets: self.target.clone(),
            accounts: self.account.clone(),
            regions: self.region.clone(),
            kinds: self.kind.clone(),
            shard: self.shard,
            outside_fleet: self.outside_fleet,
        }
    }
}
