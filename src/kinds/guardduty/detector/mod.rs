//! `guardduty.detector`: whether GuardDuty looks for threats in a Region, and in what.

pub mod administrator;
mod enable;
mod features;
mod frequency;
mod spec;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::operation::get_detector::GetDetectorOutput;
use aws_sdk_guardduty::types;
use serde::{Deserialize, Serialize};

pub use self::features::AGENTS;
pub use self::spec::Spec;
use self::spec::{Feature, Frequency};
use crate::aws::{AwsError, Call};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::tags::GUARDDUTY;
use crate::kinds::together::together;
use crate::kinds::{
    Allowed, Arns, Change, Charge, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError,
    Risk, Scope, Stricter, Use, WriteCx, WriteError, compared, told,
};

pub const LIST: Call = Call::new("guardduty", "ListDetectors");
const GET: Call = Call::new("guardduty", "GetDetector");
const CREATE: Call = Call::new("guardduty", "CreateDetector");
const UPDATE: Call = Call::new("guardduty", "UpdateDetector");
/// The service as a principal, and its roles (GuardDuty User Guide, "Using service-linked roles for
/// GuardDuty").
const ROLES: [(&str, &str); 2] = [
    ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty"),
    (
        "malware-protection.guardduty.amazonaws.com",
        "AWSServiceRoleForAmazonGuardDutyMalwareProtection",
    ),
];

/// Which detector: a Region has one at most, whose id is GuardDuty's.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    detector_id: Option<String>,
}

impl Place {
    fn id(&self) -> Result<&str, WriteError> {
        let missing = || WriteError::Unsendable("the plan does not say which detector".to_owned());
        self.detector_id.as_deref().ok_or_else(missing)
    }
}

/// How a detector is made: as a whole, for what is not said is turned on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    enable: bool,
    finding_publishing_frequency: Option<Frequency>,
    features: BTreeMap<String, Feature>,
    tags: BTreeMap<String, String>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector;

