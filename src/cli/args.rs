//! The command line's words. What they mean is in the commands' own files.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use evenkeel::fleet::shard::Shard;
use evenkeel::kinds::GrantClass;
use evenkeel::plan::Guard;
use evenkeel::store::history::What;

use super::key::KeyPlace;

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
    #[command(flatten)]
    pub beside: Beside,
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
    #[command(flatten)]
    pub beside: Beside,
}

/// `apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// A plan saved with `plan --save`: of what the fleet file (or -b) asks for now, exactly its
    /// changes are applied; -a takes only those of an account
    #[arg(value_name = "PLAN", conflicts_with_all = ["target", "region", "kind", "shard"])]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub selectors: Selectors,
    /// Do not ask; for CI, after a review of the plan
    #[arg(short, long)]
    pub yes: bool,
    /// Take only a plan that is signed with this key: env:NAME, file:PATH or kms:ARN
    #[arg(long, value_name = "KEY", requires = "plan")]
    pub verify: Option<KeyPlace>,
    /// Refuse a plan with more changes than this in all accounts together
    #[arg(long, value_name = "N")]
    pub max_changes: Option<usize>,
    /// Refuse a plan with more changes than this in one account
    #[arg(long, value_name = "N")]
    pub max_changes_per_account: Option<usize>,
    /// Report changes of a higher risk instead of applying them
    #[arg(long, value_name = "RISK")]
    pub max_risk: Option<RiskArg>,
    /// Also apply changes that give rights to other accounts, to everybody, or over everything;
    /// may be repeated
    #[arg(long, value_name = "CLASS")]
    pub allow_grants: Vec<GrantArg>,
    /// Write although this guard holds something back; may be repeated
    #[arg(long, value_name = "GUARD")]
    pub overrule: Vec<GuardArg>,
    /// The append-only log of every write
    #[arg(long, value_name = "FILE", env = "EVENKEEL_AUDIT_LOG")]
    pub audit_log: Option<PathBuf>,
}

/// A guard that a person can overrule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GuardArg {
    /// Write although somebody stopped all writing.
    KillSwitch,
    /// Write more changes than the day's budget has left.
    Budget,
    /// Write although too many writes failed.
    Breaker,
    /// Write although somebody changes it back.
    Fight,
    /// Write before the account's turn in a rollout.
    Wave,
    /// Write what somebody asked to be left as it is.
    Hold,
    /// Write although what guards remember cannot be read or written.
    Memory,
}

impl From<GuardArg> for Guard {
    fn from(guard: GuardArg) -> Self {
        match guard {
            GuardArg::KillSwitch => Self::KillSwitch,
            GuardArg::Budget => Self::Budget,
            GuardArg::Breaker => Self::Breaker,
            GuardArg::Fight => Self::Fight,
            GuardArg::Wave => Self::Wave,
            GuardArg::Hold => Self::Hold,
            GuardArg::Memory => Self::Memory,
        }
    }
}

/// Where what is remembered is, without a store.
#[derive(Debug, Clone, Default, Args)]
pub struct Beside {
    /// The audit log, beside which is kept what is remembered where the fleet file names no store
    #[arg(long, value_name = "FILE", env = "EVENKEEL_AUDIT_LOG")]
    pub audit_log: Option<PathBuf>,
}

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only ask the running controller whether it is alive: exit code 0 when it is, 1 when it is not.
    /// For health checks of containers without a shell
    #[arg(long, conflicts_with = "format")]
    pub alive: bool,
    /// The controller to ask, such as `https://evenkeel.example.com:9464`; the one of this machine that the
    /// fleet file names by default
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The authorities whose certificates are trusted, in PEM form; without it, the controller of this
    /// machine must show the certificate that the fleet file names
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name that the controller's certificate must have, where that is another one than in the URL
    #[arg(long, value_name = "NAME", requires = "ca")]
    pub server_name: Option<String>,
    /// The certificate to show to a controller that asks for one, in PEM form
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its key, which nobody else may read
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// The form of the output
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: ListFormat,
    #[command(flatten)]
    pub beside: Beside,
}

/// `confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The targets of the fleet file
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub beside: Beside,
}

