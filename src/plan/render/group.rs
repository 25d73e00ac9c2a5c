//! The same change shown once: objects whose drift, risk and disposition are alike, together, and
//! also those that differ only in what is there now.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::place::{self, Member};
use super::value::{self, Line};
use crate::digest;
use crate::kinds::FieldDrift;
use crate::kinds::object::Cause;
use crate::names::AccountId;
use crate::plan::thin::{likeness, verdict, without_place};
use crate::plan::{Disposition, ObjectPlan, Plan, Sort, Verdict};

/// Objects of one item that a reader can take in at once.
#[derive(Debug)]
pub struct Group<'a> {
    /// One of them, for what they share.
    pub first: Cow<'a, ObjectPlan>,
    /// All of them.
    pub objects: Vec<Arc<Member>>,
    /// The same by what is there now; what few have comes first.
    pub variants: Vec<Variant<'a>>,
    /// Whether the group before it shows the same drift, and only what is done about it differs.
    pub as_before: bool,
    /// The same in every run for the same drift of the same declaration.
    pub likeness: String,
}

/// Objects that are alike in everything that is shown.
#[derive(Debug)]
pub struct Variant<'a> {
    /// The one that holds what is shown.
    pub first: Cow<'a, ObjectPlan>,
    /// All of them.
    pub objects: Vec<Arc<Member>>,
}

/// Groups the objects of which one thing is said; see [`group_of`].
pub fn group(plan: &Plan, sort: Sort) -> Vec<Group<'_>> {
    group_of(plan.objects.of(sort))
}

/// The objects that are unknown for a cause.
pub fn unknown(plan: &Plan, cause: Cause) -> Vec<Group<'_>> {
    let mut groups = group(plan, Sort::Unknown);
    groups.retain(
        |group| matches!(&group.first.verdict, Verdict::Unknown(unknown) if unknown.cause == cause),
    );
    groups
}

/// Groups objects. In a fleet, what concerns few accounts comes first: what all of them lack is
/// known soon, and what one has alone should be seen. Of most of them only their names are kept.
pub fn group_of<'a>(objects: impl Iterator<Item = Cow<'a, ObjectPlan>>) -> Vec<Group<'a>> {
    let mut variants: Vec<Variant<'a>> = Vec::new();
    let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut accounts: BTreeSet<AccountId> = BTreeSet::new();
    for object in objects {
        if !accounts.contains(&object.account) {
            accounts.insert(object.account.clone());
        }
        let mark = object.alike.as_ref().map_or_else(|| likeness(&object), |to| to.mark.clone());
        let member = Arc::new(Member::of(&object));
        match places.get(&mark) {
            Some(place) => {
                let variant = &mut variants[*place];
                variant.objects.push(member);
                if object.alike.as_ref().is_some_and(|to| to.holds) {
                    variant.first = object;
                }
            }
            None => {
                places.insert(mark, variants.len());
                variants.push(Variant { first: object, objects: vec![member] });
            }
        }
    }
    let mut groups = merged(variants);
    if accounts.len() > 2 {
        groups.sort_by_cached_key(|group| {
            let rarest = group.variants.iter().map(|variant| count(&variant.objects)).min();
            (rarest, group.accounts().len())
        });
    }
    with_twins_together(groups)
}

/// Puts the variants that differ only in what is there now into one group.
fn merged(variants: Vec<Variant<'_>>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for variant in variants {
        let likeness = frame(&variant.first);
        // The line that declares it may move, and its note be put better: it is the same drift.
        let declared = format!("{likeness}|{:?}|{:?}", variant.first.location, variant.first.note);
        let place = *places.entry(declared).or_insert_with(|| {
            groups.push(Group {
                first: variant.first.clone(),
                objects: Vec::new(),
                variants: Vec::new(),
                as_before: false,
                likeness,
            });
            groups.len() - 1
        });
        groups[place].objects.extend(variant.objects.iter().cloned());
        groups[place].variants.push(variant);
    }
    for group in &mut groups {
        group.variants.sort_by_key(|variant| count(&variant.objects));
    }
    groups
}

fn count(objects: &[Arc<Member>]) -> usize {
    objects.iter().map(|object| &object.account).collect::<BTreeSet<_>>().len()
}

