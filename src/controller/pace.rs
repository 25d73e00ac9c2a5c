//! How soon a part is looked at again for events that go on coming: the first one is followed at once, and
//! each look after it waits a little longer, until there was quiet. A storm becomes a handful of looks. A look
//! that put something right begins the row anew: what is broken again is not left so for ten seconds, and who
//! breaks it each time is stopped by the guard against fights.
//!
//! Long waits only those for which a look found nothing: a call that nobody has made so far in the row, or
//! another caller's, or one that asks for something else, is looked at within a second, however long the storm.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::queue::Part;

/// How long it must be quiet, after the pause that is due, for the next event to be a first one.
const QUIET: Duration = Duration::from_secs(30);
/// The pause before the second look.
const FIRST: Duration = Duration::from_millis(250);
/// Longer than this no event waits.
const LONGEST: Duration = Duration::from_secs(10);
/// Longer than this no event waits of which no look has found that it is nothing.
const LONGEST_OF_NEW: Duration = Duration::from_secs(1);
/// Sorts of events that are kept for each part; what is beyond them counts as new.
const MOST_SORTS: usize = 256;

/// The looks in a row of each part.
#[derive(Debug, Default)]
pub struct Pace {
    parts: HashMap<Part, Row>,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It put something right.
    Mended,
    /// Everything was as it had been.
    Nothing,
    /// Nobody knows: it failed, or was stopped.
    Unknown,
}

#[derive(Debug, Default)]
struct Row {
    /// When the last look was over, and how many there were.
    looked: Option<(Duration, u32)>,
    /// The sorts of events that were told of since the last look began.
    told: HashSet<u64>,
    /// Those that the look in hand is for.
    in_hand: HashSet<u64>,
    /// Those for which a look found nothing.
    nothing: HashSet<u64>,
}

impl Row {
    fn pause(looks: u32) -> Duration {
        FIRST.saturating_mul(1 << looks.saturating_sub(1).min(16)).min(LONGEST)
    }

    fn is_over(&self, now: Duration) -> bool {
        self.looked.is_some_and(|(ended, looks)| now >= ended + Self::pause(looks) + QUIET)
    }

    /// When it may be looked at for an event of this sort.
    fn not_before(&self, sort: u64, now: Duration) -> Duration {
        match self.looked {
            Some((ended, looks)) if !self.is_over(now) => {
                let pause = Self::pause(looks);
                let is_known = self.nothing.contains(&sort);
                ended + if is_known { pause } else { pause.min(LONGEST_OF_NEW) }
            }
            _ => Duration::ZERO,
        }
    }
}

impl Pace {
    /// Notes an event that has come now, and gives when a part may be looked at for it.
    pub fn told(&mut self, part: &Part, sort: u64, now: Duration) -> Duration {
        let row = self.parts.entry(part.clone()).or_default();
        let at = row.not_before(sort, now);
        if row.told.len() < MOST_SORTS {
            row.told.insert(sort);
        }
        at
    }

    /// A look at a part begins: what is told from now on, it may not see.
    pub fn begun(&mut self, part: &Part) {
        if let Some(row) = self.parts.get_mut(part) {
            let told = std::mem::take(&mut row.told);
            row.in_hand.extend(told);
        }
    }

    /// A look at a part for an event is over.
    pub fn looked(&mut self, part: Part, now: Duration, came: Came) {
        let row = self.parts.entry(part).or_default();
        let seen = std::mem::take(&mut row.in_hand);
        let looks = match row.looked {
            Some((_, looks)) if !row.is_over(now) && came != Came::Mended => {
                looks.saturating_add(1)
            }
            _ => {
                row.nothing.clear();
                1
            }
        };
        if came == Came::Nothing {
            let room = MOST_SORTS.saturating_sub(row.nothing.len());
            row.nothing.extend(seen.into_iter().take(room));
        }
        row.looked = Some((now, looks));
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

    /// A sort of event, and another one.
    const USUAL: u64 = 1;
    const NEW: u64 = 2;

    /// A look that begins and ends now.
    fn look(pace: &mut Pace, part: &Part, now: Duration, came: Came) {
        pace.begun(part);
        pace.looked(part.clone(), now, came);
    }

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
            let at = pace.told(&trail, USUAL, now).max(now);
            longest = longest.max(at - now);
            pace.begun(&trail);
            now = at + Duration::from_millis(50);
            pace.looked(trail.clone(), now, Came::Nothing);
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
        assert_eq!(pace.told(&trail, USUAL, second), Duration::ZERO);
        look(&mut pace, &trail, second, Came::Nothing);
        assert_eq!(pace.told(&trail, USUAL, second), second + FIRST);
        let later = second + FIRST + QUIET;
        assert_eq!(pace.told(&trail, USUAL, later), Duration::ZERO);
        pace.forget(later);
        assert!(pace.parts.is_empty());
        assert_eq!(pace.told(&part("sns.topic"), USUAL, second), Duration::ZERO);
    }

