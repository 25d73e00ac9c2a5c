//! A store in a file is for one who writes to AWS: without leases, two would take each other's changes for
//! those of somebody else. Who only asks or notes needs none of this.

use super::audit::{AuditError, Lock};
use super::{Store, StoreError};

/// Beside the name of the store's file.
const ENDING: &str = ".controller.lock";

/// That nobody else writes to AWS with a store, until this is dropped or the process ends.
#[derive(Debug)]
pub struct Alone(Lock);

impl Alone {
    /// Whether the next one who wants it will find it taken.
    pub fn holds(&self) -> bool {
        self.0.is_still_held().is_ok()
    }
}

impl Store {
    /// Lets nobody else write to AWS with it, where several cannot share it.
    ///
    /// # Errors
    /// Somebody else does, or the file system refuses.
    pub fn alone(&self) -> Result<Option<Alone>, StoreError> {
        let Some(file) = &self.file else { return Ok(None) };
        // By one name, whatever links lead to it.
        let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
        let lock = Lock::beside(&file, ENDING).map_err(|error| match error {
            AuditError::Held { holder, .. } => {
                StoreError::Held { store: self.name().to_owned(), holder }
            }
            AuditError::Record(error) => error.into(),
            AuditError::Io { doing, source, .. } => self.cannot(&format!("{doing}: {source}")),
            AuditError::NotAFile { what, .. } => self.cannot(what),
        })?;
        Ok(Some(Alone(lock)))
    }

    fn cannot(&self, why: &str) -> StoreError {
        StoreError::Unreachable {
            store: self.name().to_owned(),
            why: format!("the lock beside it ({ENDING}): {why}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_in_a_file_is_for_one_who_writes_and_for_all_who_read() {
        let folder = tempfile::tempdir().unwrap();
        let open = async || Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let one = open().await;
        let alone = one.alone().unwrap().unwrap();
        assert!(alone.holds());
        let other = open().await;
        let error = other.alone().unwrap_err();
        assert!(matches!(error, StoreError::Held { .. }), "{error}");
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        other.ping().await.unwrap();
        drop(alone);
        assert!(other.alone().unwrap().is_some());
    }
}
