//! How soon a part is looked at again for events that go on coming: the first one is followed at once, and
//! each look after it waits a little longer, until there was quiet. A storm becomes a handful of looks. A look
//! that put something right begins the row anew: what is broken again is not left so for ten seconds, and who
//! breaks it each time is stopped by the guard against fights.

use std::collections::HashMap;
use std::time::Duration;

use super::queue::Part;

/// How long it must be quiet, after the pause that is due, for the next event to be a first one.
const QUIET: Duration = Duration::from_secs(30);
/// The pause before the second look.
const FIRST: Duration = Duration::from_millis(250);
/// Longer than this no event waits.
const LONGEST: Duration = Duration::from_secs(10);

/// The looks in a row of each part.
#[derive(Debug, Default)]
pub struct Pace {
    parts: HashMap<Part, Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    ended: Duration,
    looks: u32,
}

impl Row {
    fn pause(self) -> Duration {
        FIRST.saturating_mul(1 << self.looks.saturating_sub(1).min(16)).min(LONGEST)
    }

    fn is_over(self, now: Duration) -> bool {
        now >= self.ended + self.pause() + QUIET
    }
}

impl Pace {
    /// When a part may be looked at for an event that has come now.
    pub fn not_before(&self, part: &Part, now: Duration) -> Duration {
        match self.parts.get(part) {
            Some(row) if !row.is_over(now) => row.ended + row.pause(),
            _ => Duration::ZERO,
        }
    }

    /// A look at a part for an event is over, and put something right or not.
    pub fn looked(&mut self, part: Part, now: Duration, is_mended: bool) {
        let looks = match self.parts.get(&part) {
            Some(row) if !row.is_over(now) && !is_mended => row.looks.saturating_add(1),
            _ => 1,
        };
        self.parts.insert(part, Row { ended: now, looks });
    }

    /// Forgets the parts that have been quiet.
    pub fn forget(&mut self, now: Duration) {
        self.parts.retain(|_, row| !row.is_over(now));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn part(kind: &'static str) -> Part {
        Part { account: "111122223333".parse().unwrap(), kind, region: None }
    }

    #[test]
    fn a_storm_is_a_handful_of_looks_and_no_event_waits_for_long() {
        let (mut pace, trail) = (Pace::default(), part("cloudtrail.trail"));
        // An event each 10 ms for 100 seconds, and looks that take 50 ms.
        let (mut looks, mut longest) = (0, Duration::ZERO);
        let mut now = Duration::from_secs(1);
        while now < Duration::from_secs(101) {
            let at = pace.not_before(&trail, now).max(now);
            longest = longest.max(at - now);
            now = at + Duration::from_millis(50);
            pace.looked(trail.clone(), now, false);
            looks += 1;
            now += Duration::from_millis(10);
        }
        assert!(looks < 20, "{looks}");
        assert!(longest <= LONGEST, "{longest:?}");
    }

    #[test]
    fn the_first_event_after_quiet_is_followed_at_once() {
        let (mut pace, trail) = (Pace::default(), part("cloudtrail.trail"));
        let second = Duration::from_secs(1);
        assert_eq!(pace.not_before(&trail, second), Duration::ZERO);
        pace.looked(trail.clone(), second, false);
        assert_eq!(pace.not_before(&trail, second), second + FIRST);
        assert_eq!(pace.not_before(&part("sns.topic"), second), Duration::ZERO);
        let later = second + FIRST + QUIET;
        assert_eq!(pace.not_before(&trail, later), Duration::ZERO);
        pace.forget(later);
        assert!(pace.parts.is_empty());
    }

    #[test]
    fn what_is_broken_each_time_is_looked_at_soon_each_time() {
        let (mut pace, trail) = (Pace::default(), part("cloudtrail.trail"));
        let mut now = Duration::from_secs(1);
        for _ in 0..20 {
            pace.looked(trail.clone(), now, true);
            assert_eq!(pace.not_before(&trail, now), now + FIRST);
            now += Duration::from_secs(3);
        }
        pace.looked(trail.clone(), now, false);
        assert_eq!(pace.not_before(&trail, now), now + 2 * FIRST);
    }
}
