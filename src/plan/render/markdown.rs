//! The plan for a pull-request comment: a summary table, collapsed details, and never longer than
//! a comment may be; what does not fit is counted.

mod comment;
mod table;

use std::collections::BTreeSet;
use std::fmt::Write;

use self::comment::{Comment, LeftOut};
use super::accounts;
use super::group::{Group, group};
use super::held::HeldTogether;
use super::markup::{fenced, markdown, raw_html};
use super::parts::parts;
use super::rows::rows;
use super::summary::{held_lines, summary_line};
use crate::plan::words::{capital, counted};
use crate::plan::{Plan, PlannedChange, Sort, Verdict};
use crate::visible::{shortened, visible};

/// The longest comment that GitHub takes, in characters.
pub const LIMIT: usize = 65_536;
/// Room for the titles of the parts and the closing lines.
const RESERVE: usize = 1_500;
/// Room for accounts that could not be looked at, and for unknown objects: each at most this.
const NOT_SEEN: usize = LIMIT / 5;
/// Room for what is excepted, and for what is skipped: each at most this.
const WAIVED: usize = LIMIT / 10;
/// Accounts named in one list.
const NAMED: usize = 20;
/// Characters of a reason or a note.
const REASON: usize = 300;
/// A command that is cut off is none.
const NEXT: usize = 4_000;
/// Characters of a name.
const NAME: usize = 100;
/// Characters of a list of names or places.
const LIST: usize = 2_000;
/// Lines of one group's difference.
const LINES: usize = 120;
/// Characters of one of them.
const WIDTH: usize = 300;

/// Renders what a command found. `full` says where the whole plan can be seen, for what was left
/// out.
pub fn render(plan: &Plan, command: &str, full: &str) -> String {
    let mut left_out = LeftOut::default();
    // What nobody has looked at must not be what does not fit: its room is taken first.
    let failed = failed(plan, &mut left_out);
    let unknown = unknown(plan, &mut left_out);
    let excepted = excepted(plan, &mut left_out);
    let skipped = skipped(plan, &mut left_out);
    let mut out = Comment::new(LIMIT);
    let together = HeldTogether::of(plan);
    head(&mut out, plan, command, &together);
    out.push(&failed);
    accounts_left_out(&mut out, plan);
    out.push(&unknown);
    let after = excepted.chars().count() + skipped.chars().count() + RESERVE;
    for part in parts(plan) {
        if let Some(title) = &part.title {
            let nothing = if part.groups.is_empty() { "\n\nnothing" } else { "" };
            out.push(&format!("### {}{nothing}\n\n", limited(title, NAME * 2)));
        }
        let mut shown_before = false;
        for group in &part.groups {
            let section = details(plan, group, group.as_before && shown_before, &together);
            shown_before = out.push_if_room(&section, after);
            if !shown_before {
                left_out.drifted += group.objects.len();
            }
        }
    }
    out.push(&excepted);
    out.push(&skipped);
    if let Some(what) = left_out.words() {
        out.push(&format!(
            "\n*{what} did not fit into this comment; the whole plan is in {full}.*\n"
        ));
    }
    let changes = counted(plan.summary().changes, "change");
    let run = limited(&plan.run, NAME);
    out.push(&format!("\n<sub>{changes} to apply · run <code>{run}</code></sub>\n"));
    out.into_text()
}

