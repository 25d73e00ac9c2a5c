//! What brings a role to its declared state, and back.

use std::collections::{BTreeMap, BTreeSet};

use super::order::{self, Part};
use super::policy_arn::{self, PolicyArn};
use super::rises::{Beside, denies, freed_of, unbound};
use super::spec::{Action, NewRole, Spec, State, Step};
use super::{limits, trust};
use crate::kinds::merged;
use crate::kinds::tags;
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo, compared};
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants::{self, Known, Rise, is_administrator_policy};

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    match object.state() {
        None => create(facts, spec),
        Some(state) => update(facts, spec, state),
    }
}

fn act(spec: &Spec, step: Step) -> Action {
    Action { role_name: spec.role_name.clone(), step }
}

fn create(facts: &Facts, spec: &Spec) -> Vec<Change<Action>> {
    let mut drift = Drift::new();
    drift.add("", None::<&str>, Some(&spec.role_name));
    drift.compare("path", None, spec.path.as_ref());
    drift.compare_text("description", None, spec.description.as_deref());
    drift.compare("max_session_duration", None, spec.max_session_duration.as_ref());
    drift.compare_text("permissions_boundary", None, spec.permissions_boundary.as_deref());
    drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
    let Some(trust) = trust::declared(&facts.partition, spec) else {
        return vec![Change::finding(drift).withhold(
            "the role is not there, and cannot be made without a trust policy: declare assume_role_policy or trusted_account_ids, or take the item out",
        )];
    };
    drift.add("assume_role_policy", None::<&str>, Some(&trust));
    let role = NewRole {
        path: spec.path.clone(),
        description: spec.description.clone().filter(|text| !text.is_empty()),
        max_session_duration: spec.max_session_duration,
        assume_role_policy: trust.to_compact_string(),
        permissions_boundary: spec.permissions_boundary.clone().filter(|arn| !arn.is_empty()),
        tags: spec.tags.clone().unwrap_or_default(),
    };
    let mut change = Change::new(act(spec, Step::Create(Box::new(role))), drift)
        .rises(grants::of_trust_policy(None, &trust, facts.account.as_str()));
    for warning in PolicyDocument::of_statements(Vec::new()).widening(&trust, &facts.partition) {
        change = change.warn(warning);
    }
    let mut changes = vec![warn_of_length(change, &trust)];
    // Each needs the role, and none the other.
    let policies = put_inline(facts, spec, None).into_iter().map(|(_, change)| change);
    let refused = managed_findings(facts, spec, None);
    let attached = attach(facts, spec, None);
    changes.extend(policies.chain(attached).map(|change| change.needs([0])));
    changes.extend(refused);
    changes
}

fn update(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut parts: Vec<(Part, Change<Action>)> = Vec::new();
    let mut drift = Drift::new();
    if state.role_name != spec.role_name {
        drift.add("role_name", Some(&state.role_name), Some(&spec.role_name));
        parts.push((
            Part::Apart,
            Change::finding(drift).withhold(format!(
                "to IAM both names are one, and the role's ARN has the name that it was made with: \
                 write role_name = \"{}\"",
                state.role_name
            )),
        ));
    }
    let mut drift = Drift::new();
    if drift.compare("path", Some(&state.path), spec.path.as_ref()) {
        parts.push((
            Part::Apart,
            Change::finding(drift).withhold(
                "the path of a role cannot be changed: make another role and move its users",
            ),
        ));
    }
    parts.extend(settings(spec, state).map(|change| (Part::Apart, change.independent())));
    parts.extend(put_boundary(facts, spec, state).map(|change| match change.action {
        Some(_) => (Part::Bound, change),
        None => (Part::Apart, change),
    }));
    let findings = managed_findings(facts, spec, state.managed_policy_arns.as_ref());
    parts.extend(findings.into_iter().map(|change| (Part::Apart, change)));
    parts.extend(put_inline(facts, spec, Some(state)));
    parts.extend(attach(facts, spec, Some(state)).into_iter().map(|change| (Part::Add, change)));
    if spec.is_exclusive() {
        parts.extend(delete_inline(spec, state));
        parts.extend(detach(spec, state));
    }
    parts.extend(delete_boundary(spec, state).map(|change| (Part::Unbound, change)));
    if let Some(desired) = &spec.tags {
        let tags = tags::IAM.changes(
            &state.tags,
            desired,
            |tags| act(spec, Step::Tag { tags }),
            |tags| act(spec, Step::Untag { tags }),
        );
        parts.extend(tags.into_iter().map(|change| (Part::Apart, change)));
    }
    let others_wait = parts.iter().any(|(part, _)| part.comes_before_others());
    parts.extend(update_trust(facts, spec, state, others_wait));
    order::order(parts)
}

