//! Keeps of a plan what somebody reads: a fleet has too many objects to keep the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::words::without_request;
use super::{AccountPlan, AlikeTo, ObjectPlan, Verdict};
use crate::digest;
use crate::kinds::Status;

/// How much of a plan is kept: a fleet has too many objects to keep everything that nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What people read: drift, not the specs, states and writes behind it; objects in sync are
    /// counted.
    Shown,
    /// Everything of objects that differ; of the others, that they are there.
    Drift,
    /// Everything.
    All,
}

impl AccountPlan {
    /// Leaves out what is not wanted.
    pub fn keep(&mut self, detail: Detail) {
        if detail == Detail::All {
            return;
        }
        if detail == Detail::Shown {
            let before = self.objects.len();
            self.objects.retain(|object| object.verdict != Verdict::InSync);
            self.in_sync += before - self.objects.len();
        }
        for object in &mut self.objects {
            if detail == Detail::Drift && !object.changes.is_empty() {
                continue;
            }
            if detail == Detail::Shown {
                object.state_digest = String::new();
            }
            object.spec = Value::Null;
            if let Status::Present(state) = &mut object.observed.status {
                *state = Value::Null;
            }
            for change in &mut object.changes {
                change.undo = None;
                // That there is a write is shown, which one is not.
                change.action = change.action.as_ref().map(|_| Box::new(Value::Bool(true)));
            }
        }
        for object in &mut self.objects {
            // A list grows by fours, and most objects have one change.
            object.changes.shrink_to_fit();
        }
        self.objects.shrink_to_fit();
    }
}

/// Keeps once what is shown of objects that are alike: in a large fleet, most of them are.
#[derive(Debug, Default)]
pub struct Alike {
    marks: BTreeSet<Arc<str>>,
}

impl Alike {
    /// Marks an object, and leaves out of it what an earlier one holds for all that are like it.
    pub fn note(&mut self, object: &mut ObjectPlan) {
        let mark = likeness(object);
        let (mark, holds) = match self.marks.get(&mark) {
            Some(known) => (Arc::clone(known), false),
            None => {
                self.marks.insert(Arc::clone(&mark));
                (mark, true)
            }
        };
        object.alike = Some(AlikeTo { mark, holds });
        if holds {
            return;
        }
        object.controls = Vec::new();
        object.note = None;
        object.location = None;
        for change in &mut object.changes {
            change.drift = Vec::new();
            change.warnings = Vec::new();
            change.grants = Vec::new();
            change.permissions = Vec::new();
            change.action = None;
        }
    }
}

/// What objects must share to be alike; the ids of account and Region may differ.
pub(super) fn likeness(object: &ObjectPlan) -> Arc<str> {
    let changes: Vec<_> = object
        .changes
        .iter()
        .map(|change| (&change.drift, change.risk, &change.warnings, &change.disposition))
        .collect();
    // The line that declares it is shown of all, and so is why.
    let all = format!(
        "{}|{:?}|{:?}|{:?}|{}|{changes:?}",
        object.item,
        object.mode,
        object.location,
        object.note,
        verdict(object)
    );
    digest::of(&without_place(&all, object)).into()
}

/// The verdict as it is told apart from others.
pub(super) fn verdict(object: &ObjectPlan) -> String {
    match &object.verdict {
        // The request id is of no use to tell causes apart.
        Verdict::Unknown(unknown) => format!("unknown {}", without_request(&unknown.reason)),
        other => format!("{other:?}"),
    }
}

/// A text without what each account and Region has of its own.
pub(super) fn without_place(text: &str, object: &ObjectPlan) -> String {
    text.replace(object.account.as_str(), "ACCOUNT").replace(object.region.as_str(), "REGION")
}
