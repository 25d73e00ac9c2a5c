//! What the latest looks counted in an account, as it is noted with them. Pure.
//!
//! A look at everything that is declared for the account counts all of it at once. Where several targets select
//! the account, and each is looked at by itself, the counts are kept for each target, and the account has been
//! looked at in whole when all of them have. What several targets declare alike is counted for each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::{Extent, SeenAccount};

/// In what is noted of looks: that the account cannot be looked at.
pub(super) const UNSEEN: &str = "unseen";
/// The targets that select the account.
pub(super) const TARGETS: &str = "targets";
/// What was counted for each of several targets.
const BY_TARGET: &str = "by_target";

/// What a look counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Counts {
    drifted: usize,
    in_sync: usize,
    unknown: usize,
    excepted: usize,
    /// How much drift went on after it: what has ended since is as declared. Not known of old looks.
    open: Option<usize>,
    /// When that was, in microseconds, of a look at one of several targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
}

impl Counts {
    /// What a look counted, after which so much drift goes on.
    fn of(seen: &SeenAccount, open: usize, time: Option<i64>) -> Self {
        Self {
            drifted: seen.drifted.len(),
            in_sync: seen.in_sync.len(),
            unknown: seen.unknown.len().saturating_sub(seen.excepted),
            excepted: seen.excepted,
            open: Some(open),
            time,
        }
    }

    /// A sort of object, by its name.
    fn named(&self, sort: &str) -> usize {
        match sort {
            "in_sync" => self.in_sync,
            "unknown" => self.unknown,
            "excepted" => self.excepted,
            "drifted" => self.drifted,
            _ => 0,
        }
    }
}

fn by_target(about: &Value) -> BTreeMap<String, Counts> {
    serde_json::from_value(about[BY_TARGET].clone()).unwrap_or_default()
}

/// The targets that select the account, as far as looks of theirs were noted.
pub(super) fn targets(about: &Value) -> BTreeSet<String> {
    serde_json::from_value(about[TARGETS].clone()).unwrap_or_default()
}

/// What is noted of an account after a look. `open` is how much of the drift that it saw goes on.
pub(super) fn after(before: Option<Value>, seen: &SeenAccount, open: usize, time: i64) -> Value {
    let mut about = before.unwrap_or_else(|| json!({}));
    let mut all = targets(&about);
    all.extend(seen.targets.iter().cloned());
    match &seen.extent {
        Extent::Account => about = json!(Counts::of(seen, open, None)),
        Extent::Target(target) => {
            let mut counts = by_target(&about);
            counts.insert(target.clone(), Counts::of(seen, open, Some(time)));
            about[BY_TARGET] = json!(counts);
        }
        // A look at a part counts nothing.
        Extent::Part => {}
    }
    about[TARGETS] = json!(all);
    // Whoever looks at anything can look.
    if let Some(about) = about.as_object_mut() {
        about.remove(UNSEEN);
    }
    tidy(&mut about);
    about
}

/// What is noted of an account that these targets alone select from now on.
pub(super) fn selected_by(mut about: Value, left: &BTreeSet<String>) -> Value {
    let mut counts = by_target(&about);
    counts.retain(|target, _| left.contains(target));
    if !about[BY_TARGET].is_null() {
        about[BY_TARGET] = json!(counts);
    }
    about[TARGETS] = json!(left);
    tidy(&mut about);
    about
}

/// Forgets what was counted of all at once when each target was looked at since.
fn tidy(about: &mut Value) {
    if whole(about).is_some()
        && let Some(about) = about.as_object_mut()
    {
        about.retain(|name, _| [TARGETS, BY_TARGET, UNSEEN].contains(&name.as_str()));
    }
}

/// When all of several targets had been looked at, each by itself; none where one has not.
pub(super) fn whole(about: &Value) -> Option<i64> {
    let counts = by_target(about);
    let of = |target: &String| counts.get(target).and_then(|counts| counts.time);
    let times = targets(about).iter().map(of).collect::<Option<Vec<i64>>>()?;
    times.into_iter().min()
}

