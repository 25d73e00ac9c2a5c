//! What new lifecycle rules do to objects that are there.

use std::collections::BTreeSet;

use super::rule::{
    Expiration, Filter, NoncurrentVersionExpiration, Rule, Status, StorageClass, Transition,
};

/// Which versions are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Objects,
    FormerVersions,
}

/// Rules that delete something which no rule deletes as early today.
pub fn new_deletions<'a>(declared: &'a [Rule], actual: &[Rule]) -> Vec<&'a Rule> {
    let enabled = declared.iter().filter(|rule| rule.is_enabled() && rule.deletes());
    enabled.filter(|rule| !rule.deletes_no_more_than(actual)).collect()
}

/// The classes of storage to which objects are moved that do not get there as early today, and in
/// which they are less at hand.
pub fn new_moves(declared: &[Rule], actual: &[Rule]) -> BTreeSet<StorageClass> {
    let mut classes = BTreeSet::new();
    for rule in declared.iter().filter(|rule| rule.is_enabled()) {
        let there: Vec<(Of, Transition)> = actual
            .iter()
            .filter(|there| there.is_enabled() && there.filter.covers(&rule.filter))
            .flat_map(Rule::moves)
            .collect();
        let is_there = |(of, new): &(Of, Transition)| {
            there.iter().any(|(of_one, one)| {
                of_one == of
                    && one.storage_class == new.storage_class
                    && is_as_early((one.days, &one.date), (new.days, &new.date))
            })
        };
        let new = rule.moves().filter(|new| !is_there(new)).map(|(_, new)| new.storage_class);
        classes.extend(new.filter(|class| !class.what_it_costs().is_empty()));
    }
    classes
}

/// Whether what is done after some days, or on a day, is done as early as something else.
fn is_as_early(one: (Option<i32>, &Option<String>), other: (Option<i32>, &Option<String>)) -> bool {
    match (one, other) {
        ((Some(days), None), (Some(others), None)) => days <= others,
        (one, other) => one == other,
    }
}

impl StorageClass {
    /// Whether objects must be restored before anybody can read them (S3 User Guide, "Working with
    /// archived objects").
    pub fn must_be_restored(self) -> bool {
        matches!(self, Self::Glacier | Self::DeepArchive)
    }

    /// What an object loses there; nothing where it is as safe and as soon read as before.
    pub fn what_it_costs(self) -> &'static str {
        match self {
            Self::OnezoneIa => {
                "weaker than before: objects that are moved to ONEZONE_IA are in one Availability Zone, and lost with it"
            }
            Self::Glacier => {
                "objects that are moved to GLACIER cannot be read until they are restored, which takes minutes to hours"
            }
            Self::DeepArchive => {
                "objects that are moved to DEEP_ARCHIVE cannot be read until they are restored, which takes hours to days"
            }
            Self::StandardIa | Self::IntelligentTiering | Self::GlacierIr => "",
        }
    }
}

impl Rule {
    /// Whether the rule is in force, as it is unless it says otherwise.
    fn is_enabled(&self) -> bool {
        self.status != Some(Status::Disabled)
    }

    /// Where the rule moves objects, and former versions.
    fn moves(&self) -> impl Iterator<Item = (Of, Transition)> {
        let former = self.noncurrent_version_transitions.iter().map(|former| Transition {
            days: Some(former.noncurrent_days),
            date: None,
            storage_class: former.storage_class,
        });
        let current = self.transitions.iter().cloned().map(|one| (Of::Objects, one));
        current.chain(former.map(|one| (Of::FormerVersions, one)))
    }

