//! The parts of the accounts become one plan.

use std::collections::BTreeMap;

use super::{BaselineRef, Cost, FORMAT_VERSION, ObjectPlan, Plan, Shards, SnapshotRef, TargetRef};
use crate::fleet::account::{FailedAccount, SkippedAccount};
use crate::names::AccountId;

/// One account's part of a plan; its changes are numbered from 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountPlan {
    /// Every object, in the order of rendering.
    pub objects: Vec<ObjectPlan>,
    /// Objects in sync that are not among them.
    pub in_sync: usize,
    /// The ids of the changes to apply, prerequisites first.
    pub order: Vec<u32>,
}

/// What a plan says besides its objects.
#[derive(Debug, Clone)]
pub struct PlanHead {
    /// The run's id.
    pub run: String,
    /// The baseline.
    pub baseline: BaselineRef,
    /// The accounts that were looked at.
    pub targets: Vec<TargetRef>,
    /// The accounts that could not be looked at.
    pub failed: Vec<FailedAccount>,
    /// The accounts that were left out.
    pub skipped: Vec<SkippedAccount>,
    /// Where the observations come from, when they are not live.
    pub snapshot: Option<SnapshotRef>,
    /// The shards of the fleet, when it was split.
    pub shards: Option<Shards>,
    /// What the observation cost.
    pub cost: Cost,
}

/// The accounts' parts on their way to one plan. They come in any order, and a large fleet's
/// objects are held once.
#[derive(Debug, Default)]
pub struct Assembly {
    objects: Vec<ObjectPlan>,
    orders: BTreeMap<AccountId, Vec<u32>>,
    in_sync: usize,
}

impl Assembly {
    /// Adds an account's part.
    pub fn add(&mut self, account: AccountId, mut part: AccountPlan) {
        self.in_sync += part.in_sync;
        self.objects.append(&mut part.objects);
        self.orders.entry(account).or_default().append(&mut part.order);
    }

    /// The plan: sorted by account, its changes numbered through.
    pub fn finish(self, head: PlanHead) -> Plan {
        let Self { mut objects, mut orders, in_sync } = self;
        objects.sort_by_cached_key(|object| object.account.clone());
        let mut order = Vec::with_capacity(orders.values().map(Vec::len).sum());
        let (mut offset, mut last) = (0, 0);
        for of_account in objects.chunk_by_mut(|left, right| left.account == right.account) {
            for change in of_account.iter_mut().flat_map(|object| &mut object.changes) {
                change.id += offset;
                last = last.max(change.id);
                change.depends_on.iter_mut().for_each(|id| *id += offset);
            }
            let own = of_account.first().and_then(|object| orders.remove(&object.account));
            order.extend(own.into_iter().flatten().map(|id| id + offset));
            offset = last;
        }
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            evenkeel_version: env!("CARGO_PKG_VERSION").to_owned(),
            run: head.run,
            baseline: head.baseline,
            targets: head.targets,
            failed: head.failed,
            skipped: head.skipped,
            snapshot: head.snapshot,
            shards: head.shards,
            comparison: None,
            in_sync,
            objects,
            order,
            cost: head.cost,
        }
    }
}

/// Puts parts of different accounts together.
pub fn assemble(head: PlanHead, parts: Vec<AccountPlan>) -> Plan {
    let mut assembly = Assembly::default();
    for part in parts {
        match part.objects.first() {
            Some(object) => assembly.add(object.account.clone(), part),
            None => assembly.in_sync += part.in_sync,
        }
    }
    assembly.finish(head)
}
