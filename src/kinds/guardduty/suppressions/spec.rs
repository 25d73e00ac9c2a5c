//! What a baseline allows to hide findings, and what is observed.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What keeps findings of GuardDuty from being seen: filters that archive, and lists of what is trusted. Whoever
/// wants to stay unseen makes one.
///
/// evenkeel only reports: what should be hidden, people decide. What is allowed is named here, and everything else
/// that hides findings is a finding of its own. A filter that is allowed with its criteria is one, too, once it hides
/// something else; so is a list that is allowed with its location, once it comes from somewhere else. What stands in
/// the file at that location, evenkeel does not read.
///
/// A filter that archives nothing (`NOOP`) and a list that is not in use hide nothing. Without a detector there is
/// nothing to hide.
///
/// Source: GuardDuty API Reference, `ListFilters`, `GetFilter`, `ListIPSets`, `GetIPSet`, `ListTrustedEntitySets`,
/// `GetTrustedEntitySet`; GuardDuty User Guide, "Suppression rules in GuardDuty", "Customizing threat detection with
/// entity lists and IP address lists".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The filters that may archive findings, by name; {} for none.
    pub allowed_filters: Option<BTreeMap<String, AllowedFilter>>,
    /// The lists of trusted IP addresses, of which no finding is made, by name; {} for none.
    pub allowed_ip_sets: Option<BTreeMap<String, AllowedList>>,
    /// The lists of trusted entities, of which no finding is made, by name; {} for none.
    pub allowed_trusted_entity_sets: Option<BTreeMap<String, AllowedList>>,
}

/// A filter that may archive findings.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowedFilter {
    /// Which findings, by an attribute of theirs, such as `type` or `severity`; whichever, if it is not named. All
    /// conditions must hold.
    #[serde(default)]
    pub finding_criteria: Option<Criteria>,
}

/// Conditions by attribute.
pub type Criteria = BTreeMap<String, Condition>;

/// A condition on an attribute of a finding.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// It is one of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub equals: BTreeSet<String>,
    /// It is none of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_equals: BTreeSet<String>,
    /// It is like one of these, in which `*` and `?` stand for any text.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub matches: BTreeSet<String>,
    /// It is like none of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_matches: BTreeSet<String>,
    /// It is more than this.
    pub greater_than: Option<i64>,
    /// It is this or more.
    pub greater_than_or_equal: Option<i64>,
    /// It is less than this.
    pub less_than: Option<i64>,
    /// It is this or less.
    pub less_than_or_equal: Option<i64>,
}

/// A list that may be trusted.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowedList {
    /// The URL of its file; wherever, if it is not named.
    #[serde(default)]
    pub location: Option<String>,
}

/// Samples, which together declare every field.
pub const SAMPLES: [&str; 2] = [
    r#"
[guardduty.detector]
enable = true

[guardduty.suppressions]
allowed_filters             = {}
allowed_ip_sets             = {}
allowed_trusted_entity_sets = {}
"#,
    r#"
[guardduty.detector]
enable = true

[guardduty.suppressions]
allowed_ip_sets             = { offices = { location = "https://s3.amazonaws.com/trusted-${account.id}/offices.txt" } }
allowed_trusted_entity_sets = { partners = { location = "https://s3.amazonaws.com/trusted-${account.id}/partners.txt" } }

[guardduty.suppressions.allowed_filters.scanners.finding_criteria]
type                              = { equals = ["Recon:EC2/Portscan"], not_equals = ["Recon:EC2/PortProbeUnprotectedPort"] }
"resource.instanceDetails.imageId" = { matches = ["ami-*"], not_matches = ["ami-0abc*"] }
severity                          = { greater_than_or_equal = 1, less_than = 4 }
"service.count"                   = { greater_than = 0, less_than_or_equal = 100 }
"#,
];

/// A list of what is trusted, and in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trusted {
    /// Its name; AWS takes one twice.
    pub name: String,
    /// Where its file is.
    pub location: String,
}

/// What hides findings. What is not declared is not looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The criteria of the filters that archive, by name.
    pub filters: Option<BTreeMap<String, Criteria>>,
    /// Lists of addresses.
    pub ip_sets: Option<Vec<Trusted>>,
    /// Lists of entities.
    pub trusted_entity_sets: Option<Vec<Trusted>>,
}
