//! The rule itself, which AWS replaces as a whole.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::Client;
use aws_sdk_config::types::{
    self, ConfigRule, CustomPolicyDetails, EvaluationMode, EvaluationModeConfiguration,
    EventSource, MaximumExecutionFrequency, Source,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::spec::{Frequency, Mode, Owner, RuleScope, SourceDetail, Spec};
use super::{PUT, Place, Rule, described, rule};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, known, told};

const GET_POLICY: Call = Call::new("config", "GetCustomRulePolicy");
/// The only one, and the default.
const RUNTIME: &str = "guard-2.x.x";
/// Source: AWS Config API Reference, `ConfigRule`, `InputParameters`.
pub const LONGEST_PARAMETERS: usize = 1024;

pub struct Evaluated;

/// What a function that is a rule's source is told of resources.
pub const SENT: &str = "configurations are sent";

/// All of it but the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    source_owner: Owner,
    source_identifier: Option<String>,
    source_details: BTreeSet<SourceDetail>,
    policy: Option<Policy>,
    input_parameters: BTreeMap<String, String>,
    scope: RuleScope,
    maximum_execution_frequency: Option<Frequency>,
    evaluation_modes: BTreeSet<Mode>,
    description: Option<String>,
}

/// A policy in Guard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Policy {
    runtime: String,
    text: String,
    enable_debug_log_delivery: bool,
}

/// A rule of which nothing is said, as AWS makes it.
impl Default for Record {
    fn default() -> Self {
        Self {
            source_owner: Owner::Aws,
            source_identifier: None,
            source_details: BTreeSet::new(),
            policy: None,
            input_parameters: BTreeMap::new(),
            scope: RuleScope::default(),
            maximum_execution_frequency: None,
            evaluation_modes: BTreeSet::from([Mode::Detective]),
            description: None,
        }
    }
}

