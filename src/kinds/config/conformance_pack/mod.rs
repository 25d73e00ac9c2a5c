//! `config.conformance_pack`: many rules of AWS Config from one template.

mod check;
mod pack;
mod spec;
mod status;
mod template;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::operation::describe_conformance_packs::DescribeConformancePacksOutput as Page;
use aws_sdk_config::types::ConformancePackDetail;
use serde::{Deserialize, Serialize};

pub use self::spec::Spec;
use self::template::Template;
use super::tags::{self, Resource, made_with};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::On;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::spec::found;
use crate::kinds::tags::{CONFIG, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const DESCRIBE: Call = Call::new("config", "DescribeConformancePacks");
const PUT: Call = Call::new("config", "PutConformancePack");
/// A pack is put, marked, and waited for.
const PUTTING: &[Call] = &[PUT, tags::TAG, DESCRIBE, status::STATUS];
/// The service that makes the rules of packs, and its role (AWS Config Developer Guide, "Using
/// Service-Linked Roles for AWS Config Conformance Packs").
const SERVICE: &str = "config-conforms.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForConfigConforms";

/// Which pack.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    conformance_pack_name: String,
    /// The ARN, which holds an id of Config's own; of a pack that is there.
    arn: Option<String>,
    /// Whether it is one that AWS keeps.
    #[serde(default)]
    is_of_aws: bool,
}

/// How a pack is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    record: pack::Record,
    tags: Tags,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ConformancePack;

impl Kind for ConformancePack {
    const NAME: &'static str = "config.conformance_pack";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "conformance_pack_name", prefix: "" };
    const AFTER: &'static [&'static str] = &["s3.bucket", "config.recorder", "config.rule"];
    const NOT_STATE: &'static [&'static str] = &["conformance_pack_name"];
    const BESIDE: &'static [&'static str] = &["/parts/pack/problem"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC01-BP03", "SEC01-BP06"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(DESCRIBE),
        Use::read(status::STATUS),
        Use::write(PUT, pack),
        Use::implied(
            "iam:CreateServiceLinkedRole",
            |_| true,
            |_, arns| {
                Allowed::on([arns.service_linked_role(SERVICE, ROLE)])
                    .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
                    .into()
            },
        ),
        Use::implied(
            "s3:GetObject",
            |spec| spec.template_s3_uri.is_some(),
            |spec, arns| {
                let path =
                    spec.template_s3_uri.as_deref().and_then(|uri| uri.strip_prefix("s3://"));
                Allowed::on(path.map(|path| arns.bucket(path))).into()
            },
        ),
        Use::implied(
            "ssm:GetDocument",
            |spec| spec.template_ssm_document.is_some(),
            |spec, arns| {
                let documents = spec.template_ssm_document.iter();
                Allowed::on(documents.map(|document| match document.name.as_str() {
                    arn if arn.starts_with("arn:") => arns.text(arn),
                    name => arns.regional("ssm", &format!("document/{}", arns.text(name))),
                }))
                .into()
            },
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &["config.amazonaws.com:DeleteConformancePack"];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = check::check(spec);
        problems.extend(CONFIG.check(spec.tags.as_ref()));
        problems
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let all = packs(cx).await?;
        let own = all.iter().filter(|one| owner_of(one).is_none());
        let names = own.map(|one| one.conformance_pack_name().to_owned());
        Ok(names.map(|name| found([("conformance_pack_name", name)])).collect())
    }

    by_parts!();
}

impl Parted for ConformancePack {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[&pack::Pack, &OwnTags::<Self>::PART];
    const CREATE: Call = PUT;
    const CREATING: &'static [Call] = PUTTING;
    const KEPT: &'static str = "evenkeel never deletes a pack: its results would go with it";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let name = spec.conformance_pack_name.as_str();
        let there = described(cx, name).await?;
        let Some(row) = status::status(cx, name).await? else {
            return match there {
                None => Ok(Object::absent(name)),
                Some(_) => told("ConformancePackStatusDetails", None),
            };
        };
        match status::problem(&row) {
            Err(error @ ObserveError::Awaited { .. }) => return Ok(Object::unknown(name, error)),
            other => drop(other?),
        }
        let there = told("ConformancePackDetails", there)?;
        let place = Place {
            conformance_pack_name: name.to_owned(),
            arn: Some(there.conformance_pack_arn().to_owned()),
            is_of_aws: status::is_of_aws(&row),
        };
        let object = Object::present(name, place);
        Ok(match owner_of(&there) {
            Some(owner) => object.managed_by(owner),
            None => object,
        })
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        let conformance_pack_name = spec.conformance_pack_name.clone();
        Place { conformance_pack_name, arn: None, is_of_aws: false }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.conformance_pack_name));
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let tags = spec.tags.clone().unwrap_or_default();
        pack::making(spec, drift).map(|record| Making { record, tags })
    }

    // The call replaces a pack that is there.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named(&place.conformance_pack_name, place))
    }

    async fn create(cx: &WriteCx, place: &Place, making: &Making) -> Result<Made, WriteError> {
        let tags = made_with(&making.tags);
        pack::put(cx, &place.conformance_pack_name, &making.record, tags).await
    }

    fn another(_spec: &Spec, place: &Place) -> Option<Change<Making>> {
        if !place.is_of_aws {
            return None;
        }
        let mut drift = Drift::new();
        drift.add("", Some("a pack that AWS keeps"), Some("a pack with a template"));
        Some(Change::finding(drift).withhold(format!(
            "{} is a managed pack, AWS does not change that, and evenkeel deletes none: declare another name, or delete that pack",
            place.conformance_pack_name
        )))
    }

    fn named(id: &str, _place: &Place) -> Spec {
        Spec { conformance_pack_name: id.to_owned(), ..Spec::default() }
    }
}

impl Resource for ConformancePack {
    const OBJECTS: On<Spec> = pack;

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

/// All packs of the Region. Config fails a request that names one that is not there.
async fn packs(cx: &Cx) -> Result<Arc<Vec<ConformancePackDetail>>, ObserveError> {
    let pages = cx.client(Client::new).describe_conformance_packs().into_paginator().send();
    let part = |page: Page| page.conformance_pack_details;
    Ok(cx.list(DESCRIBE, "", pages, "ConformancePackDetails", part).await?)
}

async fn described(cx: &Cx, name: &str) -> Result<Option<ConformancePackDetail>, ObserveError> {
    let all = packs(cx).await?;
    Ok(all.iter().find(|one| one.conformance_pack_name() == name).cloned())
}

/// The AWS service that made a pack, as an organization's packs are made.
fn owner_of(pack: &ConformancePackDetail) -> Option<String> {
    pack.created_by().filter(|service| !service.is_empty()).map(str::to_owned)
}

/// Whether evenkeel's mark says which template a pack has.
fn has_mark(spec: &Spec) -> bool {
    Template::declared(spec).is_some_and(|template| template.digest().is_some())
}

/// The ARN of a pack ends with an id of Config's own.
fn pack(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let name = format!("conformance-pack/{}/*", arns.text(&spec.conformance_pack_name));
    Allowed::on([arns.regional("config", &name)]).into()
}

#[cfg(test)]
mod tests;
