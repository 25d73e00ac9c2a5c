//! A hold: somebody asked for an object to be left as it is, for a while. What `rollback` put back is
//! held, so that the next run does not take the rollback back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::at;
use super::object::ObjectKey;
use crate::plan::{Guard, Held};

/// Where holds are remembered.
pub const HOLDS: &str = "hold";

/// An object that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The object.
    pub object: ObjectKey,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when: a hold has an end.
    pub until: DateTime<Utc>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

impl Hold {
    /// Whether it holds now, and in which words.
    pub fn held(&self, now: DateTime<Utc>) -> Option<Held> {
        let Self { object, since, until, owner, reason } = self;
        (now < *until).then(|| {
            Held::by(
                Guard::Hold,
                format!("{owner} holds it since {}: {reason}", at(*since)),
                format!("its end, {}, or evenkeel release {object}", at(*until)),
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_hold_has_an_owner_and_an_end() {
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let until = since + TimeDelta::days(1);
        let hold = Hold {
            object: "111122223333/global/iam.password_policy".parse().unwrap(),
            since,
            until,
            owner: "ops@example.com".to_owned(),
            reason: "run 7 was rolled back".to_owned(),
        };
        let held = hold.held(until - TimeDelta::seconds(1)).unwrap();
        assert!(held.reason.contains("ops@example.com"), "{held}");
        assert!(
            held.released_by.contains("evenkeel release 111122223333/global/iam.password_policy"),
            "{held}"
        );
        assert_eq!(hold.held(until), None);
    }
}
