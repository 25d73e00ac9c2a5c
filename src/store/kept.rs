//! A memory in one file, for who has no store: what guards remember is beside the audit log, for one
//! process at a time to write, and for people to read.
//!
//! A write takes the lock beside the file, writes a new file, and puts it in the place of the old one:
//! who reads sees the one or the other, and who dies leaves the one or the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::StoreError;
use super::memory::{Document, Memory, NOT_THERE, OfFile, fits};
use crate::files;

/// The largest file that is read, in MiB.
const LARGEST_MIB: u64 = 256;

/// A document more, when it is asked whether there is room.
const PAGE: u64 = 4096;

/// What a file keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// What the guards remember.
    Guards,
    /// Notices that wait, and what was told.
    Notices,
}

impl Keeps {
    /// What is lost with the file, and what to do when it is damaged.
    fn remedy(self) -> &'static str {
        match self {
            Self::Guards => {
                "put a copy from before in its place; or move it away, and what it holds is lost: the budgets of the day, breakers, fights, holds, confirmed targets and rollouts begin anew"
            }
            Self::Notices => {
                "put a copy from before in its place; or move it away, and what it holds is lost: notices that were not sent yet are never sent, and what is still so is told once more"
            }
        }
    }
}

/// A memory in a file.
#[derive(Debug, Clone)]
pub struct KeptInFile {
    path: PathBuf,
    file: Arc<OfFile>,
}

/// What the file says.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    /// The latest version that a document had; none is used twice.
    latest: u64,
    documents: BTreeMap<String, Kept>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    version: u64,
    body: Value,
}

impl Content {
    fn has(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        let now = self.documents.get(name).map_or(NOT_THERE, |kept| kept.version);
        match now == seen {
            true => Ok(()),
            false => Err(StoreError::Moved { name: name.to_owned() }),
        }
    }
}

impl KeptInFile {
    /// In this file. It is made by the first write, with its folder.
    pub fn at(path: impl Into<PathBuf>, keeps: Keeps) -> Self {
        let path = path.into();
        let file = Arc::new(OfFile { path: path.clone(), remedy: keeps.remedy() });
        Self { path, file }
    }

    fn cannot_be(&self, doing: &'static str, why: impl ToString) -> StoreError {
        let why = without_path(&why.to_string());
        StoreError::File { file: self.path.display().to_string(), doing, why }
    }

    fn folder(&self) -> &Path {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }

    fn content(&self) -> Result<Content, StoreError> {
        match files::text(&self.path, LARGEST_MIB) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| self.file.damaged(error)),
            Err(error) => match error.kind() {
                ErrorKind::NotFound => Ok(Content::default()),
                // It is no text.
                ErrorKind::InvalidData => Err(self.file.damaged(error)),
                _ => Err(self.cannot_be("read", error)),
            },
        }
    }

    /// Changes what the file says, while nobody else does.
    fn changed<T>(
        &self,
        change: impl FnOnce(&mut Content) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let folder = self.folder();
        let lock = || -> std::io::Result<File> {
            std::fs::create_dir_all(folder)?;
            let mut options = File::options();
            options.create(true).write(true).truncate(false);
            // Whoever may write into the folder must not lead it elsewhere.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW);
            let file = options.open(self.path.with_extension("lock"))?;
            file.lock()?;
            Ok(file)
        };
        // It is held until this is dropped.
        let _lock = lock().map_err(|error| self.cannot_be("written", error))?;
        let mut content = self.content()?;
        let changed = change(&mut content)?;
        let text = serde_json::to_vec(&content)?;
        let write = || -> std::io::Result<()> {
            // Readable by its owner only.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|error| self.cannot_be("written", error))?;
        Ok(changed)
    }

    /// Writes as much beside the file as the next change of it will.
    fn has_room(&self) -> Result<(), StoreError> {
        let folder = self.folder();
        if !folder.is_dir() {
            // It is made with the first document.
            return Ok(());
        }
        let there = self.path.metadata().map_or(0, |file| file.len());
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            std::io::copy(&mut std::io::repeat(0).take(there + PAGE), &mut file)?;
            file.as_file().sync_all()
        };
        write().map_err(|error| self.cannot_be("written", error))
    }

    /// Does what may wait for a disk or a lock where it keeps nobody else waiting.
    async fn apart<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let own = self.clone();
        let done = tokio::task::spawn_blocking(move || what(&own)).await;
        done.unwrap_or_else(|error| Err(self.cannot_be("read", error)))
    }
}

/// Why a file cannot be written, without the name of the temporary one: it is another one each time, so that
/// one reason would be told as many.
fn without_path(why: &str) -> String {
    why.split_once(" at path \"").map_or(why, |(why, _)| why).to_owned()
}