/// Puts behind a group those that show the same drift and are disposed of in another way, as when
/// one target enforces what another only reports.
fn with_twins_together(groups: Vec<Group<'_>>) -> Vec<Group<'_>> {
    let mut clusters: Vec<Vec<Group<'_>>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for mut group in groups {
        let body = match group.variants.as_slice() {
            [only] if group.disposition().is_some() => body(&only.first),
            _ => group.likeness.clone(),
        };
        match places.get(&body) {
            Some(place) => {
                group.as_before = true;
                clusters[*place].push(group);
            }
            None => {
                places.insert(body, clusters.len());
                clusters.push(vec![group]);
            }
        }
    }
    clusters.into_iter().flatten().collect()
}

/// What alike objects must share to be shown together.
fn frame(object: &ObjectPlan) -> String {
    // Of an account's one object, the fields that differ may be others in each account.
    let single = object.observed.id.is_empty() && object.observed.label.is_none();
    let changes: Vec<_> = object
        .changes
        .iter()
        .map(|change| {
            let drift: Vec<_> = change
                .drift
                .iter()
                .filter(|drift| !(single && is_value(drift)))
                .map(|drift| {
                    let actual = drift.actual.as_ref().filter(|_| !is_value(drift));
                    (&drift.field, &drift.desired, actual)
                })
                .collect();
            (drift, change.action.is_some(), change.risk, &change.warnings, &change.disposition)
        })
        .collect();
    let file = object.location.as_ref().map(|location| &location.file);
    let all = format!("{}|{:?}|{file:?}|{}|{changes:?}", object.item, object.mode, verdict(object));
    digest::of(&without_place(&all, object))
}

/// Whether a field has one short value and shall have another: which one is there is a detail.
fn is_value(drift: &FieldDrift) -> bool {
    !drift.field.is_empty() && drift.desired.is_some() && value::line(drift).detail.is_empty()
}

/// What is shown of an object besides what is done about it.
fn body(object: &ObjectPlan) -> String {
    let changes: Vec<_> = object
        .changes
        .iter()
        .map(|change| (&change.drift, change.action.is_some(), change.risk, &change.warnings))
        .collect();
    let all = format!(
        "{}|{:?}|{:?}|{}|{changes:?}",
        object.item,
        object.location,
        object.note,
        verdict(object)
    );
    digest::of(&without_place(&all, object))
}

impl Group<'_> {
    /// The accounts that the objects are in.
    pub fn accounts(&self) -> BTreeSet<&AccountId> {
        self.objects.iter().map(|object| &object.account).collect()
    }

    /// What is done about all of its changes, when it is the same.
    pub fn disposition(&self) -> Option<&Disposition> {
        let mut all = self.first.changes.iter().map(|change| &change.disposition);
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    /// A text of the first object as it holds for all: where they are in several accounts or
    /// Regions, the first one's own id is replaced by its placeholder.
    pub fn for_all(&self, text: &str) -> String {
        self.of_one_for_all(&self.first, text)
    }

    /// A line of one of the objects as it holds for all.
    pub fn line_for_all(&self, object: &ObjectPlan, line: Line) -> Line {
        Line {
            text: self.of_one_for_all(object, &line.text),
            detail: line
                .detail
                .into_iter()
                .map(|(sign, text)| (sign, self.of_one_for_all(object, &text)))
                .collect(),
            ..line
        }
    }

    /// A line of a variant whose objects are all in one Region, as it holds there.
    pub fn line_of_region(&self, variant: &Variant<'_>, line: Line) -> Option<Line> {
        let first = &variant.first;
        let elsewhere = |object: &Arc<Member>| object.region != first.region;
        if variant.objects.iter().any(elsewhere) || !self.objects.iter().any(elsewhere) {
            return None;
        }
        let text = |text: &str| self.account_for_all(first, text);
        let detail = line.detail.iter().map(|(sign, one)| (*sign, text(one))).collect();
        Some(Line { text: text(&line.text), detail, ..line })
    }

    fn of_one_for_all(&self, one: &ObjectPlan, text: &str) -> String {
        let mut text = self.account_for_all(one, text);
        if self.objects.iter().any(|object| object.region != one.region) {
            text = text.replace(one.region.as_str(), "${region}");
        }
        text
    }

    fn account_for_all(&self, one: &ObjectPlan, text: &str) -> String {
        match self.objects.iter().any(|object| object.account != one.account) {
            true => text.replace(one.account.as_str(), "${account.id}"),
            false => text.to_owned(),
        }
    }

    /// Where the objects are, in words.
    pub fn place(&self, plan: &Plan) -> String {
        place::place(plan, &self.objects)
    }

    /// The objects' names, in words.
    pub fn names(&self) -> String {
        place::names(&self.objects)
    }
}

#[cfg(test)]
mod tests;
