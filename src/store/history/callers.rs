//! Who called what, and how many of them are kept: nobody pushes another out, and what is not kept is said.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};

use chrono::{DateTime, Utc};

use super::records::{ByWhom, is_before};

/// Times of the same call by the same principal that are kept.
const TIMES: usize = 16;
/// Callers that are kept of one thing: of one principal, and of all.
const ROOM: Room = Room { of_one: 20, of_all: 200 };

/// A time after which, and one before which something was.
type Gap = (DateTime<Utc>, DateTime<Utc>);

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
    match make_room(all, one, room) {
        Placed::Kept(None) => Kept::New,
        Placed::Kept(Some(gone)) => {
            leave(all, gone.not_kept());
            Kept::New
        }
        Placed::Left(one) => {
            leave(all, one.not_kept());
            Kept::Counted
        }
    }
}

/// What became of one that is not there yet.
enum Placed<T> {
    /// It is kept; another one may have given way.
    Kept(Option<T>),
    /// There is no room for it.
    Left(T),
}

fn make_room<T: Told>(all: &mut Vec<T>, one: T, room: Room) -> Placed<T> {
    let Some(group) = one.group() else { return Placed::Left(one) };
    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    all.iter().filter_map(T::group).for_each(|group| *sizes.entry(group).or_default() += 1);
    let own = sizes.get(&group).copied().unwrap_or_default();
    if own >= room.of_one {
        return Placed::Left(one);
    }
    let mut gone = None;
    if sizes.values().sum::<usize>() >= room.of_all {
        let largest = sizes.into_iter().max_by_key(|(_, size)| *size);
        let gives_way = largest
            .filter(|(_, size)| *size > own + 1)
            .and_then(|(largest, _)| all.iter().rposition(|there| there.group() == Some(largest)));
        let Some(place) = gives_way else { return Placed::Left(one) };
        gone = Some(all.remove(place));
    }
    all.push(one);
    Placed::Kept(gone)
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

    /// Adds when the same was called besides. CloudTrail tells the second: of that, a call is counted once, and so is what
    /// may be one of those whose times were not kept. There were as many calls at least as are counted.
    pub fn add_times(&mut self, other: &Self) {
        let least = self.count().max(other.count());
        let (own_gap, other_gap) = (self.gap(), other.gap());
        let is_apart = |time: &DateTime<Utc>, gap: Option<Gap>| {
            gap.is_none_or(|(after, before)| *time <= after || *time >= before)
        };
        let own = self.times().filter(|time| is_apart(time, other_gap));
        let others = other.times().filter(|time| is_apart(time, own_gap));
        let mut all: Vec<DateTime<Utc>> = own.chain(others).collect();
        all.sort_unstable();
        all.dedup();
        let more = self.more.max(other.more) + all.len().saturating_sub(TIMES);
        if all.len() > TIMES {
            all.drain(TIMES - 1..all.len() - 1);
        }
        let mut all = all.into_iter();
        (self.time, self.more) = (all.next(), more);
        self.again = all.collect();
        self.more += least.saturating_sub(self.count());
    }

    /// Between which times those are that were not kept, if there are any.
    fn gap(&self) -> Option<Gap> {
        let last = *self.again.last().filter(|_| self.more > 0)?;
        let before = self.again.iter().rev().nth(1).copied().or(self.time)?;
        Some((before, last))
    }

    /// What of it may have been between these times; none where nothing was. Of a call nobody knows when, it may.
    pub fn between(&self, after: Option<DateTime<Utc>>, until: DateTime<Utc>) -> Option<Self> {
        if self.time.is_none() {
            return Some(self.clone());
        }
        let is_after = |time: DateTime<Utc>| after.is_none_or(|after| !is_before(time, after));
        let is_within = |time: &DateTime<Utc>| is_after(*time) && *time <= until;
        let mut within = self.times().filter(is_within);
        let (first, again) = (within.next(), within.collect());
        match first {
            Some(_) => {
                let all_within = self.times().all(|time| is_within(&time));
                let gap_within =
                    self.gap().is_some_and(|(from, to)| is_within(&from) && is_within(&to));
                let more = if all_within || gap_within { self.more } else { 0 };
                Some(Self { time: first, again, more, ..self.clone() })
            }
            // When, and how often, is not kept.
            None if self.may_be_between(is_after, until) => {
                Some(Self { time: None, again: Vec::new(), more: 0, ..self.clone() })
            }
            None => None,
        }
    }

    /// Whether calls whose times were not kept may have been then.
    fn may_be_between(
        &self,
        is_after: impl Fn(DateTime<Utc>) -> bool,
        until: DateTime<Utc>,
    ) -> bool {
        self.more > 0
            && self.time.is_some_and(|first| first <= until)
            && self.times().last().is_some_and(is_after)
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

/// Each who called the same once, as far as there is room; how many calls of others there were, at least, is counted.
pub fn together<'a>(all: impl IntoIterator<Item = &'a ByWhom>) -> Vec<ByWhom> {
    let (mut apart, mut counted): (Vec<ByWhom>, Vec<ByWhom>) = (Vec::new(), Vec::new());
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for by in all {
        if by.is_not_kept() {
            leave(&mut counted, by.clone());
            continue;
        }
        match places.entry((by.principal.as_str(), by.call.as_str())) {
            Entry::Occupied(place) => apart[*place.get()].add_times(by),
            Entry::Vacant(place) => {
                place.insert(apart.len());
                apart.push(by.clone());
            }
        }
    }
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for one in apart {
        match make_room(&mut kept, one, ROOM) {
            Placed::Kept(another) => gone.extend(another),
            Placed::Left(one) => gone.push(one),
        }
    }
    // Each of these is somebody else, and their calls are others.
    let mut left: Vec<ByWhom> = Vec::new();
    for one in gone.into_iter().map(Told::not_kept) {
        match left.iter_mut().find(|there| there.is_alike(&one)) {
            Some(there) => {
                let count = there.count() + one.count();
                there.add_times(&one);
                there.more += count.saturating_sub(there.count());
            }
            None => left.push(one),
        }
    }
    // What is counted already may be of the same.
    left.into_iter().for_each(|one| leave(&mut counted, one));
    kept.extend(counted);
    kept
}

/// Those who are named in a text.
const NAMED: usize = 3;

/// Who called what, in a few words: up to three, how many more, and how much was not kept at least. `others` is whether
/// there may be more than these.
pub fn text<'a>(
    all: impl IntoIterator<Item = &'a ByWhom>,
    others: bool,
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
    let at_least = if others { "at least " } else { "" };
    let named = match names.len() {
        few if few <= NAMED + 1 && others => format!("{} and others", names.join(", ")),
        few if few <= NAMED + 1 => names.join(", "),
        many => format!("{} and {at_least}{} more", names[..NAMED].join(", "), many - NAMED),
    };
    and_not_kept(named, not_kept)
}

