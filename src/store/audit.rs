//! The audit log: what is about to be written to AWS, and what came of it.
//!
//! An append-only file of JSON lines, each on the disk before the next step is taken. A write has
//! an `intent` before it and an `outcome` after it; an intent without outcome means that the
//! process died between the two, and that the object must be looked at again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// A record could not be written as JSON.
    #[error("cannot write a record of the audit log: {0}")]
    Record(#[from] serde_json::Error),
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// About to write.
    Intent {
        /// The exact write.
        action: Value,
        /// The object as it was observed before.
        before: Value,
    },
    /// AWS accepted the write.
    Applied,
    /// AWS refused the write, or did not answer.
    Failed {
        /// What went wrong.
        error: String,
    },
    /// The object was observed again after its changes.
    Observed {
        /// The object now.
        after: Value,
        /// Whether it is as declared.
        in_sync: bool,
    },
    /// An intent of an interrupted run whose object was observed again.
    Recovered {
        /// The object now; absent when no item governs it any more.
        after: Option<Value>,
    },
}

/// One line of the log.
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
    /// What the record says.
    #[serde(flatten)]
    pub phase: Phase,
}

/// The log, open for appending.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    file: Mutex<File>,
}

impl AuditLog {
    /// Opens the log, making it and its folder when they are not there.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let io = |doing| {
            let path = path.to_owned();
            move |source| AuditError::Io { doing, path, source }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io("make the folder of"))?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)
            .map_err(io("open"))?;
        end_torn_line(&mut file, path).map_err(io("repair"))?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Where the log is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a record; when this returns, it is on the disk.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn append(&self, record: &Record) -> Result<(), AuditError> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(|source| AuditError::Io {
            doing: "append to",
            path: self.path.clone(),
            source,
        })
    }

    /// The intents that have no outcome: writes during which a run died.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Record>, AuditError> {
        let io = |source| AuditError::Io { doing: "read", path: self.path.clone(), source };
        let mut open: BTreeMap<(String, u32), Record> = BTreeMap::new();
        for line in BufReader::new(File::open(&self.path).map_err(io)?).lines() {
            // A line torn by a crash is no record; the write that it announced never began.
            let Ok(record) = serde_json::from_str::<Record>(&line.map_err(io)?) else { continue };
            let key = (record.run.clone(), record.change);
            match record.phase {
                Phase::Intent { .. } => {
                    open.insert(key, record);
                }
                Phase::Applied | Phase::Failed { .. } | Phase::Recovered { .. } => {
                    open.remove(&key);
                }
                Phase::Observed { .. } => {}
            }
        }
        Ok(open.into_values().collect())
    }
}

/// Ends a last line that a crash cut short, so that the next record stands on its own line.
fn end_torn_line(file: &mut File, path: &Path) -> std::io::Result<()> {
    let text = std::fs::read(path)?;
    if text.last().is_some_and(|byte| *byte != b'\n') {
        file.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record(change: u32, phase: Phase) -> Record {
        Record {
            time: DateTime::UNIX_EPOCH,
            run: "run".to_owned(),
            change,
            account: "111122223333".parse().unwrap(),
            region: Region::new("eu-west-1"),
            item: "s3.bucket.audit".parse().unwrap(),
            object: "audit".to_owned(),
            by: "arn:aws:iam::111122223333:user/me".to_owned(),
            baseline: "foundation@000000".to_owned(),
            phase,
        }
    }

    fn intent() -> Phase {
        Phase::Intent { action: Value::Null, before: Value::Null }
    }

    #[test]
    fn an_intent_without_outcome_is_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let log = AuditLog::open(&folder.path().join("deep/audit.jsonl")).unwrap();
        log.append(&record(1, intent())).unwrap();
        log.append(&record(1, Phase::Applied)).unwrap();
        log.append(&record(2, intent())).unwrap();
        let open = log.unfinished().unwrap();
        assert_eq!(open.iter().map(|record| record.change).collect::<Vec<_>>(), [2]);
        log.append(&record(2, Phase::Recovered { after: None })).unwrap();
        assert!(log.unfinished().unwrap().is_empty());
    }

    #[test]
    fn a_torn_line_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        std::fs::write(&path, "{\"time\":\"20").unwrap();
        let log = AuditLog::open(&path).unwrap();
        log.append(&record(7, intent())).unwrap();
        assert_eq!(log.unfinished().unwrap().len(), 1);
    }
}
