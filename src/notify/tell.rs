//! Tells all channels what was seen: what is worth telling goes into the outbox, and then into the
//! book of what was told. Whoever dies in between tells it once more, with the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::channel::Reached;
use super::channels;
use super::courier::{Courier, Round};
use super::letter::letters;
use super::matter::{Known, Seen, key_of_drift};
use super::named::named_late;
use super::outbox;
use super::worth::{Book, worth};
use crate::aws::session::Options;
use crate::fleet::notify::Notify;
use crate::names::AccountId;
use crate::store::history::{ByWhom, DriftRow, Entry, Filter, What};
use crate::store::memory::{Document, Memory, NOT_THERE};
use crate::store::{Lease, Leases, Store, StoreError};

/// Books that are read one by one; of more, all are read at once.
const FEW: usize = 8;
/// What came to its end so long ago at most has just done so.
const JUST: TimeDelta = TimeDelta::hours(1);
/// How often a book is told from again because somebody else was faster.
const TRIES: usize = 5;
/// Who tells holds up the others for so long at most.
const TERM: Duration = Duration::from_secs(10);
/// How often it is asked whose turn it is, and how many times.
const TURN: Duration = Duration::from_millis(100);
const TURNS: usize = 150;

/// Who tells.
pub struct Teller {
    courier: Courier,
    /// Where it is known from before since when something is so, and by whom.
    history: Option<Store>,
}

/// Since when things are so, and by whom.
type AllKnown = BTreeMap<String, Known>;

/// The book of an account, or of what is in none.
fn name_of(channel: &str, account: Option<&AccountId>) -> String {
    let account = account.map_or("-", AccountId::as_str);
    format!("notices/{channel}/book/{account}")
}

impl Teller {
    /// For the channels of a fleet file in this folder.
    pub fn new(
        notify: &Notify,
        folder: &Path,
        options: &Options,
        memory: Arc<dyn Memory>,
        history: Option<Store>,
    ) -> Self {
        Self { courier: Courier::new(memory, channels::all(notify, folder, options)), history }
    }

    /// Whether there is anybody to tell.
    pub fn is_empty(&self) -> bool {
        self.courier.channels.is_empty()
    }

    /// Puts what is worth telling into the outbox. What cannot be kept is a [`trouble`](Self::trouble), and
    /// stops nothing: it is told when it is seen the next time.
    pub async fn tell(&self, mut seen: Seen) {
        if !seen.standing.is_empty() || !seen.done.is_empty() {
            seen.known = self.known(&seen).await;
        }
        self.name_late(&mut seen).await;
        for reached in &self.courier.channels {
            if let Err(error) = self.tell_one(reached, &seen).await {
                self.courier.is_in_trouble(&error);
            }
        }
    }

    /// Why notices could be neither kept nor sent since this was asked last, and what to do.
    pub fn trouble(&self) -> Option<String> {
        self.courier.trouble()
    }

    /// Sends what waits.
    pub async fn send(&self) -> Round {
        self.courier.round().await
    }

    /// The drift that the history knows: what is so, and what this run has put an end to. What ended before is
    /// another drift of the same object.
    async fn known(&self, seen: &Seen) -> AllKnown {
        let Some(store) = &self.history else { return AllKnown::new() };
        let mut known = AllKnown::new();
        let mut note = |entries: Result<Vec<Entry>, StoreError>| match entries {
            Ok(entries) => {
                for entry in entries {
                    match known_of(&entry) {
                        Ok(of) => drop(known.insert(key_of_drift(&entry.object), of)),
                        Err(error) => tracing::warn!("who did it is not known: {error}"),
                    }
                }
            }
            Err(error) => tracing::warn!("since when it is so is not known: {error}"),
        };
        note(store.open_drift().await);
        let ended: BTreeSet<&AccountId> =
            seen.done.iter().filter_map(|matter| matter.subject.account.as_ref()).collect();
        for account in ended.into_iter().take(FEW) {
            let filter = Filter {
                account: Some(account.clone()),
                since: Some(seen.time - JUST),
                what: Some(What::Resolved),
                ..Filter::default()
            };
            let is_of_run = |entry: &Entry| seen.about.run.as_ref() == Some(&entry.run);
            let ended = store.entries(&filter).await;
            note(ended.map(|all| all.into_iter().filter(is_of_run).collect()));
        }
        known
    }

    /// Adds what is known by now of who did what was told without a name.
    async fn name_late(&self, seen: &mut Seen) {
        let Some(store) = self.history.as_ref().filter(|_| !seen.touched.is_empty()) else {
            return;
        };
        match named_late(store, seen).await {
            Ok(late) => seen.late = late,
            Err(error) => tracing::warn!("who did what was told before is not known: {error}"),
        }
    }

