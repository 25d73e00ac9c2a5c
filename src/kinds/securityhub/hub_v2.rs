//! `securityhub.hub_v2`: whether the newer Security Hub is on, and what it does. Reports only.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::{Audit, Findings};
use crate::kinds::spec::aws_enum;
use crate::kinds::together::{together, when};
use crate::kinds::{Controls, Cx, Facts, Object, ObserveError, Scope, Use, known, told};

const DESCRIBE: Call = Call::new("securityhub", "DescribeSecurityHubV2");
const LIST: Call = Call::new("securityhub", "ListAggregatorsV2");
const GET: Call = Call::new("securityhub", "GetAggregatorV2");
/// What Security Hub says where it is off, and where an account has no aggregator (Security Hub API Reference,
/// `DescribeSecurityHubV2`, `ListAggregatorsV2`).
const OFF: &[&str] = &["ResourceNotFoundException"];

/// AWS Security Hub, the newer service of that name (its calls end with `V2`), beside Security Hub CSPM, which is
/// `securityhub.hub`: whether it is on, its features that one opts into, and where its findings come together.
///
/// evenkeel only reports: it has a price list of its own, and what it makes in an account, people should know of.
/// Where it is on, it makes analyzers of Access Analyzer and recorders of AWS Config by itself, which are of the
/// service and not of a baseline.
///
/// Source: Security Hub API Reference, `DescribeSecurityHubV2`, `ListAggregatorsV2`, `GetAggregatorV2`; Security Hub
/// User Guide, "Enabling Security Hub".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether it is on in this Region. AWS charges for it by what it looks after.
    pub enabled: Option<bool>,
    /// Its features that one opts into, and whether they are on, by name: `NETWORK_SCANNING`. One that is on and is
    /// not named is a finding; {} for none. Where Security Hub is off, so is each feature.
    pub features: Option<BTreeMap<String, FeatureStatus>>,
    /// The Region in which the findings of others come together; "" where there is none.
    pub aggregation_region: Option<String>,
    /// Of which Regions: `ALL_REGIONS`, `ALL_REGIONS_EXCEPT_SPECIFIED` or `SPECIFIED_REGIONS`. Only beside
    /// `aggregation_region`.
    pub region_linking_mode: Option<LinkingMode>,
    /// The Regions that `region_linking_mode` speaks of. Only beside a mode that speaks of some.
    pub linked_regions: Option<BTreeSet<String>>,
}

aws_enum! {
    /// Whether a feature is on.
    FeatureStatus {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

aws_enum! {
    /// Of which Regions findings come together.
    LinkingMode {
        AllRegions = "ALL_REGIONS",
        AllButSome = "ALL_REGIONS_EXCEPT_SPECIFIED",
        Some = "SPECIFIED_REGIONS",
    }
}

/// What is there. What is not declared is not looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Whether it is on.
    pub enabled: bool,
    /// Its features; absent where AWS does not say them, and nobody declares any.
    pub features: Option<BTreeMap<String, FeatureStatus>>,
    /// Where findings come together.
    pub aggregation: Option<Aggregation>,
}

/// Where findings come together, if they do.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aggregation {
    /// The aggregator, where there is one.
    pub aggregator: Option<Aggregator>,
}

/// An aggregator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregator {
    /// As in [`Spec`].
    pub aggregation_region: String,
    /// As in [`Spec`].
    pub region_linking_mode: LinkingMode,
    /// As in [`Spec`].
    pub linked_regions: BTreeSet<String>,
}

/// Samples, which together declare every field.
const SAMPLES: [&str; 2] = [
    r#"
[securityhub.hub_v2]
enabled            = false
features           = {}
aggregation_region = ""
"#,
    r#"
[securityhub.hub_v2]
enabled             = true
features            = { NETWORK_SCANNING = "ENABLED" }
aggregation_region  = "us-east-1"
region_linking_mode = "SPECIFIED_REGIONS"
linked_regions      = ["eu-west-1"]
"#,
];

/// The kind.
pub struct HubV2;

