//! What brings a key to its declared state, and back.

use super::put_policy::{key_policy, rises, warn_of_keepers};
use super::spec::{
    Action, Found, KeySpec, KeyState, KeyUsage, Marked, Nature, NewKey, Origin, Spec, State, Step,
    act,
};
use super::{marks, policy};
use crate::kinds::{Change, Charge, Drift, Facts, Object, Risk, Undo, compared};
use crate::kinds::{charge, tags};
use crate::policy_document::PolicyDocument;

/// The days that AWS itself waits before it deletes a key.
const DEFAULT_WINDOW: u32 = 30;

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    match object.state() {
        None => create(facts, spec),
        Some(state) => match &state.found {
            Found::Moved(marked) => moved(facts, spec, state, marked),
            Found::Alias | Found::Mark(_) => update(facts, spec, state),
        },
    }
}

/// A write on a key that the plan makes.
fn on_new(spec: &Spec, step: Step) -> Action {
    Action { alias: spec.alias.clone(), key_id: None, step }
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
        compared::mark_all();
        return vec![Change::finding(drift).withhold(
            "a key in a key store of your own is made by hand, because it needs the key store's id: make it, and give it the alias",
        )];
    }
    let rises = document.as_ref().map(|document| rises(facts, None, document)).unwrap_or_default();
    let policy = document.clone();
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
    let mut made = Change::new(on_new(spec, Step::Create(Box::new(key))), drift)
        .rises(rises)
        .charged("AWS charges for each key", [Charge::KmsKey]);
    if let Some(policy) = policy {
        made = warn_of_keepers(facts, made, &policy);
    }
    let mut changes = vec![made];
    if spec.enable_key_rotation == Some(true) {
        let mut drift = Drift::new();
        drift.add("enable_key_rotation", None::<bool>, Some(true));
        drift.compare("rotation_period_in_days", None, spec.rotation_period_in_days.as_ref());
        let step = Step::Rotate { period_in_days: spec.rotation_period_in_days };
        changes.push(
            Change::new(on_new(spec, step), drift).charged(charge::ROTATES, [Charge::KmsRotation]),
        );
    }
    if spec.enabled == Some(false) {
        let mut drift = Drift::new();
        drift.add("enabled", None::<bool>, Some(false));
        changes.push(Change::new(on_new(spec, Step::Disable), drift));
    }
    changes
}

fn update(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut changes: Vec<Change<Action>> = Vec::new();
    // What all others need: that the alias leads to the key.
    let mut named = Vec::new();
    if let Found::Mark(marked) = &state.found {
        let adoption = adopt(facts, spec, state, marked);
        if adoption.action.is_none() {
            return vec![adoption];
        }
        if state.key_state.is_dying() {
            changes.push(saved(spec, state, marked));
            if spec.prevent_destroy != Some(true) {
                compared::mark_all();
                return changes;
            }
        }
        let saved = changes.len().checked_sub(1);
        named.push(changes.len());
        changes.push(adoption.needs(saved));
    }
    changes.extend(rivals(spec, state));
    changes.extend(fixed(spec, state));
    if state.found == Found::Alias && state.key_state.is_dying() {
        changes.push(pending_deletion(spec, state));
        if spec.prevent_destroy != Some(true) {
            compared::mark_all();
            return changes;
        }
    }
    // A key that is about to be deleted takes a policy, and nothing else that is written here.
    let place = |changes: &[Change<Action>], step: &Step| {
        changes.iter().position(|change| is_step(change, step))
    };
    let alive: Vec<usize> =
        named.iter().copied().chain(place(&changes, &Step::CancelDeletion)).collect();
    let mut drift = Drift::new();
    if drift.compare_text("description", state.description.as_deref(), spec.description.as_deref())
    {
        let description = spec.description.clone().unwrap_or_default();
        let change = Change::new(act(spec, state, Step::Describe { description }), drift);
        changes.push(change.needs(alive.iter().copied()));
    }
    let first = changes.len();
    for (change, at) in key_policy(facts, spec, state).into_iter().zip(0..) {
        let widened = (at > 0).then_some(first);
        changes.push(change.needs(named.iter().copied().chain(widened)));
    }
    changes.extend(granted(facts, spec, state));
    if let (Some(actual), Some(desired)) = (&state.tags, &spec.tags) {
        let tags = tags::KMS.changes(
            actual,
            desired,
            |tags| act(spec, state, Step::Tag { tags }),
            |tags| act(spec, state, Step::Untag { tags }),
        );
        changes.extend(tags.into_iter().map(|change| change.needs(alive.iter().copied())));
    }
    // Only an enabled key takes changes of its rotation.
    if spec.enabled == Some(false) {
        changes.extend(rotation(spec, state).map(|change| change.needs(alive.iter().copied())));
        changes.extend(usable(spec, state, false).map(|change| change.needs(alive)));
    } else {
        changes.extend(usable(spec, state, true).map(|change| change.needs(alive.clone())));
        let enabled = place(&changes, &Step::Enable);
        let needs = alive.into_iter().chain(enabled);
        changes.extend(rotation(spec, state).map(|change| change.needs(needs)));
    }
    changes
}

