//! Reading who administers GuardDuty in the organization, and what is switched on by itself.

use std::collections::BTreeMap;

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::{AdminStatus, OrganizationFeatureConfigurationResult as Said};

use super::spec::{AutoEnable, Configuration, Feature, Spec, State};
use crate::aws::{AwsError, Call};
use crate::kinds::guardduty::detector;
use crate::kinds::organization::administrator::Administrator;
use crate::kinds::{Cx, ObserveError, known, told};
use crate::names::AccountId;

pub const LIST: Call = Call::new("guardduty", "ListOrganizationAdminAccounts");
pub const DESCRIBE: Call = Call::new("guardduty", "DescribeOrganizationConfiguration");
/// What `RUNTIME_MONITORING` was before, and tells alike.
const FORMER: &str = "EKS_RUNTIME_MONITORING";

/// Whether the administrator account is declared.
pub fn names_administrator(spec: &Spec) -> bool {
    spec.admin_account_id.is_some()
}

/// Whether something is declared of what the administrator configures.
pub fn configures(spec: &Spec) -> bool {
    spec.auto_enable_organization_members.is_some() || spec.features.is_some()
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<State, ObserveError> {
    let mut state = State::default();
    if names_administrator(spec) {
        state.administrator = Some(Administrator { account_id: administrator(cx).await? });
    }
    if !configures(spec) {
        return Ok(state);
    }
    let id = detector::id(cx).await?;
    state.has_detector = Some(id.is_some());
    // Another account's configuration is told to that account alone, and there is none without an administrator.
    let is_told =
        state.administrator.as_ref().is_none_or(|now| now.account_id.as_ref() == Some(&cx.account));
    if let Some(id) = id.filter(|_| is_told) {
        state.configuration = Some(configuration(cx, &id).await?);
    }
    // Where the account is only about to be the administrator, that is seen already; where it is to switch something
    // on, it is seen after that.
    if state.has_detector == Some(false) && is_told && !spec.switches_on() {
        return Err(ObserveError::Unclear {
            reason: "GuardDuty has no detector here, so that nobody can say what this account configures for the organization".to_owned(),
            remedy: "declare guardduty.detector with enable = true for this account and Region, too".to_owned(),
        });
    }
    Ok(state)
}

/// The administrator account, if there is one.
///
/// # Errors
/// GuardDuty did not say it, as to all but the organization's management account.
pub async fn administrator(cx: &Cx) -> Result<Option<AccountId>, ObserveError> {
    let pages = cx.client(Client::new).list_organization_admin_accounts().into_paginator().send();
    let all = cx.list(LIST, "", pages, "adminAccounts", |page| page.admin_accounts).await;
    let all = all.map_err(|error| {
        elsewhere(
            error,
            "which account administers GuardDuty for the organization is told to its management account alone",
            "declare admin_account_id for the organization's management account alone",
        )
    })?;
    let one = match all.as_slice() {
        [] => return Ok(None),
        [one] => one,
        more => {
            return Err(ObserveError::Malformed {
                field: "adminAccounts".to_owned(),
                problem: format!("a Region has one administrator, not {}", more.len()),
            });
        }
    };
    let id = told("adminAccountId", one.admin_account_id())?;
    match told("adminStatus", one.admin_status())? {
        AdminStatus::Enabled => known("adminAccountId", id).map(Some),
        AdminStatus::DisableInProgress => Err(ObserveError::Pending {
            reason: format!("GuardDuty is still taking the administrator account {id} away"),
            remedy: "run again in a few minutes".to_owned(),
        }),
        other => Err(ObserveError::UnknownValue {
            field: "adminStatus".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}

async fn configuration(cx: &Cx, detector_id: &str) -> Result<Configuration, ObserveError> {
    let request = cx.client(Client::new).describe_organization_configuration();
    let pages = request.detector_id(detector_id).into_paginator().send();
    let pages = cx.pages(DESCRIBE, detector_id, pages).await.map_err(|error| {
        elsewhere(
            error,
            "this account does not administer GuardDuty for the organization",
            "declare auto_enable_organization_members and features for the organization's GuardDuty administrator account alone",
        )
    })?;
    let mut features = BTreeMap::new();
    for said in pages.iter() {
        let said = told("features", said.features.as_ref())?;
        features.extend(said.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    }
    features.remove(FORMER);
    let first = told("autoEnableOrganizationMembers", pages.first())?;
    let members = first.auto_enable_organization_members();
    let members = told("autoEnableOrganizationMembers", members)?;
    let is_full = first.member_account_limit_reached();
    Ok(Configuration {
        auto_enable_organization_members: known("autoEnableOrganizationMembers", members.as_str())?,
        features,
        member_account_limit_reached: told("memberAccountLimitReached", is_full)?,
    })
}

fn read(said: &Said) -> Result<(String, Feature), ObserveError> {
    let mode = |said: Option<&str>| -> Result<AutoEnable, ObserveError> {
        known("features.autoEnable", told("features.autoEnable", said)?)
    };
    let name = told("features.name", said.name())?.as_str().to_owned();
    let mut additional_configuration = BTreeMap::new();
    for one in said.additional_configuration() {
        let name = told("additionalConfiguration.name", one.name())?.as_str().to_owned();
        additional_configuration.insert(name, mode(one.auto_enable().map(|one| one.as_str()))?);
    }
    let auto_enable = mode(said.auto_enable().map(|one| one.as_str()))?;
    Ok((name, Feature { auto_enable, additional_configuration }))
}

/// Whether GuardDuty does not answer an account for what it is in the organization. It has one code for everything,
/// and says "The request failed because you do not have required AWS Organization master permission".
fn elsewhere(error: AwsError, reason: &str, remedy: &str) -> ObserveError {
    let is_elsewhere = error.is_code(&["BadRequestException"])
        && error.message.to_lowercase().contains("organization");
    match is_elsewhere {
        true => ObserveError::Elsewhere {
            reason: format!("{reason} ({})", error.message),
            remedy: remedy.to_owned(),
        },
        false => error.into(),
    }
}