/// The default quota can be raised, so that only IAM knows whether a long trust policy is too long.
fn warn_of_length(change: Change<Action>, trust: &PolicyDocument) -> Change<Action> {
    let size = limits::size(&trust.to_compact_string());
    if size <= limits::TRUST_POLICY {
        return change;
    }
    change.warn(format!(
        "the trust policy has {size} characters: IAM refuses more than {} unless the account's quota was raised",
        limits::TRUST_POLICY
    ))
}

fn put_boundary(facts: &Facts, spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = spec.permissions_boundary.clone().filter(|arn| !arn.is_empty())?;
    let mut drift = Drift::new();
    drift.compare("permissions_boundary", state.permissions_boundary.as_ref(), Some(&desired));
    if !drift.is_empty() {
        let there = state.permissions_boundary.as_deref();
        if let Some(there) = there.filter(|there| policy_arn::is_same(there, &desired)) {
            return Some(Change::finding(drift).withhold(respelt(there)));
        }
        if is_foreign(facts, &desired) {
            return Some(Change::finding(drift).withhold(foreign(&desired)));
        }
    }
    (!drift.is_empty()).then(|| {
        // Another boundary may let through more than the former one.
        let freed = state.permissions_boundary.is_some() && is_administrator_policy(&desired);
        Change::new(act(spec, Step::PutBoundary { policy_arn: desired }), drift)
            .rises(freed.then(|| unbound(state)).flatten())
            .risk(Risk::Disruptive)
            .warn("what the boundary does not allow stops working at once")
    })
}

