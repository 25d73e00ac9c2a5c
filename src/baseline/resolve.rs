//! A baseline's items for one account and Region.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Baseline;
use super::catalog::Identity;
use super::check::{Checker, steps};
use super::declare::Declared;
use super::interpolate::{Filled, Filler, Target, TargetFacts, Unfilled};
use super::item::{Location, Mode, RegionWord, Regions, ResolvedItem};
use super::words::{ENGINE_WORDS, locate, word_schema};
use crate::names::{ItemName, Region};

/// An item that cannot be resolved for a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{item} ({}:{}): {message}", location.file, location.line)]
pub struct ItemError {
    /// The item.
    pub item: ItemName,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where.
    pub location: Location,
    /// What it may do, where that is known.
    pub mode: Mode,
    /// Where it holds, where that is known; otherwise the baseline's Regions, or all enabled ones.
    pub regions: Regions,
}

/// An item for a target, or why it cannot be resolved.
pub type Resolution = Result<Arc<ResolvedItem>, Box<ItemError>>;

/// Whether an item applies to a target.
enum Applies {
    Yes,
    No,
}

/// The items of a baseline for one account, Region by Region. What does not depend on the Region
/// is resolved once.
pub struct Resolver<'b> {
    baseline: &'b Baseline<'b>,
    facts: TargetFacts,
    /// For each item what was found, where it is the same in all Regions.
    everywhere: Vec<Option<Option<Arc<ResolvedItem>>>>,
}

impl<'b> Resolver<'b> {
    /// For an account; the Region of `facts` is of no account.
    pub fn new(baseline: &'b Baseline<'b>, facts: TargetFacts) -> Self {
        let everywhere = vec![None; baseline.declarations.items.len()];
        Self { baseline, facts, everywhere }
    }

    /// The items that hold in a Region, in the order of their names. Items in mode `off` and items
    /// whose `when` says no are left out.
    pub fn at(&mut self, region: &Region) -> Vec<Resolution> {
        self.facts.region = region.clone();
        let (baseline, facts) = (self.baseline, &self.facts);
        let items = baseline.declarations.items.iter().zip(&mut self.everywhere);
        items
            .filter_map(|((name, declared), everywhere)| {
                if let Some(known) = everywhere {
                    return known.clone().map(Ok);
                }
                let mut filled = Filled::default();
                match baseline.item(name, declared, facts, &mut filled) {
                    Err(error) => Some(Err(error)),
                    Ok(item) => {
                        let item = item.map(Arc::new);
                        if !filled.uses_region {
                            *everywhere = Some(item.clone());
                        }
                        item.map(Ok)
                    }
                }
            })
            .collect()
    }
}

impl Baseline<'_> {
    /// The items that hold for a target; see [`Resolver::at`].
    pub fn resolve(&self, facts: &TargetFacts) -> Vec<Resolution> {
        Resolver::new(self, facts.clone()).at(&facts.region)
    }

    /// The items for any target of a partition, or any Region of an account: other facts of it have the
    /// values of [`UNKNOWN_FACTS`](super::UNKNOWN_FACTS), conditions are taken to hold. For what depends
    /// on no target, such as permissions.
    pub fn resolve_for_anyone(&self, partition: &str, account: Option<&str>) -> Vec<ResolvedItem> {
        let filler = self.filler(Target::Anyone { partition, account });
        self.declarations
            .items
            .iter()
            .filter_map(|(name, declared)| {
                let parts = split(&filler, self, name, declared).ok()?;
                Some(self.resolved(name, declared, parts))
            })
            .filter(|item| item.mode != Mode::Off)
            .collect()
    }

    fn item(
        &self,
        name: &ItemName,
        declared: &Declared,
        facts: &TargetFacts,
        filled: &mut Filled,
    ) -> Result<Option<ResolvedItem>, Box<ItemError>> {
        let filler = self.filler(Target::Real(facts));
        // What can be said of an item that cannot be resolved: a word that cannot be filled in is
        // taken for the widest.
        let word = |key: &str| {
            let field = declared.fields.get(key)?;
            filler.fill(&field.node, "", &mut Filled::default()).ok()
        };
        let error = |message: String, help: Option<String>, location: Location| {
            Box::new(ItemError {
                item: name.clone(),
                message,
                help,
                location,
                mode: mode_of(word("mode")),
                regions: regions_of(word("regions")),
            })
        };
        let fail = |unfilled: Unfilled| {
            error(unfilled.message, unfilled.help, self.location(&unfilled.place))
        };
        let mismatch = |message: String, help: Option<String>, path: &[String], at_key: bool| {
            error(message, help, self.location(&locate(declared, path, at_key)))
        };
        // First of all whether it holds here: an item that does not need not be filled in.
        if let Some(when) = declared.fields.get("when") {
            let when = filler.fill(&when.node, "/when", filled).map_err(fail)?;
            match applies(&when, facts)
                .map_err(|message| mismatch(message, None, &["when".to_owned()], false))?
            {
                Applies::Yes => {}
                Applies::No => return Ok(None),
            }
        }
        let parts = match split(&filler, self, name, declared) {
            Ok(parts) => parts,
            Err(_) if mode_of(word("mode")) == Mode::Off => return Ok(None),
            Err(unfilled) => return Err(fail(unfilled)),
        };
        filled.uses_region |= parts.uses_region;
        // A fact in a word, such as a Region of the account's tags, was a sample until now.
        for (word, value) in &parts.words {
            let is_filled_in =
                declared.fields.get(word).is_some_and(|field| field.node.has_placeholder());
            if is_filled_in
                && let Some(checker) = Checker::new(word_schema(word))
                && let Some(wrong) = checker.mismatches(value).into_iter().next()
            {
                let message = wrong.message.replacen("this", &format!("`{word}`"), 1);
                return Err(mismatch(message, wrong.help, std::slice::from_ref(word), false));
            }
        }
        // A variable's value for this target may be of another type than the sample's.
        if let Some(checker) = self.catalog.checker(&name.kind)
            && let Some(wrong) = checker.mismatches(&parts.spec).into_iter().next()
        {
            return Err(mismatch(wrong.message, wrong.help, &wrong.path, wrong.at_key));
        }
        // The same for the rules, which saw a sample in its place.
        if let Some(kind) = self.catalog.find(&name.kind)
            && let Some(wrong) = (kind.check)(&parts.spec).into_iter().next()
        {
            return Err(mismatch(wrong.message, wrong.help, &steps(&wrong.field), false));
        }
        let item = self.resolved(name, declared, parts);
        Ok((item.mode != Mode::Off).then_some(item))
    }

    fn resolved(&self, name: &ItemName, declared: &Declared, parts: Parts) -> ResolvedItem {
        let Parts { mut words, spec, references, .. } = parts;
        ResolvedItem {
            item: name.clone(),
            mode: mode_of(words.remove("mode")),
            regions: regions_of(words.remove("regions")),
            note: words.get("note").and_then(|note| note.as_str().map(str::to_owned)),
            location: self.location(&declared.place),
            spec,
            references,
        }
    }

    pub(super) fn filler<'b>(&'b self, target: Target<'b>) -> Filler<'b> {
        Filler {
            declarations: &self.declarations,
            catalog: self.catalog,
            overrides: &self.options.variables,
            environment: &self.options.environment,
            target,
        }
    }
}

