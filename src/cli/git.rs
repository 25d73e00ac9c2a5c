//! Files as they are in another version: a folder, or a git ref.

use std::path::{Path, PathBuf};
use std::process::Command;

use evenkeel::baseline::disk::Disk;
use evenkeel::baseline::load::Reader;
use evenkeel::fleet::checkout::git;

use super::failure::Failure;

/// Where the other version is.
pub enum Version {
    /// A folder with the same files.
    Folder(PathBuf),
    /// A commit of the repository that we are in.
    Commit {
        /// Its full id.
        id: String,
        /// The repository's folder.
        top: PathBuf,
    },
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
        let commit = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &reference]);
        // `^HEAD` is a commit to leave out, and git prints it as one.
        let commit = commit.filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match commit.zip(git(&["rev-parse", "--show-toplevel"])) {
            Some((id, top)) => Ok(Self::Commit { id, top: top.into() }),
            None => Err(Failure::usage(
                format!("--compare-to {name} is neither a folder nor a git ref of this repository"),
                "name a folder, a branch, a tag or a commit; a shallow clone in CI needs `git fetch origin BRANCH` first",
            )),
        }
    }
}

/// A path in a file's other version: absolute ones lead back to the present version.
fn relative(path: &Path, top: &Path) -> std::io::Result<PathBuf> {
    if !path.is_absolute() {
        return Ok(path.to_owned());
    }
    // A path through a link must not look as if it led out of the repository.
    let folder = path.parent().unwrap_or(path);
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let whole = path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
    let top = top.canonicalize()?;
    whole.strip_prefix(&top).map(Path::to_owned).map_err(|_| {
        std::io::Error::other(format!(
            "it is outside of {}, and has no other version; use a path inside",
            top.display()
        ))
    })
}

impl Reader for Version {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        match self {
            Self::Folder(folder) => {
                let here = std::env::current_dir()?;
                Disk.read(&folder.join(relative(path, &here)?))
            }
            Self::Commit { id, top } => {
                let inside = relative(path, top)?;
                // `./` makes git take the path from the present folder.
                let name = match path.is_absolute() {
                    true => format!("{id}:{}", inside.display()),
                    false => format!("{id}:./{}", inside.display()),
                };
                let output = Command::new("git").args(["show", &name]).output()?;
                if !output.status.success() {
                    return Err(std::io::ErrorKind::NotFound.into());
                }
                String::from_utf8(output.stdout)
                    .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
            }
        }
    }

    // Nothing is written by what another version says.
    fn linked_folder(&self, _folder: &Path, _file: &Path) -> Option<PathBuf> {
        None
    }
}
