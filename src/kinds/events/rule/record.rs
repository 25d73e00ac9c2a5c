//! The rule itself, which AWS replaces as a whole: what is not sent is lost, and a rule without a state
//! is enabled.

use std::sync::Arc;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Place, Rule, RuleState, Spec, rule};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Made, ObserveError, Undo, Use, WriteCx, WriteError, compared, known,
    pattern, told,
};

pub const DESCRIBE: Call = Call::new("events", "DescribeRule");
pub const PUT: Call = Call::new("events", "PutRule");
const LIST: Call = Call::new("events", "ListRules");

pub struct Settings;

/// All that AWS keeps of a rule besides its targets and tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub event_pattern: Option<Map<String, Value>>,
    pub schedule_expression: Option<String>,
    /// `None` for AWS's default, which is to look at it.
    pub state: Option<RuleState>,
    pub description: Option<String>,
    pub role_arn: Option<String>,
}

fn some(text: &Option<String>) -> Option<&String> {
    text.as_ref().filter(|text| !text.is_empty())
}

impl Record {
    /// The same with what is declared in the place of what is there.
    pub fn with(mut self, spec: &Spec) -> Self {
        if let Some(pattern) = &spec.event_pattern {
            self.event_pattern = Some(pattern.clone()).filter(|pattern| !pattern.is_empty());
        }
        for (there, declared) in [
            (&mut self.schedule_expression, &spec.schedule_expression),
            (&mut self.description, &spec.description),
            (&mut self.role_arn, &spec.role_arn),
        ] {
            if declared.is_some() {
                *there = some(declared).cloned();
            }
        }
        self.state = spec.state.or(self.state);
        self
    }
}

/// What a new rule is made with.
pub fn drift_of_new(spec: &Spec, drift: &mut Drift) {
    compared::mark("event_pattern");
    if let Some(pattern) = spec.event_pattern.as_ref().filter(|pattern| !pattern.is_empty()) {
        drift.add("event_pattern", None::<&str>, Some(pattern));
    }
    drift.compare_text("schedule_expression", None, spec.schedule_expression.as_deref());
    drift.compare("state", None, spec.state.as_ref());
    drift.compare_text("description", None, spec.description.as_deref());
    drift.compare_text("role_arn", None, spec.role_arn.as_deref());
}

impl Part for Settings {
    type Of = Rule;
    type Now = Record;
    type Write = Record;

    const NAME: &'static str = "settings";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(PUT, Self::is_declared, rule)];

    fn is_declared(spec: &Spec) -> bool {
        spec.event_pattern.is_some()
            || spec.schedule_expression.is_some()
            || spec.state.is_some()
            || spec.description.is_some()
            || spec.role_arn.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Record, ObserveError> {
        let Some(rule) = described(cx, place).await? else { return Ok(Record::default()) };
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let pattern = rule.event_pattern().filter(|text| !text.is_empty()).map(pattern::read);
        Ok(Record {
            event_pattern: pattern.transpose().map_err(|error| ObserveError::Malformed {
                field: "EventPattern".to_owned(),
                problem: error.to_string(),
            })?,
            schedule_expression: text(rule.schedule_expression()),
            state: Some(known("State", told("State", rule.state())?.as_str())?),
            description: text(rule.description()),
            role_arn: text(rule.role_arn()),
        })
    }

    fn diff(look: &Look<'_, Rule>, now: &Record) -> Vec<Change<Record>> {
        // A new one is made with all of it.
        if look.is_new() {
            return Vec::new();
        }
        let spec = look.spec;
        let mut drift = Drift::new();
        let mut warnings = Vec::new();
        if pattern_differs(spec, now, &mut drift) {
            warnings.push("events that fit the pattern that is there may not fit the new one");
        }
        let at = spec.schedule_expression.as_deref();
        if drift.compare_text("schedule_expression", now.schedule_expression.as_deref(), at) {
            warnings.push("what happens at the times of today happens at others, or not at all");
        }
        if drift.compare("state", now.state.as_ref(), spec.state.as_ref())
            && spec.state == Some(RuleState::Disabled)
        {
            warnings.push("nothing is sent to the targets any more");
        }
        drift.compare_text("description", now.description.as_deref(), spec.description.as_deref());
        if drift.compare_text("role_arn", now.role_arn.as_deref(), spec.role_arn.as_deref()) {
            warnings.push("targets that need a role are sent to with the new one, or with none");
        }
        if drift.is_empty() {
            return Vec::new();
        }
        let record = now.clone().with(spec);
        if record.event_pattern.is_none() && record.schedule_expression.is_none() {
            return vec![Change::finding(drift).withhold(
                "a rule needs an event_pattern or a schedule_expression: declare one of them",
            )];
        }
        let change = Change::new(record, drift);
        vec![warnings.into_iter().fold(change, |change, warning| look.disruptive(change, warning))]
    }

    fn calls(_: &Record) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, record: &Record) -> Result<(), WriteError> {
        put(cx, place, record).await.map(drop)
    }

