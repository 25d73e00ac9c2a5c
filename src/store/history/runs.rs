//! Runs.

use super::records::RunRecord;
use super::{Ending, microseconds, time};
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;

pub(super) const COLUMNS: &str = "run, command, began, ended, outcome, about";

pub(super) fn record(row: &Row) -> Result<RunRecord, StoreError> {
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
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }
}
