//! What is worth telling. Pure: what was seen and what was told before go in, notices come out.
//!
//! Something is told when it begins, when it is so in another way, and when it is over, and not in
//! between. What happened is told once. The book of a channel holds what it was told and is not over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::letter::{AffectedObject, Notice, Status};
use super::matter::{Late, Matter, Seen, Subject, key_of_all};
use super::words::called;
use crate::digest;
use crate::fleet::notify::{Filter, On, Severity};
use crate::names::AccountId;
use crate::store::history::{ByWhom, callers};
use crate::visible::visible;

/// Entries of a book; of an account with more, the objects of an item are told together.
const MOST: usize = 2_000;
/// Who did something, as far as a notice has it.
const NAMED: usize = 3;
/// Who did something, as far as a book keeps it.
const KEPT: usize = 40;

/// What a channel was told of an account, and is not over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// By what it is about.
    pub open: BTreeMap<String, Open>,
}

/// Something that was told and is not over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// What it is about.
    pub subject: Subject,
    /// Of which sort it is.
    pub on: On,
    /// How much it matters.
    pub severity: Severity,
    /// A digest of what is so.
    pub state: String,
    /// The same, with its sort, as the run of each target said it last: a guard may hold back what is of one of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, (On, String)>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who did it, as far as AWS told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<ByWhom>,
    /// Marks of those who were told of, and for whom there is no room.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub besides: BTreeSet<u64>,
}

impl Open {
    /// Keeps who did it, as far as there is room; of all others, that they were told of.
    fn keep(self, all: &[ByWhom]) -> Self {
        let (not_kept, named): (Vec<&ByWhom>, Vec<&ByWhom>) =
            all.iter().partition(|by| by.is_not_kept());
        let (kept, others) = named.split_at(named.len().min(KEPT));
        let besides = others.iter().map(|by| mark(by)).collect();
        Self { by: kept.iter().chain(&not_kept).copied().cloned().collect(), besides, ..self }
    }

    /// Whether it is as it was told, by a run of these targets.
    fn is_as(&self, matter: &Matter, targets: &[String]) -> bool {
        let is_it = |(on, state): (&On, &String)| *on == matter.on && *state == matter.state;
        let as_told = |target: &String| {
            let told = self.told.get(target);
            is_it(told.map_or((&self.on, &self.state), |(on, state)| (on, state)))
        };
        match targets.is_empty() {
            true => is_it((&self.on, &self.state)),
            false => targets.iter().all(as_told),
        }
    }

    /// Notes how runs of these targets say it.
    fn tell(&mut self, matter: &Matter, targets: &[String]) {
        let way = || (matter.on, matter.state.clone());
        self.told.extend(targets.iter().map(|target| (target.clone(), way())));
    }

    /// Whether somebody was told of.
    fn has_told(&self, by: &ByWhom) -> bool {
        self.by.iter().any(|one| one.is_alike(by)) || self.besides.contains(&mark(by))
    }
}

/// What tells apart who called what.
fn mark(by: &ByWhom) -> u64 {
    callers::digest((&by.principal, &by.call))
}

/// Whether a channel is told of something.
pub fn passes(filter: &Filter, on: On, severity: Severity, subject: &Subject) -> bool {
    let of_kind = |asked: &String| {
        subject.item.as_ref().is_some_and(|item| {
            item.kind == *asked || item.kind.split('.').next() == Some(asked.as_str())
        })
    };
    // What is of no target concerns all of them.
    let of_target = |asked: &BTreeSet<String>| {
        subject.targets.is_empty() || subject.targets.iter().any(|target| asked.contains(target))
    };
    filter.on.contains(&on)
        && severity >= filter.severity
        && (filter.kinds.is_empty() || filter.kinds.iter().any(of_kind))
        && (filter.targets.is_empty() || of_target(&filter.targets))
}

