//! What a declaration of a trail must fulfil that the schema cannot say: what CloudTrail would
//! refuse only when the plan has been reviewed and is applied.

use super::selectors::{AdvancedEventSelector, DataResourceType, FieldSelector};
use super::spec::Spec;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::named;
use crate::kinds::s3::bucket::name;
use crate::kinds::tags;
use crate::names::is_arn;

/// The sources that basic selectors can leave out, and advanced ones of a trail too.
const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
/// The fields for which CloudTrail takes `equals` alone.
const EQUALS_ONLY: [&str; 3] = ["eventCategory", "readOnly", "resources.type"];
/// Values of all conditions of a trail together.
const MOST_VALUES: usize = 500;
/// Resources of all basic selectors of a trail together.
const MOST_RESOURCES: usize = 250;

/// Collects what is wrong.
#[derive(Default)]
struct Problems(Vec<SpecProblem>);

impl Problems {
    fn add(&mut self, field: &str, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(SpecProblem::new(field, message, help));
    }
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Problems::default();
    let bucket = spec.s3_bucket_name.as_deref();
    problems.0.extend(bucket.and_then(|text| name::named("s3_bucket_name", text)));
    check_combinations(spec, &mut problems);
    check_texts(spec, &mut problems);
    check_promises(spec, &mut problems);
    check_basic(spec, &mut problems);
    check_advanced(spec, &mut problems);
    problems.0.extend(tags::CLOUDTRAIL.check(spec.tags.as_ref()));
    problems.0
}

fn check_combinations(spec: &Spec, problems: &mut Problems) {
    if spec.event_selectors.is_some() && spec.advanced_event_selectors.is_some() {
        problems.add(
            "advanced_event_selectors",
            "a trail has basic or advanced event selectors, never both",
            "keep one of event_selectors and advanced_event_selectors",
        );
    }
    if spec.is_multi_region_trail == Some(true) && spec.include_global_service_events == Some(false)
    {
        problems.add(
            "include_global_service_events",
            "a multi-Region trail always records global services",
            "leave it out, or set it to true",
        );
    }
    let empty = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
    if empty(&spec.cloud_watch_logs_log_group_arn) != empty(&spec.cloud_watch_logs_role_arn) {
        problems.add(
            "cloud_watch_logs_log_group_arn",
            "CloudTrail needs both a log group and a role to write to it",
            "declare cloud_watch_logs_log_group_arn and cloud_watch_logs_role_arn, or neither",
        );
    }
}

fn check_texts(spec: &Spec, problems: &mut Problems) {
    if spec.name.parse::<std::net::Ipv4Addr>().is_ok() {
        problems.add("name", "the name of a trail cannot look like an address", "use another name");
    }
    let set = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
    let key = spec.kms_key_id.as_deref().unwrap_or_default();
    problems.0.extend(named::wrong("kms_key_id", key, named::DELIVERY));
    if let Some(topic) = set(&spec.sns_topic_name).filter(|topic| !is_topic(topic)) {
        problems.add(
            "sns_topic_name",
            format!("{topic:?} is neither the name nor the ARN of an SNS topic"),
            "a name has letters, digits, _ and -; an ARN is arn:aws:sns:REGION:ACCOUNT:NAME",
        );
    }
    let group = set(&spec.cloud_watch_logs_log_group_arn);
    if let Some(group) = group.filter(|arn| !is_arn(arn, "logs", "log-group:")) {
        problems.add(
            "cloud_watch_logs_log_group_arn",
            format!("{group:?} is not the ARN of a log group"),
            "write arn:aws:logs:REGION:ACCOUNT:log-group:NAME",
        );
    }
    let role = set(&spec.cloud_watch_logs_role_arn);
    if let Some(role) = role.filter(|arn| !is_arn(arn, "iam", "role/")) {
        problems.add(
            "cloud_watch_logs_role_arn",
            format!("{role:?} is not the ARN of a role"),
            "write arn:aws:iam::ACCOUNT:role/NAME",
        );
    }
}

