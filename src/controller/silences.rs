//! Remembers over a restart which accounts nothing was heard of, and for how long: otherwise, a controller that begins
//! anew would call none of them blind until the time that is allowed has gone by once more.
//!
//! A controller says of all of its accounts at once what it has not heard, in one document, which is written again as
//! long as there is something: how many accounts there are makes it longer, and not more writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::clocks::Clocks;
use super::sight::{Sight, Silence};
use crate::names::AccountId;
use crate::store::memory::{Document, Memory, NOT_THERE};
use crate::store::{Store, StoreError};

/// Where it is remembered, one document a controller.
const SILENT: &str = "silent/";
/// The one of a controller that is alone with its store.
const ALONE: &str = "all";
/// How often it is noted.
pub const EVERY: Duration = Duration::from_secs(5);
/// A controller that has noted nothing for so long is not there any more.
const GONE: TimeDelta = TimeDelta::seconds(60);

/// What a controller remembers: for how many seconds nothing had been heard of each account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Noted {
    /// When.
    at: DateTime<Utc>,
    /// Whether it was the last that it noted.
    is_end: bool,
    /// Those for which that was too long.
    blind: BTreeMap<AccountId, u64>,
    /// The others.
    silent: BTreeMap<AccountId, u64>,
}

/// The same of one account, as controllers noted it before.
#[derive(Debug, Deserialize)]
struct OfOne {
    at: DateTime<Utc>,
    silent_seconds: u64,
    is_blind: bool,
}

impl Noted {
    fn of(document: &Document) -> Result<Self, StoreError> {
        let name = document.name.strip_prefix(SILENT).unwrap_or_default();
        let Ok(account) = name.parse::<AccountId>() else { return document.typed() };
        let OfOne { at, silent_seconds, is_blind } = document.typed()?;
        let one = BTreeMap::from([(account, silent_seconds)]);
        let (blind, silent) =
            if is_blind { (one, BTreeMap::new()) } else { (BTreeMap::new(), one) };
        Ok(Self { at, is_end: true, blind, silent })
    }

    /// What it comes to now. A blind account is so until it is heard of; of another one, nobody was there to
    /// hear since then.
    fn now(self, now: DateTime<Utc>) -> impl Iterator<Item = Silence> {
        let since = (now - self.at).max(TimeDelta::zero()).to_std().unwrap_or_default();
        let blind = self.blind.into_iter().map(move |(account, seconds)| Silence {
            account,
            silent: Duration::from_secs(seconds) + since,
            is_blind: true,
        });
        let silent = self.silent.into_iter().map(|(account, seconds)| Silence {
            account,
            silent: Duration::from_secs(seconds),
            is_blind: false,
        });
        silent.chain(blind)
    }
}

/// Who remembers it.
pub struct Silences {
    sight: Arc<Mutex<Sight>>,
    clocks: Arc<dyn Clocks>,
    /// What the document of this controller is called, where there are several, and its version.
    own: String,
    version: u64,
    /// What is taken over from controllers that are gone.
    taken: Vec<Document>,
    /// What others have noted that may be there still, and until when that is seen.
    others: Vec<Document>,
    others_until: DateTime<Utc>,
}

impl Silences {
    /// Of what a controller hears.
    pub fn of(sight: &Arc<Mutex<Sight>>, clocks: &Arc<dyn Clocks>) -> Self {
        Self {
            sight: Arc::clone(sight),
            clocks: Arc::clone(clocks),
            own: uuid::Uuid::now_v7().simple().to_string(),
            version: NOT_THERE,
            taken: Vec::new(),
            others: Vec::new(),
            others_until: DateTime::UNIX_EPOCH,
        }
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, store: &Store) -> String {
        let own = if store.is_shared() { &self.own } else { ALONE };
        format!("{SILENT}{own}")
    }

