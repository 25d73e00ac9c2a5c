//! The canonical form of a policy document.
//!
//! Source of the rules: IAM User Guide, "Grammar of the IAM JSON policy language" and "AWS JSON
//! policy elements".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// AWS takes a document without a version for one in the older language.
pub(super) const VERSION_WHEN_ABSENT: &str = "2008-10-17";

/// Whether words of which AWS does not mind the case are in lower case, for comparing, or as they are
/// written, for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Folded,
    AsWritten,
}

impl Case {
    fn of(self, text: &str) -> String {
        match self {
            Self::Folded => text.to_lowercase(),
            Self::AsWritten => text.to_owned(),
        }
    }
}

/// A document in canonical form: statements without `Sid`, in a fixed order.
pub(super) fn document(
    map: &Map<String, Value>,
    statements: &[Value],
    partition: &str,
    case: Case,
) -> Value {
    let version = map.get("Version").and_then(Value::as_str).unwrap_or(VERSION_WHEN_ABSENT);
    // Where nothing begins with `${`, both languages say the same.
    let says_something = case == Case::AsWritten || statements.iter().any(has_variables);
    // In the order of what they mean, whatever their spelling.
    let mut statements: Vec<(String, Value)> = statements
        .iter()
        .map(|one| (statement(one, partition).to_string(), in_case(one, partition, case)))
        .collect();
    statements.sort_by(|(one, _), (other, _)| one.cmp(other));
    statements.dedup_by(|(one, _), (other, _)| one == other);
    let statements: Vec<Value> = statements.into_iter().map(|(_, shown)| shown).collect();
    match says_something {
        true => json!({ "Version": version, "Statement": statements }),
        false => json!({ "Statement": statements }),
    }
}

/// Whether a statement has policy variables. They are all that the version of a document decides: in
/// that of 2012 `${aws:username}` stands for a name, and in that of 2008, which a document without a
/// version is in, for these letters (IAM User Guide, "IAM JSON policy elements: Version").
pub(super) fn has_variables(statement: &Value) -> bool {
    match statement {
        Value::String(text) => text.contains("${"),
        Value::Array(list) => list.iter().any(has_variables),
        Value::Object(map) => map.iter().any(|(key, value)| key != "Sid" && has_variables(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A statement in canonical form.
pub(super) fn statement(value: &Value, partition: &str) -> Value {
    in_case(value, partition, Case::Folded)
}

fn in_case(value: &Value, partition: &str, case: Case) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    // Sorted keys, because statements are ordered by their text.
    let mut canonical = BTreeMap::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Sid" => continue,
            "Action" | "NotAction" => list(value, |text| case.of(text)),
            "Resource" | "NotResource" => list(value, str::to_owned),
            "Principal" | "NotPrincipal" => principals(value, partition),
            "Condition" => match conditions(value, case) {
                Value::Object(map) if map.is_empty() => continue,
                conditions => conditions,
            },
            _ => value.clone(),
        };
        canonical.insert(key.clone(), value);
    }
    canonical.into_iter().collect::<Map<_, _>>().into()
}

/// A text or list as a sorted list without duplicates; booleans and numbers become texts.
fn list(value: &Value, word: impl Fn(&str) -> String) -> Value {
    let entries = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts: BTreeSet<String> = entries
        .iter()
        .map(|entry| match entry {
            Value::String(text) => word(text),
            other => other.to_string(),
        })
        .collect();
    json!(texts)
}

/// `"*"` and `{"AWS": "*"}` both mean everybody; an account id is its root.
fn principals(value: &Value, partition: &str) -> Value {
    match value {
        Value::String(everybody) if everybody == "*" => json!({ "AWS": ["*"] }),
        Value::Object(map) => {
            map.iter()
                .map(|(key, value)| {
                    let of_aws = key == "AWS";
                    let value = list(value, |text| {
                        if of_aws { principal(text, partition) } else { text.to_owned() }
                    });
                    (key.clone(), value)
                })
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect::<Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}

fn principal(text: &str, partition: &str) -> String {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { format!("arn:{partition}:iam::{text}:root") } else { text.to_owned() }
}

/// Neither operators nor condition keys are case-sensitive; values become lists of texts, and those
/// of `Bool` and `Null` are in lower case.
fn conditions(value: &Value, case: Case) -> Value {
    let Value::Object(operators) = value else { return value.clone() };
    let mut canonical = BTreeMap::new();
    for (operator, keys) in operators {
        let folded = operator.to_lowercase();
        let keys = match keys {
            Value::Object(keys) => condition_keys(keys, is_boolean(&folded), case),
            other => other.clone(),
        };
        if keys.as_object().is_none_or(|keys| !keys.is_empty()) {
            // Of two spellings in one block, each is kept: both conditions hold.
            insert(&mut canonical, case.of(operator), operator, keys);
        }
    }
    canonical.into_iter().collect::<Map<_, _>>().into()
}

fn condition_keys(keys: &Map<String, Value>, boolean: bool, case: Case) -> Value {
    let word = |text: &str| if boolean { text.to_lowercase() } else { text.to_owned() };
    let mut canonical = BTreeMap::new();
    for (key, value) in keys {
        insert(&mut canonical, case.of(key), key, list(value, word));
    }
    canonical.into_iter().collect::<Map<_, _>>().into()
}

fn insert(map: &mut BTreeMap<String, Value>, folded: String, written: &str, value: Value) {
    let key = if map.contains_key(&folded) { written.to_owned() } else { folded };
    map.insert(key, value);
}

/// `bool`, `null`, with `IfExists` behind or a quantifier before them.
fn is_boolean(operator: &str) -> bool {
    let plain = operator.rsplit(':').next().unwrap_or(operator);
    matches!(plain.strip_suffix("ifexists").unwrap_or(plain), "bool" | "null")
}
