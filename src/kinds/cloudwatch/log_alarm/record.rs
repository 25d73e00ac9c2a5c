//! All that AWS keeps of an alarm on a metric, as it is read and as it is sent.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types;
use serde::{Deserialize, Serialize};

use super::{ComparisonOperator, Spec, Statistic, TreatMissingData};
use crate::kinds::{ObserveError, WriteError, count, known, sendable, told};

/// What tells metrics apart, besides dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    pub name: String,
    pub namespace: String,
}

/// An alarm on one metric, which AWS replaces as a whole: what is not sent is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub metric: Metric,
    pub dimensions: BTreeMap<String, String>,
    pub unit: Option<String>,
    pub alarm_description: Option<String>,
    pub statistic: Option<Statistic>,
    /// A percentile or the like, in the place of a statistic.
    pub extended_statistic: Option<String>,
    pub evaluate_low_sample_count_percentile: Option<String>,
    pub period: u32,
    pub evaluation_periods: u32,
    /// As it was sent; without it, all periods.
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: f64,
    pub comparison_operator: ComparisonOperator,
    /// As it was sent; AWS's default without it.
    pub treat_missing_data: Option<TreatMissingData>,
    pub actions_enabled: bool,
    pub alarm_actions: BTreeSet<String>,
    pub ok_actions: BTreeSet<String>,
    pub insufficient_data_actions: BTreeSet<String>,
    pub warm_up: Option<WarmUp>,
    pub wall_clock_window: Option<WallClock>,
    pub tags_propagation: Option<TagsPropagation>,
}

/// For how long an alarm does nothing after it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmUp {
    pub minutes: u32,
    pub only_start_after: Option<bool>,
}

/// Periods that begin with the hour or the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WallClock {
    pub timezone: Option<String>,
}

/// Which of the alarm's tags its messages have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagsPropagation {
    pub enabled: bool,
    pub included: Option<Vec<String>>,
    pub excluded: Option<Vec<String>>,
}

impl Record {
    /// An alarm of AWS's answer. Of what is declared, AWS must say it; lists of actions that nobody asks
    /// for may be missing.
    ///
    /// # Errors
    /// Something of it is not said, or not known.
    pub fn seen(alarm: &types::MetricAlarm, spec: &Spec) -> Result<Self, ObserveError> {
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let actions = |member: &str, is_declared, list: &Option<Vec<String>>| {
            if is_declared {
                told(member, list.as_ref())?;
            }
            Ok::<BTreeSet<String>, ObserveError>(list.iter().flatten().cloned().collect())
        };
        let number = |member: &str, number: Option<i32>| count(member, told(member, number)?);
        let dimensions = alarm.dimensions().iter();
        let dimensions =
            dimensions.map(|one| Some((one.name()?.to_owned(), one.value()?.to_owned())));
        let dimensions = told("Dimensions.Name", dimensions.collect::<Option<BTreeMap<_, _>>>())?;
        let operator = told("ComparisonOperator", alarm.comparison_operator())?;
        let missing = alarm.treat_missing_data().filter(|word| !word.is_empty());
        Ok(Self {
            metric: Metric {
                name: told("MetricName", alarm.metric_name())?.to_owned(),
                namespace: told("Namespace", alarm.namespace())?.to_owned(),
            },
            dimensions,
            unit: alarm.unit().map(|unit| unit.as_str().to_owned()),
            alarm_description: some(alarm.alarm_description()),
            statistic: alarm.statistic().map(|one| known("Statistic", one.as_str())).transpose()?,
            extended_statistic: some(alarm.extended_statistic()),
            evaluate_low_sample_count_percentile: some(
                alarm.evaluate_low_sample_count_percentile(),
            ),
            period: number("Period", alarm.period())?,
            evaluation_periods: number("EvaluationPeriods", alarm.evaluation_periods())?,
            datapoints_to_alarm: alarm
                .datapoints_to_alarm()
                .map(|number| count("DatapointsToAlarm", number))
                .transpose()?,
            threshold: told("Threshold", alarm.threshold())?,
            comparison_operator: known("ComparisonOperator", operator.as_str())?,
            treat_missing_data: missing.map(|word| known("TreatMissingData", word)).transpose()?,
            actions_enabled: told("ActionsEnabled", alarm.actions_enabled())?,
            alarm_actions: actions(
                "AlarmActions",
                spec.alarm_actions.is_some(),
                &alarm.alarm_actions,
            )?,
            ok_actions: actions("OKActions", spec.ok_actions.is_some(), &alarm.ok_actions)?,
            insufficient_data_actions: actions(
                "InsufficientDataActions",
                spec.insufficient_data_actions.is_some(),
                &alarm.insufficient_data_actions,
            )?,
            warm_up: warm_up(alarm)?,
            wall_clock_window: wall_clock(alarm)?,
            tags_propagation: tags_propagation(alarm)?,
        })
    }

