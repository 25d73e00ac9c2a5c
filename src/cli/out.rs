//! Output: results to standard output, talk to standard error. A reader that goes away (`| head`)
//! is no error.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::failure::Failure;

/// Prints a line of the result.
pub fn line(text: &str) {
    let _ = writeln!(anstream::stdout().lock(), "{text}");
}

/// Prints a result as it is.
pub fn text(text: &str) {
    let _ = write!(anstream::stdout().lock(), "{text}");
}

/// Says something to the person at the terminal.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
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
        // A reader that has gone away, such as `head`, has seen enough.
        let _ = make(&mut out).and_then(|()| out.flush());
        return Ok(());
    };
    let is_device = path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir());
    let write = || {
        if is_device {
            let mut out = BufWriter::new(File::options().write(true).open(path)?);
            make(&mut out)?;
            return out.flush();
        }
        replace(path, |file| make(file)).map(drop)
    };
    write().map_err(|error| Failure::file("write", path, error))
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
    file.persist(path).map_err(|error| error.error)
}
