//! Who did it, where the event that tells of it came after the look that saw it: whoever called what may have done it,
//! after it was right last and before it was seen, is named beside those who are already.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::records::{ByWhom, SeenAccount, Touched};
use super::written::since_written;
use super::{microseconds, time};
use crate::names::AccountId;
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;
use crate::store::history::{Entry, Filter, What};

/// In what is noted of drift: the calls that cannot have made what was seen first.
pub const NOT_BY: &str = "not_by";
/// When the object was as declared last before it.
pub(super) const RIGHT: &str = "right";
/// The latest run that named somebody for it, where that was later than the one that saw it first.
const NAMED_IN: &str = "named_in";
/// Whom that run named.
const NAMED_LATE: &str = "named_late";

/// Who is named of one drift at most.
const MOST: usize = 20;
/// So many times an object may have drifted since the oldest of the calls that are told together.
const DRIFTS: i64 = 50;

/// What was noted of drift that goes on stays.
pub(super) fn stays(before: &mut Value, about: &mut Value) {
    for field in [RIGHT, NAMED_IN, NAMED_LATE, NOT_BY] {
        if !before[field].is_null() {
            about[field] = before[field].take();
        }
    }
}

/// A drift of an object.
struct Drift {
    first_seen: i64,
    about: Value,
    /// Who may have done it.
    may_have: Vec<ByWhom>,
}

impl Drift {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { first_seen: row.int(0)?, about: row.json(1)?, may_have: Vec::new() })
    }

    /// Whether somebody may have done it, who called before it was seen. Of one before the latest, that is said only
    /// where the object was as declared before it: else, whoever called at any time might have.
    fn may_be_by(&self, by: &ByWhom, latest: Option<i64>) -> Result<bool, StoreError> {
        let right: Option<DateTime<Utc>> = serde_json::from_value(self.about[RIGHT].clone())?;
        let not_by = self.about[NOT_BY].as_array().into_iter().flatten();
        let is_other = not_by.filter_map(Value::as_str).any(|call| call == by.call);
        Ok(match right {
            _ if is_other => false,
            Some(right) => !by.is_before(right),
            None => latest == Some(self.first_seen),
        })
    }
}

/// Names who touched an object for the drift that their call may have made.
pub(super) async fn named(tx: &mut Tx, seen: &SeenAccount) -> Result<(), StoreError> {
    for Touched { key, by } in &seen.touched {
        let item = key.item.to_string();
        let place = [
            Arg::Text(key.account.as_str()),
            Arg::Text(key.region.as_str()),
            Arg::Text(&item),
            Arg::Text(&key.object),
        ];
        let Some(oldest) = by.iter().filter_map(|by| by.time).min() else { continue };
        let [account, region, item, object] = place;
        let sql = "SELECT first_seen, about FROM drifts WHERE account = $1 AND region = $2 \
                   AND item = $3 AND object = $4 AND first_seen >= $5 ORDER BY first_seen LIMIT $6";
        let args = [account, region, item, object, microseconds(oldest).into(), DRIFTS.into()];
        let rows = tx.rows(sql, &args).await?;
        let mut drifts = rows.iter().map(Drift::of).collect::<Result<Vec<_>, _>>()?;
        let latest = drifts.last().map(|drift| drift.first_seen);
        for by in by {
            // What they made was seen by the next look that saw something, or was put right before it.
            let is_next =
                |drift: &&mut Drift| by.time.is_some_and(|call| call <= time(drift.first_seen));
            if let Some(drift) = drifts.iter_mut().find(is_next)
                && drift.may_be_by(by, latest)?
            {
                drift.may_have.push(by.clone());
            }
        }
        for drift in drifts.into_iter().filter(|drift| !drift.may_have.is_empty()) {
            add(tx, &seen.run, &place, drift).await?;
        }
    }
    Ok(())
}

/// Names for a drift who may have done it and is not named yet.
async fn add(
    tx: &mut Tx,
    run: &str,
    place: &[Arg<'_>; 4],
    Drift { first_seen, mut about, may_have }: Drift,
) -> Result<(), StoreError> {
    let may_have = since_written(tx, place, &may_have, first_seen).await?;
    let mut named: Vec<ByWhom> = serde_json::from_value(about["by"].clone()).unwrap_or_default();
    let before = named.len();
    for by in may_have {
        if named.len() < MOST && !named.iter().any(|one| one.is_same_call(&by)) {
            named.push(by);
        }
    }
    if named.len() == before {
        return Ok(());
    }
    about[NAMED_LATE] = serde_json::to_value(&named[before..])?;
    about[NAMED_IN] = json!(run);
    about["by"] = serde_json::to_value(named)?;
    let about = about.to_string();
    let sql = "UPDATE drifts SET about = $6 WHERE account = $1 AND region = $2 AND item = $3 \
               AND object = $4 AND first_seen = $5";
    let [account, region, item, object] = *place;
    let args = [account, region, item, object, first_seen.into(), Arg::Text(&about)];
    tx.run(sql, &args).await?;
    Ok(())
}

/// Drift for which somebody was named after it was put right.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLate {
    /// The drift's end.
    pub entry: Entry,
    /// Who was named last.
    pub added: Vec<ByWhom>,
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
        let filter = Filter {
            account: Some(account.clone()),
            since: Some(since),
            what: Some(What::Resolved),
            ..Filter::default()
        };
        let mut all = self.entries(&filter).await?;
        all.retain(|entry| entry.about[NAMED_IN] == *run);
        let one = |entry: Entry| {
            let added = serde_json::from_value(entry.about[NAMED_LATE].clone())?;
            Ok(NamedLate { entry, added })
        };
        all.into_iter().map(one).collect()
    }
}
