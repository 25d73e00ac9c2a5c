//! The plan for a terminal. Colours are always written; the stream that prints them drops them
//! where they are not wanted.

mod page;

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Color, Style};

use self::page::Page;
use super::accounts;
use super::group::{Group, group, unknown};
use super::held::HeldTogether;
use super::parts::parts;
use super::place::NAMED;
use super::rows::{Row, rows};
use super::summary::{held_lines, summary_line};
use super::value::Sign;
use crate::kinds::Risk;
use crate::kinds::object::Cause;
use crate::plan::words::{account_name, counted};
use crate::plan::{Plan, PlannedChange, Sort, Verdict};
use crate::visible::visible;

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
    let mut page = Page::default();
    page.styled(Style::new().bold(), &format!("evenkeel {}", options.command));
    page.line(&format!(" · {}", seen(plan)));
    let together = HeldTogether::of(plan);
    for part in parts(plan) {
        if let Some(title) = &part.title {
            page.line("");
            page.styled(Style::new().bold().underline(), title);
            page.line("");
        }
        if part.title.is_some() && part.groups.is_empty() {
            page.line("  nothing");
        }
        for group in part.groups {
            drifted(&mut page, plan, &group, &together);
        }
    }
    section(&mut page, plan, "Excepted", group(plan, Sort::Excepted));
    for cause in Cause::ALL {
        section(&mut page, plan, cause.title(), unknown(plan, cause));
    }
    skipped(&mut page, plan, options.verbose);
    not_looked_at(&mut page, plan);
    page.line("");
    page.line(&summary_line(plan));
    if let Some(estimate) = plan.estimate() {
        page.line(&estimate.line());
    }
    for held in held_lines(plan, &together) {
        not_applied(&mut page, "held back", &held);
    }
    if let Some(next) = &options.next {
        page.line(next);
    }
    page.into_text()
}

/// `foundation@3f9a1c · 2 accounts · 3 regions · 41 objects observed in 1.8 s …`.
fn seen(plan: &Plan) -> String {
    let regions: BTreeSet<_> = plan.targets.iter().flat_map(|target| &target.regions).collect();
    let account = match (plan.targets.as_slice(), plan.failed.as_slice()) {
        ([only], []) => account_name(only),
        (many, failed) => counted(many.len() + failed.len(), "account"),
    };
    let digest = plan.baseline.digest.get(..6).unwrap_or(&plan.baseline.digest);
    let how = match &plan.snapshot {
        Some(snapshot) => format!("in the snapshot of {} ({})", snapshot.taken, snapshot.age),
        None => format!(
            "observed in {}.{} s with {}",
            plan.cost.milliseconds / 1000,
            plan.cost.milliseconds % 1000 / 100,
            counted(usize::try_from(plan.cost.requests).unwrap_or(usize::MAX), "call"),
        ),
    };
    let shards = plan.shards.as_ref().map_or(String::new(), |shards| format!(" · only {shards}"));
    format!(
        "{}@{digest} · {account} · {} · {} {how}{shards}",
        plan.baseline.name,
        counted(regions.len(), "region"),
        counted(plan.objects.len() + plan.in_sync, "object"),
    )
}

/// Accounts that nobody has looked at, and why.
fn not_looked_at(page: &mut Page, plan: &Plan) {
    let failed = accounts::failed(plan);
    if !failed.is_empty() {
        page.line("");
        let red = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red))).bold();
        page.styled(red, "Accounts that could not be looked at: everything in them is unknown");
        page.line("");
    }
    for group in failed {
        page.line(&format!("  {}", group.who(NAMED)));
        page.line(&format!("    {}", group.reason()));
        if let Some(remedy) = group.remedy() {
            page.line(&format!("    next: {remedy}"));
        }
    }
    if !plan.skipped.is_empty() {
        page.line("");
        page.line("Accounts left out");
    }
    for (who, reason) in accounts::left_out(plan, NAMED) {
        page.line(&format!("  {who}: {reason}"));
    }
}

fn drifted(page: &mut Page, plan: &Plan, group: &Group<'_>, together: &HeldTogether) {
    heading(page, plan, group);
    let shared = group.disposition();
    if let (true, Some(disposition)) = (group.as_before, shared) {
        page.text("  as above, ");
        match together.why_not(group, disposition) {
            None => page.line("but it would be written"),
            Some((word, reason)) => {
                page.text("but ");
                not_applied(page, word, &reason);
            }
        }
        return;
    }
    let changes = &group.first.changes;
    let lines: Vec<Vec<Row>> = (0..changes.len()).map(|at| rows(group, at)).collect();
    let short = || lines.iter().flatten().filter(|row| row.line.detail.is_empty());
    let field_width = widest(short().map(|row| row.line.field.as_str()));
    for (at, (change, lines)) in changes.iter().zip(&lines).enumerate() {
        let text_width = widest(lines.iter().map(|row| row.line.text.as_str()));
        for row in lines {
            let only = row.only_in(group, plan);
            drift(page, row, field_width, only.as_deref().map(|only| (only, text_width)));
        }
        for warning in &change.warnings {
            page.text("  ");
            page.styled(Style::new().fg_color(Some(Color::Ansi(AnsiColor::Magenta))).bold(), "!");
            page.line(&format!(" {}", group.for_all(warning)));
        }
        let last = at + 1 == changes.len();
        footer(page, group, change, last);
        let reason = match (shared, &change.disposition) {
            // Where all share the reason, the last one says it.
            (Some(_), _) if !last => None,
            (_, disposition) => together.why_not(group, disposition),
        };
        if let Some((word, reason)) = reason {
            page.text("    ");
            not_applied(page, word, &reason);
        }
        if let (true, Some(note)) = (last, &group.first.note) {
            page.text("    ");
            page.styled(Style::new().dimmed(), &format!("why: {note}"));
            page.line("");
        }
    }
}

