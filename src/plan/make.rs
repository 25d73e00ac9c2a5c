//! Baseline and snapshot in, plan out. Pure: the same inputs always give the same plan.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::assemble::AccountPlan;
use super::contradict::contradictions;
use super::input::{AccountInput, Declared, ObservedItem, Waiver};
use super::moving::unsettle;
use super::once::once;
use super::open::foretell;
use super::order::{self, Node, Step};
use super::stay::stay;
use super::{Disposition, Mode, ObjectPlan, PlannedChange, Verdict};
use crate::digest;
use crate::kinds::erased::DynKind;
use crate::kinds::own::own;
use crate::kinds::stricter::weakened;
use crate::kinds::{
    AllowedGrants, Change, Controls, FieldDrift, Grant, GrantClass, Needs, Object, Risk, Scope,
    Status, Undo,
};
use crate::names::ItemName;

/// What each change cannot do without, by its id.
type Needed = BTreeMap<u32, Step>;

/// Makes an account's part of the plan. Changes of different accounts never wait for each other,
/// so that accounts are planned one by one, in any order.
pub fn plan_account(input: &AccountInput<'_>) -> AccountPlan {
    let mut objects: Vec<ObjectPlan> = Vec::new();
    let mut needs = Needed::new();
    let mut ids = 0;
    let all: Vec<&ObservedItem> = input.items.iter().chain(&input.beside).collect();
    let contradictions = contradictions(&all, input.kind);
    let mut asked_for = None;
    for (at, observed) in all.iter().copied().enumerate() {
        if at == input.items.len() {
            asked_for = Some(objects.len());
        }
        let item = &observed.declared.item;
        let Some(kind) = (input.kind)(&item.kind) else { continue };
        match &observed.objects {
            Err(unknown) => objects.push(blank(
                observed,
                kind,
                Object {
                    id: String::new(),
                    label: None,
                    managed_by: None,
                    status: Status::Unknown(unknown.clone()),
                },
                Verdict::Unknown(unknown.clone()),
            )),
            Ok(list) => {
                for (of_item, object) in list.iter().enumerate() {
                    objects.push(match contradictions.get(&(at, of_item)) {
                        Some(unknown) => {
                            let verdict = Verdict::Unknown(unknown.clone());
                            blank(observed, kind, object.clone(), verdict)
                        }
                        None => judge(input, observed, kind, object, &mut ids, &mut needs),
                    });
                }
            }
        }
    }
    unsettle(&mut objects, &all, input.kind);
    stay(&mut objects, asked_for, &needs, &all, input.kind);
    objects.truncate(asked_for.unwrap_or(objects.len()));
    let mut order = link(&mut objects, &needs, input.kind);
    once(&mut objects, &mut order, |id| needs.get(&id).is_some_and(|step| step.of_account));
    foretell(&mut objects, &all, input.kind);
    AccountPlan { objects, in_sync: 0, order }
}

/// An object's plan without changes.
fn blank(
    observed: &ObservedItem,
    kind: &dyn DynKind,
    object: Object<Value>,
    verdict: Verdict,
) -> ObjectPlan {
    ObjectPlan {
        account: observed.facts.account.clone(),
        region: observed.facts.region.clone(),
        global: kind.scope() == Scope::Global,
        item: observed.declared.item.clone(),
        location: Some(observed.declared.location.clone()),
        note: observed.declared.note.clone(),
        mode: observed.declared.mode,
        controls: short(kind.controls(), &touched(&observed.declared.spec, &[])),
        verdict,
        spec: observed.declared.spec.clone(),
        state_digest: state_digest(Some(kind), &object),
        observed: object,
        puts_back: None,
        changes: Vec::new(),
        alike: None,
    }
}

/// The digest of an object as it is itself. Why one is unknown differs each time, by its request id, and is
/// no state; nor is what was read beside it.
pub fn state_digest(kind: Option<&dyn DynKind>, object: &Object<Value>) -> String {
    match &object.status {
        Status::Unknown(_) => digest::of(&(&object.id, "unknown")),
        Status::Present(_) | Status::Absent | Status::Skipped { .. } => {
            digest::of(&own(object, kind.map(DynKind::beside).unwrap_or_default()))
        }
    }
}

