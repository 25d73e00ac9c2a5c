//! The files of a repository elsewhere, by the `git` command: fetched into a repository of our own
//! without a working tree, and read from a commit. So nothing of what is fetched is run: no hooks, no
//! filters, no submodules, no links that lead elsewhere.
//!
//! Sources: git-fetch(1), git-verify-commit(1), git-config(1) for `protocol.allow`, `core.hooksPath`,
//! `transfer.fsckObjects`; gitrevisions(7).

use std::ffi::OsStr;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::baseline::load::Reader;
use crate::digest;
use crate::fleet::urls;
use crate::visible::visible;

/// How long one command may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest file that is read, in bytes, as from the disk.
const LARGEST: usize = 4 * 1024 * 1024;
/// Where the newest commit is noted in our repository.
const NEWEST: &str = "refs/evenkeel/newest";
/// What git is told before each command. Only what a URL may name is spoken, and nothing is run.
const SETTINGS: [&str; 11] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "fetch.recurseSubmodules=false",
    "transfer.fsckObjects=true",
    "gc.auto=0",
    "maintenance.auto=false",
];
/// Variables that would lead git to another repository.
const MISLEADING: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// The remote repository cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// The URL is none that is used here.
    #[error("[controller] git url {0:?} cannot be used: {1}")]
    Url(String, &'static str),
    /// The ref is none.
    #[error("[controller] git ref {0:?} is no branch, tag or ref")]
    Ref(String),
    /// The git command cannot be run.
    #[error("the git command cannot be run: {0}")]
    Command(String),
    /// It took too long.
    #[error("git {doing} took longer than {} seconds", TIMEOUT.as_secs())]
    Late {
        /// What was tried.
        doing: &'static str,
    },
    /// It failed.
    #[error("git {doing} failed: {said}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What git said.
        said: String,
    },
    /// The commit has no good signature.
    #[error("commit {commit} is not signed by somebody whose key is known here: {said}")]
    Unsigned {
        /// The commit.
        commit: String,
        /// What git said.
        said: String,
    },
    /// The commit in force is not among those before the new one.
    #[error("commit {new} does not follow commit {old}, which is in force: history was rewritten")]
    Rewritten {
        /// In force.
        old: String,
        /// Offered.
        new: String,
    },
}

impl GitError {
    /// The commit that was fetched and must not be used, where it is that, and no trouble on the way.
    pub fn refused(&self) -> Option<&str> {
        match self {
            Self::Unsigned { commit, .. } | Self::Rewritten { new: commit, .. } => Some(commit),
            Self::Url(..)
            | Self::Ref(_)
            | Self::Command(_)
            | Self::Late { .. }
            | Self::Failed { .. } => None,
        }
    }
}

/// A remote repository, and ours that it is fetched into.
#[derive(Debug, Clone)]
pub struct Remote {
    url: String,
    reference: String,
    verify: bool,
    folder: PathBuf,
}

/// Checks the name of a ref: what git-check-ref-format(1) allows, and no more than is usual.
fn check_ref(name: &str) -> Result<(), GitError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_odd = name.contains("..") || name.contains("//") || name.contains("/.");
    let ends = [".lock", "/", "."].iter().any(|end| name.ends_with(end));
    match begins && name.len() <= 255 && name.bytes().all(fits) && !is_odd && !ends {
        true => Ok(()),
        false => Err(GitError::Ref(name.to_owned())),
    }
}

impl Remote {
    /// A remote repository, fetched into a folder below `cache`.
    ///
    /// # Errors
    /// The URL or the ref is none.
    pub fn new(url: &str, reference: &str, verify: bool, cache: &Path) -> Result<Self, GitError> {
        urls::git(url).map_err(|why| GitError::Url(urls::without_secrets(url), why))?;
        check_ref(reference)?;
        let name = digest::of(&(url, reference));
        let folder = cache.join(name.get(..16).unwrap_or(&name));
        Ok(Self { url: url.to_owned(), reference: reference.to_owned(), verify, folder })
    }

    /// The URL, for people to read.
    pub fn name(&self) -> String {
        format!("{} {}", urls::without_secrets(&self.url), self.reference)
    }