/// What is worth telling of an account, or of what is in none; the book says it from then on.
pub fn worth(
    book: &mut Book,
    seen: &Seen,
    account: Option<&AccountId>,
    filter: &Filter,
) -> Vec<Notice> {
    let is_of = |matter: &&Matter| matter.subject.account.as_ref() == account;
    let all: Vec<&Matter> = seen.standing.iter().filter(is_of).collect();
    let standing = folded(&all, MOST);
    let mut notices = Vec::new();
    let mut happened = BTreeSet::new();
    for matter in seen.done.iter().filter(is_of) {
        if passes(filter, matter.on, matter.severity, &matter.subject) {
            let open = ends(matter).then(|| book.open.remove(&matter.subject.key)).flatten();
            if happened.insert((&matter.subject.key, matter.on)) {
                notices.push(done(matter, open, seen));
            }
        }
    }
    let late = seen.late.iter().filter(|late| is_of(&&late.matter));
    let asked = |late: &&Late| {
        let Matter { on, severity, subject, .. } = &late.matter;
        passes(filter, *on, *severity, subject)
    };
    notices.extend(late.filter(asked).map(|late| happened_before(late, seen)));
    let mut there = BTreeSet::new();
    for mut matter in standing {
        let key = &matter.subject.key;
        let own = matter.subject.targets.clone();
        if let Some(open) = book.open.get_mut(key) {
            // Others that declare it as well have been told of it, too.
            let others = open.subject.targets.iter();
            let mut targets: BTreeSet<String> = others.cloned().collect();
            targets.extend(matter.subject.targets);
            matter.subject.targets = targets.into_iter().collect();
            open.subject.targets.clone_from(&matter.subject.targets);
        }
        let asked = passes(filter, matter.on, matter.severity, &matter.subject);
        if asked {
            there.insert(key.clone());
            notices.extend(stands(book, &matter, &own, seen));
        } else if let Some(open) = book.open.remove(key) {
            let why =
                "it is still not as it should be, in a way that this channel does not ask for";
            notices.push(over(open, why, seen));
        }
    }
    let keys: Vec<String> = book.open.keys().cloned().collect();
    for key in keys.into_iter().filter(|key| !there.contains(key)) {
        let is_there = all.iter().any(|matter| matter.subject.key == key);
        let why = book.open.get(&key).and_then(|open| seen.fine.ends(&open.subject, is_there));
        if let (None, false, Some(open)) = (why, is_there, book.open.get_mut(&key)) {
            open.subject.targets = seen.fine.leaves(&open.subject).cloned().collect();
        }
        if let Some(why) = why
            && let Some(open) = book.open.remove(&key)
        {
            notices.push(over(open, why, seen));
        }
    }
    notices
}

/// Whether what happened puts an end to what was told of its subject.
fn ends(matter: &Matter) -> bool {
    matter.on == On::Applied
}

/// What is told of something that is so, as a run of its `own` targets says.
fn stands(book: &mut Book, matter: &Matter, own: &[String], seen: &Seen) -> Option<Notice> {
    let known = seen.known.get(&matter.subject.key);
    let before = book.open.get(&matter.subject.key);
    // Who may have done it is known by now, and was not when it was told.
    let of_before = before.map(|open| open.by.as_slice()).unwrap_or_default();
    let is_new = |by: &&ByWhom| !before.is_some_and(|open| open.has_told(by));
    let known_by = known.map(|known| known.by.as_slice()).unwrap_or_default();
    let new = each_once(known_by.iter().filter(is_new));
    let is_named = before.is_some() && !new.is_empty();
    let is_same = before.is_some_and(|open| open.is_as(matter, own));
    let status = match before {
        Some(_) if is_same && !is_named => {
            book.open.get_mut(&matter.subject.key)?.tell(matter, own);
            return None;
        }
        Some(_) => Status::Changed,
        None => Status::New,
    };
    let since = before.map(|open| open.since).or(known.map(|known| known.since));
    // Whoever is new stands among the first: a notice has no room for more. Who may have done only what is right again by
    // now, is named no longer.
    let others = |by: &&ByWhom| !is_new(by);
    let mut by: Vec<ByWhom> = match known {
        Some(_) => new.iter().copied().chain(known_by.iter().filter(others)).cloned().collect(),
        None => of_before.to_vec(),
    };
    if known.is_none() && (by.is_empty() || !is_same) {
        let of_look = seen.by(&matter.subject);
        let is_new = |one: &ByWhom| !by.iter().any(|by| by.is_alike(one));
        let mut all: Vec<ByWhom> = of_look.into_iter().filter(is_new).collect();
        all.append(&mut by);
        by = all;
    }
    let mut what = each_by(matter, seen);
    if is_named && is_same && !of_before.is_empty() {
        let also = format!("who may have changed it as well is known by now: {}", called(&new));
        what.push(visible(&also).into_owned());
    }
    let open = Open {
        subject: matter.subject.clone(),
        on: matter.on,
        severity: matter.severity,
        state: matter.state.clone(),
        told: before.map(|before| before.told.clone()).unwrap_or_default(),
        since: since.unwrap_or(seen.time).min(seen.time),
        by: Vec::new(),
        besides: BTreeSet::new(),
    };
    let mut open = open.keep(&by);
    open.tell(matter, own);
    if known.is_none() {
        open.besides.extend(before.iter().flat_map(|before| &before.besides));
    }
    let named = format!("named {}", digest::of(&open.by));
    let mut parts = vec![&*matter.subject.key, status.as_str(), matter.on.as_str(), &*matter.state];
    if is_named {
        parts.push(&named);
    }
    let id = id(&parts, open.since);
    let notice =
        Notice { what, ..notice(id, status, matter, place_of(&open.subject, open.since, &by)) };
    book.open.insert(matter.subject.key.clone(), open);
    Some(notice)
}

