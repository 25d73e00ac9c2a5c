//! The plan for a pull-request comment: a summary table, collapsed details, and never longer than
//! a comment may be; what does not fit is counted.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::group::{Group, group};
use super::parts::parts;
use super::text::counted;
use super::value;
use crate::kinds::Risk;
use crate::names::AccountId;
use crate::plan::{Disposition, Plan, Verdict};

/// The longest comment that GitHub takes, in characters.
pub const LIMIT: usize = 65_536;
/// Room kept for the titles of the parts and the closing lines.
const RESERVE: usize = 800;
/// Accounts named in one list.
const NAMED: usize = 20;
/// Characters of a reason.
const REASON: usize = 300;

/// Renders. `full` says where the whole plan can be seen, for what was left out.
pub fn render(plan: &Plan, full: &str) -> String {
    // By this line, CI finds the comment that it has to update.
    let mut out = String::from("<!-- evenkeel -->\n");
    let sum = plan.summary();
    let digest = plan.baseline.digest.get(..6).unwrap_or(&plan.baseline.digest);
    let _ = writeln!(out, "## evenkeel plan · {}@{digest}\n", escape(&plan.baseline.name));
    let _ = writeln!(out, "**{}**\n", super::text::summary_line(plan));
    if let Some(snapshot) = &plan.snapshot {
        let _ =
            writeln!(out, "Planned from the snapshot of {} ({}).\n", snapshot.taken, snapshot.age);
    }
    if let Some(shards) = &plan.shards {
        let _ = writeln!(out, "Only {shards}.\n");
    }
    table(&mut out, plan);
    let mut left_out = 0;
    // What nobody has looked at must not be what does not fit.
    accounts(&mut out, plan);
    for part in parts(plan) {
        if let Some(title) = &part.title {
            let nothing = if part.groups.is_empty() { "\n\nnothing" } else { "" };
            let _ = writeln!(out, "### {}{nothing}\n", escape(title));
        }
        for group in &part.groups {
            add(&mut out, &details(plan, group), group.objects.len(), &mut left_out);
        }
    }
    let unknown = group_unknown(plan);
    for (text, count) in unknown {
        add(&mut out, &text, count, &mut left_out);
    }
    if left_out > 0 {
        let _ = writeln!(
            out,
            "\n*{} did not fit into this comment; the whole plan is in {full}.*",
            counted(left_out, "object")
        );
    }
    let changes = counted(sum.changes, "change");
    let _ = writeln!(out, "\n<sub>{changes} to apply · run `{}`</sub>", plan.run);
    out
}

