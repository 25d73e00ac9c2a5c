//! What brings AWS Config in a Region to its declared state, and back.

use std::collections::BTreeSet;

use super::channel::{channel, taken_away};
use super::spec::{
    Action, Frequency, NEW, Override, Recorder, SERVICE_LINKED_ROLE, Spec, State, Strategy,
    is_service_linked,
};
use crate::kinds::{Change, Charge, Drift, Facts, Object, Risk, Undo, compared};

/// How long AWS keeps history when nobody said.
pub const DEFAULT_RETENTION: u32 = 2557;

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    let Some(state) = object.state() else { return Vec::new() };
    let mut changes = Vec::new();
    changes.extend(misnamed(spec, state));
    for change in recorder(facts, spec, state) {
        let role = place(&changes, |action| matches!(action, Action::CreateServiceLinkedRole));
        changes.push(match &change.action {
            Some(Action::PutRecorder { recorder }) if is_service_linked(&recorder.role_arn) => {
                change.needs(role)
            }
            _ => change,
        });
    }
    // Config takes a channel where there is a recorder, and starts a recorder where there is a
    // channel (AWS Config API Reference, `PutDeliveryChannel` and `StartConfigurationRecorder`):
    // what is only changed of either stops nothing.
    let made = |changes: &[Change<Action>], is_there: bool, which: fn(&Action) -> bool| {
        place(changes, which).filter(|_| !is_there)
    };
    let (has_recorder, has_channel) = (state.recorder.is_some(), state.channel.is_some());
    let recorder =
        made(&changes, has_recorder, |action| matches!(action, Action::PutRecorder { .. }));
    changes.extend(channel(facts, spec, state).into_iter().map(|change| change.needs(recorder)));
    let channel = made(&changes, has_channel, |action| matches!(action, Action::PutChannel { .. }));
    let start = recorder.into_iter().chain(channel);
    changes.extend(recording(spec, state).map(|change| change.needs(start)));
    changes.extend(retention(spec, state));
    changes.extend(failures(spec, state));
    changes
}

/// Where a write stands among the changes.
fn place(changes: &[Change<Action>], is_it: fn(&Action) -> bool) -> Option<usize> {
    changes.iter().position(|change| change.action.as_ref().is_some_and(is_it))
}

