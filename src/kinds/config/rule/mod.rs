//! `config.rule`: what AWS Config evaluates all the time.

mod check;
mod record;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::types::{ConfigRule, ConfigRuleState, RuleEvaluationVisibility};
use serde::{Deserialize, Serialize};

use self::record::Record;
pub use self::spec::Spec;
use super::tags::{Resource, made_with};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::On;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::spec::found;
use crate::kinds::tags::{CONFIG, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Charge, Controls, Cx, Drift, Facts, Found, Kind, Made, Object,
    ObserveError, Scope, Stricter, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const DESCRIBE: Call = Call::new("config", "DescribeConfigRules");
const PUT: Call = Call::new("config", "PutConfigRule");

/// Which rule.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    config_rule_name: String,
    /// The ARN, which holds an id of Config's own; of a rule that is there.
    arn: Option<String>,
}

/// How a rule is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    record: Record,
    tags: BTreeMap<String, String>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule;

impl Kind for Rule {
    const NAME: &'static str = "config.rule";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "config_rule_name", prefix: "" };
    const AFTER: &'static [&'static str] = &["config.recorder"];
    const NOT_STATE: &'static [&'static str] = &["config_rule_name"];
    const CONTROLS: Controls = Controls {
        well_architected: &["SEC01-BP03", "SEC01-BP06", "SEC04-BP04"],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[Use::read(DESCRIBE), Use::write(PUT, rule)];
    const MORE_EVENTS: &'static [&'static str] = &["config.amazonaws.com:DeleteConfigRule"];
    const GIVEN: &'static [(&'static str, &'static str)] =
        &[("scope", "{}"), ("evaluation_modes", r#"["DETECTIVE"]"#)];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("enable_debug_log_delivery"),
        Stricter::Neither("source_owner"),
        Stricter::Holding("evaluation_modes", "DETECTIVE"),
        Stricter::Order(
            "maximum_execution_frequency",
            &["TwentyFour_Hours", "Twelve_Hours", "Six_Hours", "Three_Hours", "One_Hour"],
        ),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = check::check(spec);
        problems.extend(CONFIG.check(spec.tags.as_ref()));
        problems
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let all = rules(cx).await?;
        let own = all.iter().filter(|one| owner_of(one).is_none());
        let names = own.filter_map(|one| one.config_rule_name());
        Ok(names.map(|name| found([("config_rule_name", name.to_owned())])).collect())
    }

    by_parts!();
}

impl Parted for Rule {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] =
        &[&record::Evaluated, &OwnTags::<Self>::PART];
    const CREATE: Call = PUT;
    const CREATING: &'static [Call] = &[PUT, DESCRIBE];
    const KEPT: &'static str = "evenkeel never deletes a rule: its results would go with it";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let name = spec.config_rule_name.as_str();
        let Some(rule) = described(cx, name).await? else { return Ok(Object::absent(name)) };
        match told("ConfigRuleState", rule.config_rule_state())? {
            // The rule is there and evaluated, or its results are being thrown away.
            ConfigRuleState::Active
            | ConfigRuleState::Evaluating
            | ConfigRuleState::DeletingResults => {}
            ConfigRuleState::Deleting => {
                return Err(ObserveError::Pending {
                    reason: format!("AWS is still deleting the rule {name}"),
                    remedy: "run again in a few minutes: evenkeel makes it again then".to_owned(),
                });
            }
            other => {
                return Err(ObserveError::UnknownValue {
                    field: "ConfigRuleState".to_owned(),
                    value: other.as_str().to_owned(),
                });
            }
        }
        let arn = Some(told("ConfigRuleArn", rule.config_rule_arn())?.to_owned());
        let object = Object::present(name, Place { config_rule_name: name.to_owned(), arn });
        Ok(match owner_of(&rule) {
            Some(owner) => object.managed_by(owner),
            None => object,
        })
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { config_rule_name: spec.config_rule_name.clone(), arn: None }
    }

    fn making(facts: &Facts, spec: &Spec) -> Change<Making> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.config_rule_name));
        Record::default().compare(spec, &mut drift);
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let tags = spec.tags.clone().unwrap_or_default();
        Change::new(Making { record: Record::default().with(spec), tags }, drift)
            .sends(&facts.account, record::SENT, spec.source_identifier.as_deref())
            .charged("AWS charges for every evaluation of a rule", [Charge::RuleEvaluation])
    }

    // The call replaces a rule that is there.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named(&place.config_rule_name, place))
    }

    async fn create(cx: &WriteCx, place: &Place, making: &Making) -> Result<Made, WriteError> {
        let request = cx
            .client(Client::new)
            .put_config_rule()
            .config_rule(making.record.send(&place.config_rule_name)?)
            .set_tags(made_with(&making.tags));
        cx.made(PUT, request.send()).await
    }

    fn named(id: &str, _place: &Place) -> Spec {
        Spec { config_rule_name: id.to_owned(), ..Spec::default() }
    }
}

impl Resource for Rule {
    const OBJECTS: On<Spec> = rule;

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

/// All rules of the Region. Config fails a request that names one that is not there, so nobody asks by
/// name (AWS Config API Reference, `DescribeConfigRules`, `NoSuchConfigRuleException`).
async fn rules(cx: &Cx) -> Result<Arc<Vec<ConfigRule>>, ObserveError> {
    let pages = cx.client(Client::new).describe_config_rules().into_paginator().send();
    Ok(cx.list(DESCRIBE, "", pages, "ConfigRules", |page| page.config_rules).await?)
}

async fn described(cx: &Cx, name: &str) -> Result<Option<ConfigRule>, ObserveError> {
    let all = rules(cx).await?;
    Ok(all.iter().find(|one| one.config_rule_name() == Some(name)).cloned())
}

/// The AWS service that made a rule for itself, as Security Hub and conformance packs do: nobody else may
/// change it (AWS Config Developer Guide, "Service-linked AWS Config rules").
fn owner_of(rule: &ConfigRule) -> Option<String> {
    let created_by = rule.created_by().filter(|service| !service.is_empty());
    let is_internal =
        rule.rule_evaluation_visibility() == Some(&RuleEvaluationVisibility::Internal);
    created_by.map(str::to_owned).or_else(|| is_internal.then(|| "an AWS service".to_owned()))
}

/// The ARN of a rule ends with an id of Config's own.
fn rule(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("config", "config-rule/*")]).into()
}

#[cfg(test)]
mod tests;
