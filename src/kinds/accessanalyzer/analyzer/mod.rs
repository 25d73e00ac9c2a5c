//! `accessanalyzer.analyzer`: who has access to what from outside, who has it inside, and which access
//! nobody uses.

mod archive_rules;
mod configuration;
mod spec;
mod status;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_accessanalyzer::Client;
use aws_sdk_accessanalyzer::types::{self, AnalyzerSummary, InlineArchiveRule};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::archive_rules::Filter;
use self::configuration::Configuration;
pub use self::spec::{AnalyzerType, Spec};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::organization::{self, OfOrganization};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::spec::found;
use crate::kinds::tags::ACCESS_ANALYZER;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError, known,
};
use crate::names::Region;

const LIST: Call = Call::new("accessanalyzer", "ListAnalyzers");
const CREATE: Call = Call::new("accessanalyzer", "CreateAnalyzer");
/// The service as a principal, and its role (IAM User Guide, "Using service-linked roles for IAM Access
/// Analyzer").
const SERVICE: &str = "access-analyzer.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForAccessAnalyzer";
const OF_ORGANIZATION: OfOrganization = OfOrganization {
    service: SERVICE,
    thing: "analyzer",
    instead: "declare an analyzer of the account",
};

/// Which analyzer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    analyzer_name: String,
    #[serde(rename = "type")]
    of_type: AnalyzerType,
}

/// How an analyzer is made: as a whole, so that nothing is found that a rule archives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    configuration: Configuration,
    archive_rules: BTreeMap<String, Filter>,
    tags: BTreeMap<String, String>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzer;