/// The controls as plans show them; the older CIS version and the long Well-Architected list are left
/// to the documentation.
fn short(controls: Controls, fields: &BTreeSet<String>) -> Vec<String> {
    let served = |ids: &'static [&'static str]| {
        ids.iter().filter(|id| controls.is_served(id, fields)).copied()
    };
    let cis = served(controls.cis_v5).map(|id| format!("CIS {id}"));
    let of_security_hub = served(controls.fsbp).chain(served(controls.security_hub));
    cis.chain(of_security_hub.map(str::to_owned)).collect()
}

/// The fields that a plan of an object is about: those that differ, or else all that are declared.
fn touched(spec: &Value, changes: &[PlannedChange]) -> BTreeSet<String> {
    let declared = spec.as_object().into_iter().flatten();
    let declared = declared.filter(|(_, value)| !value.is_null()).map(|(field, _)| field.clone());
    let drift = || changes.iter().flat_map(|change| &change.drift);
    // Something that is made has all of its fields from then on.
    let is_whole = drift().next().is_none() || drift().any(|drift| drift.field.is_empty());
    let differing = drift().map(|drift| drift.field.clone());
    if is_whole { declared.chain(differing).collect() } else { differing.collect() }
}

/// Compares one object with its spec.
fn judge(
    input: &AccountInput<'_>,
    observed: &ObservedItem,
    kind: &dyn DynKind,
    object: &Object<Value>,
    ids: &mut u32,
    needed: &mut Needed,
) -> ObjectPlan {
    let verdict = match &object.status {
        Status::Unknown(unknown) => Some(Verdict::Unknown(unknown.clone())),
        Status::Skipped { reason } => Some(Verdict::Skipped { reason: reason.clone() }),
        Status::Present(_) | Status::Absent => None,
    };
    if let Some(verdict) = verdict {
        return blank(observed, kind, object.clone(), verdict);
    }
    let changes = match kind.diff(&observed.facts, &observed.declared.spec, object) {
        Ok(changes) => changes,
        Err(error) => {
            return blank(observed, kind, object.clone(), Verdict::Unknown(error.into()));
        }
    };
    if changes.is_empty() {
        return blank(observed, kind, object.clone(), Verdict::InSync);
    }
    let waiver = (input.waiver)(&observed.declared.item, &observed.facts, &object.id);
    let verdict = match &waiver {
        None => Verdict::Drifted,
        Some(waiver) => waiver.verdict(),
    };
    let mut plan = blank(observed, kind, object.clone(), verdict);
    let is_made = matches!(object.status, Status::Absent);
    let making = changes.iter().position(|change| change.action.is_some()).filter(|_| is_made);
    let numbered = changes.iter().enumerate();
    let needs: Vec<Vec<usize>> =
        numbered.map(|(place, change)| earlier(place, change, making)).collect();
    let mut ids_of_object: Vec<u32> = Vec::with_capacity(changes.len());
    for (place, (mut change, needs)) in changes.into_iter().zip(&needs).enumerate() {
        if making == Some(place) {
            change.warnings.extend(as_given(kind, &observed.declared.spec));
        }
        let disposition = dispose(input, observed, object, &change, waiver.as_ref());
        *ids += 1;
        let is_lent = !change.comes_last
            && change.action.as_ref().is_none_or(|action| kind.is_lent(action).unwrap_or(true));
        let step = Step {
            id: *ids,
            is_lent,
            of_account: change.of_account,
            needs: needs.iter().map(|place| ids_of_object[*place]).collect(),
            references: references(&observed.declared, object, &change.drift),
            moves: change.moves && change.action.is_some(),
            comes_last: change.comes_last,
        };
        needed.insert(*ids, step);
        ids_of_object.push(*ids);
        plan.changes.push(planned(input, kind, object, *ids, change, disposition));
    }
    hold_back(&mut plan.changes, &needs);
    step_back(&mut plan.changes, needed);
    plan.controls = short(kind.controls(), &touched(&observed.declared.spec, &plan.changes));
    plan
}

