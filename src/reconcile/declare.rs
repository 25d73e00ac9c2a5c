//! From a baseline to what is declared for one account: items × Regions, each with its spec.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::baseline::item::{Location, RegionWord};
use crate::baseline::references::Present;
use crate::baseline::{Baseline, Regions, Resolution, ResolvedItem, Resolver, TargetFacts};
use crate::fleet::organization::Account;
use crate::kinds::erased::DynKind;
use crate::kinds::object::{Cause, ObserveError, Unknown};
use crate::kinds::{Facts, Scope, registry};
use crate::names::{AccountId, ItemName, Region};
use crate::plan::moving::names;
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

    /// Whether it may leave out an item of a baseline in a Region that is looked at.
    pub fn leaves_out(&self) -> bool {
        !self.kinds.is_empty() || self.only.is_some()
    }

    fn has(&self, item: &ItemName, region: &Region, scope: Scope) -> bool {
        let by_region =
            scope == Scope::Global || self.regions.is_empty() || self.regions.contains(region);
        let by_place =
            self.only.as_ref().is_none_or(|only| only.contains(&(item.clone(), region.clone())));
        self.has_kind(&item.kind) && by_region && by_place
    }
}

/// A baseline that is aimed at an account.
#[derive(Clone, Copy)]
pub struct Aimed<'a> {
    /// What is declared.
    pub baseline: &'a Baseline<'static>,
    /// What the target may do.
    pub ceiling: Mode,
}

/// What is known of the account.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// As its organization knows it, or the id alone.
    pub account: &'a Account,
    /// `o-…`, when known.
    pub organization: Option<&'a str>,
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
    /// Whether an item has Regions, be it in one that was not asked for.
    pub has_regional: bool,
}

/// Two declarations for an account that cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("account {account}: {what}, at {first} and at {second}")]
pub struct Conflict {
    /// The account.
    pub account: AccountId,
    /// What they contradict each other in.
    pub what: String,
    /// Where the one stands.
    pub first: String,
    /// Where the other stands.
    pub second: String,
}

