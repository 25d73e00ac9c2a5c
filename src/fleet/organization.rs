//! Asks AWS Organizations which accounts there are, in which organizational units, with which tags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types as aws;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::aws::{AwsError, Call, Session};
use crate::names::AccountId;

const DESCRIBE: Call = Call::new("organizations", "DescribeOrganization");
const LIST_ROOTS: Call = Call::new("organizations", "ListRoots");
const LIST_UNITS: Call = Call::new("organizations", "ListOrganizationalUnitsForParent");
const LIST_ACCOUNTS: Call = Call::new("organizations", "ListAccountsForParent");
const LIST_TAGS: Call = Call::new("organizations", "ListTagsForResource");
/// All that is asked of an organization.
pub const READS: [Call; 5] = [DESCRIBE, LIST_ROOTS, LIST_UNITS, LIST_ACCOUNTS, LIST_TAGS];

/// The IAM actions of [`discover`].
pub const PERMISSIONS: [&str; 5] = [
    "organizations:DescribeOrganization",
    "organizations:ListRoots",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListAccountsForParent",
    "organizations:ListTagsForResource",
];

/// Tag reads in flight; Organizations has low limits for the whole organization.
const TAG_READS: usize = 8;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `o-…`.
    pub id: String,
    /// The account that manages it.
    pub management_account: AccountId,
    /// Its roots and organizational units, those without accounts included.
    #[serde(default)]
    pub units: BTreeSet<String>,
    /// Its accounts.
    pub accounts: Vec<Account>,
}

/// An account, as its organization knows it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The address of its root user.
    #[serde(default)]
    pub email: Option<String>,
    /// `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`, `PENDING_ACTIVATION`.
    pub state: String,
    /// The root and the organizational units that it is in, outermost first.
    #[serde(default)]
    pub ous: Vec<String>,
    /// Its tags; `None` when nobody asked for them.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Account {
    /// Why an account cannot be looked at, in words; `None` for an active one.
    pub fn why_not(&self) -> Option<String> {
        Some(match self.state.as_str() {
            "ACTIVE" => return None,
            "SUSPENDED" => "suspended".to_owned(),
            "CLOSED" => "closed".to_owned(),
            "PENDING_CLOSURE" => "being closed".to_owned(),
            "PENDING_ACTIVATION" => "not active yet".to_owned(),
            other => format!("in the state {other}"),
        })
    }
}

/// Walks the organization from its roots. Tags cost a call for each account.
///
/// # Errors
/// AWS did not answer; half an organization is never returned.
pub async fn discover(session: &Arc<Session>, with_tags: bool) -> Result<Organization, AwsError> {
    let home = session.home_region().clone();
    let client = session.client(&home, Client::new);
    let answer =
        session.send(&home, DESCRIBE, Some(""), client.describe_organization().send()).await?;
    let malformed = |problem: &str| AwsError::malformed(&home, DESCRIBE, problem);
    let organization =
        answer.organization().ok_or_else(|| malformed("the answer holds no organization"))?;
    let management_account = organization
        .master_account_id()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| malformed("the answer holds no management account"))?;
    let roots = client.list_roots().into_paginator().send().try_collect();
    let roots = session.send(&home, LIST_ROOTS, Some(""), roots).await?;
    let mut waiting: Vec<Vec<String>> = roots
        .iter()
        .flat_map(|page| page.roots())
        .filter_map(|root| Some(vec![root.id()?.to_owned()]))
        .collect();
    let (mut units, mut accounts) = (BTreeSet::new(), Vec::new());
    while let Some(path) = waiting.pop() {
        let parent = path.last().map(String::as_str).unwrap_or_default();
        units.insert(parent.to_owned());
        let children = client
            .list_organizational_units_for_parent()
            .parent_id(parent)
            .into_paginator()
            .send()
            .try_collect();
        let members = client
            .list_accounts_for_parent()
            .parent_id(parent)
            .into_paginator()
            .send()
            .try_collect();
        let (children, members) = futures::try_join!(
            session.send(&home, LIST_UNITS, Some(parent), children),
            session.send(&home, LIST_ACCOUNTS, Some(parent), members),
        )?;
        let members = members.iter().flat_map(|page| page.accounts());
        accounts.extend(members.filter_map(|member| account(member, &path)));
        for unit in children.iter().flat_map(|page| page.organizational_units()) {
            let Some(id) = unit.id() else { continue };
            waiting.push(path.iter().cloned().chain([id.to_owned()]).collect());
        }
    }
    if with_tags {
        accounts = stream::iter(accounts)
            .map(|account| tagged(session, &client, account))
            .buffered(TAG_READS)
            .try_collect()
            .await?;
    }
    accounts.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(Organization {
        id: organization.id().unwrap_or_default().to_owned(),
        management_account,
        units,
        accounts,
    })
}

fn account(member: &aws::Account, path: &[String]) -> Option<Account> {
    // `Status` was retired in favour of `State` in September 2026; older endpoints lack `State`.
    #[allow(deprecated)]
    let state = member
        .state()
        .map(|state| state.as_str())
        .or_else(|| member.status().map(|status| status.as_str()))
        .unwrap_or("ACTIVE");
    Some(Account {
        id: member.id()?.parse().ok()?,
        name: member.name().map(str::to_owned),
        email: member.email().map(str::to_owned),
        state: state.to_owned(),
        ous: path.to_vec(),
        tags: None,
    })
}

async fn tagged(
    session: &Arc<Session>,
    client: &Client,
    account: Account,
) -> Result<Account, AwsError> {
    let id = account.id.as_str();
    let tags = client
        .list_tags_for_resource()
        .resource_id(id)
        .into_paginator()
        .items()
        .send()
        .try_collect();
    let home = session.home_region();
    let tags: Vec<aws::Tag> = session.send(home, LIST_TAGS, Some(id), tags).await?;
    let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    Ok(Account { tags: Some(tags), ..account })
}
