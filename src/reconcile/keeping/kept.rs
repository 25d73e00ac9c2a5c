//! The store of a run, as far as there is one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;

use super::person::person;
use super::store_place::StorePlace;
use crate::fleet::checkout::commit;
use crate::fleet::{Fleet, file};
use crate::reconcile::event::{ListenError, Listener, Told};
use crate::reconcile::guarded::{beside, gone};
use crate::reconcile::look::Look;
use crate::reconcile::outcome::RunOutcome;
use crate::reconcile::remembered::{Remembered, Remembering, Unreachable};
use crate::reconcile::warning::{Warn, Warning};
use crate::store::history::ByWhom;
use crate::store::{Alone, Memory, Store, StoreError};

/// The store of a run, as far as there is one.
pub enum Kept {
    /// The fleet file names none.
    Nowhere,
    /// It is open.
    In(Store, Noting),
    /// It cannot be used: nothing is written to AWS.
    Gone(StoreError),
}

/// What belongs to a run whose store is open.
#[derive(Default)]
pub struct Noting {
    /// Whether nobody named the store: it is the controller's, beside its audit log, and has its runs alone.
    /// What guards and notices remember is in their own files there.
    pub is_implied: bool,
    remembered: OnceLock<Arc<Remembered>>,
    /// The run that is put back.
    rolls_back: OnceLock<String>,
}

/// Who remembers where nobody asked for it: what cannot be remembered there holds nothing back, and is
/// taken over from the audit log when there is room again.
struct AtLeisure {
    told: Arc<Remembered>,
    store: Store,
    has_failed: AtomicBool,
    warn: Warn,
}

impl Listener for AtLeisure {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let Err(error) = self.told.hear(told) {
            self.store.lacks();
            if !self.has_failed.swap(true, Ordering::Relaxed) {
                (self.warn)(&Warning::Gap(error));
            }
        }
        Ok(())
    }
}

impl Kept {
    /// Opens the store that a fleet file names, or the controller's beside the audit log if it is there.
    pub async fn open(fleet: Option<&Fleet>, audit_log: &Path, warn: &Warn) -> Self {
        match StorePlace::of(fleet, audit_log, false) {
            None => Self::Nowhere,
            Some(place) => Self::at(&place, fleet).await.unwrap_or_else(|error| {
                warn(&Warning::Without(error));
                Self::Nowhere
            }),
        }
    }

    /// Opens a store.
    ///
    /// # Errors
    /// It is one that nobody named, and cannot be used: then it is done without, as if there were none.
    pub async fn at(place: &StorePlace, fleet: Option<&Fleet>) -> Result<Self, StoreError> {
        match place.open().await {
            Ok(store) => Self::of(store, fleet, place).await,
            Err(error) => Self::gone(error, place),
        }
    }

    fn gone(error: StoreError, place: &StorePlace) -> Result<Self, StoreError> {
        match place.is_implied() {
            false => Ok(Self::Gone(error)),
            true => Err(error),
        }
    }

    /// An open store, out of which what is older than the fleet file says is taken once a day.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub(super) async fn of(
        store: Store,
        fleet: Option<&Fleet>,
        place: &StorePlace,
    ) -> Result<Self, StoreError> {
        let keeps = fleet.map(|fleet| fleet.file.store.keep_days);
        let days = keeps.unwrap_or_else(|| file::Store::default().keep_days);
        let is_implied = place.is_implied();
        match store.forget_daily(TimeDelta::days(days.into())).await {
            Ok(_) => Ok(Self::In(store, Noting { is_implied, ..Noting::default() })),
            Err(error) => Self::gone(error, place),
        }
    }

    /// The store in which all of it is kept, if it is open; not one that has runs alone.
    pub fn store(&self) -> Option<&Store> {
        match self {
            Self::In(store, noting) if !noting.is_implied => Some(store),
            Self::Nowhere | Self::In(..) | Self::Gone(_) => None,
        }
    }

    /// The store that has the runs, be it one that has them alone.
    pub fn history(&self) -> Option<&Store> {
        match self {
            Self::In(store, _) => Some(store),
            Self::Nowhere | Self::Gone(_) => None,
        }
    }

    /// Where guards remember: in the store, or else beside the audit log.
    pub fn memory(&self, audit_log: &Path) -> Arc<dyn Memory> {
        match (self, self.store()) {
            (_, Some(store)) => Arc::new(store.clone()),
            (Self::Gone(error), None) => gone(&error.to_string()),
            (Self::Nowhere | Self::In(..), None) => beside(audit_log),
        }
    }

    /// Who remembers a look, and what follows from it.
    pub fn listener(
        &self,
        command: &str,
        look: &Look,
        caused_by: Vec<ByWhom>,
        warn: &Warn,
    ) -> Option<Arc<dyn Listener>> {
        match self {
            Self::Nowhere => None,
            Self::In(store, noting) => {
                let remembered = &noting.remembered;
                let folder = look.fleet.as_ref().map(|fleet| fleet.folder.as_path());
                let rolls_back = noting.rolls_back.get().cloned();
                let of_look =
                    Remembering::of(command, look, look.commit.clone().or_else(|| commit(folder)));
                let overruled_by = (!of_look.overruled.is_empty()).then(person);
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
                match noting.is_implied {
                    true => Some(Arc::new(AtLeisure {
                        told,
                        store: store.clone(),
                        has_failed: AtomicBool::new(false),
                        warn: Arc::clone(warn),
                    })),
                    false => Some(told),
                }
            }
            Self::Gone(error) => {
                warn(&Warning::Unremembered(error.to_string()));
                Some(Arc::new(Unreachable(error.to_string())))
            }
        }
    }

    /// Insists that what is written can be remembered.
    ///
    /// # Errors
    /// The store is gone.
    pub fn insist(&self) -> Result<(), &StoreError> {
        match self {
            Self::Nowhere | Self::In(..) => Ok(()),
            Self::Gone(error) => Err(error),
        }
    }

    /// Lets nobody else write to AWS with the store until what this gives is dropped.
    ///
    /// # Errors
    /// Somebody else does, or the file system refuses.
    pub fn alone(&self) -> Result<Option<Alone>, StoreError> {
        // The lock of the audit log is enough for the store beside it.
        self.store().map_or(Ok(None), Store::alone)
    }

    /// Whether there is a store, and it does not know what the run has seen.
    pub fn has_missed(&self) -> bool {
        match self {
            Self::In(_, noting) => noting.remembered.get().is_some_and(|told| told.has_missed()),
            Self::Nowhere | Self::Gone(_) => false,
        }
    }

    /// Says how a run ended whose end nobody has told, and why it came to nothing, where it did.
    pub fn close(&self, outcome: RunOutcome, why: Option<&str>) {
        if let Self::In(_, noting) = self
            && let Some(remembered) = noting.remembered.get()
        {
            remembered.close(outcome, why);
        }
    }

    /// Says which run is put back.
    pub fn rolls_back(&self, run: &str) {
        if let Self::In(_, noting) = self {
            noting.rolls_back.get_or_init(|| run.to_owned());
        }
    }
}
