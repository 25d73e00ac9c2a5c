//! What is read beside an object, to judge it, is no state of its own: who changes it has changed something
//! else, and neither an apply nor a rollback may take it for a change of the object.
//!
//! Each kind's recorded answers are played with one member of one answer changed, of services that the kind
//! writes nothing to: what such a service says is of something else.
//!
//! One kind only: `EVENKEEL_KIND=kms.key cargo test --test it own_state::`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenkeel::kinds::Status;
use evenkeel::kinds::erased::DynKind;
use evenkeel::plan::Plan;
use futures::StreamExt;
use serde_json::Value;

use crate::fixtures::{self, Case};
use crate::support::answers::{self, Played};
use crate::verdicts::changed;

/// The services that a kind writes to, as reads are named by them.
fn written(kind: &dyn DynKind) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    for event in kind.events() {
        let source = event.split('.').next().unwrap();
        services.insert(match source {
            "monitoring" => "cloudwatch".to_owned(),
            "access-analyzer" => "accessanalyzer".to_owned(),
            other => other.to_owned(),
        });
        if source == "s3" {
            services.insert("s3control".to_owned());
        }
    }
    services
}

/// The digests of the objects that are there, each with who manages it, which is heeded for itself.
fn digests(plan: &Plan) -> BTreeMap<String, (Option<String>, String)> {
    let there = |status: &Status<Value>| matches!(status, Status::Present(_));
    let objects = plan.objects.iter().filter(|object| there(&object.observed.status));
    objects
        .map(|object| {
            let managed_by = object.observed.managed_by.clone();
            (object.title(), (managed_by, object.state_digest.clone()))
        })
        .collect()
}

/// What of a case counts as the object's own and is said by others.
async fn taken_for_its_own(case: &Case) -> Vec<String> {
    let declaration = Arc::new(case.declaration());
    let items = declaration.items(&answers::session()).await;
    let answers = case.answers();
    let written = written(case.kind);
    let plan = answers::plan(&declaration, items.clone(), &Played::new(answers.clone())).await;
    let before = Arc::new(digests(&plan));
    let mut runs = Vec::new();
    for (key, pages) in &answers {
        let service = key.call.split(':').next().unwrap();
        if written.contains(service) {
            continue;
        }
        for (page, there) in pages.iter().enumerate() {
            for (member, how, answer) in changed(key, there) {
                let mut answers = answers.clone();
                answers.get_mut(key).unwrap()[page] = answer;
                let (declaration, items) = (Arc::clone(&declaration), items.clone());
                let (before, call) = (Arc::clone(&before), key.call.clone());
                runs.push(async move {
                    let played = Played::new(answers);
                    let plan = answers::plan(&declaration, items, &played).await;
                    let is_moved =
                        digests(&plan).into_iter().any(|(title, (managed_by, digest))| {
                            before
                                .get(&title)
                                .is_some_and(|(by, then)| *by == managed_by && *then != digest)
                        });
                    is_moved.then(|| format!("{call} {member} {how}"))
                });
            }
        }
    }
    futures::stream::iter(runs).buffered(32).filter_map(std::future::ready).collect().await
}

/// Whether a state has a member, by a pointer in which `*` stands for every member.
fn has(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (_, []) => true,
        (Value::Object(members), ["*", rest @ ..]) => members.values().any(|one| has(one, rest)),
        (Value::Array(entries), ["*", rest @ ..]) => entries.iter().any(|one| has(one, rest)),
        (Value::Object(members), [first, rest @ ..]) => {
            members.get(*first).is_some_and(|one| has(one, rest))
        }
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_is_no_state_of_the_object() {
    let mut wrong = Vec::new();
    for case in fixtures::cases() {
        let found = taken_for_its_own(&case).await;
        wrong.extend(found.into_iter().map(|what| format!("{}: {what}", case.title())));
    }
    assert!(
        wrong.is_empty(),
        "{} count as a change of the object (`Kind::BESIDE` says what is not its own):\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_beside_an_object_is_in_its_state() {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for case in fixtures::cases() {
        let beside = missing
            .entry(case.kind.name())
            .or_insert_with(|| case.kind.beside().iter().copied().collect());
        let declaration = case.declaration();
        let items = declaration.items(&answers::session()).await;
        let plan = answers::plan(&declaration, items, &Played::new(case.answers())).await;
        for object in &plan.objects {
            if let Status::Present(state) = &object.observed.status {
                beside
                    .retain(|pointer| !has(state, &pointer.split('/').skip(1).collect::<Vec<_>>()));
            }
        }
    }
    missing.retain(|_, pointers| !pointers.is_empty());
    assert!(missing.is_empty(), "no recorded case has these members: {missing:?}");
}
