//! What is declared of standards, and what is there of them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_of_another_service;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::securityhub::administrator::UnderAdministrator;

/// The input of a standard.
pub type Input = BTreeMap<String, String>;

/// The standards whose controls Security Hub checks in a Region.
///
/// They need Security Hub (`securityhub.hub`) and AWS Config (`config.recorder`): a standard that is on
/// and cannot check all of its controls is reported with AWS's reason. Standards that AWS Control Tower
/// manages are left alone. In an account that a Security Hub administrator account manages, evenkeel
/// reports and names the administrator, as `securityhub.hub` does.
///
/// Source: Security Hub API Reference, `DescribeStandards`, `GetEnabledStandards`,
/// `BatchEnableStandards`, `BatchDisableStandards`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// All standards that are to be on, by what stands in their ARN after `standards/` or `ruleset/`,
    /// such as `aws-foundational-security-best-practices/v/1.0.0` and
    /// `cis-aws-foundations-benchmark/v/5.0.0`. One that the Region does not have is reported.
    pub standards: BTreeSet<String>,
    /// Whether all others are to be off; the default is true.
    pub exclusive: Option<bool>,
    /// What a standard is told when it is turned on, by its name. It cannot be changed later.
    pub standards_input: Option<BTreeMap<String, Input>>,
    /// What to do in an account that a Security Hub administrator account manages: `report` (the
    /// default), or `enforce` where the organization leaves settings to its accounts.
    pub under_administrator: Option<UnderAdministrator>,
}

impl Spec {
    /// Whether all other standards are to be off.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive.unwrap_or(true)
    }
}

/// What Security Hub checks in a Region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Whether Security Hub is on.
    pub is_on: bool,
    /// The standards that the Region has.
    pub available: BTreeSet<String>,
    /// Those that are on.
    pub enabled: BTreeMap<String, Enabled>,
}

/// A standard that is on.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Enabled {
    /// What it was told.
    pub input: Input,
    /// What keeps it from checking all of its controls, in AWS's words.
    #[serde(default)]
    pub problem: Option<String>,
}

/// The writes. Each finds the ARN by the name: that of a subscription is there only once it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Turns a standard on.
    Enable {
        /// Which.
        standard: String,
        /// What it is told.
        input: Input,
    },
    /// Turns one off.
    Disable {
        /// Which.
        standard: String,
    },
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: String, help: &str| {
        problems.push(SpecProblem::new(field, message, help));
    };
    for name in &spec.standards {
        if is_of_another_service(name) {
            problem(
                "standards",
                format!("{name} is AWS Control Tower's to turn on and off"),
                "leave it out: evenkeel leaves such standards alone",
            );
        } else if name.contains(':') || !name.contains("/v/") {
            problem(
                "standards",
                format!("{name:?} is not the name of a standard"),
                "write what stands in its ARN after standards/, such as cis-aws-foundations-benchmark/v/5.0.0",
            );
        }
    }
    for name in spec.standards_input.iter().flat_map(BTreeMap::keys) {
        if !spec.standards.contains(name) {
            problem(
                "standards_input",
                format!("{name:?} is not among the standards"),
                "add it to standards, or leave its input out",
            );
        }
    }
    problems
}

/// What the standards need, and one set of them.
macro_rules! sample {
    ($standards:literal) => {
        concat!(
            r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[config.recorder]
role_arn       = ""
recording      = true
s3_bucket_name = "${s3.bucket.config.bucket}"

[securityhub.hub]
enabled = true
"#,
            $standards
        )
    };
}

pub const SAMPLES: [&str; 2] = [
    sample!(
        r#"
[securityhub.standards]
standards           = ["aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/5.0.0"]
exclusive           = true
standards_input     = { "cis-aws-foundations-benchmark/v/5.0.0" = {} }
under_administrator = "report"
"#
    ),
    sample!(
        r#"
[securityhub.standards]
standards           = ["cis-aws-foundations-benchmark/v/1.2.0", "cis-aws-foundations-benchmark/v/5.0.0"]
exclusive           = false
under_administrator = "enforce"
"#
    ),
];