/// `release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// The objects, as plans name them: ACCOUNT/REGION/ITEM/ID
    #[arg(value_name = "OBJECT")]
    pub objects: Vec<String>,
    #[command(flatten)]
    pub beside: Beside,
}

/// `rollout`.
#[derive(Debug, Args)]
pub struct RolloutArgs {
    /// What to do
    #[command(subcommand)]
    pub command: RolloutCommand,
}

/// What can be done with a rollout.
#[derive(Debug, Subcommand)]
pub enum RolloutCommand {
    /// How far each target is
    Status(RolloutStatusArgs),
    /// Go on after a halt
    Resume(RolloutResumeArgs),
    /// Give the version up: what it says anew is written nowhere any more
    Abort(RolloutTargetArgs),
}

/// `rollout status`.
#[derive(Debug, Args)]
pub struct RolloutStatusArgs {
    /// As what to print it
    #[arg(long, value_enum, default_value = "text")]
    pub format: LogFormat,
    #[command(flatten)]
    pub beside: Beside,
}

/// `rollout resume`.
#[derive(Debug, Args)]
pub struct RolloutResumeArgs {
    /// Also a version that was given up with `rollout abort`: it goes out again
    #[arg(long)]
    pub given_up: bool,
    #[command(flatten)]
    pub of: RolloutTargetArgs,
}

/// `rollout resume` and `rollout abort`.
#[derive(Debug, Args)]
pub struct RolloutTargetArgs {
    /// The targets; all that have a rollout when none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub beside: Beside,
}

/// A class of rises of privileges on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GrantArg {
    /// Rights for somebody in another account.
    Foreign,
    /// Rights for everybody.
    Public,
    /// Rights over everything.
    Administrator,
}

impl From<GrantArg> for GrantClass {
    fn from(class: GrantArg) -> Self {
        match class {
            GrantArg::Foreign => Self::Foreign,
            GrantArg::Public => Self::Public,
            GrantArg::Administrator => Self::Administrator,
        }
    }
}

/// A risk on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RiskArg {
    /// Nothing that works stops working.
    Safe,
    /// Something may stop working until it is put right.
    Disruptive,
    /// Something is lost for good.
    Destructive,
}

impl From<RiskArg> for evenkeel::kinds::Risk {
    fn from(risk: RiskArg) -> Self {
        match risk {
            RiskArg::Safe => Self::Safe,
            RiskArg::Disruptive => Self::Disruptive,
            RiskArg::Destructive => Self::Destructive,
        }
    }
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub selectors: Selectors,
    /// Reconcile every target once, now, and stop
    #[arg(long)]
    pub once: bool,
    /// When to reconcile targets that have no schedule of their own: cron with seconds
    #[arg(long, value_name = "CRON", default_value = "0 */15 * * * *")]
    pub schedule: String,
    /// The append-only log of every write
    #[arg(long, value_name = "FILE", env = "EVENKEEL_AUDIT_LOG")]
    pub audit_log: Option<PathBuf>,
}

/// `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only of this account (12 digits)
    #[arg(short, long, value_name = "ACCOUNT", conflicts_with = "runs")]
    pub account: Option<String>,
    /// Only of this kind, such as iam.password_policy
    #[arg(short, long, value_name = "KIND", conflicts_with = "runs")]
    pub kind: Option<String>,
    /// Only of this item, such as cloudtrail.trail.audit
    #[arg(short, long, value_name = "ITEM", conflicts_with = "runs")]
    pub item: Option<String>,
    /// Only what happened since: 24h, 7d, 2026-11-01 or 2026-11-01T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    pub since: Option<Since>,
    /// Only this
    #[arg(long, value_name = "OUTCOME", conflicts_with = "runs")]
    pub outcome: Option<OutcomeArg>,
    /// So many at most; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// List runs, not what happened to objects
    #[arg(long)]
    pub runs: bool,
    /// The form of the output
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: ListFormat,
    #[command(flatten)]
    pub beside: Beside,
}

/// The forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// What happened, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutcomeArg {
    /// Changes that AWS accepted.
    Applied,
    /// Changes that were tried in vain.
    Failed,
    /// Changes that AWS refused or did not answer, and that were there all the same.
    Found,
    /// Changes in which a run died, and that a later one looked at.
    Recovered,
    /// Changes of which nobody knows.
    Unfinished,
    /// Objects that were first seen to be not as declared.
    Drift,
    /// Objects that were seen to be as declared again.
    Resolved,
}

