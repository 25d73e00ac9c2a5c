//! `evenkeel show RUN`: one run with its changes, each with what was there before and afterwards.

use chrono::SecondsFormat;
use evenkeel::plan::words::title;
use evenkeel::store::Store;
use evenkeel::store::history::{ChangeShown, RunShown, What};
use evenkeel::visible::{visible, visible_lines};
use serde_json::json;

use super::args::{Global, ListFormat, ShowArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::history::{FORMAT_VERSION, differs};
use super::{out, remember};

/// Runs the command.
pub async fn run(global: &Global, args: &ShowArgs) -> Result<Exit, Failure> {
    let (_, store) = remember::kept(global, args.beside.audit_log.as_ref()).await?;
    let shown = find(&store, &args.run).await?;
    if args.format == ListFormat::Json {
        let mut value = serde_json::to_value(&shown).map_err(evenkeel::store::StoreError::from)?;
        value["format_version"] = json!(FORMAT_VERSION);
        out::line(&value.to_string());
        return Ok(Exit::Done);
    }
    head(&shown);
    for (number, change) in (1..).zip(&shown.changes) {
        out::line("");
        one(number, change, global.verbose > 0);
    }
    if !shown.run.about.left.is_empty() {
        out::line("\nNot written:");
    }
    for left in &shown.run.about.left {
        out::line(&visible_lines(&format!("  {left}")));
    }
    Ok(Exit::Done)
}

/// The run that is called so.
///
/// # Errors
/// There is none, or more than one.
pub async fn find(store: &Store, name: &str) -> Result<RunShown, Failure> {
    let mut runs = store.runs_called(name).await?;
    match (runs.pop(), runs.len()) {
        (Some(run), 0) => Ok(run),
        (None, _) => Err(Failure::usage(
            format!("the store {} has no run {name:?}", store.name()),
            "evenkeel history --runs lists them; the beginning of an id is enough",
        )),
        (Some(last), _) => Err(Failure::usage(
            format!("{name:?} begins more than one run: {} and others", last.run.run),
            "write more of its id",
        )),
    }
}

fn head(shown: &RunShown) {
    let run = &shown.run;
    let time =
        |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let end = match (run.ended, run.outcome) {
        (Some(ended), Some(_)) if run.about.killed => {
            format!("· killed, and heard of last {}", time(ended))
        }
        (Some(ended), Some(outcome)) => {
            format!("to {} · {}", time(ended), outcome.as_str())
        }
        _ => "and has not ended: it is under way, or was killed".to_owned(),
    };
    out::line(&visible(&format!(
        "run {} · {} · from {} {end}",
        run.run,
        run.command,
        time(run.began)
    )));
    out::line(&visible(&format!(
        "baseline {}{}{}",
        run.about.baseline,
        run.about.commit.as_ref().map_or_else(String::new, |commit| format!(" · commit {commit}")),
        match run.about.targets.as_slice() {
            [] => String::new(),
            targets => format!(" · targets {}", targets.join(", ")),
        },
    )));
    if let Some(other) = &run.about.rolls_back {
        out::line(&visible(&format!("puts run {other} back")));
    }
    if !run.about.overruled.is_empty() {
        let by = run.about.overruled_by.as_deref().unwrap_or("somebody");
        out::line(&visible(&format!(
            "guards overruled by {by}: {}",
            run.about.overruled.join(", ")
        )));
    }
    for by in &run.about.caused_by {
        let who = match by.is_not_kept() {
            true => format!("at least {} calls whose callers were not kept", by.count()),
            false => by.principal.clone(),
        };
        out::line(&visible(&format!("after {} by {who}", by.call)));
    }
}

fn one(number: usize, change: &ChangeShown, is_verbose: bool) {
    let intent = &change.intent;
    let title =
        title(&intent.item, &intent.object, intent.about.global, &intent.region, &intent.account);
    let outcome = match change.outcome {
        What::Found => {
            "failed, and is there all the same: an answer was lost, or somebody else did it"
        }
        What::Unfinished => "nobody knows: the run died in it, or is in hand",
        outcome => outcome.word(),
    };
    let time = intent.time.to_rfc3339_opts(SecondsFormat::Secs, true);
    out::line(&visible(&format!("{number}. {title}: {outcome} · {time}")));
    for field in differs(&intent.about.drift) {
        out::line(&visible(&format!("   {field}")));
    }
    if let Some(error) = &change.answer.error {
        for line in error.lines() {
            out::line(&visible(&format!("   {line}")));
        }
    }
    out::line(&visible(&format!("   {} by {}", intent.about.name, intent.actor)));
    if let Some(run) = &change.answer.observed_in {
        out::line(&visible(&format!("   the run died in it; looked at again by run {run}")));
    }
    match change.in_sync {
        Some(true) => out::line("   afterwards as declared"),
        Some(false) => out::line("   afterwards still not as declared"),
        None => {}
    }
    if is_verbose {
        out::line(&visible(&format!("   before {}", intent.about.before)));
        if let Some(after) = &change.after {
            out::line(&visible(&format!("   after  {after}")));
        }
    }
}
