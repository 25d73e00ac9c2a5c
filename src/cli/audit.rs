//! `evenkeel audit verify`: whether an audit log is as its runs wrote it.

use std::path::PathBuf;

use chrono::SecondsFormat;
use evenkeel::plan::words::counted;
use evenkeel::reconcile::recover::title;
use evenkeel::store::audit::{AuditError, Check};
use evenkeel::visible::visible;

use super::args::{AuditArgs, AuditCommand, AuditVerifyArgs, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// Runs the command.
pub fn run(global: &Global, args: &AuditArgs) -> Result<Exit, Failure> {
    match &args.command {
        AuditCommand::Verify(args) => verify(global, args),
    }
}

fn verify(global: &Global, args: &AuditVerifyArgs) -> Result<Exit, Failure> {
    let path: PathBuf = match &args.file {
        Some(file) => file.clone(),
        None => settings::audit_log(global)?,
    };
    let check = Check::of(&path, args.head.as_deref()).map_err(|error| match error {
        // Its remedy is for those who want to write.
        AuditError::Io { doing, path, source } => Failure::file(doing, &path, source),
        error => error.into(),
    })?;
    let (_, digest) = check.head();
    let is_found = check.has_sought().unwrap_or(true);
    let is_whole = check.faults().is_empty() && is_found;
    out::line(&format!(
        "{}: {} · {} of {} · head {digest}",
        path.display(),
        if is_whole { "whole" } else { "BROKEN" },
        counted(usize::try_from(check.records()).unwrap_or(usize::MAX), "record"),
        counted(check.runs().len(), "run"),
    ));
    for fault in check.faults() {
        out::line(&format!("  {}", visible(&fault.to_string())));
    }
    if !is_found {
        out::line("  no record has the digest that --head names: the log was cut off or replaced");
    }
    for run in check.runs() {
        out::line(&format!(
            "  run {}  lines {} to {}  {}  {}",
            visible(&run.run),
            run.first,
            run.last,
            run.began.to_rfc3339_opts(SecondsFormat::Secs, true),
            visible(&run.by)
        ));
    }
    if let Some((bytes, _)) = check.torn() {
        out::line(&format!(
            "Its end is torn ({bytes} bytes): the process died, or the disk was full. The next run mends it."
        ));
    }
    for intent in check.unfinished() {
        out::line(&format!(
            "No outcome: change {} of run {}, {}. The next apply that reaches it looks at it.",
            intent.change,
            visible(&intent.run),
            title(intent)
        ));
    }
    Ok(if is_whole { Exit::Done } else { Exit::Error })
}