impl From<OutcomeArg> for What {
    fn from(outcome: OutcomeArg) -> Self {
        match outcome {
            OutcomeArg::Applied => Self::Applied,
            OutcomeArg::Failed => Self::Failed,
            OutcomeArg::Found => Self::Found,
            OutcomeArg::Recovered => Self::Recovered,
            OutcomeArg::Unfinished => Self::Unfinished,
            OutcomeArg::Drift => Self::Drift,
            OutcomeArg::Resolved => Self::Resolved,
        }
    }
}

/// A time in the past: an age, a day or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(pub DateTime<Utc>);

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "an age such as 24h or 7d, a day such as 2026-11-01, or a moment such as 2026-11-01T12:00:00Z".to_owned()
        };
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(moment.to_utc()));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self(day.and_time(NaiveTime::MIN).and_utc()));
        }
        let (number, unit) =
            text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let age = match unit {
            "m" => TimeDelta::try_minutes(number),
            "h" => TimeDelta::try_hours(number),
            "d" => TimeDelta::try_days(number),
            "w" => TimeDelta::try_weeks(number),
            _ => None,
        };
        let since = age.filter(|_| number >= 0).and_then(|age| Utc::now().checked_sub_signed(age));
        since.map(Self).ok_or_else(wrong)
    }
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run's id, or its beginning
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The form of the output
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: ListFormat,
    #[command(flatten)]
    pub beside: Beside,
}

/// `rollback`.
#[derive(Debug, Clone, Args)]
pub struct RollbackArgs {
    /// The run's id, or its beginning
    #[arg(value_name = "RUN")]
    pub run: String,
    /// A plan saved with `rollback RUN --save`: exactly its changes are applied
    #[arg(value_name = "PLAN", conflicts_with = "save")]
    pub plan: Option<PathBuf>,
    /// Save the plan for a review, and apply nothing
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Do not ask; for CI, after a review of the plan
    #[arg(short, long, conflicts_with = "save")]
    pub yes: bool,
    /// Refuse a plan with more changes than this in all accounts together
    #[arg(long, value_name = "N")]
    pub max_changes: Option<usize>,
    /// Refuse a plan with more changes than this in one account
    #[arg(long, value_name = "N")]
    pub max_changes_per_account: Option<usize>,
    /// Report changes of a higher risk instead of applying them
    #[arg(long, value_name = "RISK")]
    pub max_risk: Option<RiskArg>,
    /// Also apply changes that give rights to other accounts, to everybody, or over everything;
    /// may be repeated
    #[arg(long, value_name = "CLASS")]
    pub allow_grants: Vec<GrantArg>,
    /// Write although this guard holds something back; may be repeated
    #[arg(long, value_name = "GUARD")]
    pub overrule: Vec<GuardArg>,
    /// For how many days what is put back is left as it is; 0 for not at all
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub hold_days: u32,
    /// The append-only log of every write
    #[arg(long, value_name = "FILE", env = "EVENKEEL_AUDIT_LOG")]
    pub audit_log: Option<PathBuf>,
}

/// `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// What to do
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What can be done with an audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that the log is as its runs wrote it: exit code 0 when it is, 1 when it is not
    Verify(AuditVerifyArgs),
    /// Write the log's records as JSON Lines, as they stand in it
    Export(AuditExportArgs),
}

/// The log that is read, by either of two ways to name it.
#[derive(Debug, Clone, Args)]
pub struct LogToRead {
    /// The log; the same as --audit-log
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The log; by default the fleet file's, or .evenkeel/audit.jsonl
    #[arg(long, value_name = "FILE", env = "EVENKEEL_AUDIT_LOG")]
    pub audit_log: Option<PathBuf>,
}

