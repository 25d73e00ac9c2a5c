//! The circuit breaker: when too many writes fail, nothing more is written for a while, and then one
//! change is tried.
//!
//! *Closed*: writes go through, and what became of them is counted. *Open*: none goes through until the
//! pause is over. *Half open*: one change is tried; it closes the breaker, or opens it for twice as long.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::at;
use crate::fleet::guards::Breaker as Rules;
use crate::names::AccountId;

/// The longest pause.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// After so long nobody waits for a tried change any more: who tried it has died.
const PROBE_LASTS: TimeDelta = TimeDelta::minutes(10);

/// The most answers that are remembered.
const REMEMBERED: usize = 500;

/// What became of writes of late, and whether more are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    answers: Vec<Answer>,
    open: Option<Open>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    at: DateTime<Utc>,
    account: AccountId,
    good: bool,
}

/// Since when nothing is written, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    why: String,
    /// The change that is being tried.
    probe: Option<DateTime<Utc>>,
}

/// What a breaker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Writes go through.
    Closed,
    /// None does.
    Open {
        /// Since when and why, in words.
        why: String,
        /// When one change is tried.
        until: DateTime<Utc>,
    },
    /// One change may be tried.
    HalfOpen {
        /// Since when and why no more, in words.
        why: String,
        /// Whether somebody tries it already.
        is_tried: bool,
    },
}

