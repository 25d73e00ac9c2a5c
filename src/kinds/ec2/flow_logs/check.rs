//! What AWS would refuse, whatever is in the account.

use super::spec::{LogDestinationType, Spec};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::ec2::vpcs;
use crate::names::{Arn, is_arn};

/// Everything that is wrong with a spec.
pub fn problems(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let to = LogDestinationType::of(&spec.log_destination);
    problems.extend(destination(spec, to));
    problems.extend(role(spec, to));
    problems.extend(files(spec, to));
    if let Some(seconds) = spec.max_aggregation_interval.filter(|one| ![60, 600].contains(one)) {
        problems.push(SpecProblem::new(
            "max_aggregation_interval",
            format!("flow logs know no interval of {seconds} seconds"),
            "write 60 or 600",
        ));
    }
    for (index, field) in spec.log_format.iter().flatten().enumerate() {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if field.is_empty() || !field.bytes().all(is_name) {
            problems.push(SpecProblem::new(
                format!("log_format[{index}]"),
                format!("{field:?} is no field of a record"),
                "write the names of the fields alone, such as [\"srcaddr\", \"dstaddr\"]",
            ));
        }
    }
    problems.extend(vpcs::problems(spec.exclude.as_deref().unwrap_or_default()));
    problems
}

fn destination(spec: &Spec, to: Option<LogDestinationType>) -> Option<SpecProblem> {
    let Some(to) = to else {
        return Some(SpecProblem::new(
            "log_destination",
            format!(
                "{:?} is no ARN of a bucket, a log group or a Firehose stream",
                spec.log_destination
            ),
            "such as \"arn:aws:s3:::flow-logs\" or \"arn:aws:logs:eu-west-1:111122223333:log-group:flow-logs\"",
        ));
    };
    // AWS makes a folder of this name itself (`CreateFlowLogs`, `LogDestination`).
    let folders = Arn::parse(&spec.log_destination).map(|arn| arn.resource.split('/').skip(1));
    if to == LogDestinationType::S3
        && folders.is_some_and(|mut all| all.any(|one| one == "AWSLogs"))
    {
        return Some(SpecProblem::new(
            "log_destination",
            "no folder of flow logs can be called AWSLogs: AWS makes one of that name in it",
            "leave it out, or name another folder",
        ));
    }
    let declared = spec.log_destination_type.filter(|declared| *declared != to)?;
    Some(SpecProblem::new(
        "log_destination_type",
        format!("log_destination is of {}, and not of {}", to.as_str(), declared.as_str()),
        format!("write \"{}\", or leave it out", to.as_str()),
    ))
}

fn role(spec: &Spec, to: Option<LogDestinationType>) -> Option<SpecProblem> {
    const FIELD: &str = "deliver_logs_permission_arn";
    match (to?, spec.deliver_logs_permission_arn.as_deref()) {
        (LogDestinationType::CloudWatchLogs, None) => Some(SpecProblem::new(
            "log_destination",
            "flow logs go to a log group by a role, and none is declared",
            format!("add {FIELD}"),
        )),
        (LogDestinationType::S3, Some(_)) => Some(SpecProblem::new(
            FIELD,
            "flow logs go to a bucket without a role, by the bucket's policy",
            "leave it out",
        )),
        (_, Some(arn)) if !is_arn(arn, "iam", "role/") => Some(SpecProblem::new(
            FIELD,
            format!("{arn:?} is no ARN of a role"),
            "such as \"arn:aws:iam::111122223333:role/flow-logs\"",
        )),
        _ => None,
    }
}

fn files(spec: &Spec, to: Option<LogDestinationType>) -> Vec<SpecProblem> {
    if to.is_none_or(|to| to == LogDestinationType::S3) {
        return Vec::new();
    }
    let fields = [
        ("file_format", spec.file_format.is_some()),
        ("hive_compatible_partitions", spec.hive_compatible_partitions.is_some()),
        ("per_hour_partition", spec.per_hour_partition.is_some()),
    ];
    let declared = fields.into_iter().filter(|(_, is_declared)| *is_declared);
    let problem =
        |(field, _)| SpecProblem::new(field, "only in a bucket are there files", "leave it out");
    declared.map(problem).collect()
}
