//! The checkout that files are in, as git knows it.

use std::path::Path;
use std::process::Command;

/// What git prints, when it can say.
pub fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The commit of the files in a folder, where they are in git; with a mark where they differ from it.
pub fn commit(folder: Option<&Path>) -> Option<String> {
    let folder = folder?.to_str().filter(|folder| !folder.is_empty()).unwrap_or(".");
    let id = git(&["-C", folder, "rev-parse", "--verify", "--quiet", "HEAD"])?;
    let changed = git(&["-C", folder, "status", "--porcelain", "--untracked-files=no"]);
    Some(if changed.is_some() { format!("{id} and changes") } else { id })
}
