//! Words of the commands about what happened: history, rollback, the audit log, notices.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use evenkeel::store::history::What;

use super::super::key::KeyPlace;
use super::{Beside, GrantArg, GuardArg, ListFormat, RiskArg};

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
    /// Sign the saved plan: env:NAME, file:PATH or kms:ARN says where the key is
    #[arg(long, value_name = "KEY", requires = "save")]
    pub sign: Option<KeyPlace>,
    /// Take only a plan that is signed with this key: env:NAME, file:PATH or kms:ARN
    #[arg(long, value_name = "KEY", requires = "plan")]
    pub verify: Option<KeyPlace>,
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
    /// Only records of this run: its id, or its beginning
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
    /// Another log whose heads are under the same prefix there, as several controllers or an earlier log
    /// have them: it is verified, too; may be repeated
    #[arg(long, value_name = "FILE", requires = "anchored")]
    pub also: Vec<PathBuf>,
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