fn is_topic(text: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    text.bytes().all(named) || is_arn(text, "sns", "")
}

fn check_promises(spec: &Spec, problems: &mut Problems) {
    let Some(Ok(missing)) = spec.selectors().map(|selectors| selectors.missing()) else { return };
    if spec.forbid_excluded_sources == Some(true) && !missing.sources().is_empty() {
        problems.add(
            "forbid_excluded_sources",
            "the declared selectors leave out sources of management events, which this forbids",
            "take the exclusion out, or set forbid_excluded_sources = false",
        );
    }
    if spec.record_all_management_events == Some(true) && !missing.is_empty() {
        problems.add(
            "record_all_management_events",
            format!("the declared selectors do not record {}", missing.words().join("; ")),
            "add a selector for them, or set record_all_management_events = false",
        );
    }
}

fn check_basic(spec: &Spec, problems: &mut Problems) {
    let selectors = spec.event_selectors.iter().flatten();
    let mut resources = 0;
    for selector in selectors {
        for source in &selector.exclude_management_event_sources {
            if !EXCLUDABLE.contains(&source.as_str()) {
                problems.add(
                    "event_selectors",
                    format!("CloudTrail cannot leave out the management events of {source:?}"),
                    format!("it takes {}", EXCLUDABLE.join(" and ")),
                );
            }
        }
        for resource in &selector.data_resources {
            for value in &resource.values {
                resources += 1;
                if let Some(right) = right_spelling(resource.kind, value) {
                    problems.add(
                        "event_selectors",
                        format!(
                            "CloudTrail does not take {value:?} as a resource of the type {}",
                            resource.kind.as_str()
                        ),
                        format!("write {right}"),
                    );
                }
            }
        }
    }
    if resources > MOST_RESOURCES {
        problems.add(
            "event_selectors",
            format!("a trail takes {MOST_RESOURCES} data resources, and these are {resources}"),
            "name a whole service, such as arn:aws:s3, or use advanced_event_selectors",
        );
    }
}

/// What to write instead of a resource that CloudTrail refuses.
fn right_spelling(kind: DataResourceType, value: &str) -> Option<String> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let service = match kind {
        DataResourceType::S3Object => "s3",
        DataResourceType::LambdaFunction => "lambda",
        DataResourceType::DynamoDbTable => "dynamodb",
    };
    let partition = parts.get(1).filter(|part| part.starts_with("aws")).unwrap_or(&"aws");
    let every = format!("arn:{partition}:{service}");
    let example = match kind {
        DataResourceType::S3Object => format!("{every}:::BUCKET/"),
        DataResourceType::LambdaFunction => format!("{every}:REGION:ACCOUNT:function:NAME"),
        DataResourceType::DynamoDbTable => format!("{every}:REGION:ACCOUNT:table/NAME"),
    };
    let both = || Some(format!("{every:?} for all of them, or one as in {example:?}"));
    if value == every {
        return None;
    }
    if parts.first() != Some(&"arn") || parts.get(2) != Some(&service) {
        return both();
    }
    if value.contains('*') {
        // `arn:aws:s3:::bucket/*` is a prefix that somebody wrote as in a policy.
        let before = value.split('*').next().unwrap_or_default();
        return match kind {
            DataResourceType::S3Object if before.contains(":::") && before.ends_with('/') => {
                Some(format!("{before:?}, for values are beginnings"))
            }
            _ => both(),
        };
    }
    let resource = parts.get(5).copied().unwrap_or_default();
    match kind {
        // Every bucket, in the longer of the two spellings that CloudTrail takes.
        DataResourceType::S3Object if parts.len() == 6 && resource.is_empty() => None,
        DataResourceType::S3Object => match resource.split_once('/') {
            Some((bucket, _)) if !bucket.is_empty() => None,
            None if !resource.is_empty() => {
                Some(format!("{:?} for the whole bucket", format!("{value}/")))
            }
            _ => both(),
        },
        DataResourceType::LambdaFunction if is_arn(value, "lambda", "function:") => None,
        DataResourceType::DynamoDbTable if is_arn(value, "dynamodb", "table/") => None,
        DataResourceType::LambdaFunction | DataResourceType::DynamoDbTable => both(),
    }
}

