//! What our own writes say of who has done something: not who called before AWS accepted our last write of a field.

use chrono::{DateTime, Utc};

use super::records::IntentAbout;
use super::{microseconds, time};
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;

/// Writes of an object that are looked at.
const MOST: i64 = 50;

/// Our writes of an object that AWS accepted, the latest first: when, and which fields they were to put right.
#[derive(Debug, Default)]
pub(super) struct Written(Vec<(DateTime<Utc>, Vec<String>)>);

impl Written {
    /// Those up to a time.
    pub async fn until(
        tx: &mut Tx,
        [account, region, item, object]: &[Arg<'_>; 4],
        seen: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let sql = "SELECT i.time, i.about FROM intents i JOIN outcomes o ON o.run = i.run \
                   AND o.change = i.change AND o.attempt = i.attempt AND o.outcome = 'applied' \
                   WHERE i.account = $1 AND i.region = $2 AND i.item = $3 AND i.object = $4 \
                   AND i.time <= $5 ORDER BY i.time DESC LIMIT $6";
        let args = [*account, *region, *item, *object, microseconds(seen).into(), MOST.into()];
        let mut all = Vec::new();
        for row in tx.rows(sql, &args).await? {
            let about: IntentAbout = row.json(1)?;
            let drift = about.drift.as_array().into_iter().flatten();
            let fields = drift.filter_map(|row| row["field"].as_str()).map(str::to_owned);
            all.push((time(row.int(0)?), fields.collect()));
        }
        Ok(Self(all))
    }

    /// The last one of a field. Of one that does not say what it was to put right, it was all.
    pub fn last(&self, field: &str) -> Option<DateTime<Utc>> {
        let is_of = |fields: &[String]| {
            fields.is_empty() || fields.iter().any(|one| one == field || one.is_empty())
        };
        self.0.iter().find(|(_, fields)| is_of(fields)).map(|(wrote, _)| *wrote)
    }
}
