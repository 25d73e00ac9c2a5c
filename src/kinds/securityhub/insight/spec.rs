//! What is declared of an insight.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attributes::{Filters, shape};
use super::conditions::problem;
use crate::baseline::catalog::SpecProblem;

/// A custom insight of Security Hub: the findings that somebody wants to see together, counted by one of
/// their attributes.
///
/// An insight belongs to the account and Region in which it is made; in the home Region of
/// `securityhub.finding_aggregator` it counts the findings of all linked Regions. AWS knows an insight by an
/// ARN that it chooses, and evenkeel by its name: where two custom insights of a Region have the declared name,
/// the object is unknown until one of them is renamed or deleted. The insights that Security Hub brings along
/// are left alone, whatever their name.
///
/// evenkeel makes an insight that is not there and puts right one that counts something else; it deletes none
/// but on the way back from a run that made it. An insight changes nothing that is found, and costs nothing.
/// Without Security Hub (`securityhub.hub`) there is none.
///
/// Source: Security Hub API Reference, `CreateInsight`, `GetInsights`, `UpdateInsight`,
/// `AwsSecurityFindingFilters`; Security Hub User Guide, "Custom insights".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The name of the insight.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The attribute of the findings by which they are counted, in AWS's words, such as `ResourceId`,
    /// `SeverityLabel`, `AwsAccountId`, `Type`.
    #[schemars(length(min = 1))]
    pub group_by_attribute: String,
    /// Which findings are counted: all conditions, by the attribute of the finding in AWS's words, such as
    /// `SeverityLabel`, `RecordState`, `WorkflowStatus`, `ResourceTags`. A finding must meet one of the
    /// conditions of each attribute. Order says nothing.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10))]
    pub filters: Filters,
}

/// How many conditions an attribute may have (Security Hub API Reference, `CreateInsight`).
const MOST: usize = 20;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if shape(&spec.group_by_attribute).is_none() {
        problems.push(SpecProblem::new(
            "group_by_attribute",
            format!("findings have no attribute {:?}", spec.group_by_attribute),
            "write it as AwsSecurityFindingFilters of the Security Hub API Reference has it",
        ));
    }
    for (name, conditions) in &spec.filters {
        let path = format!("filters.{name}");
        let Some(shape) = shape(name) else {
            let message = format!("findings have no attribute {name:?} to filter by");
            let help =
                "write it as AwsSecurityFindingFilters of the Security Hub API Reference has it";
            problems.push(SpecProblem::new(path, message, help).at_key(true));
            continue;
        };
        if conditions.is_empty() || conditions.len() > MOST {
            let message = format!("{name} has {} conditions", conditions.len());
            let help = format!("write 1 to {MOST} of them, or leave the attribute out");
            problems.push(SpecProblem::new(&path, message, help));
        }
        for (place, condition) in conditions.iter().enumerate() {
            if let Some(problem) = problem(shape, condition) {
                problems.push(SpecProblem::new(
                    format!("{path}[{place}]"),
                    format!("a condition on {name} {problem}"),
                    "write what AWS compares this attribute with; the kind's page has it",
                ));
            }
        }
    }
    problems
}

pub const SAMPLES: [&str; 2] = [
    r#"
[securityhub.hub]
enabled = true

[securityhub.insight.critical]
name               = "Critical findings by resource"
group_by_attribute = "ResourceId"

[securityhub.insight.critical.filters]
SeverityLabel     = [{ value = "CRITICAL", comparison = "EQUALS" }, { value = "HIGH", comparison = "EQUALS" }]
RecordState       = [{ value = "ACTIVE", comparison = "EQUALS" }]
ResourceTags      = [{ key = "stage", value = "test", comparison = "NOT_EQUALS" }]
UpdatedAt         = [{ date_range = { value = 30, unit = "DAYS", comparison = "WITHIN" } }]
Confidence        = [{ gte = 70, lte = 100 }]
"#,
    r#"
[securityhub.hub]
enabled = true

[securityhub.insight.critical]
name               = "Critical findings by resource"
group_by_attribute = "AwsAccountId"

[securityhub.insight.critical.filters]
SeverityLabel     = [{ value = "CRITICAL", comparison = "EQUALS" }]
FirstObservedAt   = [{ start = "2026-01-01T00:00:00Z", end = "2026-12-31T23:59:59Z" }]
Criticality       = [{ gt = 10, lt = 90 }, { eq = 100 }]
NetworkSourceIpV4 = [{ cidr = "203.0.113.0/24" }]
Sample            = [{ value = "false" }]
"#,
];
