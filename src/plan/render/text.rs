//! The plan for a terminal. Colours are always written; the stream that prints them drops them
//! where they are not wanted.

use std::collections::BTreeSet;
use std::fmt::Write;

use anstyle::{AnsiColor, Color, Style};

use super::group::{Group, account_name, group};
use super::parts::parts;
use super::value::{self, Sign};
use crate::kinds::Risk;
use crate::names::AccountId;
use crate::plan::{Disposition, Plan, PlannedChange, Verdict};

/// Column in which a heading's place starts.
const PLACE: usize = 64;
/// Controls named on a line.
const CONTROLS: usize = 4;

/// What to print.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The command, for the first line: `plan`, `check`, `apply`.
    pub command: &'static str,
    /// What the reader can do next; the last line.
    pub next: Option<String>,
    /// Whether to list what was skipped object by object.
    pub verbose: bool,
}

/// Renders.
pub fn render(plan: &Plan, options: &Options) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", header(plan, options.command));
    for part in parts(plan) {
        if let Some(title) = &part.title {
            let bold = Style::new().bold().underline();
            let _ = writeln!(out, "\n{bold}{title}{bold:#}");
        }
        if part.title.is_some() && part.groups.is_empty() {
            out.push_str("  nothing\n");
        }
        for group in part.groups {
            drifted(&mut out, plan, &group);
        }
    }
    section(&mut out, plan, "Excepted", |verdict| matches!(verdict, Verdict::Excepted { .. }));
    section(
        &mut out,
        plan,
        "Unknown: could not be read, so neither in sync nor changed",
        |verdict| matches!(verdict, Verdict::Unknown(_)),
    );
    skipped(&mut out, plan, options.verbose);
    accounts(&mut out, plan);
    let _ = writeln!(out, "\n{}", summary_line(plan));
    if let Some(next) = &options.next {
        let _ = writeln!(out, "{next}");
    }
    out
}

/// `evenkeel plan · foundation@3f9a1c · 2 accounts · 3 regions · 41 objects observed in 1.8 s …`.
pub fn header(plan: &Plan, command: &str) -> String {
    let bold = Style::new().bold();
    let regions: BTreeSet<_> = plan.targets.iter().flat_map(|target| &target.regions).collect();
    let account = match (plan.targets.as_slice(), plan.failed.as_slice()) {
        ([only], []) => account_name(only),
        (many, failed) => counted(many.len() + failed.len(), "account"),
    };
    let digest = plan.baseline.digest.get(..6).unwrap_or(&plan.baseline.digest);
    let seconds = plan.cost.milliseconds / 1000;
    let tenths = plan.cost.milliseconds % 1000 / 100;
    let seen = match &plan.snapshot {
        Some(snapshot) => format!("in the snapshot of {} ({})", snapshot.taken, snapshot.age),
        None => format!(
            "observed in {seconds}.{tenths} s with {}",
            counted(usize::try_from(plan.cost.requests).unwrap_or(usize::MAX), "call"),
        ),
    };
    let shards = plan.shards.as_ref().map_or(String::new(), |shards| format!(" · only {shards}"));
    format!(
        "{bold}evenkeel {command}{bold:#} · {}@{digest} · {account} · {} · {} {seen}{shards}",
        plan.baseline.name,
        counted(regions.len(), "region"),
        counted(plan.objects.len() + plan.in_sync, "object"),
    )
}

/// `2 to change · 1 needs care (disruptive) · 38 in sync · 0 unknown · …`.
pub fn summary_line(plan: &Plan) -> String {
    let sum = plan.summary();
    let mut parts = vec![format!("{} to change", sum.to_change)];
    let care = [(sum.disruptive, "disruptive"), (sum.destructive, "destructive")];
    for (count, word) in care.into_iter().filter(|(count, _)| *count > 0) {
        let needs = if count == 1 { "needs" } else { "need" };
        parts.push(format!("{count} {needs} care ({word})"));
    }
    if sum.reported > 0 {
        parts.push(format!("{} only reported", sum.reported));
    }
    parts.push(format!("{} in sync", sum.in_sync));
    parts.push(format!("{} unknown", sum.unknown));
    if sum.failed_accounts > 0 {
        parts.push(format!("{} not looked at", counted(sum.failed_accounts, "account")));
    }
    if sum.skipped > 0 {
        parts.push(format!("{} skipped", sum.skipped));
    }
    if sum.excepted > 0 {
        let first = plan.objects.iter().filter_map(|object| match &object.verdict {
            Verdict::Excepted { until, .. } => Some(until),
            _ => None,
        });
        let until = first.min().map(String::as_str).unwrap_or_default();
        parts.push(format!("{} excepted until {until}", sum.excepted));
    }
    parts.join(" · ")
}

/// Accounts that nobody has looked at, and why.
fn accounts(out: &mut String, plan: &Plan) {
    let named = |account: &AccountId, name: Option<&String>| match name {
        Some(name) => format!("{account} ({name})"),
        None => account.to_string(),
    };
    if !plan.failed.is_empty() {
        let red = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red))).bold();
        let _ = writeln!(
            out,
            "\n{red}Accounts that could not be looked at: everything in them is unknown{red:#}"
        );
    }
    for failed in &plan.failed {
        let _ = writeln!(out, "  {}", named(&failed.account, failed.name.as_ref()));
        let _ = writeln!(out, "    {}", failed.reason);
        if let Some(remedy) = &failed.remedy {
            let _ = writeln!(out, "    next: {remedy}");
        }
    }
    if !plan.skipped.is_empty() {
        let _ = writeln!(out, "\nAccounts left out");
    }
    for skipped in &plan.skipped {
        let name = named(&skipped.account, skipped.name.as_ref());
        let _ = writeln!(out, "  {name}: {}", skipped.reason);
    }
}

