//! Plans for the renderers' tests.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::plan::{ObjectPlan, Plan};

/// A plan of accounts `000000000001` and on, each with one Region.
pub fn plan(accounts: usize, objects: Vec<ObjectPlan>) -> Plan {
    let targets: Vec<Value> = (1..=accounts)
        .map(|number| {
            json!({
                "account": account(number), "partition": "aws",
                "home_region": "eu-west-1", "regions": ["eu-west-1"],
            })
        })
        .collect();
    let mut plan: Plan = serde_json::from_value(json!({
        "format_version": "1", "evenkeel_version": "0", "run": "run",
        "baseline": {"name": "acme", "digest": "0123456789", "files": ["b.toml"]},
        "targets": targets, "objects": [], "order": [],
        "cost": {"requests": 1, "milliseconds": 1},
    }))
    .unwrap();
    plan.objects = objects.into();
    plan
}

/// Twelve digits.
pub fn account(number: usize) -> String {
    format!("{number:012}")
}

/// A password policy with a drift: field, what is there, what is declared.
pub fn policy(number: usize, drift: &[(&str, Value, Value)]) -> ObjectPlan {
    let drift: Vec<Value> = drift
        .iter()
        .map(|(field, actual, desired)| json!({"field": field, "actual": actual, "desired": desired}))
        .collect();
    object(number, json!({"changes": [change(json!({"drift": drift}))]}))
}

/// A safe change that would be written, but for some of its keys.
pub fn change(with: Value) -> Value {
    patched(
        json!({
            "id": 1, "action": {}, "risk": "safe", "warnings": [],
            "permissions": ["iam:UpdateAccountPasswordPolicy"],
            "disposition": {"is": "apply"}, "depends_on": [], "drift": [],
        }),
        with,
    )
}

/// A drifted password policy, but for some of its keys.
pub fn object(number: usize, with: Value) -> ObjectPlan {
    let object = json!({
        "account": account(number), "region": "eu-west-1", "global": true,
        "item": "iam.password_policy", "mode": "enforce", "controls": ["IAM.7"],
        "location": {"file": "b.toml", "line": 5},
        "verdict": {"is": "drifted"}, "spec": null, "state_digest": "",
        "observed": {"id": "", "status": "absent"}, "changes": [],
    });
    serde_json::from_value(patched(object, with)).unwrap()
}

fn patched(mut value: Value, with: Value) -> Value {
    if let Value::Object(with) = with {
        for (key, part) in with {
            value[key] = part;
        }
    }
    value
}
