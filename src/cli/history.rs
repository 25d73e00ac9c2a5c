//! `evenkeel history`: what happened, when, by whom.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use evenkeel::names::AccountId;
use evenkeel::plan::words::{counted, named, shortened_list, title};
use evenkeel::store::Store;
use evenkeel::store::history::{ByWhom, DriftRow, Entry, Filter, RunRecord, What, callers};
use evenkeel::visible::{shortened, visible};
use serde_json::{Value, json};

use super::args::{Global, HistoryArgs, ListFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::{explain, out, remember};

/// The version of the JSON form; it grows when a reader of an older one would misread.
pub const FORMAT_VERSION: &str = "1";

/// More of a value is for `show` and for JSON.
const LONGEST_VALUE: usize = 60;

/// Runs the command.
pub async fn run(global: &Global, args: &HistoryArgs) -> Result<Exit, Failure> {
    let filter = filter(args)?;
    let (_, store) = remember::kept(global, args.beside.audit_log.as_ref()).await?;
    if args.runs {
        runs(&store, args, &filter).await?;
    } else {
        entries(&store, args, &filter).await?;
    }
    Ok(Exit::Done)
}

fn filter(args: &HistoryArgs) -> Result<Filter, Failure> {
    if let Some(kind) = &args.kind
        && evenkeel::kinds::registry::find(kind).is_none()
    {
        return Err(explain::unknown_kind(kind));
    }
    Ok(Filter {
        account: args.account.as_deref().map(str::parse).transpose()?,
        kind: args.kind.clone(),
        item: args.item.as_deref().map(str::parse).transpose()?,
        since: args.since.map(|since| since.0),
        what: args.outcome.map(What::from),
        most: (args.limit > 0).then_some(args.limit),
    })
}

async fn entries(store: &Store, args: &HistoryArgs, filter: &Filter) -> Result<(), Failure> {
    let entries = store.entries(filter).await?;
    if args.format == ListFormat::Json {
        out::line(&json!({"format_version": FORMAT_VERSION, "entries": entries}).to_string());
        return Ok(());
    }
    let looks = store.looks().await?;
    let names: BTreeMap<&AccountId, &str> =
        looks.iter().filter_map(|look| Some((&look.account, look.name.as_deref()?))).collect();
    for entry in &entries {
        out::line(&line(entry, names.get(&entry.object.account).copied()));
    }
    ending(entries.len(), filter, "entry", "entries");
    Ok(())
}

async fn runs(store: &Store, args: &HistoryArgs, filter: &Filter) -> Result<(), Failure> {
    let runs = store.runs(filter.since, filter.most).await?;
    if args.format == ListFormat::Json {
        out::line(&json!({"format_version": FORMAT_VERSION, "runs": runs}).to_string());
        return Ok(());
    }
    for run in &runs {
        out::line(&visible(&line_of_run(run)));
    }
    ending(runs.len(), filter, "run", "runs");
    Ok(())
}

/// How many there were, and whether there may be more.
fn ending(count: usize, filter: &Filter, one: &str, many: &str) {
    let is_cut = filter.most.is_some_and(|most| usize::try_from(most) == Ok(count));
    out::say(&match (count, is_cut) {
        (0, _) => format!("no {many}"),
        (1, false) => format!("1 {one}"),
        (count, false) => format!("{count} {many}"),
        (count, true) => format!("the latest {count} {many}; --limit shows more, --since fewer"),
    });
}

fn line(entry: &Entry, name: Option<&str>) -> String {
    let object = &entry.object;
    let global = entry.about["global"].as_bool().unwrap_or_else(|| is_global(&object.item.kind));
    let what = title(&object.item, &object.object, global, &object.region, &object.account);
    let what = what.replace(
        &format!(" of {}", object.account),
        &format!(" of {}", named(&object.account, name)),
    );
    let mut line = format!(
        "{}  {:<10}  {what}",
        entry.time.to_rfc3339_opts(SecondsFormat::Secs, true),
        entry.what.word()
    );
    let by = By::of(&entry.about);
    let differs = match (entry.what, &by) {
        (What::Resolved, _) => Vec::new(),
        (_, By::Each(rows)) => rows.iter().filter_map(differs_after).collect(),
        (_, By::All(_)) => differs(&entry.about["drift"]),
    };
    if !differs.is_empty() {
        line += &format!("  {}", differs.join(", "));
    }
    if entry.what == What::Resolved {
        line += match entry.about["how"].as_str() {
            Some("applied") => "  by evenkeel",
            Some("elsewhere") => "  by somebody else",
            _ => "  it is there no more, or nothing governs it any more",
        };
    }
    match &by {
        By::All(Some(by)) => line += &format!("  after {by}"),
        By::Each(rows) if entry.what == What::Resolved => {
            let each = rows.iter().filter(|row| !row.by.is_empty());
            let each = each.map(|row| format!("{} after {}", row.field, by_whom(&row.by)));
            line += &format!("  {}", each.collect::<Vec<_>>().join(", "));
        }
        _ => {}
    }
    let before = before(&entry.about);
    if !before.is_empty() {
        line += &format!("  before: {}", shortened_list(&before, 3));
    }
    if let Some(error) = entry.about["error"].as_str() {
        line += &format!("  {}", shortened(error.lines().next().unwrap_or_default(), 120));
    }
    if let Some(later) = entry.about["observed_in"].as_str() {
        line += &format!("  looked at again by run {later},");
    }
    visible(&format!("{line}  {} {}", of_run(entry), entry.run)).into_owned()
}

/// What the run of an entry did.
fn of_run(entry: &Entry) -> &'static str {
    match (entry.what, entry.about["resolved_in"].as_str(), entry.about["how"].as_str()) {
        (What::Resolved, None, _) => "found by run",
        (What::Resolved, Some(_), how) if how != Some("applied") => "seen by run",
        _ => "run",
    }
}

