//! Identifiers of one's own: what Macie looks for in addition.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_macie2::Client;
use aws_sdk_macie2::operation::get_custom_data_identifier::GetCustomDataIdentifierOutput;
use aws_sdk_macie2::types::{DataIdentifierSeverity, SeverityLevel};
use serde::{Deserialize, Serialize};

use super::spec::{CustomDataIdentifier, Severity};
use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::tags::{self, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared,
    count, known, sendable, together, told,
};

const LIST: Call = Call::new("macie2", "ListCustomDataIdentifiers");
const GET: Call = Call::new("macie2", "GetCustomDataIdentifier");
const CREATE: Call = Call::new("macie2", "CreateCustomDataIdentifier");
const DELETE: Call = Call::new("macie2", "DeleteCustomDataIdentifier");
const NAME: &str = "custom_data_identifiers";

pub struct Identifiers;

/// An identifier that is there, of which Macie may have several with one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct There {
    pub custom_data_identifier_id: String,
    pub identifier: CustomDataIdentifier,
    /// Without those of AWS. They are not declared, and stay with what takes its place.
    pub tags: Tags,
}

/// An identifier, as it is made and as it is found again to be deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct One {
    pub name: String,
    pub identifier: CustomDataIdentifier,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// Macie changes none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Create(One),
    Delete(One),
}

