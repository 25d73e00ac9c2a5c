//! The key policy that is put together from lists of administrators, users and services.
//!
//! Source: KMS Developer Guide, "Default key policy", "Allows key users to use a KMS key with AWS
//! services", "kms:ViaService"; CloudWatch Logs User Guide, "Encrypt log data".

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::spec::Spec;
use crate::kinds::{Facts, GrantClass};
use crate::policy_document::PolicyDocument;

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

/// Those outside of the account whom a key policy lets in.
pub fn outsiders(facts: &Facts, policy: &PolicyDocument) -> BTreeSet<(GrantClass, String)> {
    let mut outsiders = BTreeSet::new();
    for statement in policy.statements() {
        let statement = PolicyDocument::canonical_statement(&statement, &facts.partition);
        if statement.get("Effect") != Some(&json!("Allow")) {
            continue;
        }
        if statement.get("NotPrincipal").is_some() {
            outsiders.insert((GrantClass::Public, "everybody but some".to_owned()));
        }
        let principals = statement.pointer("/Principal/AWS").and_then(Value::as_array);
        for principal in principals.into_iter().flatten().filter_map(Value::as_str) {
            if principal != "*" {
                // `arn:PARTITION:iam::ACCOUNT:…`; what has no account is nobody's any more.
                let of = principal.split(':').nth(4);
                if of.is_some_and(|account| account != facts.account.as_str()) {
                    outsiders.insert((GrantClass::Foreign, principal.to_owned()));
                }
            } else if !within(facts, &statement) {
                outsiders.insert((GrantClass::Public, "everybody".to_owned()));
            }
        }
    }
    outsiders
}

/// Whether a condition keeps a statement to the account.
fn within(facts: &Facts, statement: &Value) -> bool {
    ["kms:calleraccount", "aws:principalaccount", "aws:sourceaccount"].iter().any(|key| {
        statement.pointer(&format!("/Condition/StringEquals/{key}"))
            == Some(&json!([facts.account.as_str()]))
    })
}