/// An item's fields, the engine's words apart.
pub(super) struct Parts {
    /// `mode`, `regions`, `when`, `note`.
    pub words: BTreeMap<String, Json>,
    /// The kind's own fields, its AWS name filled in.
    pub spec: Json,
    /// The items that its fields refer to, by field.
    pub references: BTreeMap<String, BTreeSet<ItemName>>,
    /// Paths of texts that hold sample values.
    pub samples: BTreeSet<String>,
    /// Whether the Region took part.
    uses_region: bool,
}

pub(super) fn mode_of(word: Option<Json>) -> Mode {
    word.and_then(|mode| serde_json::from_value(mode).ok()).unwrap_or(Mode::Enforce)
}

pub(super) fn regions_of(word: Option<Json>) -> Regions {
    word.and_then(|regions| serde_json::from_value(regions).ok())
        .unwrap_or(Regions::Word(RegionWord::Enabled))
}

/// Fills in an item's placeholders and sorts its fields.
pub(super) fn split(
    filler: &Filler<'_>,
    baseline: &Baseline<'_>,
    name: &ItemName,
    declared: &Declared,
) -> Result<Parts, Unfilled> {
    let mut filled = Filled::default();
    let mut words = BTreeMap::new();
    let mut spec = Map::new();
    let mut references = BTreeMap::new();
    for (key, field) in &declared.fields {
        let value = filler.fill(&field.node, &format!("/{key}"), &mut filled)?;
        let mut referred = std::mem::take(&mut filled.depends_on);
        referred.remove(name);
        if !referred.is_empty() {
            references.insert(key.clone(), referred);
        }
        if ENGINE_WORDS.contains(&key.as_str()) {
            words.insert(key.clone(), value);
        } else {
            spec.insert(key.clone(), value);
        }
    }
    if let (Some(Identity::Named { field, prefix }), Some(own)) =
        (baseline.catalog.find(&name.kind).map(|kind| kind.identity), &name.name)
    {
        spec.entry(field).or_insert_with(|| Json::String(format!("{prefix}{own}")));
    }
    Ok(Parts {
        words,
        spec: Json::Object(spec),
        references,
        samples: filled.samples,
        uses_region: filled.uses_region,
    })
}

/// Evaluates `when`: every condition that is there must hold.
fn applies(when: &Json, facts: &TargetFacts) -> Result<Applies, String> {
    let list = |key: &str| -> Option<Vec<&str>> {
        when.get(key)?.as_array().map(|list| list.iter().filter_map(Json::as_str).collect())
    };
    let account = facts.account_id.as_str();
    if list("accounts").is_some_and(|accounts| !accounts.contains(&account))
        || list("not_accounts").is_some_and(|accounts| accounts.contains(&account))
    {
        return Ok(Applies::No);
    }
    if let Some(wanted) = list("ous") {
        let ous = facts.ous.as_ref().ok_or(
            "`when.ous` cannot be decided: the account's organizational units are not known",
        )?;
        if !wanted.iter().any(|ou| ous.iter().any(|own| own == ou)) {
            return Ok(Applies::No);
        }
    }
    if let Some(wanted) = when.get("account_tags").and_then(Json::as_object) {
        let tags = facts
            .account_tags
            .as_ref()
            .ok_or("`when.account_tags` cannot be decided: the account's tags are not known")?;
        if wanted.iter().any(|(key, value)| tags.get(key).map(String::as_str) != value.as_str()) {
            return Ok(Applies::No);
        }
    }
    Ok(Applies::Yes)
}