    async fn tell_one(&self, reached: &Reached, seen: &Seen) -> Result<(), StoreError> {
        let memory = self.courier.memory.as_ref();
        if !outbox::has_room(memory, &reached.name, reached.reader).await? {
            tracing::warn!(
                "{} is not told of what was seen: too much waits for it already",
                reached.name
            );
            return Ok(());
        }
        let turn = self.turn(&reached.name).await;
        let told = self.tell_in_turn(reached, seen).await;
        if let (Some(lease), Some(store)) = (turn, &self.history) {
            store.release(&lease).await?;
        }
        told
    }

    /// Waits until no other controller tells a channel: what both have seen is told once. It does not wait
    /// for ever; what is told twice then has two ids.
    async fn turn(&self, channel: &str) -> Option<Lease> {
        let store = self.history.as_ref().filter(|store| store.is_shared())?;
        let (names, holder) = ([format!("notices/{channel}")], uuid::Uuid::now_v7().to_string());
        for _ in 0..TURNS {
            match store.claim(&names, &holder, TERM, 1).await {
                Ok(mut claimed) => match claimed.pop() {
                    Some(lease) => return Some(lease),
                    None => tokio::time::sleep(TURN).await,
                },
                Err(_) => return None,
            }
        }
        None
    }

    async fn tell_in_turn(&self, reached: &Reached, seen: &Seen) -> Result<(), StoreError> {
        let memory = self.courier.memory.as_ref();
        let books = self.books(&reached.name, seen).await?;
        let mut notices = Vec::new();
        let mut changed = Vec::new();
        for (account, document) in books {
            let (told, book) = self.of_book(reached, seen, account.as_ref(), document.as_ref())?;
            notices.extend(told);
            if let Some(book) = book {
                changed.push((account, document, book));
            }
        }
        for letter in letters(reached.reader, seen.time, &seen.about, notices) {
            outbox::put(memory, &reached.name, reached.reader, letter, Utc::now()).await?;
        }
        for (account, document, book) in changed {
            self.keep(reached, seen, account.as_ref(), document, book).await?;
        }
        Ok(())
    }

    /// What is worth telling from a book, and the book as it is then, if it is another.
    fn of_book(
        &self,
        reached: &Reached,
        seen: &Seen,
        account: Option<&AccountId>,
        document: Option<&Document>,
    ) -> Result<(Vec<super::letter::Notice>, Option<Book>), StoreError> {
        let before: Book = document.map(Document::typed).transpose()?.unwrap_or_default();
        let mut book = before.clone();
        let told = worth(&mut book, seen, account, &reached.common.filter);
        Ok((told, (book != before).then_some(book)))
    }

    /// The books that what was seen is about.
    async fn books(
        &self,
        channel: &str,
        seen: &Seen,
    ) -> Result<Vec<(Option<AccountId>, Option<Document>)>, StoreError> {
        let memory = self.courier.memory.as_ref();
        let wanted: BTreeSet<Option<AccountId>> = seen.books();
        let mut all = Vec::new();
        // Of accounts that left, what was told is over.
        if wanted.len() <= FEW && !seen.fine.is_of_all_accounts() {
            for account in wanted {
                let document = memory.read(&name_of(channel, account.as_ref())).await?;
                all.push((account, document));
            }
            return Ok(all);
        }
        let there = memory.list(&format!("notices/{channel}/book/")).await?;
        let mut there: BTreeMap<String, Document> =
            there.into_iter().map(|document| (document.name.clone(), document)).collect();
        for account in wanted {
            let document = there.remove(&name_of(channel, account.as_ref()));
            all.push((account, document));
        }
        for (name, document) in there {
            let account = name.rsplit('/').next().and_then(|account| account.parse().ok());
            if let Some(account) = account.filter(|account| seen.fine.is_elsewhere(account)) {
                all.push((Some(account), Some(document)));
            }
        }
        Ok(all)
    }

