//! The files of the controller: looked at again while it runs, and of one version for a whole run. A
//! version that cannot be used is said once, and the last good one stays in force.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;
use evenkeel::baseline::disk::Disk;
use evenkeel::baseline::load::Reader;
use evenkeel::controller::git::{GitError, Remote};
use evenkeel::controller::in_force::{Good, InForce, Label, Offer};
use evenkeel::fleet::Fleet;
use evenkeel::fleet::elsewhere::OwnParts;
use evenkeel::fleet::file::Git;
use evenkeel::notify::besides::{FILES, refused_files};
use evenkeel::telemetry;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::args::{Global, RunArgs, Selectors};
use super::super::failure::Failure;
use super::super::notices::Telling;
use super::super::settings::{self, FileTexts};
use super::{log, runs};

/// How often the files on the disk are looked at.
const EVERY: Duration = Duration::from_secs(30);
/// For so long, files must stay as they are before they are judged: somebody may be writing them.
const SETTLED: Duration = Duration::from_secs(1);
/// Looks at files that do not settle, after which they are left to the next time.
const LOOKS: usize = 20;
/// Of a digest, what stands in a line of the log.
const SHORT: usize = 16;
/// Where a deployment says which commit its files are of.
const COMMIT: &str = "EVENKEEL_COMMIT";

/// A version of the files.
pub struct Version {
    /// Their texts.
    pub texts: FileTexts,
    /// The targets with their schedules.
    pub targets: BTreeMap<String, Cron>,
    /// The fleet file, if there is one.
    pub fleet: Option<Fleet>,
}

/// Where they come from.
enum Place {
    Disk,
    Elsewhere { remote: Remote, every: Duration },
}

/// The files.
pub struct Files {
    /// The command line, with the fleet file's name where the files are.
    pub global: Global,
    selectors: Selectors,
    schedule: String,
    place: Place,
    in_force: Mutex<InForce<Version>>,
    /// Said when the version in force is another one.
    changed: Notify,
    /// Said when somebody wishes that they are looked at now.
    wished: Notify,
    /// What counts of the file that the controller was started with, where they come from elsewhere.
    own: Option<OwnParts>,
    /// What was wrong with the way to them, said once.
    trouble: Mutex<Option<String>>,
    /// Who is told.
    pub telling: Telling,
}

impl Files {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// They cannot be used; all problems were printed.
    pub async fn open(
        global: &Global,
        args: &RunArgs,
        fleet: Option<&Fleet>,
        cache: &Path,
    ) -> Result<Self, Failure> {
        let fleet = fleet.filter(|_| args.selectors.baseline.is_empty());
        fleet.map_or(Ok(()), settings::says_only_where)?;
        let git = fleet.and_then(|fleet| fleet.file.controller.as_ref()?.git.as_ref());
        let (global, place, commit) = match git {
            None => (global.clone(), Place::Disk, None),
            Some(Git { url, reference, path, every, verify_signatures }) => {
                let remote = Remote::new(url, reference, *verify_signatures, cache);
                let remote = remote.map_err(|error| unreachable_files(&error))?;
                let commit = remote.fetch(None).await.map_err(|error| unreachable_files(&error))?;
                let global = Global { config: PathBuf::from(path), ..global.clone() };
                let place = Place::Elsewhere { remote, every: every.duration() };
                (global, place, Some(commit))
            }
        };
        let own = fleet.filter(|_| git.is_some()).map(OwnParts::of);
        let look = Look {
            global: &global,
            selectors: &args.selectors,
            schedule: &args.schedule,
            own: own.as_ref(),
        };
        let texts = match &place {
            Place::Disk => look.settled(|| Box::new(Disk), Duration::ZERO).await,
            Place::Elsewhere { remote, .. } => {
                look.texts(Box::new(remote.tree(commit.as_deref().unwrap_or_default())))
            }
        };
        let label = label(&texts, commit);
        let version = look.judge(texts)?;
        Ok(Self {
            selectors: args.selectors.clone(),
            schedule: args.schedule.clone(),
            in_force: Mutex::new(InForce::new(version, label, Utc::now())),
            changed: Notify::new(),
            wished: Notify::new(),
            own,
            trouble: Mutex::default(),
            telling: Telling::default(),
            global,
            place,
        })
    }

