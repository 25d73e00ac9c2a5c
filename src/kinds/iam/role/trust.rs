//! The trust policy that is put together from shortcuts.
//!
//! Source: IAM User Guide, "Configuring MFA-protected API access" (`Bool`, not `BoolIfExists`, in
//! statements that allow), "The confused deputy problem".

use serde_json::{Map, Value, json};

use super::spec::Spec;
use crate::policy_document::PolicyDocument;

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