fn some(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Record {
    /// Compares what is declared.
    pub fn compare(&self, spec: &Spec, drift: &mut Drift) {
        drift.compare("source_owner", Some(&self.source_owner), Some(&spec.source_owner));
        let identifier = spec.source_identifier.as_deref();
        drift.compare_text("source_identifier", self.source_identifier.as_deref(), identifier);
        let details = spec.source_details.as_ref();
        drift.compare("source_details", Some(&self.source_details), details);
        let policy = self.policy.as_ref();
        let runtime = policy.map(|policy| &policy.runtime);
        drift.compare("policy_runtime", runtime, spec.policy_runtime.as_ref());
        // A line end behind the last line means nothing.
        let text = policy.map(|policy| policy.text.trim_end());
        drift.compare_text("policy_text", text, spec.policy_text.as_deref().map(str::trim_end));
        drift.compare(
            "enable_debug_log_delivery",
            policy.map(|policy| &policy.enable_debug_log_delivery),
            spec.enable_debug_log_delivery.as_ref(),
        );
        let parameters = spec.input_parameters.as_ref();
        drift.compare("input_parameters", Some(&self.input_parameters), parameters);
        drift.compare("scope", Some(&self.scope), spec.scope.as_ref());
        drift.compare(
            "maximum_execution_frequency",
            self.maximum_execution_frequency.as_ref(),
            spec.maximum_execution_frequency.as_ref(),
        );
        let modes = spec.evaluation_modes.as_ref();
        drift.compare("evaluation_modes", Some(&self.evaluation_modes), modes);
        let description = spec.description.as_deref();
        drift.compare_text("description", self.description.as_deref(), description);
    }

    /// The same with what is declared in its place. Of another owner's rule, nothing of the source fits.
    pub fn with(&self, spec: &Spec) -> Self {
        let is_same = self.source_owner == spec.source_owner;
        let former = Some(self).filter(|_| is_same);
        let policy = former.and_then(|former| former.policy.as_ref());
        let policy = (spec.source_owner == Owner::CustomPolicy).then(|| Policy {
            runtime: spec
                .policy_runtime
                .clone()
                .or_else(|| policy.map(|policy| policy.runtime.clone()))
                .unwrap_or_else(|| RUNTIME.to_owned()),
            text: spec
                .policy_text
                .clone()
                .or_else(|| policy.map(|policy| policy.text.clone()))
                .unwrap_or_default(),
            enable_debug_log_delivery: spec
                .enable_debug_log_delivery
                .or_else(|| policy.map(|policy| policy.enable_debug_log_delivery))
                .unwrap_or(false),
        });
        Self {
            source_owner: spec.source_owner,
            source_identifier: spec
                .source_identifier
                .clone()
                .or_else(|| former.and_then(|former| former.source_identifier.clone())),
            source_details: spec
                .source_details
                .clone()
                .or_else(|| former.map(|former| former.source_details.clone()))
                .unwrap_or_default(),
            policy,
            input_parameters: spec
                .input_parameters
                .clone()
                .unwrap_or_else(|| self.input_parameters.clone()),
            scope: spec.scope.clone().unwrap_or_else(|| self.scope.clone()),
            maximum_execution_frequency: spec
                .maximum_execution_frequency
                .or(self.maximum_execution_frequency),
            evaluation_modes: spec
                .evaluation_modes
                .clone()
                .unwrap_or_else(|| self.evaluation_modes.clone()),
            description: match &spec.description {
                Some(text) => some(Some(text)),
                None => self.description.clone(),
            },
        }
    }

    /// As a request takes it.
    pub fn send(&self, name: &str) -> Result<ConfigRule, WriteError> {
        let details = self.source_details.iter().map(|one| {
            let frequency = one.maximum_execution_frequency.map(send_frequency);
            types::SourceDetail::builder()
                .event_source(EventSource::AwsConfig)
                .message_type(types::MessageType::from(one.message_type.as_str()))
                .set_maximum_execution_frequency(frequency)
                .build()
        });
        let details: Vec<_> = details.collect();
        let policy = self.policy.as_ref().map(|policy| {
            CustomPolicyDetails::builder()
                .policy_runtime(&policy.runtime)
                .policy_text(&policy.text)
                .enable_debug_log_delivery(policy.enable_debug_log_delivery)
                .build()
        });
        let source = Source::builder()
            .owner(types::Owner::from(self.source_owner.as_str()))
            .set_source_identifier(self.source_identifier.clone())
            .set_source_details(Some(details).filter(|details| !details.is_empty()))
            .set_custom_policy_details(policy.transpose()?)
            .build()?;
        let parameters = serde_json::to_string(&self.input_parameters)
            .map_err(|error| WriteError::Unsendable(error.to_string()))?;
        let modes = self.evaluation_modes.iter().map(|mode| {
            let mode = EvaluationMode::from(mode.as_str());
            EvaluationModeConfiguration::builder().mode(mode).build()
        });
        let frequency = self.maximum_execution_frequency.map(send_frequency);
        Ok(ConfigRule::builder()
            .config_rule_name(name)
            .set_description(self.description.clone())
            .set_scope(send_scope(&self.scope))
            .source(source)
            .set_input_parameters(Some(parameters).filter(|_| !self.input_parameters.is_empty()))
            .set_maximum_execution_frequency(frequency)
            .set_evaluation_modes(Some(modes.collect()))
            .build())
    }

    /// As Config describes it. The text of a policy stands in another answer.
    fn of(rule: &ConfigRule, policy_text: Option<&str>) -> Result<Self, ObserveError> {
        let source = told("Source", rule.source())?;
        let details = source.source_details().iter().map(|one| {
            match told("EventSource", one.event_source())? {
                EventSource::AwsConfig => {}
                other => {
                    return Err(ObserveError::UnknownValue {
                        field: "EventSource".to_owned(),
                        value: other.as_str().to_owned(),
                    });
                }
            }
            Ok(SourceDetail {
                message_type: known(
                    "MessageType",
                    told("MessageType", one.message_type())?.as_str(),
                )?,
                maximum_execution_frequency: frequency(one.maximum_execution_frequency())?,
            })
        });
        let policy = source.custom_policy_details().map(|policy| Policy {
            runtime: policy.policy_runtime().to_owned(),
            // Asked for where a policy is declared, and insisted on there; else the owner differs.
            text: policy_text.unwrap_or_default().to_owned(),
            // "The default value is false" (AWS Config API Reference, `CustomPolicyDetails`).
            enable_debug_log_delivery: policy.enable_debug_log_delivery(),
        });
        let modes = rule.evaluation_modes().iter().map(|one| {
            known("EvaluationModes.Mode", told("EvaluationModes.Mode", one.mode())?.as_str())
        });
        let modes: BTreeSet<Mode> = modes.collect::<Result<_, _>>()?;
        Ok(Self {
            source_owner: known("Source.Owner", source.owner().as_str())?,
            source_identifier: some(source.source_identifier()),
            source_details: details.collect::<Result<_, ObserveError>>()?,
            policy,
            input_parameters: parameters(rule.input_parameters())?,
            scope: rule.scope().map(scope).unwrap_or_default(),
            maximum_execution_frequency: frequency(rule.maximum_execution_frequency())?,
            // "By default, the value is Detective evaluation mode only" (`ConfigRule`, `EvaluationModes`).
            evaluation_modes: if modes.is_empty() {
                BTreeSet::from([Mode::Detective])
            } else {
                modes
            },
            description: some(rule.description()),
        })
    }
}

/// A rule that is no policy, as Config describes it.
#[cfg(test)]
pub fn read(rule: &ConfigRule) -> Result<Record, ObserveError> {
    Record::of(rule, None)
}

fn send_frequency(frequency: Frequency) -> MaximumExecutionFrequency {
    MaximumExecutionFrequency::from(frequency.as_str())
}

fn frequency(said: Option<&MaximumExecutionFrequency>) -> Result<Option<Frequency>, ObserveError> {
    said.map(|word| known("MaximumExecutionFrequency", word.as_str())).transpose()
}

fn send_scope(scope: &RuleScope) -> Option<types::Scope> {
    let types = scope.compliance_resource_types.iter().cloned().collect::<Vec<_>>();
    (*scope != RuleScope::default()).then(|| {
        types::Scope::builder()
            .set_compliance_resource_types(Some(types).filter(|types| !types.is_empty()))
            .set_compliance_resource_id(scope.compliance_resource_id.clone())
            .set_tag_key(scope.tag_key.clone())
            .set_tag_value(scope.tag_value.clone())
            .build()
    })
}

fn scope(said: &types::Scope) -> RuleScope {
    RuleScope {
        compliance_resource_types: said.compliance_resource_types().iter().cloned().collect(),
        compliance_resource_id: some(said.compliance_resource_id()),
        tag_key: some(said.tag_key()),
        tag_value: some(said.tag_value()),
    }
}

/// The parameters by meaning: whatever their order and spelling, values are texts.
fn parameters(said: Option<&str>) -> Result<BTreeMap<String, String>, ObserveError> {
    let Some(text) = said.filter(|text| !text.trim().is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let map: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        ObserveError::Malformed { field: "InputParameters".to_owned(), problem: error.to_string() }
    })?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(map.into_iter().map(|(name, value)| (name, text(value))).collect())
}

