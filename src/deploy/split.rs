//! A policy document that is longer than a managed policy takes, as several.

use serde_json::{Value, json};

use crate::permissions::MANAGED_POLICY_LIMIT;

/// Policies that a role takes without a quota being raised. Source: IAM User Guide, "IAM and AWS STS
/// quotas".
pub const POLICIES_OF_A_ROLE: usize = 10;

/// Why a policy cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// A statement alone is longer than a policy.
    #[error(
        "the statement {0} is longer than a managed policy takes ({MANAGED_POLICY_LIMIT} characters)"
    )]
    Statement(String),
    /// It would take too many.
    #[error(
        "the permissions take {0} managed policies, and a role has {POLICIES_OF_A_ROLE} at most"
    )]
    Policies(usize),
}

/// The statements in as few documents as their order allows, each no longer than a managed policy.
///
/// # Errors
/// A statement is too long, or there are too many.
pub fn split(document: &Value) -> Result<Vec<Value>, TooLong> {
    let whole = |statements: &[Value]| json!({"Version": "2012-10-17", "Statement": statements});
    let mut documents: Vec<Vec<Value>> = vec![Vec::new()];
    for statement in document["Statement"].as_array().into_iter().flatten() {
        if let Some(last) = documents.last_mut() {
            last.push(statement.clone());
            if whole(last).to_string().len() > MANAGED_POLICY_LIMIT {
                if whole(std::slice::from_ref(statement)).to_string().len() > MANAGED_POLICY_LIMIT {
                    let sid = statement["Sid"].as_str().unwrap_or_default();
                    return Err(TooLong::Statement(sid.to_owned()));
                }
                last.pop();
                documents.push(vec![statement.clone()]);
            }
        }
    }
    match documents.len() {
        count if count > POLICIES_OF_A_ROLE => Err(TooLong::Policies(count)),
        _ => Ok(documents.iter().map(|statements| whole(statements)).collect()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn document(statements: usize, actions: usize) -> Value {
        let one = |number: usize| {
            let actions: Vec<String> =
                (0..actions).map(|action| format!("iam:Action{number}x{action}")).collect();
            json!({"Sid": format!("S{number}"), "Effect": "Allow", "Action": actions, "Resource": "*"})
        };
        json!({"Version": "2012-10-17", "Statement": (0..statements).map(one).collect::<Vec<_>>()})
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_too_long() {
        let whole = document(20, 60);
        let parts = split(&whole).unwrap();
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|part| part.to_string().len() <= MANAGED_POLICY_LIMIT));
        let again: Vec<&Value> =
            parts.iter().flat_map(|part| part["Statement"].as_array().unwrap()).collect();
        assert_eq!(again, whole["Statement"].as_array().unwrap().iter().collect::<Vec<_>>());
        assert_eq!(split(&document(2, 2)).unwrap(), [document(2, 2)]);
    }

    #[test]
    fn what_no_role_can_have_is_said() {
        assert_eq!(split(&document(1, 600)), Err(TooLong::Statement("S0".to_owned())));
        assert!(matches!(split(&document(60, 200)), Err(TooLong::Policies(_))));
    }
}
