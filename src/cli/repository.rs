//! The repository that we are in, for paths that others can follow.

use std::path::PathBuf;
use std::process::Command;

use evenkeel::plan::render::sarif::Source;

use super::args::Global;

/// Where the plan's files are: in the repository that holds the present folder, or else in the
/// folder itself.
pub fn source(global: &Global) -> Source {
    let folder = std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .unwrap_or_else(|_| PathBuf::from("/"));
    let root = Command::new("git")
        .args(["rev-parse", "--show-toplevel"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|root| PathBuf::from(root.trim_end_matches('\n')))
        .unwrap_or_else(|| folder.clone());
    Source { folder, root, fleet: global.config.clone() }
}
