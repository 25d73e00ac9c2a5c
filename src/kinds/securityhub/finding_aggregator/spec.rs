//! What is declared of the place where findings come together.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::spec::aws_enum;

/// Where the findings of several Regions come together: one Region in which Security Hub shows what it has
/// found in all that are linked to it, with the status of each finding.
///
/// An account has one aggregator, in its home Region. Security Hub must be on in each Region that is linked
/// (`securityhub.hub`); where it is not, nothing comes from there. A member of a Security Hub administrator
/// account has what that account has: it is reported and left alone.
///
/// evenkeel makes an aggregator that is not there and changes what is linked; it deletes none, for what has
/// come together would go with it. The home Region can only be changed by deleting: an aggregator that is at
/// home elsewhere is a finding. An aggregator costs nothing.
///
/// Source: Security Hub API Reference, `CreateFindingAggregator`, `GetFindingAggregator`,
/// `UpdateFindingAggregator`; Security Hub User Guide, "Understanding cross-Region aggregation".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The Region where findings come together. It cannot be changed.
    #[schemars(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"))]
    pub home_region: String,
    /// Which Regions are linked: all, also those that AWS opens or the account enables later
    /// (`ALL_REGIONS`); all but some, likewise (`ALL_REGIONS_EXCEPT_SPECIFIED`); some
    /// (`SPECIFIED_REGIONS`); or none (`NO_REGIONS`).
    pub region_linking_mode: LinkingMode,
    /// The Regions that the mode speaks of, in the two modes that have some (`Regions` in AWS's API).
    #[schemars(length(min = 1, max = 50), inner(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$")))]
    pub linked_regions: Option<BTreeSet<String>>,
}

aws_enum! {
    /// Which Regions are linked.
    LinkingMode {
        AllRegions = "ALL_REGIONS",
        AllButSome = "ALL_REGIONS_EXCEPT_SPECIFIED",
        Some = "SPECIFIED_REGIONS",
        None = "NO_REGIONS",
    }
}

impl LinkingMode {
    /// Whether Regions go with it.
    pub fn has_regions(self) -> bool {
        matches!(self, Self::AllButSome | Self::Some)
    }
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mode = spec.region_linking_mode;
    let problem = |message: String, help: &str| SpecProblem::new("linked_regions", message, help);
    match &spec.linked_regions {
        None if mode.has_regions() => vec![problem(
            format!("{} needs the Regions that it speaks of", mode.as_str()),
            "add linked_regions = […]",
        )],
        Some(_) if !mode.has_regions() => vec![problem(
            format!("no Regions go with {}", mode.as_str()),
            "leave them out, or write SPECIFIED_REGIONS or ALL_REGIONS_EXCEPT_SPECIFIED",
        )],
        Some(regions) if regions.contains(&spec.home_region) => vec![problem(
            format!("{} is the home Region, which is not linked to itself", spec.home_region),
            "leave it out",
        )],
        _ => Vec::new(),
    }
}

pub const SAMPLES: [&str; 2] = [
    r#"
[securityhub.hub]
enabled = true

[securityhub.finding_aggregator]
home_region         = "eu-west-1"
region_linking_mode = "ALL_REGIONS"
"#,
    r#"
[securityhub.hub]
enabled = true

[securityhub.finding_aggregator]
home_region         = "eu-west-1"
region_linking_mode = "SPECIFIED_REGIONS"
linked_regions      = ["us-east-1", "eu-central-1"]
"#,
];
