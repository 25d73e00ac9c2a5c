//! A transaction of SQLite on a connection that is given back only when the transaction is over.
//!
//! SQLite itself ends a transaction when the disk is full or cannot be read; then there is nothing left to
//! roll back, and sqlx's own transaction takes the connection for one that is in the middle of it, for as
//! long as it lives. So a connection whose transaction did not come to its end here is closed, with all that
//! it had not written, and another one is opened for who comes next.

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

/// A connection in a transaction, which nobody else has until it was committed.
pub struct Held {
    connection: PoolConnection<Sqlite>,
    is_over: bool,
}

impl Held {
    /// Begins a transaction by this statement.
    pub async fn begin(pool: &SqlitePool, statement: &'static str) -> Result<Self, sqlx::Error> {
        // Held before it is asked to begin: it may do so after nobody waits for it any more.
        let mut held = Self { connection: pool.acquire().await?, is_over: false };
        sqlx::query(statement).execute(held.connection()).await?;
        Ok(held)
    }

    /// To ask it something.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Ends it: what was written stays.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(self.connection()).await?;
        self.is_over = true;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.is_over {
            self.connection.close_on_drop();
        }
    }
}
