//! Writes an account's present state down as a baseline, so that adopting evenkeel begins with an
//! empty plan.
//!
//! Every kind is observed with all its fields declared; what it then exports is observed and
//! compared once more, and only what that finds in sync is written. What is left out is named in a
//! comment, with the reason.

mod survey;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::aws::reads::ReadCache;
use crate::aws::{AwsError, Session};
use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::{Cx, Facts, Object, Scope, Status, registry};
use crate::names::{AccountId, ItemName, Region};
use crate::reconcile::{Selection, regions};

pub use write::baseline;

/// One item of the baseline to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Its name.
    pub item: ItemName,
    /// The Regions that it holds in; `None` for global kinds.
    pub regions: Option<BTreeSet<Region>>,
    /// What it declares.
    pub spec: Value,
}

/// What an account holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    /// The items, in the registry's order.
    pub items: Vec<Exported>,
    /// What is not declared, and why.
    pub left_out: Vec<String>,
    /// The Regions that were looked at.
    pub regions: BTreeSet<Region>,
}

/// An object that could be declared.
struct Candidate {
    name: Option<String>,
    facts: Facts,
    object: String,
    spec: Value,
}

/// Reads an account.
///
/// # Errors
/// The enabled Regions are needed and cannot be read.
pub async fn export(session: &Arc<Session>, selection: &Selection) -> Result<Export, AwsError> {
    let reads = Arc::new(ReadCache::default());
    let home = session.home_region().clone();
    let regions: BTreeSet<Region> = if selection.regions.is_empty() {
        regions::enabled(session, &reads).await?.iter().cloned().collect()
    } else {
        selection.regions.clone()
    };
    let mut export = Export { regions: regions.clone(), ..Export::default() };
    for kind in registry::all().iter().filter(|kind| selection.has_kind(kind.name())) {
        let kind = kind.as_ref();
        let places = match kind.scope() {
            Scope::Global => BTreeSet::from([home.clone()]),
            Scope::Regional => regions.clone(),
        };
        let Some(wide) = survey::wide_spec(kind, session) else {
            export.left_out.push(format!("{}: nothing to look for", kind.name()));
            continue;
        };
        let mut candidates = Vec::new();
        for region in &places {
            let facts = Facts {
                account: session.account().clone(),
                partition: session.partition().to_owned(),
                region: region.clone(),
                home_region: home.clone(),
                item: ItemName::singleton(kind.name()),
            };
            let cx = Cx::new(facts.clone(), Arc::clone(session), Arc::clone(&reads));
            look(kind, &cx, &regions, &wide, &mut candidates, &mut export.left_out).await;
        }
        join(kind, session.account(), candidates, &mut export);
    }
    Ok(export)
}

/// Finds what a kind could declare in one place.
async fn look(
    kind: &dyn DynKind,
    cx: &Cx,
    regions: &BTreeSet<Region>,
    wide: &Value,
    candidates: &mut Vec<Candidate>,
    left_out: &mut Vec<String>,
) {
    let specs: Vec<(Option<String>, Value)> = match kind.identity() {
        Identity::Singleton | Identity::Sweep => vec![(None, wide.clone())],
        Identity::Named { field, .. } => match kind.find_all(cx, regions).await {
            Ok(found) => found
                .into_iter()
                .map(|fields| {
                    let name = fields.get(field).and_then(Value::as_str).map(str::to_owned);
                    let mut spec = wide.clone();
                    for (field, value) in fields {
                        spec[field] = value;
                    }
                    (name, spec)
                })
                .collect(),
            Err(error) => {
                left_out.push(format!("{} in {}: {error}", kind.name(), cx.region));
                return;
            }
        },
    };
    for (name, spec) in specs {
        let title = name.as_deref().unwrap_or_default();
        let objects = match kind.observe(cx, &spec).await {
            Ok(objects) => objects,
            Err(error) => {
                left_out.push(format!("{} {title} in {}: {error}", kind.name(), cx.region));
                continue;
            }
        };
        for object in objects {
            match declare(kind, cx, &object).await {
                Ok(None) => {}
                Ok(Some(spec)) => candidates.push(Candidate {
                    name: name.clone(),
                    facts: cx.facts().clone(),
                    object: object.id.clone(),
                    spec,
                }),
                Err(reason) => left_out.push(format!(
                    "{} {} in {}: {reason}",
                    kind.name(),
                    object.id,
                    cx.region
                )),
            }
        }
    }
}

