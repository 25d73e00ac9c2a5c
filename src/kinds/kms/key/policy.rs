//! The key policy: the one that is there, and the one that is put together from lists of
//! administrators, users and services.
//!
//! Source: KMS Developer Guide, "Default key policy", "Allows key users to use a KMS key with AWS
//! services", "kms:ViaService"; CloudWatch Logs User Guide, "Encrypt log data"; SNS Developer Guide,
//! "Key management".

use std::collections::BTreeSet;

use aws_sdk_kms::Client;
use serde_json::{Value, json};

use super::spec::Spec;
use crate::aws::Call;
use crate::kinds::kms::reads;
use crate::kinds::{Cx, Facts, ObserveError, told};
use crate::policy_document::PolicyDocument;

pub const GET_POLICY: Call = Call::new("kms", "GetKeyPolicy");

/// The only name that a key policy has.
pub const POLICY_NAME: &str = "default";

const ADMINISTER: [&str; 17] = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
    "kms:ImportKeyMaterial",
    "kms:ReplicateKey",
];
const USE: [&str; 5] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
const EVENT_BRIDGE: &str = "events.amazonaws.com";
const GRANT: [&str; 3] = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"];

/// The fields of the spec that the key policy answers for.
pub const FIELDS: [&str; 5] =
    ["policy", "key_administrators", "key_users", "service_principals", "via_services"];

/// The key policy that a spec declares, one way or the other.
pub fn declared(facts: &Facts, spec: &Spec) -> Option<PolicyDocument> {
    if let Some(policy) = &spec.policy {
        return Some(policy.clone());
    }
    spec.has_lists().then(|| PolicyDocument::of_statements(statements(facts, spec)))
}

fn statements(facts: &Facts, spec: &Spec) -> Vec<Value> {
    let account = facts.account.to_string();
    let root = format!("arn:{}:iam::{account}:root", facts.partition);
    let mut statements = vec![json!({
        "Sid": "EnableIamPolicies", "Effect": "Allow", "Principal": { "AWS": root },
        "Action": "kms:*", "Resource": "*",
    })];
    if let Some(administrators) = some(&spec.key_administrators) {
        statements.push(json!({
            "Sid": "KeyAdministrators", "Effect": "Allow", "Principal": { "AWS": administrators },
            "Action": ADMINISTER, "Resource": "*",
        }));
    }
    if let Some(users) = some(&spec.key_users) {
        statements.push(json!({
            "Sid": "KeyUsers", "Effect": "Allow", "Principal": { "AWS": users },
            "Action": USE, "Resource": "*",
        }));
        statements.push(json!({
            "Sid": "KeyUsersThroughServices", "Effect": "Allow", "Principal": { "AWS": users },
            "Action": GRANT, "Resource": "*",
            "Condition": { "Bool": { "kms:GrantIsForAWSResource": "true" } },
        }));
    }
    // CloudWatch Logs sends no source account; its log groups are in the encryption context.
    let (logs, others): (BTreeSet<&String>, BTreeSet<&String>) =
        spec.service_principals.iter().flatten().partition(|service| service.starts_with("logs."));
    if !others.is_empty() {
        statements.push(json!({
            "Sid": "Services", "Effect": "Allow", "Principal": { "Service": others },
            "Action": USE, "Resource": "*",
            "Condition": { "StringEquals": { "aws:SourceAccount": account } },
        }));
    }
    // To a topic, EventBridge sends nothing that says for whom (SNS Developer Guide, "Key management":
    // conditions on `aws:SourceAccount`, `aws:SourceArn` and `aws:SourceOrgID` are "not supported for
    // EventBridge-to-encrypted topics"); SNS says which topic it encrypts for.
    if others.iter().any(|service| service.as_str() == EVENT_BRIDGE) {
        let topics = format!("arn:{}:sns:{}:{account}:*", facts.partition, facts.region);
        statements.push(json!({
            "Sid": "EventBridgeToTopics", "Effect": "Allow", "Principal": { "Service": EVENT_BRIDGE },
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
            "Condition": { "ArnLike": { "kms:EncryptionContext:aws:sns:topicArn": topics } },
        }));
    }
    if !logs.is_empty() {
        let groups = format!("arn:{}:logs:{}:{account}:*", facts.partition, facts.region);
        statements.push(json!({
            "Sid": "CloudWatchLogs", "Effect": "Allow", "Principal": { "Service": logs },
            "Action": USE, "Resource": "*",
            "Condition": { "ArnLike": { "kms:EncryptionContext:aws:logs:arn": groups } },
        }));
    }
    if let Some(services) = some(&spec.via_services) {
        let via: BTreeSet<String> = services
            .iter()
            .map(|service| format!("{service}.{}.{}", facts.region, domain(&facts.partition)))
            .collect();
        let mut actions: Vec<&str> = USE.to_vec();
        actions.push("kms:CreateGrant");
        statements.push(json!({
            "Sid": "ThroughServices", "Effect": "Allow", "Principal": { "AWS": "*" },
            "Action": actions, "Resource": "*",
            "Condition": { "StringEquals": {
                "kms:CallerAccount": account, "kms:ViaService": via,
            } },
        }));
    }
    statements
}

fn some(set: &Option<BTreeSet<String>>) -> Option<&BTreeSet<String>> {
    set.as_ref().filter(|set| !set.is_empty())
}

fn domain(partition: &str) -> &'static str {
    if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The text of the policy of a key of this account and Region, once it is known to be one. It is asked for
/// once, by the key's id, whether the key is known by that or by its ARN.
pub async fn read(cx: &Cx, key: &str) -> Result<String, ObserveError> {
    let client = cx.client(Client::new);
    let id = key.split_once(":key/").map_or(key, |(_, id)| id);
    let request = client.get_key_policy().key_id(id).policy_name(POLICY_NAME).send();
    let answer = cx.read(GET_POLICY, id, request).await;
    let answer = answer.map_err(|error| reads::refused(key, error))?;
    let text = told("Policy", answer.policy())?.to_owned();
    PolicyDocument::from_text(&text).map_err(|error| ObserveError::Malformed {
        field: "Policy".to_owned(),
        problem: error.to_string(),
    })?;
    Ok(text)
}
