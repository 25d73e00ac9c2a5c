//! The alarm on the filter's metric.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::{Client, types};
use serde::{Deserialize, Serialize};

use super::record::{Metric, Record};
use super::{
    ComparisonOperator, LogAlarm, Place, Spec, TreatMissingData, alarms, filter, on_alarm,
    undeclared,
};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::sns::topic;
use crate::kinds::together::all;
use crate::kinds::{
    Change, Charge, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, sendable,
};
use crate::names::Arn;

const PUT: Call = Call::new("cloudwatch", "PutMetricAlarm");
const DELETE: Call = Call::new("cloudwatch", "DeleteAlarms");
pub const NAME: &str = "alarm";

pub struct Alarm;

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The alarm; `None` where there is none.
    record: Option<Record>,
    /// The declared topics that are not there.
    missing_topics: BTreeSet<String>,
}

#[cfg(test)]
impl Now {
    /// What is there in a test.
    pub fn of(record: Option<Record>, missing_topics: BTreeSet<String>) -> Self {
        Self { record, missing_topics }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Makes it, or replaces all of it.
    Put(Box<Record>),
    /// Takes one away that was made.
    Delete,
}

/// The fields that AWS needs and that are not declared.
pub fn lacks(spec: &Spec) -> impl Iterator<Item = &'static str> {
    let needed = [
        ("statistic", spec.statistic.is_some()),
        ("period", spec.period.is_some()),
        ("evaluation_periods", spec.evaluation_periods.is_some()),
        ("threshold", spec.threshold.is_some()),
        ("comparison_operator", spec.comparison_operator.is_some()),
    ];
    needed.into_iter().filter(|(_, is_there)| !is_there).map(|(field, _)| field)
}

impl Record {
    /// A new one, as far as it is declared; `None` when AWS needs more.
    fn new(spec: &Spec) -> Option<Self> {
        let description = spec.alarm_description.clone();
        Some(Self {
            metric: metric(spec),
            dimensions: BTreeMap::new(),
            unit: None,
            alarm_description: description.filter(|text| !text.is_empty()),
            statistic: Some(spec.statistic?),
            extended_statistic: None,
            evaluate_low_sample_count_percentile: None,
            period: spec.period?,
            evaluation_periods: spec.evaluation_periods?,
            datapoints_to_alarm: spec.datapoints_to_alarm,
            threshold: spec.threshold?,
            comparison_operator: spec.comparison_operator?,
            treat_missing_data: spec.treat_missing_data,
            // "The default is TRUE" (`PutMetricAlarm`, `ActionsEnabled`).
            actions_enabled: spec.actions_enabled.unwrap_or(true),
            alarm_actions: spec.alarm_actions.clone().unwrap_or_default(),
            ok_actions: spec.ok_actions.clone().unwrap_or_default(),
            insufficient_data_actions: spec.insufficient_data_actions.clone().unwrap_or_default(),
            warm_up: None,
            wall_clock_window: None,
            tags_propagation: None,
        })
    }

    /// The same with what is declared in the place of what is there.
    fn with(mut self, spec: &Spec, unit: &str) -> Self {
        self.metric = metric(spec);
        self.dimensions.clear();
        self.unit = self.unit.filter(|own| own == unit);
        if let Some(text) = &spec.alarm_description {
            self.alarm_description = Some(text.clone()).filter(|text| !text.is_empty());
        }
        if spec.statistic.is_some() {
            self.statistic = spec.statistic;
            self.extended_statistic = None;
            self.evaluate_low_sample_count_percentile = None;
        }
        self.period = spec.period.unwrap_or(self.period);
        self.evaluation_periods = spec.evaluation_periods.unwrap_or(self.evaluation_periods);
        // AWS takes no more than there are periods.
        let kept = self.datapoints_to_alarm.filter(|kept| *kept <= self.evaluation_periods);
        self.datapoints_to_alarm = spec.datapoints_to_alarm.or(kept);
        self.threshold = spec.threshold.unwrap_or(self.threshold);
        self.comparison_operator = spec.comparison_operator.unwrap_or(self.comparison_operator);
        self.treat_missing_data = spec.treat_missing_data.or(self.treat_missing_data);
        self.actions_enabled = spec.actions_enabled.unwrap_or(self.actions_enabled);
        for (there, declared) in [
            (&mut self.alarm_actions, &spec.alarm_actions),
            (&mut self.ok_actions, &spec.ok_actions),
            (&mut self.insufficient_data_actions, &spec.insufficient_data_actions),
        ] {
            if let Some(declared) = declared {
                there.clone_from(declared);
            }
        }
        self.warm_up = None;
        self.wall_clock_window = None;
        self
    }
}

