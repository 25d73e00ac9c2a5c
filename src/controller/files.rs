//! The files of the controller: looked at again while it runs, and of one version for a whole run. A
//! version that cannot be used is said once, and the last good one stays in force.

mod version;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::Notify;

use super::audience::Voice;
use super::error::ControllerError;
use super::git::Remote;
use super::in_force::{Good, InForce, Label, Offer, Shown};
use super::said::Said;
use crate::baseline::Problems;
use crate::baseline::disk::Disk;
use crate::fleet::Fleet;
use crate::fleet::elsewhere::OwnParts;
use crate::fleet::file::Git;
use crate::reconcile::settings::says_only_where;
use crate::reconcile::{Selectors, Settings, SettingsError};

pub use version::{FileTexts, Version};
use version::{Look, why};

/// How often the files on the disk are looked at.
const EVERY: Duration = Duration::from_secs(30);
/// For so long, files must stay as they are before they are judged: somebody may be writing them.
const SETTLED: Duration = Duration::from_secs(1);

/// Which files there are, and what of them is selected.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The fleet file.
    pub config: PathBuf,
    /// What is selected.
    pub selectors: Selectors,
    /// When targets are looked at that have no schedule of their own: cron with seconds.
    pub schedule: String,
    /// The commit that the files on the disk are from, where a deployment says it.
    pub commit: Option<String>,
}

/// Where they come from.
enum Origin {
    Disk,
    Elsewhere { remote: Remote, every: Duration },
}

/// The files.
pub struct Files {
    /// With the fleet file's name where the files are.
    wanted: Wanted,
    place: Origin,
    in_force: Mutex<InForce<Version>>,
    /// Said when the version in force is another one.
    changed: Notify,
    /// Said when somebody wishes that they are looked at now.
    wished: Notify,
    /// What counts of the file that the controller was started with, where they come from elsewhere.
    own: Option<OwnParts>,
    /// What was wrong with the way to them, said once.
    trouble: Mutex<Option<String>>,
    voice: Arc<Voice>,
}

impl Files {
    /// Reads them for the first time. What the fleet file here says of where they are is in `fleet`; a
    /// repository is kept in `cache`.
    ///
    /// # Errors
    /// They cannot be used.
    pub async fn open(
        wanted: Wanted,
        fleet: Option<&Fleet>,
        cache: &Path,
        voice: &Arc<Voice>,
    ) -> Result<Self, ControllerError> {
        let fleet = fleet.filter(|_| wanted.selectors.baselines.is_empty());
        fleet.map_or(Ok(()), says_only_where)?;
        let git = fleet.and_then(|fleet| fleet.file.controller.as_ref()?.git.as_ref());
        let (wanted, place, commit) = match git {
            None => (wanted, Origin::Disk, None),
            Some(Git { url, reference, path, every, verify_signatures }) => {
                let remote = Remote::new(url, reference, *verify_signatures, cache)?;
                let commit = remote.fetch(None).await?;
                let place = Origin::Elsewhere { remote, every: every.duration() };
                (Wanted { config: PathBuf::from(path), ..wanted }, place, Some(commit))
            }
        };
        let own = fleet.filter(|_| git.is_some()).map(OwnParts::of);
        let look = look(&wanted, own.as_ref());
        let texts = match &place {
            Origin::Disk => look.settled(|| Box::new(Disk), Duration::ZERO).await,
            Origin::Elsewhere { remote, .. } => {
                look.texts(Box::new(remote.tree(commit.as_deref().unwrap_or_default())))
            }
        };
        let label = label(&texts, commit, &wanted);
        let version = look.judge(texts, &|problems| voice.say(&Said::Problems { problems }))?;
        Ok(Self {
            in_force: Mutex::new(InForce::new(version, label, Utc::now())),
            changed: Notify::new(),
            wished: Notify::new(),
            own,
            trouble: Mutex::default(),
            voice: Arc::clone(voice),
            wanted,
            place,
        })
    }

    /// The fleet file, where the files are.
    pub fn config(&self) -> &Path {
        &self.wanted.config
    }

    /// What is selected of them.
    pub fn selectors(&self) -> &Selectors {
        &self.wanted.selectors
    }

