//! Rules between the fields of a bucket's spec.

use std::collections::BTreeSet;

use super::lifecycle::{Expiration, Rule, StorageClass, is_day};
use super::spec::{Service, Spec};
use super::{encryption, logging, name, object_lock, statements};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::{merged, tags};
use crate::policy_document::PolicyKind;

/// The only Region that ever took names of another form.
const LEGACY_REGION: &str = "us-east-1";
/// S3 keeps objects for this long before they may move to infrequent access.
const DAYS_BEFORE_IA: i32 = 30;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.prevent_destroy == Some(false) {
        problems.push(SpecProblem::new(
            "prevent_destroy",
            "evenkeel never deletes a bucket",
            "leave this out",
        ));
    }
    if let Some(problem) = name::problem(&spec.bucket)
        && spec.region.as_deref().is_some_and(|region| region != LEGACY_REGION)
    {
        problems.push(SpecProblem::new(
            "bucket",
            problem,
            "only us-east-1 has old buckets with other names",
        ));
    }
    let logs = spec.access_log_bucket.as_deref();
    problems.extend(logs.and_then(|logs| name::named("access_log_bucket", logs)));
    encryption::check(spec, &mut problems);
    object_lock::check(spec, &mut problems);
    logging::check(spec, &mut problems);
    if (spec.source_accounts.is_some() || spec.organization_id.is_some()) && spec.services.is_none()
    {
        let field =
            if spec.source_accounts.is_some() { "source_accounts" } else { "organization_id" };
        problems.push(SpecProblem::new(
            field,
            "this has no effect without services",
            "declare services",
        ));
    }
    prefixes(spec, &mut problems);
    let records_trails =
        spec.services.as_ref().is_some_and(|services| services.contains(&Service::Cloudtrail));
    if spec.organization_id.is_some() && spec.services.is_some() && !records_trails {
        problems.push(SpecProblem::new(
            "organization_id",
            "only the service cloudtrail delivers for an organization",
            "leave it out, or add \"cloudtrail\" to services",
        ));
    }
    if spec.transition_default_minimum_object_size.is_some()
        && spec.lifecycle.as_ref().is_some_and(Vec::is_empty)
    {
        problems.push(SpecProblem::new(
            "transition_default_minimum_object_size",
            "without lifecycle rules there is no minimum size",
            "leave it out, or declare rules",
        ));
    }
    let mut ids = BTreeSet::new();
    for (index, rule) in spec.lifecycle.iter().flatten().enumerate() {
        lifecycle_rule(index, rule, &mut problems);
        if let Some(id) = rule.id.as_ref().filter(|id| !ids.insert(id.as_str())) {
            problems.push(SpecProblem::new(
                format!("lifecycle[{index}].id"),
                format!("two rules have the id {id:?}"),
                "give each rule an id of its own",
            ));
        }
    }
    bucket_policy(spec, &mut problems);
    problems.extend(tags::S3.check(spec.tags.as_ref()));
    problems
}

/// Prefixes of services that are not let in, and such that no service would write below.
fn prefixes(spec: &Spec, problems: &mut Vec<SpecProblem>) {
    for (service, prefix) in spec.service_prefixes.iter().flatten() {
        let word = serde_json::to_value(service).ok();
        let word = word.as_ref().and_then(|word| word.as_str()).unwrap_or_default();
        let field = format!("service_prefixes.{word}");
        if !spec.services.as_ref().is_some_and(|services| services.contains(service)) {
            problems.push(SpecProblem::new(
                &field,
                format!("{word} is not among the services, so that this has no effect"),
                format!("add {word:?} to services, or leave it out"),
            ));
        }
        let is_folder = *service != Service::S3AccessLogs;
        if prefix.contains(['*', '?']) || prefix.contains("${") {
            problems.push(SpecProblem::new(
                &field,
                format!("{prefix:?} would mean more than one prefix in the policy"),
                "write the prefix itself, without *, ? and ${",
            ));
        } else if is_folder && (prefix.starts_with('/') || prefix.ends_with('/')) {
            problems.push(SpecProblem::new(
                &field,
                format!("the / between {prefix:?} and what follows is put there"),
                format!("write {:?}", prefix.trim_matches('/')),
            ));
        } else if is_folder && prefix.contains("AWSLogs") {
            // CloudTrail, ELB and others put it there themselves, and refuse it in a prefix.
            problems.push(SpecProblem::new(
                &field,
                "AWSLogs/ follows the prefix, and is put there",
                "write what stands before AWSLogs/ alone",
            ));
        }
    }
}

/// What S3 would refuse of the statements that will be required, those of evenkeel's own making
/// among them.
fn bucket_policy(spec: &Spec, problems: &mut Vec<SpecProblem>) {
    // Of whom and where the statements speak makes no difference here.
    let required = statements::required("aws", "000000000000", spec);
    problems.extend(merged::refused(required, PolicyKind::Bucket, "bucket"));
}

