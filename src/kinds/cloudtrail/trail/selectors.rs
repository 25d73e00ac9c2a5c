//! Event selectors: which events a trail records. Lists whose order means nothing are sets, so
//! that equal selectors are equal.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::error::BuildError;
use aws_sdk_cloudtrail::types;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::{ObserveError, known, told};

/// Which of reads and writes.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ReadWriteType {
    /// Both.
    #[default]
    All,
    /// Reads.
    ReadOnly,
    /// Writes.
    WriteOnly,
}

/// A basic event selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSelector {
    /// Which of reads and writes; `All` by default.
    #[serde(default)]
    pub read_write_type: ReadWriteType,
    /// Whether management events are recorded; true by default.
    #[serde(default = "yes")]
    pub include_management_events: bool,
    /// The data events that are recorded.
    #[serde(default)]
    pub data_resources: BTreeSet<DataResource>,
    /// Sources whose management events are left out: `kms.amazonaws.com`, `rdsdata.amazonaws.com`.
    #[serde(default)]
    pub exclude_management_event_sources: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

/// Resources whose data events are recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataResource {
    /// `AWS::S3::Object`, `AWS::Lambda::Function` or `AWS::DynamoDB::Table`.
    #[serde(rename = "type")]
    pub kind: DataResourceType,
    /// ARNs or prefixes of them; `arn:aws:s3` is every bucket.
    pub values: BTreeSet<String>,
}

/// A type of resource that basic selectors know.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum DataResourceType {
    /// Objects in S3 buckets.
    #[serde(rename = "AWS::S3::Object")]
    S3Object,
    /// Lambda functions.
    #[serde(rename = "AWS::Lambda::Function")]
    LambdaFunction,
    /// DynamoDB tables.
    #[serde(rename = "AWS::DynamoDB::Table")]
    DynamoDbTable,
}

impl DataResourceType {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3Object => "AWS::S3::Object",
            Self::LambdaFunction => "AWS::Lambda::Function",
            Self::DynamoDbTable => "AWS::DynamoDB::Table",
        }
    }
}

/// An advanced event selector.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvancedEventSelector {
    /// A name for readers, up to 1000 characters; it means nothing.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub name: Option<String>,
    /// The conditions; an event must fulfil all.
    #[schemars(length(min = 1))]
    pub field_selectors: BTreeSet<FieldSelector>,
}

impl PartialEq for AdvancedEventSelector {
    fn eq(&self, other: &Self) -> bool {
        self.field_selectors == other.field_selectors
    }
}

/// A condition on a field of an event: it is one of `equals`, or starts or ends with one of the
/// values given for that, and nothing of what is `not_…` holds.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSelector {
    /// The field: `eventCategory`, `resources.type`, `readOnly`, `eventSource`, `eventName` …
    #[schemars(length(min = 1))]
    pub field: String,
    /// The field is one of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub equals: BTreeSet<String>,
    /// The field is none of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_equals: BTreeSet<String>,
    /// The field starts with one of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub starts_with: BTreeSet<String>,
    /// The field starts with none of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_starts_with: BTreeSet<String>,
    /// The field ends with one of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ends_with: BTreeSet<String>,
    /// The field ends with none of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_ends_with: BTreeSet<String>,
}

impl FieldSelector {
    /// The operators with their values.
    pub fn operators(&self) -> [(&'static str, &BTreeSet<String>); 6] {
        [
            ("equals", &self.equals),
            ("not_equals", &self.not_equals),
            ("starts_with", &self.starts_with),
            ("not_starts_with", &self.not_starts_with),
            ("ends_with", &self.ends_with),
            ("not_ends_with", &self.not_ends_with),
        ]
    }

    /// Whether it says nothing about the field.
    pub fn has_no_operator(&self) -> bool {
        self.operators().iter().all(|(_, values)| values.is_empty())
    }
}

/// A trail's selectors, of one sort or the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selectors {
    /// Basic ones.
    Basic(BTreeSet<EventSelector>),
    /// Advanced ones.
    Advanced(Vec<AdvancedEventSelector>),
}

impl Selectors {
    /// What a trail has when nobody set any: all management events.
    pub fn default_selector() -> Self {
        Self::Basic(BTreeSet::from([EventSelector {
            read_write_type: ReadWriteType::All,
            include_management_events: true,
            data_resources: BTreeSet::new(),
            exclude_management_event_sources: BTreeSet::new(),
        }]))
    }

    /// As AWS stores them: no selectors are the default one, and every bucket has one spelling.
    pub fn normal(self) -> Self {
        match self {
            Self::Basic(list) if list.is_empty() => Self::default_selector(),
            Self::Advanced(list) if list.is_empty() => Self::default_selector(),
            Self::Basic(list) => Self::Basic(list.into_iter().map(one_spelling).collect()),
            Self::Advanced(mut list) => {
                list.sort_by(|left, right| left.field_selectors.cmp(&right.field_selectors));
                Self::Advanced(list)
            }
        }
    }
}

/// `arn:aws:s3` and `arn:aws:s3:::` both mean every bucket.
fn one_spelling(mut selector: EventSelector) -> EventSelector {
    selector.data_resources = selector
        .data_resources
        .into_iter()
        .map(|mut resource| {
            resource.values = resource
                .values
                .into_iter()
                .map(|value| value.strip_suffix(":::").map(str::to_owned).unwrap_or(value))
                .collect();
            resource
        })
        .collect();
    selector
}