fn delete_boundary(spec: &Spec, state: &State) -> Option<Change<Action>> {
    compared::mark("permissions_boundary");
    let actual = state.permissions_boundary.as_deref()?;
    if spec.permissions_boundary.as_deref() != Some("") {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("permissions_boundary", Some(actual), None::<&str>);
    Some(
        Change::new(act(spec, Step::DeleteBoundary), drift)
            .rises(unbound(state))
            .warn("the role may do all that its policies allow from now on"),
    )
}

fn settings(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    drift.compare_text("description", Some(&state.description), spec.description.as_deref());
    let shorter = drift.compare(
        "max_session_duration",
        state.max_session_duration.as_ref(),
        spec.max_session_duration.as_ref(),
    ) && spec.max_session_duration < state.max_session_duration;
    if drift.is_empty() {
        return None;
    }
    let step = Step::Update {
        description: spec.description.clone().unwrap_or_else(|| state.description.clone()),
        max_session_duration: spec.max_session_duration.or(state.max_session_duration)?,
    };
    let change = Change::new(act(spec, step), drift);
    Some(if shorter {
        change.risk(Risk::Disruptive).warn("who asks for a longer session is refused")
    } else {
        change
    })
}

/// The change of the trust policy. Where it lets one in and another out, and there is something that
/// who comes must wait for, it is two.
fn update_trust(
    facts: &Facts,
    spec: &Spec,
    state: &State,
    others_wait: bool,
) -> Vec<(Part, Change<Action>)> {
    let Some(desired) = trust::declared(&facts.partition, spec) else { return Vec::new() };
    // What cannot be understood is not compared, and the role unknown then.
    let Ok(actual) = PolicyDocument::from_text(&state.assume_role_policy) else {
        return Vec::new();
    };
    for field in trust::FIELDS {
        compared::mark(field);
    }
    // A statement that goes may have denied, and one that comes may deny: each counts both ways.
    let lets_out = !actual.narrowing(&desired, &facts.partition).is_empty();
    let lets_in = trust::lets_in(&actual, &desired.narrowing(&actual, &facts.partition));
    let step = |to: &PolicyDocument| Step::UpdateTrust { policy: to.to_compact_string() };
    let open = |from: &PolicyDocument| {
        let step = step(&desired);
        let change = policy_change(facts, spec, "assume_role_policy", Some(from), &desired, step)?;
        let rises = grants::of_trust_policy(Some(from), &desired, facts.account.as_str());
        let lifted = match trust::is_closed(&actual) {
            true => Vec::new(),
            false => grants::of_lifted_denials(&actual, &desired),
        };
        Some(warn_of_length(change.rises(rises).rises(lifted), &desired))
    };
    let path = if lets_in && lets_out && others_wait {
        let closed = trust::closed(&actual, &desired, &facts.partition);
        let step = step(&closed);
        let close = replaced(facts, spec, "assume_role_policy", Some(&actual), &closed, step);
        vec![(Part::Close, close), (Part::Open, open(&closed))]
    } else {
        let waits = lets_in && !lets_out;
        vec![(if waits { Part::Open } else { Part::Close }, open(&actual))]
    };
    let mut changes: Vec<_> =
        path.into_iter().filter_map(|(part, change)| Some((part, change?))).collect();
    let dangling = actual.dangling_principals();
    if let (Some((_, change)), false) = (changes.first_mut(), dangling.is_empty()) {
        change.warnings.push(format!(
            "{} were deleted: nobody can assume the role as they any more",
            dangling.join(", ")
        ));
    }
    changes
}

fn put_inline(facts: &Facts, spec: &Spec, state: Option<&State>) -> Vec<(Part, Change<Action>)> {
    let actual = state.and_then(|state| state.inline_policies.as_ref());
    let mut parts = Vec::new();
    let mut all_understood = actual.is_some();
    let beside = Beside::of(facts, spec, state);
    for (name, desired) in spec.inline_policies.iter().flatten() {
        if let Some(there) = other_case(actual, name) {
            let mut drift = Drift::new();
            drift.add(&format!("inline_policies.{name}"), Some(there), Some(name));
            parts.push((
                Part::Apart,
                Change::finding(drift).withhold(format!(
                    "the role has a policy {there:?}, whose name differs by case alone: write that name, \
                     or take the policy away first"
                )),
            ));
            continue;
        }
        let step = Step::PutInline { name: name.clone(), policy: desired.to_compact_string() };
        let former = actual.and_then(|policies| policies.get(name));
        let former = match former.map(|text| PolicyDocument::from_text(text)) {
            Some(Ok(former)) => Some(former),
            Some(Err(_)) => {
                all_understood = false;
                continue;
            }
            None => None,
        };
        let field = format!("inline_policies.{name}");
        let change = policy_change(facts, spec, &field, former.as_ref(), desired, step)
            .map(|change| change.rises(beside.rises(name, former.as_ref(), desired)));
        // A policy that only loses is taken away from, whatever the call is named.
        let only_loses = former.as_ref().is_some_and(|former| {
            desired.narrowing(former, &facts.partition).is_empty()
                && !former.narrowing(desired, &facts.partition).is_empty()
        });
        let part = if only_loses { Part::Remove } else { Part::Add };
        let length = |policy: &str| limits::size(policy);
        let shrinks = actual
            .and_then(|policies| policies.get(name))
            .is_some_and(|former| length(&desired.to_compact_string()) < length(former));
        parts.extend(
            change.map(|change| (part, if shrinks { change.makes_room() } else { change })),
        );
    }
    if all_understood {
        compared::mark("inline_policies");
    }
    parts
}

/// An inline policy of a name that differs by case alone. Whether IAM would take both for one is not
/// documented, so that neither is written: taking the one away could take the other.
fn other_case<'a>(actual: Option<&'a BTreeMap<String, String>>, name: &str) -> Option<&'a str> {
    let actual = actual.filter(|actual| !actual.contains_key(name))?;
    actual.keys().map(String::as_str).find(|there| there.eq_ignore_ascii_case(name))
}

fn is_declared(declared: &BTreeMap<String, PolicyDocument>, name: &str) -> bool {
    declared.contains_key(name) || declared.keys().any(|one| one.eq_ignore_ascii_case(name))
}

/// The change of a policy, unless it means the same already.
fn policy_change(
    facts: &Facts,
    spec: &Spec,
    field: &str,
    actual: Option<&PolicyDocument>,
    desired: &PolicyDocument,
    step: Step,
) -> Option<Change<Action>> {
    let mut change = replaced(facts, spec, field, actual, desired, step)?;
    for warning in actual.into_iter().flat_map(|one| one.widening(desired, &facts.partition)) {
        change = change.warn(warning);
    }
    Some(change)
}

/// The same of a policy that lets nobody do more.
fn replaced(
    facts: &Facts,
    spec: &Spec,
    field: &str,
    actual: Option<&PolicyDocument>,
    desired: &PolicyDocument,
    step: Step,
) -> Option<Change<Action>> {
    let partition = &facts.partition;
    if actual.is_some_and(|actual| actual.same_meaning(desired, partition)) {
        return None;
    }
    let mut drift = Drift::new();
    drift.add(field, actual.map(|actual| actual.shown(partition)), Some(desired.shown(partition)));
    let mut change = Change::new(act(spec, step), drift);
    if let Some(actual) = actual {
        for warning in actual.narrowing(desired, partition).warnings() {
            change = change.risk(Risk::Disruptive).warn(warning);
        }
    }
    Some(change)
}

