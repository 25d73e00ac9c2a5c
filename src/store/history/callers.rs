//! Who called what, and how many of them are kept: nobody pushes another out, and what is not kept is said.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::records::{ByWhom, is_before};

/// Times of the same call by the same principal that are kept.
const TIMES: usize = 16;
/// Callers that are kept of one thing: of one principal, and of all.
const ROOM: Room = Room { of_one: 20, of_all: 200 };

/// How many are kept of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of one group, such as what one principal called.
    pub of_one: usize,
    /// Of all.
    pub of_all: usize,
}

/// Something of which only so many are kept.
pub trait Told: Sized {
    /// Whether it says the same as another one, but for when.
    fn is_alike(&self, other: &Self) -> bool;
    /// Adds when another one was that is alike. `is_another` is whether both are not kept.
    fn join(&mut self, other: Self, is_another: bool);
    /// With what it shares the room of one; none where it takes none.
    fn group(&self) -> Option<u64>;
    /// What is said of it where it is not kept.
    fn not_kept(self) -> Self;
}

/// What became of one that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New,
    /// It is there, with another time.
    Again,
    /// There is no room for it: it is only counted.
    Counted,
}

/// Adds one to those that are kept. Where there is no room, the largest group gives way to a smaller one; what is not
/// kept stays as a count.
pub fn keep<T: Told>(all: &mut Vec<T>, one: T, room: Room) -> Kept {
    if let Some(there) = all.iter_mut().find(|there| there.is_alike(&one)) {
        there.join(one, false);
        return Kept::Again;
    }
    let Some(group) = one.group() else {
        all.push(one);
        return Kept::Counted;
    };
    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    all.iter().filter_map(T::group).for_each(|group| *sizes.entry(group).or_default() += 1);
    let own = sizes.get(&group).copied().unwrap_or_default();
    if own >= room.of_one {
        leave(all, one.not_kept());
        return Kept::Counted;
    }
    if sizes.values().sum::<usize>() >= room.of_all {
        let largest = sizes.into_iter().max_by_key(|(_, size)| *size);
        let gives_way = largest
            .filter(|(_, size)| *size > own + 1)
            .and_then(|(largest, _)| all.iter().rposition(|there| there.group() == Some(largest)));
        let Some(place) = gives_way else {
            leave(all, one.not_kept());
            return Kept::Counted;
        };
        let gone = all.remove(place);
        leave(all, gone.not_kept());
    }
    all.push(one);
    Kept::New
}

/// Counts one that is not kept.
fn leave<T: Told>(all: &mut Vec<T>, one: T) {
    match all.iter_mut().find(|there| there.is_alike(&one)) {
        Some(there) => there.join(one, true),
        None => all.push(one),
    }
}

impl ByWhom {
    /// Whether the same principal called the same.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.principal == other.principal && self.call == other.call
    }

    /// Whether it stands for calls whose callers were not kept.
    pub fn is_not_kept(&self) -> bool {
        self.principal.is_empty()
    }

    /// How often, as far as that is known.
    pub fn count(&self) -> usize {
        1 + self.again.len() + self.more
    }

    /// When, as far as that is kept.
    pub fn times(&self) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        self.time.into_iter().chain(self.again.iter().copied())
    }

    /// Adds when the same was called besides. CloudTrail tells the second: of that, a call is counted once.
    pub fn add_times(&mut self, other: &Self) {
        let mut all: Vec<DateTime<Utc>> = self.times().chain(other.times()).collect();
        all.sort_unstable();
        all.dedup();
        let more = self.more.max(other.more) + all.len().saturating_sub(TIMES);
        if all.len() > TIMES {
            all.drain(TIMES - 1..all.len() - 1);
        }
        let mut all = all.into_iter();
        (self.time, self.more) = (all.next(), more);
        self.again = all.collect();
    }

    /// What of it may have been between these times; none where nothing was. Of a call nobody knows when, it may.
    pub fn between(&self, after: Option<DateTime<Utc>>, until: DateTime<Utc>) -> Option<Self> {
        if self.time.is_none() {
            return Some(self.clone());
        }
        let is_after = |time: DateTime<Utc>| after.is_none_or(|after| !is_before(time, after));
        let mut within = self.times().filter(|time| is_after(*time) && *time <= until);
        let (first, again) = (within.next(), within.collect());
        let is_around = self.more > 0
            && self.time.is_some_and(|first| first <= until)
            && self.times().last().is_some_and(is_after);
        match first {
            Some(_) => {
                let more = if is_around { self.more } else { 0 };
                Some(Self { time: first, again, more, ..self.clone() })
            }
            // When exactly, is not kept.
            None if is_around => Some(self.clone()),
            None => None,
        }
    }

    /// Whose it is, however their session is called.
    pub fn whose(&self) -> &str {
        match self.principal.split_once(":assumed-role/") {
            Some((_, role)) => {
                let session = role.rsplit_once('/').map_or(0, |(_, session)| session.len() + 1);
                &self.principal[..self.principal.len() - session]
            }
            None => &self.principal,
        }
    }
}

impl Told for ByWhom {
    fn is_alike(&self, other: &Self) -> bool {
        Self::is_alike(self, other)
    }

    // What is not kept may be told of again: of each second, it is counted once.
    fn join(&mut self, other: Self, _is_another: bool) {
        self.add_times(&other);
    }

