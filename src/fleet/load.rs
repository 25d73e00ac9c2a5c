//! Reads and checks the fleet file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::file::{FleetFile, Target, schema};
use super::rules;
use crate::baseline::check::{Checker, steps};
use crate::baseline::load::Reader;
use crate::baseline::node;
use crate::baseline::problem::{Problem, Problems, SourcePlace, Sources};

/// A checked fleet file.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// What it says.
    pub file: FleetFile,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    /// What somebody should look at.
    pub warnings: Problems,
}

impl Fleet {
    /// The file of the kill switch, where one is named.
    pub fn kill_switch(&self) -> Option<PathBuf> {
        Some(self.folder.join(self.file.safety.kill_switch.as_ref()?))
    }

    /// The baseline files of a target.
    pub fn baselines(&self, target: &Target) -> Vec<PathBuf> {
        target.baselines.iter().map(|file| self.folder.join(file)).collect()
    }
}

/// Reads and checks the fleet file.
///
/// # Errors
/// Every problem of the file.
pub fn load(path: &Path, reader: &dyn Reader) -> Result<Fleet, Problems> {
    let mut sources = Sources::default();
    let text = match reader.read(path) {
        Ok(text) => text,
        Err(error) => {
            let problem =
                Problem::general("unreadable", format!("cannot read {}: {error}", path.display()));
            return Err(Problems::new(Arc::new(sources), vec![problem]));
        }
    };
    let source = sources.add(path.display().to_string(), text.as_str());
    let sources = Arc::new(sources);
    let (root, mut problems) = node::parse(source, &text);
    if !problems.is_empty() {
        return Err(Problems::new(sources, problems));
    }
    let value = root.to_json();
    if let Some(checker) = Checker::new(schema()) {
        for wrong in checker.mismatches(&value) {
            let place = if wrong.at_key { root.key_at(&wrong.path) } else { None };
            let place = place.unwrap_or_else(|| root.place_at(&wrong.path)).clone();
            let place = if wrong.path.is_empty() {
                SourcePlace { end: place.start, ..place }
            } else {
                place
            };
            let message = without_value(wrong.message, &wrong.path, &value);
            let problem = Problem::error(wrong.code, message, place);
            problems.push(match wrong.help {
                Some(help) => problem.help(help),
                None => problem,
            });
        }
    }
    let at = |field: String| root.place_at(&steps(&field)).clone();
    let file = match serde_json::from_value::<FleetFile>(value) {
        Ok(file) => file,
        Err(error) => {
            if problems.is_empty() {
                problems
                    .push(Problem::general("wrong-value", format!("{}: {error}", path.display())));
            }
            return Err(Problems::new(sources, problems));
        }
    };
    rules::check(&file, &at, &mut problems);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    for (field, written) in written(&file) {
        if let Some(link) = reader.linked_folder(&folder, written) {
            let what = format!("what {field} names is in {}, which is a link", link.display());
            let problem = Problem::error("linked-folder", what, at(field.to_owned()));
            problems.push(problem.help("name the folder that the link leads to, from the root on"));
        }
    }
    let problems = Problems::new(sources, problems);
    if problems.errors() > 0 {
        return Err(problems);
    }
    Ok(Fleet { file, folder, warnings: problems })
}

/// The files that a run writes to, which the fleet file names from its own folder on. A path from the root on
/// says that the links in it are meant.
fn written(file: &FleetFile) -> impl Iterator<Item = (&'static str, &Path)> {
    let store = file.store.url.as_deref().and_then(|url| url.strip_prefix("sqlite://"));
    let all = [
        ("store.audit_log", file.store.audit_log.as_deref().map(Path::new)),
        ("store.url", store.map(Path::new)),
    ];
    all.into_iter().filter_map(|(field, path)| Some((field, path.filter(|it| it.is_relative())?)))
}

/// A message without the value that it is about, where that may be a secret that stands there by mistake.
fn without_value(message: String, path: &[String], file: &Json) -> String {
    let is_shown =
        !matches!(path.first().map(String::as_str), Some("notify" | "store" | "controller"));
    let place = path.iter().fold(String::new(), |place, step| format!("{place}/{step}"));
    match file.pointer(&place).and_then(Json::as_str).filter(|value| !value.is_empty()) {
        Some(value) if !is_shown => message.replace(value, "…"),
        _ => message,
    }
}