/// Declared policies that cannot be attached, or are, in another spelling.
fn managed_findings(
    facts: &Facts,
    spec: &Spec,
    attached: Option<&BTreeSet<String>>,
) -> Vec<Change<Action>> {
    let mut findings = Vec::new();
    for arn in spec.managed_policy_arns.iter().flatten() {
        if attached.is_some_and(|attached| attached.contains(arn)) {
            continue;
        }
        let there = spelt(attached, arn);
        let reason = match there {
            Some(there) => respelt(there),
            None if is_foreign(facts, arn) => foreign(arn),
            None => continue,
        };
        let mut drift = Drift::new();
        drift.add("managed_policy_arns", there, Some(arn));
        findings.push(Change::finding(drift).withhold(reason));
    }
    findings
}

/// The ARN by which a declared policy is attached, whatever its spelling.
fn spelt<'a>(attached: Option<&'a BTreeSet<String>>, declared: &str) -> Option<&'a str> {
    let mut attached = attached.into_iter().flatten().map(String::as_str);
    attached.find(|arn| policy_arn::is_same(arn, declared))
}

fn respelt(there: &str) -> String {
    format!("to IAM both ARNs are one policy, and the role has it: write {there:?}")
}

fn is_foreign(facts: &Facts, arn: &str) -> bool {
    PolicyArn::parse(arn).is_some_and(|arn| !arn.is_for(&facts.partition, facts.account.as_str()))
}

fn foreign(arn: &str) -> String {
    format!(
        "a role can have policies of AWS and of its own account and partition alone, and {arn} is none \
         of these: make the policy in this account, and write \
         arn:${{partition}}:iam::${{account.id}}:policy/NAME"
    )
}

fn attach(facts: &Facts, spec: &Spec, state: Option<&State>) -> Vec<Change<Action>> {
    let attached = state.and_then(|state| state.managed_policy_arns.as_ref());
    if attached.is_some() {
        compared::mark("managed_policy_arns");
    }
    spec.managed_policy_arns
        .iter()
        .flatten()
        .filter(|arn| spelt(attached, arn).is_none() && !is_foreign(facts, arn))
        .map(|arn| {
            let mut drift = Drift::new();
            drift.add("managed_policy_arns", None::<&str>, Some(arn));
            let rise = match grants::managed_policy(arn) {
                Known::Administrator => Some(""),
                Known::New => Some(", a policy of AWS that evenkeel does not know"),
                Known::Harmless | Known::Customer => None,
            };
            let rise =
                rise.map(|how| Rise::Administrator(format!("{arn} to {}{how}", spec.role_name)));
            Change::new(act(spec, Step::Attach { policy_arn: arn.clone() }), drift).rises(rise)
        })
        .collect()
}

fn detach(spec: &Spec, state: &State) -> Vec<(Part, Change<Action>)> {
    let (Some(attached), Some(declared)) = (&state.managed_policy_arns, &spec.managed_policy_arns)
    else {
        return Vec::new();
    };
    let new = declared.iter().filter(|arn| spelt(Some(attached), arn).is_none()).count();
    let first = limits::managed_in_the_way(attached.len(), new);
    attached
        .iter()
        .filter(|arn| spelt(Some(declared), arn).is_none())
        .enumerate()
        .map(|(at, arn)| {
            let mut drift = Drift::new();
            drift.add("managed_policy_arns", Some(arn), None::<&str>);
            let change = Change::new(act(spec, Step::Detach { policy_arn: arn.clone() }), drift);
            let (part, change) = taken_away(change, at < first, || {
                format!(
                    "the role has {} managed policies, and IAM takes {} unless the account's quota was raised",
                    attached.len(),
                    limits::MANAGED_POLICIES,
                )
            });
            match grants::may_deny(arn) {
                true => (
                    part,
                    change
                        .rises(freed_of(state, arn))
                        .warn("what this policy denies, if anything, is no longer denied"),
                ),
                false => (part, change),
            }
        })
        .collect()
}

/// A change that takes permissions away: before the others where it must make room for them.
fn taken_away(
    change: Change<Action>,
    first: bool,
    why: impl FnOnce() -> String,
) -> (Part, Change<Action>) {
    let change = change
        .risk(Risk::Disruptive)
        .warn("what only this policy allows stops working at once")
        .makes_room();
    if first {
        let why = why();
        let change = change.warn(format!(
            "{why}: so this goes first to make room, and for a moment less is allowed than before and after"
        ));
        (Part::MakeRoom, change)
    } else {
        (Part::Remove, change)
    }
}

