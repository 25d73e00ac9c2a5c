//! Why a look came to nothing, and what the reader should do next.

use std::collections::{BTreeMap, BTreeSet};

use super::super::declare::Conflict;
use super::super::event::ListenError;
use super::super::recorded::RecordedError;
use super::super::refusal::Refusal;
use crate::aws::{AwsError, ConnectError};
use crate::fleet::access::AccessError;
use crate::fleet::select::SelectError;
use crate::names::{AccountId, Region, UnknownRegion};
use crate::plan::words::counted;

/// A look that came to nothing. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// Somebody stopped it.
    #[error("interrupted; nothing was changed")]
    Stopped,
    /// Nobody knows who we are.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The fleet file's roles cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The organization could not be asked.
    #[error("cannot list the organization's accounts: {0}")]
    Organization(AwsError),
    /// The choice of accounts leaves nothing, or cannot be made.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A guard said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The snapshot cannot be read, or not be written.
    #[error(transparent)]
    Recorded(#[from] RecordedError),
    /// Targets contradict each other.
    #[error("{}", contradictions(.0))]
    Conflicts(Vec<Conflict>),
    /// Nothing is declared for the accounts.
    #[error("{}", nothing(*is_narrowed))]
    NothingDeclared {
        /// Whether only some Regions or kinds were asked for.
        is_narrowed: bool,
    },
    /// A Region was asked for, and no item holds in it.
    #[error("nothing in the baselines is declared for {region}")]
    NothingIn {
        /// The Region.
        region: Region,
    },
    /// A Region was asked for that AWS has not.
    #[error(transparent)]
    NoRegion(#[from] UnknownRegion),
    /// Somebody who listens cannot go on.
    #[error(transparent)]
    Listener(#[from] ListenError),
}

impl LookError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Stopped => String::new(),
            Self::Connect(error) => error.remedy(),
            Self::Access(error) => error.remedy().to_owned(),
            Self::Organization(error) => format!(
                "{}. Accounts are listed from the management account or a delegated administrator; [access] organizations_role_arn names a role there",
                error.remedy()
            ),
            Self::Select(error) => error.remedy().to_owned(),
            Self::Refused(refusal) => refusal.remedy().into_owned(),
            Self::Recorded(error) => error.remedy().to_owned(),
            Self::Conflicts(_) => {
                "let one target declare it, or give both the same values; an object is declared in one item only".to_owned()
            }
            Self::NothingIn { .. } => {
                "a run that looks at nothing there would look green; correct -r, or `regions` of the items and of [baseline]".to_owned()
            }
            Self::NoRegion(error) => error.remedy(),
            Self::NothingDeclared { is_narrowed: true } => {
                "a run that looks at nothing would look green; correct -r and -k".to_owned()
            }
            Self::NothingDeclared { is_narrowed: false } => {
                "a run that looks at nothing would look green; look at `when`, `mode` and `regions` of the items".to_owned()
            }
            Self::Listener(ListenError::Audit(error)) => error.remedy().to_owned(),
            Self::Listener(ListenError::Store(error)) => error.remedy().to_owned(),
            Self::Listener(_) => "look at who listens, and run again".to_owned(),
        }
    }
}

fn nothing(is_narrowed: bool) -> &'static str {
    match is_narrowed {
        true => "nothing is selected: no item that is declared is left by -r and -k",
        false => "nothing is declared for these accounts",
    }
}

/// Says once what two targets contradict each other in, however many accounts they share.
fn contradictions(conflicts: &[Conflict]) -> String {
    const NAMED: usize = 3;
    let mut accounts: BTreeMap<(&str, &str, &str), BTreeSet<&AccountId>> = BTreeMap::new();
    for conflict in conflicts {
        let key = (conflict.what.as_str(), conflict.first.as_str(), conflict.second.as_str());
        accounts.entry(key).or_default().insert(&conflict.account);
    }
    let lines: Vec<String> = accounts
        .into_iter()
        .map(|((what, first, second), accounts)| {
            let mut names: Vec<String> =
                accounts.iter().take(NAMED).map(ToString::to_string).collect();
            if accounts.len() > NAMED {
                names.push(format!("and {} more", accounts.len() - NAMED));
            }
            format!(
                "{what}, at {first} and at {second}, for {}: {}",
                counted(accounts.len(), "account"),
                names.join(", ")
            )
        })
        .collect();
    lines.join("\n")
}
