//! Opening the files of the audit log: regular files that nobody else can read, no links followed,
//! and on the disk together with the folder that names them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::AuditError;

/// Makes the folder of a file, and sees to it that it survives a power cut.
pub fn make_folder_of(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    let missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    missing.iter().rev().try_for_each(|made| sync_folder_of(made))
}

/// Opens a file for appending, making it when it is not there. `log` is what errors name.
///
/// # Errors
/// The file system refuses, or it is no regular file.
pub fn open_own(path: &Path, log: &Path) -> Result<File, AuditError> {
    let io = |source| AuditError::Io { doing: "open", path: log.to_owned(), source };
    let mut options = OpenOptions::new();
    options.append(true).read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Not blocking: a pipe that was put there meanwhile must not hang us.
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            sync_folder_of(path).map_err(io)?;
            return Ok(file);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io(error)),
    }
    // Before it is opened: opening alone can do things to a device.
    regular(&std::fs::symlink_metadata(path).map_err(io)?, path)?;
    let file = options.open(path).map_err(io)?;
    // After it was opened: it may have been exchanged meanwhile.
    let metadata = file.metadata().map_err(io)?;
    regular(&metadata, path)?;
    has_one_name(&metadata, path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = metadata.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o600);
            if let Err(error) = file.set_permissions(permissions) {
                tracing::warn!("others can read the audit log {}: {error}", path.display());
            }
        }
    }
    Ok(file)
}

/// Opens a file for reading alone; it may be named by a link.
///
/// # Errors
/// The file system refuses, or it is no regular file.
pub fn open_to_read(path: &Path) -> Result<File, AuditError> {
    let io = |source| AuditError::Io { doing: "open", path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path).map_err(io)?;
    regular(&file.metadata().map_err(io)?, path)?;
    Ok(file)
}

/// Whether a path still leads to the file that was opened.
///
/// # Errors
/// It leads to another one, or nowhere.
pub fn is_still_at(file: &File, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::symlink_metadata(path).map(id).ok();
        if there != Some(id(file.metadata()?)) {
            let problem =
                format!("{} was moved away or replaced while it was in use", path.display());
            return Err(io::Error::other(problem));
        }
    }
    Ok(())
}

/// A folder of a repository can be exchanged for a link by whoever may change the repository; only
/// an absolute path says that links in it are meant.
///
/// # Errors
/// There is a link on the way.
pub fn no_linked_folder(path: &Path) -> Result<(), AuditError> {
    let folders = path.ancestors().skip(1).filter(|_| path.is_relative());
    let is_link = |folder: &&Path| folder.symlink_metadata().is_ok_and(|there| there.is_symlink());
    match folders.into_iter().find(is_link) {
        None => Ok(()),
        Some(_) => Err(AuditError::NotAFile {
            path: path.to_owned(),
            what: "in a linked folder, so that its path does not say where it is",
        }),
    }
}

/// How much of a file shows whether it is a log: a record begins with its time and its run.
const BEGINNING: u64 = 256;

/// Whether a file is an audit log, whatever its name and whichever way a path leads to it.
pub fn is_log(path: &Path) -> bool {
    let Ok(file) = crate::files::open(path) else { return false };
    let mut beginning = Vec::new();
    let is_read = file.take(BEGINNING).read_to_end(&mut beginning).is_ok();
    let has = |what: &[u8]| beginning.windows(what.len()).any(|part| part == what);
    is_read
        && beginning.starts_with(b"{\"time\":\"")
        && (has(b"\",\"run\":\"") || has(b"\",\"phase\":\"mended\""))
}

/// Puts a finished file in the place of what is there, whole or not at all; never of an audit log.
///
/// # Errors
/// The file system refuses, or a log is there.
pub fn put(file: NamedTempFile, path: &Path) -> io::Result<File> {
    if is_log(path) {
        let problem = "an audit log is there, whose place nothing takes: name another file";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
    }
    file.persist(path).map_err(|error| error.error)
}

/// Under another name, another run would hold another lock and write to the same file, and what has that name
/// would become a log.
fn has_one_name(metadata: &std::fs::Metadata, path: &Path) -> Result<(), AuditError> {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(metadata) > 1 {
        let what =
            "a file that has other names (hard links); copy it, and put the copy in its place";
        return Err(AuditError::NotAFile { path: path.to_owned(), what });
    }
    Ok(())
}

fn regular(metadata: &std::fs::Metadata, path: &Path) -> Result<(), AuditError> {
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_symlink() => "a link, not a regular file",
        () if kind.is_dir() => "a folder, not a regular file",
        () => "a pipe or a device, not a regular file",
    };
    Err(AuditError::NotAFile { path: path.to_owned(), what })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes to the disk that the folder of a file or folder names it.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_takes_the_place_of_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let new = || NamedTempFile::new_in(folder.path()).unwrap();
        for (text, is_a_log) in [
            (r#"{"time":"2026-11-25T01:53:27Z","run":"x","change":1"#, true),
            (r#"{"time":"2026-11-25T01:53:27Z","phase":"mended","torn_bytes":3"#, true),
            (r#"{"format_version":1,"run":"x"}"#, false),
            ("", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(is_log(&path), is_a_log, "{text}");
            assert_eq!(put(new(), &path).is_err(), is_a_log, "{text}");
            let left = std::fs::read_to_string(&path).unwrap();
            assert_eq!(left, if is_a_log { text } else { "" });
        }
        assert!(!is_log(folder.path()) && put(new(), &folder.path().join("new")).is_ok());
    }
}
