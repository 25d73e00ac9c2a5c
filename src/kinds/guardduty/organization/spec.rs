//! What is declared of GuardDuty in an organization, what is observed, and the writes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::baseline::problem::one_of;
use crate::kinds::organization::administrator::Administrator;
use crate::kinds::spec::aws_enum;
use crate::names::AccountId;

/// Amazon GuardDuty in an organization, in a Region: which account administers it, and for which accounts it is
/// switched on by itself, in what.
///
/// AWS tells and takes `admin_account_id` in the organization's management account alone, and the rest in the
/// administrator account alone. Declare each for its account; elsewhere the item is unknown. Where the management
/// account is the administrator itself, both are declared there. The administrator needs a detector
/// (`guardduty.detector`).
///
/// evenkeel names an administrator account where there is none. It takes none away: all members would go with it.
/// Another one than declared is reported.
///
/// What is switched on in an account stays on when it is no longer switched on by itself; a rollback puts back
/// what is declared here, and switches nothing off.
///
/// Source: GuardDuty API Reference, `ListOrganizationAdminAccounts`, `EnableOrganizationAdminAccount`,
/// `DescribeOrganizationConfiguration`, `UpdateOrganizationConfiguration`; GuardDuty User Guide, "Managing
/// GuardDuty accounts with AWS Organizations".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The account that administers GuardDuty for the organization in this Region. Only for the management account.
    pub admin_account_id: Option<AccountId>,
    /// The accounts in which GuardDuty is switched on by itself: `ALL`, also where somebody has switched it off;
    /// `NEW`, those that join the organization; `NONE`. AWS may take 24 hours for `ALL`. That AWS takes no more
    /// members is reported, unless it is `NONE`.
    pub auto_enable_organization_members: Option<AutoEnable>,
    /// What is looked at in these accounts besides CloudTrail's management events, DNS queries and VPC flows, by the
    /// name of the feature: `S3_DATA_EVENTS`, `EKS_AUDIT_LOGS`, `EBS_MALWARE_PROTECTION`, `RDS_LOGIN_EVENTS`,
    /// `LAMBDA_NETWORK_LOGS`, `RUNTIME_MONITORING`, `AI_PROTECTION`. One that is not named is not managed; one that
    /// the Region lacks is reported where it is to be switched on. GuardDuty takes them together with
    /// `auto_enable_organization_members` alone.
    pub features: Option<BTreeMap<String, Feature>>,
}

aws_enum! {
    /// In which accounts something is switched on by itself.
    AutoEnable {
        None = "NONE",
        New = "NEW",
        All = "ALL",
    }
}

/// A feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The accounts in which it is switched on by itself: `ALL`, `NEW`, `NONE`.
    pub auto_enable: AutoEnable,
    /// What GuardDuty does for the feature besides, by name, and in which accounts: for `RUNTIME_MONITORING` the
    /// agents that it installs and keeps by itself, `EKS_ADDON_MANAGEMENT`, `ECS_FARGATE_AGENT_MANAGEMENT` and
    /// `EC2_AGENT_MANAGEMENT`; for `RDS_LOGIN_EVENTS` `RDS_DATA_RISK`. What is not named is not managed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_configuration: BTreeMap<String, AutoEnable>,
}

/// Samples, which together declare every field: of a management account that is the administrator itself.
pub const SAMPLES: [&str; 2] = [
    r#"
[guardduty.detector]
enable = true

[guardduty.organization]
admin_account_id                 = "${account.id}"
auto_enable_organization_members = "ALL"

[guardduty.organization.features]
S3_DATA_EVENTS         = { auto_enable = "ALL" }
EKS_AUDIT_LOGS         = { auto_enable = "ALL" }
EBS_MALWARE_PROTECTION = { auto_enable = "ALL" }
RDS_LOGIN_EVENTS       = { auto_enable = "ALL" }
LAMBDA_NETWORK_LOGS    = { auto_enable = "ALL" }
RUNTIME_MONITORING     = { auto_enable = "ALL", additional_configuration = { EC2_AGENT_MANAGEMENT = "NEW", EKS_ADDON_MANAGEMENT = "NONE" } }
"#,
    r#"
[guardduty.detector]
enable = true

[guardduty.organization]
admin_account_id                 = "${account.id}"
auto_enable_organization_members = "NEW"

[guardduty.organization.features]
S3_DATA_EVENTS     = { auto_enable = "NONE" }
RUNTIME_MONITORING = { auto_enable = "NEW", additional_configuration = { EC2_AGENT_MANAGEMENT = "NONE" } }
"#,
];

