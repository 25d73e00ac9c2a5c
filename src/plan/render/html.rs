//! The plan as one HTML file without anything from elsewhere: no script, no font, no picture.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::group::{Group, group};
use super::parts::parts;
use super::text::{counted, summary_line};
use super::value::{self, Sign};
use crate::kinds::Risk;
use crate::plan::{Disposition, Plan, PlannedChange, Verdict};

const STYLE: &str = include_str!("html.css");

/// Renders.
pub fn render(plan: &Plan) -> String {
    let sum = plan.summary();
    let digest = plan.baseline.digest.get(..6).unwrap_or(&plan.baseline.digest);
    let title = format!("evenkeel · {}@{digest}", plan.baseline.name);
    let cards = [
        ("to change", sum.to_change, "change"),
        ("disruptive", sum.disruptive, "disruptive"),
        ("destructive", sum.destructive, "destructive"),
        ("only reported", sum.reported, "report"),
        ("unknown", sum.unknown, "unknown"),
        ("accounts not looked at", sum.failed_accounts, "unknown"),
        ("excepted", sum.excepted, "quiet"),
        ("in sync", sum.in_sync, "good"),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p { (summary_line(plan)) }
                    @if let Some(snapshot) = &plan.snapshot {
                        p { "From the snapshot of " (snapshot.taken) " (" (snapshot.age) ")." }
                    }
                    @if let Some(shards) = &plan.shards {
                        p { "Only " (shards) "." }
                    }
                    ul.cards {
                        @for (name, count, class) in cards {
                            @if count > 0 { li class=(class) { strong { (count) } " " (name) } }
                        }
                    }
                }
                main {
                    (accounts(plan))
                    @for part in parts(plan) {
                        section {
                            h2 { (part.title.as_deref().unwrap_or("Drift")) }
                            @if part.groups.is_empty() { p.quiet { "nothing" } }
                            @for group in &part.groups { (drifted(plan, group)) }
                        }
                    }
                    (others(plan))
                }
                footer {
                    p { "run " code { (plan.run) } " · evenkeel " (plan.evenkeel_version) " · "
                        (counted(plan.targets.len(), "account")) " · " (counted(plan.objects.len() + plan.in_sync, "object")) " · "
                        (plan.cost.requests) " calls" }
                }
            }
        }
    };
    page.into_string()
}

fn accounts(plan: &Plan) -> Markup {
    html! {
        @if !plan.failed.is_empty() {
            section.alarm {
                h2 { "Accounts that could not be looked at" }
                p { "Everything in them is unknown." }
                ul {
                    @for failed in &plan.failed {
                        li {
                            strong { (failed.account) @if let Some(name) = &failed.name { " (" (name) ")" } }
                            ": " (failed.reason)
                            @if let Some(remedy) = &failed.remedy { br; "Next: " (remedy) }
                        }
                    }
                }
            }
        }
        @if !plan.skipped.is_empty() {
            section {
                h2 { "Accounts left out" }
                ul {
                    @for skip in &plan.skipped {
                        li { (skip.account) @if let Some(name) = &skip.name { " (" (name) ")" } ": " (skip.reason) }
                    }
                }
            }
        }
    }
}

fn drifted(plan: &Plan, group: &Group<'_>) -> Markup {
    let first = group.first;
    let risk =
        first.changes.iter().filter(|change| change.is_applied()).map(|change| change.risk).max();
    let word = risk.map_or("only reported", Risk::as_str);
    let class = risk.map_or("report", Risk::as_str);
    html! {
        details {
            summary {
                code { (first.item) } " " (group.names())
                span.place { (group.place(plan)) }
                span class=(format!("badge {class}")) { (word) }
            }
            @for change in &first.changes { (write(group, change)) }
            @if let Some(note) = &first.note { p { "Why: " (note) } }
            p.quiet {
                @if let Some(location) = &first.location {
                    "Declared at " code { (location.file) ":" (location.line) } ". "
                }
                @if !first.controls.is_empty() { (first.controls.join(", ")) "." }
            }
            @if group.objects.len() > 1 {
                details.objects {
                    summary { (group.objects.len()) " objects" }
                    ul {
                        @for object in &group.objects { li { (object.title()) } }
                    }
                }
            }
        }
    }
}

fn write(group: &Group<'_>, change: &PlannedChange) -> Markup {
    let lines: Vec<_> = change.drift.iter().map(value::line).collect();
    html! {
        pre {
            @for line in &lines {
                span class=(class(line.sign)) {
                    (line.sign.symbol()) " " (line.field) "  " (group.for_all(&line.text)) "\n"
                }
                @for (sign, text) in &line.detail {
                    span class=(class(*sign)) { "    " (sign.symbol()) " " (group.for_all(text)) "\n" }
                }
            }
        }
        @for warning in &change.warnings { p.warning { "! " (group.for_all(warning)) } }
        @if let Disposition::Report { reason } = &change.disposition {
            p.quiet { "Only reported: " (reason) }
        } @else if let Some(permission) = change.permissions.first() {
            p.quiet { (change.risk.as_str()) " · " code { (permission) } }
        }
    }
}

fn others(plan: &Plan) -> Markup {
    let unknown = group(plan, |verdict| matches!(verdict, Verdict::Unknown(_)));
    let excepted = group(plan, |verdict| matches!(verdict, Verdict::Excepted { .. }));
    let skipped = group(plan, |verdict| matches!(verdict, Verdict::Skipped { .. }));
    html! {
        @for (title, groups) in [("Unknown", unknown), ("Excepted", excepted), ("Skipped", skipped)] {
            @if !groups.is_empty() {
                section {
                    h2 { (title) }
                    ul {
                        @for group in &groups {
                            li {
                                code { (group.first.item) } " " (group.names()) " · " (group.place(plan)) br;
                                (words(group))
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
