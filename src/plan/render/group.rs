//! The same change shown once: objects whose drift, risk and disposition are alike, together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::digest;
use crate::names::AccountId;
use crate::plan::{AlikeTo, ObjectPlan, Plan, TargetRef, Verdict};

/// Names listed before "and N more".
const NAMED: usize = 3;

/// Objects of one item that a reader can take in at once.
#[derive(Debug)]
pub struct Group<'a> {
    /// One of them, for what they share.
    pub first: &'a ObjectPlan,
    /// All of them.
    pub objects: Vec<&'a ObjectPlan>,
}

/// Groups the objects that a test lets through; see [`group_of`].
pub fn group<'a>(plan: &'a Plan, wanted: impl Fn(&Verdict) -> bool) -> Vec<Group<'a>> {
    group_of(plan.objects.iter().filter(|object| wanted(&object.verdict)))
}

/// Groups objects. In a fleet, what concerns few accounts comes first: what all of them lack is
/// known soon, and what one has alone should be seen.
pub fn group_of<'a>(objects: impl Iterator<Item = &'a ObjectPlan>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut accounts: BTreeSet<&AccountId> = BTreeSet::new();
    for object in objects {
        accounts.insert(&object.account);
        let mark = object.alike.as_ref().map_or_else(|| likeness(object), |to| to.mark.clone());
        match places.get(&mark) {
            Some(place) => {
                let group = &mut groups[*place];
                group.objects.push(object);
                if object.alike.as_ref().is_some_and(|to| to.holds) {
                    group.first = object;
                }
            }
            None => {
                places.insert(mark, groups.len());
                groups.push(Group { first: object, objects: vec![object] });
            }
        }
    }
    if accounts.len() > 2 {
        groups.sort_by_key(|group| group.accounts().len());
    }
    groups
}

/// Keeps once what is shown of objects that are alike: in a large fleet, most of them are.
#[derive(Debug, Default)]
pub struct Alike {
    marks: BTreeSet<Arc<str>>,
}

impl Alike {
    /// Marks an object, and leaves out of it what an earlier one holds for all that are like it.
    pub fn note(&mut self, object: &mut ObjectPlan) {
        let mark = likeness(object);
        let (mark, holds) = match self.marks.get(&mark) {
            Some(known) => (Arc::clone(known), false),
            None => {
                self.marks.insert(Arc::clone(&mark));
                (mark, true)
            }
        };
        object.alike = Some(AlikeTo { mark, holds });
        if holds {
            return;
        }
        object.controls = Vec::new();
        object.note = None;
        object.location = None;
        for change in &mut object.changes {
            change.drift = Vec::new();
            change.warnings = Vec::new();
            change.permissions = Vec::new();
            change.action = None;
        }
    }
}