    #[test]
    fn what_is_broken_each_time_is_looked_at_soon_each_time() {
        let (mut pace, trail) = (Pace::default(), part("cloudtrail.trail"));
        let mut now = Duration::from_secs(1);
        for _ in 0..20 {
            look(&mut pace, &trail, now, Came::Mended);
            assert_eq!(pace.told(&trail, USUAL, now), now + FIRST);
            now += Duration::from_secs(3);
        }
        look(&mut pace, &trail, now, Came::Nothing);
        assert_eq!(pace.told(&trail, USUAL, now), now + 2 * FIRST);
    }

    #[test]
    fn what_is_new_in_a_storm_is_looked_at_within_a_second() {
        let (mut pace, trail) = (Pace::default(), part("cloudtrail.trail"));
        let mut now = Duration::from_secs(1);
        for _ in 0..12 {
            now = pace.told(&trail, USUAL, now).max(now);
            look(&mut pace, &trail, now, Came::Nothing);
        }
        assert_eq!(pace.told(&trail, USUAL, now), now + LONGEST);
        assert_eq!(pace.told(&trail, NEW, now), now + LONGEST_OF_NEW);
        let later = now + Duration::from_secs(4);
        assert!(pace.told(&trail, NEW, later) <= later, "it has waited already");
        // What is told of while a look is in hand may not have been seen by it.
        pace.begun(&trail);
        pace.told(&trail, NEW + 1, later);
        pace.looked(trail.clone(), later, Came::Nothing);
        assert_eq!(pace.told(&trail, NEW, later), later + LONGEST, "it was nothing");
        assert_eq!(pace.told(&trail, NEW + 1, later), later + LONGEST_OF_NEW);
        // Of a look that failed, nobody knows what it would have found.
        pace.told(&trail, NEW + 2, later);
        look(&mut pace, &trail, later, Came::Unknown);
        assert_eq!(pace.told(&trail, NEW + 2, later), later + LONGEST_OF_NEW);
        // Of more than are kept, each counts as new.
        for sort in 0..2 * MOST_SORTS as u64 {
            pace.told(&trail, 100 + sort, later);
            look(&mut pace, &trail, later, Came::Nothing);
        }
        assert_eq!(pace.told(&trail, 99, later), later + LONGEST_OF_NEW);
        let row = &pace.parts[&trail];
        assert!(row.nothing.len() <= MOST_SORTS && row.told.len() <= MOST_SORTS);
    }

    #[test]
    fn who_does_harm_in_a_storm_is_seen_within_a_second() {
        // An event each 10 ms for 600 seconds, and looks that take 50 ms; each seven seconds or so somebody
        // does something else.
        const EACH: Duration = Duration::from_millis(10);
        const LOOK: Duration = Duration::from_millis(50);
        let (mut pace, trail) = (Pace::default(), part("cloudtrail.trail"));
        let (mut due, mut ends): (Option<Duration>, Option<Duration>) = (None, None);
        let (mut harm, mut waits) = (Vec::new(), Vec::new());
        let mut sorts = NEW..;
        let mut now = Duration::from_secs(1);
        for step in 0..60_000_u64 {
            now += EACH;
            if ends.is_some_and(|ends| ends <= now) {
                ends = None;
                pace.looked(trail.clone(), now, Came::Nothing);
            }
            let mut told = vec![USUAL];
            if (step * 7919) % 701 == 0 {
                told.extend(sorts.next());
                harm.push(now);
            }
            for sort in told {
                let at = pace.told(&trail, sort, now).max(now);
                due = Some(due.map_or(at, |due| due.min(at)));
            }
            if ends.is_none() && due.is_some_and(|due| due <= now) {
                due = None;
                pace.begun(&trail);
                ends = Some(now + LOOK);
                waits.extend(harm.drain(..).map(|since| now - since));
            }
        }
        waits.sort();
        assert!(waits.len() > 80, "{}", waits.len());
        let longest = *waits.last().unwrap();
        assert!(longest <= LONGEST_OF_NEW + LOOK, "{longest:?}");
    }
}
