//! The calls on a trail, and what they are allowed on.

use super::apply::{
    ADD_TAGS, CREATE, PUT_EVENT_CONFIGURATION, PUT_INSIGHTS, PUT_SELECTORS, REMOVE_TAGS, START,
    STOP, UPDATE,
};
use super::observe::{
    DESCRIBE, GET_EVENT_CONFIGURATION, GET_INSIGHTS, GET_SELECTORS, LIST_TAGS, STATUS,
};
use super::spec::{Spec, Step};
use crate::aws::Call;
use crate::kinds::kms::let_in::GET_POLICY;
use crate::kinds::kms::reads::DESCRIBE as DESCRIBE_KEY;
use crate::kinds::{Allowed, Arns, Use};

/// The service as a principal.
const SERVICE: &str = "cloudtrail.amazonaws.com";

/// All of them.
pub const CALLS: &[Use<Spec>] = &[
    Use::read(DESCRIBE),
    Use::read(STATUS),
    Use::read_if(GET_SELECTORS, Spec::looks_at_selectors),
    Use::read_if(GET_INSIGHTS, |spec| spec.insight_selectors.is_some()),
    Use::read_if(GET_EVENT_CONFIGURATION, |spec| spec.event_aggregation.is_some()),
    Use::read_if(LIST_TAGS, |spec| spec.tags.is_some()),
    Use::read_if(DESCRIBE_KEY, |spec| spec.key().is_some()),
    Use::read_if(GET_POLICY, |spec| spec.key().is_some()),
    Use::write_if(CREATE, |spec| spec.s3_bucket_name.is_some(), trail),
    Use::write_if(UPDATE, Spec::has_settings, trail),
    Use::write_if(PUT_SELECTORS, Spec::declares_selectors, trail),
    Use::write_if(PUT_INSIGHTS, |spec| spec.insight_selectors.is_some(), trail),
    Use::write_if(PUT_EVENT_CONFIGURATION, |spec| spec.event_aggregation.is_some(), trail),
    Use::write_if(ADD_TAGS, |spec| spec.tags.is_some(), trail),
    Use::write_if(REMOVE_TAGS, |spec| spec.tags.is_some(), trail),
    Use::write_if(START, |spec| spec.is_logging == Some(true), trail),
    Use::write_if(STOP, |spec| spec.is_logging == Some(false), trail),
    Use::implied(
        "iam:PassRole",
        |spec| role(spec).is_some(),
        |spec, arns| {
            Allowed::on(role(spec).map(|role| arns.text(role)))
                .when("StringEquals", "iam:PassedToService", [SERVICE.to_owned()])
                .into()
        },
    ),
    Use::implied_read("organizations:DescribeOrganization", of_organization),
    Use::implied_read("organizations:ListAWSServiceAccessForOrganization", of_organization),
    Use::implied_read("iam:GetRole", of_organization),
    Use::implied("iam:CreateServiceLinkedRole", of_organization, |_, arns| {
        Allowed::on([arns.service_linked_role(SERVICE, "AWSServiceRoleForCloudTrail")])
            .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
            .into()
    }),
];

fn of_organization(spec: &Spec) -> bool {
    spec.is_organization_trail == Some(true)
}

/// The role that writes to a log group.
fn role(spec: &Spec) -> Option<&str> {
    spec.cloud_watch_logs_role_arn.as_deref().filter(|arn| !arn.is_empty())
}

fn trail(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("cloudtrail", &format!("trail/{}", arns.text(&spec.name)))]).into()
}

/// The call of a step.
pub fn of(step: &Step) -> Call {
    match step {
        Step::Create { .. } => CREATE,
        Step::Update { .. } => UPDATE,
        Step::PutEventSelectors { .. } => PUT_SELECTORS,
        Step::PutInsightSelectors { .. } => PUT_INSIGHTS,
        Step::PutEventConfiguration { .. } => PUT_EVENT_CONFIGURATION,
        Step::AddTags { .. } => ADD_TAGS,
        Step::RemoveTags { .. } => REMOVE_TAGS,
        Step::StartLogging => START,
        Step::StopLogging => STOP,
    }
}
