//! Sharing out: what several controllers look at among them, and who of them is there. It is kept in their
//! leases.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Store;
use super::db::{Arg, Row, Tx};
use super::error::StoreError;
use super::history;
use super::lease::{Words, microseconds, now, words};

/// Where several controllers share out what is to be looked at.
#[async_trait]
pub trait Shares: Send + Sync {
    /// Takes some of what nobody has in hand and nobody has looked at since a time, `most` of them at
    /// most.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn take(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError>;

    /// Keeps the leases of these names for another term, as far as a holder still has them.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn keep(&self, names: &[String], holder: &str, term: Duration) -> Result<(), StoreError>;

    /// Gives the leases of these names back, as far as a holder still has them. Where what they are about
    /// was looked at, it is noted that this was done when it was taken, and for a time, such as a tick.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn finish(
        &self,
        names: &[String],
        holder: &str,
        looked: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;

    /// Those that were looked at since a time, each with whoever took it last.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn looked(
        &self,
        names: &[String],
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<String, String>, StoreError>;

    /// Notes that a controller is there, for a term.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn appear(&self, holder: &str, term: Duration) -> Result<(), StoreError>;

    /// How much of this there is to share out since a time, and among how many.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn to_share(&self, names: &[String], since: DateTime<Utc>)
    -> Result<ToShare, StoreError>;

    /// The clock by which leases run out.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn time(&self) -> Result<DateTime<Utc>, StoreError>;
}

/// What there is to share out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToShare {
    /// How many of it nobody has in hand and nobody has looked at.
    pub free: usize,
    /// How many controllers are there.
    pub among: usize,
}

/// What the lease is called by which a controller says that it is there.
fn presence(holder: &str) -> String {
    format!("controller/{holder}")
}

/// The names of all of these are between the two.
pub(super) const PRESENT: (&str, &str) = ("controller/", "controller0");

/// After so long nobody needs to know any more who was there, in microseconds.
const FORGOTTEN: i64 = 24 * 3600 * 1_000_000;

#[async_trait]
impl Shares for Store {
    async fn take(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        let taken = self.claim_due(names, holder, term, most, Some(since)).await?;
        Ok(taken.into_iter().map(|lease| lease.name).collect())
    }

