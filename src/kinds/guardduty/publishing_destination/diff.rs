//! Where findings go against where they are to go.

use serde_json::json;

use super::spec::{Action, Destination, Making, Properties, Spec, State, Status, bucket_of, plain};
use crate::kinds::kms::let_in::{self, Asking};
use crate::kinds::kms::named::{self, Named};
use crate::kinds::tags::GUARDDUTY;
use crate::kinds::{Change, Drift, Facts, Risk, Undo, compared};
use crate::policy_document::Keys;
use crate::policy_document::grants::Rise;

const DESTINATION: &str = "destination_arn";
const KEY: &str = "kms_key_arn";

/// A detector that is not made yet has no id.
const ANY_DETECTOR: Keys<'static> = Keys { not_sent: &[], varying: &["aws:SourceArn"] };

/// What differs of the properties.
struct Differing {
    drift: Drift,
    place: bool,
    bucket: bool,
    key: bool,
    owner: bool,
}

pub fn changes(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let there = state.destination.as_ref();
    // The changes of tags count each other.
    let mut changes = tags(spec, there);
    let wanted = wanted(spec, state);
    let differing = differing(spec, there, &wanted);
    let shut_out = shut_out(facts, spec, state);
    if !differing.key {
        changes.extend(useless_key(spec, state, shut_out.as_deref()));
    }
    if differing.drift.is_empty() {
        changes.extend(there.and_then(out_of_order));
        return changes;
    }
    let keys = if differing.key { shut_out } else { None };
    changes.push(written(facts, spec, state, &wanted, differing, keys));
    changes
}

/// All that is to be said of the place: what is not declared stays.
fn wanted(spec: &Spec, state: &State) -> Properties {
    let there = state.destination.as_ref().map(|one| &one.properties);
    let is_there = |one: &&Properties| plain(&one.destination_arn) == plain(&spec.destination_arn);
    let kept = there.filter(is_there).map(|one| one.destination_arn.clone());
    let key = state.declared_key.key.arn().unwrap_or(&spec.kms_key_arn);
    Properties {
        destination_arn: kept.unwrap_or_else(|| spec.destination_arn.clone()),
        kms_key_arn: key.to_owned(),
        expected_bucket_owner: spec
            .expected_bucket_owner
            .clone()
            .or_else(|| there.and_then(|one| one.expected_bucket_owner.clone())),
    }
}

fn differing(spec: &Spec, there: Option<&Destination>, wanted: &Properties) -> Differing {
    let there = there.map(|one| &one.properties);
    let mut drift = Drift::new();
    let arn = there.map(|one| &one.destination_arn);
    let place = drift.compare(DESTINATION, arn, Some(&wanted.destination_arn));
    compared::mark(KEY);
    let now = there.map(|one| &one.kms_key_arn);
    let key = now != Some(&wanted.kms_key_arn);
    if key {
        drift.add(KEY, now, Some(&spec.kms_key_arn));
    }
    let now = there.and_then(|one| one.expected_bucket_owner.as_ref());
    let owner = drift.compare("expected_bucket_owner", now, spec.expected_bucket_owner.as_ref());
    let bucket = arn.and_then(|arn| bucket_of(arn)) != bucket_of(&wanted.destination_arn);
    if there.is_none() {
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
    }
    Differing { drift, place, bucket, key, owner }
}

/// The write that leads findings to where they are to go.
fn written(
    facts: &Facts,
    spec: &Spec,
    state: &State,
    wanted: &Properties,
    differing: Differing,
    shut_out: Option<String>,
) -> Change<Action> {
    let Differing { drift, place, bucket, key, owner } = differing;
    let mut change = match &state.destination {
        None => {
            let tags = spec.tags.clone().unwrap_or_default();
            let making = Making { properties: wanted.clone(), tags };
            Change::new(Action::Create(making), drift)
                .warn("AWS charges for what is kept in the bucket, and for each use of the key")
        }
        Some(_) if place || key => Change::new(Action::Update(wanted.clone()), drift)
            .moves()
            .risk(Risk::Disruptive)
            .warn("findings go to another place or under another key: who reads them must follow"),
        Some(_) => Change::new(Action::Update(wanted.clone()), drift),
    };
    if state.detector_id.is_none() {
        change = change
            .warn("GuardDuty has no detector yet: it must have one by the time of this change");
    }
    if bucket || owner {
        change = to_bucket(facts, state, wanted, change);
    }
    let change = change.independent();
    if key { with_key(facts, spec, state, change, shut_out) } else { change }
}