impl Part for Identifiers {
    type Of = Session;
    /// Those with a declared name.
    type Now = BTreeMap<String, Vec<There>>;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, Self::is_declared),
        Use::read_if(GET, Self::is_declared),
        Use::write_if(CREATE, Self::is_declared, identifiers),
        Use::write_if(DELETE, Self::is_declared, identifiers),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.custom_data_identifiers.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let declared = spec.custom_data_identifiers.iter().flatten();
        let declared: BTreeSet<&str> = declared.map(|(name, _)| name.as_str()).collect();
        there(cx, |name| declared.contains(name)).await
    }

    fn diff(look: &Look<'_, Session>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(NAME);
        let mut changes = Vec::new();
        for (name, wanted) in look.spec.custom_data_identifiers.iter().flatten() {
            let there = now.get(name).map_or(&[][..], Vec::as_slice);
            changed(&mut changes, name, wanted, there);
        }
        changes
    }

    fn calls(write: &Write) -> Vec<Call> {
        match write {
            Write::Create(_) => vec![CREATE, LIST, GET],
            Write::Delete(_) => vec![DELETE, LIST, GET],
        }
    }

    async fn write(cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Create(one) => create(cx, one).await,
            Write::Delete(one) => {
                let Some(id) = one.found(cx).await? else { return Ok(()) };
                let request = cx.client(Client::new).delete_custom_data_identifier().id(id);
                cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    // Once the former is gone, nobody can say any more what of it stays with the one in its place.
    fn is_same(planned: &Write, now: &Write) -> bool {
        match (planned, now) {
            (Write::Create(planned), Write::Create(now)) => {
                planned.name == now.name
                    && fits(&now.identifier, &planned.identifier)
                    && (now.tags.is_empty() || now.tags == planned.tags)
            }
            _ => planned == now,
        }
    }

    fn undo(write: &Write, _before: &Self::Now) -> Undo<Write> {
        Undo::By(vec![match write {
            Write::Create(one) => Write::Delete(one.clone()),
            Write::Delete(one) => Write::Create(one.clone()),
        }])
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let single = now.iter().filter_map(|(name, there)| match there.as_slice() {
            [one] => Some((name.clone(), one.identifier.clone())),
            _ => None,
        });
        let single: BTreeMap<_, _> = single.collect();
        spec.custom_data_identifiers = Some(single).filter(|single| !single.is_empty());
    }
}

/// The changes of one name.
fn changed(
    changes: &mut Vec<Change<Write>>,
    name: &str,
    wanted: &CustomDataIdentifier,
    there: &[There],
) {
    if there.iter().any(|one| fits(wanted, &one.identifier)) {
        return;
    }
    let field = format!("{NAME}.{name}");
    let mut needs = Vec::new();
    let mut one = One { name: name.to_owned(), identifier: wanted.clone(), tags: Tags::new() };
    let mut drift = Drift::new();
    // Of several nobody can say which one it was.
    let former = if let [former] = there { Some(former) } else { None };
    if let Some(former) = former {
        one.tags = former.tags.clone();
        one.identifier.description =
            wanted.description.clone().or_else(|| former.identifier.description.clone());
        let identifier = former.identifier.clone();
        let delete = One { name: name.to_owned(), identifier, tags: former.tags.clone() };
        let mut gone = Drift::new();
        gone.add(&field, Some(&former.identifier), Some(wanted));
        needs.push(changes.len());
        changes.push(
            Change::new(Write::Delete(delete), gone)
                .warn("it is made anew, under another id: jobs and automated discovery go on with the former one until they name the new one")
                .needs([]),
        );
        differing(&mut drift, &field, wanted, &former.identifier);
    } else {
        drift.add(&field, None::<&str>, Some(wanted));
    }
    changes.push(Change::new(Write::Create(one), drift).needs(needs));
}

/// What differs of the two, field by field.
fn differing(
    drift: &mut Drift,
    field: &str,
    wanted: &CustomDataIdentifier,
    there: &CustomDataIdentifier,
) {
    let of = |name: &str| format!("{field}.{name}");
    drift.compare(&of("regex"), Some(&there.regex), Some(&wanted.regex));
    drift.compare_text(
        &of("description"),
        there.description.as_deref(),
        wanted.description.as_deref(),
    );
    drift.compare(&of("keywords"), Some(&there.keywords), Some(&wanted.keywords));
    drift.compare(&of("ignore_words"), Some(&there.ignore_words), Some(&wanted.ignore_words));
    drift.compare(
        &of("maximum_match_distance"),
        Some(&there.maximum_match_distance),
        Some(&wanted.maximum_match_distance),
    );
    let (now, levels) = (levels(there), levels(wanted));
    drift.compare(&of("severity_levels"), Some(&now), Some(&levels));
}

/// Whether an identifier is as it is declared.
fn fits(wanted: &CustomDataIdentifier, there: &CustomDataIdentifier) -> bool {
    let described = wanted.description.is_none() || wanted.description == there.description;
    described
        && wanted.regex == there.regex
        && wanted.keywords == there.keywords
        && wanted.ignore_words == there.ignore_words
        && wanted.maximum_match_distance == there.maximum_match_distance
        && levels(wanted) == levels(there)
}

/// How severe findings are: without levels of one's own, as with AWS's default.
fn levels(of: &CustomDataIdentifier) -> BTreeMap<Severity, u32> {
    match of.severity_levels.is_empty() {
        true => BTreeMap::from([(Severity::Medium, 1)]),
        false => of.severity_levels.clone(),
    }
}

/// The identifiers whose names are looked for, whole.
async fn there(
    cx: &Cx,
    is_looked_for: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<There>>, ObserveError> {
    let pages = cx.client(Client::new).list_custom_data_identifiers().into_paginator().send();
    let listed = cx.list(LIST, "", pages, "items", |page| page.items).await?;
    let mut ids = BTreeMap::new();
    for one in listed.iter() {
        let name = told("items.name", one.name())?;
        if is_looked_for(name) {
            ids.insert(told("items.id", one.id())?, name);
        }
    }
    let reads = ids.iter().map(|(id, name)| get(cx, id, name));
    let mut found: BTreeMap<String, Vec<There>> = BTreeMap::new();
    for (name, one) in together::all(reads).await?.into_iter().flatten() {
        found.entry(name).or_default().push(one);
    }
    Ok(found)
}

/// An identifier by its id; `None` for one that has been deleted.
async fn get(cx: &Cx, id: &str, name: &str) -> Result<Option<(String, There)>, ObserveError> {
    let request = cx.client(Client::new).get_custom_data_identifier().id(id);
    let answer = cx.read(GET, id, request.send()).await?;
    if answer.deleted() == Some(true) {
        return Ok(None);
    }
    let tags = answer.tags().into_iter().flatten();
    let there = There {
        custom_data_identifier_id: id.to_owned(),
        identifier: read(&answer)?,
        tags: tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))),
    };
    Ok(Some((name.to_owned(), there)))
}

