//! Saved plans: written so that nobody can take half of one for a whole, and read back only when
//! they are as they were written.

use std::io::BufWriter;
use std::path::Path;

use evenkeel::digest;
use evenkeel::plan::{FORMAT_VERSION, Plan};
use evenkeel::reconcile::Refusal;
use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// The file's form, written.
#[derive(Serialize)]
struct ToSave<'a> {
    plan_digest: String,
    #[serde(flatten)]
    plan: &'a Plan,
}

/// The file's form, read.
#[derive(Deserialize)]
struct SavedPlan {
    /// What `apply` compares with, to refuse a plan that was edited by hand.
    plan_digest: String,
    #[serde(flatten)]
    plan: Plan,
}

/// Writes a plan. Readable by the owner only: it tells a lot of the account.
///
/// # Errors
/// The file cannot be written.
pub fn save(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let saved = ToSave { plan_digest: digest::of_written(plan), plan };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        let mut out = BufWriter::new(file);
        serde_json::to_writer_pretty(&mut out, &saved)?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| Failure::file("write", path, error))
}

/// Reads a plan.
///
/// # Errors
/// It cannot be read, is of another version, or was edited.
pub fn load(path: &Path) -> Result<Plan, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Refusal::Unusable(format!("{} is not JSON: {error}", path.display())))?;
    let version = value.get("format_version").and_then(serde_json::Value::as_str);
    if version != Some(FORMAT_VERSION) {
        let found = version.unwrap_or("none");
        return Err(Refusal::Unusable(format!(
            "{} has format version {found}, and this evenkeel applies version {FORMAT_VERSION}",
            path.display()
        ))
        .into());
    }
    let saved: SavedPlan = serde_json::from_value(value).map_err(|error| {
        Refusal::Unusable(format!("{} is not a saved plan: {error}", path.display()))
    })?;
    if saved.plan_digest.is_empty() || digest::of_written(&saved.plan) != saved.plan_digest {
        return Err(
            Refusal::Unusable(format!("{} was edited since it was saved", path.display())).into()
        );
    }
    Ok(saved.plan)
}
