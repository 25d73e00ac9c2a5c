//! What a look saw, as the history keeps it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Remembering;
use crate::names::AccountId;
use crate::plan::{Disposition, ObjectPlan, Plan, Verdict};
use crate::reconcile::drift_key::key;
use crate::reconcile::event::Told;
use crate::store::history::{DriftSeen, Extent, SeenAccount, Touched, UnseenAccount};

/// What a look saw, account by account; `began` is when the look did, `at` when each had been looked at.
pub fn seen(
    told: &Told<'_>,
    plan: &Plan,
    what: &Remembering,
    beside: &BTreeMap<AccountId, BTreeSet<String>>,
    (began, at): (DateTime<Utc>, &BTreeMap<AccountId, DateTime<Utc>>),
) -> Vec<SeenAccount> {
    let mut all: BTreeMap<&AccountId, SeenAccount> = BTreeMap::new();
    for target in &plan.targets {
        let seen = SeenAccount {
            run: told.run.to_owned(),
            time: at.get(&target.account).copied().unwrap_or(told.time),
            began,
            account: target.account.clone(),
            name: target.name.clone(),
            targets: what
                .target
                .iter()
                .chain(beside.get(&target.account).into_iter().flatten())
                .cloned()
                .collect(),
            extent: match (&what.target, beside.get(&target.account)) {
                _ if !what.is_whole => Extent::Part,
                (_, None) => Extent::Account,
                (Some(own), Some(_)) => Extent::Target(own.clone()),
                (None, Some(_)) => Extent::Part,
            },
            drifted: Vec::new(),
            in_sync: Vec::new(),
            unknown: Vec::new(),
            excepted: 0,
            touched: Vec::new(),
        };
        all.insert(&target.account, seen);
    }
    for object in plan.objects.each() {
        let Some(seen) = all.get_mut(&object.account) else { continue };
        let by = what.heard.touching(&object);
        if !by.is_empty() {
            seen.touched.push(Touched { key: key(&object), by });
        }
        match &object.verdict {
            Verdict::InSync => seen.in_sync.push(key(&object)),
            Verdict::Drifted => {
                let (key, about) = (key(&object), about(&object));
                seen.drifted.push(DriftSeen { key, about, rows: what.heard.rows(&object) });
            }
            // An exception does not make it as declared, and begins no drift either.
            Verdict::Unknown(_) => seen.unknown.push(key(&object)),
            Verdict::Excepted { .. } => {
                seen.unknown.push(key(&object));
                seen.excepted += 1;
            }
            Verdict::Skipped { .. } => {}
        }
    }
    all.into_values().collect()
}

/// The accounts that could not be looked at.
pub fn unseen(told: &Told<'_>, plan: &Plan, what: &Remembering) -> Vec<UnseenAccount> {
    let failed = plan.failed.iter().map(|failed| UnseenAccount {
        run: told.run.to_owned(),
        time: told.time,
        account: failed.account.clone(),
        name: failed.name.clone(),
        targets: what.target.iter().cloned().collect(),
        why: failed.reason.clone(),
    });
    failed.collect()
}

/// What is done about an object that differs.
fn about(object: &ObjectPlan) -> Value {
    let mut reasons: Vec<&str> = Vec::new();
    for change in &object.changes {
        if let Disposition::Report { reason } = &change.disposition
            && !reasons.contains(&reason.as_str())
        {
            reasons.push(reason);
        }
    }
    json!({
        "title": object.title(),
        "mode": object.mode,
        "controls": object.controls,
        "is_applied": object.is_changed(),
        "only_reported": reasons,
        "held_back": object.held(),
        "risk": object.risk(),
    })
}