    /// Tells the controller, which begins, what is remembered.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn recall(&mut self, store: &Store) -> Result<(), StoreError> {
        let (now, own) = (self.clocks.wall(), self.name(store));
        let mut all: BTreeMap<AccountId, Silence> = BTreeMap::new();
        for document in store.list(SILENT).await? {
            let noted = Noted::of(&document)?;
            let is_gone = noted.is_end || !store.is_shared() || now - noted.at > GONE;
            match (document.name == own, is_gone) {
                (true, _) => self.version = document.version,
                (false, true) => self.taken.push(document),
                (false, false) => self.others.push(document),
            }
            for silence in noted.now(now) {
                let worst = all.entry(silence.account.clone()).or_insert_with(|| silence.clone());
                if (silence.is_blind, silence.silent) > (worst.is_blind, worst.silent) {
                    *worst = silence;
                }
            }
        }
        self.others_until = now + GONE;
        self.sight().remember(all.into_values());
        Ok(())
    }

    /// Notes how it is now; at the end, that it is the last.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note(&mut self, store: &Store, is_end: bool) -> Result<(), StoreError> {
        let mut noted = Noted { at: self.clocks.wall(), is_end, ..Noted::default() };
        for Silence { account, silent, is_blind } in self.sight().silences(self.clocks.now()) {
            let of = if is_blind { &mut noted.blind } else { &mut noted.silent };
            of.insert(account, silent.as_secs());
        }
        self.write(store, &noted).await?;
        for document in std::mem::take(&mut self.taken) {
            remove(store, &document.name, document.version).await?;
        }
        if noted.at > self.others_until {
            // Who has noted nothing since is gone: all of it was recalled.
            for document in std::mem::take(&mut self.others) {
                remove(store, &document.name, document.version).await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self, store: &Store, noted: &Noted) -> Result<(), StoreError> {
        let name = self.name(store);
        let is_nothing = noted.blind.is_empty() && noted.silent.is_empty();
        let written = match (is_nothing, self.version) {
            (true, NOT_THERE) => return Ok(()),
            (true, version) => store.remove(&name, version).await.map(|()| NOT_THERE),
            (false, version) => store.write(&name, version, &serde_json::to_value(noted)?).await,
        };
        self.version = match written {
            Ok(version) => version,
            // It is another store, or one that was put back; the next time, it is noted there.
            Err(StoreError::Moved { .. }) => {
                store.read(&name).await?.map_or(NOT_THERE, |there| there.version)
            }
            Err(error) => return Err(error),
        };
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

/// Removes a document, unless somebody has written it since.
async fn remove(store: &Store, name: &str, version: u64) -> Result<(), StoreError> {
    match store.remove(name, version).await {
        Ok(()) | Err(StoreError::Moved { .. }) => Ok(()),
        Err(error) => Err(error),
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

    #[tokio::test]
    async fn a_silence_of_a_minute_is_remembered_and_ten_thousand_are_one_document() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let clocks = Arc::new(Set::default());
        let account = |number: u64| -> AccountId { format!("{:012}", number + 1).parse().unwrap() };
        let mut at = 0;
        // Killed every three minutes, and each time nothing is heard for one: the fifteenth is too long.
        let mut blind = 0;
        for restart in 0..16 {
            let sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
            let sight = Arc::new(Mutex::new(sight));
            let mut silences = Silences::of(&sight, &(Arc::clone(&clocks) as Arc<dyn Clocks>));
            silences.recall(&store).await.unwrap();
            *clocks.0.lock().unwrap() = minutes(at);
            {
                let mut sight = sight.lock().unwrap();
                for number in 0..10_000 {
                    let home = Region::new("eu-west-1");
                    sight.looked(&account(number), &home, Some("t"), minutes(at));
                }
                let begun = sight.begin(minutes(at) + minutes(5) * u32::from(restart == 0), 20_000);
                assert_eq!(begun.len(), 10_000, "of who is silent, it is asked at once");
            }
            at += if restart == 0 { 6 } else { 1 };
            *clocks.0.lock().unwrap() = minutes(at);
            blind += sight.lock().unwrap().tick(minutes(at)).len();
            silences.note(&store, false).await.unwrap();
            assert_eq!(store.list(SILENT).await.unwrap().len(), 1);
            at += 2;
            assert_eq!(blind, if restart < 14 { 0 } else { 10_000 }, "{restart}");
        }
        // What was noted of each account by itself, by an earlier version, is taken over.
        let old = serde_json::json!({
            "at": DateTime::UNIX_EPOCH + minutes(at), "silent_seconds": 900, "is_blind": true,
        });
        store.write("silent/999988887777", NOT_THERE, &old).await.unwrap();
        let sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
        let sight = Arc::new(Mutex::new(sight));
        let mut silences = Silences::of(&sight, &(Arc::clone(&clocks) as Arc<dyn Clocks>));
        silences.recall(&store).await.unwrap();
        assert_eq!(sight.lock().unwrap().silences(minutes(at)).len(), 10_001);
        silences.note(&store, false).await.unwrap();
        assert_eq!(store.list(SILENT).await.unwrap().len(), 1);
    }
}
