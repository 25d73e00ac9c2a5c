//! Which targets something is of: those that declare it, and not all of the run.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{AccountId, ItemName};
use crate::reconcile::RunEvent;

/// What a run of several targets says of them.
#[derive(Default)]
pub struct Targets {
    /// Those that select each account.
    selecting: BTreeMap<AccountId, BTreeSet<String>>,
    /// Those that declare each item, where more than one selects the account.
    declaring: BTreeMap<AccountId, BTreeMap<ItemName, BTreeSet<String>>>,
}

impl Targets {
    /// Hears of them.
    pub fn hear(&mut self, event: RunEvent<'_>) {
        match event {
            RunEvent::SelectedBy { account, targets } => {
                self.selecting.insert(account.clone(), targets.clone());
            }
            RunEvent::DeclaredBy { account, items } => {
                self.declaring.insert(account.clone(), items.clone());
            }
            _ => {}
        }
    }

    /// Those of an account: all of the run, unless it says which.
    pub fn of_account(&self, account: &AccountId, all: &[String]) -> Vec<String> {
        let own = self.selecting.get(account).map(|own| own.iter().cloned().collect());
        own.unwrap_or_else(|| all.to_vec())
    }

    /// Those of an item of an account.
    pub fn of_item(&self, account: &AccountId, item: &ItemName, all: &[String]) -> Vec<String> {
        let own = self.declaring.get(account).and_then(|items| items.get(item));
        own.map_or_else(|| self.of_account(account, all), |own| own.iter().cloned().collect())
    }
}