fn check_advanced(spec: &Spec, problems: &mut Problems) {
    let selectors = spec.advanced_event_selectors.as_deref().unwrap_or_default();
    let mut values = 0;
    for (place, selector) in selectors.iter().enumerate() {
        let field = format!("advanced_event_selectors[{place}]");
        for condition in &selector.field_selectors {
            values += condition.operators().iter().map(|(_, values)| values.len()).sum::<usize>();
            check_condition(&field, condition, problems);
        }
        check_category(&field, selector, problems);
    }
    if values > MOST_VALUES {
        problems.add(
            "advanced_event_selectors",
            format!(
                "a trail takes {MOST_VALUES} values in all its conditions, and these are {values}"
            ),
            "use starts_with and ends_with in place of long lists",
        );
    }
}

fn check_condition(field: &str, condition: &FieldSelector, problems: &mut Problems) {
    if condition.has_no_operator() {
        problems.add(
            field,
            format!("the condition on {} has no values", condition.field),
            "give it values in equals, not_equals, starts_with, not_starts_with, ends_with or not_ends_with",
        );
    }
    let others = condition.operators().into_iter().skip(1).any(|(_, values)| !values.is_empty());
    if EQUALS_ONLY.contains(&condition.field.as_str()) && others {
        problems.add(
            field,
            format!("CloudTrail compares {} with equals alone", condition.field),
            format!("write {{ field = {:?}, equals = […] }}", condition.field),
        );
    }
    let is_boolean = |word: &String| ["true", "false"].contains(&word.as_str());
    if condition.field == "readOnly" && !condition.equals.iter().all(is_boolean) {
        problems.add(
            field,
            "readOnly is true or false",
            r#"write equals = ["true"] for reads, equals = ["false"] for writes"#,
        );
    }
    let mut values = condition.operators().into_iter().flat_map(|(_, values)| values);
    if let Some(value) = values.find(|value| value.contains('*')) {
        problems.add(
            field,
            format!("selectors know no wildcards: {value:?} means the character itself"),
            "use starts_with or ends_with",
        );
    }
}

fn check_category(field: &str, selector: &AdvancedEventSelector, problems: &mut Problems) {
    let condition = |name: &str| selector.field_selectors.iter().find(|one| one.field == name);
    let Some(category) = condition("eventCategory") else {
        problems.add(
            field,
            "an advanced event selector needs the field eventCategory",
            r#"add { field = "eventCategory", equals = ["Management"] }, or "Data", or "NetworkActivity""#,
        );
        return;
    };
    let words: Vec<&str> = category.equals.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["Data"] if condition("resources.type").is_none() => problems.add(
            field,
            "a selector of data events needs the field resources.type",
            r#"add { field = "resources.type", equals = ["AWS::S3::Object"] }, or another type"#,
        ),
        ["NetworkActivity"] if condition("eventSource").is_none() => problems.add(
            field,
            "a selector of network activity events needs the field eventSource",
            r#"add { field = "eventSource", equals = ["ec2.amazonaws.com"] }, or another source"#,
        ),
        ["Management"] => {
            let known = ["eventCategory", "eventSource", "readOnly"];
            let strange =
                selector.field_selectors.iter().find(|one| !known.contains(&one.field.as_str()));
            if let Some(strange) = strange {
                problems.add(
                    field,
                    format!("a trail cannot choose management events by {}", strange.field),
                    "it knows eventSource and readOnly",
                );
            }
        }
        ["Data" | "NetworkActivity"] => {}
        _ => problems.add(
            field,
            format!("{words:?} is not one category of events"),
            r#"write equals = ["Management"], ["Data"] or ["NetworkActivity"]"#,
        ),
    }
}