fn delete_inline(spec: &Spec, state: &State) -> Vec<(Part, Change<Action>)> {
    let (Some(actual), Some(declared)) = (&state.inline_policies, &spec.inline_policies) else {
        return Vec::new();
    };
    let undeclared: Vec<&str> =
        actual.keys().map(String::as_str).filter(|name| !is_declared(declared, name)).collect();
    let new: BTreeMap<&str, usize> = declared
        .iter()
        .map(|(name, policy)| (name.as_str(), (actual.get(name), policy.to_compact_string())))
        .filter(|(_, (former, policy))| *former != Some(policy))
        .map(|(name, (_, policy))| (name, limits::size(&policy)))
        .collect();
    let first = limits::inline_in_the_way(actual, &new, &undeclared);
    undeclared
        .iter()
        .filter_map(|name| actual.get_key_value(*name))
        .map(|(name, text)| {
            let mut drift = Drift::new();
            // What is no policy to us is shown as it is.
            let shown = PolicyDocument::from_text(text)
                .map_or_else(|_| text.clone().into(), |document| document.to_value());
            drift.add(&format!("inline_policies.{name}"), Some(shown), None::<&str>);
            let denies = denies(text).then(|| unbound(state)).flatten();
            let change = Change::new(act(spec, Step::DeleteInline { name: name.clone() }), drift)
                .rises(denies);
            taken_away(change, first.contains(&name.as_str()), || {
                format!(
                    "the inline policies of a role have at most {} characters together",
                    limits::INLINE_POLICIES
                )
            })
        })
        .collect()
}

/// Whether two writes make the same role: what is not said is as IAM has it of a new one.
pub fn is_same_write(planned: &Action, now: &Action) -> bool {
    let (Step::Create(planned_role), Step::Create(now_role)) = (&planned.step, &now.step) else {
        return false;
    };
    let trust = |role: &NewRole| Some(role.assume_role_policy.clone());
    planned.role_name == now.role_name
        && merged::is_same(&trust(planned_role), &trust(now_role))
        && planned_role.besides() == now_role.besides()
}

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let by = |steps: Vec<Step>| {
        let act = |step| Action { role_name: action.role_name.clone(), step };
        Undo::By(steps.into_iter().map(act).collect())
    };
    let state = before.state();
    let lost = || Undo::Impossible("what was there before was not observed".to_owned());
    match &action.step {
        Step::Create(_) => by(vec![Step::Delete]),
        Step::Delete => {
            Undo::Impossible("a role that is made again has another unique id".to_owned())
        }
        Step::Update { .. } => {
            let former = state.and_then(|state| {
                Some(Step::Update {
                    description: state.description.clone(),
                    max_session_duration: state.max_session_duration?,
                })
            });
            former.map_or_else(lost, |step| by(vec![step]))
        }
        Step::UpdateTrust { .. } => state.map_or_else(lost, |state| {
            by(vec![Step::UpdateTrust { policy: state.assume_role_policy.clone() }])
        }),
        Step::PutBoundary { .. } | Step::DeleteBoundary => {
            match state.and_then(|state| state.permissions_boundary.clone()) {
                Some(policy_arn) => by(vec![Step::PutBoundary { policy_arn }]),
                None => by(vec![Step::DeleteBoundary]),
            }
        }
        Step::Attach { policy_arn } => by(vec![Step::Detach { policy_arn: policy_arn.clone() }]),
        Step::Detach { policy_arn } => by(vec![Step::Attach { policy_arn: policy_arn.clone() }]),
        Step::PutInline { name, .. } | Step::DeleteInline { name } => {
            let former = state
                .and_then(|state| state.inline_policies.as_ref())
                .and_then(|policies| policies.get(name));
            by(vec![match former {
                Some(policy) => Step::PutInline { name: name.clone(), policy: policy.clone() },
                None => Step::DeleteInline { name: name.clone() },
            }])
        }
        Step::Tag { tags } => {
            let before = state.map(|state| &state.tags);
            let (set, remove) = (|tags| Step::Tag { tags }, |tags| Step::Untag { tags });
            by(tags::IAM.undo(tags, before, set, remove))
        }
        Step::Untag { tags } => {
            let before = state.map(|state| &state.tags);
            by(tags::IAM.undo_removal(tags, before, |tags| Step::Tag { tags }))
        }
    }
}