/// What objects must share to be shown together; the ids of account and Region may differ.
fn likeness(object: &ObjectPlan) -> Arc<str> {
    let changes: Vec<_> = object
        .changes
        .iter()
        .map(|change| (&change.drift, change.risk, &change.warnings, &change.disposition))
        .collect();
    let verdict = match &object.verdict {
        // The request id is of no use to tell causes apart.
        Verdict::Unknown(unknown) => {
            format!("unknown {}", unknown.reason.split(" (request ").next().unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    // The line that declares it is shown of all, and so is why.
    let all = format!(
        "{}|{:?}|{:?}|{:?}|{verdict}|{changes:?}",
        object.item, object.mode, object.location, object.note
    );
    let all = all.replace(object.account.as_str(), "ACCOUNT");
    digest::of(&all.replace(object.region.as_str(), "REGION")).into()
}

impl Group<'_> {
    /// The accounts that the objects are in.
    pub fn accounts(&self) -> BTreeSet<&AccountId> {
        self.objects.iter().map(|object| &object.account).collect()
    }

    /// A text of the first object as it holds for all: where they are in several accounts or
    /// Regions, the first one's own id is replaced by its placeholder.
    pub fn for_all(&self, text: &str) -> String {
        let first = self.first;
        let mut text = text.to_owned();
        if self.objects.iter().any(|object| object.account != first.account) {
            text = text.replace(first.account.as_str(), "${account.id}");
        }
        if self.objects.iter().any(|object| object.region != first.region) {
            text = text.replace(first.region.as_str(), "${region}");
        }
        text
    }

    /// Where the objects are: `global`, `eu-west-1`, `all 17 regions`, `2 accounts: …`.
    pub fn place(&self, plan: &Plan) -> String {
        let accounts = self.accounts();
        let regions: BTreeSet<_> = self.objects.iter().map(|object| &object.region).collect();
        let mut parts = Vec::new();
        let places: BTreeSet<_> =
            self.objects.iter().map(|object| (&object.account, &object.region)).collect();
        if !self.first.global && places.len() < accounts.len() * regions.len() {
            parts.push(format!("{} places", places.len()));
        }
        if self.first.global {
            if plan.targets.len() < 2 {
                parts.push("global".to_owned());
            }
        } else {
            let all: BTreeSet<_> = plan.targets.iter().flat_map(|target| &target.regions).collect();
            parts.push(if regions.len() == 1 {
                regions.iter().map(ToString::to_string).collect()
            } else if regions.len() == all.len() {
                format!("all {} regions", regions.len())
            } else {
                let names: Vec<_> = regions.iter().map(ToString::to_string).collect();
                format!("{} regions: {}", names.len(), shortened(&names))
            });
        }
        if plan.targets.len() > 1 {
            let names: Vec<_> = accounts
                .iter()
                .map(|account| {
                    // Targets are sorted by account.
                    plan.targets
                        .binary_search_by(|target| target.account.cmp(account))
                        .map_or_else(|_| account.to_string(), |at| account_name(&plan.targets[at]))
                })
                .collect();
            parts.push(if names.len() == 1 {
                names.concat()
            } else if names.len() == plan.targets.len() {
                format!("all {} accounts", names.len())
            } else {
                format!("{} accounts: {}", names.len(), shortened(&names))
            });
        }
        parts.join(" · ")
    }

    /// The objects' names: `vpc-0a1b (10.0.0.0/16)`, or `23 objects: …`; empty for singletons.
    pub fn names(&self) -> String {
        let several = self.accounts().len() > 1;
        let names: BTreeSet<String> = self
            .objects
            .iter()
            .filter_map(|object| {
                let name = object_name(object)?;
                Some(match several {
                    true => name.replace(object.account.as_str(), "${account.id}"),
                    false => name,
                })
            })
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        match names.len() {
            0 => String::new(),
            1 => names.concat(),
            count => format!("{count} objects: {}", shortened(&names)),
        }
    }
}

/// An account with its name: `111122223333 (payments)`.
pub fn account_name(target: &TargetRef) -> String {
    match &target.name {
        Some(name) => format!("{} ({name})", target.account),
        None => target.account.to_string(),
    }
}

/// An object's id and label; nothing for the one object of a singleton, or where the id is the
/// item's own name.
fn object_name(object: &ObjectPlan) -> Option<String> {
    let id = &object.observed.id;
    if id.is_empty() {
        return object.observed.label.clone();
    }
    Some(match &object.observed.label {
        Some(label) => format!("{id} ({label})"),
        None => id.clone(),
    })
}

/// The first few names, and how many more there are.
fn shortened(names: &[String]) -> String {
    if names.len() <= NAMED + 1 {
        names.join(", ")
    } else {
        format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(account: &str, length: u32) -> ObjectPlan {
        serde_json::from_value(json!({
            "account": account, "region": "eu-west-1", "global": true,
            "item": "iam.password_policy", "mode": "enforce", "controls": ["IAM.7"],
            "verdict": {"is": "drifted"}, "spec": null, "state_digest": "",
            "observed": {"id": "", "status": "absent"},
            "changes": [{
                "id": 1, "action": {}, "risk": "safe", "warnings": [], "permissions": [],
                "disposition": {"is": "apply"}, "depends_on": [],
                "drift": [{"field": "minimum_password_length", "actual": length, "desired": 14}],
            }],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_alike_is_kept_once_and_grouped_as_before() {
        let whole = [
            object("000000000001", 8),
            object("000000000002", 8),
            object("000000000003", 6),
            object("000000000004", 8),
        ];
        // They come in another order than they are shown in.
        let mut thin = whole.clone();
        let mut alike = Alike::default();
        for place in [3, 2, 1, 0] {
            alike.note(&mut thin[place]);
        }
        let shown = |groups: Vec<Group<'_>>| -> Vec<(usize, String)> {
            groups
                .iter()
                .map(|group| (group.objects.len(), format!("{:?}", group.first.changes[0].drift)))
                .collect()
        };
        assert_eq!(shown(group_of(thin.iter())), shown(group_of(whole.iter())));
        assert_eq!(thin.iter().filter(|object| object.controls.is_empty()).count(), 2);
    }
}
