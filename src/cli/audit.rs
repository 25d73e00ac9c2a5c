//! `evenkeel audit`: whether an audit log is as its runs wrote it, and its records for other programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use evenkeel::baseline::disk::Disk;
use evenkeel::names::AccountId;
use evenkeel::notify::anchor::Anchored;
use evenkeel::plan::words::counted;
use evenkeel::reconcile::recover::title;
use evenkeel::store::audit::{AuditError, Check, Head, Lines, Record, called};
use evenkeel::visible::visible;

use super::args::{AuditArgs, AuditCommand, AuditExportArgs, AuditVerifyArgs, Global, LogToRead};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// Runs the command.
pub async fn run(global: &Global, args: &AuditArgs) -> Result<Exit, Failure> {
    match &args.command {
        AuditCommand::Verify(args) => verify(global, args).await,
        AuditCommand::Export(args) => export(global, args),
    }
}

/// Where the log is; what is wrong with reading it has another remedy than for those who write.
fn log(global: &Global, named: &LogToRead) -> Result<PathBuf, Failure> {
    let LogToRead { file, audit_log } = named;
    let Some(file) = file else { return settings::audit_log(global, audit_log.as_ref()) };
    let of_environment = settings::audit_log_of_environment();
    match audit_log.as_ref().filter(|log| *log != file && Some(*log) != of_environment.as_ref()) {
        None => Ok(file.clone()),
        Some(other) => Err(Failure::usage(
            format!("two logs are named: {} and {}", file.display(), other.display()),
            "name one of them",
        )),
    }
}

fn unreadable(error: AuditError) -> Failure {
    match error {
        AuditError::Io { doing, path, source } => Failure::file(doing, &path, source),
        error => error.into(),
    }
}

/// The run of a log that is called so, as `show` takes it: by its id, or the beginning of one.
fn run_called(path: &Path, name: &str) -> Result<String, Failure> {
    let mut runs = BTreeSet::new();
    for line in Lines::of(path).map_err(unreadable)? {
        if let (_, Some(record)) = line.map_err(unreadable)?
            && record.run.starts_with(name)
        {
            runs.insert(record.run);
        }
    }
    if let Some(run) = runs.take(name) {
        return Ok(run);
    }
    match (runs.pop_last(), runs.len()) {
        (Some(run), 0) => Ok(run),
        (None, _) => Err(Failure::usage(
            format!("the log {} has no record of a run {name:?}", path.display()),
            "evenkeel audit verify lists its runs; a run that wrote nothing is not in it. The beginning of an id is enough",
        )),
        (Some(last), _) => Err(Failure::usage(
            format!("{name:?} begins more than one run: {} and others", visible(&last)),
            "write more of its id",
        )),
    }
}

