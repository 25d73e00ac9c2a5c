//! The stores of a controller's runs: one is opened once, and again where the fleet file names another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::Utc;
use tokio::sync::Mutex;

use super::kept::Kept;
use super::store_place::StorePlace;
use crate::fleet::Fleet;
use crate::reconcile::warning::{Warn, Warning};
use crate::store::{Alone, Store, StoreError};

/// The stores of a controller's runs.
pub struct Keeper {
    audit_log: PathBuf,
    /// Whether it makes the store beside the audit log, where nobody names one.
    makes_it: bool,
    warn: Warn,
    keeping: Mutex<Keeping>,
}

#[derive(Default)]
struct Keeping {
    open: Option<(StorePlace, Store)>,
    /// Whether it was said that it is done without a store.
    is_without: bool,
    /// That nobody else writes with the stores so far: a run may still have one of before in hand.
    alone: BTreeMap<String, Alone>,
}

impl Keeping {
    async fn kept(
        &mut self,
        place: StorePlace,
        fleet: Option<&Fleet>,
        of: &Keeper,
    ) -> Result<Kept, StoreError> {
        let known = self.open.as_ref().filter(|(there, _)| *there == place);
        let known = known.map(|(_, store)| store.clone());
        let is_new = known.is_none();
        let kept = match known {
            Some(store) => Kept::of(store, fleet, &place).await?,
            None => Kept::at(&place, fleet).await?,
        };
        let Kept::In(store, noting) = &kept else {
            if is_new {
                self.open = None;
            }
            return Ok(kept);
        };
        self.open = Some((place, store.clone()));
        match noting.is_implied {
            // The lock of the audit log beside it is enough, which a controller has as long as it lives.
            true if of.makes_it => {
                if is_new {
                    store.note_all_killed(Utc::now()).await?;
                    // What the process before could not note, nobody remembers.
                    store.lacks();
                }
                if store.is_lacking() {
                    take_over(store, &of.audit_log).await;
                }
            }
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

/// Takes over from the audit log what the history lacks.
async fn take_over(store: &Store, log: &Path) {
    match store.take_over(log).await {
        Ok(0) => {}
        Ok(records) => {
            tracing::info!("the history had a gap: {records} records are from the audit log");
        }
        Err(error) => tracing::warn!("the history still has a gap: {error}"),
    }
}

impl Keeper {
    /// Of a controller with this audit log.
    pub fn beside(audit_log: &Path, makes_it: bool, warn: Warn) -> Self {
        let audit_log = audit_log.to_owned();
        Self { audit_log, makes_it, warn, keeping: Mutex::default() }
    }

    /// Where the store of a fleet file is, if there is to be one.
    pub fn place(&self, fleet: Option<&Fleet>) -> Option<StorePlace> {
        StorePlace::of(fleet, &self.audit_log, self.makes_it)
    }

    /// The store there, if it is open.
    pub async fn open(&self, place: &StorePlace) -> Option<Store> {
        let keeping = self.keeping.lock().await;
        keeping.open.as_ref().filter(|(there, _)| there == place).map(|(_, store)| store.clone())
    }

    /// The store of a run. One that somebody else writes with is gone: two would undo each other's work.
    pub async fn kept(&self, fleet: Option<&Fleet>) -> Kept {
        let mut keeping = self.keeping.lock().await;
        let Some(place) = self.place(fleet) else { return Kept::Nowhere };
        keeping.kept(place, fleet, self).await.unwrap_or_else(|error| {
            if !std::mem::replace(&mut keeping.is_without, true) {
                (self.warn)(&Warning::Without(error));
            }
            Kept::Nowhere
        })
    }
}
