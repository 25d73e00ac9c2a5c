//! Which controls are switched on and off, and which values change.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::{Action, Association, Control, Parameter, Spec, State, Status, Wanted};
use crate::kinds::{Change, Drift, Risk, Undo, compared};

pub fn diff(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    compared::mark("controls");
    let mut changes = Vec::new();
    let usual = (Control::default(), Wanted::default());
    for (id, wanted) in &spec.controls {
        if state.unknown.contains(id) {
            let mut drift = Drift::new();
            drift.add(&format!("controls.{id}"), None::<&str>, Some(id));
            changes.push(Change::finding(drift).withhold(format!(
                "Security Hub has no control {id}, or no longer: look its id up in the Security Hub User Guide, or leave it out here"
            )));
        } else if !state.unavailable.contains(id) {
            let there = state.controls.get(id).unwrap_or(&usual.0);
            let look = Look { id, wanted, there, spec, state };
            changes.extend(look.status());
            changes.extend(look.parameters());
        }
    }
    let others = state.controls.iter().filter(|(id, _)| !spec.controls.contains_key(*id));
    for (id, there) in others.filter(|_| spec.is_exclusive()) {
        let look = Look { id, wanted: &usual.1, there, spec, state };
        changes.extend(look.status());
        changes.extend(look.parameters());
    }
    changes
}

/// A control on its way to what is declared.
struct Look<'a> {
    id: &'a str,
    wanted: &'a Wanted,
    there: &'a Control,
    spec: &'a Spec,
    state: &'a State,
}

