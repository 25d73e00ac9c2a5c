//! Only one at a time: a lock on a file beside the log (or beside a store in a file), given back by the
//! operating system when its holder ends, however it ends. An intent without outcome in a log whose lock
//! is free is therefore one of a run that is dead.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{AuditError, file};

/// The lock of a log, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Who holds a lock; what the next one is told.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    process: u32,
    host: Option<String>,
    since: DateTime<Utc>,
}

/// More than a holder says of itself.
const LONGEST: u64 = 4096;

impl Lock {
    /// Takes the lock of a log.
    ///
    /// # Errors
    /// Somebody else has it, or the file system refuses.
    pub fn take(log: &Path) -> Result<Self, AuditError> {
        Self::beside(log, ".lock")
    }

    /// Takes the lock of a file that has this ending besides the file's name.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn beside(log: &Path, ending: &str) -> Result<Self, AuditError> {
        let mut name = log.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        let mut file = file::open_own(&path, log)?;
        let io = |source| AuditError::Io { doing: "lock", path: log.to_owned(), source };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(AuditError::Held { path: log.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let us = Holder { process: std::process::id(), host: host(), since: Utc::now() };
        let text = serde_json::to_vec(&us)?;
        file.set_len(0).and_then(|()| file.write_all(&text)).map_err(io)?;
        Ok(Self { file, path })
    }

    /// Whether the next one who wants it will find it taken.
    ///
    /// # Errors
    /// It is not where it was.
    pub fn is_still_held(&self) -> std::io::Result<()> {
        file::is_still_at(&self.file, &self.path)
    }
}

/// Who holds the lock, in words.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(LONGEST).read_to_string(&mut text));
    match (read, serde_json::from_str::<Holder>(&text)) {
        (Ok(_), Ok(Holder { process, host, since })) => format!(
            "process {process}{} has held its lock since {}",
            host.map_or_else(String::new, |host| format!(" on {host}")),
            since.to_rfc3339_opts(SecondsFormat::Secs, true)
        ),
        _ => "it has just begun, and has not said who it is".to_owned(),
    }
}

/// The name of this machine, where the system tells it in a file.
fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