/// Names cannot be changed, and a Region has one of each.
fn misnamed(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    if let Some(recorder) = state.recorder.as_ref().filter(|_| !spec.has_no_recorder()) {
        drift.compare_text("recorder_name", Some(&recorder.name), spec.recorder_name.as_deref());
    }
    if let Some(channel) = state.channel.as_ref().filter(|_| !spec.has_no_channel()) {
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

fn declared_role(facts: &Facts, spec: &Spec) -> Option<String> {
    match spec.role_arn.as_deref()? {
        "" => Some(service_linked_role(facts)),
        role => Some(role.to_owned()),
    }
}

fn recorder(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    if !spec.has_recorder() {
        return Vec::new();
    }
    if spec.has_no_recorder() {
        compared::mark_all();
        return no_recorder(state).into_iter().collect();
    }
    let actual = state.recorder.as_ref();
    let role = declared_role(facts, spec);
    let base = actual.cloned().unwrap_or_else(|| new_recorder(facts, spec));
    let mut drift = Drift::new();
    if actual.is_none() {
        drift.add("recorder_name", None::<&str>, Some(&base.name));
    }
    drift.compare("role_arn", actual.map(|actual| &actual.role_arn), role.as_ref());
    drift.compare("strategy", actual.map(|actual| &actual.strategy), spec.strategy.as_ref());
    let strategy = spec.strategy.unwrap_or(base.strategy);
    let mut findings = Vec::new();
    let mut global = None;
    if let Some(wanted) = spec.include_global_resource_types {
        let wanted = wanted && facts.is_home();
        if strategy == Strategy::All {
            global = Some(wanted);
            let there = actual.map(|actual| &actual.include_global_resource_types);
            drift.compare("include_global_resource_types", there, Some(&wanted));
        } else {
            findings.extend(global_types_by_list(wanted, strategy, &base));
        }
    }
    if let Some(types) = &spec.resource_types {
        let there = actual.map(|actual| &actual.resource_types);
        // A list that is empty, the only one that `check` lets pass without a strategy for it.
        let none = BTreeSet::new();
        let there = if strategy == Strategy::All { Some(&none) } else { there };
        drift.compare("resource_types", there, Some(types));
    }
    drift.compare(
        "recording_frequency",
        actual.map(|actual| &actual.recording_frequency),
        spec.recording_frequency.as_ref(),
    );
    let overrides = spec.recording_overrides.as_ref();
    let overrides = overrides.map(|declared| overrides_of(declared, actual, &mut drift));
    let role_arn = role.unwrap_or_else(|| base.role_arn.clone());
    let mut changes = Vec::new();
    let needs_role = is_service_linked(&role_arn) && (spec.role_arn.is_some() || !drift.is_empty());
    if needs_role && state.has_service_linked_role == Some(false) {
        let mut drift = Drift::new();
        drift.add("role_arn", None::<&str>, Some(&role_arn));
        changes.push(Change::new(Action::CreateServiceLinkedRole, drift).of_account());
    }
    if drift.is_empty() {
        changes.extend(findings);
        return changes;
    }
    let resource_types = match (strategy, &spec.resource_types) {
        (Strategy::All, _) => BTreeSet::new(),
        (_, Some(types)) => types.clone(),
        (_, None) => base.resource_types.clone(),
    };
    let desired = Recorder {
        name: base.name.clone(),
        role_arn,
        strategy,
        include_global_resource_types: strategy == Strategy::All
            && global.unwrap_or(base.include_global_resource_types),
        resource_types,
        recording_frequency: spec.recording_frequency.unwrap_or(base.recording_frequency),
        recording_overrides: overrides.unwrap_or_else(|| base.recording_overrides.clone()),
    };
    changes.push(put(actual, desired, drift));
    changes.extend(findings);
    changes
}

/// The way back to a Region without a recorder.
fn no_recorder(state: &State) -> Option<Change<Action>> {
    let recorder = state.recorder.as_ref()?;
    let mut drift = Drift::new();
    drift.add("recorder_name", Some(&recorder.name), None::<&str>);
    let change = Change::new(Action::DeleteRecorder { name: recorder.name.clone() }, drift);
    Some(taken_away(change, state).warn("Security Hub and Config rules see nothing here any more"))
}

/// A recorder as it is made where there is none and nothing else is declared.
fn new_recorder(facts: &Facts, spec: &Spec) -> Recorder {
    Recorder {
        name: spec.recorder_name.clone().unwrap_or_else(|| NEW.to_owned()),
        role_arn: service_linked_role(facts),
        strategy: Strategy::All,
        include_global_resource_types: false,
        resource_types: BTreeSet::new(),
        recording_frequency: Frequency::Continuous,
        recording_overrides: Vec::new(),
    }
}

/// Compares the overrides, and says what is sent for them.
fn overrides_of(
    declared: &[Override],
    actual: Option<&Recorder>,
    drift: &mut Drift,
) -> Vec<Override> {
    let there = actual.map(|actual| actual.recording_overrides.as_slice()).unwrap_or_default();
    compared::mark("recording_overrides");
    let same = declared.len() == there.len()
        && declared.iter().zip(there).all(|(declared, there)| declared.agrees_with(there));
    let desired: Vec<Override> =
        declared.iter().enumerate().map(|(at, one)| described(one, there.get(at))).collect();
    if !same {
        let there = actual.map(|actual| &actual.recording_overrides);
        drift.add("recording_overrides", there, Some(&desired));
    }
    desired
}

/// The write of a recorder, and what is lost by it.
fn put(actual: Option<&Recorder>, desired: Recorder, drift: Drift) -> Change<Action> {
    let loses = actual.is_some_and(|actual| narrows(actual, &desired));
    let empties = desired.recording_overrides.is_empty()
        && actual.is_some_and(|actual| !actual.recording_overrides.is_empty());
    let mut change = Change::new(Action::PutRecorder { recorder: desired }, drift);
    if loses {
        change = change
            .risk(Risk::Disruptive)
            .warn("less is recorded: Security Hub and Config rules no longer see the rest");
    }
    if empties {
        change = change.warn(
            "AWS is said to keep overrides when it is sent an empty list: if they are there \
             afterwards, only deleting the recorder takes them away",
        );
    }
    change
}

/// What is sent for a declared override: a description that is not declared stays.
fn described(declared: &Override, there: Option<&Override>) -> Override {
    let mut sent = declared.clone();
    if sent.description.is_none() {
        sent.description = there.and_then(|there| there.description.clone());
    }
    sent
}

/// The IAM types that `includeGlobalResourceTypes` stands for (AWS Config API Reference,
/// `RecordingGroup`).
const GLOBAL_TYPES: [&str; 4] =
    ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// With a strategy that goes by a list, AWS does not look at `includeGlobalResourceTypes`: the list
/// says whether the IAM types are recorded.
fn global_types_by_list(
    wanted: bool,
    strategy: Strategy,
    recorder: &Recorder,
) -> Option<Change<Action>> {
    compared::mark("include_global_resource_types");
    let is_recorded = |name: &&&str| {
        recorder.resource_types.contains(**name) == (strategy == Strategy::Inclusion)
    };
    let recorded: Vec<&&str> = GLOBAL_TYPES.iter().filter(is_recorded).collect();
    let agrees = if wanted { recorded.len() == GLOBAL_TYPES.len() } else { recorded.is_empty() };
    if agrees {
        return None;
    }
    let mut drift = Drift::new();
    let actual = if recorded.is_empty() {
        serde_json::Value::from(false)
    } else {
        recorded.iter().map(|name| name.to_string()).collect::<Vec<_>>().into()
    };
    drift.add("include_global_resource_types", Some(actual), Some(wanted));
    Some(Change::finding(drift).withhold(format!(
        "the recorder goes by a list of types ({}), which alone says whether IAM types are \
         recorded: declare strategy, with all types or with a list that fits",
        strategy.as_str()
    )))
}

/// How often a recorder records a type.
fn frequency(recorder: &Recorder, name: &str) -> Frequency {
    let mut overrides = recorder.recording_overrides.iter();
    let own = overrides.find(|one| one.resource_types.contains(name));
    own.map_or(recorder.recording_frequency, |one| one.recording_frequency)
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
    // Of the types that an override names, before or now.
    let overrides = actual.recording_overrides.iter().chain(&desired.recording_overrides);
    let overridden = overrides.flat_map(|one| &one.resource_types).any(|name| {
        frequency(actual, name) == Frequency::Continuous
            && frequency(desired, name) == Frequency::Daily
    });
    // With the other strategies the lists alone decide.
    let global_gone = desired.strategy == Strategy::All
        && actual.include_global_resource_types
        && !desired.include_global_resource_types;
    sees_less || later || overridden || global_gone
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
        let start = Change::new(Action::Start { name }, drift);
        return Some(start.charged(costs, [Charge::ConfigurationItem]));
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

/// What fails, each where the field that it contradicts is declared.
fn failures(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let is_promised = |field: &str| match field.split('.').next() {
        Some("recording") => spec.recording == Some(true),
        Some("s3_bucket_name") => set(&spec.s3_bucket_name),
        Some("snapshot_delivery_frequency") => spec.snapshot_delivery_frequency.is_some(),
        Some("sns_topic_arn") => set(&spec.sns_topic_arn),
        _ => false,
    };
    let failures = state.failures.iter().filter(|(field, _)| is_promised(field));
    failures
        .filter(|_| state.recording)
        .map(|(field, failure)| {
            let mut drift = Drift::new();
            drift.add(field, Some(failure), None::<&str>);
            Change::finding(drift).withhold(match field.split('.').next() {
                Some("sns_topic_arn") => {
                    "Config cannot tell the topic: look at the topic, its policy and its key's"
                }
                _ => {
                    "Config records and cannot deliver: look at the bucket's policy, at the key's, and at the role"
                }
            })
        })
        .collect()
}

/// What held, from what can be declared of it; what was not there has an empty name.
pub fn as_it_was(state: &State, declared: Option<Spec>) -> Spec {
    let mut was = declared.unwrap_or_default();
    was.recording = Some(state.recording);
    was.retention_period_in_days.get_or_insert(DEFAULT_RETENTION);
    if state.recorder.is_none() {
        was.recorder_name = Some(String::new());
    }
    if state.channel.is_none() {
        was.delivery_channel_name = Some(String::new());
    }
    was
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
        Action::DeleteRecorder { .. } => match state.and_then(|state| state.recorder.clone()) {
            Some(recorder) => by(Action::PutRecorder { recorder }),
            None => Undo::Impossible("the recorder was not observed".to_owned()),
        },
        Action::DeleteChannel { .. } => match state.and_then(|state| state.channel.clone()) {
            // Config deletes the channel of no recorder that records.
            Some(channel) => {
                let recorder = state.filter(|state| state.recording).and_then(|state| state.recorder.as_ref());
                let start = recorder.map(|recorder| Action::Start { name: recorder.name.clone() });
                Undo::By([Action::PutChannel { channel }].into_iter().chain(start).collect())
            }
            None => Undo::Impossible("the delivery channel was not observed".to_owned()),
        },
    }
}