fn is_step(change: &Change<Action>, step: &Step) -> bool {
    change.action.as_ref().is_some_and(|action| action.step == *step)
}

/// Gives the alias to a key of which only a tag says that it was made for it. Whoever may tag keys
/// can have made it, with material that they know, a policy of their own and grants: so it must be
/// just what evenkeel would make, and the reader must know the rest.
fn adopt(facts: &Facts, spec: &Spec, state: &State, marked: &Marked) -> Change<Action> {
    let mut drift = Drift::new();
    drift.add("alias", None::<&str>, Some(&spec.alias));
    let unlike = unlike_new(spec, marked);
    if !unlike.is_empty() {
        compared::mark_all();
        drift.0.extend(unlike.0);
        return Change::finding(drift).withhold(format!(
            "the key {} bears the mark of {} and is not the key that is declared, so that it is not \
             adopted: find out who made it, and take its tag {} away; then a new key is made",
            marked.key_id,
            spec.alias,
            marks::ALIAS,
        ));
    }
    let change = Change::new(act(spec, state, Step::CreateAlias), drift)
        .risk(Risk::Disruptive)
        .warn(format!("adopts the key {}", known(marked)));
    warn_of_policy(facts, change, marked)
}

/// An alias that somebody pointed at another key. A marked key that is about to be deleted takes no
/// alias (KMS Developer Guide, "Key states of KMS keys", `UpdateAlias`): its deletion is cancelled
/// first, or nothing is written at all.
fn moved(facts: &Facts, spec: &Spec, state: &State, marked: &Marked) -> Vec<Change<Action>> {
    let back = put_back(facts, spec, state, marked);
    if !marked.key_state.is_dying() || back.action.is_none() {
        return vec![back];
    }
    let mut changes = vec![saved(spec, state, marked)];
    if spec.prevent_destroy == Some(true) {
        changes.push(back.needs([0]));
    }
    changes
}

/// Cancels the deletion of the key that bears the mark, if that is declared.
fn saved(spec: &Spec, state: &State, marked: &Marked) -> Change<Action> {
    let mut drift = Drift::new();
    let date = when(marked.deletion_date.as_deref());
    let now = format!("{} of {} on {date}", marked.key_state.as_str(), marked.key_id);
    drift.add("key_state", Some(now), Some("Enabled"));
    let alias = &spec.alias;
    if matches!(state.found, Found::Moved(_)) && spec.prevent_destroy != Some(true) {
        drift.add("alias", Some(&state.key_id), Some(&marked.key_id));
    }
    let elsewhere = match state.found {
        Found::Moved(_) => format!("{alias} points to the key {}", state.key_id),
        Found::Alias | Found::Mark(_) => format!("there is no {alias}"),
    };
    let found = format!(
        "{elsewhere}, and the key {}, which bears its mark (the tag {}), is deleted on {date}: after \
         that, nothing that it encrypted can be read",
        marked.key_id,
        marks::ALIAS,
    );
    if spec.prevent_destroy == Some(true) {
        let key_id = Some(marked.key_id.clone());
        let action = Action { alias: alias.clone(), key_id, step: Step::CancelDeletion };
        return Change::new(action, drift).warn(found);
    }
    let otherwise = match state.found {
        Found::Moved(_) => format!(
            "if the key {} is the right one now, give it the tag {} = {alias}",
            state.key_id,
            marks::ALIAS
        ),
        Found::Alias | Found::Mark(_) => {
            "with prevent_destroy = false a new key is made, which cannot read any of it".to_owned()
        }
    };
    Change::finding(drift).withhold(format!(
        "{found}. With prevent_destroy = true evenkeel cancels the deletion and puts the alias right \
         (by hand: aws kms cancel-key-deletion --key-id {}); {otherwise}",
        marked.key_id,
    ))
}

