//! What a declaration of a pack must fulfil that the schema cannot say.

use super::spec::Spec;
use super::template::{BODY, DOCUMENT, SOURCE, URI};
use crate::baseline::catalog::SpecProblem;

/// Source: AWS Config API Reference, `PutConformancePack`, `ConformancePackInputParameter`.
const LONGEST_BODY: usize = 51_200;
const MOST_PARAMETERS: usize = 60;
const LONGEST_NAME: usize = 255;
const LONGEST_VALUE: usize = 4096;
const LONGEST_VALUE_OF_AWS: usize = 1024;
/// Source: Tagging AWS Resources; evenkeel's mark takes the place of one tag.
const MOST_TAGS: usize = 49;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = template(spec);
    problems.extend(parameters(spec));
    problems.extend(of_one_sort(spec));
    if spec.scope.as_ref().is_some_and(|one| one.tag_value.is_some() && one.tag_key.is_none()) {
        problems.push(SpecProblem::new("scope", "a tag's value without its key", "add tag_key"));
    }
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
        (SOURCE, spec.source_identifier.is_some()),
    ];
    let mut problems: Vec<SpecProblem> = declared
        .iter()
        .filter(|(_, is_declared)| *is_declared)
        .skip(1)
        .map(|(field, _)| {
            SpecProblem::new(
                *field,
                "a pack has one template",
                "keep one of template_body, template_s3_uri, template_ssm_document and source_identifier",
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
    let is_of_aws = spec.source_identifier.is_some();
    let longest = if is_of_aws { LONGEST_VALUE_OF_AWS } else { LONGEST_VALUE };
    let mut problems = Vec::new();
    let mut problem = |message: String, help: String| {
        problems.push(SpecProblem::new("input_parameters", message, help));
    };
    let Some(parameters) = &spec.input_parameters else { return problems };
    if !is_of_aws && parameters.len() > MOST_PARAMETERS {
        problem(
            format!("{} parameters are more than AWS takes", parameters.len()),
            format!("a pack with a template has up to {MOST_PARAMETERS}"),
        );
    }
    for (name, value) in parameters {
        if name.chars().count() > LONGEST_NAME {
            problem(
                format!("the name {name:?} is too long"),
                format!("names have up to {LONGEST_NAME} characters"),
            );
        }
        if value.chars().count() > longest {
            problem(
                format!("the value of {name:?} is too long"),
                format!("values have up to {longest} characters"),
            );
        }
    }
    problems
}

/// What packs of AWS have and others have not, and the other way round.
fn of_one_sort(spec: &Spec) -> Vec<SpecProblem> {
    let is_of_aws = spec.source_identifier.is_some();
    let has_template = spec.template_body.is_some()
        || spec.template_s3_uri.is_some()
        || spec.template_ssm_document.is_some();
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let fields = [
        ("delivery_s3_bucket", is_of_aws && is_set(&spec.delivery_s3_bucket)),
        ("delivery_s3_key_prefix", is_of_aws && is_set(&spec.delivery_s3_key_prefix)),
        ("scope", has_template && spec.scope.as_ref().is_some_and(|one| one.tag_key.is_some())),
    ];
    let wrong = fields.into_iter().filter(|(_, is_wrong)| *is_wrong);
    wrong
        .map(|(field, _)| {
            let message = if is_of_aws {
                "a pack of AWS has none"
            } else {
                "AWS takes it for packs of its own alone (source_identifier)"
            };
            SpecProblem::new(field, message, "leave it out")
        })
        .collect()
}
