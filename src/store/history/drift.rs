//! Drift: what a look saw, against what was seen before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::counts::{self, TARGETS, UNSEEN};
use super::records::{DriftKey, DriftSeen, Extent, NotSeen, SeenAccount, UnseenAccount};
use super::rows::{LOOKED, Moment, Rows};
use super::written::Written;
use super::{hindered, late, microseconds, rights, time};
use crate::names::{AccountId, Region};
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;

/// In what is noted of drift: that the last look, which counted it so, could not read it, or found it excepted.
pub const UNREAD: &str = "unread";

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
                    late::named(&mut tx, seen).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }
}

/// Drift of an account that has not ended.
struct Open {
    last_seen: i64,
    about: Value,
    /// The targets whose looks have seen it.
    targets: BTreeSet<String>,
}

/// Notes what a look saw in an account.
pub(super) async fn in_account(tx: &mut Tx, seen: &SeenAccount) -> Result<(), StoreError> {
    let mut open = open(tx, &seen.account).await?;
    let rights = rights::of(tx, &seen.account).await?;
    let by: &[String] = match &seen.extent {
        Extent::Account => &seen.targets,
        Extent::Target(target) => std::slice::from_ref(target),
        Extent::Part => &[],
    };
    let is_counted = |targets: &BTreeSet<String>| match &seen.extent {
        // What several targets have seen is counted for one of them.
        Extent::Target(target) => targets.first() == Some(target),
        Extent::Account | Extent::Part => true,
    };
    let mut going_on = 0;
    for drift in &seen.drifted {
        let before = open.remove(&drift.key);
        let mut targets = before.map(|open| open.targets).unwrap_or_default();
        targets.extend(by.iter().cloned());
        going_on += usize::from(is_counted(&targets));
        begins_or_goes_on(tx, seen, drift, rights.last(&drift.key), &targets).await?;
    }
    for key in &seen.unknown {
        let Some(mut before) = open.remove(key) else { continue };
        let count = before.targets.len();
        before.targets.extend(by.iter().cloned());
        going_on += usize::from(is_counted(&before.targets));
        let was_read = before.about[UNREAD].is_null();
        // A look at a part counts nothing, so that it is counted as drift still.
        let is_counted_so = seen.extent != Extent::Part && was_read;
        if is_counted_so {
            before.about[UNREAD] = json!(true);
        }
        if is_counted_so || before.targets.len() != count {
            noted_for(tx, key, before).await?;
        }
    }
    for key in &seen.in_sync {
        if open.remove(key).is_some() {
            ends(tx, seen, key, false).await?;
        }
    }
    let whole = looked(tx, seen, going_on).await?;
    rights::note(tx, &rights, seen).await?;
    for (key, mut open) in open {
        let Extent::Target(target) = &seen.extent else {
            if seen.extent == Extent::Account {
                ends(tx, seen, &key, true).await?;
            }
            continue;
        };
        let was_of = open.targets.remove(target);
        // What no target has seen since is declared by none.
        let is_nobodys = whole.is_some_and(|whole| open.last_seen < whole);
        match open.targets.is_empty() && (was_of || is_nobodys) {
            true => ends(tx, seen, &key, true).await?,
            false if was_of => noted_for(tx, &key, open).await?,
            false => {}
        }
    }
    Ok(())
}

/// Ends the drift in an account that only targets have seen which do not select it any more.
pub(super) async fn left_by(
    tx: &mut Tx,
    seen: &SeenAccount,
    left: &BTreeSet<String>,
) -> Result<(), StoreError> {
    for (key, mut open) in open(tx, &seen.account).await? {
        let count = open.targets.len();
        open.targets.retain(|target| !left.contains(target));
        match (open.targets.len() == count, open.targets.is_empty()) {
            (true, _) => {}
            (false, true) => ends(tx, seen, &key, true).await?,
            (false, false) => noted_for(tx, &key, open).await?,
        }
    }
    Ok(())
}

fn strange(what: &str) -> StoreError {
    StoreError::Unreadable { what: "drift".to_owned(), why: format!("its {what} is none") }
}

