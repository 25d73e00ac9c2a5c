//! Who did it, where the event that tells of it came after the look that saw it: what nobody is named for is
//! theirs, if it was seen since they called and was right before.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::records::{ByWhom, SeenAccount, Touched};
use super::time;
use super::written::since_written;
use crate::names::AccountId;
use crate::store::Store;
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;
use crate::store::history::{Entry, Filter, What};

/// In what is noted of drift: when the object was as declared last before it.
pub(super) const RIGHT: &str = "right";
/// The run that named somebody for it, where that was later than the one that saw it first.
const NAMED_IN: &str = "named_in";

/// What was noted of drift that goes on stays.
pub(super) fn stays(before: &mut Value, about: &mut Value) {
    for field in [RIGHT, NAMED_IN] {
        if !before[field].is_null() {
            about[field] = before[field].take();
        }
    }
}

/// Names who touched an object for its latest drift, if nobody is.
pub(super) async fn named(tx: &mut Tx, seen: &SeenAccount) -> Result<(), StoreError> {
    for Touched { key, by } in &seen.touched {
        let item = key.item.to_string();
        let place = [
            Arg::Text(key.account.as_str()),
            Arg::Text(key.region.as_str()),
            Arg::Text(&item),
            Arg::Text(&key.object),
        ];
        let sql = "SELECT first_seen, about FROM drifts WHERE account = $1 AND region = $2 \
                   AND item = $3 AND object = $4 ORDER BY first_seen DESC LIMIT 1";
        let rows = tx.rows(sql, &place).await?;
        let Some(row) = rows.first() else { continue };
        let (first_seen, mut about): (i64, Value) = (row.int(0)?, row.json(1)?);
        if about["by"].as_array().is_some_and(|by| !by.is_empty()) {
            continue;
        }
        let right: Option<DateTime<Utc>> = serde_json::from_value(about[RIGHT].clone())?;
        let may_have = |by: &&ByWhom| {
            by.time.is_some_and(|call| call <= time(first_seen))
                && right.is_none_or(|right| !by.is_before(right))
        };
        let may_have: Vec<ByWhom> = by.iter().filter(may_have).cloned().collect();
        let by = since_written(tx, &place, &may_have, first_seen).await?;
        if by.is_empty() {
            continue;
        }
        about["by"] = serde_json::to_value(by)?;
        about[NAMED_IN] = json!(seen.run);
        let about = about.to_string();
        let sql = "UPDATE drifts SET about = $6 WHERE account = $1 AND region = $2 AND item = $3 \
                   AND object = $4 AND first_seen = $5";
        let [account, region, item, object] = place;
        let args = [account, region, item, object, first_seen.into(), Arg::Text(&about)];
        tx.run(sql, &args).await?;
    }
    Ok(())
}

impl Store {
    /// The drift of an account, seen first since a time, for which a run has named somebody later, and which our own
    /// write has ended since.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn named_late(
        &self,
        run: &str,
        account: &AccountId,
        since: DateTime<Utc>,
    ) -> Result<Vec<Entry>, StoreError> {
        let filter = Filter {
            account: Some(account.clone()),
            since: Some(since),
            what: Some(What::Resolved),
            ..Filter::default()
        };
        let mut all = self.entries(&filter).await?;
        all.retain(|entry| {
            entry.about[NAMED_IN] == *run && entry.about["how"] == What::Applied.word()
        });
        Ok(all)
    }
}
