//! The plan as a JUnit report: an account is a test suite, an object a test case. Drift is a
//! failure, what could not be read is an error, what is excepted or out of reach is skipped.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::value;
use crate::names::AccountId;
use crate::plan::{ObjectPlan, Plan, Verdict};

/// Renders.
///
/// # Errors
/// Never for a plan made here: XML is written into memory.
pub fn render(plan: &Plan) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("evenkeel");
    let mut suites: BTreeMap<&AccountId, TestSuite> = plan
        .targets
        .iter()
        .map(|target| (&target.account, TestSuite::new(super::group::account_name(target))))
        .collect();
    for object in &plan.objects {
        suites
            .entry(&object.account)
            .or_insert_with(|| TestSuite::new(object.account.as_str()))
            .add_test_case(case(object));
    }
    for failed in &plan.failed {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(&failed.reason);
        status.set_description(failed.remedy.as_deref().unwrap_or_default());
        let mut case = TestCase::new("account", status);
        case.set_classname("evenkeel");
        let name = match &failed.name {
            Some(name) => format!("{} ({name})", failed.account),
            None => failed.account.to_string(),
        };
        let mut suite = TestSuite::new(name);
        suite.add_test_case(case);
        report.add_test_suite(suite);
    }
    report.add_test_suites(suites.into_values());
    report.to_string()
}

fn case(object: &ObjectPlan) -> TestCase {
    let status = match &object.verdict {
        Verdict::InSync => TestCaseStatus::success(),
        Verdict::Drifted => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let lines: Vec<String> = object
                .changes
                .iter()
                .flat_map(|change| change.drift.iter().map(value::line))
                .map(|line| {
                    let text = format!("{} {} {}", line.sign.symbol(), line.field, line.text);
                    text.trim_end().to_owned()
                })
                .collect();
            status.set_message(format!("{} differs from the baseline", object.title()));
            status.set_type("drift");
            let at = object
                .location
                .as_ref()
                .map(|location| format!("\ndeclared at {}:{}", location.file, location.line));
            status.set_description(lines.join("\n") + &at.unwrap_or_default());
            status
        }
        Verdict::Unknown(unknown) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(&unknown.reason);
            status.set_type("unknown");
            status.set_description(unknown.remedy.as_deref().unwrap_or_default());
            status
        }
        Verdict::Skipped { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        Verdict::Excepted { until, owner, reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("excepted until {until} by {owner}: {reason}"));
            status
        }
    };
    let name = match object.observed.id.as_str() {
        "" => object.item.to_string(),
        id => format!("{} {id}", object.item),
    };
    let mut case = TestCase::new(name, status);
    let region = if object.global { "global" } else { object.region.as_str() };
    case.set_classname(format!("{}.{region}", object.item.kind));
    case
}
