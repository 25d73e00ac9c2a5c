//! Files that others may have written: read only when they are regular ones of a sane size.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

const MIB: u64 = 1024 * 1024;

/// Opens a regular file.
///
/// # Errors
/// It cannot be opened, or is none.
pub fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A pipe without a writer would be waited for.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(file)
}

/// The text of a regular file of at most so many MiB.
///
/// # Errors
/// It cannot be read, is no regular file, larger, or not text.
pub fn text(path: &Path, largest_mib: u64) -> Result<String> {
    let file = open(path)?;
    let largest = largest_mib * MIB;
    let too_large = || {
        let problem = format!("it is larger than the {largest_mib} MiB that are read");
        Error::new(ErrorKind::FileTooLarge, problem)
    };
    if file.metadata()?.len() > largest {
        return Err(too_large());
    }
    let mut text = String::new();
    // It may grow meanwhile, and some file systems tell no size.
    file.take(largest + 1).read_to_string(&mut text)?;
    if text.len() as u64 > largest { Err(too_large()) } else { Ok(text) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_sane_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // Sparse: it takes no room on the disk.
        File::create(&path).unwrap().set_len(2 * MIB).unwrap();
        assert_eq!(text(&path, 2).unwrap().len() as u64, 2 * MIB);
        let error = text(&path, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("1 MiB"), "{error}");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for other in [folder.path(), &pipe, Path::new("/dev/zero")] {
            let error = text(other, 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{}", other.display());
        }
        // A file that tells no size.
        if cfg!(target_os = "linux") {
            assert!(text(Path::new("/proc/self/status"), 1).unwrap().contains("Name:"));
        }
    }
}
