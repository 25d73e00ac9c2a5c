//! The store on the command line: who listens to a run for it, and who asks it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::reconcile::remembered::Unreachable;
use evenkeel::reconcile::{Listener, Look, Remembered, Remembering, RunOutcome};
use evenkeel::store::history::ByWhom;
use evenkeel::store::{Alone, Store, StoreError};
use tokio::sync::Mutex;

use super::args::Global;
use super::exit::Exit;
use super::failure::Failure;
use super::memory::who;
use super::{git, out, settings};

/// The store of a command, as far as there is one.
pub enum Kept {
    /// The fleet file names none.
    Nowhere,
    /// It is open.
    In(Store, Memory),
    /// It cannot be used: nothing is written to AWS.
    Gone(StoreError),
}

/// What belongs to the run of a command whose store is open.
#[derive(Default)]
pub struct Memory {
    remembered: OnceLock<Arc<Remembered>>,
    /// The run that is put back.
    rolls_back: OnceLock<String>,
}

impl From<Store> for Kept {
    fn from(store: Store) -> Self {
        Self::In(store, Memory::default())
    }
}

impl Kept {
    /// Opens the store that a fleet file names.
    pub async fn open(fleet: Option<&Fleet>) -> Self {
        let Some((url, folder)) =
            fleet.and_then(|fleet| Some((fleet.file.store.url.as_ref()?, &fleet.folder)))
        else {
            return Self::Nowhere;
        };
        match Store::open(url, folder).await {
            Ok(store) => Self::of(store, fleet).await,
            Err(error) => Self::Gone(error),
        }
    }

    /// An open store, out of which what is older than the fleet file says is taken once a day.
    async fn of(store: Store, fleet: Option<&Fleet>) -> Self {
        let days = fleet.map_or(0, |fleet| fleet.file.store.keep_days);
        match store.forget_daily(TimeDelta::days(days.into())).await {
            Ok(_) => store.into(),
            Err(error) => Self::Gone(error),
        }
    }

    /// Who remembers a look, and what follows from it.
    pub fn listener(
        &self,
        command: &str,
        look: &Look,
        caused_by: Vec<ByWhom>,
    ) -> Option<Arc<dyn Listener>> {
        match self {
            Self::Nowhere => None,
            Self::In(store, memory) => {
                let remembered = &memory.remembered;
                let folder = look.fleet.as_ref().map(|fleet| fleet.folder.as_path());
                let rolls_back = memory.rolls_back.get().cloned();
                let of_look =
                    Remembering::of(command, look, look.commit.clone().or_else(|| commit(folder)));
                let overruled_by = (!of_look.overruled.is_empty()).then(who);
                let what = Remembering { caused_by, rolls_back, overruled_by, ..of_look };
                if let Some(remembered) = remembered.get() {
                    remembered.go_on(what);
                    return Some(Arc::clone(remembered) as Arc<dyn Listener>);
                }
                let new = || Arc::new(Remembered::new(store.clone(), what));
                Some(Arc::clone(remembered.get_or_init(new)) as Arc<dyn Listener>)
            }
            Self::Gone(error) => {
                out::say(&format!(
                    "warning: {error}; this run is not remembered, and writes nothing"
                ));
                Some(Arc::new(Unreachable(error.to_string())))
            }
        }
    }

    /// Insists that what is written can be remembered.
    ///
    /// # Errors
    /// The store is gone.
    pub fn insist(&self) -> Result<(), Failure> {
        match self {
            Self::Nowhere | Self::In(..) => Ok(()),
            Self::Gone(error) => Err(Failure::usage(error.to_string(), error.remedy())),
        }
    }

    /// Lets nobody else write to AWS with the store until what this gives is dropped.
    ///
    /// # Errors
    /// Somebody else does, or the file system refuses.
    pub fn alone(&self) -> Result<Option<Alone>, Failure> {
        match self {
            Self::In(store, _) => Ok(store.alone()?),
            Self::Nowhere | Self::Gone(_) => Ok(None),
        }
    }