/// What is to be said of whose the bucket is.
fn to_bucket(
    facts: &Facts,
    state: &State,
    wanted: &Properties,
    change: Change<Action>,
) -> Change<Action> {
    let bucket = bucket_of(&wanted.destination_arn).unwrap_or_default();
    match &wanted.expected_bucket_owner {
        Some(owner) if *owner != facts.account => {
            let what = format!("findings are exported to account {owner}");
            let change = change.rises([Rise::Foreign { what, accounts: Some([owner.clone()].into()) }]);
            match state.is_own_bucket {
                Some(true) => change.warn(format!(
                    "GuardDuty exports nothing to the bucket {bucket}, which is this account's, for as long as the \
                     destination says that it is of account {owner}: declare expected_bucket_owner"
                )),
                _ => change,
            }
        }
        Some(_) => change,
        None if state.is_own_bucket == Some(false) => change.warn(format!(
            "the bucket {bucket} is not among those of this account, and must be by the time of this change: declare \
             expected_bucket_owner if it is another account's"
        )),
        None => change,
    }
}

/// What is to be said of a key that the destination does not have yet.
fn with_key(
    facts: &Facts,
    spec: &Spec,
    state: &State,
    change: Change<Action>,
    shut_out: Option<String>,
) -> Change<Action> {
    let name = &spec.kms_key_arn;
    let key = &state.declared_key.key;
    let arn = key.arn().unwrap_or(name);
    let change = change.sends(&facts.account, named::LEFT, arn);
    match key.problem() {
        // Another item may be about to make it.
        Some(_) if *key == Named::Missing && named::is_alias(name) => {
            change.warn("the key is not there yet: it must be by the time of this change")
        }
        Some(problem) => Change { action: None, ..change }.withhold(format!(
            "GuardDuty could not encrypt with the key {name}: {problem}; put the key right, or declare another"
        )),
        None => match shut_out {
            Some(said) => change.warn(format!(
                "{said}: by the time of this change it must be let in, or GuardDuty refuses the destination"
            )),
            None => change,
        },
    }
}

/// In what words the declared key shuts GuardDuty out, if it does.
///
/// Source: GuardDuty User Guide, "Exporting findings", "Attaching policy to your KMS key".
fn shut_out(facts: &Facts, spec: &Spec, state: &State) -> Option<String> {
    let Facts { partition, region, account, .. } = facts;
    let key = state.declared_key.key.arn()?;
    let id = state.detector_id.as_deref();
    let detector = format!("detector/{}", id.unwrap_or("*"));
    let says = json!({
        "StringEquals": { "aws:SourceAccount": account },
        "ArnLike": { "aws:SourceArn": format!("arn:{partition}:guardduty:{region}:{account}:{detector}") },
    });
    let actions = ["kms:GenerateDataKey"];
    let asking = Asking::of("guardduty.amazonaws.com", partition, key, &actions, &says);
    let asking = if id.is_some() { asking } else { asking.with(ANY_DETECTOR) };
    let_in::said(&spec.kms_key_arn, state.declared_key.policy.as_deref(), &[asking], partition)
}