/// Resolves a baseline for an account. The enabled Regions are asked for when an item needs them;
/// when AWS does not say, the items that need them are unknown.
pub async fn declare(
    aimed: Aimed<'_>,
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
    about: About<'_>,
    selection: &Selection,
) -> Declarations {
    let home = session.home_region().clone();
    let mut resolver = Resolver::new(aimed.baseline, target_facts(session, about, &home));
    let mut place = Placer { session, selection, aimed, found: Declarations::default() };
    let at_home = resolver.at(&home);
    let mut wanted: BTreeSet<Region> = BTreeSet::new();
    let mut everywhere = Vec::new();
    let mut regional = false;
    for item in &at_home {
        let (name, regions) = outline(item);
        if !is_in(Scope::Regional, &name.kind) || !selection.has_kind(&name.kind) {
            continue;
        }
        regional = true;
        match regions {
            Regions::Word(RegionWord::Enabled) => everywhere.push(item.clone()),
            Regions::Word(RegionWord::Home) => {
                wanted.insert(home.clone());
            }
            Regions::List(list) => wanted.extend(list.iter().cloned()),
        }
    }
    if !everywhere.is_empty() {
        if selection.regions.is_empty() {
            match super::regions::enabled(session, reads).await {
                Ok(regions) => wanted.extend(regions.iter().cloned()),
                Err(error) => {
                    let mut unknown = ObserveError::from(error).into_unknown();
                    unknown.reason = format!(
                        "it was looked at in no Region, because nobody knows which are enabled: {}",
                        unknown.reason
                    );
                    for item in everywhere {
                        place.unknown(item, &home, unknown.clone());
                    }
                }
            }
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
    place.all(at_home, &home, Scope::Global);
    for region in &wanted {
        place.all(resolver.at(region), region, Scope::Regional);
    }
    let mut found = place.found;
    found.regions = wanted.into_iter().collect();
    found.has_regional = regional;
    sort(&mut found.items);
    found
}

/// What a baseline declares in Regions and was not asked for: by the selection or, where the target
/// `is_beside`, none of it.
pub fn declare_beside(
    aimed: Aimed<'_>,
    is_beside: bool,
    session: &Session,
    about: About<'_>,
    selection: &Selection,
    regions: &BTreeSet<Region>,
) -> Vec<(Declared, Facts)> {
    let home = session.home_region();
    let mut resolver = Resolver::new(aimed.baseline, target_facts(session, about, home));
    let mut found = Vec::new();
    let global = std::iter::once((home, Scope::Global));
    for (region, scope) in global.chain(regions.iter().map(|region| (region, Scope::Regional))) {
        // What cannot be resolved is said where it is asked for.
        for item in resolver.at(region).into_iter().flatten() {
            let is_here = scope == Scope::Global || item.regions.includes(region, home);
            let is_asked_for = !is_beside && selection.has(&item.item, region, scope);
            if is_in(scope, &item.item.kind) && is_here && !is_asked_for {
                let facts = facts(session, region, item.item.clone());
                let mode = item.mode.min(aimed.ceiling);
                found.push((Declared { resolved: item, mode }, facts));
            }
        }
    }
    found
}

/// What is known of an item, whether it can be resolved or not.
fn outline(item: &Resolution) -> (&ItemName, &Regions) {
    match item {
        Ok(item) => (&item.item, &item.regions),
        Err(error) => (&error.item, &error.regions),
    }
}

/// Whether a kind has this scope.
pub fn is_in(scope: Scope, kind: &str) -> bool {
    registry::find(kind).is_some_and(|kind| kind.scope() == scope)
}

/// Joins what several targets declare for one account. What two of them declare alike is there
/// once, with the higher mode.
///
/// # Errors
/// Two targets declare the same item with different values, or two items govern one object.
pub fn join(parts: &mut [Declarations]) -> Result<(), Vec<Conflict>> {
    let mut seen: BTreeMap<(ItemName, Region), (usize, usize)> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for index in 0..parts.len() {
        let mut position = 0;
        while position < parts[index].items.len() {
            let (declared, facts) = &parts[index].items[position];
            let key = (declared.item.clone(), facts.region.clone());
            let Some((part, place)) = seen.get(&key).copied() else {
                seen.insert(key, (index, position));
                position += 1;
                continue;
            };
            let earlier = &parts[part].items[place].0;
            if earlier.spec != declared.spec {
                note(&mut conflicts, twice(earlier, declared, facts));
                position += 1;
            } else if declared.mode > earlier.mode {
                // The later one may do more: it takes the place of the earlier one.
                seen.insert(key, (index, position));
                parts[part].items[place].0.mode = Mode::Off;
                position += 1;
            } else {
                parts[index].items[position].0.mode = Mode::Off;
                position += 1;
            }
        }
    }
    let mut unresolved = BTreeSet::new();
    for part in parts.iter_mut() {
        part.items.retain(|(declared, _)| declared.mode != Mode::Off);
        part.unresolved.retain(|item| {
            unresolved.insert((item.declared.item.clone(), item.facts.region.clone()))
        });
    }
    same_objects(parts).into_iter().for_each(|conflict| note(&mut conflicts, conflict));
    if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
}

/// Joins what was not asked for with what was. What both declare alike is there already, and may do
/// what the targets that were asked for let it. Of the rest, what can contradict what was asked for, or
/// lead it elsewhere, is given back: it is to be observed too.
///
/// # Errors
/// It declares an item with different values that was asked for, or governs its object.
pub fn join_beside(
    parts: &[Declarations],
    beside: Vec<(Declared, Facts)>,
) -> Result<Vec<(Declared, Facts)>, Vec<Conflict>> {
    let own = || parts.iter().flat_map(|part| &part.items);
    let items: BTreeMap<(&ItemName, &Region), &Declared> =
        own().map(|(declared, facts)| ((&declared.item, &facts.region), declared)).collect();
    let governed: BTreeMap<Ground<'_>, &Declared> =
        own().filter_map(|(declared, facts)| Some((ground(declared, facts)?, declared))).collect();
    let mut conflicts = Vec::new();
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for (declared, facts) in beside {
        let claims = claimed(&declared);
        let key = (declared.item.clone(), facts.region.clone());
        if let Some(same) = items.get(&(&declared.item, &facts.region)) {
            if same.spec != declared.spec {
                note(&mut conflicts, twice(same, &declared, &facts));
            }
        } else if let Some(other) =
            ground(&declared, &facts).and_then(|ground| governed.get(&ground).copied())
            && other.item != declared.item
        {
            note(&mut conflicts, both_govern(other, &declared, &facts));
        } else if !claims.is_empty()
            && own().any(|own| is_heard(own, (&declared, &facts)))
            && seen.insert(key)
        {
            kept.push((declared, facts));
        }
    }
    if conflicts.is_empty() { Ok(kept) } else { Err(conflicts) }
}

/// The sorts of things that an item's objects claim.
fn claimed(declared: &Declared) -> &'static [&'static str] {
    registry::find(&declared.item.kind).map(DynKind::claimed).unwrap_or_default()
}

/// Whether an item beside can contradict one that was asked for, or lead it elsewhere, by what only AWS
/// can show of it.
fn is_heard((own, here): &(Declared, Facts), (beside, there): (&Declared, &Facts)) -> bool {
    let (theirs, ours) = (claimed(beside), claimed(own));
    let is_seen = here.region == there.region || !is_in(Scope::Regional, &own.item.kind);
    let may_contradict = theirs.iter().any(|sort| ours.contains(sort));
    let may_lead = || {
        own.references.values().any(|items| items.contains(&beside.item))
            || ground(beside, there).is_some_and(|(_, _, name)| names(&own.spec, &name))
    };
    is_seen && (may_contradict || may_lead())
}

/// What an item governs: its kind, the Region and the name.
type Ground<'a> = (&'a str, &'a Region, String);

fn ground<'a>(declared: &'a Declared, facts: &'a Facts) -> Option<Ground<'a>> {
    let kind = declared.item.kind.as_str();
    let home = Some(&facts.home_region);
    let what = registry::find(kind).and_then(|kind| kind.governs(&declared.spec, home))?;
    Some((kind, &facts.region, what))
}

/// Items of different names that govern one object: names can depend on the account.
fn same_objects(parts: &[Declarations]) -> Vec<Conflict> {
    let mut governed: BTreeMap<Ground<'_>, &Declared> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for (declared, facts) in parts.iter().flat_map(|part| &part.items) {
        let Some(key) = ground(declared, facts) else { continue };
        match governed.get(&key) {
            Some(other) if other.item != declared.item => {
                conflicts.push(both_govern(other, declared, facts));
            }
            Some(_) => {}
            None => {
                governed.insert(key, declared);
            }
        }
    }
    conflicts
}

