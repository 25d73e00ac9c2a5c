//! Items that refer to others. What is referred to must be there wherever, and for whomever, the item
//! is that refers to it: a name that leads to nothing is found out by AWS, in the middle of an apply.
//!
//! What is so for every account is an error of the baseline. What an account's facts decide is said for
//! that account, whose item is then unknown.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Baseline;
use super::catalog::KindInfo;
use super::declare::Declared;
use super::item::{Mode, RegionWord, Regions, ResolvedItem};
use super::problem::Problem;
use super::resolve::{Parts, Resolution, mode_of, regions_of};
use super::words::ENGINE_WORDS;
use crate::names::{ItemName, Region, partition_of};

/// The Regions that no account can do without, by partition. Source: AWS Account Management Reference
/// Guide, "Enable or disable AWS Regions in your account".
const ALWAYS_ENABLED: [&str; 21] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "sa-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-west-1",
    "us-gov-east-1",
];

/// What is to be done about each of them.
const REMEDY: &str = "let both hold in the same Regions and for the same accounts, or write the name itself instead of a reference";

/// An item as it is declared, without an account.
pub(super) struct Known<'a> {
    pub declared: &'a Declared,
    pub kind: &'a KindInfo,
    pub parts: Parts,
}

impl Known<'_> {
    /// Whether a word of the item has a fact of an account in it.
    fn is_open(&self, word: &str) -> bool {
        let inside = format!("/{word}");
        self.parts.samples.iter().any(|sample| sample.starts_with(&inside))
    }

    fn is_off(&self) -> bool {
        !self.is_open("mode") && mode_of(self.parts.words.get("mode").cloned()) == Mode::Off
    }

    fn regions(&self) -> Option<Regions> {
        let words = &self.parts.words;
        let is_known = self.kind.regional && !self.is_open("regions");
        is_known.then(|| regions_of(words.get("regions").cloned()))
    }

    /// Where the item's own objects are, as far as it is known without an account.
    fn whereabouts(&self) -> Option<Regions> {
        let Some(field) = self.kind.region else { return self.regions() };
        match self.parts.spec.get(field).and_then(Json::as_str) {
            None | Some("") => Some(Regions::Word(RegionWord::Home)),
            Some(_) if self.is_open(field) => None,
            Some(region) => Some(Regions::List(vec![Region::new(region)])),
        }
    }
}

/// Adds a problem for each reference that leads to nothing in whatever account.
pub(super) fn verify(items: &BTreeMap<&ItemName, Known<'_>>, problems: &mut Vec<Problem>) {
    for (name, item) in items.iter().filter(|(_, item)| !item.is_off()) {
        problems
            .extend(item.kind.in_region.iter().filter_map(|field| elsewhere(name, item, field)));
        for (field, others) in references(&item.parts.references) {
            for (other, target) in others.iter().filter_map(|other| items.get_key_value(other)) {
                let Some(why) = astray(item, field, target) else { continue };
                let place = item.declared.fields.get(field).map(|field| &field.node.place);
                problems.push(
                    Problem::error(
                        "reference-astray",
                        format!("{name} refers to {other}, {why}"),
                        place.unwrap_or(&item.declared.place).clone(),
                    )
                    .related(target.declared.place.clone(), format!("{other} is declared here"))
                    .help(REMEDY),
                );
            }
        }
    }
}

/// An ARN in a field that must be of the Region of its object, and is not.
fn elsewhere(name: &ItemName, item: &Known<'_>, field: &str) -> Option<Problem> {
    let Some(Sought::In(region)) = item.parts.spec.get(field).map(sought) else { return None };
    if item.is_open(field) {
        return None;
    }
    let here = outside(&item.whereabouts()?, &Regions::List(vec![region.clone()]))?;
    let place = item.declared.fields.get(field).map(|field| &field.node.place);
    let message = format!("{name}: `{field}` is of {region}, and the item holds in {here}");
    let place = place.unwrap_or(&item.declared.place).clone();
    Some(Problem::error("other-region", message, place).help("name one of the same Region"))
}

fn references<V>(all: &BTreeMap<String, V>) -> impl Iterator<Item = (&String, &V)> {
    all.iter().filter(|(field, _)| !ENGINE_WORDS.contains(&field.as_str()))
}

/// Why what a field refers to is surely not there somewhere.
fn astray(item: &Known<'_>, field: &str, target: &Known<'_>) -> Option<String> {
    if target.is_off() {
        return Some(OFF.to_owned());
    }
    if !item.is_open("when") && !target.is_open("when") {
        let words = (item.parts.words.get("when"), target.parts.words.get("when"));
        if let Some(why) = deselected(words.0, words.1) {
            return Some(why);
        }
    }
    let there = target.regions()?;
    let here = match item.parts.spec.get(field).map(sought) {
        Some(Sought::Anywhere) => return None,
        Some(Sought::In(_)) if item.is_open(field) => return None,
        Some(Sought::In(region)) => Regions::List(vec![region]),
        Some(Sought::Own) | None => item.whereabouts()?,
    };
    let region = outside(&here, &there)?;
    Some(format!("which does not hold in {region}"))
}

