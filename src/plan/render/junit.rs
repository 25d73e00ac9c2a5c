//! The plan as a JUnit report: an account is a test suite, an object a test case. Drift is a
//! failure, what could not be read is an error, what is excepted or out of reach is skipped. Beside
//! another version of the baselines, only what the change introduces is a failure: what had drifted
//! before is skipped, and says so.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::place::object_name;
use super::value;
use crate::names::AccountId;
use crate::plan::words::{account_name, named};
use crate::plan::{Held, ObjectPlan, Plan, TargetRef, Verdict};
use crate::visible::{visible, visible_lines};

/// Writes it, an account at a time.
///
/// # Errors
/// `out` cannot be written.
pub fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let mut total = Report::new("evenkeel");
    suites(plan, |suite| {
        total.tests += suite.tests;
        total.skipped += suite.skipped;
        total.failures += suite.failures;
        total.errors += suite.errors;
        Ok(())
    })?;
    let (head, tail) = around(&total)?;
    out.write_all(head.as_bytes())?;
    suites(plan, |suite| {
        let mut one = Report::new("evenkeel");
        one.add_test_suite(suite);
        let (with_suite, _) = around(&one)?;
        // The first two lines are those of the whole report.
        let lines = with_suite.splitn(3, '\n').nth(2).unwrap_or_default();
        out.write_all(lines.as_bytes())
    })?;
    out.write_all(tail.as_bytes())
}

/// A report's text before its end, and its end.
fn around(report: &Report) -> io::Result<(String, &'static str)> {
    const END: &str = "</testsuites>\n";
    let mut text = report.to_string().map_err(io::Error::other)?;
    match text.strip_suffix(END) {
        Some(rest) => text.truncate(rest.len()),
        None => return Err(io::Error::other("the report has no end")),
    }
    Ok((text, END))
}

/// Each test suite, one after the other.
fn suites(plan: &Plan, mut each: impl FnMut(TestSuite) -> io::Result<()>) -> io::Result<()> {
    let suite = |name: &str| TestSuite::new(visible(name).into_owned());
    for failed in &plan.failed {
        let remedy = failed.remedy.as_deref().unwrap_or_default();
        let status = non_success(NonSuccessKind::Error, "not looked at", &failed.reason, remedy);
        let mut suite = suite(&named(&failed.account, failed.name.as_deref()));
        suite.add_test_case(account_case(status));
        each(suite)?;
    }
    for left_out in &plan.skipped {
        let mut suite = suite(&named(&left_out.account, left_out.name.as_deref()));
        let reason = format!("left out: {}", left_out.reason);
        suite.add_test_case(account_case(skipped(&reason, "")));
        each(suite)?;
    }
    let targets: BTreeMap<&AccountId, &TargetRef> =
        plan.targets.iter().map(|target| (&target.account, target)).collect();
    let mut targets = targets.into_iter().peekable();
    for (account, objects) in plan.objects.accounts() {
        while let Some((_, target)) = targets.next_if(|(id, _)| **id < account) {
            each(suite(&account_name(target)))?;
        }
        let mut suite = match targets.next_if(|(id, _)| **id == account) {
            Some((_, target)) => suite(&account_name(target)),
            None => suite(account.as_str()),
        };
        for (place, object) in objects {
            let before =
                plan.comparison.as_ref().is_some_and(|comparison| !comparison.is_introduced(place));
            suite.add_test_case(case(&object, plan.held_now(&object), before));
        }
        each(suite)?;
    }
    targets.try_for_each(|(_, target)| each(suite(&account_name(target))))
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

fn case(object: &ObjectPlan, held: &[Held], before: bool) -> TestCase {
    let status = match &object.verdict {
        Verdict::InSync => TestCaseStatus::success(),
        Verdict::Drifted if before => {
            let message = format!("{} had drifted before this change", object.title());
            skipped(&message, &difference(object, held))
        }
        Verdict::Drifted => {
            let message = format!("{} differs from the baseline", object.title());
            non_success(NonSuccessKind::Failure, "drift", &message, &difference(object, held))
        }
        Verdict::Unknown(unknown) => {
            let remedy = unknown.remedy.as_deref().unwrap_or_default();
            non_success(NonSuccessKind::Error, unknown.cause.word(), &unknown.reason, remedy)
        }
        Verdict::Skipped { reason } => skipped(reason, ""),
        Verdict::Excepted { until, owner, reason } => {
            let message = format!("excepted until {until} by {owner}: {reason}");
            skipped(&message, &difference(object, held))
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
fn difference(object: &ObjectPlan, held: &[Held]) -> String {
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
        if let Some((word, reason)) = change.disposition.why_not() {
            lines.push(format!("{word}: {}", visible(&reason)));
        }
    }
    lines.extend(held.iter().map(|held| visible(&format!("held back: {held}")).into_owned()));
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

    fn written(plan: &Plan) -> String {
        let mut out = Vec::new();
        write(plan, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn long_values_are_there() {
        let document = json!({"Sid": "a".repeat(60), "Action": "b".repeat(60)});
        let object = policy(1, &[("policy", Value::Null, document)]);
        let xml = written(&plan(1, vec![object]));
        assert!(xml.contains(&"b".repeat(60)), "{xml}");
        assert!(xml.contains("declared at b.toml:5"), "{xml}");
    }

    #[test]
    fn only_what_a_change_introduces_fails() {
        let length = |account| policy(account, &[("a", json!(8), json!(14))]);
        let mut plan = plan(2, vec![length(1), length(2)]);
        assert_eq!(written(&plan).matches("<failure").count(), 2);
        plan.comparison = Some(Comparison {
            base: "main".to_owned(),
            digest: String::new(),
            introduced: vec![1],
            removed: Vec::new(),
        });
        let xml = written(&plan);
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
        let xml = written(&plan);
        assert!(xml.contains("000000000002 (old\\u{202e})"), "{xml}");
        assert!(xml.contains("left out: suspended"), "{xml}");
    }
}