impl Audit for HubV2 {
    const NAME: &'static str = "securityhub.hub_v2";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(DESCRIBE, looks_at_hub),
        Use::read_if(LIST, looks_at_aggregator),
        Use::read_if(GET, looks_at_aggregator),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:EnableSecurityHubV2",
        "securityhub.amazonaws.com:DisableSecurityHubV2",
        "securityhub.amazonaws.com:EnableSecurityHubFeatureV2",
        "securityhub.amazonaws.com:DisableSecurityHubFeatureV2",
        "securityhub.amazonaws.com:CreateAggregatorV2",
        "securityhub.amazonaws.com:UpdateAggregatorV2",
        "securityhub.amazonaws.com:DeleteAggregatorV2",
    ];
    const SAMPLES: &'static [&'static str] = &SAMPLES;

    type Spec = Spec;
    type State = State;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check(spec)
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let (hub, aggregation) = together!(
            when(looks_at_hub(spec), hub(cx, spec)),
            when(looks_at_aggregator(spec), aggregation(cx)),
        )?;
        let (enabled, features) = hub.unwrap_or_default();
        Ok(vec![Object::present("", State { enabled, features, aggregation })])
    }

    fn judge(_facts: &Facts, spec: &Spec, state: &State) -> Findings {
        let mut findings = Findings::new();
        if let Some(wanted) = spec.enabled {
            findings.judge(
                "enabled",
                Some(state.enabled != wanted),
                on(state.enabled),
                on(wanted),
                match wanted {
                    true => "turn it on (aws securityhub enable-security-hub-v2): AWS charges for it",
                    false => "look who has turned it on (CloudTrail, EnableSecurityHubV2): AWS charges for it; turn it off (aws securityhub disable-security-hub-v2), or declare it",
                },
            );
        }
        if let (Some(wanted), Some(now)) = (&spec.features, &state.features) {
            judge_features(&mut findings, wanted, now);
        }
        if let Some(now) = &state.aggregation {
            judge_aggregation(&mut findings, spec, now.aggregator.as_ref());
        }
        findings
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let aggregator = state.aggregation.as_ref().and_then(|now| now.aggregator.as_ref());
        let has_list = |now: &&Aggregator| now.region_linking_mode != LinkingMode::AllRegions;
        Some(Spec {
            enabled: Some(state.enabled),
            features: state.features.clone(),
            aggregation_region: state
                .aggregation
                .as_ref()
                .map(|_| aggregator.map(|now| now.aggregation_region.clone()).unwrap_or_default()),
            region_linking_mode: aggregator.map(|now| now.region_linking_mode),
            linked_regions: aggregator.filter(has_list).map(|now| now.linked_regions.clone()),
        })
    }
}

fn looks_at_hub(spec: &Spec) -> bool {
    spec.enabled.is_some() || spec.features.is_some()
}

fn looks_at_aggregator(spec: &Spec) -> bool {
    spec.aggregation_region.is_some()
}

fn on(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let has_home = spec.aggregation_region.as_ref().is_some_and(|region| !region.is_empty());
    if spec.region_linking_mode.is_some() && !has_home {
        problems.push(SpecProblem::new(
            "region_linking_mode",
            "findings come together in a Region, or in none",
            "declare aggregation_region, too",
        ));
    }
    let has_list = spec.region_linking_mode.is_some_and(|mode| mode != LinkingMode::AllRegions);
    if spec.linked_regions.is_some() && !has_list {
        problems.push(SpecProblem::new(
            "linked_regions",
            "Regions are named beside a mode that speaks of some",
            "declare region_linking_mode = \"SPECIFIED_REGIONS\" or \"ALL_REGIONS_EXCEPT_SPECIFIED\", or leave it out",
        ));
    }
    if spec.enabled == Some(false)
        && let Some((name, _)) =
            spec.features.iter().flatten().find(|(_, status)| **status == FeatureStatus::Enabled)
    {
        problems.push(SpecProblem::new(
            format!("features.{name}"),
            "where Security Hub is off, no feature of it is on",
            "declare enabled = true, or the feature DISABLED",
        ));
    }
    problems
}

type Features = BTreeMap<String, FeatureStatus>;

/// Whether it is on, with its features, which depend on it.
async fn hub(cx: &Cx, spec: &Spec) -> Result<(bool, Option<Features>), ObserveError> {
    let request = cx.client(Client::new).describe_security_hub_v2();
    let said = match cx.read(DESCRIBE, "", request.send()).await {
        Ok(said) => said,
        Err(error) if error.is_code(OFF) => return Ok((false, Some(Features::new()))),
        Err(error) => return Err(error.into()),
    };
    told("HubV2Arn", said.hub_v2_arn())?;
    let Some(named) = said.features() else {
        // Whether one is on, nobody can say then.
        return match spec.features {
            Some(_) => Err(ObserveError::Untold { field: "Features".to_owned() }),
            None => Ok((true, None)),
        };
    };
    let mut features = Features::new();
    for (name, detail) in named {
        let status = told("FeatureStatus", detail.feature_status())?;
        features.insert(name.clone(), known("FeatureStatus", status.as_str())?);
    }
    Ok((true, Some(features)))
}

