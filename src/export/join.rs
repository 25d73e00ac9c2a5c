//! From the objects of all Regions to items.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::look::{Candidate, stands};
use super::{Export, Exported, survey};
use crate::baseline::catalog::Identity;
use crate::kinds::Scope;
use crate::kinds::erased::DynKind;
use crate::names::{AccountId, ItemName, Region};

/// Different declarations of which it is tried whether they hold for all objects.
const TRIED: usize = 8;

/// Makes items of what was found. A kind that is declared once can say one thing alone: what holds
/// for most objects is declared, where it holds for all objects of a Region; the others are named.
pub(super) async fn join(
    kind: &dyn DynKind,
    account: &AccountId,
    candidates: Vec<Candidate>,
    export: &mut Export,
) {
    match kind.identity() {
        Identity::Named { prefix, .. } => named(kind, prefix, account, candidates, export),
        Identity::Singleton | Identity::Sweep => once(kind, &candidates, export).await,
    }
}

fn named(
    kind: &dyn DynKind,
    prefix: &str,
    account: &AccountId,
    candidates: Vec<Candidate>,
    export: &mut Export,
) {
    let mut of_name: BTreeMap<Option<String>, Vec<Candidate>> = BTreeMap::new();
    // Two names of one thing would be two items that govern it.
    let mut declared: BTreeMap<(Region, String), String> = BTreeMap::new();
    for candidate in candidates {
        let region = &candidate.cx.facts().region;
        let mut keys = candidate.things.iter().map(|thing| (region.clone(), thing.clone()));
        if let Some(key) = keys.find(|key| declared.contains_key(key)) {
            export.left_out.push(format!(
                "{} {} in {region}: it is {}, as {} is, and a thing is declared in one item only",
                kind.name(),
                candidate.object,
                key.1,
                declared[&key],
            ));
            continue;
        }
        for thing in &candidate.things {
            declared.insert((region.clone(), thing.clone()), candidate.object.clone());
        }
        of_name.entry(candidate.name.clone()).or_default().push(candidate);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (name, candidates) in of_name {
        let aws_name = name.unwrap_or_default();
        // The same name in several Regions is one item where it says the same.
        let mut alike: Vec<Exported> = Vec::new();
        for candidate in candidates {
            let at = alike.iter().position(|item| item.spec == candidate.spec);
            let at = at.unwrap_or_else(|| {
                alike.push(Exported {
                    item: ItemName::singleton(kind.name()),
                    regions: Some(BTreeSet::new()),
                    spec: candidate.spec,
                    other_names: BTreeSet::new(),
                    literal: BTreeSet::new(),
                });
                alike.len() - 1
            });
            let region = candidate.cx.facts().region.clone();
            alike[at].regions.get_or_insert_default().insert(region);
            alike[at].other_names.extend(candidate.other_names);
        }
        let regions = |item: &Exported| item.regions.as_ref().map_or(0, BTreeSet::len);
        alike.sort_by_key(|item| std::cmp::Reverse(regions(item)));
        let mut alike = alike.into_iter();
        let Some(mut exported) = alike.next() else { continue };
        for region in alike.flat_map(|item| item.regions).flatten() {
            export.left_out.push(format!(
                "{} {aws_name} in {region}: it differs from the one of that name in other Regions, and an object is declared in one item only",
                kind.name()
            ));
        }
        let base = survey::item_name(&aws_name, prefix, account);
        let mut own = base.clone();
        let mut number = 2;
        while !taken.insert(own.clone()) {
            own = format!("{base}-{number}");
            number += 1;
        }
        exported.item = ItemName::named(kind.name(), own);
        exported.regions = exported.regions.filter(|_| kind.scope() == Scope::Regional);
        export.items.push(exported);
    }
}

async fn once(kind: &dyn DynKind, candidates: &[Candidate], export: &mut Export) {
    // What most have comes first; of two, the one of the home Region, where more can be declared.
    let mut specs: Vec<(&Value, usize, bool)> = Vec::new();
    for candidate in candidates {
        let home = candidate.cx.facts().is_home();
        match specs.iter_mut().find(|(spec, _, _)| *spec == &candidate.spec) {
            Some((_, count, at_home)) => {
                *count += 1;
                *at_home |= home;
            }
            None => specs.push((&candidate.spec, 1, home)),
        }
    }
    specs.sort_by_key(|(_, count, home)| std::cmp::Reverse((*count, *home)));
    let at_home = specs.iter().skip(TRIED).position(|(_, _, home)| *home);
    if let Some(place) = at_home {
        specs.swap(TRIED - 1, TRIED + place);
    }
    specs.truncate(TRIED);
    let mut best: Option<(&Value, Vec<bool>)> = None;
    for (spec, _, _) in specs {
        let mut fits = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            fits.push(*spec == candidate.spec || holds(kind, candidate, spec).await);
        }
        let count = |fits: &[bool]| fits.iter().filter(|fits| **fits).count();
        if best.as_ref().is_none_or(|(_, most)| count(&fits) > count(most)) {
            best = Some((spec, fits));
        }
    }
    let Some((spec, fits)) = best else { return };
    let mut regions = BTreeSet::new();
    let mut mixed: BTreeSet<&Region> = BTreeSet::new();
    let mut other_names = BTreeSet::new();
    let mut agreeing = Vec::new();
    for (candidate, fits) in candidates.iter().zip(fits) {
        let region = &candidate.cx.facts().region;
        if fits {
            regions.insert(region.clone());
            agreeing.push(candidate);
            other_names.extend(candidate.other_names.iter().cloned());
            continue;
        }
        mixed.insert(region);
        export.left_out.push(format!(
            "{} in {region}: it differs from most others, and the item can say one thing alone",
            object_name(kind, candidate)
        ));
    }
    regions.retain(|region| !mixed.contains(region));
    // An item governs all objects of a Region or none.
    for candidate in agreeing {
        let region = &candidate.cx.facts().region;
        if mixed.contains(region) {
            export.left_out.push(format!(
                "{} in {region}: another one in this Region differs, and an item governs all of a Region",
                object_name(kind, candidate)
            ));
        }
    }
    if regions.is_empty() {
        return;
    }
    export.items.push(Exported {
        item: ItemName::singleton(kind.name()),
        regions: (kind.scope() == Scope::Regional).then_some(regions),
        spec: spec.clone(),
        other_names,
        literal: BTreeSet::new(),
    });
}

/// An object of an export, as its list of what is left out names it.
fn object_name(kind: &dyn DynKind, candidate: &Candidate) -> String {
    match candidate.object.as_str() {
        "" => kind.name().to_owned(),
        id => format!("{} {id}", kind.name()),
    }
}

/// Whether another object's declaration would change nothing of this one: a kind may have words that
/// mean something else in the home Region.
async fn holds(kind: &dyn DynKind, candidate: &Candidate, spec: &Value) -> bool {
    let Ok(objects) = kind.observe(&candidate.cx, spec).await else { return false };
    let same = objects.iter().find(|object| object.id == candidate.object);
    same.is_some_and(|object| {
        object.state().is_some()
            && kind.diff(candidate.cx.facts(), spec, object).is_ok_and(|changes| {
                let told = changes.iter().map(|one| (one.action.is_some(), &one.drift[..]));
                changes.is_empty() || stands(spec, told)
            })
    })
}
