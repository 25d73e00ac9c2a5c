//! Which statements of a policy deny what an AWS service was allowed: a Deny wins over every Allow.
//!
//! When in doubt, denied: a Deny is passed over only when a condition of it certainly does not hold
//! for the service's requests, or when it is about something else.
//!
//! Sources: IAM User Guide, "Policy evaluation logic", "AWS global condition context keys" (service
//! principals), "IAM JSON policy elements: Condition operators" (keys that are not there).

use std::collections::BTreeMap;

use serde_json::Value;

use super::patterns::{covers_all, matches, overlap, texts, without_variables};
use super::words::{account_of, parts_of};
use super::{PolicyDocument, canonical};

/// Condition keys of IAM principals and of networks of one's own, which no request of a service
/// principal fits.
const NOT_OF_SERVICES: [&str; 13] = [
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltype",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "aws:username",
    "aws:vpceaccount",
    "aws:vpceorgid",
];
/// "AWS requires TLS 1.2" of all clients, services among them.
const OLDEST_TLS: f64 = 1.2;

impl PolicyDocument {
    /// The denying statements of this document that hit what those of `wanted` let a service do,
    /// without those that are wanted themselves.
    pub fn denying(&self, wanted: &[Value], partition: &str) -> Vec<Value> {
        let wanted: Vec<Value> =
            wanted.iter().map(|one| canonical::statement(one, partition)).collect();
        let is_of_service =
            |one: &&Value| one["Effect"] == "Allow" && one["Principal"].get("Service").is_some();
        let requests: Vec<Request> = wanted.iter().filter(is_of_service).map(Request::of).collect();
        let hits = |one: &Value| {
            let form = canonical::statement(one, partition);
            !wanted.contains(&form) && requests.iter().any(|request| request.may_be_meant_by(&form))
        };
        let mut denials = self.statements();
        denials.retain(|one| one["Effect"] == "Deny" && hits(one));
        denials
    }
}

/// What a service asks for, as far as the statement that allows it says.
#[derive(Clone)]
pub(super) struct Request {
    services: Vec<String>,
    pub(super) actions: Vec<String>,
    resources: Vec<String>,
    context: BTreeMap<String, Vec<String>>,
    /// Condition keys that this service does not send, besides those that none sends; in lower case.
    pub(super) not_sent: Vec<String>,
    /// Condition keys of which nobody knows which of the possible values is sent; in lower case.
    pub(super) varying: Vec<String>,
}

impl Request {
    /// The requests that a statement in canonical form is for.
    pub(super) fn of(allow: &Value) -> Self {
        let services = texts(&allow["Principal"]["Service"]);
        let mut context = BTreeMap::from([
            ("aws:principalservicename".to_owned(), services.clone()),
            ("aws:principalservicenameslist".to_owned(), services.clone()),
            ("aws:principalisawsservice".to_owned(), vec!["true".to_owned()]),
            ("aws:securetransport".to_owned(), vec!["true".to_owned()]),
            ("aws:viaawsservice".to_owned(), vec!["false".to_owned()]),
        ]);
        for (operator, keys) in allow["Condition"].as_object().into_iter().flatten() {
            let narrows = matches!(
                operator.as_str(),
                "stringequals" | "stringlike" | "arnequals" | "arnlike" | "bool"
            );
            for (key, values) in keys.as_object().into_iter().flatten().filter(|_| narrows) {
                context.insert(key.to_lowercase(), texts(values));
            }
        }
        // A service that says for which thing it asks says for whose, too (CloudTrail User Guide,
        // "Cross-service confused deputy prevention").
        let sources = context.get("aws:sourcearn").into_iter().flatten();
        let accounts: Option<Vec<String>> =
            sources.map(|arn| account_of(arn).map(str::to_owned)).collect();
        if let Some(accounts) = accounts.filter(|accounts| !accounts.is_empty()) {
            context.entry("aws:sourceaccount".to_owned()).or_insert(accounts);
        }
        let (actions, resources) = (texts(&allow["Action"]), texts(&allow["Resource"]));
        Self { services, actions, resources, context, not_sent: Vec::new(), varying: Vec::new() }
    }

    /// Whether a statement in canonical form may say something of what is asked.
    pub(super) fn may_be_meant_by(&self, statement: &Value) -> bool {
        let about = |key: &str, but: &str, asked: &[String]| match statement.get(but) {
            Some(spared) => !covers_all(&texts(spared), asked),
            None => texts(&statement[key]).iter().any(|one| {
                let one = without_variables(one);
                asked.iter().any(|asked| overlap(&one, asked))
            }),
        };
        self.is_meant_by(statement)
            && about("Action", "NotAction", &self.actions)
            && about("Resource", "NotResource", &self.resources)
            && !self.is_spared_by(&statement["Condition"])
    }

