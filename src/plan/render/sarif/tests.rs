#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::testing::{object, plan, policy};
use super::*;
use crate::plan::{Comparison, ObjectPlan};

fn source(folder: &str) -> Source {
    Source { folder: folder.into(), root: "/repo".into(), fleet: "evenkeel.toml".into() }
}

fn results(plan: &Plan) -> Vec<Value> {
    let mut text = Vec::new();
    write(plan, &source("/repo/sub"), &mut text).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(document["runs"][0]["originalUriBaseIds"]["%SRCROOT%"]["uri"], "file:///repo/");
    document["runs"][0]["results"].as_array().unwrap().clone()
}

fn length(account: usize, length: u32) -> ObjectPlan {
    policy(account, &[("minimum_password_length", json!(length), json!(14))])
}

#[test]
fn paths_are_those_of_the_repository() {
    let cases = [
        ("/repo/sub", "b 1.toml", "sub/b%201.toml", true),
        ("/repo/sub", "../b.toml", "b.toml", true),
        ("/repo/sub", "./x/../b.toml", "sub/b.toml", true),
        ("/repo", "/repo/x/b.toml", "x/b.toml", true),
        ("/repo", "../other/b.toml", "file:///other/b.toml", false),
    ];
    for (folder, file, uri, inside) in cases {
        let artifact = source(folder).artifact(file);
        assert_eq!(artifact["uri"], uri);
        assert_eq!(artifact.get("uriBaseId").is_some(), inside, "{file}");
    }
}

#[test]
fn fingerprints_are_of_the_drift_and_never_collide() {
    let fingerprint = |result: &Value| result["partialFingerprints"]["evenkeel/v2"].clone();
    let reported = |number: usize| {
        let mut object = length(number, 8);
        object.mode = crate::plan::Mode::Report;
        object
    };
    let both = results(&plan(3, vec![length(1, 8), length(2, 6), reported(3)]));
    assert_eq!(both.len(), 2);
    assert_ne!(fingerprint(&both[0]), fingerprint(&both[1]));
    // Another account comes first, or more have it: it is still the same.
    let later = results(&plan(3, vec![length(2, 8), length(3, 8)]));
    assert!(both.iter().map(fingerprint).any(|before| before == fingerprint(&later[0])));
    // Also where only the line that declares it tells two apart.
    let mut moved = length(3, 8);
    moved.location = Some(crate::plan::Location { file: "b.toml".to_owned(), line: 9 });
    let two = results(&plan(3, vec![length(1, 8), moved]));
    assert_ne!(fingerprint(&two[0]), fingerprint(&two[1]));
    let hash = |result: &Value| {
        result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned()
    };
    assert!(hash(&two[0]).ends_with(":1") && hash(&two[1]).ends_with(":2"));
}

#[test]
fn an_account_that_failed_is_a_result_on_the_fleet_file() {
    let mut plan = plan(1, Vec::new());
    plan.failed = serde_json::from_value(json!([
        {"account": "000000000008", "name": "a", "reason": "denied 000000000008 (request 1)"},
        {"account": "000000000009", "name": "b", "reason": "denied 000000000009 (request 2)"},
    ]))
    .unwrap();
    let place = |result: &Value| {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone()
    };
    let found = results(&plan);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["ruleId"], "account-not-looked-at");
    assert_eq!(place(&found[0]), "sub/b.toml");
    let text = found[0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("2 accounts: 000000000008 (a), 000000000009 (b) could not"), "{text}");
    plan.baseline.targets = vec!["production".to_owned()];
    assert_eq!(place(&results(&plan)[0]), "sub/evenkeel.toml");
}

#[test]
fn long_values_are_there_and_bounded() {
    let list: Vec<_> =
        (0..500).map(|number| json!({"a": format!("{number} {}", "x".repeat(80))})).collect();
    let found = results(&plan(1, vec![policy(1, &[("policy", Value::Null, json!(list))])]));
    let text = found[0]["message"]["text"].as_str().unwrap();
    assert!(text.contains("\"a\": \"0 xxx") && text.ends_with("more lines"), "{text}");
    assert!(text.chars().count() < LINES * WIDTH + 500);
}

#[test]
fn beside_another_version_each_result_says_since_when() {
    let mut plan = plan(2, vec![length(1, 8), length(2, 8)]);
    plan.comparison = Some(Comparison {
        base: "main".to_owned(),
        digest: String::new(),
        introduced: vec![1],
        removed: vec![object(1, json!({"item": "iam.account_alias"}))],
    });
    let states: Vec<_> = results(&plan).iter().map(|it| it["baselineState"].clone()).collect();
    assert_eq!(states, ["new", "absent", "unchanged"]);
}
