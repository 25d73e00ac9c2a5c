//! From a baseline to what is declared for one account: items × Regions, each with its spec.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::aws::{AwsError, Session};
use crate::baseline::item::RegionWord;
use crate::baseline::{Baseline, ItemError, Regions, ResolvedItem, TargetFacts};
use crate::kinds::object::Unknown;
use crate::kinds::{Facts, Scope, registry};
use crate::names::{ItemName, Region};
use crate::plan::{Declared, Mode, ObservedItem};

/// Which part of a baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these Regions; all when empty.
    pub regions: BTreeSet<Region>,
    /// Only these kinds or services; all when empty.
    pub kinds: BTreeSet<String>,
    /// Only these items in these Regions.
    pub only: Option<BTreeSet<(ItemName, Region)>>,
}

impl Selection {
    /// Whether a kind is selected, by its own name or its service's.
    pub fn has_kind(&self, kind: &str) -> bool {
        let service = kind.split('.').next().unwrap_or_default();
        self.kinds.is_empty() || self.kinds.contains(kind) || self.kinds.contains(service)
    }

    fn has(&self, item: &ItemName, region: &Region, scope: Scope) -> bool {
        let by_region =
            scope == Scope::Global || self.regions.is_empty() || self.regions.contains(region);
        let by_place =
            self.only.as_ref().is_none_or(|only| only.contains(&(item.clone(), region.clone())));
        self.has_kind(&item.kind) && by_region && by_place
    }
}

/// What is declared for an account, and what cannot be resolved for it.
#[derive(Debug, Default)]
pub struct Declarations {
    /// To be observed.
    pub items: Vec<(Declared, Facts)>,
    /// Not to be observed: unknown from the start.
    pub unresolved: Vec<ObservedItem>,
    /// The Regions that were looked at.
    pub regions: Vec<Region>,
}

/// Resolves a baseline for an account. The enabled Regions are asked for when an item needs them.
///
/// # Errors
/// The enabled Regions are needed and cannot be read.
pub async fn declare(
    baseline: &Baseline<'_>,
    session: &Arc<Session>,
    ceiling: Mode,
    selection: &Selection,
) -> Result<Declarations, AwsError> {
    let home = session.home_region().clone();
    let mut found = Declarations::default();
    let at_home = baseline.resolve(&target_facts(session, &home));
    let mut wanted: BTreeSet<Region> = BTreeSet::new();
    let mut all_enabled = false;
    let mut regional = false;
    for item in at_home.iter().filter_map(|item| item.as_ref().ok()) {
        if registry::find(&item.item.kind).is_some_and(|kind| kind.scope() == Scope::Regional)
            && selection.has_kind(&item.item.kind)
        {
            regional = true;
            match &item.regions {
                Regions::Word(RegionWord::Enabled) => all_enabled = true,
                Regions::Word(RegionWord::Home) => {
                    wanted.insert(home.clone());
                }
                Regions::List(list) => wanted.extend(list.iter().cloned()),
            }
        }
    }
    if all_enabled {
        if selection.regions.is_empty() {
            wanted.extend(super::regions::enabled(session).await?);
        } else {
            wanted.extend(selection.regions.iter().cloned());
        }
    }
    if !selection.regions.is_empty() {
        wanted.retain(|region| selection.regions.contains(region));
    }
    if !regional {
        wanted.insert(home.clone());
    }
    place(&mut found, at_home, session, &home, Scope::Global, ceiling, selection);
    for region in &wanted {
        let items = baseline.resolve(&target_facts(session, region));
        place(&mut found, items, session, region, Scope::Regional, ceiling, selection);
    }
    found.regions = wanted.into_iter().collect();
    sort(&mut found.items);
    Ok(found)
}

/// Keeps the items of one scope.
fn place(
    found: &mut Declarations,
    items: Vec<Result<ResolvedItem, Box<ItemError>>>,
    session: &Arc<Session>,
    region: &Region,
    scope: Scope,
    ceiling: Mode,
    selection: &Selection,
) {
    for item in items {
        let name = match &item {
            Ok(item) => item.item.clone(),
            Err(error) => error.item.clone(),
        };
        let here = registry::find(&name.kind).is_some_and(|kind| kind.scope() == scope)
            && selection.has(&name, region, scope);
        if !here {
            continue;
        }
        let facts = facts(session, region, name);
        match item {
            Ok(item) => {
                let holds =
                    scope == Scope::Global || item.regions.includes(region, session.home_region());
                if holds {
                    found.items.push((declared(item, ceiling), facts));
                }
            }
            Err(error) => found.unresolved.push(ObservedItem {
                declared: Declared {
                    item: error.item.clone(),
                    mode: ceiling,
                    note: None,
                    location: Some(error.location.clone()),
                    depends_on: BTreeSet::new(),
                    spec: serde_json::Value::Null,
                },
                facts,
                objects: Err(Unknown {
                    reason: error.to_string(),
                    permission: None,
                    remedy: error.help,
                }),
            }),
        }
    }
}

fn declared(item: ResolvedItem, ceiling: Mode) -> Declared {
    Declared {
        item: item.item,
        mode: item.mode.min(ceiling),
        note: item.note,
        location: Some(item.location),
        depends_on: item.depends_on,
        spec: item.spec,
    }
}

/// The order of the registry, then names, then Regions: the order in which plans are read.
fn sort(items: &mut [(Declared, Facts)]) {
    let position = |kind: &str| registry::all().iter().position(|known| known.name() == kind);
    items.sort_by(|(left, left_facts), (right, right_facts)| {
        (position(&left.item.kind), &left.item, &left_facts.region).cmp(&(
            position(&right.item.kind),
            &right.item,
            &right_facts.region,
        ))
    });
}

fn facts(session: &Session, region: &Region, item: ItemName) -> Facts {
    Facts {
        account: session.account().clone(),
        partition: session.partition().to_owned(),
        region: region.clone(),
        home_region: session.home_region().clone(),
        item,
    }
}

fn target_facts(session: &Session, region: &Region) -> TargetFacts {
    TargetFacts {
        account_id: session.account().clone(),
        account_name: None,
        account_email: None,
        account_tags: None,
        ous: None,
        organization_id: None,
        partition: session.partition().to_owned(),
        region: region.clone(),
        home_region: session.home_region().clone(),
    }
}