    /// Of how many periods the threshold must be crossed in.
    pub fn datapoints(&self) -> u32 {
        self.datapoints_to_alarm.unwrap_or(self.evaluation_periods)
    }

    /// What AWS takes a period without values for. Its default is documented: "If TreatMissingData is
    /// omitted, the default behavior of missing is used."
    pub fn missing_data(&self) -> TreatMissingData {
        self.treat_missing_data.unwrap_or(TreatMissingData::Missing)
    }

    /// The same with AWS's defaults in the place of what was not sent.
    pub fn whole(self) -> Self {
        Self {
            datapoints_to_alarm: Some(self.datapoints()),
            treat_missing_data: Some(self.missing_data()),
            alarm_description: Some(self.alarm_description.unwrap_or_default()),
            ..self
        }
    }

    /// The dimensions as they are sent.
    pub fn sent_dimensions(&self) -> Option<Vec<types::Dimension>> {
        let one = |(name, value): (&String, &String)| {
            types::Dimension::builder().name(name).value(value).build()
        };
        Some(self.dimensions.iter().map(one).collect()).filter(|all: &Vec<_>| !all.is_empty())
    }

    /// The warm-up period as it is sent.
    ///
    /// # Errors
    /// A number is out of range.
    pub fn sent_warm_up(&self) -> Result<Option<types::WarmUpConfiguration>, WriteError> {
        let Some(warm_up) = &self.warm_up else { return Ok(None) };
        let minutes = sendable("WarmUpPeriodDurationInMinutes", warm_up.minutes)?;
        Ok(Some(
            types::WarmUpConfiguration::builder()
                .warm_up_period_duration_in_minutes(minutes)
                .set_only_start_evaluating_after_warm_up_period_ends(warm_up.only_start_after)
                .build(),
        ))
    }

    /// The window as it is sent; a sliding one is AWS's default.
    pub fn sent_window(&self) -> Option<types::EvaluationWindow> {
        let clock = self.wall_clock_window.as_ref()?;
        let window = types::WallClockWindow::builder().set_timezone(clock.timezone.clone());
        Some(types::EvaluationWindow::WallClockWindow(window.build()))
    }

    /// What the alarm's messages have, as it is sent.
    pub fn sent_action_configuration(&self) -> Option<types::ActionConfiguration> {
        let propagation = self.tags_propagation.as_ref()?;
        let propagation = types::AlarmTagsPropagation::builder()
            .enabled(propagation.enabled)
            .set_included_tag_keys(propagation.included.clone())
            .set_excluded_tag_keys(propagation.excluded.clone());
        let configuration = types::ActionConfiguration::builder();
        Some(configuration.alarm_tags_propagation(propagation.build()).build())
    }
}

fn warm_up(alarm: &types::MetricAlarm) -> Result<Option<WarmUp>, ObserveError> {
    let Some(warm_up) = alarm.warm_up_configuration() else { return Ok(None) };
    let minutes = "WarmUpPeriodDurationInMinutes";
    Ok(Some(WarmUp {
        minutes: count(minutes, told(minutes, warm_up.warm_up_period_duration_in_minutes())?)?,
        only_start_after: warm_up.only_start_evaluating_after_warm_up_period_ends(),
    }))
}

fn wall_clock(alarm: &types::MetricAlarm) -> Result<Option<WallClock>, ObserveError> {
    match alarm.evaluation_window() {
        None | Some(types::EvaluationWindow::SlidingWindow(_)) => Ok(None),
        Some(types::EvaluationWindow::WallClockWindow(window)) => {
            Ok(Some(WallClock { timezone: window.timezone().map(str::to_owned) }))
        }
        Some(_) => Err(ObserveError::UnknownValue {
            field: "EvaluationWindow".to_owned(),
            value: "another window".to_owned(),
        }),
    }
}

fn tags_propagation(alarm: &types::MetricAlarm) -> Result<Option<TagsPropagation>, ObserveError> {
    let propagation = alarm.action_configuration().and_then(|one| one.alarm_tags_propagation());
    let Some(propagation) = propagation else { return Ok(None) };
    Ok(Some(TagsPropagation {
        enabled: told("AlarmTagsPropagation.Enabled", propagation.enabled())?,
        included: propagation.included_tag_keys.clone(),
        excluded: propagation.excluded_tag_keys.clone(),
    }))
}
