//! The account that manages Security Hub in this one.

use aws_sdk_securityhub::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::{Cx, Object, ObserveError, told};

pub const GET: Call = Call::new("securityhub", "GetAdministratorAccount");

/// What to do in an account that a Security Hub administrator account manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnderAdministrator {
    /// Report what differs and leave it to the administrator.
    #[default]
    Report,
    /// Change it: the organization's configuration is local, and each account has its own settings.
    Enforce,
}

/// The administrator's account; `None` for an account on its own, and for an administrator itself.
///
/// Whether the administrator decides the settings (central configuration) or leaves them to the account
/// (local configuration), it alone can see (Security Hub User Guide, "Understanding central
/// configuration"): that is declared with [`UnderAdministrator`].
pub async fn of(cx: &Cx) -> Result<Option<String>, ObserveError> {
    let request = cx.client(Client::new).get_administrator_account();
    let answer = cx.read(GET, "", request.send()).await?;
    let Some(said) = answer.administrator() else { return Ok(None) };
    if said.account_id().is_none()
        && said.member_status().is_none()
        && said.invitation_id().is_none()
    {
        return Ok(None);
    }
    told("Administrator.AccountId", said.account_id()).map(|id| Some(id.to_owned()))
}

/// The object as the administrator's, unless the account keeps its own settings.
pub fn govern<S>(
    object: Object<S>,
    administrator: Option<&str>,
    under: Option<UnderAdministrator>,
) -> Object<S> {
    match administrator {
        Some(account) if under.unwrap_or_default() == UnderAdministrator::Report => {
            object.managed_by(format!("the Security Hub administrator account {account}"))
        }
        _ => object,
    }
}