    /// Fetches the newest commit and gives its id. `in_force` is the one that it must follow where
    /// signatures are verified: an old commit is signed as well, and must not come back.
    ///
    /// # Errors
    /// It cannot be fetched, or must not be used.
    pub async fn fetch(&self, in_force: Option<&str>) -> Result<String, GitError> {
        if !self.folder.join("HEAD").exists() {
            let folder = self.folder.as_os_str();
            let begun = ["init", "--quiet", "--bare", "--template=", "--"].map(OsStr::new);
            let output = run("init", command(None).args(begun).arg(folder)).await?;
            succeeded("init", &output)?;
        }
        let refspec = format!("+{}:{NEWEST}", self.reference);
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--"];
        succeeded(
            "fetch",
            &self.git("fetch", &[&fetch[..], &[&self.url, &refspec]].concat()).await?,
        )?;
        let newest = format!("{NEWEST}^{{commit}}");
        let output = self.git("rev-parse", &["rev-parse", "--verify", "--quiet", &newest]).await?;
        succeeded("rev-parse", &output)?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !self.verify || in_force == Some(commit.as_str()) {
            return Ok(commit);
        }
        let output = self.git("verify-commit", &["verify-commit", &commit]).await?;
        if !output.status.success() {
            return Err(GitError::Unsigned { said: said(&output), commit });
        }
        if let Some(old) = in_force {
            let follows = ["merge-base", "--is-ancestor", old, &commit];
            if !self.git("merge-base", &follows).await?.status.success() {
                return Err(GitError::Rewritten { old: old.to_owned(), new: commit });
            }
        }
        Ok(commit)
    }

    /// The files of a commit that was fetched.
    pub fn tree(&self, commit: &str) -> Tree {
        Tree { folder: self.folder.clone(), commit: commit.to_owned() }
    }

    async fn git(&self, doing: &'static str, args: &[&str]) -> Result<Output, GitError> {
        run(doing, command(Some(&self.folder)).args(args)).await
    }
}

fn command(folder: Option<&Path>) -> std::process::Command {
    let mut command = std::process::Command::new("git");
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    if let Some(folder) = folder {
        command.arg("--git-dir").arg(folder);
    }
    for variable in MISLEADING {
        command.env_remove(variable);
    }
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

async fn run(doing: &'static str, command: &mut std::process::Command) -> Result<Output, GitError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let command = std::mem::replace(command, std::process::Command::new("git"));
    let running = tokio::process::Command::from(command).kill_on_drop(true).output();
    match tokio::time::timeout(TIMEOUT, running).await {
        Err(_) => Err(GitError::Late { doing }),
        Ok(Err(error)) => Err(GitError::Command(error.to_string())),
        Ok(Ok(output)) => Ok(output),
    }
}

fn succeeded(doing: &'static str, output: &Output) -> Result<(), GitError> {
    match output.status.success() {
        true => Ok(()),
        false => Err(GitError::Failed { doing, said: said(output) }),
    }
}

/// What git said of a failure, cut short.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = visible(&words.join(" ")).chars().take(500).collect::<String>();
    if text.is_empty() { output.status.to_string() } else { text }
}

/// The files of a commit.
#[derive(Debug, Clone)]
pub struct Tree {
    folder: PathBuf,
    commit: String,
}

impl Tree {
    fn git(&self, args: &[&str]) -> std::io::Result<Vec<u8>> {
        let output = command(Some(&self.folder)).args(args).output()?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(Error::other(said(&output))),
        }
    }
}

/// A path within the repository.
fn inside(path: &Path) -> std::io::Result<String> {
    let outside = |why: &str| Error::new(ErrorKind::PermissionDenied, why.to_owned());
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                parts.push(part.to_str().ok_or_else(|| outside("its name is no text"))?);
            }
            Component::ParentDir if parts.pop().is_some() => {}
            _ => return Err(outside("it is outside of the repository")),
        }
    }
    Ok(parts.join("/"))
}

impl Reader for Tree {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let name = inside(path)?;
        let entry =
            self.git(&["--literal-pathspecs", "ls-tree", "-z", "-l", &self.commit, "--", &name])?;
        let entry = String::from_utf8_lossy(&entry);
        let mut words = entry.split_whitespace();
        let (Some(mode), Some(_), Some(blob), Some(size)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(ErrorKind::NotFound.into());
        };
        if !matches!(mode, "100644" | "100755") {
            return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        if size.parse().map_or(true, |size: usize| size > LARGEST) {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let text = self.git(&["cat-file", "blob", blob])?;
        String::from_utf8(text).map_err(|error| Error::new(ErrorKind::InvalidData, error))
    }

    fn reaches(&self, _from: &Path, path: &Path) -> std::io::Result<()> {
        inside(path)?;
        match path.extension().is_some_and(|extension| extension == "toml") {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::PermissionDenied,
                "its name does not end with .toml, and a baseline's does",
            )),
        }
    }

    // What a run writes to is named by the file on the disk that names the repository.
    fn linked_folder(&self, _folder: &Path, _file: &Path) -> Option<PathBuf> {
        None
    }
}

#[cfg(test)]
mod tests;
