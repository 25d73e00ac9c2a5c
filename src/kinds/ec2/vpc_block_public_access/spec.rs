//! What is declared of VPC Block Public Access, what AWS has of it, and the writes on it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::ec2::vpcs;
use crate::kinds::spec::aws_enum;
use crate::kinds::tags::Tags;
use crate::names::Region;

aws_enum! {
    /// What internet gateways may do; each word lets less through than the one before it.
    BlockMode {
        Off = "off",
        BlockIngress = "block-ingress",
        BlockBidirectional = "block-bidirectional",
    }
}

aws_enum! {
    /// What internet gateways may do all the same; the second word lets more through than the first.
    ExclusionMode {
        AllowEgress = "allow-egress",
        AllowBidirectional = "allow-bidirectional",
    }
}

/// Whether the internet gateways of a Region let traffic through (VPC Block Public Access), whatever route
/// tables, security groups and network ACLs say, and which VPCs and subnets are excluded from that.
///
/// The block holds for all VPCs of the account in the Region at once. Exclusions that are declared are made
/// before something is blocked, and go after it is let through again; AWS takes minutes for each. While it
/// does, the object is unknown. Where a declarative policy of the organization sets the mode, AWS refuses
/// every change of it; evenkeel then reports and leaves it alone. If the policy allows exclusions, declare
/// them without the mode, and evenkeel keeps them.
///
/// evenkeel does not look at who uses the internet gateways: before something is blocked, look at the route
/// tables that lead to them, and at flow logs.
///
/// Source: EC2 API Reference, `DescribeVpcBlockPublicAccessOptions`,
/// `DescribeVpcBlockPublicAccessExclusions`, `ModifyVpcBlockPublicAccessOptions`,
/// `CreateVpcBlockPublicAccessExclusion`; VPC User Guide, "Block public access to VPCs and subnets".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// `off`, AWS's default: all traffic is let through. `block-ingress`: nothing comes in from the internet,
    /// but answers to what went out. `block-bidirectional`: nothing comes in or goes out.
    pub internet_gateway_block_mode: Option<BlockMode>,
    /// VPCs and subnets for which the block does not hold. AWS's default is none.
    pub exclusions: Option<Vec<Exclusion>>,
    /// Whether exclusions that are not declared are deleted. The default is false: they stay, and are not
    /// reported. Needs `exclusions`.
    pub exclusive_exclusions: Option<bool>,
}

/// A VPC or a subnet that is excluded.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The id of a VPC, with all its subnets.
    #[serde(default)]
    pub vpc_id: Option<String>,
    /// The id of a subnet, in place of a VPC.
    #[serde(default)]
    pub subnet_id: Option<String>,
    /// The Region of the VPC or subnet; in others, the entry says nothing. Not declared: every Region of the
    /// item.
    #[serde(default)]
    pub region: Option<Region>,
    /// `allow-egress`: traffic may go out, and its answers come in; only under `block-bidirectional`.
    /// `allow-bidirectional`: all traffic is let through.
    pub internet_gateway_exclusion_mode: ExclusionMode,
}

impl Exclusion {
    /// The id of the VPC or subnet.
    fn resource(&self) -> Option<&str> {
        self.vpc_id.as_deref().or(self.subnet_id.as_deref())
    }
}

impl Spec {
    /// The exclusions that are declared for a Region, by the id of the VPC or subnet.
    pub fn excluded_in(&self, region: &Region) -> Option<BTreeMap<&str, ExclusionMode>> {
        let here = |one: &&Exclusion| one.region.as_ref().is_none_or(|other| other == region);
        let entries = self.exclusions.as_ref()?.iter().filter(here);
        let of = |one: &'_ Exclusion| one.internet_gateway_exclusion_mode;
        Some(entries.filter_map(|one| Some((one.resource()?, of(one)))).collect())
    }

    /// Whether exclusions that are not declared are deleted.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive_exclusions == Some(true)
    }
}

/// What AWS would refuse, and what would say nothing.
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.exclusive_exclusions.is_some() && spec.exclusions.is_none() {
        problems.push(SpecProblem::new(
            "exclusive_exclusions",
            "no exclusions are declared, so that nobody can say which are others",
            "declare exclusions; exclusions = [] for none at all",
        ));
    }
    let mut seen = BTreeSet::new();
    for (place, one) in spec.exclusions.iter().flatten().enumerate() {
        let at = format!("exclusions[{place}]");
        let (Some(id), true) = (one.resource(), one.vpc_id.is_none() || one.subnet_id.is_none())
        else {
            let help = "write vpc_id or subnet_id";
            problems.push(SpecProblem::new(at, "an exclusion is for a VPC or for a subnet", help));
            continue;
        };
        if one.vpc_id.as_deref().is_some_and(|id| !vpcs::is_id(id)) {
            let message = format!("{id:?} is the id of no VPC");
            problems.push(SpecProblem::new(
                format!("{at}.vpc_id"),
                message,
                "write the whole id, vpc-…",
            ));
        }
        if one.subnet_id.as_deref().is_some_and(|id| !is_subnet(id)) {
            let message = format!("{id:?} is the id of no subnet");
            let help = "write the whole id, subnet-…";
            problems.push(SpecProblem::new(format!("{at}.subnet_id"), message, help));
        }
        if !seen.insert((id, one.region.clone())) {
            let message = format!("{id} is excluded twice");
            problems.push(SpecProblem::new(at, message, "keep one of the two"));
        }
    }
    problems
}

fn is_subnet(id: &str) -> bool {
    let digits = id.strip_prefix("subnet-").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|one| one.is_ascii_hexdigit())
}

/// An exclusion that is there.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Excluded {
    /// AWS's own id.
    pub exclusion_id: String,
    /// What is let through.
    pub internet_gateway_exclusion_mode: ExclusionMode,
    /// Its tags, without those of AWS: one that is made again has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// Why AWS could not make or change it, in its words.
    #[serde(default)]
    pub problem: Option<String>,
}

/// What was observed in a Region.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What internet gateways may do.
    pub internet_gateway_block_mode: BlockMode,
    /// By the id of the VPC or subnet; absent where none are declared.
    #[serde(default)]
    pub exclusions: Option<BTreeMap<String, Excluded>>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Sets what internet gateways may do.
    SetMode {
        /// The new mode.
        internet_gateway_block_mode: BlockMode,
    },
    /// Excludes a VPC or subnet.
    Exclude {
        /// Its id.
        resource: String,
        /// What is let through.
        internet_gateway_exclusion_mode: ExclusionMode,
        /// The tags of one that is made again.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: Tags,
    },
    /// Lets something else through.
    ChangeExclusion {
        /// The id of the VPC or subnet.
        resource: String,
        /// What is let through.
        internet_gateway_exclusion_mode: ExclusionMode,
    },
    /// Takes an exclusion away.
    DeleteExclusion {
        /// The id of the VPC or subnet.
        resource: String,
    },
}
