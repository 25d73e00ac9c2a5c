//! What AWS would refuse of a policy, said before anything is written.
//!
//! Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "AWS JSON policy elements:
//! Principal", "… Sid", and "IAM and AWS STS quotas"; S3 User Guide, "Policies and permissions in
//! Amazon S3" (20 KB); KMS Developer Guide, "Resource quotas" (32 KB); SNS Developer Guide, "Amazon SNS
//! API permissions: Actions and resources reference" (30 KB); CloudWatch Logs API Reference, `PutResourcePolicy` (50 KB).

use std::collections::BTreeSet;

use serde_json::Value;

use super::PolicyDocument;

/// What a policy hangs on, which decides what it may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// A policy in a role, user or group.
    Inline,
    /// Who may assume a role.
    Trust,
    /// A bucket policy.
    Bucket,
    /// A key policy.
    Key,
    /// The policy of an SNS topic.
    Topic,
    /// A resource policy of CloudWatch Logs.
    Logs,
}

impl PolicyKind {
    /// The largest policy that AWS takes, in bytes; where the quota can be raised, the highest.
    pub const fn limit(self) -> usize {
        match self {
            Self::Inline => 10_240,
            Self::Trust => 8_192,
            Self::Bucket => 20_480,
            Self::Key => 32_768,
            Self::Topic => 30_720,
            Self::Logs => 51_200,
        }
    }

    /// Whose it is.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Inline | Self::Trust => "IAM",
            Self::Bucket => "S3",
            Self::Key => "KMS",
            Self::Topic => "SNS",
            Self::Logs => "CloudWatch Logs",
        }
    }

    const fn has_principals(self) -> bool {
        !matches!(self, Self::Inline)
    }

    /// "Statement IDs must be alpha-numeric": so IAM says of identity policies. S3 and KMS take
    /// spaces and more.
    const fn has_plain_sids(self) -> bool {
        matches!(self, Self::Inline)
    }
}

/// Something that AWS would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: &'static str,
}

impl PolicyDocument {
    /// What AWS would refuse of the policy, as far as it can be told without asking.
    pub fn refusals(&self, kind: PolicyKind) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(self.too_large(kind));
        let mut seen = BTreeSet::new();
        for (index, statement) in self.statements().iter().enumerate() {
            let place = place(index, statement);
            let mut refuse = |problem: &str, help: &'static str| {
                refusals.push(Refusal { message: format!("{place} {problem}"), help });
            };
            match statement.get("Sid") {
                None => {}
                Some(Value::String(sid)) => {
                    if !sid.is_empty() && !seen.insert(sid.clone()) {
                        refuse(
                            "has the Sid of another one",
                            "give each statement a Sid of its own",
                        );
                    }
                    if kind.has_plain_sids()
                        && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    {
                        refuse("has a Sid that IAM refuses", "use letters and digits alone");
                    }
                }
                Some(_) => refuse("has a Sid that is no text", "write it as a text"),
            }
            // A trust policy is about its role and names no resource.
            let names_resource =
                statement.get("Resource").is_some() || statement.get("NotResource").is_some();
            match (kind, names_resource) {
                (PolicyKind::Trust, true) => {
                    refuse("names a resource, and a trust policy has none", "leave Resource out");
                }
                (PolicyKind::Trust, false) | (_, true) => {}
                (_, false) => refuse("names no resource", "add Resource"),
            }
            let principal = statement.get("Principal").or_else(|| statement.get("NotPrincipal"));
            match (kind.has_principals(), principal) {
                (true, None) => refuse("names nobody", "add Principal"),
                (false, Some(_)) => refuse(
                    "names principals, and a policy of a role is about the role itself",
                    "leave Principal out",
                ),
                (false, None) => {}
                (true, Some(principal)) => {
                    for (problem, help) in principals(principal) {
                        refuse(&problem, help);
                    }
                }
            }
        }
        refusals
    }

    /// Whether the policy is larger than AWS takes. IAM does not count white space; evenkeel
    /// writes none.
    pub fn too_large(&self, kind: PolicyKind) -> Option<Refusal> {
        let (size, limit) = (self.to_compact_string().len(), kind.limit());
        (size > limit).then(|| Refusal {
            message: format!("the policy has {size} bytes, and AWS takes {limit}"),
            help: "join statements, or take out what is no longer needed",
        })
    }
}

fn place(index: usize, statement: &Value) -> String {
    match statement.get("Sid").and_then(Value::as_str) {
        Some(sid) if !sid.is_empty() => format!("statement {} ({sid:?})", index + 1),
        _ => format!("statement {}", index + 1),
    }
}