/// A text of who called what, with how many calls there were at least whose callers were not kept.
pub fn and_not_kept(named: String, not_kept: usize) -> String {
    let calls = if not_kept == 1 { "call" } else { "calls" };
    match (not_kept, named.is_empty()) {
        (0, _) => named,
        (_, true) => format!("at least {not_kept} {calls} that were not kept"),
        (_, false) => format!("{named} and at least {not_kept} {calls} more, which were not kept"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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
        let between = unknown.between(Some(at(10)), at(40)).unwrap();
        assert_eq!((between.time, between.count()), (None, 1), "nobody knows when the others were");
        // Of those, nobody knows how many were then.
        assert_eq!(unknown.between(Some(at(10)), at(60)).unwrap().count(), 1);
        assert_eq!(unknown.between(Some(at(1)), at(60)).unwrap().count(), 5);
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

    #[test]
    fn what_is_told_again_is_counted_once_whether_its_time_is_kept_or_not() {
        let mut one = by("ci", "s:A", 0);
        for second in (1..100).chain(1..100) {
            one.add_times(&by("ci", "s:A", second));
        }
        assert_eq!(one.count(), 100);
        let same = one.clone();
        one.add_times(&same);
        assert_eq!(one.count(), 100);
    }

    #[test]
    fn of_more_than_are_kept_all_others_are_counted() {
        let of = |field: &str, count: usize| -> Vec<ByWhom> {
            (0..count).map(|number| by(&format!("{field} {number}"), "s:A", 7)).collect()
        };
        let (one, two) = (of("one", 150), of("two", 150));
        let all = together(one.iter().chain(&two).chain(&one));
        let (not_kept, named): (Vec<_>, Vec<_>) = all.iter().partition(|by| by.is_not_kept());
        assert_eq!((named.len(), not_kept.len(), not_kept[0].count()), (200, 1, 100));
        // Who was not kept before may be one of those who are not kept now.
        let again = together(all.iter().chain(&of("two", 150)));
        let left: usize = again.iter().filter(|by| by.is_not_kept()).map(ByWhom::count).sum();
        assert_eq!(left, 100);
        let said = text(&again, false, |by| by.principal.clone());
        assert!(said.ends_with(" and 197 more and at least 100 calls more, which were not kept"));
        let some = text(&one[..2], true, |by| by.principal.clone());
        assert_eq!(some, "one 0, one 1 and others");
        assert!(text(&one, true, |by| by.principal.clone()).ends_with("and at least 147 more"));
    }
}
