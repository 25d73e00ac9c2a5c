//! Plans of made-up objects, as looks make them.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use serde_json::json;

use super::declared::{ACCOUNTS, KINDS, KindOfThing, Thing};
use crate::fleet::account::FailedAccount;
use crate::names::{AccountId, Region};
use crate::plan::render::testing;
use crate::plan::{ObjectPlan, Plan, TargetRef};

/// What is the same of all: made once, since there are many.
static MADE: LazyLock<(Plan, Vec<ObjectPlan>)> = LazyLock::new(|| {
    let object = |KindOfThing { item, region, .. }: &KindOfThing| {
        let drift = json!([{"field": "value", "actual": 0, "desired": 0}]);
        let change = testing::change(json!({"drift": drift}));
        let with = json!({"item": item, "global": region.is_none(), "changes": [change]});
        testing::object(1, with)
    };
    (testing::plan(0, Vec::new()), KINDS.iter().map(object).collect())
});

/// A thing that is not as declared.
pub fn drifted(thing: &Thing, actual: u64, wanted: u64) -> ObjectPlan {
    let (account, kind) = thing;
    let mut object = MADE.1[*kind].clone();
    object.account = account.clone();
    let place = ACCOUNTS.iter().position(|one| *one == account.as_str()).unwrap();
    let change = &mut object.changes[0];
    change.id = u32::try_from(place * 10 + kind + 1).unwrap();
    change.drift[0].actual = Some(json!(actual));
    change.drift[0].desired = Some(json!(wanted));
    object
}

/// Of which thing an object of a plan is.
pub fn thing(object: &ObjectPlan) -> Thing {
    let kind = KINDS.iter().position(|kind| kind.name == object.item.kind).unwrap();
    (object.account.clone(), kind)
}

/// What was found of accounts, and those that could not be looked at.
pub fn plan(
    run: &str,
    looked: &[AccountId],
    failed: &[AccountId],
    objects: Vec<ObjectPlan>,
) -> Plan {
    let home = Region::new("eu-west-1");
    let target = |account: &AccountId| TargetRef {
        account: account.clone(),
        name: None,
        partition: "aws".to_owned(),
        home_region: home.clone(),
        regions: vec![home.clone()],
    };
    let failed = failed.iter().map(|account| FailedAccount {
        account: account.clone(),
        name: None,
        reason: "throttled".to_owned(),
        remedy: None,
    });
    let applied = objects.iter().flat_map(|one| &one.changes).filter(|one| one.is_applied());
    Plan {
        run: run.to_owned(),
        targets: looked.iter().map(target).collect(),
        failed: failed.collect(),
        order: applied.map(|change| change.id).collect(),
        objects: objects.into(),
        ..MADE.0.clone()
    }
}
