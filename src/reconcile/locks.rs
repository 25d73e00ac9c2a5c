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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use crate::names::AccountId;
use crate::store::{Lease, Leases, StoreError};

/// How often it is tried to take what another controller has.
const TRY_EVERY: Duration = Duration::from_millis(250);
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
        }
    }

    /// How often a lease is renewed.
    pub fn renew_every(&self) -> Duration {
        self.term / 3
    }

    /// Waits until nobody else has an account; none where nobody can be asked, and then it may be looked
    /// at, and not written to.
    async fn claim(&self, account: &AccountId) -> Option<Lease> {
        let names = [account.to_string()];
        loop {
            match self.leases.claim(&names, &self.holder, self.term, 1).await {
                Ok(mut claimed) => match claimed.pop() {
                    Some(lease) => return Some(lease),
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
        loop {
            (self.pause)(self.renew_every()).await;
            match self.leases.renew(&lease, self.term).await {
                Err(error @ StoreError::LeaseLost { .. }) => {
                    tracing::warn!("{error}");
                    return;
                }
                // It is asked again in time, or runs out.
                Err(error) => tracing::warn!("the lease of {} is not renewed: {error}", lease.name),
                Ok(()) => {}
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
type Turns = Arc<tokio::sync::Mutex<()>>;

/// An account that is held until this is given back, or dropped.
#[derive(Debug)]
#[must_use = "when it is dropped, the account is another run's"]
pub struct Held {
    _turn: OwnedMutexGuard<()>,
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
        self.lease.take()
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
    /// The token of its lease, where there are leases: it goes with each write.
    pub fn token(&self) -> Option<i64> {
        self.leased.as_ref().map(|leased| leased.token)
    }

    /// Gives it back, and waits until others can have it.
    pub async fn give_back(mut self) {
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

    /// Waits until nobody holds the account.
    pub async fn hold(&self, account: &AccountId) -> Held {
        let turns = {
            let mut all = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(account.clone()).or_default())
        };
        let turn = turns.lock_owned().await;
        let leased = match self.claims() {
            Some(claims) => {
                let lease = claims.claim(account).await;
                Some(Leased::begin(claims, lease))
            }
            None => None,
        };
        Held { _turn: turn, leased }
    }

    /// Whether a run of this process holds the account now.
    pub fn is_held(&self, account: &AccountId) -> bool {
        let all = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).is_some_and(|turns| turns.try_lock().is_err())
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

    use futures::poll;

    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn one_at_a_time_in_an_account_and_no_waiting_for_another_account() {
        let locks = AccountLocks::default();
        let (one, two) = ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        let first = locks.hold(&one).await;
        let same = locks.clone();
        let mut second = std::pin::pin!(same.hold(&one));
        assert!(poll!(second.as_mut()).is_pending());
        drop(locks.hold(&two).await);
        assert!(locks.is_held(&one) && !locks.is_held(&two));
        assert_eq!(first.token(), None);
        drop(first);
        drop(second.await);
        assert!(!locks.is_held(&one));
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
        let token = first.token().unwrap();
        first.give_back().await;
        let second = second.await.unwrap();
        assert!(second.token().unwrap() > token);
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
