//! What keeps drift from being put right, noted with the drift, so that whoever asks the store hears the same of
//! it as from the controller that tried.

use chrono::SubsecRound;
use serde_json::{Value, json};

use super::records::{FailedWrite, Hindered, Hindrance};
use crate::store::Store;
use crate::store::db::Arg;
use crate::store::db::Tx;
use crate::store::error::StoreError;

/// In what is noted of drift: the write that failed.
pub(super) const FAILED: &str = "failed";
/// Whether it is to be written.
const IS_APPLIED: &str = "is_applied";
/// The guard that holds it back.
const HELD_BACK: &str = "held_back";

impl Store {
    /// Notes why an object was not put right, where its drift goes on.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_hindered(&self, hindered: &Hindered) -> Result<(), StoreError> {
        let hindered = hindered.clone();
        let note = move |mut tx: Tx| {
            let hindered = hindered.clone();
            async move {
                let item = hindered.object.item.to_string();
                let [account, region, item, object] = [
                    Arg::Text(hindered.object.account.as_str()),
                    Arg::Text(hindered.object.region.as_str()),
                    Arg::Text(&item),
                    Arg::Text(&hindered.object.object),
                ];
                let sql = "SELECT about FROM drifts WHERE account = $1 AND region = $2 \
                           AND item = $3 AND object = $4 AND resolved IS NULL";
                let rows = tx.rows(sql, &[account, region, item, object]).await?;
                let Some(row) = rows.first() else { return Ok((tx, ())) };
                let about = with(row.json(0)?, &hindered)?.to_string();
                let sql = "UPDATE drifts SET about = $5 WHERE account = $1 AND region = $2 \
                           AND item = $3 AND object = $4 AND resolved IS NULL";
                let about = Arg::Text(&about);
                tx.run(sql, &[account, region, item, object, about]).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }
}

/// What was noted of drift, with what hinders it.
fn with(mut about: Value, hindered: &Hindered) -> Result<Value, StoreError> {
    let Hindered { run, time, by, .. } = hindered;
    let (why, class) = match by {
        Hindrance::HeldBack(held) => {
            about[HELD_BACK] = held.clone();
            about[IS_APPLIED] = json!(false);
            return Ok(about);
        }
        // A guard held some of it back, as is noted.
        Hindrance::NotRight if about[IS_APPLIED] == json!(false) => return Ok(about),
        Hindrance::NotRight => ("it was written, and is not as declared".to_owned(), None),
        Hindrance::Failed { why, class } => (why.clone(), class.clone()),
    };
    let before: Option<FailedWrite> = serde_json::from_value(about[FAILED].take()).ok();
    let since = before.as_ref().map_or(time.trunc_subsecs(6), |before| before.since);
    let failed = match before.filter(|before| before.run == *run) {
        // What failed first in a run is why the rest of it did.
        Some(before) => before,
        None => FailedWrite { since, run: run.clone(), why, class },
    };
    about[FAILED] = serde_json::to_value(failed)?;
    about[HELD_BACK] = Value::Null;
    about[IS_APPLIED] = json!(true);
    Ok(about)
}

/// A write that failed stays with drift that goes on, as long as it is to be put right.
pub(super) fn stays(before: &mut Value, about: &mut Value) {
    let is_meant = about[IS_APPLIED] == json!(true) || !about[HELD_BACK].is_null();
    if is_meant && !before[FAILED].is_null() {
        about[FAILED] = before[FAILED].take();
    }
}
