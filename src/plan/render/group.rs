//! The same change shown once: objects whose drift, risk and disposition are alike, together.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{ObjectPlan, Plan, TargetRef, Verdict};

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

/// Groups the objects that a test lets through, in the plan's order.
pub fn group<'a>(plan: &'a Plan, wanted: impl Fn(&Verdict) -> bool) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for object in plan.objects.iter().filter(|object| wanted(&object.verdict)) {
        let key = likeness(object);
        match places.get(&key) {
            Some(place) => groups[*place].objects.push(object),
            None => {
                places.insert(key, groups.len());
                groups.push(Group { first: object, objects: vec![object] });
            }
        }
    }
    groups
}

/// What objects must share to be shown together.
fn likeness(object: &ObjectPlan) -> String {
    let changes: Vec<_> = object
        .changes
        .iter()
        .map(|change| (&change.drift, change.risk, &change.warnings, &change.disposition))
        .collect();
    let verdict = match &object.verdict {
        Verdict::Unknown(unknown) => {
            let reason = unknown
                .reason
                .replace(object.region.as_str(), "REGION")
                .replace(object.account.as_str(), "ACCOUNT");
            // The request id is of no use to tell causes apart.
            format!("unknown {}", reason.split(" (request ").next().unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    format!("{}|{:?}|{verdict}|{changes:?}", object.item, object.mode)
}

impl Group<'_> {
    /// Where the objects are: `global`, `eu-west-1`, `all 17 regions`, `2 accounts: …`.
    pub fn place(&self, plan: &Plan) -> String {
        let accounts: BTreeSet<_> = self.objects.iter().map(|object| &object.account).collect();
        let regions: BTreeSet<_> = self.objects.iter().map(|object| &object.region).collect();
        let mut parts = Vec::new();
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
                    let target = plan.targets.iter().find(|target| target.account == **account);
                    target.map_or_else(|| account.to_string(), account_name)
                })
                .collect();
            parts.push(if names.len() == 1 {
                names.concat()
            } else {
                format!("{} accounts: {}", names.len(), shortened(&names))
            });
        }
        parts.join(" · ")
    }

    /// The objects' names: `vpc-0a1b (10.0.0.0/16)`, or `23 objects: …`; empty for singletons.
    pub fn names(&self) -> String {
        let names: BTreeSet<String> =
            self.objects.iter().filter_map(|object| object_name(object)).collect();
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
