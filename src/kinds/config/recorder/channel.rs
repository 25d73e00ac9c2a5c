//! The channel through which Config delivers, and the key of what it delivers.
//!
//! Source: AWS Config Developer Guide, "Permissions for the KMS Key for the AWS Config Delivery Channel": with the
//! service-linked role, Config asks as `config.amazonaws.com`, for its account and as
//! `arn:PARTITION:config:REGION:ACCOUNT:*`; with another role, it asks with that first.

use serde_json::json;

use super::spec::{Action, Channel, NEW, Spec, State, is_service_linked};
use crate::kinds::kms::let_in::{self, Asking};
use crate::kinds::kms::named::{self, Named};
use crate::kinds::{Change, Drift, Facts, Risk, compared};

pub fn channel(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    if !spec.has_channel() {
        return Vec::new();
    }
    if spec.has_no_channel() {
        compared::mark_all();
        return no_channel(state).into_iter().collect();
    }
    declared(facts, spec, state)
}

fn declared(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
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
    let problem = state.declared_key.as_ref().and_then(Named::problem);
    let mut changes = Vec::new();
    let is_right = spec.s3_kms_key_arn == base.s3_kms_key_arn;
    let (s3_kms_key_arn, key_differs) = match problem.filter(|_| is_right || actual.is_some()) {
        None => settle!(s3_kms_key_arn),
        // The channel has the key already, or keeps the one that it has.
        Some(problem) => {
            changes.push(useless_key(spec, &base, problem));
            (base.s3_kms_key_arn.clone(), false)
        }
    };
    let said = shut_out(facts, spec, state).filter(|_| problem.is_none());
    if let (Some(said), false) = (&said, key_differs) {
        changes.push(closed_key(spec, said));
    }
    let (sns_topic_arn, topic_differs) = settle!(sns_topic_arn);
    drift.compare(
        "snapshot_delivery_frequency",
        base.snapshot_delivery_frequency.as_ref(),
        spec.snapshot_delivery_frequency.as_ref(),
    );
    if drift.is_empty() {
        return changes;
    }
    if s3_bucket_name.is_none() {
        changes.push(nowhere(drift));
        return changes;
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
    let outside = [
        (key_differs, channel.s3_kms_key_arn.clone(), "the key of what is delivered is left"),
        (topic_differs, channel.sns_topic_arn.clone(), "notices of changes are sent"),
    ];
    let change =
        warned(Change::new(Action::PutChannel { channel }, drift), said.filter(|_| key_differs));
    let change = sent_outside(facts, change, outside);
    changes.push(if moves {
        elsewhere(change)
    } else if let Some(problem) = problem.filter(|_| actual.is_none()) {
        change.withhold(could_not_encrypt(problem))
    } else {
        change
    });
    changes
}

/// What others than the account have a hand in from now on: whether it differs, whose it is, and what it is.
fn sent_outside<const N: usize>(
    facts: &Facts,
    change: Change<Action>,
    outside: [(bool, Option<String>, &str); N],
) -> Change<Action> {
    let differing = outside.into_iter().filter(|(differs, ..)| *differs);
    differing
        .fold(change, |change, (_, arn, what)| change.sends(&facts.account, what, arn.as_deref()))
}

/// The way back to a Region without a channel.
fn no_channel(state: &State) -> Option<Change<Action>> {
    let channel = state.channel.as_ref()?;
    let mut drift = Drift::new();
    drift.add("delivery_channel_name", Some(&channel.name), None::<&str>);
    let change = Change::new(Action::DeleteChannel { name: channel.name.clone() }, drift);
    Some(taken_away(change, state).warn("what is recorded is delivered nowhere any more"))
}

/// What is delivered to another place, or under another key.
fn elsewhere(change: Change<Action>) -> Change<Action> {
    change
        .moves()
        .risk(Risk::Disruptive)
        .warn("history goes to another place or under another key: its readers must follow")
}

/// A channel needs a bucket.
fn nowhere(drift: Drift) -> Change<Action> {
    Change::finding(drift).withhold(
        "there is no delivery channel, and none can be made without s3_bucket_name: declare it",
    )
}

/// A key that cannot work is not written, and one that the channel has is not in order.
fn useless_key(spec: &Spec, there: &Channel, problem: &str) -> Change<Action> {
    let mut drift = Drift::new();
    let declared = spec.s3_kms_key_arn.as_deref().unwrap_or_default();
    let actual = there.s3_kms_key_arn.as_deref();
    if actual == Some(declared) {
        let (there, wanted) = named::out_of_order(actual, declared);
        drift.add("s3_kms_key_arn", Some(there), Some(wanted));
        return Change::finding(drift).withhold(format!(
            "Config cannot encrypt with this key: {problem}; nothing can be delivered until the key \
             works again, or another is declared"
        ));
    }
    drift.add("s3_kms_key_arn", actual, Some(declared));
    Change::finding(drift).withhold(could_not_encrypt(problem))
}

fn could_not_encrypt(problem: &str) -> String {
    format!(
        "Config could not encrypt with this key: {problem}; nothing would be delivered: put the key right, or declare another"
    )
}

/// In what words the declared key shuts Config out, if it does.
fn shut_out(facts: &Facts, spec: &Spec, state: &State) -> Option<String> {
    let role = match spec.role_arn.as_deref() {
        Some("") => None,
        Some(role) => Some(role),
        None => state.recorder.as_ref().map(|recorder| recorder.role_arn.as_str()),
    };
    if !role.is_none_or(is_service_linked) {
        return None;
    }
    let (name, key) = (spec.key()?, state.declared_key.as_ref()?.arn()?);
    let Facts { partition, region, account, .. } = facts;
    let says = json!({
        "StringEquals": { "aws:SourceAccount": account },
        "ArnLike": { "aws:SourceArn": format!("arn:{partition}:config:{region}:{account}:*") },
    });
    // No object is written without it; kms:Decrypt is for large ones alone (S3 User Guide, "Using server-side
    // encryption with AWS KMS keys").
    let actions = ["kms:GenerateDataKey"];
    let asking = [Asking::of("config.amazonaws.com", partition, key, &actions, &says)];
    let_in::said(name, state.key_policy.as_deref(), &asking, partition)
}

/// A change to a key that shuts Config out.
fn warned(change: Change<Action>, said: Option<String>) -> Change<Action> {
    match said {
        Some(said) => change.warn(format!("{said}: until it is let in, nothing is delivered")),
        None => change,
    }
}

/// The channel has the right key, which lets nobody in.
fn closed_key(spec: &Spec, said: &str) -> Change<Action> {
    let declared = spec.s3_kms_key_arn.as_deref().unwrap_or_default();
    let (there, wanted) = named::out_of_order(Some(declared), declared);
    let mut drift = Drift::new();
    drift.add("s3_kms_key_arn", Some(there), Some(wanted));
    let help = let_in::remedy("kms:Decrypt and kms:GenerateDataKey");
    Change::finding(drift).withhold(format!("{said}, so that nothing is delivered: {help}"))
}

/// What goes while Config records takes its record along: AWS takes it away from one that is stopped alone.
pub fn taken_away(change: Change<Action>, state: &State) -> Change<Action> {
    change.risk(if state.recording { Risk::Destructive } else { Risk::Disruptive })
}
