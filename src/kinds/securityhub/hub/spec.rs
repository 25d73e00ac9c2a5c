//! What is declared of Security Hub.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::securityhub::administrator::UnderAdministrator;
use crate::kinds::spec::aws_enum;

/// AWS Security Hub (CSPM) in a Region: whether it checks resources against controls and collects the
/// findings of other services.
///
/// Its standards are `securityhub.standards`. They need AWS Config to record: declare `config.recorder`
/// too.
///
/// In an account that a Security Hub administrator account manages, evenkeel compares and reports, names
/// the administrator, and writes nothing: under central configuration AWS refuses it, and a member cannot
/// see whether it is under one. Where the organization's configuration is local, say so with
/// `under_administrator = "enforce"`.
///
/// Source: Security Hub API Reference, `EnableSecurityHub`, `DescribeHub`,
/// `UpdateSecurityHubConfiguration`, `DisableSecurityHub`; Security Hub User Guide, "Understanding
/// central configuration".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether Security Hub is on. `false` turns it off: after 90 days AWS deletes its findings, insights
    /// and settings.
    pub enabled: bool,
    /// Whether AWS turns its default standards on together with Security Hub. Only looked at when it is
    /// turned on; evenkeel's default is false, for `securityhub.standards` says which are wanted. AWS's
    /// default is true.
    pub enable_default_standards: Option<bool>,
    /// Whether a check has one finding for each control (`SECURITY_CONTROL`, AWS's default) or for each
    /// standard that has it (`STANDARD_CONTROL`). A member has what its administrator has.
    pub control_finding_generator: Option<Generator>,
    /// Whether new controls of standards that are on are turned on by themselves. AWS's default is true.
    pub auto_enable_controls: Option<bool>,
    /// Products whose findings must come in, by ARN; that of GuardDuty is of the Region and ends with
    /// `::product/aws/guardduty`. Others are left alone.
    #[schemars(length(min = 1))]
    pub product_integrations: Option<BTreeSet<String>>,
    /// All tags of the hub; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
    /// What to do in an account that a Security Hub administrator account manages: `report` (the
    /// default), or `enforce` where the organization leaves settings to its accounts.
    pub under_administrator: Option<UnderAdministrator>,
}

aws_enum! {
    /// What a check of a control makes findings for.
    Generator {
        SecurityControl = "SECURITY_CONTROL",
        StandardControl = "STANDARD_CONTROL",
    }
}

pub const SAMPLES: [&str; 3] = [
    r#"
[securityhub.hub]
enabled                   = true
enable_default_standards  = false
control_finding_generator = "SECURITY_CONTROL"
auto_enable_controls      = true
product_integrations      = ["arn:${partition}:securityhub:${region}::product/aws/guardduty", "arn:${partition}:securityhub:${region}::product/aws/access-analyzer"]
tags                      = { team = "security", purpose = "audit" }
under_administrator       = "report"
"#,
    r#"
[securityhub.hub]
enabled                   = true
enable_default_standards  = true
control_finding_generator = "STANDARD_CONTROL"
auto_enable_controls      = false
product_integrations      = ["arn:${partition}:securityhub:${region}::product/aws/inspector"]
tags                      = { team = "core" }
under_administrator       = "enforce"
"#,
    r#"
[securityhub.hub]
enabled = false
"#,
];
