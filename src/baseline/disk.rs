//! Files on the disk: regular ones of a sane size, and from a file of a repository only files of that
//! repository.

use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::load::Reader;
use crate::files;

/// The largest file that is read, in MiB; hand-written ones have some kilobytes.
const LARGEST_MIB: u64 = 4;
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
        let real = path.canonicalize()?;
        for top in [top(&folder_of(from)?.canonicalize()?)?, top(&as_written(&folder_of(from)?))?] {
            if !real.starts_with(&top) {
                let problem = format!(
                    "it is outside of {}; files of a repository reach only files of that repository",
                    top.display()
                );
                return Err(Error::new(ErrorKind::PermissionDenied, problem));
            }
        }
        // What is no baseline by its name may hold what nobody is to see, and an error shows lines. Only
        // who runs the command may name such a file, and then by its own name: a link is of the repository.
        let is_named_in_a_file = from != path;
        let is_link = real.file_name() != path.file_name();
        if real.extension().is_some_and(|extension| extension == "toml")
            || !(is_named_in_a_file || is_link)
        {
            return Ok(());
        }
        let problem = match is_link {
            true => {
                "it is a link to a file whose name does not end with .toml, and a baseline's does"
            }
            false => "its name does not end with .toml, and a baseline's does",
        };
        Err(Error::new(ErrorKind::PermissionDenied, problem))
    }

    fn linked_folder(&self, folder: &Path, file: &Path) -> Option<PathBuf> {
        let mut way = PathBuf::new();
        file.parent()?.components().find_map(|part| {
            way.push(part);
            let there = folder.join(&way).symlink_metadata();
            there.is_ok_and(|there| there.is_symlink()).then(|| way.clone())
        })
    }
}

/// The folder of a file, from the root on.
fn folder_of(file: &Path) -> std::io::Result<PathBuf> {
    match file.parent() {
        Some(folder) if folder != Path::new("") => std::path::absolute(folder),
        _ => std::env::current_dir(),
    }
}

/// A folder by its name alone: a link in it is taken for a folder, so that a linked folder inside of
/// a repository is not the top of something else.
fn as_written(folder: &Path) -> PathBuf {
    let mut written = PathBuf::new();
    for part in folder.components() {
        match part {
            Component::ParentDir => {
                written.pop();
            }
            part => written.push(part),
        }
    }
    written
}

/// The folder that all files of a folder, and all that they name, must be in: its repository; else
/// the folder in which the command runs, when it is below; else itself.
fn top(folder: &Path) -> std::io::Result<PathBuf> {
    let is_top = |folder: &&Path| TOPS.iter().any(|name| folder.join(name).exists());
    if let Some(top) = folder.ancestors().find(is_top) {
        return top.canonicalize();
    }
    let here = std::env::current_dir()?;
    let real = here.canonicalize()?;
    match folder.starts_with(&here) || folder.starts_with(&real) {
        true => Ok(real),
        false => folder.canonicalize(),
    }
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
        // A linked folder is not the top of what it leads to.
        let linked = outside.path().join("there");
        std::fs::create_dir_all(&linked).unwrap();
        std::fs::write(linked.join("a.toml"), "canary").unwrap();
        std::os::unix::fs::symlink(&linked, repository.join("linked")).unwrap();
        assert_eq!(
            kind(Disk.read(&repository.join("linked/a.toml")).map(drop)),
            ErrorKind::PermissionDenied
        );
        assert_eq!(
            kind(Disk.reaches(&baseline, &repository.join("linked/a.toml"))),
            ErrorKind::PermissionDenied
        );
        assert_eq!(Disk.read(&linked.join("a.toml")).unwrap(), "canary", "named as it is");
        // What a file names is a baseline by its name.
        for (name, text) in [(".env", "PASSWORD=canary"), (".git/config", "canary")] {
            let file = file(name, text);
            assert_eq!(kind(Disk.reaches(&baseline, &file)), ErrorKind::PermissionDenied, "{name}");
            let linked = repository.join(format!("linked-{}.toml", text.len()));
            std::os::unix::fs::symlink(&file, &linked).unwrap();
            assert_eq!(
                kind(Disk.reaches(&baseline, &linked)),
                ErrorKind::PermissionDenied,
                "{name}"
            );
            assert_eq!(kind(Disk.read(&linked).map(drop)), ErrorKind::PermissionDenied, "{name}");
            assert_eq!(Disk.read(&file).unwrap(), text, "{name}: by its own name");
        }
        // Nobody writes to it: it is not waited for.
        let pipe = repository.join("pipe.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(kind(Disk.read(&pipe).map(drop)), ErrorKind::InvalidInput);
        let large = file("large.toml", &"#".repeat(LARGEST_MIB as usize * 1024 * 1024 + 1));
        assert_eq!(kind(Disk.read(&large).map(drop)), ErrorKind::FileTooLarge);
        assert_eq!(kind(Disk.read(&repository.join("none.toml")).map(drop)), ErrorKind::NotFound);
    }
}
