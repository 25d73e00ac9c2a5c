//! One run at a time in an account, where several runs share a process: who looks at an account or
//! writes to it holds it, and the others wait for their turn.
//!
//! A run holds an account while it looks there and while it writes there, and not in between, so that
//! a run of many accounts keeps nobody waiting for all of them. What another run did meanwhile is seen
//! by the look directly before each write. A run that holds an account waits for no other, so that no
//! two can wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::names::AccountId;

/// The accounts that runs hold; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct AccountLocks(Arc<Mutex<HashMap<AccountId, Turns>>>);

/// The turns of one account, first come, first served.
type Turns = Arc<tokio::sync::Mutex<()>>;

/// An account that is held until this is dropped.
#[derive(Debug)]
#[must_use = "when it is dropped, the account is another run's"]
pub struct Held {
    _turn: OwnedMutexGuard<()>,
}

impl AccountLocks {
    /// Waits until nobody holds the account.
    pub async fn hold(&self, account: &AccountId) -> Held {
        let turns = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(account.clone()).or_default())
        };
        Held { _turn: turns.lock_owned().await }
    }

    /// Whether a run holds the account now.
    pub fn is_held(&self, account: &AccountId) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).is_some_and(|turns| turns.try_lock().is_err())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::poll;

    use super::*;

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
        drop(first);
        drop(second.await);
        assert!(!locks.is_held(&one));
    }
}