/// What AWS gives to what is made, and nothing is declared of.
fn as_given(kind: &dyn DynKind, spec: &Value) -> Option<String> {
    let is_open = |field: &str| {
        let top = field.split('.').next().unwrap_or_default();
        spec.get(top).is_none_or(Value::is_null)
    };
    let open = kind.given().iter().filter(|(field, _)| is_open(field));
    let mut said: Vec<(&str, String)> = Vec::new();
    for (field, json) in open {
        match said.iter_mut().find(|(of, _)| of == field) {
            Some((_, words)) => words.push_str(&format!(" or {json}")),
            None => said.push((field, (*json).to_owned())),
        }
    }
    let open: Vec<String> = said.into_iter().map(|(field, is)| format!("{field} = {is}")).collect();
    (!open.is_empty())
        .then(|| format!("not declared, and made as AWS makes it: {}", open.join(", ")))
}

/// Leads the way back of what comes last to what an earlier change has written, and not past that: who moves
/// between the two moves back between the two.
fn step_back(changes: &mut [PlannedChange], needed: &Needed) {
    for at in 1..changes.len() {
        let (earlier, later) = changes.split_at_mut(at);
        let Some(last) = later.first_mut() else { continue };
        let is_last = needed.get(&last.id).is_some_and(|step| step.comes_last);
        let is_whole = matches!(last.undo.as_deref(), Some(Undo::By(_)));
        let before = earlier.iter().rfind(|one| one.undo == last.undo);
        if let Some(action) = before.and_then(|one| one.action.as_deref())
            && is_last
            && is_whole
        {
            last.undo = Some(Box::new(Undo::By(vec![action.clone()])));
        }
    }
}

/// A change as the plan has it, with what its write needs and how it is undone.
fn planned(
    input: &AccountInput<'_>,
    kind: &dyn DynKind,
    object: &Object<Value>,
    id: u32,
    change: Change<Value>,
    disposition: Disposition,
) -> PlannedChange {
    let is_made = matches!(object.status, Status::Absent);
    let (permissions, undo, weakened) = match &change.action {
        // A finding is not written, and makes nothing weaker.
        None => (Vec::new(), None, Vec::new()),
        Some(action) => (
            kind.writes(action).unwrap_or_default(),
            kind.undo(action, object).ok().map(Box::new),
            weakened(kind.stricter(), &change.drift, is_made),
        ),
    };
    let grants = change.grants.iter().map(|grant| said(&input.allow_grants, grant));
    PlannedChange {
        id,
        warnings: change.warnings.into_iter().chain(weakened).chain(grants).collect(),
        drift: change.drift,
        action: change.action.map(Box::new),
        risk: change.risk,
        disposition,
        permissions,
        undo,
        depends_on: Vec::new(),
        makes_room: change.makes_room,
        grants: change.grants,
        charges: change.charges,
    }
}

/// The places of the earlier changes of its object that a change cannot do without; `making` is the
/// one that makes the object, if it is not there.
fn earlier(place: usize, change: &Change<Value>, making: Option<usize>) -> Vec<usize> {
    match &change.needs {
        Needs::Object => making.filter(|making| *making < place).into_iter().collect(),
        Needs::Only(places) if places.iter().all(|earlier| *earlier < place) => places.clone(),
        // What no kind can mean is taken for the most careful answer.
        Needs::Only(_) => (0..place).collect(),
    }
}

/// The items that the fields which differ refer to. Of an object that is not there, all fields do.
fn references(
    declared: &Declared,
    object: &Object<Value>,
    drift: &[FieldDrift],
) -> BTreeSet<ItemName> {
    let is_written = |field: &String| {
        matches!(object.status, Status::Absent)
            || drift.iter().any(|drift| {
                let differs = drift.field.split(['.', '[']).next().unwrap_or_default();
                differs.is_empty() || differs == field
            })
    };
    let written = declared.references.iter().filter(|(field, _)| is_written(field));
    written.flat_map(|(_, items)| items.iter().cloned()).collect()
}