fn set(list: &[String]) -> BTreeSet<String> {
    list.iter().cloned().collect()
}

/// Reads a basic selector.
pub fn read_basic(selector: &types::EventSelector) -> Result<EventSelector, ObserveError> {
    Ok(EventSelector {
        read_write_type: known(
            "ReadWriteType",
            told("ReadWriteType", selector.read_write_type())?.as_str(),
        )?,
        include_management_events: told(
            "IncludeManagementEvents",
            selector.include_management_events(),
        )?,
        data_resources: selector
            .data_resources()
            .iter()
            .map(|resource| {
                Ok(DataResource {
                    kind: known(
                        "DataResource.Type",
                        told("DataResource.Type", resource.r#type())?,
                    )?,
                    values: set(resource.values()),
                })
            })
            .collect::<Result<_, ObserveError>>()?,
        exclude_management_event_sources: set(selector.exclude_management_event_sources()),
    })
}

/// Reads an advanced selector.
///
/// # Errors
/// A condition has no operator that is known here: it would hold for every event.
pub fn read_advanced(
    selector: &types::AdvancedEventSelector,
) -> Result<AdvancedEventSelector, ObserveError> {
    let conditions = selector.field_selectors().iter().map(|condition| {
        let read = FieldSelector {
            field: condition.field().to_owned(),
            equals: set(condition.equals()),
            not_equals: set(condition.not_equals()),
            starts_with: set(condition.starts_with()),
            not_starts_with: set(condition.not_starts_with()),
            ends_with: set(condition.ends_with()),
            not_ends_with: set(condition.not_ends_with()),
        };
        if read.has_no_operator() {
            return Err(ObserveError::Malformed {
                field: "FieldSelectors".to_owned(),
                problem: format!("the condition on {} has no operator that is known", read.field),
            });
        }
        Ok(read)
    });
    Ok(AdvancedEventSelector {
        name: selector.name().map(str::to_owned),
        field_selectors: conditions.collect::<Result<_, _>>()?,
    })
}

/// A basic selector for AWS.
pub fn send_basic(selector: &EventSelector) -> types::EventSelector {
    types::EventSelector::builder()
        .read_write_type(match selector.read_write_type {
            ReadWriteType::All => types::ReadWriteType::All,
            ReadWriteType::ReadOnly => types::ReadWriteType::ReadOnly,
            ReadWriteType::WriteOnly => types::ReadWriteType::WriteOnly,
        })
        .include_management_events(selector.include_management_events)
        .set_data_resources(Some(
            selector
                .data_resources
                .iter()
                .map(|resource| {
                    types::DataResource::builder()
                        .r#type(resource.kind.as_str())
                        .set_values(Some(resource.values.iter().cloned().collect()))
                        .build()
                })
                .collect(),
        ))
        .set_exclude_management_event_sources(Some(
            selector.exclude_management_event_sources.iter().cloned().collect(),
        ))
        .build()
}

/// An advanced selector for AWS.
///
/// # Errors
/// A required member is missing; the schema of the spec rules that out.
pub fn send_advanced(
    selector: &AdvancedEventSelector,
) -> Result<types::AdvancedEventSelector, BuildError> {
    let conditions = selector
        .field_selectors
        .iter()
        .map(|condition| {
            let list = |values: &BTreeSet<String>| {
                (!values.is_empty()).then(|| values.iter().cloned().collect::<Vec<_>>())
            };
            types::AdvancedFieldSelector::builder()
                .field(&condition.field)
                .set_equals(list(&condition.equals))
                .set_not_equals(list(&condition.not_equals))
                .set_starts_with(list(&condition.starts_with))
                .set_not_starts_with(list(&condition.not_starts_with))
                .set_ends_with(list(&condition.ends_with))
                .set_not_ends_with(list(&condition.not_ends_with))
                .build()
        })
        .collect::<Result<Vec<_>, _>>()?;
    types::AdvancedEventSelector::builder()
        .set_name(selector.name.clone())
        .set_field_selectors(Some(conditions))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_selectors_are_the_default_one() {
        assert_eq!(Selectors::Basic(BTreeSet::new()).normal(), Selectors::default_selector());
        assert_eq!(Selectors::Advanced(Vec::new()).normal(), Selectors::default_selector());
    }

    #[test]
    fn every_bucket_has_one_spelling() {
        let selector = |value: &str| {
            Selectors::Basic(BTreeSet::from([EventSelector {
                read_write_type: ReadWriteType::All,
                include_management_events: true,
                data_resources: BTreeSet::from([DataResource {
                    kind: DataResourceType::S3Object,
                    values: BTreeSet::from([value.to_owned()]),
                }]),
                exclude_management_event_sources: BTreeSet::new(),
            }]))
            .normal()
        };
        assert_eq!(selector("arn:aws:s3"), selector("arn:aws:s3:::"));
        assert_ne!(selector("arn:aws:s3"), selector("arn:aws:s3:::bucket/"));
    }

    #[test]
    fn the_name_of_an_advanced_selector_means_nothing() {
        let named = |name: &str| AdvancedEventSelector {
            name: Some(name.to_owned()),
            field_selectors: BTreeSet::from([FieldSelector {
                field: "eventCategory".to_owned(),
                equals: BTreeSet::from(["Management".to_owned()]),
                ..FieldSelector::default()
            }]),
        };
        assert_eq!(named("a"), named("Management events selector"));
    }
}
