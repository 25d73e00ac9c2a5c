//! Reading a log from beginning to end: whether it is whole, which runs wrote it, and which writes
//! have no outcome. Line by line, so that a log of any size can be read; by bytes, so that half a
//! character spoils nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::anchor::Head;
use super::lines::LONGEST_LINE;
use super::seal::{NONE_BEFORE, Seal, unseal};
use super::{AuditError, Failed, Mended, Phase, Record, file};
use crate::digest;

/// After so many faults, more tell nothing new.
const MOST_FAULTS: usize = 100;

/// Something that no run of evenkeel leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.what)
    }
}

/// The lines of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLines {
    /// The run.
    pub run: String,
    /// Who AWS said that it was.
    pub by: String,
    /// When its first record was written.
    pub began: DateTime<Utc>,
    /// Its first line.
    pub first: u64,
    /// Its last line.
    pub last: u64,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// AWS accepted it.
    Applied,
    /// AWS refused it or did not answer, or nothing was sent.
    Failed,
    /// It failed, and is there all the same.
    Found,
    /// The run died, and a later one observed the object.
    Recovered,
}

/// What was found in a log so far.
#[derive(Debug)]
pub struct Check {
    lines: u64,
    /// The last sealed line.
    number: u64,
    digest: String,
    /// How many of the lines are sealed records.
    records: u64,
    faults: Vec<Fault>,
    runs: Vec<RunLines>,
    open: BTreeMap<(String, u32), Record>,
    /// The intents that got no answer, and whose objects nobody has seen since.
    unanswered: Vec<Record>,
    /// The changes of each run that have an outcome, and which one.
    closed: BTreeMap<String, BTreeMap<u32, Closed>>,
    torn: Option<Torn>,
    ends_with_newline: bool,
    sought: Option<String>,
    is_found: bool,
    /// Heads that are kept elsewhere and were not met yet.
    kept: BTreeSet<(u64, String)>,
}

/// Bytes that are no record.
#[derive(Debug)]
struct Torn {
    line: u64,
    bytes: u64,
    digest: Sha256,
}

impl Check {
    fn new(sought: Option<&str>) -> Self {
        Self {
            lines: 0,
            number: 0,
            digest: NONE_BEFORE.to_owned(),
            records: 0,
            faults: Vec::new(),
            runs: Vec::new(),
            open: BTreeMap::new(),
            unanswered: Vec::new(),
            closed: BTreeMap::new(),
            torn: None,
            ends_with_newline: true,
            sought: sought.map(str::to_ascii_lowercase),
            is_found: false,
            kept: BTreeSet::new(),
        }
    }

    /// Checks a log that nobody has to write to. `head` is the beginning of a digest that one of
    /// its records must have.
    ///
    /// # Errors
    /// It cannot be read, or is no regular file.
    pub fn of(path: &Path, head: Option<&str>) -> Result<Self, AuditError> {
        Self::against(path, head, BTreeSet::new())
    }

