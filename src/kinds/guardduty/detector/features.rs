//! What GuardDuty looks at besides its foundation.

use std::collections::BTreeMap;

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::{
    DetectorAdditionalConfiguration, DetectorFeature, DetectorFeatureConfiguration,
    DetectorFeatureConfigurationResult, FeatureAdditionalConfiguration, FeatureStatus as Status,
};
use serde::{Deserialize, Serialize};

use super::spec::{Feature, FeatureStatus, Spec};
use super::{Detector, Place, UPDATE, any, detector};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::baseline::problem::one_of;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Charge, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, known,
    told,
};

/// What can be written, each with what it has besides. `CLOUD_TRAIL`, `DNS_LOGS` and `FLOW_LOGS` are
/// always on; `EKS_RUNTIME_MONITORING` is what `RUNTIME_MONITORING` was before (GuardDuty API Reference,
/// `DetectorFeatureConfiguration` and `UpdateDetector`).
const NAMES: [(&str, &[&str]); 8] = [
    ("S3_DATA_EVENTS", &[]),
    ("EKS_AUDIT_LOGS", &[]),
    ("EBS_MALWARE_PROTECTION", &[]),
    ("RDS_LOGIN_EVENTS", &["RDS_DATA_RISK"]),
    ("LAMBDA_NETWORK_LOGS", &[]),
    (
        "RUNTIME_MONITORING",
        &["EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"],
    ),
    ("AI_PROTECTION", &[]),
    ("AI_ANALYST", &[]),
];
/// What a new detector has on where nothing else is said (GuardDuty API Reference, `CreateDetector`).
const AT_FIRST: [&str; 5] = [
    "S3_DATA_EVENTS",
    "EKS_AUDIT_LOGS",
    "EBS_MALWARE_PROTECTION",
    "RDS_LOGIN_EVENTS",
    "LAMBDA_NETWORK_LOGS",
];
/// What the reader must know of agents.
pub const AGENTS: &str = "GuardDuty puts its agents on machines, clusters and tasks, and endpoints into their VPCs: turning it off again takes them away only in part";

pub struct Features;

/// A feature that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct There {
    feature: Feature,
    /// Whether a policy of the organization decides it, or a part of it.
    is_of_policy: bool,
}

/// What a new detector costs, in words.
pub fn cost(spec: &Spec) -> String {
    let declared = |name: &&&str| spec.features.iter().flatten().any(|(one, _)| one == **name);
    let more: Vec<&str> = AT_FIRST.iter().filter(|name| !declared(name)).copied().collect();
    let charge = "AWS charges by what GuardDuty analyzes, and for each feature that is on";
    match more.as_slice() {
        [] => charge.to_owned(),
        more => format!("{charge}; not declared, and turned on by AWS: {}", more.join(", ")),
    }
}

/// A feature as a request takes it.
pub fn send(name: &str, feature: &Feature) -> DetectorFeatureConfiguration {
    let more = feature.additional_configuration.iter().map(|(name, status)| {
        DetectorAdditionalConfiguration::builder()
            .name(FeatureAdditionalConfiguration::from(name.as_str()))
            .status(Status::from(status.as_str()))
            .build()
    });
    let more: Vec<_> = more.collect();
    DetectorFeatureConfiguration::builder()
        .name(DetectorFeature::from(name))
        .status(Status::from(feature.status.as_str()))
        .set_additional_configuration(Some(more).filter(|more| !more.is_empty()))
        .build()
}

fn status(said: Option<&Status>) -> Result<FeatureStatus, ObserveError> {
    known("features.status", told("features.status", said)?.as_str())
}

fn read(said: &DetectorFeatureConfigurationResult) -> Result<(String, There), ObserveError> {
    let name = told("features.name", said.name())?.as_str().to_owned();
    let mut is_of_policy = said.managed_by().is_some();
    let mut more = BTreeMap::new();
    for one in said.additional_configuration() {
        is_of_policy |= one.managed_by().is_some();
        let name = told("additionalConfiguration.name", one.name())?;
        more.insert(name.as_str().to_owned(), status(one.status())?);
    }
    let feature = Feature { status: status(said.status())?, additional_configuration: more };
    Ok((name, There { feature, is_of_policy }))
}

impl Part for Features {
    type Of = Detector;
    type Now = BTreeMap<String, There>;
    /// A feature, by its name.
    type Write = (String, Feature);

    const NAME: &'static str = "features";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(UPDATE, Self::is_declared, any)];

    fn is_declared(spec: &Spec) -> bool {
        spec.features.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        let detector = detector(cx, place).await?;
        told("features", detector.features.as_ref())?.iter().map(read).collect()
    }

    fn diff(look: &Look<'_, Detector>, now: &Self::Now) -> Vec<Change<(String, Feature)>> {
        compared::mark(Self::NAME);
        // A new detector is made with them.
        if look.is_new() {
            return Vec::new();
        }
        let declared = look.spec.features.iter().flatten();
        declared.filter_map(|(name, wanted)| one(name, wanted, now.get(name))).collect()
    }

