//! A log group against what is declared of all: each setting is a change by itself.

use super::spec::{Action, Spec, State, Step};
use crate::kinds::logs::log_group::LogGroupClass;
use crate::kinds::logs::log_group::deletion_protection::UNPROTECTED;
use crate::kinds::logs::log_group::kms_key::Keys;
use crate::kinds::logs::log_group::retention::{FOR_EVER, ONE_DAY, decided_by};
use crate::kinds::{Change, Drift, Facts, Risk, compared};
use crate::names::AccountId;

pub fn changes(facts: &Facts, spec: &Spec, group: &str, state: &State) -> Vec<Change<Action>> {
    let steps = [protection(spec, state), key(&facts.account, spec, state), retention(spec, state)];
    let act = |step| Action { log_group_name: group.to_owned(), step };
    steps.into_iter().flatten().map(|change| change.map(act)).collect()
}

/// Never for a shorter time.
fn retention(spec: &Spec, state: &State) -> Option<Change<Step>> {
    const FIELD: &str = "retention_in_days";
    compared::mark(FIELD);
    let declared = spec.retention_in_days?;
    let wanted = (declared > 0).then_some(declared);
    let is_delivery = state.log_group_class == Some(LogGroupClass::Delivery);
    let kept = if is_delivery { Some(1) } else { state.retention_in_days };
    if kept.is_none_or(|days| wanted.is_some_and(|least| days >= least)) {
        return None;
    }
    let mut drift = Drift::new();
    drift.add(FIELD, kept, Some(declared));
    if is_delivery {
        return Some(
            Change::finding(drift).withhold(format!("{ONE_DAY}: leave it out by `exclude`")),
        );
    }
    if let Some(policy) = &state.retention_policy {
        return Some(Change::finding(drift).withhold(decided_by(policy)));
    }
    let change = Change::new(Step::Retain(wanted), drift);
    Some(if wanted.is_none() { change.warn(FOR_EVER) } else { change })
}

fn key(account: &AccountId, spec: &Spec, state: &State) -> Option<Change<Step>> {
    spec.kms_key_id.as_ref()?;
    let keys = Keys {
        actual: state.kms_key_id.as_deref(),
        wanted: spec.key(),
        declared: state.declared_key.as_ref(),
        shut_out: state.shut_out.clone(),
    };
    Some(keys.change(account, false)?.map(Step::Encrypt))
}

fn protection(spec: &Spec, state: &State) -> Option<Change<Step>> {
    let wanted = spec.deletion_protection_enabled?;
    let mut drift = Drift::new();
    let actual = state.deletion_protection_enabled;
    if !drift.compare("deletion_protection_enabled", actual.as_ref(), Some(&wanted)) {
        return None;
    }
    let change = Change::new(Step::Protect(wanted), drift);
    Some(if wanted { change } else { change.risk(Risk::Disruptive).warn(UNPROTECTED) })
}