/// What a matter says, each line with who may have done just that, where that is not the same of all of it.
fn each_by(matter: &Matter, seen: &Seen) -> Vec<String> {
    let key = &matter.subject.key;
    let (Some(known), Some(marks)) = (seen.known.get(key), seen.rows.get(key)) else {
        return matter.what.clone();
    };
    let of = |mark: &u64| {
        let row = known.rows.iter().find(|row| row.mark() == *mark);
        row.map(|row| row.by.as_slice()).unwrap_or_default()
    };
    let all: Vec<&[ByWhom]> = marks.iter().map(of).collect();
    let names = |by: &[ByWhom]| called(&each_once(by.iter()));
    if all.windows(2).all(|two| names(two[0]) == names(two[1])) {
        return matter.what.clone();
    }
    let lines = matter.what.iter().enumerate();
    let one = |(at, line): (usize, &String)| match all.get(at) {
        // The last line may count those for which there is no room.
        Some(by) if !by.is_empty() && (at + 1 < matter.what.len() || all.len() == at + 1) => {
            visible(&format!("{line} (after {})", names(by))).into_owned()
        }
        _ => line.clone(),
    };
    lines.map(one).collect()
}

/// Each who called the same once.
pub fn each_once<'a>(all: impl Iterator<Item = &'a ByWhom>) -> Vec<&'a ByWhom> {
    let mut each: Vec<&ByWhom> = Vec::new();
    for by in all {
        if !each.iter().any(|one| one.is_alike(by)) {
            each.push(by);
        }
    }
    each
}

/// A notice of one matter in one place.
fn notice(id: String, status: Status, matter: &Matter, place: AffectedObject) -> Notice {
    Notice {
        id,
        status,
        on: matter.on,
        severity: matter.severity,
        what: matter.what.clone(),
        did: matter.did.clone(),
        look: matter.look.clone(),
        places: vec![place],
        count: 1,
    }
}

fn done(matter: &Matter, open: Option<Open>, seen: &Seen) -> Notice {
    let known = seen.known.get(&matter.subject.key);
    let since = open.as_ref().map(|open| open.since).or(known.map(|known| known.since));
    let since = since.unwrap_or(seen.time);
    let mut by = match known {
        Some(known) => known.by.clone(),
        None => open.map(|open| open.by).unwrap_or_default(),
    };
    if by.is_empty() && known.is_none() {
        by = seen.by(&matter.subject);
    }
    let run = seen.about.run.as_deref().unwrap_or_default();
    let id = id(&[&matter.subject.key, "done", matter.on.as_str(), &matter.state, run], since);
    let place = place_of(&matter.subject, since.min(seen.time), &by);
    Notice { what: each_by(matter, seen), ..notice(id, Status::Done, matter, place) }
}

