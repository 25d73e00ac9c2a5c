//! Where guards remember: in the store, or else in a file beside the audit log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::store::error::StoreError;
use evenkeel::store::kept::KeptInFile;
use evenkeel::store::memory::Memory;

use super::args::{Beside, Global};
use super::failure::Failure;
use super::settings;

/// The file beside the audit log.
const FILE: &str = "guards.json";

/// What guards remember.
///
/// # Errors
/// The store cannot be used.
pub async fn memory(_: Option<&Fleet>, audit_log: &Path) -> Result<Arc<dyn Memory>, Failure> {
    Ok(Arc::new(KeptInFile::at(audit_log.with_file_name(FILE))))
}

/// The audit log that the environment names, for commands that have no option for it.
pub fn audit_log_of_environment() -> Option<PathBuf> {
    std::env::var_os("EVENKEEL_AUDIT_LOG").map(PathBuf::from)
}

/// The same for a command that only looks after it, and the fleet file.
///
/// # Errors
/// The fleet file or the store cannot be used.
pub async fn of(
    global: &Global,
    beside: &Beside,
) -> Result<(Option<Fleet>, Arc<dyn Memory>), Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let audit_log = match &beside.audit_log {
        Some(path) => path.clone(),
        None => settings::audit_log(global)?,
    };
    let memory = memory(fleet.as_ref(), &audit_log).await?;
    Ok((fleet, memory))
}

/// Who works at this machine, for people to read.
pub fn who() -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned())
}

/// A store that cannot do what it was asked for.
pub fn failure(error: &StoreError) -> Failure {
    Failure::usage(error.to_string(), error.remedy())
}
