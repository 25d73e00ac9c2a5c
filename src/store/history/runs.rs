//! Runs.

use chrono::{DateTime, Utc};

use super::records::{RunAbout, RunRecord};
use super::{Ending, alive, microseconds, time};
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;

/// Of `runs`; the last two are up to when a sign of life of the run holds, and for how long each does.
pub(super) const COLUMNS: &str = "run, command, began, ended, outcome, about, \
     (SELECT l.until FROM leases l WHERE l.name = 'run/' || runs.run), \
     (SELECT l.term FROM leases l WHERE l.name = 'run/' || runs.run)";

/// A run as it is by now, by the store's clock: one that has not ended and gives no sign of life any more was
/// killed.
pub(super) fn record(row: &Row, now: i64) -> Result<RunRecord, StoreError> {
    let run = noted(row)?;
    let Some(until) = row.maybe_int(6)?.filter(|until| run.ended.is_none() && *until <= now) else {
        return Ok(run);
    };
    let last = until - row.maybe_int(7)?.unwrap_or_default();
    Ok(RunRecord {
        ended: Some(time(last).max(run.began)),
        outcome: Some(Ending::Interrupted),
        about: RunAbout { killed: true, ..run.about },
        ..run
    })
}

/// A run as it was noted.
fn noted(row: &Row) -> Result<RunRecord, StoreError> {
    let outcome = row.maybe_text(4)?.map(|word| {
        Ending::of(word).ok_or_else(|| StoreError::Unreadable {
            what: "outcome of a run".to_owned(),
            why: format!("it is {word:?}"),
        })
    });
    Ok(RunRecord {
        run: row.text(0)?.to_owned(),
        command: row.text(1)?.to_owned(),
        began: time(row.int(2)?),
        ended: row.maybe_int(3)?.map(time),
        outcome: outcome.transpose()?,
        about: row.json(5)?,
    })
}

impl Store {
    /// Notes a run, or what has become of it.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_run(&self, run: &RunRecord) -> Result<(), StoreError> {
        let (run, about) = (run.clone(), serde_json::to_string(&run.about)?);
        let note = move |mut tx: Tx| {
            let (run, about) = (run.clone(), about.clone());
            async move {
                let sql = "INSERT INTO runs (run, command, began, ended, outcome, about) \
                           VALUES ($1, $2, $3, $4, $5, $6) \
                           ON CONFLICT (run) DO UPDATE SET ended = excluded.ended, \
                           outcome = excluded.outcome, about = excluded.about";
                let args = [
                    Arg::Text(&run.run),
                    Arg::Text(&run.command),
                    microseconds(run.began).into(),
                    run.ended.map(microseconds).into(),
                    run.outcome.map(Ending::word).into(),
                    Arg::Text(&about),
                ];
                tx.run(sql, &args).await?;
                if run.ended.is_some() {
                    alive::ends(&mut tx, &run.run).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }

    /// Notes that a run was killed, unless it has ended. One that goes on all the same says so when it
    /// ends.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_killed(&self, run: &str) -> Result<(), StoreError> {
        self.killed("run = $1", Killed::Run(run.to_owned())).await
    }

    /// The same of all runs that began before a time.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_all_killed(&self, began_before: DateTime<Utc>) -> Result<(), StoreError> {
        self.killed("began < $1", Killed::Before(microseconds(began_before))).await
    }

    /// Notes of a run, if it is known, that a change of it which failed is there all the same.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_found(&self, run: &str, change: u32) -> Result<(), StoreError> {
        let run = run.to_owned();
        let note = move |mut tx: Tx| {
            let run = run.clone();
            async move {
                let sql = format!("SELECT {COLUMNS} FROM runs WHERE run = $1");
                let rows = tx.rows(sqlx::AssertSqlSafe(sql), &[Arg::Text(&run)]).await?;
                for row in rows {
                    let mut about = noted(&row)?.about;
                    about.found.push(change);
                    let about = serde_json::to_string(&about)?;
                    let sql = "UPDATE runs SET about = $2 WHERE run = $1";
                    tx.run(sql, &[Arg::Text(&run), Arg::Text(&about)]).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }

    async fn killed(&self, which: &'static str, given: Killed) -> Result<(), StoreError> {
        let note = move |mut tx: Tx| {
            let given = given.clone();
            async move {
                let sql = format!("SELECT {COLUMNS} FROM runs WHERE ended IS NULL AND {which}");
                let rows = tx.rows(sqlx::AssertSqlSafe(sql), &[given.arg()]).await?;
                for row in rows {
                    let run = noted(&row)?;
                    let about = RunAbout { killed: true, ..run.about };
                    let about = serde_json::to_string(&about)?;
                    // It was heard of last when it began to write something, or began.
                    let sql = "UPDATE runs SET outcome = $2, about = $3, ended = \
                               (SELECT COALESCE(MAX(i.time), runs.began) FROM intents i \
                               WHERE i.run = runs.run) WHERE run = $1";
                    let word = Arg::Text(Ending::Interrupted.word());
                    tx.run(sql, &[Arg::Text(&run.run), word, Arg::Text(&about)]).await?;
                    alive::ends(&mut tx, &run.run).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }
}

/// Which runs were killed.
#[derive(Debug, Clone)]
enum Killed {
    Run(String),
    Before(i64),
}

impl Killed {
    fn arg(&self) -> Arg<'_> {
        match self {
            Self::Run(run) => Arg::Text(run),
            Self::Before(time) => Arg::Int(*time),
        }
    }
}