    fn calls(_write: &(String, Feature)) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(
        cx: &WriteCx,
        place: &Place,
        (name, feature): &(String, Feature),
    ) -> Result<(), WriteError> {
        let request = cx.client(Client::new).update_detector().detector_id(place.id()?);
        cx.send(UPDATE, request.features(send(name, feature)).send()).await
    }

    fn is_same((planned, wrote): &(String, Feature), (now, other): &(String, Feature)) -> bool {
        // Below what is off, nothing is on.
        let on = |feature: &Feature| {
            let mut feature = feature.clone();
            let is_off = feature.status == FeatureStatus::Disabled;
            let below = &mut feature.additional_configuration;
            below.retain(|_, status| !is_off || *status == FeatureStatus::Enabled);
            feature
        };
        planned == now && on(wrote) == on(other)
    }

    fn undo((name, wrote): &(String, Feature), before: &Self::Now) -> Undo<(String, Feature)> {
        match before.get(name) {
            Some(there) => {
                // What was not written is not put back either; with a feature goes all that is on below it.
                let mut feature = there.feature.clone();
                let written = &wrote.additional_configuration;
                let goes = wrote.status == FeatureStatus::Disabled;
                feature.additional_configuration.retain(|more, status| {
                    written.contains_key(more) || goes && *status == FeatureStatus::Enabled
                });
                Undo::By(vec![(name.clone(), feature)])
            }
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let known = NAMES.iter().filter_map(|(name, _)| {
            now.get(*name).map(|there| ((*name).to_owned(), there.feature.clone()))
        });
        spec.features = Some(known.collect());
    }
}

/// The change of one feature.
fn one(name: &str, wanted: &Feature, there: Option<&There>) -> Option<Change<(String, Feature)>> {
    let mut drift = Drift::new();
    let Some(there) = there else {
        // What GuardDuty does not name, it does not do here.
        if wanted.status == FeatureStatus::Disabled {
            return None;
        }
        drift.add(&format!("features.{name}.status"), None::<&str>, Some(wanted.status));
        return Some(Change::finding(drift).withhold(format!(
            "GuardDuty does not name {name} in this Region, which lacks it: leave it out here"
        )));
    };
    let now = &there.feature;
    drift.compare(&format!("features.{name}.status"), Some(&now.status), Some(&wanted.status));
    for (more, wanted) in &wanted.additional_configuration {
        let field = format!("features.{name}.additional_configuration.{more}");
        drift.compare(&field, now.additional_configuration.get(more), Some(wanted));
    }
    if drift.is_empty() {
        return None;
    }
    let on = Some(serde_json::Value::from(FeatureStatus::Enabled.as_str()));
    let lost: Vec<String> =
        drift.0.iter().filter(|one| one.actual == on).map(|one| one.field.clone()).collect();
    let gains_agents =
        drift.0.iter().any(|one| one.desired == on && one.field.ends_with("_MANAGEMENT"));
    let is_turned_on =
        now.status == FeatureStatus::Disabled && wanted.status == FeatureStatus::Enabled;
    let mut change = Change::new((name.to_owned(), wanted.clone()), drift).independent();
    if !lost.is_empty() {
        change = change.warn(format!("weaker than before: {} is no longer on", lost.join(", ")));
    }
    if is_turned_on {
        change = change.charged(&format!("AWS charges for {name}"), [Charge::Guardduty]);
    }
    if gains_agents {
        change = change.risk(Risk::Disruptive).warn(AGENTS);
    }
    if there.is_of_policy {
        change.action = None;
        change = change.withhold(
            "a GuardDuty policy of the organization decides this feature: change that policy, in the management account or where it is delegated",
        );
    }
    Some(change)
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    for (name, feature) in spec.features.iter().flatten() {
        let field = format!("features.{name}");
        let Some((_, more)) = NAMES.iter().find(|(known, _)| known == name) else {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            problems.push(SpecProblem::new(
                field,
                format!("GuardDuty takes no feature {name}"),
                match name.as_str() {
                    "EKS_RUNTIME_MONITORING" => {
                        "declare RUNTIME_MONITORING, which has taken its place".to_owned()
                    }
                    "CLOUD_TRAIL" | "DNS_LOGS" | "FLOW_LOGS" => {
                        "leave it out: it is always on".to_owned()
                    }
                    _ => one_of(name, &names),
                },
            ));
            continue;
        };
        for other in
            feature.additional_configuration.keys().filter(|other| !more.contains(&other.as_str()))
        {
            problems.push(SpecProblem::new(
                format!("{field}.additional_configuration.{other}"),
                format!("the feature {name} has no {other}"),
                if more.is_empty() { "leave it out".to_owned() } else { one_of(other, more) },
            ));
        }
    }
    problems
}