/// AWS names no day while replicas of the key are left.
fn when(date: Option<&str>) -> &str {
    date.unwrap_or("some days after its last replica is gone")
}

/// Puts an alias back that somebody pointed at another key. The one behind the alias is somebody's,
/// and the marked one may be: until the alias is back, nothing is written to either.
fn put_back(facts: &Facts, spec: &Spec, state: &State, marked: &Marked) -> Change<Action> {
    compared::mark_all();
    let mut drift = Drift::new();
    drift.add("alias", Some(&state.key_id), Some(&marked.key_id));
    let found = format!(
        "{} points to the key {}, and the key {} bears its mark, the tag {}",
        spec.alias,
        state.key_id,
        marked.key_id,
        marks::ALIAS,
    );
    let unlike = unlike_new(spec, marked);
    // UpdateAlias takes keys of one type and usage only, and says so of each other pair.
    let same_type = (marked.nature.key_spec, marked.nature.key_usage)
        == (state.nature.key_spec, state.nature.key_usage);
    if !unlike.is_empty() || !same_type {
        drift.0.extend(unlike.0);
        return Change::finding(drift).withhold(format!(
            "{found}, but is not the key that is declared: find out who moved the alias and who made \
             the key; then put the alias right, or take the tag away",
        ));
    }
    let action = Action {
        alias: spec.alias.clone(),
        key_id: Some(marked.key_id.clone()),
        step: Step::UpdateAlias { from: state.key_id.clone() },
    };
    let change = Change::new(action, drift)
        .risk(Risk::Disruptive)
        .warn(found)
        .warn(format!(
            "puts the alias back: what encrypted with {} by its alias since then needs that key for ever",
            state.key_id
        ))
        .warn(format!("takes for its own the key {}", known(marked)));
    let change = match marked.key_state {
        KeyState::Enabled => change,
        now => change.warn(unusable(spec, now)),
    };
    warn_of_policy(facts, change, marked)
}

/// What the reader must know of the state of a key that is about to get the alias.
fn unusable(spec: &Spec, now: KeyState) -> String {
    let next = match now {
        KeyState::Disabled | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion
            if spec.enabled == Some(true) =>
        {
            "the next apply enables it"
        }
        _ => "enable it, or declare enabled = true",
    };
    let now = if now.is_dying() { "Disabled then" } else { now.as_str() };
    format!("the key is {now}, so that nothing can be encrypted or read by the alias: {next}")
}

/// In what a key differs from the one that evenkeel would make: what is not declared is AWS's
/// default then. Source: KMS API Reference, `CreateKey`.
fn unlike_new(spec: &Spec, marked: &Marked) -> Drift {
    let Nature { key_spec, key_usage, origin, multi_region } = &marked.nature;
    let mut drift = Drift::new();
    let wanted = spec.key_spec.unwrap_or(KeySpec::SymmetricDefault);
    drift.compare("key_spec", Some(key_spec), Some(&wanted));
    let wanted = spec.key_usage.unwrap_or(KeyUsage::EncryptDecrypt);
    drift.compare("key_usage", Some(key_usage), Some(&wanted));
    drift.compare("origin", Some(origin), Some(&spec.origin.unwrap_or(Origin::AwsKms)));
    let wanted = spec.multi_region.unwrap_or(false);
    drift.compare("multi_region", multi_region.as_ref(), Some(&wanted));
    drift
}

/// `1234abcd-…, made at … by the run that its tag names, …`.
fn known(marked: &Marked) -> String {
    let run = match &marked.run {
        Some(run) => format!("whose tag names the run {run}"),
        None => "whose tags name no run".to_owned(),
    };
    format!(
        "{}, made at {}, of {} ({}), {run}: tags prove nothing, so look in CloudTrail who made it, \
         and at its grants (aws kms list-grants)",
        marked.key_id,
        marked.created,
        marked.nature.origin.as_str(),
        marked.nature.key_spec.as_str(),
    )
}

