//! What events told for looks that failed or that a guard held back: whoever repairs it later names who did it, be that the look
//! that is repeated or the next one at the whole target.
//!
//! Nobody is named for what was as declared after their call, whatever is remembered here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::controller::queue::{Part, What};
use crate::reconcile::{Heard, RunOutcome};
use crate::store::history::Answered;
use crate::store::history::callers::{Room, Told, keep};

/// Calls that are remembered: of one principal with one call in an account, and of all.
const ROOM: Room = Room { of_one: 100, of_all: 2_000 };
/// There is room for all.
const ALL: Room = Room { of_one: usize::MAX, of_all: usize::MAX };
/// For so long they are, whatever comes of the looks.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// The latest calls for which a look has failed, or was held back.
#[derive(Debug, Default)]
pub struct Unanswered(Mutex<Vec<Heard>>);

impl Unanswered {
    fn all(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a look goes by for which events told this.
    pub fn with(&self, told: Vec<Heard>, now: DateTime<Utc>) -> Vec<Heard> {
        let mut before = self.all();
        let last = |heard: &Heard| heard.by.times().last();
        before.retain(|heard| last(heard).is_none_or(|time| now - time < LONGEST));
        let mut all: Vec<Heard> = before.clone();
        for heard in told {
            keep(&mut all, heard, ALL);
        }
        all
    }

    /// How the look ended for which events told this; none where it came to nothing. Gives what is answered by it.
    pub fn ended(&self, what: &What, told: &[Heard], outcome: Option<RunOutcome>) -> Vec<Answered> {
        let is_answered = match outcome {
            Some(RunOutcome::InSync | RunOutcome::Elsewhere | RunOutcome::Drift) => true,
            Some(
                RunOutcome::Refused
                | RunOutcome::Partly
                | RunOutcome::Unknown
                | RunOutcome::Interrupted,
            )
            | None => false,
        };
        let parts = what.parts();
        let is_of = |heard: &Heard, part: &Part| {
            heard.account == part.account && heard.kind == part.kind && heard.region == part.region
        };
        let mut all = self.all();
        let answered = parts.iter().filter(|_| is_answered).filter_map(|part| {
            let of = told.iter().chain(all.iter()).filter(|heard| is_of(heard, part));
            let told = of.map(|heard| heard.told).max()?;
            let (account, region) = (part.account.clone(), part.region.clone());
            Some(Answered { account, kind: part.kind.to_owned(), region, told })
        });
        let answered: Vec<Answered> = answered.collect();
        let is_over = |heard: &Heard| {
            told.iter().any(|told| told.is_alike(heard))
                || parts.iter().any(|part| is_of(heard, part))
        };
        match is_answered {
            true => all.retain(|heard| !is_over(heard)),
            false => {
                for heard in told {
                    keep(&mut all, heard.clone(), ROOM);
                }
            }
        }
        answered
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::history::ByWhom;

    fn heard(who: &str) -> Heard {
        Heard {
            account: "111122223333".parse().unwrap(),
            kind: "iam.password_policy".to_owned(),
            region: None,
            by: ByWhom { principal: who.to_owned(), ..ByWhom::default() },
            named: std::sync::Arc::default(),
            told: DateTime::UNIX_EPOCH,
        }
    }

    fn names(all: &[Heard]) -> Vec<&str> {
        all.iter().map(|heard| heard.by.principal.as_str()).collect()
    }

    fn part(kind: &'static str) -> What {
        What::Parts { account: "111122223333".parse().unwrap(), parts: [(kind, None)].into() }
    }

    #[test]
    fn who_did_it_is_named_until_a_look_has_answered_it() {
        let (unanswered, now) = (Unanswered::default(), Utc::now());
        let (policy, eve) = (part("iam.password_policy"), vec![heard("eve")]);
        let with = |told: Vec<Heard>| unanswered.with(told, now);
        unanswered.ended(&policy, &eve, None);
        unanswered.ended(&policy, &eve, Some(RunOutcome::Partly));
        unanswered.ended(&policy, &[], Some(RunOutcome::Refused));
        // The look that is repeated has no event of its own, nor has one at the whole target.
        assert_eq!(names(&with(Vec::new())), ["eve"]);
        assert_eq!(names(&with(vec![heard("mallory")])), ["eve", "mallory"]);
        assert_eq!(names(&with(eve.clone())), ["eve"]);
        for other in [part("iam.role"), What::Target("t".to_owned())] {
            unanswered.ended(&other, &[], Some(RunOutcome::InSync));
        }
        unanswered.ended(&policy, &[], Some(RunOutcome::Unknown));
        assert_eq!(names(&with(Vec::new())), ["eve"], "nobody has looked there");
        unanswered.ended(&policy, &[], Some(RunOutcome::InSync));
        assert!(with(Vec::new()).is_empty());
        unanswered.ended(&policy, &eve, Some(RunOutcome::Drift));
        assert!(with(Vec::new()).is_empty());
    }

    #[test]
    fn not_all_are_remembered_nor_for_ever() {
        let (unanswered, now) = (Unanswered::default(), Utc::now());
        for number in 0..2 * ROOM.of_all {
            unanswered.ended(&part("iam.role"), &[heard(&number.to_string())], None);
        }
        let all = unanswered.with(Vec::new(), now);
        assert_eq!(all.len(), ROOM.of_all + 1);
        assert_eq!(all.last().unwrap().by.count(), ROOM.of_all, "the others are counted");
        let unanswered = Unanswered::default();
        let mut old = heard("old");
        old.by.time = Some(now);
        unanswered.ended(&part("iam.role"), &[old], None);
        assert!(names(&unanswered.with(Vec::new(), now)).contains(&"old"));
        assert!(!names(&unanswered.with(Vec::new(), now + LONGEST)).contains(&"old"));
    }
}
