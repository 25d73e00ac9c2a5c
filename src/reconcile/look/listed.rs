//! The organization as it was listed last, for runs that need not list it anew: an event asks for one
//! account, and a thousand events do not ask for a thousand listings.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fleet::organization::Organization;

/// Whether a look may go by an earlier listing. By default, it lists anew.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The last one.
    pub at: Arc<Listed>,
    /// How old it may be.
    pub within: Duration,
}

/// The last listing.
#[derive(Debug, Default)]
pub struct Listed(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    at: Instant,
    /// Who listed it.
    by: String,
    with_tags: bool,
    organization: Organization,
}

impl Listed {
    /// The last one, where it is not older, and has all that is asked for.
    pub fn within(&self, age: Duration, by: &str, with_tags: bool) -> Option<Organization> {
        let last = self.last();
        let last = last.as_ref()?;
        let fits = last.at.elapsed() < age && last.by == by && (last.with_tags || !with_tags);
        fits.then(|| last.organization.clone())
    }

    /// Notes one that was just made.
    pub fn note(&self, by: String, with_tags: bool, organization: Organization) {
        *self.last() = Some(Last { at: Instant::now(), by, with_tags, organization });
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_serves_for_its_time_for_who_made_it_and_for_what_it_has() {
        let listed = Listed::default();
        let long = Duration::from_secs(300);
        assert!(listed.within(long, "role", false).is_none());
        let organization = || Organization {
            id: "o-1".to_owned(),
            management_account: "111122223333".parse().unwrap(),
            units: Default::default(),
            accounts: Vec::new(),
        };
        listed.note("role".to_owned(), false, organization());
        assert!(listed.within(long, "role", false).is_some());
        assert!(listed.within(Duration::ZERO, "role", false).is_none(), "anew");
        assert!(listed.within(long, "other", false).is_none());
        assert!(listed.within(long, "role", true).is_none(), "it has no tags");
        listed.note("role".to_owned(), true, organization());
        assert!(listed.within(long, "role", false).is_some());
    }
}