    /// Whether they are brought from elsewhere, so that the fleet file here says only how.
    pub fn are_elsewhere(&self) -> bool {
        matches!(self.place, Place::Elsewhere { .. })
    }

    /// Lets runs remember where the file says that the controller was started with.
    pub fn remember_at_home(&self, fleet: Option<&mut Fleet>) {
        if let (Some(own), Some(fleet)) = (&self.own, fleet) {
            own.put_into(fleet);
        }
    }

    /// Where somebody finds the files of a version, if not here.
    pub fn checkout(&self, of: &Good<Version>) -> Option<String> {
        let Place::Elsewhere { remote, .. } = &self.place else { return None };
        let commit = of.label.commit.as_deref().unwrap_or_default();
        Some(format!("in a checkout of {} at {commit}", remote.name()))
    }

    /// The version in force.
    pub fn good(&self) -> Good<Version> {
        self.in_force().good().clone()
    }

    /// Wishes that they are looked at now.
    pub fn look_now(&self) {
        self.wished.notify_one();
    }

    /// Waits until another version is in force.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What a line of the log says of the version of a run.
    pub fn line(&self, of: &Good<Version>, now: DateTime<Utc>) -> Value {
        let mut line = json!({
            "digest": short(&of.label.digest),
            "since": of.since,
            "age_seconds": (now - of.since).num_seconds().max(0),
        });
        if let Some(commit) = &of.label.commit {
            line["commit"] = json!(commit);
        }
        if let Some(refused) = self.in_force().refused() {
            line["refused"] = json!({
                "digest": short(&refused.label.digest),
                "commit": refused.label.commit,
                "since": refused.since,
            });
        }
        line
    }

    /// What is shown of them.
    pub fn shown(&self) -> telemetry::Files {
        let unreachable = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let in_force = self.in_force();
        let Good { label, since, .. } = in_force.good();
        let refused = in_force.refused().map(|refused| telemetry::RefusedFiles {
            digest: short(&refused.label.digest).to_owned(),
            commit: refused.label.commit.clone(),
            since: refused.since,
            why: refused.why.clone(),
        });
        telemetry::Files {
            digest: short(&label.digest).to_owned(),
            commit: label.commit.clone(),
            since: *since,
            refused,
            unreachable,
        }
    }

