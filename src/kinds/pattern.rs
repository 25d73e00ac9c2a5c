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

/// How a value can be matched other than by itself. Source: EventBridge User Guide, "Comparison operators for
/// use in event patterns"; SNS Developer Guide, "Filter policy constraints".
const MATCHES: [&str; 8] = [
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
];

/// The first place of a pattern that AWS would refuse, and what is wrong there.
pub fn wrong(pattern: &Map<String, Value>) -> Option<(String, String)> {
    wrong_below(pattern, "")
}

fn wrong_below(pattern: &Map<String, Value>, above: &str) -> Option<(String, String)> {
    pattern.iter().find_map(|(name, value)| {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let problem = |words: &str| Some((path.clone(), words.to_owned()));
        match value {
            Value::Object(inner) if inner.is_empty() => problem("is empty, and fits nothing"),
            Value::Object(inner) => wrong_below(inner, &path),
            Value::Array(list) if list.is_empty() => problem("is empty, and fits nothing"),
            Value::Array(list) if name == "$or" => list.iter().find_map(|one| match one {
                Value::Object(inner) => wrong_below(inner, &path),
                _ => problem("is a list of patterns"),
            }),
            Value::Array(list) => list.iter().find_map(|one| Some((path.clone(), unmatched(one)?))),
            _ => problem("is no list"),
        }
    })
}

/// Why a value of a list is none that something can match.
fn unmatched(value: &Value) -> Option<String> {
    let name = match value {
        Value::Array(_) => return Some("has a list in its list".to_owned()),
        Value::Object(one) if one.len() == 1 => one.keys().next()?,
        Value::Object(_) => {
            return Some(
                "has an object that is not one way to match: each is one alone".to_owned(),
            );
        }
        _ => return None,
    };
    let is_known = MATCHES.contains(&name.as_str());
    (!is_known).then(|| format!("has {name:?}, which is none of {}", MATCHES.join(", ")))
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
    fn what_aws_would_refuse_is_named() {
        let problem =
            |text: &str| wrong(&read(text).unwrap()).map(|(at, why)| format!("{at} {why}"));
        for (text, words) in [
            (r#"{"a":"x"}"#, "a is no list"),
            (r#"{"a":{"b":[]}}"#, "a.b is empty"),
            (r#"{"a":{}}"#, "a is empty"),
            (r#"{"a":[{"prefixx":"x"}]}"#, "a has \"prefixx\", which is none of"),
            (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "each is one alone"),
            (r#"{"a":[["x"]]}"#, "a list in its list"),
            (r#"{"$or":["x"]}"#, "$or is a list of patterns"),
        ] {
            assert!(problem(text).unwrap().contains(words), "{text}: {:?}", problem(text));
        }
        for text in [
            r#"{"a":["x",1,null,true,{"exists":false},{"numeric":[">",1]},{"anything-but":{"prefix":"x"}}]}"#,
            r#"{"$or":[{"a":["x"]},{"b":[{"cidr":"10.0.0.0/8"}]}]}"#,
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

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