impl Look<'_> {
    /// What it is to be in a standard; `None` where nobody says so.
    fn target(&self, standard: &str) -> Option<Status> {
        let is_meant = self.wanted.standards.as_ref().is_none_or(|all| all.contains(standard));
        let usual = self.spec.is_exclusive().then_some(Status::Enabled);
        self.wanted.association_status.filter(|_| is_meant).or(usual)
    }

    fn status(&self) -> Vec<Change<Action>> {
        let (mut on, mut off) = (BTreeMap::new(), BTreeMap::new());
        for (standard, now) in &self.there.associations {
            match self.target(standard) {
                Some(Status::Enabled) if now.status != Status::Enabled => {
                    on.insert(standard.as_str(), Some(now));
                }
                Some(Status::Disabled)
                    if now.status != Status::Disabled
                        || now.updated_reason != self.wanted.updated_reason =>
                {
                    off.insert(standard.as_str(), Some(now));
                }
                _ => {}
            }
        }
        let mut changes = Vec::new();
        let mut is_of_all = false;
        match (self.wanted.association_status, &self.wanted.standards) {
            // What this plan turns on is on when its turn comes.
            (Some(Status::Disabled), None) => is_of_all = self.state.standards.is_empty(),
            (Some(wanted), Some(standards)) => {
                let has = |name: &&String| self.there.associations.contains_key(*name);
                for standard in standards.iter().filter(|name| !has(name)) {
                    if self.state.standards.contains(standard) {
                        changes.push(self.lacks(standard));
                    } else if wanted == Status::Disabled {
                        off.insert(standard.as_str(), None);
                    }
                }
            }
            (Some(Status::Enabled), None)
                if self.there.associations.is_empty() && !self.state.standards.is_empty() =>
            {
                changes.push(self.lacks("any standard that is on"));
            }
            _ => {}
        }
        if !on.is_empty() {
            changes.push(self.set(Status::Enabled, &on));
        }
        if !off.is_empty() || is_of_all {
            let is_on =
                |now: &Option<&Association>| now.is_none_or(|one| one.status == Status::Enabled);
            let loses = is_of_all || off.values().any(is_on);
            let change = self.set(Status::Disabled, &off);
            changes.push(if loses {
                let what = format!(
                    "weaker than before: {} is not checked any more, and its findings are archived",
                    self.id
                );
                change.risk(Risk::Disruptive).warn(what)
            } else {
                change
            });
        }
        changes
    }

    /// A finding that a control that is declared there is not there.
    fn lacks(&self, standard: &str) -> Change<Action> {
        let mut drift = Drift::new();
        let field = format!("controls.{}.standards", self.id);
        drift.add(&field, None::<&str>, Some(standard));
        Change::finding(drift).withhold(format!(
            "{} is not in {standard}: turn on one that has it (securityhub.standards), or declare it otherwise",
            self.id
        ))
    }

    fn set(
        &self,
        status: Status,
        standards: &BTreeMap<&str, Option<&Association>>,
    ) -> Change<Action> {
        let reason = self.wanted.updated_reason.clone().filter(|_| status == Status::Disabled);
        let then = said(&Association { status, updated_reason: reason.clone() });
        // A standard that this plan turns on has all of its controls on.
        let now = |now: &Option<&Association>| {
            now.map_or_else(|| Status::Enabled.as_str().to_owned(), said)
        };
        let field = format!("controls.{}.association_status", self.id);
        let mut drift = Drift::new();
        let is_of_all = status == Status::Disabled && self.wanted.standards.is_none();
        if is_of_all {
            let words: BTreeSet<String> = standards.values().map(now).collect();
            let words =
                if words.is_empty() { now(&None) } else { Vec::from_iter(words).join(", ") };
            drift.add(&field, Some(words), Some(then));
        } else {
            let all = standards.iter();
            let now: BTreeMap<&str, String> = all.map(|(name, one)| (*name, now(one))).collect();
            let then: BTreeMap<&str, &str> =
                standards.keys().map(|name| (*name, then.as_str())).collect();
            drift.add(&field, Some(now), Some(then));
        }
        let named = standards.keys().filter(|_| !is_of_all);
        let action = Action::Set {
            control: self.id.to_owned(),
            status,
            updated_reason: reason,
            standards: named.map(|&name| name.to_owned()).collect(),
        };
        Change::new(action, drift).independent()
    }

    fn parameters(&self) -> Option<Change<Action>> {
        let none = BTreeMap::new();
        let wanted = self.wanted.parameters.as_ref().unwrap_or(&none);
        let mut drift = Drift::new();
        let mut parameters = BTreeMap::new();
        let usual = || Some("AWS's own".into());
        let json = |one: &Option<Parameter>| match one {
            Some(one) => serde_json::to_value(one).ok(),
            None => usual(),
        };
        let names = wanted.keys().chain(
            self.there
                .parameters
                .keys()
                .filter(|name| self.spec.is_exclusive() && !wanted.contains_key(*name)),
        );
        for name in names {
            let now = self.there.parameters.get(name).cloned();
            let then = wanted.get(name).and_then(Parameter::value);
            if now != then {
                let field = format!("controls.{}.parameters.{name}", self.id);
                drift.add(&field, json(&now), json(&then));
                parameters.insert(name.clone(), then);
            }
        }
        let reason = self.wanted.last_update_reason.as_ref();
        let is_told = self.there.last_update_reason.as_ref() == reason;
        if reason.is_some() && !is_told {
            let field = format!("controls.{}.last_update_reason", self.id);
            drift.add(&field, self.there.last_update_reason.as_ref(), reason);
            // The reason goes with the values.
            let all = wanted.iter().map(|(name, one)| (name.clone(), one.value()));
            parameters.extend(all);
        }
        let action = Action::Parameters {
            control: self.id.to_owned(),
            parameters,
            last_update_reason: reason.cloned(),
        };
        (!drift.is_empty()).then(|| Change::new(action, drift).independent())
    }
}

/// What a control is in a standard, in words.
fn said(one: &Association) -> String {
    match &one.updated_reason {
        Some(reason) => format!("{}: {reason}", one.status.as_str()),
        None => one.status.as_str().to_owned(),
    }
}

