//! The event patterns of the rules that pass on what may touch a declared object.
//!
//! One rule for each service, since a pattern that named all services and all calls would pass on each
//! call of one service under the name of another. Source: EventBridge User Guide, "Creating Amazon
//! EventBridge event patterns" and "Amazon EventBridge quotas" (a pattern has 2,048 characters).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::controller::events::HEARTBEAT;
use crate::kinds::registry;

/// The longest pattern, in characters.
pub const LONGEST: usize = 2048;

/// A rule's pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// What the rule is called, after the service: `iam`, `s3-2`.
    pub name: String,
    /// What it passes on.
    pub pattern: Value,
}

/// The patterns of all kinds' events and of the controller's heartbeat, in the order of their names.
pub fn patterns() -> Vec<Pattern> {
    let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for kind in registry::all() {
        for event in kind.events() {
            // `iam.amazonaws.com:CreateRole`
            if let Some((source, name)) = event.split_once(':') {
                calls.entry(source.to_owned()).or_default().insert(name.to_owned());
            }
        }
    }
    let mut patterns: Vec<Pattern> =
        calls.iter().flat_map(|(source, names)| of_source(source, names)).collect();
    patterns.push(Pattern { name: "heartbeat".to_owned(), pattern: heartbeat() });
    patterns.sort_by(|one, other| one.name.cmp(&other.name));
    patterns
}

/// The calls of one source, in as many patterns as their length asks for.
fn of_source(source: &str, names: &BTreeSet<String>) -> Vec<Pattern> {
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for name in names {
        if let Some(part) = parts.last_mut() {
            part.push(name);
            if pattern(source, part).to_string().len() > LONGEST && part.len() > 1 {
                part.pop();
                parts.push(vec![name]);
            }
        }
    }
    let service = source.split('.').next().unwrap_or(source);
    let named = |number: usize| match number {
        0 => service.to_owned(),
        more => format!("{service}-{}", more + 1),
    };
    parts
        .iter()
        .enumerate()
        .map(|(number, part)| Pattern { name: named(number), pattern: pattern(source, part) })
        .collect()
}

/// Calls that AWS refused changed nothing.
fn pattern(source: &str, names: &[&str]) -> Value {
    json!({
        "detail-type": [{"suffix": " via CloudTrail"}],
        "detail": {
            "eventSource": [source],
            "eventName": names,
            "errorCode": [{"exists": false}],
        },
    })
}

/// The controller's own call, which AWS refuses, with or without the permission for it: it is made only to
/// be heard of.
fn heartbeat() -> Value {
    let (source, name) = HEARTBEAT;
    json!({
        "detail-type": [{"suffix": " via CloudTrail"}],
        "detail": {
            "eventSource": [source],
            "eventName": [name],
            "errorCode": ["Client.DryRunOperation", "Client.UnauthorizedOperation"],
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_every_kind_is_passed_on_by_the_rule_of_its_service() {
        let patterns = patterns();
        for kind in registry::all() {
            for event in kind.events() {
                let (source, name) = event.split_once(':').unwrap();
                let passing = patterns.iter().filter(|rule| {
                    let detail = &rule.pattern["detail"];
                    detail["eventSource"] == json!([source])
                        && detail["eventName"].as_array().unwrap().contains(&json!(name))
                        && rule.name != "heartbeat"
                });
                assert_eq!(passing.count(), 1, "{event}");
            }
        }
        assert!(patterns.iter().any(|rule| rule.name == "heartbeat"));
    }

    #[test]
    fn no_pattern_is_longer_than_eventbridge_takes() {
        let names = (0..200).map(|number| format!("DescribeSomethingLong{number:03}")).collect();
        let split = of_source("ec2.amazonaws.com", &names);
        assert!(split.len() > 1);
        assert_eq!(split[1].name, "ec2-2");
        let all: usize = split
            .iter()
            .map(|rule| rule.pattern["detail"]["eventName"].as_array().unwrap().len())
            .sum();
        assert_eq!(all, 200);
        for rule in split.iter().chain(&patterns()) {
            assert!(rule.pattern.to_string().len() <= LONGEST, "{}", rule.name);
        }
    }
}
