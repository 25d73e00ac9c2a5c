//! The account that administers a service for an organization, as the management account names it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kinds::{Change, Drift, Undo};
use crate::names::AccountId;
use crate::policy_document::grants::Rise;

/// The administrator account, where there is one.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Administrator {
    /// Its id.
    pub account_id: Option<AccountId>,
}

/// What is said of a service's administrator.
pub struct Words {
    /// The service's name.
    pub service: &'static str,
    /// What the account gains.
    pub gains: &'static str,
    /// Where it stands how an administrator is taken away.
    pub guide: &'static str,
}

/// Names the administrator account where there is none. Another one is reported: with it, its members would go.
pub fn named(
    own: &AccountId,
    wanted: Option<&AccountId>,
    now: Option<&AccountId>,
    words: &Words,
) -> Option<Change<AccountId>> {
    let mut drift = Drift::new();
    if !drift.compare("admin_account_id", now, wanted) {
        return None;
    }
    let Words { service, gains, guide } = words;
    let Some(wanted) = wanted.filter(|_| now.is_none()) else {
        return Some(Change::finding(drift).withhold(format!(
            "evenkeel takes no administrator account away, for all members go with it: {guide} says how, and the next apply names the new one"
        )));
    };
    let change = Change::new(wanted.clone(), drift)
        .independent()
        .warn(format!("{service} becomes a trusted service of the organization, which it stays"));
    Some(match wanted == own {
        true => change,
        false => change.rises([Rise::Foreign {
            what: format!("account {wanted} {gains}"),
            accounts: Some(BTreeSet::from([wanted.clone()])),
        }]),
    })
}

/// That an account was named is not taken back.
pub fn stays<A>() -> Undo<A> {
    Undo::Impossible(
        "evenkeel takes no administrator account away: all members would go with it".to_owned(),
    )
}
