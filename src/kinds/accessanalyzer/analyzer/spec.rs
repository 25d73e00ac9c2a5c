//! What is declared of an analyzer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::archive_rules::Filter;
use crate::kinds::Charge;
use crate::kinds::spec::aws_enum;

/// An analyzer of IAM Access Analyzer: who has access to resources from outside (`ACCOUNT`,
/// `ORGANIZATION`), who has access to important ones inside (`…_INTERNAL_ACCESS`), and which access of
/// IAM users and roles nobody uses (`…_UNUSED_ACCESS`).
///
/// An account has one analyzer of each of its types in a Region: one that is there under another name is
/// kept as if it had the declared one. evenkeel makes an analyzer that is not there, and never deletes
/// one, for its findings would go with it. Analyzers that other services made for themselves are left
/// alone. External access is looked for in each Region, and free; unused access is the same in all
/// Regions and paid for in each, so declare it with `regions = "home"`.
///
/// Analyzers of an organization are made in its management account, or in the delegated administrator
/// of `access-analyzer.amazonaws.com`. In another account, or where evenkeel cannot see which it is, the
/// object is unknown and nothing is written.
///
/// Source: IAM Access Analyzer API Reference, `CreateAnalyzer`, `UpdateAnalyzer`, `CreateArchiveRule`;
/// IAM User Guide, "IAM Access Analyzer quotas".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The name of an analyzer that is made: a letter or `_`, then letters, digits, `_`, `.`, `-`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z_][A-Za-z0-9_.\-]*$"))]
    pub analyzer_name: String,
    /// What it looks for, and where; chosen when it is made.
    #[serde(rename = "type")]
    pub of_type: AnalyzerType,
    /// For how many days access must not have been used to be found; for unused access. AWS's default
    /// is 90.
    #[schemars(range(min = 1, max = 365))]
    pub unused_access_age: Option<u32>,
    /// All users and roles in which unused access is not looked for; [] for none.
    pub exclusions: Option<BTreeSet<Exclusion>>,
    /// All resources to which internal access is looked for; for internal access. Nothing is looked for
    /// without any.
    pub inclusions: Option<BTreeSet<Inclusion>>,
    /// All rules that archive findings by themselves, by name: the criteria, each of which must match.
    /// {} for none, so that a rule that hides findings is taken away.
    pub archive_rules: Option<BTreeMap<String, Filter>>,
    /// All tags of the analyzer; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Spec {
    /// An analyzer of which nothing else is declared.
    pub fn named(name: &str, of_type: AnalyzerType) -> Self {
        Self {
            analyzer_name: name.to_owned(),
            of_type,
            unused_access_age: None,
            exclusions: None,
            inclusions: None,
            archive_rules: None,
            tags: None,
        }
    }
}

aws_enum! {
    /// The type of an analyzer.
    AnalyzerType {
        Account = "ACCOUNT",
        Organization = "ORGANIZATION",
        AccountUnusedAccess = "ACCOUNT_UNUSED_ACCESS",
        OrganizationUnusedAccess = "ORGANIZATION_UNUSED_ACCESS",
        AccountInternalAccess = "ACCOUNT_INTERNAL_ACCESS",
        OrganizationInternalAccess = "ORGANIZATION_INTERNAL_ACCESS",
    }
}

impl AnalyzerType {
    /// Whether it analyzes a whole organization.
    pub fn is_of_organization(self) -> bool {
        self.as_str().starts_with("ORGANIZATION")
    }

    /// Whether it looks for access that nobody uses.
    pub fn is_unused(self) -> bool {
        self.as_str().ends_with("_UNUSED_ACCESS")
    }

    /// Whether it looks for access inside.
    pub fn is_internal(self) -> bool {
        self.as_str().ends_with("_INTERNAL_ACCESS")
    }

    /// Whether a Region has at most one of it. Source: IAM User Guide, "IAM Access Analyzer quotas".
    pub fn is_single(self) -> bool {
        !self.is_of_organization() || self.is_internal()
    }

    /// What AWS charges for it by, if it does. Source: IAM Access Analyzer pricing.
    pub fn cost(self) -> Option<(&'static str, Charge)> {
        if self.is_unused() {
            let words = "AWS charges for every IAM role and user that it analyzes, each month, and in each Region with such an analyzer again";
            Some((words, Charge::UnusedAccess))
        } else if self.is_internal() {
            Some((
                "AWS charges for every resource that it looks at, each month",
                Charge::InternalAccess,
            ))
        } else {
            None
        }
    }
}

/// Users and roles in which unused access is not looked for: those for which all that is given holds.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Exclusion {
    /// Those of these accounts; for analyzers of an organization.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub account_ids: BTreeSet<String>,
    /// Those with all tags of one of these sets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub resource_tags: BTreeSet<BTreeMap<String, String>>,
}

/// Resources to which internal access is looked for: those for which all that is given holds.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Inclusion {
    /// Those of these accounts; for analyzers of an organization.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub account_ids: BTreeSet<String>,
    /// Those of these types, such as `AWS::S3::Bucket`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub resource_types: BTreeSet<String>,
    /// These alone, by ARN.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub resource_arns: BTreeSet<String>,
}

pub const SAMPLES: [&str; 2] = [
    r#"
[accessanalyzer.analyzer.external]
type = "ACCOUNT"
tags = { team = "security", purpose = "audit" }

[accessanalyzer.analyzer.external.archive_rules]
our-other-account = { "principal.AWS" = { eq = ["444455556666"] }, isPublic = { eq = ["false"] } }
not-of-this-team  = { resource = { contains = ["sandbox"] } }

[accessanalyzer.analyzer.unused]
analyzer_name     = "unused-access"
type              = "ACCOUNT_UNUSED_ACCESS"
unused_access_age = 90
exclusions        = [{ resource_tags = [{ purpose = "break-glass" }, { team = "security" }] }]

[accessanalyzer.analyzer.internal]
type       = "ACCOUNT_INTERNAL_ACCESS"
inclusions = [{ resource_types = ["AWS::S3::Bucket", "AWS::KMS::Key"] }, { resource_arns = ["arn:${partition}:s3:::audit-${account.id}"] }]
"#,
    r#"
[accessanalyzer.analyzer.external]
type          = "ACCOUNT"
archive_rules = { our-other-account = { "principal.AWS" = { neq = ["111122223333"] }, error = { exists = false } } }
tags          = {}

[accessanalyzer.analyzer.unused]
analyzer_name     = "unused-access"
type              = "ACCOUNT_UNUSED_ACCESS"
unused_access_age = 45
exclusions        = []

[accessanalyzer.analyzer.internal]
type       = "ACCOUNT_INTERNAL_ACCESS"
inclusions = [{ resource_types = ["AWS::S3::Bucket"] }]
"#,
];
