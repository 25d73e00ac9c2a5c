//! A plan is an upper bound, never a source. What is written comes from a fresh look at the accounts
//! and a fresh plan of the baselines in front of us; an earlier plan, which somebody has reviewed, is
//! only compared with it, and can only take writes away. Whoever changes a saved plan can at most
//! make it do less.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::refusal::Refusal;
use super::target::{FleetTarget, digest_of};
use crate::kinds::own::own;
use crate::kinds::registry;
use crate::names::AccountId;
use crate::plan::compare::{Key, key};
use crate::plan::words::{account_name, counted};
use crate::plan::{Disposition, FailedAccount, ObjectPlan, Plan, PlannedChange};

/// Why an account's part of a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// The account, with its name when it is known.
    pub account: String,
    /// How many changes are left alone with it.
    pub changes: usize,
    /// What moved, or why nobody knows.
    pub why: Vec<String>,
    /// Whether the account could not be looked at at all.
    pub is_unseen: bool,
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.changes == 1 { "change" } else { "changes" };
        write!(
            out,
            "account {} with its {} {word}: {}",
            self.account,
            self.changes,
            self.why.join("; ")
        )
    }
}

/// A fresh plan within the bound of an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounded {
    /// The fresh plan. What it applies, it would apply without the bound as well; the rest is only
    /// reported.
    pub plan: Plan,
    /// The accounts of the earlier plan in which something moved: nothing is applied there, since an
    /// account's changes build on each other.
    pub left_alone: BTreeMap<AccountId, LeftAlone>,
    /// Changes that would be applied now and that the earlier plan does not have.
    pub beyond: usize,
}

/// Nothing of an earlier plan is left to apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NothingLeft {
    /// Its accounts cannot be looked at.
    #[error("{} of the plan cannot be looked at; {}: {}", counted(*accounts, "account"), first.account, first.reason)]
    Unseen {
        /// How many.
        accounts: usize,
        /// The first of them.
        first: FailedAccount,
    },
    /// All of them have moved.
    #[error(transparent)]
    Stale(#[from] Refusal),
}

/// Keeps of a fresh plan what an earlier one allows, and refuses where that is nothing because
/// everything has moved.
///
/// # Errors
/// No account with changes is as it was.
pub fn within(earlier: &Plan, fresh: Plan) -> Result<Bounded, NothingLeft> {
    let bounded = bound(earlier, fresh);
    let left_alone = &bounded.left_alone;
    if !bounded.plan.order.is_empty() || left_alone.is_empty() {
        return Ok(bounded);
    }
    let unseen = bounded.plan.failed.first();
    if let Some(first) = unseen.filter(|_| left_alone.values().all(|left| left.is_unseen)) {
        return Err(NothingLeft::Unseen { accounts: left_alone.len(), first: first.clone() });
    }
    let moved = left_alone.values().map(ToString::to_string).collect();
    Err(Refusal::Stale { moved }.into())
}

/// Insists that what an earlier plan was made from is declared as it was, in targets of the same
/// names where the fleet file has them. What other targets declare counts as well, in the fresh plan.
///
/// # Errors
/// It is declared in another way, or a target is not there any more.
pub fn same_baselines<'a>(
    earlier: &Plan,
    targets: impl IntoIterator<Item = &'a FleetTarget>,
    are_named: bool,
) -> Result<(), Refusal> {
    let stale = |what: String| Err(Refusal::Stale { moved: vec![what] });
    let then = &earlier.baseline;
    let mut targets: Vec<&FleetTarget> = targets.into_iter().collect();
    if are_named {
        for name in &then.targets {
            if !targets.iter().any(|target| target.name == *name) {
                return stale(format!("the fleet file has no target {name:?} any more"));
            }
        }
    }
    targets.retain(|target| !are_named || then.targets.contains(&target.name));
    match digest_of(targets) == then.digest {
        true => Ok(()),
        false => stale("the baseline has changed since the plan was made".to_owned()),
    }
}