    /// Whether all conditions of a statement certainly hold for what is asked.
    pub(super) fn fits(&self, conditions: &Value) -> bool {
        conditions.as_object().into_iter().flatten().all(|(operator, keys)| {
            let operator = operator.to_lowercase();
            keys.as_object()
                .into_iter()
                .flatten()
                .all(|(key, values)| self.holds(&operator, &key.to_lowercase(), &texts(values)))
        })
    }

    fn is_meant_by(&self, deny: &Value) -> bool {
        let named = |principal: &Value| {
            let services = texts(&principal["Service"]);
            let everybody = texts(&principal["AWS"]).iter().any(|one| one == "*");
            everybody || self.services.iter().any(|one| services.contains(one))
        };
        match deny.get("NotPrincipal") {
            Some(spared) => !named(spared),
            None => named(&deny["Principal"]),
        }
    }

    /// Whether one of the conditions does not hold for what is asked: all must, for a denial.
    fn is_spared_by(&self, conditions: &Value) -> bool {
        conditions.as_object().into_iter().flatten().any(|(operator, keys)| {
            let operator = operator.to_lowercase();
            keys.as_object().into_iter().flatten().any(|(key, values)| {
                self.does_not_hold(&operator, &key.to_lowercase(), &texts(values))
            })
        })
    }

    /// Whether a condition certainly holds.
    fn holds(&self, operator: &str, key: &str, values: &[String]) -> bool {
        let (_, plain, if_exists) = parts_of(operator);
        let Some(known) = self.context.get(key) else {
            let all_true = values.iter().all(|value| value == "true");
            return self.is_not_sent(key) && (if_exists || (plain == "null" && all_true));
        };
        match plain {
            "null" => values.iter().all(|value| value == "false"),
            "bool" | "stringequals" | "stringlike" | "arnequals" | "arnlike" => {
                let is_one_of = |known: &String| {
                    values.iter().any(|value| !value.contains("${") && overlap(value, known))
                };
                match self.varying.iter().any(|varying| varying == key) {
                    true => known.iter().all(is_one_of),
                    false => covers_all(values, known),
                }
            }
            "stringnotequals" | "stringnotlike" | "arnnotequals" | "arnnotlike" => {
                let apart = |value: &String| known.iter().all(|known| !overlap(value, known));
                values.iter().all(|value| !value.contains("${") && apart(value))
            }
            _ => false,
        }
    }

    /// Whether no request of the service has a condition key.
    fn is_not_sent(&self, key: &str) -> bool {
        NOT_OF_SERVICES.contains(&key)
            || self.not_sent.iter().any(|one| one == key)
            || key.starts_with("aws:principaltag/")
    }

    /// Whether a condition certainly does not hold.
    fn does_not_hold(&self, operator: &str, key: &str, values: &[String]) -> bool {
        let (quantifier, plain, if_exists) = parts_of(operator);
        if let Some(known) = self.context.get(key) {
            return match plain {
                "null" => values.iter().all(|value| value == "true"),
                "bool"
                | "stringequals"
                | "stringequalsignorecase"
                | "stringlike"
                | "arnequals"
                | "arnlike" => !values.iter().any(|value| {
                    let value = without_variables(value);
                    known.iter().any(|known| match plain {
                        "arnequals" | "arnlike" => arns_overlap(&value, known),
                        "stringequalsignorecase" => {
                            overlap(&value.to_lowercase(), &known.to_lowercase())
                        }
                        _ => overlap(&value, known),
                    })
                }),
                "stringnotequals" => {
                    known.iter().all(|known| !known.contains(['*', '?']) && values.contains(known))
                }
                "stringnotlike" | "arnnotequals" | "arnnotlike" => covers_all(values, known),
                _ => false,
            };
        }
        if key == "s3:tlsversion" {
            let spared = |value: &String| value.parse::<f64>().is_ok_and(|old| old <= OLDEST_TLS);
            return plain == "numericlessthan" && values.iter().all(spared);
        }
        // What is not there fits no value; a negated condition and one `IfExists` hold without it.
        let is_positive = matches!(
            plain,
            "bool"
                | "stringequals"
                | "stringequalsignorecase"
                | "stringlike"
                | "arnequals"
                | "arnlike"
        );
        self.is_not_sent(key)
            && is_positive
            && !if_exists
            && quantifier != "forallvalues"
            && !values.iter().any(|value| matches(value, ""))
    }
}

