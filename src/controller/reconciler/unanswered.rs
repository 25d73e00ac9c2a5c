//! What events told for looks that failed or that a guard held back: whoever repairs it later names who did it, be that the look
//! that is repeated or the next one at the whole target.
//!
//! Nobody is named for what was as declared after their call, whatever is remembered here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::controller::queue::What;
use crate::reconcile::{Heard, RunOutcome};

/// Calls that are remembered.
const MOST: usize = 1_000;
/// For so long they are, whatever comes of the looks.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// The latest calls for which a look has failed, or was held back.
#[derive(Debug, Default)]
pub struct Unanswered(Mutex<VecDeque<Heard>>);

impl Unanswered {
    fn all(&self) -> MutexGuard<'_, VecDeque<Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a look goes by for which events told this.
    pub fn with(&self, told: Vec<Heard>, now: DateTime<Utc>) -> Vec<Heard> {
        let mut before = self.all();
        before.retain(|heard| heard.by.time.is_none_or(|time| now - time < LONGEST));
        let mut all: Vec<Heard> = before.iter().cloned().collect();
        all.retain(|heard| !told.contains(heard));
        all.extend(told);
        all
    }

    /// How the look ended for which events told this; none where it came to nothing.
    pub fn ended(&self, what: &What, told: &[Heard], outcome: Option<RunOutcome>) {
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
        let is_of = |heard: &Heard| match what {
            What::Parts { account, parts } => parts.iter().any(|(kind, region)| {
                heard.account == *account && heard.kind == *kind && heard.region == *region
            }),
            What::Target(_) | What::Account(_) | What::Path(_) => false,
        };
        let mut all = self.all();
        all.retain(|heard| !(told.contains(heard) || is_answered && is_of(heard)));
        if !is_answered {
            all.extend(told.iter().cloned());
            let more = all.len().saturating_sub(MOST);
            all.drain(..more);
        }
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
        for number in 0..2 * MOST {
            unanswered.ended(&part("iam.role"), &[heard(&number.to_string())], None);
        }
        let all = unanswered.with(Vec::new(), now);
        assert_eq!((all.len(), names(&all)[0]), (MOST, "1000"));
        let mut old = heard("old");
        old.by.time = Some(now);
        unanswered.ended(&part("iam.role"), &[old], None);
        assert!(names(&unanswered.with(Vec::new(), now)).contains(&"old"));
        assert!(!names(&unanswered.with(Vec::new(), now + LONGEST)).contains(&"old"));
    }
}
