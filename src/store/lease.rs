//! Leases: who works on an account, for how long, and since when. A lease that ran out is taken over;
//! its token, which only grows, then tells who comes too late. The clock is the store's own, so that
//! controllers on several machines have one.
//!
//! A lease also says up to when what it is about was looked at, so that several controllers share out
//! what a tick of a schedule wants: each takes some of what nobody has and nobody has looked at since.
//!
//! A queue on PostgreSQL (pgmq, graphile_worker, apalis, sqlxmq) keeps jobs that are done once; an account is
//! never done, its work is what the controller's own queue says, and the token must be checked together with the
//! intent of each write. That is one table and a few statements, and no crate has the last.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Store;
use super::db::{Arg, Row, Tx};
use super::error::StoreError;
use super::history;

/// A lease that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is leased, such as an account's id.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Grows with each change of its holder; it goes with each write.
    pub token: i64,
}

/// Where leases are kept.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes leases of what is free or has run out, those that were left alone for the longest time
    /// first, and `most` of them at most.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn claim(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
    ) -> Result<Vec<Lease>, StoreError>;

    /// Keeps a lease for another term.
    ///
    /// # Errors
    /// Somebody else has it by now ([`StoreError::LeaseLost`]), or the store cannot be asked.
    async fn renew(&self, lease: &Lease, term: Duration) -> Result<(), StoreError>;

    /// Gives a lease back; one that is lost already is nothing to give.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Gives all leases of a holder back.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn release_all(&self, holder: &str) -> Result<(), StoreError>;
}

fn lease(row: &Row) -> Result<Lease, StoreError> {
    Ok(Lease { name: row.text(0)?.to_owned(), holder: row.text(1)?.to_owned(), token: row.int(2)? })
}