    /// Writes a book. Where somebody else was faster, what was seen is laid over what they wrote.
    async fn keep(
        &self,
        reached: &Reached,
        seen: &Seen,
        account: Option<&AccountId>,
        document: Option<Document>,
        book: Book,
    ) -> Result<(), StoreError> {
        let memory = self.courier.memory.as_ref();
        let name = name_of(&reached.name, account);
        let (mut version, mut book) = (document.map_or(NOT_THERE, |one| one.version), book);
        for _ in 0..TRIES {
            let written = match book.open.is_empty() {
                true if version == NOT_THERE => return Ok(()),
                true => memory.remove(&name, version).await,
                false => {
                    memory.write(&name, version, &serde_json::to_value(&book)?).await.map(drop)
                }
            };
            match written {
                Err(StoreError::Moved { .. }) => {}
                written => return written,
            }
            let now = memory.read(&name).await?;
            version = now.as_ref().map_or(NOT_THERE, |one| one.version);
            match self.of_book(reached, seen, account, now.as_ref())?.1 {
                Some(changed) => book = changed,
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

fn known_of(entry: &Entry) -> Result<Known, StoreError> {
    let about = &entry.about;
    let by: Option<Vec<ByWhom>> = serde_json::from_value(about["by"].clone())?;
    let since: Option<DateTime<Utc>> = serde_json::from_value(about["first_seen"].clone())?;
    let rows: Option<Vec<DriftRow>> = serde_json::from_value(about["drift"].clone())?;
    Ok(Known {
        since: since.unwrap_or(entry.time),
        by: by.unwrap_or_default(),
        rows: rows.unwrap_or_default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fleet::notify::{self, On, Severity};
    use crate::names::Region;
    use crate::notify::channel::{Channel, NotSent};
    use crate::notify::letter::{Letter, Reader};
    use crate::notify::matter::{Matter, Subject};
    use crate::store::history::{DriftKey, DriftSeen, Extent, SeenAccount};
    use crate::store::memory::InMemory;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn key() -> DriftKey {
        DriftKey {
            account: "111122223333".parse().unwrap(),
            region: Region::new("eu-west-1"),
            item: "iam.password_policy".parse().unwrap(),
            object: String::new(),
        }
    }

    fn look(run: &str, second: i64, is_drifted: bool) -> SeenAccount {
        let drifted = DriftSeen { key: key(), about: json!({}), rows: Vec::new() };
        SeenAccount {
            run: run.to_owned(),
            time: at(second),
            began: at(second),
            account: key().account,
            name: None,
            targets: Vec::new(),
            extent: Extent::Account,
            drifted: Some(drifted).filter(|_| is_drifted).into_iter().collect(),
            in_sync: Some(key()).filter(|_| !is_drifted).into_iter().collect(),
            unknown: Vec::new(),
            excepted: 0,
            touched: Vec::new(),
        }
    }

    /// What is said of what a run put right.
    fn put_right(run: &str, second: i64) -> Seen {
        let mut seen = Seen::at(at(second));
        seen.about.run = Some(run.to_owned());
        seen.done.push(Matter {
            subject: Subject {
                account: Some(key().account),
                item: Some(key().item),
                ..Subject::named(key_of_drift(&key()), "the password policy")
            },
            on: On::Applied,
            severity: Severity::Low,
            state: String::new(),
            what: Vec::new(),
            did: String::new(),
            look: String::new(),
        });
        seen
    }

    #[tokio::test]
    async fn since_when_is_of_the_drift_that_was_put_right_and_of_none_before() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let (memory, none) = (Arc::new(InMemory::default()), Vec::new());
        let teller = Teller { courier: Courier::new(memory, none), history: Some(store.clone()) };
        let since = async |seen: &Seen| {
            let known = teller.known(seen).await;
            known.get(&key_of_drift(&key())).map(|known| known.since)
        };
        // Twice within minutes, each ended by the run that is told of.
        for (run, second) in [("a", 100), ("b", 200), ("c", 300)] {
            store.note_seen(vec![look(run, second, true)]).await.unwrap();
            store.note_seen(vec![look(run, second + 5, false)]).await.unwrap();
            assert_eq!(since(&put_right(run, second + 5)).await, Some(at(second)), "{run}");
        }
        assert_eq!(since(&put_right("d", 400)).await, None, "all of it ended before");
        store.note_seen(vec![look("e", 500, true)]).await.unwrap();
        assert_eq!(since(&put_right("e", 505)).await, Some(at(500)), "it is not over yet");
    }

    /// Takes whatever it is sent.
    struct Takes;

    #[async_trait::async_trait]
    impl Channel for Takes {
        async fn send(&self, _: &Letter) -> Result<(), NotSent> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_was_told_of_an_account_that_left_is_over_though_nobody_looks_there() {
        let filter = notify::Filter {
            on: On::ALL.into(),
            severity: Severity::Low,
            kinds: BTreeSet::new(),
            targets: BTreeSet::new(),
        };
        let reached = Reached {
            name: "webhook.all".to_owned(),
            common: notify::Common { filter, per_hour: 60 },
            reader: Reader::People,
            channel: Box::new(Takes),
        };
        let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
        let courier = Courier::new(Arc::clone(&memory), vec![reached]);
        let teller = Teller { courier, history: None };
        let is_open = async || {
            let book = name_of("webhook.all", Some(&key().account));
            memory.read(&book).await.unwrap().is_some()
        };
        let mut seen = put_right("a", 1);
        let mut drift = seen.done.remove(0);
        (drift.on, drift.subject.targets) = (On::Drift, vec!["here".to_owned()]);
        seen.accounts.insert(key().account);
        seen.standing.push(drift);
        teller.tell(seen).await;
        assert!(is_open().await);
        let selects = |account: AccountId| {
            let mut seen = Seen::at(at(2));
            let here = || BTreeSet::from(["here".to_owned()]);
            seen.fine.selects(here(), [account].into(), here());
            seen
        };
        teller.tell(selects(key().account)).await;
        assert!(is_open().await);
        teller.tell(selects("000000000002".parse().unwrap())).await;
        assert!(!is_open().await);
    }
}