fn principals(value: &Value) -> Vec<(String, &'static str)> {
    const SHAPE: &str = "write \"*\", or a table with AWS, Service or Federated";
    let map = match value {
        Value::String(text) if text == "*" => return Vec::new(),
        Value::Object(map) if !map.is_empty() => map,
        _ => return vec![("has a Principal of another shape".to_owned(), SHAPE)],
    };
    let mut problems = Vec::new();
    for (key, value) in map {
        let names: Vec<&Value> = match value {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        if names.is_empty() {
            problems.push((
                format!("has no principal in {key}"),
                "name one, or leave the statement out",
            ));
        }
        for name in names {
            let Some(text) = name.as_str() else {
                problems.push((format!("has {name} as principal"), "write it as a text, \"…\""));
                continue;
            };
            match key.as_str() {
                "AWS" => problems.extend(refused_principal(text)),
                "Service" | "Federated" => {
                    if text.is_empty() {
                        problems.push((format!("has no principal in {key}"), SHAPE));
                    }
                }
                "CanonicalUser" => problems.push((
                    "names a CanonicalUser, which AWS stores as an ARN and would differ for ever".to_owned(),
                    "write the identity's ARN, { AWS = \"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity …\" }, or the account's id",
                )),
                other => problems.push((format!("has principals of the type {other:?}"), SHAPE)),
            }
        }
    }
    problems
}

/// Why AWS does not take a text for an account, user or role, and what to write instead.
pub fn refused_principal(text: &str) -> Option<(String, &'static str)> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text == "*" || is_account || super::statements::is_unique_id(text) {
        return None;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [prefix, _, "iam" | "sts", "", account, resource] = parts.as_slice() else {
        return Some((
            format!("names {text:?}, which is no principal"),
            "write an account's id, or the ARN of a user or role",
        ));
    };
    if *prefix != "arn" || account.is_empty() || resource.is_empty() {
        return Some((
            format!("names {text:?}, which is no ARN"),
            "write arn:PARTITION:iam::ACCOUNT:…",
        ));
    }
    if text.contains(['*', '?']) {
        return Some((
            format!("names {text:?}: AWS takes no wildcard inside a principal"),
            "name the account, and narrow it by a condition on aws:PrincipalArn",
        ));
    }
    resource.starts_with("group/").then(|| {
        (format!("names the group {text:?}, which is no principal"), "name users or roles")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(statements: Value, kind: PolicyKind) -> Vec<String> {
        let document = PolicyDocument::of_statements(statements.as_array().unwrap().clone());
        document.refusals(kind).into_iter().map(|refusal| refusal.message).collect()
    }

    fn bucket(principal: Value) -> Vec<String> {
        let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::a/*" });
        of(json!([statement]), PolicyKind::Bucket)
    }

    #[test]
    fn principals_that_aws_takes_pass() {
        for principal in [
            json!("*"),
            json!({ "AWS": "*" }),
            json!({ "AWS": ["111122223333", "arn:aws:iam::111122223333:root"] }),
            json!({ "AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1" }),
            json!({ "AWS": "arn:aws-cn:sts::111122223333:assumed-role/a/b" }),
            json!({ "AWS": "AROAEXAMPLEEXAMPLE123" }),
            json!({ "Service": ["cloudtrail.amazonaws.com"], "Federated": "accounts.google.com" }),
        ] {
            assert_eq!(bucket(principal), [""; 0]);
        }
    }

    #[test]
    fn principals_that_aws_refuses_or_rewrites_are_said() {
        let cases = [
            (json!({ "CanonicalUser": "79a59d" }), "CanonicalUser"),
            (json!("111122223333"), "another shape"),
            (json!({}), "another shape"),
            (json!({ "AWS": [] }), "no principal in AWS"),
            (json!({ "AWS": 111_122_223_333u64 }), "as principal"),
            (json!({ "AWS": "somebody" }), "no principal"),
            (json!({ "AWS": "arn:aws:iam::111122223333:role/*" }), "no wildcard"),
            (json!({ "AWS": "arn:aws:iam::111122223333:group/x" }), "the group"),
            (json!({ "aws": "*" }), "of the type \"aws\""),
        ];
        for (principal, part) in cases {
            let problems = bucket(principal.clone());
            assert!(problems.len() == 1 && problems[0].contains(part), "{principal}: {problems:?}");
        }
    }

    #[test]
    fn sids_are_told_apart_by_what_the_policy_hangs_on() {
        let statement = json!({ "Sid": "Enable IAM", "Effect": "Allow", "Principal": "*",
            "Action": "kms:*", "Resource": "*" });
        assert_eq!(of(json!([statement]), PolicyKind::Key), [""; 0]);
        let twice = of(json!([statement, statement]), PolicyKind::Key);
        assert_eq!(twice, ["statement 2 (\"Enable IAM\") has the Sid of another one"]);
        let trust = json!({ "Sid": "A b", "Effect": "Allow", "Principal": { "AWS": "111122223333" },
            "Action": "sts:AssumeRole" });
        assert_eq!(of(json!([trust]), PolicyKind::Trust), [""; 0]);
        let plain = json!({ "Sid": "A b", "Effect": "Allow", "Action": "s3:*", "Resource": "*" });
        assert_eq!(
            of(json!([plain]), PolicyKind::Inline),
            ["statement 1 (\"A b\") has a Sid that IAM refuses"]
        );
        let inline = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*" });
        assert_eq!(of(json!([inline]), PolicyKind::Inline).len(), 2);
    }

    #[test]
    fn a_policy_that_is_too_large_is_said() {
        let resources: Vec<String> =
            (0..400).map(|number| format!("arn:aws:s3:::a/{number:050}")).collect();
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": resources });
        let problems = of(json!([statement]), PolicyKind::Bucket);
        assert!(problems.len() == 1 && problems[0].contains("AWS takes 20480"), "{problems:?}");
        assert_eq!(of(json!([statement]), PolicyKind::Key), [""; 0]);
    }
}
