//! Both hands of a snapshot file: recording what AWS answers, and looking at such a file instead of
//! AWS.

use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use tempfile::NamedTempFile;

use super::event::{Listener, RunEvent, Stream};
use super::fleet::{Looks, Outcome, Wanted, look_at_recorded};
use super::refusal::Refusal;
use crate::aws::Session;
use crate::aws::meter::Meter;
use crate::aws::tape::Tape;
use crate::files;
use crate::fleet::jobs::Job;
use crate::fleet::organization::Organization;
use crate::fleet::snapshot::{Head, Line, Reader, SnapshotError, VERSION, Writer};
use crate::names::AccountId;
use crate::plan::{FailedAccount, SnapshotRef};
use crate::store::audit;

/// How far two clocks may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// A snapshot that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// The file system refused.
    #[error("cannot {doing} {}: {why}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// It is not a snapshot that this version takes.
    #[error("cannot use the snapshot {}: {error}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: SnapshotError,
    },
}

impl RecordedError {
    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "look at the file and its folder",
            Self::Unusable { .. } => {
                "take a new one with this version: evenkeel snapshot --out FILE"
            }
        }
    }

    fn file(doing: &'static str, path: &Path, why: std::io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), why }
    }

    fn unusable(path: &Path, error: SnapshotError) -> Self {
        Self::Unusable { path: path.to_owned(), error }
    }
}

/// A snapshot that is being written. The file appears when it is complete.
pub struct Recording {
    writer: Writer<NamedTempFile>,
    path: PathBuf,
}

impl Recording {
    /// Begins.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start(
        path: &Path,
        run: &str,
        own: &AccountId,
        organization: Option<Organization>,
    ) -> Result<Self, RecordedError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
            .map_err(|error| RecordedError::file("write", path, error))?;
        let head = Head {
            evenkeel_snapshot: VERSION.to_owned(),
            evenkeel_version: crate::names::VERSION.to_owned(),
            taken: Utc::now(),
            run: run.to_owned(),
            own: own.clone(),
            organization,
        };
        let writer =
            Writer::new(file, &head).map_err(|error| RecordedError::unusable(path, error))?;
        Ok(Self { writer, path: path.to_owned() })
    }

    /// Adds an account, and takes what was recorded out of the outcome.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, job: &Job, outcome: &mut Outcome) -> Result<(), RecordedError> {
        let line = match outcome {
            Outcome::Seen(seen) => {
                let Some((identity, reads)) = seen.recorded.take() else { return Ok(()) };
                Line::Seen { account: job.account.clone(), identity, reads }
            }
            Outcome::Failed(failed) => Line::Failed(failed.clone()),
            Outcome::LeftBehind(_) | Outcome::Conflicts(_) => return Ok(()),
        };
        self.writer.add(&line).map_err(|error| RecordedError::unusable(&self.path, error))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<(), RecordedError> {
        let Self { writer, path } = self;
        let file = writer.finish().map_err(|error| RecordedError::unusable(&path, error))?;
        file.as_file().sync_all().map_err(|error| RecordedError::file("write", &path, error))?;
        audit::put(file, &path).map_err(|error| RecordedError::file("write", &path, error))?;
        Ok(())
    }
}

/// A snapshot that is being looked at.
pub struct Snapshot {
    /// Its first line.
    pub head: Head,
    reader: Reader<File>,
    path: PathBuf,
}

impl Snapshot {
    /// Opens a snapshot, after the whole file was found to be as it was written.
    ///
    /// # Errors
    /// It cannot be read, is not one, or is of another version.
    pub fn open(path: &Path) -> Result<Self, RecordedError> {
        let file = files::open(path).map_err(|error| RecordedError::file("read", path, error))?;
        let reader = Reader::new(file).map_err(|error| RecordedError::unusable(path, error))?;
        Ok(Self { head: reader.head.clone(), reader, path: path.to_owned() })
    }

    /// When it was taken, and how long ago that is.
    pub fn reference(&self) -> SnapshotRef {
        let taken = self.head.taken.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        SnapshotRef { taken, age: in_words(Utc::now() - self.head.taken) }
    }

