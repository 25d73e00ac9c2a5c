//! Remembers over a restart which accounts nothing was heard of: otherwise, a controller that begins anew would call
//! none of them blind until the time that is allowed has gone by once more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::clocks::Clocks;
use super::sight::{Sight, Silence};
use crate::names::AccountId;
use crate::store::memory::{Memory, NOT_THERE};
use crate::store::{Store, StoreError};

/// Where it is remembered, one document an account.
const SILENT: &str = "silent/";
/// How often it is looked at what has changed.
pub const EVERY: Duration = Duration::from_secs(5);

/// What is remembered of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Noted {
    /// When.
    at: DateTime<Utc>,
    /// For how many seconds nothing had been heard of it by then.
    silent_seconds: u64,
    /// Whether that was too long.
    is_blind: bool,
}

impl Noted {
    /// What it comes to now. A blind account is so until it is heard of; of another one, nobody was there to
    /// hear since then.
    fn now(&self, account: AccountId, now: DateTime<Utc>) -> Silence {
        let noted = Duration::from_secs(self.silent_seconds);
        let since = (now - self.at).max(TimeDelta::zero()).to_std().unwrap_or_default();
        let silent = if self.is_blind { noted + since } else { noted };
        Silence { account, silent, is_blind: self.is_blind }
    }
}

/// Who remembers it.
pub struct Silences {
    sight: Arc<Mutex<Sight>>,
    clocks: Arc<dyn Clocks>,
    /// What the store says, as far as it is known: each account, and whether it is blind.
    noted: BTreeMap<AccountId, bool>,
}

impl Silences {
    /// Of what a controller hears.
    pub fn of(sight: &Arc<Mutex<Sight>>, clocks: &Arc<dyn Clocks>) -> Self {
        Self { sight: Arc::clone(sight), clocks: Arc::clone(clocks), noted: BTreeMap::new() }
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the controller, which begins, what is remembered.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn recall(&mut self, store: &Store) -> Result<(), StoreError> {
        let now = self.clocks.wall();
        let mut all = Vec::new();
        for document in store.list(SILENT).await? {
            let name = document.name.strip_prefix(SILENT).and_then(|name| name.parse().ok());
            let Some(account): Option<AccountId> = name else { continue };
            let noted: Noted = document.typed()?;
            self.noted.insert(account.clone(), noted.is_blind);
            all.push(noted.now(account, now));
        }
        self.sight().remember(all);
        Ok(())
    }

    /// Notes what has changed; at the end also for how long it is so by now.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note(&mut self, store: &Store, is_end: bool) -> Result<(), StoreError> {
        let at = self.clocks.wall();
        let silences = self.sight().silences(self.clocks.now());
        let there: BTreeSet<AccountId> =
            silences.iter().map(|silence| silence.account.clone()).collect();
        for Silence { account, silent, is_blind } in silences {
            if !is_end && self.noted.get(&account) == Some(&is_blind) {
                continue;
            }
            let noted = Noted { at, silent_seconds: silent.as_secs(), is_blind };
            let name = format!("{SILENT}{account}");
            let version = store.read(&name).await?.map_or(NOT_THERE, |there| there.version);
            match store.write(&name, version, &serde_json::to_value(&noted)?).await {
                // Another controller has said it at the same time.
                Ok(_) | Err(StoreError::Moved { .. }) => self.noted.insert(account, is_blind),
                Err(error) => return Err(error),
            };
        }
        let heard: Vec<AccountId> =
            self.noted.keys().filter(|account| !there.contains(*account)).cloned().collect();
        for account in heard {
            let name = format!("{SILENT}{account}");
            if let Some(document) = store.read(&name).await? {
                match store.remove(&name, document.version).await {
                    Ok(()) | Err(StoreError::Moved { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            self.noted.remove(&account);
        }
        Ok(())
    }

    /// The same, where there is a store; that it cannot be asked is logged.
    pub async fn note_if(&mut self, store: Option<Store>, is_end: bool) {
        let Some(store) = store else { return };
        if let Err(error) = self.note(&store, is_end).await {
            tracing::warn!("of which accounts nothing is heard is not remembered: {error}");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fleet::file::{Heartbeat, Objectives};
    use crate::names::Region;

    /// Clocks that somebody sets.
    #[derive(Default)]
    struct Set(Mutex<Duration>);

    #[async_trait::async_trait]
    impl Clocks for Set {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn wall(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + self.now()
        }

        async fn sleep_until(&self, _: Duration) {}
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[tokio::test]
    async fn a_blind_account_is_blind_after_a_restart_until_it_is_heard_of() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let clocks = Arc::new(Set::default());
        let one: AccountId = "111122223333".parse().unwrap();
        let controller = async || {
            let sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
            let sight = Arc::new(Mutex::new(sight));
            let mut silences = Silences::of(&sight, &(Arc::clone(&clocks) as Arc<dyn Clocks>));
            silences.recall(&store).await.unwrap();
            let home = Region::new("eu-west-1");
            sight.lock().unwrap().looked(&one, &home, Some("t"), clocks.now());
            (sight, silences)
        };
        let at = |minute| {
            *clocks.0.lock().unwrap() = minutes(minute);
            minutes(minute)
        };
        let blind = |sight: &Arc<Mutex<Sight>>| sight.lock().unwrap().all(clocks.now())[0].blind;
        let (sight, mut silences) = controller().await;
        sight.lock().unwrap().begin(at(5), 9);
        assert!(sight.lock().unwrap().tick(at(10)).is_empty());
        // Restarted again and again before the time is over: it is over all the same.
        silences.note(&store, true).await.unwrap();
        at(13);
        silences.note(&store, true).await.unwrap();
        at(60);
        let (sight, mut silences) = controller().await;
        assert_eq!((blind(&sight), sight.lock().unwrap().tick(at(66))), (None, Vec::new()));
        assert_eq!(sight.lock().unwrap().tick(at(67)).len(), 1);
        silences.note(&store, false).await.unwrap();
        at(90);
        let (sight, mut silences) = controller().await;
        assert_eq!(blind(&sight), Some(minutes(38)), "15 by then, and 23 since");
        silences.note(&store, false).await.unwrap();
        sight.lock().unwrap().came(&one, at(91));
        silences.note(&store, false).await.unwrap();
        let (sight, _) = controller().await;
        assert_eq!(blind(&sight), None);
        assert_eq!(store.list(SILENT).await.unwrap().len(), 0);
    }
}
