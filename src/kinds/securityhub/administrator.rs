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
    let account = told("Administrator.AccountId", said.account_id())?;
    let status = told("Administrator.MemberStatus", said.member_status())?;
    Ok(manages("Administrator.MemberStatus", status, &[])?.then(|| account.to_owned()))
}

/// Whether an administrator account whose member has this status manages it: only one that is enabled does,
/// and one with a status of `also`.
/// Source: Security Hub API Reference, `Member`, `MemberStatus`; GuardDuty API Reference, `Administrator`,
/// `RelationshipStatus`, and `Member`. Their guides have the words in both cases.
pub(in crate::kinds) fn manages(
    field: &str,
    status: &str,
    also: &[&str],
) -> Result<bool, ObserveError> {
    const OTHERS: [&str; 11] = [
        "accountsuspended",
        "created",
        "deleted",
        "disabled",
        "emailverificationfailed",
        "emailverificationinprogress",
        "invited",
        "paused",
        "regiondisabled",
        "removed",
        "resigned",
    ];
    let word = status.replace('_', "").to_lowercase();
    match word.as_str() {
        "enabled" => Ok(true),
        word if also.contains(&word) => Ok(true),
        word if OTHERS.contains(&word) => Ok(false),
        _ => Err(ObserveError::UnknownValue { field: field.to_owned(), value: status.to_owned() }),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_enabled_member_is_managed_and_an_unknown_word_is_unknown() {
        for (word, wanted) in [
            ("Enabled", Some(true)),
            ("ENABLED", Some(true)),
            ("Resigned", Some(false)),
            ("Removed", Some(false)),
            ("ACCOUNT_SUSPENDED", Some(false)),
            ("Enabling", None),
            ("", None),
        ] {
            assert_eq!(manages("MemberStatus", word, &[]).ok(), wanted, "{word}");
        }
        assert_eq!(manages("relationshipStatus", "Disabled", &["disabled"]).ok(), Some(true));
    }
}
