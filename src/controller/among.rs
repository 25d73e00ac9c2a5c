//! A controller of several: which store they share, who it is among them, and since when what they share
//! out must have been looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use tokio::task::JoinHandle;

use super::queue::{Cause, Causes, What};
use super::schedule;
use crate::fleet::Fleet;
use crate::reconcile::{AccountLocks, Claims, Share, Sharing};
use crate::store::{Shares, Store, StoreError};

/// So long after its start, a controller does not know yet who begins together with it.
const STARTING: TimeDelta = TimeDelta::seconds(15);
/// So often it is looked whether there are several by now.
const ALONE: Duration = Duration::from_secs(60);
/// Among so many it shares out until then, at least.
const AT_START: usize = 3;

/// What this process is among several.
#[derive(Default)]
pub struct Among {
    of: Mutex<Option<Of>>,
    /// Since when each target must have been looked at, after its latest causes.
    wanted: Mutex<BTreeMap<String, DateTime<Utc>>>,
    /// Says that it is there, once it shares with others.
    appearing: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Clone)]
struct Of {
    store: Store,
    claims: Claims,
    /// When this process came to the store, by its clock.
    began: DateTime<Utc>,
}

impl Drop for Among {
    fn drop(&mut self) {
        self.appears_by(None);
    }
}

impl Among {
    /// Claims accounts in the store of a run from now on, where several controllers can share it.
    pub async fn join(&self, locks: &AccountLocks, store: &Store, fleet: Option<&Fleet>) {
        if !store.is_shared() {
            return;
        }
        let is_known = |of: &Of| of.store.name() == store.name();
        if self.of().is_some_and(|of| is_known(&of)) {
            return;
        }
        let claims = Claims::within(store, fleet);
        locks.claim_with(claims.clone());
        // Without the store's clock there is nothing to share either: the next run asks again.
        let Ok(began) = store.time().await else { return };
        let of = Of { store: store.clone(), claims, began };
        *self.of.lock().unwrap_or_else(PoisonError::into_inner) = Some(of);
    }

    /// The store that they share, if they do.
    pub(super) fn store(&self) -> Option<Store> {
        self.of().map(|of| of.store)
    }

    fn of(&self) -> Option<Of> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After so long, what somebody else has in hand is looked after.
    pub fn again_in(&self) -> Duration {
        self.of().map_or(ALONE, |of| of.claims.term)
    }

    /// What of a job is left to this process, where several share it.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn share(
        &self,
        what: &What,
        causes: &Causes,
        schedule: Option<&Cron>,
        path_every: Duration,
    ) -> Result<Option<Arc<Share>>, StoreError> {
        let Some(of) = self.of() else { return Ok(None) };
        let (name, since, among) = match what {
            What::Account(_) | What::Parts { .. } => return Ok(None),
            // Each looks at its own times: half of the time between two keeps them apart.
            What::Path(name) => {
                let since = of.store.time().await? - path_every / 2;
                (format!("path/{name}"), since, Sharing::Anybody)
            }
            What::Target(name) => {
                self.appear(&of).await?;
                let now = of.store.time().await?;
                let least = if now - of.began < STARTING { AT_START } else { 1 };
                let since = self.since(name, causes, schedule, &of, now);
                (format!("target/{name}"), since, Sharing::AtLeast(least))
            }
        };
        let shares: Arc<dyn Shares> = Arc::new(of.store);
        Ok(Some(Share::new(shares, of.claims, name, since, among)))
    }

    /// How often it is looked round for what somebody has left who is gone.
    pub(super) fn looks_round_every(&self) -> Duration {
        self.of().map_or(ALONE, |of| of.claims.renew_every())
    }

    /// Who it is among several, once the others know that it is there.
    pub(super) async fn sign_of_life(&self) -> Option<String> {
        let of = self.of()?;
        let is_known = self.appearing.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !is_known && let Err(error) = self.appear(&of).await {
            tracing::debug!("others do not know that this controller is there: {error}");
            return None;
        }
        Some(of.claims.holder)
    }

    /// Lets the others know that it is there, from now on.
    async fn appear(&self, of: &Of) -> Result<(), StoreError> {
        let Of { store, claims, .. } = of.clone();
        store.appear(&claims.holder, claims.term).await?;
        let appearing = tokio::spawn(async move {
            loop {
                (claims.pause)(claims.renew_every()).await;
                if let Err(error) = store.appear(&claims.holder, claims.term).await {
                    tracing::debug!("others do not know that this controller is there: {error}");
                }
            }
        });
        self.appears_by(Some(appearing));
        Ok(())
    }

    /// Says no more that it is there.
    pub(super) fn leave(&self) {
        self.appears_by(None);
    }

    /// Who says that it is there, in the place of who did before.
    fn appears_by(&self, appearing: Option<JoinHandle<()>>) {
        let mut now = self.appearing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *now, appearing) {
            before.abort();
        }
    }

    /// Since when the accounts of a target must have been looked at. A tick of the schedule has the same
    /// time for every controller, whatever its clock says.
    fn since(
        &self,
        target: &str,
        causes: &Causes,
        schedule: Option<&Cron>,
        of: &Of,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let tick = || schedule::latest(schedule?, Utc::now());
        let times = causes.kept.iter().filter_map(|cause| match cause {
            Cause::Start => Some(of.began),
            Cause::Schedule => Some(tick().unwrap_or(now)),
            Cause::Again { .. } | Cause::Elsewhere => None,
            _ => Some(now),
        });
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let since = wanted.entry(target.to_owned()).or_insert(of.began);
        *since = times.fold(*since, DateTime::max);
        *since
    }
}