/// One field; with the objects that have it, when they are not all, in a column of their own.
fn drift(page: &mut Page, row: &Row, field_width: usize, only: Option<(&str, usize)>) {
    let line = &row.line;
    page.text("  ");
    page.styled(style_of(line.sign), &line.sign.symbol().to_string());
    page.text(" ");
    if !line.field.is_empty() {
        page.text(&format!("{:field_width$}  ", line.field));
    }
    match only {
        None => page.line(line.text.trim_end()),
        Some((only, width)) => page.line(&format!("{:width$}  {only}", line.text)),
    }
    for (sign, text) in &line.detail {
        page.text("      ");
        page.styled(style_of(*sign), &format!("{} {text}", sign.symbol()));
        page.line("");
    }
}

fn widest<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or_default()
}

/// The object's line, with its place at the right.
fn heading(page: &mut Page, plan: &Plan, group: &Group<'_>) {
    let item = visible(&group.first.item.to_string()).into_owned();
    let names = visible(&group.names()).into_owned();
    let names = match group.first.item.name.as_deref() {
        Some(own) if own == names => String::new(),
        _ if names.is_empty() => names,
        _ => format!("  {names}"),
    };
    let gap = PLACE.saturating_sub(item.chars().count() + names.chars().count()).max(2);
    page.line("");
    page.styled(Style::new().bold(), &item);
    page.line(&format!("{names}{:gap$}{}", "", group.place(plan)));
}

/// Risk, permission, controls, place in the baseline.
fn footer(page: &mut Page, group: &Group<'_>, change: &PlannedChange, last: bool) {
    let dim = Style::new().dimmed();
    let mut parts = Vec::new();
    if change.action.is_some() {
        parts.push((risk_style(change.risk), change.risk.as_str().to_owned()));
        parts.extend(change.permissions.first().map(|permission| (dim, permission.clone())));
    }
    if last {
        let controls = &group.first.controls;
        if !controls.is_empty() {
            let more = if controls.len() > CONTROLS { " …" } else { "" };
            parts.push((dim, controls[..controls.len().min(CONTROLS)].join(", ") + more));
        }
        if let Some(location) = &group.first.location {
            parts.push((dim, format!("{}:{}", location.file, location.line)));
        }
    }
    for (at, (style, part)) in parts.iter().enumerate() {
        page.styled(dim, if at == 0 { "    " } else { " · " });
        page.styled(*style, part);
    }
    if !parts.is_empty() {
        page.line("");
    }
}

fn not_applied(page: &mut Page, word: &str, reason: &str) {
    page.styled(Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan))), &format!("{word}:"));
    page.line(&format!(" {reason}"));
}

fn risk_style(risk: Risk) -> Style {
    match risk {
        Risk::Safe => Style::new().dimmed(),
        Risk::Disruptive => Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow))).bold(),
        Risk::Destructive => Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red))).bold(),
    }
}

/// Objects whose verdict says it all.
fn section(page: &mut Page, plan: &Plan, title: &str, groups: Vec<Group<'_>>) {
    if groups.is_empty() {
        return;
    }
    page.line("");
    page.line(title);
    for group in groups {
        let names = group.names();
        let gap = if names.is_empty() { "" } else { "  " };
        page.line(&format!("  {}{gap}{names}  {}", group.first.item, group.place(plan)));
        match &group.first.verdict {
            Verdict::Excepted { until, owner, reason } => {
                page.line(&format!("    until {until} · {owner} · {reason}"));
            }
            Verdict::Unknown(unknown) => {
                page.line(&format!("    {}", group.for_all(&unknown.reason)));
                if let Some(permission) = &unknown.permission {
                    page.line(&format!("    missing permission: {permission}"));
                }
                if let Some(remedy) = &unknown.remedy {
                    page.line(&format!("    next: {}", group.for_all(remedy)));
                }
            }
            Verdict::InSync | Verdict::Drifted | Verdict::Skipped { .. } => {}
        }
    }
}

fn skipped(page: &mut Page, plan: &Plan, verbose: bool) {
    let groups = group(plan, Sort::Skipped);
    if groups.is_empty() {
        return;
    }
    page.line("");
    page.line("Skipped");
    for group in groups {
        let Verdict::Skipped { reason } = &group.first.verdict else { continue };
        let count = counted(group.objects.len(), "object");
        page.line(&format!("  {}  {count}: {reason}", group.first.item));
        for object in group.objects.iter().filter(|_| verbose) {
            let (id, region, account) = (&object.id, &object.region, &object.account);
            page.line(&format!("    {id} in {region} of {account}"));
        }
    }
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

#[cfg(test)]
mod tests;