    /// Looks at them again and again, for as long as the controller runs.
    pub async fn watch(&self) {
        let every = match &self.place {
            Place::Disk => EVERY,
            Place::Elsewhere { every, .. } => *every,
        };
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = self.wished.notified() => {}
            }
            self.look().await;
        }
    }

    async fn look(&self) {
        let Self { global, selectors, schedule, own, .. } = self;
        let look = Look { global, selectors, schedule, own: own.as_ref() };
        let (texts, commit) = match &self.place {
            Place::Disk => {
                let texts = look.texts(Box::new(Disk));
                if self.in_force().knows(&label(&texts, None)) {
                    return;
                }
                (look.settled(|| Box::new(Disk), SETTLED).await, None)
            }
            Place::Elsewhere { remote, .. } => {
                let good = self.good().label.commit;
                match remote.fetch(good.as_deref()).await {
                    Ok(commit) => (look.texts(Box::new(remote.tree(&commit))), Some(commit)),
                    Err(error) => {
                        let Some(commit) = error.refused() else {
                            return self.in_trouble(Some(error.to_string()));
                        };
                        // Nothing of it is read: it is known by its commit.
                        let label =
                            Label { digest: commit.to_owned(), commit: Some(commit.to_owned()) };
                        self.in_trouble(None);
                        return self.offer(label, Err(error.to_string()));
                    }
                }
            }
        };
        self.in_trouble(None);
        let label = label(&texts, commit);
        if self.in_force().knows(&label) {
            return;
        }
        self.offer(label, look.judge(texts).map_err(|failure| why(&failure)));
    }

    /// Puts a version in force, or refuses it; said once.
    fn offer(&self, label: Label, found: Result<Version, String>) {
        let why = found.as_ref().err().cloned();
        let offer = self.in_force().offer(label.clone(), found, Utc::now());
        let mut line = json!({
            "event": "files",
            "digest": short(&label.digest),
            "commit": label.commit,
            "in_force": offer != Offer::Refused,
        });
        match offer {
            Offer::Taken => self.changed.notify_one(),
            Offer::Refused => {
                let matter = refused_files(why.as_deref().unwrap_or_default());
                self.telling.note(vec![matter], Vec::new());
                line["error"] = json!(why);
            }
            Offer::Same => {}
            Offer::StillRefused => return,
        }
        if offer != Offer::Refused {
            self.telling.note(Vec::new(), vec![(None, FILES.to_owned())]);
        }
        log(&line);
    }

    /// Notes that the files cannot be reached, or can be again; said once.
    fn in_trouble(&self, why: Option<String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *trouble != why {
            if let Some(why) = &why {
                log(&json!({"event": "files", "error": why, "in_force": false}));
            }
            *trouble = why;
        }
    }

    fn in_force(&self) -> MutexGuard<'_, InForce<Version>> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreachable_files(error: &GitError) -> Failure {
    Failure::usage(
        error.to_string(),
        "the controller starts with the files of [controller] git alone: correct it, or let git reach it",
    )
}

/// Why files are refused: the first problem in the first line, how many there are in the last.
fn why(failure: &Failure) -> String {
    match failure {
        Failure::Declared { said, problems } => {
            // That nothing was looked at is said of a command; here, the last good version goes on.
            let count = said.split(';').next().unwrap_or_default();
            problems.iter().map(String::as_str).chain([count]).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

fn label(texts: &FileTexts, commit: Option<String>) -> Label {
    let said = || std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    Label { digest: texts.digest(), commit: commit.or_else(said) }
}

/// A look at the files.
#[derive(Clone, Copy)]
struct Look<'a> {
    global: &'a Global,
    selectors: &'a Selectors,
    schedule: &'a str,
    own: Option<&'a OwnParts>,
}

impl Look<'_> {
    /// All of their texts as they are now.
    fn texts(self, reader: Box<dyn Reader + Send + Sync>) -> FileTexts {
        let mut texts = FileTexts::of(reader);
        settings::read_all(self.global, self.selectors, &texts);
        texts.seal();
        texts
    }

    /// All of their texts, once they stay as they are for some time.
    async fn settled(
        self,
        reader: impl Fn() -> Box<dyn Reader + Send + Sync>,
        settled: Duration,
    ) -> FileTexts {
        let mut texts = self.texts(reader());
        for _ in 0..LOOKS {
            tokio::time::sleep(settled).await;
            if texts.is_as_in(&reader()) {
                break;
            }
            texts = self.texts(reader());
        }
        texts
    }

    /// Whether they can be used; all problems are printed.
    fn judge(self, texts: FileTexts) -> Result<Version, Failure> {
        let mut settings = settings::resolve_from(self.global, self.selectors, &texts)?;
        if let (Some(own), Some(fleet)) = (self.own, &mut settings.fleet) {
            if let Some(strays) = own.strays(&self.global.config, fleet, &texts) {
                return Err(settings::declared(self.global, &strays));
            }
            own.put_into(fleet);
        }
        let targets = runs::schedules(settings.fleet.as_ref(), self.selectors, self.schedule);
        let targets = targets.map_err(|error| {
            Failure::usage(
                format!("--schedule is not a cron expression: {error}"),
                "six fields, seconds first: \"0 */15 * * * *\"",
            )
        })?;
        Ok(Version { texts, targets, fleet: settings.fleet })
    }
}
