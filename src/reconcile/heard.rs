//! Who touched what, as events told.

use std::sync::Arc;

use super::named::Named;
use super::right::LastRight;
use crate::names::{AccountId, Region};
use crate::plan::ObjectPlan;
use crate::store::history::ByWhom;

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
    /// When each object was as declared last.
    pub right: Arc<LastRight>,
}

impl Hearsay {
    /// Who may have made an object what it is now: nobody who named another one, or called before it was as
    /// declared last.
    pub fn of_object<'a>(&'a self, object: &'a ObjectPlan) -> impl Iterator<Item = &'a ByWhom> {
        self.touching(object).filter(|by| !self.right.is_after(object, by))
    }

    /// Who may have touched an object, whenever that was: what they made of it may have been seen, and put right,
    /// before their event came.
    pub fn touching<'a>(&'a self, object: &'a ObjectPlan) -> impl Iterator<Item = &'a ByWhom> {
        let about = self.told.iter().filter(|heard| heard.is_about(object));
        about.map(|heard| &heard.by)
    }
}
