//! What guards remember where there is no store, or one that cannot be used.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::store::error::StoreError;
use crate::store::kept::{Keeps, KeptInFile};
use crate::store::memory::{Document, Memory};

/// The file beside the audit log.
const FILE: &str = "guards.json";

/// What guards remember beside an audit log.
pub fn beside(audit_log: &Path) -> Arc<dyn Memory> {
    Arc::new(KeptInFile::at(audit_log.with_file_name(FILE), Keeps::Guards))
}

/// What is remembered in a store that cannot be used: nothing can be read or written.
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

    async fn ping(&self) -> Result<(), StoreError> {
        Err(self.error())
    }
}
