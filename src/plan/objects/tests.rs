#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::plan::render::testing::{account, change, object, plan, policy};
use crate::plan::render::{html, json, junit, markdown, sarif, text};
use crate::plan::thin::Alike;
use crate::plan::{AccountPlan, Assembly, Comparison, Plan, PlanHead};

/// More accounts than are held as they are.
const ACCOUNTS: usize = 40;

/// An account with objects of every sort; the tenth's policy differs from that of the others.
fn objects(number: usize) -> Vec<ObjectPlan> {
    let length = if number == 10 { 6 } else { 8 };
    let waits = json!({"id": 3, "depends_on": [2], "risk": "disruptive", "grants": [
        {"class": "administrator", "what": "everything"},
    ]});
    let group = |region: &str, verdict: serde_json::Value, changes: serde_json::Value| {
        object(
            number,
            json!({
                "global": false, "region": region, "item": "ec2.default_security_group",
                "observed": {"id": format!("vpc-{number}"), "label": format!("a {}", account(number)), "status": "absent"},
                "verdict": verdict, "changes": changes,
            }),
        )
    };
    vec![
        policy(number, &[("minimum_password_length", json!(length), json!(14))]),
        group(
            "eu-west-1",
            json!({"is": "drifted"}),
            json!([change(json!({"id": 2})), change(waits)]),
        ),
        group(
            "us-east-1",
            json!({"is": "unknown", "reason": format!("no {} (request {number})", account(number))}),
            json!([]),
        ),
        group("us-west-2", json!({"is": "skipped", "reason": "not ours"}), json!([])),
        group(
            "eu-west-2",
            json!({"is": "excepted", "until": "2027-01-01", "owner": "o", "reason": "r"}),
            json!([]),
        ),
        group("eu-west-3", json!({"is": "in_sync"}), json!([])),
    ]
}

fn assembled(of: impl Fn(usize) -> Vec<ObjectPlan>) -> Plan {
    let mut parts = Assembly::default();
    // They come in any order.
    for number in (1..=ACCOUNTS).rev() {
        let part = AccountPlan { objects: of(number), in_sync: 2, order: vec![1, 2, 3] };
        parts.add(account(number).parse().unwrap(), part);
    }
    let Plan { run, baseline, targets, cost, .. } = plan(ACCOUNTS, Vec::new());
    parts.finish(PlanHead {
        run,
        baseline,
        targets,
        failed: serde_json::from_value(json!([{"account": account(99), "reason": "denied"}]))
            .unwrap(),
        skipped: serde_json::from_value(json!([{"account": account(98), "reason": "suspended"}]))
            .unwrap(),
        snapshot: None,
        shards: None,
        cost,
    })
}

/// The same plan, its objects in a list.
fn listed(plan: &Plan) -> Plan {
    Plan { objects: plan.objects.clone().into_iter().collect(), ..plan.clone() }
}

/// Everything that is made of a plan.
fn forms(plan: &Plan) -> Vec<String> {
    let written = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    };
    let source =
        sarif::Source { folder: "/r".into(), root: "/r".into(), fleet: "evenkeel.toml".into() };
    vec![
        text::render(plan, &text::Options { command: "plan", next: None, verbose: true }),
        markdown::render(plan, "plan", "there"),
        written(&|out| html::write(plan, "plan", out).unwrap()),
        written(&|out| json::write(plan, out).unwrap()),
        written(&|out| json::write_lines(plan, out).unwrap()),
        written(&|out| junit::write(plan, out).unwrap()),
        written(&|out| sarif::write(plan, &source, out).unwrap()),
        format!("{:?}", plan.outcome()),
        format!("{:?}", plan.changed()),
    ]
}

#[test]
fn what_is_kept_small_is_shown_as_what_is_held() {
    let mut alike = Alike::default();
    let thin = std::cell::RefCell::new(&mut alike);
    let of_thin = |number| {
        let mut objects = objects(number);
        objects.iter_mut().for_each(|object| thin.borrow_mut().note(object));
        objects
    };
    let mut compared = assembled(objects);
    compared.comparison = Some(Comparison {
        base: "main".to_owned(),
        digest: "d".to_owned(),
        introduced: vec![0, 1, 7, 8, 10, 40],
        removed: objects(3),
    });
    for small in [assembled(objects), assembled(of_thin), compared] {
        let whole = listed(&small);
        assert!(!small.objects.packs.is_empty() && whole.objects.packs.is_empty());
        assert!(small.objects.packs.iter().all(Pack::is_squeezed));
        for (small, whole) in forms(&small).into_iter().zip(forms(&whole)) {
            assert_same(&small, &whole);
        }
        assert!(small.objects.opened.get().is_none(), "no form wants a list of all objects");
        assert_eq!(small, whole);
    }
}

fn assert_same(small: &str, whole: &str) {
    let first = small.lines().zip(whole.lines()).find(|(one, other)| one != other);
    assert_eq!(first, None);
    assert_eq!(small.len(), whole.len());
}

#[test]
fn changes_are_numbered_through_and_a_list_can_be_changed() {
    let mut small = assembled(objects);
    let numbers: Vec<u32> =
        small.objects.each().flat_map(|object| object.changes.clone()).map(|it| it.id).collect();
    assert_eq!(numbers, (1..=120).collect::<Vec<_>>());
    assert_eq!(small.order, numbers);
    small.check().unwrap();
    for object in &mut small.objects {
        object.changes.clear();
    }
    assert_eq!(small.summary().changes, 0);
    assert_eq!(small.objects.len(), ACCOUNTS * 6);
}
