//! Hears which accounts a whole look has looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::controller::clocks::Clocks;
use crate::controller::queue::What;
use crate::controller::sight::Sight;
use crate::names::AccountId;
use crate::reconcile::{ListenError, Listener, RunEvent, Told};

/// A whole look at a target or an account.
pub struct WholeLook {
    target: Option<String>,
    sight: Arc<Mutex<Sight>>,
    clocks: Arc<dyn Clocks>,
    /// When each account had been looked at: the others may take long after that.
    at: Mutex<BTreeMap<AccountId, Duration>>,
}

impl WholeLook {
    /// For what is looked at; none where that is only a part.
    pub fn of(
        what: &What,
        sight: Arc<Mutex<Sight>>,
        clocks: Arc<dyn Clocks>,
    ) -> Option<Arc<dyn Listener>> {
        let target = match what {
            What::Target(name) => Some(name.clone()),
            What::Account(_) => None,
            What::Path(_) | What::Parts { .. } => return None,
        };
        Some(Arc::new(Self { target, sight, clocks, at: Mutex::default() }))
    }
}

impl Listener for WholeLook {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let (RunEvent::Selected { accounts }, Some(target)) = (told.event, &self.target) {
            let mut sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
            sight.keep_accounts(target, accounts);
        }
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if let RunEvent::Seen { account } = told.event {
            at.insert(account.clone(), self.clocks.now());
        }
        if let RunEvent::Planned { plan } = told.event {
            let now = self.clocks.now();
            let mut sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
            for seen in &plan.targets {
                let at = at.get(&seen.account).copied().unwrap_or(now);
                sight.looked(&seen.account, &seen.home_region, self.target.as_deref(), at);
            }
        }
        Ok(())
    }
}
