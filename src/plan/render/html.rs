//! The plan as one HTML file without anything from elsewhere: no script, no font, no picture.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::accounts;
use super::group::{Group, group, unknown};
use super::held::HeldTogether;
use super::parts::parts;
use super::rows::rows;
use super::summary::{held_lines, summary_line};
use super::value::Sign;
use crate::kinds::Risk;
use crate::kinds::object::Cause;
use crate::plan::words::{capital, counted};
use crate::plan::{Plan, PlannedChange, Sort, Summary, Verdict};
use crate::visible::{visible, visible_lines};

const STYLE: &str = include_str!("html.css");

/// Accounts named in one list.
const NAMED: usize = 20;

/// Writes what a command found.
///
/// # Errors
/// `out` cannot be written.
pub fn write(plan: &Plan, command: &str, out: &mut dyn Write) -> io::Result<()> {
    let sum = plan.summary();
    let digest = plan.baseline.digest.get(..6).unwrap_or(&plan.baseline.digest);
    let title = format!("evenkeel {command} · {}@{digest}", visible(&plan.baseline.name));
    let together = HeldTogether::of(plan);
    let mut page = Page(out);
    page.put(&html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
        header {
            h1 { (title) }
            p { (summary_line(plan)) }
            @if let Some(estimate) = plan.estimate() { p { (estimate.line()) } }
            @for held in held_lines(plan, &together) { p { "Held back: " (visible(&held)) } }
            @if let Some(next) = &plan.next { p { (visible(next)) } }
            @if let Some(snapshot) = &plan.snapshot {
                p { "From the snapshot of " (visible(&snapshot.taken)) " (" (visible(&snapshot.age)) ")." }
            }
            @if let Some(shards) = &plan.shards {
                p { "Only " (shards) "." }
            }
            ul.cards {
                @for (name, count, class) in cards(&sum) {
                    @if count > 0 { li class=(class) { strong { (count) } " " (name) } }
                }
            }
        }
        (PreEscaped("<main>"))
        (accounts(plan))
    })?;
    for part in parts(plan) {
        page.put(&html! {
            (PreEscaped("<section>"))
            h2 { (part.title.as_deref().unwrap_or("Drift")) }
            @if part.groups.is_empty() { p.quiet { "nothing" } }
        })?;
        for group in &part.groups {
            drifted(&mut page, plan, group, &together)?;
        }
        page.put(&html! { (PreEscaped("</section>")) })?;
    }
    page.put(&html! {
        (others(plan))
        (PreEscaped("</main>"))
        footer {
            p { "run " code { (plan.run) } " · evenkeel " (plan.evenkeel_version) " · "
                (counted(plan.targets.len(), "account")) " · " (counted(plan.objects.len() + plan.in_sync, "object")) " · "
                (plan.cost.requests) " calls" }
        }
        (PreEscaped("</body></html>"))
    })
}

/// What is counted at the top: its name, how many, and its looks.
fn cards(sum: &Summary) -> [(&'static str, usize, &'static str); 10] {
    [
        ("to change", sum.to_change, "change"),
        ("disruptive", sum.disruptive_objects, "disruptive"),
        ("destructive", sum.destructive_objects, "destructive"),
        ("only reported", sum.reported, "report"),
        ("held back", sum.held_back, "report"),
        ("unknown", sum.unknown, "unknown"),
        (
            if sum.failed_accounts == 1 {
                "account not looked at"
            } else {
                "accounts not looked at"
            },
            sum.failed_accounts,
            "unknown",
        ),
        (
            if sum.left_out_accounts == 1 { "account left out" } else { "accounts left out" },
            sum.left_out_accounts,
            "quiet",
        ),
        ("excepted", sum.excepted, "quiet"),
        ("in sync", sum.in_sync, "good"),
    ]
}

/// The page, written as it is made: it names every object of a fleet.
struct Page<'a>(&'a mut dyn Write);

impl Page<'_> {
    fn put(&mut self, part: &Markup) -> io::Result<()> {
        self.0.write_all(visible_lines(&part.0).as_bytes())
    }
}

fn accounts(plan: &Plan) -> Markup {
    html! {
        @if !plan.failed.is_empty() {
            section.alarm {
                h2 { "Accounts that could not be looked at" }
                p { "Everything in them is unknown." }
                ul {
                    @for group in accounts::failed(plan) {
                        li {
                            strong { (visible(&group.who(NAMED))) } ": " (visible(&group.reason()))
                            @if let Some(remedy) = group.remedy() { br; "Next: " (visible(&remedy)) }
                        }
                    }
                }
            }
        }
        @if !plan.skipped.is_empty() {
            section {
                h2 { "Accounts left out" }
                ul {
                    @for (who, reason) in accounts::left_out(plan, NAMED) {
                        li { (visible(&who)) ": " (visible(reason)) }
                    }
                }
            }
        }
    }
}

