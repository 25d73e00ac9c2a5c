//! The ways into accounts.

use std::sync::Arc;

use super::Wanted;
use crate::aws::role::SESSION_POLICY_LIMIT;
use crate::aws::{ConnectError, Session};
use crate::baseline::UNKNOWN_FACTS;
use crate::fleet::access::{AccessError, Roles};
use crate::fleet::jobs::Job;
use crate::kinds::{Arns, registry};
use crate::names::AccountId;
use crate::permissions::Permissions;
use crate::plan::Mode;

/// The ways into accounts.
pub struct Ways {
    /// Our own credentials.
    pub own: Arc<Session>,
    /// The roles in other accounts, if the fleet file names some.
    pub roles: Option<Roles>,
}

/// Why there is no way into an account.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWay {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("the credentials belong to account {actual}, not to {wanted}")]
    WrongAccount { wanted: AccountId, actual: AccountId },
    #[error(
        "[access] role_arn leads into account {actual}, and not into the account that it is for"
    )]
    RoleElsewhere { actual: AccountId },
    #[error("the account had not said what is to be looked at within {0} seconds")]
    Late(u64),
    #[error("evenkeel itself failed while it looked at this account")]
    Defect,
}

impl NoWay {
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Connect(error) => error.remedy(),
            Self::Access(error) => error.remedy().to_owned(),
            Self::WrongAccount { .. } => {
                "use the credentials of the right account, or add [access] role_arn to the fleet file".to_owned()
            }
            Self::RoleElsewhere { .. } => {
                "let it name each account's own role: arn:${partition}:iam::${account.id}:role/NAME".to_owned()
            }
            Self::Late(_) => {
                "run again for this account alone (-a), or allow more with [limits] account_timeout_seconds".to_owned()
            }
            Self::Defect => {
                "this is a defect of evenkeel: report it with the lines that begin with \"thread\"".to_owned()
            }
        }
    }
}

/// The way into an account: our own credentials, or the fleet file's role.
pub(super) async fn open(
    job: &Job,
    wanted: &Wanted,
    ways: &Ways,
    narrowed: bool,
) -> Result<Arc<Session>, NoWay> {
    let account = &job.account.id;
    let own = &ways.own;
    if account == own.account() {
        return Ok(Arc::clone(own));
    }
    let roles = ways.roles.as_ref().ok_or_else(|| NoWay::WrongAccount {
        wanted: account.clone(),
        actual: own.account().clone(),
    })?;
    let policy = session_policy(job, wanted, own.partition(), roles, narrowed);
    let role = roles.role(account, own.partition(), policy)?;
    let session = Arc::new(own.assume(&role).await?);
    if session.account() == account {
        return Ok(session);
    }
    Err(NoWay::RoleElsewhere { actual: session.account().clone() })
}

/// A policy that lets a session do what the account's targets need, and write nothing when it is
/// to be narrowed. What may write and does not fit into AWS's limit is left to the role's own policy.
fn session_policy(
    job: &Job,
    wanted: &Wanted,
    partition: &str,
    roles: &Roles,
    narrowed: bool,
) -> Option<String> {
    if wanted.puts_back && !narrowed {
        return None;
    }
    let account = job.account.id.as_str();
    let arns = Arns::of(partition, account).with_unknown(UNKNOWN_FACTS);
    let mut permissions =
        Permissions { own_role: roles.own_role(account, partition).ok(), ..Permissions::default() };
    let targets = job.targets.iter().map(|target| (&wanted.targets[*target], !narrowed));
    // What is only compared with is never written.
    let before = job.before.iter().chain(&job.beside_before.targets);
    let before = before.map(|target| (&wanted.before[*target], false));
    let beside = job.beside.targets.iter().map(|target| (&wanted.targets[*target], false));
    for (target, writes) in targets.chain(before).chain(beside) {
        for item in target.baseline.resolve_for_anyone(partition, Some(account)) {
            let Some(kind) = registry::find(&item.item.kind) else { continue };
            let mode = if writes { item.mode.min(target.ceiling) } else { Mode::Report };
            // A spec that does not fit needs no permission: it is unknown from the start.
            let _ = permissions.add(kind, &item.spec, mode, &arns);
        }
    }
    match narrowed {
        true => Some(permissions.read_only(SESSION_POLICY_LIMIT)),
        false => permissions.whole(SESSION_POLICY_LIMIT),
    }
}