/// Names those whom the policy of a key lets in already.
fn warn_of_policy(facts: &Facts, mut change: Change<Action>, marked: &Marked) -> Change<Action> {
    let Ok(document) = PolicyDocument::from_text(&marked.policy) else {
        return change.withhold(
            "its key policy cannot be understood: look at it, and correct it by hand (aws kms put-key-policy)",
        );
    };
    let count = change.grants.len();
    change = change.rises(rises(facts, None, &document));
    let given: Vec<String> =
        change.grants.iter().skip(count).map(|grant| grant.what.clone()).collect();
    for what in given {
        change = change.warn(format!("the policy of the key {} gives {what}", marked.key_id));
    }
    for grant in &marked.foreign_grants {
        change = change.warn(format!(
            "a grant of the key {} gives {grant}, whatever its policy says",
            marked.key_id
        ));
    }
    change.rises(marked.foreign_grants.iter().map(super::grants::ForeignGrant::rise))
}

/// Other keys that bear the mark: what a lost answer made, or somebody else.
fn rivals(spec: &Spec, state: &State) -> Option<Change<Action>> {
    if state.others.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("other_keys", Some(&state.others), None::<&str>);
    let keys: Vec<&str> = state.others.iter().map(String::as_str).collect();
    Some(Change::finding(drift).withhold(format!(
        "{} also bears the mark of {} (the tag {}) and is not behind it: an answer of AWS was lost \
         when it was made, or somebody else made it. When nothing uses it, schedule its deletion; \
         otherwise take the tag away",
        keys.join(" and "),
        spec.alias,
        marks::ALIAS,
    )))
}

/// What cannot be changed in a key that exists.
fn fixed(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let nature = &state.nature;
    let mut drift = Drift::new();
    drift.compare("key_spec", Some(&nature.key_spec), spec.key_spec.as_ref());
    drift.compare("key_usage", Some(&nature.key_usage), spec.key_usage.as_ref());
    drift.compare("origin", Some(&nature.origin), spec.origin.as_ref());
    drift.compare("multi_region", nature.multi_region.as_ref(), spec.multi_region.as_ref());
    (!drift.is_empty()).then(|| {
        Change::finding(drift).withhold(
            "these settings of a key cannot be changed: make another key, and move the alias to it",
        )
    })
}

fn pending_deletion(spec: &Spec, state: &State) -> Change<Action> {
    let mut drift = Drift::new();
    let date = when(state.deletion_date.as_deref());
    drift.add(
        "key_state",
        Some(format!("{} on {date}", state.key_state.as_str())),
        Some("Enabled"),
    );
    if spec.prevent_destroy == Some(true) {
        Change::new(act(spec, state, Step::CancelDeletion), drift)
    } else {
        Change::finding(drift).withhold(format!(
            "somebody scheduled the deletion of this key for {date}; after that, nothing that it \
             encrypted can be read. With prevent_destroy = true evenkeel cancels it"
        ))
    }
}

/// Grants that let others use the key whatever its policy says.
fn granted(facts: &Facts, spec: &Spec, state: &State) -> Option<Change<Action>> {
    let policy = policy::declared(facts, spec)?;
    let found = super::grants::undeclared(&state.foreign_grants, &policy, facts.account.as_str());
    if found.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    drift.add("grants", Some(lines), None::<&str>);
    Some(Change::finding(drift).withhold(format!(
        "grants give rights to others than the declared policy does, and stay whatever the policy says; \
         evenkeel revokes none: find out in CloudTrail who made them, and revoke them (aws kms \
         revoke-grant --key-id {} --grant-id ID), or let these accounts in by the policy",
        state.key_id
    )))
}

