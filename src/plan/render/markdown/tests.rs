use serde_json::{Value, json};

use super::super::testing::{account, object, plan, policy};
use super::*;
use crate::plan::ObjectPlan;

const FULL: &str = "the output of `evenkeel plan`";

fn verdict(number: usize, verdict: Value) -> ObjectPlan {
    object(number, json!({"verdict": verdict}))
}

#[test]
fn what_is_excepted_and_skipped_is_there_with_its_reasons() {
    let excepted = json!({
        "is": "excepted", "until": "2999-01-01", "owner": "@team", "reason": "waiting for NET-1",
    });
    let objects = vec![
        verdict(1, excepted),
        verdict(1, json!({"is": "skipped", "reason": "a key for signing"})),
    ];
    let text = render(&plan(1, objects), "check", FULL);
    assert!(text.starts_with("<!-- evenkeel -->\n## evenkeel check · acme@012345\n"), "{text}");
    let excepted = "<details><summary>Excepted: 1 object</summary>\n\n- <code>iam.password\\_policy</code> · global: until 2999-01-01 · @<!-- -->team · waiting for NET-1\n\n</details>";
    assert!(text.contains(excepted), "{text}");
    assert!(text.contains("<details><summary>Skipped: 1 object</summary>\n\n"), "{text}");
    assert!(text.contains(": a key for signing\n"), "{text}");
}

#[test]
fn raw_html_has_no_backslashes_and_a_shortened_text_no_half_entity() {
    let mut drifted = policy(1, &[("a", json!(1), json!(2))]);
    drifted.observed.label = Some("my_vpc*<b>".to_owned());
    drifted.note = Some("<".repeat(1000));
    let text = render(&plan(1, vec![drifted]), "plan", FULL);
    let summary = text.lines().find(|line| line.contains("<summary>")).unwrap_or_default();
    assert!(summary.contains("iam.password_policy</code> my_vpc*&lt;b&gt; ·"), "{summary}");
    assert!(text.contains(&format!("Why: {} …\n", "&lt;".repeat(REASON))), "{text}");
}

#[test]
fn any_fleet_fits_and_what_does_not_is_said_by_sort() {
    let long = "~@<_".repeat(2_000);
    let mut objects = Vec::new();
    let mut unknown = 0;
    for number in 1..=3_000 {
        // Each in its own way, so that nothing can be grouped.
        let mut drifted = policy(number, &[("a", json!(format!("{long}{number}")), json!(2))]);
        drifted.note = Some(format!("{number} {long}"));
        objects.push(drifted);
        objects
            .push(verdict(number, json!({"is": "unknown", "reason": format!("{number} {long}")})));
        objects
            .push(verdict(number, json!({"is": "skipped", "reason": format!("{number} {long}")})));
        objects.push(verdict(
            number,
            json!({"is": "excepted", "until": long, "owner": long, "reason": format!("{number}")}),
        ));
        unknown += 1;
        if number == 200 {
            break;
        }
    }
    let mut plan = plan(200, objects);
    plan.baseline.name = long.clone();
    plan.run = long.clone();
    let failed: Vec<_> = (1_000..1_200)
        .map(|number| {
            json!({"account": account(number), "name": long, "reason": format!("{number} {long}")})
        })
        .collect();
    plan.failed = serde_json::from_value(json!(failed)).unwrap_or_default();
    plan.skipped = serde_json::from_value(json!(
        (2_000..2_200)
            .map(|number| json!({"account": account(number), "reason": format!("{number} {long}")}))
            .collect::<Vec<_>>()
    ))
    .unwrap_or_default();
    let text = render(&plan, "plan", FULL);
    assert!(text.chars().count() < LIMIT, "{}", text.chars().count());
    let shown = |what: &str| text.matches(what).count();
    let notice = text.lines().find(|line| line.contains("did not fit")).unwrap_or_default();
    // Each sort has room for some, and the rest is counted.
    assert!(shown("- **unknown**") > 5, "{text}");
    assert!(notice.contains(&format!("{} unknown", unknown - shown("- **unknown**"))), "{notice}");
    assert!(notice.contains(" drifted, ") && notice.contains(" skipped objects and "), "{notice}");
    assert!(notice.contains(" accounts that could not be looked at did not fit"), "{notice}");
    assert!(shown("<details>") > 3 && shown("Excepted: 200 objects") == 1);
}

#[test]
fn a_long_difference_is_cut_and_says_so() {
    let list: Vec<_> =
        (0..500).map(|number| json!({"a": format!("{number} {}", "x".repeat(40))})).collect();
    let drifted = policy(1, &[("policy", Value::Null, json!(list))]);
    let text = render(&plan(1, vec![drifted]), "plan", FULL);
    assert!(text.contains("  ⋯ and 383 more lines\n```\n"), "{text}");
    assert!(!text.contains("did not fit"), "{text}");
}
