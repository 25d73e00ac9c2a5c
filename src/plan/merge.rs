//! Plans of different accounts, such as those of a fleet's shards, as one: the plan that one run
//! would have made. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AccountPlan, Comparison, Cost, Plan, PlanHead, Shards, SkippedAccount, SnapshotRef, TargetRef,
    assemble, compare,
};
use crate::names::AccountId;

/// A plan, and what to call it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Such as the file that it is in.
    pub name: String,
    /// The plan.
    pub plan: Plan,
}

/// Plans that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error("there is nothing to merge")]
    Nothing,
    /// They do not declare the same.
    #[error("{first} and {other} were made from different baselines")]
    Baselines {
        /// One of them.
        first: String,
        /// The other.
        other: String,
    },
    /// An account is in two of them.
    #[error("account {account} is in two of the reports")]
    Twice {
        /// The account.
        account: AccountId,
    },
    /// A shard is in two of them.
    #[error("shard {shard} is in two of the reports, the second is {name}")]
    ShardTwice {
        /// The shard.
        shard: String,
        /// The second.
        name: String,
    },
    /// They split the fleet in different ways.
    #[error("{first} has {of} and {other} has {other_of}: the fleet was split in different ways")]
    Split {
        /// One of them.
        first: String,
        /// Which part of the fleet it has.
        of: String,
        /// The other.
        other: String,
        /// Which part that has.
        other_of: String,
    },
    /// Some were made from a snapshot and some were not.
    #[error("{first} and {other}: one was made from a snapshot, the other from the accounts")]
    Snapshots {
        /// One of them.
        first: String,
        /// The other.
        other: String,
    },
    /// They are compared with different versions of the baselines.
    #[error("{first} and {other} were not compared with the same version (--compare-to)")]
    Comparisons {
        /// One of them.
        first: String,
        /// The other.
        other: String,
    },
    /// A plan contradicts itself.
    #[error("the changes of {name} do not fit together")]
    Broken {
        /// Which.
        name: String,
    },
}

impl MergeError {
    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Nothing => "name the shards' reports",
            Self::Baselines { .. } => "make all shards from the same commit",
            Self::Twice { .. } | Self::ShardTwice { .. } => "merge each shard once: 1/8, 2/8 … 8/8",
            Self::Split { .. } => "make all shards with the same count: 1/8, 2/8 … 8/8",
            Self::Snapshots { .. } => "make all shards with --snapshot, or none",
            Self::Comparisons { .. } => "make all shards with the same --compare-to, or without",
            Self::Broken { .. } => "make the plan again",
        }
    }
}

/// Puts plans of different accounts together.
///
/// # Errors
/// They do not go together.
pub fn merge(reports: Vec<Report>) -> Result<Plan, MergeError> {
    let mut reports = reports.into_iter();
    let Report { name: first, plan } = reports.next().ok_or(MergeError::Nothing)?;
    let Apart { mut head, mut comparison, mut accounts } = take_apart(&first, plan)?;
    for Report { name: other, plan } in reports {
        let Apart { head: next, comparison: next_comparison, accounts: next_accounts } =
            take_apart(&other, plan)?;
        let names = || (first.clone(), other.clone());
        if next.baseline.digest != head.baseline.digest {
            let (first, other) = names();
            return Err(MergeError::Baselines { first, other });
        }
        head.shards = join_shards(head.shards, next.shards, names)?;
        head.snapshot = older(head.snapshot, next.snapshot, names)?;
        comparison = join_comparisons(comparison, next_comparison, names)?;
        // Reports that do not go together may well hold one account twice: that comes after.
        for (account, part) in next_accounts {
            if accounts.insert(account.clone(), part).is_some() {
                return Err(MergeError::Twice { account });
            }
        }
        head.targets.extend(next.targets);
        head.failed.extend(next.failed);
        head.skipped.extend(next.skipped);
        head.cost = Cost {
            requests: head.cost.requests + next.cost.requests,
            milliseconds: head.cost.milliseconds.max(next.cost.milliseconds),
        };
    }
    each_once(&head)?;
    head.targets.sort_by(|left, right| left.account.cmp(&right.account));
    head.failed.sort_by(|left, right| left.account.cmp(&right.account));
    head.skipped.sort_by(|left, right| left.account.cmp(&right.account));
    // All shards together are the fleet.
    head.shards = head.shards.filter(|shards| shards.missing().next().is_some());
    head.shards.iter_mut().for_each(|shards| shards.merged = true);
    let mut introduced = Vec::new();
    let mut offset = 0;
    for part in accounts.values() {
        introduced.extend(part.introduced.iter().map(|place| place + offset));
        offset += part.plan.objects.len();
    }
    let mut plan = assemble(head, accounts.into_values().map(|part| part.plan).collect());
    if let Some(comparison) = &mut comparison {
        comparison.introduced = introduced;
        comparison.removed.sort_by_cached_key(compare::key);
    }
    plan.comparison = comparison;
    Ok(plan)
}

