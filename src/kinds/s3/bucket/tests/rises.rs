//! What is weaker than before, and what opens a bucket.

use super::*;

#[test]
fn what_is_weaker_than_before_is_said_and_what_opens_is_a_rise() {
    let switches = |on: bool| PublicAccessBlock {
        block_public_acls: on,
        ignore_public_acls: on,
        block_public_policy: on,
        restrict_public_buckets: on,
    };
    let open = Spec { public_access_block: Some(switches(false)), ..spec() };
    let there = State { public_access_block: Some(switches(true)), ..state() };
    let change = &changes(&open, there)[0];
    assert_eq!(change.grants[0].class, GrantClass::Public);
    assert!(change.warnings[0].starts_with("weaker than before"), "{:?}", change.warnings);
    let shut = Spec { public_access_block: Some(switches(true)), ..spec() };
    let there = State { public_access_block: Some(switches(false)), ..state() };
    assert!(changes(&shut, there)[0].grants.is_empty());

    let lock = |mode, days, years| ObjectLock { mode: Some(mode), days, years, event_hold: None };
    let weaker = |before: ObjectLock, mode, days| {
        let spec = Spec { object_lock_mode: Some(mode), object_lock_days: Some(days), ..spec() };
        let there = State { object_lock: Some(before), ..state() };
        let list = changes(&spec, there);
        let warnings = list.iter().flat_map(|change| &change.warnings);
        warnings.filter(|warning| warning.starts_with("weaker than before")).count()
    };
    let (strict, mild) = (ObjectLockMode::Compliance, ObjectLockMode::Governance);
    assert_eq!(weaker(lock(strict, None, Some(7)), mild, 30), 1);
    assert_eq!(weaker(lock(strict, None, Some(7)), strict, 30), 1);
    assert_eq!(weaker(lock(strict, Some(30), None), mild, 30), 1);
    assert_eq!(weaker(lock(mild, Some(30), None), strict, 31), 0);
}

#[test]
fn acls_that_count_again_are_a_rise_and_acls_that_no_longer_count_cut_off() {
    use ownership::ObjectOwnership::{
        self, BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter,
    };
    let change = |before: ObjectOwnership, after: ObjectOwnership| {
        let spec = Spec { object_ownership: Some(after), ..spec() };
        let there = State { object_ownership: Some(before), ..state() };
        let mut changes = changes(&spec, there);
        assert_eq!(changes.len(), 1);
        changes.remove(0)
    };
    for after in [BucketOwnerPreferred, ObjectWriter] {
        let open = change(BucketOwnerEnforced, after);
        assert_eq!(open.grants[0].class, GrantClass::Public);
        assert!(open.warnings[0].contains("count again"), "{:?}", open.warnings);
        let shut = change(after, BucketOwnerEnforced);
        assert!(shut.grants.is_empty() && shut.risk == Risk::Disruptive);
        assert!(shut.warnings[0].contains("no longer count"), "{:?}", shut.warnings);
    }
    let between = change(BucketOwnerPreferred, ObjectWriter);
    assert!(between.grants.is_empty() && between.warnings.is_empty());
}
