//! Changes: the intent before a write, and what came of it.

use super::microseconds;
use super::records::{Intent, Outcome, Verified};
use crate::names::AccountId;
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;
use crate::store::lease;

pub(super) const COLUMNS: &str =
    "i.run, i.change, i.time, i.account, i.region, i.item, i.object, i.actor, i.token, i.about";

pub(super) fn intent(row: &Row) -> Result<Intent, StoreError> {
    let strange = |what: &str| StoreError::Unreadable {
        what: "change".to_owned(),
        why: format!("its {what} is none"),
    };
    Ok(Intent {
        run: row.text(0)?.to_owned(),
        change: u32::try_from(row.int(1)?).map_err(|_| strange("id"))?,
        time: super::time(row.int(2)?),
        account: row.text(3)?.parse().map_err(|_| strange("account"))?,
        region: crate::names::Region::new(row.text(4)?),
        item: row.text(5)?.parse().map_err(|_| strange("item"))?,
        object: row.text(6)?.to_owned(),
        actor: row.text(7)?.to_owned(),
        token: row.maybe_int(8)?,
        about: row.json(9)?,
    })
}

/// The latest try of a change, and whether it has failed.
async fn latest(tx: &mut Tx, run: &str, change: u32) -> Result<i64, StoreError> {
    let sql = "SELECT COALESCE(MAX(attempt), 0) FROM intents WHERE run = $1 AND change = $2";
    let rows = tx.rows(sql, &[Arg::Text(run), i64::from(change).into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

impl Store {
    /// Notes that a write is about to be sent. It is not when this fails.
    ///
    /// # Errors
    /// The store cannot be asked; somebody else works on the account ([`StoreError::LeaseLost`]); or
    /// the change was begun before and has not failed since.
    pub async fn begin_change(&self, intent: &Intent) -> Result<(), StoreError> {
        self.begun(intent, true).await
    }

    /// Notes that a write was about to be sent by who is dead since, whoever works on the account now.
    ///
    /// # Errors
    /// The store cannot be asked; or the change was begun before and has not failed since, or its run is
    /// not known.
    pub(super) async fn begin_change_late(&self, intent: &Intent) -> Result<(), StoreError> {
        self.begun(intent, false).await
    }

    async fn begun(&self, intent: &Intent, is_now: bool) -> Result<(), StoreError> {
        let (intent, about) = (intent.clone(), serde_json::to_string(&intent.about)?);
        let begin = move |mut tx: Tx| {
            let (intent, about) = (intent.clone(), about.clone());
            async move {
                if is_now {
                    lease::holds(&mut tx, intent.account.as_str(), intent.token).await?;
                }
                let before = latest(&mut tx, &intent.run, intent.change).await?;
                // That the try before has failed is for the tables to check.
                let (again, because) = match before {
                    0 => (None, None),
                    before => (Some(before), Some("failed")),
                };
                let (item, kind) = (intent.item.to_string(), &intent.item.kind);
                let args = [
                    Arg::Text(&intent.run),
                    i64::from(intent.change).into(),
                    (before + 1).into(),
                    again.into(),
                    because.into(),
                    microseconds(intent.time).into(),
                    Arg::Text(intent.account.as_str()),
                    Arg::Text(intent.region.as_str()),
                    Arg::Text(kind),
                    Arg::Text(&item),
                    Arg::Text(&intent.object),
                    Arg::Text(&intent.actor),
                    intent.token.into(),
                    Arg::Text(&about),
                ];
                let sql = "INSERT INTO intents (run, change, attempt, again_after, again_because, \
                           time, account, region, kind, item, object, actor, token, about) VALUES \
                           ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
                tx.run(sql, &args).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(begin).await
    }

    /// Notes what came of the latest try of a change.
    ///
    /// # Errors
    /// The store cannot be asked; or the change was never begun, or has its outcome already.
    pub async fn end_change(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let (outcome, about) = (outcome.clone(), serde_json::to_string(&outcome.about)?);
        let end = move |mut tx: Tx| {
            let (outcome, about) = (outcome.clone(), about.clone());
            async move {
                // Of a change that was never begun, the tables refuse the outcome of its first try.
                let attempt = latest(&mut tx, &outcome.run, outcome.change).await?.max(1);
                let sql = "INSERT INTO outcomes (run, change, attempt, time, outcome, actor, about) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7)";
                let args = [
                    Arg::Text(&outcome.run),
                    i64::from(outcome.change).into(),
                    attempt.into(),
                    microseconds(outcome.time).into(),
                    Arg::Text(outcome.outcome.word()),
                    Arg::Text(&outcome.actor),
                    Arg::Text(&about),
                ];
                tx.run(sql, &args).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(end).await
    }

    /// Notes how an object is after its changes, and ends its drift where it is as declared.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_verified(&self, verified: &Verified) -> Result<(), StoreError> {
        self.noted_verified(verified, false).await
    }

    /// The same, long after: drift that began since then goes on.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub(super) async fn note_verified_late(&self, verified: &Verified) -> Result<(), StoreError> {
        self.noted_verified(verified, true).await
    }

    async fn noted_verified(&self, verified: &Verified, is_late: bool) -> Result<(), StoreError> {
        let (seen, after) = (verified.clone(), serde_json::to_string(&verified.after)?);
        let note = move |mut tx: Tx| {
            let (seen, after) = (seen.clone(), after.clone());
            async move {
                let item = seen.object.item.to_string();
                let key = [
                    Arg::Text(seen.object.account.as_str()),
                    Arg::Text(seen.object.region.as_str()),
                    Arg::Text(&item),
                    Arg::Text(&seen.object.object),
                    microseconds(seen.time).into(),
                ];
                let sql = "INSERT INTO verified (account, region, item, object, time, run, \
                           in_sync, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                           ON CONFLICT (run, account, region, item, object) DO UPDATE SET \
                           time = excluded.time, in_sync = excluded.in_sync, after = excluded.after";
                let [account, region, item, object, time] = key;
                let (run, in_sync) = (Arg::Text(&seen.run), i64::from(seen.in_sync).into());
                let all = [account, region, item, object, time, run, in_sync, Arg::Text(&after)];
                tx.run(sql, &all).await?;
                if seen.in_sync {
                    let sql = "UPDATE drifts SET how = 'applied', resolved_in = $6, resolved = \
                               CASE WHEN last_seen > $5 THEN last_seen ELSE $5 END \
                               WHERE account = $1 AND region = $2 AND item = $3 AND object = $4 \
                               AND resolved IS NULL AND ($7 = 0 OR first_seen <= $5)";
                    let is_late = i64::from(is_late).into();
                    tx.run(sql, &[account, region, item, object, time, run, is_late]).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }

    /// The writes that have no outcome, in some accounts or all: the run died in them, or is in hand.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn unfinished(&self, account: Option<&AccountId>) -> Result<Vec<Intent>, StoreError> {
        let account = account.map(ToString::to_string);
        let look = move |mut tx: Tx| {
            let account = account.clone();
            async move {
                // By the keys alone, which are found without reading the rows; the order of CROSS JOIN
                // is kept by SQLite.
                let sql = sqlx::AssertSqlSafe(format!(
                    "SELECT {COLUMNS} FROM (SELECT k.run AS run, k.change AS change, \
                     k.attempt AS attempt FROM intents k LEFT JOIN outcomes o ON o.run = k.run \
                     AND o.change = k.change AND o.attempt = k.attempt WHERE o.run IS NULL) x \
                     CROSS JOIN intents i WHERE i.run = x.run AND i.change = x.change \
                     AND i.attempt = x.attempt AND (CAST($1 AS TEXT) IS NULL OR i.account = $1)"
                ));
                let rows = tx.rows(sql, &[account.as_deref().into()]).await?;
                let mut found = rows.iter().map(intent).collect::<Result<Vec<_>, _>>()?;
                found.sort_by_key(|intent| intent.time);
                Ok((tx, found))
            }
        };
        self.db.read(look).await
    }
}
