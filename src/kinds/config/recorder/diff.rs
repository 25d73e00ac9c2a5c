//! What brings AWS Config in a Region to its declared state, and back.

use std::collections::BTreeSet;

use super::spec::{
    Action, Channel, Frequency, Recorder, SERVICE_LINKED_ROLE, Spec, State, Strategy,
};
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo};

/// The name of what is made new.
const NEW: &str = "default";
/// How long AWS keeps history when nobody said.
pub const DEFAULT_RETENTION: u32 = 2557;

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    let Some(state) = object.state() else { return Vec::new() };
    let mut changes = Vec::new();
    changes.extend(misnamed(spec, state));
    changes.extend(recorder(facts, spec, state));
    changes.extend(channel(spec, state));
    changes.extend(recording(spec, state));
    changes.extend(retention(spec, state));
    changes.extend(failure(state));
    changes
}

/// Names cannot be changed, and a Region has one of each.
fn misnamed(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    if let Some(recorder) = &state.recorder {
        drift.compare_text("recorder_name", Some(&recorder.name), spec.recorder_name.as_deref());
    }
    if let Some(channel) = &state.channel {
        drift.compare_text(
            "delivery_channel_name",
            Some(&channel.name),
            spec.delivery_channel_name.as_deref(),
        );
    }
    (!drift.is_empty()).then(|| {
        Change::finding(drift).withhold(
            "a Region has one recorder and one channel, and their names cannot be changed: leave the name out to adopt them",
        )
    })
}

fn service_linked_role(facts: &Facts) -> String {
    format!(
        "arn:{}:iam::{}:role/aws-service-role/config.amazonaws.com/{SERVICE_LINKED_ROLE}",
        facts.partition, facts.account
    )
}

fn recorder(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    if !spec.has_recorder() {
        return Vec::new();
    }
    let actual = state.recorder.as_ref();
    let role = match spec.role_arn.as_deref() {
        Some("") => Some(service_linked_role(facts)),
        Some(role) => Some(role.to_owned()),
        None => None,
    };
    let base = actual.cloned().unwrap_or_else(|| Recorder {
        name: spec.recorder_name.clone().unwrap_or_else(|| NEW.to_owned()),
        role_arn: service_linked_role(facts),
        strategy: Strategy::All,
        include_global_resource_types: false,
        resource_types: BTreeSet::new(),
        recording_frequency: Frequency::Continuous,
        recording_overrides: Vec::new(),
    });
    let mut drift = Drift::new();
    if actual.is_none() {
        drift.add("recorder_name", None::<&str>, Some(&base.name));
    }
    drift.compare("role_arn", actual.map(|actual| &actual.role_arn), role.as_ref());
    drift.compare("strategy", actual.map(|actual| &actual.strategy), spec.strategy.as_ref());
    let strategy = spec.strategy.unwrap_or(base.strategy);
    let global = (strategy == Strategy::All)
        .then(|| spec.include_global_resource_types.map(|global| global && facts.is_home()))
        .flatten();
    drift.compare(
        "include_global_resource_types",
        actual.map(|actual| &actual.include_global_resource_types),
        global.as_ref(),
    );
    let types = spec.resource_types.as_ref().filter(|_| strategy != Strategy::All);
    drift.compare("resource_types", actual.map(|actual| &actual.resource_types), types);
    drift.compare(
        "recording_frequency",
        actual.map(|actual| &actual.recording_frequency),
        spec.recording_frequency.as_ref(),
    );
    drift.compare(
        "recording_overrides",
        actual.map(|actual| &actual.recording_overrides),
        spec.recording_overrides.as_ref().filter(|list| actual.is_some() || !list.is_empty()),
    );
    if drift.is_empty() {
        return Vec::new();
    }
    let resource_types = match (strategy, types) {
        (Strategy::All, _) => BTreeSet::new(),
        (_, Some(types)) => types.clone(),
        (_, None) => base.resource_types.clone(),
    };
    let desired = Recorder {
        name: base.name.clone(),
        role_arn: role.unwrap_or_else(|| base.role_arn.clone()),
        strategy,
        include_global_resource_types: strategy == Strategy::All
            && global.unwrap_or(base.include_global_resource_types),
        resource_types,
        recording_frequency: spec.recording_frequency.unwrap_or(base.recording_frequency),
        recording_overrides: spec
            .recording_overrides
            .clone()
            .unwrap_or_else(|| base.recording_overrides.clone()),
    };
    let mut changes = Vec::new();
    let needs_role = desired.role_arn.ends_with(SERVICE_LINKED_ROLE);
    if needs_role && state.has_service_linked_role == Some(false) {
        let mut drift = Drift::new();
        drift.add("role_arn", None::<&str>, Some(&desired.role_arn));
        changes.push(Change::new(Action::CreateServiceLinkedRole, drift));
    }
    let loses = actual.is_some_and(|actual| narrows(actual, &desired));
    let change = Change::new(Action::PutRecorder { recorder: desired }, drift);
    changes.push(if loses {
        change
            .risk(Risk::Disruptive)
            .warn("less is recorded: Security Hub and Config rules no longer see the rest")
    } else {
        change
    });
    changes
}

