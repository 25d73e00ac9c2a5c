//! The parts of the accounts become one plan.

use std::collections::BTreeMap;

use super::pack::Pack;
use super::{
    BaselineRef, Cost, FORMAT_VERSION, ObjectPlan, Objects, Plan, Shards, SnapshotRef, TargetRef,
};
use crate::fleet::account::{FailedAccount, SkippedAccount};
use crate::names::{AccountId, VERSION};

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

/// Accounts up to which a plan's objects are held as they are.
const HELD: usize = 32;

/// The accounts' parts on their way to one plan. They come in any order, and a large fleet's
/// objects are kept small.
#[derive(Debug, Default)]
pub struct Assembly {
    accounts: BTreeMap<AccountId, Own>,
    in_sync: usize,
}

/// What an account has of its own.
#[derive(Debug)]
struct Own {
    in_sync: usize,
    pack: Pack,
    /// The highest number of its changes.
    last: u32,
    order: Vec<u32>,
}

impl Assembly {
    /// Adds an account's part.
    pub fn add(&mut self, account: AccountId, part: AccountPlan) {
        let AccountPlan { mut objects, mut in_sync, mut order } = part;
        self.in_sync += in_sync;
        if let Some(earlier) = self.accounts.remove(&account) {
            in_sync += earlier.in_sync;
            objects.splice(..0, earlier.pack.into_objects());
            order.splice(..0, earlier.order);
        }
        let changes = objects.iter().flat_map(|object| &object.changes);
        let last = changes.map(|change| change.id).max().unwrap_or_default();
        let mut pack = Pack::held(objects);
        if self.accounts.len() == HELD {
            self.accounts.values_mut().for_each(|own| own.pack.squeeze());
        }
        if self.accounts.len() >= HELD {
            pack.squeeze();
        }
        self.accounts.insert(account, Own { in_sync, pack, last, order });
    }

    /// Takes out all of an account.
    pub fn forget(&mut self, account: &AccountId) {
        if let Some(own) = self.accounts.remove(account) {
            self.in_sync -= own.in_sync;
        }
    }

    /// The plan: sorted by account, its changes numbered through.
    pub fn finish(self, head: PlanHead) -> Plan {
        let Self { accounts, in_sync } = self;
        let mut order = Vec::with_capacity(accounts.values().map(|own| own.order.len()).sum());
        let mut packs = Vec::with_capacity(accounts.len());
        let mut offset = 0;
        for Own { mut pack, last, order: own, .. } in accounts.into_values() {
            pack.count_from(offset);
            // An account without objects has nothing that could be ordered.
            order.extend(own.into_iter().filter(|_| pack.count > 0).map(|id| id + offset));
            offset += last;
            packs.push(pack);
        }
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            evenkeel_version: VERSION.to_owned(),
            run: head.run,
            baseline: head.baseline,
            targets: head.targets,
            failed: head.failed,
            skipped: head.skipped,
            snapshot: head.snapshot,
            shards: head.shards,
            comparison: None,
            in_sync,
            objects: Objects::packed(packs),
            order,
            cost: head.cost,
            held_now: Vec::new(),
            next: None,
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
