//! Small JSON documents by name: what guards, queues and channels of notices keep from one run to the
//! next, and what several controllers share. A document is written only by who has seen its present
//! version, so that nobody overwrites what they do not know.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::StoreError;

/// The version of a document that is not there.
pub const NOT_THERE: u64 = 0;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 512;

/// The largest document, in bytes of JSON.
const LARGEST: usize = 1024 * 1024;

/// How often a change is tried again because somebody else was faster.
const TRIES: usize = 20;

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its name, such as `guards/budget/111122223333`.
    pub name: String,
    /// Which writing of it this is. No version is ever used twice in a store, not even of a document
    /// that was removed and made again.
    pub version: u64,
    /// What it says.
    pub body: Value,
    /// The file that it is in, where that is one of ours.
    pub file: Option<Arc<OfFile>>,
}

/// A file that documents are in, for who must mend it.
#[derive(Debug, PartialEq, Eq)]
pub struct OfFile {
    /// The file.
    pub path: PathBuf,
    /// What is lost with it, and what to do when it is damaged.
    pub remedy: &'static str,
}

impl OfFile {
    /// It is not as evenkeel wrote it.
    pub fn damaged(&self, why: impl ToString) -> StoreError {
        StoreError::Damaged {
            file: self.path.display().to_string(),
            why: why.to_string(),
            remedy: self.remedy,
        }
    }
}

impl Document {
    /// What it says, typed.
    ///
    /// # Errors
    /// It says something else.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        T::deserialize(&self.body).map_err(|error| match &self.file {
            Some(file) => file.damaged(format!("its {:?} is none: {error}", self.name)),
            None => StoreError::Unreadable { what: self.name.clone(), why: error.to_string() },
        })
    }
}

/// Where documents are kept.
#[async_trait]
pub trait Memory: Send + Sync {
    /// A document, if it is there.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn read(&self, name: &str) -> Result<Option<Document>, StoreError>;

    /// Writes a document whose present version is `seen` ([`NOT_THERE`] where there is none yet), and
    /// gives its new version.
    ///
    /// # Errors
    /// It has another version by now ([`StoreError::Moved`]), or the store cannot be asked.
    async fn write(&self, name: &str, seen: u64, body: &Value) -> Result<u64, StoreError>;

    /// The documents whose names begin so, by name.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn list(&self, prefix: &str) -> Result<Vec<Document>, StoreError>;

    /// Removes a document whose present version is `seen`.
    ///
    /// # Errors
    /// It has another version by now, or the store cannot be asked.
    async fn remove(&self, name: &str, seen: u64) -> Result<(), StoreError>;

    /// Whether something can be kept there now.
    ///
    /// # Errors
    /// Why not.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Reads a document, lets `change` say what it is to say from now on, and writes that; once more from
/// the beginning where somebody else was faster. `None` from `change` leaves it as it is.
///
/// # Errors
/// The store cannot be asked, the document says something else than a `T`, or others were faster each
/// time.
pub async fn change<T: Serialize + DeserializeOwned + Send>(
    memory: &dyn Memory,
    name: &str,
    mut change: impl FnMut(Option<T>) -> Option<T> + Send,
) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        let there = memory.read(name).await?;
        let seen = there.as_ref().map_or(NOT_THERE, |document| document.version);
        let now = there.map(|document| document.typed()).transpose()?;
        let Some(then) = change(now) else { return Ok(()) };
        tries += 1;
        match memory.write(name, seen, &serde_json::to_value(then)?).await {
            Err(StoreError::Moved { .. }) if tries < TRIES => {}
            written => return written.map(drop),
        }
    }
}

/// Refuses what no store takes in.
///
/// # Errors
/// The name is empty, too long or not for people to read; or the document is too large.
pub(super) fn fits(name: &str, body: &Value) -> Result<String, StoreError> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(StoreError::Unfit { what: format!("{name:?} is no name of a document") });
    }
    let text = serde_json::to_string(body)?;
    if text.len() > LARGEST {
        return Err(StoreError::Unfit {
            what: format!("{name} has {} bytes, more than {LARGEST}", text.len()),
        });
    }
    Ok(text)
}

/// A memory that ends with the process: for tests, and for a controller without a store.
#[derive(Debug, Default)]
pub struct InMemory {
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    latest: u64,
    documents: BTreeMap<String, Document>,
}

impl InMemory {
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn has(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        let now = self.documents.get(name).map_or(NOT_THERE, |document| document.version);
        match now == seen {
            true => Ok(()),
            false => Err(StoreError::Moved { name: name.to_owned() }),
        }
    }
}

