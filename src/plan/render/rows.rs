//! The lines of a change that is shown once for many objects: each line once, with the objects that
//! it holds for when it does not hold for all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::Group;
use super::place::{Member, names, place};
use super::value::{self, Line};
use crate::plan::{ObjectPlan, Plan};

/// Accounts up to which a list is not worth shortening when it comes again.
const FEW: usize = 2;

/// One line of drift.
#[derive(Debug)]
pub struct Row {
    /// What differs, as it holds for all.
    pub line: Line,
    /// The same without a placeholder for the Region, where all objects are in one.
    in_region: Option<Line>,
    /// The objects that it holds for.
    objects: Vec<Arc<Member>>,
    /// Whether they are all of the group.
    all: bool,
    /// Whether a line before holds for just the same.
    again: bool,
}

impl Row {
    /// Where it holds, when that is not everywhere.
    pub fn only_in(&self, group: &Group<'_>, plan: &Plan) -> Option<String> {
        if self.all {
            return None;
        }
        let accounts: BTreeSet<_> = self.objects.iter().map(|object| &object.account).collect();
        if self.again && accounts.len() > FEW && self.objects.iter().all(|object| object.global) {
            let first: Vec<_> = self
                .objects
                .iter()
                .min_by_key(|object| &object.account)
                .into_iter()
                .cloned()
                .collect();
            return Some(format!(
                "the same {} accounts as with {}",
                accounts.len(),
                place(plan, &first)
            ));
        }
        let names = match names(&self.objects) {
            names if names == group.names() => String::new(),
            names => names,
        };
        let parts = [names, place(plan, &self.objects)];
        Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  "))
    }
}

/// The lines of one of the group's changes, by its place; of a field's, what few have comes first.
pub fn rows(group: &Group<'_>, change: usize) -> Vec<Row> {
    let mut fields: Vec<Vec<Row>> = Vec::new();
    let mut variants: Vec<_> = group.variants.iter().collect();
    // What differs in most fields gives their order.
    let length = |object: &ObjectPlan| object.changes.get(change).map_or(0, |it| it.drift.len());
    variants.sort_by_key(|variant| std::cmp::Reverse(length(&variant.first)));
    for variant in variants {
        for drift in variant.first.changes.get(change).iter().flat_map(|change| &change.drift) {
            let line = group.line_for_all(&variant.first, value::line(drift));
            let in_region = group.line_of_region(variant, value::line(drift));
            let objects = variant.objects.clone();
            let row = Row { line, in_region, objects, all: false, again: false };
            match fields.iter_mut().find(|rows| rows[0].line.field == row.line.field) {
                None => fields.push(vec![row]),
                Some(rows) => match rows.iter_mut().find(|known| known.line == row.line) {
                    Some(known) => {
                        // It names another Region in each.
                        known.in_region = known
                            .in_region
                            .take()
                            .filter(|one| Some(one) == row.in_region.as_ref());
                        known.objects.extend(row.objects);
                    }
                    None => rows.push(row),
                },
            }
        }
    }
    fields.iter_mut().for_each(as_elsewhere);
    for row in fields.iter_mut().flatten() {
        row.all = row.objects.len() >= group.objects.len();
    }
    for rows in &mut fields {
        rows.sort_by_key(|row| row.objects.len());
    }
    let mut rows: Vec<_> = fields.into_iter().flatten().collect();
    mark_repeated(&mut rows);
    rows
}

/// What names the own Region of some objects may be the same text as that of others: then it is no placeholder.
fn as_elsewhere(rows: &mut Vec<Row>) {
    let is_twin = |row: &Row, other: &Row| {
        row.line != other.line && row.in_region.as_ref() == Some(&other.line)
    };
    while let Some(at) = rows.iter().position(|row| rows.iter().any(|other| is_twin(row, other))) {
        let row = rows.remove(at);
        if let Some(other) = rows.iter_mut().find(|other| is_twin(&row, other)) {
            other.objects.extend(row.objects);
        }
    }
}

/// Marks the lines that hold for the same objects as one before, where their number and their first
/// account tell which ones these are.
fn mark_repeated(rows: &mut [Row]) {
    let mut named: BTreeMap<_, Option<BTreeSet<_>>> = BTreeMap::new();
    for row in rows {
        let objects: BTreeSet<_> = row
            .objects
            .iter()
            .map(|object| (&object.account, &object.region, &object.id))
            .collect();
        let first = objects.first().map(|(account, ..)| *account);
        match named.entry((objects.len(), first)) {
            Entry::Vacant(place) => {
                place.insert(Some(objects));
            }
            Entry::Occupied(mut known) => {
                row.again = known.get().as_ref() == Some(&objects);
                if !row.again {
                    known.insert(None);
                }
            }
        }
    }
}