    /// Says how a command ended whose run nobody has ended.
    pub fn close(&self, done: &Result<Exit, Failure>) {
        let outcome = match done.as_ref().map_or_else(Failure::exit, |exit| *exit) {
            Exit::Done => RunOutcome::InSync,
            Exit::Drift => RunOutcome::Drift,
            Exit::Refused => RunOutcome::Refused,
            Exit::Partly => RunOutcome::Partly,
            Exit::Error => RunOutcome::Unknown,
            Exit::Interrupted => RunOutcome::Interrupted,
        };
        if let Self::In(_, memory) = self
            && let Some(remembered) = memory.remembered.get()
        {
            remembered.close(outcome);
        }
    }

    /// Says which run a command puts back.
    pub fn rolls_back(&self, run: &str) {
        if let Self::In(_, memory) = self {
            memory.rolls_back.get_or_init(|| run.to_owned());
        }
    }
}

/// The stores of a controller's runs: one is opened once, and again where the fleet file names another.
#[derive(Default)]
pub struct Keeper(Mutex<Keeping>);

#[derive(Default)]
struct Keeping {
    open: Option<(String, Store)>,
    /// That nobody else writes with the stores so far: a run may still have one of before in hand.
    alone: BTreeMap<String, Alone>,
}

impl Keeping {
    /// Lets nobody else write with a store.
    fn claim(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.alone.get(store.name()).is_some_and(Alone::holds) {
            return Ok(());
        }
        // Its own is given back first: otherwise we would wait for ourselves.
        self.alone.remove(store.name());
        if let Some(alone) = store.alone()? {
            self.alone.insert(store.name().to_owned(), alone);
        }
        Ok(())
    }
}

impl Keeper {
    /// The store of this URL, if it is open.
    pub async fn open(&self, url: &str) -> Option<Store> {
        let keeping = self.0.lock().await;
        keeping.open.as_ref().filter(|(there, _)| there == url).map(|(_, store)| store.clone())
    }

    /// The store of a run. One that somebody else writes with is gone: two would undo each other's work.
    pub async fn kept(&self, fleet: Option<&Fleet>) -> Kept {
        let mut keeping = self.0.lock().await;
        let url = fleet.and_then(|fleet| fleet.file.store.url.clone());
        let known = keeping.open.as_ref().filter(|(there, _)| Some(there) == url.as_ref());
        let kept = match known.map(|(_, store)| store.clone()) {
            Some(store) => Kept::of(store, fleet).await,
            None => {
                let kept = Kept::open(fleet).await;
                keeping.open = match (&kept, url) {
                    (Kept::In(store, _), Some(url)) => Some((url, store.clone())),
                    _ => None,
                };
                kept
            }
        };
        match &kept {
            Kept::In(store, _) => match keeping.claim(store) {
                Ok(()) => kept,
                Err(error) => Kept::Gone(error),
            },
            Kept::Nowhere | Kept::Gone(_) => kept,
        }
    }
}

/// The store that the fleet file names.
///
/// # Errors
/// It names none, or it cannot be used.
pub async fn store(global: &Global) -> Result<Store, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    match Kept::open(fleet.as_ref()).await {
        Kept::In(store, _) => Ok(store),
        Kept::Gone(error) => Err(error.into()),
        Kept::Nowhere => Err(Failure::usage(
            "nothing is remembered: the fleet file names no store",
            "name one: [store] url = \"sqlite://.evenkeel/store.db\", or postgres://… for several controllers",
        )),
    }
}

/// The commit of the files in a folder, where they are in git; with a mark where they differ from it.
pub fn commit(folder: Option<&Path>) -> Option<String> {
    let folder = folder?.to_str().filter(|folder| !folder.is_empty()).unwrap_or(".");
    let id = git::git(&["-C", folder, "rev-parse", "--verify", "--quiet", "HEAD"])?;
    let changed = git::git(&["-C", folder, "status", "--porcelain", "--untracked-files=no"]);
    Some(if changed.is_some() { format!("{id} and changes") } else { id })
}
