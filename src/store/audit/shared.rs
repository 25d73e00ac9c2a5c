//! A log that several runs of one process write to: opened once and kept open, with its lock, as long
//! as the process lives, so that nobody else writes in between two runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{AuditError, AuditLog, Closed, Record};

/// A log and the runs that write to it; clones are the same.
#[derive(Debug, Clone)]
pub struct SharedLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    open: Mutex<Option<Arc<AuditLog>>>,
    /// The runs that are writing, with how many parts of each.
    alive: Mutex<BTreeMap<String, usize>>,
}

/// A run that may write to a log, until this is dropped.
#[derive(Debug)]
pub struct Writer {
    log: Arc<AuditLog>,
    of: Arc<Shared>,
    run: String,
}

impl SharedLog {
    /// The log at a path. It is opened by the first run, or by [`SharedLog::keep_open`].
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            path: path.into(),
            open: Mutex::default(),
            alive: Mutex::default(),
        }))
    }

    /// Where the log is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Opens it now: whoever is to write to it for a year should know at once that it cannot be.
    ///
    /// # Errors
    /// As [`AuditLog::open`].
    pub fn keep_open(&self) -> Result<(), AuditError> {
        self.log().map(drop)
    }

    /// Lets a run write to it.
    ///
    /// # Errors
    /// As [`AuditLog::open`].
    pub fn writer(&self, run: &str) -> Result<Writer, AuditError> {
        let log = self.log()?;
        *self.0.alive().entry(run.to_owned()).or_default() += 1;
        Ok(Writer { log, of: Arc::clone(&self.0), run: run.to_owned() })
    }

    /// The log, open and whole. One that was torn by a full disk is mended; one that was moved away is
    /// begun anew, as soon as no run writes to the old one.
    fn log(&self) -> Result<Arc<AuditLog>, AuditError> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = open.as_ref()
            && log.is_in_place()
        {
            log.restore()?;
            return Ok(Arc::clone(log));
        }
        if open.is_some() {
            tracing::warn!(
                log = %self.0.path.display(),
                "somebody moved the audit log away: another one is begun; find out who, and keep the old one"
            );
        }
        // Its lock is given back first: otherwise we would wait for ourselves.
        *open = None;
        let log = Arc::new(AuditLog::open(&self.0.path)?);
        *open = Some(Arc::clone(&log));
        Ok(log)
    }
}

impl Shared {
    fn alive(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// The log.
    pub fn log(&self) -> &AuditLog {
        &self.log
    }

    /// How a change of a run ended that is dead, if it did: a run that is alive tells it itself.
    pub fn outcome(&self, run: &str, change: u32) -> Option<Closed> {
        match self.of.alive().contains_key(run) {
            true => None,
            false => self.log.outcome(run, change),
        }
    }

    /// The intents that have no outcome and whose run is dead: of the runs of this process that are
    /// still at work, the outcome comes.
    pub fn unfinished(&self) -> Vec<Record> {
        let alive = self.of.alive();
        let mut left = self.log.unfinished();
        left.retain(|intent| !alive.contains_key(&intent.run));
        left
    }

    /// The intents of dead runs that got no answer, and whose objects nobody has seen since.
    pub fn unanswered(&self) -> Vec<Record> {
        let alive = self.of.alive();
        let mut left = self.log.unanswered();
        left.retain(|intent| !alive.contains_key(&intent.run));
        left
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut alive = self.of.alive();
        match alive.get_mut(&self.run) {
            Some(parts) if *parts > 1 => *parts -= 1,
            _ => drop(alive.remove(&self.run)),
        }
    }
}