fn head(out: &mut Comment, plan: &Plan, command: &str, together: &HeldTogether) {
    // By this line, CI finds the comment that it has to update.
    out.push("<!-- evenkeel -->\n");
    let digest = plan.baseline.digest.get(..6).unwrap_or(&plan.baseline.digest);
    let name = limited(&plan.baseline.name, NAME);
    out.push(&format!("## evenkeel {command} · {name}@{}\n\n", markdown(digest)));
    out.push(&format!("**{}**\n\n", limited(&summary_line(plan), REASON)));
    if let Some(estimate) = plan.estimate() {
        out.push(&format!("{}\n\n", limited(&estimate.line(), REASON * 2)));
    }
    for held in held_lines(plan, together) {
        out.push(&format!("Held back: {}\n\n", limited(&held, REASON * 2)));
    }
    if let Some(next) = &plan.next {
        out.push(&format!("{}\n\n", limited(next, NEXT)));
    }
    if let Some(snapshot) = &plan.snapshot {
        let (taken, age) = (limited(&snapshot.taken, NAME), limited(&snapshot.age, NAME));
        out.push(&format!("Planned from the snapshot of {taken} ({age}).\n\n"));
    }
    if let Some(shards) = &plan.shards {
        out.push(&format!("Only {shards}.\n\n"));
    }
    out.push(&table::render(plan));
}

/// A text that is shortened first and escaped then, so that no escape is cut.
fn limited(text: &str, characters: usize) -> String {
    markdown(&shortened(&visible(text), characters))
}

/// Accounts that nobody has looked at.
fn failed(plan: &Plan, left_out: &mut LeftOut) -> String {
    let groups = accounts::failed(plan);
    if groups.is_empty() {
        return String::new();
    }
    let mut out = Comment::new(NOT_SEEN);
    let count = counted(plan.failed.len(), "account");
    out.push(&format!(
        "> [!WARNING]\n> **{count} could not be looked at: everything in them is unknown.**\n"
    ));
    for group in groups {
        let who = limited(&group.who(NAMED), LIST);
        let why = limited(&group.reason(), REASON);
        let next = match group.remedy() {
            Some(remedy) => format!(". Next: {}", limited(&remedy, REASON)),
            None => String::new(),
        };
        if !out.push_if_room(&format!("> - {who}: {why}{next}\n"), 1) {
            left_out.accounts += group.accounts.len();
        }
    }
    out.push("\n");
    out.into_text()
}

fn accounts_left_out(out: &mut Comment, plan: &Plan) {
    if plan.skipped.is_empty() {
        return;
    }
    let groups: Vec<_> = accounts::left_out(plan, NAMED)
        .into_iter()
        .map(|(who, reason)| format!("{who}: {reason}"))
        .collect();
    out.push(&format!("Accounts left out: {}.\n\n", limited(&groups.join("; "), LIST / 4)));
}

/// What could not be read.
fn unknown(plan: &Plan, left_out: &mut LeftOut) -> String {
    let mut out = Comment::new(NOT_SEEN);
    for group in group(plan, Sort::Unknown) {
        let Verdict::Unknown(unknown) = &group.first.verdict else { continue };
        let missing = unknown.permission.as_deref().map_or(String::new(), |permission| {
            format!(" Missing permission: {}.", limited(permission, NAME))
        });
        let next = unknown.remedy.as_deref().map_or(String::new(), |remedy| {
            format!(" Next: {}.", limited(&group.for_all(remedy), REASON))
        });
        let text = format!(
            "- **{}** {}: {}.{missing}{next}\n",
            unknown.cause.word(),
            subject(plan, &group),
            limited(&group.for_all(&unknown.reason), REASON)
        );
        if !out.push_if_room(&text, 1) {
            left_out.unknown += group.objects.len();
        }
    }
    finished(out)
}

/// What is excepted, until when, by whom and why; collapsed.
fn excepted(plan: &Plan, left_out: &mut LeftOut) -> String {
    let groups = group(plan, Sort::Excepted);
    let mut out = Comment::new(WAIVED);
    for group in &groups {
        let Verdict::Excepted { until, owner, reason } = &group.first.verdict else { continue };
        let text = format!(
            "- {}: until {} · {} · {}\n",
            subject(plan, group),
            limited(until, NAME),
            limited(owner, NAME),
            limited(reason, REASON)
        );
        if !out.push_if_room(&text, 1) {
            left_out.excepted += group.objects.len();
        }
    }
    collapsed("Excepted", &groups, out)
}

