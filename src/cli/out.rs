//! Output: results to standard output, talk to standard error. A reader that goes away (`| head`)
//! is no error; a full disk is.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use evenkeel::reconcile::{Warn, Warning};
use evenkeel::store::audit;
use tempfile::NamedTempFile;

use super::failure::Failure;

/// Why a part of the result could not be printed.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints a line of the result.
pub fn line(text: &str) {
    printed(writeln!(anstream::stdout().lock(), "{text}"));
}

/// Prints a result as it is.
pub fn text(text: &str) {
    let mut out = anstream::stdout().lock();
    printed(write!(out, "{text}").and_then(|()| out.flush()));
}

/// Remembers that something was not printed.
fn printed(result: std::io::Result<()>) {
    if let Err(error) = result.as_ref().map_err(|error| (error.kind(), error.to_string()))
        // A reader that has gone away, such as `head`, has seen enough.
        && error.0 != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.1);
    }
}

/// Whether all that was printed has reached standard output.
///
/// # Errors
/// Some of it has not: nobody can have read it.
pub fn is_whole() -> Result<(), Failure> {
    match LOST.get() {
        None => Ok(()),
        Some(why) => Err(Failure::usage(
            format!("standard output is cut short: {why}"),
            "make room where it goes, and run again; what was written to AWS is in the audit log",
        )),
    }
}

/// Says something to the person at the terminal.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Warns the person at the terminal.
pub fn warn(warning: &Warning) {
    say(&format!("warning: {warning}"));
}

/// Who warns the person at the terminal.
pub fn warns() -> Warn {
    Arc::new(warn)
}

/// Prints a result, or writes it to a file without colours.
///
/// # Errors
/// The file cannot be written.
pub fn result(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    match file {
        None => {
            self::text(text);
            Ok(())
        }
        Some(path) => {
            let plain = anstream::adapter::strip_str(text).to_string();
            stream(Some(path), |out| out.write_all(plain.as_bytes()))
        }
    }
}

/// Whether the name of a file, or what it holds, says that evenkeel keeps it: what it remembers, a lock, a
/// database with what stands beside it.
fn is_kept(path: &Path) -> bool {
    const KEPT: [&str; 2] = ["guards.json", "notices.json"];
    const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
    let Some(name) = path.file_name().and_then(OsStr::to_str) else { return false };
    let database = BESIDE.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    KEPT.contains(&name) || name.ends_with(".lock") || is_database(&path.with_file_name(database))
}

/// Whether a file begins as SQLite's do (SQLite, "Database File Format").
fn is_database(path: &Path) -> bool {
    const BEGINNING: &[u8] = b"SQLite format 3\0";
    let Ok(mut file) = evenkeel::files::open(path) else { return false };
    let mut beginning = [0; 16];
    file.read_exact(&mut beginning).is_ok() && beginning == BEGINNING
}

/// Refuses outputs that would take the place of each other, or of what is no output: a baseline, the
/// audit log, a file that is read.
///
/// # Errors
/// Which one, and of what.
pub fn take_nothing_away(
    outputs: &[(&str, Option<&Path>)],
    inputs: &[impl AsRef<Path>],
) -> Result<(), Failure> {
    let outputs: Vec<(&str, &Path)> =
        outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?))).collect();
    let is_same = |one: &Path, other: &Path| {
        let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
        real(one).is_some_and(|one| real(other) == Some(one))
    };
    let wrong = outputs.iter().enumerate().find_map(|(index, (option, path))| {
        let earlier = outputs[..index].iter().find(|(_, other)| is_same(path, other));
        let what = match earlier {
            Some((other, _)) => format!("the file of {other}"),
            None if inputs.iter().any(|input| is_same(path, input.as_ref())) => {
                "a file of this run".to_owned()
            }
            None if audit::is_log(path) => "an audit log".to_owned(),
            None if is_kept(path) => "a file that evenkeel keeps".to_owned(),
            None if path.extension().is_some_and(|end| end == "toml") && path.is_file() => {
                "a TOML file that is there already".to_owned()
            }
            None => return None,
        };
        Some((option, path, what))
    });
    match wrong {
        None => Ok(()),
        Some((option, path, what)) => Err(Failure::usage(
            format!("{option} {} would take the place of {what}", path.display()),
            "name another file",
        )),
    }
}

/// Whether there is something at a path, be it a link that leads nowhere.
pub fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Writes a file that must not be there yet; a link at its place is not followed.
///
/// # Errors
/// It is there, or cannot be written.
pub fn new_file(path: &Path, text: &str) -> Result<(), Failure> {
    let write =
        || OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes());
    write().map_err(|error| Failure::file("write", path, error))
}

/// Prints a result while it is made, or writes it to a file, which only its owner can read: a plan
/// tells a lot of an account. A link at the file's place is replaced, not followed, and so is a file;
/// a terminal, a pipe or `/dev/stdout` is written to.
///
/// # Errors
/// The file cannot be written.
pub fn stream(
    file: Option<&Path>,
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = file else {
        let mut out = BufWriter::new(std::io::stdout().lock());
        printed(make(&mut out).and_then(|()| out.flush()));
        return Ok(());
    };
    let is_device = path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir());
    let write = || {
        if is_device {
            let mut out = BufWriter::new(open_device(path)?);
            make(&mut out)?;
            return out.flush();
        }
        replace(path, |file| make(file)).map(drop)
    };
    write().map_err(|error| Failure::file("write", path, error))
}

/// Opens a pipe or a device for writing. A pipe that nobody reads is not waited for.
fn open_device(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Held until it is opened a second time, so that its reader does not see it end.
        let _trial = options.clone().custom_flags(libc::O_NONBLOCK).open(path).map_err(
            |error| match error.raw_os_error() {
                Some(libc::ENXIO) => {
                    std::io::Error::new(ErrorKind::BrokenPipe, "nobody reads from it")
                }
                _ => error,
            },
        )?;
        options.open(path)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// Puts a file in the place of what is there, whole or not at all.
///
/// # Errors
/// It cannot be written.
pub fn replace(
    path: &Path,
    make: impl FnOnce(&mut BufWriter<NamedTempFile>) -> std::io::Result<()>,
) -> std::io::Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut out = BufWriter::new(NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?);
    make(&mut out)?;
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    audit::put(file, path)
}
