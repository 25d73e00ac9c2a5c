//! The write of a key policy, in one step or two: who loses what, who gets what, and who keeps it for a while.

use super::policy;
use super::spec::{Action, Spec, State, Step, act};
use crate::kinds::{Change, Drift, Facts, Risk, compared};
use crate::policy_document::grants::{self, Rise};
use crate::policy_document::{Keepers, PolicyDocument, PolicyKind};

/// The policy. What it takes away from services stays until all have moved that this plan moves to another
/// key: what they deliver meanwhile is encrypted.
pub(super) fn key_policy(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let Some(desired) = policy::declared(facts, spec) else { return Vec::new() };
    // What was not read or cannot be understood is not compared, and the key unknown then.
    let actual = state.policy.as_deref().map(PolicyDocument::from_text);
    let Some(Ok(actual)) = actual else { return Vec::new() };
    for field in policy::FIELDS {
        compared::mark(field);
    }
    if actual.same_meaning(&desired, &facts.partition) {
        return Vec::new();
    }
    let put = |before: &PolicyDocument, after: &PolicyDocument| {
        put_policy(facts, before, after).map(|step| act(spec, state, step))
    };
    let between = actual.on_the_way_to(&desired, &facts.partition);
    match between.filter(|between| between.too_large(PolicyKind::Key).is_none()) {
        None => vec![put(&actual, &desired)],
        Some(between) => {
            let widened = (between != actual).then(|| put(&actual, &between));
            widened.into_iter().chain([put(&between, &desired).comes_last()]).collect()
        }
    }
}

fn put_policy(facts: &Facts, actual: &PolicyDocument, desired: &PolicyDocument) -> Change<Step> {
    let mut drift = Drift::new();
    drift.add(
        "policy",
        Some(actual.shown(&facts.partition)),
        Some(desired.shown(&facts.partition)),
    );
    let mut change = Change::new(Step::PutPolicy { policy: desired.to_compact_string() }, drift)
        .rises(rises(facts, Some(actual), desired))
        .rises(grants::of_lifted_denials(actual, desired));
    if keepers(facts, actual) != keepers(facts, desired) {
        change = warn_of_keepers(facts, change, desired);
    }
    for warning in actual.narrowing(desired, &facts.partition).warnings() {
        change = change.risk(Risk::Disruptive).warn(warning);
    }
    let loosened = actual.loosened(desired, &facts.partition);
    for warning in loosened.into_iter().chain(actual.lifted(desired, &facts.partition)) {
        change = change.warn(warning);
    }
    let dangling = actual.dangling_principals();
    if !dangling.is_empty() {
        change = change
            .warn(format!("{} were deleted and can no longer use the key", dangling.join(", ")));
    }
    change
}

pub(super) fn rises(
    facts: &Facts,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Vec<Rise> {
    grants::of_resource_policy(before, after, facts.account.as_str())
}

pub(super) fn keepers(facts: &Facts, policy: &PolicyDocument) -> Keepers {
    policy.keepers(facts.account.as_str(), &facts.partition)
}

/// Says who alone may change a policy, where that is not the account.
pub(super) fn warn_of_keepers<A>(
    facts: &Facts,
    change: Change<A>,
    policy: &PolicyDocument,
) -> Change<A> {
    match keepers(facts, policy) {
        Keepers::Account => change,
        Keepers::Only(some) => change.risk(Risk::Disruptive).warn(format!(
            "the account itself may not change this policy, only {}: once nobody of them is left, nobody \
             can manage the key, and AWS Support alone can help",
            some.join(", ")
        )),
        Keepers::Nobody => change.withhold("the policy lets nobody change it, so that the key would be lost"),
    }
}
