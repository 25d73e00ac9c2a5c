//! Where objects are, and what they are called, in a few words.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::names::{AccountId, ItemName, Region};
use crate::plan::words::{account_name, shortened_list, title};
use crate::plan::{ObjectPlan, Plan};

/// Names listed before "and N more".
pub const NAMED: usize = 3;

/// One of the objects that are shown together: what is shown of each.
#[derive(Debug)]
pub struct Member {
    /// Its account.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Whether it is the account's only one, whatever the Region.
    pub global: bool,
    /// What tells it apart in its account and Region.
    pub id: Box<str>,
    /// More for the reader.
    pub label: Option<Box<str>>,
}

impl Member {
    /// What is shown of an object.
    pub fn of(object: &ObjectPlan) -> Self {
        Self {
            account: object.account.clone(),
            region: object.region.clone(),
            global: object.global,
            id: object.observed.id.as_str().into(),
            label: object.observed.label.as_deref().map(Into::into),
        }
    }

    /// What it is called, as an object of this item.
    pub fn title(&self, item: &ItemName) -> String {
        title(item, &self.id, self.global, &self.region, &self.account)
    }

    /// Its id and label; see [`object_name`].
    fn name(&self) -> Option<String> {
        called(&self.id, self.label.as_deref())
    }
}

/// `global`, `eu-west-1`, `all 17 regions`, `2 accounts: …`.
pub fn place(plan: &Plan, objects: &[Arc<Member>]) -> String {
    let accounts: BTreeSet<_> = objects.iter().map(|object| &object.account).collect();
    let regions: BTreeSet<_> = objects.iter().map(|object| &object.region).collect();
    let global = objects.iter().all(|object| object.global);
    // Where others could not be looked at, one account alone has to be named too.
    let fleet = plan.targets.len() + plan.failed.len() > 1;
    let mut parts = Vec::new();
    if !global {
        let all: BTreeSet<_> = plan.targets.iter().flat_map(|target| &target.regions).collect();
        parts.push(if regions.len() == 1 {
            regions.iter().map(ToString::to_string).collect()
        } else if regions.len() == all.len() {
            format!("all {} regions", regions.len())
        } else {
            let names: Vec<_> = regions.iter().map(ToString::to_string).collect();
            format!("{} regions: {}", names.len(), shortened_list(&names, NAMED))
        });
    } else if !fleet {
        parts.push("global".to_owned());
    }
    if fleet {
        parts.push(of_accounts(plan, &accounts));
    }
    let pairs: BTreeSet<_> =
        objects.iter().map(|object| (&object.account, &object.region)).collect();
    // Where each has one object, their number has said it.
    if !global && pairs.len() < accounts.len() * regions.len() && pairs.len() < objects.len() {
        parts.push(format!("in {} pairs of account and region", pairs.len()));
    }
    parts.join(" · ")
}

fn of_accounts(plan: &Plan, accounts: &BTreeSet<&AccountId>) -> String {
    let names: Vec<_> = accounts
        .iter()
        .map(|account| {
            // Targets are sorted by account.
            plan.targets
                .binary_search_by(|target| target.account.cmp(account))
                .map_or_else(|_| account.to_string(), |at| account_name(&plan.targets[at]))
        })
        .collect();
    match names.len() {
        1 => names.concat(),
        all if all == plan.targets.len() && !plan.failed.is_empty() => {
            format!("all {all} accounts that were looked at")
        }
        2 if plan.targets.len() == 2 => "both accounts".to_owned(),
        all if all == plan.targets.len() => format!("all {all} accounts"),
        many => format!("{many} accounts: {}", shortened_list(&names, NAMED)),
    }
}

/// The objects' names: `vpc-0a1b (10.0.0.0/16)`, or how many they are where nobody would read
/// them; empty for singletons.
pub fn names(objects: &[Arc<Member>]) -> String {
    let accounts: BTreeSet<_> = objects.iter().map(|object| &object.account).collect();
    let names: BTreeSet<String> = objects
        .iter()
        .filter_map(|object| {
            let name = object.name()?;
            Some(match accounts.len() {
                1 => name,
                _ => name.replace(object.account.as_str(), "${account.id}"),
            })
        })
        .collect();
    match names.len() {
        0 => String::new(),
        1 => names.into_iter().collect(),
        few if few <= NAMED + 1 => {
            format!("{few} objects: {}", names.into_iter().collect::<Vec<_>>().join(", "))
        }
        many => format!("{many} objects"),
    }
}

/// An object's id and label; nothing for the one object of a singleton, or where the id is the
/// item's own name.
pub fn object_name(object: &ObjectPlan) -> Option<String> {
    called(&object.observed.id, object.observed.label.as_deref())
}

fn called(id: &str, label: Option<&str>) -> Option<String> {
    match (id, label) {
        ("", label) => label.map(str::to_owned),
        (id, Some(label)) => Some(format!("{id} ({label})")),
        (id, None) => Some(id.to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::testing::{object, plan};

    fn member(object: &ObjectPlan) -> Arc<Member> {
        Arc::new(Member::of(object))
    }

    #[test]
    fn accounts_are_named_as_far_as_they_say_something() {
        let objects: Vec<_> = (1..=5).map(|number| object(number, json!({}))).collect();
        let first = |count: usize| objects.iter().take(count).map(member).collect::<Vec<_>>();
        let failed = json!([{"account": "000000000099", "reason": "no"}]);
        let words = |targets: usize, count: usize, failed: &serde_json::Value| {
            let mut plan = plan(targets, Vec::new());
            plan.failed = serde_json::from_value(failed.clone()).unwrap();
            place(&plan, &first(count))
        };
        let none = json!([]);
        assert_eq!(words(1, 1, &none), "global");
        assert_eq!(words(1, 1, &failed), "000000000001");
        assert_eq!(words(2, 2, &none), "both accounts");
        assert_eq!(words(3, 3, &none), "all 3 accounts");
        assert_eq!(words(3, 3, &failed), "all 3 accounts that were looked at");
        assert_eq!(words(3, 2, &none), "2 accounts: 000000000001, 000000000002");
        assert_eq!(
            words(9, 5, &none),
            "5 accounts: 000000000001, 000000000002, 000000000003 and 2 more"
        );
    }

    #[test]
    fn many_objects_are_counted_and_few_are_named() {
        let vpcs: Vec<_> = (1..=6)
            .map(|number| {
                object(
                    number % 2 + 1,
                    json!({
                        "global": false, "item": "ec2.default_security_group",
                        "region": if number < 4 { "eu-west-1" } else { "us-east-1" },
                        "observed": {"id": format!("vpc-{number}"), "status": "absent"},
                    }),
                )
            })
            .collect();
        let some = |count: usize| vpcs.iter().take(count).map(member).collect::<Vec<_>>();
        assert_eq!(names(&some(1)), "vpc-1");
        assert_eq!(names(&some(3)), "3 objects: vpc-1, vpc-2, vpc-3");
        assert_eq!(names(&some(6)), "6 objects");
        let plan = plan(2, Vec::new());
        assert_eq!(
            place(&plan, &some(4)),
            "2 regions: eu-west-1, us-east-1 · both accounts · in 3 pairs of account and region"
        );
    }
}
