//! What the exceptions and the entries of `exclude` have met: one that met nothing lets through what it
//! was written for, or is a mistake, and is said.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::baseline::Baseline;
use crate::baseline::item::Location;
use crate::names::{AccountId, ItemName};
use crate::plan::{ObservedItem, region_of};

/// Something that is to meet objects: where it stands, and what it is in words.
pub type Selector = (Location, String);

/// The selectors that were looked at, and whether each has met an object in any account.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Met(BTreeMap<Selector, bool>);

impl Met {
    /// What the selectors met in an account. What could not be read may well have been met.
    pub fn of<'a>(
        account: &AccountId,
        baselines: impl Iterator<Item = &'a Baseline<'static>>,
        items: &[ObservedItem],
        left_out: &BTreeSet<(ItemName, usize)>,
        today: NaiveDate,
    ) -> Self {
        let mut met = Self::default();
        for baseline in baselines {
            for (exception, at) in baseline.exceptions_with_places() {
                // That one is void has been said.
                if exception.until < today {
                    continue;
                }
                let is_met = |observed: &ObservedItem| {
                    let (item, region) = (&observed.declared.item, &observed.facts.region);
                    let region = region_of(item, region);
                    let covers = |id: &str| exception.covers(item, account, region, id, today);
                    match &observed.objects {
                        Ok(objects) => objects.iter().any(|object| covers(&object.id)),
                        Err(_) => covers(exception.object.as_deref().unwrap_or_default()),
                    }
                };
                let words = format!("the exception of {}", exception.item);
                met.note((at, words), items.iter().any(is_met));
            }
        }
        for observed in items {
            let entries = observed.declared.spec.get("exclude").and_then(|list| list.as_array());
            for entry in 0..entries.map_or(0, Vec::len) {
                let item = &observed.declared.item;
                let words = format!("entry {} of `exclude` of {item}", entry + 1);
                let is_met = observed.objects.is_err() || left_out.contains(&(item.clone(), entry));
                met.note((observed.declared.location.clone(), words), is_met);
            }
        }
        met
    }

    fn note(&mut self, selector: Selector, is_met: bool) {
        *self.0.entry(selector).or_default() |= is_met;
    }

    /// Adds what was met in another account.
    pub fn add(&mut self, other: Self) {
        other.0.into_iter().for_each(|(selector, is_met)| self.note(selector, is_met));
    }

    /// Those that met nothing.
    pub fn nothing(&self) -> impl Iterator<Item = &Selector> {
        self.0.iter().filter(|(_, is_met)| !**is_met).map(|(selector, _)| selector)
    }
}
