//! Grants of a key: rights that its policy does not show, and that stay when the policy changes.
//!
//! Sources: KMS API Reference, `ListGrants`, `GrantListEntry`; KMS Developer Guide, "Grants in AWS
//! KMS".

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::list_grants::ListGrantsOutput;
use aws_sdk_kms::types::GrantListEntry;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::kms::reads;
use crate::kinds::{Cx, ObserveError, told};
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants::{self, Rise, account_of};

pub const LIST_GRANTS: Call = Call::new("kms", "ListGrants");
/// The largest page that AWS gives.
const PAGE: i32 = 100;

/// A grant to somebody outside of the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignGrant {
    /// Its id.
    pub grant_id: String,
    /// Who got it.
    pub grantee: String,
    /// What for.
    pub operations: BTreeSet<String>,
}

impl fmt::Display for ForeignGrant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations: Vec<&str> = self.operations.iter().map(String::as_str).collect();
        write!(out, "{} to {} (grant {})", operations.join(", "), self.grantee, self.grant_id)
    }
}

impl ForeignGrant {
    /// What it gives, as a rise of privileges of whoever takes the key for its own.
    pub fn rise(&self) -> Rise {
        let account = account_of(&self.grantee).unwrap_or(&self.grantee).parse();
        Rise::Foreign {
            what: self.to_string(),
            accounts: account.ok().map(|account| BTreeSet::from([account])),
        }
    }
}

/// The grants of a key to others than this account and AWS's services.
pub async fn foreign(cx: &Cx, key: &str) -> Result<BTreeSet<ForeignGrant>, ObserveError> {
    let mut foreign = BTreeSet::new();
    for page in all(cx, key).await?.iter() {
        for grant in told("Grants", page.grants.as_ref())? {
            foreign.extend(of_stranger(grant, cx.account.as_str())?);
        }
    }
    Ok(foreign)
}

/// How many grants a key has, to whomever.
pub async fn count_all(cx: &Cx, key: &str) -> Result<usize, ObserveError> {
    let mut count = 0;
    for page in all(cx, key).await?.iter() {
        count += told("Grants", page.grants.as_ref())?.len();
    }
    Ok(count)
}

async fn all(cx: &Cx, key: &str) -> Result<Arc<Vec<ListGrantsOutput>>, ObserveError> {
    let client = cx.client(Client::new);
    let read = cx.read(LIST_GRANTS, key, async {
        let pages = client.list_grants().key_id(key).limit(PAGE).into_paginator().send();
        pages.collect::<Result<Vec<_>, _>>().await
    });
    read.await.map_err(|error| reads::refused(key, error))
}

/// A grant, when its grantee is in another account. A grant to a service has the service's name in
/// place of a principal.
fn of_stranger(
    grant: &GrantListEntry,
    account: &str,
) -> Result<Option<ForeignGrant>, ObserveError> {
    let grantee = grant.grantee_principal().or(grant.grantee_service_principal());
    let grantee = told("GranteePrincipal", grantee)?;
    if is_service(grantee) || account_of(grantee) == Some(account) || grantee == account {
        return Ok(None);
    }
    Ok(Some(ForeignGrant {
        grant_id: told("GrantId", grant.grant_id())?.to_owned(),
        grantee: grantee.to_owned(),
        operations: grant.operations().iter().map(|one| one.as_str().to_owned()).collect(),
    }))
}

/// `rds.eu-west-1.amazonaws.com`.
fn is_service(grantee: &str) -> bool {
    !grantee.contains(':') && grantee.contains(".amazonaws.com")
}

/// The grants to others than those to whose accounts a policy gives rights itself: these may pass on
/// what they have.
pub fn undeclared<'a>(
    found: &'a BTreeSet<ForeignGrant>,
    policy: &PolicyDocument,
    account: &str,
) -> Vec<&'a ForeignGrant> {
    let let_in = grants::accounts_let_in(policy, account);
    let is_let_in = |grant: &ForeignGrant| {
        account_of(&grant.grantee).is_some_and(|of| let_in.iter().any(|one| one.as_str() == of))
    };
    found.iter().filter(|grant| !is_let_in(grant)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWN: &str = "111122223333";

    fn grant(grantee: Option<&str>) -> GrantListEntry {
        GrantListEntry::builder()
            .set_grantee_principal(grantee.map(str::to_owned))
            .grant_id("g1")
            .operations(aws_sdk_kms::types::GrantOperation::Decrypt)
            .build()
    }

    #[test]
    fn grants_to_other_accounts_are_found() {
        for own in [
            "arn:aws:iam::111122223333:role/a",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            "rds.eu-west-1.amazonaws.com",
            "dynamodb.cn-north-1.amazonaws.com.cn",
        ] {
            assert_eq!(of_stranger(&grant(Some(own)), OWN).unwrap(), None, "{own}");
        }
        for stranger in [
            "arn:aws:iam::999999999999:root",
            "arn:aws:iam::999999999999:role/x.amazonaws.com",
            "999999999999",
            "AIDAEXAMPLE",
        ] {
            let found = of_stranger(&grant(Some(stranger)), OWN).unwrap().unwrap();
            assert_eq!(found.to_string(), format!("Decrypt to {stranger} (grant g1)"));
        }
        // Nobody knows to whom.
        assert!(
            of_stranger(&grant(None), OWN).unwrap_err().to_string().contains("GranteePrincipal")
        );
        let service =
            GrantListEntry::builder().grantee_service_principal("x.amazonaws.com").build();
        assert_eq!(of_stranger(&service, OWN).unwrap(), None);
    }

    #[test]
    fn whom_the_policy_lets_in_may_have_grants() {
        let found = ["999999999999", "888888888888"].map(|account| {
            let grantee = format!("arn:aws:iam::{account}:role/a");
            of_stranger(&grant(Some(&grantee)), OWN).unwrap().unwrap()
        });
        let found = BTreeSet::from(found);
        let policy = PolicyDocument::of_statements(vec![json!({
            "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": { "AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::999999999999:root"] },
        })]);
        let left: Vec<String> =
            undeclared(&found, &policy, OWN).iter().map(ToString::to_string).collect();
        assert_eq!(left.len(), 1);
        assert!(left[0].contains("888888888888"), "{left:?}");
    }
}
