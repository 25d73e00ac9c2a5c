//! Lifecycle rules as S3's API has them.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types;

use super::rule::{
    AbortIncompleteMultipartUpload, Expiration, Filter, NoncurrentVersionExpiration,
    NoncurrentVersionTransition, Rule, Status, StorageClass, Transition,
};
use crate::kinds::{ObserveError, WriteError, known, told};

/// A date as S3 keeps it, which is midnight UTC.
fn day(date: &DateTime) -> Result<String, ObserveError> {
    let malformed = |problem: String| ObserveError::Malformed { field: "Date".to_owned(), problem };
    let text = date.fmt(DateTimeFormat::DateTime).map_err(|error| malformed(error.to_string()))?;
    match text.split_once('T') {
        Some((day, "00:00:00Z")) => Ok(day.to_owned()),
        _ => Err(malformed(format!("{text} is not midnight"))),
    }
}

fn midnight(day: &str) -> Result<DateTime, WriteError> {
    DateTime::from_str(&format!("{day}T00:00:00Z"), DateTimeFormat::DateTime)
        .map_err(|error| WriteError::Unsendable(format!("{day:?} is no day: {error}")))
}

/// Whether a text is a day, `2030-01-01`.
pub fn is_day(text: &str) -> bool {
    midnight(text).is_ok()
}

/// Reads a rule.
#[allow(deprecated)] // Rules from before filters have their prefix beside them.
pub fn read(rule: &types::LifecycleRule) -> Result<Rule, ObserveError> {
    let class = |class: Option<&types::TransitionStorageClass>| {
        known("StorageClass", told("StorageClass", class)?.as_str())
    };
    let filter = match rule.filter() {
        None => {
            Filter { prefix: rule.prefix().unwrap_or_default().to_owned(), ..Filter::default() }
        }
        Some(filter) => read_filter(filter),
    };
    Ok(Rule {
        id: rule.id().map(str::to_owned),
        status: Some(known("Status", rule.status().as_str())?),
        filter,
        transitions: rule
            .transitions()
            .iter()
            .map(|transition| {
                Ok(Transition {
                    days: transition.days(),
                    date: transition.date().map(day).transpose()?,
                    storage_class: class(transition.storage_class())?,
                })
            })
            .collect::<Result<_, ObserveError>>()?,
        expiration: rule.expiration().map(read_expiration).transpose()?.flatten(),
        noncurrent_version_transitions: rule
            .noncurrent_version_transitions()
            .iter()
            .map(|transition| {
                Ok(NoncurrentVersionTransition {
                    noncurrent_days: told("NoncurrentDays", transition.noncurrent_days())?,
                    newer_noncurrent_versions: transition.newer_noncurrent_versions(),
                    storage_class: class(transition.storage_class())?,
                })
            })
            .collect::<Result<_, ObserveError>>()?,
        noncurrent_version_expiration: rule
            .noncurrent_version_expiration()
            .map(|expiration| {
                Ok::<_, ObserveError>(NoncurrentVersionExpiration {
                    noncurrent_days: told("NoncurrentDays", expiration.noncurrent_days())?,
                    newer_noncurrent_versions: expiration.newer_noncurrent_versions(),
                })
            })
            .transpose()?,
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_multipart_upload()
            .map(|abort| {
                let days = told("DaysAfterInitiation", abort.days_after_initiation())?;
                Ok::<_, ObserveError>(AbortIncompleteMultipartUpload {
                    days_after_initiation: days,
                })
            })
            .transpose()?,
    })
}

fn read_expiration(
    expiration: &types::LifecycleExpiration,
) -> Result<Option<Expiration>, ObserveError> {
    let expiration = Expiration {
        days: expiration.days(),
        date: expiration.date().map(day).transpose()?,
        expired_object_delete_marker: expiration.expired_object_delete_marker(),
    };
    Ok(expiration.normal())
}