/// "Each of the six colon-delimited components of the ARN is checked separately" (IAM User Guide,
/// ARN condition operators).
fn arns_overlap(one: &str, other: &str) -> bool {
    let parts = |arn: &str| arn.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (parts_of_one, parts_of_other) = (parts(one), parts(other));
    if parts_of_one.len() != 6 || parts_of_other.len() != 6 {
        return overlap(one, other);
    }
    parts_of_one.iter().zip(&parts_of_other).all(|(one, other)| overlap(one, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allow() -> Value {
        json!({
            "Effect": "Allow", "Principal": { "Service": "cloudtrail.amazonaws.com" },
            "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/AWSLogs/111122223333/*",
            "Condition": {
                "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" },
                "ArnLike": { "aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:trail/*" },
            },
        })
    }

    fn is_denied(changes: Value) -> bool {
        let mut deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                               "Resource": "arn:aws:s3:::b/*" });
        for (key, value) in changes.as_object().into_iter().flatten() {
            deny[key] = value.clone();
        }
        if deny.get("NotPrincipal").is_some() {
            deny.as_object_mut().map(|deny| deny.remove("Principal"));
        }
        if deny.get("NotAction").is_some() {
            deny.as_object_mut().map(|deny| deny.remove("Action"));
        }
        let document = PolicyDocument::of_statements(vec![allow(), deny]);
        !document.denying(&[allow()], "aws").is_empty()
    }

    #[test]
    fn a_denial_of_what_is_allowed_is_seen_in_every_form() {
        for changes in [
            json!({}),
            json!({ "Principal": { "Service": ["x.amazonaws.com", "cloudtrail.amazonaws.com"] } }),
            json!({ "NotPrincipal": { "AWS": "arn:aws:iam::111122223333:root" } }),
            json!({ "Action": "s3:Put*" }),
            json!({ "NotAction": "s3:GetObject" }),
            json!({ "Resource": "arn:aws:s3:::*/AWSLogs/*/2026/*" }),
            json!({ "Resource": "arn:aws:s3:::b/AWSLogs/${aws:SourceAccount}/*" }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "true" } } }),
            json!({ "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } } }),
            json!({ "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-a" } } }),
            json!({ "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } } }),
            json!({ "Condition": { "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } } }),
            json!({ "Condition": { "StringNotEquals": { "aws:SourceArn": "arn:*" } } }),
            json!({ "Condition": { "StringNotEquals": {
                "aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:trail/*",
            } } }),
            json!({ "Condition": { "StringLike": { "aws:PrincipalArn": "*" } } }),
            json!({ "Condition": { "StringNotEquals": { "aws:SourceAccount": "444455556666" } } }),
            json!({ "Condition": { "NumericLessThan": { "s3:TlsVersion": "1.3" } } }),
        ] {
            assert!(is_denied(changes.clone()), "{changes}");
        }
    }

    #[test]
    fn a_denial_that_spares_the_service_is_none() {
        for changes in [
            json!({ "Principal": { "Service": "config.amazonaws.com" } }),
            json!({ "Principal": { "AWS": "arn:aws:iam::111122223333:root" } }),
            json!({ "NotPrincipal": { "Service": "cloudtrail.amazonaws.com" } }),
            json!({ "Action": ["s3:DeleteObject", "s3:GetObject*"] }),
            json!({ "NotAction": "s3:Put*" }),
            json!({ "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/other/*"] }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
            json!({ "Condition": { "NumericLessThan": { "s3:TlsVersion": "1.2" } } }),
            json!({ "Condition": {
                "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
                "StringNotEquals": { "aws:PrincipalOrgID": "o-a" },
            } }),
            json!({ "Condition": { "StringNotEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } } }),
            json!({ "Condition": { "ArnNotLike": { "aws:SourceArn": "arn:aws:*:*:111122223333:*" } } }),
            json!({ "Condition": { "StringNotEquals": { "aws:SourceAccount": "111122223333" } } }),
            json!({ "Condition": { "ArnLike": { "aws:SourceArn": "arn:aws:*:*:444455556666:*" } } }),
            json!({ "Condition": { "StringEquals": { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/x" } } }),
            json!({ "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "false" } } }),
        ] {
            assert!(!is_denied(changes.clone()), "{changes}");
        }
    }

    #[test]
    fn what_is_wanted_is_passed_over() {
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" });
        let document = PolicyDocument::of_statements(vec![deny.clone()]);
        assert!(document.denying(&[allow(), deny.clone()], "aws").is_empty());
        assert_eq!(document.denying(&[allow()], "aws"), [deny]);
    }
}
