//! The plan as SARIF 2.1.0, for code scanning: drift is shown on the line of the baseline that
//! declares it. One result for each group of alike objects, however many accounts they are in.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::group::{Group, group};
use super::value;
use crate::digest;
use crate::kinds::registry;
use crate::plan::{ObjectPlan, Plan, Verdict};

/// What stays as it is in a path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
/// Where the documentation is.
const HELP: &str = "https://github.com/evenkeel/evenkeel/blob/main/docs/kinds";

/// Renders.
///
/// # Errors
/// Never for a plan made here.
pub fn render(plan: &Plan) -> Result<String, serde_json::Error> {
    let drifted = group(plan, |verdict| matches!(verdict, Verdict::Drifted));
    let unknown = group(plan, |verdict| matches!(verdict, Verdict::Unknown(_)));
    let excepted = group(plan, |verdict| matches!(verdict, Verdict::Excepted { .. }));
    let kinds: BTreeSet<&str> = drifted
        .iter()
        .chain(&unknown)
        .chain(&excepted)
        .map(|group| group.first.item.kind.as_str())
        .collect();
    let results: Vec<Value> = drifted
        .iter()
        .map(|group| drift(plan, group))
        .chain(unknown.iter().map(|group| not_read(plan, group)))
        .chain(excepted.iter().map(|group| waived(plan, group)))
        .collect();
    let notifications: Vec<Value> = plan
        .failed
        .iter()
        .map(|failed| {
            json!({
                "level": "error",
                "message": {"text": format!("account {} could not be looked at: {}", failed.account, failed.reason)},
            })
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "evenkeel",
                "version": plan.evenkeel_version,
                "informationUri": "https://github.com/evenkeel/evenkeel",
                "rules": kinds.iter().map(|kind| rule(kind)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("evenkeel/{}/{}", plan.baseline.name, plan.run)},
            "invocations": [{
                "executionSuccessful": plan.failed.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn rule(kind: &str) -> Value {
    let controls: Vec<String> = registry::find(kind)
        .map(|kind| {
            let controls = kind.controls().iter();
            controls.map(|control| format!("{}/{}", control.framework, control.id)).collect()
        })
        .unwrap_or_default();
    json!({
        "id": kind,
        "shortDescription": {"text": format!("{kind} as declared")},
        "helpUri": format!("{HELP}/{kind}.md"),
        "properties": {"tags": controls},
    })
}

fn drift(plan: &Plan, group: &Group<'_>) -> Value {
    let first = group.first;
    let mut lines = Vec::new();
    for change in &first.changes {
        lines.extend(change.drift.iter().map(value::line).map(|line| {
            let text = format!("{} {} {}", line.sign.symbol(), line.field, line.text);
            group.for_all(text.trim_end())
        }));
    }
    let text = format!("{} differs in {}:\n{}", said(group), group.place(plan), lines.join("\n"));
    let risk = first.changes.iter().map(|change| change.risk).max();
    let mut result = result(plan, group, "error", &text);
    result["properties"]["risk"] = json!(risk);
    result
}

fn not_read(plan: &Plan, group: &Group<'_>) -> Value {
    let Verdict::Unknown(unknown) = &group.first.verdict else { return Value::Null };
    let reason = group.for_all(&unknown.reason);
    let text = format!("{} is unknown in {}: {reason}", said(group), group.place(plan));
    result(plan, group, "warning", &text)
}

fn waived(plan: &Plan, group: &Group<'_>) -> Value {
    let Verdict::Excepted { until, owner, reason } = &group.first.verdict else {
        return Value::Null;
    };
    let text = format!("{} differs in {}", said(group), group.place(plan));
    let mut result = result(plan, group, "note", &text);
    result["suppressions"] = json!([{
        "kind": "external",
        "status": "accepted",
        "justification": format!("excepted until {until} by {owner}: {reason}"),
    }]);
    result
}

fn said(group: &Group<'_>) -> String {
    match group.names().as_str() {
        "" => group.first.item.to_string(),
        names => format!("{} {names}", group.first.item),
    }
}

fn result(plan: &Plan, group: &Group<'_>, level: &str, text: &str) -> Value {
    let first = group.first;
    let (file, line) = match &first.location {
        Some(location) => (location.file.as_str(), location.line),
        None => (plan.baseline.files.first().map_or("evenkeel.toml", String::as_str), 1),
    };
    let accounts: Vec<String> = group.accounts().into_iter().map(ToString::to_string).collect();
    json!({
        "ruleId": first.item.kind,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(file)},
            "region": {"startLine": line.max(1)},
        }}],
        "partialFingerprints": {"evenkeel/v1": fingerprint(first)},
        "properties": {"item": first.item, "accounts": accounts, "objects": group.objects.len()},
    })
}

/// The same drift has the same fingerprint in every run.
fn fingerprint(object: &ObjectPlan) -> String {
    let fields: Vec<_> = object
        .changes
        .iter()
        .flat_map(|change| &change.drift)
        .map(|drift| drift.field.as_str())
        .collect();
    digest::of(&(object.item.to_string(), &object.observed.id, fields))
}

fn uri(file: &str) -> String {
    let file = file.strip_prefix("./").unwrap_or(file);
    let path = utf8_percent_encode(file, PATH).to_string();
    if file.starts_with('/') { format!("file://{path}") } else { path }
}
