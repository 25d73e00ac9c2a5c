//! The store on the command line: who listens to a run for it, and who asks it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{TimeDelta, Utc};
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::{Fleet, file};
use evenkeel::reconcile::remembered::Unreachable;
use evenkeel::reconcile::{ListenError, Listener, Look, Remembered, Remembering, RunOutcome, Told};
use evenkeel::store::history::ByWhom;
use evenkeel::store::{Alone, Store, StoreError};
use tokio::sync::Mutex;

use super::args::Global;
use super::exit::Exit;
use super::failure::Failure;
use super::memory::who;
use super::{git, out, settings};

/// What ends the name of the store beside an audit log.
const ENDING: &str = "history.db";

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
    /// Whether nobody named the store: it is the controller's, beside its audit log, and has its runs alone.
    /// What guards and notices remember is in their own files there.
    pub is_implied: bool,
    remembered: OnceLock<Arc<Remembered>>,
    /// The run that is put back.
    rolls_back: OnceLock<String>,
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The fleet file names it.
    Named {
        /// Its URL.
        url: String,
        /// Where relative paths start.
        folder: PathBuf,
    },
    /// Nobody names one: a file beside the audit log.
    Implied(PathBuf),
}

impl Place {
    /// The store that a fleet file names, or else the one beside the audit log, which only the controller
    /// makes: a job whose disk ends with it, or a look at a branch, needs none.
    pub fn of(fleet: Option<&Fleet>, audit_log: &Path, makes_it: bool) -> Option<Self> {
        let named = fleet.and_then(|fleet| Some((fleet.file.store.url.clone()?, fleet)));
        match named {
            Some((url, fleet)) => Some(Self::Named { url, folder: fleet.folder.clone() }),
            None => {
                let file = audit_log.with_extension(ENDING);
                (makes_it || file.exists()).then_some(Self::Implied(file))
            }
        }
    }

    async fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::Named { url, folder } => Store::open(url, folder).await,
            Self::Implied(file) => Store::in_file(file).await,
        }
    }
}

/// Who remembers where nobody asked for it: what cannot be remembered there holds nothing back.
struct AtLeisure {
    told: Arc<Remembered>,
    has_failed: AtomicBool,
}

impl Listener for AtLeisure {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let Err(error) = self.told.hear(told)
            && !self.has_failed.swap(true, Ordering::Relaxed)
        {
            out::say(&format!("warning: {error}; the history of this run has a gap"));
        }
        Ok(())
    }
}

impl Kept {
    /// Opens the store that a fleet file names, or the controller's beside the audit log if it is there.
    pub async fn open(fleet: Option<&Fleet>, audit_log: &Path) -> Self {
        match Place::of(fleet, audit_log, false) {
            None => Self::Nowhere,
            Some(place) => Self::at(&place, fleet).await.unwrap_or_else(|error| {
                out::say(&without(&error));
                Self::Nowhere
            }),
        }
    }

    /// Opens a store.
    ///
    /// # Errors
    /// It is one that nobody named, and cannot be used: then it is done without, as if there were none.
    async fn at(place: &Place, fleet: Option<&Fleet>) -> Result<Self, StoreError> {
        match place.open().await {
            Ok(store) => Self::of(store, fleet, place).await,
            Err(error) => Self::gone(error, place),
        }
    }

    fn gone(error: StoreError, place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::Named { .. } => Ok(Self::Gone(error)),
            Place::Implied(_) => Err(error),
        }
    }

    /// An open store, out of which what is older than the fleet file says is taken once a day.
    async fn of(store: Store, fleet: Option<&Fleet>, place: &Place) -> Result<Self, StoreError> {
        let keeps = fleet.map(|fleet| fleet.file.store.keep_days);
        let days = keeps.unwrap_or_else(|| file::Store::default().keep_days);
        let is_implied = matches!(place, Place::Implied(_));
        match store.forget_daily(TimeDelta::days(days.into())).await {
            Ok(_) => Ok(Self::In(store, Memory { is_implied, ..Memory::default() })),
            Err(error) => Self::gone(error, place),
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
                let told = match remembered.get() {
                    Some(remembered) => {
                        remembered.go_on(what);
                        Arc::clone(remembered)
                    }
                    None => {
                        let new = || Arc::new(Remembered::new(store.clone(), what));
                        Arc::clone(remembered.get_or_init(new))
                    }
                };
                match memory.is_implied {
                    true => Some(Arc::new(AtLeisure { told, has_failed: AtomicBool::new(false) })),
                    false => Some(told),
                }
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
            Self::In(store, memory) if !memory.is_implied => Ok(store.alone()?),
            // The lock of the audit log beside it is enough.
            Self::Nowhere | Self::In(..) | Self::Gone(_) => Ok(None),
        }
    }

    /// Says how a command ended whose run nobody has ended.
    pub fn close(&self, done: Result<Exit, &Failure>) {
        let outcome = match done.unwrap_or_else(Failure::exit) {
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
            remembered.close(outcome, done.err().map(Failure::to_string).as_deref());
        }
    }

    /// Says which run a command puts back.
    pub fn rolls_back(&self, run: &str) {
        if let Self::In(_, memory) = self {
            memory.rolls_back.get_or_init(|| run.to_owned());
        }
    }
}