fn drifted(out: &mut String, plan: &Plan, group: &Group<'_>) {
    heading(out, plan, group);
    let lines: Vec<_> = group
        .first
        .changes
        .iter()
        .map(|change| (change, change.drift.iter().map(value::line).collect::<Vec<_>>()))
        .collect();
    let width = lines
        .iter()
        .flat_map(|(_, lines)| lines)
        .filter(|line| line.detail.is_empty())
        .map(|line| line.field.chars().count())
        .max()
        .unwrap_or_default();
    for (index, (change, lines)) in lines.iter().enumerate() {
        for line in lines {
            let style = style_of(line.sign);
            let symbol = line.sign.symbol();
            let gap = if line.field.is_empty() { 0 } else { width };
            let field = format!("{:gap$}", line.field);
            let space = if line.field.is_empty() { "" } else { "  " };
            let text = group.for_all(line.text.trim_end());
            let _ = writeln!(out, "  {style}{symbol}{style:#} {field}{space}{text}");
            for (sign, text) in &line.detail {
                let (style, text) = (style_of(*sign), group.for_all(text));
                let _ = writeln!(out, "      {style}{} {text}{style:#}", sign.symbol());
            }
        }
        for warning in &change.warnings {
            let style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Magenta))).bold();
            let _ = writeln!(out, "  {style}!{style:#} {}", group.for_all(warning));
        }
        let last = index + 1 == group.first.changes.len();
        footer(out, group, change, last);
    }
}

/// The object's line, with its place at the right.
fn heading(out: &mut String, plan: &Plan, group: &Group<'_>) {
    let bold = Style::new().bold();
    let item = group.first.item.to_string();
    let names = group.names();
    let shown = if group.first.item.name.as_deref() == Some(names.as_str()) { "" } else { &names };
    let left = if shown.is_empty() { item.clone() } else { format!("{item}  {shown}") };
    let gap = PLACE.saturating_sub(left.chars().count()).max(2);
    let rest = left.strip_prefix(&item).unwrap_or_default();
    let _ = writeln!(out, "\n{bold}{item}{bold:#}{rest}{:gap$}{}", "", group.place(plan));
}

/// Risk, permission, controls, place in the baseline; and why a change is only reported.
fn footer(out: &mut String, group: &Group<'_>, change: &PlannedChange, last: bool) {
    let dim = Style::new().dimmed();
    let mut parts = Vec::new();
    if change.action.is_some() {
        parts.push(risk(change.risk));
        parts.extend(change.permissions.first().cloned());
    }
    if last {
        let controls = &group.first.controls;
        if !controls.is_empty() {
            let more = if controls.len() > CONTROLS { " …" } else { "" };
            parts.push(controls[..controls.len().min(CONTROLS)].join(", ") + more);
        }
        if let Some(location) = &group.first.location {
            parts.push(format!("{}:{}", location.file, location.line));
        }
    }
    if !parts.is_empty() {
        let _ = writeln!(out, "    {dim}{}{dim:#}", parts.join(" · "));
    }
    if let Disposition::Report { reason } = &change.disposition {
        let style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));
        let _ = writeln!(out, "    {style}only reported:{style:#} {reason}");
    }
    if let (true, Some(note)) = (last, &group.first.note) {
        let _ = writeln!(out, "    {dim}why: {note}{dim:#}");
    }
}

fn risk(risk: Risk) -> String {
    let style = match risk {
        Risk::Safe => return risk.as_str().to_owned(),
        Risk::Disruptive => Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow))).bold(),
        Risk::Destructive => Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red))).bold(),
    };
    format!("{style}{}{style:#}", risk.as_str())
}

/// Objects whose verdict says it all.
fn section(out: &mut String, plan: &Plan, title: &str, wanted: impl Fn(&Verdict) -> bool) {
    let groups = group(plan, wanted);
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for group in groups {
        let names = group.names();
        let gap = if names.is_empty() { "" } else { "  " };
        let _ = writeln!(out, "  {}{gap}{names}  {}", group.first.item, group.place(plan));
        match &group.first.verdict {
            Verdict::Excepted { until, owner, reason } => {
                let _ = writeln!(out, "    until {until} · {owner} · {reason}");
            }
            Verdict::Unknown(unknown) => {
                let _ = writeln!(out, "    {}", group.for_all(&unknown.reason));
                if let Some(permission) = &unknown.permission {
                    let _ = writeln!(out, "    missing permission: {permission}");
                }
                if let Some(remedy) = &unknown.remedy {
                    let _ = writeln!(out, "    next: {}", group.for_all(remedy));
                }
            }
            Verdict::InSync | Verdict::Drifted | Verdict::Skipped { .. } => {}
        }
    }
}

fn skipped(out: &mut String, plan: &Plan, verbose: bool) {
    let groups = group(plan, |verdict| matches!(verdict, Verdict::Skipped { .. }));
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nSkipped");
    for group in groups {
        let Verdict::Skipped { reason } = &group.first.verdict else { continue };
        let _ = writeln!(
            out,
            "  {}  {}: {reason}",
            group.first.item,
            counted(group.objects.len(), "object")
        );
        for object in group.objects.iter().filter(|_| verbose) {
            let _ = writeln!(
                out,
                "    {} in {} of {}",
                object.observed.id, object.region, object.account
            );
        }
    }
}

/// `1 region`, `17 regions`.
pub fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn style_of(sign: Sign) -> Style {
    let color = match sign {
        Sign::Add => AnsiColor::Green,
        Sign::Remove => AnsiColor::Red,
        Sign::Update => AnsiColor::Yellow,
        Sign::Keep => return Style::new(),
    };
    Style::new().fg_color(Some(Color::Ansi(color)))
}