    /// Refuses a snapshot that is too old, or whose age nobody can tell.
    ///
    /// # Errors
    /// It is.
    pub fn refuse_older_than(&self, limit: u32) -> Result<(), Refusal> {
        let old = Utc::now() - self.head.taken;
        if (-SKEW..=TimeDelta::hours(limit.into())).contains(&old) {
            return Ok(());
        }
        let SnapshotRef { taken, age } = self.reference();
        Err(Refusal::OldSnapshot { taken, age, limit })
    }

    /// Looks at the jobs' accounts.
    ///
    /// # Errors
    /// The file breaks off or cannot be read.
    pub async fn look(
        &mut self,
        jobs: Vec<Job>,
        wanted: &Arc<Wanted>,
        listener: &Arc<dyn Listener>,
        mut each: impl FnMut(Outcome),
    ) -> Result<(), RecordedError> {
        let taken = self.reference().taken;
        let meter = Arc::new(Meter::default());
        let mut clients = None;
        let mut jobs: BTreeMap<AccountId, Job> =
            jobs.into_iter().map(|job| (job.account.id.clone(), job)).collect();
        let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
        let mut looks = Looks::new(cores, |_, outcome| each(outcome));
        let mut not_seen = Vec::new();
        for line in &mut self.reader {
            match line.map_err(|error| RecordedError::unusable(&self.path, error))? {
                Line::Seen { account, mut identity, reads } => {
                    let Some(mut job) = jobs.remove(&account.id) else { continue };
                    job.account = account;
                    // What was read from another home is not what would be read now.
                    if let Some(home) = &wanted.home_region {
                        identity.home_region = home.clone();
                    }
                    let tape = Tape::playing(reads, taken.clone());
                    let clients = clients.get_or_insert_with(|| {
                        Session::playing_clients(&identity.home_region, &meter)
                    });
                    let clients = Arc::clone(clients);
                    let session = Session::playing(identity, tape, clients, Arc::clone(&meter))
                        .entered_by(wanted.entered_by.clone());
                    let (wanted, listener) = (Arc::clone(wanted), Arc::clone(listener));
                    let about = job.clone();
                    let look = async move {
                        let session = Arc::new(session);
                        let stream = Stream::new(&wanted.run, vec![listener.as_ref()]);
                        let outcome = look_at_recorded(&job, &wanted, session, &stream).await;
                        stream.mention(RunEvent::Seen { account: &job.account.id });
                        outcome
                    };
                    looks.begin(about, look).await;
                }
                Line::Failed(failed) => {
                    if jobs.remove(&failed.account).is_some() {
                        not_seen.push(failed);
                    }
                }
                Line::End(_) => {}
            }
        }
        looks.finish().await;
        not_seen.into_iter().for_each(|failed| each(Outcome::Failed(failed)));
        for (account, job) in jobs {
            each(Outcome::Failed(FailedAccount {
                account,
                name: job.account.name,
                reason: format!("the snapshot of {taken} does not hold this account"),
                remedy: Some("take a new snapshot (`evenkeel snapshot`)".to_owned()),
            }));
        }
        Ok(())
    }
}

/// `5 hours old`. Clocks may differ a little; more than that is told.
fn in_words(age: TimeDelta) -> String {
    let amount = |minutes: i64| match minutes {
        ..=119 => format!("{minutes} minutes"),
        120..=2879 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    };
    match age.num_minutes() {
        ..=-2 => format!("from the future: {} ahead of this clock", amount(-age.num_minutes())),
        -1..=1 => "just now".to_owned(),
        minutes => format!("{} old", amount(minutes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_words_and_the_future_is_none() {
        let words = |minutes| in_words(TimeDelta::minutes(minutes));
        assert_eq!(words(0), "just now");
        assert_eq!(words(-1), "just now");
        assert_eq!(words(119), "119 minutes old");
        assert_eq!(words(300), "5 hours old");
        assert_eq!(words(3 * 1440), "3 days old");
        assert_eq!(words(-300), "from the future: 5 hours ahead of this clock");
    }
}