fn export(global: &Global, args: &AuditExportArgs) -> Result<Exit, Failure> {
    let path = log(global, &args.log)?;
    out::take_nothing_away(&[("--out", args.out.as_deref())], &[&path])?;
    let account: Option<AccountId> = args.account.as_deref().map(str::parse).transpose()?;
    let run = args.run.as_deref().map(|name| run_called(&path, name)).transpose()?;
    let is_asked = |record: &Record| {
        account.as_ref().is_none_or(|account| record.account == *account)
            && run.as_ref().is_none_or(|run| record.run == *run)
            && args.since.is_none_or(|since| record.time >= since.0)
    };
    let mut lines = Lines::of(&path).map_err(unreadable)?;
    let mut trouble = None;
    let mut strange = 0_usize;
    out::stream(args.out.as_deref(), |out| {
        for line in &mut lines {
            match line {
                Ok((text, Some(record))) if is_asked(&record) => {
                    out.write_all(&text)?;
                    out.write_all(b"\n")?;
                }
                Ok((_, Some(_))) => {}
                Ok((_, None)) => strange += 1,
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        Ok(())
    })?;
    if let Some(error) = trouble {
        return Err(unreadable(error));
    }
    if strange > 0 {
        out::say(&format!(
            "note: {} of {} left out, which {} no record of a change: see evenkeel audit verify",
            counted(strange, "line"),
            path.display(),
            if strange == 1 { "is" } else { "are" }
        ));
    }
    Ok(Exit::Done)
}

/// The heads that the bucket of the fleet file has, by what their log is called.
type Kept = BTreeMap<String, BTreeSet<Head>>;

async fn kept(global: &Global) -> Result<Kept, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let anchored = Anchored::of(fleet.as_ref()).ok_or_else(|| {
        Failure::usage(
            "the fleet file names no bucket in which heads are kept",
            "add [store] anchor = { bucket = \"…\" }; docs/audit-log.md says what it needs",
        )
    })?;
    anchored.kept().await.map_err(|why| {
        Failure::usage(
            format!("the bucket of [store] anchor does not say which heads it has: {why}"),
            "let these credentials have s3:ListBucketVersions on it",
        )
    })
}

/// Takes the heads of a log out of those that were kept.
fn of_log(kept: &mut Kept, path: &Path) -> BTreeSet<Head> {
    called(path).and_then(|log| kept.remove(&log)).unwrap_or_default()
}

/// What the heads say that were kept elsewhere; none where nobody asked for them.
fn of_kept(check: &Check, kept: Option<usize>) -> Vec<String> {
    let missing = check.missing().map(|(number, digest)| {
        let digest = &digest[..16];
        format!("record {number} is not the one whose digest {digest}… was kept: the log was cut off or replaced")
    });
    let is_unknown = kept == Some(0) && check.records() > 0;
    let unknown = "no head of this log was kept: it was replaced, or nothing was written since [store] anchor is there";
    missing.chain(is_unknown.then(|| unknown.to_owned())).collect()
}

/// The logs of which heads were kept under the prefix and nobody has shown a file: who removed or replaced one
/// cannot remove its heads. Whose they are, only the prefix can say.
fn of_others(others: &Kept) -> Vec<String> {
    let each = others.iter().map(|(log, heads)| {
        let last = heads.iter().map(|head| head.number).max().unwrap_or_default();
        format!(
            "{} of another log, {log}, up to record {last}: it was removed or replaced, or stands elsewhere; \
             name its file with --also",
            match heads.len() {
                1 => "1 head was kept".to_owned(),
                more => format!("{more} heads were kept"),
            }
        )
    });
    each.collect()
}

async fn verify(global: &Global, args: &AuditVerifyArgs) -> Result<Exit, Failure> {
    let path = log(global, &args.log)?;
    let mut kept = match args.anchored {
        true => Some(kept(global).await?),
        false => None,
    };
    let own = kept.as_mut().map(|kept| of_log(kept, &path));
    let also = args.also.iter().map(|path| {
        let own = kept.as_mut().map(|kept| of_log(kept, path));
        (path, own)
    });
    let also: Vec<_> = also.collect();
    let others = of_others(&kept.unwrap_or_default());
    let mut is_whole = one(&path, args.head.as_deref(), own, &others)?;
    for (path, own) in also {
        is_whole &= one(path, None, own, &[])?;
    }
    Ok(if is_whole { Exit::Done } else { Exit::Error })
}

/// Verifies a log and says what was found; gives whether it is whole. `others` are the logs that should be
/// there besides.
fn one(
    path: &Path,
    head: Option<&str>,
    kept: Option<BTreeSet<Head>>,
    others: &[String],
) -> Result<bool, Failure> {
    let count = kept.as_ref().map(BTreeSet::len);
    let check = Check::against(path, head, kept.unwrap_or_default()).map_err(unreadable)?;
    let (_, digest) = check.head();
    let is_found = check.has_sought().unwrap_or(true);
    let elsewhere = of_kept(&check, count);
    let is_whole = check.faults().is_empty() && is_found && elsewhere.is_empty();
    out::line(&format!(
        "{}: {} · {} of {} · head {digest}",
        path.display(),
        match (is_whole, others.is_empty()) {
            (true, true) => "whole",
            (true, false) => "NOT ALL THERE",
            (false, _) => "BROKEN",
        },
        counted(usize::try_from(check.records()).unwrap_or(usize::MAX), "record"),
        counted(check.runs().len(), "run"),
    ));
    for fault in check.faults() {
        out::line(&format!("  {}", visible(&fault.to_string())));
    }
    if !is_found {
        out::line("  no record has the digest that --head names: the log was cut off or replaced");
    }
    for text in elsewhere.iter().chain(others) {
        out::line(&format!("  {text}"));
    }
    if let (Some(count @ 1..), true) = (count, elsewhere.is_empty()) {
        out::line(&format!("  all of {} that were kept are there", counted(count, "head")));
    }
    details(&check);
    Ok(is_whole && others.is_empty())
}

/// The runs of a log, and what is left open.
fn details(check: &Check) {
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
}
