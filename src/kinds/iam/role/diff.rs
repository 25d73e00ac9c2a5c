//! What brings a role to its declared state, and back.

use std::collections::BTreeMap;

use super::spec::{Action, NewRole, Spec, State, Step};
use super::trust;
use crate::kinds::tags;
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo, compared};
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants::{self, Rise, is_administrator_policy};

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
            "the role is not there, and cannot be made without assume_role_policy or trusted_account_ids",
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
        .rises(grants::of_resource_policy(None, &trust, facts.account.as_str()));
    for warning in PolicyDocument::of_statements(Vec::new()).widening(&trust, &facts.partition) {
        change = change.warn(warning);
    }
    let mut changes = vec![change];
    changes.extend(put_inline(facts, spec, None));
    changes.extend(attach(spec, None));
    changes
}

fn update(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut changes = Vec::new();
    let mut drift = Drift::new();
    if drift.compare("path", Some(&state.path), spec.path.as_ref()) {
        changes.push(Change::finding(drift).withhold(
            "the path of a role cannot be changed: make another role and move its users",
        ));
    }
    // A boundary comes before new permissions and goes after old ones: at no time may the role do
    // more than before and after.
    changes.extend(put_boundary(spec, state));
    changes.extend(settings(spec, state));
    changes.extend(update_trust(facts, spec, state));
    changes.extend(put_inline(facts, spec, state.inline_policies.as_ref()));
    changes.extend(attach(spec, Some(state)));
    if spec.is_exclusive() {
        changes.extend(delete_inline(spec, state));
        changes.extend(detach(spec, state));
    }
    changes.extend(delete_boundary(spec, state));
    if let Some(desired) = &spec.tags {
        changes.extend(tags::IAM.changes(
            &state.tags,
            desired,
            |tags| act(spec, Step::Tag { tags }),
            |tags| act(spec, Step::Untag { tags }),
        ));
    }
    changes
}

fn put_boundary(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = spec.permissions_boundary.clone().filter(|arn| !arn.is_empty())?;
    let mut drift = Drift::new();
    drift.compare("permissions_boundary", state.permissions_boundary.as_ref(), Some(&desired));
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
        Some(&state.max_session_duration),
        spec.max_session_duration.as_ref(),
    ) && spec.max_session_duration < Some(state.max_session_duration);
    if drift.is_empty() {
        return None;
    }
    let step = Step::Update {
        description: spec.description.clone().unwrap_or_else(|| state.description.clone()),
        max_session_duration: spec.max_session_duration.unwrap_or(state.max_session_duration),
    };
    let change = Change::new(act(spec, step), drift);
    Some(if shorter {
        change.risk(Risk::Disruptive).warn("who asks for a longer session is refused")
    } else {
        change
    })
}

fn update_trust(facts: &Facts, spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = trust::declared(&facts.partition, spec)?;
    for field in trust::FIELDS {
        compared::mark(field);
    }
    let step = Step::UpdateTrust { policy: desired.to_compact_string() };
    let actual = PolicyDocument::from_text(&state.assume_role_policy).ok();
    let mut change =
        policy_change(facts, spec, "assume_role_policy", actual.as_ref(), &desired, step)?;
    let dangling = actual.map(|actual| actual.dangling_principals()).unwrap_or_default();
    if !dangling.is_empty() {
        change = change.warn(format!(
            "{} were deleted: nobody can assume the role as they any more",
            dangling.join(", ")
        ));
    }
    Some(change)
}

fn put_inline(
    facts: &Facts,
    spec: &Spec,
    actual: Option<&BTreeMap<String, String>>,
) -> Vec<Change<Action>> {
    if actual.is_some() {
        compared::mark("inline_policies");
    }
    let declared = spec.inline_policies.iter().flatten();
    declared
        .filter_map(|(name, desired)| {
            let step = Step::PutInline { name: name.clone(), policy: desired.to_compact_string() };
            let actual = actual
                .and_then(|policies| policies.get(name))
                .and_then(|text| PolicyDocument::from_text(text).ok());
            let field = format!("inline_policies.{name}");
            policy_change(facts, spec, &field, actual.as_ref(), desired, step)
        })
        .collect()
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
    let partition = &facts.partition;
    if actual.is_some_and(|actual| actual.same_meaning(desired, partition)) {
        return None;
    }
    let mut drift = Drift::new();
    drift.add(
        field,
        actual.map(|actual| actual.canonical(partition)),
        Some(desired.canonical(partition)),
    );
    let rises = match &step {
        Step::UpdateTrust { .. } => {
            grants::of_resource_policy(actual, desired, facts.account.as_str())
        }
        _ => grants::of_identity_policy(actual, desired),
    };
    let mut change = Change::new(act(spec, step), drift).rises(rises);
    if let Some(actual) = actual {
        for warning in actual.narrowing(desired, partition).warnings() {
            change = change.risk(Risk::Disruptive).warn(warning);
        }
        for warning in actual.widening(desired, partition) {
            change = change.warn(warning);
        }
    }
    Some(change)
}

