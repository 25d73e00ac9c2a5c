//! Which version of the files is in force. Pure: versions are offered, and the clock is an argument.
//!
//! A version that is not good is refused once, when it comes; the last good one stays in force until
//! a better one is there, however long that takes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// What a version is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The digest of all its texts.
    pub digest: String,
    /// The commit that it is from, where that is known.
    pub commit: Option<String>,
}

/// A version that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub label: Label,
    /// Why.
    pub why: String,
    /// When it came.
    pub since: DateTime<Utc>,
}

/// The version in force.
#[derive(Debug)]
pub struct Good<T> {
    /// What it says.
    pub what: Arc<T>,
    /// Which it is.
    pub label: Label,
    /// Since when it is in force.
    pub since: DateTime<Utc>,
}

impl<T> Clone for Good<T> {
    fn clone(&self) -> Self {
        Self { what: Arc::clone(&self.what), label: self.label.clone(), since: self.since }
    }
}

/// How the files stand, for who shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The version that is used.
    pub label: Label,
    /// Since when it is in force.
    pub since: DateTime<Utc>,
    /// A later one, which was refused.
    pub refused: Option<Refused>,
    /// Why the place that they come from cannot be reached, if it cannot.
    pub unreachable: Option<String>,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is in force from now on.
    Taken,
    /// It is in force already.
    Same,
    /// It is refused.
    Refused,
    /// It was refused before, and nothing new is to be said.
    StillRefused,
}

/// The version in force, and the one that was refused since.
#[derive(Debug)]
pub struct InForce<T> {
    good: Good<T>,
    refused: Option<Refused>,
}

impl<T> InForce<T> {
    /// A first one, which is good.
    pub fn new(what: T, label: Label, now: DateTime<Utc>) -> Self {
        Self { good: Good { what: Arc::new(what), label, since: now }, refused: None }
    }

    /// The one in force.
    pub fn good(&self) -> &Good<T> {
        &self.good
    }

    /// The one that was offered last, when it was refused.
    pub fn refused(&self) -> Option<&Refused> {
        self.refused.as_ref()
    }

    /// Whether an offer of this version would say nothing new, so that it need not be looked at.
    pub fn knows(&self, label: &Label) -> bool {
        let refused = self.refused.as_ref().map(|refused| &refused.label);
        *refused.unwrap_or(&self.good.label) == *label
    }

    /// Offers a version, or why it is not good.
    pub fn offer(&mut self, label: Label, found: Result<T, String>, now: DateTime<Utc>) -> Offer {
        match found {
            Ok(_) if self.good.label == label => {
                self.refused = None;
                Offer::Same
            }
            Ok(what) => {
                self.good = Good { what: Arc::new(what), label, since: now };
                self.refused = None;
                Offer::Taken
            }
            Err(why) => {
                let is_known = self.refused.as_ref().is_some_and(|refused| refused.label == label);
                if is_known {
                    return Offer::StillRefused;
                }
                self.refused = Some(Refused { label, why, since: now });
                Offer::Refused
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds)
    }

    fn label(digest: u8) -> Label {
        Label { digest: digest.to_string(), commit: None }
    }

    #[test]
    fn what_is_not_good_is_refused_once_and_the_last_good_one_holds() {
        let mut files = InForce::new(1, label(1), at(0));
        assert_eq!(files.offer(label(2), Err("no".to_owned()), at(1)), Offer::Refused);
        assert_eq!(files.offer(label(2), Err("no".to_owned()), at(2)), Offer::StillRefused);
        assert!(files.knows(&label(2)) && !files.knows(&label(1)));
        assert_eq!((*files.good().what, files.good().since), (1, at(0)));
        assert_eq!(files.refused().map(|refused| refused.since), Some(at(1)));
        assert_eq!(files.offer(label(3), Err("no".to_owned()), at(3)), Offer::Refused);
        // Back to what it was: nothing is in force anew.
        assert_eq!(files.offer(label(1), Ok(1), at(4)), Offer::Same);
        assert_eq!((files.good().since, files.refused()), (at(0), None));
        assert_eq!(files.offer(label(4), Ok(4), at(5)), Offer::Taken);
        assert_eq!((*files.good().what, files.good().since), (4, at(5)));
    }

    proptest! {
        /// What is in force is always the last good one that was offered.
        #[test]
        fn the_last_good_one_is_in_force(offers in proptest::collection::vec(0_u8..6, 0..40)) {
            let mut files = InForce::new(0, label(0), at(0));
            let mut last = 0;
            for (offer, now) in offers.into_iter().zip(1..) {
                // Odd ones are not good.
                let found = if offer % 2 == 0 { Ok(offer) } else { Err("odd".to_owned()) };
                last = if offer % 2 == 0 { offer } else { last };
                files.offer(label(offer), found, at(now));
                prop_assert_eq!(*files.good().what, last);
                prop_assert_eq!(files.refused().is_some(), offer % 2 == 1);
                prop_assert!(files.knows(&label(offer)));
            }
        }
    }
}