fn metric(spec: &Spec) -> Metric {
    Metric { name: spec.metric_name.clone(), namespace: spec.metric_namespace.clone() }
}

impl Part for Alarm {
    type Of = LogAlarm;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(topic::GET, |spec| topics(spec).next().is_some()),
        Use::write(PUT, on_alarm),
        Use::undo(DELETE, on_alarm),
    ];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let record = match alarms::named(cx, &place.alarm_name).await? {
            Some(alarms::Named::OfMetric(alarm)) => Some(Record::seen(&alarm, spec)?),
            // It is reported as a whole.
            Some(alarms::Named::OtherSort(_)) | None => None,
        };
        let own = topics(spec).filter(|arn| *arn == topic::arn(cx, topic_name(arn)));
        let looks = own.map(|arn| async move {
            let is_there = topic::is_there(cx, topic_name(arn)).await?;
            Ok::<_, ObserveError>((!is_there).then(|| arn.to_owned()))
        });
        let missing_topics = all(looks).await?.into_iter().flatten().collect();
        Ok(Now { record, missing_topics })
    }

    fn diff(look: &Look<'_, LogAlarm>, now: &Now) -> Vec<Change<Write>> {
        let spec = look.spec;
        let unit = look.now::<filter::Filter>().flatten();
        let unit = unit.as_ref().map_or(filter::NO_UNIT, filter::Record::unit);
        let mut drift = Drift::new();
        let warnings = compare(spec, now.record.as_ref(), unit, &mut drift);
        if drift.is_empty() {
            return missing(now).into_iter().collect();
        }
        let Some(there) = &now.record else {
            let Some(record) = Record::new(spec) else {
                let lacks: Vec<&str> = lacks(spec).collect();
                let change = Change::finding(drift);
                return vec![change.withhold(undeclared("alarm", &lacks))];
            };
            let change = Change::new(Write::Put(Box::new(record)), drift).charged(
                "AWS charges for each alarm and each metric of one's own",
                [Charge::Alarm, Charge::Metric],
            );
            return vec![sending(look.facts, spec, now, change)];
        };
        let record = there.clone().with(spec, unit);
        let mut change = Change::new(Write::Put(Box::new(record)), drift);
        change.moves = change.drift.iter().any(|drift| drift.field.ends_with("_actions"));
        let change = warnings.into_iter().fold(change, |change, warning| change.warn(warning));
        vec![sending(look.facts, spec, now, change)]
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Put(_) => PUT,
            Write::Delete => DELETE,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Put(record) => put(cx, place, record).await,
            Write::Delete => {
                let request = cx.client(Client::new).delete_alarms();
                let request = request.alarm_names(&place.alarm_name).send();
                cx.remove(DELETE, request, &["ResourceNotFound"]).await
            }
        }
    }

    fn is_same(planned: &Write, now: &Write) -> bool {
        match (planned, now) {
            (Write::Put(planned), Write::Put(now)) => {
                planned.as_ref().clone().whole() == now.as_ref().clone().whole()
            }
            _ => planned == now,
        }
    }

    fn undo(_: &Write, before: &Now) -> Undo<Write> {
        let before = before.record.clone().map(|record| Write::Put(Box::new(record)));
        Undo::By(vec![before.unwrap_or(Write::Delete)])
    }

    fn export(now: &Now, spec: &mut Spec) {
        let Some(now) = &now.record else { return };
        // Where the filter is not there, the alarm alone knows it.
        if spec.metric_name.is_empty() {
            spec.metric_name.clone_from(&now.metric.name);
            spec.metric_namespace.clone_from(&now.metric.namespace);
        }
        spec.alarm_description = Some(now.alarm_description.clone().unwrap_or_default());
        spec.statistic = now.statistic;
        spec.period = Some(now.period);
        spec.evaluation_periods = Some(now.evaluation_periods);
        spec.datapoints_to_alarm = Some(now.datapoints());
        spec.threshold = Some(now.threshold);
        spec.comparison_operator = Some(now.comparison_operator);
        spec.treat_missing_data = Some(now.missing_data());
        spec.actions_enabled = Some(now.actions_enabled);
        spec.alarm_actions = Some(now.alarm_actions.clone());
        spec.ok_actions = Some(now.ok_actions.clone());
        spec.insufficient_data_actions = Some(now.insufficient_data_actions.clone());
    }
}