/// Where findings come together: an account has one aggregator at most.
async fn aggregation(cx: &Cx) -> Result<Aggregation, ObserveError> {
    let client = cx.client(Client::new);
    let pages = client.list_aggregators_v2().into_paginator().send();
    let all = match cx.list(LIST, "", pages, "AggregatorsV2", |page| page.aggregators_v2).await {
        Err(error) if error.is_code(OFF) => return Ok(Aggregation::default()),
        all => all?,
    };
    let arn = match all.as_slice() {
        [] => return Ok(Aggregation::default()),
        [one] => told("AggregatorV2Arn", one.aggregator_v2_arn())?,
        more => {
            return Err(ObserveError::Malformed {
                field: "AggregatorsV2".to_owned(),
                problem: format!("an account has one aggregator, not {}", more.len()),
            });
        }
    };
    let request = client.get_aggregator_v2().aggregator_v2_arn(arn);
    let said = cx.read(GET, arn, request.send()).await?;
    let mode: LinkingMode =
        known("RegionLinkingMode", told("RegionLinkingMode", said.region_linking_mode())?)?;
    // "Specified" without a list would be no link at all, and all but none would be all.
    let listed = said.linked_regions();
    let is_said = mode == LinkingMode::AllRegions || !listed.is_empty();
    let listed = told("LinkedRegions", Some(listed).filter(|_| is_said))?;
    let region = told("AggregationRegion", said.aggregation_region())?.to_owned();
    Ok(Aggregation {
        aggregator: Some(Aggregator {
            aggregation_region: region,
            region_linking_mode: mode,
            linked_regions: match mode {
                LinkingMode::AllRegions => BTreeSet::new(),
                LinkingMode::AllButSome | LinkingMode::Some => listed.iter().cloned().collect(),
            },
        }),
    })
}

fn judge_features(findings: &mut Findings, wanted: &Features, now: &Features) {
    findings.judge("features", Some(false), "", "", "");
    let on = |features: &Features, name: &String| {
        features.get(name).copied().unwrap_or(FeatureStatus::Disabled)
    };
    let names: BTreeSet<&String> = wanted.keys().chain(now.keys()).collect();
    for name in names {
        let (is, is_to_be) = (on(now, name), on(wanted, name));
        let (command, event) = match is_to_be {
            FeatureStatus::Enabled => ("enable", "DisableSecurityHubFeatureV2"),
            FeatureStatus::Disabled => ("disable", "EnableSecurityHubFeatureV2"),
        };
        findings.judge(
            &format!("features.{name}"),
            Some(is != is_to_be),
            is.as_str(),
            is_to_be.as_str(),
            format!(
                "look who has changed it (CloudTrail, {event}), and change it (aws securityhub {command}-security-hub-feature-v2 --feature-name {name}), or declare it"
            ),
        );
    }
}

