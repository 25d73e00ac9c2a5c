//! Statements of a bucket policy that deny requests without TLS, or with an old version of it, in
//! whatever form somebody wrote them.

use serde_json::{Value, json};

use super::spec::TlsVersion;
use crate::policy_document::PolicyDocument;

const DENY_PLAIN: &str = "DenyInsecureTransport";
const PLAIN_KEY: &str = "aws:securetransport";
const VERSION_KEY: &str = "s3:tlsversion";

/// The statement that denies requests without TLS.
pub fn deny_plain(bucket: &str) -> Value {
    json!({
        "Sid": DENY_PLAIN, "Effect": "Deny", "Principal": { "AWS": "*" },
        "Action": "s3:*", "Resource": [bucket, format!("{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// The statement that denies requests with an older version.
pub fn deny_old(bucket: &str, version: TlsVersion) -> Value {
    json!({
        "Sid": "DenyOldTls", "Effect": "Deny", "Principal": { "AWS": "*" },
        "Action": "s3:*", "Resource": [bucket, format!("{bucket}/*")],
        "Condition": { "NumericLessThan": { "s3:TlsVersion": version.as_str() } },
    })
}

/// What a policy denies to everybody for the sake of TLS.
#[derive(Debug, Default, PartialEq)]
pub struct Denied {
    /// Requests without TLS.
    plain: Reach,
    /// Requests with a version older than each of these.
    older_than: Vec<(String, Reach)>,
    /// Whether anybody is denied anything without TLS.
    some_plain: bool,
    /// The versions that somebody is denied something with, as conditions on them.
    versions: Vec<(String, String)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Reach {
    bucket: bool,
    objects: bool,
}

impl Reach {
    fn is_whole(self) -> bool {
        self.bucket && self.objects
    }

    fn and(self, other: Self) -> Self {
        Self { bucket: self.bucket || other.bucket, objects: self.objects || other.objects }
    }
}

impl Denied {
    /// Reads the statements of a policy.
    pub fn by(document: &PolicyDocument, bucket: &str, partition: &str) -> Self {
        let some_plain = document.denies_some_plain(partition);
        let mut denied = Self { some_plain, ..Self::default() };
        for statement in document.statements() {
            let form = PolicyDocument::canonical_statement(&statement, partition);
            denied.note_versions(&form);
            let Some(reach) = reach(&form, bucket) else { continue };
            match condition(&form) {
                Some(("bool" | "boolifexists" | "stringequals", PLAIN_KEY, "false")) => {
                    denied.plain = denied.plain.and(reach);
                }
                Some(("numericlessthan" | "numericlessthanifexists", VERSION_KEY, version)) => {
                    let known = denied.older_than.iter_mut().find(|(known, _)| known == version);
                    match known {
                        Some((_, known)) => *known = known.and(reach),
                        None => denied.older_than.push((version.to_owned(), reach)),
                    }
                }
                _ => {}
            }
        }
        denied
    }

    /// Notes the versions with which a statement denies something to whomever.
    fn note_versions(&mut self, form: &Value) {
        if form["Effect"] != "Deny" {
            return;
        }
        for (operator, keys) in form["Condition"].as_object().into_iter().flatten() {
            let plain = operator.rsplit(':').next().unwrap_or(operator);
            let plain = plain.strip_suffix("ifexists").unwrap_or(plain);
            let values = keys.get(VERSION_KEY).and_then(Value::as_array).into_iter().flatten();
            let values = values.filter_map(Value::as_str);
            self.versions.extend(values.map(|value| (plain.to_owned(), value.to_owned())));
        }
    }

    /// Whether nobody comes in without TLS.
    pub fn all_plain(&self) -> bool {
        self.plain.is_whole()
    }

    /// Whether anything without TLS is denied.
    pub fn some_plain(&self) -> bool {
        self.some_plain
    }

    /// Whether nobody comes in with a version older than this.
    pub fn all_older_than(&self, version: TlsVersion) -> bool {
        self.older_than.iter().any(|(known, reach)| known == version.as_str() && reach.is_whole())
    }

    /// A version that is denied though it is not older than this.
    pub fn more_than(&self, version: TlsVersion) -> Option<&str> {
        let number = |text: &str| text.parse::<f64>().ok();
        let is_more = |operator: &str, known: f64, wanted: f64| match operator {
            "numericlessthan" => known > wanted,
            "numericlessthanequals" | "numericequals" => known >= wanted,
            // Whatever else is said of versions denies new ones too.
            _ => true,
        };
        let found = self.versions.iter().find(|(operator, known)| {
            // What is no number denies nobody knows what.
            number(known)
                .zip(number(version.as_str()))
                .is_none_or(|(known, wanted)| is_more(operator, known, wanted))
        });
        found.map(|(_, known)| known.as_str())
    }
}

/// Whether a statement is the one that evenkeel writes against requests without TLS.
pub fn is_own_deny(statement: &Value, bucket: &str, partition: &str) -> bool {
    let named =
        statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| sid.starts_with(DENY_PLAIN));
    let form = |one: &Value| PolicyDocument::canonical_statement(one, partition);
    named && form(statement) == form(&deny_plain(bucket))
}

/// What a statement denies to everybody, whatever they do: the bucket, its objects or both.
fn reach(form: &Value, bucket: &str) -> Option<Reach> {
    let has = |key: &str, wanted: &[&str]| {
        form.get(key).and_then(Value::as_array).is_some_and(|list| {
            list.iter().filter_map(Value::as_str).any(|text| wanted.contains(&text))
        })
    };
    let is_deny = form.get("Effect").and_then(Value::as_str) == Some("Deny")
        && form.get("Principal") == Some(&json!({ "AWS": ["*"] }))
        && has("Action", &["s3:*", "*"]);
    let any_bucket = bucket.rsplit_once(':').map(|(service, _)| format!("{service}:*"))?;
    let both = ["*", &any_bucket, &format!("{bucket}*")];
    is_deny.then(|| Reach {
        bucket: has("Resource", &both) || has("Resource", &[bucket]),
        objects: has("Resource", &both) || has("Resource", &[&format!("{bucket}/*")]),
    })
}

/// Operator, key and value of the only condition of a statement.
fn condition(form: &Value) -> Option<(&str, &str, &str)> {
    let operators = form.get("Condition")?.as_object().filter(|operators| operators.len() == 1)?;
    let (operator, keys) = operators.iter().next()?;
    let keys = keys.as_object().filter(|keys| keys.len() == 1)?;
    let (key, values) = keys.iter().next()?;
    match values.as_array()?.as_slice() {
        [Value::String(value)] => Some((operator, key, value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:aws:s3:::b";

    fn denied(statements: Vec<Value>) -> Denied {
        Denied::by(&PolicyDocument::of_statements(statements), BUCKET, "aws")
    }

    fn deny(resource: Value, condition: Value) -> Value {
        json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": resource,
                "Condition": condition })
    }

    #[test]
    fn a_deny_is_known_in_other_forms() {
        let plain = |value: Value| json!({ "Bool": { "aws:SecureTransport": value } });
        for statements in [
            vec![deny_plain(BUCKET)],
            vec![deny(json!("*"), plain(json!(false)))],
            vec![deny(json!("arn:aws:s3:::b*"), plain(json!(["False"])))],
            vec![
                deny(json!(BUCKET), plain(json!("false"))),
                deny(
                    json!("arn:aws:s3:::b/*"),
                    json!({ "StringEquals": { "AWS:SecureTransport": "false" } }),
                ),
            ],
        ] {
            assert!(denied(statements.clone()).all_plain(), "{statements:?}");
        }
        for statement in [
            deny(json!("arn:aws:s3:::b/*"), plain(json!("false"))),
            deny(json!("*"), plain(json!("true"))),
            deny(
                json!("*"),
                json!({ "Bool": { "aws:SecureTransport": "false", "aws:ViaAWSService": "false" } }),
            ),
            json!({ "Effect": "Deny", "Principal": { "AWS": "111122223333" }, "Action": "s3:*",
                "Resource": "*", "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
            json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
                "Resource": "*", "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
        ] {
            assert!(!denied(vec![statement.clone()]).all_plain(), "{statement}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let one = denied(vec![deny_old(BUCKET, TlsVersion::V1_3)]);
        assert!(one.all_older_than(TlsVersion::V1_3));
        assert!(!one.all_older_than(TlsVersion::V1_2));
        assert_eq!(one.more_than(TlsVersion::V1_2), Some("1.3"));
        assert_eq!(one.more_than(TlsVersion::V1_3), None);
    }

    #[test]
    fn what_is_denied_to_some_or_of_some_is_known_in_every_form() {
        let plain = json!({ "Bool": { "aws:SecureTransport": "false" } });
        let with = |changes: Value| {
            let mut statement = deny(json!("*"), plain.clone());
            for (key, value) in changes.as_object().into_iter().flatten() {
                statement[key] = value.clone();
            }
            statement
        };
        for changes in [
            json!({ "Action": "s3:GetObject" }),
            json!({ "Principal": { "AWS": "111122223333" } }),
            json!({ "Resource": "arn:aws:s3:::b/private/*" }),
            json!({ "Condition": { "StringNotEquals": { "aws:SecureTransport": "true" } } }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": ["true", "false"] } } }),
            json!({ "Condition": { "StringLike": { "aws:SecureTransport": "f*" } } }),
            json!({ "Condition": { "ForAnyValue:BoolIfExists": { "aws:SecureTransport": ["false"] } } }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": false, "aws:ViaAWSService": false } } }),
        ] {
            assert!(denied(vec![with(changes.clone())]).some_plain(), "{changes}");
        }
        let mut but = with(json!({ "NotAction": "s3:GetObject", "NotPrincipal": { "AWS": "1" } }));
        if let Some(map) = but.as_object_mut() {
            map.remove("Action");
            map.remove("Principal");
        }
        assert!(denied(vec![but]).some_plain());
        for changes in [
            json!({ "Effect": "Allow" }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "true" } } }),
            json!({ "Condition": { "StringNotEquals": { "aws:SecureTransport": "false" } } }),
            json!({ "Condition": { "Bool": { "aws:ViaAWSService": "false" } } }),
        ] {
            assert!(!denied(vec![with(changes.clone())]).some_plain(), "{changes}");
        }
        let versions = |operator: &str, version: &str| {
            let condition = json!({ operator: { "s3:TlsVersion": version } });
            denied(vec![with(json!({ "Action": "s3:GetObject", "Condition": condition }))])
        };
        for (operator, version, is_more) in [
            ("NumericLessThan", "1.3", true),
            ("NumericLessThan", "1.2", false),
            ("NumericLessThanEquals", "1.2", true),
            ("NumericLessThanEquals", "1.1", false),
            ("NumericEquals", "1.1", false),
            ("NumericNotEquals", "1.2", true),
            ("NumericGreaterThan", "1.2", true),
        ] {
            let more = versions(operator, version).more_than(TlsVersion::V1_2).is_some();
            assert_eq!(more, is_more, "{operator} {version}");
        }
    }

    #[test]
    fn only_the_statement_of_evenkeels_own_is_its_own() {
        assert!(is_own_deny(&deny_plain(BUCKET), BUCKET, "aws"));
        let mut theirs = deny_plain(BUCKET);
        theirs["Sid"] = json!("TheirsDenyInsecureTransport");
        assert!(!is_own_deny(&theirs, BUCKET, "aws"));
    }
}
