//! Delivery policies, of which AWS fills in what was not written.

use serde_json::{Map, Value};

/// Whose policy it is: their members have other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A topic's, for all its subscriptions.
    Topic,
    /// One subscription's.
    Subscription,
}

/// The numbers of a retry policy, the least and the most of each. Source: SNS Developer Guide, "Amazon SNS
/// message delivery retries", "Creating an HTTP/S delivery policy".
const RETRIES: [(&str, u64, u64); 6] = [
    ("minDelayTarget", 1, LONGEST_DELAY),
    ("maxDelayTarget", 1, LONGEST_DELAY),
    ("numRetries", 0, MOST_RETRIES),
    ("numNoDelayRetries", 0, MOST_RETRIES),
    ("numMinDelayRetries", 0, MOST_RETRIES),
    ("numMaxDelayRetries", 0, MOST_RETRIES),
];
const LONGEST_DELAY: u64 = 3600;
const MOST_RETRIES: u64 = 100;
const PHASES: [&str; 3] = ["numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries"];
const BACKOFF: [&str; 4] = ["arithmetic", "exponential", "geometric", "linear"];

/// Why SNS would refuse a policy, as far as it is declared; `None` where it takes it.
pub fn wrong(policy: &Map<String, Value>, of: Of) -> Option<String> {
    let (retries, throttle, request) = match of {
        Of::Topic => {
            if policy.is_empty() {
                return None;
            }
            let Some(("http", Value::Object(http))) = only(policy) else {
                return Some("it has the member http alone, with an object".to_owned());
            };
            return wrong_members(
                http,
                &["defaultHealthyRetryPolicy", "defaultSicklyRetryPolicy"],
                &["disableSubscriptionOverrides"],
                ("defaultThrottlePolicy", "defaultRequestPolicy"),
            );
        }
        Of::Subscription => {
            (["healthyRetryPolicy", "sicklyRetryPolicy"], "throttlePolicy", "requestPolicy")
        }
    };
    wrong_members(policy, &retries, &["guaranteed"], (throttle, request))
}

/// The only member of an object.
fn only(policy: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = policy.iter();
    let (name, value) = members.next()?;
    members.next().is_none().then_some((name.as_str(), value))
}

fn wrong_members(
    policy: &Map<String, Value>,
    retries: &[&str],
    truths: &[&str],
    (throttle, request): (&str, &str),
) -> Option<String> {
    policy.iter().find_map(|(name, value)| match value {
        Value::Object(inner) if retries.contains(&name.as_str()) => {
            wrong_retries(inner).map(|words| format!("{name}.{words}"))
        }
        // As AWS gives one back that is not there.
        Value::Null if retries.contains(&name.as_str()) => None,
        Value::Object(inner) if name == throttle => match only(inner) {
            Some(("maxReceivesPerSecond", value)) if value.as_u64() >= Some(1) => None,
            _ => Some(format!("{name} has maxReceivesPerSecond alone, a number from 1 on")),
        },
        Value::Object(inner) if name == request => match only(inner) {
            Some(("headerContentType", Value::String(_))) => None,
            _ => Some(format!("{name} has headerContentType alone, a text")),
        },
        Value::Bool(_) if truths.contains(&name.as_str()) => None,
        _ => {
            let known = [retries, truths, &[throttle, request]].concat();
            Some(format!(
                "{name} is none of its members, or is of another form: {}",
                known.join(", ")
            ))
        }
    })
}

fn wrong_retries(policy: &Map<String, Value>) -> Option<String> {
    for (name, value) in policy {
        if name == "backoffFunction" {
            if !value.as_str().is_some_and(|word| BACKOFF.contains(&word)) {
                return Some(format!("{name} is one of {}", BACKOFF.join(", ")));
            }
            continue;
        }
        let Some((_, least, most)) = RETRIES.iter().find(|(known, ..)| known == name) else {
            return Some(format!("{name} is no member of a retry policy"));
        };
        if !value.as_u64().is_some_and(|number| (*least..=*most).contains(&number)) {
            return Some(format!("{name} is a whole number from {least} to {most}"));
        }
    }
    let number = |name: &str| policy.get(name).and_then(Value::as_u64);
    if number("minDelayTarget").zip(number("maxDelayTarget")).is_some_and(|(min, max)| min > max) {
        return Some("minDelayTarget is above maxDelayTarget".to_owned());
    }
    let phases: u64 = PHASES.into_iter().filter_map(number).sum();
    let is_more = number("numRetries").is_some_and(|all| phases > all);
    is_more.then(|| format!("numRetries is less than {} together", PHASES.join(", ")))
}

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
    fn what_sns_refuses_is_refused() {
        let wrong = |of: Of, policy: Value| {
            wrong(&policy.as_object().cloned().unwrap_or_default(), of).unwrap_or_default()
        };
        let topic = |retries: Value| {
            wrong(Of::Topic, json!({ "http": { "defaultHealthyRetryPolicy": retries } }))
        };
        for (policy, words) in [
            (json!({ "numRetries": 101 }), "numRetries is a whole number from 0 to 100"),
            (json!({ "numRetries": 1.5 }), "whole number"),
            (json!({ "minDelayTarget": 0 }), "from 1 to 3600"),
            (json!({ "minDelayTarget": 30, "maxDelayTarget": 20 }), "above maxDelayTarget"),
            (json!({ "numRetries": 3, "numNoDelayRetries": 4 }), "numRetries is less"),
            (json!({ "backoffFunction": "cubic" }), "backoffFunction is one of"),
            (json!({ "retries": 3 }), "no member of a retry policy"),
        ] {
            assert!(topic(policy.clone()).contains(words), "{policy}: {}", topic(policy.clone()));
        }
        for (of, policy) in [
            (Of::Topic, json!({ "htttp": {} })),
            (Of::Topic, json!({ "http": { "numRetries": 5 } })),
            (Of::Topic, json!({ "healthyRetryPolicy": { "numRetries": 5 } })),
            (Of::Subscription, json!({ "http": {} })),
            (Of::Subscription, json!({ "throttlePolicy": { "maxReceivesPerSecond": 0 } })),
        ] {
            assert_ne!(wrong(of, policy.clone()), "", "{policy}");
        }
        for (of, policy) in [
            (Of::Topic, json!({})),
            (
                Of::Topic,
                json!({ "http": {
                "defaultHealthyRetryPolicy": { "minDelayTarget": 1, "maxDelayTarget": 60,
                    "numRetries": 50, "numNoDelayRetries": 3, "backoffFunction": "exponential" },
                "disableSubscriptionOverrides": true,
                "defaultThrottlePolicy": { "maxReceivesPerSecond": 10 },
                "defaultRequestPolicy": { "headerContentType": "application/json" } } }),
            ),
            (
                Of::Subscription,
                json!({ "healthyRetryPolicy": { "numRetries": 5 },
                "sicklyRetryPolicy": null, "guaranteed": false }),
            ),
        ] {
            assert_eq!(wrong(of, policy.clone()), "", "{policy}");
        }
    }

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