fn is_global(kind: &str) -> bool {
    use evenkeel::kinds::{Scope, registry};
    registry::find(kind).is_some_and(|kind| kind.scope() == Scope::Global)
}

/// `minimum_password_length 8 → 14`, for each field of a plan's drift.
pub fn differs(drift: &Value) -> Vec<String> {
    let fields = drift.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |field: &Value| {
        let name = field["field"].as_str().unwrap_or_default();
        one_differs(name, &field["actual"], &field["desired"])
    };
    fields.iter().filter_map(text).collect()
}

/// One field; none where nothing says what differs.
fn one_differs(field: &str, actual: &Value, desired: &Value) -> Option<String> {
    if field.is_empty() && actual.is_null() && desired.is_null() {
        return None;
    }
    let value = |value: &Value| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => shortened(text, LONGEST_VALUE).into_owned(),
        other => shortened(&other.to_string(), LONGEST_VALUE).into_owned(),
    };
    let (from, to) = (value(actual), value(desired));
    Some(format!("{field} {from} → {to}").trim_start().to_owned())
}

/// The same with who may have done just that.
fn differs_after(row: &DriftRow) -> Option<String> {
    let differs = one_differs(&row.field, &row.actual, &row.desired);
    match (differs, row.by.is_empty()) {
        (Some(differs), false) => Some(format!("{differs} (after {})", by_whom(&row.by))),
        (Some(differs), true) => Some(differs),
        (None, false) => Some(format!("(after {})", by_whom(&row.by))),
        (None, true) => None,
    }
}

/// Who may have done what differs.
enum By {
    /// The same all of it.
    All(Option<String>),
    /// Each field.
    Each(Vec<DriftRow>),
}

impl By {
    fn of(about: &Value) -> Self {
        let rows = rows(&about["drift"]);
        let names = |row: &DriftRow| by_whom(&row.by);
        // Of the whole object knew who an earlier version noted.
        let is_by_field = rows.iter().any(|row| row.since.is_some());
        match is_by_field && rows.windows(2).any(|two| names(&two[0]) != names(&two[1])) {
            true => Self::Each(rows),
            false => {
                let all: Vec<ByWhom> =
                    serde_json::from_value(about["by"].clone()).unwrap_or_default();
                Self::All((!all.is_empty()).then(|| by_whom(&all)))
            }
        }
    }
}