/// Whether the new recorder sees less, or sees it later.
fn narrows(actual: &Recorder, desired: &Recorder) -> bool {
    let sees_less = match (actual.strategy, desired.strategy) {
        (_, Strategy::All) => false,
        (Strategy::All, _) => true,
        (Strategy::Inclusion, Strategy::Inclusion) => {
            !actual.resource_types.is_subset(&desired.resource_types)
        }
        (Strategy::Exclusion, Strategy::Exclusion) => {
            !desired.resource_types.is_subset(&actual.resource_types)
        }
        (Strategy::Exclusion, Strategy::Inclusion) => true,
        (Strategy::Inclusion, Strategy::Exclusion) => {
            !actual.resource_types.is_disjoint(&desired.resource_types)
        }
    };
    let later = actual.recording_frequency == Frequency::Continuous
        && desired.recording_frequency == Frequency::Daily;
    let overridden = desired.recording_overrides.iter().any(|one| {
        one.recording_frequency == Frequency::Daily && !actual.recording_overrides.contains(one)
    });
    // With the other strategies the lists alone decide.
    let global_gone = desired.strategy == Strategy::All
        && actual.include_global_resource_types
        && !desired.include_global_resource_types;
    sees_less || later || overridden || global_gone
}

fn channel(spec: &Spec, state: &State) -> Option<Change<Action>> {
    if !spec.has_channel() {
        return None;
    }
    let actual = state.channel.as_ref();
    let base = actual.cloned().unwrap_or_else(|| Channel {
        name: spec.delivery_channel_name.clone().unwrap_or_else(|| NEW.to_owned()),
        ..Channel::default()
    });
    let mut drift = Drift::new();
    if actual.is_none() {
        drift.add("delivery_channel_name", None::<&str>, Some(&base.name));
    }
    macro_rules! settle {
        ($field:ident) => {{
            let differs = drift.compare_text(
                stringify!($field),
                base.$field.as_deref(),
                spec.$field.as_deref(),
            );
            let value = spec.$field.clone().or_else(|| base.$field.clone());
            (value.filter(|text| !text.is_empty()), differs)
        }};
    }
    let (s3_bucket_name, bucket_differs) = settle!(s3_bucket_name);
    let (s3_key_prefix, prefix_differs) = settle!(s3_key_prefix);
    let (s3_kms_key_arn, key_differs) = settle!(s3_kms_key_arn);
    let (sns_topic_arn, _) = settle!(sns_topic_arn);
    drift.compare(
        "snapshot_delivery_frequency",
        base.snapshot_delivery_frequency.as_ref(),
        spec.snapshot_delivery_frequency.as_ref(),
    );
    if drift.is_empty() {
        return None;
    }
    if s3_bucket_name.is_none() {
        return Some(Change::finding(drift).withhold(
            "there is no delivery channel, and none can be made without s3_bucket_name",
        ));
    }
    let channel = Channel {
        name: base.name,
        s3_bucket_name,
        s3_key_prefix,
        s3_kms_key_arn,
        sns_topic_arn,
        snapshot_delivery_frequency: spec
            .snapshot_delivery_frequency
            .or(base.snapshot_delivery_frequency),
    };
    let moves = actual.is_some() && (bucket_differs || prefix_differs || key_differs);
    let change = Change::new(Action::PutChannel { channel }, drift);
    Some(if moves {
        change
            .risk(Risk::Disruptive)
            .warn("history goes to another place or under another key: its readers must follow")
    } else {
        change
    })
}

