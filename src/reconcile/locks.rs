//! One run at a time in an account: who looks at an account or writes to it holds it, and the others wait
//! for their turn, those of this process by themselves. Where several controllers share a store, who holds
//! an account has its lease there as well, keeps it while working, and gives it back.
//!
//! A run holds an account while it looks there and while it writes there, and not in between, so that
//! a run of many accounts keeps nobody waiting for all of them. What another run did meanwhile is seen
//! by the look directly before each write. A run that holds an account waits for no other, so that no
//! two can wait for each other.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use super::tally::{LeaseCounts, Tally};
use crate::fleet::Fleet;
use crate::names::AccountId;
use crate::store::{Lease, Leases, Store, StoreError};

/// How often it is tried to take what another controller has.
const TRY_EVERY: Duration = Duration::from_millis(250);
/// So often a lease is renewed within its term.
const RENEWALS: u32 = 3;
/// The token of who could not ask for a lease: the store takes no write with it.
const NO_TOKEN: i64 = 0;

/// Lets time pass; a simulation has a clock of its own.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// How accounts are claimed, where several controllers share them.
#[derive(Clone)]
pub struct Claims {
    /// Where leases are kept.
    pub leases: Arc<dyn Leases>,
    /// Who claims: each life of each process is somebody else.
    pub holder: String,
    /// After so long without a sign, somebody else may take over.
    pub term: Duration,
    /// Lets time pass.
    pub pause: Pause,
    /// Counts them.
    pub tally: Arc<Tally>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Claims of {}", self.holder)
    }
}

impl Claims {
    /// Claims of this life of this process.
    pub fn new(leases: Arc<dyn Leases>, term: Duration) -> Self {
        let host = std::env::var("HOSTNAME").unwrap_or_default();
        let (process, life) = (std::process::id(), fastrand::u32(..));
        let pause = |time| tokio::time::sleep(time).boxed();
        Self {
            leases,
            holder: format!("{host}/{process}/{life:08x}"),
            term,
            pause: Arc::new(pause),
            tally: Arc::default(),
        }
    }

    /// Claims in a store, as a fleet file says.
    pub fn within(store: &Store, fleet: Option<&Fleet>) -> Self {
        let kept = fleet.map(|fleet| fleet.file.store.clone()).unwrap_or_default();
        Self::new(Arc::new(store.clone()), kept.lease.duration())
    }

    /// How often a lease is renewed.
    pub fn renew_every(&self) -> Duration {
        self.term / RENEWALS
    }

    /// Waits until nobody else has an account; none where nobody can be asked, and then it may be looked
    /// at, and not written to.
    async fn claim(&self, account: &AccountId) -> Option<Lease> {
        let names = [account.to_string()];
        loop {
            match self.leases.claim(&names, &self.holder, self.term, 1).await {
                Ok(mut claimed) => match claimed.pop() {
                    Some(lease) => {
                        self.tally.take(&lease);
                        return Some(lease);
                    }
                    None => (self.pause)(TRY_EVERY).await,
                },
                Err(error) => {
                    tracing::warn!("{account} is looked at without its lease: {error}");
                    return None;
                }
            }
        }
    }

    /// Renews a lease for as long as somebody else has not taken it.
    async fn keep(self, lease: Lease) {
        let mut missed = 0;
        loop {
            (self.pause)(self.renew_every()).await;
            match self.leases.renew(&lease, self.term).await {
                Err(error @ StoreError::LeaseLost { .. }) => {
                    tracing::warn!("{error}");
                    self.tally.lose(&lease);
                    return;
                }
                // It is asked again in time, or runs out.
                Err(error) => {
                    tracing::warn!("the lease of {} is not renewed: {error}", lease.name);
                    missed += 1;
                    if missed >= RENEWALS {
                        self.tally.lose(&lease);
                    }
                }
                Ok(()) => {
                    missed = 0;
                    self.tally.take(&lease);
                }
            }
        }
    }
}