    async fn keep(&self, names: &[String], holder: &str, term: Duration) -> Result<(), StoreError> {
        let (names, holder) = (serde_json::to_string(names)?, holder.to_owned());
        let term = microseconds(term);
        let keep = move |mut tx: Tx| {
            let (names, holder) = (names.clone(), holder.clone());
            async move {
                let until = now(&mut tx).await? + term;
                let sql = words(&tx, KEEP);
                tx.run(sql, &[Arg::Text(&names), Arg::Text(&holder), until.into()]).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(keep).await
    }

    async fn finish(
        &self,
        names: &[String],
        holder: &str,
        looked: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let (names, holder) = (serde_json::to_string(names)?, holder.to_owned());
        let looked = looked.map_or(0, history::microseconds);
        let finish = move |mut tx: Tx| {
            let (names, holder) = (names.clone(), holder.clone());
            async move {
                let now = now(&mut tx).await?;
                let sql = words(&tx, FINISH);
                let args = [Arg::Text(&names), Arg::Text(&holder), now.into(), looked.into()];
                tx.run(sql, &args).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(finish).await
    }

    async fn looked(
        &self,
        names: &[String],
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let (names, since) = (serde_json::to_string(names)?, history::microseconds(since));
        let look = move |mut tx: Tx| {
            let names = names.clone();
            async move {
                let sql = words(&tx, LOOKED);
                let rows = tx.rows(sql, &[Arg::Text(&names), since.into()]).await?;
                let by = |row: &Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
                let looked = rows.iter().map(by).collect::<Result<_, StoreError>>()?;
                Ok((tx, looked))
            }
        };
        self.db.read(look).await
    }

    async fn appear(&self, holder: &str, term: Duration) -> Result<(), StoreError> {
        let (name, holder, term) = (presence(holder), holder.to_owned(), microseconds(term));
        let note = move |mut tx: Tx| {
            let (name, holder) = (name.clone(), holder.clone());
            async move {
                let now = now(&mut tx).await?;
                let sql = "DELETE FROM leases WHERE name >= $1 AND name < $2 AND until < $3";
                let (first, end) = PRESENT;
                let long_gone = (now - FORGOTTEN).into();
                tx.run(sql, &[Arg::Text(first), Arg::Text(end), long_gone]).await?;
                let sql = "INSERT INTO leases (name, holder, token, until, term, taken) \
                           VALUES ($1, $2, 1, $3, $4, $5) \
                           ON CONFLICT (name) DO UPDATE SET until = excluded.until";
                let until = (now + term).into();
                let args = [Arg::Text(&name), Arg::Text(&holder), until, term.into(), now.into()];
                tx.run(sql, &args).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }

    async fn to_share(
        &self,
        names: &[String],
        since: DateTime<Utc>,
    ) -> Result<ToShare, StoreError> {
        let all = names.len();
        let (names, since) = (serde_json::to_string(names)?, history::microseconds(since));
        let look = move |mut tx: Tx| {
            let names = names.clone();
            async move {
                let now = now(&mut tx).await?.into();
                let count = |rows: Vec<Row>| {
                    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
                    Ok::<_, StoreError>(usize::try_from(count).unwrap_or_default())
                };
                let sql = words(&tx, TAKEN);
                let taken = tx.rows(sql, &[Arg::Text(&names), now, since.into()]).await?;
                let sql =
                    "SELECT COUNT(*) FROM leases WHERE name >= $1 AND name < $2 AND until > $3";
                let (first, end) = PRESENT;
                let there = tx.rows(sql, &[Arg::Text(first), Arg::Text(end), now]).await?;
                let (free, among) = (all.saturating_sub(count(taken)?), count(there)?);
                Ok((tx, ToShare { free, among }))
            }
        };
        self.db.read(look).await
    }

    async fn time(&self) -> Result<DateTime<Utc>, StoreError> {
        let ask = |mut tx: Tx| async move {
            let now = now(&mut tx).await?;
            Ok((tx, history::time(now)))
        };
        self.db.read(ask).await
    }
}

const KEEP: Words = (
    "UPDATE leases SET until = $3 WHERE holder = $2 AND name IN (SELECT value FROM json_each($1))",
    "UPDATE leases SET until = $3 WHERE name IN (SELECT name FROM leases WHERE holder = $2 \
     AND name IN (SELECT json_array_elements_text(CAST($1 AS json))) ORDER BY name FOR UPDATE)",
);

const FINISH: Words = (
    "UPDATE leases SET until = $3, \
     looked = CASE WHEN $4 = 0 THEN looked ELSE MAX(looked, taken, $4) END \
     WHERE holder = $2 AND name IN (SELECT value FROM json_each($1))",
    "UPDATE leases SET until = $3, \
     looked = CASE WHEN $4 = 0 THEN looked ELSE GREATEST(looked, taken, $4) END WHERE name IN ( \
     SELECT name FROM leases WHERE holder = $2 \
     AND name IN (SELECT json_array_elements_text(CAST($1 AS json))) ORDER BY name FOR UPDATE)",
);

const TAKEN: Words = (
    "SELECT COUNT(*) FROM leases WHERE (until > $2 OR looked >= $3) \
     AND name IN (SELECT value FROM json_each($1))",
    "SELECT COUNT(*) FROM leases WHERE (until > $2 OR looked >= $3) \
     AND name IN (SELECT json_array_elements_text(CAST($1 AS json)))",
);

const LOOKED: Words = (
    "SELECT name, holder FROM leases WHERE looked >= $2 \
     AND name IN (SELECT value FROM json_each($1))",
    "SELECT name, holder FROM leases WHERE looked >= $2 \
     AND name IN (SELECT json_array_elements_text(CAST($1 AS json)))",
);
