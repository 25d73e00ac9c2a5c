//! What outlives a run: the audit log, a file beside every write; and where it is wished for, a store:
//! a database in which several controllers remember what they saw, did and agreed on.

mod alone;
pub mod audit;
mod db;
mod documents;
pub mod error;
pub mod history;
pub mod kept;
pub mod lease;
pub mod memory;
mod shares;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

pub use alone::Alone;
use db::{Backend, Db, Tx};
pub use error::StoreError;
pub use lease::{Lease, Leases};
pub use memory::{InMemory, Memory};
pub use shares::{Shares, ToShare};

/// The store: documents, history and leases in one database.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    /// The file that it is in, where it is in one.
    file: Option<Arc<Path>>,
    /// What the history could not take in and that was done all the same.
    gaps: Arc<history::Gaps>,
}

impl Store {
    /// Opens the store of a URL, `sqlite://PATH` or `postgres://…`, making its tables when they are
    /// not there; a relative path starts from `folder`.
    ///
    /// # Errors
    /// The URL is none, or the database cannot be used.
    pub async fn open(url: &str, folder: &Path) -> Result<Self, StoreError> {
        Self::at(Backend::of_url(url, folder)?).await
    }

    /// Opens the store in a file.
    ///
    /// # Errors
    /// It cannot be used.
    pub async fn in_file(path: &Path) -> Result<Self, StoreError> {
        Self::at(Backend::Sqlite(path.to_owned())).await
    }

    async fn at(place: Backend) -> Result<Self, StoreError> {
        let db = Db::open(&place).await?;
        let file = match place {
            Backend::Sqlite(path) => Some(path.into()),
            Backend::Postgres(_) => None,
        };
        Ok(Self { db, file, gaps: Arc::default() })
    }

    /// What it is called, for people to read; without user and password.
    pub fn name(&self) -> &str {
        self.db.name()
    }

    /// Whether several controllers can share it.
    pub fn is_shared(&self) -> bool {
        self.db.is_postgres()
    }

    /// Whether it answers, and takes in what is written: after a write that it could not make, another one
    /// is tried.
    ///
    /// # Errors
    /// The store cannot be asked, or nothing can be written to it.
    pub async fn ping(&self) -> Result<(), StoreError> {
        // One that is open answers also when its file has gone, and then no run writes.
        if let Some(Err(error)) = self.file.as_deref().map(std::fs::metadata) {
            let why = format!("its file: {error}");
            return Err(StoreError::Unreachable { store: self.name().to_owned(), why });
        }
        if self.db.refuses() {
            let write = |mut tx: Tx| async move {
                // A version that nobody has.
                let sql = "UPDATE counters SET last = last + 1 WHERE name = 'document'";
                tx.run(sql, &[]).await?;
                Ok((tx, ()))
            };
            return self.db.write(write).await;
        }
        let ask = |mut tx: Tx| async move {
            tx.rows("SELECT 1", &[]).await?;
            Ok((tx, ()))
        };
        self.db.read(ask).await
    }

    /// Waits for one of its answers outside of every task, as who listens to a run has to.
    ///
    /// # Errors
    /// As what is waited for.
    pub fn wait<T: Send + 'static>(
        &self,
        what: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.db.wait(what)
    }
}

#[cfg(test)]
#[path = "../../tests/it/support/postgres.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod server;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
