//! AWS policy documents, compared by what they mean and not by how they are written.
//!
//! AWS stores policies re-serialised: lists of one become texts, account ids become ARNs, the
//! order changes. Comparing texts would show drift for ever. Pure: no AWS calls here.

mod admission;
mod canonical;
mod denials;
mod former;
pub mod grants;
mod lockout;
mod merge;
mod patterns;
mod plain;
mod refusals;
mod statements;
mod words;

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

pub use admission::{Admission, Keys};
use canonical::Case;
pub use lockout::Keepers;
pub use merge::{Merge, Owner, Required};
pub use patterns::matches;
pub use refusals::{PolicyKind, Refusal, refused_principal};
pub use statements::Narrowing;

/// An IAM policy document: a trust policy, an identity policy, a bucket or key policy.
///
/// In a baseline it is a TOML table in AWS's own JSON shape (`Version`, `Statement`), or a text
/// that holds the JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument(Map<String, Value>);

/// Why a text is not a policy document.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PolicyError {
    /// It is not JSON.
    #[error("a policy document must be JSON: {0}")]
    NotJson(String),
    /// It is JSON of another shape.
    #[error("a policy document needs a Statement, which is a statement or a list of them")]
    NoStatement,
    /// It is of a version that AWS does not have.
    #[error("a policy document is of the Version \"2012-10-17\" or \"2008-10-17\", not {0}")]
    Version(String),
    /// A statement is not what AWS would accept.
    #[error("statement {number} of the policy document {problem}")]
    BadStatement {
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

impl PolicyDocument {
    /// The version of the policy language that evenkeel writes.
    pub const VERSION: &'static str = "2012-10-17";

    /// A document with these statements, in the present version of the language.
    pub fn of_statements(statements: Vec<Value>) -> Self {
        let mut map = Map::new();
        map.insert("Version".to_owned(), json!(Self::VERSION));
        map.insert("Statement".to_owned(), Value::Array(statements));
        Self(map)
    }

    /// Reads a document as AWS returns it.
    ///
    /// # Errors
    /// The text is not JSON, or has no statements.
    pub fn from_text(text: &str) -> Result<Self, PolicyError> {
        let value =
            serde_json::from_str(text).map_err(|error| PolicyError::NotJson(error.to_string()))?;
        Self::from_value(value)
    }

    /// Reads a document as IAM returns it, percent-encoded.
    ///
    /// # Errors
    /// The text is not JSON, or has no statements.
    pub fn from_url_encoded(text: &str) -> Result<Self, PolicyError> {
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|error| PolicyError::NotJson(error.to_string()))?;
        Self::from_text(&text)
    }

    fn from_value(value: Value) -> Result<Self, PolicyError> {
        let Value::Object(map) = value else { return Err(PolicyError::NoStatement) };
        let document = Self(map);
        match document.0.get("Statement") {
            Some(Value::Array(_) | Value::Object(_)) => {}
            _ => return Err(PolicyError::NoStatement),
        }
        let is_known = |version: &Value| {
            [Self::VERSION, canonical::VERSION_WHEN_ABSENT].map(Some).contains(&version.as_str())
        };
        if let Some(version) = document.0.get("Version").filter(|version| !is_known(version)) {
            return Err(PolicyError::Version(version.to_string()));
        }
        for (index, statement) in document.statements().iter().enumerate() {
            if let Some(problem) = statements::problem(statement) {
                return Err(PolicyError::BadStatement { number: index + 1, problem });
            }
        }
        Ok(document)
    }

    /// The same document with other statements.
    #[must_use]
    pub fn having(&self, statements: Vec<Value>) -> Self {
        let mut map = self.0.clone();
        map.insert("Statement".to_owned(), Value::Array(statements));
        Self(map)
    }

    /// The version of the language that it is written in.
    pub fn version(&self) -> &str {
        self.0.get("Version").and_then(Value::as_str).unwrap_or(canonical::VERSION_WHEN_ABSENT)
    }

    /// The statements, as a list even when there is one.
    pub fn statements(&self) -> Vec<Value> {
        match self.0.get("Statement") {
            Some(Value::Array(list)) => list.clone(),
            Some(statement @ Value::Object(_)) => vec![statement.clone()],
            _ => Vec::new(),
        }
    }

    /// The document on one line, as it is sent to AWS.
    pub fn to_compact_string(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The document as a value, for plans.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// The document in the one form that all ways of writing it share: for comparing.
    pub fn canonical(&self, partition: &str) -> Value {
        canonical::document(&self.0, &self.statements(), partition, Case::Folded)
    }

    /// The same with its words as they are written, for reading.
    pub fn shown(&self, partition: &str) -> Value {
        canonical::document(&self.0, &self.statements(), partition, Case::AsWritten)
    }

    /// A statement in the one form that all ways of writing it share, without its `Sid`.
    pub fn canonical_statement(statement: &Value, partition: &str) -> Value {
        canonical::statement(statement, partition)
    }

    /// Whether a statement says something else in this document than in one of the version that evenkeel
    /// writes: it has variables, and here they are letters like others.
    pub fn misreads(&self, statement: &Value) -> bool {
        self.version() != Self::VERSION && canonical::has_variables(statement)
    }

    /// Whether two documents allow and deny the same. `Sid` and `Id` are names and mean nothing.
    pub fn same_meaning(&self, other: &Self, partition: &str) -> bool {
        self.canonical(partition) == other.canonical(partition)
    }
}

impl fmt::Display for PolicyDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_compact_string())
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Self::from_text(&text).map_err(D::Error::custom),
            value => Self::from_value(value).map_err(D::Error::custom),
        }
    }
}

