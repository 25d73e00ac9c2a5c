//! What a declaration of AWS Config must fulfil that the schema cannot say.

use std::collections::BTreeSet;

use super::spec::{Frequency, Spec, Strategy};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::s3::bucket::name;
use crate::names::is_arn;

/// Types that AWS records continuously, whatever is asked for (AWS Config API Reference,
/// `RecordingModeOverride`).
const NEVER_DAILY: [&str; 3] = [
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::ConformancePackCompliance",
    "AWS::Config::ResourceCompliance",
];

/// The text of a field, when it is declared and not "".
fn set(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: String, help: &str| {
        problems.push(SpecProblem::new(field, message, help));
    };
    let all = spec.strategy.is_none_or(|strategy| strategy == Strategy::All);
    let listed = spec.resource_types.as_ref().is_some_and(|types| !types.is_empty());
    if listed && all {
        problem(
            "resource_types",
            "a list of types has no effect when all types are recorded".to_owned(),
            "set strategy to INCLUSION_BY_RESOURCE_TYPES or EXCLUSION_BY_RESOURCE_TYPES",
        );
    }
    if !listed && !all {
        problem(
            "strategy",
            "this strategy needs a list of types".to_owned(),
            "declare resource_types",
        );
    }
    if spec.include_global_resource_types.is_some() && !all {
        problem(
            "include_global_resource_types",
            "this counts only when all types are recorded".to_owned(),
            "leave it out, and name the IAM types in resource_types",
        );
    }
    let overridden = spec.recording_overrides.iter().flatten();
    let lists = [
        ("resource_types", spec.resource_types.iter().flatten().collect::<BTreeSet<_>>()),
        ("recording_overrides", overridden.clone().flat_map(|one| &one.resource_types).collect()),
    ];
    for (field, types) in lists {
        for name in types.into_iter().filter(|name| !is_type(name)) {
            problem(
                field,
                format!("{name:?} is not the name of a resource type"),
                "write it as Config does: AWS::EC2::Instance",
            );
        }
    }
    let daily = overridden.filter(|one| one.recording_frequency == Frequency::Daily);
    for name in daily.flat_map(|one| &one.resource_types) {
        if NEVER_DAILY.contains(&name.as_str()) {
            problem(
                "recording_overrides",
                format!("AWS cannot record {name} once a day"),
                "leave it out: it is always recorded continuously",
            );
        }
    }
    for (field, text, example) in wrong_arns(spec) {
        problem(field, format!("{text:?} is not such an ARN"), &format!("write {example}"));
    }
    if spec.s3_bucket_name.as_deref() == Some("") {
        problem(
            "s3_bucket_name",
            "a channel needs a bucket".to_owned(),
            "name the bucket, or leave the field out",
        );
    }
    let bucket = spec.s3_bucket_name.as_deref();
    problems.extend(bucket.and_then(|text| name::named("s3_bucket_name", text)));
    problems
}

/// Texts in fields of ARNs that are none, with an example.
fn wrong_arns(spec: &Spec) -> Vec<(&'static str, &str, &'static str)> {
    let arns = [
        ("role_arn", &spec.role_arn, "iam", "role/", "arn:aws:iam::ACCOUNT:role/NAME"),
        (
            "s3_kms_key_arn",
            &spec.s3_kms_key_arn,
            "kms",
            "key/",
            "arn:aws:kms:REGION:ACCOUNT:key/ID",
        ),
        ("sns_topic_arn", &spec.sns_topic_arn, "sns", "", "arn:aws:sns:REGION:ACCOUNT:NAME"),
    ];
    let wrong = arns.into_iter().filter_map(|(field, text, service, resource, example)| {
        let text = set(text).filter(|text| !is_arn(text, service, resource))?;
        Some((field, text, example))
    });
    wrong.collect()
}

/// `AWS::SERVICE::TYPE`; Config knows types of others too, in the same form.
fn is_type(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
