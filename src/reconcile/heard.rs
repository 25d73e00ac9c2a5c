//! Who touched what, as events told.

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
}

impl Heard {
    /// Who may have touched the objects of a kind in an account; with a Region, only those there.
    pub fn of<'a>(
        all: &'a [Self],
        account: &'a AccountId,
        kind: &'a str,
        region: Option<&'a Region>,
    ) -> impl Iterator<Item = &'a ByWhom> {
        let is_there = move |heard: &&Self| match (&heard.region, region) {
            (Some(there), Some(asked)) => there == asked,
            _ => true,
        };
        let is_about = move |heard: &&Self| heard.account == *account && heard.kind == kind;
        all.iter().filter(is_about).filter(is_there).map(|heard| &heard.by)
    }

    /// Who may have touched an object of a plan.
    pub fn of_object<'a>(
        all: &'a [Self],
        object: &'a ObjectPlan,
    ) -> impl Iterator<Item = &'a ByWhom> {
        Self::of(all, &object.account, &object.item.kind, Some(&object.region))
    }
}
