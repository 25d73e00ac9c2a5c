//! The two databases, behind one door: SQLite in a file of our own, PostgreSQL for several
//! controllers. All statements are written once, in the words that both understand: `$1`, `ON
//! CONFLICT`, `RETURNING`; numbers and texts only, times as microseconds since 1970.
//!
//! sqlx has such a door too (`Any`), but a pool behind it cannot be told what SQLite needs to be safe
//! (the log of writes, that it waits for others), and takes everything of a URL for granted.

mod held;
mod open;
mod row;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{PgPool, Postgres, SqlSafeStr, SqlitePool, Transaction};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

use super::error::StoreError;
use held::Held;
pub use open::Backend;
pub use row::{Arg, Row};

/// Longer than any statement takes that is not waiting for a database which is gone.
const LONGEST: Duration = Duration::from_secs(15);

/// An open database.
#[derive(Debug, Clone)]
pub struct Db {
    pool: Pool,
    /// For people to read; without a password.
    name: Arc<str>,
    /// Whether the latest write could not be made.
    refuses: Arc<AtomicBool>,
    runtime: Arc<Own>,
}

#[derive(Debug, Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Something that is done whole or not at all.
pub enum Tx {
    /// In SQLite.
    Sqlite(Held),
    /// In PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// A thread of its own, on which the database's connections live: who listens to a run is no part of
/// its tasks, and has to wait for the database before the run goes on.
#[derive(Debug)]
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        // Dropped by a task, it must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Db {
    /// Opens a database, and brings its tables to this version.
    ///
    /// # Errors
    /// It cannot be reached, is of a newer version, or the URL is none.
    pub async fn open(place: &Backend) -> Result<Self, StoreError> {
        let unreachable = |why: String| StoreError::Unreachable { store: place.name(), why };
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("evenkeel-store")
            .enable_all()
            .build()
            .map_err(|error| unreachable(error.to_string()))?;
        let runtime = Arc::new(Own(Some(runtime)));
        let opening = place.clone();
        let pool = on(&runtime, place.name(), async move { open::open(&opening).await }).await?;
        Ok(Self { pool, name: place.name().into(), refuses: Arc::default(), runtime })
    }

