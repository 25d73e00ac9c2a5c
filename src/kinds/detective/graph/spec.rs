//! What is declared of a behavior graph.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::spec::aws_enum;

/// Amazon Detective in a Region: the behavior graph, in which somebody who looks into a finding sees who did what
/// before and after it, for up to a year.
///
/// Detective takes in what GuardDuty and CloudTrail see: declare `guardduty.detector` too. An account has one graph
/// in a Region. In an account that is a member of another account's graph and has none of its own, that account
/// looks into what happens: evenkeel names it and makes no second graph. In a Region that Detective is known not to be
/// offered in, and where nobody answers, there is nothing to declare, and the object is left out.
///
/// AWS adds sources of data to a graph and takes none away again. The members of a graph are not looked at; in an
/// organization `auto_enable_members` has new accounts become members by themselves.
///
/// Source: Detective API Reference, `CreateGraph`, `ListGraphs`, `UpdateDatasourcePackages`,
/// `UpdateOrganizationConfiguration`, `ListInvitations`; Detective User Guide.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether there is a graph. `false` deletes it, with up to a year of history that nobody brings back.
    pub enabled: bool,
    /// Sources that must be taken in: `DETECTIVE_CORE`, which every graph has, `EKS_AUDIT` and
    /// `ASFF_SECURITYHUB_FINDING`. Others are left alone, for AWS takes none away.
    #[schemars(length(min = 1))]
    pub datasource_packages: Option<BTreeSet<Package>>,
    /// Whether new accounts of the organization become members by themselves; for the organization's Detective
    /// administrator account. AWS's default is false.
    pub auto_enable_members: Option<bool>,
    /// All tags of the graph; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

aws_enum! {
    /// A source of data.
    Package {
        Core = "DETECTIVE_CORE",
        EksAudit = "EKS_AUDIT",
        SecurityHub = "ASFF_SECURITYHUB_FINDING",
    }
}

pub const SAMPLES: [&str; 3] = [
    r#"
[detective.graph]
enabled             = true
datasource_packages = ["DETECTIVE_CORE", "EKS_AUDIT", "ASFF_SECURITYHUB_FINDING"]
tags                = { team = "security", purpose = "audit" }
"#,
    r#"
[detective.graph]
enabled             = true
datasource_packages = ["DETECTIVE_CORE"]
tags                = { team = "core" }
"#,
    r#"
[detective.graph]
enabled = false
"#,
];
