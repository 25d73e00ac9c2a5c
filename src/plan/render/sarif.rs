//! The plan as SARIF 2.1.0, for code scanning: drift is shown on the line of the baseline that
//! declares it. One result for each group of alike objects, however many accounts they are in.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Value, json};

pub use self::source::Source;
use super::accounts;
use super::group::{Group, group};
use super::parts::{Since, parts};
use super::rows::rows;
use crate::digest;
use crate::kinds::{Framework, registry};
use crate::plan::words::counted;
use crate::plan::{Disposition, Held, Plan, Sort, Verdict};
use crate::visible::{shortened, visible};

/// The rule for accounts that nobody could look at.
const NOT_LOOKED_AT: &str = "account-not-looked-at";
/// Accounts named in one list.
const NAMED: usize = 20;
/// Lines of a message.
const LINES: usize = 60;
/// Characters of one of them.
const WIDTH: usize = 300;

/// Writes it.
///
/// # Errors
/// `out` cannot be written.
pub fn write(plan: &Plan, source: &Source, out: &mut dyn Write) -> io::Result<()> {
    let renderer = Renderer { plan, source };
    let mut results = Vec::new();
    for part in parts(plan) {
        results.extend(part.groups.iter().map(|group| renderer.drift(group, part.since)));
    }
    let unknown = group(plan, Sort::Unknown);
    results.extend(unknown.iter().filter_map(|group| renderer.not_read(group)));
    let excepted = group(plan, Sort::Excepted);
    results.extend(excepted.iter().filter_map(|group| renderer.waived(group)));
    results.extend(accounts::failed(plan).iter().map(|group| renderer.not_looked_at(group)));
    tell_apart(&mut results);
    let rules: BTreeSet<&str> =
        results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    let rules: Vec<Value> = rules.into_iter().map(rule).collect();
    let notifications: Vec<Value> = plan
        .failed
        .iter()
        .map(|failed| {
            let text =
                format!("account {} could not be looked at: {}", failed.account, failed.reason);
            json!({"level": "error", "message": {"text": visible(&text)}})
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "evenkeel",
                "version": plan.evenkeel_version,
                "rules": rules,
            }},
            "automationDetails": {"id": format!("evenkeel/{}/{}", plan.baseline.name, plan.run)},
            "originalUriBaseIds": {"%SRCROOT%": {"uri": source.root_uri()}},
            "invocations": [{
                "executionSuccessful": plan.failed.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn rule(id: &str) -> Value {
    if id == NOT_LOOKED_AT {
        return json!({
            "id": id,
            "shortDescription": {"text": "every account can be looked at"},
            "help": {"text": "the message names what kept each account from being looked at"},
        });
    }
    let controls: Vec<String> = registry::find(id)
        .map(|kind| {
            let controls = kind.controls();
            let tags = |framework: Framework| {
                let ids = controls.of(framework).iter();
                ids.map(move |id| format!("{}/{id}", framework.as_str()))
            };
            BTreeSet::from(Framework::ALL).into_iter().flat_map(tags).collect()
        })
        .unwrap_or_default();
    json!({
        "id": id,
        "shortDescription": {"text": format!("{id} as declared")},
        "help": {"text": format!("`evenkeel explain {id}` says what can be declared of it, and what its changes may hurt")},
        "properties": {"tags": controls},
    })
}

/// Two results of one fingerprint would be taken for one: the second gets another.
fn tell_apart(results: &mut [Value]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for result in results {
        let fingerprints = &mut result["partialFingerprints"];
        let Some(mark) = fingerprints["evenkeel/v2"].as_str().map(str::to_owned) else { continue };
        let count = seen.entry(mark.clone()).or_default();
        *count += 1;
        if *count > 1 {
            fingerprints["evenkeel/v2"] = json!(format!("{mark}-{count}"));
        }
        // GitHub goes by this one, and by the line's text where there is none.
        fingerprints["primaryLocationLineHash"] = json!(format!("{mark}:{count}"));
    }
}

/// What every result is made from.
struct Renderer<'a> {
    plan: &'a Plan,
    source: &'a Source,
}

impl Renderer<'_> {
    fn drift(&self, group: &Group<'_>, since: Option<Since>) -> Value {
        let first = &group.first;
        let verb = match since {
            Some(Since::Removed) => "would have been changed, and is not any more,",
            _ => "differs",
        };
        let held: &[Held] = match since {
            Some(Since::Removed) => &[],
            _ => self.plan.held_now(first),
        };
        let text = format!(
            "{} {verb} in {}:\n{}",
            said(group),
            visible(&group.place(self.plan)),
            self.difference(group, held)
        );
        let mut result = self.result(group, "error", &text);
        result["properties"]["risk"] = json!(first.changes.iter().map(|change| change.risk).max());
        let grants: Vec<_> = first.changes.iter().flat_map(|change| &change.grants).collect();
        if !grants.is_empty() {
            result["properties"]["grants"] = json!(grants);
        }
        if let Some(held) = first.held().or(held.first()) {
            result["properties"]["held_back"] = json!(held);
        }
        match since {
            None => {}
            Some(Since::Introduced) => result["baselineState"] = json!("new"),
            Some(Since::Earlier) => result["baselineState"] = json!("unchanged"),
            Some(Since::Removed) => {
                result["baselineState"] = json!("absent");
                // It is good news: a reader that does not know the state must not count it.
                result["kind"] = json!("pass");
                result["level"] = json!("none");
            }
        }
        result
    }

    /// The first lines of what differs.
    fn difference(&self, group: &Group<'_>, held: &[Held]) -> String {
        let (mut lines, mut said_last) = (Vec::new(), Vec::new());
        let shared = group.disposition();
        for (at, change) in group.first.changes.iter().enumerate() {
            for row in rows(group, at) {
                let only = row.only_in(group, self.plan);
                let only = only.map_or(String::new(), |only| format!("  {only}"));
                let line = &row.line;
                lines.push(format!("{} {} {}{only}", line.sign.symbol(), line.field, line.text));
                for (sign, text) in &line.detail {
                    lines.push(format!("    {} {text}", sign.symbol()));
                }
            }
            let warnings = change.warnings.iter().map(|warning| group.for_all(warning));
            said_last.extend(warnings.map(|warning| format!("! {warning}")));
            if let (None, Some((word, reason))) = (shared, change.disposition.why_not()) {
                said_last.push(format!("{word}: {}", group.for_all(&reason)));
            }
        }
        if let Some((word, reason)) = shared.and_then(Disposition::why_not) {
            said_last.push(format!("{word}: {}", group.for_all(&reason)));
        }
        said_last.extend(held.iter().map(|held| format!("held back: {held}")));
        // What is to be done is said however long the rest is.
        let more = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        if more > 0 {
            lines.push(format!("… and {}", counted(more, "more line")));
        }
        lines.append(&mut said_last);
        let lines: Vec<_> = lines
            .iter()
            .map(|line| shortened(&visible(line.trim_end()), WIDTH).into_owned())
            .collect();
        lines.join("\n")
    }

    fn not_read(&self, group: &Group<'_>) -> Option<Value> {
        let Verdict::Unknown(unknown) = &group.first.verdict else { return None };
        let reason = group.for_all(&unknown.reason);
        let next = unknown
            .remedy
            .as_deref()
            .map_or(String::new(), |remedy| format!(". Next: {}", group.for_all(remedy)));
        let place = group.place(self.plan);
        let word = unknown.cause.word();
        let text = format!("{} is {word} in {place}: {reason}{next}", said(group));
        Some(self.result(group, "warning", &visible(&text)))
    }

    fn waived(&self, group: &Group<'_>) -> Option<Value> {
        let Verdict::Excepted { until, owner, reason } = &group.first.verdict else { return None };
        let place = visible(&group.place(self.plan)).into_owned();
        let text = format!("{} differs in {place}:\n{}", said(group), self.difference(group, &[]));
        let mut result = self.result(group, "note", &text);
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": visible(&format!("excepted until {until} by {owner}: {reason}")),
        }]);
        Some(result)
    }

    fn not_looked_at(&self, group: &accounts::Failed<'_>) -> Value {
        let next = group.remedy().map_or(String::new(), |remedy| format!(". Next: {remedy}"));
        let text = format!(
            "{} could not be looked at, so that everything there is unknown: {}{next}",
            group.who(NAMED),
            group.reason()
        );
        let ids: Vec<_> = group.accounts.iter().map(|failed| &failed.account).collect();
        let file = self.source.fleet_file(self.plan);
        json!({
            "ruleId": NOT_LOOKED_AT,
            "level": "error",
            "message": {"text": visible(&text)},
            "locations": [{"physicalLocation": {
                "artifactLocation": self.source.artifact(&file),
                "region": {"startLine": 1},
            }}],
            "partialFingerprints": {"evenkeel/v2": digest::of(&(NOT_LOOKED_AT, group.mark()))},
            "properties": {"accounts": ids},
        })
    }

    fn result(&self, group: &Group<'_>, level: &str, text: &str) -> Value {
        let first = &group.first;
        let (file, line) = match &first.location {
            Some(location) => (location.file.clone(), location.line),
            None => (self.source.fleet_file(self.plan), 1),
        };
        let accounts: Vec<String> = group.accounts().into_iter().map(ToString::to_string).collect();
        json!({
            "ruleId": first.item.kind,
            "level": level,
            "message": {"text": text},
            "locations": [{"physicalLocation": {
                "artifactLocation": self.source.artifact(&file),
                "region": {"startLine": line.max(1)},
            }}],
            "partialFingerprints": {"evenkeel/v2": group.likeness},
            "properties": {"item": first.item, "accounts": accounts, "objects": group.objects.len()},
        })
    }
}

fn said(group: &Group<'_>) -> String {
    let text = match group.names().as_str() {
        "" => group.first.item.to_string(),
        names => format!("{} {names}", group.first.item),
    };
    visible(&text).into_owned()
}

#[cfg(test)]
mod tests;