/// A write that cannot do without one which is only reported would be done out of order: it is
/// only reported too.
fn hold_back(changes: &mut [PlannedChange], needs: &[Vec<usize>]) {
    let mut reported: Vec<Option<String>> = Vec::with_capacity(changes.len());
    for (change, needs) in changes.iter_mut().zip(needs) {
        let cause = needs.iter().find_map(|place| reported.get(*place).cloned().flatten());
        let reason = match (&change.disposition, cause) {
            (Disposition::Apply, Some(cause)) => {
                change.disposition = Disposition::Report {
                    reason: format!("an earlier step is only reported: {cause}"),
                };
                Some(cause)
            }
            (Disposition::Report { reason }, _) if change.action.is_some() => Some(reason.clone()),
            _ => None,
        };
        reported.push(reason);
    }
}

/// A rise of privileges among the warnings.
pub fn said(allow_grants: &AllowedGrants, grant: &Grant) -> String {
    let trusted = if allow_grants.trust(grant) { ", trusted" } else { "" };
    format!("gives rights ({}{trusted}): {}", grant.class.as_str(), grant.what)
}

/// Whether a change may be written, the strongest reason against it first.
fn dispose(
    input: &AccountInput<'_>,
    observed: &ObservedItem,
    object: &Object<Value>,
    change: &Change<Value>,
    waiver: Option<&Waiver>,
) -> Disposition {
    let reason = if let Some(waiver) = waiver {
        waiver.to_string()
    } else if let Some(manager) = &object.managed_by {
        match change.withheld.as_ref().filter(|_| change.action.is_none()) {
            Some(remedy) => format!("managed by {manager}: {remedy}"),
            None => format!("managed by {manager}"),
        }
    } else if let Some(reason) = &change.withheld {
        reason.clone()
    } else if change.action.is_none() {
        "evenkeel only inspects this".to_owned()
    } else if observed.declared.mode != Mode::Enforce {
        "mode is \"report\"".to_owned()
    } else {
        return match refused(change.risk, &change.grants, input.max_risk, &input.allow_grants) {
            Some(reason) => Disposition::Report { reason },
            None => Disposition::Apply,
        };
    };
    Disposition::Report { reason }
}

/// Why a change is only reported for its risk or the rights that it gives, if it is.
pub fn refused(
    risk: Risk,
    grants: &[Grant],
    max_risk: Risk,
    allow_grants: &AllowedGrants,
) -> Option<String> {
    if risk > max_risk {
        return Some(format!(
            "{} changes are above the limit of {} (--max-risk {}, [safety] max_risk)",
            risk.as_str(),
            max_risk.as_str(),
            risk.as_str()
        ));
    }
    let risen: BTreeSet<GrantClass> =
        grants.iter().filter(|grant| !allow_grants.allow(grant)).map(|grant| grant.class).collect();
    let classes: Vec<&str> = risen.into_iter().map(GrantClass::as_str).collect();
    (!classes.is_empty()).then(|| {
        format!(
            "it gives rights ({}) that are not allowed (--allow-grants {}, [safety] allow_grants)",
            classes.join(", "),
            classes.join(" --allow-grants ")
        )
    })
}