/// The drift of an account that has not ended.
async fn open(tx: &mut Tx, account: &AccountId) -> Result<BTreeMap<DriftKey, Open>, StoreError> {
    let sql = "SELECT region, item, object, last_seen, about FROM drifts \
               WHERE account = $1 AND resolved IS NULL";
    let rows = tx.rows(sql, &[Arg::Text(account.as_str())]).await?;
    let one = |row: &Row| {
        let key = DriftKey {
            account: account.clone(),
            region: Region::new(row.text(0)?),
            item: row.text(1)?.parse().map_err(|_| strange("item"))?,
            object: row.text(2)?.to_owned(),
        };
        let about: Value = row.json(4)?;
        let targets = counts::targets(&about);
        Ok::<_, StoreError>((key, Open { last_seen: row.int(3)?, about, targets }))
    };
    rows.iter().map(one).collect()
}

/// Notes which targets' looks have seen drift.
async fn noted_for(tx: &mut Tx, key: &DriftKey, open: Open) -> Result<(), StoreError> {
    let Open { mut about, targets, .. } = open;
    about[TARGETS] = json!(targets);
    let (item, about) = (key.item.to_string(), about.to_string());
    let sql = "UPDATE drifts SET about = $5 WHERE account = $1 AND region = $2 AND item = $3 \
               AND object = $4 AND resolved IS NULL";
    let args = [
        Arg::Text(key.account.as_str()),
        Arg::Text(key.region.as_str()),
        Arg::Text(&item),
        Arg::Text(&key.object),
        Arg::Text(&about),
    ];
    tx.run(sql, &args).await?;
    Ok(())
}

async fn begins_or_goes_on(
    tx: &mut Tx,
    seen: &SeenAccount,
    DriftSeen { key, about, rows }: &DriftSeen,
    right: Option<DateTime<Utc>>,
    targets: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let item = key.item.to_string();
    let place = [
        Arg::Text(key.account.as_str()),
        Arg::Text(key.region.as_str()),
        Arg::Text(&item),
        Arg::Text(&key.object),
    ];
    let sql = "SELECT about, first_seen, last_seen FROM drifts WHERE account = $1 AND region = $2 \
               AND item = $3 AND object = $4 AND resolved IS NULL";
    let there = tx.rows(sql, &place).await?;
    let mut about = about.clone();
    let wrote = Written::until(tx, &place, seen.time).await?;
    let (before, looked) = match there.first() {
        Some(row) => {
            let mut before: Value = row.json(0)?;
            hindered::stays(&mut before, &mut about);
            late::stays(&mut before, &mut about);
            let looked: Option<DateTime<Utc>> = serde_json::from_value(before[LOOKED].take())?;
            // An earlier version noted only when that look was over.
            let looked = looked.unwrap_or(time(row.int(2)?));
            (Rows::of(&before, time(row.int(1)?))?, Some(looked))
        }
        None => (Rows::default(), None),
    };
    let moment = Moment { seen: seen.time, looked, right };
    before.after(rows, moment, &|field| wrote.last(field)).note(&mut about)?;
    about[LOOKED] = serde_json::to_value(looked.max(Some(seen.began)))?;
    if !targets.is_empty() {
        about[TARGETS] = json!(targets);
    }
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
    let mut targets = counts::targets(&about);
    targets.extend(unseen.targets.iter().cloned());
    about[TARGETS] = json!(targets);
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

/// Notes when the account was looked at, and how much of the drift that was seen goes on there; gives when all
/// of its targets had been looked at, each by itself.
async fn looked(tx: &mut Tx, seen: &SeenAccount, open: usize) -> Result<Option<i64>, StoreError> {
    let time = microseconds(seen.time);
    let before = counted(tx, &seen.account).await?;
    let about = counts::after(before, seen, open, time);
    let by_targets = counts::whole(&about);
    let whole = match seen.extent {
        Extent::Account => Some(time),
        Extent::Target(_) => by_targets,
        Extent::Part => None,
    };
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
        whole.into(),
        Arg::Text(&about),
    ];
    tx.run(sql, &args).await?;
    Ok(by_targets)
}
