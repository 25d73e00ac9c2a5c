//! Delivery policies, of which AWS fills in what was not written.

use serde_json::{Map, Value};

/// Whether a policy has all members of another one, each with its value: `5` and `5.0` are one number.
fn holds(there: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    let is_there = |(name, wanted): (&String, &Value)| match (there.get(name), wanted) {
        (Some(Value::Object(there)), Value::Object(wanted)) => holds(there, wanted),
        (Some(Value::Number(there)), Value::Number(wanted)) => there.as_f64() == wanted.as_f64(),
        (there, wanted) => there == Some(wanted),
    };
    wanted.iter().all(is_there)
}

/// Whether what is declared is there: all its members, or, where none is declared, nothing.
pub fn is_as_declared(there: Option<&Map<String, Value>>, wanted: &Map<String, Value>) -> bool {
    if wanted.is_empty() {
        return there.is_none_or(Map::is_empty);
    }
    there.is_some_and(|there| holds(there, wanted))
}
