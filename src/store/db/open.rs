//! Where a database is, and opening it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Database, SqlSafeStr};

use super::super::audit::make_folder_of;
use super::super::error::StoreError;
use super::Pool;

/// The tables, from the first version on; what was given to users is never changed, only added to.
const SQLITE: &[(&str, &str)] = &[
    ("first", include_str!("migrations/1.sqlite.sql")),
    ("shares", include_str!("migrations/2.sqlite.sql")),
    ("resolved", include_str!("migrations/3.sqlite.sql")),
    ("again", include_str!("migrations/4.sqlite.sql")),
    ("rights", include_str!("migrations/5.sqlite.sql")),
    ("waiting", include_str!("migrations/6.sqlite.sql")),
    ("takers", include_str!("migrations/7.sqlite.sql")),
];
const POSTGRES: &[(&str, &str)] = &[
    ("first", include_str!("migrations/1.postgres.sql")),
    ("shares", include_str!("migrations/2.postgres.sql")),
    ("resolved", include_str!("migrations/3.postgres.sql")),
    ("again", include_str!("migrations/4.postgres.sql")),
    ("rights", include_str!("migrations/5.postgres.sql")),
    ("waiting", include_str!("migrations/6.postgres.sql")),
    ("takers", include_str!("migrations/7.postgres.sql")),
];

/// How long a connection is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Connections at a time. SQLite has one who writes; a second one reads meanwhile.
pub(super) const CONNECTIONS: u32 = 4;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(String),
}

impl Backend {
    /// What a URL says; a relative path of `sqlite:` starts from `folder`.
    ///
    /// # Errors
    /// It is no such URL.
    pub fn of_url(url: &str, folder: &Path) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            let path = path.split('?').next().unwrap_or_default();
            if path.is_empty() || path == ":memory:" {
                return Err(StoreError::Unfit {
                    what: format!("{url} names no file; sqlite://.evenkeel/store.db is one"),
                });
            }
            return Ok(Self::Sqlite(folder.join(path)));
        }
        let is_postgres = ["postgres://", "postgresql://"].iter().any(|way| url.starts_with(way));
        match is_postgres && PgConnectOptions::from_str(url).is_ok() {
            true => Ok(Self::Postgres(url.to_owned())),
            // Not said again: it may hold a password.
            false => Err(StoreError::Unfit {
                what: "[store] url is neither sqlite://PATH nor postgres://…".to_owned(),
            }),
        }
    }

    /// What it is called, for people to read; without user and password.
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => PgConnectOptions::from_str(url).map_or_else(
                |_| "postgres://…".to_owned(),
                |options| {
                    format!(
                        "postgres://{}:{}/{}",
                        options.get_host(),
                        options.get_port(),
                        options.get_database().unwrap_or_default()
                    )
                },
            ),
        }
    }
}

/// Opens a database, and brings its tables to this version.
pub async fn open(place: &Backend) -> Result<Pool, StoreError> {
    let unreachable = |error: sqlx::Error| StoreError::Unreachable {
        store: place.name(),
        why: error.to_string(),
    };
    match place {
        Backend::Sqlite(path) => {
            // It tells a lot of the accounts: made for its owner alone, and no link is followed.
            private(path).map_err(|error| StoreError::Unreachable {
                store: place.name(),
                why: error.to_string(),
            })?;
            // Who comes at the same moment waits: before the file is as it should be, SQLite does not.
            let _turn = turn(path).await.map_err(|error| StoreError::Unreachable {
                store: place.name(),
                why: error.to_string(),
            })?;
            let options = SqliteConnectOptions::new()
                .filename(path)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // What was promised is on the disk, as the audit log is.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(LONGEST_WAIT);
            let pool = pool_options().connect_with(options).await.map_err(unreachable)?;
            migrate(SQLITE, &pool, place).await?;
            Ok(Pool::Sqlite(pool))
        }
        Backend::Postgres(url) => {
            let options = PgConnectOptions::from_str(url)
                .map_err(unreachable)?
                .application_name("evenkeel")
                // A statement or a lock that waits for ever must not hold a run.
                .options([("statement_timeout", "12s"), ("lock_timeout", "10s")]);
            let pool = pool_options().connect_with(options).await.map_err(unreachable)?;
            migrate(POSTGRES, &pool, place).await?;
            Ok(Pool::Postgres(pool))
        }
    }
}

/// The turn of who opens a file, until this is dropped.
async fn turn(path: &Path) -> std::io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Whoever may write into the folder must not lead it elsewhere.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW);
    let waiting = tokio::task::spawn_blocking(move || {
        let file = options.open(name)?;
        file.lock()?;
        Ok(file)
    });
    waiting.await.map_err(std::io::Error::other)?
}

/// Makes a file that nobody else can read, and its folder; one that is there stays as it is.
fn private(path: &Path) -> std::io::Result<()> {
    make_folder_of(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            match std::fs::symlink_metadata(path)?.is_file() {
                true => Ok(()),
                false => Err(std::io::Error::other("it is no regular file")),
            }
        }
        made => made.map(drop),
    }
}

fn pool_options<D: Database>() -> PoolOptions<D> {
    PoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(LONGEST_WAIT)
}

async fn migrate<D: Database>(
    steps: &[(&'static str, &'static str)],
    pool: &sqlx::Pool<D>,
    place: &Backend,
) -> Result<(), StoreError>
where
    D::Connection: Migrate + Connection,
{
    let migrations = (1..).zip(steps).map(|(version, (name, sql))| {
        Migration::new(version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    let mut connection = pool.acquire().await?;
    migrator.run_direct(None, &mut *connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => {
            StoreError::Unreadable {
                what: format!("database {}", place.name()),
                why: error.to_string(),
            }
        }
        error => StoreError::Unreachable { store: place.name(), why: error.to_string() },
    })
}
