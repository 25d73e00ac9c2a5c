//! What a baseline asks of event data stores, and what is observed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observe::{Federation, Status};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::cloudtrail::trail::selectors::AdvancedEventSelector;

/// The event data stores of CloudTrail Lake in a Region: who did what, kept where it can be queried.
///
/// evenkeel only reports: a store is paid for by what it takes in and keeps, and people decide on it. Every
/// `require_…`, and the shortest time of keeping, is asked of every store that is there; a store that is about
/// to be deleted is asked whether it takes in events, and nothing else. Whether a store is there at all is asked
/// with `expected_stores`. Most accounts keep their events in a trail (`cloudtrail.trail`), and need no store.
///
/// A store of all Regions is at home in one: declare the item with `regions = "home"`, or where the stores are.
/// One of the organization is seen in its management account, or in that of the delegated administrator.
///
/// Source: CloudTrail API Reference, `ListEventDataStores`, `GetEventDataStore`, `CreateEventDataStore`;
/// CloudTrail User Guide, "CloudTrail Lake event data stores".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The stores that must be there, by name. One that is not, or is about to be deleted, is a finding.
    pub expected_stores: Option<BTreeMap<String, Expected>>,
    /// For how many days each store keeps events at least, 7 to 3653. AWS's default is 366, or 2557 by
    /// the way of billing.
    #[schemars(range(min = 7, max = 3653))]
    pub min_retention_period: Option<u32>,
    /// Whether a store that can be deleted is a finding. AWS's default is protection.
    pub require_termination_protection: Option<bool>,
    /// Whether a store is a finding that is not encrypted with a KMS key of one's own. AWS's default is a
    /// key of CloudTrail's.
    pub require_kms_key: Option<bool>,
    /// Whether a store that takes in the events of its own Region alone is a finding.
    pub require_multi_region: Option<bool>,
    /// Whether a store is a finding that does not take in the events of all accounts of the organization.
    pub require_organization: Option<bool>,
    /// Whether a store that takes in nothing is a finding: stopped, or about to be deleted.
    pub require_ingestion: Option<bool>,
    /// Whether it is a finding when no store that takes in events takes in every management event, reads
    /// and writes, of every source.
    pub record_all_management_events: Option<bool>,
    /// Whether a store may be queried through Amazon Athena, too (federation): whom that lets in, AWS Lake
    /// Formation decides.
    pub allow_federation: Option<bool>,
}

/// A store that must be there.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Which events it takes in; whichever, if it is not declared. Selectors that mean the same are the same.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    for (name, expected) in spec.expected_stores.iter().flatten() {
        for (place, selector) in expected.advanced_event_selectors.iter().flatten().enumerate() {
            for condition in selector.field_selectors.iter().filter(|one| one.has_no_operator()) {
                problems.push(SpecProblem::new(
                    format!("expected_stores.{name}.advanced_event_selectors[{place}]"),
                    format!("the condition on {} says nothing", condition.field),
                    "add equals, starts_with, ends_with, or one of not_…, with values",
                ));
            }
        }
    }
    problems
}

/// What was observed: the stores by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// All that are there.
    pub stores: BTreeMap<String, Store>,
}

/// An event data store.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Store {
    pub status: Status,
    pub retention_period: u32,
    pub termination_protection: bool,
    pub multi_region: bool,
    pub organization: bool,
    pub federation: Federation,
    /// The KMS key, of one that has one.
    #[serde(default)]
    pub kms_key_id: Option<String>,
    pub advanced_event_selectors: Vec<AdvancedEventSelector>,
}

/// Samples, which together declare every field.
pub const SAMPLES: [&str; 2] = [
    r#"
[cloudtrail.event_data_stores]
expected_stores                = {}
min_retention_period           = 366
require_termination_protection = true
require_kms_key                = true
require_multi_region           = true
require_organization           = true
require_ingestion              = true
record_all_management_events   = false
allow_federation               = false
"#,
    r#"
[cloudtrail.event_data_stores]
min_retention_period           = 90
require_termination_protection = false
require_kms_key                = false
require_multi_region           = false
require_organization           = false
require_ingestion              = false
record_all_management_events   = true
allow_federation               = true

[[cloudtrail.event_data_stores.expected_stores.audit.advanced_event_selectors]]
name            = "Writes of S3"
field_selectors = [
    { field = "eventCategory", equals = ["Data"] },
    { field = "resources.type", equals = ["AWS::S3::Object"] },
    { field = "eventName", starts_with = ["Put"], not_starts_with = ["PutObjectTagging"] },
    { field = "resources.ARN", ends_with = ["/log"], not_ends_with = ["/x/log"] },
    { field = "readOnly", not_equals = ["true"] },
]
"#,
];