#[async_trait]
impl Memory for InMemory {
    async fn read(&self, name: &str) -> Result<Option<Document>, StoreError> {
        Ok(self.all().documents.get(name).cloned())
    }

    async fn write(&self, name: &str, seen: u64, body: &Value) -> Result<u64, StoreError> {
        fits(name, body)?;
        let mut all = self.all();
        all.has(name, seen)?;
        all.latest += 1;
        let version = all.latest;
        let document = Document { name: name.to_owned(), version, body: body.clone(), file: None };
        all.documents.insert(name.to_owned(), document);
        Ok(version)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, StoreError> {
        let all = self.all();
        let from = all.documents.range(prefix.to_owned()..);
        let with = from.take_while(|(name, _)| name.starts_with(prefix));
        Ok(with.map(|(_, document)| document.clone()).collect())
    }

    async fn remove(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        let mut all = self.all();
        all.has(name, seen)?;
        all.documents.remove(name);
        Ok(())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What every memory does; asked of each.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod contract {
    use serde_json::json;

    use super::*;

    /// Asks a memory that is empty.
    pub async fn holds(memory: &dyn Memory) {
        a_document_is_written_by_who_has_seen_it(memory).await;
        names_are_taken_as_they_are(memory).await;
        changes_of_many_are_all_kept(memory).await;
        memory.ping().await.unwrap();
        assert!(matches!(
            memory.write("", NOT_THERE, &json!(1)).await,
            Err(StoreError::Unfit { .. })
        ));
        let large = json!("x".repeat(LARGEST));
        assert!(matches!(
            memory.write("large", NOT_THERE, &large).await,
            Err(StoreError::Unfit { .. })
        ));
    }

    async fn a_document_is_written_by_who_has_seen_it(memory: &dyn Memory) {
        assert_eq!(memory.read("a").await.unwrap(), None);
        let first = memory.write("a", NOT_THERE, &json!({"n": 1})).await.unwrap();
        let again = memory.write("a", NOT_THERE, &json!({"n": 2})).await;
        assert!(matches!(again, Err(StoreError::Moved { .. })), "{again:?}");
        let second = memory.write("a", first, &json!({"n": 2})).await.unwrap();
        assert!(second > first);
        let read = memory.read("a").await.unwrap().unwrap();
        assert_eq!((read.version, &read.body), (second, &json!({"n": 2})));
        assert!(matches!(memory.remove("a", first).await, Err(StoreError::Moved { .. })));
        memory.remove("a", second).await.unwrap();
        assert_eq!(memory.read("a").await.unwrap(), None);
        assert!(matches!(memory.remove("a", second).await, Err(StoreError::Moved { .. })));
        // Made again, it is another one: who knows the first must not take it for theirs.
        let third = memory.write("a", NOT_THERE, &json!(null)).await.unwrap();
        assert!(third > second);
        assert!(matches!(memory.write("a", first, &json!(1)).await, Err(StoreError::Moved { .. })));
        memory.remove("a", third).await.unwrap();
    }

    async fn names_are_taken_as_they_are(memory: &dyn Memory) {
        for name in ["l/b", "l/a", "l_a", "l%", "L/a", "l/ä", "l"] {
            memory.write(name, NOT_THERE, &json!(name)).await.unwrap();
        }
        let names = async |prefix: &str| -> Vec<String> {
            memory.list(prefix).await.unwrap().into_iter().map(|one| one.name).collect()
        };
        assert_eq!(names("l/").await, ["l/a", "l/b", "l/ä"]);
        assert_eq!(names("l_").await, ["l_a"]);
        assert_eq!(names("l%").await, ["l%"]);
        assert_eq!(names("L").await, ["L/a"]);
        assert_eq!(names("z").await, [""; 0]);
        for document in memory.list("").await.unwrap() {
            memory.remove(&document.name, document.version).await.unwrap();
        }
        assert_eq!(names("").await, [""; 0]);
    }

    async fn changes_of_many_are_all_kept(memory: &dyn Memory) {
        let add = || change(memory, "count", |now: Option<u64>| Some(now.unwrap_or(0) + 1));
        let all = futures::future::join_all((0..8).map(|_| add())).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        let read = memory.read("count").await.unwrap().unwrap();
        assert_eq!(read.typed::<u64>().unwrap(), 8);
        assert!(matches!(
            read.typed::<String>(),
            Err(StoreError::Unreadable { .. } | StoreError::Damaged { .. })
        ));
        change(memory, "count", |_: Option<u64>| None).await.unwrap();
        assert_eq!(memory.read("count").await.unwrap().unwrap().version, read.version);
        memory.remove("count", read.version).await.unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_every_memory_does() {
        contract::holds(&InMemory::default()).await;
    }
}
