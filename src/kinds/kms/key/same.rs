//! Which writes of a key do the same: what is not said is as AWS has it of a new key.

use serde_json::{Value, json};

use super::spec::{Action, KeySpec, KeyUsage, NewKey, Origin, Step};
use crate::kinds::kms::reads::DEFAULT_PERIOD;
use crate::policy_document::PolicyDocument;

/// Whether two writes do the same.
pub fn is_same_write(planned: &Action, now: &Action) -> bool {
    let is_same = match (&planned.step, &now.step) {
        (Step::Rotate { period_in_days: planned }, Step::Rotate { period_in_days: now }) => {
            planned.unwrap_or(DEFAULT_PERIOD) == now.unwrap_or(DEFAULT_PERIOD)
        }
        (Step::Create(planned), Step::Create(now)) => makes_the_same(planned, now),
        _ => false,
    };
    is_same && planned.alias == now.alias && planned.key_id == now.key_id
}

/// Whether two keys would be alike. How long a deletion waits is nothing that a key has.
fn makes_the_same(planned: &NewKey, now: &NewKey) -> bool {
    let besides = |key: &NewKey| {
        (
            key.description.clone().unwrap_or_default(),
            key.key_spec.unwrap_or(KeySpec::SymmetricDefault),
            key.key_usage.unwrap_or(KeyUsage::EncryptDecrypt),
            key.origin.unwrap_or(Origin::AwsKms),
            key.multi_region.unwrap_or(false),
            key.tags.clone(),
        )
    };
    let policy = |key: &NewKey| key.policy.as_deref().map(PolicyDocument::from_text);
    let has_same_policy = match (policy(planned), policy(now)) {
        (None, None) => true,
        (Some(Ok(one)), Some(Ok(other))) => is_same_policy(&one, &other),
        (Some(Ok(one)), None) | (None, Some(Ok(one))) => is_default(&one),
        _ => false,
    };
    has_same_policy && besides(planned) == besides(now)
}

fn is_same_policy(one: &PolicyDocument, other: &PolicyDocument) -> bool {
    // In which partition an account's id is short for an ARN makes no difference to what both say.
    one.statements().len() == other.statements().len() && one.same_meaning(other, "aws")
}

/// Whether a policy is the one that AWS gives a key where none is sent (KMS Developer Guide, "Default key policy").
/// With that of another account, nobody here could delete the key.
fn is_default(policy: &PolicyDocument) -> bool {
    let statements = policy.statements();
    let [statement] = &statements[..] else { return false };
    let root = match &statement["Principal"]["AWS"] {
        Value::Array(all) if all.len() == 1 => &all[0],
        one => one,
    };
    let is_root = root.as_str().is_some_and(|arn| {
        arn.starts_with("arn:") && arn.contains(":iam::") && arn.ends_with(":root")
    });
    let default = json!({
        "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*",
    });
    is_root && is_same_policy(policy, &PolicyDocument::of_statements(vec![default]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(policy: Option<&str>, description: Option<&str>, window: Option<u32>) -> Action {
        let key = NewKey {
            policy: policy.map(str::to_owned),
            description: description.map(str::to_owned),
            deletion_window_days: window,
            ..NewKey::default()
        };
        Action { alias: "alias/k".to_owned(), key_id: None, step: Step::Create(Box::new(key)) }
    }

    #[test]
    fn what_was_not_sent_is_as_aws_has_it() {
        const ROOT: &str = r#"{"Id":"key-default-1","Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
        let planned = create(None, None, Some(7));
        assert!(is_same_write(&planned, &create(Some(ROOT), Some(""), None)));
        assert!(!is_same_write(&planned, &create(Some(ROOT), Some("theirs"), None)));
        let narrower = ROOT.replace("kms:*", "kms:Decrypt");
        assert!(!is_same_write(&planned, &create(Some(&narrower), None, None)));
        let twice = ROOT.replace("}]}", "},{\"Sid\":\"theirs\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}]}");
        assert!(!is_same_write(&planned, &create(Some(&twice), None, None)));
        assert!(is_same_write(&create(Some(ROOT), None, None), &create(Some(ROOT), None, None)));
    }
}
