//! A controller of several: which store they share, who it is among them, and since when what they share
//! out must have been looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use evenkeel::controller::drive::Heart;
use evenkeel::controller::queue::{Cause, Causes, What};
use evenkeel::fleet::Fleet;
use evenkeel::names::{AccountId, Region};
use evenkeel::reconcile::{AccountLocks, Claims, Share};
use evenkeel::store::memory::NOT_THERE;
use evenkeel::store::{Leases, Memory, Shares, Store, StoreError};
use serde_json::json;

/// Where it is said whose calls were heard of.
const HEARD: &str = "heartbeat/";
/// How often that is looked at.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// After so long, nobody waits for it any more.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// What this process is among several.
#[derive(Default)]
pub struct Among {
    of: Mutex<Option<Of>>,
    /// Since when each target must have been looked at, after its latest causes.
    wanted: Mutex<BTreeMap<String, DateTime<Utc>>>,
}

#[derive(Clone)]
struct Of {
    store: Store,
    claims: Claims,
    /// When this process came to the store, by its clock.
    began: DateTime<Utc>,
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
        let claims = claims(store, fleet);
        locks.claim_with(claims.clone());
        // Without the store's clock there is nothing to share either: the next run asks again.
        let Ok(began) = store.time().await else { return };
        let of = Of { store: store.clone(), claims, began };
        *self.of.lock().unwrap_or_else(PoisonError::into_inner) = Some(of);
    }

    fn of(&self) -> Option<Of> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After so long, what somebody else has in hand is looked after.
    pub fn again_in(&self) -> Duration {
        self.of().map_or(Duration::from_secs(60), |of| of.claims.term)
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
        let (name, since) = match what {
            What::Account(_) | What::Parts { .. } => return Ok(None),
            // Each looks at its own times: half of the time between two keeps them apart.
            What::Path(name) => (format!("path/{name}"), of.store.time().await? - path_every / 2),
            What::Target(name) => {
                let now = of.store.time().await?;
                (format!("target/{name}"), self.since(name, causes, schedule, &of, now))
            }
        };
        let shares: Arc<dyn Shares> = Arc::new(of.store);
        Ok(Some(Share::new(shares, of.claims, name, since)))
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
        let tick = || schedule?.find_previous_occurrence(&Utc::now(), true).ok();
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

/// Makes the calls that are made to be heard of, where each message goes to one of several controllers.
pub struct Beating {
    pulse: Arc<dyn Heart>,
    among: Arc<Among>,
}

impl Beating {
    /// Makes them as `pulse` does, among others.
    pub fn new(pulse: Arc<dyn Heart>, among: &Arc<Among>) -> Self {
        Self { pulse, among: Arc::clone(among) }
    }

    /// What others have heard of our calls so far.
    async fn heard(store: &Store, mark: &str) -> Result<Vec<AccountId>, StoreError> {
        let mut heard = Vec::new();
        for document in store.list(HEARD).await? {
            let rest = document.name.strip_prefix(HEARD).and_then(|rest| rest.split_once('/'));
            let ours = rest.filter(|(of, _)| *of == mark).and_then(|(_, one)| one.parse().ok());
            let said: DateTime<Utc> = document.typed()?;
            if ours.is_some() || Utc::now() - said > KEPT {
                match store.remove(&document.name, document.version).await {
                    Ok(()) | Err(StoreError::Moved { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            heard.extend(ours);
        }
        Ok(heard)
    }
}

#[async_trait]
impl Heart for Beating {
    async fn beat(&self, account: &AccountId, region: &Region, mark: &str) -> Result<(), String> {
        self.pulse.beat(account, region, mark).await
    }

    fn pass_on(&self, account: &AccountId, mark: &str) {
        let Some(Of { store, .. }) = self.among.of() else { return };
        let name = format!("{HEARD}{mark}/{account}");
        tokio::spawn(async move {
            // One that is there already says the same.
            store.write(&name, NOT_THERE, &json!(Utc::now())).await.ok();
        });
    }

    async fn passed_on(&self, mark: &str) -> Vec<AccountId> {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            let Some(Of { store, .. }) = self.among.of() else { continue };
            match Self::heard(&store, mark).await {
                Ok(heard) if heard.is_empty() => {}
                Ok(heard) => return heard,
                Err(error) => tracing::warn!("nobody knows what others have heard: {error}"),
            }
        }
    }
}

/// How a process claims accounts in a store.
pub fn claims(store: &Store, fleet: Option<&Fleet>) -> Claims {
    let kept = fleet.map(|fleet| fleet.file.store.clone()).unwrap_or_default();
    let leases: Arc<dyn Leases> = Arc::new(store.clone());
    Claims::new(leases, kept.lease.duration())
}
