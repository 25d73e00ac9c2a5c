//! Who may change a key policy once it is there: where nobody may, nobody ever can again.
//!
//! Sources: KMS API Reference, `PutKeyPolicy`, `BypassPolicyLockoutSafetyCheck`; KMS Developer Guide,
//! "Default key policy" ("Allows access to the AWS account"): a key without anybody who may change its
//! policy is brought back by AWS Support alone.

use serde_json::Value;

use super::patterns::{matches, texts};
use super::{PolicyDocument, canonical};

/// In the case of the canonical form.
const CHANGE: &str = "kms:putkeypolicy";

/// Who may change a key policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keepers {
    /// Nobody.
    Nobody,
    /// These alone: with them goes the last who may.
    Only(Vec<String>),
    /// The account, whoever is in it.
    Account,
}

impl PolicyDocument {
    /// Who of an account may change this key policy, as far as it says it itself. A condition is taken
    /// to hold where something is allowed, and not to hold where it is denied.
    pub fn keepers(&self, account: &str, partition: &str) -> Keepers {
        let root = format!("arn:{partition}:iam::{account}:root");
        let is_all = |principal: &String| principal == "*" || *principal == root;
        let mut keepers = Vec::new();
        for statement in self.statements() {
            let form = canonical::statement(&statement, partition);
            if !is_about_change(&form) {
                continue;
            }
            let principals = texts(&form["Principal"]["AWS"]);
            if form["Effect"] == "Allow" {
                // Whoever is not named is let in.
                match form.get("NotPrincipal") {
                    Some(_) => keepers.push("*".to_owned()),
                    None => keepers.extend(principals),
                }
            } else if form.get("Condition").is_none() && principals.iter().any(is_all) {
                return Keepers::Nobody;
            }
        }
        keepers.sort_unstable();
        keepers.dedup();
        match () {
            () if keepers.is_empty() => Keepers::Nobody,
            () if keepers.iter().any(is_all) => Keepers::Account,
            () => Keepers::Only(keepers),
        }
    }
}

fn is_about_change(form: &Value) -> bool {
    let named = |key: &str| texts(&form[key]).iter().any(|action| matches(action, CHANGE));
    match form.get("NotAction") {
        Some(_) => !named("NotAction"),
        None => named("Action"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ACCOUNT: &str = "111122223333";

    fn keepers(statements: Vec<Value>) -> Keepers {
        PolicyDocument::of_statements(statements).keepers(ACCOUNT, "aws")
    }

    fn statement(effect: &str, principal: &str, action: &str) -> Value {
        json!({ "Effect": effect, "Principal": { "AWS": principal }, "Action": action, "Resource": "*" })
    }

    #[test]
    fn the_account_keeps_a_policy_that_lets_it_in() {
        for principal in [ACCOUNT, "arn:aws:iam::111122223333:root", "*"] {
            for action in ["kms:*", "*", "kms:Put*", "KMS:PutKeyPolicy"] {
                let found = keepers(vec![statement("Allow", principal, action)]);
                assert_eq!(found, Keepers::Account, "{principal} {action}");
            }
        }
        let but = json!({ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "NotAction": "kms:Decrypt", "Resource": "*" });
        assert_eq!(keepers(vec![but]), Keepers::Account);
    }

    #[test]
    fn those_who_alone_may_change_it_are_named() {
        let role = "arn:aws:iam::111122223333:role/keys";
        let found = keepers(vec![
            statement("Allow", role, "kms:*"),
            statement("Allow", ACCOUNT, "kms:Decrypt"),
        ]);
        assert_eq!(found, Keepers::Only(vec![role.to_owned()]));
        let other = "arn:aws:iam::999999999999:root";
        let found = keepers(vec![statement("Allow", other, "kms:*")]);
        assert_eq!(found, Keepers::Only(vec![other.to_owned()]));
    }

    #[test]
    fn nobody_may_change_what_denies_it_to_all_or_lets_nobody() {
        let open = || statement("Allow", ACCOUNT, "kms:*");
        assert_eq!(keepers(vec![statement("Allow", ACCOUNT, "kms:Decrypt")]), Keepers::Nobody);
        let service = json!({ "Effect": "Allow", "Principal": { "Service": "x.amazonaws.com" }, "Action": "kms:*", "Resource": "*" });
        assert_eq!(keepers(vec![service]), Keepers::Nobody);
        assert_eq!(keepers(vec![open(), statement("Deny", "*", "kms:*")]), Keepers::Nobody);
        let mut unless = statement("Deny", "*", "kms:*");
        unless["Condition"] = json!({ "Bool": { "aws:SecureTransport": "false" } });
        assert_eq!(keepers(vec![open(), unless]), Keepers::Account);
    }
}
