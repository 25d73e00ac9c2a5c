//! Where the baselines are in their repository: code scanning shows what it finds there alone.

use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::plan::Plan;

/// What stays as it is in a path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// What the paths of a plan are read from, and what they are made relative to.
#[derive(Debug, Clone)]
pub struct Source {
    /// The folder that the plan's paths start from, absolute.
    pub folder: PathBuf,
    /// The root of the repository, absolute; where there is none, the folder.
    pub root: PathBuf,
    /// The fleet file, as it was named.
    pub fleet: PathBuf,
}

impl Source {
    /// The root as a folder's URI.
    pub(super) fn root_uri(&self) -> String {
        let root = self.root.to_string_lossy();
        format!("file://{}/", utf8_percent_encode(root.trim_end_matches('/'), PATH))
    }

    /// The fleet file when the plan is of a fleet, otherwise the first baseline.
    pub(super) fn fleet_file(&self, plan: &Plan) -> String {
        match plan.baseline.files.first() {
            Some(file) if plan.baseline.targets.is_empty() => file.clone(),
            _ => self.fleet.to_string_lossy().into_owned(),
        }
    }

    /// A file of the plan as SARIF's `artifactLocation`.
    pub(super) fn artifact(&self, file: &str) -> Value {
        let path = without_dots(&self.folder.join(file));
        let uri = |path: &Path| utf8_percent_encode(&path.to_string_lossy(), PATH).to_string();
        match path.strip_prefix(&self.root) {
            Ok(inside) => json!({"uri": uri(inside), "uriBaseId": "%SRCROOT%"}),
            Err(_) => json!({"uri": format!("file://{}", uri(&path))}),
        }
    }
}

/// A path without `.` and `..`, as it is written: nothing is looked up.
fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
