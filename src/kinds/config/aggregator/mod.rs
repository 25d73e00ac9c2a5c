//! `config.aggregator`: what Config records in several accounts and Regions, in one place.

mod check;
mod collected;
mod health;
mod spec;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::types::ConfigurationAggregator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::collected::Collected;
pub use self::spec::Spec;
use super::tags::{Resource, made_with};
use crate::aws::{Call, ErrorClass};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::On;
use crate::kinds::organization::{self, OfOrganization};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::spec::found;
use crate::kinds::tags::{CONFIG, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const DESCRIBE: Call = Call::new("config", "DescribeConfigurationAggregators");
const PUT: Call = Call::new("config", "PutConfigurationAggregator");
const SERVICE: &str = "config.amazonaws.com";
const OF_ORGANIZATION: OfOrganization = OfOrganization {
    service: SERVICE,
    thing: "aggregator",
    instead: "declare account_aggregation_source, with the accounts that it is to collect from",
};

/// Which aggregator.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    configuration_aggregator_name: String,
    /// The ARN, which holds an id of Config's own; of one that is there.
    arn: Option<String>,
    /// Whether it collects from an organization; of one that is there.
    of_organization: Option<bool>,
}

/// How an aggregator is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    collected: Collected,
    tags: Tags,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregator;

impl Kind for Aggregator {
    const NAME: &'static str = "config.aggregator";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity =
        Identity::Named { field: "configuration_aggregator_name", prefix: "" };
    const AFTER: &'static [&'static str] =
        &["iam.role", "config.recorder", "config.aggregation_authorization"];
    const NOT_STATE: &'static [&'static str] = &["configuration_aggregator_name"];
    const BESIDE: &'static [&'static str] = &["/parts/sources"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(DESCRIBE),
        Use::read_if(organization::DESCRIBE, is_of_organization),
        Use::read_if(organization::DELEGATED, is_of_organization),
        Use::write(PUT, aggregator),
        Use::implied("iam:PassRole", is_of_organization, |spec, arns| {
            let role = spec.organization_aggregation_source.iter();
            Allowed::on(role.map(|source| arns.text(&source.role_arn)))
                .when("StringEquals", "iam:PassedToService", [SERVICE.to_owned()])
                .into()
        }),
        // Config lets itself into the organization for the management account.
        Use::implied("organizations:EnableAWSServiceAccess", is_of_organization, |_, _| {
            Allowed::everywhere()
                .when("StringEquals", "organizations:ServicePrincipal", [SERVICE.to_owned()])
                .into()
        }),
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = check::check(spec);
        problems.extend(CONFIG.check(spec.tags.as_ref()));
        problems
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let mut all = Vec::new();
        for one in aggregators(cx).await?.iter() {
            let name = told("ConfigurationAggregatorName", one.configuration_aggregator_name())?;
            if managed(Object::present(name, ()), one).managed_by.is_none() {
                all.push(found([("configuration_aggregator_name", name.to_owned())]));
            }
        }
        Ok(all)
    }

    by_parts!();
}