const OFF: &str = "whose mode is \"off\"";

/// Why a target's `when` says no to an account for which the item's says yes.
fn deselected(item: Option<&Json>, target: Option<&Json>) -> Option<String> {
    let list = |when: Option<&Json>, word: &str| -> Option<Vec<String>> {
        let list = when?.get(word)?.as_array()?;
        Some(list.iter().filter_map(Json::as_str).map(str::to_owned).collect())
    };
    let (chosen, refused) = (list(target, "accounts"), list(target, "not_accounts"));
    if chosen.as_ref().is_some_and(Vec::is_empty) {
        return Some("which is for no account (`when`)".to_owned());
    }
    let may_be_none = |word: &str| item.is_some_and(|when| when.get(word).is_some());
    if may_be_none("ous") || may_be_none("account_tags") {
        return None;
    }
    let not = list(item, "not_accounts").unwrap_or_default();
    let sure = list(item, "accounts")?.into_iter().filter(|account| !not.contains(account));
    let without = |account: &String| {
        chosen.as_ref().is_some_and(|chosen| !chosen.contains(account))
            || refused.as_ref().is_some_and(|refused| refused.contains(account))
    };
    let account = sure.into_iter().find(without)?;
    Some(format!("which is not for account {account} (`when`)"))
}

/// A Region that is surely among the first and not among the second.
fn outside(here: &Regions, there: &Regions) -> Option<String> {
    match (here, there) {
        (_, Regions::Word(RegionWord::Enabled)) | (Regions::Word(RegionWord::Home), _) => None,
        (Regions::Word(RegionWord::Enabled), Regions::Word(RegionWord::Home)) => {
            Some("other Regions than the home Region".to_owned())
        }
        (Regions::List(list), Regions::Word(RegionWord::Home)) => {
            (list.len() > 1).then(|| "other Regions than the home Region".to_owned())
        }
        (Regions::List(list), Regions::List(others)) => {
            list.iter().find(|region| !others.contains(region)).map(ToString::to_string)
        }
        (Regions::Word(RegionWord::Enabled), Regions::List(others)) => {
            let partition = partition_of(others.first()?.as_str());
            let always = ALWAYS_ENABLED.into_iter().filter(|one| partition_of(one) == partition);
            let region =
                always.into_iter().find(|one| others.iter().all(|two| two.as_str() != *one));
            region.map(str::to_owned)
        }
    }
}

/// Where the value of a field names something.
enum Sought {
    /// Where the item's objects are.
    Own,
    /// In a Region that the value names itself.
    In(Region),
    /// In no Region that could be told.
    Anywhere,
}

fn sought(value: &Json) -> Sought {
    let Json::String(text) = value else {
        return if has_arn(value) { Sought::Anywhere } else { Sought::Own };
    };
    let Some(rest) = text.strip_prefix("arn:") else { return Sought::Own };
    match rest.split(':').nth(2) {
        Some(region) if !region.is_empty() && !region.contains(['*', '?']) => {
            Sought::In(Region::new(region))
        }
        _ => Sought::Anywhere,
    }
}

fn has_arn(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains("arn:"),
        Json::Array(list) => list.iter().any(has_arn),
        Json::Object(map) => map.values().any(has_arn),
        _ => false,
    }
}

/// A reference that leads to nothing in an account and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    /// What leads where, in words.
    pub reason: String,
    /// What the reader should do next.
    pub remedy: String,
}

/// All that is declared for an account in a Region.
pub struct Present<'a> {
    baseline: &'a Baseline<'static>,
    home: &'a Region,
    items: BTreeMap<&'a ItemName, Option<&'a ResolvedItem>>,
}

impl<'a> Present<'a> {
    /// From what a baseline comes to there.
    pub fn new(
        baseline: &'a Baseline<'static>,
        home: &'a Region,
        resolved: &'a [Resolution],
    ) -> Self {
        let items = resolved.iter().map(|one| match one {
            Ok(item) => (&item.item, Some(item.as_ref())),
            Err(error) => (&error.item, None),
        });
        Self { baseline, home, items: items.collect() }
    }

    /// The first reference of an item in a Region that leads to nothing there.
    pub fn astray(&self, item: &ResolvedItem, region: &Region) -> Option<Astray> {
        references(&item.references).find_map(|(field, others)| {
            others.iter().find_map(|other| {
                let why = self.why(item, region, field, other)?;
                let place = &self.baseline.declarations.items.get(other)?.place;
                let place = self.baseline.location(place);
                Some(Astray {
                    reason: format!(
                        "its {field} refers to {other} ({}:{}), {why}",
                        place.file, place.line
                    ),
                    remedy: REMEDY.to_owned(),
                })
            })
        })
    }