    /// Whether all that the rule deletes is deleted as early by rules that are there.
    fn deletes_no_more_than(&self, actual: &[Self]) -> bool {
        let there: Vec<&Self> = actual
            .iter()
            .filter(|there| there.is_enabled() && there.filter.covers(&self.filter))
            .collect();
        let current = self.expiration.as_ref().is_none_or(|new| {
            let found =
                |one: &Expiration| is_as_early((one.days, &one.date), (new.days, &new.date));
            (new.days.is_none() && new.date.is_none())
                || there.iter().filter_map(|there| there.expiration.as_ref()).any(found)
        });
        let former = self.noncurrent_version_expiration.as_ref().is_none_or(|new| {
            let kept =
                |one: &NoncurrentVersionExpiration| one.newer_noncurrent_versions.unwrap_or(0);
            let all = there.iter().filter_map(|there| there.noncurrent_version_expiration.as_ref());
            all.into_iter()
                .any(|one| one.noncurrent_days <= new.noncurrent_days && kept(one) <= kept(new))
        });
        current && former
    }
}

impl Filter {
    /// Whether all objects that another is for are meant here.
    fn covers(&self, other: &Self) -> bool {
        let at_least = |least: Option<i64>, other: Option<i64>| {
            least.is_none_or(|least| other.is_some_and(|other| least <= other))
        };
        let at_most = |most: Option<i64>, other: Option<i64>| {
            most.is_none_or(|most| other.is_some_and(|other| other <= most))
        };
        other.prefix.starts_with(&self.prefix)
            && self.tags.iter().all(|(key, value)| other.tags.get(key) == Some(value))
            && at_least(self.object_size_greater_than, other.object_size_greater_than)
            && at_most(self.object_size_less_than, other.object_size_less_than)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(rules: Value) -> Vec<Rule> {
        serde_json::from_value(rules).unwrap()
    }

    #[test]
    fn what_is_kept_longer_is_no_deletion() {
        let after = |days: i32| json!([{ "expiration": { "days": days } }]);
        let former = |days: i32, kept: i32| {
            json!([{ "noncurrent_version_expiration":
                { "noncurrent_days": days, "newer_noncurrent_versions": kept } }])
        };
        let below =
            |prefix: &str| json!([{ "filter": { "prefix": prefix }, "expiration": { "days": 9 } }]);
        let off = json!([{ "status": "Disabled", "expiration": { "days": 9 } }]);
        for (before, then, deletes) in [
            (after(100), after(200), false),
            (after(100), after(100), false),
            (after(200), after(100), true),
            (json!([]), after(100), true),
            (off.clone(), after(9), true),
            (after(9), off, false),
            (after(9), below("a/"), false),
            (below("a/"), after(9), true),
            (below("a/"), below("a/b/"), false),
            (below("a/"), below("b/"), true),
            (former(30, 3), former(60, 3), false),
            (former(30, 3), former(30, 2), true),
            (former(30, 3), former(20, 3), true),
            (json!([{ "expiration": { "date": "2030-01-01" } }]), after(100), true),
        ] {
            let (before, then) = (rules(before), rules(then));
            assert_eq!(!new_deletions(&then, &before).is_empty(), deletes, "{before:?} {then:?}");
        }
    }

    #[test]
    fn where_objects_are_less_at_hand_is_said() {
        let to = |class: &str, days: i32| json!([{ "transitions": [{ "days": days, "storage_class": class }] }]);
        let former = json!([{ "noncurrent_version_transitions":
            [{ "noncurrent_days": 9, "storage_class": "GLACIER" }] }]);
        for (before, then, said) in [
            (json!([]), to("STANDARD_IA", 30), None),
            (json!([]), to("ONEZONE_IA", 30), Some(StorageClass::OnezoneIa)),
            (json!([]), to("DEEP_ARCHIVE", 1), Some(StorageClass::DeepArchive)),
            (to("GLACIER", 30), to("GLACIER", 60), None),
            (to("GLACIER", 30), to("GLACIER", 29), Some(StorageClass::Glacier)),
            (former.clone(), to("GLACIER", 30), Some(StorageClass::Glacier)),
            (json!([]), former, Some(StorageClass::Glacier)),
        ] {
            let (before, then) = (rules(before), rules(then));
            let moves: Vec<StorageClass> = new_moves(&then, &before).into_iter().collect();
            assert_eq!(moves.first().copied(), said, "{before:?} {then:?}");
        }
    }
}