impl Kind for Analyzer {
    const NAME: &'static str = "accessanalyzer.analyzer";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "analyzer_name", prefix: "" };
    const NOT_STATE: &'static [&'static str] = &["analyzer_name"];
    const BESIDE: &'static [&'static str] = &["/parts/status"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["1.20"],
        cis_v5: &["1.19"],
        security_hub: &["IAM.28"],
        well_architected: &["SEC03-BP04", "SEC03-BP07"],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(LIST),
        Use::read_if(organization::DESCRIBE, |spec| spec.of_type.is_of_organization()),
        Use::read_if(organization::DELEGATED, |spec| spec.of_type.is_of_organization()),
        Use::write(CREATE, analyzer),
        Use::implied(
            "iam:CreateServiceLinkedRole",
            |_| true,
            |_, arns| {
                Allowed::on([arns.service_linked_role(SERVICE, ROLE)])
                    .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
                    .into()
            },
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &["access-analyzer.amazonaws.com:DeleteAnalyzer"];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    const STRICTER: &'static [Stricter] =
        &[Stricter::Neither("type"), Stricter::Less("unused_access_age")];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = configuration::check(spec);
        problems.extend(archive_rules::check(spec));
        problems.extend(ACCESS_ANALYZER.check(spec.tags.as_ref()));
        problems
    }

    /// Of most types a Region has one analyzer, whatever its name.
    fn governs(spec: &Value, _home: Option<&Region>) -> Option<String> {
        let of_type: AnalyzerType = serde_json::from_value(spec.get("type")?.clone()).ok()?;
        of_type.is_single().then(|| of_type.as_str().to_owned())
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let all = analyzers(cx).await?;
        let own = all.iter().filter(|one| one.managed_by().is_none());
        let fields = |one: &AnalyzerSummary| {
            [("analyzer_name", one.name().to_owned()), ("type", one.r#type().as_str().to_owned())]
        };
        Ok(own.map(|one| found(fields(one))).collect())
    }

    by_parts!();
}

impl Parted for Analyzer {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &status::Status,
        &configuration::Configured,
        &archive_rules::ArchiveRules,
        &OwnTags::<Self>::PART,
    ];
    const CREATE: Call = CREATE;
    const KEPT: &'static str = "evenkeel never deletes an analyzer: its findings would go with it";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let all = analyzers(cx).await?;
        let Some(there) = chosen(&all, spec) else {
            if spec.of_type.is_of_organization() {
                organization::may_make(cx, &OF_ORGANIZATION).await?;
            }
            return Ok(Object::absent(&spec.analyzer_name));
        };
        let name = there.name();
        let of_type = known("type", there.r#type().as_str())?;
        let object = Object::present(name, Place { analyzer_name: name.to_owned(), of_type });
        Ok(match there.managed_by() {
            Some(service) => object.managed_by(service),
            None => object,
        })
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { analyzer_name: spec.analyzer_name.clone(), of_type: spec.of_type }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let making = Making {
            configuration: Configuration::declared(spec),
            archive_rules: spec.archive_rules.clone().unwrap_or_default(),
            tags: spec.tags.clone().unwrap_or_default(),
        };
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.analyzer_name));
        drift.add("type", None::<&str>, Some(&spec.of_type));
        Configuration::default().compare(spec, &mut drift);
        let rules = spec.archive_rules.as_ref().filter(|rules| !rules.is_empty());
        drift.compare("archive_rules", None, rules);
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let change = Change::new(making, drift);
        match spec.of_type.cost() {
            Some((cost, charge)) => change.charged(cost, [charge]),
            None => change,
        }
    }

    async fn create(cx: &WriteCx, place: &Place, making: &Making) -> Result<Made, WriteError> {
        let rules = making.archive_rules.iter().map(|(name, filter)| {
            let filter = archive_rules::send(filter);
            InlineArchiveRule::builder().rule_name(name).set_filter(Some(filter)).build()
        });
        let rules: Vec<_> = rules.collect::<Result<_, _>>()?;
        let tags = making.tags.clone().into_iter().collect();
        let request = cx
            .client(Client::new)
            .create_analyzer()
            .analyzer_name(&place.analyzer_name)
            .r#type(types::Type::from(place.of_type.as_str()))
            .set_configuration(making.configuration.send(place.of_type)?)
            .set_archive_rules(Some(rules).filter(|rules| !rules.is_empty()))
            .set_tags(Some(tags));
        match cx.made(CREATE, request.send()).await {
            // An earlier try whose answer was lost made it, or somebody else did since the look.
            Err(WriteError::Aws(error)) if error.is_code(&["ConflictException"]) => {
                let all = analyzers(&cx.afresh()).await?;
                let is_made = |one: &&AnalyzerSummary| {
                    one.name() == place.analyzer_name
                        && one.r#type().as_str() == place.of_type.as_str()
                };
                Err(match all.iter().find(is_made) {
                    Some(_) => WriteError::was_there(&error),
                    None => WriteError::Another(format!(
                        "somebody else makes an analyzer of this name or type: {error}"
                    )),
                })
            }
            answer => answer,
        }
    }

    fn immovable(spec: &Spec, place: &Place) -> Option<Change<Making>> {
        let mut drift = Drift::new();
        drift.compare("type", Some(&place.of_type), Some(&spec.of_type)).then(|| {
            Change::finding(drift).withhold(
                "the type of an analyzer cannot be changed, and evenkeel deletes none: declare another name, or this type",
            )
        })
    }

    fn named(id: &str, place: &Place) -> Spec {
        Spec::named(id, place.of_type)
    }
}

/// All analyzers of the Region, those of other services included.
async fn analyzers(cx: &Cx) -> Result<Arc<Vec<AnalyzerSummary>>, ObserveError> {
    let pages = cx.client(Client::new).list_analyzers().into_paginator().send();
    Ok(cx.list(LIST, "", pages, "analyzers", |page| Some(page.analyzers)).await?)
}

/// The analyzer that a spec means. Where a Region can have one of its type, it is that one, whatever its
/// name: AWS makes no second one.
fn chosen<'a>(all: &'a [AnalyzerSummary], spec: &Spec) -> Option<&'a AnalyzerSummary> {
    let is_of_type = |one: &&AnalyzerSummary| {
        one.managed_by().is_none() && one.r#type().as_str() == spec.of_type.as_str()
    };
    let is_named = |one: &&AnalyzerSummary| one.name() == spec.analyzer_name;
    let by_type = all.iter().find(|one| spec.of_type.is_single() && is_of_type(one));
    let by_both = all.iter().find(|one| is_named(one) && is_of_type(one));
    by_both.or(by_type).or_else(|| all.iter().find(is_named))
}

/// The ARN of an analyzer.
fn arn(facts: &Facts, place: &Place) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:access-analyzer:{region}:{account}:analyzer/{}", place.analyzer_name)
}

/// An analyzer that is there may have any name.
fn analyzer(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("access-analyzer", "analyzer/*")]).into()
}

#[cfg(test)]
mod tests;
