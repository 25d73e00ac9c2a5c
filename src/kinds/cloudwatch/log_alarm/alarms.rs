//! The alarms of a Region, of whatever sort: all of them have one set of names.

use std::sync::Arc;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, LogAlarm, MetricAlarm};

use super::record::Metric;
use crate::aws::Call;
use crate::kinds::{Cx, ObserveError, told};

pub const DESCRIBE: Call = Call::new("cloudwatch", "DescribeAlarms");
/// From so many items on, one listing of all alarms is tried for all of them.
const MANY: usize = 5;
/// The largest page (CloudWatch API Reference, `DescribeAlarms`, `MaxRecords`).
const PAGE: i32 = 100;

/// What stands under a name.
pub enum Named {
    /// An alarm on one metric.
    OfMetric(Box<MetricAlarm>),
    /// An alarm of another sort, in words.
    OtherSort(&'static str),
}

#[derive(Debug, Default, PartialEq)]
struct Alarms {
    metric: Vec<MetricAlarm>,
    composite: Vec<CompositeAlarm>,
    log: Vec<LogAlarm>,
}

/// The alarm of a name; `None` when there is none.
///
/// AWS lets a Region be asked nine times a second and gives a hundred alarms a page: many items share one
/// listing, which is given up where it takes long, and few ask for their names.
///
/// # Errors
/// Nobody can say.
pub async fn named(cx: &Cx, name: &str) -> Result<Option<Named>, ObserveError> {
    // A listing that was not recorded whole is no answer: the name is asked for below, and is unknown where
    // that was not recorded either.
    let all = if cx.is_recorded() {
        described(cx, None, usize::MAX).await.unwrap_or(None)
    } else if cx.items() >= MANY {
        described(cx, None, cx.items().div_ceil(4)).await?
    } else {
        None
    };
    let alarms = match all {
        Some(alarms) => alarms,
        None => told("MetricAlarms", described(cx, Some(name), usize::MAX).await?)?,
    };
    Ok(alarms.find(name))
}

/// The alarms on one metric that somebody could declare, with their metrics.
///
/// # Errors
/// Nobody can say which there are.
pub async fn of_metrics(cx: &Cx) -> Result<Vec<(String, Metric)>, ObserveError> {
    let alarms = told("MetricAlarms", described(cx, None, usize::MAX).await?)?;
    let pair = |alarm: &MetricAlarm| {
        let metric = Metric {
            name: told("MetricName", alarm.metric_name())?.to_owned(),
            namespace: told("Namespace", alarm.namespace())?.to_owned(),
        };
        Ok((told("AlarmName", alarm.alarm_name())?.to_owned(), metric))
    };
    alarms.metric.iter().filter(|alarm| sort_of(alarm).is_none()).map(pair).collect()
}

impl Alarms {
    fn find(&self, name: &str) -> Option<Named> {
        let metric = self.metric.iter().find(|alarm| alarm.alarm_name() == Some(name));
        if let Some(alarm) = metric {
            return Some(match sort_of(alarm) {
                Some(sort) => Named::OtherSort(sort),
                None => Named::OfMetric(Box::new(alarm.clone())),
            });
        }
        let is_composite = self.composite.iter().any(|alarm| alarm.alarm_name() == Some(name));
        let is_log = self.log.iter().any(|alarm| alarm.alarm_name() == Some(name));
        match (is_composite, is_log) {
            (true, _) => Some(Named::OtherSort("a composite alarm")),
            (_, true) => Some(Named::OtherSort("an alarm on a query of logs")),
            (false, false) => None,
        }
    }
}

/// Of what other sort an alarm is than on one metric with a threshold.
fn sort_of(alarm: &MetricAlarm) -> Option<&'static str> {
    if alarm.evaluation_criteria().is_some() {
        return Some("an alarm on a query of metrics");
    }
    if alarm.threshold_metric_id().is_some() {
        return Some("an alarm on an anomaly");
    }
    (!alarm.metrics().is_empty()).then_some("an alarm on metric math")
}

/// The alarm of a name, or all if they fit into so many pages; `None` if not. Without their sorts, AWS
/// shows those on metrics alone.
async fn described(
    cx: &Cx,
    name: Option<&str>,
    pages: usize,
) -> Result<Option<Arc<Alarms>>, ObserveError> {
    let client = cx.client(Client::new);
    let answer = cx
        .read(DESCRIBE, name.unwrap_or_default(), async {
            let (mut all, mut token) = (Alarms::default(), None);
            for _ in 0..pages {
                let request = client
                    .describe_alarms()
                    .set_alarm_names(name.map(|name| vec![name.to_owned()]))
                    .alarm_types(AlarmType::MetricAlarm)
                    .alarm_types(AlarmType::CompositeAlarm)
                    .alarm_types(AlarmType::LogAlarm)
                    .max_records(PAGE)
                    .set_next_token(token);
                let page = request.send().await?;
                let Some(metric) = page.metric_alarms else { return Ok(None) };
                all.metric.extend(metric);
                all.composite.extend(page.composite_alarms.into_iter().flatten());
                all.log.extend(page.log_alarms.into_iter().flatten());
                token = page.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    return Ok(Some(Some(Arc::new(all))));
                }
            }
            Ok(Some(None))
        })
        .await?;
    told("MetricAlarms", answer.as_ref().clone())
}
