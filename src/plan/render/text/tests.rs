use serde_json::json;

use super::super::testing::{change, object, plan, policy};
use super::*;
use crate::plan::{Disposition, ObjectPlan};

fn printed(plan: &Plan) -> String {
    let options = Options { command: "plan", ..Options::default() };
    anstream::adapter::strip_str(&render(plan, &options)).to_string()
}

/// A document, which is shown line by line.
fn document() -> serde_json::Value {
    json!({"Statement": [{"Sid": "a".repeat(60), "Action": "b".repeat(60)}]})
}

fn reported(account: usize, changes: usize, reason: &str) -> ObjectPlan {
    let one = change(json!({
        "drift": [{"field": "policy", "actual": null, "desired": document()}],
        "disposition": {"is": "report", "reason": reason},
    }));
    object(account, json!({"mode": "report", "changes": vec![one; changes]}))
}

#[test]
fn nothing_of_others_reaches_the_terminal_as_it_is() {
    let evil = "x\n9 to change\u{1b}[2J\u{202e}";
    let mut drifted = policy(1, &[("a", json!(evil), json!(1))]);
    drifted.note = Some(evil.to_owned());
    drifted.changes[0].warnings = vec![evil.to_owned()];
    drifted.observed.label = Some(evil.to_owned());
    let unknown = object(
        1,
        json!({"verdict": {
            "is": "unknown", "reason": evil, "permission": evil, "remedy": evil,
        }}),
    );
    let excepted = object(
        1,
        json!({"verdict": {
            "is": "excepted", "until": evil, "owner": evil, "reason": evil,
        }}),
    );
    let mut plan = plan(1, vec![drifted, reported(1, 1, evil), unknown, excepted]);
    plan.baseline.name = evil.to_owned();
    plan.targets[0].name = Some(evil.to_owned());
    plan.failed = serde_json::from_value(json!([
        {"account": "000000000009", "name": evil, "reason": evil, "remedy": evil},
    ]))
    .unwrap_or_default();
    plan.skipped = serde_json::from_value(json!([
        {"account": "000000000008", "name": evil, "reason": evil},
    ]))
    .unwrap_or_default();
    assert_eq!((plan.failed.len(), plan.skipped.len()), (1, 1));
    let text = printed(&plan);
    assert!(text.contains("x\\n9 to change\\u{1b}[2J\\u{202e}"), "{text}");
    let bad = |each: char| each != '\n' && (each.is_control() || each == '\u{202e}');
    assert!(!text.contains(bad), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("9 to change")), "{text}");
    // The colours are our own alone.
    assert!(!render(&plan, &Options::default()).contains("\u{1b}[2J"));
}

#[test]
fn a_reason_that_all_changes_share_is_said_once() {
    let text = printed(&plan(1, vec![reported(1, 8, "mode is \"report\"")]));
    assert_eq!(text.matches("only reported: mode").count(), 1, "{text}");
    let mut mixed = reported(1, 2, "mode is \"report\"");
    mixed.changes[1].disposition = Disposition::Report { reason: "another".to_owned() };
    let text = printed(&plan(1, vec![mixed]));
    assert_eq!(text.matches("only reported: ").count(), 2, "{text}");
}

#[test]
fn what_is_reported_in_one_target_and_written_in_another_is_shown_in_full_once() {
    let enforced = |account: usize| {
        let mut object = reported(account, 1, "");
        object.mode = crate::plan::Mode::Enforce;
        object.changes[0].disposition = Disposition::Apply;
        object
    };
    let reported = |account: usize| reported(account, 1, "mode is \"report\"");
    let objects = vec![enforced(1), enforced(2), reported(3), reported(4), reported(5)];
    let text = printed(&plan(5, objects));
    assert_eq!(text.matches("\"Statement\"").count(), 1, "{text}");
    assert!(text.contains("  as above, but only reported: mode is \"report\"\n"), "{text}");
    assert!(text.contains("3 accounts: 000000000003, "), "{text}");
}

#[test]
fn values_of_some_accounts_stand_beside_their_names() {
    let length = |account, length: u32| {
        policy(account, &[("minimum_password_length", json!(length), json!(14))])
    };
    let text = printed(&plan(3, vec![length(1, 8), length(2, 8), length(3, 12)]));
    let lines = [
        "  ~ minimum_password_length  12 → 14  000000000003\n",
        "  ~ minimum_password_length  8 → 14   2 accounts: 000000000001, 000000000002\n",
    ];
    assert!(text.contains(&lines.concat()), "{text}");
    assert!(text.contains(&format!("iam.password_policy{:45}all 3 accounts\n", "")), "{text}");
}

#[test]
fn the_same_accounts_are_listed_once_in_a_block() {
    let objects = (1..=6).map(|account| {
        let old = if account < 4 { json!(false) } else { serde_json::Value::Null };
        policy(account, &[("a", old.clone(), json!(true)), ("b", old, json!(true))])
    });
    let text = printed(&plan(6, objects.collect()));
    assert_eq!(text.matches("3 accounts: 000000000001, 000000000002, 000000000003\n").count(), 1);
    let again = "  ~ b  false → true  the same 3 accounts as with 000000000001\n";
    assert!(text.contains(again), "{text}");
}

#[test]
fn the_same_accounts_are_not_said_of_others_that_look_alike() {
    let yes = |fields: &[&'static str], account: usize| {
        let drift: Vec<_> =
            fields.iter().map(|field| (*field, json!(false), json!(true))).collect();
        policy(account, &drift)
    };
    // `a` in 1, 2, 3; `b` in 1, 2, 4; `c` in 1, 2, 3 again.
    let objects = vec![
        yes(&["a", "b", "c"], 1),
        yes(&["a", "b", "c"], 2),
        yes(&["a", "c"], 3),
        yes(&["b"], 4),
    ];
    let text = printed(&plan(4, objects));
    assert!(!text.contains("the same"), "{text}");
}
