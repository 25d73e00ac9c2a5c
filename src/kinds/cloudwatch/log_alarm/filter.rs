//! The metric filter, which AWS replaces as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::{Client, types};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::Metric;
use super::{LogAlarm, Place, Spec, on_group, pattern, undeclared};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, Made, ObserveError, Undo, Use, WriteCx, WriteError, told};

pub const DESCRIBE: Call = Call::new("logs", "DescribeMetricFilters");
pub const PUT: Call = Call::new("logs", "PutMetricFilter");
const DELETE: Call = Call::new("logs", "DeleteMetricFilter");
const NOT_FOUND: &str = "ResourceNotFoundException";
/// The unit of a metric that has none.
pub const NO_UNIT: &str = "None";

pub struct Filter;

/// All that AWS keeps of a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub filter_pattern: String,
    pub field_selection_criteria: Option<String>,
    pub apply_on_transformed_logs: bool,
    pub metric_name: String,
    pub metric_namespace: String,
    pub metric_value: String,
    pub default_value: Option<f64>,
    pub unit: Option<String>,
    pub dimensions: BTreeMap<String, String>,
    pub emit_system_field_dimensions: BTreeSet<String>,
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

/// A filter that could be declared.
pub struct Feeding {
    pub filter_name: String,
    pub log_group_name: String,
    metric: Metric,
}

impl Feeding {
    /// Whether it feeds a metric.
    pub fn feeds(&self, metric: &Metric) -> bool {
        self.metric == *metric
    }
}

/// The fields that AWS needs and that are not declared.
pub fn lacks(spec: &Spec) -> impl Iterator<Item = &'static str> {
    let needed = [
        ("filter_pattern", spec.filter_pattern.is_some()),
        ("metric_value", spec.metric_value.is_some()),
    ];
    needed.into_iter().filter(|(_, is_there)| !is_there).map(|(field, _)| field)
}

/// The part's name, and the write that takes a filter away.
pub fn deleting() -> (&'static str, Value) {
    (Filter::NAME, Value::String("delete".to_owned()))
}

/// What would have made it.
pub fn making(record: &Record) -> Option<Value> {
    serde_json::to_value(Write::Put(Box::new(record.clone()))).ok()
}

impl Record {
    /// A new one, as far as it is declared; `None` when AWS needs more.
    pub fn new(spec: &Spec, drift: &mut Drift) -> Option<Self> {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        drift.compare("filter_pattern", None, spec.filter_pattern.as_ref());
        let criteria = spec.field_selection_criteria.as_deref();
        drift.compare_text("field_selection_criteria", None, criteria);
        let transformed = spec.apply_on_transformed_logs;
        drift.compare("apply_on_transformed_logs", Some(&false), transformed.as_ref());
        drift.compare("metric_name", None, Some(&spec.metric_name));
        drift.compare("metric_namespace", None, Some(&spec.metric_namespace));
        drift.compare("metric_value", None, spec.metric_value.as_ref());
        drift.compare("default_value", None, spec.default_value.as_ref());
        Some(Self {
            filter_pattern: spec.filter_pattern.clone()?,
            field_selection_criteria: text(&spec.field_selection_criteria),
            apply_on_transformed_logs: transformed.unwrap_or(false),
            metric_name: spec.metric_name.clone(),
            metric_namespace: spec.metric_namespace.clone(),
            metric_value: spec.metric_value.clone()?,
            default_value: spec.default_value,
            unit: None,
            dimensions: BTreeMap::new(),
            emit_system_field_dimensions: BTreeSet::new(),
        })
    }

