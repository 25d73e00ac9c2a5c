//! What brings a key to its declared state, and back.

use super::policy;
use super::spec::{Action, KeyState, NewKey, Origin, Spec, State, Step};
use crate::kinds::tags;
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo, compared};
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants::{self, Rise};

/// The days that AWS itself waits before it deletes a key.
const DEFAULT_WINDOW: u32 = 30;

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    match object.state() {
        None => create(facts, spec),
        Some(state) => update(facts, spec, state),
    }
}

fn act(spec: &Spec, step: Step) -> Action {
    Action { alias: spec.alias.clone(), step }
}

fn create(facts: &Facts, spec: &Spec) -> Vec<Change<Action>> {
    let mut drift = Drift::new();
    drift.add("", None::<&str>, Some(&spec.alias));
    drift.compare_text("description", None, spec.description.as_deref());
    drift.compare("key_spec", None, spec.key_spec.as_ref());
    drift.compare("key_usage", None, spec.key_usage.as_ref());
    drift.compare("origin", None, spec.origin.as_ref());
    drift.compare("multi_region", None, spec.multi_region.as_ref());
    let document = policy::declared(facts, spec);
    drift.compare("policy", None, document.as_ref());
    drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
    if matches!(spec.origin, Some(Origin::AwsCloudHsm | Origin::ExternalKeyStore)) {
        return vec![Change::finding(drift).withhold(
            "a key in a key store of your own is made by hand, because it needs the key store's id",
        )];
    }
    let rises = document.as_ref().map(|document| rises(facts, None, document)).unwrap_or_default();
    let key = NewKey {
        description: spec.description.clone().filter(|text| !text.is_empty()),
        key_spec: spec.key_spec,
        key_usage: spec.key_usage,
        origin: spec.origin,
        multi_region: spec.multi_region,
        policy: document.map(|document| document.to_compact_string()),
        tags: spec.tags.clone().unwrap_or_default(),
        deletion_window_days: (spec.prevent_destroy == Some(false))
            .then(|| spec.deletion_window_days.unwrap_or(DEFAULT_WINDOW)),
    };
    let mut changes = vec![Change::new(act(spec, Step::Create(Box::new(key))), drift).rises(rises)];
    let mut alias = Drift::new();
    alias.add("alias", None::<&str>, Some(&spec.alias));
    changes.push(Change::new(act(spec, Step::CreateAlias), alias));
    if spec.enable_key_rotation == Some(true) {
        let mut drift = Drift::new();
        drift.add("enable_key_rotation", None::<bool>, Some(true));
        drift.compare("rotation_period_in_days", None, spec.rotation_period_in_days.as_ref());
        let step = Step::Rotate { period_in_days: spec.rotation_period_in_days };
        changes.push(Change::new(act(spec, step), drift));
    }
    if spec.enabled == Some(false) {
        let mut drift = Drift::new();
        drift.add("enabled", None::<bool>, Some(false));
        changes.push(Change::new(act(spec, Step::Disable), drift));
    }
    changes
}

fn update(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut changes = Vec::new();
    changes.extend(fixed(spec, state));
    if state.key_state == KeyState::PendingDeletion {
        changes.push(pending_deletion(spec, state));
        if spec.prevent_destroy != Some(true) {
            compared::mark_all();
            return changes;
        }
    }
    if !state.has_alias {
        let mut drift = Drift::new();
        drift.add("alias", None::<&str>, Some(&spec.alias));
        changes.push(Change::new(act(spec, Step::CreateAlias), drift));
    }
    let mut drift = Drift::new();
    if drift.compare_text("description", Some(&state.description), spec.description.as_deref()) {
        let description = spec.description.clone().unwrap_or_default();
        changes.push(Change::new(act(spec, Step::Describe { description }), drift));
    }
    changes.extend(key_policy(facts, spec, state));
    if let (Some(actual), Some(desired)) = (&state.tags, &spec.tags) {
        changes.extend(tags::KMS.changes(
            actual,
            desired,
            |tags| act(spec, Step::Tag { tags }),
            |tags| act(spec, Step::Untag { tags }),
        ));
    }
    // Only an enabled key takes changes of its rotation.
    if spec.enabled == Some(false) {
        changes.extend(rotation(spec, state));
        changes.extend(disable(spec, state));
    } else {
        changes.extend(enable(spec, state));
        changes.extend(rotation(spec, state));
    }
    changes
}

/// What cannot be changed in a key that exists.
fn fixed(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    drift.compare("key_spec", Some(&state.key_spec), spec.key_spec.as_ref());
    drift.compare("key_usage", Some(&state.key_usage), spec.key_usage.as_ref());
    drift.compare("origin", Some(&state.origin), spec.origin.as_ref());
    drift.compare("multi_region", Some(&state.multi_region), spec.multi_region.as_ref());
    (!drift.is_empty()).then(|| {
        Change::finding(drift).withhold(
            "these settings of a key cannot be changed: make another key, and move the alias to it",
        )
    })
}

fn pending_deletion(spec: &Spec, state: &State) -> Change<Action> {
    let mut drift = Drift::new();
    let date = state.deletion_date.as_deref().unwrap_or("an unknown date");
    drift.add("key_state", Some(format!("PendingDeletion on {date}")), Some("Enabled"));
    if spec.prevent_destroy == Some(true) {
        Change::new(act(spec, Step::CancelDeletion), drift)
    } else {
        Change::finding(drift).withhold(format!(
            "somebody scheduled the deletion of this key for {date}; after that, nothing that it \
             encrypted can be read. With prevent_destroy = true evenkeel cancels it"
        ))
    }
}

