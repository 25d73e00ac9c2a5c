//! The rules by which findings are archived, so that nobody is told of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_accessanalyzer::Client;
use aws_sdk_accessanalyzer::types;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Analyzer, Place, Spec};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Allowed, Arns, Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared,
};

const LIST: Call = Call::new("accessanalyzer", "ListArchiveRules");
const CREATE: Call = Call::new("accessanalyzer", "CreateArchiveRule");
const UPDATE: Call = Call::new("accessanalyzer", "UpdateArchiveRule");
const DELETE: Call = Call::new("accessanalyzer", "DeleteArchiveRule");

/// The criteria of a rule, by what they look at, such as `principal.AWS`.
pub type Filter = BTreeMap<String, Criterion>;

/// A criterion: all that is given of it must hold.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Criterion {
    /// It is one of these, up to 20.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 20))]
    pub eq: BTreeSet<String>,
    /// It is none of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 20))]
    pub neq: BTreeSet<String>,
    /// It has one of these in it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 20))]
    pub contains: BTreeSet<String>,
    /// Whether it is there at all.
    pub exists: Option<bool>,
}

pub struct ArchiveRules;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Create { rule_name: String, filter: Filter },
    Update { rule_name: String, filter: Filter },
    Delete { rule_name: String },
}

/// A rule has no ARN that could be made from its name alone, for its analyzer may have any name.
fn rule(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("access-analyzer", "analyzer/*/archive-rule/*")]).into()
}

fn has_some(spec: &Spec) -> bool {
    spec.archive_rules.as_ref().is_some_and(|rules| !rules.is_empty())
}

/// A filter as a request takes it.
pub fn send(filter: &Filter) -> HashMap<String, types::Criterion> {
    let list = |values: &BTreeSet<String>| {
        Some(values.iter().cloned().collect::<Vec<_>>()).filter(|list| !list.is_empty())
    };
    let one = |criterion: &Criterion| {
        types::Criterion::builder()
            .set_eq(list(&criterion.eq))
            .set_neq(list(&criterion.neq))
            .set_contains(list(&criterion.contains))
            .set_exists(criterion.exists)
            .build()
    };
    filter.iter().map(|(name, criterion)| (name.clone(), one(criterion))).collect()
}

fn read(filter: &HashMap<String, types::Criterion>) -> Filter {
    let list = |values: &[String]| values.iter().cloned().collect();
    let one = |criterion: &types::Criterion| Criterion {
        eq: list(criterion.eq()),
        neq: list(criterion.neq()),
        contains: list(criterion.contains()),
        exists: criterion.exists(),
    };
    filter.iter().map(|(name, criterion)| (name.clone(), one(criterion))).collect()
}

impl Part for ArchiveRules {
    type Of = Analyzer;
    type Now = BTreeMap<String, Filter>;
    type Write = Write;

