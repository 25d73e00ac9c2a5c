//! The sources from which Config cannot collect.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::Client;
use aws_sdk_config::operation::describe_configuration_aggregator_sources_status::DescribeConfigurationAggregatorSourcesStatusOutput as Page;
use aws_sdk_config::types::{AggregatedSourceStatus, AggregatedSourceStatusType};
use serde::{Deserialize, Serialize};

use super::{Aggregator, Place, Spec, is_of_organization};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

const STATUS: Call = Call::new("config", "DescribeConfigurationAggregatorSourcesStatus");

pub struct Sources;

/// There is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

/// A source from which nothing has come of late.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failure {
    /// An account, or the organization.
    source: String,
    /// `FAILED`, or `OUTDATED`, which is that the data is not the most recent.
    status: String,
    /// Why, in AWS's words, where it says so.
    error: Option<String>,
}

/// The failures, each with the Regions in which it is.
pub type Failures = Vec<(Failure, BTreeSet<String>)>;

/// The failures of a list of sources.
pub fn failures(sources: &[AggregatedSourceStatus]) -> Result<Failures, ObserveError> {
    let mut all: BTreeMap<Failure, BTreeSet<String>> = BTreeMap::new();
    for one in sources {
        let status = told("LastUpdateStatus", one.last_update_status())?;
        if *status == AggregatedSourceStatusType::Succeeded {
            continue;
        }
        let error = [one.last_error_code(), one.last_error_message()];
        let error: Vec<&str> =
            error.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        let failure = Failure {
            source: told("SourceId", one.source_id())?.to_owned(),
            status: status.as_str().to_owned(),
            error: (!error.is_empty()).then(|| error.join(": ")),
        };
        all.entry(failure).or_default().extend(one.aws_region().map(str::to_owned));
    }
    Ok(all.into_iter().collect())
}

impl Failure {
    /// `FAILED in eu-west-1, us-east-1: AccessDenied`.
    fn words(&self, regions: &BTreeSet<String>) -> String {
        let mut words = self.status.clone();
        if !regions.is_empty() {
            let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
            words = format!("{words} in {}", regions.join(", "));
        }
        match &self.error {
            Some(error) => format!("{words}: {error}"),
            None => words,
        }
    }
}

impl Part for Sources {
    type Of = Aggregator;
    type Now = Failures;
    type Write = Write;

    const NAME: &'static str = "sources";
    const CALLS: &'static [Use<Spec>] = &[Use::read_if(STATUS, Self::is_declared)];

    fn is_declared(spec: &Spec) -> bool {
        spec.account_aggregation_source.is_some() || is_of_organization(spec)
    }

    /// Asks for what fails alone: an organization has thousands of sources.
    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Failures, ObserveError> {
        let name = &place.configuration_aggregator_name;
        let pages = cx
            .client(Client::new)
            .describe_configuration_aggregator_sources_status()
            .configuration_aggregator_name(name)
            .update_status(AggregatedSourceStatusType::Failed)
            .update_status(AggregatedSourceStatusType::Outdated)
            .into_paginator()
            .send();
        let part = |page: Page| page.aggregated_source_status_list;
        failures(&cx.list(STATUS, name, pages, "AggregatedSourceStatusList", part).await?)
    }

    fn diff(look: &Look<'_, Aggregator>, now: &Failures) -> Vec<Change<Write>> {
        let field = if is_of_organization(look.spec) {
            "organization_aggregation_source"
        } else {
            "account_aggregation_source"
        };
        let mut drift = Drift::new();
        for (failure, regions) in now {
            let field = format!("{field}.{}", failure.source);
            drift.add(&field, Some(failure.words(regions)), Some("SUCCEEDED"));
        }
        if drift.is_empty() {
            return Vec::new();
        }
        let remedy = if is_of_organization(look.spec) {
            "Config cannot collect from these: let its role read the organization (AWSConfigRoleForOrganizations), and let Config record in each account and Region"
        } else {
            "Config cannot collect from these: let each account authorize this one for this Region (config.aggregation_authorization there), and let Config record in each of the Regions"
        };
        vec![Change::finding(drift).withhold(remedy)]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _before: &Failures) -> Undo<Write> {
        match *write {}
    }

    fn export(_now: &Failures, _spec: &mut Spec) {}
}
