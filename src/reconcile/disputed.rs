//! Targets that contradict each other by the fleet file alone: in accounts that they list.

use std::collections::{BTreeMap, BTreeSet};

use super::declare::{Conflict, Declarations, is_in, join};
use crate::baseline::item::{RegionWord, ResolvedItem};
use crate::baseline::{Baseline, Regions, Resolver, TargetFacts};
use crate::fleet::file::{Selector, Target};
use crate::kinds::{Facts, Scope};
use crate::names::{AccountId, Region, partition_of};
use crate::plan::{Declared, Mode};

/// Where what holds everywhere is compared, when no Region is said to be the home: every account of AWS's
/// largest partition has it.
const SOMEWHERE: &str = "us-east-1";

/// What targets of a fleet file with this home Region declare for the accounts that several of them list,
/// and cannot both hold. What only AWS or the organization can say, such as units and tags, is seen when an
/// account is looked at.
pub fn contradictions(
    targets: &[(&Target, &Baseline<'static>)],
    home: Option<&str>,
) -> Vec<Conflict> {
    let mut listed: BTreeMap<AccountId, Vec<usize>> = BTreeMap::new();
    for (at, (target, _)) in targets.iter().enumerate() {
        for account in accounts(target) {
            listed.entry(account).or_default().push(at);
        }
    }
    let mut conflicts = Vec::new();
    for (account, shared) in listed.into_iter().filter(|(_, shared)| shared.len() > 1) {
        let shared: Vec<_> = shared.into_iter().map(|at| targets[at]).collect();
        let regions = regions(&shared, &account, home);
        let of_target = |(target, baseline)| declared(target, baseline, &account, home, &regions);
        let mut parts: Vec<Declarations> = shared.iter().copied().map(of_target).collect();
        conflicts.extend(join(&mut parts).err().unwrap_or_default());
    }
    conflicts
}

/// The accounts that a target surely selects.
fn accounts(target: &Target) -> BTreeSet<AccountId> {
    let by_ids_alone =
        |selector: &Selector| selector.ous.is_empty() && selector.account_tags.is_empty();
    let Some(select) = target.select.as_ref().filter(|select| by_ids_alone(select)) else {
        return BTreeSet::new();
    };
    if target.mode == Some(Mode::Off) || !target.except.iter().all(by_ids_alone) {
        return BTreeSet::new();
    }
    let left_out: Vec<&String> = target.except.iter().flat_map(|except| &except.accounts).collect();
    let chosen = select.accounts.iter().filter(|id| !left_out.contains(id));
    chosen.filter_map(|id| id.parse().ok()).collect()
}

fn home_of(home: Option<&str>) -> Region {
    Region::new(home.unwrap_or(SOMEWHERE))
}

/// What is known of an account without asking anybody.
fn facts_of(account: &AccountId, home: Option<&str>) -> TargetFacts {
    let home = home_of(home);
    TargetFacts {
        account_id: account.clone(),
        account_name: None,
        account_email: None,
        account_tags: None,
        ous: None,
        organization_id: None,
        partition: partition_of(home.as_str()).to_owned(),
        region: home.clone(),
        home_region: home,
    }
}

/// The Regions that items name, and the home.
fn regions(
    targets: &[(&Target, &Baseline<'static>)],
    account: &AccountId,
    home: Option<&str>,
) -> BTreeSet<Region> {
    let mut regions = BTreeSet::from([home_of(home)]);
    for (_, baseline) in targets {
        for item in baseline.resolve(&facts_of(account, home)).into_iter().flatten() {
            if let Regions::List(list) = &item.regions {
                regions.extend(list.iter().cloned());
            }
        }
    }
    regions
}

/// What a target declares for an account, as far as that is known without asking anybody.
fn declared(
    target: &Target,
    baseline: &Baseline<'static>,
    account: &AccountId,
    home: Option<&str>,
    regions: &BTreeSet<Region>,
) -> Declarations {
    let at_home = home_of(home);
    let mut resolver = Resolver::new(baseline, facts_of(account, home));
    let ceiling = target.mode.unwrap_or(Mode::Enforce);
    let mut found = Declarations::default();
    for region in regions {
        for item in resolver.at(region).into_iter().flatten() {
            let holds = match is_in(Scope::Global, &item.item.kind) {
                true => *region == at_home,
                false => holds_in(&item, region, home),
            };
            if !holds {
                continue;
            }
            let facts = Facts {
                account: account.clone(),
                partition: partition_of(region.as_str()).to_owned(),
                region: region.clone(),
                home_region: at_home.clone(),
                item: item.item.clone(),
            };
            let mode = item.mode.min(ceiling);
            found.items.push((Declared { resolved: item, mode }, facts));
        }
    }
    found
}

/// Whether an item holds in a Region, wherever the home is if nobody says it.
fn holds_in(item: &ResolvedItem, region: &Region, home: Option<&str>) -> bool {
    match &item.regions {
        Regions::Word(RegionWord::Home) => home == Some(region.as_str()),
        other => other.includes(region, region),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::baseline::load::Memory;
    use crate::baseline::{self, Environment, LoadOptions};
    use crate::kinds::registry;

    fn loaded(items: &str) -> Baseline<'static> {
        let path = PathBuf::from("b.toml");
        let text = format!("schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\n{items}");
        let memory = Memory(BTreeMap::from([(path.clone(), text)]));
        let options = LoadOptions {
            variables: BTreeMap::new(),
            environment: Environment::default(),
            today: chrono::NaiveDate::default(),
        };
        baseline::load(&[path], &memory, registry::catalog(), options).unwrap().baseline
    }

    fn target(select: serde_json::Value, except: serde_json::Value) -> Target {
        let target =
            json!({ "name": "t", "baselines": ["b.toml"], "select": select, "except": except });
        serde_json::from_value(target).unwrap()
    }

    fn found(one: (&Target, &str), other: (&Target, &str), home: Option<&str>) -> Vec<String> {
        let (first, second) = (loaded(one.1), loaded(other.1));
        let conflicts = contradictions(&[(one.0, &first), (other.0, &second)], home);
        conflicts.iter().map(ToString::to_string).collect()
    }

    const LONG: &str = "[iam.password_policy]\nminimum_password_length = 14\n";
    const SHORT: &str = "[iam.password_policy]\nminimum_password_length = 8\n";

    fn of(accounts: &[&str]) -> Target {
        target(json!({ "accounts": accounts }), json!(null))
    }

    #[test]
    fn accounts_that_two_targets_list_have_one_declaration() {
        let (one, both) = (of(&["111122223333"]), of(&["111122223333", "444455556666"]));
        let said = found((&one, LONG), (&both, SHORT), None);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("account 111122223333: iam.password_policy is declared twice"),
            "{said:?}"
        );
        assert_eq!(found((&one, LONG), (&both, LONG), None), Vec::<String>::new());
        let buckets = ["one", "two"].map(|name| format!("[s3.bucket.{name}]\nbucket = \"logs\"\n"));
        let said = found((&one, &buckets[0]), (&both, &buckets[1]), None);
        assert!(said[0].contains("both govern \"logs\""), "{said:?}");
    }

    #[test]
    fn who_is_selected_by_others_words_is_not_known() {
        let one = of(&["111122223333"]);
        for other in [
            of(&["444455556666"]),
            target(
                json!({ "accounts": ["111122223333"], "ous": ["ou-ab12-cdef3456"] }),
                json!(null),
            ),
            target(
                json!({ "accounts": ["111122223333"] }),
                json!({ "accounts": ["111122223333"] }),
            ),
            target(
                json!({ "accounts": ["111122223333"] }),
                json!({ "account_tags": { "a": "b" } }),
            ),
        ] {
            assert_eq!(found((&one, LONG), (&other, SHORT), None), Vec::<String>::new());
        }
    }

    #[test]
    fn what_holds_in_other_regions_is_no_contradiction() {
        let one = of(&["111122223333"]);
        let ebs = |regions: &str, enabled: bool| {
            format!("[ec2.ebs_encryption]\nregions = {regions}\nenabled = {enabled}\n")
        };
        let meet = |first: &str, second: &str, home: Option<&str>| {
            !found((&one, &ebs(first, true)), (&one, &ebs(second, false)), home).is_empty()
        };
        assert!(meet("\"enabled\"", "[\"eu-west-1\"]", None));
        assert!(meet("[\"eu-west-1\", \"eu-west-2\"]", "[\"eu-west-1\"]", None));
        assert!(!meet("[\"eu-west-2\"]", "[\"eu-west-1\"]", None));
        assert!(!meet("\"home\"", "[\"eu-west-1\"]", None));
        assert!(meet("\"home\"", "[\"eu-west-1\"]", Some("eu-west-1")));
    }
}
