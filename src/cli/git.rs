//! Files as they are in another version: a folder, or a git ref.

use std::path::{Path, PathBuf};
use std::process::Command;

use evenkeel::baseline::load::Reader;

use super::failure::Failure;

/// Where the other version is.
pub enum Version {
    /// A folder with the same files.
    Folder(PathBuf),
    /// A commit of the repository that we are in, as its full id.
    Commit(String),
}

impl Version {
    /// A folder when there is one of that name, otherwise a git ref.
    ///
    /// # Errors
    /// It is neither.
    pub fn find(name: &str) -> Result<Self, Failure> {
        if Path::new(name).is_dir() {
            return Ok(Self::Folder(name.into()));
        }
        let reference = format!("{name}^{{commit}}");
        let answer =
            Command::new("git").args(["rev-parse", "--verify", "--quiet", &reference]).output();
        match answer {
            Ok(output) if output.status.success() => {
                Ok(Self::Commit(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
            }
            _ => Err(Failure::usage(
                format!("--compare-to {name} is neither a folder nor a git ref of this repository"),
                "name a folder, a branch, a tag or a commit; a shallow clone in CI needs `git fetch origin BRANCH` first",
            )),
        }
    }
}

impl Reader for Version {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        match self {
            Self::Folder(folder) => {
                // An absolute path is not part of the repository; it is the same in all versions.
                std::fs::read_to_string(folder.join(path))
            }
            Self::Commit(_) if path.is_absolute() => std::fs::read_to_string(path),
            Self::Commit(commit) => {
                // `./` makes git take the path from the present folder.
                let name = format!("{commit}:./{}", path.display());
                let output = Command::new("git").args(["show", &name]).output()?;
                if !output.status.success() {
                    return Err(std::io::ErrorKind::NotFound.into());
                }
                String::from_utf8(output.stdout)
                    .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
            }
        }
    }
}