/// What an object's present state is as a declaration; fields that would be changed all the same
/// are taken out again.
async fn declare(
    kind: &dyn DynKind,
    cx: &Cx,
    object: &Object<Value>,
) -> Result<Option<Value>, String> {
    match &object.status {
        Status::Absent => return Ok(None),
        Status::Unknown(unknown) => return Err(unknown.reason.clone()),
        Status::Skipped { reason } => return Err(reason.clone()),
        Status::Present(_) => {}
    }
    if let Some(manager) = &object.managed_by {
        return Err(format!("managed by {manager}"));
    }
    let exported = kind.export(cx.facts(), object).map_err(|misfit| misfit.to_string())?;
    let Some(mut spec) = exported else { return Ok(None) };
    survey::without_nulls(&mut spec);
    // Each round takes out the fields that still differ; two are enough for those that depend on
    // each other.
    for _ in 0..3 {
        let problems = kind.check(&spec);
        let mut wrong: BTreeSet<String> =
            problems.iter().map(|problem| survey::top_field(&problem.field)).collect();
        if problems.is_empty() {
            let again = kind.observe(cx, &spec).await.map_err(|error| error.to_string())?;
            let Some(again) = again.into_iter().find(|again| again.id == object.id) else {
                return Err("it was not found a second time".to_owned());
            };
            let changes =
                kind.diff(cx.facts(), &spec, &again).map_err(|misfit| misfit.to_string())?;
            if changes.is_empty() {
                return Ok(Some(spec));
            }
            wrong.extend(
                changes
                    .iter()
                    .flat_map(|change| &change.drift)
                    .map(|drift| survey::top_field(&drift.field)),
            );
        }
        let Some(map) = spec.as_object_mut() else { break };
        let before = map.len();
        map.retain(|field, _| !wrong.contains(field));
        if map.len() == before {
            break;
        }
    }
    Err("its present state cannot be declared so that nothing would change".to_owned())
}

/// Makes items of what was found. A kind that is declared once can say one thing alone: what most
/// objects have in common is declared, where all objects of a Region have it; the others are named.
fn join(kind: &dyn DynKind, account: &AccountId, candidates: Vec<Candidate>, export: &mut Export) {
    let regional = kind.scope() == Scope::Regional;
    let mut of_name: BTreeMap<Option<String>, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        of_name.entry(candidate.name.clone()).or_default().push(candidate);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (name, candidates) in of_name {
        let Identity::Named { prefix, .. } = kind.identity() else {
            once(kind, &candidates, regional, export);
            continue;
        };
        let aws_name = name.unwrap_or_default();
        // The same name in several Regions is one item where it says the same.
        let mut alike: Vec<(Value, BTreeSet<Region>)> = Vec::new();
        for candidate in candidates {
            match alike.iter_mut().find(|(spec, _)| *spec == candidate.spec) {
                Some((_, regions)) => {
                    regions.insert(candidate.facts.region);
                }
                None => alike.push((candidate.spec, BTreeSet::from([candidate.facts.region]))),
            }
        }
        alike.sort_by_key(|(_, regions)| std::cmp::Reverse(regions.len()));
        let mut alike = alike.into_iter();
        let Some((spec, regions)) = alike.next() else { continue };
        for region in alike.flat_map(|(_, regions)| regions) {
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
        export.items.push(Exported {
            item: ItemName::named(kind.name(), own),
            regions: regional.then_some(regions),
            spec,
        });
    }
}

fn once(kind: &dyn DynKind, candidates: &[Candidate], regional: bool, export: &mut Export) {
    let count = |spec: &Value| candidates.iter().filter(|other| other.spec == *spec).count();
    let Some(common) = candidates.iter().max_by_key(|candidate| count(&candidate.spec)) else {
        return;
    };
    let differs: Vec<&Candidate> =
        candidates.iter().filter(|candidate| candidate.spec != common.spec).collect();
    let mixed: BTreeSet<&Region> =
        differs.iter().map(|candidate| &candidate.facts.region).collect();
    for candidate in &differs {
        let id = &candidate.object;
        let gap = if id.is_empty() { "" } else { " " };
        let region = &candidate.facts.region;
        export.left_out.push(format!(
            "{}{gap}{id} in {region}: it differs from most others, and the item can say one thing alone",
            kind.name()
        ));
    }
    let regions: BTreeSet<Region> = candidates
        .iter()
        .map(|candidate| &candidate.facts.region)
        .filter(|region| !mixed.contains(region))
        .cloned()
        .collect();
    if regions.is_empty() {
        return;
    }
    export.items.push(Exported {
        item: ItemName::singleton(kind.name()),
        regions: regional.then_some(regions),
        spec: common.spec.clone(),
    });
}