impl JsonSchema for PolicyDocument {
    fn schema_name() -> Cow<'static, str> {
        "PolicyDocument".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An IAM policy document: a table with `Version` and `Statement`, or a text that holds the JSON.",
            "type": ["object", "string"],
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn document(value: Value) -> PolicyDocument {
        PolicyDocument::from_value(value).unwrap()
    }

    #[test]
    fn a_table_and_its_text_are_the_same() {
        let value = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }] });
        let table: PolicyDocument = serde_json::from_value(value.clone()).unwrap();
        let text: PolicyDocument = serde_json::from_value(json!(value.to_string())).unwrap();
        assert_eq!(table, text);
        assert_eq!(serde_json::to_value(&text).unwrap(), value);
    }

    #[test]
    fn percent_encoded_documents_are_read() {
        let text = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a%3Ab%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        let document = PolicyDocument::from_url_encoded(text).unwrap();
        assert_eq!(document.statements()[0]["Action"], "a:b");
    }

    #[test]
    fn what_is_not_a_policy_says_why() {
        let table = [
            ("{", "must be JSON"),
            ("[]", "needs a Statement"),
            ("{}", "needs a Statement"),
            (r#"{"Statement":[{"Effect":"Maybe"}]}"#, "statement 1"),
            (r#"{"Statement":["x"]}"#, "statement 1"),
        ];
        for (text, message) in table {
            let error = PolicyDocument::from_text(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn what_aws_makes_of_a_document_means_the_same() {
        let ours = document(json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "B", "Effect": "Deny", "Principal": "*", "Action": ["s3:*"],
              "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/*"],
              "Condition": { "Bool": { "aws:SecureTransport": false } } },
            { "Sid": "A", "Effect": "Allow", "Principal": { "AWS": "111122223333" },
              "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*" } ] }));
        let theirs = document(json!({ "Id": "x", "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": ["arn:aws:iam::111122223333:root"] },
              "Action": ["S3:getobject"], "Resource": "arn:aws:s3:::a/*" },
            { "Effect": "Deny", "Principal": { "AWS": "*" }, "Action": "s3:*",
              "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::a", "arn:aws:s3:::a"],
              "Condition": { "Bool": { "aws:securetransport": ["false"] } } } ] }));
        assert!(ours.same_meaning(&theirs, "aws"));
    }

    #[test]
    fn what_is_shown_is_spelled_as_it_is_written() {
        let one = document(json!({ "Statement": { "Sid": "A", "Effect": "Allow", "Resource": "*",
            "Action": ["sts:AssumeRole", "kms:Decrypt"],
            "Condition": { "Bool": { "kms:GrantIsForAWSResource": true } } } }));
        let text = one.shown("aws").to_string();
        for word in ["sts:AssumeRole", "kms:GrantIsForAWSResource", "\"Bool\"", "[\"true\"]"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(one.canonical("aws").to_string().contains("sts:assumerole"));
    }

    #[test]
    fn what_differs_in_meaning_differs() {
        let base = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": { "Service": "a.amazonaws.com" }, "Action": "s3:Get*",
            "Resource": "arn:aws:s3:::A", "Condition": { "StringEquals": { "k": "V" } } } });
        let mut changed = Vec::new();
        for (pointer, value) in [
            ("/Statement/Effect", json!("Deny")),
            ("/Statement/Principal/Service", json!("b.amazonaws.com")),
            ("/Statement/Action", json!("s3:Put*")),
            ("/Statement/Resource", json!("arn:aws:s3:::a")),
            ("/Statement/Condition/StringEquals/k", json!("v")),
        ] {
            let mut other = base.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            changed.push(other);
        }
        let mut operator = base.clone();
        operator["Statement"]["Condition"] = json!({ "StringLike": { "k": "V" } });
        changed.push(operator);
        let base = document(base);
        for other in changed {
            assert!(!base.same_meaning(&document(other.clone()), "aws"), "{other}");
        }
    }

    #[test]
    fn the_language_has_two_versions() {
        let read = |version: Value| {
            let value = json!({ "Version": version, "Statement": [] });
            PolicyDocument::from_text(&value.to_string()).is_ok()
        };
        assert!(read(json!("2012-10-17")) && read(json!("2008-10-17")));
        for other in [json!("2012-10-18"), json!(""), json!("2012-10-17 "), json!(null), json!(1)] {
            assert!(!read(other.clone()), "{other}");
        }
    }

    #[test]
    fn the_version_means_something_where_there_are_variables() {
        let of = |version: Option<&str>, resource: &str| {
            let mut value = json!({ "Statement": { "Sid": "${no}", "Effect": "Allow",
                "Principal": "*", "Action": "s3:Get*", "Resource": resource } });
            if let Some(version) = version {
                value["Version"] = json!(version);
            }
            document(value)
        };
        for version in [Some("2008-10-17"), None] {
            let (plain, variable) = ("arn:aws:s3:::a/*", "arn:aws:s3:::a/${aws:username}/*");
            let there = of(version, plain);
            assert!(there.same_meaning(&of(Some("2012-10-17"), plain), "aws"), "{version:?}");
            assert!(!there.misreads(&there.statements()[0]));
            let there = of(version, variable);
            assert!(!there.same_meaning(&of(Some("2012-10-17"), variable), "aws"), "{version:?}");
            assert!(there.misreads(&there.statements()[0]));
            assert!(there.same_meaning(&of(Some("2008-10-17"), variable), "aws"));
        }
    }
}