/// Whether the key can be used, against what is declared. Only an enabled key can be disabled, and
/// the other way round; the states between are nobody's to write.
///
/// Source: KMS Developer Guide, "Key states of KMS keys".
fn usable(spec: &Spec, state: &State, desired: bool) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    let now = state.key_state.as_str();
    let settled = match state.key_state {
        KeyState::Enabled => Some(true),
        // Cancelling the deletion, which comes before, leaves the key disabled.
        KeyState::Disabled | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
            Some(false)
        }
        KeyState::Creating
        | KeyState::PendingImport
        | KeyState::Unavailable
        | KeyState::Updating => None,
    };
    let Some(is_enabled) = settled else {
        compared::mark("enabled");
        spec.enabled?;
        drift.add("enabled", Some(now), Some(desired));
        return Some(Change::finding(drift).withhold(format!(
            "a key in the state {now} can be neither enabled nor disabled{}",
            match state.key_state {
                KeyState::PendingImport => ": import its key material",
                KeyState::Unavailable => ": connect its key store",
                _ => ": look again in some minutes",
            }
        )));
    };
    if !drift.compare("enabled", Some(&is_enabled), spec.enabled.as_ref()) {
        return None;
    }
    Some(if desired {
        // Who disabled it may have meant to stop whoever uses it.
        Change::new(act(spec, state, Step::Enable), drift)
            .risk(Risk::Disruptive)
            .warn("whoever has rights to the key can use it again, and read what it encrypted")
    } else {
        Change::new(act(spec, state, Step::Disable), drift)
            .risk(Risk::Disruptive)
            .warn("whatever needs this key stops working: trails, logs, volumes, buckets")
    })
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
        return Some(Change::finding(drift).withhold("a key of this type or origin cannot rotate: leave enable_key_rotation out, or declare a new key that is symmetric and of AWS's own material"));
    }
    let will_be_enabled = spec.enabled == Some(true)
        && matches!(
            state.key_state,
            KeyState::Disabled | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion
        );
    if state.key_state != KeyState::Enabled && !will_be_enabled {
        return Some(Change::finding(drift).withhold(format!(
            "the rotation of a key in the state {} cannot change: enable the key first (enabled = true)",
            state.key_state.as_str()
        )));
    }
    let is_new = desired && !state.rotation.as_ref().is_some_and(|rotation| rotation.enabled);
    let step = if desired {
        Step::Rotate { period_in_days: spec.rotation_period_in_days }
    } else {
        Step::StopRotating
    };
    let change = Change::new(act(spec, state, step), drift);
    Some(if is_new { change.charged(charge::ROTATES, [Charge::KmsRotation]) } else { change })
}

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let act = |key_id: Option<String>, step| Action { alias: action.alias.clone(), key_id, step };
    let by = |steps: Vec<Step>| {
        Undo::By(steps.into_iter().map(|step| act(action.key_id.clone(), step)).collect())
    };
    let state = before.state();
    match &action.step {
        Step::Create(key) => match key.deletion_window_days {
            // The alias leads to the key; so it goes last.
            Some(window_days) => {
                by(vec![Step::ScheduleDeletion { window_days }, Step::DeleteAlias])
            }
            None => Undo::Impossible(
                "a key is deleted by people only, after they made sure that nothing needs it"
                    .to_owned(),
            ),
        },
        Step::CreateAlias => by(vec![Step::DeleteAlias]),
        Step::DeleteAlias => by(vec![Step::CreateAlias]),
        Step::UpdateAlias { from } => {
            let to = action.key_id.clone().unwrap_or_default();
            Undo::By(vec![act(Some(from.clone()), Step::UpdateAlias { from: to })])
        }
        Step::PutPolicy { .. } => match state.and_then(|state| state.policy.clone()) {
            Some(policy) => by(vec![Step::PutPolicy { policy }]),
            None => Undo::Impossible("the former policy was not observed".to_owned()),
        },
        Step::Describe { .. } => match state.and_then(|state| state.description.clone()) {
            Some(description) => by(vec![Step::Describe { description }]),
            None => Undo::Impossible("the former description was not observed".to_owned()),
        },
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
            let before = state.and_then(|state| state.tags.as_ref());
            let (set, remove) = (|tags| Step::Tag { tags }, |tags| Step::Untag { tags });
            by(tags::KMS.undo(tags, before, set, remove))
        }
        Step::Untag { tags } => {
            let before = state.and_then(|state| state.tags.as_ref());
            by(tags::KMS.undo_removal(tags, before, |tags| Step::Tag { tags }))
        }
        Step::CancelDeletion | Step::ScheduleDeletion { .. } => {
            Undo::Impossible("evenkeel does not schedule the deletion of a key again".to_owned())
        }
    }
}