    /// The same with what is declared in the place of what is there.
    fn with(&self, spec: &Spec) -> Self {
        let criteria = declared_criteria(spec).map(str::to_owned);
        Self {
            filter_pattern: spec.filter_pattern.clone().unwrap_or(self.filter_pattern.clone()),
            field_selection_criteria: criteria
                .or_else(|| self.field_selection_criteria.clone())
                .filter(|text| !text.is_empty()),
            apply_on_transformed_logs: declared_form(spec)
                .unwrap_or(self.apply_on_transformed_logs),
            metric_name: spec.metric_name.clone(),
            metric_namespace: spec.metric_namespace.clone(),
            metric_value: spec.metric_value.clone().unwrap_or(self.metric_value.clone()),
            default_value: spec.default_value.or(self.default_value),
            unit: self.unit.clone(),
            dimensions: BTreeMap::new(),
            emit_system_field_dimensions: BTreeSet::new(),
        }
    }

    /// The unit of what it counts.
    pub fn unit(&self) -> &str {
        self.unit.as_deref().unwrap_or(NO_UNIT)
    }

    fn seen(filter: &types::MetricFilter) -> Result<Self, ObserveError> {
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let transformations =
            told("metricTransformations", filter.metric_transformations.as_ref())?;
        let [one] = transformations.as_slice() else {
            return Err(ObserveError::Malformed {
                field: "metricTransformations".to_owned(),
                problem: format!("a filter has one, and this has {}", transformations.len()),
            });
        };
        Ok(Self {
            filter_pattern: told("filterPattern", filter.filter_pattern())?.to_owned(),
            field_selection_criteria: some(filter.field_selection_criteria()),
            apply_on_transformed_logs: filter.apply_on_transformed_logs(),
            metric_name: one.metric_name.clone(),
            metric_namespace: one.metric_namespace.clone(),
            metric_value: one.metric_value.clone(),
            default_value: one.default_value,
            unit: one.unit.as_ref().map(|unit| unit.as_str().to_owned()),
            dimensions: one.dimensions.clone().into_iter().flatten().collect(),
            emit_system_field_dimensions: filter
                .emit_system_field_dimensions()
                .iter()
                .cloned()
                .collect(),
        })
    }
}

/// What must be there of the criteria: none where a pattern is declared alone, since they leave out
/// events that fit it.
fn declared_criteria(spec: &Spec) -> Option<&str> {
    let alone = spec.filter_pattern.is_some().then_some("");
    spec.field_selection_criteria.as_deref().or(alone)
}

/// In which form events must be: as they came in where a pattern is declared alone, since it may fit no other one.
fn declared_form(spec: &Spec) -> Option<bool> {
    let alone = spec.filter_pattern.is_some().then_some(false);
    spec.apply_on_transformed_logs.or(alone)
}

impl Part for Filter {
    type Of = LogAlarm;
    /// `None` where there is none.
    type Now = Option<Record>;
    type Write = Write;

    const NAME: &'static str = "metric_filter";
    const CALLS: &'static [Use<Spec>] = &[Use::write(PUT, on_group), Use::undo(DELETE, on_group)];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Option<Record>, ObserveError> {
        let filter = described(cx, &place.log_group_name, &place.filter_name).await?;
        filter.as_ref().map(Record::seen).transpose()
    }

    fn diff(look: &Look<'_, LogAlarm>, now: &Option<Record>) -> Vec<Change<Write>> {
        // A new one is made with all of it.
        if look.is_new() {
            return Vec::new();
        }
        let mut drift = Drift::new();
        let Some(now) = now else {
            drift.add("filter_name", None::<&str>, Some(look.spec.filter_name()));
            return vec![match Record::new(look.spec, &mut drift) {
                Some(record) => Change::new(Write::Put(Box::new(record)), drift),
                None => {
                    let lacks: Vec<&str> = lacks(look.spec).collect();
                    Change::finding(drift).withhold(undeclared("filter", &lacks))
                }
            }];
        };
        let warnings = compare(look.spec, now, &mut drift);
        if drift.is_empty() {
            return Vec::new();
        }
        let change = Change::new(Write::Put(Box::new(now.with(look.spec))), drift);
        vec![warnings.into_iter().fold(change, |change, warning| look.disruptive(change, warning))]
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Put(_) => PUT,
            Write::Delete => DELETE,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Put(record) => put(cx, place, record).await.map(drop),
            Write::Delete => {
                let request = cx.client(Client::new).delete_metric_filter();
                let request = request.log_group_name(&place.log_group_name);
                let request = request.filter_name(&place.filter_name).send();
                cx.remove(DELETE, request, &[NOT_FOUND]).await
            }
        }
    }

    fn undo(_: &Write, before: &Option<Record>) -> Undo<Write> {
        let before = before.clone().map(|record| Write::Put(Box::new(record)));
        Undo::By(vec![before.unwrap_or(Write::Delete)])
    }

    fn export(now: &Option<Record>, spec: &mut Spec) {
        let Some(now) = now else { return };
        spec.filter_pattern = Some(now.filter_pattern.clone());
        spec.field_selection_criteria =
            Some(now.field_selection_criteria.clone().unwrap_or_default());
        spec.apply_on_transformed_logs = Some(now.apply_on_transformed_logs);
        spec.metric_name = now.metric_name.clone();
        spec.metric_namespace = now.metric_namespace.clone();
        spec.metric_value = Some(now.metric_value.clone());
        spec.default_value = now.default_value;
    }
}

