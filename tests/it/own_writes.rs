//! The property of all kinds that a rollback goes by: what takes a change back takes away what the change has put
//! there, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenkeel::aws::Session;
use evenkeel::baseline::catalog::Identity;
use evenkeel::kinds::Undo;
use evenkeel::plan::Plan;
use evenkeel::reconcile::rollback::own::{self, Takes, Written};

use crate::properties::{Kind, apply_whole, messy, states};
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
        let key = (object.item.to_string(), object.region.to_string(), object.observed.id.clone());
        let changes = object.changes.iter().filter(|change| change.is_applied());
        let run: Vec<Written<'_>> = changes
            .filter_map(|change| match (change.action.as_deref(), change.undo.as_deref()) {
                (Some(write), Some(Undo::By(back))) => Some(Written { write, back }),
                _ => None,
            })
            .collect();
        for back in run.iter().flat_map(|one| one.back) {
            let written = written.get(&key).unwrap();
            assert_eq!(
                own::takes(kind, back, (&object.observed, written), &run),
                Takes::ItsOwn,
                "{}:\n{back:#}\ntakes away what the run has not written:\n{:#?}\n{:#?}",
                object.title(),
                kind.undo(back, written),
                run,
            );
        }
    }
}

/// The same of each field where it is declared alone: what a declaration does not say, AWS says in its own way.
pub async fn of_each_field_are_taken_back(kind: Kind) {
    let (account, session) = messy().await;
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

/// A sample with one field of its items at a time, beside those that they must have.
fn each_field_alone(kind: Kind, sample: &str) -> Vec<Declaration> {
    let whole: toml::Table = toml::from_str(&library::sample(sample)).unwrap();
    let (service, name) = kind.name().split_once('.').unwrap();
    let identity = match kind.identity() {
        Identity::Named { field, .. } => Some(field),
        _ => None,
    };
    let schema = kind.schema();
    let items = |all: &mut toml::Table, each: &mut dyn FnMut(&mut toml::Table)| {
        let of_kind = all[service][name].as_table_mut().unwrap();
        match identity {
            None => each(of_kind),
            Some(_) => of_kind.iter_mut().for_each(|(_, item)| each(item.as_table_mut().unwrap())),
        }
    };
    let mut fields = BTreeSet::new();
    items(&mut whole.clone(), &mut |item| fields.extend(item.keys().cloned()));
    let is_needed = |field: &str| {
        let required = schema["required"].as_array().into_iter().flatten();
        identity == Some(field) || required.into_iter().any(|one| one == field)
    };
    let alone = |field: &String| {
        let mut all = whole.clone();
        items(&mut all, &mut |item| item.retain(|other, _| other == field || is_needed(other)));
        // Some are declared together only.
        Declaration::tried(toml::to_string(&all).unwrap()).ok()
    };
    fields.iter().filter_map(alone).collect()
}