fn both_govern(one: &Declared, other: &Declared, facts: &Facts) -> Conflict {
    let what = ground(other, facts).map(|(_, _, what)| what).unwrap_or_default();
    Conflict {
        account: facts.account.clone(),
        what: format!("{} and {} both govern {what:?}", one.item, other.item),
        first: at(&one.location),
        second: at(&other.location),
    }
}

fn twice(one: &Declared, other: &Declared, facts: &Facts) -> Conflict {
    Conflict {
        account: facts.account.clone(),
        what: format!("{} is declared twice with different values", other.item),
        first: at(&one.location),
        second: at(&other.location),
    }
}

/// Notes a conflict once.
fn note(conflicts: &mut Vec<Conflict>, conflict: Conflict) {
    if !conflicts.contains(&conflict) {
        conflicts.push(conflict);
    }
}

fn at(location: &Location) -> String {
    format!("{}:{}", location.file, location.line)
}

/// Puts items into their places.
struct Placer<'a> {
    session: &'a Session,
    selection: &'a Selection,
    aimed: Aimed<'a>,
    found: Declarations,
}

impl Placer<'_> {
    /// Keeps the items of one scope in a Region.
    fn all(&mut self, items: Vec<Resolution>, region: &Region, scope: Scope) {
        let (session, all) = (self.session, items.clone());
        let home = session.home_region();
        let present = Present::new(self.aimed.baseline, home, &all);
        for item in items {
            let (name, regions) = outline(&item);
            let holds = scope == Scope::Global || regions.includes(region, home);
            if !is_in(scope, &name.kind) || !holds || !self.selection.has(name, region, scope) {
                continue;
            }
            let astray = item.as_ref().ok().and_then(|item| present.astray(item, region));
            match (item, astray) {
                (Ok(item), Some(astray)) => {
                    let unknown = Unknown {
                        reason: astray.reason,
                        permission: None,
                        remedy: Some(astray.remedy),
                        cause: Cause::Unjudged,
                    };
                    self.unknown(Ok(item), region, unknown);
                }
                (Ok(item), None) => {
                    let facts = facts(self.session, region, item.item.clone());
                    self.found.items.push((self.declared(item), facts));
                }
                (Err(error), _) => {
                    let unknown = Unknown {
                        reason: error.to_string(),
                        permission: None,
                        remedy: error.help.clone(),
                        cause: Cause::Unjudged,
                    };
                    self.unknown(Err(error), region, unknown);
                }
            }
        }
    }

    /// Keeps an item that cannot be looked at.
    fn unknown(&mut self, item: Resolution, region: &Region, unknown: Unknown) {
        let item = item.unwrap_or_else(|error| {
            Arc::new(ResolvedItem {
                item: error.item,
                mode: error.mode,
                regions: error.regions,
                note: None,
                spec: serde_json::Value::Null,
                references: BTreeMap::new(),
                location: error.location,
            })
        });
        let by_place = self.selection.only.as_ref();
        if by_place.is_some_and(|only| !only.contains(&(item.item.clone(), region.clone()))) {
            return;
        }
        self.found.unresolved.push(ObservedItem {
            facts: facts(self.session, region, item.item.clone()),
            declared: self.declared(item),
            objects: Err(unknown),
        });
    }

    fn declared(&self, resolved: Arc<ResolvedItem>) -> Declared {
        Declared { mode: resolved.mode.min(self.aimed.ceiling), resolved }
    }
}

/// The order of the registry, then names, then Regions: the order in which plans are read.
fn sort(items: &mut [(Declared, Facts)]) {
    items.sort_by(|(left, left_facts), (right, right_facts)| {
        (registry::place(&left.item.kind), &left.item, &left_facts.region).cmp(&(
            registry::place(&right.item.kind),
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

fn target_facts(session: &Session, about: About<'_>, region: &Region) -> TargetFacts {
    let account = about.account;
    // Where the organization is not known, nobody can say in which units the account is.
    let ous = about.organization.map(|_| account.ous.clone());
    TargetFacts {
        account_id: session.account().clone(),
        account_name: account.name.clone(),
        account_email: account.email.clone(),
        account_tags: account.tags.clone(),
        ous,
        organization_id: about.organization.map(str::to_owned),
        partition: session.partition().to_owned(),
        region: region.clone(),
        home_region: session.home_region().clone(),
    }
}
