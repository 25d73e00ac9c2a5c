//! What a declaration of an aggregator must fulfil that the schema cannot say.

use std::collections::BTreeSet;

use super::spec::Spec;
use crate::baseline::catalog::SpecProblem;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.account_aggregation_source.is_some() && spec.organization_aggregation_source.is_some() {
        problems.push(SpecProblem::new(
            "organization_aggregation_source",
            "an aggregator collects from accounts or from the organization, and not from both",
            "keep one of the sources, or declare two aggregators",
        ));
    }
    if let Some(source) = &spec.account_aggregation_source {
        let field = "account_aggregation_source";
        problems.extend(regions(field, source.all_aws_regions, &source.aws_regions));
    }
    if let Some(source) = &spec.organization_aggregation_source {
        let field = "organization_aggregation_source";
        problems.extend(regions(field, source.all_aws_regions, &source.aws_regions));
    }
    problems
}

fn regions(field: &str, all: bool, some: &BTreeSet<String>) -> Option<SpecProblem> {
    let (message, help) = match (all, some.is_empty()) {
        (true, false) => {
            ("it has all Regions and a list of them", "keep all_aws_regions = true, or aws_regions")
        }
        (false, true) => (
            "nothing says which Regions",
            "write all_aws_regions = true, or name them in aws_regions",
        ),
        _ => return None,
    };
    Some(SpecProblem::new(field, message, help))
}
