//! The documents of a database.

use async_trait::async_trait;
use serde_json::Value;

use super::Store;
use super::db::{Arg, Row, Tx};
use super::error::StoreError;
use super::memory::{Document, Memory, NOT_THERE, fits};

fn document(row: &Row) -> Result<Document, StoreError> {
    let version = u64::try_from(row.int(1)?).unwrap_or(NOT_THERE);
    Ok(Document { name: row.text(0)?.to_owned(), version, body: row.json(2)?, file: None })
}

fn moved(name: &str) -> StoreError {
    StoreError::Moved { name: name.to_owned() }
}

/// A version, as the database counts.
fn counted(version: u64) -> Result<i64, StoreError> {
    i64::try_from(version).map_err(|_| StoreError::Unfit { what: format!("version {version}") })
}

async fn next_version(tx: &mut Tx) -> Result<i64, StoreError> {
    let rows = tx
        .rows("UPDATE counters SET last = last + 1 WHERE name = 'document' RETURNING last", &[])
        .await?;
    rows.first().ok_or_else(|| moved("counter"))?.int(0)
}

#[async_trait]
impl Memory for Store {
    async fn read(&self, name: &str) -> Result<Option<Document>, StoreError> {
        let name = name.to_owned();
        let look = move |mut tx: Tx| {
            let name = name.clone();
            async move {
                let sql = "SELECT name, version, body FROM documents WHERE name = $1";
                let rows = tx.rows(sql, &[Arg::Text(&name)]).await?;
                let found = rows.first().map(document).transpose()?;
                Ok((tx, found))
            }
        };
        self.db.read(look).await
    }

    async fn write(&self, name: &str, seen: u64, body: &Value) -> Result<u64, StoreError> {
        let (text, seen) = (fits(name, body)?, counted(seen)?);
        let name = name.to_owned();
        let write = move |mut tx: Tx| {
            let (name, text) = (name.clone(), text.clone());
            async move {
                let version = next_version(&mut tx).await?;
                let args = [Arg::Text(&name), version.into(), Arg::Text(&text), seen.into()];
                let touched = match seen {
                    0 => {
                        let sql = "INSERT INTO documents (name, version, body) VALUES ($1, $2, $3) \
                                   ON CONFLICT (name) DO NOTHING";
                        tx.run(sql, &args[..3]).await?
                    }
                    _ => {
                        let sql = "UPDATE documents SET version = $2, body = $3 \
                                   WHERE name = $1 AND version = $4";
                        tx.run(sql, &args).await?
                    }
                };
                match touched {
                    0 => Err(moved(&name)),
                    _ => Ok((tx, version)),
                }
            }
        };
        let version = self.db.write(write).await?;
        u64::try_from(version).map_err(|_| moved("counter"))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, StoreError> {
        let prefix = prefix.to_owned();
        let look = move |mut tx: Tx| {
            let prefix = prefix.clone();
            async move {
                // A range and not LIKE, which has letters of its own and two opinions on case.
                let end = format!("{prefix}{}", char::MAX);
                let sql = "SELECT name, version, body FROM documents \
                           WHERE name >= $1 AND name < $2 ORDER BY name";
                let rows = tx.rows(sql, &[Arg::Text(&prefix), Arg::Text(&end)]).await?;
                let found = rows.iter().map(document).collect::<Result<Vec<_>, _>>()?;
                Ok((tx, found))
            }
        };
        self.db.read(look).await
    }

    async fn remove(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        let (name, seen) = (name.to_owned(), counted(seen)?);
        let remove = move |mut tx: Tx| {
            let name = name.clone();
            async move {
                let sql = "DELETE FROM documents WHERE name = $1 AND version = $2";
                match tx.run(sql, &[Arg::Text(&name), seen.into()]).await? {
                    0 => Err(moved(&name)),
                    _ => Ok((tx, ())),
                }
            }
        };
        self.db.write(remove).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Self::ping(self).await
    }
}