/// What differs, and what the reader of a plan must know of it.
fn compare(spec: &Spec, now: Option<&Record>, unit: &str, drift: &mut Drift) -> Vec<String> {
    let name = now.map(|now| &now.metric.name);
    drift.compare("metric_name", name, Some(&spec.metric_name));
    let namespace = now.map(|now| &now.metric.namespace);
    drift.compare("metric_namespace", namespace, Some(&spec.metric_namespace));
    let text = now.and_then(|now| now.alarm_description.as_deref());
    drift.compare_text("alarm_description", text, spec.alarm_description.as_deref());
    let mut warnings = Vec::new();
    statistic(spec, now, drift);
    drift.compare("period", now.map(|now| &now.period), spec.period.as_ref());
    let periods = now.map(|now| &now.evaluation_periods);
    drift.compare("evaluation_periods", periods, spec.evaluation_periods.as_ref());
    let datapoints = now.map(Record::datapoints);
    drift.compare("datapoints_to_alarm", datapoints.as_ref(), spec.datapoints_to_alarm.as_ref());
    let threshold = now.map(|now| &now.threshold);
    if drift.compare("threshold", threshold, spec.threshold.as_ref())
        && let Some(warning) = now.and_then(|now| weaker_threshold(spec, now))
    {
        warnings.push(warning);
    }
    let operator = now.map(|now| &now.comparison_operator);
    drift.compare("comparison_operator", operator, spec.comparison_operator.as_ref());
    let missing = now.map(Record::missing_data);
    if drift.compare("treat_missing_data", missing.as_ref(), spec.treat_missing_data.as_ref())
        && missing == Some(TreatMissingData::Breaching)
    {
        warnings.push(
            "weaker than before: without values, nobody is told any more (treat_missing_data)"
                .to_owned(),
        );
    }
    let enabled = now.map(|now| &now.actions_enabled);
    drift.compare("actions_enabled", enabled, spec.actions_enabled.as_ref());
    warnings.extend(actions(spec, now, drift));
    if let Some(now) = now {
        blindfolds(now, unit, drift);
    }
    warnings
}

fn statistic(spec: &Spec, now: Option<&Record>, drift: &mut Drift) {
    match now.and_then(|now| now.extended_statistic.as_ref()).zip(spec.statistic) {
        Some((extended, wanted)) => drift.add("statistic", Some(extended), Some(wanted)),
        None => {
            let statistic = now.and_then(|now| now.statistic.as_ref());
            drift.compare("statistic", statistic, spec.statistic.as_ref());
        }
    }
}

/// Who is told.
fn actions(spec: &Spec, now: Option<&Record>, drift: &mut Drift) -> Vec<String> {
    let mut warnings = Vec::new();
    for (field, there, declared) in [
        ("alarm_actions", now.map(|now| &now.alarm_actions), &spec.alarm_actions),
        ("ok_actions", now.map(|now| &now.ok_actions), &spec.ok_actions),
        (
            "insufficient_data_actions",
            now.map(|now| &now.insufficient_data_actions),
            &spec.insufficient_data_actions,
        ),
    ] {
        let wanted = declared.as_ref();
        // A new alarm has none.
        let is_none = there.is_none() && wanted.is_some_and(BTreeSet::is_empty);
        let there = if is_none { wanted } else { there };
        if drift.compare(field, there, wanted)
            && let Some((there, wanted)) = there.zip(wanted)
        {
            let lost: Vec<&str> = there.difference(wanted).map(String::as_str).collect();
            if !lost.is_empty() {
                warnings.push(format!("no longer told ({field}): {}", lost.join(", ")));
            }
        }
    }
    warnings
}

/// What keeps the alarm from seeing what the filter counts.
fn blindfolds(now: &Record, unit: &str, drift: &mut Drift) {
    if !now.dimensions.is_empty() {
        drift.add("metric_name.dimensions", Some(&now.dimensions), None::<&str>);
    }
    if let Some(own) = now.unit.as_ref().filter(|own| *own != unit) {
        drift.add("metric_name.unit", Some(own), None::<&str>);
    }
    if let Some(warm_up) = &now.warm_up {
        drift.add("actions_enabled.warm_up", Some(warm_up), None::<&str>);
    }
    if let Some(window) = &now.wall_clock_window {
        drift.add("period.wall_clock_window", Some(window), None::<&str>);
    }
}