/// What can be written, each with what it has besides (GuardDuty API Reference, `OrganizationFeatureConfiguration`,
/// `OrganizationAdditionalConfiguration`). `EKS_RUNTIME_MONITORING` is what `RUNTIME_MONITORING` was before.
const NAMES: [(&str, &[&str]); 7] = [
    ("S3_DATA_EVENTS", &[]),
    ("EKS_AUDIT_LOGS", &[]),
    ("EBS_MALWARE_PROTECTION", &[]),
    ("RDS_LOGIN_EVENTS", &["RDS_DATA_RISK"]),
    ("LAMBDA_NETWORK_LOGS", &[]),
    (
        "RUNTIME_MONITORING",
        &["EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"],
    ),
    ("AI_PROTECTION", &[]),
];

/// Whether a feature can be declared.
pub fn is_name(name: &str) -> bool {
    NAMES.iter().any(|(known, _)| *known == name)
}

/// What GuardDuty would refuse.
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.features.is_some() && spec.auto_enable_organization_members.is_none() {
        problems.push(SpecProblem::new(
            "features",
            "GuardDuty takes features together with auto_enable_organization_members alone",
            "declare auto_enable_organization_members, too",
        ));
    }
    for (name, feature) in spec.features.iter().flatten() {
        let field = format!("features.{name}");
        let Some((_, more)) = NAMES.iter().find(|(known, _)| known == name) else {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            let help = match name.as_str() {
                "EKS_RUNTIME_MONITORING" => {
                    "declare RUNTIME_MONITORING, which has taken its place".to_owned()
                }
                "CLOUD_TRAIL" | "DNS_LOGS" | "FLOW_LOGS" => {
                    "leave it out: it is always on".to_owned()
                }
                _ => one_of(name, &names),
            };
            let text = format!("GuardDuty switches no feature {name} on by itself");
            problems.push(SpecProblem::new(field, text, help));
            continue;
        };
        let others = feature.additional_configuration.keys();
        for other in others.filter(|other| !more.contains(&other.as_str())) {
            problems.push(SpecProblem::new(
                format!("{field}.additional_configuration.{other}"),
                format!("the feature {name} has no {other}"),
                if more.is_empty() { "leave it out".to_owned() } else { one_of(other, more) },
            ));
        }
    }
    problems
}

/// What is there. What is not declared is not looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The administrator, as the management account is told.
    pub administrator: Option<Administrator>,
    /// Whether this account has a detector, without which nothing can be configured.
    pub has_detector: Option<bool>,
    /// What this account, the administrator, has configured.
    pub configuration: Option<Configuration>,
}

/// What is switched on by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// As in [`Spec`].
    pub auto_enable_organization_members: AutoEnable,
    /// All that the Region has.
    pub features: BTreeMap<String, Feature>,
    /// Whether AWS takes no more members.
    pub member_account_limit_reached: bool,
}

impl Configuration {
    /// What a new administrator begins with, as far as it is declared: nothing is switched on by itself.
    pub fn first(spec: &Spec) -> Self {
        let off = |feature: &Feature| {
            let more = feature.additional_configuration.keys();
            Feature {
                auto_enable: AutoEnable::None,
                additional_configuration: more
                    .map(|name| (name.clone(), AutoEnable::None))
                    .collect(),
            }
        };
        let features = spec.features.iter().flatten();
        Self {
            auto_enable_organization_members: AutoEnable::None,
            features: features.map(|(name, feature)| (name.clone(), off(feature))).collect(),
            member_account_limit_reached: false,
        }
    }
}

impl Spec {
    /// Whether something is to be switched on by itself.
    pub fn switches_on(&self) -> bool {
        let members = self.auto_enable_organization_members.iter();
        let features = self.features.iter().flatten().flat_map(|(_, feature)| {
            feature.additional_configuration.values().chain([&feature.auto_enable])
        });
        members.chain(features).any(|mode| *mode != AutoEnable::None)
    }
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Makes an account the administrator.
    EnableAdministrator(AccountId),
    /// Configures what is switched on by itself; features that are not named stay as they are.
    Configure(Wanted),
}

/// What is to be switched on by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// In which accounts.
    pub auto_enable_organization_members: AutoEnable,
    /// Features that differ, with what is declared of them.
    pub features: BTreeMap<String, Feature>,
}