/// An account's part of a plan, and which of its objects a change of the baselines makes differ.
#[derive(Default)]
struct Part {
    plan: AccountPlan,
    introduced: Vec<usize>,
    /// Its changes' numbers, from those that they had in the plan.
    numbers: BTreeMap<u32, u32>,
}

/// A plan taken apart.
struct Apart {
    head: PlanHead,
    comparison: Option<Comparison>,
    accounts: BTreeMap<AccountId, Part>,
}

/// Takes a plan apart.
fn take_apart(name: &str, plan: Plan) -> Result<Apart, MergeError> {
    let mut own: BTreeMap<AccountId, Part> = BTreeMap::new();
    let mut owners: BTreeMap<u32, AccountId> = BTreeMap::new();
    for (place, object) in plan.objects.into_iter().enumerate() {
        let part = own.entry(object.account.clone()).or_default();
        for change in &object.changes {
            let number = u32::try_from(part.numbers.len()).unwrap_or(u32::MAX).saturating_add(1);
            part.numbers.insert(change.id, number);
            owners.insert(change.id, object.account.clone());
        }
        if plan.comparison.as_ref().is_some_and(|comparison| comparison.is_introduced(place)) {
            part.introduced.push(part.plan.objects.len());
        }
        part.plan.objects.push(object);
    }
    let broken = || MergeError::Broken { name: name.to_owned() };
    for id in plan.order {
        let part = owners.get(&id).and_then(|account| own.get_mut(account)).ok_or_else(broken)?;
        part.plan.order.push(id);
    }
    for part in own.values_mut() {
        let changes = part.plan.objects.iter_mut().flat_map(|object| &mut object.changes);
        let ids = changes
            .flat_map(|change| std::iter::once(&mut change.id).chain(&mut change.depends_on))
            .chain(&mut part.plan.order);
        for id in ids {
            *id = *part.numbers.get(id).ok_or_else(broken)?;
        }
    }
    // Which accounts they are in is not known any more, and does not matter.
    if plan.in_sync > 0
        && let Some(target) = plan.targets.first()
    {
        own.entry(target.account.clone()).or_default().plan.in_sync = plan.in_sync;
    }
    let head = PlanHead {
        run: plan.run,
        baseline: plan.baseline,
        targets: plan.targets,
        failed: plan.failed,
        skipped: plan.skipped,
        snapshot: plan.snapshot,
        shards: plan.shards,
        cost: plan.cost,
    };
    Ok(Apart { head, comparison: plan.comparison, accounts: own })
}

fn each_once(head: &PlanHead) -> Result<(), MergeError> {
    let mut seen = BTreeSet::new();
    let ids = head
        .targets
        .iter()
        .map(|TargetRef { account, .. }| account)
        .chain(head.failed.iter().map(|failed| &failed.account))
        .chain(head.skipped.iter().map(|SkippedAccount { account, .. }| account));
    for account in ids {
        if !seen.insert(account) {
            return Err(MergeError::Twice { account: account.clone() });
        }
    }
    Ok(())
}

fn join_shards(
    some: Option<Shards>,
    more: Option<Shards>,
    names: impl Fn() -> (String, String),
) -> Result<Option<Shards>, MergeError> {
    let (mut some, more) = match (some, more) {
        (None, None) => return Ok(None),
        (Some(some), Some(more)) if some.of == more.of => (some, more),
        (some, more) => {
            let words = |shards: Option<Shards>| {
                shards.map_or("no shards".to_owned(), |shards| shards.to_string())
            };
            let (first, other) = names();
            return Err(MergeError::Split { first, of: words(some), other, other_of: words(more) });
        }
    };
    if let Some(number) = more.numbers.iter().find(|number| some.numbers.contains(number)) {
        return Err(MergeError::ShardTwice {
            shard: format!("{number}/{}", some.of),
            name: names().1,
        });
    }
    some.numbers.extend(more.numbers);
    Ok(Some(some))
}

/// The snapshot of a whole is as old as the oldest of its parts.
fn older(
    some: Option<SnapshotRef>,
    more: Option<SnapshotRef>,
    names: impl Fn() -> (String, String),
) -> Result<Option<SnapshotRef>, MergeError> {
    match (some, more) {
        (None, None) => Ok(None),
        (Some(some), Some(more)) => Ok(Some(if more.taken < some.taken { more } else { some })),
        _ => {
            let (first, other) = names();
            Err(MergeError::Snapshots { first, other })
        }
    }
}

fn join_comparisons(
    some: Option<Comparison>,
    more: Option<Comparison>,
    names: impl Fn() -> (String, String),
) -> Result<Option<Comparison>, MergeError> {
    match (some, more) {
        (None, None) => Ok(None),
        (Some(mut some), Some(more))
            if (&some.base, &some.digest) == (&more.base, &more.digest) =>
        {
            some.removed.extend(more.removed);
            Ok(Some(some))
        }
        _ => {
            let (first, other) = names();
            Err(MergeError::Comparisons { first, other })
        }
    }
}
