//! Drift: what a look saw, against what was seen before.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Value, json};

use super::microseconds;
use super::records::{ByWhom, DriftKey, DriftSeen, NotSeen, SeenAccount, UnseenAccount};
use crate::names::{AccountId, ItemName, Region};
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;

/// In what is noted of looks: that the account cannot be looked at.
pub(super) const UNSEEN: &str = "unseen";
/// The targets that select the account.
pub(super) const TARGETS: &str = "targets";
/// How much drift went on after the last look in whole: what has ended since is as declared.
pub(super) const OPEN: &str = "open";

impl Store {
    /// Notes that accounts could not be looked at. What was seen there before stays, and is not known any
    /// more.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_unseen(&self, unseen: Vec<UnseenAccount>) -> Result<(), StoreError> {
        let unseen = Arc::new(unseen);
        let note = move |mut tx: Tx| {
            let unseen = Arc::clone(&unseen);
            async move {
                for unseen in unseen.iter() {
                    not_seen(&mut tx, unseen).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }

    /// Notes what a look saw in some accounts: drift begins, goes on or ends. What nobody could read
    /// ends nothing.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_seen(&self, seen: Vec<SeenAccount>) -> Result<(), StoreError> {
        let seen = Arc::new(seen);
        let note = move |mut tx: Tx| {
            let seen = Arc::clone(&seen);
            async move {
                for seen in seen.iter() {
                    in_account(&mut tx, seen).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }
}

/// Notes what a look saw in an account.
pub(super) async fn in_account(tx: &mut Tx, seen: &SeenAccount) -> Result<(), StoreError> {
    let open = open(tx, seen).await?;
    for drift in &seen.drifted {
        begins_or_goes_on(tx, seen, drift).await?;
    }
    let drifted: BTreeSet<&DriftKey> = seen.drifted.iter().map(|drift| &drift.key).collect();
    let unknown: BTreeSet<&DriftKey> = seen.unknown.iter().collect();
    let in_sync: BTreeSet<&DriftKey> = seen.in_sync.iter().collect();
    let goes_on = open.iter().filter(|key| unknown.contains(key) && !drifted.contains(key)).count();
    for key in &open {
        match () {
            () if drifted.contains(key) || unknown.contains(key) => {}
            () if in_sync.contains(key) => ends(tx, seen, key, false).await?,
            () if seen.is_whole => ends(tx, seen, key, true).await?,
            () => {}
        }
    }
    looked(tx, seen, seen.drifted.len() + goes_on).await
}

fn key(row: &Row, seen: &SeenAccount) -> Result<DriftKey, StoreError> {
    let item: ItemName = row.text(1)?.parse().map_err(|_| StoreError::Unreadable {
        what: "drift".to_owned(),
        why: "its item is none".to_owned(),
    })?;
    Ok(DriftKey {
        account: seen.account.clone(),
        region: Region::new(row.text(0)?),
        item,
        object: row.text(2)?.to_owned(),
    })
}

/// The drift of an account that has not ended.
async fn open(tx: &mut Tx, seen: &SeenAccount) -> Result<Vec<DriftKey>, StoreError> {
    let sql = "SELECT region, item, object FROM drifts WHERE account = $1 AND resolved IS NULL";
    let rows = tx.rows(sql, &[Arg::Text(seen.account.as_str())]).await?;
    rows.iter().map(|row| key(row, seen)).collect()
}

async fn begins_or_goes_on(
    tx: &mut Tx,
    seen: &SeenAccount,
    DriftSeen { key, about, by }: &DriftSeen,
) -> Result<(), StoreError> {
    let item = key.item.to_string();
    let place = [
        Arg::Text(key.account.as_str()),
        Arg::Text(key.region.as_str()),
        Arg::Text(&item),
        Arg::Text(&key.object),
    ];
    let sql = "SELECT about FROM drifts WHERE account = $1 AND region = $2 AND item = $3 \
               AND object = $4 AND resolved IS NULL";
    let there = tx.rows(sql, &place).await?;
    let mut about = about.clone();
    about["by"] = match there.first() {
        // Who opened it stays, whoever touches it later.
        Some(row) => row.json::<Value>(0)?["by"].take(),
        None => serde_json::to_value(since_written(tx, &place, by).await?)?,
    };
    let about = about.to_string();
    let [account, region, item, object] = place;
    let (time, run) = (Arg::Int(microseconds(seen.time)), Arg::Text(&seen.run));
    let sql = "INSERT INTO drifts (account, region, item, object, kind, first_seen, last_seen, \
               opened_in, about) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8) \
               ON CONFLICT (account, region, item, object) WHERE resolved IS NULL DO UPDATE SET \
               about = excluded.about, last_seen = CASE WHEN drifts.last_seen > excluded.last_seen \
               THEN drifts.last_seen ELSE excluded.last_seen END";
    let args =
        [account, region, item, object, Arg::Text(&key.item.kind), time, run, Arg::Text(&about)];
    tx.run(sql, &args).await?;
    Ok(())
}

/// Who of these may have done it: not who called before AWS accepted our own last write of the object.
async fn since_written(
    tx: &mut Tx,
    place: &[Arg<'_>; 4],
    by: &[ByWhom],
) -> Result<Vec<ByWhom>, StoreError> {
    if by.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT MAX(i.time) FROM intents i JOIN outcomes o ON o.run = i.run \
               AND o.change = i.change AND o.attempt = i.attempt AND o.outcome = 'applied' \
               WHERE i.account = $1 AND i.region = $2 AND i.item = $3 AND i.object = $4";
    let rows = tx.rows(sql, place).await?;
    let wrote = rows.first().map(|row| row.maybe_int(0)).transpose()?.flatten();
    let wrote = wrote.and_then(DateTime::from_timestamp_micros);
    let is_later = |by: &&ByWhom| wrote.is_none_or(|wrote| !by.is_before(wrote));
    Ok(by.iter().filter(is_later).cloned().collect())
}

/// Ends the drift of an object: by our own write, where there was one since it was last seen.
async fn ends(
    tx: &mut Tx,
    seen: &SeenAccount,
    key: &DriftKey,
    is_gone: bool,
) -> Result<(), StoreError> {
    let item = key.item.to_string();
    let sql = "UPDATE drifts SET \
               resolved = CASE WHEN last_seen > $5 THEN last_seen ELSE $5 END, \
               how = CASE WHEN EXISTS (SELECT 1 FROM intents i WHERE i.account = drifts.account \
               AND i.region = drifts.region AND i.item = drifts.item \
               AND i.object = drifts.object AND i.time >= drifts.last_seen) \
               THEN 'applied' ELSE $6 END, \
               resolved_in = COALESCE((SELECT i.run FROM intents i \
               WHERE i.account = drifts.account AND i.region = drifts.region \
               AND i.item = drifts.item AND i.object = drifts.object \
               AND i.time >= drifts.last_seen ORDER BY i.time DESC LIMIT 1), $7) \
               WHERE account = $1 AND region = $2 AND item = $3 AND object = $4 \
               AND resolved IS NULL";
    let args = [
        Arg::Text(key.account.as_str()),
        Arg::Text(key.region.as_str()),
        Arg::Text(&item),
        Arg::Text(&key.object),
        microseconds(seen.time).into(),
        Arg::Text(if is_gone { "gone" } else { "elsewhere" }),
        Arg::Text(&seen.run),
    ];
    tx.run(sql, &args).await?;
    Ok(())
}

async fn not_seen(tx: &mut Tx, unseen: &UnseenAccount) -> Result<(), StoreError> {
    let mut about = counted(tx, &unseen.account).await?.unwrap_or_else(|| json!({}));
    let before: Option<NotSeen> = serde_json::from_value(about[UNSEEN].take()).ok();
    let since = before.map_or(unseen.time, |before| before.since);
    about[UNSEEN] =
        serde_json::to_value(NotSeen { since, why: unseen.why.clone(), was_seen: false })?;
    about[TARGETS] = selecting(Some(&about), &unseen.targets).into();
    let sql = "INSERT INTO looks (account, name, run, time, about) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (account) DO UPDATE SET about = excluded.about";
    let about = about.to_string();
    let args = [
        Arg::Text(unseen.account.as_str()),
        unseen.name.as_deref().into(),
        Arg::Text(&unseen.run),
        microseconds(unseen.time).into(),
        Arg::Text(&about),
    ];
    tx.run(sql, &args).await?;
    Ok(())
}

/// What was counted in an account.
async fn counted(tx: &mut Tx, account: &AccountId) -> Result<Option<Value>, StoreError> {
    let sql = "SELECT about FROM looks WHERE account = $1";
    let rows = tx.rows(sql, &[Arg::Text(account.as_str())]).await?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// The targets that select an account: those that are known to and those of a run.
fn selecting(before: Option<&Value>, of_run: &[String]) -> Vec<Value> {
    let known = before.and_then(|before| before[TARGETS].as_array().cloned());
    let mut all = known.unwrap_or_default();
    for target in of_run.iter().map(|target| json!(target)) {
        if !all.contains(&target) {
            all.push(target);
        }
    }
    all
}

/// Notes when the account was looked at, and how much drift goes on there.
async fn looked(tx: &mut Tx, seen: &SeenAccount, open: usize) -> Result<(), StoreError> {
    let time = microseconds(seen.time);
    let before = counted(tx, &seen.account).await?;
    let targets = selecting(before.as_ref(), &seen.targets);
    let mut about = match before.filter(|_| !seen.is_whole) {
        // A look at a part counts nothing, and shows that the account can be looked at.
        Some(mut before) => {
            if let Some(about) = before.as_object_mut() {
                about.remove(UNSEEN);
            }
            before
        }
        None => json!({
            "drifted": seen.drifted.len(),
            "in_sync": seen.in_sync.len(),
            "unknown": seen.unknown.len().saturating_sub(seen.excepted),
            "excepted": seen.excepted,
            OPEN: open,
        }),
    };
    about[TARGETS] = targets.into();
    let about = about.to_string();
    let sql = "INSERT INTO looks (account, name, run, time, whole, about) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account) DO UPDATE SET \
               name = COALESCE(excluded.name, looks.name), run = excluded.run, \
               time = excluded.time, whole = COALESCE(excluded.whole, looks.whole), \
               about = excluded.about";
    let args = [
        Arg::Text(seen.account.as_str()),
        seen.name.as_deref().into(),
        Arg::Text(&seen.run),
        time.into(),
        seen.is_whole.then_some(time).into(),
        Arg::Text(&about),
    ];
    tx.run(sql, &args).await?;
    Ok(())
}
