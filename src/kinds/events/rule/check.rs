//! What EventBridge would refuse of a rule, or take and never fit.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::targets::Target;
use super::{DEFAULT_BUS, Spec};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::pattern;
use crate::names::{Arn, is_arn};

/// Source: EventBridge API Reference, `PutRule`, `EventPattern`.
const LONGEST_PATTERN: usize = 4096;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if let Some(pattern) = spec.event_pattern.as_ref().filter(|pattern| !pattern.is_empty()) {
        problems.extend(pattern_problem(pattern));
    }
    let is_scheduled = spec.schedule_expression.as_ref().is_some_and(|text| !text.is_empty());
    let bus = spec.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS);
    if is_scheduled && bus != DEFAULT_BUS {
        problems.push(SpecProblem::new(
            "schedule_expression",
            "only rules of the default bus have times",
            "leave event_bus_name out, or declare an event_pattern",
        ));
    }
    if let Some(text) = spec.schedule_expression.as_ref().filter(|text| !text.is_empty())
        && let Some(problem) = schedule_problem(text)
    {
        problems.push(SpecProblem::new(
            "schedule_expression",
            format!("{text:?} {problem}"),
            "write rate(5 minutes) or cron(0 20 * * ? *)",
        ));
    }
    let mut seen = BTreeSet::new();
    for (target, place) in spec.targets.iter().flatten().zip(0..) {
        let place = format!("targets[{place}]");
        if !seen.insert(&target.id) {
            let message = format!("another target has the id {:?}", target.id);
            problems.push(SpecProblem::new(&place, message, "give each target an id of its own"));
        }
        problems.extend(of_target(target).into_iter().map(|(field, message, help)| {
            SpecProblem::new(format!("{place}.{field}"), message, help)
        }));
    }
    problems
}

/// What EventBridge would refuse of a time. Source: EventBridge User Guide, "Setting a schedule pattern".
fn schedule_problem(text: &str) -> Option<&'static str> {
    let inner = |start: &str| text.strip_prefix(start)?.strip_suffix(')');
    if let Some(rate) = inner("rate(") {
        let (number, unit) = rate.split_once(' ').unwrap_or((rate, ""));
        let number: u32 = number.parse().unwrap_or_default();
        let units =
            if number == 1 { ["minute", "hour", "day"] } else { ["minutes", "hours", "days"] };
        return match number {
            0 => Some("is no rate: it begins with a number above 0"),
            _ if units.contains(&unit) => None,
            1 => Some("is no rate: 1 goes with minute, hour or day"),
            _ => Some("is no rate: more than 1 go with minutes, hours or days"),
        };
    }
    let Some(fields) = inner("cron(").map(|text| text.split_whitespace().collect::<Vec<_>>())
    else {
        return Some("is no time");
    };
    match fields[..] {
        [_, _, day_of_month, _, day_of_week, _] => ((day_of_month == "?") == (day_of_week == "?"))
            .then_some("is no time: of the day of the month and the day of the week, one is ?"),
        _ => Some(
            "is no time: it has six parts, minutes, hours, day of the month, month, day of the week, year",
        ),
    }
}

fn pattern_problem(pattern: &Map<String, Value>) -> Option<SpecProblem> {
    let length = Value::Object(pattern.clone()).to_string().chars().count();
    if length > LONGEST_PATTERN {
        let message =
            format!("the pattern has {length} characters, and AWS takes {LONGEST_PATTERN}");
        return Some(SpecProblem::new("event_pattern", message, "make two rules of it"));
    }
    let (path, problem) = pattern::wrong(pattern)?;
    Some(SpecProblem::new(
        "event_pattern",
        format!("{path} {problem}"),
        "write a list of values: { source = [\"aws.guardduty\"] }",
    ))
}

type Problem = (&'static str, &'static str, &'static str);

fn of_target(target: &Target) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !target.arn.starts_with("arn:") {
        problems.push(("arn", "it is no ARN", "write the ARN of a topic, a queue, a function …"));
    }
    let inputs =
        [target.input.is_some(), target.input_path.is_some(), target.input_transformer.is_some()];
    if inputs.into_iter().filter(|is_there| *is_there).count() > 1 {
        problems.push((
            "input",
            "a target gets one of input, input_path and input_transformer",
            "keep one of them",
        ));
    }
    if let Some(input) = &target.input
        && serde_json::from_str::<Value>(input).is_err()
    {
        problems.push(("input", "it is no JSON", "write a JSON text, in which a text has quotes"));
    }
    if let Some(path) = &target.input_path
        && !path.starts_with('$')
    {
        problems.push(("input_path", "it is no path", "begin it with $, for the event"));
    }
    if let Some(transformer) = &target.input_transformer {
        let is_path = |path: &String| path.starts_with('$');
        if !transformer.input_paths_map.values().all(is_path) {
            problems.push((
                "input_transformer.input_paths_map",
                "it has something that is no path",
                "begin each path with $, for the event",
            ));
        }
        let names = transformer.input_paths_map.keys();
        if has_unknown_part(&transformer.input_template, &names.map(String::as_str).collect()) {
            problems.push((
                "input_transformer.input_template",
                "it has a <part> that input_paths_map does not have, and would stay empty",
                "add it to input_paths_map",
            ));
        }
    }
    if let Some(queue) = &target.dead_letter_config
        && !is_arn(&queue.arn, "sqs", "")
    {
        problems.push(("dead_letter_config.arn", "it is no queue", "write the ARN of a queue"));
    }
    // Source: EventBridge User Guide, "IAM roles for sending events to targets".
    let by_role = ["kinesis", "states"];
    if target.role_arn.is_none()
        && Arn::parse(&target.arn).is_some_and(|arn| by_role.contains(&arn.service))
    {
        problems.push(("role_arn", "EventBridge sends to such a target by a role alone", "add it"));
    }
    if target.sqs_parameters.is_none()
        && is_arn(&target.arn, "sqs", "")
        && target.arn.ends_with(".fifo")
    {
        problems.push((
            "sqs_parameters",
            "a FIFO queue takes no message without a group",
            "add { message_group_id = \"…\" }",
        ));
    }
    if target.sqs_parameters.is_some() && !is_arn(&target.arn, "sqs", "") {
        problems.push(("sqs_parameters", "the target is no queue", "leave them out"));
    }
    problems
}

/// Whether a template has a part that is not among the known ones; AWS's own begin with `aws.`.
fn has_unknown_part(template: &str, known: &BTreeSet<&str>) -> bool {
    let parts = template.split('<').skip(1).filter_map(|part| Some(part.split_once('>')?.0));
    let mut names = parts.filter(|name| {
        let is_letter = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
        !name.is_empty() && name.chars().all(is_letter)
    });
    names.any(|name| !name.starts_with("aws.") && !known.contains(name))
}