/// The accounts that runs hold; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct AccountLocks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    turns: Mutex<HashMap<AccountId, Turns>>,
    claims: Mutex<Option<Claims>>,
}

/// The turns of one account, first come, first served.
#[derive(Debug, Clone, Default)]
struct Turns {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The number of the latest one that has begun.
    latest: Arc<AtomicU64>,
    /// The number of the latest one that is over, and came to its end.
    over: Arc<AtomicU64>,
}

/// An account that is held until this is given back, or dropped.
#[derive(Debug)]
#[must_use = "when it is dropped, the account is another run's"]
pub struct Held {
    _turn: OwnedMutexGuard<()>,
    number: u64,
    over: Arc<AtomicU64>,
    leased: Option<Leased>,
}

/// What is leased for as long as an account is held.
#[derive(Debug)]
struct Leased {
    claims: Claims,
    lease: Option<Lease>,
    token: i64,
    renewing: Option<JoinHandle<()>>,
}

impl Leased {
    fn begin(claims: Claims, lease: Option<Lease>) -> Self {
        let token = lease.as_ref().map_or(NO_TOKEN, |lease| lease.token);
        let renewing = lease.clone().map(|lease| tokio::spawn(claims.clone().keep(lease)));
        Self { claims, lease, token, renewing }
    }

    /// Ends the renewing; gives what is to be given back.
    fn end(&mut self) -> Option<Lease> {
        if let Some(renewing) = self.renewing.take() {
            renewing.abort();
        }
        let lease = self.lease.take();
        lease.iter().for_each(|lease| self.claims.tally.give_back(lease));
        lease
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        // Of a run that was stopped: it runs out in any case.
        if let (Some(lease), Ok(runtime)) = (self.end(), Handle::try_current()) {
            let claims = self.claims.clone();
            runtime.spawn(async move { claims.leases.release(&lease).await.ok() });
        }
    }
}

impl Held {
    /// Which turn of the account this is.
    pub fn turn(&self) -> u64 {
        self.number
    }

    /// The token of its lease, where there are leases: it goes with each write.
    pub fn token(&self) -> Option<i64> {
        self.leased.as_ref().map(|leased| leased.token)
    }

    /// A write was refused because its lease is somebody else's by now, or has run out.
    pub fn lost(&self) {
        if let Some(Leased { claims, lease: Some(lease), .. }) = &self.leased {
            claims.tally.lose(lease);
        }
    }

    /// Gives it back, and waits until others can have it.
    pub async fn give_back(mut self) {
        self.over.fetch_max(self.number, Ordering::AcqRel);
        let Some(mut leased) = self.leased.take() else { return };
        if let Some(lease) = leased.end()
            && let Err(error) = leased.claims.leases.release(&lease).await
        {
            tracing::warn!("the lease of {} is not given back: {error}", lease.name);
        }
    }
}

impl AccountLocks {
    /// Accounts that are claimed among several controllers.
    pub fn claimed(claims: Claims) -> Self {
        let locks = Self::default();
        locks.claim_with(claims);
        locks
    }

    /// Claims accounts among several controllers from now on.
    pub fn claim_with(&self, claims: Claims) {
        *self.0.claims.lock().unwrap_or_else(PoisonError::into_inner) = Some(claims);
    }

    /// How accounts are claimed, where they are.
    pub fn claims(&self) -> Option<Claims> {
        self.0.claims.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many leases are held and were lost, where accounts are claimed.
    pub fn leases(&self) -> Option<LeaseCounts> {
        self.claims().map(|claims| claims.tally.counts())
    }

    /// Waits until nobody holds the account.
    pub async fn hold(&self, account: &AccountId) -> Held {
        let turns = {
            let mut all = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(account.clone()).or_default().clone()
        };
        let turn = turns.turn.lock_owned().await;
        let number = turns.latest.fetch_add(1, Ordering::AcqRel) + 1;
        let leased = match self.claims() {
            Some(claims) => {
                let lease = claims.claim(account).await;
                Some(Leased::begin(claims, lease))
            }
            None => None,
        };
        Held { _turn: turn, number, over: turns.over, leased }
    }

    /// The latest turn of an account that came to its end: what was seen in an earlier one may be otherwise by now. Of one
    /// that is not over, or was given up, nothing was told yet.
    pub fn latest_over(&self, account: &AccountId) -> u64 {
        let all = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).map_or(0, |turns| turns.over.load(Ordering::Acquire))
    }

