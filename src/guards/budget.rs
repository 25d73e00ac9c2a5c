//! The budget of a day: how many changes were written in the last 24 hours.
//!
//! Hours are counted, and an hour counts until all of it is older than a day: in any 24 hours, be they
//! of whatever beginning, no more is written than the limit says.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3600;

/// Hours that count besides the one in hand.
const COUNTED: i64 = 24;

/// What was written of late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Changes by hour since 1970. An hour that is yet to come, because the clock was set back, counts
    /// as well.
    hours: BTreeMap<i64, usize>,
}

fn hour(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(HOUR)
}

impl Budget {
    /// How many changes count now.
    pub fn spent(&self, now: DateTime<Utc>) -> usize {
        self.hours.range(hour(now) - COUNTED..).map(|(_, count)| count).sum()
    }

    /// How many more may be written.
    pub fn left(&self, limit: usize, now: DateTime<Utc>) -> usize {
        limit.saturating_sub(self.spent(now))
    }

    /// Takes one change out of the budget, whatever its limit.
    pub fn count(&mut self, now: DateTime<Utc>) {
        let first = hour(now) - COUNTED;
        self.hours.retain(|hour, _| *hour >= first);
        *self.hours.entry(hour(now)).or_default() += 1;
    }

    /// Takes one change out of the budget, if it is in there.
    #[must_use]
    pub fn take(&mut self, limit: usize, now: DateTime<Utc>) -> bool {
        let is_there = self.left(limit, now) > 0;
        if is_there {
            self.count(now);
        }
        is_there
    }

    /// Puts a change back that was taken and not sent after all.
    pub fn give_back(&mut self) {
        if let Some(mut latest) = self.hours.last_entry() {
            match *latest.get() {
                0 | 1 => drop(latest.remove()),
                count => *latest.get_mut() = count - 1,
            }
        }
    }

    /// When so many changes are in the budget, if nothing is written until then; never when the limit
    /// is lower than that.
    pub fn has_again(
        &self,
        limit: usize,
        wanted: usize,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let most = limit.checked_sub(wanted)?;
        let mut spent = self.spent(now);
        if spent <= most {
            return Some(now);
        }
        for (hour, count) in self.hours.range(hour(now) - COUNTED..) {
            spent -= count;
            if spent <= most {
                return DateTime::from_timestamp((hour + COUNTED + 1) * HOUR, 0);
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::TimeDelta;

    use super::super::seeded::Seeded;
    use super::*;

    #[test]
    fn no_24_hours_of_any_history_have_more_than_the_limit() {
        for seed in 0..200 {
            let mut numbers = Seeded(seed);
            let limit = usize::try_from(1 + numbers.below(6)).unwrap();
            let mut now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
            let (mut budget, mut written) = (Budget::default(), Vec::new());
            for _ in 0..200 {
                now += TimeDelta::seconds(i64::try_from(numbers.below(4 * 3600)).unwrap());
                if budget.take(limit, now) {
                    written.push(now);
                }
                let of_day = |one: &&DateTime<Utc>| now - **one < TimeDelta::hours(24);
                assert!(written.iter().filter(of_day).count() <= limit, "seed {seed}");
                // What is remembered survives being written down.
                budget = serde_json::from_value(serde_json::to_value(&budget).unwrap()).unwrap();
            }
            assert!(written.len() > limit, "seed {seed}: a budget that never comes back");
        }
    }

    #[test]
    fn it_says_when_there_is_room_again_and_is_right() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut budget = Budget::default();
        (0..3).for_each(|_| assert!(budget.take(3, now)));
        assert!(!budget.clone().take(3, now));
        let again = budget.has_again(3, 1, now).unwrap();
        assert!(!budget.clone().take(3, again - TimeDelta::seconds(1)));
        assert!(budget.clone().take(3, again));
        assert_eq!(budget.has_again(3, 4, now), None);
        assert_eq!(budget.has_again(9, 4, now), Some(now));
    }

    #[test]
    fn a_clock_that_was_set_back_gives_nothing_back() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut budget = Budget::default();
        (0..3).for_each(|_| assert!(budget.take(3, now)));
        assert!(!budget.take(3, now - TimeDelta::days(30)));
    }
}