/// Enters the dependencies between changes and returns the order of applying them.
fn link(
    objects: &mut [ObjectPlan],
    needed: &Needed,
    kind: &dyn Fn(&str) -> Option<&'static dyn DynKind>,
) -> Vec<u32> {
    let mut nodes = Vec::new();
    for object in objects.iter() {
        let applied: BTreeSet<u32> = object
            .changes
            .iter()
            .filter(|change| change.is_applied())
            .map(|change| change.id)
            .collect();
        if applied.is_empty() {
            continue;
        }
        let steps = object.changes.iter().filter(|change| change.is_applied());
        let steps = steps.filter_map(|change| needed.get(&change.id)).cloned().map(|mut step| {
            // What stands before it and is a finding of people is nothing to wait for.
            step.needs.retain(|id| applied.contains(id));
            step
        });
        nodes.push(Node {
            account: object.account.clone(),
            region: (!object.global).then(|| object.region.clone()),
            item: object.item.clone(),
            after: kind(&object.item.kind).map(DynKind::after).unwrap_or_default(),
            changes: steps.collect(),
        });
    }
    let (order, depends_on) = order::sort(&nodes);
    for change in objects.iter_mut().flat_map(|object| object.changes.iter_mut()) {
        change.depends_on = depends_on.get(&change.id).cloned().unwrap_or_default();
    }
    order
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::baseline::Regions;
    use crate::baseline::ResolvedItem;
    use crate::baseline::item::{Location, RegionWord};
    use crate::kinds::Drift;

    fn planned(id: u32, disposition: Disposition) -> PlannedChange {
        PlannedChange {
            id,
            drift: Vec::new(),
            action: Some(Box::new(Value::Null)),
            risk: Risk::Safe,
            warnings: Vec::new(),
            disposition,
            permissions: Vec::new(),
            undo: None,
            depends_on: Vec::new(),
            makes_room: false,
            grants: Vec::new(),
            charges: Vec::new(),
        }
    }

    fn reported(reason: &str) -> Disposition {
        Disposition::Report { reason: reason.to_owned() }
    }

    #[test]
    fn only_what_needs_a_reported_step_is_held_back() {
        let mut changes = vec![
            planned(1, reported("too risky")),
            planned(2, Disposition::Apply),
            planned(3, Disposition::Apply),
            planned(4, Disposition::Apply),
        ];
        hold_back(&mut changes, &[vec![], vec![0], vec![1], vec![]]);
        let held = reported("an earlier step is only reported: too risky");
        let dispositions: Vec<_> = changes.into_iter().map(|change| change.disposition).collect();
        let expected = [reported("too risky"), held.clone(), held, Disposition::Apply];
        assert_eq!(dispositions, expected);
    }

    #[test]
    fn what_people_must_mend_holds_nothing_back() {
        let mut finding = planned(1, reported("evenkeel only inspects this"));
        finding.action = None;
        let mut changes = vec![finding, planned(2, Disposition::Apply)];
        hold_back(&mut changes, &[vec![], vec![0]]);
        assert!(changes[1].is_applied());
    }

    #[test]
    fn a_change_needs_what_its_kind_names_and_otherwise_its_object_alone() {
        let change = || Change::new(Value::Null, Drift::new());
        assert!(earlier(2, &change(), None).is_empty(), "the object is there");
        assert_eq!(earlier(2, &change(), Some(0)), [0]);
        assert!(earlier(0, &change(), Some(0)).is_empty());
        assert_eq!(earlier(2, &change().needs([1]), None), [1]);
        assert!(earlier(2, &change().independent(), Some(0)).is_empty());
        assert_eq!(earlier(1, &change().needs([7]), None), [0], "no change can need a later one");
    }

    #[test]
    fn only_a_field_that_is_written_waits_for_what_it_refers_to() {
        let declared = Declared {
            resolved: Arc::new(ResolvedItem {
                item: "s3.bucket.a".parse().unwrap(),
                mode: Mode::Enforce,
                regions: Regions::Word(RegionWord::Home),
                note: None,
                spec: Value::Null,
                references: BTreeMap::from([(
                    "access_log_bucket".to_owned(),
                    BTreeSet::from(["s3.bucket.logs".parse().unwrap()]),
                )]),
                location: Location { file: "b.toml".into(), line: 1 },
            }),
            mode: Mode::Enforce,
        };
        let waits = |object: &Object<Value>, field: &str| {
            let mut drift = Drift::new();
            drift.add(field, None::<bool>, Some(true));
            !references(&declared, object, &drift.0).is_empty()
        };
        let there = Object::present("a", Value::Null);
        assert!(waits(&there, "access_log_bucket"));
        assert!(waits(&there, "access_log_bucket.name"));
        assert!(!waits(&there, "versioning"));
        assert!(waits(&Object::absent("a"), "versioning"), "it is made with all of its fields");
    }
}
