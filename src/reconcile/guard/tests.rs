use serde_json::json;

use super::*;
use crate::kinds::{GrantClass, Risk};
use crate::plan::{AccountPlan, Assembly, Cost, Guard, ObjectPlan, PlanHead};

fn window() -> ChangeWindow {
    ChangeWindow {
        cron: "0 0 9 * * MON-FRI".to_owned(),
        hours: 8,
        timezone: Some("Asia/Seoul".to_owned()),
    }
}

/// 40 accounts, each with a safe change and one that gives rights; the seventh has a destructive one.
fn fleet() -> Plan {
    let mut parts = Assembly::default();
    for number in 1..=40_u64 {
        let change = |id: u32, risk: &str, grants: serde_json::Value| {
            json!({
                "id": id, "action": {}, "risk": risk, "warnings": [], "permissions": [], "drift": [],
                "disposition": {"is": "apply"}, "depends_on": [], "grants": grants,
            })
        };
        let risk = if number == 7 { "destructive" } else { "safe" };
        let public = json!([{"class": "public", "what": "everybody"}]);
        let object = json!({
            "account": format!("{number:012}"), "region": "eu-west-1", "global": true,
            "item": "iam.password_policy", "mode": "enforce", "controls": [],
            "verdict": {"is": "drifted"}, "spec": null, "state_digest": "",
            "observed": {"id": "", "status": "absent"},
            "changes": [change(1, risk, json!([])), change(2, "safe", public)],
        });
        let object: ObjectPlan = serde_json::from_value(object).unwrap();
        let account = object.account.clone();
        parts.add(account, AccountPlan { objects: vec![object], in_sync: 0, order: vec![1, 2] });
    }
    parts.finish(PlanHead {
        run: String::new(),
        baseline: serde_json::from_value(json!({"name": "", "digest": "", "files": []})).unwrap(),
        targets: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
        snapshot: None,
        shards: None,
        cost: Cost::default(),
    })
}

#[test]
fn the_guards_see_a_large_fleet_as_they_see_a_small_one() {
    let packed = fleet();
    let listed = Plan { objects: packed.objects.clone().into_iter().collect(), ..fleet() };
    let safety = Safety::default();
    for plan in [packed, listed] {
        let Err(Refusal::TooRisky { object, risk, .. }) = LimitCheck::of(&plan, &safety).check()
        else {
            unreachable!("the seventh account's change is too risky");
        };
        assert_eq!(object, "iam.password_policy of 000000000007");
        assert_eq!(risk, Risk::Destructive);
        let asked =
            LimitCheck::of(&plan, &Safety { max_changes: 50, ..safety.clone() }).options(&plan);
        assert_eq!(
            asked,
            [
                ("--max-risk", Some("destructive".to_owned())),
                ("--allow-grants", Some("public".to_owned())),
                ("--max-changes", Some("80".to_owned())),
            ]
        );
    }
}

#[test]
fn a_plan_that_is_only_shown_says_what_windows_and_limits_would_hold_back_and_stays_as_it_is() {
    let open = Safety {
        max_risk: Risk::Destructive,
        allow_grants: [GrantClass::Public].into_iter().collect(),
        ..Safety::default()
    };
    let (sunday, monday) = ("2026-11-22T01:00:00Z", "2026-11-23T01:00:00Z");
    let (limit, window_opens) =
        ((Guard::Budget, "limit is 50"), (Guard::ChangeWindow, "opens at 2026-11-23T09:00"));
    let cases = [
        (50, sunday, vec![limit, window_opens]),
        (50, monday, vec![limit]),
        (80, sunday, vec![window_opens]),
        (80, monday, vec![]),
    ];
    for (max_changes, now, expected) in cases {
        let safety = Safety { max_changes, ..open.clone() };
        let guards = Guards { safety, windows: vec![window()], ..Guards::default() };
        let mut plan = fleet();
        plan.held_now =
            guards.holding(&plan, &LimitCheck::of(&plan, &guards.safety), now.parse().unwrap());
        assert_eq!(plan.held_now.len(), expected.len(), "{max_changes} {now}");
        for (held, (guard, reason)) in plan.held_now.iter().zip(expected) {
            assert_eq!(held.guard, guard);
            assert!(held.reason.contains(reason) && !held.released_by.is_empty(), "{held}");
        }
        // Nothing of the plan itself is another one.
        let bare = fleet();
        assert_eq!(plan.summary(), bare.summary());
        assert_eq!(crate::digest::of_written(&plan), crate::digest::of_written(&bare));
        let mut nothing = fleet();
        nothing.order.clear();
        assert!(
            guards
                .holding(&nothing, &LimitCheck::of(&nothing, &guards.safety), now.parse().unwrap())
                .is_empty()
        );
    }
}

#[test]
fn changes_wait_for_their_window() {
    let cases = [
        ("2026-11-23T01:00:00Z", true),  // Monday 10:00 in Seoul
        ("2026-11-23T08:30:00Z", false), // Monday 17:30
        ("2026-11-22T01:00:00Z", false), // Sunday 10:00
    ];
    for (now, open) in cases {
        let now = now.parse().unwrap();
        assert_eq!(check_windows(&[window()], now).is_ok(), open, "{now}");
    }
    assert!(check_windows(&[], "2026-11-22T01:00:00Z".parse().unwrap()).is_ok());
}
