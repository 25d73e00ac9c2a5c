//! What a declaration of a pack must fulfil that the schema cannot say.

use super::spec::Spec;
use super::template::{BODY, DOCUMENT, URI};
use crate::baseline::catalog::SpecProblem;

/// Source: AWS Config API Reference, `PutConformancePack`, `ConformancePackInputParameter`.
const LONGEST_BODY: usize = 51_200;
const MOST_PARAMETERS: usize = 60;
const LONGEST_NAME: usize = 255;
const LONGEST_VALUE: usize = 4096;
/// Source: Tagging AWS Resources; evenkeel's mark takes the place of one tag.
const MOST_TAGS: usize = 49;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = template(spec);
    problems.extend(parameters(spec));
    let tags = spec.tags.as_ref().map_or(0, |tags| tags.len());
    if tags > MOST_TAGS {
        problems.push(SpecProblem::new(
            "tags",
            format!("{tags} tags leave no room for evenkeel's mark"),
            format!("keep {MOST_TAGS} or fewer"),
        ));
    }
    problems
}

fn template(spec: &Spec) -> Vec<SpecProblem> {
    let declared = [
        (BODY, spec.template_body.is_some()),
        (URI, spec.template_s3_uri.is_some()),
        (DOCUMENT, spec.template_ssm_document.is_some()),
    ];
    let mut problems: Vec<SpecProblem> = declared
        .iter()
        .filter(|(_, is_declared)| *is_declared)
        .skip(1)
        .map(|(field, _)| {
            SpecProblem::new(
                *field,
                "a pack has one template",
                "keep one of template_body, template_s3_uri and template_ssm_document",
            )
        })
        .collect();
    if spec.template_body.as_ref().is_some_and(|text| text.len() > LONGEST_BODY) {
        problems.push(SpecProblem::new(
            BODY,
            "it is longer than AWS takes",
            "it has up to 51,200 bytes: put a longer one into S3, and name it in template_s3_uri",
        ));
    }
    problems
}

fn parameters(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let mut problem = |message: String, help: String| {
        problems.push(SpecProblem::new("input_parameters", message, help));
    };
    let number = spec.input_parameters.as_ref().map_or(0, |parameters| parameters.len());
    if number > MOST_PARAMETERS {
        let help = format!("a template takes up to {MOST_PARAMETERS}");
        problem(format!("{number} parameters are more than AWS takes"), help);
    }
    for (name, value) in spec.input_parameters.iter().flatten() {
        if name.chars().count() > LONGEST_NAME {
            let help = format!("names have up to {LONGEST_NAME} characters");
            problem(format!("the name {name:?} is too long"), help);
        }
        if value.chars().count() > LONGEST_VALUE {
            let help = format!("values have up to {LONGEST_VALUE} characters");
            problem(format!("the value of {name:?} is too long"), help);
        }
    }
    problems
}