/// What is told of what happened before, since more is known of who did it.
fn happened_before(late: &Late, seen: &Seen) -> Notice {
    let Late { matter, since, by } = late;
    let run = seen.about.run.as_deref().unwrap_or_default();
    let id = id(&[&matter.subject.key, "late", matter.on.as_str(), &matter.state, run], *since);
    notice(id, Status::Done, matter, place_of(&matter.subject, *since, by))
}

fn over(open: Open, why: &str, seen: &Seen) -> Notice {
    Notice {
        id: id(&[&open.subject.key, "resolved", open.on.as_str(), &open.state], open.since),
        status: Status::Resolved,
        on: open.on,
        severity: open.severity,
        what: vec![why.to_owned()],
        did: String::new(),
        look: seen.about.run.as_deref().map_or_else(String::new, |_| look_at(&open.subject)),
        places: vec![place(&open)],
        count: 1,
    }
}

fn place(open: &Open) -> AffectedObject {
    let place = place_of(&open.subject, open.since, &open.by);
    AffectedObject { more_by: place.more_by + open.besides.len(), ..place }
}

/// A place, with the first of who may have done it, how many others there are, and how much of it was not kept.
fn place_of(subject: &Subject, since: DateTime<Utc>, by: &[ByWhom]) -> AffectedObject {
    let (not_kept, named): (Vec<&ByWhom>, Vec<&ByWhom>) =
        by.iter().partition(|by| by.is_not_kept());
    let by = named.iter().take(NAMED).copied().cloned().collect();
    AffectedObject {
        subject: subject.clone(),
        since,
        by,
        more_by: named.len().saturating_sub(NAMED),
        not_kept: not_kept.iter().map(|by| by.count()).sum(),
    }
}

fn id(parts: &[&str], since: DateTime<Utc>) -> String {
    let mut id = digest::of(&(parts, since.timestamp_micros()));
    id.truncate(32);
    id
}

/// The command that shows an object, an account or all as it is now.
pub fn look_at(subject: &Subject) -> String {
    let mut command = "evenkeel plan".to_owned();
    if let Some(account) = &subject.account {
        command += &format!(" -a {account}");
    }
    if let Some(region) = &subject.region {
        command += &format!(" -r {region}");
    }
    if let Some(item) = &subject.item {
        command += &format!(" -k {}", item.kind);
    }
    command
}

/// At most so many: where an account has more, the objects of an item are told together, those of the
/// items with the most first.
fn folded(all: &[&Matter], most: usize) -> Vec<Matter> {
    let mut items: BTreeMap<String, Vec<&Matter>> = BTreeMap::new();
    for matter in all {
        let item = matter.subject.item.as_ref();
        let own = || matter.subject.key.clone();
        items.entry(item.map_or_else(own, ToString::to_string)).or_default().push(matter);
    }
    let mut sizes: Vec<usize> = items.values().map(Vec::len).collect();
    sizes.sort_unstable();
    // The largest items are folded until the rest fits.
    let mut total: usize = sizes.iter().sum();
    let mut limit = usize::MAX;
    while total > most {
        let Some(largest) = sizes.pop().filter(|largest| *largest > 1) else { break };
        limit = largest - 1;
        total -= limit;
    }
    let each = items.into_values().flat_map(|matters| match matters.len() > limit {
        true => together(&matters).into_iter().collect(),
        false => matters.into_iter().cloned().collect::<Vec<_>>(),
    });
    each.collect()
}

fn together(matters: &[&Matter]) -> Option<Matter> {
    let first = matters.iter().max_by_key(|matter| (matter.severity, &matter.subject.key))?;
    let item = first.subject.item.as_ref()?;
    let account = first.subject.account.as_ref()?;
    let mut states: Vec<&str> = matters.iter().map(|matter| matter.state.as_str()).collect();
    states.sort_unstable();
    let subject = Subject {
        key: key_of_all(account, item),
        title: format!("{} objects of {item} of {account}", matters.len()),
        region: None,
        object: String::new(),
        ..first.subject.clone()
    };
    Some(Matter {
        state: digest::of(&states),
        what: vec!["too many to be told one by one".to_owned()],
        look: look_at(&subject),
        subject,
        on: first.on,
        severity: first.severity,
        did: first.did.clone(),
    })
}

#[cfg(test)]
#[path = "worth_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