/// Keeps of a fresh plan what an earlier one allows.
pub fn bound(earlier: &Plan, fresh: Plan) -> Bounded {
    bound_knowing(earlier, fresh, |_| None)
}

/// The same, where somebody knows why the fresh plan lacks an object.
pub fn bound_knowing(
    earlier: &Plan,
    fresh: Plan,
    why_missing: impl Fn(&ObjectPlan) -> Option<String>,
) -> Bounded {
    let mut plan = fresh;
    // What is looked at again is what the earlier plan has: what that lacks, this one lacks as well.
    if earlier.shards.is_some() {
        plan.shards.clone_from(&earlier.shards);
    }
    let allowed: BTreeMap<Key, &ObjectPlan> = earlier
        .objects
        .iter()
        .filter(|object| object.is_meant())
        .map(|object| (key(object), object))
        .collect();
    let mut left_alone = moved(earlier, &plan, &why_missing);
    // Each change that is applied, and whether the earlier plan has it: the changes of an object
    // that has not moved are the same ones in the same order.
    let mut kept: BTreeMap<u32, bool> = BTreeMap::new();
    for object in &plan.objects {
        let then = allowed.get(&key(object)).filter(|_| !left_alone.contains_key(&object.account));
        for (place, change) in object.changes.iter().enumerate() {
            let earlier = then.and_then(|then| then.changes.get(place));
            if change.is_applied() {
                // What a guard held back was reviewed as well, and the guard is asked anew.
                kept.insert(change.id, earlier.is_some_and(PlannedChange::is_meant));
            }
        }
    }
    // A change without the one that it waits for would be done out of order.
    let titles: BTreeMap<u32, String> =
        plan.changes().into_iter().map(|(id, (object, _))| (id, title(object))).collect();
    for object in &plan.objects {
        for change in object.changes.iter().filter(|change| kept.get(&change.id) == Some(&true)) {
            let missing = change.depends_on.iter().find(|id| kept.get(id) == Some(&false));
            let Some(missing) = missing.and_then(|id| titles.get(id)) else { continue };
            let why = format!(
                "{} waits for a change of {missing} that the plan does not have",
                title(object)
            );
            leave(&mut left_alone, earlier, &object.account, why, false);
        }
    }
    let mut beyond = 0;
    for object in &mut plan.objects {
        let is_left = left_alone.contains_key(&object.account);
        for change in object.changes.iter_mut().filter(|change| change.is_applied()) {
            let is_kept = kept.get(&change.id) == Some(&true);
            let reason = match (is_left, is_kept) {
                (false, true) => continue,
                (true, _) => "left alone, because this account has moved since the plan was made",
                (false, false) => {
                    beyond += 1;
                    "it is not in the plan that is applied: make a new one"
                }
            };
            change.disposition = Disposition::Report { reason: reason.to_owned() };
            kept.insert(change.id, false);
        }
    }
    plan.order.retain(|id| kept.get(id) == Some(&true));
    count(&mut left_alone, earlier);
    Bounded { plan, left_alone, beyond }
}

/// The accounts in which something moved between a plan and a new observation of the objects that
/// it changes: what is there, or what may be done.
fn moved(
    plan: &Plan,
    now: &Plan,
    why_missing: &impl Fn(&ObjectPlan) -> Option<String>,
) -> BTreeMap<AccountId, LeftAlone> {
    let seen: BTreeMap<_, _> = now.objects.iter().map(|object| (key(object), object)).collect();
    let mut moved: BTreeMap<AccountId, LeftAlone> = BTreeMap::new();
    for object in plan.objects.iter().filter(|object| object.is_meant()) {
        let account = &object.account;
        let (why, is_unseen) = match (whereabouts(account, now), seen.get(&key(object))) {
            (Whereabouts::Failed(reason), _) => (format!("it cannot be looked at: {reason}"), true),
            (Whereabouts::Gone(reason), _) => (reason, false),
            (Whereabouts::Here, None) => match why_missing(object) {
                Some(why) => (format!("{}: {why}", title(object)), false),
                None => {
                    (format!("{} is not there any more, or not declared", title(object)), false)
                }
            },
            (Whereabouts::Here, Some(now)) => match difference(object, now) {
                None => continue,
                Some(why) => (why, false),
            },
        };
        leave(&mut moved, plan, account, why, is_unseen);
    }
    moved
}

