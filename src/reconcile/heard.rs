//! Who touched what, as events told.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::blame::cannot_have_done;
use super::drift_key::key;
use super::named::Named;
use super::right::LastRight;
use crate::names::{AccountId, Region};
use crate::plan::ObjectPlan;
use crate::store::history::{ByWhom, Rights};

/// Somebody who touched a kind in an account, as an event told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: String,
    /// The Region; none where the kind's objects exist once in an account.
    pub region: Option<Region>,
    /// Who.
    pub by: ByWhom,
    /// What the call names.
    pub named: Arc<Named>,
}

impl Heard {
    /// Whether it may have touched an object: not where it names another one.
    fn is_about(&self, object: &ObjectPlan) -> bool {
        let is_there = self.region.as_ref().is_none_or(|region| *region == object.region);
        self.account == object.account
            && self.kind == object.item.kind
            && is_there
            && self.named.may_touch(&self.by.call, object)
    }
}

/// What events told, and what is known of the objects besides.
#[derive(Debug, Clone, Default)]
pub struct Hearsay {
    /// Who touched what.
    pub told: Vec<Heard>,
    /// When each object was as declared last, as far as this process knows.
    pub right: Arc<LastRight>,
    /// The same from before it began, and of other processes, for the accounts of which events told.
    pub before: Arc<BTreeMap<AccountId, Rights>>,
}

impl Hearsay {
    /// Who may have made an object what it is now: nobody who named another one, called before it was as
    /// declared last, or called what cannot have made it so.
    pub fn of_object<'a>(&'a self, object: &'a ObjectPlan) -> impl Iterator<Item = &'a ByWhom> {
        let mut touching = self.touching(object).peekable();
        let (right, cannot) = match touching.peek() {
            Some(_) => (self.last_right(object), cannot_have_done(object)),
            None => Default::default(),
        };
        let may_have = move |by: &&ByWhom| {
            right.is_none_or(|right| !by.is_before(right)) && !cannot.contains(&by.call)
        };
        touching.filter(may_have)
    }

    /// When an object was as declared last, as far as anybody knows.
    pub fn last_right(&self, object: &ObjectPlan) -> Option<DateTime<Utc>> {
        let before = self.before.get(&object.account);
        let before = before.and_then(|before| before.last(&key(object)));
        self.right.last(object).max(before)
    }

    /// Who may have touched an object, whenever that was: what they made of it may have been seen, and put right,
    /// before their event came.
    pub fn touching<'a>(&'a self, object: &'a ObjectPlan) -> impl Iterator<Item = &'a ByWhom> {
        let about = self.told.iter().filter(|heard| heard.is_about(object));
        about.map(|heard| &heard.by)
    }
}