/// What is out of an item's reach; collapsed.
fn skipped(plan: &Plan, left_out: &mut LeftOut) -> String {
    let groups = group(plan, Sort::Skipped);
    let mut out = Comment::new(WAIVED);
    for group in &groups {
        let Verdict::Skipped { reason } = &group.first.verdict else { continue };
        let text = format!("- {}: {}\n", subject(plan, group), limited(reason, REASON));
        if !out.push_if_room(&text, 1) {
            left_out.skipped += group.objects.len();
        }
    }
    collapsed("Skipped", &groups, out)
}

/// The item, its objects and where they are.
fn subject(plan: &Plan, group: &Group<'_>) -> String {
    let item = limited(&group.first.item.to_string(), NAME);
    let names = match group.names() {
        names if names.is_empty() => names,
        names => format!(" {}", limited(&names, LIST)),
    };
    format!("<code>{item}</code>{names} · {}", limited(&group.place(plan), LIST))
}

fn collapsed(title: &str, groups: &[Group<'_>], body: Comment) -> String {
    let count: usize = groups.iter().map(|group| group.objects.len()).sum();
    if count == 0 {
        return String::new();
    }
    let count = counted(count, "object");
    format!("<details><summary>{title}: {count}</summary>\n\n{}</details>\n\n", finished(body))
}

/// A list, and the empty line that ends it.
fn finished(list: Comment) -> String {
    let text = list.into_text();
    if text.is_empty() { text } else { text + "\n" }
}

/// One group, collapsed.
fn details(plan: &Plan, group: &Group<'_>, as_before: bool, together: &HeldTogether) -> String {
    let mut out = String::new();
    let first = &group.first;
    let names = match group.names() {
        names if names.is_empty() => names,
        names => format!(" {}", raw_html(&shortened(&names, LIST))),
    };
    let risk = first.standing();
    let _ = writeln!(
        out,
        "<details><summary><code>{}</code>{names} · {} · {risk}</summary>\n",
        raw_html(&shortened(&first.item.to_string(), NAME)),
        raw_html(&shortened(&group.place(plan), LIST))
    );
    out.push_str(&match as_before {
        true => "The same as above.\n\n".to_owned(),
        false => fenced("diff", &difference(plan, group)),
    });
    let why_not = |change: &PlannedChange| together.why_not(group, &change.disposition);
    let reasons: BTreeSet<_> = first.changes.iter().filter_map(why_not).collect();
    for (word, reason) in reasons {
        let _ = writeln!(out, "{}: {}\n", capital(word), limited(&reason, REASON));
    }
    if let Some(note) = &first.note {
        let _ = writeln!(out, "Why: {}\n", limited(note, REASON));
    }
    if let Some(location) = &first.location {
        let place = format!("{}:{}", location.file, location.line);
        let _ = writeln!(out, "Declared in <code>{}</code>\n", limited(&place, REASON));
    }
    out.push_str("</details>\n\n");
    out
}

/// What differs and what to know of it; the first lines of it.
fn difference(plan: &Plan, group: &Group<'_>) -> String {
    let mut lines = Vec::new();
    for (at, change) in group.first.changes.iter().enumerate() {
        for row in rows(group, at) {
            let only = row.only_in(group, plan).map_or(String::new(), |only| format!("  {only}"));
            let line = &row.line;
            let text = format!("{} {} {}{only}", line.sign.symbol(), line.field, line.text);
            lines.push(text.trim_end().to_owned());
            for (sign, text) in &line.detail {
                lines.push(format!("{}   {text}", sign.symbol()));
            }
        }
        for warning in &change.warnings {
            lines.push(format!("! {}", group.for_all(warning)));
        }
    }
    let more = lines.len().saturating_sub(LINES);
    let mut out = String::new();
    for line in lines.iter().take(LINES) {
        let _ = writeln!(out, "{}", shortened(&visible(line), WIDTH));
    }
    if more > 0 {
        let _ = writeln!(out, "  ⋯ and {}", counted(more, "more line"));
    }
    out
}

#[cfg(test)]
mod tests;
