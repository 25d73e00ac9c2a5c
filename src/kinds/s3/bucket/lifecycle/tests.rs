#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::effects::new_deletions;
use super::rule::{Expiration, Filter, Rule, Status, StorageClass, Transition, same_rules};
use super::wire::{read, send};

fn rule() -> Rule {
    Rule {
        filter: Filter {
            prefix: "AWSLogs/".to_owned(),
            tags: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            object_size_greater_than: Some(1),
            object_size_less_than: None,
        },
        transitions: BTreeSet::from([Transition {
            days: None,
            date: Some("2030-01-01".to_owned()),
            storage_class: StorageClass::Glacier,
        }]),
        expiration: Some(Expiration { days: Some(400), ..Expiration::default() }),
        ..Rule::default()
    }
}

#[test]
fn what_is_sent_is_what_is_read() {
    for filter in [rule().filter, Filter::default()] {
        let rule = Rule { filter, ..rule() };
        let back = read(&send(&rule).unwrap()).unwrap();
        assert!(rule.is_same(&back), "{back:?}");
    }
}

#[test]
fn the_name_that_aws_makes_and_the_order_mean_nothing() {
    let named = |id: &str| Rule { id: Some(id.to_owned()), ..rule() };
    let other = Rule { expiration: None, ..rule() };
    assert!(same_rules(&[rule(), other.clone()], &[other.clone(), named("made-up")]));
    assert!(!same_rules(&[named("mine")], &[named("made-up")]));
    assert!(!same_rules(&[rule()], &[rule(), rule()]));
}

#[test]
fn new_deletions_are_found() {
    let later = Rule {
        expiration: Some(Expiration { days: Some(500), ..Expiration::default() }),
        ..rule()
    };
    assert!(new_deletions(&[rule()], &[rule()]).is_empty());
    let named = Rule { id: Some("another name".to_owned()), ..rule() };
    assert!(new_deletions(&[named], &[rule()]).is_empty());
    assert_eq!(new_deletions(&[rule()], &[later]).len(), 1);
    assert!(new_deletions(&[Rule { expiration: None, ..rule() }], &[]).is_empty());
    let off = Rule { status: Some(Status::Disabled), ..rule() };
    assert!(new_deletions(&[off], &[]).is_empty());
}
