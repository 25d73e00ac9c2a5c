//! Where guards remember: in the store, or else in a file beside the audit log.

use std::path::Path;
use std::sync::Arc;

use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::reconcile::Kept;
use evenkeel::reconcile::guarded::{beside, gone};
use evenkeel::store::Store;
use evenkeel::store::error::StoreError;
use evenkeel::store::memory::Memory;

use super::args::{Beside, Global};
use super::failure::Failure;
use super::settings;

/// What guards remember in a run, in the store that it has open.
pub async fn of_run(
    kept: Option<&Kept>,
    fleet: Option<&Fleet>,
    audit_log: &Path,
) -> Arc<dyn Memory> {
    match kept {
        Some(kept) => kept.memory(audit_log),
        None => match memory(fleet, audit_log).await {
            Ok(memory) => memory,
            Err(error) => gone(&error.to_string()),
        },
    }
}

async fn memory(fleet: Option<&Fleet>, audit_log: &Path) -> Result<Arc<dyn Memory>, StoreError> {
    let url = fleet.and_then(|fleet| Some((fleet.file.store.url.as_ref()?, &fleet.folder)));
    match url {
        Some((url, folder)) => Ok(Arc::new(Store::open(url, folder).await?)),
        None => Ok(beside(audit_log)),
    }
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
    // What guards remember is where the repository's fleet file says.
    settings::declares(fleet.as_ref())?;
    let audit_log = settings::audit_log(global, beside.audit_log.as_ref())?;
    let memory = memory(fleet.as_ref(), &audit_log).await.map_err(|error| failure(&error))?;
    Ok((fleet, memory))
}

/// A store that cannot do what it was asked for.
pub fn failure(error: &StoreError) -> Failure {
    Failure::usage(error.to_string(), error.remedy())
}