    fn undo(_: &Record, before: &Record) -> Undo<Record> {
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Record, spec: &mut Spec) {
        spec.event_pattern = Some(now.event_pattern.clone().unwrap_or_default());
        spec.schedule_expression = Some(now.schedule_expression.clone().unwrap_or_default());
        spec.state = now.state;
        spec.description = Some(now.description.clone().unwrap_or_default());
        spec.role_arn = Some(now.role_arn.clone().unwrap_or_default());
    }
}

fn pattern_differs(spec: &Spec, now: &Record, drift: &mut Drift) -> bool {
    let Some(declared) = &spec.event_pattern else { return false };
    compared::mark("event_pattern");
    let wanted = Some(declared).filter(|pattern| !pattern.is_empty());
    let there = now.event_pattern.as_ref();
    if there.map(pattern::canonical) == wanted.map(pattern::canonical) {
        return false;
    }
    drift.add("event_pattern", there, wanted);
    true
}

/// Writes a rule whole.
///
/// # Errors
/// What AWS answered.
pub async fn put(cx: &WriteCx, place: &Place, record: &Record) -> Result<Made, WriteError> {
    let pattern = record.event_pattern.clone().map(|pattern| Value::Object(pattern).to_string());
    let state = record.state.unwrap_or(RuleState::Enabled);
    let request = cx
        .client(Client::new)
        .put_rule()
        .name(&place.name)
        .event_bus_name(&place.event_bus_name)
        .set_event_pattern(pattern)
        .set_schedule_expression(record.schedule_expression.clone())
        .state(types::RuleState::from(state.as_str()))
        .set_description(record.description.clone())
        .set_role_arn(record.role_arn.clone());
    cx.made(PUT, request.send()).await
}

/// A rule as AWS describes it; `None` when it is not there.
///
/// # Errors
/// Nobody can say.
pub async fn described(
    cx: &Cx,
    place: &Place,
) -> Result<Option<Arc<DescribeRuleOutput>>, ObserveError> {
    let request = cx.client(Client::new).describe_rule().name(&place.name);
    let request = request.event_bus_name(&place.event_bus_name).send();
    let answer = cx.read(DESCRIBE, &place.id(), request).await;
    let Some(rule) = answer.absent_if(&["ResourceNotFoundException"])? else { return Ok(None) };
    if told("Name", rule.name())? != place.name {
        return Err(ObserveError::Malformed {
            field: "Name".to_owned(),
            problem: "it is that of another rule".to_owned(),
        });
    }
    Ok(Some(rule))
}

/// The names of the rules on the default bus that no service of AWS manages.
///
/// # Errors
/// Nobody can say which there are.
pub async fn names(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    let client = cx.client(Client::new);
    let rules = cx
        .read(LIST, "", async {
            let (mut rules, mut token) = (Vec::new(), None);
            loop {
                let page = client.list_rules().set_next_token(token).send().await?;
                let Some(part) = page.rules else { return Ok(None) };
                rules.extend(part);
                token = page.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    return Ok(Some(rules));
                }
            }
        })
        .await?;
    let rules = told("Rules", rules.as_ref().as_ref())?.iter();
    let own = rules.filter(|rule| rule.managed_by().is_none());
    Ok(own.filter_map(|rule| rule.name().map(str::to_owned)).collect())
}
