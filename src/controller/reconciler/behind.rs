//! The accounts that looks have left behind, since others do not wait for them: each is looked at alone.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::names::AccountId;
use crate::reconcile::{ListenError, Listener, RunEvent, Told};

/// Hears which accounts looks leave behind.
#[derive(Debug, Default)]
pub struct Behind {
    accounts: Mutex<BTreeSet<AccountId>>,
    /// Said when there is one.
    some: Notify,
}

impl Behind {
    fn accounts(&self) -> MutexGuard<'_, BTreeSet<AccountId>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are some, and gives them.
    pub async fn next(&self) -> BTreeSet<AccountId> {
        loop {
            let said = self.some.notified();
            let accounts = std::mem::take(&mut *self.accounts());
            if !accounts.is_empty() {
                return accounts;
            }
            said.await;
        }
    }
}

impl Listener for Behind {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let RunEvent::LeftBehind { account } = told.event {
            self.accounts().insert(account.clone());
            self.some.notify_one();
        }
        Ok(())
    }
}