fn recording(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    if !drift.compare("recording", Some(&state.recording), spec.recording.as_ref()) {
        return None;
    }
    let name = match &state.recorder {
        Some(recorder) => recorder.name.clone(),
        None => spec.recorder_name.clone().unwrap_or_else(|| NEW.to_owned()),
    };
    if state.recording {
        return Some(
            Change::new(Action::Stop { name }, drift)
                .risk(Risk::Destructive)
                .warn("what changes from now on is not recorded, and nobody can find it out later"),
        );
    }
    // AWS starts no recorder that has nowhere to deliver to.
    if spec.has_channel() || state.channel.is_some() {
        let costs = "AWS charges for every change that is recorded";
        return Some(Change::new(Action::Start { name }, drift).warn(costs));
    }
    Some(
        Change::finding(drift)
            .withhold("a recorder needs a delivery channel: declare s3_bucket_name"),
    )
}

fn retention(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = spec.retention_period_in_days?;
    let actual = state.retention_period_in_days.unwrap_or(DEFAULT_RETENTION);
    let mut drift = Drift::new();
    if !drift.compare("retention_period_in_days", Some(&actual), Some(&desired)) {
        return None;
    }
    let change = Change::new(Action::PutRetention { days: desired }, drift);
    Some(if desired < actual {
        change
            .risk(Risk::Destructive)
            .warn(format!("history that is older than {desired} days is deleted"))
    } else {
        change
    })
}

fn failure(state: &State) -> Option<Change<Action>> {
    let failure = state.failure.as_deref().filter(|_| state.recording)?;
    let mut drift = Drift::new();
    drift.add("recording", Some(failure), Some("delivered"));
    Some(Change::finding(drift).withhold(
        "Config records and cannot deliver: look at the bucket's policy, at the key's, and at the role",
    ))
}

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let by = |action: Action| Undo::By(vec![action]);
    let state = before.state();
    match action {
        Action::CreateServiceLinkedRole => Undo::Impossible(
            "the role that Config has for itself stays; it costs nothing and allows nobody else anything"
                .to_owned(),
        ),
        Action::PutRecorder { recorder } => {
            match state.and_then(|state| state.recorder.clone()) {
                Some(recorder) => by(Action::PutRecorder { recorder }),
                None => by(Action::DeleteRecorder { name: recorder.name.clone() }),
            }
        }
        Action::PutChannel { channel } => match state.and_then(|state| state.channel.clone()) {
            Some(channel) => by(Action::PutChannel { channel }),
            None => by(Action::DeleteChannel { name: channel.name.clone() }),
        },
        Action::Start { name } => by(Action::Stop { name: name.clone() }),
        Action::Stop { name } => by(Action::Start { name: name.clone() }),
        Action::PutRetention { .. } | Action::DeleteRetention => {
            match state.and_then(|state| state.retention_period_in_days) {
                Some(days) => by(Action::PutRetention { days }),
                None => by(Action::DeleteRetention),
            }
        }
        Action::DeleteRecorder { .. } | Action::DeleteChannel { .. } => {
            Undo::Impossible("this undoes something already".to_owned())
        }
    }
}