    /// Whether they are brought from elsewhere, so that the fleet file here says only how.
    pub fn are_elsewhere(&self) -> bool {
        matches!(self.place, Origin::Elsewhere { .. })
    }

    /// What a run works on that uses a version. It remembers where the file says that the controller was
    /// started with.
    ///
    /// # Errors
    /// What is selected for it is not there.
    pub fn settings(
        &self,
        of: &Good<Version>,
        selectors: &Selectors,
    ) -> Result<Settings, SettingsError> {
        let hears = |problems: &Problems| self.voice.say(&Said::Problems { problems });
        let settings = Settings::resolve(self.config(), selectors, &of.what.texts, &hears);
        let mut settings = settings.inspect_err(|error| self.show(error))?;
        if let (Some(own), Some(fleet)) = (&self.own, &mut settings.fleet) {
            own.put_into(fleet);
        }
        Ok(settings)
    }

    /// Shows each problem of an error, where it has several.
    fn show(&self, error: &SettingsError) {
        if let SettingsError::Declared(problems) = error {
            self.voice.say(&Said::Problems { problems });
        }
    }

    /// Where somebody finds the files of a version, if not here.
    pub fn checkout(&self, of: &Label) -> Option<String> {
        let Origin::Elsewhere { remote, .. } = &self.place else { return None };
        let commit = of.commit.as_deref().unwrap_or_default();
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

    /// How they stand, for who uses a version.
    pub fn shown(&self, of: &Good<Version>) -> Shown {
        let unreachable = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = self.in_force().refused().cloned();
        Shown { label: of.label.clone(), since: of.since, refused, unreachable }
    }

    /// Looks at them again and again, for as long as the controller runs.
    pub async fn watch(&self) {
        let every = match &self.place {
            Origin::Disk => EVERY,
            Origin::Elsewhere { every, .. } => *every,
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
        let look = look(&self.wanted, self.own.as_ref());
        let (texts, commit) = match &self.place {
            Origin::Disk => {
                let texts = look.texts(Box::new(Disk));
                if self.in_force().knows(&label(&texts, None, &self.wanted)) {
                    return;
                }
                (look.settled(|| Box::new(Disk), SETTLED).await, None)
            }
            Origin::Elsewhere { remote, .. } => {
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
                        return self.offer(&label, Err(error.to_string()));
                    }
                }
            }
        };
        self.in_trouble(None);
        self.read(look, texts, commit);
    }

    /// Judges texts that say something new, and offers what they are.
    fn read(&self, look: Look<'_>, texts: FileTexts, commit: Option<String>) {
        let label = label(&texts, commit, &self.wanted);
        if self.in_force().knows(&label) {
            return;
        }
        let found = look.judge(texts, &|problems| self.voice.say(&Said::Problems { problems }));
        let found = found.inspect_err(|error| self.show(error));
        self.offer(&label, found.map_err(|error| why(&error)));
    }

    /// Puts a version in force, or refuses it; said once.
    fn offer(&self, label: &Label, found: Result<Version, String>) {
        let why = found.as_ref().err().cloned();
        let offer = self.in_force().offer(label.clone(), found, Utc::now());
        if offer == Offer::Taken {
            self.changed.notify_one();
        }
        if offer != Offer::StillRefused {
            let (why, checkout) = (why.as_deref(), self.checkout(label));
            self.voice.say(&Said::Version { label, offer, why, checkout: checkout.as_deref() });
        }
    }

    /// Notes that the files cannot be reached, or can be again; said once.
    fn in_trouble(&self, why: Option<String>) {
        let before = {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *trouble, why.clone())
        };
        if let Some(why) = why.filter(|why| before.as_ref() != Some(why)) {
            self.voice.say(&Said::Unreachable { why: &why });
        }
    }

    fn in_force(&self) -> MutexGuard<'_, InForce<Version>> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn label(texts: &FileTexts, commit: Option<String>, wanted: &Wanted) -> Label {
    Label { digest: texts.digest(), commit: commit.or_else(|| wanted.commit.clone()) }
}

fn look<'a>(wanted: &'a Wanted, own: Option<&'a OwnParts>) -> Look<'a> {
    let Wanted { config, selectors, schedule, .. } = wanted;
    Look { config, selectors, schedule, own }
}

#[cfg(test)]
mod given;