fn read_filter(filter: &types::LifecycleRuleFilter) -> Filter {
    let (prefix, tags, greater, less) = match filter.and() {
        Some(and) => {
            (and.prefix(), and.tags(), and.object_size_greater_than(), and.object_size_less_than())
        }
        None => (
            filter.prefix(),
            filter.tag().map(std::slice::from_ref).unwrap_or_default(),
            filter.object_size_greater_than(),
            filter.object_size_less_than(),
        ),
    };
    Filter {
        prefix: prefix.unwrap_or_default().to_owned(),
        tags: tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
        object_size_greater_than: greater,
        object_size_less_than: less,
    }
}

/// A rule for AWS.
///
/// # Errors
/// A date is no day, or a required member is missing.
pub fn send(rule: &Rule) -> Result<types::LifecycleRule, WriteError> {
    let rule = rule.normal();
    let class = |class: StorageClass| types::TransitionStorageClass::from(class.as_str());
    let transitions: Vec<_> = rule
        .transitions
        .iter()
        .map(|transition| {
            Ok(types::Transition::builder()
                .set_days(transition.days)
                .set_date(transition.date.as_deref().map(midnight).transpose()?)
                .storage_class(class(transition.storage_class))
                .build())
        })
        .collect::<Result<_, WriteError>>()?;
    let noncurrent: Vec<_> = rule
        .noncurrent_version_transitions
        .iter()
        .map(|transition| {
            types::NoncurrentVersionTransition::builder()
                .noncurrent_days(transition.noncurrent_days)
                .set_newer_noncurrent_versions(transition.newer_noncurrent_versions)
                .storage_class(class(transition.storage_class))
                .build()
        })
        .collect();
    let expiration = match &rule.expiration {
        Some(expiration) => Some(
            types::LifecycleExpiration::builder()
                .set_days(expiration.days)
                .set_date(expiration.date.as_deref().map(midnight).transpose()?)
                .set_expired_object_delete_marker(expiration.expired_object_delete_marker)
                .build(),
        ),
        None => None,
    };
    let status = rule.status.unwrap_or(Status::Enabled);
    Ok(types::LifecycleRule::builder()
        .set_id(rule.id.clone())
        .status(types::ExpirationStatus::from(status.as_str()))
        .filter(send_filter(&rule.filter)?)
        .set_transitions((!transitions.is_empty()).then_some(transitions))
        .set_expiration(expiration)
        .set_noncurrent_version_transitions((!noncurrent.is_empty()).then_some(noncurrent))
        .set_noncurrent_version_expiration(rule.noncurrent_version_expiration.as_ref().map(
            |expiration| {
                types::NoncurrentVersionExpiration::builder()
                    .noncurrent_days(expiration.noncurrent_days)
                    .set_newer_noncurrent_versions(expiration.newer_noncurrent_versions)
                    .build()
            },
        ))
        .set_abort_incomplete_multipart_upload(rule.abort_incomplete_multipart_upload.as_ref().map(
            |abort| {
                types::AbortIncompleteMultipartUpload::builder()
                    .days_after_initiation(abort.days_after_initiation)
                    .build()
            },
        ))
        .build()?)
}

/// One condition stands alone; two or more need an `And`.
fn send_filter(filter: &Filter) -> Result<types::LifecycleRuleFilter, BuildError> {
    let tags: Vec<types::Tag> = filter
        .tags
        .iter()
        .map(|(key, value)| types::Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()?;
    let conditions = usize::from(!filter.prefix.is_empty())
        + tags.len()
        + usize::from(filter.object_size_greater_than.is_some())
        + usize::from(filter.object_size_less_than.is_some());
    let prefix = (!filter.prefix.is_empty()).then(|| filter.prefix.clone());
    if conditions > 1 {
        let and = types::LifecycleRuleAndOperator::builder()
            .set_prefix(prefix)
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_object_size_greater_than(filter.object_size_greater_than)
            .set_object_size_less_than(filter.object_size_less_than)
            .build();
        return Ok(types::LifecycleRuleFilter::builder().and(and).build());
    }
    let prefix = if conditions == 0 { Some(String::new()) } else { prefix };
    Ok(types::LifecycleRuleFilter::builder()
        .set_prefix(prefix)
        .set_tag(tags.into_iter().next())
        .set_object_size_greater_than(filter.object_size_greater_than)
        .set_object_size_less_than(filter.object_size_less_than)
        .build())
}
