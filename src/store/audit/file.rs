//! Opening the files of the audit log: regular files that nobody else can read, no links followed,
//! and on the disk together with the folder that names them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

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