impl Kind for Detector {
    const NAME: &'static str = "guardduty.detector";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const BESIDE: &'static [&'static str] = &["/parts/require_administrator_account"];
    const CONTROLS: Controls = Controls {
        fsbp: &[
            "GuardDuty.1",
            "GuardDuty.5",
            "GuardDuty.6",
            "GuardDuty.8",
            "GuardDuty.9",
            "GuardDuty.10",
            "GuardDuty.11",
            "GuardDuty.12",
            "GuardDuty.13",
        ],
        well_architected: &["SEC04-BP02", "SEC04-BP03", "SEC05-BP04", "SEC06-BP01"],
        by_fields: &[
            (&["GuardDuty.1"], &["enable"]),
            (
                &[
                    "GuardDuty.5",
                    "GuardDuty.6",
                    "GuardDuty.8",
                    "GuardDuty.9",
                    "GuardDuty.10",
                    "GuardDuty.11",
                    "GuardDuty.12",
                    "GuardDuty.13",
                ],
                &["features"],
            ),
        ],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(LIST),
        Use::read(GET),
        Use::read(administrator::GET),
        Use::write_if(CREATE, |spec| spec.enable, everywhere),
        Use::implied("iam:CreateServiceLinkedRole", |spec| spec.enable, own_roles),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "guardduty.amazonaws.com:DeleteDetector",
        "guardduty.amazonaws.com:DisassociateFromAdministratorAccount",
        "guardduty.amazonaws.com:DisassociateFromMasterAccount",
        "guardduty.amazonaws.com:AcceptAdministratorInvitation",
        "guardduty.amazonaws.com:StopMonitoringMembers",
        "guardduty.amazonaws.com:UpdateMemberDetectors",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] =
        &[("finding_publishing_frequency", r#""SIX_HOURS""#)];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::On("enable"),
        Stricter::Order(
            "finding_publishing_frequency",
            &["SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"],
        ),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = features::check(spec);
        problems.extend(administrator::check(spec));
        problems.extend(GUARDDUTY.check(spec.tags.as_ref()));
        problems
    }

    by_parts!();
}

impl Parted for Detector {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &enable::Enable,
        &frequency::PublishingFrequency,
        &features::Features,
        &administrator::AdministratorAccount,
        &OwnTags::<Self>::PART,
    ];
    const CREATE: Call = CREATE;
    const KEPT: &'static str = "evenkeel never deletes a detector: its findings would go with it";

    async fn find(cx: &Cx, _spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let Some(id) = id(cx).await? else { return Ok(Object::absent("")) };
        let place = Place { detector_id: Some(id.clone()) };
        let (_, administrator) = together!(detector(cx, &place), administrator::of(cx, &id))?;
        let object = Object::present("", place).labelled(&id);
        Ok(match administrator {
            Some(administrator) if administrator.manages()? => {
                object.managed_by(administrator.title())
            }
            Some(_) | None => object,
        })
    }

    fn is_wanted(spec: &Spec) -> bool {
        spec.enable
    }

    /// Where nothing runs, nothing that is declared off is on.
    fn lacking(spec: &Spec) -> Vec<Change<Making>> {
        let mut drift = Drift::new();
        let frequency = spec.finding_publishing_frequency.as_ref();
        drift.compare("finding_publishing_frequency", None, frequency);
        for (name, feature) in spec.features.iter().flatten().filter(|(_, one)| one.is_any_on()) {
            drift.add(&format!("features.{name}"), None::<&str>, Some(feature));
        }
        let administrator = spec.require_administrator_account.as_deref();
        drift.compare_text("require_administrator_account", None, administrator);
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let lacking = |field| {
            Change::finding(Drift(vec![field])).withhold(
                "declare enable = true, or leave it out: there is no detector here that could have it",
            )
        };
        drift.0.into_iter().map(lacking).collect()
    }

    fn place(_facts: &Facts, _spec: &Spec) -> Place {
        Place { detector_id: None }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let making = Making {
            enable: spec.enable,
            finding_publishing_frequency: spec.finding_publishing_frequency,
            features: spec.features.clone().unwrap_or_default(),
            tags: spec.tags.clone().unwrap_or_default(),
        };
        let mut drift = Drift::new();
        drift.compare("enable", None, Some(&spec.enable));
        let frequency = spec.finding_publishing_frequency.as_ref();
        drift.compare("finding_publishing_frequency", None, frequency);
        compared::mark("features");
        for (name, feature) in &making.features {
            drift.add(&format!("features.{name}"), None::<&str>, Some(feature));
        }
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let change = Change::new(making, drift).charged(&features::cost(spec), [Charge::Guardduty]);
        let agents = spec.features.iter().flatten().any(|(_, one)| one.has_agents());
        if agents { change.risk(Risk::Disruptive).warn(AGENTS) } else { change }
    }

    async fn create(cx: &WriteCx, _place: &Place, making: &Making) -> Result<Made, WriteError> {
        let features = making.features.iter().map(|(name, feature)| features::send(name, feature));
        let frequency = making
            .finding_publishing_frequency
            .map(|frequency| types::FindingPublishingFrequency::from(frequency.as_str()));
        let request = cx
            .client(Client::new)
            .create_detector()
            .enable(making.enable)
            .set_finding_publishing_frequency(frequency)
            .set_features(Some(features.collect()))
            .set_tags(
                Some(making.tags.clone().into_iter().collect()).filter(|_| !making.tags.is_empty()),
            );
        let (answer, made) = match cx.make(CREATE, request.send()).await {
            // Source: GuardDuty API Reference, `CreateDetector`; GuardDuty has one code for everything.
            Err(error) if error.message.contains("a detector already exists") => {
                return Err(WriteError::Another(format!(
                    "somebody else made a detector, which the next plan adopts: {error}"
                )));
            }
            answer => answer?,
        };
        // Made, and not whole: a success that holds a failure.
        let missed =
            answer.unprocessed_data_sources().and_then(|missed| missed.malware_protection());
        match missed {
            Some(missed) => {
                let said =
                    missed.scan_ec2_instance_with_findings().and_then(|one| one.ebs_volumes());
                let reason = said.and_then(|one| one.reason()).unwrap_or("it gives no reason");
                let text = format!(
                    "GuardDuty made the detector, and not EBS_MALWARE_PROTECTION: {reason}"
                );
                Err(AwsError::malformed(&cx.region, CREATE, &text).into())
            }
            None => Ok(made),
        }
    }

    fn named(_id: &str, _place: &Place) -> Spec {
        Spec::default()
    }
}

/// The id of the Region's detector, if there is one.
///
/// # Errors
/// GuardDuty did not say it.
pub async fn id(cx: &Cx) -> Result<Option<String>, ObserveError> {
    let pages = cx.client(Client::new).list_detectors().into_paginator().send();
    let ids = cx.list(LIST, "", pages, "detectorIds", |page| page.detector_ids).await?;
    match ids.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(id.clone())),
        more => Err(ObserveError::Malformed {
            field: "detectorIds".to_owned(),
            problem: format!("a Region has one detector, not {}", more.len()),
        }),
    }
}

/// The detector as GuardDuty describes it, which all parts read.
async fn detector(cx: &Cx, place: &Place) -> Result<Arc<GetDetectorOutput>, ObserveError> {
    let id = told("detectorId", place.detector_id.as_deref())?;
    let request = cx.client(Client::new).get_detector().detector_id(id);
    Ok(cx.read(GET, id, request.send()).await?)
}

/// The ids of detectors are GuardDuty's own.
fn any(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("guardduty", "detector/*")]).into()
}

fn own_roles(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let one = |(service, name): (&str, &str)| {
        Allowed::on([arns.service_linked_role(service, name)]).when(
            "StringEquals",
            "iam:AWSServiceName",
            [service.to_owned()],
        )
    };
    ROLES.map(one).into()
}

#[cfg(test)]
mod tests;
