//! The least-privilege IAM policy for exactly the items of a baseline.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::kinds::erased::{DynKind, Misfit};
use crate::kinds::{ImpliedPermission, Scope};
use crate::plan::Mode;
use crate::reconcile::regions;

/// The most characters that AWS takes in a customer managed policy, white space not counted
/// (IAM quotas).
pub const MANAGED_POLICY_LIMIT: usize = 6144;

/// How the reads of settings begin, by service where all its reads together would show what
/// customers keep there.
const READS_OF_SETTINGS: [(&str, &[&str]); 5] = [
    ("dynamodb", &["Describe"]),
    ("s3", &["GetBucket"]),
    ("secretsmanager", &["Describe", "List"]),
    ("sqs", &["List"]),
    ("ssm", &["Describe", "List"]),
];

/// The IAM actions for some items: what reading needs, and what writing needs on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// For observing.
    pub reads: BTreeSet<String>,
    /// For applying.
    pub writes: BTreeSet<String>,
    /// For applying, checked by AWS without a call of their own, with their condition.
    pub implied: BTreeMap<String, BTreeSet<Option<(String, String)>>>,
}

impl Permissions {
    /// Adds what an item needs in a mode.
    ///
    /// # Errors
    /// The spec is not one of the kind's.
    pub fn add(&mut self, kind: &dyn DynKind, spec: &Value, mode: Mode) -> Result<(), Misfit> {
        if mode == Mode::Off {
            return Ok(());
        }
        self.reads.extend(kind.reads(spec)?.into_iter().map(str::to_owned));
        if kind.scope() == Scope::Regional {
            self.reads.insert(regions::PERMISSION.to_owned());
        }
        if mode == Mode::Enforce {
            self.writes.extend(kind.possible_writes(spec)?.into_iter().map(str::to_owned));
            for ImpliedPermission { action, condition } in kind.implied(spec)? {
                self.implied
                    .entry(action.to_owned())
                    .or_default()
                    .insert(condition.map(|(key, value)| (key.to_owned(), value.to_owned())));
            }
        }
        Ok(())
    }

    /// A policy for reading alone, of at most `limit` characters: action by action where that
    /// fits, otherwise by the verbs that AWS uses for reads of settings. What does not fit even then, or has
    /// nothing to read, may do nothing.
    pub fn read_only(&self, limit: usize) -> String {
        let document = |effect: &str, actions: &BTreeSet<String>| {
            json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": effect, "Action": actions, "Resource": "*"}],
            })
            .to_string()
        };
        let by_verb: BTreeSet<String> = self
            .reads
            .iter()
            .map(|action| {
                let verb = action.split_once(':').and_then(|(service, operation)| {
                    let verbs =
                        READS_OF_SETTINGS.iter().find(|(holds_data, _)| *holds_data == service);
                    let verbs = verbs.map_or(&["Describe", "Get", "List"][..], |(_, verbs)| verbs);
                    let verb = verbs.iter().find(|verb| operation.starts_with(**verb))?;
                    Some(format!("{service}:{verb}*"))
                });
                verb.unwrap_or_else(|| action.clone())
            })
            .collect();
        [&self.reads, &by_verb]
            .into_iter()
            .filter(|actions| !actions.is_empty())
            .map(|actions| document("Allow", actions))
            .find(|text| text.len() <= limit)
            .unwrap_or_else(|| document("Deny", &BTreeSet::from(["*".to_owned()])))
    }

    /// The policy document.
    pub fn document(&self) -> Value {
        let mut statements = Vec::new();
        if !self.reads.is_empty() {
            statements.push(statement("EvenkeelObserve", &self.reads, None));
        }
        let writes: BTreeSet<_> = self.writes.difference(&self.reads).cloned().collect();
        if !writes.is_empty() {
            statements.push(statement("EvenkeelApply", &writes, None));
        }
        let mut number = 0;
        for (action, conditions) in &self.implied {
            for condition in conditions {
                number += 1;
                let sid = format!("EvenkeelImplied{number}");
                let actions = BTreeSet::from([action.clone()]);
                statements.push(statement(&sid, &actions, condition.as_ref()));
            }
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

fn statement(sid: &str, actions: &BTreeSet<String>, condition: Option<&(String, String)>) -> Value {
    let mut statement = json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"});
    if let (Some((key, value)), Some(map)) = (condition, statement.as_object_mut()) {
        let mut test = serde_json::Map::new();
        test.insert(key.clone(), Value::String(value.clone()));
        map.insert("Condition".to_owned(), json!({"StringEquals": test}));
    }
    statement
}

/// The policy as a Terraform resource.
pub fn terraform(document: &Value) -> String {
    format!(
        "resource \"aws_iam_policy\" \"evenkeel\" {{\n  name   = \"evenkeel\"\n  policy = <<-JSON\n{}\n  JSON\n}}\n",
        indented(document, 4)
    )
}

/// The policy as a CloudFormation template.
pub fn cloudformation(document: &Value) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The permissions that evenkeel needs for its baseline.",
        "Resources": {
            "EvenkeelPolicy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": "evenkeel", "PolicyDocument": document},
            }
        },
        "Outputs": {"PolicyArn": {"Value": {"Ref": "EvenkeelPolicy"}}},
    })
}

fn indented(document: &Value, spaces: usize) -> String {
    let pad = " ".repeat(spaces);
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    // IAM's own policy variables look like Terraform's interpolation.
    let text = text.replace("${", "$${");
    text.lines().map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kinds::registry;

    #[test]
    fn a_policy_for_reading_fits_its_limit_and_never_writes() {
        let mut permissions = Permissions::default();
        for kind in registry::all() {
            let reads = kind.reads(&json!({"role_name": "r", "bucket": "b", "alias": "alias/a"}));
            permissions.reads.extend(reads.unwrap_or_default().into_iter().map(str::to_owned));
        }
        permissions.reads.extend(["s3:GetBucketAcl".to_owned(), "s3:GetBucketPolicy".to_owned()]);
        let exact = permissions.read_only(20_000);
        assert!(exact.contains("s3:GetBucketAcl") && !exact.contains("s3:Get*"), "{exact}");
        let short = permissions.read_only(exact.len() - 1);
        assert!(short.contains("s3:GetBucket*") && short.len() < exact.len(), "{short}");
        // That would hold `s3:GetObject`.
        assert!(!short.contains("s3:Get*"), "{short}");
        for word in ["Put", "Create", "Delete", "Update", ":*"] {
            assert!(!short.replace(r#""Resource":"*""#, "").contains(word), "{short}");
        }
        for nothing in [Permissions::default().read_only(2048), permissions.read_only(10)] {
            assert!(nothing.contains(r#""Effect":"Deny""#), "{nothing}");
        }
    }

    #[test]
    fn reporting_needs_no_writes() {
        let kind = registry::find("iam.password_policy").unwrap();
        let mut report = Permissions::default();
        report.add(kind, &json!({"require_symbols": true}), Mode::Report).unwrap();
        assert_eq!(
            report.document()["Statement"],
            json!([{"Sid": "EvenkeelObserve", "Effect": "Allow", "Action": ["iam:GetAccountPasswordPolicy"], "Resource": "*"}])
        );
        let mut enforce = Permissions::default();
        enforce.add(kind, &json!({"require_symbols": true}), Mode::Enforce).unwrap();
        assert_eq!(
            enforce.document()["Statement"][1]["Action"],
            json!(["iam:UpdateAccountPasswordPolicy"])
        );
    }
}
