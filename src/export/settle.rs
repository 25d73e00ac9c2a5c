//! Loads what was written and plans it, as a user will do next: only what would then change nothing
//! stays in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;

use super::look::{stands, would_change};
use super::write::{self, Written};
use super::{Export, ExportError, survey};
use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::baseline::load::Memory;
use crate::baseline::problem::Severity;
use crate::baseline::{self, Environment, LoadOptions, Problems};
use crate::fleet::organization::Account;
use crate::kinds::{AllowedGrants, Risk, registry};
use crate::names::{ItemName, Region};
use crate::plan::words::without_request;
use crate::plan::{AccountInput, Disposition, Mode, ObjectPlan, Verdict, plan_account};
use crate::reconcile::observe::{observe_all, turns};
use crate::reconcile::{About, Aimed, Selection, declare};

/// Why an item cannot stay as it is.
struct Blame {
    item: ItemName,
    /// Where; everywhere when absent.
    region: Option<Region>,
    fields: BTreeSet<String>,
    reason: String,
    /// Whether it was not even read.
    unread: bool,
    /// What the reader should do so that it can be.
    remedy: Option<String>,
}

/// What a plan of the text says.
#[derive(Default)]
struct Found {
    blames: Vec<Blame>,
    /// What is wrong though it is as it is declared.
    wrong: Vec<String>,
}

/// Takes out what would change something, until nothing would.
pub(super) async fn settle(
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
    export: &mut Export,
) -> Result<(), ExportError> {
    // Each round takes something out, so that there is a last one.
    while !export.items.is_empty() {
        let written = write::items(export, session.account());
        let blames = match load(&written) {
            Ok(baseline) => {
                let found = plan(session, reads, export, &baseline).await;
                export.wrong = found.wrong;
                found.blames
            }
            Err(problems) => blamed(&written, &problems)?,
        };
        if blames.is_empty() {
            return Ok(());
        }
        for blame in blames {
            take_out(export, &written, blame);
        }
    }
    Ok(())
}

fn load(written: &Written) -> Result<baseline::Baseline<'static>, Problems> {
    let path = PathBuf::from("export.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), written.text.clone())]));
    let options = LoadOptions {
        variables: BTreeMap::new(),
        environment: Environment::default(),
        today: NaiveDate::default(),
    };
    baseline::load(&[path], &memory, registry::catalog(), options).map(|loaded| loaded.baseline)
}

/// Whose fault the problems of the text are.
fn blamed(written: &Written, problems: &Problems) -> Result<Vec<Blame>, ExportError> {
    let errors = problems.list.iter().filter(|problem| problem.severity == Severity::Error);
    errors
        .map(|problem| {
            let item = problem.place.as_ref().and_then(|(place, _)| written.item_at(place.start));
            let item = item.ok_or_else(|| ExportError::Unusable(problem.message.clone()))?;
            Ok(Blame {
                item: item.clone(),
                region: None,
                fields: BTreeSet::new(),
                reason: problem.message.clone(),
                unread: false,
                remedy: None,
            })
        })
        .collect()
}

/// What a plan of the text would change, or find.
async fn plan(
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
    export: &Export,
    baseline: &baseline::Baseline<'static>,
) -> Found {
    let account = Account {
        id: session.account().clone(),
        name: None,
        email: None,
        state: "ACTIVE".to_owned(),
        ous: Vec::new(),
        tags: None,
    };
    let about = About { account: &account, organization: None };
    let selection = Selection { regions: export.regions.clone(), ..Selection::default() };
    let aimed = Aimed { baseline, ceiling: Mode::Report };
    let declared = declare(aimed, session, reads, about, &selection).await;
    let mut items = declared.unresolved;
    items.extend(observe_all(session, reads, declared.items, None, &turns(), |_, _| {}).await);
    let account = plan_account(&AccountInput {
        items,
        beside: Vec::new(),
        kind: &registry::find,
        waiver: &|_, _, _| None,
        max_risk: Risk::Destructive,
        allow_grants: AllowedGrants::ALL,
    });
    let mut found = Found::default();
    for object in account.objects {
        match is_wrong(&object) {
            true => found.wrong.extend(wrong(&object)),
            false => found.blames.extend(differs(object)),
        }
    }
    found
}

/// Whether an object is as it is declared, and something is wrong with it all the same.
fn is_wrong(object: &ObjectPlan) -> bool {
    let told = object.changes.iter().map(|change| (change.action.is_some(), &change.drift[..]));
    matches!(object.verdict, Verdict::Drifted) && stands(&object.spec, told)
}

/// What is wrong with an object that is as it is declared.
fn wrong(object: &ObjectPlan) -> impl Iterator<Item = String> {
    object.changes.iter().map(|change| {
        let fields: Vec<&str> = change.drift.iter().map(|drift| drift.field.as_str()).collect();
        let why = match &change.disposition {
            Disposition::Report { reason } => reason.as_str(),
            _ => "look at it",
        };
        format!("{}: {}: {why}", object.title(), fields.join(", "))
    })
}

fn differs(object: ObjectPlan) -> Option<Blame> {
    let mut blame = Blame {
        item: object.item.clone(),
        region: (!object.global).then(|| object.region.clone()),
        fields: BTreeSet::new(),
        reason: String::new(),
        unread: false,
        remedy: None,
    };
    match &object.verdict {
        Verdict::InSync | Verdict::Skipped { .. } => return None,
        Verdict::Unknown(unknown) => {
            blame.reason = without_request(&unknown.reason).into_owned();
            blame.unread = true;
            blame.remedy.clone_from(&unknown.remedy);
        }
        Verdict::Drifted | Verdict::Excepted { .. } => {
            let drift = object.changes.iter().flat_map(|change| &change.drift);
            let reasons: Vec<String> = drift
                .clone()
                .map(|drift| format!("{}: {}", drift.field, would_change(drift)))
                .collect();
            blame.fields = drift.map(|drift| survey::top_field(&drift.field)).collect();
            blame.reason = reasons.join("; ");
        }
    }
    Some(blame)
}

/// First a reference is given up, then the place, then the item.
fn take_out(export: &mut Export, written: &Written, blame: Blame) {
    let Some(at) = export.items.iter().position(|exported| exported.item == blame.item) else {
        return;
    };
    let exported = &mut export.items[at];
    let tried: BTreeSet<String> = written
        .tried(&blame.item)
        .filter(|field| !exported.literal.contains(*field))
        .cloned()
        .collect();
    if !tried.is_empty() {
        let guilty: BTreeSet<String> = tried.intersection(&blame.fields).cloned().collect();
        exported.literal.extend(if guilty.is_empty() { tried } else { guilty });
        return;
    }
    let place = blame.region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
    let line = format!("{}{place}: {}", blame.item, blame.reason);
    match (&mut exported.regions, &blame.region) {
        (Some(regions), Some(region)) if regions.len() > 1 => {
            if !regions.remove(region) {
                return;
            }
        }
        _ => {
            export.items.remove(at);
        }
    }
    export.remedies.extend(blame.remedy);
    if blame.unread { &mut export.unread } else { &mut export.left_out }.push(line);
}
