//! Signs of life of runs: a run that several controllers may be asked about gives one again and again, as a lease
//! of its own name, so that whoever asks sees by the store's clock that it was killed.

use std::time::Duration;

use tokio::task::AbortHandle;

use crate::store::Store;
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;
use crate::store::lease;

/// So often a sign is given within the time for which one holds.
const SIGNS: u32 = 3;
/// No sign holds for less.
const SHORTEST: Duration = Duration::from_secs(1);
/// After a sign that could not be given, the next is tried soon.
const AGAIN: Duration = Duration::from_secs(2);

/// Signs of life of a run, until this is dropped.
#[derive(Debug)]
pub struct Alive(AbortHandle);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn name(run: &str) -> String {
    format!("run/{run}")
}

/// Takes away the sign of a run that has ended.
pub(super) async fn ends(tx: &mut Tx, run: &str) -> Result<(), StoreError> {
    let name = name(run);
    tx.run("DELETE FROM leases WHERE name = $1", &[Arg::Text(&name)]).await.map(drop)
}

impl Store {
    /// Gives signs of life of a run, each of which holds for a term.
    ///
    /// # Errors
    /// The store was closed.
    pub fn keep_alive(&self, run: &str, term: Duration) -> Result<Alive, StoreError> {
        let (store, run) = (self.clone(), run.to_owned());
        let term = term.max(SHORTEST);
        let signs = async move {
            loop {
                let pause = match store.give_sign(&run, term).await {
                    Ok(()) => term / SIGNS,
                    Err(error) => {
                        tracing::warn!("the run gives no sign of life: {error}");
                        AGAIN.min(term / SIGNS)
                    }
                };
                tokio::time::sleep(pause).await;
            }
        };
        Ok(Alive(self.db.spawn(signs)?))
    }

    /// Gives a sign of life of a run that has not ended.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn give_sign(&self, run: &str, term: Duration) -> Result<(), StoreError> {
        let (run, name) = (run.to_owned(), name(run));
        let term = i64::try_from(term.as_micros()).unwrap_or(i64::MAX / 2);
        let sign = move |mut tx: Tx| {
            let (run, name) = (run.clone(), name.clone());
            async move {
                let until = lease::now(&mut tx).await? + term;
                let sql = "INSERT INTO leases (name, holder, token, until, term) \
                           SELECT $1, $2, 0, $3, $4 FROM runs WHERE run = $2 AND ended IS NULL \
                           ON CONFLICT (name) DO UPDATE SET until = excluded.until, term = excluded.term";
                let args = [Arg::Text(&name), Arg::Text(&run), until.into(), term.into()];
                tx.run(sql, &args).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(sign).await
    }
}
