//! Rules of what is declared of controls, which the schema cannot say.

use super::spec::{Parameter, Spec, Status, ValueType, Wanted};
use crate::baseline::catalog::SpecProblem;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    for (id, wanted) in &spec.controls {
        let path = format!("controls.{id}");
        if !is_id(id) {
            let message = format!("{id:?} is not the id of a control");
            let help = "write it as Security Hub does, such as \"IAM.6\"";
            problems.push(SpecProblem::new(&path, message, help).at_key(true));
        }
        for (field, message, help) in problems_of(wanted) {
            let field = format!("{path}.{field}");
            problems.push(SpecProblem::new(field.trim_end_matches('.'), message, help));
        }
        for (name, parameter) in wanted.parameters.iter().flatten() {
            if let Some(message) = problem_of(parameter) {
                let help =
                    "write one value, such as { integer = 14 }, or { value_type = \"DEFAULT\" }";
                problems.push(SpecProblem::new(format!("{path}.parameters.{name}"), message, help));
            }
        }
    }
    problems
}

/// Whether a text is the id of a control: `IAM.6`.
fn is_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(service, number)| {
        !service.is_empty()
            && service.chars().all(|one| one.is_ascii_alphanumeric())
            && !number.is_empty()
            && number.chars().all(|one| one.is_ascii_digit())
    })
}

type Problem = (&'static str, String, &'static str);

fn problems_of(wanted: &Wanted) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let is_off = wanted.association_status == Some(Status::Disabled);
    if is_off && wanted.updated_reason.is_none() {
        problems.push((
            "association_status",
            "AWS switches no control off without a reason".to_owned(),
            "add updated_reason = \"…\"",
        ));
    }
    if !is_off && wanted.updated_reason.is_some() {
        problems.push((
            "updated_reason",
            "it is the reason why a control is switched off".to_owned(),
            "leave it out, or add association_status = \"DISABLED\"",
        ));
    }
    if wanted.standards.is_some() && wanted.association_status.is_none() {
        problems.push((
            "standards",
            "nothing is said of the control in these".to_owned(),
            "add association_status",
        ));
    }
    for name in wanted.standards.iter().flatten() {
        if name.contains(':') || !name.contains("/v/") {
            problems.push((
                "standards",
                format!("{name:?} is not the name of a standard"),
                "write what stands in its ARN after standards/, such as cis-aws-foundations-benchmark/v/5.0.0",
            ));
        }
    }
    if wanted.last_update_reason.is_some() && wanted.parameters.is_none() {
        problems.push((
            "last_update_reason",
            "it is the reason for the values of parameters".to_owned(),
            "leave it out, or add parameters",
        ));
    }
    if wanted.last_update_reason.as_deref().is_some_and(|reason| !is_plain(reason)) {
        problems.push((
            "last_update_reason",
            "AWS takes letters, digits, spaces, - and _ in it".to_owned(),
            "write it without others",
        ));
    }
    if wanted.association_status.is_none() && wanted.parameters.is_none() {
        problems.push((
            "",
            "nothing is said of this control".to_owned(),
            "add association_status or parameters, or leave it out",
        ));
    }
    problems
}

/// Whether AWS takes a text for a reason (Security Hub API Reference, `UpdateSecurityControl`).
fn is_plain(reason: &str) -> bool {
    let takes = |one: char| !one.is_ascii() || one.is_ascii_alphanumeric() || "-_ ".contains(one);
    !reason.is_empty() && reason.chars().all(takes)
}

fn problem_of(parameter: &Parameter) -> Option<String> {
    let values = [
        parameter.boolean.is_some(),
        parameter.double.is_some(),
        parameter.word.is_some(),
        parameter.enum_list.is_some(),
        parameter.integer.is_some(),
        parameter.integer_list.is_some(),
        parameter.string.is_some(),
        parameter.string_list.is_some(),
    ];
    let values = values.into_iter().filter(|is_there| *is_there).count();
    match (parameter.value_type, values) {
        (Some(ValueType::Default), 0) | (Some(ValueType::Custom) | None, 1) => None,
        (Some(ValueType::Default), _) => Some("AWS's own value has no other beside it".to_owned()),
        (_, values) => Some(format!("a parameter has one value, not {values}")),
    }
}
