//! `securityhub.finding_aggregator`: the Region in which the findings of others come together.

mod linked;
mod spec;

use std::sync::Arc;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::FindingAggregator as Said;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::linked::Linked;
use self::spec::LinkingMode;
pub use self::spec::Spec;
use super::{administrator, is_off};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError, Scope,
    Stricter, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const LIST: Call = Call::new("securityhub", "ListFindingAggregators");
const CREATE: Call = Call::new("securityhub", "CreateFindingAggregator");

/// Which aggregator: an account has one at most, whose ARN ends with an id of Security Hub's.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    home_region: String,
    /// Of one that is there.
    arn: Option<String>,
}

impl Place {
    /// The aggregator's ARN; of one that was made since the look, as Security Hub tells it.
    async fn made(&self, cx: &WriteCx) -> Result<String, WriteError> {
        if let Some(arn) = &self.arn {
            return Ok(arn.clone());
        }
        let all = aggregators(&cx.afresh()).await?;
        let there = all.iter().find_map(Said::finding_aggregator_arn);
        let missing = || WriteError::Unsendable("there is no aggregator".to_owned());
        there.map(str::to_owned).ok_or_else(missing)
    }
}

/// How an aggregator is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    linked: Linked,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingAggregator;

impl Kind for FindingAggregator {
    const NAME: &'static str = "securityhub.finding_aggregator";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Singleton;
    const REGION: Option<&'static str> = Some("home_region");
    const AFTER: &'static [&'static str] = &["securityhub.hub"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(administrator::GET), Use::read(LIST), Use::write(CREATE, everywhere)];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:DisableSecurityHub",
        "securityhub.amazonaws.com:AcceptAdministratorInvitation",
        "securityhub.amazonaws.com:DisassociateFromAdministratorAccount",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[Stricter::Order(
        "region_linking_mode",
        &["NO_REGIONS", "SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED", "ALL_REGIONS"],
    )];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    by_parts!();
}

impl Parted for FindingAggregator {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[&linked::Linking];
    const CREATE: Call = CREATE;
    const KEPT: &'static str =
        "evenkeel deletes no aggregator: what has come together would go with it";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let cx = &cx.in_region(Region::new(&spec.home_region));
        let all = match aggregators(cx).await {
            Ok(all) => all,
            // Where the hub is off, nothing comes together; to be made, the aggregator needs it.
            Err(ObserveError::Aws(error)) if is_off(&error) => return Ok(Object::absent("")),
            Err(error) => return Err(error),
        };
        let object = match all.as_slice() {
            [] => Object::absent(""),
            [one] => {
                let arn = told("FindingAggregatorArn", one.finding_aggregator_arn())?;
                let home_region = told("FindingAggregatorArn", region_of(arn))?.to_owned();
                Object::present("", Place { home_region, arn: Some(arn.to_owned()) })
            }
            more => {
                return Err(ObserveError::Malformed {
                    field: "FindingAggregators".to_owned(),
                    problem: format!("an account has one aggregator, not {}", more.len()),
                });
            }
        };
        let administrator = administrator::of(cx).await?;
        Ok(administrator::govern(object, administrator.as_deref(), None))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { home_region: spec.home_region.clone(), arn: None }
    }

    fn region(place: &Place) -> Option<Region> {
        Some(Region::new(&place.home_region))
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let mut drift = Drift::new();
        drift.compare("home_region", None, Some(&spec.home_region));
        Linked::compare(None, spec, &mut drift);
        Change::new(Making { linked: Linked::declared(spec) }, drift)
    }

    async fn create(cx: &WriteCx, _place: &Place, making: &Making) -> Result<Made, WriteError> {
        let request = cx
            .client(Client::new)
            .create_finding_aggregator()
            .region_linking_mode(making.linked.mode.as_str())
            .set_regions(making.linked.listed());
        let (answer, made) = cx.make(CREATE, request.send()).await?;
        cx.note_made(answer.finding_aggregator_arn());
        Ok(made)
    }

    fn another(spec: &Spec, place: &Place) -> Option<Change<Making>> {
        let mut drift = Drift::new();
        let home = Some(&place.home_region);
        drift.compare("home_region", home, Some(&spec.home_region)).then(|| {
            Change::finding(drift).withhold(format!(
                "findings come together in {0}, AWS does not change that, and evenkeel deletes no aggregator: declare home_region = {0:?}, or delete that aggregator with what has come together in it",
                place.home_region
            ))
        })
    }

    fn unmade() -> Option<(&'static str, Value)> {
        Some(linked::deleting())
    }

    fn is_settling(error: &WriteError) -> bool {
        super::is_settling(error)
    }

    fn named(_id: &str, place: &Place) -> Spec {
        Spec {
            home_region: place.home_region.clone(),
            region_linking_mode: LinkingMode::None,
            linked_regions: None,
        }
    }
}

/// All aggregators of the account: one at most.
async fn aggregators(cx: &Cx) -> Result<Arc<Vec<Said>>, ObserveError> {
    let pages = cx.client(Client::new).list_finding_aggregators().into_paginator().send();
    Ok(cx.list(LIST, "", pages, "FindingAggregators", |page| page.finding_aggregators).await?)
}

/// The Region in the ARN of an aggregator.
fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The ARN of an aggregator ends with an id of Security Hub's own.
fn aggregator(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("securityhub", "finding-aggregator/*")]).into()
}

#[cfg(test)]
mod tests;
