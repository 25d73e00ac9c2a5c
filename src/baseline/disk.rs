//! Files on the disk: regular ones of a sane size, and from a file of a repository only files of that
//! repository.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::load::Reader;
use crate::files;

/// The largest file that is read, in MiB; hand-written ones have some kilobytes.
pub const LARGEST_MIB: u64 = 4;
/// What marks the top of a repository.
const TOPS: [&str; 2] = [".git", "evenkeel.toml"];

/// The disk.
pub struct Disk;

impl Reader for Disk {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        // A link stays inside, too: what it leads to may be anything that this user can read.
        self.reaches(path, path)?;
        files::text(path, LARGEST_MIB)
    }

    fn reaches(&self, from: &Path, path: &Path) -> std::io::Result<()> {
        let top = top(from)?;
        let real = path.canonicalize()?;
        if real.starts_with(&top) {
            return Ok(());
        }
        let problem = format!(
            "it is outside of {}; files of a repository reach only files of that repository",
            top.display()
        );
        Err(Error::new(ErrorKind::PermissionDenied, problem))
    }
}

/// The folder that a file and all that it names must be in: its repository; else the folder in which
/// the command runs, when the file is below; else its own.
fn top(file: &Path) -> std::io::Result<PathBuf> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder.canonicalize()?,
        _ => std::env::current_dir()?.canonicalize()?,
    };
    let is_top = |folder: &&Path| TOPS.iter().any(|name| folder.join(name).exists());
    if let Some(top) = folder.ancestors().find(is_top) {
        return Ok(top.to_owned());
    }
    let here = std::env::current_dir()?.canonicalize()?;
    Ok(if folder.starts_with(&here) { here } else { folder })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_not_left_and_only_sane_files_are_read() {
        let outside = tempfile::tempdir().unwrap();
        let repository = outside.path().join("repository");
        std::fs::create_dir_all(repository.join(".git")).unwrap();
        std::fs::create_dir_all(repository.join("baselines")).unwrap();
        let file = |name: &str, text: &str| {
            let path = repository.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let baseline = file("baselines/a.toml", "a");
        let beside = file("b.toml", "b");
        let secret = outside.path().join("secret");
        std::fs::write(&secret, "canary").unwrap();
        let link = repository.join("link.toml");
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        let inner = repository.join("inner.toml");
        std::os::unix::fs::symlink(&beside, &inner).unwrap();

        assert_eq!(Disk.read(&baseline).unwrap(), "a");
        assert_eq!(Disk.read(&inner).unwrap(), "b");
        assert!(Disk.reaches(&baseline, &beside).is_ok());
        assert!(Disk.reaches(&baseline, &repository.join("baselines/../b.toml")).is_ok());
        let kind = |result: std::io::Result<()>| result.unwrap_err().kind();
        assert_eq!(kind(Disk.read(&link).map(drop)), ErrorKind::PermissionDenied);
        assert_eq!(kind(Disk.reaches(&baseline, &secret)), ErrorKind::PermissionDenied);
        assert_eq!(
            kind(Disk.reaches(&baseline, Path::new("/proc/self/environ"))),
            ErrorKind::PermissionDenied
        );
        assert_eq!(
            kind(Disk.read(&repository.join("baselines")).map(drop)),
            ErrorKind::InvalidInput
        );
        let large = file("large.toml", &"#".repeat(LARGEST_MIB as usize * 1024 * 1024 + 1));
        assert_eq!(kind(Disk.read(&large).map(drop)), ErrorKind::FileTooLarge);
        assert_eq!(kind(Disk.read(&repository.join("none.toml")).map(drop)), ErrorKind::NotFound);
    }
}