fn read(said: &GetCustomDataIdentifierOutput) -> Result<CustomDataIdentifier, ObserveError> {
    let mut severity_levels = BTreeMap::new();
    for level in said.severity_levels() {
        let severity = told("severityLevels.severity", level.severity())?;
        let from = told("severityLevels.occurrencesThreshold", level.occurrences_threshold())?;
        severity_levels.insert(
            known("severityLevels.severity", severity.as_str())?,
            count("severityLevels.occurrencesThreshold", from)?,
        );
    }
    let distance = told("maximumMatchDistance", said.maximum_match_distance())?;
    Ok(CustomDataIdentifier {
        regex: told("regex", said.regex())?.to_owned(),
        description: said.description().filter(|text| !text.is_empty()).map(str::to_owned),
        keywords: said.keywords().iter().cloned().collect(),
        ignore_words: said.ignore_words().iter().cloned().collect(),
        maximum_match_distance: count("maximumMatchDistance", distance)?,
        severity_levels,
    })
}

async fn create(cx: &WriteCx, one: &One) -> Result<(), WriteError> {
    // Macie makes as many of one name as it is asked for.
    if one.found(cx).await?.is_some() {
        return Err(WriteError::there_by_now(&one.name));
    }
    let wanted = &one.identifier;
    let mut levels = Vec::new();
    for (severity, from) in &wanted.severity_levels {
        let level = SeverityLevel::builder()
            .severity(DataIdentifierSeverity::from(severity.as_str()))
            .occurrences_threshold(i64::from(*from));
        levels.push(level.build());
    }
    let words = |words: &BTreeSet<String>| {
        Some(words.iter().cloned().collect::<Vec<_>>()).filter(|words| !words.is_empty())
    };
    let tags = Some(one.tags.clone().into_iter().collect());
    let request = cx
        .client(Client::new)
        .create_custom_data_identifier()
        .name(&one.name)
        .regex(&wanted.regex)
        .set_description(wanted.description.clone())
        .set_keywords(words(&wanted.keywords))
        .set_ignore_words(words(&wanted.ignore_words))
        .maximum_match_distance(sendable("maximumMatchDistance", wanted.maximum_match_distance)?)
        .set_severity_levels(Some(levels).filter(|levels| !levels.is_empty()))
        .set_tags(tags.filter(|_| !one.tags.is_empty()));
    let answer = cx.write(CREATE, request.send()).await?;
    cx.note_made(answer.custom_data_identifier_id());
    Ok(())
}

impl One {
    /// The id of the one that is just like it, if it is there.
    async fn found(&self, cx: &WriteCx) -> Result<Option<String>, ObserveError> {
        let there = there(&cx.afresh(), |name| name == self.name).await?;
        let alike = there.into_values().flatten().find(|one| {
            fits(&self.identifier, &one.identifier) && fits(&one.identifier, &self.identifier)
        });
        Ok(alike.map(|one| one.custom_data_identifier_id))
    }
}

/// Macie chooses their ids.
fn identifiers(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("macie2", "custom-data-identifier/*")]).into()
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let declared = spec.custom_data_identifiers.iter().flatten();
    declared.flat_map(|(name, one)| wrong(&format!("{NAME}.{name}"), name, one)).collect()
}

/// What Macie refuses of one (Macie API Reference, "Custom Data Identifiers").
fn wrong(field: &str, name: &str, one: &CustomDataIdentifier) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if name.is_empty() || name.chars().count() > 128 {
        problems.push(SpecProblem::new(field, "a name has 1 to 128 characters", "shorten it"));
    }
    for (what, words, least) in
        [("keywords", &one.keywords, 3), ("ignore_words", &one.ignore_words, 4)]
    {
        let fits = |word: &&String| (least..=90).contains(&word.chars().count());
        for word in words.iter().filter(|word| !fits(word)) {
            let message = format!("{word:?} has not {least} to 90 characters");
            problems.push(SpecProblem::new(format!("{field}.{what}"), message, "change it"));
        }
    }
    // In the order of severities.
    let from: Vec<u32> = one.severity_levels.values().copied().collect();
    if from.contains(&0) || from.windows(2).any(|two| two[0] >= two[1]) {
        problems.push(SpecProblem::new(
            format!("{field}.severity_levels"),
            "a higher severity begins at more occurrences than a lower one, and the lowest at 1 or more",
            "such as { LOW = 1, MEDIUM = 50, HIGH = 100 }",
        ));
    }
    problems
}
