//! `evenkeel history`: what happened, when, by whom.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use evenkeel::names::AccountId;
use evenkeel::plan::words::{counted, named, shortened_list, title};
use evenkeel::store::Store;
use evenkeel::store::history::{Entry, Filter, RunRecord, What};
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
    let differs = differs(&entry.about["drift"]);
    if !differs.is_empty() && entry.what != What::Resolved {
        line += &format!("  {}", differs.join(", "));
    }
    if entry.what == What::Resolved {
        line += match entry.about["how"].as_str() {
            Some("applied") => "  by evenkeel",
            Some("elsewhere") => "  by somebody else",
            _ => "  it is there no more, or nothing governs it any more",
        };
    }
    if let Some(by) = by_whom(&entry.about["by"]) {
        line += &format!("  after {by}");
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
    let value = |value: &Value| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => shortened(text, LONGEST_VALUE).into_owned(),
        other => shortened(&other.to_string(), LONGEST_VALUE).into_owned(),
    };
    let one = |field: &Value| {
        let name = field["field"].as_str().unwrap_or_default();
        let (from, to) = (value(&field["actual"]), value(&field["desired"]));
        format!("{name} {from} → {to}").trim_start().to_owned()
    };
    fields.iter().map(one).collect()
}

/// Who did what it was found after, or may have; where they are many, how many more.
pub fn by_whom(by: &Value) -> Option<String> {
    let one =
        |by: &Value| Some(format!("{} by {}", by["call"].as_str()?, by["principal"].as_str()?));
    let mut all: Vec<String> = Vec::new();
    for text in by.as_array()?.iter().filter_map(one) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    (!all.is_empty()).then(|| shortened_list(&all, 3))
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
