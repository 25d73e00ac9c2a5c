//! The plan as a JUnit report: an account is a test suite, an object a test case. Drift is a
//! failure, what could not be read is an error, what is excepted or out of reach is skipped. Beside
//! another version of the baselines, only what the change introduces is a failure: what had drifted
//! before is skipped, and says so.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::place::object_name;
use super::value;
use crate::names::AccountId;
use crate::plan::words::{account_name, named};
use crate::plan::{Disposition, ObjectPlan, Plan, Verdict};
use crate::visible::{visible, visible_lines};

/// Renders.
///
/// # Errors
/// Never for a plan made here: XML is written into memory.
pub fn render(plan: &Plan) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("evenkeel");
    let suite = |name: &str| TestSuite::new(visible(name).into_owned());
    let mut suites: BTreeMap<&AccountId, TestSuite> =
        plan.targets.iter().map(|target| (&target.account, suite(&account_name(target)))).collect();
    for (place, object) in plan.objects.iter().enumerate() {
        let before =
            plan.comparison.as_ref().is_some_and(|comparison| !comparison.is_introduced(place));
        suites
            .entry(&object.account)
            .or_insert_with(|| suite(object.account.as_str()))
            .add_test_case(case(object, before));
    }
    for failed in &plan.failed {
        let remedy = failed.remedy.as_deref().unwrap_or_default();
        let status = non_success(NonSuccessKind::Error, "not looked at", &failed.reason, remedy);
        let mut suite = suite(&named(&failed.account, failed.name.as_deref()));
        suite.add_test_case(account_case(status));
        report.add_test_suite(suite);
    }
    for left_out in &plan.skipped {
        let mut suite = suite(&named(&left_out.account, left_out.name.as_deref()));
        let reason = format!("left out: {}", left_out.reason);
        suite.add_test_case(account_case(skipped(&reason, "")));
        report.add_test_suite(suite);
    }
    report.add_test_suites(suites.into_values());
    report.to_string()
}

/// What is said of an account as a whole.
fn account_case(status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new("account", status);
    case.set_classname("evenkeel");
    case
}

fn non_success(kind: NonSuccessKind, word: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(visible(message).into_owned());
    status.set_type(word);
    status.set_description(visible_lines(text));
    status
}

fn skipped(message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(visible(message).into_owned());
    if !text.is_empty() {
        status.set_description(visible_lines(text));
    }
    status
}

fn case(object: &ObjectPlan, before: bool) -> TestCase {
    let status = match &object.verdict {
        Verdict::InSync => TestCaseStatus::success(),
        Verdict::Drifted if before => {
            let message = format!("{} had drifted before this change", object.title());
            skipped(&message, &difference(object))
        }
        Verdict::Drifted => {
            let message = format!("{} differs from the baseline", object.title());
            non_success(NonSuccessKind::Failure, "drift", &message, &difference(object))
        }
        Verdict::Unknown(unknown) => {
            let remedy = unknown.remedy.as_deref().unwrap_or_default();
            non_success(NonSuccessKind::Error, unknown.cause.word(), &unknown.reason, remedy)
        }
        Verdict::Skipped { reason } => skipped(reason, ""),
        Verdict::Excepted { until, owner, reason } => {
            let message = format!("excepted until {until} by {owner}: {reason}");
            skipped(&message, &difference(object))
        }
    };
    let name = match object.observed.id.as_str() {
        "" => object.item.to_string(),
        id => format!("{} {id}", object.item),
    };
    let mut case = TestCase::new(visible(&name).into_owned(), status);
    let region = if object.global { "global" } else { object.region.as_str() };
    case.set_classname(format!("{}.{}", visible(&object.item.kind), visible(region)));
    case
}

/// What the object is called; each field, long values line by line; what to know; and the line that declares it.
fn difference(object: &ObjectPlan) -> String {
    let mut lines = Vec::new();
    // The name of a test is the same from run to run; what else an object is called may change.
    if let Some(name) = object_name(object).filter(|_| object.observed.label.is_some()) {
        lines.push(visible(&name).into_owned());
    }
    for change in &object.changes {
        for line in change.drift.iter().map(value::line) {
            let text = format!("{} {} {}", line.sign.symbol(), line.field, line.text);
            lines.push(text.trim_end().to_owned());
            lines.extend(
                line.detail.iter().map(|(sign, text)| format!("    {} {text}", sign.symbol())),
            );
        }
        lines.extend(change.warnings.iter().map(|warning| format!("! {}", visible(warning))));
        if let Disposition::Report { reason } = &change.disposition {
            lines.push(format!("only reported: {}", visible(reason)));
        }
    }
    if let Some(location) = &object.location {
        lines.push(format!("declared at {}:{}", visible(&location.file), location.line));
    }
    lines.join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::Comparison;
    use crate::plan::render::testing::{plan, policy};

    #[test]
    fn long_values_are_there() {
        let document = json!({"Sid": "a".repeat(60), "Action": "b".repeat(60)});
        let object = policy(1, &[("policy", Value::Null, document)]);
        let xml = render(&plan(1, vec![object])).unwrap();
        assert!(xml.contains(&"b".repeat(60)), "{xml}");
        assert!(xml.contains("declared at b.toml:5"), "{xml}");
    }

    #[test]
    fn only_what_a_change_introduces_fails() {
        let length = |account| policy(account, &[("a", json!(8), json!(14))]);
        let mut plan = plan(2, vec![length(1), length(2)]);
        assert_eq!(render(&plan).unwrap().matches("<failure").count(), 2);
        plan.comparison = Some(Comparison {
            base: "main".to_owned(),
            digest: String::new(),
            introduced: vec![1],
            removed: Vec::new(),
        });
        let xml = render(&plan).unwrap();
        assert_eq!(xml.matches("<failure").count(), 1, "{xml}");
        assert!(xml.contains("of 000000000002 differs from the baseline"), "{xml}");
        assert!(xml.contains("of 000000000001 had drifted before this change"), "{xml}");
    }

    #[test]
    fn accounts_that_were_left_out_are_there() {
        let mut plan = plan(1, Vec::new());
        plan.skipped = serde_json::from_value(json!([
            {"account": "000000000002", "name": "old\u{202e}", "reason": "suspended"},
        ]))
        .unwrap();
        let xml = render(&plan).unwrap();
        assert!(xml.contains("000000000002 (old\\u{202e})"), "{xml}");
        assert!(xml.contains("left out: suspended"), "{xml}");
    }
}
