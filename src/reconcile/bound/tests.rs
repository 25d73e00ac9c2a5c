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
    reported["changes"][0]["disposition"] = json!({"is": "report", "reason": "mode is \"report\""});
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
    assert!(bounded.order.iter().all(|id| order.any(|fresh| fresh == id)), "{:?}", bounded.order);
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
