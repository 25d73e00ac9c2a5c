//! What an account may have of its organization, and who administers a service there.

pub mod administrator;

use aws_sdk_organizations::Client;

use crate::aws::Call;
use crate::kinds::{Allowed, Arns, Cx, ObserveError, told};
use crate::names::AccountId;

pub const DESCRIBE: Call = Call::new("organizations", "DescribeOrganization");
pub const DELEGATED: Call = Call::new("organizations", "ListDelegatedAdministrators");

/// What an organization can have: by the service whose delegated administrator may make it.
pub struct OfOrganization {
    /// The service, such as `access-analyzer.amazonaws.com`.
    pub service: &'static str,
    /// What it is: "analyzer".
    pub thing: &'static str,
    /// What can be declared in an account that is in no organization.
    pub instead: &'static str,
}

/// Says who may make something of the organization where this account may not, or is not seen to.
///
/// AWS takes it in the management account and in the service's delegated administrator (IAM User Guide,
/// "Delegated administrator for IAM Access Analyzer"; AWS Config API Reference,
/// `PutConfigurationAggregator`). Administrators are told to these accounts alone.
pub async fn may_make(cx: &Cx, wanted: &OfOrganization) -> Result<(), ObserveError> {
    let OfOrganization { service, thing, instead } = wanted;
    let cx = cx.in_region(cx.home_region.clone());
    let client = cx.client(Client::new);
    let answer = cx.read(DESCRIBE, "", client.describe_organization().send()).await;
    let answer = match answer {
        Err(error) if error.is_code(&["AWSOrganizationsNotInUseException"]) => {
            return Err(ObserveError::Unclear {
                reason: format!(
                    "this account is in no organization, so that no {thing} can be made of it"
                ),
                remedy: (*instead).to_owned(),
            });
        }
        answer => answer?,
    };
    let organization = told("Organization", answer.organization())?;
    let management = told("MasterAccountId", organization.master_account_id())?;
    if management == cx.account.as_str() {
        return Ok(());
    }
    let elsewhere = || {
        format!(
            "declare it for the management account {management}, or for the delegated administrator of {service}"
        )
    };
    let pages = client.list_delegated_administrators().service_principal(*service);
    let pages = pages.into_paginator().send();
    let list = cx
        .list(DELEGATED, service, pages, "DelegatedAdministrators", |page| {
            page.delegated_administrators
        })
        .await
        .map_err(|error| ObserveError::Refused {
            what: format!("whether this account may have an {thing} of the organization"),
            error,
            remedy: format!(
                "{}; where this account is that administrator, let evenkeel call organizations:ListDelegatedAdministrators there",
                elsewhere()
            ),
        })?;
    if list.iter().any(|one| one.id() == Some(cx.account.as_str())) {
        return Ok(());
    }
    Err(ObserveError::Unclear {
        reason: format!("AWS makes no {thing} of the organization in this account"),
        remedy: elsewhere(),
    })
}

/// How a service may become a trusted one of the organization: by the condition, for there is no resource.
pub fn trusts(service: &str) -> Vec<Allowed> {
    Allowed::everywhere()
        .when("StringEquals", "organizations:ServicePrincipal", [service.to_owned()])
        .into()
}

/// How an account may become the administrator of a service.
pub fn delegates(service: &str, account: Option<&AccountId>, arns: &Arns) -> Vec<Allowed> {
    let one = |account: &AccountId| {
        Allowed::on([arns.member(account.as_str())]).when(
            "StringEquals",
            "organizations:ServicePrincipal",
            [service.to_owned()],
        )
    };
    account.map(one).into_iter().collect()
}
