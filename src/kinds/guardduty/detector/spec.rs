//! What is declared of a detector.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::spec::aws_enum;

/// Amazon GuardDuty in a Region: whether it looks for threats, in what, and how soon it tells of them.
///
/// A Region has one detector. evenkeel makes one where there is none, adopts one that is there whatever
/// its id, and never deletes one. GuardDuty is to be on in every Region, those that nobody uses
/// included.
///
/// In an account that a GuardDuty administrator account manages, that account decides: evenkeel compares
/// and reports, names the administrator, and writes nothing. The same holds for a feature that a
/// GuardDuty policy of the organization decides.
///
/// Source: GuardDuty API Reference, `CreateDetector`, `UpdateDetector`, `GetDetector`,
/// `GetAdministratorAccount`; GuardDuty User Guide, "Managing multiple accounts".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether GuardDuty runs. `false`: it is suspended, or there is no detector at all; nothing is
    /// found then. Where there is none, what else is declared of one is reported: it has no detector to hold.
    pub enable: bool,
    /// How soon repetitions of a finding are told; new findings always are within five minutes. AWS's
    /// default is `SIX_HOURS`.
    pub finding_publishing_frequency: Option<Frequency>,
    /// What is looked at besides CloudTrail's management events, DNS queries and VPC flows, by the name
    /// of the feature: `S3_DATA_EVENTS`, `EKS_AUDIT_LOGS`, `EBS_MALWARE_PROTECTION`, `RDS_LOGIN_EVENTS`,
    /// `LAMBDA_NETWORK_LOGS`, `RUNTIME_MONITORING`, `AI_PROTECTION`, `AI_ANALYST`. One that is not named
    /// is not managed; with a new detector, AWS turns most of those on. One that the Region lacks is
    /// reported where it is declared `ENABLED`.
    pub features: Option<BTreeMap<String, Feature>>,
    /// The account that must be the GuardDuty administrator of this one, as a finding if it is not; ""
    /// if there must be none.
    pub require_administrator_account: Option<String>,
    /// All tags of the detector; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

aws_enum! {
    /// How soon repetitions of a finding are told.
    Frequency {
        FifteenMinutes = "FIFTEEN_MINUTES",
        OneHour = "ONE_HOUR",
        SixHours = "SIX_HOURS",
    }
}

aws_enum! {
    /// Whether a feature is on.
    FeatureStatus {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

/// A feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Whether it is on.
    pub status: FeatureStatus,
    /// What GuardDuty does for the feature besides, by name: for `RUNTIME_MONITORING` the agents that it
    /// installs and keeps by itself, `EKS_ADDON_MANAGEMENT`, `ECS_FARGATE_AGENT_MANAGEMENT` and
    /// `EC2_AGENT_MANAGEMENT`. What is not named is not managed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_configuration: BTreeMap<String, FeatureStatus>,
}

impl Feature {
    /// Whether it, or something below it, is on.
    pub fn is_any_on(&self) -> bool {
        let mut all = self.additional_configuration.values().chain([&self.status]);
        all.any(|status| *status == FeatureStatus::Enabled)
    }

    /// Whether GuardDuty puts agents on machines.
    pub fn has_agents(&self) -> bool {
        self.additional_configuration.iter().any(|(name, status)| {
            name.ends_with("_MANAGEMENT") && *status == FeatureStatus::Enabled
        })
    }
}

pub const SAMPLES: [&str; 2] = [
    r#"
[guardduty.detector]
enable                        = true
finding_publishing_frequency  = "FIFTEEN_MINUTES"
require_administrator_account = ""
tags                          = { team = "security" }

[guardduty.detector.features]
S3_DATA_EVENTS         = { status = "ENABLED" }
EKS_AUDIT_LOGS         = { status = "ENABLED" }
EBS_MALWARE_PROTECTION = { status = "ENABLED" }
RDS_LOGIN_EVENTS       = { status = "ENABLED" }
LAMBDA_NETWORK_LOGS    = { status = "ENABLED" }
RUNTIME_MONITORING     = { status = "ENABLED", additional_configuration = { EC2_AGENT_MANAGEMENT = "DISABLED", EKS_ADDON_MANAGEMENT = "DISABLED" } }
"#,
    r#"
[guardduty.detector]
enable                       = false
finding_publishing_frequency = "ONE_HOUR"
tags                         = {}

[guardduty.detector.features]
S3_DATA_EVENTS     = { status = "DISABLED" }
RUNTIME_MONITORING = { status = "DISABLED", additional_configuration = { EC2_AGENT_MANAGEMENT = "ENABLED" } }
"#,
];
