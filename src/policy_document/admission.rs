//! Whether a policy lets a service of AWS do what it asks for.
//!
//! A statement counts only where its conditions certainly hold for the service's requests; where that
//! cannot be told, the answer is that it cannot.
//!
//! Source: IAM User Guide, "Policy evaluation logic".

use serde_json::Value;

use super::denials::Request;
use super::{PolicyDocument, canonical};

/// What a policy says to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// It may do what it asks for.
    In,
    /// No statement allows it.
    Out,
    /// A statement denies it, or may.
    Denied,
    /// Only under conditions of which nobody can say here whether they hold.
    Perhaps,
}

/// What is known of the condition keys of a service's requests beside their values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keys<'a> {
    /// Those that they lack.
    pub not_sent: &'a [&'a str],
    /// Those whose value nobody here knows but in part, such as the ARN of whichever detector asks: a
    /// statement for one of the possible values is meant for the request that is asked about.
    pub varying: &'a [&'a str],
}

impl PolicyDocument {
    /// What this policy says to what `wanted` would allow: a statement for one service, whose conditions
    /// are what its requests say of themselves.
    pub fn admission(&self, wanted: &Value, keys: Keys<'_>, partition: &str) -> Admission {
        let mut request = Request::of(&canonical::statement(wanted, partition));
        let lower = |keys: &[&str]| keys.iter().map(|key| key.to_lowercase()).collect();
        (request.not_sent, request.varying) = (lower(keys.not_sent), lower(keys.varying));
        let statements = self.statements();
        let of_effect = |effect: &'static str| {
            let chosen = statements.iter().filter(move |one| one["Effect"] == effect);
            chosen.map(|one| canonical::statement(one, partition)).collect::<Vec<_>>()
        };
        if of_effect("Deny").iter().any(|one| request.may_be_meant_by(one)) {
            return Admission::Denied;
        }
        let allows = of_effect("Allow");
        let mut answer = Admission::In;
        for action in &request.actions {
            let mut asked = request.clone();
            asked.actions = vec![action.clone()];
            let mut hits = allows.iter().filter(|one| asked.may_be_meant_by(one)).peekable();
            if hits.peek().is_none() {
                return Admission::Out;
            }
            if !hits.any(|one| asked.fits(&one["Condition"])) {
                answer = Admission::Perhaps;
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

    fn wanted() -> Value {
        json!({
            "Effect": "Allow", "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": KEY,
            "Condition": {
                "StringEquals": { "aws:SourceAccount": ["111122223333"] },
                "ArnLike": { "aws:SourceArn": ["arn:aws:cloudwatch:*:111122223333:alarm:*"] },
            },
        })
    }

    fn with(changes: &Value, not_sent: &[&str]) -> Admission {
        let mut statement = json!({
            "Effect": "Allow", "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
        });
        let mut statements = Vec::new();
        for (key, value) in changes.as_object().into_iter().flatten() {
            match key.as_str() {
                "and" => statements.push(value.clone()),
                key => statement[key] = value.clone(),
            }
        }
        statements.push(statement);
        let keys = Keys { not_sent, ..Keys::default() };
        PolicyDocument::of_statements(statements).admission(&wanted(), keys, "aws")
    }

    #[test]
    fn a_service_is_let_in_by_what_certainly_means_it() {
        for changes in [
            json!({}),
            json!({ "Action": "KMS:*", "Resource": KEY, "Principal": "*" }),
            json!({ "Principal": { "Service": ["x.amazonaws.com", "cloudwatch.amazonaws.com"] } }),
            json!({ "Condition": { "StringEquals": { "aws:SourceAccount": "111122223333" } } }),
            json!({ "Condition": { "ArnLike": { "aws:SourceArn": "arn:aws:*:*:111122223333:*" } } }),
            json!({ "Condition": { "StringEqualsIfExists": { "aws:PrincipalOrgID": "o-1" } } }),
            json!({ "Action": "kms:Decrypt", "and": {
                "Effect": "Allow", "Principal": { "AWS": "*" }, "Resource": "*",
                "Action": "kms:GenerateData*",
            } }),
        ] {
            assert_eq!(with(&changes, &[]), Admission::In, "{changes}");
        }
    }

    #[test]
    fn a_service_is_shut_out_by_what_never_means_it() {
        for changes in [
            json!({ "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*" }),
            json!({ "Principal": { "Service": "sns.amazonaws.com" } }),
            json!({ "Action": ["kms:Decrypt", "kms:Encrypt"] }),
            json!({ "Resource": "arn:aws:kms:eu-west-1:111122223333:key/2" }),
            json!({ "Condition": { "StringEquals": { "aws:SourceAccount": "444455556666" } } }),
            json!({ "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-1" } } }),
        ] {
            assert_eq!(with(&changes, &[]), Admission::Out, "{changes}");
        }
        let own = json!({ "Condition": { "StringEquals": { "aws:SourceOrgID": "o-1" } } });
        assert_eq!(with(&own, &["aws:SourceOrgID"]), Admission::Out);
        let deny = json!({ "and": { "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt",
            "Resource": "*" } });
        assert_eq!(with(&deny, &[]), Admission::Denied);
    }

    #[test]
    fn one_of_the_values_that_are_possible_is_enough_where_nobody_knows_which() {
        let narrow = |source: &str| {
            let statement = json!({
                "Effect": "Allow", "Principal": { "Service": "cloudwatch.amazonaws.com" },
                "Action": "kms:*", "Resource": "*",
                "Condition": { "ArnEquals": { "aws:SourceArn": source } },
            });
            let keys = Keys { varying: &["aws:SourceArn"], ..Keys::default() };
            PolicyDocument::of_statements(vec![statement]).admission(&wanted(), keys, "aws")
        };
        let alarm = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:one";
        assert_eq!(narrow(alarm), Admission::In);
        assert_eq!(narrow("arn:aws:cloudwatch:eu-west-1:444455556666:alarm:*"), Admission::Out);
    }

    #[test]
    fn what_cannot_be_told_is_neither() {
        for changes in [
            json!({ "Condition": { "StringEquals": { "kms:ViaService": "sns.eu-west-1.amazonaws.com" } } }),
            json!({ "Condition": { "ArnEquals": {
                "aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:one" } } }),
            json!({ "Condition": { "DateLessThan": { "aws:CurrentTime": "2030-01-01T00:00:00Z" } } }),
        ] {
            assert_eq!(with(&changes, &[]), Admission::Perhaps, "{changes}");
        }
    }
}