    const NAME: &'static str = "archive_rules";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, Self::is_declared),
        Use::write_if(CREATE, has_some, rule),
        Use::write_if(UPDATE, has_some, rule),
        Use::write_if(DELETE, Self::is_declared, rule),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.archive_rules.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        let name = &place.analyzer_name;
        let pages = cx.client(Client::new).list_archive_rules().analyzer_name(name);
        let pages = pages.into_paginator().send();
        let list = |page: aws_sdk_accessanalyzer::operation::list_archive_rules::ListArchiveRulesOutput| {
            Some(page.archive_rules)
        };
        let rules = cx.list(LIST, name, pages, "archiveRules", list).await?;
        Ok(rules.iter().map(|rule| (rule.rule_name.clone(), read(rule.filter()))).collect())
    }

    fn diff(look: &Look<'_, Analyzer>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(Self::NAME);
        let Some(wanted) = &look.spec.archive_rules else { return Vec::new() };
        // A new analyzer is made with them.
        if look.is_new() {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for (name, filter) in wanted {
            let there = now.get(name);
            let mut drift = Drift::new();
            if !drift.compare(&format!("archive_rules.{name}"), there, Some(filter)) {
                continue;
            }
            let (rule_name, sent) = (name.clone(), filter.clone());
            let write = match there {
                Some(_) => Write::Update { rule_name, filter: sent },
                None => Write::Create { rule_name, filter: sent },
            };
            let warning = match hides_all(filter) {
                true => {
                    "the rule matches every finding: all new ones are archived, and nobody is told of any"
                }
                false => "new findings that the rule matches are archived: nobody is told of them",
            };
            changes.push(look.disruptive(Change::new(write, drift).independent(), warning));
        }
        for (name, filter) in now.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
            let mut drift = Drift::new();
            drift.add(&format!("archive_rules.{name}"), Some(filter), None::<&Filter>);
            let change = Change::new(Write::Delete { rule_name: name.clone() }, drift);
            changes.push(change.independent().makes_room());
        }
        changes
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Create { .. } => CREATE,
            Write::Update { .. } => UPDATE,
            Write::Delete { .. } => DELETE,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        let (client, analyzer) = (cx.client(Client::new), &place.analyzer_name);
        match write {
            Write::Create { rule_name, filter } => {
                let request = client
                    .create_archive_rule()
                    .analyzer_name(analyzer)
                    .rule_name(rule_name)
                    .set_filter(Some(send(filter)));
                cx.send(CREATE, request.send()).await
            }
            Write::Update { rule_name, filter } => {
                let request = client
                    .update_archive_rule()
                    .analyzer_name(analyzer)
                    .rule_name(rule_name)
                    .set_filter(Some(send(filter)));
                cx.send(UPDATE, request.send()).await
            }
            Write::Delete { rule_name } => {
                let request =
                    client.delete_archive_rule().analyzer_name(analyzer).rule_name(rule_name);
                cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    fn undo(write: &Write, before: &Self::Now) -> Undo<Write> {
        let (Write::Create { rule_name, .. }
        | Write::Update { rule_name, .. }
        | Write::Delete { rule_name }) = write;
        let rule_name = rule_name.clone();
        Undo::By(vec![match (write, before.get(&rule_name).cloned()) {
            (Write::Delete { .. }, Some(filter)) => Write::Create { rule_name, filter },
            (_, Some(filter)) => Write::Update { rule_name, filter },
            (_, None) => Write::Delete { rule_name },
        }])
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        spec.archive_rules = Some(now.clone());
    }
}

/// What a finding can be chosen by in a rule. Source: IAM User Guide, "IAM Access Analyzer filter keys": those
/// that archive rules take.
const KEYS: [&str; 9] = [
    "error",
    "findingType",
    "isPublic",
    "principal.AWS",
    "principal.Federated",
    "resource",
    "resourceControlPolicyRestriction",
    "resourceOwnerAccount",
    "resourceType",
];
/// What the conditions of a finding begin with, whose keys are those of IAM.
const CONDITION: &str = "condition.";
/// Those that choose findings where they are listed, and that no rule takes.
const OF_LISTS: [&str; 5] =
    ["changeType", "existingFindingId", "existingFindingStatus", "id", "status"];
const TRUTHS: [&str; 2] = ["false", "true"];

/// Whether every finding fits a filter.
fn hides_all(filter: &Filter) -> bool {
    filter.iter().all(|(key, criterion)| {
        let Criterion { eq, neq, contains, exists } = criterion;
        let all_truths = key == "isPublic" && TRUTHS.iter().all(|one| eq.contains(*one));
        let is_any = contains.iter().any(String::is_empty);
        let is_there =
            *exists == Some(true) && ["resource", "resourceType"].contains(&key.as_str());
        neq.is_empty()
            && (eq.is_empty() || all_truths)
            && (contains.is_empty() || is_any)
            && (exists.is_none() || is_there)
    })
}

/// Why a rule has no such criterion.
fn no_criterion(key: &str, criterion: &Criterion) -> Option<(String, String)> {
    let is_condition = key.strip_prefix(CONDITION).is_some_and(|key| key.contains(':'));
    if !KEYS.contains(&key) && !is_condition {
        let why = match OF_LISTS.contains(&key) {
            true => format!("{key:?} chooses findings where they are listed, and no rule takes it"),
            false => format!("{key:?} is nothing that findings can be chosen by"),
        };
        return Some((why, format!("one of {}, or {CONDITION}KEY", KEYS.join(", "))));
    }
    let Criterion { eq, neq, contains, .. } = criterion;
    let mut values = eq.iter().chain(neq).chain(contains);
    if key == "isPublic" {
        let other = values.find(|value| !TRUTHS.contains(&value.as_str()))?;
        return Some((format!("isPublic is never {other:?}"), "write true or false".to_owned()));
    }
    if key == "resourceOwnerAccount" && contains.is_empty() {
        let is_account = |id: &str| id.len() == 12 && id.bytes().all(|one| one.is_ascii_digit());
        let other = values.find(|value| !is_account(value))?;
        return Some((format!("{other:?} is no account"), "write its twelve digits".to_owned()));
    }
    None
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    for (name, filter) in spec.archive_rules.iter().flatten() {
        let field = format!("archive_rules.{name}");
        let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "_.-".contains(sign);
        if !name.starts_with(|first: char| first.is_ascii_alphabetic())
            || name.len() > 255
            || !name.chars().all(is_sign)
        {
            problems.push(SpecProblem::new(
                &field,
                "AWS takes no rule of this name",
                "begin with a letter, and go on with letters, digits, `_`, `.` and `-`",
            ));
        }
        for (key, criterion) in filter {
            if let Some((why, help)) = no_criterion(key, criterion) {
                problems.push(SpecProblem::new(&field, why, help));
            }
        }
        if filter.is_empty() || filter.values().any(|one| *one == Criterion::default()) {
            problems.push(SpecProblem::new(
                &field,
                "a rule, or a criterion of it, that says nothing",
                "say what must match: `{ \"principal.AWS\" = { eq = [\"…\"] } }`",
            ));
        }
    }
    problems
}
