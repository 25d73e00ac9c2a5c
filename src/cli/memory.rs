//! Where guards remember: in the store, or else in a file beside the audit log.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::store::Store;
use evenkeel::store::error::StoreError;
use evenkeel::store::kept::{Keeps, KeptInFile};
use evenkeel::store::memory::{Document, Memory};
use serde_json::Value;

use super::args::{Beside, Global};
use super::failure::Failure;
use super::remember::Kept;
use super::settings;

/// The file beside the audit log.
const FILE: &str = "guards.json";

/// What guards remember in a run, in the store that it has open.
pub async fn of_run(
    kept: Option<&Kept>,
    fleet: Option<&Fleet>,
    audit_log: &Path,
) -> Arc<dyn Memory> {
    match kept {
        // What a store remembers that nobody named are runs alone.
        Some(Kept::In(_, memory)) if memory.is_implied => beside(audit_log),
        Some(Kept::In(store, _)) => Arc::new(store.clone()),
        Some(Kept::Gone(error)) => gone(&error.to_string()),
        Some(Kept::Nowhere) => beside(audit_log),
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

/// What guards remember beside an audit log.
pub fn beside(audit_log: &Path) -> Arc<dyn Memory> {
    Arc::new(KeptInFile::at(audit_log.with_file_name(FILE), Keeps::Guards))
}

/// What is remembered in a store that cannot be used.
pub fn gone(why: &str) -> Arc<dyn Memory> {
    Arc::new(Gone(why.to_owned()))
}

/// A store that cannot be used.
struct Gone(String);

impl Gone {
    fn error(&self) -> StoreError {
        StoreError::Unreachable { store: "of the guards".to_owned(), why: self.0.clone() }
    }
}

#[async_trait]
impl Memory for Gone {
    async fn read(&self, _: &str) -> Result<Option<Document>, StoreError> {
        Err(self.error())
    }

    async fn write(&self, _: &str, _: u64, _: &Value) -> Result<u64, StoreError> {
        Err(self.error())
    }

    async fn list(&self, _: &str) -> Result<Vec<Document>, StoreError> {
        Err(self.error())
    }

    async fn remove(&self, _: &str, _: u64) -> Result<(), StoreError> {
        Err(self.error())
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

/// Who works at this machine, for people to read.
pub fn who() -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    name.filter(|name| !name.is_empty()).or_else(number).unwrap_or_else(|| "somebody".to_owned())
}

/// The number of the user, where the system says it.
fn number() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt as _;
        let own = std::fs::metadata("/proc/self").ok()?;
        Some(format!("user {}", own.uid()))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// A store that cannot do what it was asked for.
pub fn failure(error: &StoreError) -> Failure {
    Failure::usage(error.to_string(), error.remedy())
}
