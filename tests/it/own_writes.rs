//! The property of all kinds that a rollback goes by: what takes a change back takes away what the change has put
//! there, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenkeel::aws::Session;
use evenkeel::baseline::catalog::Identity;
use evenkeel::kinds::{Object, Status, Undo};
use evenkeel::plan::{ObjectPlan, Plan, PlannedChange};
use evenkeel::reconcile::rollback::own::{self, Seen, Takes, Written};
use evenkeel::reconcile::{again, wide};
use serde_json::{Value, json};

use crate::properties::{Kind, apply_whole, messy, states};
use crate::support::Account;
use crate::support::library::{self, Declaration, apply, observe};

/// So for each change of a plan that was applied. A kind that does not see this of its own writes would leave each
/// rollback undone.
pub async fn are_taken_back(
    kind: Kind,
    plan: &Plan,
    session: &Arc<Session>,
    declaration: &Declaration,
) {
    let written = states(&observe(session, declaration).await);
    for object in plan.objects.iter().filter(|object| object.item.kind == kind.name()) {
        let is_made = object.observed.status == Status::Absent;
        let is_kept =
            |change: &PlannedChange| matches!(change.undo.as_deref(), Some(Undo::Impossible(_)));
        // No rollback takes a part of it away.
        if is_made && object.changes.iter().any(is_kept) {
            continue;
        }
        let key = (object.item.to_string(), object.region.to_string(), object.observed.id.clone());
        let facts = again::facts(session, &object.region, &object.item);
        let changes = object.changes.iter().filter(|change| change.is_applied());
        let run: Vec<Written<'_>> = changes
            .filter_map(|change| match (change.action.as_deref(), change.undo.as_deref()) {
                (Some(write), Some(Undo::By(back))) => Some(Written { write, back }),
                _ => None,
            })
            .collect();
        let now = written.get(&key).unwrap();
        let whole = match is_made {
            true => {
                let spec = wide::widened(kind, session, &object.spec).unwrap();
                let cx = again::fresh(session, facts.clone());
                kind.observe_one(&cx, &spec, &object.observed.id).await.unwrap().unwrap()
            }
            false => now.clone(),
        };
        let seen = Seen { before: &object.observed, now, whole: &whole };
        for back in run.iter().flat_map(|one| one.back) {
            assert_eq!(
                own::takes(kind, &facts, back, seen, &run),
                Takes::ItsOwn,
                "{}:\n{back:#}\ntakes away what the run has not written:\n{:#?}\n{:#?}\n{:#?}",
                object.title(),
                kind.undo(back, now),
                own::making(kind, &facts, &whole),
                run,
            );
        }
    }
}

/// The same of each field where it is declared alone: what a declaration does not say, AWS says in its own way.
pub async fn of_each_field_are_taken_back(kind: Kind) {
    let (account, session) = messy(kind).await;
    let [first, .., last] = kind.samples() else { return };
    apply_whole(&account, &session, &Declaration::new(&account, first)).await;
    for declaration in each_field_alone(kind, last) {
        if declaration.resolved(&session).await.is_err() {
            continue;
        }
        let items = observe(&session, &declaration).await;
        // Some cannot be judged alone.
        if items.iter().any(|item| item.objects.is_err()) {
            continue;
        }
        let plan = library::plan(&session, &declaration, items);
        if apply(&account, &session, &plan).await.is_complete() {
            are_taken_back(kind, &plan, &session, &declaration).await;
        }
    }
}

/// The same of what a run makes: of each sample, of what must be declared alone, and, where a rollback takes away what
/// was made, without one field at a time. Each in an account of its own.
pub async fn of_what_is_made_are_taken_back(kind: Kind) {
    for sample in kind.samples() {
        let fields = fields(kind, sample);
        if let Ok(declaration) = Declaration::tried(library::sample(sample)) {
            is_told_from_one_made_anew(kind, &declaration).await;
        }
        if is_made_and_taken_back(kind, Declaration::tried(library::sample(sample)).ok()).await {
            is_made_and_taken_back(kind, narrowed(kind, sample, &|_| false)).await;
            for left_out in &fields {
                is_made_and_taken_back(kind, narrowed(kind, sample, &|field| field != left_out))
                    .await;
            }
        }
    }
}

/// Whether anything was made that a rollback takes away.
async fn is_made_and_taken_back(kind: Kind, declaration: Option<Declaration>) -> bool {
    let (account, session) = messy(kind).await;
    let Some(declaration) = declaration else { return false };
    if declaration.resolved(&session).await.is_err() {
        return false;
    }
    let items = observe(&session, &declaration).await;
    // Some cannot be judged alone.
    if items.iter().any(|item| item.objects.is_err()) {
        return false;
    }
    let plan = library::plan(&session, &declaration, items);
    if !apply(&account, &session, &plan).await.is_complete() {
        return false;
    }
    are_taken_back(kind, &plan, &session, &declaration).await;
    let mut own = plan.objects.iter().filter(|object| object.item.kind == kind.name());
    own.any(|object| {
        let mut undoes = object.changes.iter().map(|change| change.undo.as_deref());
        object.observed.status == Status::Absent
            && undoes.any(|undo| matches!(undo, Some(Undo::By(_))))
    })
}