pub fn undo(action: &Action, before: Option<&State>) -> Undo<Action> {
    let Some(before) = before else {
        return Undo::Impossible("what was there before was not observed".to_owned());
    };
    match action {
        Action::Set { control, status, updated_reason, standards } => {
            let written = Association { status: *status, updated_reason: updated_reason.clone() };
            set_back(control, &written, standards, before)
        }
        Action::Parameters { control, parameters, .. } => {
            let there = before.controls.get(control);
            let value = |name: &String| there.and_then(|one| one.parameters.get(name).cloned());
            Undo::By(vec![Action::Parameters {
                control: control.clone(),
                parameters: parameters.keys().map(|name| (name.clone(), value(name))).collect(),
                last_update_reason: there.and_then(|one| one.last_update_reason.clone()),
            }])
        }
    }
}

/// What a control was in each standard in which it was otherwise than it was written, a write for all in which it
/// was the same.
fn set_back(
    control: &str,
    written: &Association,
    standards: &BTreeSet<String>,
    before: &State,
) -> Undo<Action> {
    let on = Association { status: Status::Enabled, updated_reason: None };
    let none = BTreeMap::new();
    let there = before.controls.get(control).map_or(&none, |one| &one.associations);
    let mut all: BTreeMap<&Association, BTreeSet<String>> = BTreeMap::new();
    let meant = |name: &String| standards.is_empty() || standards.contains(name);
    for (name, was) in there.iter().filter(|(name, _)| meant(name)) {
        all.entry(was).or_default().insert(name.clone());
    }
    // Where it was not told, it was on, or was on once the standard was.
    let rest = standards.iter().filter(|name| !there.contains_key(*name)).cloned();
    let rest: BTreeSet<String> = rest.collect();
    if !rest.is_empty() || all.is_empty() {
        all.entry(&on).or_default().extend(rest);
    }
    all.remove(written);
    let back = all.into_iter().map(|(was, standards)| Action::Set {
        control: control.to_owned(),
        status: was.status,
        updated_reason: was.updated_reason.clone(),
        standards,
    });
    Undo::By(back.collect())
}

/// Whether a planned write does what another, which is needed now or took its place, would do: one for all
/// standards names none, and one without a reason leaves the one that is there.
pub fn is_same(planned: &Action, now: &Action) -> bool {
    match (planned, now) {
        (
            Action::Set { control, status, updated_reason, standards },
            Action::Set { control: same, status: then, updated_reason: reason, standards: all },
        ) => {
            (control, status, updated_reason) == (same, then, reason)
                && (standards.is_empty() || standards == all)
        }
        (
            Action::Parameters { control, parameters, last_update_reason },
            Action::Parameters { control: same, parameters: then, last_update_reason: reason },
        ) => {
            (control, parameters) == (same, then)
                && (last_update_reason.is_none() || last_update_reason == reason)
        }
        _ => false,
    }
}

/// What is there, as it can be declared. A control has one reason there, and must have one when it is off.
pub fn export(state: &State) -> Option<Spec> {
    let mut is_whole = true;
    let mut controls = BTreeMap::new();
    for (id, there) in state.controls.iter().filter(|(_, one)| !one.is_usual()) {
        let off = there.associations.iter().filter(|(_, one)| one.status == Status::Disabled);
        let (names, reasons): (BTreeSet<_>, BTreeSet<_>) =
            off.map(|(name, one)| (name.clone(), one.updated_reason.clone())).unzip();
        let mut wanted = Wanted::default();
        match (reasons.first(), reasons.len()) {
            (Some(Some(reason)), 1) => {
                wanted.association_status = Some(Status::Disabled);
                wanted.updated_reason = Some(reason.clone());
                let is_everywhere = names.len() == there.associations.len();
                wanted.standards = (!is_everywhere).then_some(names);
            }
            (None, _) => {}
            _ => is_whole = false,
        }
        wanted.parameters = (!there.parameters.is_empty()).then(|| there.parameters.clone());
        if wanted.association_status.is_some() || wanted.parameters.is_some() {
            controls.insert(id.clone(), wanted);
        }
    }
    state.is_on.then_some(Spec { controls, exclusive: Some(is_whole), under_administrator: None })
}
