//! The audit log: what is about to be written to AWS, and what came of it.
//!
//! An append-only file of JSON lines, each on the disk before the next step is taken. A write has
//! an `intent` before it and an outcome after it; an intent without outcome means that the process
//! died between the two, and that the object must be looked at again.
//!
//! Each line carries its number, the digest of the line before and its own, so that a line that was
//! changed, taken out or put in is noticed; see [`Check`]. Only one process at a time writes to a
//! log: the lock beside it is held as long as the log is open.

mod anchor;
mod check;
mod file;
mod head;
mod lines;
mod lock;
mod seal;
mod shared;

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use anchor::{Head, called};
pub use check::{Check, Closed, Fault, RunLines};
pub(super) use file::make_folder_of;
pub use file::{is_log, put};
pub use head::head_of;
pub use lines::Lines;
pub(super) use lock::Lock;
pub use shared::{SharedLog, Writer};

use crate::aws::error::ErrorClass;
use crate::names::{AccountId, ItemName, Region};

/// The audit log cannot be written or read; nothing is written to AWS without it.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file system refused.
    #[error("cannot {doing} the audit log {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The log.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no file of its own: a link could lead anywhere, and a pipe or device keeps nothing.
    #[error("the audit log {} is {what}", path.display())]
    NotAFile {
        /// The log.
        path: PathBuf,
        /// What it is, and is not.
        what: &'static str,
    },
    /// Another process writes to it.
    #[error("another run is writing with the audit log {}: {holder}", path.display())]
    Held {
        /// The log.
        path: PathBuf,
        /// Who holds the lock.
        holder: String,
    },
    /// A record could not be written as JSON.
    #[error("cannot write a record of the audit log: {0}")]
    Record(#[from] serde_json::Error),
}

impl AuditError {
    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Record(_) => {
                "nothing is written to AWS without the audit log: make room for it and make it writable, or name another with --audit-log"
            }
            Self::NotAFile { .. } => {
                "look at who made it so; then move it away, or name another with --audit-log"
            }
            Self::Held { .. } => {
                "wait until that run is done; two at a time could undo each other's work"
            }
        }
    }
}

/// Of which kind a failure was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FailureClass {
    /// AWS refused, or gave no answer: then the write may have been done.
    Aws(ErrorClass),
    /// Nothing was sent.
    Ours(NotSent),
}

impl FailureClass {
    /// Whether AWS said neither yes nor no: the write may have been done.
    pub fn is_no_answer(self) -> bool {
        matches!(
            self,
            Self::Aws(ErrorClass::Unreachable | ErrorClass::Late | ErrorClass::ServerFault)
        )
    }
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// The request could not be made whole.
    Unsendable,
    /// The stored write is not one of this version's.
    Misfit,
    /// Somebody who had to hear of the write could not.
    Unheard,
}

/// Why a write is not done.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What went wrong.
    pub error: String,
    /// Of which kind it was.
    #[serde(default)]
    pub class: Option<FailureClass>,
    /// The change that makes room and goes first, before this one is tried once more.
    #[serde(default)]
    pub again_after: Option<u32>,
    /// What the call's earlier steps made, which is there.
    #[serde(default)]
    pub left: Option<String>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// About to write.
    Intent {
        /// The exact write.
        action: Value,
        /// The object as it was observed directly before.
        before: Value,
        /// What is declared of it; with it, a later run can look at the object again.
        #[serde(default)]
        spec: Value,
        /// The guards that somebody overruled for the run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overruled: Vec<String>,
    },
    /// AWS accepted the write.
    Applied {
        /// The ids that it gave to what was made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        made: Vec<String>,
    },
    /// AWS refused the write, or did not answer.
    Failed(Failed),
    /// A write that failed is there all the same: its object was observed as it was to be. The answer was
    /// lost, or somebody else did it.
    Found,
    /// The object was observed again after its changes.
    Observed {
        /// The object now.
        after: Value,
        /// Whether it is as declared.
        in_sync: bool,
    },
    /// An intent of a run that died, whose object was observed again.
    Recovered {
        /// The object now.
        after: Option<Value>,
        /// Whether it is as declared.
        #[serde(default)]
        in_sync: bool,
    },
}

/// One line of the log.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When, in UTC.
    pub time: DateTime<Utc>,
    /// The run.
    pub run: String,
    /// The change's id in the run's plan; 0 where the record is about the whole object.
    pub change: u32,
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The item.
    pub item: ItemName,
    /// The object's id.
    pub object: String,
    /// Who AWS says that we are.
    pub by: String,
    /// The baseline: name and digest.
    pub baseline: String,
    /// Of an intent: the token of the account's lease, where several controllers share it. It only grows
    /// from one holder to the next.
    #[serde(default)]
    pub token: Option<i64>,
    /// What the record says.
    #[serde(flatten)]
    pub phase: Phase,
}

