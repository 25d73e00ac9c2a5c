//! Who did it, where the event that tells of it came after the look that saw it: whoever called what may have done it,
//! after it was right last and before it was seen, is named beside those who are already.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::callers;
use super::records::{ByWhom, SeenAccount, Touched};
use super::rows::{DriftRow, PAST, Rows};
use super::{microseconds, time};
use crate::names::AccountId;
use crate::store::Store;
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;
use crate::store::history::{Entry, Filter, What};

/// The latest run that named somebody for it, where that was later than the one that saw it first.
const NAMED_IN: &str = "named_in";
/// Whom that run named.
const NAMED_LATE: &str = "named_late";
/// Whom it named for what differs no longer, while the rest does.
const NAMED_PAST: &str = "named_past";

/// So many times an object may have drifted since the oldest of the calls that are told together.
const DRIFTS: i64 = 50;

/// What was noted of drift that goes on stays.
pub(super) fn stays(before: &mut Value, about: &mut Value) {
    for field in [NAMED_IN, NAMED_LATE, NAMED_PAST] {
        if !before[field].is_null() {
            about[field] = before[field].take();
        }
    }
}

/// Names who touched an object for what their call may have made of it: what was seen next of each field. What they made
/// may have been put right before that.
pub(super) async fn named(tx: &mut Tx, seen: &SeenAccount) -> Result<(), StoreError> {
    for Touched { key, by } in &seen.touched {
        let item = key.item.to_string();
        let place = [
            Arg::Text(key.account.as_str()),
            Arg::Text(key.region.as_str()),
            Arg::Text(&item),
            Arg::Text(&key.object),
        ];
        let Some(oldest) = by.iter().flat_map(ByWhom::times).min() else { continue };
        let [account, region, item, object] = place;
        let sql = "SELECT first_seen, about FROM drifts WHERE account = $1 AND region = $2 \
                   AND item = $3 AND object = $4 AND (resolved IS NULL OR resolved >= $5) \
                   ORDER BY first_seen DESC LIMIT $6";
        let args = [account, region, item, object, microseconds(oldest).into(), DRIFTS.into()];
        for (at, row) in tx.rows(sql, &args).await?.iter().enumerate() {
            let (first_seen, about): (i64, Value) = (row.int(0)?, row.json(1)?);
            add(tx, seen, &place, (first_seen, about), by, at == 0).await?;
        }
    }
    Ok(())
}

/// Names for a drift who may have done it and is not named yet. `is_latest` is whether the object has not drifted since.
async fn add(
    tx: &mut Tx,
    seen: &SeenAccount,
    place: &[Arg<'_>; 4],
    (first_seen, mut about): (i64, Value),
    by: &[ByWhom],
    is_latest: bool,
) -> Result<(), StoreError> {
    let before = Rows::of(&about, time(first_seen))?;
    let mut rows = before.clone();
    let (mut named, mut named_past) = (Vec::new(), Vec::new());
    let of_before = before.by();
    for by in by {
        let [now, past] = rows.name(by, is_latest);
        let is_new = |by: &ByWhom| !of_before.iter().any(|before| before.is_alike(by));
        named.extend(now.filter(is_new));
        named_past.extend(past);
    }
    if rows == before {
        return Ok(());
    }
    if !named.is_empty() || !named_past.is_empty() {
        about[NAMED_IN] = json!(seen.run);
        about[NAMED_LATE] = serde_json::to_value(callers::together(&named))?;
        about[NAMED_PAST] = serde_json::to_value(callers::together(&named_past))?;
    }
    rows.note(&mut about)?;
    let about = about.to_string();
    let sql = "UPDATE drifts SET about = $6 WHERE account = $1 AND region = $2 AND item = $3 \
               AND object = $4 AND first_seen = $5";
    let [account, region, item, object] = *place;
    let args = [account, region, item, object, first_seen.into(), Arg::Text(&about)];
    tx.run(sql, &args).await?;
    Ok(())
}

/// Drift for which somebody was named after it, or some of it, was put right.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLate {
    /// The drift's end; its beginning, where only some of it was put right.
    pub entry: Entry,
    /// Who was named last.
    pub added: Vec<ByWhom>,
    /// What was put right, where the rest was not.
    pub past: Vec<DriftRow>,
}

impl NamedLate {
    fn of(entry: Entry) -> Result<Option<Self>, StoreError> {
        let named = |name: &str| -> Result<Vec<ByWhom>, StoreError> {
            let all: Option<Vec<ByWhom>> = serde_json::from_value(entry.about[name].clone())?;
            Ok(all.unwrap_or_default())
        };
        let is_over = entry.what == What::Resolved;
        let added = named(if is_over { NAMED_LATE } else { NAMED_PAST })?;
        let mut past: Vec<DriftRow> = match &entry.about[PAST] {
            Value::Null => Vec::new(),
            _ if is_over => Vec::new(),
            rows => serde_json::from_value(rows.clone())?,
        };
        past.retain(|row| row.by.iter().any(|by| added.iter().any(|one| one.is_alike(by))));
        Ok((!added.is_empty()).then_some(Self { entry, added, past }))
    }
}

impl Store {
    /// The drift of an account that was put right since a time, and for which a run has named somebody later.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn named_late(
        &self,
        run: &str,
        account: &AccountId,
        since: DateTime<Utc>,
    ) -> Result<Vec<NamedLate>, StoreError> {
        let ended = Filter {
            account: Some(account.clone()),
            since: Some(since),
            what: Some(What::Resolved),
            ..Filter::default()
        };
        let mut all = self.entries(&ended).await?;
        let open = self.open_drift_of(account).await?;
        all.extend(open);
        all.retain(|entry| entry.about[NAMED_IN] == *run);
        let named = all.into_iter().filter_map(|entry| NamedLate::of(entry).transpose());
        named.collect()
    }
}
