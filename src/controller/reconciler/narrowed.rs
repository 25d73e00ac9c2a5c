//! What is left of a job by what the controller was asked for.

use std::collections::BTreeSet;

use crate::controller::PATH;
use crate::controller::queue::What;
use crate::names::AccountId;
use crate::reconcile::{Selection, Selectors};

/// What the selectors of the controller leave of a job, if anything.
pub fn narrowed(asked: &Selectors, what: &What) -> Option<Selectors> {
    let mut left = asked.clone();
    match what {
        What::Target(name) => {
            if asked.baselines.is_empty() {
                left.targets = vec![name.clone()];
            }
        }
        What::Path(name) => {
            let kinds = PATH.iter().filter(|kind| asks_for(asked, kind));
            left.kinds = kinds.map(|kind| (*kind).to_owned()).collect();
            if asked.baselines.is_empty() {
                left.targets = vec![name.clone()];
            }
            if left.kinds.is_empty() {
                return None;
            }
        }
        What::Account(account) => {
            if !asks_for_account(asked, account) {
                return None;
            }
            left.accounts = vec![account.to_string()];
        }
        What::Parts { account, parts } => {
            if !asks_for_account(asked, account) {
                return None;
            }
            let is_asked = |region: &str| {
                asked.regions.is_empty() || asked.regions.iter().any(|one| one == region)
            };
            let those = parts.iter().filter(|(kind, region)| {
                asks_for(asked, kind)
                    && region.as_ref().is_none_or(|region| is_asked(region.as_str()))
            });
            left.accounts = vec![account.to_string()];
            let (mut kinds, mut regions) = (BTreeSet::new(), BTreeSet::new());
            for (kind, region) in those {
                kinds.insert((*kind).to_owned());
                regions.extend(region.as_ref().map(ToString::to_string));
            }
            left.kinds = kinds.into_iter().collect();
            left.regions = regions.into_iter().collect();
            if left.kinds.is_empty() {
                return None;
            }
        }
    }
    Some(left)
}

/// Whether nothing is left out of a whole look.
pub fn is_whole(asked: &Selectors) -> bool {
    asked.kinds.is_empty() && asked.regions.is_empty()
}

fn asks_for_account(asked: &Selectors, account: &AccountId) -> bool {
    asked.accounts.is_empty() || asked.accounts.iter().any(|id| id == account.as_str())
}

fn asks_for(asked: &Selectors, kind: &str) -> bool {
    let kinds = asked.kinds.iter().cloned().collect();
    Selection { kinds, ..Selection::default() }.has_kind(kind)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::Region;

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn parts(parts: &[(&'static str, Option<&str>)]) -> What {
        let parts = parts.iter().map(|(kind, region)| (*kind, region.map(Region::new)));
        What::Parts { account: account(), parts: parts.collect() }
    }

    #[test]
    fn a_job_is_asked_for_and_nothing_else() {
        let all = Selectors::default();
        let target = narrowed(&all, &What::Target("t".to_owned())).unwrap();
        assert_eq!(target, Selectors { targets: vec!["t".to_owned()], ..Selectors::default() });
        let path = narrowed(&all, &What::Path("t".to_owned())).unwrap();
        assert_eq!(
            (path.targets, path.kinds),
            (vec!["t".to_owned()], PATH.map(str::to_owned).to_vec())
        );
        let whole = narrowed(&all, &What::Account(account())).unwrap();
        assert_eq!(whole.accounts, ["111122223333"]);
        let some = parts(&[("iam.role", None), ("ec2.ebs_encryption", Some("eu-west-1"))]);
        let part = narrowed(&all, &some).unwrap();
        assert_eq!(part.kinds, ["ec2.ebs_encryption", "iam.role"]);
        assert_eq!(
            (part.accounts, part.regions),
            (vec!["111122223333".to_owned()], vec!["eu-west-1".to_owned()])
        );
    }

    #[test]
    fn each_kind_and_region_is_named_once() {
        let both = |kind| [(kind, Some("eu-west-1")), (kind, Some("us-east-1"))];
        let some = parts(&[both("sns.topic"), both("sns.subscription")].concat());
        let part = narrowed(&Selectors::default(), &some).unwrap();
        assert_eq!(part.kinds, ["sns.subscription", "sns.topic"]);
        assert_eq!(part.regions, ["eu-west-1", "us-east-1"]);
    }

    #[test]
    fn what_the_controller_leaves_out_no_job_brings_back() {
        let iam = Selectors { kinds: vec!["iam".to_owned()], ..Selectors::default() };
        assert!(narrowed(&iam, &What::Path("t".to_owned())).is_none());
        assert!(narrowed(&iam, &parts(&[("cloudtrail.trail", None)])).is_none());
        let both = parts(&[("cloudtrail.trail", None), ("iam.role", None)]);
        assert_eq!(narrowed(&iam, &both).unwrap().kinds, ["iam.role"]);
        let here = Selectors { regions: vec!["eu-west-1".to_owned()], ..Selectors::default() };
        assert!(narrowed(&here, &parts(&[("ec2.ebs_encryption", Some("us-east-1"))])).is_none());
        let other = Selectors { accounts: vec!["444455556666".to_owned()], ..Selectors::default() };
        assert!(narrowed(&other, &What::Account(account())).is_none());
        assert!(narrowed(&other, &parts(&[("iam.role", None)])).is_none());
        assert!(is_whole(&other) && !is_whole(&here) && !is_whole(&iam));
    }

    #[test]
    fn baselines_in_the_place_of_targets_have_no_target() {
        let named = Selectors { baselines: vec!["b.toml".into()], ..Selectors::default() };
        for what in [What::Target("command line".to_owned()), What::Path("command line".to_owned())]
        {
            assert!(narrowed(&named, &what).unwrap().targets.is_empty(), "{what:?}");
        }
    }
}
