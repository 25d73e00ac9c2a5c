//! Whether an account may have analyzers of its organization.

use aws_sdk_organizations::Client;

use crate::aws::Call;
use crate::kinds::{Cx, ObserveError, told};

pub const DESCRIBE: Call = Call::new("organizations", "DescribeOrganization");
pub const DELEGATED: Call = Call::new("organizations", "ListDelegatedAdministrators");

/// Says who may make an analyzer of the organization where this account may not, or is not seen to.
///
/// AWS takes it in the management account and in the delegated administrator (IAM User Guide,
/// "Delegated administrator for IAM Access Analyzer"). Administrators are told to these accounts alone.
pub async fn may_analyze(cx: &Cx) -> Result<(), ObserveError> {
    let cx = cx.in_region(cx.home_region.clone());
    let client = cx.client(Client::new);
    let answer = cx.read(DESCRIBE, "", client.describe_organization().send()).await;
    let answer = match answer {
        Err(error) if error.is_code(&["AWSOrganizationsNotInUseException"]) => {
            return Err(ObserveError::Unclear {
                reason: "this account is in no organization, so that no analyzer can be made of it"
                    .to_owned(),
                remedy: "declare an analyzer of the account".to_owned(),
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
            "declare it for the management account {management}, or for the delegated administrator of {}",
            super::SERVICE
        )
    };
    let pages = client.list_delegated_administrators().service_principal(super::SERVICE);
    let pages = pages.into_paginator().send();
    let list = cx
        .list(DELEGATED, super::SERVICE, pages, "DelegatedAdministrators", |page| {
            page.delegated_administrators
        })
        .await
        .map_err(|error| ObserveError::Refused {
            what: "whether this account may have an analyzer of the organization".to_owned(),
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
        reason: "AWS makes no analyzer of the organization in this account".to_owned(),
        remedy: elsewhere(),
    })
}