fn leave(
    left: &mut BTreeMap<AccountId, LeftAlone>,
    plan: &Plan,
    account: &AccountId,
    why: String,
    is_unseen: bool,
) {
    let name = plan.targets.iter().find(|target| target.account == *account);
    let left = left.entry(account.clone()).or_insert_with(|| LeftAlone {
        account: name.map_or_else(|| account.to_string(), account_name),
        changes: 0,
        why: Vec::new(),
        is_unseen,
    });
    if !left.why.contains(&why) {
        left.why.push(why);
    }
}

/// Counts the changes that are left alone.
fn count(left_alone: &mut BTreeMap<AccountId, LeftAlone>, plan: &Plan) {
    for object in &plan.objects {
        if let Some(left) = left_alone.get_mut(&object.account) {
            left.changes += object.changes.iter().filter(|change| change.is_meant()).count();
        }
    }
}

/// Where an account of a plan is in a later one.
enum Whereabouts<'a> {
    Here,
    Failed(&'a str),
    Gone(String),
}

fn whereabouts<'a>(account: &AccountId, now: &'a Plan) -> Whereabouts<'a> {
    if let Some(failed) = now.failed.iter().find(|failed| failed.account == *account) {
        return Whereabouts::Failed(&failed.reason);
    }
    if let Some(skipped) = now.skipped.iter().find(|skipped| skipped.account == *account) {
        return Whereabouts::Gone(format!("it is {}", skipped.reason));
    }
    if now.targets.iter().any(|target| target.account == *account) {
        Whereabouts::Here
    } else {
        Whereabouts::Gone("no target selects it any more".to_owned())
    }
}

/// What an object's plan says differently now.
fn difference(then: &ObjectPlan, now: &ObjectPlan) -> Option<String> {
    let otherwise = || format!("{} would be changed in another way now", title(then));
    let beside = registry::find(&now.item.kind).map_or(&[][..], |kind| kind.beside());
    if then.state_digest != now.state_digest
        || own(&then.observed, beside) != own(&now.observed, beside)
    {
        return Some(format!("{} has changed since the plan was made", title(then)));
    }
    if then.spec != now.spec {
        return Some(format!("{} is declared in another way now", title(then)));
    }
    if then.changes.len() != now.changes.len() {
        return Some(otherwise());
    }
    for (change, again) in then.changes.iter().zip(&now.changes) {
        // What a guard holds back has not moved: it is not written now, and still said.
        if let (true, Disposition::Report { reason }) = (change.is_applied(), &again.disposition) {
            return Some(format!("{} may not be written any more: {reason}", title(then)));
        }
        if what(change) != what(again) {
            return Some(otherwise());
        }
    }
    None
}

/// A change without its place in the plan, and without whether it may be written.
fn what(change: &PlannedChange) -> PlannedChange {
    PlannedChange {
        id: 0,
        depends_on: Vec::new(),
        disposition: Disposition::Apply,
        ..change.clone()
    }
}

/// `iam.role audit in eu-west-1`, without the account.
fn title(object: &ObjectPlan) -> String {
    object.title().replace(&format!(" of {}", object.account), "")
}

/// The accounts that a plan would write to.
pub fn accounts(plan: &Plan) -> BTreeSet<AccountId> {
    plan.objects
        .iter()
        .filter(|object| object.is_changed())
        .map(|object| object.account.clone())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
