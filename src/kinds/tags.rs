//! Tags of AWS resources: which a kind looks at, and how one set becomes another.

use std::collections::BTreeMap;

use crate::kinds::{Change, Drift, Risk, compared};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags that are nobody's to declare: AWS's own (`aws:…`) and the mark by which evenkeel finds a
/// key again that it made (`evenkeel:…`).
fn is_reserved(key: &str) -> bool {
    key.starts_with("aws:") || key.starts_with("evenkeel:")
}

/// The tags of an answer, without reserved ones.
pub fn collect<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    tags.into_iter()
        .filter(|(key, _)| !is_reserved(key))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The changes from one set of tags to another: one write that sets, one that takes away.
pub fn changes<A>(
    actual: &Tags,
    desired: &Tags,
    set: impl FnOnce(Tags) -> A,
    remove: impl FnOnce(Tags) -> A,
) -> Vec<Change<A>> {
    compared::mark("tags");
    let (mut to_set, mut to_remove) = (Tags::new(), Tags::new());
    let (mut set_drift, mut remove_drift) = (Drift::new(), Drift::new());
    for (key, value) in desired.iter().filter(|(key, _)| !is_reserved(key)) {
        if actual.get(key) != Some(value) {
            set_drift.add(&format!("tags.{key}"), actual.get(key), Some(value));
            to_set.insert(key.clone(), value.clone());
        }
    }
    for (key, value) in actual.iter().filter(|(key, _)| !desired.contains_key(*key)) {
        remove_drift.add(&format!("tags.{key}"), Some(value), None::<&str>);
        to_remove.insert(key.clone(), value.clone());
    }
    let mut changes = Vec::new();
    if !to_set.is_empty() {
        changes.push(Change::new(set(to_set), set_drift));
    }
    if !to_remove.is_empty() {
        changes.push(
            Change::new(remove(to_remove), remove_drift)
                .risk(Risk::Disruptive)
                .warn("policies and cost reports that look at these tags no longer see them"),
        );
    }
    changes
}

/// Of the tags in `keys`, those that were there before and those that were not: what undoing a
/// write of tags must set and take away.
pub fn before(written: &Tags, before: Option<&Tags>) -> (Tags, Tags) {
    let (mut former, mut new) = (Tags::new(), Tags::new());
    for (key, value) in written {
        match before.and_then(|before| before.get(key)) {
            Some(value) => former.insert(key.clone(), value.clone()),
            None => new.insert(key.clone(), value.clone()),
        };
    }
    (former, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn aws_own_tags_do_not_count() {
        let seen = collect([("aws:cloudformation:stack-name", "x"), ("team", "core")]);
        assert_eq!(seen, tags(&[("team", "core")]));
    }

    #[test]
    fn one_write_sets_and_one_takes_away() {
        let actual = tags(&[("keep", "1"), ("change", "1"), ("drop", "1")]);
        let desired = tags(&[("keep", "1"), ("change", "2"), ("new", "1")]);
        let changes = changes(&actual, &desired, |tags| ("set", tags), |tags| ("remove", tags));
        assert_eq!(changes[0].action, Some(("set", tags(&[("change", "2"), ("new", "1")]))));
        assert_eq!(changes[1].action, Some(("remove", tags(&[("drop", "1")]))));
        assert_eq!(changes[1].risk, Risk::Disruptive);
    }

    #[test]
    fn undoing_knows_what_was_there() {
        let written = tags(&[("change", "2"), ("new", "1")]);
        let (former, new) = before(&written, Some(&tags(&[("change", "1")])));
        assert_eq!(former, tags(&[("change", "1")]));
        assert_eq!(new, tags(&[("new", "1")]));
    }
}