/// What differs, and what the reader of a plan must know of it.
fn compare(spec: &Spec, now: &Record, drift: &mut Drift) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    let wanted = spec.filter_pattern.as_ref();
    let is_same = wanted.is_some_and(|wanted| pattern::is_same(wanted, &now.filter_pattern));
    let there = if is_same { wanted } else { Some(&now.filter_pattern) };
    if drift.compare("filter_pattern", there, wanted) {
        warnings.push("events that fit the pattern that is there may not be counted any more");
    }
    let criteria = now.field_selection_criteria.as_deref();
    drift.compare_text("field_selection_criteria", criteria, declared_criteria(spec));
    let transformed = declared_form(spec);
    if drift.compare(
        "apply_on_transformed_logs",
        Some(&now.apply_on_transformed_logs),
        transformed.as_ref(),
    ) {
        warnings.push("the pattern is for events in another form");
    }
    let is_renamed = [
        drift.compare("metric_name", Some(&now.metric_name), Some(&spec.metric_name)),
        drift.compare(
            "metric_namespace",
            Some(&now.metric_namespace),
            Some(&spec.metric_namespace),
        ),
    ];
    if is_renamed.contains(&true) {
        warnings.push("other alarms and graphs of the metric that is there get no values any more");
    }
    drift.compare("metric_value", Some(&now.metric_value), spec.metric_value.as_ref());
    drift.compare("default_value", now.default_value.as_ref(), spec.default_value.as_ref());
    let of_system = &now.emit_system_field_dimensions;
    if !now.dimensions.is_empty() || !of_system.is_empty() {
        let dimensions: BTreeSet<&String> = now.dimensions.keys().chain(of_system).collect();
        drift.add("metric_name.dimensions", Some(dimensions), None::<&str>);
        warnings.push("other alarms and graphs of its dimensions get no values any more");
    }
    warnings
}

/// Writes a filter whole.
///
/// # Errors
/// What AWS answered; that the group is not there in words that help.
pub async fn put(cx: &WriteCx, place: &Place, record: &Record) -> Result<Made, WriteError> {
    let Record { dimensions, emit_system_field_dimensions, .. } = record;
    let dimensions = dimensions.clone().into_iter().collect();
    let dimensions =
        Some(dimensions).filter(|all: &std::collections::HashMap<_, _>| !all.is_empty());
    let transformation = types::MetricTransformation::builder()
        .metric_name(&record.metric_name)
        .metric_namespace(&record.metric_namespace)
        .metric_value(&record.metric_value)
        .set_default_value(record.default_value)
        .set_dimensions(dimensions)
        .set_unit(record.unit.as_deref().map(types::StandardUnit::from))
        .build()?;
    let of_system: Vec<String> = emit_system_field_dimensions.iter().cloned().collect();
    let request = cx
        .client(Client::new)
        .put_metric_filter()
        .log_group_name(&place.log_group_name)
        .filter_name(&place.filter_name)
        .filter_pattern(&record.filter_pattern)
        .metric_transformations(transformation)
        .set_apply_on_transformed_logs(record.apply_on_transformed_logs.then_some(true))
        .set_field_selection_criteria(record.field_selection_criteria.clone())
        .set_emit_system_field_dimensions(Some(of_system).filter(|all| !all.is_empty()));
    match cx.made(PUT, request.send()).await {
        Err(WriteError::Aws(error)) if error.is_code(&[NOT_FOUND]) => {
            let group = &place.log_group_name;
            Err(WriteError::Look(ObserveError::Unclear {
                reason: format!("there is no log group {group} in {}: {error}", cx.region),
                remedy: "make it first (an item logs.log_group that this one refers to), or declare the group to which the trail delivers; then run again"
                    .to_owned(),
            }))
        }
        answer => answer,
    }
}