/// A threshold that is crossed later than the one that is there.
fn weaker_threshold(spec: &Spec, now: &Record) -> Option<String> {
    let (before, after) = (now.threshold, spec.threshold?);
    let operator = spec.comparison_operator.unwrap_or(now.comparison_operator);
    let is_weaker = match operator {
        ComparisonOperator::AtLeast | ComparisonOperator::Above => after > before,
        ComparisonOperator::AtMost | ComparisonOperator::Below => after < before,
    };
    is_weaker.then(|| format!("weaker than before: threshold goes from {before} to {after}"))
}

/// All is as declared, and a topic is not there.
fn missing(now: &Now) -> Option<Change<Write>> {
    if now.missing_topics.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    for topic in &now.missing_topics {
        drift.add("alarm_actions", Some(format!("{topic}, which is not there")), Some(topic));
    }
    let names: Vec<&str> = now.missing_topics.iter().map(String::as_str).collect();
    Some(Change::finding(drift).withhold(format!(
        "the alarm tells nobody: there is no topic {}; make it (an item sns.topic, and sns.subscription for who hears of it), or declare another",
        names.join(", ")
    )))
}

/// The change with what is to be known of whom the alarm sends to.
fn sending(facts: &Facts, spec: &Spec, now: &Now, mut change: Change<Write>) -> Change<Write> {
    let elsewhere = |arn: &str| {
        Arn::parse(arn)
            .is_some_and(|arn| arn.service == "sns" && arn.region != facts.region.as_str())
    };
    for arn in sent_to(spec) {
        change = change.sends(&facts.account, "alarms are sent", arn);
        if elsewhere(arn) {
            change = change.withhold(format!(
                "AWS sends alarms of {} to topics of that Region alone, and {arn} is of another: declare one there",
                facts.region
            ));
        }
    }
    for topic in &now.missing_topics {
        // Another item may be about to make it.
        change =
            change.warn(format!("there is no topic {topic} yet: until it is made, nobody is told"));
    }
    change
}

/// All that is declared to be told.
fn sent_to(spec: &Spec) -> impl Iterator<Item = &str> {
    let lists = [&spec.alarm_actions, &spec.ok_actions, &spec.insufficient_data_actions];
    lists.into_iter().flatten().flatten().map(String::as_str)
}

/// The declared topics.
fn topics(spec: &Spec) -> impl Iterator<Item = &str> {
    sent_to(spec).filter(|text| Arn::parse(text).is_some_and(|arn| arn.service == "sns"))
}

fn topic_name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// Writes an alarm whole.
async fn put(cx: &WriteCx, place: &Place, record: &Record) -> Result<(), WriteError> {
    let list = |actions: &BTreeSet<String>| Some(actions.iter().cloned().collect());
    let datapoints = record.datapoints_to_alarm.map(|number| sendable("DatapointsToAlarm", number));
    let request = cx
        .client(Client::new)
        .put_metric_alarm()
        .alarm_name(&place.alarm_name)
        .set_alarm_description(record.alarm_description.clone())
        .actions_enabled(record.actions_enabled)
        .set_ok_actions(list(&record.ok_actions))
        .set_alarm_actions(list(&record.alarm_actions))
        .set_insufficient_data_actions(list(&record.insufficient_data_actions))
        .metric_name(&record.metric.name)
        .namespace(&record.metric.namespace)
        .set_statistic(record.statistic.map(|one| types::Statistic::from(one.as_str())))
        .set_extended_statistic(record.extended_statistic.clone())
        .set_dimensions(record.sent_dimensions())
        .period(sendable("Period", record.period)?)
        .set_unit(record.unit.as_deref().map(types::StandardUnit::from))
        .evaluation_periods(sendable("EvaluationPeriods", record.evaluation_periods)?)
        .set_datapoints_to_alarm(datapoints.transpose()?)
        .threshold(record.threshold)
        .comparison_operator(types::ComparisonOperator::from(record.comparison_operator.as_str()))
        .set_treat_missing_data(record.treat_missing_data.map(|one| one.as_str().to_owned()))
        .set_evaluate_low_sample_count_percentile(
            record.evaluate_low_sample_count_percentile.clone(),
        )
        .set_evaluation_window(record.sent_window())
        .set_warm_up_configuration(record.sent_warm_up()?)
        .set_action_configuration(record.sent_action_configuration());
    cx.send(PUT, request.send()).await
}
