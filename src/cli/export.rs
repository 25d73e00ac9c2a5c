//! `evenkeel export`: an account's present state, written as a baseline. Reads only.

use std::sync::Arc;

use chrono::Utc;
use evenkeel::aws::meter::Meter;
use evenkeel::aws::{Session, session};
use evenkeel::export::{Export, ExportError, baseline, export};
use evenkeel::fleet::access::{Roles, roles, ways_in};
use evenkeel::names::{AccountId, Region};
use evenkeel::plan::words::counted;
use evenkeel::reconcile::{Refusal, Selection};
use evenkeel::store::audit;
use evenkeel::visible::visible;

use super::args::{ExportArgs, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// Runs the command.
pub async fn run(global: &Global, args: &ExportArgs) -> Result<Exit, Failure> {
    may_write(global, args)?;
    let fleet = settings::fleet_file(global, &evenkeel::baseline::disk::Disk)?;
    let run = uuid::Uuid::now_v7().to_string();
    let home = fleet.as_ref().and_then(|fleet| fleet.file.home_region.as_deref());
    let options = session::Options {
        home_region: home.map(Region::new),
        entered_by: fleet.as_ref().map(ways_in).unwrap_or_default(),
        ..session::Options::default()
    };
    let own = Arc::new(Session::connect(Arc::new(Meter::default()), options).await?);
    let account = match &args.account {
        Some(account) => account.parse()?,
        None => own.account().clone(),
    };
    let session = session_of(own, &account, fleet.as_ref().and_then(|fleet| roles(fleet, &run)));
    let session = session.await?;
    let selection = Selection {
        regions: args.region.iter().map(Region::new).collect(),
        kinds: settings::known_kinds(global, &args.kind)?,
        only: None,
    };
    let export = export(&session, &selection).await.map_err(|error| {
        let help = match &error {
            ExportError::Regions(error) => error.remedy(),
            ExportError::Unusable(_) => {
                "this is a mistake of evenkeel's; narrow with -k and -r to get the rest".to_owned()
            }
        };
        Failure::usage(error.to_string(), help)
    })?;
    if export.items.is_empty() && !export.unread.is_empty() {
        let reasons: Vec<&str> =
            export.unread.iter().chain(&export.left_out).map(String::as_str).collect();
        return Err(Failure::usage(
            format!("nothing of account {account} could be declared\n{}", reasons.join("\n")),
            next(&export).unwrap_or_else(|| "look at other Regions (-r) or kinds (-k)".to_owned()),
        ));
    }
    if export.items.is_empty() {
        // Everything was read, so that this is an answer and no failure.
        out::say(&format!(
            "account {account}: nothing is set that could be declared; no file is written"
        ));
        for reason in &export.left_out {
            out::say(&format!("  left out: {}", visible(reason)));
        }
        return Ok(Exit::Done);
    }
    let text = baseline(&export, &account, &Utc::now().date_naive().to_string());
    match args.out.as_deref() {
        Some(path) if !args.force => out::new_file(path, &text)?,
        path => out::result(&text, path)?,
    }
    if let Some(path) = &args.out {
        out::line(&format!(
            "{}: {}, {} left out, {} could not be read",
            path.display(),
            counted(export.items.len(), "item"),
            export.left_out.len(),
            export.unread.len(),
        ));
    }
    if export.unread.is_empty() {
        return Ok(Exit::Done);
    }
    for what in &export.unread {
        out::say(&format!("could not be read: {what}"));
    }
    if let Some(next) = next(&export) {
        out::say(&format!("next: {}", visible(&next)));
    }
    Ok(Exit::Partly)
}

/// What the reader should do so that what was not read can be: each thing once.
fn next(export: &Export) -> Option<String> {
    let remedies: Vec<&str> = export.remedies.iter().map(String::as_str).collect();
    (!remedies.is_empty()).then(|| remedies.join("; "))
}

/// Insists that the file takes the place of nothing that somebody wants.
fn may_write(global: &Global, args: &ExportArgs) -> Result<(), Failure> {
    let Some(path) = args.out.as_deref() else { return Ok(()) };
    // With --force, a baseline takes the place of another one.
    if path.extension().is_none_or(|end| end != "toml") || audit::is_log(path) {
        out::take_nothing_away(&[("--out", Some(path))], &settings::own_files(global, None))?;
    }
    // People edit a baseline: what is there may be a week's work.
    if !args.force && out::is_taken(path) {
        return Err(Failure::usage(
            format!("{} is there already", path.display()),
            "write to another file, or over this one with --force",
        ));
    }
    Ok(())
}

/// The way into an account: our own credentials, or the fleet file's role.
async fn session_of(
    own: Arc<Session>,
    account: &AccountId,
    roles: Option<Roles>,
) -> Result<Arc<Session>, Failure> {
    if account == own.account() {
        return Ok(own);
    }
    let wrong = |actual: &Session| Refusal::WrongAccount {
        wanted: account.to_string(),
        actual: actual.account().clone(),
    };
    let roles = roles.ok_or_else(|| wrong(&own))?;
    let role = roles.role(account, own.partition(), None)?;
    let session = Arc::new(own.assume(&role).await?);
    if session.account() == account { Ok(session) } else { Err(wrong(&session).into()) }
}