fn drifted(
    page: &mut Page<'_>,
    plan: &Plan,
    group: &Group<'_>,
    together: &HeldTogether,
) -> io::Result<()> {
    let first = &group.first;
    let risk = first.risk();
    let word = first.standing();
    let class = risk.map_or("report", Risk::as_str);
    page.put(&html! {
        (PreEscaped("<details>"))
        summary {
            span.row {
                span.what { code { (first.item) } " " (visible(&group.names())) }
                span.place { (visible(&group.place(plan))) }
                span class=(format!("badge {class}")) { (word) }
            }
        }
        @for (at, change) in first.changes.iter().enumerate() { (write_of(plan, group, at, change, together)) }
        @if let Some(note) = &first.note { p { "Why: " (visible(note)) } }
        p.quiet {
            @if let Some(location) = &first.location {
                "Declared at " code { (visible(&location.file)) ":" (location.line) } ". "
            }
            @if !first.controls.is_empty() { (first.controls.join(", ")) "." }
        }
    })?;
    if group.objects.len() > 1 {
        page.put(&html! {
            (PreEscaped("<details class=\"objects\">"))
            summary { (group.objects.len()) " objects" }
            (PreEscaped("<ul>"))
        })?;
        for object in &group.objects {
            page.put(&html! {
                li {
                    (object.title(&first.item))
                    @if let Some(label) = &object.label { " (" (visible(label)) ")" }
                }
            })?;
        }
        page.put(&html! { (PreEscaped("</ul></details>")) })?;
    }
    page.put(&html! { (PreEscaped("</details>")) })
}

fn write_of(
    plan: &Plan,
    group: &Group<'_>,
    at: usize,
    change: &PlannedChange,
    together: &HeldTogether,
) -> Markup {
    html! {
        pre {
            @for row in rows(group, at) {
                span class=(class(row.line.sign)) {
                    (row.line.sign.symbol()) " " (row.line.field) "  " (row.line.text)
                    @if let Some(only) = row.only_in(group, plan) { "  " span.only { (visible(&only)) } }
                    "\n"
                }
                @for (sign, text) in &row.line.detail {
                    span class=(class(*sign)) { "    " (sign.symbol()) " " (text) "\n" }
                }
            }
        }
        @for warning in &change.warnings { p.warning { "! " (visible(&group.for_all(warning))) } }
        @if let Some((word, reason)) = together.why_not(group, &change.disposition) {
            p.quiet { (capital(word)) ": " (visible(&reason)) }
        } @else if let Some(permission) = change.permissions.first() {
            p.quiet { (change.risk.as_str()) " · " code { (permission) } }
        }
    }
}

fn others(plan: &Plan) -> Markup {
    let mut parts: Vec<_> =
        Cause::ALL.into_iter().map(|cause| (cause.title(), unknown(plan, cause))).collect();
    let excepted = group(plan, Sort::Excepted);
    let skipped = group(plan, Sort::Skipped);
    parts.extend([("Excepted", excepted), ("Skipped", skipped)]);
    html! {
        @for (title, groups) in &parts {
            @if !groups.is_empty() {
                section {
                    h2 { (title) }
                    ul {
                        @for group in groups {
                            li {
                                code { (group.first.item) } " " (visible(&group.names())) " · " (visible(&group.place(plan))) br;
                                (visible(&words(group)))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn words(group: &Group<'_>) -> String {
    match &group.first.verdict {
        Verdict::Unknown(unknown) => {
            let reason = group.for_all(&unknown.reason);
            match &unknown.remedy {
                Some(remedy) => format!("{reason}. Next: {}", group.for_all(remedy)),
                None => reason,
            }
        }
        Verdict::Excepted { until, owner, reason } => format!("until {until} · {owner} · {reason}"),
        Verdict::Skipped { reason } => reason.clone(),
        Verdict::InSync | Verdict::Drifted => String::new(),
    }
}

fn class(sign: Sign) -> &'static str {
    match sign {
        Sign::Add => "add",
        Sign::Remove => "remove",
        Sign::Update => "update",
        Sign::Keep => "keep",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::testing::{plan, policy};

    #[test]
    fn what_cannot_be_seen_is_shown_and_the_command_is_named() {
        let mut drifted = policy(1, &[("a", json!("x\u{202e}"), json!(1))]);
        drifted.note = Some("\u{2066}note".to_owned());
        let mut page = Vec::new();
        write(&plan(1, vec![drifted]), "check", &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains("x\\u{202e}") && page.contains("\\u{2066}note"), "{page}");
        assert!(page.contains("<title>evenkeel check · acme@012345</title>"), "{page}");
        assert!(!page.contains(['\u{202e}', '\u{2066}']));
    }
}
