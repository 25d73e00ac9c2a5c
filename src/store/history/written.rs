//! What our own writes say of who has done something.

use chrono::DateTime;

use super::records::ByWhom;
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;

/// Who of these may have done what was seen at a time: not who called before AWS accepted our own last write of
/// the object until then.
pub(super) async fn since_written(
    tx: &mut Tx,
    [account, region, item, object]: &[Arg<'_>; 4],
    by: &[ByWhom],
    seen: i64,
) -> Result<Vec<ByWhom>, StoreError> {
    if by.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT MAX(i.time) FROM intents i JOIN outcomes o ON o.run = i.run \
               AND o.change = i.change AND o.attempt = i.attempt AND o.outcome = 'applied' \
               WHERE i.account = $1 AND i.region = $2 AND i.item = $3 AND i.object = $4 \
               AND i.time <= $5";
    let rows = tx.rows(sql, &[*account, *region, *item, *object, seen.into()]).await?;
    let wrote = rows.first().map(|row| row.maybe_int(0)).transpose()?.flatten();
    let wrote = wrote.and_then(DateTime::from_timestamp_micros);
    let is_later = |by: &&ByWhom| wrote.is_none_or(|wrote| !by.is_before(wrote));
    Ok(by.iter().filter(is_later).cloned().collect())
}