    fn why(
        &self,
        item: &ResolvedItem,
        region: &Region,
        field: &str,
        other: &ItemName,
    ) -> Option<String> {
        let catalog = self.baseline.catalog;
        let Some(target) = self.items.get(other) else {
            let declared = self.baseline.declarations.items.get(other)?;
            let mode = declared.fields.get("mode").and_then(|field| field.node.as_text());
            return Some(match mode {
                Some("off") => OFF.to_owned(),
                _ => "which is not for this account (`when`), or off in it".to_owned(),
            });
        };
        // What could not be resolved is said of itself.
        let target =
            target.filter(|_| catalog.find(&other.kind).is_some_and(|kind| kind.regional))?;
        let kind = catalog.find(&item.item.kind)?;
        let wanted = match item.spec.get(field).map(sought) {
            Some(Sought::Anywhere) => return None,
            Some(Sought::In(region)) => region,
            Some(Sought::Own) | None => match kind.region {
                Some(own) => match item.spec.get(own).and_then(Json::as_str) {
                    None | Some("") => self.home.clone(),
                    Some(own) => Region::new(own),
                },
                None if kind.regional => region.clone(),
                None => return None,
            },
        };
        let holds = target.regions.includes(&wanted, self.home);
        (!holds).then(|| format!("which does not hold in {wanted}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(regions: &[&str]) -> Regions {
        Regions::List(regions.iter().map(Region::new).collect())
    }

    #[test]
    fn regions_that_are_surely_outside_are_named() {
        let (all, home) = (Regions::Word(RegionWord::Enabled), Regions::Word(RegionWord::Home));
        for (here, there, region) in [
            (&list(&["eu-west-1"]), &list(&["us-east-1"]), Some("eu-west-1")),
            (&list(&["eu-west-1"]), &list(&["us-east-1", "eu-west-1"]), None),
            (&list(&["eu-west-1"]), &all, None),
            (&list(&["eu-west-1"]), &home, None),
            (&list(&["eu-west-1", "eu-west-2"]), &home, Some("other Regions than the home Region")),
            (&all, &home, Some("other Regions than the home Region")),
            (&all, &all, None),
            (&home, &home, None),
            (&home, &list(&["eu-west-1"]), None),
            (&all, &list(&["us-east-1"]), Some("us-east-2")),
            (&all, &list(&["cn-north-1"]), Some("cn-northwest-1")),
            (&all, &list(&["us-gov-west-1", "us-gov-east-1"]), None),
            (&all, &list(&ALWAYS_ENABLED[..17]), None),
        ] {
            assert_eq!(outside(here, there).as_deref(), region, "{here:?} {there:?}");
        }
    }

    #[test]
    fn accounts_that_are_surely_without_it_are_named() {
        let (one, other) = ("111122223333", "444455556666");
        for (item, target, account) in [
            (json!({}), json!({"accounts": [one]}), None),
            (json!({"accounts": [one]}), json!({"accounts": [one, other]}), None),
            (json!({"accounts": [one, other]}), json!({"accounts": [one]}), Some(other)),
            (json!({"accounts": [one]}), json!({"not_accounts": [one]}), Some(one)),
            (
                json!({"accounts": [one], "not_accounts": [one]}),
                json!({"not_accounts": [one]}),
                None,
            ),
            (json!({"accounts": [one], "ous": ["ou-1"]}), json!({"not_accounts": [one]}), None),
            (json!({"accounts": [one], "account_tags": {}}), json!({"not_accounts": [one]}), None),
            (json!({}), json!({"accounts": []}), Some("no account")),
            (json!({"account_tags": {"a": "b"}}), json!({"account_tags": {"a": "c"}}), None),
        ] {
            let said = deselected(Some(&item), Some(&target));
            assert_eq!(said.is_some(), account.is_some(), "{item} {target}: {said:?}");
            let names = said.unwrap_or_default();
            assert!(names.contains(account.unwrap_or_default()), "{item} {target}: {names}");
        }
        assert_eq!(deselected(None, None), None);
    }

    #[test]
    fn an_arn_says_where_its_thing_is() {
        for (value, region) in [
            (json!("alias/k"), Some("own")),
            (json!("arn:aws:kms:us-east-1:1:alias/k"), Some("us-east-1")),
            (json!("arn:aws:kms:*:1:alias/k"), None),
            (json!("arn:aws:iam::1:role/r"), None),
            (json!(["a", "b"]), Some("own")),
            (json!({"Resource": ["arn:aws:kms:us-east-1:1:alias/k"]}), None),
            (json!(3), Some("own")),
        ] {
            let said = match sought(&value) {
                Sought::Own => Some("own".to_owned()),
                Sought::In(region) => Some(region.to_string()),
                Sought::Anywhere => None,
            };
            assert_eq!(said.as_deref(), region, "{value}");
        }
    }
}
