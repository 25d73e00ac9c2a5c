//! The leases of the world: who is dead holds them until their term is over, and who stands still for long
//! loses them, and must notice it before the next write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;

use super::super::clocks::Clocks;
use super::world::World;
use crate::names::AccountId;
use crate::store::{Lease, Leases, StoreError};

/// How long a lease holds without a sign of its holder.
pub const TERM: Duration = Duration::from_secs(60);

/// A lease: who has it, its token, and until when.
type Kept = (String, i64, Duration);

/// All leases that there ever were.
#[derive(Default)]
pub struct AllLeases(Mutex<BTreeMap<String, Kept>>);

impl AllLeases {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token is that of the lease which holds now; then it holds for another term.
    pub fn holds(&self, account: &AccountId, token: i64, now: Duration) -> bool {
        let mut all = self.all();
        let lease = all.get_mut(account.as_str());
        let held = lease.filter(|(_, held, until)| *held == token && *until > now);
        held.map(|lease| lease.2 = now + TERM).is_some()
    }

    /// Ends all of them but those of some accounts, as when their holder stands still.
    pub fn lose(&self, now: Duration, but: impl Fn(&str) -> bool) {
        let mut all = self.all();
        let lost = all.iter_mut().filter(|(name, _)| !but(name));
        lost.for_each(|(_, lease)| lease.2 = lease.2.min(now));
    }
}

/// The way of one life of the controller to the leases.
pub struct Leasing {
    world: Weak<World>,
    /// Whatever is left of a dead process asks for nothing any more.
    is_dead: Arc<AtomicBool>,
}

impl Leasing {
    /// To those of a world.
    pub fn of(world: &Arc<World>, is_dead: &Arc<AtomicBool>) -> Self {
        Self { world: Arc::downgrade(world), is_dead: Arc::clone(is_dead) }
    }

    /// Goes there, if the way is open; gives the time as well.
    fn way(&self) -> Result<(Arc<World>, Duration), StoreError> {
        let away = || StoreError::Unreachable { store: "it".to_owned(), why: "away".to_owned() };
        let world = self.world.upgrade().ok_or_else(away)?;
        let now = world.clocks.now();
        match now < world.store_is_back() || self.is_dead.load(Ordering::SeqCst) {
            true => Err(away()),
            false => Ok((world, now)),
        }
    }

    fn until(&self, lease: &Lease, term: Duration) -> Result<(), StoreError> {
        let (world, now) = self.way()?;
        let mut all = world.leases.all();
        let held = all.get_mut(&lease.name).filter(|held| held.1 == lease.token);
        let lost = || StoreError::LeaseLost { name: lease.name.clone(), why: String::new() };
        held.map(|held| held.2 = now + term).ok_or_else(lost)
    }
}

#[async_trait]
impl Leases for Leasing {
    async fn claim(
        &self,
        names: &[String],
        holder: &str,
        term: Duration,
        most: usize,
    ) -> Result<Vec<Lease>, StoreError> {
        let (world, now) = self.way()?;
        let mut all = world.leases.all();
        let mut taken = Vec::new();
        for name in names {
            let lease = all.entry(name.clone()).or_default();
            if lease.2 <= now && taken.len() < most {
                *lease = (holder.to_owned(), lease.1 + 1, now + term);
                let (name, holder) = (name.clone(), holder.to_owned());
                taken.push(Lease { name, holder, token: lease.1 });
            }
        }
        Ok(taken)
    }

    async fn renew(&self, lease: &Lease, term: Duration) -> Result<(), StoreError> {
        self.until(lease, term)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        match self.until(lease, Duration::ZERO) {
            Err(StoreError::LeaseLost { .. }) => Ok(()),
            released => released,
        }
    }

    async fn release_all(&self, holder: &str) -> Result<(), StoreError> {
        let (world, now) = self.way()?;
        let mut all = world.leases.all();
        let own = all.values_mut().filter(|lease| lease.0 == holder);
        own.for_each(|lease| lease.2 = lease.2.min(now));
        Ok(())
    }
}
