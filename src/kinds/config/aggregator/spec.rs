//! What is declared of an aggregator.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An aggregator: what AWS Config records and finds in several accounts and Regions, in one place.
///
/// It collects from accounts that are named (`account_aggregation_source`), each of which must let it in
/// by `config.aggregation_authorization`, or from the whole organization
/// (`organization_aggregation_source`), in its management account or in the delegated administrator of
/// `config.amazonaws.com`. Of these two AWS changes none into the other. A source from which Config
/// cannot collect, or has not for a while, is a finding: what happens there would not be seen here.
///
/// Aggregators of AWS services and of AWS Control Tower are reported and left alone. evenkeel makes an
/// aggregator that is not there, and deletes none. An aggregator costs nothing.
///
/// Source: AWS Config API Reference, `PutConfigurationAggregator`, `DescribeConfigurationAggregators`,
/// `DescribeConfigurationAggregatorSourcesStatus`; AWS Config Developer Guide, "Multi-Account Multi-Region
/// Data Aggregation".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The aggregator's name: letters, digits, `_` and `-`. It cannot be changed.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[\w\-]+$"))]
    pub configuration_aggregator_name: String,
    /// The accounts that it collects from; AWS replaces the list as a whole.
    pub account_aggregation_source: Option<AccountSource>,
    /// The organization that it collects from, accounts that join it later included.
    pub organization_aggregation_source: Option<OrganizationSource>,
    /// Which recorders it collects from; {} for all.
    pub aggregator_filters: Option<Filters>,
    /// All tags of the aggregator; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Accounts, and Regions of theirs: all, or some.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSource {
    /// The accounts.
    #[schemars(length(min = 1), inner(regex(pattern = r"^[0-9]{12}$")))]
    pub account_ids: BTreeSet<String>,
    /// All Regions that Config has, and those that it will have.
    #[serde(default)]
    pub all_aws_regions: bool,
    /// These Regions instead.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aws_regions: BTreeSet<String>,
}

/// The organization, and Regions of its accounts: all, or some.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSource {
    /// The role with which Config asks who is in the organization, by ARN: it trusts
    /// `config.amazonaws.com` and has the managed policy `AWSConfigRoleForOrganizations`.
    #[schemars(regex(pattern = r"^arn:[^:]+:iam::[0-9]{12}:role/.+$"))]
    pub role_arn: String,
    /// All Regions that Config has, and those that it will have.
    #[serde(default)]
    pub all_aws_regions: bool,
    /// These Regions instead.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aws_regions: BTreeSet<String>,
}

/// Recorders that are collected from, by what they record and whose they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// What they record: types of resources, such as `AWS::S3::Bucket`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(regex(
        pattern = r"^[a-zA-Z0-9]{2,64}::[a-zA-Z0-9]{2,64}::[a-zA-Z0-9]{2,64}$"
    )))]
    pub resource_types: BTreeSet<String>,
    /// Which services of AWS they are linked to, such as `observabilityadmin.amazonaws.com`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(inner(length(min = 1, max = 128), regex(pattern = r"^[\w+=,.@-]+$")))]
    pub service_principals: BTreeSet<String>,
}

pub const SAMPLES: [&str; 2] = [
    r#"
[config.aggregator.all]
configuration_aggregator_name = "all-accounts"
account_aggregation_source    = { account_ids = ["${account.id}"], all_aws_regions = true }
aggregator_filters            = { resource_types = ["AWS::S3::Bucket", "AWS::IAM::Role"] }
tags                          = { team = "security", purpose = "audit" }
"#,
    r#"
[config.aggregator.all]
configuration_aggregator_name = "all-accounts"
account_aggregation_source    = { account_ids = ["${account.id}"], aws_regions = ["eu-west-1", "us-east-1"] }
aggregator_filters            = { service_principals = ["observabilityadmin.amazonaws.com"] }
tags                          = { team = "core" }

[config.aggregator.unfiltered]
account_aggregation_source = { account_ids = ["${account.id}"], aws_regions = ["eu-west-1"] }
aggregator_filters         = {}
tags                       = {}
"#,
];
