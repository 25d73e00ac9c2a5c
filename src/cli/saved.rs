//! Saved plans: written so that nobody can take half of one for a whole, and read back only when
//! they are as they were written. `--format json` prints the same form.

use std::io::BufWriter;
use std::path::Path;

use evenkeel::digest;
use evenkeel::plan::render::json;
use evenkeel::plan::{FORMAT_VERSION, Plan, Summary};
use evenkeel::reconcile::Refusal;
use serde::Deserialize;

use super::failure::Failure;

/// The file's form, read.
#[derive(Deserialize)]
struct SavedPlan {
    /// What the plan is compared with, to refuse one that was edited by hand.
    plan_digest: String,
    #[serde(flatten)]
    plan: Plan,
    summary: Summary,
}

/// A plan in a file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It has another version.
    #[error("it has format version {found}, and this evenkeel reads {FORMAT_VERSION}")]
    Version {
        /// Its version.
        found: String,
    },
    /// Nobody can say whether it was edited.
    #[error("it has no plan_digest, so that nobody can tell whether it was edited")]
    NoDigest,
    /// It is not a plan.
    #[error("it is not a plan: {0}")]
    NotAPlan(serde_json::Error),
    /// It is not as it was written.
    #[error("it was edited since it was made")]
    Edited,
}

/// Writes a plan. Readable by the owner only: it tells a lot of the account.
///
/// # Errors
/// The file cannot be written.
pub fn save(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        let mut out = BufWriter::new(file);
        json::write(plan, &mut out)?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| Failure::file("write", path, error))
}

/// Reads a plan that is as it was made, by `--save` or `--format json`.
///
/// # Errors
/// It cannot be read, is of another version, or was edited.
pub fn read(path: &Path) -> Result<Plan, SavedError> {
    let text = std::fs::read_to_string(path)?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(SavedError::NotJson)?;
    let version = value.get("format_version").and_then(serde_json::Value::as_str);
    if version != Some(FORMAT_VERSION) {
        return Err(SavedError::Version { found: version.unwrap_or("none").to_owned() });
    }
    if value.get("plan_digest").is_none() {
        return Err(SavedError::NoDigest);
    }
    let SavedPlan { plan_digest, plan, summary } =
        serde_json::from_value(value).map_err(SavedError::NotAPlan)?;
    // The counts are made from the plan.
    let as_written = !plan_digest.is_empty()
        && digest::of_written(&plan) == plan_digest
        && plan.summary() == summary;
    if as_written { Ok(plan) } else { Err(SavedError::Edited) }
}

/// Reads a plan to apply it.
///
/// # Errors
/// As [`read`]; or it was made from a snapshot.
pub fn load(path: &Path) -> Result<Plan, Failure> {
    let plan = read(path).map_err(|error| match error {
        SavedError::Io(error) => Failure::file("read", path, error),
        unusable => Refusal::Unusable(format!("{}: {unusable}", path.display())).into(),
    })?;
    match &plan.snapshot {
        None => Ok(plan),
        Some(snapshot) => Err(Refusal::Unusable(format!(
            "{} was made from the snapshot of {}, not from the accounts themselves",
            path.display(),
            snapshot.taken
        ))
        .into()),
    }
}