    /// Writes something whole or not at all, on the database's own thread. It is done anew when the
    /// database says that somebody else was in the way.
    ///
    /// # Errors
    /// The database cannot be asked or refuses, or what was to be done fails; then nothing was done.
    pub async fn write<T, F, D>(&self, what: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(Tx) -> D + Send + 'static,
        D: Future<Output = Result<(Tx, T), StoreError>> + Send,
    {
        let done = self.whole(true, what).await;
        match &done {
            Ok(_) => self.refuses.store(false, Ordering::Relaxed),
            Err(StoreError::Unreachable { .. }) => self.refuses.store(true, Ordering::Relaxed),
            // It was asked, and said no.
            Err(_) => {}
        }
        done
    }

    /// Whether the latest write could not be made, though the database may be read.
    pub fn refuses(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    /// Reads something as it is at one moment.
    ///
    /// # Errors
    /// The database cannot be asked or refuses.
    pub async fn read<T, F, D>(&self, what: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(Tx) -> D + Send + 'static,
        D: Future<Output = Result<(Tx, T), StoreError>> + Send,
    {
        self.whole(false, what).await
    }

    async fn whole<T, F, D>(&self, writes: bool, what: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(Tx) -> D + Send + 'static,
        D: Future<Output = Result<(Tx, T), StoreError>> + Send,
    {
        let db = self.clone();
        on(&self.runtime, self.name.to_string(), async move {
            let mut tries = 0;
            loop {
                let done = match db.begin(writes).await {
                    Ok(tx) => what(tx).await,
                    Err(error) => Err(error),
                };
                let done = match done {
                    Ok((tx, made)) => tx.commit().await.map(|()| made),
                    Err(error) => Err(error),
                };
                match done {
                    Err(StoreError::InTheWay) if tries < TRIES => {
                        tries += 1;
                        tokio::time::sleep(PAUSE * tries).await;
                    }
                    done => return done.map_err(|error| db.named(error)),
                }
            }
        })
        .await
    }

    /// Waits for something from outside of every task, such as a listener of a run.
    ///
    /// # Errors
    /// As what is waited for; or it takes too long.
    pub fn wait<T: Send + 'static>(
        &self,
        what: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (say, hear) = std::sync::mpsc::channel();
        self.runtime.handle(&self.name)?.spawn(async move {
            // Nobody hears it who has stopped waiting.
            say.send(what.await).ok();
        });
        hear.recv_timeout(LONGEST * 2).unwrap_or_else(|_| Err(self.silent()))
    }

    /// Does something on the database's own thread, until it is told to stop.
    ///
    /// # Errors
    /// The database was closed.
    pub fn spawn(
        &self,
        what: impl Future<Output = ()> + Send + 'static,
    ) -> Result<AbortHandle, StoreError> {
        Ok(self.runtime.handle(&self.name)?.spawn(what).abort_handle())
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }

    /// What it is called, for people to read.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn begin(&self, writes: bool) -> Result<Tx, StoreError> {
        Ok(match (&self.pool, writes) {
            // At once for writing: two who read first and write then would be in each other's way.
            (Pool::Sqlite(pool), true) => Tx::Sqlite(Held::begin(pool, "BEGIN IMMEDIATE").await?),
            (Pool::Sqlite(pool), false) => Tx::Sqlite(Held::begin(pool, "BEGIN").await?),
            (Pool::Postgres(pool), true) => Tx::Postgres(pool.begin().await?),
            (Pool::Postgres(pool), false) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
        })
    }

    fn named(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Unreachable { why, .. } => {
                StoreError::Unreachable { store: self.name.to_string(), why }
            }
            StoreError::InTheWay => StoreError::Unreachable {
                store: self.name.to_string(),
                why: "others wrote to it all the time".to_owned(),
            },
            error => error,
        }
    }

    fn silent(&self) -> StoreError {
        StoreError::Unreachable {
            store: self.name.to_string(),
            why: "it gives no answer".to_owned(),
        }
    }
}

/// How often something is done anew, and the pause that grows with each time.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

impl Own {
    fn handle(&self, name: &str) -> Result<&Handle, StoreError> {
        self.0.as_ref().map(Runtime::handle).ok_or_else(|| StoreError::Unreachable {
            store: name.to_owned(),
            why: "it was closed".to_owned(),
        })
    }
}

/// Does something on the database's own thread.
async fn on<T: Send + 'static>(
    runtime: &Own,
    name: String,
    what: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let timed = async move { tokio::time::timeout(LONGEST, what).await };
    match runtime.handle(&name)?.spawn(timed).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => {
            Err(StoreError::Unreachable { store: name, why: "it gives no answer".to_owned() })
        }
        Err(error) => Err(StoreError::Unreachable { store: name, why: error.to_string() }),
    }
}

impl Tx {
    /// Runs a statement, and gives its rows.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let rows = row::bound(sqlx::query(sql), args).fetch_all(tx.connection()).await?;
                rows.iter().map(row::of_sqlite).collect()
            }
            Self::Postgres(tx) => {
                let rows = row::bound(sqlx::query(sql), args).fetch_all(&mut **tx).await?;
                rows.iter().map(row::of_postgres).collect()
            }
        }
    }

    /// Runs a statement, and says how many rows it touched.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn run(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => {
                row::bound(sqlx::query(sql), args).execute(tx.connection()).await?.rows_affected()
            }
            Self::Postgres(tx) => {
                row::bound(sqlx::query(sql), args).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        /// PostgreSQL: two transactions in each other's way; SQLite: somebody else is writing.
        const IN_THE_WAY: &[&str] = &["40001", "40P01", "5", "261", "517"];
        let sqlx::Error::Database(database) = &error else {
            // The store's name is filled in by who knows it.
            return Self::Unreachable { store: String::new(), why: error.to_string() };
        };
        let code = database.code().unwrap_or_default();
        /// SQLite: a trigger refuses.
        const TRIGGER: &str = "1811";
        let is_ours = database.is_unique_violation()
            || database.is_foreign_key_violation()
            || database.is_check_violation()
            || code == TRIGGER;
        match () {
            () if is_ours => Self::Impossible { what: database.message().to_owned() },
            () if IN_THE_WAY.contains(&code.as_ref()) => Self::InTheWay,
            () => Self::Unreachable { store: String::new(), why: error.to_string() },
        }
    }
}
