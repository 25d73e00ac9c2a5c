//! Reading who administers Security Hub in the organization, and what is configured.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::operation::describe_organization_configuration::DescribeOrganizationConfigurationOutput as Said;
use aws_sdk_securityhub::types::{AdminStatus, OrganizationConfiguration};

use super::spec::{Configuration, ConfigurationType, Settings, Spec, State};
use crate::aws::{AwsError, Call};
use crate::kinds::organization::administrator::Administrator;
use crate::kinds::securityhub::is_off;
use crate::kinds::{Cx, Object, ObserveError, known, told};
use crate::names::AccountId;

pub const LIST: Call = Call::new("securityhub", "ListOrganizationAdminAccounts");
pub const DESCRIBE: Call = Call::new("securityhub", "DescribeOrganizationConfiguration");

/// Whether the administrator account is declared.
pub fn names_administrator(spec: &Spec) -> bool {
    spec.admin_account_id.is_some()
}

/// Whether something is declared of what the administrator configures.
pub fn configures(spec: &Spec) -> bool {
    spec.auto_enable.is_some()
        || spec.auto_enable_standards.is_some()
        || spec.configuration_type.is_some()
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Object<State>, ObserveError> {
    let mut state = State::default();
    if names_administrator(spec) {
        state.administrator = Some(Administrator { account_id: administrator(cx).await? });
    }
    // Another account's configuration is told to that account alone, and there is none without an administrator.
    let is_told = |now: &Administrator| now.account_id.as_ref() == Some(&cx.account);
    if !configures(spec) || !state.administrator.as_ref().is_none_or(is_told) {
        return Ok(Object::present("", state));
    }
    let Some((configuration, is_of_policies)) = configuration(cx).await? else {
        // Where the account is to switch something on, it is seen after that.
        if Settings::FIRST.with(spec) == Settings::FIRST {
            return Err(ObserveError::Unclear {
                reason: "Security Hub is off here, so that nobody can say what this account configures for the organization".to_owned(),
                remedy: "declare securityhub.hub with enabled = true for this account and Region, too".to_owned(),
            });
        }
        return Ok(Object::present("", state));
    };
    state.configuration = Some(configuration);
    let object = Object::present("", state);
    Ok(match is_of_policies {
        true => object.managed_by("Security Hub policies of AWS Organizations"),
        false => object,
    })
}

/// The administrator account, if there is one.
///
/// # Errors
/// Security Hub did not say it, as to all but the organization's management account.
pub async fn administrator(cx: &Cx) -> Result<Option<AccountId>, ObserveError> {
    let pages = cx.client(Client::new).list_organization_admin_accounts().into_paginator().send();
    let all = cx.list(LIST, "", pages, "AdminAccounts", |page| page.admin_accounts).await;
    let all = all.map_err(|error| {
        elsewhere(
            error,
            "which account administers Security Hub for the organization is told to its management account alone",
            "declare admin_account_id for the organization's management account alone",
        )
    })?;
    let one = match all.as_slice() {
        [] => return Ok(None),
        [one] => one,
        more => {
            return Err(ObserveError::Malformed {
                field: "AdminAccounts".to_owned(),
                problem: format!("a Region has one administrator, not {}", more.len()),
            });
        }
    };
    let id = told("AdminAccounts.AccountId", one.account_id())?;
    match told("AdminAccounts.Status", one.status())? {
        AdminStatus::Enabled => known("AdminAccounts.AccountId", id).map(Some),
        AdminStatus::DisableInProgress => Err(ObserveError::Pending {
            reason: format!("Security Hub is still taking the administrator account {id} away"),
            remedy: "run again in a few minutes".to_owned(),
        }),
        other => Err(ObserveError::UnknownValue {
            field: "AdminAccounts.Status".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}

/// What is configured, and whether policies of the organization decide it; `None` where Security Hub is off.
async fn configuration(cx: &Cx) -> Result<Option<(Configuration, bool)>, ObserveError> {
    let request = cx.client(Client::new).describe_organization_configuration();
    let said = match cx.read(DESCRIBE, "", request.send()).await {
        Ok(said) => said,
        Err(error) if is_off(&error) => return Ok(None),
        Err(error) => {
            return Err(elsewhere(
                error,
                "this account does not administer Security Hub for the organization",
                "declare auto_enable, auto_enable_standards and configuration_type for the organization's Security Hub administrator account alone",
            ));
        }
    };
    read(&said).map(Some)
}

fn read(said: &Said) -> Result<(Configuration, bool), ObserveError> {
    let standards = told("AutoEnableStandards", said.auto_enable_standards())?;
    let organization = told("OrganizationConfiguration", said.organization_configuration())?;
    let of_type = told("ConfigurationType", organization.configuration_type())?;
    let settings = Settings {
        auto_enable: told("AutoEnable", said.auto_enable())?,
        auto_enable_standards: known("AutoEnableStandards", standards.as_str())?,
        configuration_type: known("ConfigurationType", of_type.as_str())?,
    };
    let (failed, is_of_policies) = status(organization, &settings)?;
    let is_full = told("MemberAccountLimitReached", said.member_account_limit_reached())?;
    let configuration = Configuration { settings, member_account_limit_reached: is_full, failed };
    Ok((configuration, is_of_policies))
}

/// Why central configuration could not be begun, and whether policies of the organization stand in its place.
fn status(
    said: &OrganizationConfiguration,
    settings: &Settings,
) -> Result<(Option<String>, bool), ObserveError> {
    let is_central = settings.configuration_type == ConfigurationType::Central;
    match told("OrganizationConfiguration.Status", said.status())?.as_str() {
        "ENABLED" => Ok((None, false)),
        "DISABLED" => Ok((None, true)),
        "FAILED" if is_central => {
            let reason = said.status_message().unwrap_or("Security Hub gives no reason");
            Ok((Some(reason.to_owned()), false))
        }
        "PENDING" => Err(ObserveError::Pending {
            reason: "Security Hub is still changing over to central configuration".to_owned(),
            remedy: "run again in a few minutes".to_owned(),
        }),
        other => Err(ObserveError::UnknownValue {
            field: "OrganizationConfiguration.Status".to_owned(),
            value: other.to_owned(),
        }),
    }
}

/// Whether Security Hub does not answer an account for what it is in the organization: it has a code of its own for
/// that, and another one where a permission is missing.
fn elsewhere(error: AwsError, reason: &str, remedy: &str) -> ObserveError {
    match error.is_code(&["InvalidAccessException"]) {
        true => ObserveError::Elsewhere {
            reason: format!("{reason} ({})", error.message),
            remedy: remedy.to_owned(),
        },
        false => error.into(),
    }
}