/// Accounts that nobody has looked at; the first ones by name.
fn accounts(out: &mut String, plan: &Plan) {
    let named = |account: &AccountId, name: Option<&String>| match name {
        Some(name) => format!("{account} ({})", escape(name)),
        None => account.to_string(),
    };
    if !plan.failed.is_empty() {
        let count = counted(plan.failed.len(), "account");
        let _ = writeln!(
            out,
            "> [!WARNING]\n> **{count} could not be looked at: everything in them is unknown.**"
        );
        for failed in plan.failed.iter().take(NAMED) {
            let name = named(&failed.account, failed.name.as_ref());
            let _ = writeln!(out, "> - {name}: {}", shortened(&escape(&failed.reason)));
        }
        if plan.failed.len() > NAMED {
            let _ = writeln!(out, "> - and {} more", plan.failed.len() - NAMED);
        }
        out.push('\n');
    }
    if !plan.skipped.is_empty() {
        let names: Vec<_> = plan
            .skipped
            .iter()
            .take(NAMED)
            .map(|skip| {
                format!("{} ({})", named(&skip.account, skip.name.as_ref()), escape(&skip.reason))
            })
            .collect();
        let more = match plan.skipped.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(out, "Accounts left out: {}{more}.\n", names.join(", "));
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(REASON) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

/// Adds a section when it fits.
fn add(out: &mut String, section: &str, objects: usize, left_out: &mut usize) {
    let length = out.chars().count() + section.chars().count();
    if length + RESERVE <= LIMIT {
        out.push_str(section);
    } else {
        *left_out += objects;
    }
}

/// Changes counted by kind and risk.
fn table(out: &mut String, plan: &Plan) {
    let mut rows: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for object in &plan.objects {
        let row = rows.entry(object.item.kind.as_str()).or_default();
        let column = match &object.verdict {
            Verdict::Drifted if object.is_changed() => {
                let risk = object
                    .changes
                    .iter()
                    .filter(|change| change.is_applied())
                    .map(|change| change.risk)
                    .max();
                match risk {
                    Some(Risk::Destructive) => 2,
                    Some(Risk::Disruptive) => 1,
                    Some(Risk::Safe) | None => 0,
                }
            }
            Verdict::Drifted => 3,
            Verdict::Unknown(_) => 4,
            Verdict::InSync | Verdict::Skipped { .. } | Verdict::Excepted { .. } => continue,
        };
        row[column] += 1;
    }
    rows.retain(|_, row| row.iter().any(|count| *count > 0));
    if rows.is_empty() {
        return;
    }
    out.push_str("| kind | safe | disruptive | destructive | only reported | unknown |\n");
    out.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (kind, row) in rows {
        let cells: Vec<String> = row
            .iter()
            .map(|count| if *count == 0 { String::new() } else { count.to_string() })
            .collect();
        let _ = writeln!(out, "| `{kind}` | {} |", cells.join(" | "));
    }
    out.push('\n');
}

/// One group, collapsed.
fn details(plan: &Plan, group: &Group<'_>) -> String {
    let mut out = String::new();
    let first = group.first;
    let names = group.names();
    let names = if names.is_empty() { String::new() } else { format!(" {}", escape(&names)) };
    let risk =
        first.changes.iter().filter(|change| change.is_applied()).map(|change| change.risk).max();
    let risk = risk.map_or("only reported", Risk::as_str);
    let _ = writeln!(
        out,
        "<details><summary><code>{}</code>{names} · {} · {risk}</summary>\n",
        first.item,
        escape(&group.place(plan))
    );
    out.push_str("```diff\n");
    for change in &first.changes {
        for line in change.drift.iter().map(value::line) {
            let text = format!("{} {} {}", line.sign.symbol(), line.field, line.text);
            let text = group.for_all(&text);
            let _ = writeln!(out, "{}", text.trim_end().replace("```", "'''"));
            for (sign, text) in &line.detail {
                let _ = writeln!(
                    out,
                    "{}   {}",
                    sign.symbol(),
                    group.for_all(text).replace("```", "'''")
                );
            }
        }
        for warning in &change.warnings {
            let _ = writeln!(out, "! {}", group.for_all(warning).replace("```", "'''"));
        }
    }
    out.push_str("```\n");
    let reasons: std::collections::BTreeSet<&str> = first
        .changes
        .iter()
        .filter_map(|change| match &change.disposition {
            Disposition::Apply => None,
            Disposition::Report { reason } => Some(reason.as_str()),
        })
        .collect();
    for reason in reasons {
        let _ = writeln!(out, "Only reported: {}\n", escape(reason));
    }
    if let Some(note) = &first.note {
        let _ = writeln!(out, "Why: {}\n", escape(note));
    }
    if let Some(location) = &first.location {
        let _ = writeln!(out, "Declared in `{}:{}`\n", location.file, location.line);
    }
    out.push_str("</details>\n\n");
    out
}

/// What could not be read.
fn group_unknown(plan: &Plan) -> Vec<(String, usize)> {
    group(plan, |verdict| matches!(verdict, Verdict::Unknown(_)))
        .into_iter()
        .filter_map(|group| {
            let Verdict::Unknown(unknown) = &group.first.verdict else { return None };
            let next = unknown
                .remedy
                .as_deref()
                .map_or(String::new(), |remedy| format!(" Next: {}.", escape(remedy)));
            let text = format!(
                "- **unknown** `{}` · {}: {}.{next}\n",
                group.first.item,
                escape(&group.place(plan)),
                escape(&group.for_all(&unknown.reason))
            );
            Some((text, group.objects.len()))
        })
        .collect()
}

/// Text from AWS or a baseline, without meaning to Markdown or HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '@' => {
                out.push('\\');
                out.push(character);
            }
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