    fn group(&self) -> Option<u64> {
        (!self.is_not_kept()).then(|| digest(self.whose()))
    }

    fn not_kept(self) -> Self {
        Self { principal: String::new(), address: None, agent: None, event: None, ..self }
    }
}

/// A short digest of a text, for comparing within one process.
pub fn digest(text: impl std::hash::Hash) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Adds who called something, and says whether they are new.
pub fn add(all: &mut Vec<ByWhom>, one: ByWhom) -> bool {
    keep(all, one, ROOM) == Kept::New
}

/// Each who called the same once.
pub fn together<'a>(all: impl IntoIterator<Item = &'a ByWhom>) -> Vec<ByWhom> {
    let mut together = Vec::new();
    for by in all {
        add(&mut together, by.clone());
    }
    together
}

/// Those who are named in a text.
const NAMED: usize = 3;

/// Who called what, in a few words: up to three, how many more, and how much was not kept.
pub fn text<'a>(
    all: impl IntoIterator<Item = &'a ByWhom>,
    one: impl Fn(&ByWhom) -> String,
) -> String {
    let mut not_kept = 0;
    let mut names: Vec<String> = Vec::new();
    for by in all {
        match by.is_not_kept() {
            true => not_kept += by.count(),
            false => names.push(one(by)),
        }
    }
    let named = match names.len() {
        few if few <= NAMED + 1 => names.join(", "),
        many => format!("{} and {} more", names[..NAMED].join(", "), many - NAMED),
    };
    and_not_kept(named, not_kept)
}

/// A text of who called what, with how many calls there were whose callers were not kept.
pub fn and_not_kept(named: String, not_kept: usize) -> String {
    let calls = if not_kept == 1 { "call" } else { "calls" };
    match (not_kept, named.is_empty()) {
        (0, _) => named,
        (_, true) => format!("{not_kept} {calls} that were not kept"),
        (_, false) => format!("{named} and {not_kept} {calls} more, which were not kept"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(second)
    }

    fn by(principal: &str, call: &str, second: i64) -> ByWhom {
        ByWhom {
            principal: principal.to_owned(),
            call: call.to_owned(),
            time: Some(at(second)),
            ..ByWhom::default()
        }
    }

    #[test]
    fn the_same_call_is_one_entry_that_says_when_and_how_often() {
        let mut all = Vec::new();
        assert!(add(&mut all, by("ci", "s:A", 5)));
        for second in [3, 5, 5, 9] {
            assert!(!add(&mut all, by("ci", "s:A", second)));
        }
        assert_eq!((all.len(), all[0].count()), (1, 3));
        assert_eq!((all[0].time, &all[0].again), (Some(at(3)), &vec![at(5), at(9)]));
        for second in 10..100 {
            add(&mut all, by("ci", "s:A", second));
        }
        assert_eq!((all[0].count(), all[0].again.len()), (93, TIMES - 1));
        assert_eq!(all[0].times().last(), Some(at(99)));
    }

    #[test]
    fn only_what_may_have_been_between_two_looks_counts() {
        let mut one = by("ci", "s:A", 5);
        one.add_times(&by("ci", "s:A", 50));
        assert_eq!(one.between(Some(at(10)), at(40)), None);
        assert_eq!(one.between(Some(at(10)), at(50)), Some(by("ci", "s:A", 50)));
        // CloudTrail tells the second.
        assert!(one.between(Some(at(5) + chrono::TimeDelta::milliseconds(900)), at(40)).is_some());
        assert!(one.between(Some(at(6)), at(40)).is_none());
        assert!(one.between(None, at(4)).is_none());
        let unknown = ByWhom { more: 3, ..one };
        assert!(
            unknown.between(Some(at(10)), at(40)).is_some(),
            "nobody knows when the others were"
        );
        assert!(unknown.between(Some(at(60)), at(70)).is_none());
        assert!(ByWhom::default().between(Some(at(1)), at(2)).is_some());
    }

    #[test]
    fn nobody_pushes_another_out_and_what_is_not_kept_is_counted() {
        let mut all = Vec::new();
        for number in 0..1_000 {
            add(&mut all, by("ci", &format!("s:{number}"), number));
            let session = format!("arn:aws:sts::1:assumed-role/many/{number}");
            add(&mut all, by(&session, "s:Many", number));
        }
        assert!(add(&mut all, by("eve", "s:Stop", 2_000)));
        let of = |who: &str| all.iter().filter(|by| by.whose().contains(who)).count();
        assert_eq!((of("ci"), of("many"), of("eve")), (ROOM.of_one, ROOM.of_one, 1));
        let left: usize = all.iter().filter(|by| by.is_not_kept()).map(ByWhom::count).sum();
        assert_eq!(left, 2 * (1_000 - ROOM.of_one));
        // Where all are many, the largest give way.
        for number in 0..ROOM.of_all {
            add(&mut all, by(&format!("user {number}"), "s:A", 1));
        }
        assert_eq!(all.iter().filter(|by| !by.is_not_kept()).count(), ROOM.of_all);
        let of = |who: &str| all.iter().filter(|by| by.principal.starts_with(who)).count();
        assert!(of("eve") == 1 && of("ci") < 5 && of("user") > 150, "{} {}", of("ci"), of("user"));
        assert!(!add(&mut all, by("one more", "s:A", 1)), "all have one");
    }
}