/// The filters of the Region, in one listing for all alarms.
async fn everywhere(cx: &Cx) -> Result<Arc<Vec<types::MetricFilter>>, ObserveError> {
    let pages = cx.client(Client::new).describe_metric_filters().into_paginator().send();
    Ok(cx.list(DESCRIBE, "", pages, "metricFilters", |page| page.metric_filters).await?)
}

/// The filters that make the metric less, in words: others, of whatever log group, or the own one for a minute without
/// events.
///
/// # Errors
/// Nobody can say.
pub async fn lowering(cx: &Cx, spec: &Spec, place: &Place) -> Result<Vec<String>, ObserveError> {
    let filters = everywhere(cx).await?;
    let mut lowering = Vec::new();
    for filter in filters.iter() {
        let name = told("filterName", filter.filter_name())?;
        let group = told("logGroupName", filter.log_group_name())?;
        let is_own = (name, group) == (&*place.filter_name, &*place.log_group_name);
        for one in told("metricTransformations", filter.metric_transformations.as_ref())? {
            let is_its = one.metric_name == spec.metric_name
                && one.metric_namespace == spec.metric_namespace;
            let is_less = |value: Option<f64>| value.is_some_and(|value| value < 0.0);
            // What a field of the event says (`$.size`) may be less than nothing.
            let each = one.metric_value.trim().parse::<f64>();
            let may_be_less = !each.is_ok_and(|each| each >= 0.0);
            // What is declared of the own one is compared.
            let makes_less = match is_own {
                true => is_less(one.default_value) && spec.default_value.is_none(),
                false => may_be_less || is_less(one.default_value),
            };
            if is_its && makes_less {
                lowering.push(match group == place.log_group_name {
                    true => format!("the filter {name} makes it less, or may"),
                    false => format!("the filter {name} of {group} makes it less, or may"),
                });
            }
        }
    }
    Ok(lowering)
}

/// A filter as AWS describes it; `None` when it is not there, or its group is not.
///
/// # Errors
/// Nobody can say.
pub async fn described(
    cx: &Cx,
    group: &str,
    name: &str,
) -> Result<Option<types::MetricFilter>, ObserveError> {
    let filters = everywhere(cx).await?;
    let is_it = |filter: &&types::MetricFilter| {
        (filter.filter_name(), filter.log_group_name()) == (Some(name), Some(group))
    };
    let own = filters.iter().find(is_it);
    Ok(own.cloned())
}

/// All filters of the Region.
///
/// # Errors
/// Nobody can say which there are.
pub async fn all(cx: &Cx) -> Result<Vec<Feeding>, ObserveError> {
    let filters = everywhere(cx).await?;
    let feeding = |filter: &types::MetricFilter| {
        let record = Record::seen(filter)?;
        Ok(Feeding {
            filter_name: told("filterName", filter.filter_name())?.to_owned(),
            log_group_name: told("logGroupName", filter.log_group_name())?.to_owned(),
            metric: Metric { name: record.metric_name, namespace: record.metric_namespace },
        })
    };
    filters.iter().map(feeding).collect()
}
