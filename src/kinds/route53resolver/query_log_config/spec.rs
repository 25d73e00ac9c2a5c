//! What a baseline declares of query logging, what is observed of it, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::ec2::flow_logs::spec::LogDestinationType;
use crate::kinds::ec2::vpcs::{self, Exclude};
use crate::kinds::tags::{ROUTE53_RESOLVER, Tags};

/// Stands for every VPC.
const ALL: &str = "*";

/// A query logging configuration of Route 53 Resolver: where the DNS queries of VPCs are recorded, with their
/// answers. Names that malware asks for, and data that leaves inside of names, are seen there and nowhere else.
///
/// AWS knows a configuration by an id that it chooses, and evenkeel by its name: where two of a Region have the
/// declared name, the object is unknown until one of them is deleted. AWS changes no configuration: one that goes
/// elsewhere than declared is reported, and evenkeel deletes none but on the way back from a run that made it. A
/// configuration that another account shares with this one is that account's: what differs is reported. A VPC may
/// have several configurations; those of other names are left alone.
///
/// VPCs that another account shares with this one are left to their owner, and so is what other accounts have
/// associated with a configuration. A VPC whose queries do not arrive is reported with AWS's reason: whether the
/// destination lets Resolver in, is for whoever declares that. A bucket does with
/// `services = ["route53_resolver"]` of `s3.bucket`.
///
/// AWS charges for each gigabyte that is delivered. Query logging itself costs nothing.
///
/// Source: Route 53 Resolver API Reference, `CreateResolverQueryLogConfig`, `AssociateResolverQueryLogConfig`,
/// `ListResolverQueryLogConfigs`, `ListResolverQueryLogConfigAssociations`; Route 53 Developer Guide, "Resolver query
/// logging".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The name of the configuration: up to 64 letters, digits, spaces, `-`, `_` and `'`, and not digits alone.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-zA-Z0-9\-_' ]+$"))]
    pub name: String,
    /// Where the queries are recorded, an ARN: of a bucket, `arn:aws:s3:::NAME`, with a folder behind it or not;
    /// of a log group; or of a Firehose stream. It cannot be changed.
    pub destination_arn: String,
    /// The VPCs whose queries are recorded: `["*"]` for every VPC of the Region, new ones too; or all of them by
    /// their ids, so that others are taken out; [] for none.
    #[serde(default)]
    pub vpcs: Option<BTreeSet<String>>,
    /// VPCs that `vpcs = ["*"]` leaves out, and as they are. Of what one entry gives, all must hold; of several
    /// entries, one is enough.
    #[serde(default)]
    pub exclude: Option<Vec<Exclude>>,
    /// All tags of the configuration; {} for none. Tags of AWS (`aws:…`) are left alone.
    #[serde(default)]
    pub tags: Option<Tags>,
}

impl Spec {
    /// Whether it means every VPC.
    pub fn means_all_vpcs(&self) -> bool {
        self.vpcs.as_ref().is_some_and(|vpcs| vpcs.contains(ALL))
    }

    /// Whether it means any VPC.
    pub fn associates(&self) -> bool {
        self.vpcs.as_ref().is_some_and(|vpcs| !vpcs.is_empty())
    }
}

/// Samples, which together declare every field.
pub const SAMPLES: [&str; 2] = [
    r#"
[s3.bucket.dns-queries]
bucket   = "dns-queries-${account.id}"
services = ["route53_resolver"]

[route53resolver.query_log_config.dns]
name            = "dns"
destination_arn = "arn:${partition}:s3:::${s3.bucket.dns-queries.bucket}"
vpcs            = ["*"]
exclude         = [{ vpc_tags = { "dns-queries" = "none" } }, { vpc_ids = ["vpc-0abc"] }, { accounts = ["444455556666"] }]
tags            = { team = "security" }
"#,
    r#"
[s3.bucket.dns-queries]
bucket   = "dns-queries-${account.id}"
services = ["route53_resolver"]

[logs.log_group.dns-queries]
log_group_name    = "/dns/queries"
retention_in_days = 400

[route53resolver.query_log_config.dns]
name            = "dns"
destination_arn = "arn:${partition}:s3:::${s3.bucket.dns-queries.bucket}"
vpcs            = []
tags            = {}

[route53resolver.query_log_config.dns-to-logs]
name            = "dns to logs"
destination_arn = "arn:${partition}:logs:${region}:${account.id}:log-group:${logs.log_group.dns-queries.log_group_name}"
vpcs            = ["*"]
"#,
];

