//! Patterns that choose events or messages, compared by what they mean and not by how they are written.
//!
//! A list is a choice of values, so that neither order nor repetition means anything; only under
//! `numeric` it is a row of operators and numbers. Numbers stay as they are written: EventBridge takes
//! `300` and `300.0` for two.
//!
//! Sources: EventBridge User Guide, "Comparison operators" and "Event pattern syntax"; SNS Developer
//! Guide, "Amazon SNS subscription filter policies".

use serde_json::{Map, Value};

/// What holds a row and no choice.
const ROWS: &str = "numeric";

/// A pattern in the one form that all ways of writing it share.
pub fn canonical(pattern: &Map<String, Value>) -> Value {
    let mut members: Vec<(String, Value)> =
        pattern.iter().map(|(name, value)| (name.clone(), of_member(name, value))).collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    Value::Object(members.into_iter().collect())
}

fn of_member(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(inner) => canonical(inner),
        Value::Array(list) if name == ROWS => Value::Array(list.clone()),
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(|one| of_member("", one)).collect();
            list.sort_by_key(Value::to_string);
            list.dedup();
            Value::Array(list)
        }
        other => other.clone(),
    }
}

/// Reads a pattern as AWS gives it back.
///
/// # Errors
/// It is no JSON object.
pub fn read(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_mean_nothing_and_all_else_does() {
        let same = |one: &str, other: &str| {
            canonical(&read(one).unwrap()) == canonical(&read(other).unwrap())
        };
        for (one, other) in [
            (r#"{"a":["x","y"],"b":[1]}"#, r#"{"b":[1],"a":["y","x","y"]}"#),
            (
                r#"{"d":{"s":[{"numeric":[">=",4]},{"prefix":"x"}]}}"#,
                r#"{"d":{"s":[{"prefix":"x"},{"numeric":[">=",4]}]}}"#,
            ),
            (
                r#"{"$or":[{"a":["x"]},{"b":["y","z"]}]}"#,
                r#"{"$or":[{"b":["z","y"]},{"a":["x"]}]}"#,
            ),
            (r#"{"a":[{"anything-but":["x","y"]}]}"#, r#"{"a":[{"anything-but":["y","x"]}]}"#),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            (r#"{"a":["x"]}"#, r#"{"a":["x","y"]}"#),
            (r#"{"a":["x"]}"#, r#"{"A":["x"]}"#),
            (r#"{"a":["x"]}"#, r#"{"a":["X"]}"#),
            (r#"{"a":[300]}"#, r#"{"a":[300.0]}"#),
            (r#"{"a":[1]}"#, r#"{"a":["1"]}"#),
            (r#"{"a":[{"numeric":[">",1,"<",5]}]}"#, r#"{"a":[{"numeric":["<",1,">",5]}]}"#),
            (r#"{"a":[{"exists":true}]}"#, r#"{"a":[{"exists":false}]}"#),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
        assert!(read("[]").is_err() && read("{").is_err());
    }
}