fn rises(facts: &Facts, before: Option<&PolicyDocument>, after: &PolicyDocument) -> Vec<Rise> {
    grants::of_resource_policy(before, after, facts.account.as_str())
}

fn key_policy(facts: &Facts, spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = policy::declared(facts, spec)?;
    let actual = PolicyDocument::from_text(state.policy.as_deref()?).ok()?;
    for field in policy::FIELDS {
        compared::mark(field);
    }
    if actual.same_meaning(&desired, &facts.partition) {
        return None;
    }
    let mut drift = Drift::new();
    drift.add(
        "policy",
        Some(actual.canonical(&facts.partition)),
        Some(desired.canonical(&facts.partition)),
    );
    let step = Step::PutPolicy { policy: desired.to_compact_string() };
    let mut change =
        Change::new(act(spec, step), drift).rises(rises(facts, Some(&actual), &desired));
    for warning in actual.narrowing(&desired, &facts.partition).warnings() {
        change = change.risk(Risk::Disruptive).warn(warning);
    }
    let dangling = actual.dangling_principals();
    if !dangling.is_empty() {
        change = change
            .warn(format!("{} were deleted and can no longer use the key", dangling.join(", ")));
    }
    Some(change)
}

fn enable(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    let is_enabled = state.key_state == KeyState::Enabled;
    if !drift.compare("enabled", Some(&is_enabled), spec.enabled.as_ref()) {
        return None;
    }
    Some(match state.key_state {
        KeyState::Disabled | KeyState::PendingDeletion => {
            Change::new(act(spec, Step::Enable), drift)
        }
        other => Change::finding(drift)
            .withhold(format!("a key in the state {} cannot be enabled", other.as_str())),
    })
}

fn disable(spec: &Spec, state: &State) -> Option<Change<Action>> {
    compared::mark("enabled");
    if state.key_state != KeyState::Enabled {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("enabled", Some(true), Some(false));
    Some(
        Change::new(act(spec, Step::Disable), drift)
            .risk(Risk::Disruptive)
            .warn("whatever needs this key stops working: trails, logs, volumes, buckets"),
    )
}

fn rotation(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = spec.enable_key_rotation?;
    let is_on = state.rotation.is_some_and(|rotation| rotation.enabled);
    let period = state.rotation.and_then(|rotation| rotation.period_in_days);
    let mut drift = Drift::new();
    drift.compare("enable_key_rotation", Some(&is_on), Some(&desired));
    if desired {
        drift.compare(
            "rotation_period_in_days",
            period.as_ref(),
            spec.rotation_period_in_days.as_ref(),
        );
    }
    if drift.is_empty() {
        return None;
    }
    if state.rotation.is_none() {
        return Some(Change::finding(drift).withhold("a key of this type or origin cannot rotate"));
    }
    let takes_changes = state.key_state == KeyState::Enabled || spec.enabled == Some(true);
    if !takes_changes {
        return Some(
            Change::finding(drift).withhold("the rotation of a disabled key cannot change"),
        );
    }
    let step = if desired {
        Step::Rotate { period_in_days: spec.rotation_period_in_days }
    } else {
        Step::StopRotating
    };
    Some(Change::new(act(spec, step), drift))
}

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let by = |steps: Vec<Step>| {
        Undo::By(
            steps.into_iter().map(|step| Action { alias: action.alias.clone(), step }).collect(),
        )
    };
    let state = before.state();
    match &action.step {
        Step::Create(key) => match key.deletion_window_days {
            Some(window_days) => by(vec![Step::ScheduleDeletion { window_days }]),
            None => Undo::Impossible(
                "a key is deleted by people only, after they made sure that nothing needs it"
                    .to_owned(),
            ),
        },
        Step::CreateAlias => by(vec![Step::DeleteAlias]),
        Step::DeleteAlias => by(vec![Step::CreateAlias]),
        Step::PutPolicy { .. } => match state.and_then(|state| state.policy.clone()) {
            Some(policy) => by(vec![Step::PutPolicy { policy }]),
            None => Undo::Impossible("the former policy was not observed".to_owned()),
        },
        Step::Describe { .. } => {
            let description = state.map(|state| state.description.clone()).unwrap_or_default();
            by(vec![Step::Describe { description }])
        }
        Step::Enable => by(vec![Step::Disable]),
        Step::Disable => by(vec![Step::Enable]),
        Step::Rotate { .. } | Step::StopRotating => {
            match state.and_then(|state| state.rotation).filter(|rotation| rotation.enabled) {
                Some(rotation) => {
                    by(vec![Step::Rotate { period_in_days: rotation.period_in_days }])
                }
                None => by(vec![Step::StopRotating]),
            }
        }
        Step::Tag { tags } => {
            let (former, new) = tags::KMS.before(tags, state.and_then(|state| state.tags.as_ref()));
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
        Step::CancelDeletion | Step::ScheduleDeletion { .. } => {
            Undo::Impossible("evenkeel does not schedule the deletion of a key again".to_owned())
        }
    }
}
