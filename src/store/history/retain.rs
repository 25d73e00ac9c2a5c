//! What is old is forgotten: runs with their changes, and drift that has ended. What is not finished
//! stays, however old: a write without outcome, drift that goes on.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::microseconds;
use crate::store::Store;
use crate::store::db::Tx;
use crate::store::error::StoreError;
use crate::store::memory;

/// How much was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Runs, with their changes.
    pub runs: u64,
    /// Drift that had ended.
    pub drifts: u64,
}

/// Rows at a time: others write meanwhile.
const AT_ONCE: u64 = 1_000;

/// No run takes longer than this, but for one that waits for somebody, which says later how it ended.
const LONGEST_RUN: TimeDelta = TimeDelta::days(1);

/// The document that says on which day the history was last gone through.
const FORGOTTEN: &str = "history/forgotten";

impl Store {
    /// Forgets what ended longer ago than `keep`, unless that was done today by whomever. What has not ended
    /// for a day has been killed.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn forget_daily(&self, keep: TimeDelta) -> Result<Removed, StoreError> {
        let today = Utc::now().date_naive();
        let mut is_due = false;
        memory::change(self, FORGOTTEN, |last: Option<NaiveDate>| {
            is_due = last.is_none_or(|last| last < today);
            is_due.then_some(today)
        })
        .await?;
        if is_due {
            self.note_all_killed(Utc::now() - LONGEST_RUN).await?;
        }
        match Utc::now().checked_sub_signed(keep).filter(|_| is_due) {
            Some(before) => self.forget_before(before).await,
            None => Ok(Removed::default()),
        }
    }

    /// Forgets what ended before a time.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn forget_before(&self, time: DateTime<Utc>) -> Result<Removed, StoreError> {
        let before = microseconds(time);
        let mut all = Removed::default();
        loop {
            let forget = move |mut tx: Tx| async move {
                let runs = "DELETE FROM runs WHERE run IN (SELECT r.run FROM runs r \
                            WHERE r.began < $1 AND (r.ended IS NULL OR r.ended < $1) \
                            AND NOT EXISTS (SELECT 1 FROM intents i LEFT JOIN outcomes o \
                            ON o.run = i.run AND o.change = i.change AND o.attempt = i.attempt \
                            WHERE i.run = r.run AND o.run IS NULL) LIMIT 1000)";
                let runs = tx.run(runs, &[before.into()]).await?;
                let drifts = "DELETE FROM drifts WHERE (account, region, item, object, first_seen) \
                              IN (SELECT account, region, item, object, first_seen FROM drifts \
                              WHERE resolved < $1 LIMIT 1000)";
                let drifts = tx.run(drifts, &[before.into()]).await?;
                Ok((tx, Removed { runs, drifts }))
            };
            let removed = self.db.write(forget).await?;
            all.runs += removed.runs;
            all.drifts += removed.drifts;
            if removed.runs < AT_ONCE && removed.drifts < AT_ONCE {
                return Ok(all);
            }
        }
    }
}