fn judge_aggregation(findings: &mut Findings, spec: &Spec, now: Option<&Aggregator>) {
    let there = now.map(|now| now.aggregation_region.as_str()).unwrap_or_default();
    let wanted = spec.aggregation_region.as_deref().unwrap_or(there);
    // An aggregator stays where it was made.
    let how = match (there, wanted) {
        (_, "") => "delete it (aws securityhub delete-aggregator-v2)",
        ("", _) => "make it in that Region (aws securityhub create-aggregator-v2)",
        (there, wanted) if there != wanted => {
            "delete it and make it in the other Region (aws securityhub delete-aggregator-v2 and create-aggregator-v2)"
        }
        _ => "change it (aws securityhub update-aggregator-v2)",
    };
    let what = format!(
        "look who has changed it (CloudTrail, CreateAggregatorV2, UpdateAggregatorV2 and DeleteAggregatorV2): in Regions that are not linked, findings are seen there alone; {how}, or declare it"
    );
    let what = what.as_str();
    if let Some(wanted) = &spec.aggregation_region {
        let in_words = |region: &str| if region.is_empty() { "in none" } else { region }.to_owned();
        let differs = there != wanted;
        findings.judge(
            "aggregation_region",
            Some(differs),
            in_words(there),
            in_words(wanted),
            what,
        );
    }
    if let Some(wanted) = spec.region_linking_mode {
        let mode = now.map(|now| now.region_linking_mode);
        let actual = mode.map_or("no aggregator", LinkingMode::as_str);
        let differs = mode != Some(wanted);
        findings.judge("region_linking_mode", Some(differs), actual, wanted.as_str(), what);
    }
    if let Some(wanted) = &spec.linked_regions {
        let regions = now.map(|now| &now.linked_regions);
        let in_words =
            |regions: &BTreeSet<String>| regions.iter().cloned().collect::<Vec<_>>().join(", ");
        let actual = regions.map_or_else(|| "no aggregator".to_owned(), in_words);
        let differs = regions != Some(wanted);
        findings.judge("linked_regions", Some(differs), actual, in_words(wanted), what);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::Kind;
    use crate::kinds::shapes::Inspect;

    fn found(spec: Value, state: Value) -> Vec<String> {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let object = Object::present("", serde_json::from_value::<State>(state).unwrap());
        let changes = Inspect::<HubV2>::diff(&Facts::example(HubV2::NAME), &spec, &object);
        assert!(changes.iter().all(|change| change.withheld.is_some()));
        changes.into_iter().flat_map(|change| change.drift).map(|one| one.field).collect()
    }

    #[test]
    fn that_it_is_on_or_off_against_what_is_declared_is_a_finding() {
        let none: Vec<String> = Vec::new();
        for (wanted, now) in [(true, false), (false, true)] {
            assert_eq!(found(json!({ "enabled": wanted }), json!({ "enabled": now })), ["enabled"]);
            assert_eq!(found(json!({ "enabled": now }), json!({ "enabled": now })), none);
        }
    }

    #[test]
    fn a_feature_that_is_not_named_is_off() {
        let state = json!({ "enabled": true, "features": { "NETWORK_SCANNING": "ENABLED" } });
        let off = json!({ "enabled": true, "features": { "NETWORK_SCANNING": "DISABLED" } });
        let on = json!({ "features": { "NETWORK_SCANNING": "ENABLED" } });
        let field = ["features.NETWORK_SCANNING"];
        assert_eq!(found(json!({ "features": {} }), state.clone()), field);
        assert!(found(json!({ "features": {} }), off.clone()).is_empty());
        assert!(found(on.clone(), state).is_empty());
        assert_eq!(found(on.clone(), off), field);
        assert_eq!(found(on, json!({ "features": {} })), field);
    }

    #[test]
    fn where_findings_come_together_is_compared_as_a_whole() {
        let state = |aggregator: Value| json!({ "aggregation": { "aggregator": aggregator } });
        let there = || {
            state(json!({ "aggregation_region": "eu-west-1",
                "region_linking_mode": "SPECIFIED_REGIONS", "linked_regions": ["us-east-1"] }))
        };
        let wanted = |mode: &str| {
            json!({ "aggregation_region": "eu-west-1", "region_linking_mode": mode,
                "linked_regions": ["us-east-1"] })
        };
        assert!(found(wanted("SPECIFIED_REGIONS"), there()).is_empty());
        let other = wanted("ALL_REGIONS_EXCEPT_SPECIFIED");
        assert_eq!(found(other, there()), ["region_linking_mode"]);
        assert_eq!(found(json!({ "aggregation_region": "" }), there()), ["aggregation_region"]);
        assert!(found(json!({ "aggregation_region": "" }), state(Value::Null)).is_empty());
        assert_eq!(found(wanted("SPECIFIED_REGIONS"), state(Value::Null)).len(), 3);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let problems = |spec: Value| check(&serde_json::from_value(spec).unwrap()).len();
        assert_eq!(problems(json!({ "region_linking_mode": "ALL_REGIONS" })), 1);
        let all =
            json!({ "aggregation_region": "eu-west-1", "region_linking_mode": "ALL_REGIONS" });
        assert_eq!(problems(all), 0);
        assert_eq!(problems(json!({ "linked_regions": ["eu-west-1"] })), 1);
        let on = json!({ "NETWORK_SCANNING": "ENABLED" });
        assert_eq!(problems(json!({ "enabled": false, "features": on })), 1);
        assert_eq!(problems(json!({ "enabled": true, "features": on })), 0);
    }
}