impl Part for Evaluated {
    type Of = Rule;
    type Now = Record;
    type Write = Record;

    const NAME: &'static str = "rule";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET_POLICY, |spec| spec.source_owner == Owner::CustomPolicy),
        Use::write(PUT, rule),
    ];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Record, ObserveError> {
        let name = &place.config_rule_name;
        let rule = told("ConfigRules", described(cx, name).await?)?;
        let is_policy =
            rule.source().is_some_and(|source| source.custom_policy_details().is_some());
        if !is_policy || spec.source_owner != Owner::CustomPolicy {
            return Record::of(&rule, None);
        }
        let request = cx.client(Client::new).get_custom_rule_policy().config_rule_name(name);
        let answer = cx.read(GET_POLICY, name, request.send()).await?;
        Record::of(&rule, Some(told("PolicyText", answer.policy_text())?))
    }

    fn diff(look: &Look<'_, Rule>, now: &Record) -> Vec<Change<Record>> {
        let mut drift = Drift::new();
        now.compare(look.spec, &mut drift);
        // A new rule is made with it.
        if drift.is_empty() || look.is_new() {
            return Vec::new();
        }
        let is_of = |field: &str| drift.0.iter().any(|one| one.field == field);
        let evaluates_otherwise = ["source_owner", "source_identifier", "policy_text"].map(is_of);
        let sees_otherwise = ["scope", "input_parameters", "source_details"].map(is_of);
        let mut change = Change::new(now.with(look.spec), drift);
        if evaluates_otherwise.contains(&true) {
            change =
                change.sends(&look.facts.account, SENT, look.spec.source_identifier.as_deref());
            change = look.disruptive(
                change,
                "the rule is another one from now on: results so far are of the former one",
            );
        } else if sees_otherwise.contains(&true) {
            change = change.warn("other resources may be evaluated, or by another measure: who watches the results sees it");
        }
        vec![change]
    }

    fn calls(_write: &Record) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, record: &Record) -> Result<(), WriteError> {
        let rule = record.send(&place.config_rule_name)?;
        let request = cx.client(Client::new).put_config_rule().config_rule(rule);
        cx.send(PUT, request.send()).await
    }

    fn undo(_write: &Record, before: &Record) -> Undo<Record> {
        let is_unread = before.policy.as_ref().is_some_and(|policy| policy.text.is_empty());
        if is_unread {
            return Undo::Impossible("the policy of the former rule was not read".to_owned());
        }
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Record, spec: &mut Spec) {
        let own = now.source_owner != Owner::Aws;
        let policy = now.policy.as_ref().filter(|_| now.source_owner == Owner::CustomPolicy);
        spec.source_owner = now.source_owner;
        spec.source_identifier = now.source_identifier.clone();
        spec.source_details =
            Some(now.source_details.clone()).filter(|details| own && !details.is_empty());
        spec.policy_runtime = policy.map(|policy| policy.runtime.clone());
        spec.policy_text = policy.map(|policy| policy.text.clone());
        spec.enable_debug_log_delivery = policy.map(|policy| policy.enable_debug_log_delivery);
        spec.input_parameters = Some(now.input_parameters.clone());
        spec.scope = Some(now.scope.clone());
        spec.maximum_execution_frequency = now.maximum_execution_frequency;
        spec.evaluation_modes = Some(now.evaluation_modes.clone());
        spec.description = Some(now.description.clone().unwrap_or_default());
    }
}