    /// Whether a run of this process holds the account now.
    pub fn is_held(&self, account: &AccountId) -> bool {
        let all = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).is_some_and(|turns| turns.turn.try_lock().is_err())
    }

    /// Gives back what is still leased, when the process ends.
    pub async fn end(&self) {
        if let Some(claims) = self.claims()
            && let Err(error) = claims.leases.release_all(&claims.holder).await
        {
            tracing::warn!("leases are not given back, and run out: {error}");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::AtomicU32;

    use futures::poll;

    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn one_at_a_time_in_an_account_and_no_waiting_for_another_account() {
        let locks = AccountLocks::default();
        let (one, two) = ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        let first = locks.hold(&one).await;
        let first_turn = first.turn();
        let same = locks.clone();
        let mut second = std::pin::pin!(same.hold(&one));
        assert!(poll!(second.as_mut()).is_pending());
        drop(locks.hold(&two).await);
        assert!(locks.is_held(&one) && !locks.is_held(&two));
        assert_eq!((first.token(), locks.leases()), (None, None));
        first.give_back().await;
        let second = second.await;
        assert_eq!((first_turn, second.turn(), locks.latest_over(&one)), (1, 2, 1));
        second.give_back().await;
        assert!(!locks.is_held(&one));
        assert_eq!(locks.latest_over(&one), 2);
        drop(locks.hold(&one).await);
        assert_eq!((locks.latest_over(&one), locks.latest_over(&two)), (2, 0), "given up");
    }

    async fn two(folder: &Path, term: Duration) -> (AccountLocks, AccountLocks) {
        let store = Store::open("sqlite://store.db", folder).await.unwrap();
        let claims = || Claims::new(Arc::new(store.clone()), term);
        (AccountLocks::claimed(claims()), AccountLocks::claimed(claims()))
    }

    #[tokio::test]
    async fn what_another_controller_holds_is_waited_for_and_its_token_grows() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = two(folder.path(), Duration::from_secs(600)).await;
        let account: AccountId = "111122223333".parse().unwrap();
        let first = one.hold(&account).await;
        let (waiting, wanted) = (other.clone(), account.clone());
        let second = tokio::spawn(async move { waiting.hold(&wanted).await });
        drop(other.hold(&"444455556666".parse().unwrap()).await);
        tokio::time::sleep(TRY_EVERY * 2).await;
        assert!(!second.is_finished(), "it is held by another controller");
        let is = |locks: &AccountLocks, held, lost| {
            assert_eq!(locks.leases(), Some(LeaseCounts { held, lost }));
        };
        is(&one, 1, 0);
        is(&other, 0, 0);
        let token = first.token().unwrap();
        first.give_back().await;
        is(&one, 0, 0);
        let second = second.await.unwrap();
        assert!(second.token().unwrap() > token);
        is(&other, 1, 0);
        // Who ends gives everything back.
        std::mem::forget(second);
        other.end().await;
        one.hold(&account).await.give_back().await;
    }

    #[tokio::test]
    async fn who_works_for_longer_than_a_term_keeps_the_lease_and_who_is_dead_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = two(folder.path(), Duration::from_millis(600)).await;
        let account: AccountId = "111122223333".parse().unwrap();
        let mut first = one.hold(&account).await;
        let (waiting, wanted) = (other.clone(), account.clone());
        let second = tokio::spawn(async move { waiting.hold(&wanted).await });
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!second.is_finished(), "it is renewed");
        // It dies: nothing renews it any more, and nothing gives it back.
        first.leased.as_mut().unwrap().end();
        second.await.unwrap().give_back().await;
    }

    #[tokio::test]
    async fn a_lease_that_somebody_else_takes_is_lost_and_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = two(folder.path(), Duration::from_millis(600)).await;
        let account: AccountId = "111122223333".parse().unwrap();
        let first = one.hold(&account).await;
        // It stands still for longer than a term, and then goes on.
        let renewing = first.leased.as_ref().unwrap().renewing.as_ref().unwrap();
        renewing.abort();
        let second = other.hold(&account).await;
        let Leased { claims, lease, .. } = first.leased.as_ref().unwrap();
        claims.clone().keep(lease.clone().unwrap()).await;
        let counts = LeaseCounts { held: 0, lost: 1 };
        assert_eq!(one.leases(), Some(counts));
        first.lost();
        first.give_back().await;
        assert_eq!(one.leases(), Some(counts));
        assert_eq!(other.leases(), Some(LeaseCounts { held: 1, lost: 0 }));
        second.give_back().await;
    }

    /// A store that gives a lease, and is gone then.
    struct Gives;

    #[async_trait::async_trait]
    impl Leases for Gives {
        async fn claim(
            &self,
            names: &[String],
            holder: &str,
            _: Duration,
            _: usize,
        ) -> Result<Vec<Lease>, StoreError> {
            Ok(vec![Lease { name: names[0].clone(), holder: holder.to_owned(), token: 1 }])
        }
        async fn renew(&self, _: &Lease, _: Duration) -> Result<(), StoreError> {
            Err(StoreError::InTheWay)
        }
        async fn release(&self, _: &Lease) -> Result<(), StoreError> {
            Err(StoreError::InTheWay)
        }
        async fn release_all(&self, _: &str) -> Result<(), StoreError> {
            Err(StoreError::InTheWay)
        }
    }

    #[tokio::test]
    async fn a_lease_that_nobody_can_renew_for_a_term_has_run_out() {
        let account: AccountId = "111122223333".parse().unwrap();
        for (missed, counts) in [
            (RENEWALS - 1, LeaseCounts { held: 1, lost: 0 }),
            (RENEWALS, LeaseCounts { held: 0, lost: 1 }),
        ] {
            let mut claims = Claims::new(Arc::new(Gives), Duration::from_secs(30));
            let left = Arc::new(AtomicU32::new(missed));
            // So many pauses pass at once, and the next one never.
            claims.pause = Arc::new(move |_| {
                let one_less = |left: u32| left.checked_sub(1);
                match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
                    Ok(_) => std::future::ready(()).boxed(),
                    Err(_) => std::future::pending().boxed(),
                }
            });
            let lease = claims.claim(&account).await.unwrap();
            let mut keeping = std::pin::pin!(claims.clone().keep(lease));
            assert!(poll!(keeping.as_mut()).is_pending());
            assert_eq!(claims.tally.counts(), counts);
        }
    }

    #[tokio::test]
    async fn without_the_store_an_account_is_looked_at_with_a_token_that_writes_nothing() {
        struct Gone;
        #[async_trait::async_trait]
        impl Leases for Gone {
            async fn claim(
                &self,
                _: &[String],
                _: &str,
                _: Duration,
                _: usize,
            ) -> Result<Vec<Lease>, StoreError> {
                Err(StoreError::InTheWay)
            }
            async fn renew(&self, _: &Lease, _: Duration) -> Result<(), StoreError> {
                Err(StoreError::InTheWay)
            }
            async fn release(&self, _: &Lease) -> Result<(), StoreError> {
                Err(StoreError::InTheWay)
            }
            async fn release_all(&self, _: &str) -> Result<(), StoreError> {
                Err(StoreError::InTheWay)
            }
        }
        let locks = AccountLocks::claimed(Claims::new(Arc::new(Gone), Duration::from_secs(1)));
        let held = locks.hold(&"111122223333".parse().unwrap()).await;
        assert_eq!(held.token(), Some(NO_TOKEN));
    }
}