/// How many objects of a sort there are, where so much drift goes on now. What was in sync is unknown where the
/// account cannot be looked at, or the target that it is of.
pub(super) fn count(about: &Value, sort: &str, open: usize, lost: &BTreeSet<String>) -> usize {
    let by_target = by_target(about);
    let at_once = match about["in_sync"].is_u64() {
        true => serde_json::from_value::<Counts>(about.clone()).ok(),
        false => None,
    };
    // Until each target was looked at by itself, the look at all of it is what is known.
    let (all, of_lost): (Vec<Counts>, usize) = match at_once {
        Some(counts) => (vec![counts], if lost.is_empty() { 0 } else { usize::MAX }),
        None => {
            let of_lost = by_target.iter().filter(|(target, _)| lost.contains(*target));
            let of_lost = of_lost.map(|(_, counts)| counts.in_sync).sum();
            (by_target.into_values().collect(), of_lost)
        }
    };
    let sum = |sort: &str| all.iter().map(|counts| counts.named(sort)).sum::<usize>();
    let before: Option<usize> = all.iter().map(|counts| counts.open).sum();
    let in_sync = match before {
        Some(before) => sum("in_sync").saturating_add(before).saturating_sub(open),
        None => sum("in_sync"),
    };
    let unseen = match about[UNSEEN].is_null() {
        true => in_sync.min(of_lost),
        false => in_sync,
    };
    match sort {
        "in_sync" => in_sync - unseen,
        "unknown" => unseen + sum("unknown"),
        sort => sum(sort),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::names::Region;
    use crate::store::history::DriftKey;

    fn seen(extent: Extent, in_sync: usize) -> SeenAccount {
        let key = |number: usize| DriftKey {
            account: "000000000001".parse().unwrap(),
            region: Region::new("eu-west-1"),
            item: "kms.key.audit".parse().unwrap(),
            object: number.to_string(),
        };
        SeenAccount {
            run: "r".to_owned(),
            time: DateTime::UNIX_EPOCH,
            began: DateTime::UNIX_EPOCH,
            account: "000000000001".parse().unwrap(),
            name: None,
            targets: vec!["s".to_owned(), "t".to_owned()],
            extent,
            drifted: Vec::new(),
            in_sync: (0..in_sync).map(key).collect(),
            unknown: Vec::new(),
            excepted: 0,
            touched: Vec::new(),
        }
    }

    fn of(target: &str) -> Extent {
        Extent::Target(target.to_owned())
    }

    #[test]
    fn an_account_of_two_targets_is_seen_in_whole_when_both_were_looked_at() {
        let none = BTreeSet::new();
        let both = after(None, &seen(Extent::Account, 5), 0, 1);
        assert_eq!((whole(&both), count(&both, "in_sync", 0, &none)), (None, 5));
        let one = after(Some(both), &seen(of("s"), 3), 1, 2);
        assert_eq!(whole(&one), None);
        assert_eq!(count(&one, "in_sync", 1, &none), 4, "as all was seen at once");
        let two = after(Some(one), &seen(of("t"), 2), 0, 3);
        assert_eq!((whole(&two), count(&two, "in_sync", 1, &none)), (Some(2), 5));
        assert_eq!(count(&two, "in_sync", 0, &none), 6, "it was put right since");
        let later = after(Some(two), &seen(of("s"), 4), 0, 4);
        assert_eq!((whole(&later), count(&later, "in_sync", 0, &none)), (Some(3), 6));
        let part = after(Some(later.clone()), &seen(Extent::Part, 1), 0, 5);
        assert_eq!(part, later);
        // A third one selects it as well.
        let mut third = seen(of("s"), 4);
        third.targets.push("u".to_owned());
        let third = after(Some(later), &third, 0, 6);
        assert_eq!((whole(&third), count(&third, "in_sync", 0, &none)), (None, 6));
        let left = selected_by(third, &["s".to_owned()].into());
        assert_eq!((whole(&left), count(&left, "in_sync", 0, &none)), (Some(6), 4));
    }

    #[test]
    fn what_was_in_sync_of_a_target_that_cannot_be_looked_at_is_unknown() {
        let both = after(None, &seen(of("s"), 3), 0, 1);
        let both = after(Some(both), &seen(of("t"), 2), 0, 1);
        let counts = |lost: &[&str]| {
            let lost = lost.iter().map(|name| (*name).to_owned()).collect();
            (count(&both, "in_sync", 0, &lost), count(&both, "unknown", 0, &lost))
        };
        assert_eq!((counts(&[]), counts(&["t"]), counts(&["s", "t"])), ((5, 0), (3, 2), (0, 5)));
    }
}
