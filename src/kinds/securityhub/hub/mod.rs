//! `securityhub.hub`: whether Security Hub collects and checks in a Region.

mod controls;
mod enabled;
mod generator;
mod products;
mod spec;
mod tags;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::ControlFindingGenerator;
use serde::{Deserialize, Serialize};

use self::spec::Generator;
pub use self::spec::Spec;
use super::{DESCRIBE, administrator, described, hub_arn};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::tags::SECURITY_HUB;
use crate::kinds::{
    Allowed, Arns, Change, Charge, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError,
};

const ENABLE: Call = Call::new("securityhub", "EnableSecurityHub");
const UPDATE: Call = Call::new("securityhub", "UpdateSecurityHubConfiguration");
/// The service as a principal, and its role (Security Hub User Guide, "Using service-linked roles").
const SERVICE: &str = "securityhub.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForSecurityHub";

/// Which hub: a Region has one, and it needs no name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {}

/// How Security Hub is turned on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    enable_default_standards: bool,
    control_finding_generator: Option<Generator>,
    tags: std::collections::BTreeMap<String, String>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Hub;

impl Kind for Hub {
    const NAME: &'static str = "securityhub.hub";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["config.recorder", "guardduty.detector"];
    const NOT_STATE: &'static [&'static str] = &["enable_default_standards", "under_administrator"];
    const BESIDE: &'static [&'static str] =
        &["/parts/enabled", "/parts/control_finding_generator/administrator"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["4.16"],
        cis_v5: &["4.16"],
        well_architected: &["SEC04-BP02", "SEC04-BP04"],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(DESCRIBE),
        Use::read(administrator::GET),
        Use::write_if(ENABLE, |spec| spec.enabled, hub),
        Use::implied(
            "iam:CreateServiceLinkedRole",
            |spec| spec.enabled,
            |_, arns| {
                Allowed::on([arns.service_linked_role(SERVICE, ROLE)])
                    .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
                    .into()
            },
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:AcceptAdministratorInvitation",
        "securityhub.amazonaws.com:DisassociateFromAdministratorAccount",
        "securityhub.amazonaws.com:DisableSecurityHub",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] =
        &[("auto_enable_controls", "true"), ("control_finding_generator", r#""SECURITY_CONTROL""#)];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("control_finding_generator"),
        Stricter::On("enabled"),
        Stricter::On("auto_enable_controls"),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = enabled::check(spec);
        problems.extend(products::check(spec));
        problems.extend(SECURITY_HUB.check(spec.tags.as_ref()));
        problems
    }

    by_parts!();
}

impl Parted for Hub {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &enabled::Enabled,
        &generator::FindingGenerator,
        &controls::AutoEnableControls,
        &products::Products,
        &OwnTags::<Self>::PART,
    ];
    const CREATE: Call = ENABLE;
    const KEPT: &'static str =
        "evenkeel turns Security Hub off only where `enabled = false` is declared";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        if described(cx).await?.is_none() {
            return Ok(Object::absent(""));
        }
        let administrator = administrator::of(cx).await?;
        let object = Object::present("", Place {});
        Ok(administrator::govern(object, administrator.as_deref(), spec.under_administrator))
    }

    fn is_wanted(spec: &Spec) -> bool {
        spec.enabled
    }

    fn place(_facts: &Facts, _spec: &Spec) -> Place {
        Place {}
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let making = Making {
            enable_default_standards: spec.enable_default_standards.unwrap_or(false),
            control_finding_generator: spec.control_finding_generator,
            tags: spec.tags.clone().unwrap_or_default(),
        };
        let mut drift = Drift::new();
        drift.compare("enabled", Some(&false), Some(&spec.enabled));
        let generator = spec.control_finding_generator.as_ref();
        drift.compare("control_finding_generator", None, generator);
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        Change::new(making, drift).charged(
            "AWS charges for every check of a control, and for findings that come in",
            [Charge::SecurityCheck],
        )
    }

    async fn create(cx: &WriteCx, _place: &Place, making: &Making) -> Result<Made, WriteError> {
        let generator = making.control_finding_generator;
        let generator = generator.map(|word| ControlFindingGenerator::from(word.as_str()));
        let request = cx
            .client(Client::new)
            .enable_security_hub()
            .enable_default_standards(making.enable_default_standards)
            .set_control_finding_generator(generator)
            .set_tags(
                Some(making.tags.clone().into_iter().collect()).filter(|_| !making.tags.is_empty()),
            );
        match cx.made(ENABLE, request.send()).await {
            Err(WriteError::Aws(error)) if error.is_code(&["ResourceConflictException"]) => {
                Err(WriteError::Another(format!(
                    "somebody else has turned Security Hub on meanwhile: {error}"
                )))
            }
            answer => answer,
        }
    }

    fn is_settling(error: &WriteError) -> bool {
        super::is_settling(error)
    }

    fn named(_id: &str, _place: &Place) -> Spec {
        Spec { enabled: true, ..Spec::default() }
    }
}

fn hub(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    hub_arn(arns)
}

#[cfg(test)]
mod tests;