fn rows(about: &Value) -> Vec<DriftRow> {
    serde_json::from_value(about.clone()).unwrap_or_default()
}

/// What differed before and is right again, where it is known who may have done it.
fn before(about: &Value) -> Vec<String> {
    let past = rows(&about["past"]);
    past.iter().rev().filter(|row| !row.by.is_empty()).filter_map(differs_after).collect()
}

/// Who may have done what it was found after; where they are many, how many more.
fn by_whom(all: &[ByWhom]) -> String {
    let all = callers::together(all);
    callers::text(&all, false, |by| format!("{} by {}", by.call, by.principal))
}

fn line_of_run(run: &RunRecord) -> String {
    let outcome = run.ending();
    let drifted = ["to_change", "reported", "held_back"]
        .iter()
        .filter_map(|of| run.about.summary[of].as_u64());
    format!(
        "{}  {:<8}  {outcome:<11}  {} · {} · {} not as declared · {} applied",
        run.began.to_rfc3339_opts(SecondsFormat::Secs, true),
        run.command,
        run.run,
        counted(run.about.accounts, "account"),
        drifted.sum::<u64>(),
        run.about.applied,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn by(who: &str, call: &str) -> Value {
        json!({"principal": who, "call": call, "time": "2026-01-01T00:00:00Z"})
    }

    fn row(field: &str, by: &[Value]) -> Value {
        json!({
            "field": field, "actual": false, "desired": true, "by": by,
            "since": "2026-01-01T00:00:10Z",
        })
    }

    fn said(what: What, about: Value) -> String {
        let entry = Entry {
            time: chrono::DateTime::UNIX_EPOCH,
            what,
            object: evenkeel::store::history::DriftKey {
                account: "111122223333".parse().unwrap(),
                region: evenkeel::names::Region::new("eu-west-1"),
                item: "cloudtrail.trail.main".parse().unwrap(),
                object: "main".to_owned(),
            },
            run: "r".to_owned(),
            change: None,
            actor: None,
            about,
        };
        line(&entry, None)
    }

    #[test]
    fn who_may_have_done_it_is_said_once_or_of_each_field() {
        let (ann, eve) = (by("ann", "c:Update"), by("eve", "c:Stop"));
        let same = json!({
            "drift": [row("valid", std::slice::from_ref(&ann)), row("logs", std::slice::from_ref(&ann))],
            "by": [ann],
        });
        let text = said(What::Drift, same);
        assert!(
            text.contains("valid false → true, logs false → true  after c:Update by ann  run r"),
            "{text}"
        );
        let each = json!({
            "drift": [row("valid", std::slice::from_ref(&ann)), row("logs", std::slice::from_ref(&eve)), row("other", &[])],
            "by": [ann, eve], "past": [row("name", std::slice::from_ref(&eve)), row("old", &[])],
        });
        let text = said(What::Drift, each.clone());
        let fields = "valid false → true (after c:Update by ann), \
                      logs false → true (after c:Stop by eve), other false → true  \
                      before: name false → true (after c:Stop by eve)";
        assert!(text.contains(fields), "{text}");
        let text = said(What::Resolved, each);
        assert!(text.contains("valid after c:Update by ann, logs after c:Stop by eve"), "{text}");
        // What an earlier version noted of the object.
        let old = json!({"drift": [{"field": "valid", "actual": 1, "desired": 2}], "by": [ann]});
        let text = said(What::Drift, old);
        assert!(text.contains("valid 1 → 2  after c:Update by ann"), "{text}");
    }

    #[test]
    fn what_was_not_kept_is_said() {
        let mut others = by("", "c:Update");
        others["more"] = json!(11);
        let all: Vec<Value> = ["a", "b", "c", "d", "e"]
            .map(|name| by(name, "c:Stop"))
            .into_iter()
            .chain([others])
            .collect();
        let text = said(What::Drift, json!({"drift": [row("logs", &all)], "by": all}));
        let end = "c by e and 2 more and at least 12 calls more, which were not kept";
        assert!(text.contains(&end.replace("c by e", "c:Stop by c")), "{text}");
    }
}