    /// The same, of a log whose heads were kept elsewhere: each of them must be one of its records.
    ///
    /// # Errors
    /// As [`Check::of`].
    pub fn against(
        path: &Path,
        head: Option<&str>,
        kept: BTreeSet<Head>,
    ) -> Result<Self, AuditError> {
        let file = file::open_to_read(path)?;
        let mut check = Self::new(head);
        check.kept = kept.into_iter().map(|head| (head.number, head.digest)).collect();
        let mut check = check.reads(&file).map_err(|source| AuditError::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        })?;
        // A crash cuts a line short; a whole one that is no record is of somebody else.
        if let Some(torn) = check.torn.as_ref().filter(|_| check.ends_with_newline) {
            let line = torn.line;
            check.faults_at(line, "it is no record, and no crash was noted".to_owned());
        }
        Ok(check)
    }

    pub(super) fn read(file: &File, head: Option<&str>) -> io::Result<Self> {
        Self::new(head).reads(file)
    }

    fn reads(self, file: &File) -> io::Result<Self> {
        let mut check = self;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        let mut is_part = false;
        loop {
            line.clear();
            if reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(check);
            }
            let is_ended = line.last() == Some(&b'\n');
            if is_ended {
                line.pop();
            }
            let is_too_long = !is_ended && line.len() as u64 == LONGEST_LINE;
            if is_part || is_too_long {
                check.part(&line, is_ended);
            } else {
                check.line(&line, is_ended);
            }
            is_part = is_too_long;
        }
    }

    /// Adds a line, without its end.
    pub(super) fn line(&mut self, line: &[u8], is_ended: bool) {
        let Some(seal) = unseal(line) else {
            return self.without_seal(line, is_ended);
        };
        self.lines += 1;
        self.records += 1;
        self.ends_with_newline = is_ended;
        let torn = self.torn.take();
        self.follows(&seal);
        if let Ok(record) = serde_json::from_slice::<Record>(line) {
            self.vouched(torn.as_ref(), None);
            self.record(record, true);
        } else if let Ok(mended) = serde_json::from_slice::<Mended>(line) {
            self.vouched(torn.as_ref(), Some(&mended));
        } else {
            self.vouched(torn.as_ref(), None);
            self.fault("this version does not understand the record".to_owned());
        }
        self.number = seal.number;
        self.is_found |= self.sought.as_ref().is_some_and(|sought| seal.digest.starts_with(sought));
        self.kept.remove(&(seal.number, seal.digest.clone()));
        self.digest = seal.digest;
    }

    /// Whether a sealed line follows the one before it.
    fn follows(&mut self, seal: &Seal) {
        if !seal.is_true {
            self.fault("the record was changed after it was written".to_owned());
        }
        let next = self.number + 1;
        if seal.number > next {
            let count = seal.number - next;
            self.fault(match count {
                1 => "1 record before it is missing".to_owned(),
                _ => format!("{count} records before it are missing"),
            });
        } else if seal.number < next {
            self.fault(format!(
                "it is record {}, and record {} stands before it",
                seal.number, self.number
            ));
        } else if seal.former != self.digest {
            self.fault("the record before it is not the one that it was written after".to_owned());
        }
    }

    /// A line that no run has written as a whole.
    fn without_seal(&mut self, line: &[u8], is_ended: bool) {
        if let Ok(record) = serde_json::from_slice::<Record>(line) {
            self.lines += 1;
            self.ends_with_newline = is_ended;
            let torn = self.torn.take();
            self.vouched(torn.as_ref(), None);
            self.fault("the record has no digest: nobody can tell who wrote it".to_owned());
            self.record(record, false);
        } else {
            self.part(line, is_ended);
        }
    }

    /// Bytes that are no record: of a line that was cut short, most probably.
    fn part(&mut self, bytes: &[u8], is_ended: bool) {
        if self.ends_with_newline {
            self.lines += 1;
        }
        self.ends_with_newline = is_ended;
        let line = self.lines;
        let torn = self.torn.get_or_insert_with(|| Torn { line, bytes: 0, digest: Sha256::new() });
        torn.digest.update(bytes);
        torn.bytes += bytes.len() as u64;
        if is_ended {
            torn.digest.update(b"\n");
            torn.bytes += 1;
        }
    }

    /// Whether the run after a crash has said of torn bytes that it found them so.
    fn vouched(&mut self, torn: Option<&Torn>, mended: Option<&Mended>) {
        let Some(torn) = torn else {
            if mended.is_some() {
                self.fault("it tells of a torn line that is not there".to_owned());
            }
            return;
        };
        let is_same = mended.is_some_and(|mended| {
            mended.torn_bytes == torn.bytes && mended.torn_digest == torn.digest()
        });
        if !is_same {
            self.faults_at(torn.line, "it is no record, and no crash was noted".to_owned());
        }
    }

    fn record(&mut self, record: Record, is_sealed: bool) {
        if !matches!(record.phase, Phase::Recovered { .. }) {
            self.note_run(&record);
        }
        let key = (record.run.clone(), record.change);
        let closed = self.closed.get(&record.run).and_then(|run| run.get(&record.change)).copied();
        self.seen(&record);
        let (now, word) = match &record.phase {
            Phase::Observed { .. } => return,
            Phase::Intent { .. } => {
                if is_sealed && self.open.contains_key(&key) {
                    self.fault(format!("change {} is begun again without an outcome", key.1));
                } else if is_sealed && closed.is_some_and(|closed| closed != Closed::Failed) {
                    self.fault(format!("change {} is begun again after it was done", key.1));
                }
                self.open.insert(key, record);
                return;
            }
            Phase::Found => {
                if is_sealed && closed != Some(Closed::Failed) {
                    self.fault(format!("change {} is found, and had not failed", key.1));
                }
                self.closed.entry(key.0).or_default().insert(key.1, Closed::Found);
                return;
            }
            Phase::Applied { .. } => (Closed::Applied, "done"),
            Phase::Failed(_) => (Closed::Failed, "failed"),
            Phase::Recovered { .. } => (Closed::Recovered, "observed again"),
        };
        let intent = self.open.remove(&key);
        if intent.is_none() && is_sealed {
            self.fault(match closed {
                None => format!("change {} is {word}, and was never begun", key.1),
                Some(_) => format!("change {} is {word}, and has an outcome already", key.1),
            });
        }
        if let (Some(intent), Phase::Failed(Failed { class: Some(class), .. })) =
            (intent, &record.phase)
            && class.is_no_answer()
        {
            self.unanswered.push(intent);
        }
        self.closed.entry(key.0).or_default().insert(key.1, now);
    }

    /// Notes of an object that it was seen, so that what got no answer before is in doubt no more.
    fn seen(&mut self, record: &Record) {
        let is_same = |one: &Record| (&one.run, one.change) == (&record.run, record.change);
        let is_of_it = |one: &Record| {
            (&one.account, &one.region, &one.item, &one.object)
                == (&record.account, &record.region, &record.item, &record.object)
        };
        match &record.phase {
            Phase::Found => self.unanswered.retain(|one| !is_same(one)),
            // The object is in it, as it was observed directly before.
            Phase::Intent { .. } => self.unanswered.retain(|one| !is_of_it(one)),
            Phase::Observed { after, .. } if !after.is_null() => {
                self.unanswered.retain(|one| !is_of_it(one));
            }
            Phase::Observed { .. }
            | Phase::Recovered { .. }
            | Phase::Applied { .. }
            | Phase::Failed(_) => {}
        }
    }

    fn note_run(&mut self, record: &Record) {
        let line = self.lines;
        match self.runs.iter_mut().rev().find(|run| run.run == record.run) {
            Some(run) => run.last = line,
            None => self.runs.push(RunLines {
                run: record.run.clone(),
                by: record.by.clone(),
                began: record.time,
                first: line,
                last: line,
            }),
        }
    }

    fn fault(&mut self, what: String) {
        self.faults_at(self.lines, what);
    }

    fn faults_at(&mut self, line: u64, what: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { line, what });
        }
    }

    /// What came last of a change; none where it is open, or not in the log.
    pub fn outcome(&self, run: &str, change: u32) -> Option<Closed> {
        if self.open.contains_key(&(run.to_owned(), change)) {
            return None;
        }
        self.closed.get(run)?.get(&change).copied()
    }

    /// What is wrong with the log; a whole one has none.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The runs that wrote it, in order.
    pub fn runs(&self) -> &[RunLines] {
        &self.runs
    }

    /// The intents that have no outcome.
    pub fn unfinished(&self) -> impl Iterator<Item = &Record> {
        self.open.values()
    }

    /// The intents that got no answer, and whose objects nobody has seen since: they may have been done.
    pub fn unanswered(&self) -> impl Iterator<Item = &Record> {
        self.unanswered.iter()
    }

    /// The number and digest of the last record.
    pub fn head(&self) -> (u64, &str) {
        (self.number, &self.digest)
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether the digest that was asked for is one of its records'; `None` when none was.
    pub fn has_sought(&self) -> Option<bool> {
        self.sought.as_ref().map(|_| self.is_found)
    }

    /// The numbers and digests of heads that were kept elsewhere and are none of its records.
    pub fn missing(&self) -> impl Iterator<Item = (u64, &str)> {
        self.kept.iter().map(|(number, digest)| (*number, digest.as_str()))
    }

    /// The bytes at its end that are no record, and their digest: what a crash or a full disk left.
    pub fn torn(&self) -> Option<(u64, String)> {
        self.torn.as_ref().map(|torn| (torn.bytes, torn.digest()))
    }

    /// Notes that a last line which had no end has one now.
    pub(super) fn end_line(&mut self) {
        self.ends_with_newline = true;
        if let Some(torn) = &mut self.torn {
            torn.digest.update(b"\n");
            torn.bytes += 1;
        }
    }

    pub(super) fn ends_with_newline(&self) -> bool {
        self.ends_with_newline
    }
}

impl Torn {
    fn digest(&self) -> String {
        digest::hexadecimal(&self.digest.clone().finalize())
    }
}