/// What Resolver would refuse, and what means nothing.
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.name.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.push(SpecProblem::new(
            "name",
            format!("{:?} is digits alone", spec.name),
            "add a letter",
        ));
    }
    if LogDestinationType::of(&spec.destination_arn).is_none() {
        problems.push(SpecProblem::new(
            "destination_arn",
            format!(
                "{:?} is no ARN of a bucket, a log group or a Firehose stream",
                spec.destination_arn
            ),
            "such as \"arn:aws:s3:::dns-queries\" or \"arn:aws:logs:eu-west-1:111122223333:log-group:dns-queries\"",
        ));
    }
    let vpcs = spec.vpcs.iter().flatten();
    if spec.means_all_vpcs() && vpcs.clone().count() > 1 {
        problems.push(SpecProblem::new(
            "vpcs",
            "\"*\" is every VPC, and others stand beside it",
            "write [\"*\"] alone, or the ids alone",
        ));
    }
    problems.extend(vpcs.filter(|id| *id != ALL && !vpcs::is_id(id)).map(|id| {
        SpecProblem::new(
            "vpcs",
            format!("{id:?} is the id of no VPC"),
            "write the whole id, vpc-…, or [\"*\"] for every VPC",
        )
    }));
    let exclude = spec.exclude.as_deref().unwrap_or_default();
    if !exclude.is_empty() && !spec.means_all_vpcs() {
        problems.push(SpecProblem::new(
            "exclude",
            "it leaves VPCs out of \"*\", which is not declared",
            "write vpcs = [\"*\"], or leave exclude out",
        ));
    }
    problems.extend(vpcs::problems(exclude));
    problems.extend(ROUTE53_RESOLVER.check(spec.tags.as_ref()));
    problems
}

/// How a VPC of the Region stands to the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is the account's own.
    Own,
    /// `exclude` leaves it out.
    LeftOut,
    /// Another account shares it.
    Shared,
}

/// A VPC of a configuration.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Associated {
    /// Why its queries do not arrive, if they do not.
    #[serde(default)]
    pub problem: Option<String>,
}

/// A configuration that is there.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// AWS's own id.
    pub config_id: String,
    /// Where the queries are recorded.
    pub destination_arn: String,
    /// How it fares, where it does not work.
    #[serde(default)]
    pub problem: Option<String>,
    /// The VPCs whose queries are recorded.
    pub associated: BTreeMap<String, Associated>,
    /// Without those of AWS.
    pub tags: Tags,
}

/// Query logging as observed.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The configuration of the declared name, if there is one.
    #[serde(default)]
    pub config: Option<Config>,
    /// The VPCs of the Region; absent where none are declared.
    #[serde(default)]
    pub vpcs: Option<BTreeMap<String, Standing>>,
}

/// How a configuration is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    /// Where the queries are recorded.
    pub destination_arn: String,
    /// Its tags.
    pub tags: Tags,
}

/// A write on a configuration.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// The id of one that is there.
    #[serde(default)]
    pub config_id: Option<String>,
    /// What to do.
    pub step: Step,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes it.
    Create(Making),
    /// Deletes it; only to undo that it was made.
    Delete,
    /// Has the queries of a VPC recorded.
    Associate {
        /// Which.
        vpc_id: String,
    },
    /// Ends that.
    Disassociate {
        /// Which.
        vpc_id: String,
    },
    /// Sets tags.
    Tag(Tags),
    /// Takes tags away.
    Untag(Tags),
}
