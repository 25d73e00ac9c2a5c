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

/// What is there with what is declared in it: AWS takes a policy whole, and members that are not declared
/// stay as they are. Where none is declared, nothing.
pub fn with(there: Option<&Map<String, Value>>, wanted: &Map<String, Value>) -> Map<String, Value> {
    if wanted.is_empty() {
        return Map::new();
    }
    let mut whole = there.cloned().unwrap_or_default();
    for (name, wanted) in wanted {
        let inner = match (whole.get(name), wanted) {
            (Some(Value::Object(there)), Value::Object(wanted)) if !wanted.is_empty() => {
                Value::Object(with(Some(there), wanted))
            }
            _ => wanted.clone(),
        };
        whole.insert(name.clone(), inner);
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_are_not_declared_stay() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let there = map(
            json!({"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 1, "numRetries": 3},
            "disableSubscriptionOverrides": true}}),
        );
        let wanted = map(json!({"http": {"defaultHealthyRetryPolicy": {"numRetries": 10}}}));
        let whole = with(Some(&there), &wanted);
        assert_eq!(
            Value::Object(whole.clone()),
            json!({"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 1, "numRetries": 10},
                "disableSubscriptionOverrides": true}})
        );
        assert!(is_as_declared(Some(&whole), &wanted));
        assert_eq!(with(None, &wanted), wanted);
        assert_eq!(with(Some(&there), &Map::new()), Map::new());
    }
}
