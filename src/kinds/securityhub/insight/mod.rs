//! `securityhub.insight`: findings that are counted together.

mod attributes;
mod conditions;
mod defined;
mod spec;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::config::Builder;
use aws_sdk_securityhub::config::retry::RetryConfig;
use aws_sdk_securityhub::types::Insight as Said;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::defined::Defined;
pub use self::spec::Spec;
use super::{hub_arn, is_off};
use crate::aws::{AwsError, Call, ErrorClass};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::spec::found;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const LIST: Call = Call::new("securityhub", "GetInsights");
const CREATE: Call = Call::new("securityhub", "CreateInsight");
/// How long after a lost answer it is looked for what it may have made.
const AFTER_LOSS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Which insight: its ARN ends with an id of Security Hub's.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    name: String,
    /// Of one that is there.
    arn: Option<String>,
}

impl Place {
    /// The insight's ARN; of one that was made since the look, as Security Hub tells it.
    async fn found(&self, cx: &WriteCx) -> Result<String, WriteError> {
        if let Some(arn) = &self.arn {
            return Ok(arn.clone());
        }
        let all = insights(&cx.afresh()).await?;
        let there = named(&all, &self.name)?.and_then(Said::insight_arn);
        let missing =
            || WriteError::Changed(format!("there is no insight {:?} any more", self.name));
        there.map(str::to_owned).ok_or_else(missing)
    }
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight;

impl Kind for Insight {
    const NAME: &'static str = "securityhub.insight";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "name", prefix: "" };
    const AFTER: &'static [&'static str] = &["securityhub.hub"];
    const NOT_STATE: &'static [&'static str] = &["name"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[Use::read(LIST), Use::write(CREATE, hub)];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:EnableSecurityHub",
        "securityhub.amazonaws.com:DisableSecurityHub",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let all = match insights(cx).await {
            Ok(all) => all,
            Err(ObserveError::Aws(error)) if is_off(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names: BTreeSet<&str> = all.iter().filter_map(Said::name).collect();
        Ok(names.into_iter().map(|name| found([("name", name.to_owned())])).collect())
    }

    by_parts!();
}

impl Parted for Insight {
    type Place = Place;
    type Making = Defined;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[&defined::Definition];
    const CREATE: Call = CREATE;
    const CREATING: &'static [Call] = &[CREATE, LIST];
    const KEPT: &'static str = "evenkeel deletes no insight";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let all = match insights(cx).await {
            Ok(all) => all,
            // Where the hub is off, there is none; to be made, an insight needs it.
            Err(ObserveError::Aws(error)) if is_off(&error) => {
                return Ok(Object::absent(&spec.name));
            }
            Err(error) => return Err(error),
        };
        let Some(one) = named(&all, &spec.name)? else { return Ok(Object::absent(&spec.name)) };
        let arn = told("Insights.InsightArn", one.insight_arn())?.to_owned();
        Ok(Object::present(&spec.name, Place { name: spec.name.clone(), arn: Some(arn) }))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { name: spec.name.clone(), arn: None }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Defined> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.name));
        Defined::compare(None, spec, &mut drift);
        Change::new(Defined::declared(spec), drift)
    }

    // AWS makes a second one of the same name.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named(&place.name, place))
    }

    async fn create(cx: &WriteCx, place: &Place, defined: &Defined) -> Result<Made, WriteError> {
        create(cx, place, defined).await
    }

    fn unmade() -> Option<(&'static str, Value)> {
        Some(defined::deleting())
    }

    fn made(defined: &Defined) -> Option<Value> {
        defined::making(defined)
    }

    /// As many insights as there may be are no reason to wait.
    fn is_settling(error: &WriteError) -> bool {
        matches!(error, WriteError::Aws(error)
            if matches!(error.class, ErrorClass::Settling | ErrorClass::Throttled))
    }

    fn named(id: &str, _place: &Place) -> Spec {
        Spec { name: id.to_owned(), ..Spec::default() }
    }
}

/// Makes an insight, once: a second try of the call would make a second one.
async fn create(cx: &WriteCx, place: &Place, defined: &Defined) -> Result<Made, WriteError> {
    let request = cx
        .client(Client::new)
        .create_insight()
        .name(&place.name)
        .group_by_attribute(&defined.group_by_attribute)
        .filters(attributes::send(&defined.filters)?)
        .customize()
        .config_override(Builder::new().retry_config(RetryConfig::disabled()))
        .send();
    match cx.make(CREATE, request).await {
        Ok((answer, made)) => {
            cx.note_made(answer.insight_arn());
            Ok(made)
        }
        Err(error) if is_lost(&error) => {
            for pause in AFTER_LOSS {
                cx.pause(pause).await;
                if let Some(one) = named(&insights(&cx.afresh()).await?, &place.name)? {
                    return Err(match Defined::of(one)? == *defined {
                        true => WriteError::WasThereAlike(error.to_string()),
                        false => WriteError::Another(error.to_string()),
                    });
                }
            }
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether nobody can tell from the answer whether something was made.
fn is_lost(error: &AwsError) -> bool {
    matches!(error.class, ErrorClass::Unreachable | ErrorClass::ServerFault)
}

/// The custom insights of the Region. Those of Security Hub belong to no account, and nobody can change them
/// (Security Hub User Guide, "Managed insights").
async fn insights(cx: &Cx) -> Result<Arc<Vec<Said>>, ObserveError> {
    let pages = cx.client(Client::new).get_insights().into_paginator().send();
    let all = cx.list(LIST, "", pages, "Insights", |page| page.insights).await?;
    let mut custom = Vec::new();
    for one in all.iter() {
        let arn = told("Insights.InsightArn", one.insight_arn())?;
        match arn.split_once(":insight/").map(|(_, id)| id) {
            Some(id) if id.contains("/custom/") => custom.push(one.clone()),
            Some(id) if id.starts_with("securityhub/") => {}
            _ => {
                return Err(ObserveError::Malformed {
                    field: "Insights.InsightArn".to_owned(),
                    problem: format!("{arn:?} is not the ARN of an insight"),
                });
            }
        }
    }
    Ok(Arc::new(custom))
}

/// The one insight of a name.
fn named<'a>(all: &'a [Said], name: &str) -> Result<Option<&'a Said>, ObserveError> {
    let mut same = all.iter().filter(|one| one.name() == Some(name));
    match (same.next(), same.count()) {
        (one, 0) => Ok(one),
        (_, more) => Err(ObserveError::Unclear {
            reason: format!(
                "{} insights are named {name:?}, and nothing says which one is meant",
                more + 1
            ),
            remedy: "look at them in Security Hub's console, and rename or delete all but one"
                .to_owned(),
        }),
    }
}

/// AWS checks an insight's calls on the hub (Service Authorization Reference, "AWS Security Hub").
fn hub(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    hub_arn(arns)
}

#[cfg(test)]
mod tests;