fn lifecycle_rule(index: usize, rule: &Rule, problems: &mut Vec<SpecProblem>) {
    let place = format!("lifecycle[{index}]");
    let nothing = rule.transitions.is_empty()
        && rule.expiration.is_none()
        && rule.noncurrent_version_transitions.is_empty()
        && rule.noncurrent_version_expiration.is_none()
        && rule.abort_incomplete_multipart_upload.is_none();
    if nothing {
        problems.push(SpecProblem::new(
            &place,
            "this rule does nothing",
            "add transitions, expiration or another of the five actions",
        ));
    }
    for transition in &rule.transitions {
        if transition.days.is_some() == transition.date.is_some() {
            problems.push(SpecProblem::new(
                &place,
                "a transition needs either days or a date",
                "give one of the two",
            ));
        }
        let is_ia =
            matches!(transition.storage_class, StorageClass::StandardIa | StorageClass::OnezoneIa);
        let least = if is_ia { DAYS_BEFORE_IA } else { 0 };
        if transition.days.is_some_and(|days| days < least) {
            problems.push(SpecProblem::new(
                &place,
                format!(
                    "objects move to {} after {least} days at the earliest",
                    transition.storage_class.as_str()
                ),
                "raise the days",
            ));
        }
    }
    if let Some(expiration) = &rule.expiration {
        self::expiration(&place, expiration, problems);
    }
    ages(&place, rule, problems);
    let marks = rule
        .expiration
        .as_ref()
        .is_some_and(|expiration| expiration.expired_object_delete_marker == Some(true));
    if !rule.filter.tags.is_empty() && (marks || rule.abort_incomplete_multipart_upload.is_some()) {
        problems.push(SpecProblem::new(
            &place,
            "neither marks of deleted objects nor unfinished uploads have tags to filter by",
            "put them into a rule of their own",
        ));
    }
}

fn expiration(place: &str, expiration: &Expiration, problems: &mut Vec<SpecProblem>) {
    let (days, date) = (expiration.days.is_some(), expiration.date.is_some());
    match (days || date, expiration.expired_object_delete_marker) {
        (true, Some(true)) => problems.push(SpecProblem::new(
            place,
            "expired_object_delete_marker cannot stand beside days or a date",
            "put it into a rule of its own",
        )),
        (false, None | Some(false)) => problems.push(SpecProblem::new(
            place,
            "this expiration says nothing",
            "give days or a date, or set expired_object_delete_marker = true",
        )),
        (true, None | Some(false)) | (false, Some(true)) => {}
    }
    if days && date {
        problems.push(SpecProblem::new(
            place,
            "an expiration needs either days or a date",
            "give one of the two",
        ));
    }
}

/// Days and dates, which S3 does not mix, in the order in which objects grow old.
fn ages(place: &str, rule: &Rule, problems: &mut Vec<SpecProblem>) {
    let dates: Vec<&str> = (rule.transitions.iter().filter_map(|one| one.date.as_deref()))
        .chain(rule.expiration.iter().filter_map(|one| one.date.as_deref()))
        .collect();
    if dates.iter().any(|date| !is_day(date)) {
        problems.push(SpecProblem::new(place, "a date is a day", "write it as \"2030-01-31\""));
    }
    let days = rule.transitions.iter().filter_map(|one| one.days);
    let last = days.clone().max();
    let expires = rule.expiration.as_ref().and_then(|one| one.days);
    if !dates.is_empty() && (last.is_some() || expires.is_some()) {
        problems.push(SpecProblem::new(
            place,
            "a rule has days or dates, not both",
            "make two rules",
        ));
    }
    if let (Some(last), Some(expires)) = (last, expires)
        && expires <= last
    {
        problems.push(SpecProblem::new(
            place,
            "objects are deleted before they move to other storage",
            "let them expire after the last transition",
        ));
    }
    let kept = (rule.noncurrent_version_transitions.iter())
        .filter_map(|one| one.newer_noncurrent_versions)
        .chain(
            rule.noncurrent_version_expiration
                .iter()
                .filter_map(|one| one.newer_noncurrent_versions),
        );
    if kept.into_iter().any(|kept| !(1..=100).contains(&kept)) {
        problems.push(SpecProblem::new(
            place,
            "1 to 100 former versions can be kept",
            "change the number",
        ));
    }
    if rule.noncurrent_version_transitions.iter().any(|one| one.noncurrent_days < 0)
        || rule.filter.object_size_greater_than.is_some_and(|size| size < 0)
        || rule.filter.object_size_less_than.is_some_and(|size| size < 1)
    {
        problems.push(SpecProblem::new(
            place,
            "a number is too small",
            "neither days nor sizes are below zero",
        ));
    }
}