fn attach(spec: &Spec, state: Option<&State>) -> Vec<Change<Action>> {
    let attached = state.and_then(|state| state.managed_policy_arns.as_ref());
    if attached.is_some() {
        compared::mark("managed_policy_arns");
    }
    spec.managed_policy_arns
        .iter()
        .flatten()
        .filter(|arn| !attached.is_some_and(|attached| attached.contains(*arn)))
        .map(|arn| {
            let mut drift = Drift::new();
            drift.add("managed_policy_arns", None::<&str>, Some(arn));
            let rise = is_administrator_policy(arn)
                .then(|| Rise::Administrator(format!("{arn} to {}", spec.role_name)));
            Change::new(act(spec, Step::Attach { policy_arn: arn.clone() }), drift).rises(rise)
        })
        .collect()
}

fn detach(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let (Some(attached), Some(declared)) = (&state.managed_policy_arns, &spec.managed_policy_arns)
    else {
        return Vec::new();
    };
    attached
        .difference(declared)
        .map(|arn| {
            let mut drift = Drift::new();
            drift.add("managed_policy_arns", Some(arn), None::<&str>);
            Change::new(act(spec, Step::Detach { policy_arn: arn.clone() }), drift)
                .risk(Risk::Disruptive)
                .warn("what only this policy allows stops working at once")
        })
        .collect()
}

fn delete_inline(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let (Some(actual), Some(declared)) = (&state.inline_policies, &spec.inline_policies) else {
        return Vec::new();
    };
    actual
        .iter()
        .filter(|(name, _)| !declared.contains_key(*name))
        .map(|(name, text)| {
            let mut drift = Drift::new();
            let document = PolicyDocument::from_text(text).ok();
            drift.add(
                &format!("inline_policies.{name}"),
                document.map(|document| document.to_value()),
                None::<&str>,
            );
            let denies = denies(text).then(|| unbound(state)).flatten();
            Change::new(act(spec, Step::DeleteInline { name: name.clone() }), drift)
                .rises(denies)
                .risk(Risk::Disruptive)
                .warn("what only this policy allows stops working at once")
        })
        .collect()
}

/// What the role can do once nothing but its own policies limits it, where that is everything or
/// was not looked at.
fn unbound(state: &State) -> Option<Rise> {
    let (Some(attached), Some(inline)) = (&state.managed_policy_arns, &state.inline_policies)
    else {
        return Some(Rise::Administrator(
            "all that its policies allow, which are not declared and were not looked at".to_owned(),
        ));
    };
    if let Some(arn) = attached.iter().find(|arn| is_administrator_policy(arn)) {
        return Some(Rise::Administrator(format!("all that {arn} allows")));
    }
    inline.iter().find_map(|(name, text)| {
        let rises = PolicyDocument::from_text(text)
            .map(|policy| grants::of_identity_policy(None, &policy))
            .unwrap_or_default();
        (!rises.is_empty())
            .then(|| Rise::Administrator(format!("all that its policy {name} allows")))
    })
}

/// Whether a policy takes something away.
fn denies(text: &str) -> bool {
    let statements = PolicyDocument::from_text(text).map(|policy| policy.statements());
    statements.unwrap_or_default().iter().any(|statement| statement["Effect"] == "Deny")
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
        Step::Update { .. } => state.map_or_else(lost, |state| {
            by(vec![Step::Update {
                description: state.description.clone(),
                max_session_duration: state.max_session_duration,
            }])
        }),
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
            let (former, new) = tags::IAM.before(tags, state.map(|state| &state.tags));
            let mut steps = Vec::new();
            if !former.is_empty() {
                steps.push(Step::Tag { tags: former });
            }
            if !new.is_empty() {
                steps.push(Step::Untag { tags: new });
            }
            by(steps)
        }
        Step::Untag { tags } => by(vec![Step::Tag { tags: tags.clone() }]),
    }
}
