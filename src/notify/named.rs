//! Who did it, where the event that tells of it came after it was put right, and told: they are named in a notice of
//! their own.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::matter::{Matter, Seen, Subject, key_of_drift};
use crate::fleet::notify::{On, Severity};
use crate::names::AccountId;
use crate::store::history::Entry;
use crate::store::{Store, StoreError};

/// An event comes so late at most.
const LATEST: TimeDelta = TimeDelta::days(1);

/// What was put right without a name, and whose event has come by now, in the run that saw this.
///
/// # Errors
/// The store cannot be asked.
pub async fn named_late(store: &Store, seen: &Seen) -> Result<Vec<(Matter, Entry)>, StoreError> {
    let Some(run) = &seen.about.run else { return Ok(Vec::new()) };
    let accounts: BTreeSet<&AccountId> =
        seen.touched.iter().filter_map(|subject| subject.account.as_ref()).collect();
    let mut all = Vec::new();
    for account in accounts {
        for entry in store.named_late(run, account, seen.time - LATEST).await? {
            let key = key_of_drift(&entry.object);
            if let Some(subject) = seen.touched.iter().find(|subject| subject.key == key) {
                all.push((matter(subject, &entry), entry));
            }
        }
    }
    Ok(all)
}

fn matter(subject: &Subject, entry: &Entry) -> Matter {
    Matter {
        subject: subject.clone(),
        on: On::Applied,
        // How bad it was is not known any more.
        severity: Severity::Medium,
        state: "named".to_owned(),
        what: vec!["who changed it is known by now".to_owned()],
        did: format!("put it right in run {}, before AWS told of the call", entry.run),
        look: format!("evenkeel show {}", entry.run),
    }
}
