//! Policies that narrow the session of a role: AWS allows what both the role and they allow.

use std::collections::BTreeSet;

use serde_json::json;

use super::Permissions;

/// How the reads of settings begin, by service where all its reads together would show what
/// customers keep there.
const READS_OF_SETTINGS: [(&str, &[&str]); 5] = [
    ("dynamodb", &["Describe"]),
    ("s3", &["GetBucket"]),
    ("secretsmanager", &["Describe", "List"]),
    ("sqs", &["List"]),
    ("ssm", &["Describe", "List"]),
];

impl Permissions {
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
                    let verbs = verbs
                        .map_or(&["BatchGet", "Describe", "Get", "List"][..], |(_, verbs)| verbs);
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

    /// The whole policy, for a session that writes, where it has at most `limit` characters.
    /// A longer one is `None`: the role's own policy then is the only limit.
    pub fn whole(&self, limit: usize) -> Option<String> {
        Some(self.document().to_string()).filter(|text| text.len() <= limit)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::baseline::Mode;
    use crate::kinds::{Arns, registry};

    #[test]
    fn a_policy_for_reading_fits_its_limit_and_never_writes() {
        let mut permissions = Permissions::default();
        let arns = Arns::of("aws", "111122223333");
        for kind in registry::all() {
            let spec = json!({"role_name": "r", "bucket": "b", "alias": "alias/a"});
            // A kind that knows other fields needs no reads here.
            let _ = permissions.add(kind.as_ref(), &spec, Mode::Report, &arns);
        }
        permissions.reads.extend(
            ["iam:GetRole", "s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:ListAllMyBuckets"]
                .map(str::to_owned),
        );
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
    fn a_policy_for_writing_is_whole_or_none() {
        let mut permissions = Permissions::default();
        let kind = registry::find("iam.password_policy").unwrap();
        let arns = Arns::of("aws", "111122223333");
        permissions.add(kind, &json!({}), Mode::Enforce, &arns).unwrap();
        let whole = permissions.whole(2048).unwrap();
        assert_eq!(whole, permissions.document().to_string());
        assert_eq!(permissions.whole(whole.len() - 1), None);
    }
}