impl Breaker {
    /// What it says now.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        let Some(open) = &self.open else { return Standing::Closed };
        let why = format!("{}, open since {}", open.why, at(open.since));
        if now < open.until {
            return Standing::Open { why, until: open.until };
        }
        let is_tried = open.probe.is_some_and(|began| now < began + PROBE_LASTS);
        Standing::HalfOpen { why, is_tried }
    }

    /// Whether a change may be written now. In a half-open breaker, it is the one that is tried.
    #[must_use]
    pub fn lets_through(&mut self, now: DateTime<Utc>) -> bool {
        match (self.standing(now), &mut self.open) {
            (Standing::Closed, _) => true,
            (Standing::HalfOpen { is_tried: false, .. }, Some(open)) => {
                open.probe = Some(now);
                true
            }
            _ => false,
        }
    }

    /// A change that was let through was not sent after all: the next one may be tried.
    pub fn unsent(&mut self) {
        if let Some(open) = &mut self.open {
            open.probe = None;
        }
    }

    /// Hears what became of a write. `accounts` is in how many accounts changes must have failed.
    pub fn heard(
        &mut self,
        rules: &Rules,
        accounts: usize,
        account: &AccountId,
        good: bool,
        now: DateTime<Utc>,
    ) {
        if let Some(open) = &mut self.open {
            // What was on its way when it opened says nothing of later.
            if now < open.until || open.probe.is_none() {
                return;
            }
            if good {
                *self = Self::default();
                return;
            }
            let pause = (open.until - open.since) * 2;
            *open = Open {
                since: now,
                until: now + pause.min(LONGEST),
                why: open.why.clone(),
                probe: None,
            };
            return;
        }
        let first = now - TimeDelta::minutes(i64::from(rules.minutes));
        self.answers.retain(|answer| answer.at > first);
        self.answers.push(Answer { at: now, account: account.clone(), good });
        let most = self.answers.len().saturating_sub(REMEMBERED);
        self.answers.drain(..most);
        let failed: Vec<&Answer> = self.answers.iter().filter(|answer| !answer.good).collect();
        let of: BTreeSet<&AccountId> = failed.iter().map(|answer| &answer.account).collect();
        let percent = usize::try_from(rules.percent).unwrap_or(usize::MAX);
        let is_too_much = failed.len() >= rules.failures
            && of.len() >= accounts
            && failed.len().saturating_mul(100) >= self.answers.len().saturating_mul(percent);
        if !good && is_too_much {
            let why = format!(
                "{} of the last {} changes failed within {} minutes",
                failed.len(),
                self.answers.len(),
                rules.minutes
            );
            let until = now + TimeDelta::minutes(i64::from(rules.pause_minutes));
            self.open = Some(Open { since: now, until, why, probe: None });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::seeded::Seeded;
    use super::*;

    fn account(number: u64) -> AccountId {
        format!("{number:012}").parse().unwrap()
    }

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn minutes(count: u64) -> TimeDelta {
        TimeDelta::minutes(i64::try_from(count).unwrap())
    }

    fn failing(rules: &Rules) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..rules.failures {
            assert!(breaker.lets_through(start()));
            breaker.heard(rules, 1, &account(1), false, start());
        }
        breaker
    }

    #[test]
    fn it_opens_at_the_rate_and_tries_one_change_after_the_pause() {
        let rules = Rules::default();
        let mut breaker = failing(&rules);
        let early = start() + minutes(14);
        assert!(!breaker.lets_through(early), "{breaker:?}");
        let late = start() + minutes(15);
        assert!(breaker.lets_through(late));
        assert!(!breaker.lets_through(late), "one change alone is tried");
        let mut closed = breaker.clone();
        closed.heard(&rules, 1, &account(1), true, late);
        assert_eq!(closed, Breaker::default());
        // Twice as long after a failure.
        breaker.heard(&rules, 1, &account(1), false, late);
        assert!(!breaker.lets_through(late + minutes(29)));
        assert!(breaker.lets_through(late + minutes(30)));
        // Who tried it has died.
        assert!(!breaker.lets_through(late + minutes(39)));
        assert!(breaker.lets_through(late + minutes(40)));
        breaker.unsent();
        assert!(breaker.lets_through(late + minutes(40)));
    }

    #[test]
    fn few_failures_among_many_changes_and_those_of_one_account_do_not_open_it() {
        let rules = Rules::default();
        let mut breaker = Breaker::default();
        for number in 0..100 {
            breaker.heard(&rules, 1, &account(1), number % 3 != 0, start());
        }
        assert_eq!(breaker.standing(start()), Standing::Closed);
        let mut fleet = Breaker::default();
        for _ in 0..10 {
            fleet.heard(&rules, 2, &account(1), false, start());
        }
        assert_eq!(fleet.standing(start()), Standing::Closed);
        fleet.heard(&rules, 2, &account(2), false, start());
        assert!(matches!(fleet.standing(start()), Standing::Open { .. }), "{fleet:?}");
    }

    #[test]
    fn in_any_history_nothing_is_let_through_while_it_is_open_and_one_change_while_it_is_half_open()
    {
        for seed in 0..200 {
            let mut numbers = Seeded(seed);
            let rules = Rules { failures: 3, percent: 50, minutes: 10, pause_minutes: 5 };
            let (mut breaker, mut now) = (Breaker::default(), start());
            let (mut opened, mut tried) = (0, 0);
            for _ in 0..300 {
                now += minutes(numbers.below(4));
                let before = breaker.standing(now);
                let is_through = breaker.lets_through(now);
                match &before {
                    Standing::Closed => assert!(is_through),
                    Standing::Open { until, .. } => {
                        opened += 1;
                        assert!(!is_through && now < *until);
                    }
                    Standing::HalfOpen { is_tried, .. } => {
                        tried += 1;
                        assert_eq!(is_through, !is_tried);
                        assert!(!breaker.lets_through(now), "seed {seed}");
                    }
                }
                if is_through && numbers.below(8) > 0 {
                    breaker.heard(&rules, 1, &account(1), numbers.below(2) == 0, now);
                }
                breaker = serde_json::from_value(serde_json::to_value(&breaker).unwrap()).unwrap();
                assert!(breaker.answers.len() <= REMEMBERED);
            }
            assert!(opened > 0 && tried > 0, "seed {seed}");
            // Once nothing fails any more, it closes.
            for _ in 0..3 {
                now += LONGEST;
                if breaker.lets_through(now) {
                    breaker.heard(&rules, 1, &account(1), true, now);
                }
            }
            assert_eq!(breaker.standing(now), Standing::Closed, "seed {seed}");
        }
    }
}
