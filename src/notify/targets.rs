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

    /// Those of an account: all that the run names, unless it says which.
    pub fn of_account(&self, account: &AccountId, all: &[String]) -> Vec<String> {
        among(all, self.selecting.get(account)).unwrap_or_else(|| all.to_vec())
    }

    /// Those of an item of an account.
    pub fn of_item(&self, account: &AccountId, item: &ItemName, all: &[String]) -> Vec<String> {
        let own = self.declaring.get(account).and_then(|items| items.get(item));
        among(all, own).unwrap_or_else(|| self.of_account(account, all))
    }
}

/// Baselines that the command line names are no targets of the fleet file, and the run names none then.
fn among(all: &[String], own: Option<&BTreeSet<String>>) -> Option<Vec<String>> {
    let own = own?;
    Some(all.iter().filter(|name| own.contains(*name)).cloned().collect())
}