pub(super) fn microseconds(term: Duration) -> i64 {
    i64::try_from(term.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Microseconds since 1970, by the store's own clock.
pub(in crate::store) async fn now(tx: &mut Tx) -> Result<i64, StoreError> {
    let sql = match tx {
        Tx::Sqlite(_) => "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        // Not the time of the transaction's beginning: it may have waited for somebody.
        Tx::Postgres(_) => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
    };
    tx.rows(sql, &[]).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// Refuses a write by who has lost the lease, or never had it, and keeps the lease as it is until the
/// transaction ends. A write begins with a whole term before it, so that nobody takes over while it is
/// on its way.
///
/// # Errors
/// Somebody else has it, or it has run out.
pub(super) async fn holds(tx: &mut Tx, name: &str, token: Option<i64>) -> Result<(), StoreError> {
    let sql = match tx {
        Tx::Sqlite(_) => "SELECT name, holder, token, until FROM leases WHERE name = $1",
        Tx::Postgres(_) => {
            "SELECT name, holder, token, until FROM leases WHERE name = $1 FOR UPDATE"
        }
    };
    let rows = tx.rows(sql, &[Arg::Text(name)]).await?;
    let now = now(tx).await?;
    let held =
        rows.first().map(|row| Ok::<_, StoreError>((lease(row)?, row.int(3)?))).transpose()?;
    let lost = |why: String| Err(StoreError::LeaseLost { name: name.to_owned(), why });
    match (held, token) {
        (Some((lease, until)), Some(token)) if lease.token == token => match until > now {
            true => {
                let sql =
                    "UPDATE leases SET until = $2 + term WHERE name = $1 AND until < $2 + term";
                tx.run(sql, &[Arg::Text(name), now.into()]).await.map(drop)
            }
            false => lost("it has run out".to_owned()),
        },
        (Some((lease, until)), None) if until > now => {
            lost(format!("{} works on it", lease.holder))
        }
        (_, None) => Ok(()),
        (Some((lease, _)), Some(_)) => lost(format!("{} has taken it over", lease.holder)),
        (None, Some(_)) => lost("nobody has it".to_owned()),
    }
}

impl Store {
    /// Takes leases of what is free; of what was not looked at since a time, where there is one.
    pub(super) async fn claim_due(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Lease>, StoreError> {
        // Without a time, whatever was looked at.
        let since = since.map_or(i64::MAX, history::microseconds);
        let (names, holder) = (serde_json::to_string(names)?, holder.to_owned());
        let (term, most) = (microseconds(term), i64::try_from(most).unwrap_or(i64::MAX));
        let claim = move |mut tx: Tx| {
            let (names, holder) = (names.clone(), holder.clone());
            async move {
                let now = now(&mut tx).await?;
                let (make, take) = match tx {
                    Tx::Sqlite(_) => SQLITE,
                    Tx::Postgres(_) => POSTGRES,
                };
                tx.run(make, &[Arg::Text(&names)]).await?;
                let args = [
                    Arg::Text(&names),
                    Arg::Text(&holder),
                    now.into(),
                    term.into(),
                    most.into(),
                    since.into(),
                ];
                let rows = tx.rows(take, &args).await?;
                let mut taken = rows.iter().map(lease).collect::<Result<Vec<_>, _>>()?;
                taken.sort_by(|one, other| one.name.cmp(&other.name));
                Ok((tx, taken))
            }
        };
        self.db.write(claim).await
    }
}

#[async_trait]
impl Leases for Store {
    async fn claim(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
    ) -> Result<Vec<Lease>, StoreError> {
        self.claim_due(names, holder, term, most, None).await
    }

    async fn renew(&self, lease: &Lease, term: Duration) -> Result<(), StoreError> {
        let (lease, term) = (lease.clone(), microseconds(term));
        let renew = move |mut tx: Tx| {
            let lease = lease.clone();
            async move {
                let until = now(&mut tx).await? + term;
                let sql = "UPDATE leases SET until = $3 WHERE name = $1 AND token = $2";
                let args = [Arg::Text(&lease.name), lease.token.into(), until.into()];
                match tx.run(sql, &args).await? {
                    0 => Err(StoreError::LeaseLost {
                        name: lease.name,
                        why: "somebody has taken it over".to_owned(),
                    }),
                    _ => Ok((tx, ())),
                }
            }
        };
        self.db.write(renew).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        let release = move |mut tx: Tx| {
            let lease = lease.clone();
            async move {
                // When it was given back says for how long it was left alone.
                let now = now(&mut tx).await?;
                let sql = "UPDATE leases SET until = $3 WHERE name = $1 AND token = $2";
                tx.run(sql, &[Arg::Text(&lease.name), lease.token.into(), now.into()]).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(release).await
    }

    async fn release_all(&self, holder: &str) -> Result<(), StoreError> {
        let holder = holder.to_owned();
        let release = move |mut tx: Tx| {
            let holder = holder.clone();
            async move {
                let now = now(&mut tx).await?;
                let sql = words(&tx, RELEASE_ALL);
                tx.run(sql, &[Arg::Text(&holder), now.into()]).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(release).await
    }
}

/// Makes the rows that are not there yet, and takes some that are free.
type Claim = (&'static str, &'static str);

const SQLITE: Claim = (
    "INSERT INTO leases (name, holder, token, until) \
     SELECT value, '', 0, 0 FROM json_each($1) WHERE true ON CONFLICT (name) DO NOTHING",
    "UPDATE leases SET holder = $2, token = token + 1, until = $3 + $4, term = $4, taken = $3 \
     WHERE name IN ( \
         SELECT name FROM leases \
         WHERE name IN (SELECT value FROM json_each($1)) AND until <= $3 AND looked < $6 \
         ORDER BY until, name LIMIT $5) \
     RETURNING name, holder, token",
);

const POSTGRES: Claim = (
    "INSERT INTO leases (name, holder, token, until) \
     SELECT value, '', 0, 0 FROM json_array_elements_text(CAST($1 AS json)) AS value \
     WHERE NOT EXISTS (SELECT 1 FROM leases WHERE leases.name = value) \
     ORDER BY value ON CONFLICT (name) DO NOTHING",
    // Found once and for all: joined, the search could be made again and take more than it may.
    "WITH free AS MATERIALIZED ( \
         SELECT name FROM leases \
         WHERE name IN (SELECT json_array_elements_text(CAST($1 AS json))) AND until <= $3 \
         AND looked < $6 ORDER BY until, name LIMIT $5 FOR UPDATE SKIP LOCKED) \
     UPDATE leases SET holder = $2, token = token + 1, until = $3 + $4, term = $4, taken = $3 FROM free \
     WHERE leases.name = free.name RETURNING leases.name, leases.holder, leases.token",
);

/// A statement in the words of each database: SQLite's, PostgreSQL's.
pub(super) type Words = (&'static str, &'static str);

const RELEASE_ALL: Words = (
    "UPDATE leases SET until = $2 WHERE holder = $1 AND until > $2",
    "UPDATE leases SET until = $2 WHERE name IN (SELECT name FROM leases WHERE holder = $1 \
     AND until > $2 ORDER BY name FOR UPDATE)",
);

/// A statement in the words of a database.
pub(super) fn words(tx: &Tx, (sqlite, postgres): Words) -> &'static str {
    match tx {
        Tx::Sqlite(_) => sqlite,
        Tx::Postgres(_) => postgres,
    }
}
