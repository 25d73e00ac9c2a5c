//! What is declared of a rule.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::spec::aws_enum;

/// A rule of AWS Config: one that AWS has (`source_owner = "AWS"`), a Lambda function of one's own
/// (`CUSTOM_LAMBDA`), or a policy in Guard (`CUSTOM_POLICY`).
///
/// Rules need a recorder: declare `config.recorder`. Rules that AWS services made for themselves, such as
/// those of Security Hub and of conformance packs, are reported and left alone. evenkeel makes a rule
/// that is not there, and never deletes one. What a rule evaluates is not its business: rules are kept as
/// declared, whatever they find. A Lambda function must let `config.amazonaws.com` invoke it.
///
/// Source: AWS Config API Reference, `PutConfigRule`, `DescribeConfigRules`, `GetCustomRulePolicy`; AWS
/// Config Developer Guide, "List of AWS Config Managed Rules".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The rule's name.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"\S"))]
    pub config_rule_name: String,
    /// Whose rule it is. The default is `AWS`.
    #[serde(default)]
    pub source_owner: Owner,
    /// Which rule: its identifier, such as `ROOT_ACCOUNT_MFA_ENABLED`, or the ARN of the Lambda function.
    /// A policy in Guard has none.
    #[schemars(length(min = 1, max = 256))]
    pub source_identifier: Option<String>,
    /// What lets a rule of one's own run: messages of Config. AWS's rules have theirs.
    #[schemars(length(min = 1, max = 25))]
    pub source_details: Option<BTreeSet<SourceDetail>>,
    /// The language of a policy: `guard-2.x.x`, which is the default.
    pub policy_runtime: Option<String>,
    /// The policy, up to 10,000 characters.
    #[schemars(length(min = 1, max = 10000))]
    pub policy_text: Option<String>,
    /// Whether the runs of a policy are logged for those who write it. AWS's default is false.
    pub enable_debug_log_delivery: Option<bool>,
    /// All parameters of the rule, as texts; {} for none. Compared by meaning: `"90"` is 90. What AWS
    /// takes for a parameter that is not given is not compared.
    pub input_parameters: Option<BTreeMap<String, String>>,
    /// The resources whose changes let the rule run; {} for all that are recorded.
    pub scope: Option<RuleScope>,
    /// How often a rule runs that runs by the clock. AWS's default is `TwentyFour_Hours`.
    pub maximum_execution_frequency: Option<Frequency>,
    /// When resources are evaluated: once they are there (`DETECTIVE`, AWS's default), before they are
    /// made (`PROACTIVE`), or both.
    #[schemars(length(min = 1))]
    pub evaluation_modes: Option<BTreeSet<Mode>>,
    /// What it is for, up to 256 characters; "" for nothing.
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// All tags of the rule; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

aws_enum! {
    /// Whose rule it is.
    #[derive(Default)]
    Owner {
        #[default]
        Aws = "AWS",
        CustomLambda = "CUSTOM_LAMBDA",
        CustomPolicy = "CUSTOM_POLICY",
    }
}

aws_enum! {
    /// How often a rule runs.
    Frequency {
        OneHour = "One_Hour",
        ThreeHours = "Three_Hours",
        SixHours = "Six_Hours",
        TwelveHours = "Twelve_Hours",
        TwentyFourHours = "TwentyFour_Hours",
    }
}

aws_enum! {
    /// When resources are evaluated.
    Mode {
        Detective = "DETECTIVE",
        Proactive = "PROACTIVE",
    }
}

aws_enum! {
    /// A message of Config.
    MessageType {
        Change = "ConfigurationItemChangeNotification",
        OversizedChange = "OversizedConfigurationItemChangeNotification",
        Snapshot = "ConfigurationSnapshotDeliveryCompleted",
        Scheduled = "ScheduledNotification",
    }
}

/// What lets a rule run.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDetail {
    /// The message.
    pub message_type: MessageType,
    /// How often; for `ScheduledNotification`, where AWS's default is a day.
    #[serde(default)]
    pub maximum_execution_frequency: Option<Frequency>,
}

/// The resources whose changes let a rule run: those of some types, one of them, or those with a tag.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleScope {
    /// Those of these types, such as `AWS::S3::Bucket`, up to 100.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 100), inner(regex(pattern = "^[A-Za-z0-9]+(::[A-Za-z0-9]+){2}$")))]
    pub compliance_resource_types: BTreeSet<String>,
    /// Of the one type, the resource with this id.
    pub compliance_resource_id: Option<String>,
    /// Those with this tag.
    pub tag_key: Option<String>,
    /// The tag's value; any, if none is given.
    pub tag_value: Option<String>,
}

/// What rules need, and some of them.
macro_rules! sample {
    ($rules:literal) => {
        concat!(
            r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[config.recorder]
role_arn       = ""
recording      = true
s3_bucket_name = "${s3.bucket.config.bucket}"
"#,
            $rules
        )
    };
}

pub const SAMPLES: [&str; 2] = [
    sample!(
        r#"
[config.rule.keys-rotated]
source_identifier           = "ACCESS_KEYS_ROTATED"
input_parameters            = { maxAccessKeyAge = "90" }
maximum_execution_frequency = "Six_Hours"
description                 = "Access keys are at most 90 days old"
tags                        = { team = "security", purpose = "audit" }

[config.rule.tagged]
config_rule_name  = "required-tags"
source_owner      = "AWS"
source_identifier = "REQUIRED_TAGS"
input_parameters  = { tag1Key = "team" }
scope             = { compliance_resource_types = ["AWS::S3::Bucket", "AWS::EC2::Instance"] }

[config.rule.versioned]
source_owner              = "CUSTOM_POLICY"
source_details            = [{ message_type = "ConfigurationItemChangeNotification" }]
policy_runtime            = "guard-2.x.x"
policy_text               = """
rule versioned when resourceType == "AWS::S3::Bucket" {
    supplementaryConfiguration.BucketVersioningConfiguration.status == "Enabled"
}
"""
enable_debug_log_delivery = false
evaluation_modes          = ["DETECTIVE"]
scope                     = { tag_key = "team", tag_value = "core" }
"#
    ),
    sample!(
        r#"
[config.rule.keys-rotated]
source_identifier           = "ACCESS_KEYS_ROTATED"
input_parameters            = { maxAccessKeyAge = "45" }
maximum_execution_frequency = "Twelve_Hours"
description                 = ""
tags                        = {}

[config.rule.tagged]
config_rule_name  = "required-tags"
source_identifier = "REQUIRED_TAGS"
input_parameters  = { tag1Key = "owner" }
scope             = { compliance_resource_types = ["AWS::S3::Bucket"], compliance_resource_id = "audit-${account.id}" }

[config.rule.versioned]
source_owner              = "CUSTOM_POLICY"
source_details            = [{ message_type = "OversizedConfigurationItemChangeNotification" }]
policy_text               = "rule versioned { true }"
enable_debug_log_delivery = true
evaluation_modes          = ["DETECTIVE", "PROACTIVE"]
scope                     = {}
"#
    ),
];
