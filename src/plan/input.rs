//! What an account's part of a plan is made from.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::Value;

use super::{Mode, Verdict};
use crate::baseline::{Exception, ResolvedItem};
use crate::kinds::erased::DynKind;
use crate::kinds::object::Unknown;
use crate::kinds::{AllowedGrants, Facts, Object, Risk};
use crate::names::{AccountId, ItemName, Region};

/// An item as declared for one account and Region.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name, spec, place and the rest; shared by the Regions in which it says the same.
    pub resolved: Arc<ResolvedItem>,
    /// What it may do here, the target's ceiling applied.
    pub mode: Mode,
}

impl Deref for Declared {
    type Target = ResolvedItem;

    fn deref(&self) -> &ResolvedItem {
        &self.resolved
    }
}

/// An item and what was observed of it.
#[derive(Debug, Clone)]
pub struct ObservedItem {
    /// What was declared.
    pub declared: Declared,
    /// Where.
    pub facts: Facts,
    /// The objects, or why there are none to see.
    pub objects: Result<Vec<Object<Value>>, Unknown>,
}

/// An exception that covers an object today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The last day.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

impl Waiver {
    /// The exception among these that covers an object on a day.
    pub fn among<'a>(
        exceptions: impl IntoIterator<Item = &'a Exception>,
        (item, account, region): (&ItemName, &AccountId, &Region),
        object: &str,
        today: NaiveDate,
    ) -> Option<Self> {
        let mut exceptions = exceptions.into_iter();
        let covering = exceptions.find(|one| one.covers(item, account, region, object, today))?;
        Some(Self {
            until: covering.until.to_string(),
            owner: covering.owner.clone(),
            reason: covering.reason.clone(),
        })
    }

    /// What the plan says of an object that it covers.
    pub fn verdict(&self) -> Verdict {
        Verdict::Excepted {
            until: self.until.clone(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
        }
    }
}

impl fmt::Display for Waiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "excepted until {} by {}: {}", self.until, self.owner, self.reason)
    }
}

/// What one account's part of a plan is made from.
pub struct AccountInput<'a> {
    /// What was declared and observed.
    pub items: Vec<ObservedItem>,
    /// What was not asked for and can contradict it, or lead it elsewhere: it is heard, and has no place
    /// in the plan.
    pub beside: Vec<ObservedItem>,
    /// Finds a kind by its name.
    pub kind: &'a dyn Fn(&str) -> Option<&'static dyn DynKind>,
    /// The exception that covers an object today, if any.
    pub waiver: &'a dyn Fn(&ItemName, &Facts, &str) -> Option<Waiver>,
    /// Changes of a higher risk are only reported.
    pub max_risk: Risk,
    /// Changes with another rise of privileges are only reported.
    pub allow_grants: AllowedGrants,
}