#[async_trait]
impl Memory for KeptInFile {
    async fn read(&self, name: &str) -> Result<Option<Document>, StoreError> {
        let name = name.to_owned();
        self.apart(move |own| {
            let kept = own.content()?.documents.remove(&name);
            let file = Some(Arc::clone(&own.file));
            Ok(kept.map(|Kept { version, body }| Document { name, version, body, file }))
        })
        .await
    }

    async fn write(&self, name: &str, seen: u64, body: &Value) -> Result<u64, StoreError> {
        fits(name, body)?;
        let (name, body) = (name.to_owned(), body.clone());
        self.apart(move |own| {
            own.changed(|content| {
                content.has(&name, seen)?;
                content.latest += 1;
                let version = content.latest;
                content.documents.insert(name, Kept { version, body });
                Ok(version)
            })
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, StoreError> {
        let prefix = prefix.to_owned();
        self.apart(move |own| {
            let all = own.content()?.documents.into_iter();
            let with = all.filter(|(name, _)| name.starts_with(&prefix));
            let document = |(name, kept): (String, Kept)| Document {
                name,
                version: kept.version,
                body: kept.body,
                file: Some(Arc::clone(&own.file)),
            };
            Ok(with.map(document).collect())
        })
        .await
    }

    async fn remove(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.apart(move |own| {
            own.changed(|content| {
                content.has(&name, seen)?;
                content.documents.remove(&name);
                Ok(())
            })
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.apart(Self::has_room).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::super::memory::contract;
    use super::*;

    fn at(path: impl Into<PathBuf>) -> KeptInFile {
        KeptInFile::at(path, Keeps::Guards)
    }

    #[test]
    fn a_temporary_file_has_no_name_in_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        let reason = || {
            let error = tempfile::NamedTempFile::new_in(&nowhere).unwrap_err();
            at("guards.json").cannot_be("written", error).to_string()
        };
        assert_eq!(reason(), reason());
        assert!(!reason().contains("nowhere"), "{}", reason());
        assert!(reason().contains("No such file or directory"), "{}", reason());
    }

    #[tokio::test]
    async fn what_every_memory_does() {
        let folder = tempfile::tempdir().unwrap();
        contract::holds(&at(folder.path().join("deep/memory.json"))).await;
    }

    #[tokio::test]
    async fn what_is_kept_is_there_for_the_next_process_and_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.json");
        at(&path).write("a", NOT_THERE, &json!(1)).await.unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let next = at(&path);
        assert_eq!(next.read("a").await.unwrap().unwrap().body, json!(1));
        // Reading makes nothing.
        assert_eq!(at(folder.path().join("no/such")).read("a").await.unwrap(), None);
        assert!(!folder.path().join("no").exists());
    }

    #[tokio::test]
    async fn where_nothing_can_be_written_it_is_not_said_to_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let memory = at(folder.path().join("memory.json"));
        memory.ping().await.unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "asking leaves nothing");
        // The device that is always full.
        let full = at("/dev/full/memory.json");
        assert!(full.write("a", NOT_THERE, &json!(1)).await.is_err());
        let nowhere = at("/proc/self/memory.json");
        let error = nowhere.ping().await.unwrap_err();
        assert!(matches!(error, StoreError::File { doing: "written", .. }), "{error}");
    }

    #[tokio::test]
    async fn a_damaged_file_is_an_error_that_helps_and_not_an_empty_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.json");
        let other = r#"{"latest": 1, "documents": {"a": {"version": 1, "body": "text"}}}"#;
        for damaged in
            [b"{\"latest\": 1, \"docu".as_slice(), b"", b"[]", b"\xff\xfe", other.as_bytes()]
        {
            std::fs::write(&path, damaged).unwrap();
            for (keeps, lost) in [(Keeps::Guards, "budgets"), (Keeps::Notices, "told once more")] {
                let memory = KeptInFile::at(&path, keeps);
                let read =
                    memory.read("a").await.and_then(|document| document.unwrap().typed::<u64>());
                let error = read.unwrap_err();
                assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
                assert!(error.to_string().contains("memory.json is damaged"), "{error}");
                assert!(error.remedy().contains("move it away"), "{error}");
                assert!(error.remedy().contains(lost), "{error}");
                if damaged != other.as_bytes() {
                    let written = memory.write("a", NOT_THERE, &json!(1)).await;
                    assert!(matches!(written, Err(StoreError::Damaged { .. })), "{written:?}");
                }
            }
            assert_eq!(std::fs::read(&path).unwrap(), damaged, "it is kept for whoever mends it");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = at(&path).read("a").await.unwrap_err();
        assert!(matches!(error, StoreError::File { doing: "read", .. }), "{error}");
        assert!(error.remedy().contains("regular file"), "{error}");
    }
}
