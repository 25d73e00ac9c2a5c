//! What the history lacks: changes that it could not take in, while its disk was full for example, and that
//! were made all the same. The audit log has them, without which nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::records::{
    DriftKey, Ending, Intent, IntentAbout, Outcome, OutcomeAbout, OutcomeWord, RunAbout, RunRecord,
    Verified,
};
use super::time;
use crate::store::Store;
use crate::store::audit::{Lines, Phase, Record};
use crate::store::db::Tx;
use crate::store::error::StoreError;

/// How often the history could not take something in, and up to which of these it is whole again.
#[derive(Debug, Default)]
pub struct Gaps {
    noted: AtomicU64,
    filled: AtomicU64,
}

/// What the history has: its runs, and of each change the tries that were begun and those that ended.
#[derive(Debug, Default)]
struct There {
    /// Since when it tells of runs; nothing before that is taken over.
    first: Option<DateTime<Utc>>,
    runs: BTreeSet<String>,
    begun: BTreeMap<(String, u32), BTreeSet<u32>>,
    ended: BTreeMap<(String, u32), BTreeSet<u32>>,
}

impl Store {
    /// Notes that the history could not take something in.
    pub fn lacks(&self) {
        self.gaps.noted.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the history lacks something that it could not take in.
    pub fn is_lacking(&self) -> bool {
        self.gaps.noted.load(Ordering::Relaxed) != self.gaps.filled.load(Ordering::Relaxed)
    }

    /// Takes over from an audit log the changes that the history lacks, from its first run on, and says how
    /// many records that were.
    ///
    /// # Errors
    /// The log cannot be read, or the store cannot be asked; what was taken over by then stays.
    pub async fn take_over(&self, log: &Path) -> Result<usize, StoreError> {
        // What cannot be noted from now on is lacking afterwards.
        let noted = self.gaps.noted.load(Ordering::Relaxed);
        let there = self.there().await?;
        let path = log.to_owned();
        let reading = tokio::task::spawn_blocking(move || lacking(&path, there));
        let (runs, records) = reading.await.map_err(|error| unreadable(log, error))??;
        for run in &runs {
            self.note_run(run).await?;
        }
        for record in &records {
            self.note_record(record).await?;
        }
        self.gaps.filled.store(noted, Ordering::Relaxed);
        Ok(records.len())
    }

    async fn there(&self) -> Result<There, StoreError> {
        let look = |mut tx: Tx| async move {
            let mut there = There::default();
            for row in tx.rows("SELECT run, began FROM runs", &[]).await? {
                let began = time(row.int(1)?);
                there.first = Some(there.first.map_or(began, |first| first.min(began)));
                there.runs.insert(row.text(0)?.to_owned());
            }
            for (sql, all) in [
                ("SELECT run, change, attempt FROM intents", &mut there.begun),
                ("SELECT run, change, attempt FROM outcomes", &mut there.ended),
            ] {
                for row in tx.rows(sql, &[]).await? {
                    let number = |column: usize| {
                        u32::try_from(row.int(column)?).map_err(|_| StoreError::Unreadable {
                            what: "change".to_owned(),
                            why: "its number is none".to_owned(),
                        })
                    };
                    let change = (row.text(0)?.to_owned(), number(1)?);
                    all.entry(change).or_default().insert(number(2)?);
                }
            }
            Ok((tx, there))
        };
        self.db.read(look).await
    }

    /// Takes over an intent of the audit log whose run died before the store had it; says whether it lacked it.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn take_over_intent(&self, intent: &Record) -> Result<bool, StoreError> {
        match self.note_record(intent).await {
            Ok(()) => Ok(true),
            // It has it, or tells nothing of that time.
            Err(StoreError::Impossible { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn note_record(&self, record: &Record) -> Result<(), StoreError> {
        let about = OutcomeAbout::default();
        match &record.phase {
            Phase::Intent { action, before, spec, .. } => {
                let about = IntentAbout {
                    name: format!("change {}, as the audit log has it", record.change),
                    action: action.clone(),
                    before: before.clone(),
                    spec: spec.clone(),
                    baseline: record.baseline.clone(),
                    ..IntentAbout::default()
                };
                self.begin_change_late(&intent(record, about)).await
            }
            Phase::Applied { made } => {
                let about = OutcomeAbout { made: made.clone(), ..about };
                self.end_change(&outcome(record, OutcomeWord::Applied, about)).await
            }
            Phase::Failed(failed) => {
                let class = failed.class.map(serde_json::to_value).transpose()?;
                let (error, left) = (Some(failed.error.clone()), failed.left.clone());
                let about = OutcomeAbout { error, class, left, ..about };
                self.end_change(&outcome(record, OutcomeWord::Failed, about)).await
            }
            Phase::Recovered { after, in_sync } => {
                let (after, in_sync) = (after.clone(), Some(*in_sync));
                let about = OutcomeAbout { after, in_sync, ..about };
                self.end_change(&outcome(record, OutcomeWord::Recovered, about)).await
            }
            Phase::Observed { after, in_sync } => {
                self.note_verified_late(&verified(record, after, *in_sync)).await
            }
            Phase::Found => Ok(()),
        }
    }
}

fn unreadable(log: &Path, why: impl ToString) -> StoreError {
    StoreError::File { file: log.display().to_string(), doing: "read", why: why.to_string() }
}

/// The records of a log that the history lacks, and their runs where it lacks those as well.
fn lacking(log: &Path, there: There) -> Result<(Vec<RunRecord>, Vec<Record>), StoreError> {
    let (mut runs, mut records) = (BTreeMap::new(), Vec::new());
    // A history that tells of nothing begins with what comes.
    let Some(first) = there.first.filter(|_| log.exists()) else {
        return Ok((Vec::new(), records));
    };
    let mut tries: BTreeMap<(String, u32), u32> = BTreeMap::new();
    let mut objects = BTreeSet::new();
    for line in Lines::of(log).map_err(|error| unreadable(log, error))? {
        let (_, record) = line.map_err(|error| unreadable(log, error))?;
        let Some(record) = record.filter(|record| record.time >= first) else { continue };
        let change = (record.run.clone(), record.change);
        let of = (record.run.clone(), key(&record));
        let is_in = |all: &BTreeMap<_, BTreeSet<u32>>, number: u32| {
            all.get(&change).is_some_and(|tries| tries.contains(&number))
        };
        let is_lacking = match &record.phase {
            Phase::Intent { .. } => {
                let number = tries.entry(change.clone()).or_default();
                *number += 1;
                !is_in(&there.begun, *number)
            }
            Phase::Applied { .. } | Phase::Failed(_) | Phase::Recovered { .. } => {
                let number = tries.get(&change).copied();
                number.is_some_and(|number| !is_in(&there.ended, number))
            }
            Phase::Observed { .. } => objects.contains(&of),
            Phase::Found => false,
        };
        if !is_lacking {
            continue;
        }
        objects.insert(of);
        if !there.runs.contains(&record.run) {
            let run = runs.entry(record.run.clone()).or_insert_with(|| run_of(&record));
            goes_on(run, &record);
        }
        records.push(record);
    }
    Ok((runs.into_values().collect(), records))
}

/// A run of which the log alone tells.
fn run_of(record: &Record) -> RunRecord {
    RunRecord {
        run: record.run.clone(),
        command: "run".to_owned(),
        began: record.time,
        ended: Some(record.time),
        outcome: Some(Ending::InSync),
        about: RunAbout { baseline: record.baseline.clone(), accounts: 1, ..RunAbout::default() },
    }
}

fn goes_on(run: &mut RunRecord, record: &Record) {
    run.ended = Some(record.time);
    match &record.phase {
        Phase::Applied { .. } => run.about.applied += 1,
        Phase::Failed(_) | Phase::Observed { in_sync: false, .. } => {
            run.outcome = Some(Ending::Partly);
        }
        Phase::Recovered { .. } => {
            run.about.killed = true;
            run.outcome = Some(Ending::Interrupted);
        }
        Phase::Intent { .. } | Phase::Observed { .. } | Phase::Found => {}
    }
}

fn key(record: &Record) -> DriftKey {
    DriftKey {
        account: record.account.clone(),
        region: record.region.clone(),
        item: record.item.clone(),
        object: record.object.clone(),
    }
}

fn intent(record: &Record, about: IntentAbout) -> Intent {
    let DriftKey { account, region, item, object } = key(record);
    Intent {
        run: record.run.clone(),
        change: record.change,
        time: record.time,
        account,
        region,
        item,
        object,
        actor: record.by.clone(),
        token: record.token,
        about,
    }
}

fn outcome(record: &Record, outcome: OutcomeWord, about: OutcomeAbout) -> Outcome {
    Outcome {
        run: record.run.clone(),
        change: record.change,
        time: record.time,
        outcome,
        actor: record.by.clone(),
        about,
    }
}

fn verified(record: &Record, after: &Value, in_sync: bool) -> Verified {
    Verified {
        run: record.run.clone(),
        object: key(record),
        time: record.time,
        after: after.clone(),
        in_sync,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::super::{Filter, What};
    use super::*;
    use crate::names::Region;
    use crate::store::audit::{AuditLog, Failed};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn record(second: i64, run: &str, change: u32, phase: Phase) -> Record {
        Record {
            time: at(second),
            run: run.to_owned(),
            change,
            account: "111122223333".parse().unwrap(),
            region: Region::new("eu-west-1"),
            item: "iam.password_policy".parse().unwrap(),
            object: String::new(),
            by: "arn:aws:iam::111122223333:role/evenkeel".to_owned(),
            baseline: "b@0".to_owned(),
            token: None,
            phase,
        }
    }

    fn intent_of() -> Phase {
        let nothing = Value::Null;
        Phase::Intent {
            action: json!({"put": 1}),
            before: nothing.clone(),
            spec: nothing,
            overruled: Vec::new(),
        }
    }

    fn observed() -> Phase {
        Phase::Observed { after: json!({"id": ""}), in_sync: true }
    }

    fn failed() -> Phase {
        Phase::Failed(Failed {
            error: "full".to_owned(),
            class: None,
            again_after: Some(2),
            left: None,
        })
    }

    async fn all(store: &Store) -> Vec<(i64, What, String)> {
        let entries = store.entries(&Filter::default()).await.unwrap();
        let told = entries.into_iter().map(|one| (one.time.timestamp(), one.what, one.run));
        told.filter(|(_, what, _)| *what != What::Resolved).collect()
    }

    #[tokio::test]
    async fn what_the_history_could_not_take_in_comes_from_the_audit_log_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path) = (
            Store::in_file(&folder.path().join("history.db")).await.unwrap(),
            folder.path().join("audit.jsonl"),
        );
        let log = AuditLog::open(&path).unwrap();
        for (second, run, change, phase) in [
            // Before the history began.
            (1, "old", 1, intent_of()),
            (2, "old", 1, Phase::Applied { made: vec![] }),
            // Whole in the history, of which the disk is full then.
            (11, "known", 1, intent_of()),
            (12, "known", 1, Phase::Applied { made: vec![] }),
            (13, "known", 2, intent_of()),
            (14, "known", 2, failed()),
            (15, "known", 2, intent_of()),
            (16, "known", 2, Phase::Applied { made: vec![] }),
            (17, "known", 0, observed()),
            // The history knows nothing of it.
            (21, "new", 1, intent_of()),
            (22, "new", 1, Phase::Applied { made: vec![] }),
            (23, "new", 0, observed()),
        ] {
            log.append(&record(second, run, change, phase)).unwrap();
        }
        assert_eq!(store.take_over(&path).await.unwrap(), 0, "it tells of nothing yet");
        let known =
            RunRecord { run: "known".to_owned(), ..run_of(&record(10, "known", 1, failed())) };
        store.note_run(&known).await.unwrap();
        let begun = record(11, "known", 1, intent_of());
        store.note_record(&begun).await.unwrap();
        store.note_record(&record(12, "known", 1, Phase::Applied { made: vec![] })).await.unwrap();
        store.lacks();
        assert!(store.is_lacking());
        assert_eq!(store.take_over(&path).await.unwrap(), 8);
        assert!(!store.is_lacking());
        let told = [
            (22, What::Applied, "new"),
            (16, What::Applied, "known"),
            (14, What::Failed, "known"),
            (12, What::Applied, "known"),
        ];
        let told = told.map(|(second, what, run)| (second, what, run.to_owned()));
        assert_eq!(all(&store).await, told);
        let runs = store.runs_called("new").await.unwrap();
        assert_eq!(runs[0].run.ending(), "in sync");
        assert_eq!((runs[0].run.about.applied, runs[0].changes[0].in_sync), (1, Some(true)));
        assert_eq!(store.take_over(&path).await.unwrap(), 0);
        assert_eq!(all(&store).await, told);
        assert_eq!(store.take_over(&folder.path().join("none.jsonl")).await.unwrap(), 0);
    }
}
