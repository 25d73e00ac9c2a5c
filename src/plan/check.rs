//! Whether a plan that was read from a file says one thing only: what is shown of it, counted of it
//! and written of it is the same.

use std::collections::BTreeSet;

use super::{Mode, Plan, Verdict, compare};
use crate::names::AccountId;

/// A plan that contradicts itself: evenkeel has never written it like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Two changes have one number.
    #[error("it has two changes with the number {0}")]
    Number(u32),
    /// The order names a change that is only reported, or none at all.
    #[error("its order names {0}, which is no change to apply")]
    NotToApply(u32),
    /// The order names a change twice.
    #[error("its order names the change {0} twice")]
    Twice(u32),
    /// A change to apply is not in the order.
    #[error("its order lacks the change {0}")]
    Lacking(u32),
    /// An object with changes is there twice.
    #[error("it has {0} twice")]
    Object(String),
    /// A change to apply where nothing may be applied.
    #[error("it would apply a change of {0}, which is {1}")]
    NotAppliable(String, &'static str),
    /// A change waits for one that is not applied.
    #[error("its change {0} waits for {1}, which is no change to apply")]
    Waits(u32, u32),
    /// An object of an account that was not looked at.
    #[error("it has an object of account {0}, which it did not look at")]
    Account(AccountId),
}

impl Plan {
    /// Checks that the plan fits together: its order is exactly the changes to apply, each once; no
    /// number and no changed object is there twice; what is applied has a write, is in mode
    /// "enforce", and differs.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), Contradiction> {
        let mut numbers = BTreeSet::new();
        let mut to_apply = BTreeSet::new();
        for object in &self.objects {
            for change in &object.changes {
                if !numbers.insert(change.id) {
                    return Err(Contradiction::Number(change.id));
                }
                if !change.is_applied() {
                    continue;
                }
                to_apply.insert(change.id);
                let why_not = if change.action.is_none() {
                    "nothing that can be written"
                } else if object.mode != Mode::Enforce {
                    "not in mode \"enforce\""
                } else if object.verdict != Verdict::Drifted {
                    "not one that differs"
                } else {
                    continue;
                };
                return Err(Contradiction::NotAppliable(object.title(), why_not));
            }
        }
        let mut ordered = BTreeSet::new();
        for id in &self.order {
            if !to_apply.contains(id) {
                return Err(Contradiction::NotToApply(*id));
            }
            if !ordered.insert(*id) {
                return Err(Contradiction::Twice(*id));
            }
        }
        if let Some(id) = to_apply.difference(&ordered).next() {
            return Err(Contradiction::Lacking(*id));
        }
        let applied = self.objects.iter().flat_map(|object| &object.changes);
        for change in applied.filter(|change| change.is_applied()) {
            if let Some(before) = change.depends_on.iter().find(|id| !to_apply.contains(id)) {
                return Err(Contradiction::Waits(change.id, *before));
            }
        }
        let accounts: BTreeSet<&AccountId> =
            self.targets.iter().map(|target| &target.account).collect();
        if let Some(stray) = self.objects.iter().find(|object| !accounts.contains(&object.account))
        {
            return Err(Contradiction::Account(stray.account.clone()));
        }
        // What only says that something is unknown may be there for two targets.
        let mut changed = BTreeSet::new();
        let mut others = BTreeSet::new();
        for object in &self.objects {
            let key = compare::key(object);
            let is_new = match object.changes.is_empty() {
                true => {
                    others.insert(key.clone());
                    !changed.contains(&key)
                }
                false => !others.contains(&key) && changed.insert(key),
            };
            if !is_new {
                return Err(Contradiction::Object(object.title()));
            }
        }
        Ok(())
    }
}