/// `audit export`.
#[derive(Debug, Args)]
pub struct AuditExportArgs {
    #[command(flatten)]
    pub log: LogToRead,
    /// Only records since: 24h, 7d, 2026-11-01 or 2026-11-01T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    pub since: Option<Since>,
    /// Only records of this account (12 digits)
    #[arg(short, long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Only records of this run
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Write them to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArgs {
    #[command(flatten)]
    pub log: LogToRead,
    /// The beginning of a digest that was noted elsewhere: one of its records must have it
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub head: Option<String>,
    /// Compare it with the heads in the bucket of the fleet file's [store] anchor: each of them must be
    /// one of its records
    #[arg(long)]
    pub anchored: bool,
}

/// `notify`.
#[derive(Debug, Args)]
pub struct NotifyArgs {
    /// What to do
    #[command(subcommand)]
    pub command: NotifyCommand,
}

/// What can be done with channels of notices.
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Send a test notice by a channel: exit code 0 when it was taken, 1 when it was not
    Test(NotifyTestArgs),
}

/// `notify test`.
#[derive(Debug, Args)]
pub struct NotifyTestArgs {
    /// The channel: sns.security for [notify.sns.security]
    #[arg(value_name = "CHANNEL.NAME")]
    pub channel: String,
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where
    #[arg(default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Baseline files or folders; without any, the fleet file and its baselines, or baselines/
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print the effective baseline with the file and line that each value came from
    #[arg(long)]
    pub expanded: bool,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A kind, or one of its fields: iam.password_policy.max_password_age; none lists all kinds
    #[arg(value_name = "KIND[.FIELD]")]
    pub subject: Option<String>,
}

/// `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    pub selectors: Selectors,
    /// Whether evenkeel may write
    #[arg(long, value_name = "MODE")]
    pub mode: PolicyMode,
    /// The form of the policy
    #[arg(long, default_value = "json", value_name = "FORMAT")]
    pub format: PolicyFormat,
    #[command(flatten)]
    pub bounds: Bounds,
}

/// What the permissions of evenkeel's role never let it do.
#[derive(Debug, Clone, Args)]
pub struct Bounds {
    /// The ARN of the role that evenkeel runs as, which the permissions deny it to change; by default
    /// the role_arn of the fleet file
    #[arg(long, value_name = "ARN")]
    pub own_role: Option<String>,
    /// Allow roles to be made, and their rights to be changed, only with this permissions boundary
    #[arg(long, value_name = "ARN")]
    pub permissions_boundary: Option<String>,
    /// Allow also what `evenkeel rollback` needs to put back what was there: deletions of what
    /// evenkeel made, and writes that are not declared
    #[arg(long)]
    pub with_rollback: bool,
}

/// What evenkeel may do with the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyMode {
    /// Read.
    Report,
    /// Read, and write what items in mode "enforce" need.
    Enforce,
}

/// The forms of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyFormat {
    /// The policy document.
    Json,
    /// A Terraform resource.
    Terraform,
    /// A CloudFormation template.
    Cloudformation,
}

/// `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The form of the template
    #[arg(value_name = "FORM")]
    pub form: DeployForm,
    /// Which part of a deployment
    #[arg(value_name = "PART")]
    pub part: DeployPart,
    #[command(flatten)]
    pub selectors: Selectors,
    /// Whether evenkeel may write (part member-role)
    #[arg(long, value_name = "MODE", required_if_eq("part", "member-role"))]
    pub mode: Option<PolicyMode>,
    #[command(flatten)]
    pub bounds: Bounds,
    /// Write the template to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The forms of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeployForm {
    /// A CloudFormation template, in JSON; fit for StackSets.
    Cloudformation,
    /// A Terraform configuration, in JSON: save it as main.tf.json.
    Terraform,
}

/// The parts of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeployPart {
    /// Once, in the controller's account and Region: bus, queue, what the controller may do.
    Hub,
    /// Once in each account: the role that evenkeel takes.
    MemberRole,
    /// In each Region of each account: the rules that pass events on to the hub.
    MemberEvents,
}

/// `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of which file
    #[arg(default_value = "baseline", value_name = "FILE")]
    pub file: SchemaOf,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A baseline.
    Baseline,
    /// The fleet file.
    Fleet,
    /// A plan, as `--format json` prints it.
    Plan,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// The beginning of a digest that is long enough to be one record's alone.
fn digest(text: &str) -> Result<String, String> {
    const SHORTEST: usize = 16;
    let is_digest = text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_digest {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "a digest, or its first {SHORTEST} hexadecimal digits and more, as apply and `audit verify` print it"
        )),
    }
}