/// Says that it is done without a store that nobody named.
fn without(error: &StoreError) -> String {
    format!(
        "warning: {error}; runs are not remembered, and all else goes on; [store] url names another place for it"
    )
}

/// The stores of a controller's runs: one is opened once, and again where the fleet file names another.
pub struct Keeper {
    audit_log: PathBuf,
    /// Whether it makes the store beside the audit log, where nobody names one.
    makes_it: bool,
    keeping: Mutex<Keeping>,
}

#[derive(Default)]
struct Keeping {
    open: Option<(Place, Store)>,
    /// Whether it was said that it is done without a store.
    is_without: bool,
    /// That nobody else writes with the stores so far: a run may still have one of before in hand.
    alone: BTreeMap<String, Alone>,
}

impl Keeping {
    async fn kept(
        &mut self,
        place: Place,
        fleet: Option<&Fleet>,
        is_controller: bool,
    ) -> Result<Kept, StoreError> {
        let known = self.open.as_ref().filter(|(there, _)| *there == place);
        let known = known.map(|(_, store)| store.clone());
        let is_new = known.is_none();
        let kept = match known {
            Some(store) => Kept::of(store, fleet, &place).await?,
            None => Kept::at(&place, fleet).await?,
        };
        let Kept::In(store, memory) = &kept else {
            if is_new {
                self.open = None;
            }
            return Ok(kept);
        };
        self.open = Some((place, store.clone()));
        match memory.is_implied {
            // The lock of the audit log beside it is enough, which a controller has as long as it lives.
            true if is_new && is_controller => store.note_all_killed(Utc::now()).await?,
            true => {}
            false => {
                if let Err(error) = self.claim(store).await {
                    return Ok(Kept::Gone(error));
                }
            }
        }
        Ok(kept)
    }

    /// Lets nobody else write with a store.
    async fn claim(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.alone.get(store.name()).is_some_and(Alone::holds) {
            return Ok(());
        }
        // Its own is given back first: otherwise we would wait for ourselves.
        self.alone.remove(store.name());
        if let Some(alone) = store.alone()? {
            self.alone.insert(store.name().to_owned(), alone);
            // Whoever had it before us and has not said how it ended was killed.
            store.note_all_killed(Utc::now()).await?;
        }
        Ok(())
    }
}

impl Keeper {
    /// Of a controller with this audit log.
    pub fn beside(audit_log: &Path, makes_it: bool) -> Self {
        Self { audit_log: audit_log.to_owned(), makes_it, keeping: Mutex::default() }
    }

    /// Where the store of a fleet file is, if there is to be one.
    pub fn place(&self, fleet: Option<&Fleet>) -> Option<Place> {
        Place::of(fleet, &self.audit_log, self.makes_it)
    }

    /// The store there, if it is open.
    pub async fn open(&self, place: &Place) -> Option<Store> {
        let keeping = self.keeping.lock().await;
        keeping.open.as_ref().filter(|(there, _)| there == place).map(|(_, store)| store.clone())
    }

    /// The store of a run. One that somebody else writes with is gone: two would undo each other's work.
    pub async fn kept(&self, fleet: Option<&Fleet>) -> Kept {
        let mut keeping = self.keeping.lock().await;
        let Some(place) = self.place(fleet) else { return Kept::Nowhere };
        keeping.kept(place, fleet, self.makes_it).await.unwrap_or_else(|error| {
            if !std::mem::replace(&mut keeping.is_without, true) {
                out::say(&without(&error));
            }
            Kept::Nowhere
        })
    }
}

/// The store that the fleet file names, or the controller's beside the audit log.
///
/// # Errors
/// There is none, or it cannot be used.
pub async fn kept(global: &Global, audit_log: Option<&PathBuf>) -> Result<(Kept, Store), Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let audit_log = settings::audit_log(global, audit_log)?;
    let kept = match Place::of(fleet.as_ref(), &audit_log, false) {
        Some(place) => Kept::at(&place, fleet.as_ref()).await?,
        None => Kept::Nowhere,
    };
    match kept {
        Kept::In(ref store, _) => {
            let store = store.clone();
            Ok((kept, store))
        }
        Kept::Gone(error) => Err(error.into()),
        Kept::Nowhere => Err(Failure::usage(
            format!(
                "nothing is remembered: the fleet file names no store, and no controller has run with the audit log {}",
                audit_log.display()
            ),
            "name one: [store] url = \"sqlite://.evenkeel/store.db\", or postgres://… for several controllers; or name the controller's audit log with --audit-log",
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
