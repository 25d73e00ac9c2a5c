//! What was written to the objects of a run after it.

use super::ask::{ChangeShown, change_shown, shown_from};
use crate::store::Store;
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;

impl Store {
    /// The changes that other runs have begun of the same objects, whatever item governs them by now,
    /// since the run's last one of each, in order.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn changes_after(&self, run: &str) -> Result<Vec<ChangeShown>, StoreError> {
        let run = run.to_owned();
        let look = move |mut tx: Tx| {
            let run = run.clone();
            async move {
                let written = "(SELECT account, region, kind, object, MAX(time) AS last FROM intents \
                               WHERE run = $1 GROUP BY account, region, kind, object) w \
                               JOIN intents i ON i.account = w.account AND i.time > w.last \
                               AND i.region = w.region AND i.kind = w.kind AND i.object = w.object";
                let sql = format!(
                    "{} WHERE i.run <> $1 ORDER BY i.time, i.change, i.attempt",
                    shown_from(written)
                );
                let rows = tx.rows(sqlx::AssertSqlSafe(sql), &[Arg::Text(&run)]).await?;
                let all = rows.iter().map(change_shown).collect::<Result<Vec<_>, _>>()?;
                Ok((tx, all))
            }
        };
        self.db.read(look).await
    }
}
