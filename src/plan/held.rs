//! What a guard holds back: a change that would be applied, and is not now. It is shown like what is
//! only reported, with the guard's name and what releases it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccountPlan, Disposition, ObjectPlan, Plan, PlannedChange};
use crate::kinds::Risk;

/// A guard, by the name that plans, logs and options have for it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Somebody stopped all writing.
    KillSwitch,
    /// No change window is open.
    ChangeWindow,
    /// A run or a day has as many changes as it may.
    Budget,
    /// The target was never applied before.
    FirstRun,
    /// Too many writes failed.
    Breaker,
    /// Somebody else changes the same back, again and again.
    Fight,
    /// The account's turn has not come in a rollout.
    Wave,
    /// Somebody asked for the object to be left as it is.
    Hold,
    /// What the guards remember cannot be read or written.
    Memory,
}

impl Guard {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KillSwitch => "kill-switch",
            Self::ChangeWindow => "change-window",
            Self::Budget => "budget",
            Self::FirstRun => "first-run",
            Self::Breaker => "breaker",
            Self::Fight => "fight",
            Self::Wave => "wave",
            Self::Hold => "hold",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Why a change is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Held {
    /// By whom.
    pub guard: Guard,
    /// Why.
    pub reason: String,
    /// What releases it.
    pub released_by: String,
    /// The limit of a run that releases it when it is raised, where one does; with its value in `[safety]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_with: Option<RunLimit>,
}

/// A limit of one run; one that is raised raises that of the day with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunLimit {
    /// Of all its changes.
    MaxChanges,
    /// Of those in one account.
    MaxChangesPerAccount,
}

impl RunLimit {
    /// The option that raises it.
    pub fn option(self) -> &'static str {
        match self {
            Self::MaxChanges => "--max-changes",
            Self::MaxChangesPerAccount => "--max-changes-per-account",
        }
    }
}

impl Held {
    /// Held back by a guard.
    pub fn by(guard: Guard, reason: impl Into<String>, released_by: impl Into<String>) -> Self {
        Self { guard, reason: reason.into(), released_by: released_by.into(), raised_with: None }
    }

    /// Says which limit of a run releases it when it is raised.
    pub fn raised_with(mut self, limit: Option<RunLimit>) -> Self {
        self.raised_with = limit;
        self
    }
}

impl fmt::Display for Held {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "by {}: {}; released by: {}", self.guard, self.reason, self.released_by)
    }
}

impl Disposition {
    /// Why a change is not applied, and the words before the reason.
    pub fn why_not(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Apply => None,
            Self::Report { reason } => Some(("only reported", reason.clone())),
            Self::HeldBack(held) => Some(("held back", held.to_string())),
        }
    }
}

impl PlannedChange {
    /// Why a guard holds it back, if one does.
    pub fn held(&self) -> Option<&Held> {
        match &self.disposition {
            Disposition::HeldBack(held) => Some(held),
            Disposition::Apply | Disposition::Report { .. } => None,
        }
    }
}

impl PlannedChange {
    /// Whether it is written, or would be if no guard held it back.
    pub fn is_meant(&self) -> bool {
        self.is_applied() || self.held().is_some()
    }
}

impl ObjectPlan {
    /// How risky the riskiest of what would be written is; else why nothing is.
    pub fn standing(&self) -> &'static str {
        let why_not = self.held().map_or("only reported", |_| "held back");
        self.risk().map_or(why_not, Risk::as_str)
    }

    /// Why a guard holds back something of it, if one does.
    pub fn held(&self) -> Option<&Held> {
        self.changes.iter().find_map(PlannedChange::held)
    }
}

/// Holds back changes that would be applied, as `why` says, and what cannot be done without them.
/// `order` is the order of applying, prerequisites first.
fn hold(
    objects: &mut [ObjectPlan],
    order: &mut Vec<u32>,
    mut why: impl FnMut(&ObjectPlan, &PlannedChange) -> Option<Held>,
) {
    let mut place: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        let changes = object.changes.iter().enumerate().filter(|(_, one)| one.is_applied());
        place.extend(changes.map(|(of, change)| (change.id, (at, of))));
    }
    let mut held: BTreeMap<u32, Held> = BTreeMap::new();
    for id in order.iter() {
        let Some((at, of)) = place.get(id) else { continue };
        let (object, change) = (&objects[*at], &objects[*at].changes[*of]);
        let needed = change.depends_on.iter().find_map(|before| held.get(before)).cloned();
        if let Some(reason) = why(object, change).or(needed) {
            held.insert(*id, reason);
        }
    }
    order.retain(|id| !held.contains_key(id));
    for (id, held) in held {
        if let Some((at, of)) = place.get(&id) {
            objects[*at].changes[*of].disposition = Disposition::HeldBack(held);
        }
    }
}

impl AccountPlan {
    /// Holds back changes that would be applied, as `why` says, and what cannot be done without them.
    pub fn hold(&mut self, why: impl FnMut(&ObjectPlan, &PlannedChange) -> Option<Held>) {
        hold(&mut self.objects, &mut self.order, why);
    }
}

impl Plan {
    /// Holds back all that would be applied.
    pub fn hold_all(&mut self, held: &Held) {
        if self.order.is_empty() {
            return;
        }
        self.order.clear();
        for change in self.objects.iter_mut().flat_map(|object| &mut object.changes) {
            if change.is_applied() {
                change.disposition = Disposition::HeldBack(held.clone());
            }
        }
    }

    /// What would hold back the changes of an object if they were applied now, beside what the plan holds back.
    pub fn held_now<'p>(&'p self, object: &ObjectPlan) -> &'p [Held] {
        if object.is_changed() { &self.held_now } else { &[] }
    }

    /// What is held back: each object with the first reason.
    pub fn held(&self) -> impl Iterator<Item = (String, Held)> + '_ {
        self.objects.each().filter_map(|object| Some((object.title(), object.held()?.clone())))
    }

    /// Forgets what guards held back when the plan was made: it is to be applied, as far as they let it now.
    pub fn release(&mut self) {
        for change in self.objects.iter_mut().flat_map(|object| &mut object.changes) {
            if change.held().is_some() {
                change.disposition = Disposition::Apply;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::testing::{change, object};

    fn plan() -> AccountPlan {
        let one = object(
            1,
            json!({"changes": [
                change(json!({"id": 1})),
                change(json!({"id": 2, "depends_on": [1]})),
                change(json!({"id": 3})),
            ]}),
        );
        AccountPlan { objects: vec![one], in_sync: 0, order: vec![1, 2, 3] }
    }

    #[test]
    fn what_needs_a_change_that_is_held_back_is_held_back_too() {
        let mut plan = plan();
        plan.hold(|_, change| (change.id == 1).then(|| Held::by(Guard::Fight, "why", "how")));
        assert_eq!(plan.order, [3]);
        let held: Vec<bool> =
            plan.objects[0].changes.iter().map(|change| change.held().is_some()).collect();
        assert_eq!(held, [true, true, false]);
        let (words, why) = plan.objects[0].changes[0].disposition.why_not().unwrap();
        assert_eq!(format!("{words} {why}"), "held back by fight: why; released by: how");
    }

    #[test]
    fn a_guard_has_one_name_in_plans_and_in_words() {
        for guard in [
            Guard::KillSwitch,
            Guard::ChangeWindow,
            Guard::Budget,
            Guard::FirstRun,
            Guard::Breaker,
            Guard::Fight,
            Guard::Wave,
            Guard::Hold,
            Guard::Memory,
        ] {
            assert_eq!(json!(guard), json!(guard.as_str()));
        }
    }
}