/// What AWS gives an id of its own when it is made is told by that from what is made anew in its place, just alike.
async fn is_told_from_one_made_anew(kind: Kind, declaration: &Declaration) {
    let (account, session) = messy(kind).await;
    if declaration.resolved(&session).await.is_err() {
        return;
    }
    let first = made(kind, &account, &session, declaration).await;
    for object in &first {
        for change in object.object.changes.iter().rev().filter(|change| change.is_applied()) {
            let Some(Undo::By(actions)) = change.undo.as_deref() else { continue };
            for action in actions {
                library::write(&session, &object.object, action).await;
            }
        }
    }
    for again in &made(kind, &account, &session, declaration).await {
        let place = |one: &MadeOne| (one.object.region.clone(), one.now.id.clone());
        let Some(before) = first.iter().find(|one| place(one) == place(again)) else { continue };
        let (before_has, has) = (texts(&before.now), texts(&again.now));
        if has.difference(&before_has).next().is_none() {
            continue;
        }
        let title = again.object.title();
        assert!(
            !before.ids.is_empty(),
            "{title}: {has:?} was {before_has:?}, and no create notes it"
        );
        assert!(own::are_there(&before.ids, &before.now), "{title}: {:?}", before.ids);
        assert!(!own::are_there(&before.ids, &again.now), "{title}: {:?}", before.ids);
    }
}

/// An object that a run made, and that a rollback of it takes away.
struct MadeOne {
    object: ObjectPlan,
    now: Object<Value>,
    /// What AWS gave to all that was made in the run.
    ids: Vec<String>,
}

async fn made(
    kind: Kind,
    account: &Account,
    session: &Arc<Session>,
    declaration: &Declaration,
) -> Vec<MadeOne> {
    let log = account.folder.path().join("audit.jsonl");
    let plan = library::plan(session, declaration, observe(session, declaration).await);
    let known = std::fs::read_to_string(&log).map_or(0, |log| log.lines().count());
    if !apply(account, session, &plan).await.is_complete() {
        return Vec::new();
    }
    let written = std::fs::read_to_string(&log).unwrap_or_default();
    let records =
        written.lines().skip(known).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let records: Vec<Value> = records.collect();
    let now = states(&observe(session, declaration).await);
    let is_taken_away = |object: &ObjectPlan| {
        object.item.kind == kind.name()
            && object.observed.status == Status::Absent
            && !object.changes.is_empty()
            && object
                .changes
                .iter()
                .all(|change| matches!(change.undo.as_deref(), Some(Undo::By(_))))
    };
    let one = |object: &ObjectPlan| {
        let key = (object.item.to_string(), object.region.to_string(), object.observed.id.clone());
        let of_object = records.iter().filter(|record| {
            record["item"] == json!(object.item)
                && record["region"] == json!(object.region)
                && record["object"] == json!(object.observed.id)
        });
        let ids = of_object.flat_map(|record| record["made"].as_array().into_iter().flatten());
        let ids = ids.filter_map(Value::as_str).map(str::to_owned).collect();
        MadeOne { object: object.clone(), now: now.get(&key).unwrap().clone(), ids }
    };
    plan.objects.each().filter(|object| is_taken_away(object)).map(|object| one(&object)).collect()
}

fn texts(object: &Object<Value>) -> BTreeSet<String> {
    fn add(value: &Value, texts: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => _ = texts.insert(text.clone()),
            Value::Array(all) => all.iter().for_each(|one| add(one, texts)),
            Value::Object(all) => all.values().for_each(|one| add(one, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut texts = BTreeSet::new();
    object.state().into_iter().for_each(|state| add(state, &mut texts));
    texts
}

/// A sample with one field of its items at a time, beside those that they must have.
fn each_field_alone(kind: Kind, sample: &str) -> Vec<Declaration> {
    let alone = |only: &String| narrowed(kind, sample, &|field| field == only);
    fields(kind, sample).iter().filter_map(alone).collect()
}

/// The fields of the items of a sample.
fn fields(kind: Kind, sample: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let mut whole: toml::Table = toml::from_str(&library::sample(sample)).unwrap();
    each_item(kind, &mut whole, &mut |item| fields.extend(item.keys().cloned()));
    fields
}

/// A sample with some fields of its items, and those that they must have.
fn narrowed(kind: Kind, sample: &str, has: &dyn Fn(&str) -> bool) -> Option<Declaration> {
    let schema = kind.schema();
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    let name = match kind.identity() {
        Identity::Named { field, .. } => Some(field),
        _ => None,
    };
    let is_needed = |field: &str| name == Some(field) || required.iter().any(|one| *one == field);
    let mut all: toml::Table = toml::from_str(&library::sample(sample)).unwrap();
    each_item(kind, &mut all, &mut |item| item.retain(|field, _| has(field) || is_needed(field)));
    // Some are declared together only.
    Declaration::tried(toml::to_string(&all).unwrap()).ok()
}

fn each_item(kind: Kind, all: &mut toml::Table, each: &mut dyn FnMut(&mut toml::Table)) {
    let (service, name) = kind.name().split_once('.').unwrap();
    let of_kind = all[service][name].as_table_mut().unwrap();
    match kind.identity() {
        Identity::Named { .. } => {
            of_kind.iter_mut().for_each(|(_, item)| each(item.as_table_mut().unwrap()));
        }
        _ => each(of_kind),
    }
}