impl Parted for Aggregator {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] =
        &[&collected::Collecting, &health::Sources, &OwnTags::<Self>::PART];
    const CREATE: Call = PUT;
    const CREATING: &'static [Call] = &[PUT, DESCRIBE];
    const KEPT: &'static str = "evenkeel deletes no aggregator";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let name = spec.configuration_aggregator_name.as_str();
        let Some(one) = described(cx, name).await? else {
            if is_of_organization(spec) {
                organization::may_make(cx, &OF_ORGANIZATION).await?;
            }
            return Ok(Object::absent(name));
        };
        let place = Place {
            configuration_aggregator_name: name.to_owned(),
            arn: Some(
                told("ConfigurationAggregatorArn", one.configuration_aggregator_arn())?.to_owned(),
            ),
            of_organization: Some(Collected::of(&one)?.is_of_organization()),
        };
        Ok(managed(Object::present(name, place), &one))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        let configuration_aggregator_name = spec.configuration_aggregator_name.clone();
        Place { configuration_aggregator_name, arn: None, of_organization: None }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.configuration_aggregator_name));
        if spec.account_aggregation_source.is_none() && !is_of_organization(spec) {
            return Change::finding(drift).withhold(
                "there is no such aggregator, and none is made without an account_aggregation_source or an organization_aggregation_source: declare one",
            );
        }
        Collected::default().compare(spec, &mut drift);
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let collected = Collected::default().with(spec);
        Change::new(Making { collected, tags: spec.tags.clone().unwrap_or_default() }, drift)
    }

    // The call replaces one that is there.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named(&place.configuration_aggregator_name, place))
    }

    async fn create(cx: &WriteCx, place: &Place, making: &Making) -> Result<Made, WriteError> {
        collected::put(cx, place, &making.collected, made_with(&making.tags)).await
    }

    fn another(spec: &Spec, place: &Place) -> Option<Change<Making>> {
        let accounts = spec.account_aggregation_source.as_ref().map(|_| false);
        let wanted = spec.organization_aggregation_source.as_ref().map(|_| true).or(accounts)?;
        if place.of_organization == Some(wanted) {
            return None;
        }
        let field =
            if wanted { "organization_aggregation_source" } else { "account_aggregation_source" };
        let words = if wanted { "accounts" } else { "the organization" };
        let mut drift = Drift::new();
        drift.add(field, Some(format!("an aggregator of {words}")), Some("the declared source"));
        Some(Change::finding(drift).withhold(format!(
            "{} collects from {words}, AWS does not change that, and evenkeel deletes none: declare another name, or delete that aggregator",
            place.configuration_aggregator_name
        )))
    }

    fn unmade() -> Option<(&'static str, Value)> {
        Some(collected::deleting())
    }

    fn made(making: &Making) -> Option<Value> {
        collected::making(&making.collected)
    }

    /// A role that was made a moment ago is not known to Config yet.
    fn is_settling(error: &WriteError) -> bool {
        matches!(error, WriteError::Aws(error)
            if error.class == ErrorClass::Settling || error.is_code(&["InvalidRoleException"]))
    }

    fn named(id: &str, _place: &Place) -> Spec {
        Spec { configuration_aggregator_name: id.to_owned(), ..Spec::default() }
    }
}

impl Resource for Aggregator {
    const OBJECTS: On<Spec> = aggregator;

    fn arn(place: &Place) -> Option<&str> {
        place.arn.as_deref()
    }

    fn declared(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }
}

fn is_of_organization(spec: &Spec) -> bool {
    spec.organization_aggregation_source.is_some()
}

/// All aggregators of the Region. Config fails a request that names one that is not there.
async fn aggregators(cx: &Cx) -> Result<Arc<Vec<ConfigurationAggregator>>, ObserveError> {
    let pages = cx.client(Client::new).describe_configuration_aggregators();
    let pages = pages.into_paginator().send();
    let part = |page: aws_sdk_config::operation::describe_configuration_aggregators::DescribeConfigurationAggregatorsOutput| {
        page.configuration_aggregators
    };
    Ok(cx.list(DESCRIBE, "", pages, "ConfigurationAggregators", part).await?)
}

async fn described(cx: &Cx, name: &str) -> Result<Option<ConfigurationAggregator>, ObserveError> {
    let all = aggregators(cx).await?;
    Ok(all.iter().find(|one| one.configuration_aggregator_name() == Some(name)).cloned())
}

/// The object, with the service that made the aggregator for itself, or Control Tower.
fn managed<S>(object: Object<S>, one: &ConfigurationAggregator) -> Object<S> {
    match one.created_by().filter(|service| !service.is_empty()) {
        Some(service) => object.managed_by(service),
        None => {
            let name = object.id.clone();
            object.of_control_tower_by(&name)
        }
    }
}

/// The ARN of an aggregator ends with an id of Config's own.
fn aggregator(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("config", "config-aggregator/*")]).into()
}

#[cfg(test)]
mod tests;
