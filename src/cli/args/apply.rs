//! Words of the commands that write: `apply` and `run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use evenkeel::kinds::GrantClass;
use evenkeel::plan::Guard;

use super::super::key::KeyPlace;
use super::Selectors;

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
