//! Items that claim one thing, as only AWS can show: two aliases of one key, a key that is declared by
//! itself and in a sweep. Whatever were written for the one would be undone for the other, so that
//! neither is judged.

use std::collections::{BTreeMap, BTreeSet};

use super::input::ObservedItem;
use crate::kinds::erased::DynKind;
use crate::kinds::object::{Cause, Unknown};
use crate::kinds::{Claim, Scope};
use crate::names::{ItemName, Region};

/// An object: the place of its item in the list, and its own in the item's.
type Place = (usize, usize);

/// Where claims of one thing meet: the thing, and a setting of it or its kind as a whole.
type Ground = (Option<Region>, String, String);

/// The objects that are claimed twice, with the reason why they are unknown.
pub fn contradictions(
    items: &[&ObservedItem],
    kind: &dyn Fn(&str) -> Option<&'static dyn DynKind>,
) -> BTreeMap<Place, Unknown> {
    let mut grounds: BTreeMap<Ground, Vec<(Place, Claim)>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let name = &item.declared.item.kind;
        let (Some(kind), Ok(objects)) = (kind(name), &item.objects) else { continue };
        let region = (kind.scope() == Scope::Regional).then(|| item.facts.region.clone());
        for (of_item, object) in objects.iter().enumerate() {
            // What does not fit its kind is said where it is compared.
            let claims = kind.claims(&item.facts, &item.declared.spec, object);
            for claim in claims.unwrap_or_default() {
                let what = claim.setting.as_ref().map_or(name.as_str(), |(setting, _)| setting);
                let ground = (region.clone(), claim.thing.clone(), what.to_owned());
                grounds.entry(ground).or_default().push(((at, of_item), claim));
            }
        }
    }
    let mut unknown = BTreeMap::new();
    for ((_, thing, what), claims) in grounds {
        let of_items: BTreeSet<&ItemName> =
            claims.iter().map(|((at, _), _)| &items[*at].declared.item).collect();
        let wishes = || claims.iter().filter_map(|(_, claim)| claim.setting.as_ref());
        let whole = wishes().next().is_none();
        let agree = wishes().all(|(_, one)| wishes().all(|(_, other)| one.agrees(other)));
        if of_items.len() < 2 || (agree && !whole) {
            continue;
        }
        let said: Vec<String> =
            claims.iter().map(|((at, _), claim)| line(items[*at], claim)).collect();
        let reason = if whole {
            format!("{} are one thing, {thing}", said.join(" and "))
        } else {
            format!("{} contradict each other in the {what} of {thing}", said.join(" and "))
        };
        // Two items of one thing stay two, whatever they say.
        let remedy = if whole {
            "keep one of these items and leave the others out, or give each a thing of its own (of \
             a key: another key behind the other alias)"
        } else {
            "declare it in one of these items only, or the same in all"
        };
        for (place, _) in &claims {
            unknown.entry(*place).or_insert_with(|| Unknown {
                reason: reason.clone(),
                permission: None,
                remedy: Some(remedy.to_owned()),
                cause: Cause::Contradicted,
            });
        }
    }
    unknown
}

/// `kms.key.audit (baseline.toml:7) with true`.
fn line(item: &ObservedItem, claim: &Claim) -> String {
    let at = &item.declared.location;
    let wanted = claim.setting.as_ref().map(|(_, wish)| format!(" with {wish}"));
    format!("{} ({}:{}){}", item.declared.item, at.file, at.line, wanted.unwrap_or_default())
}
