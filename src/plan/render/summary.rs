//! The plan in one line. Everything in it counts objects, unless it says what else.

use super::held::HeldTogether;
use crate::plan::words::counted;
use crate::plan::{Plan, Sort, Verdict};
use crate::visible::visible;

/// `2 to change · 1 needs care (disruptive) · 38 in sync · 0 unknown · …`; where an object takes
/// several changes, `2 objects to change with 5 changes`.
pub fn summary_line(plan: &Plan) -> String {
    let sum = plan.summary();
    let mut parts = vec![if sum.changes == sum.to_change {
        format!("{} to change", sum.to_change)
    } else {
        format!(
            "{} to change with {}",
            counted(sum.to_change, "object"),
            counted(sum.changes, "change")
        )
    }];
    let care = [(sum.disruptive_objects, "disruptive"), (sum.destructive_objects, "destructive")];
    for (count, word) in care.into_iter().filter(|(count, _)| *count > 0) {
        let needs = if count == 1 { "needs" } else { "need" };
        parts.push(format!("{count} {needs} care ({word})"));
    }
    if sum.reported > 0 {
        parts.push(format!("{} only reported", sum.reported));
    }
    if sum.held_back > 0 {
        parts.push(format!("{} held back", sum.held_back));
    }
    parts.push(format!("{} in sync", sum.in_sync));
    parts.push(format!("{} unknown", sum.unknown));
    if sum.failed_accounts > 0 {
        parts.push(format!("{} not looked at", counted(sum.failed_accounts, "account")));
    }
    if sum.left_out_accounts > 0 {
        parts.push(format!("{} left out", counted(sum.left_out_accounts, "account")));
    }
    if sum.skipped > 0 {
        parts.push(format!("{} skipped", sum.skipped));
    }
    if sum.excepted > 0 {
        let all = plan.objects.of(Sort::Excepted).filter_map(|object| match &object.verdict {
            Verdict::Excepted { until, .. } => Some(until.clone()),
            _ => None,
        });
        let first = all.min().unwrap_or_default();
        let until = visible(&first);
        parts.push(format!("{} excepted until {until}", sum.excepted));
    }
    parts.join(" · ")
}

/// `2 changes, by change-window: no change window is open; …`, for each guard that would hold back all of it
/// if it were applied now; and each reason for which many objects are held back.
pub fn held_lines(plan: &Plan, together: &HeldTogether) -> Vec<String> {
    let changes = counted(plan.summary().changes, "change");
    let now = plan.held_now.iter().map(|held| format!("{changes}, {held}"));
    now.chain(together.lines()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::testing::{change, object, plan};

    #[test]
    fn objects_and_changes_are_told_apart_and_left_out_accounts_are_counted() {
        let disruptive = || change(json!({"risk": "disruptive"}));
        let one = object(1, json!({"changes": [disruptive()]}));
        assert_eq!(
            summary_line(&plan(1, vec![one])),
            "1 to change · 1 needs care (disruptive) · 0 in sync · 0 unknown"
        );
        let three = object(1, json!({"changes": [disruptive(), disruptive(), change(json!({}))]}));
        let mut plan = plan(1, vec![three]);
        plan.skipped = serde_json::from_value(json!([
            {"account": "000000000002", "reason": "suspended"},
            {"account": "000000000003", "reason": "suspended"},
        ]))
        .unwrap();
        assert_eq!(
            summary_line(&plan),
            "1 object to change with 3 changes · 1 needs care (disruptive) · 0 in sync · 0 unknown · 2 accounts left out"
        );
    }
}
