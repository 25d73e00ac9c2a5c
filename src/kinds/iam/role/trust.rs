//! The trust policy that is put together from shortcuts.
//!
//! Source: IAM User Guide, "Configuring MFA-protected API access" (`Bool`, not `BoolIfExists`, in
//! statements that allow), "The confused deputy problem".

use serde_json::{Map, Value, json};

use super::spec::Spec;
use crate::policy_document::{Narrowing, PolicyDocument};

/// The fields of the spec that the trust policy answers for.
pub const FIELDS: [&str; 6] = [
    "assume_role_policy",
    "trusted_account_ids",
    "external_id",
    "allowed_source_org",
    "require_mfa",
    "mfa_max_age_seconds",
];

/// The trust policy that a spec declares, one way or the other.
pub fn declared(partition: &str, spec: &Spec) -> Option<PolicyDocument> {
    if let Some(policy) = &spec.assume_role_policy {
        return Some(policy.clone());
    }
    let principals: Vec<String> = spec
        .trusted_account_ids
        .as_ref()?
        .iter()
        .map(|account| format!("arn:{partition}:iam::{account}:root"))
        .collect();
    let mut equals = Map::new();
    if let Some(id) = &spec.external_id {
        equals.insert("sts:ExternalId".to_owned(), json!(id));
    }
    if let Some(organization) = &spec.allowed_source_org {
        equals.insert("aws:PrincipalOrgID".to_owned(), json!(organization));
    }
    let mut conditions = Map::new();
    if !equals.is_empty() {
        conditions.insert("StringEquals".to_owned(), Value::Object(equals));
    }
    if spec.require_mfa == Some(true) {
        conditions.insert("Bool".to_owned(), json!({ "aws:MultiFactorAuthPresent": "true" }));
    }
    if let Some(seconds) = spec.mfa_max_age_seconds {
        let seconds = seconds.to_string();
        conditions
            .insert("NumericLessThan".to_owned(), json!({ "aws:MultiFactorAuthAge": seconds }));
    }
    let mut statement = json!({
        "Effect": "Allow", "Principal": { "AWS": principals }, "Action": "sts:AssumeRole",
    });
    if let (false, Some(map)) = (conditions.is_empty(), statement.as_object_mut()) {
        map.insert("Condition".to_owned(), Value::Object(conditions));
    }
    Some(PolicyDocument::of_statements(vec![statement]))
}

/// What a trust policy is on its way to another one that lets one in and another out: those who go
/// are out, and nobody is in yet. A policy needs a statement; where nobody is left, one that denies all
/// (IAM User Guide, "AWS JSON policy elements: Principal").
pub fn closed(
    former: &PolicyDocument,
    desired: &PolicyDocument,
    partition: &str,
) -> PolicyDocument {
    former.meeting(desired, partition).unwrap_or_else(nobody)
}

fn nobody() -> PolicyDocument {
    PolicyDocument::of_statements(vec![json!({
        "Sid": "EvenkeelClosed", "Effect": "Deny", "Principal": { "AWS": "*" },
        "Action": "sts:AssumeRole",
    })])
}

/// Whether a trust policy is one that evenkeel has closed and not yet opened: nobody locked it.
pub fn is_closed(policy: &PolicyDocument) -> bool {
    policy.statements() == nobody().statements()
}

/// Whether a new trust policy lets in somebody whom the former one kept out; `back` is what the way
/// back to the former one would take from them. Who names one of all those who could come before lets nobody in.
pub fn lets_in(former: &PolicyDocument, back: &Narrowing) -> bool {
    let former = former.statements();
    let is_new = |wanted: &Value| !former.iter().any(|there| lets_all_in(there, wanted));
    !back.added_denies.is_empty() || back.removed_allows.iter().any(is_new)
}

/// Whether a statement lets everybody in without a condition, for the actions of another one that lets
/// in principals of AWS.
fn lets_all_in(there: &Value, wanted: &Value) -> bool {
    let everybody = ["\"*\"", "[\"*\"]"];
    let principal = &there["Principal"];
    let of_aws = principal.get("AWS").unwrap_or(principal).to_string();
    let only_aws = wanted["Principal"].as_object().is_some_and(|kinds| {
        kinds.keys().all(|kind| kind == "AWS") && wanted.get("Action").is_some()
    });
    let actions = |statement: &Value| -> Vec<String> {
        let list = match &statement["Action"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        list.iter().filter_map(Value::as_str).map(str::to_lowercase).collect()
    };
    let allowed = actions(there);
    there["Effect"] == "Allow"
        && there.get("Condition").is_none()
        && everybody.contains(&of_aws.as_str())
        && only_aws
        && actions(wanted).iter().all(|action| allowed.contains(action))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whoever_could_come_before_is_not_let_in() {
        let trust = |principal: Value| {
            PolicyDocument::of_statements(vec![json!({
                "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole",
            })])
        };
        let comes = |from: Value, to: Value| {
            let (from, to) = (trust(from), trust(to));
            lets_in(&from, &to.narrowing(&from, "aws"))
        };
        let own = json!({ "AWS": "arn:aws:iam::111122223333:root" });
        for everybody in [json!("*"), json!({ "AWS": "*" }), json!({ "AWS": ["*"] })] {
            assert!(!comes(everybody.clone(), own.clone()), "{everybody}");
            assert!(comes(everybody, json!({ "Service": "ec2.amazonaws.com" })));
        }
        assert!(comes(json!({ "AWS": "arn:aws:iam::444455556666:root" }), own.clone()));
        assert!(comes(own, json!("*")));
    }
}
