//! A plan is an upper bound, never a source. What is written comes from a fresh look at the accounts
//! and a fresh plan of the baselines in front of us; an earlier plan, which somebody has reviewed, is
//! only compared with it, and can only take writes away. Whoever changes a saved plan can at most
//! make it do less.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::guard::Refusal;
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
    let mut left_alone = moved(earlier, &plan);
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
fn moved(plan: &Plan, now: &Plan) -> BTreeMap<AccountId, LeftAlone> {
    let seen: BTreeMap<_, _> = now.objects.iter().map(|object| (key(object), object)).collect();
    let mut moved: BTreeMap<AccountId, LeftAlone> = BTreeMap::new();
    for object in plan.objects.iter().filter(|object| object.is_meant()) {
        let account = &object.account;
        let (why, is_unseen) = match (whereabouts(account, now), seen.get(&key(object))) {
            (Whereabouts::Failed(reason), _) => (format!("it cannot be looked at: {reason}"), true),
            (Whereabouts::Gone(reason), _) => (reason, false),
            (Whereabouts::Here, None) => {
                (format!("{} is not there any more, or not declared", title(object)), false)
            }
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
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use serde_json::{Value, json};

    use super::*;
    use crate::names::VERSION;
    use crate::plan::file::accept;
    use crate::plan::{FORMAT_VERSION, merge};

    fn change(id: u32, action: &Value, depends_on: &[u32]) -> Value {
        json!({
            "id": id, "drift": [{"field": "f", "actual": 8, "desired": 14}], "action": action,
            "risk": "safe", "warnings": ["w"], "disposition": {"is": "apply"},
            "permissions": ["iam:X"], "depends_on": depends_on,
        })
    }

    fn object(account: &str, item: &str, id: &str, changes: &[Value]) -> Value {
        let observed = json!({"id": id, "status": "present", "state": {"length": 8}});
        json!({
            "account": account, "region": "eu-west-1", "global": false, "item": item,
            "mode": "enforce", "controls": ["IAM.15"], "verdict": {"is": "drifted"},
            "spec": {"length": 14}, "observed": observed,
            "state_digest": crate::digest::of(&observed), "changes": changes,
        })
    }

    /// Two accounts; changes of one and of several steps, one that waits for another object's, and
    /// what is only reported, excepted, unknown and in sync.
    fn fresh() -> Plan {
        let mut reported = object(
            "000000000001",
            "kms.key.r",
            "r",
            &[change(4, &json!({"schedule_deletion": {"window_days": 7}}), &[])],
        );
        reported["mode"] = json!("report");
        reported["changes"][0]["disposition"] =
            json!({"is": "report", "reason": "mode is \"report\""});
        let mut excepted =
            object("000000000001", "iam.role.e", "e", &[change(5, &json!({"delete": {}}), &[])]);
        excepted["verdict"] =
            json!({"is": "excepted", "until": "2030-01-01", "owner": "o", "reason": "r"});
        excepted["changes"][0]["disposition"] = json!({"is": "report", "reason": "excepted"});
        let mut unknown = object("000000000002", "kms.key.u", "", &[]);
        unknown["verdict"] = json!({"is": "unknown", "reason": "denied"});
        let mut in_sync = object("000000000002", "iam.role.s", "s", &[]);
        in_sync["verdict"] = json!({"is": "in_sync"});
        let target = |account: &str| json!({"account": account, "partition": "aws", "home_region": "eu-west-1", "regions": ["eu-west-1"]});
        let plan = json!({
            "format_version": FORMAT_VERSION, "evenkeel_version": VERSION, "run": "fresh",
            "baseline": {"name": "b", "digest": "d", "files": ["b.toml"], "targets": ["t"]},
            "targets": [target("000000000001"), target("000000000002")],
            "objects": [
                object("000000000001", "iam.role.a", "a", &[change(1, &json!({"add": 1}), &[]), change(2, &json!({"remove": 1}), &[1])]),
                object("000000000001", "kms.key.k", "k", &[change(3, &json!({"k": 1}), &[])]),
                reported, excepted,
                object("000000000002", "iam.role.w", "w", &[change(6, &json!({"w": 1}), &[7])]),
                object("000000000002", "kms.key.z", "z", &[change(7, &json!({"z": 1}), &[])]),
                unknown, in_sync,
            ],
            "order": [1, 2, 3, 7, 6],
            "cost": {"requests": 1, "milliseconds": 1},
        });
        serde_json::from_value(plan).unwrap()
    }

    /// The saved plan of a value, as `apply` would read it: the digest always fits.
    fn resealed(mut value: Value) -> Option<Plan> {
        let plan: Plan = serde_json::from_value(value.clone()).ok()?;
        let map = value.as_object_mut()?;
        map.insert("plan_digest".to_owned(), json!(crate::digest::of_written(&plan)));
        map.insert("summary".to_owned(), json!(plan.summary()));
        accept(value).ok().map(|parsed| parsed.plan)
    }

    /// What is written within the bound of a saved plan. Insists that it is a part of what the fresh
    /// plan writes, and that nothing but dispositions differs from it.
    fn written(saved: &Plan) -> Vec<u32> {
        let fresh = fresh();
        let bounded = bound(saved, fresh.clone()).plan;
        bounded.check().unwrap();
        let mut same = bounded.clone();
        same.order.clone_from(&fresh.order);
        for (object, original) in same.objects.iter_mut().zip(&fresh.objects) {
            for (change, original) in object.changes.iter_mut().zip(&original.changes) {
                if !change.is_applied() {
                    change.disposition = original.disposition.clone();
                }
            }
        }
        assert_eq!(same, fresh);
        let mut order = fresh.order.iter();
        assert!(
            bounded.order.iter().all(|id| order.any(|fresh| fresh == id)),
            "{:?}",
            bounded.order
        );
        bounded.order
    }

    /// Every place of a document, by JSON pointer.
    fn places(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    places(value, &format!("{at}/{key}"), found);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    places(value, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }

    /// What somebody may write in some place: other types, other words of the format, and what
    /// stands elsewhere in the same document.
    fn replacements(document: &Value, place: &str) -> Vec<Option<Value>> {
        let mut all = vec![json!(null), json!(7), json!("a"), json!([]), json!({})];
        let of_what = place.rsplit(|char: char| char == '/' || char.is_ascii_digit());
        let of_what = of_what.into_iter().find(|word| !word.is_empty()).unwrap_or_default();
        let words: &[&str] = match of_what {
            "mode" => &["enforce", "report", "off"],
            "risk" => &["safe", "disruptive", "destructive"],
            "account" => &["000000000001", "000000000002", "999999999999"],
            "region" => &["us-east-1"],
            "item" => &["iam.role.a", "kms.key.r", "kms.key.k", "iam.role.backdoor"],
            "targets" | "digest" | "id" | "name" => &["a", "r", "t", "d"],
            _ => &[],
        };
        all.extend(words.iter().map(|word| json!(word)));
        let others: &[&str] = match of_what {
            "order" => &["/objects/0/changes/1/depends_on"],
            "objects" => &["/objects/0", "/objects/2", "/objects/3"],
            "changes" => &[
                "/objects/0/changes",
                "/objects/2/changes",
                "/objects/0/changes/0",
                "/objects/2/changes/0",
            ],
            "action" => &["/objects/2/changes/0/action", "/objects/0/changes/1/action"],
            "targets" | "failed" | "skipped" => &["/targets/1"],
            _ => &[],
        };
        all.extend(others.iter().filter_map(|place| document.pointer(place).cloned()));
        match of_what {
            "id" | "order" | "depends_on" => {
                all.extend([0, 1, 2, 4, 7, 99].map(|number| json!(number)));
                all.extend([json!([1, 2, 3, 4, 5, 6, 7]), json!([1, 1]), json!([4]), json!([1])]);
            }
            "disposition" => {
                all.extend([json!({"is": "apply"}), json!({"is": "report", "reason": "x"})]);
            }
            "verdict" => all.extend([json!({"is": "drifted"}), json!({"is": "in_sync"})]),
            _ => {}
        }
        if let Some(Value::Array(list)) = document.pointer(place) {
            let twice: Vec<Value> = list.iter().chain(list).cloned().collect();
            all.push(json!(twice));
            all.push(list.iter().rev().cloned().collect());
            for index in 0..list.len() {
                let mut fewer = list.clone();
                fewer.remove(index);
                all.push(json!(fewer));
            }
        }
        all.into_iter().map(Some).chain([None]).collect()
    }

    /// Puts something in a place, or takes away what is there.
    fn put(document: &mut Value, place: &str, with: Option<Value>) {
        match with {
            Some(value) => {
                if let Some(here) = document.pointer_mut(place) {
                    *here = value;
                }
            }
            None => {
                let Some((parent, key)) = place.rsplit_once('/') else { return };
                match document.pointer_mut(parent) {
                    Some(Value::Object(map)) => {
                        map.shift_remove(key);
                    }
                    Some(Value::Array(list)) => {
                        let _ = key.parse().map(|index: usize| list.remove(index));
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_plan_that_nobody_touched_lets_everything_through() {
        let saved = resealed(serde_json::to_value(fresh()).unwrap()).unwrap();
        assert_eq!(written(&saved), [1, 2, 3, 7, 6]);
        assert!(bound(&saved, fresh()).left_alone.is_empty());
    }

    /// Systematically: every place of a saved plan, with everything that might be written there.
    #[test]
    fn one_mutation_of_a_saved_plan_writes_no_more_than_a_fresh_plan() {
        let document = serde_json::to_value(fresh()).unwrap();
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let (mut refused, mut less, mut whole) = (0, 0, 0);
        for place in &all {
            for with in replacements(&document, place) {
                let mut mutated = document.clone();
                put(&mut mutated, place, with);
                match resealed(mutated).map(|saved| written(&saved).len()) {
                    None => refused += 1,
                    Some(5) => whole += 1,
                    Some(_) => less += 1,
                }
            }
        }
        // The mutations reach all three ends.
        assert!(refused > 1000 && less > 100 && whole > 100, "{refused} {less} {whole}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn many_mutations_of_a_saved_plan_write_no_more_than_a_fresh_plan(
            mutations in prop::collection::vec((any::<Index>(), any::<Index>()), 1..8),
        ) {
            let mut document = serde_json::to_value(fresh()).unwrap();
            for (place, with) in mutations {
                let mut all = Vec::new();
                places(&document, "", &mut all);
                let place = place.get(&all).clone();
                let what = with.get(&replacements(&document, &place)).clone();
                let mut mutated = document.clone();
                put(&mut mutated, &place, what);
                // One that would be refused by itself ends the game: it is not gone on with.
                if let Some(saved) = resealed(mutated.clone()) {
                    written(&saved);
                    // A report of a shard is the same file, and merging gives it a new digest.
                    let report = merge::Report { name: "shard".to_owned(), plan: saved };
                    if let Ok(merged) = merge::merge(vec![report]) {
                        written(&merged);
                    }
                    document = mutated;
                }
            }
        }
    }

    #[test]
    fn each_object_is_whole_and_waits_for_nothing_that_is_left_out() {
        // The addition is hidden, and the removal that needs it is kept.
        let mut value = serde_json::to_value(fresh()).unwrap();
        value["objects"][0]["changes"][0]["disposition"] = json!({"is": "report", "reason": "x"});
        value["objects"][0]["changes"][1]["depends_on"] = json!([]);
        value["order"] = json!([2, 3, 7, 6]);
        let saved = resealed(value).unwrap();
        let bounded = bound(&saved, fresh());
        assert_eq!(bounded.plan.order, [7, 6]);
        let left = bounded.left_alone.values().next().unwrap().to_string();
        assert!(left.contains("waits for a change of iam.role.a"), "{left}");
        // The same across objects.
        let mut value = serde_json::to_value(fresh()).unwrap();
        value["objects"].as_array_mut().unwrap().remove(5);
        value["objects"][4]["changes"][0]["depends_on"] = json!([]);
        value["order"] = json!([1, 2, 3, 6]);
        assert_eq!(written(&resealed(value).unwrap()), [1, 2, 3]);
    }

    #[test]
    fn what_the_plan_does_not_have_is_counted_and_not_written() {
        let mut value = serde_json::to_value(fresh()).unwrap();
        value["objects"].as_array_mut().unwrap().remove(1);
        value["order"] = json!([1, 2, 7, 6]);
        let bounded = bound(&resealed(value).unwrap(), fresh());
        assert_eq!((bounded.plan.order, bounded.beyond), (vec![1, 2, 7, 6], 1));
        assert!(bounded.left_alone.is_empty());
    }
}
