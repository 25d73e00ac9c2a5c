//! `inspector2.scanning`: what Inspector scans for known vulnerabilities, and how.

mod administrator;
mod cis;
mod configuration;
mod deep;
mod ec2;
mod ecr;
mod organization;
mod spec;
mod suppression;
mod types;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::spec::ResourceType;
pub use self::spec::Spec;
use crate::aws::Call;
use crate::aws::lacking;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::{
    Allowed, Arns, Change, Charge, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError, compared,
};

const ENABLE: Call = Call::new("inspector2", "Enable");
const DISABLE: Call = Call::new("inspector2", "Disable");
/// The service as a principal, and its roles (Inspector User Guide, "Using service-linked roles").
const ROLES: [(&str, &str); 2] = [
    ("inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2"),
    ("agentless.inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2Agentless"),
];

/// Which configuration: a Region has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {}

/// What Inspector scans from the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    resource_types: BTreeSet<ResourceType>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanning;

impl Kind for Scanning {
    const NAME: &'static str = "inspector2.scanning";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const CONTROLS: Controls = Controls {
        fsbp: &["Inspector.1", "Inspector.2", "Inspector.3", "Inspector.4"],
        well_architected: &["SEC06-BP01"],
        by_fields: &[(
            &["Inspector.1", "Inspector.2", "Inspector.3", "Inspector.4"],
            &["resource_types"],
        )],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(types::STATUS),
        Use::read(administrator::GET),
        Use::write_if(ENABLE, is_on, everywhere),
        Use::implied("iam:CreateServiceLinkedRole", is_on, own_roles),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "inspector2.amazonaws.com:AssociateMember",
        "inspector2.amazonaws.com:DisassociateMember",
        "inspector2.amazonaws.com:EnableDelegatedAdminAccount",
        "inspector2.amazonaws.com:DisableDelegatedAdminAccount",
        "inspector2.amazonaws.com:CreateFilter",
        "inspector2.amazonaws.com:UpdateFilter",
    ];
    const BESIDE: &'static [&'static str] = &["/parts/forbid_suppression_rules"];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("ec2_scan_mode", r#""EC2_HYBRID""#),
        ("ecr_rescan_duration", r#""DAYS_14""#),
        ("ecr_pull_date_rescan_duration", r#""DAYS_14""#),
        ("ecr_pull_date_rescan_mode", r#""LAST_IN_USE_AT""#),
        ("deep_inspection", "true"),
        ("package_paths", "[]"),
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("exclusive"),
        Stricter::Order(
            "ecr_rescan_duration",
            &[
                "DAYS_3", "DAYS_7", "DAYS_14", "DAYS_30", "DAYS_60", "DAYS_90", "DAYS_180",
                "LIFETIME",
            ],
        ),
        Stricter::Order(
            "ecr_pull_date_rescan_duration",
            &["DAYS_3", "DAYS_7", "DAYS_14", "DAYS_30", "DAYS_60", "DAYS_90", "DAYS_180"],
        ),
        Stricter::Neither("ecr_pull_date_rescan_mode"),
        Stricter::Order("ec2_scan_mode", &["EC2_SSM_AGENT_BASED", "EC2_HYBRID"]),
        Stricter::On("deep_inspection"),
        Stricter::Neither("forbid_suppression_rules"),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    by_parts!();
}

impl Parted for Scanning {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &types::Types,
        &ecr::Images,
        &ec2::Instances,
        &deep::DeepInspection,
        &cis::CisScans,
        &organization::AutoEnableMembers,
        &suppression::SuppressionRules,
    ];
    const CREATE: Call = ENABLE;
    const CREATING: &'static [Call] = &[ENABLE, types::STATUS, administrator::GET];
    const KEPT: &'static str = "evenkeel turns off what it has turned on";

    async fn find(cx: &Cx, _spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let scanned = match types::scanned(cx).await {
            Err(ObserveError::Aws(error)) if lacking::is_known(&error) => {
                let words = lacking::words("Amazon Inspector", &error.region);
                return Ok(Object::skipped("", words));
            }
            scanned => scanned?,
        };
        let object = match scanned {
            Some(_) => Object::present("", Place {}),
            None => Object::absent(""),
        };
        Ok(match administrator::of(cx).await? {
            Some(account) => object
                .managed_by(format!("the delegated administrator of Inspector, account {account}")),
            None => object,
        })
    }

    fn is_wanted(spec: &Spec) -> bool {
        is_on(spec)
    }

    fn place(_facts: &Facts, _spec: &Spec) -> Place {
        Place {}
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let making = Making { resource_types: spec.resource_types.clone() };
        let mut drift = Drift::new();
        compared::mark("exclusive");
        let none = BTreeSet::new();
        drift.compare("resource_types", Some(&none), Some(&spec.resource_types));
        let (words, charges) = cost(&spec.resource_types);
        Change::new(making, drift).charged(&words, charges)
    }

    // Inspector says the same of what is on already.
    fn looked_for(_place: &Place) -> Option<Spec> {
        Some(Spec::default())
    }

    async fn create(cx: &WriteCx, _place: &Place, making: &Making) -> Result<Made, WriteError> {
        types::make(cx, &making.resource_types).await
    }

    // What was off as a whole is off again: all types, by naming none.
    fn unmade() -> Option<(&'static str, Value)> {
        Some(("resource_types", json!({ "disable": [] })))
    }

    fn made(making: &Making) -> Option<Value> {
        Some(json!({ "enable": making.resource_types }))
    }

    fn named(_id: &str, _place: &Place) -> Spec {
        Spec::default()
    }
}

fn is_on(spec: &Spec) -> bool {
    !spec.resource_types.is_empty()
}

/// What scanning costs, in words, and what of it has a price.
fn cost(types: &BTreeSet<ResourceType>) -> (String, Vec<Charge>) {
    let mut by = Vec::new();
    let mut charges = Vec::new();
    for one in types {
        match one {
            ResourceType::Ec2 => {
                by.push("instance");
                charges.push(Charge::InspectorInstance);
            }
            ResourceType::Ecr => {
                by.push("image");
                charges.push(Charge::InspectorImage);
            }
            ResourceType::Lambda => {
                by.push("function");
                charges.push(Charge::InspectorFunction);
            }
            ResourceType::LambdaCode => by.push("function whose code is scanned"),
            ResourceType::CodeRepository => by.push("scan of a repository of code"),
        }
    }
    let words =
        format!("AWS charges for each {}; the first 15 days of an account are free", by.join(", "));
    (words, charges)
}

/// The roles that Inspector makes for itself when it is switched on.
pub fn own_roles<S>(_spec: &S, arns: &Arns) -> Vec<Allowed> {
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
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
