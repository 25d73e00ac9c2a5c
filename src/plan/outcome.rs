//! What a plan means for a script, and parts of a plan.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Disposition, ObjectPlan, Plan, Sort, Verdict};
use crate::kinds::object::Cause;
use crate::names::{AccountId, ItemName, Region};

/// Where an item was observed.
pub type Spot = (AccountId, ItemName, Region);

/// What a plan means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOutcome {
    /// Everything is as declared.
    InSync,
    /// Something differs.
    Drift,
    /// Something is unknown, so that nobody can say that the rest is all.
    Partly,
    /// Nothing is known.
    Unknown,
}

impl Plan {
    /// What the plan means. Unknown things come first, since with them nobody can say that the rest
    /// is all.
    pub fn outcome(&self) -> PlanOutcome {
        let sum = self.summary();
        if sum.unknown + sum.failed_accounts > 0 {
            // What waits for somebody else is known well enough.
            let is_awaited = |object: &ObjectPlan| match &object.verdict {
                Verdict::Unknown(unknown) => unknown.cause == Cause::Awaited,
                _ => false,
            };
            let is_known = self.in_sync + self.objects.len() > sum.unknown
                || self.objects.of(Sort::Unknown).any(|object| is_awaited(&object));
            return match is_known {
                true => PlanOutcome::Partly,
                false => PlanOutcome::Unknown,
            };
        }
        match sum.to_change + sum.reported + sum.held_back {
            0 => PlanOutcome::InSync,
            _ => PlanOutcome::Drift,
        }
    }

    /// Whether what is unknown was read, and is unknown for another reason.
    pub fn is_all_read(&self) -> bool {
        let is_unread = |verdict: &Verdict| match verdict {
            Verdict::Unknown(unknown) => unknown.cause == Cause::Unread,
            _ => false,
        };
        self.failed.is_empty()
            && !self.objects.of(Sort::Unknown).any(|object| is_unread(&object.verdict))
    }

    /// Where the plan would write.
    pub fn changed(&self) -> BTreeSet<Spot> {
        let changed = self.objects.each().filter(|object| object.is_meant());
        changed
            .map(|object| (object.account.clone(), object.item.clone(), object.region.clone()))
            .collect()
    }

    /// The same plan, as far as it is about some accounts.
    #[must_use]
    pub fn about(&self, accounts: &BTreeSet<AccountId>) -> Self {
        let mut plan = self.clone();
        let objects = self.objects.each().filter(|object| accounts.contains(&object.account));
        plan.objects = objects.map(Cow::into_owned).collect();
        plan.failed.retain(|failed| accounts.contains(&failed.account));
        plan
    }

    /// Takes only the changes of some accounts; the others are only reported.
    pub fn only_in(&mut self, accounts: &BTreeSet<AccountId>, reason: &str) {
        let mut left = BTreeSet::new();
        let others = self.objects.iter_mut().filter(|object| !accounts.contains(&object.account));
        for change in others.flat_map(|object| &mut object.changes) {
            if change.is_applied() {
                left.insert(change.id);
                change.disposition = Disposition::Report { reason: reason.to_owned() };
            }
        }
        self.order.retain(|id| !left.contains(id));
    }
}