/// A line that tells of the log itself: what a crash had torn before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mended {
    time: DateTime<Utc>,
    phase: MendedPhase,
    /// The bytes between the record before and this one.
    torn_bytes: u64,
    /// Their digest.
    torn_digest: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MendedPhase {
    Mended,
}

/// The log, open for appending.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    writing: Mutex<Writing>,
    lock: lock::Lock,
}

#[derive(Debug)]
struct Writing {
    file: File,
    /// What the log holds, each line that is appended included.
    check: Check,
    /// Whether a line could not be written whole: nothing may follow it.
    is_torn: bool,
}

impl AuditLog {
    /// Opens the log, making it and its folder when they are not there, and reads it through.
    ///
    /// # Errors
    /// The file system refuses, it is no regular file, or another process writes to it.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let io = |doing| {
            let path = path.to_owned();
            move |source| AuditError::Io { doing, path, source }
        };
        file::no_linked_folder(path)?;
        file::make_folder_of(path).map_err(io("make the folder of"))?;
        let lock = lock::Lock::take(path)?;
        let file = file::open_own(path, path)?;
        let check = Check::read(&file, None).map_err(io("read"))?;
        let mut writing = Writing { file, check, is_torn: false };
        writing.mend().map_err(io("repair"))?;
        Ok(Self { path: path.to_owned(), writing: Mutex::new(writing), lock })
    }

    /// Where the log is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a record; when this returns, it is on the disk.
    ///
    /// # Errors
    /// The file system refuses, now or at an earlier record.
    pub fn append(&self, record: &Record) -> Result<(), AuditError> {
        let body = serde_json::to_vec(record)?;
        let mut writing = self.writing();
        // Appending to what nobody finds any more keeps nothing, and without its lock another run
        // could be at work.
        file::is_still_at(&writing.file, &self.path)
            .and_then(|()| self.lock.is_still_held())
            .and_then(|()| writing.append(body))
            .map_err(|source| AuditError::Io {
                doing: "append to",
                path: self.path.clone(),
                source,
            })
    }

    /// Whether it is still where it was opened, and its lock as well.
    pub fn is_in_place(&self) -> bool {
        let writing = self.writing();
        file::is_still_at(&writing.file, &self.path)
            .and_then(|()| self.lock.is_still_held())
            .is_ok()
    }

    /// Takes up again a log in which a record could not be written whole, because the disk was full:
    /// it is read anew from the disk, which alone knows what came to it, and the torn line is noted.
    ///
    /// # Errors
    /// There is still no room, or it cannot be read.
    pub fn restore(&self) -> Result<(), AuditError> {
        let mut writing = self.writing();
        if !writing.is_torn {
            return Ok(());
        }
        let io = |doing| {
            let path = self.path.clone();
            move |source| AuditError::Io { doing, path, source }
        };
        writing.file.rewind().map_err(io("read"))?;
        writing.check = Check::read(&writing.file, None).map_err(io("read"))?;
        writing.is_torn = false;
        let mended = writing.mend();
        writing.is_torn |= mended.is_err();
        mended.map_err(io("repair"))
    }

    /// The intents that have no outcome: writes during which a run died, or during this one.
    pub fn unfinished(&self) -> Vec<Record> {
        self.writing().check.unfinished().cloned().collect()
    }

    /// The intents that got no answer, and whose objects nobody has seen since.
    pub fn unanswered(&self) -> Vec<Record> {
        self.writing().check.unanswered().cloned().collect()
    }

    /// What came last of a change; none where it is open, or not in the log.
    pub fn outcome(&self, run: &str, change: u32) -> Option<Closed> {
        self.writing().check.outcome(run, change)
    }

    /// What is wrong with the log, if anything is.
    pub fn faults(&self) -> Vec<Fault> {
        self.writing().check.faults().to_vec()
    }

    /// The number of the last record and the beginning of its digest, to be noted elsewhere.
    pub fn head(&self) -> String {
        let writing = self.writing();
        let (number, digest) = writing.check.head();
        format!("record {number}, {}", digest.get(..16).unwrap_or(digest))
    }

    fn writing(&self) -> std::sync::MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn append(&mut self, body: Vec<u8>) -> std::io::Result<()> {
        if self.is_torn {
            return Err(std::io::Error::other("an earlier record could not be written whole"));
        }
        let (number, digest) = self.check.head();
        let mut line = seal::seal(body, number + 1, digest);
        line.push(b'\n');
        self.is_torn = true;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.is_torn = false;
        line.pop();
        self.check.line(&line, true);
        Ok(())
    }

    /// Ends a last line that a crash cut short, and says so in a line of its own.
    fn mend(&mut self) -> std::io::Result<()> {
        if !self.check.ends_with_newline() {
            self.file.write_all(b"\n")?;
            self.check.end_line();
        }
        let Some((torn_bytes, torn_digest)) = self.check.torn() else { return Ok(()) };
        let mended =
            Mended { time: Utc::now(), phase: MendedPhase::Mended, torn_bytes, torn_digest };
        self.append(serde_json::to_vec(&mended)?)
    }
}

#[cfg(test)]
mod tests;