/// The destination has the declared key, which is of no use to it.
fn useless_key(spec: &Spec, state: &State, shut_out: Option<&str>) -> Option<Change<Action>> {
    let name = &spec.kms_key_arn;
    let words = match (state.declared_key.key.problem(), shut_out) {
        (Some(problem), _) => format!(
            "GuardDuty cannot encrypt with the key {name}: {problem}; no finding is exported until the key works \
             again, or another is declared"
        ),
        (None, Some(said)) => {
            let help = let_in::remedy("kms:GenerateDataKey");
            format!("{said}, so that no finding is exported: {help}")
        }
        (None, None) => return None,
    };
    let mut drift = Drift::new();
    let there = state.destination.as_ref().map(|one| one.properties.kms_key_arn.as_str());
    let (there, wanted) = named::out_of_order(there, name);
    drift.add(KEY, Some(there), Some(wanted));
    Some(Change::finding(drift).withhold(words))
}

/// The right destination, and that nothing arrives.
fn out_of_order(there: &Destination) -> Option<Change<Action>> {
    if there.status == Status::Publishing {
        return None;
    }
    let arn = &there.properties.destination_arn;
    let mut drift = Drift::new();
    drift.add(
        DESTINATION,
        Some(format!("{arn}, not in working order")),
        Some(format!("{arn}, in working order")),
    );
    let owner = match &there.properties.expected_bucket_owner {
        Some(owner) => format!(" and be of account {owner}"),
        None => String::new(),
    };
    Some(Change::finding(drift).withhold(format!(
        "GuardDuty says {} and exports no finding: the bucket must be there{owner}; the policy of the bucket must let \
         guardduty.amazonaws.com in for s3:GetBucketLocation and s3:PutObject (services of the item s3.bucket) and \
         deny neither these nor s3:PutObjectAcl; the policy of the key must let it in for kms:GenerateDataKey \
         (service_principals of the item kms.key)",
        there.status.as_str()
    )))
}

fn tags(spec: &Spec, there: Option<&Destination>) -> Vec<Change<Action>> {
    compared::mark("tags");
    match (there, &spec.tags) {
        (Some(there), Some(wanted)) => {
            GUARDDUTY.changes(&there.tags, wanted, Action::Tag, Action::Untag)
        }
        // A new one is made with its tags.
        _ => Vec::new(),
    }
}

/// Whether two writes lead to the same place.
fn is_same_place(planned: &Properties, now: &Properties) -> bool {
    let is_same_key = planned.kms_key_arn == now.kms_key_arn
        || named::is_there_by_now(&planned.kms_key_arn, &now.kms_key_arn);
    plain(&planned.destination_arn) == plain(&now.destination_arn)
        && is_same_key
        && planned.expected_bucket_owner == now.expected_bucket_owner
}

pub fn is_same_write(planned: &Action, now: &Action) -> bool {
    match (planned, now) {
        (Action::Create(planned), Action::Create(now)) => {
            is_same_place(&planned.properties, &now.properties) && planned.tags == now.tags
        }
        (Action::Update(planned), Action::Update(now)) => is_same_place(planned, now),
        _ => planned == now,
    }
}

pub fn undo(action: &Action, before: &State) -> Undo<Action> {
    let unknown = || Undo::Impossible("there was no destination before".to_owned());
    let there = before.destination.as_ref();
    match (action, there) {
        (Action::Create(_), _) => Undo::By(vec![Action::Delete]),
        (Action::Delete, Some(there)) => {
            let Destination { properties, tags, .. } = there.clone();
            Undo::By(vec![Action::Create(Making { properties, tags })])
        }
        (Action::Update(new), Some(there)) => {
            let former = &there.properties;
            // Source: GuardDuty API Reference, `DestinationProperties`: what is left out stays.
            match new.expected_bucket_owner.is_some() && former.expected_bucket_owner.is_none() {
                true => Undo::Impossible(
                    "GuardDuty takes no expected_bucket_owner away again: delete the destination, and make it anew".to_owned(),
                ),
                false => Undo::By(vec![Action::Update(former.clone())]),
            }
        }
        (Action::Tag(tags), Some(there)) => {
            Undo::By(GUARDDUTY.undo(tags, Some(&there.tags), Action::Tag, Action::Untag))
        }
        (Action::Untag(tags), _) => Undo::By(vec![Action::Tag(tags.clone())]),
        (Action::Delete | Action::Update(_) | Action::Tag(_), None) => unknown(),
    }
}
