//! Calls that are made to be heard of, where several controllers share a queue: each message goes to one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::among::Among;
use super::drive::Heart;
use crate::names::{AccountId, Region};
use crate::store::memory::{Memory, NOT_THERE};
use crate::store::{Store, StoreError};

/// Where it is said whose calls were heard of.
const HEARD: &str = "heartbeat/";
/// How often that is looked at.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// After so long, nobody waits for it any more.
const KEPT: TimeDelta = TimeDelta::hours(1);

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
        let Some(store) = self.among.store() else { return };
        let name = format!("{HEARD}{mark}/{account}");
        tokio::spawn(async move {
            // One that is there already says the same.
            store.write(&name, NOT_THERE, &json!(Utc::now())).await.ok();
        });
    }

    async fn passed_on(&self, mark: &str) -> Vec<AccountId> {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            let Some(store) = self.among.store() else { continue };
            match Self::heard(&store, mark).await {
                Ok(heard) if heard.is_empty() => {}
                Ok(heard) => return heard,
                Err(error) => tracing::warn!("nobody knows what others have heard: {error}"),
            }
        }
    }
}
