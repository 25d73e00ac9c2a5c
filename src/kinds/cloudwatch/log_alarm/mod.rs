//! `cloudwatch.log_alarm`: what is counted in a log group, and who is told when it happens: a metric
//! filter and the alarm on its metric as one thing.

mod alarm;
mod alarms;
mod check;
mod filter;
mod others;
mod pattern;
mod record;
mod trail;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::Tag;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::alarms::Named;
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::{OwnTags, Tagged, declares, sets};
use crate::kinds::spec::{aws_enum, found};
use crate::kinds::tags::{self, CLOUDWATCH, TagRules, Tags};
use crate::kinds::together::together;
use crate::kinds::{
    Allowed, Arns, Change, Claim, Controls, Cx, Drift, Facts, Found, Kind, Made, Object,
    ObserveError, Scope, Stricter, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const LIST_TAGS: Call = Call::new("cloudwatch", "ListTagsForResource");
/// The sort of thing that two items might both govern without having one name.
const METRIC_FILTER: &str = "metric filter";

/// An alarm on what stands in a log group: a metric filter counts the events that fit a pattern, and an
/// alarm on the filter's metric tells somebody. Both are one item, since either is worth nothing without
/// the other. `baselines/cis-alarms.toml` has the fifteen that the CIS AWS Foundations Benchmark asks
/// for; Security Hub looks for their patterns as they are written there.
///
/// Another filter, of whatever log group, that makes the metric less (a negative value), or may (a value from the
/// event), is reported: it hides what is counted.
///
/// The filter has one metric, without dimensions, and the alarm watches just that: dimensions, another
/// unit, a warm-up period and a wall-clock window would keep it from seeing what is counted, and are
/// taken away. An alarm of another sort with the same name (composite, on metric math, on an anomaly, on
/// a query) is reported and left alone.
///
/// evenkeel makes a filter and an alarm that are not there once everything is declared that AWS asks for,
/// and deletes neither, except to take back that it made them. CloudWatch may send to a topic whose
/// policy lets `cloudwatch.amazonaws.com` in (`services = ["cloudwatch"]` of `sns.topic`), as must the
/// key that encrypts it; who hears of it is declared by `sns.subscription`.
///
/// Source: CloudWatch API Reference, `PutMetricAlarm`, `DescribeAlarms`; CloudWatch Logs API Reference,
/// `PutMetricFilter`, `DescribeMetricFilters`; CloudWatch Logs User Guide, "Filter pattern syntax".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The alarm's name, up to 255 characters. It cannot be changed.
    #[schemars(length(min = 1, max = 255))]
    pub alarm_name: String,
    /// The filter's name, where it is not that of the alarm: up to 512 characters other than `:` and `*`.
    /// It cannot be changed.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^:*]*$"))]
    pub filter_name: Option<String>,
    /// The log group whose events are counted, of the class `STANDARD` and in the same Region: for events
    /// of CloudTrail, that to which a trail delivers.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[.\-_/#A-Za-z0-9]+$"))]
    pub log_group_name: String,
    /// Whether it is a finding when no trail delivers to the log group, or one that is stopped or fails:
    /// then nothing is counted. Of an alarm that is made, it is said with the next plan.
    pub require_trail: Option<bool>,
    /// Which events are counted, up to 1024 characters; "" for all. A pattern in braces is compared
    /// without the spaces around its parts, any other one letter by letter.
    #[schemars(length(max = 1024))]
    pub filter_pattern: Option<String>,
    /// Of which accounts and Regions events are counted, in a group that gathers those of several; "" for
    /// all. It leaves events out, so that one that is there and not declared differs wherever
    /// `filter_pattern` is declared.
    #[schemars(length(max = 2000))]
    pub field_selection_criteria: Option<String>,
    /// Whether the pattern is for events as the group's transformer makes them, and not as they came in.
    /// AWS's default is false, and one that is there and not declared differs wherever `filter_pattern` is declared.
    pub apply_on_transformed_logs: Option<bool>,
    /// The metric that the filter feeds and the alarm watches: up to 255 characters other than `:`, `*`
    /// and `$`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:*$]*$"))]
    pub metric_name: String,
    /// The metric's namespace, such as `CISBenchmark`: up to 255 characters other than `:`, `*` and `$`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:*$]*$"))]
    pub metric_namespace: String,
    /// What each event adds to the metric: `"1"`, or a field of the event, `"$.size"`.
    #[schemars(length(min = 1, max = 100))]
    pub metric_value: Option<String>,
    /// What the metric has for a minute in which events came in and none fits.
    pub default_value: Option<f64>,
    /// What the alarm is for, up to 1024 characters; "" for none.
    #[schemars(length(max = 1024))]
    pub alarm_description: Option<String>,
    /// What is made of the values of a period: `Sum` counts events.
    pub statistic: Option<Statistic>,
    /// The seconds of a period: 10, 20, 30 or a multiple of 60. All periods together are a day at most,
    /// and with periods of an hour or more a week.
    #[schemars(range(min = 10, max = 604_800))]
    pub period: Option<u32>,
    /// How many periods the alarm looks back.
    #[schemars(range(min = 1, max = 8640))]
    pub evaluation_periods: Option<u32>,
    /// In how many of them the threshold must be crossed; AWS's default is in all.
    #[schemars(range(min = 1, max = 8640))]
    pub datapoints_to_alarm: Option<u32>,
    /// The threshold.
    pub threshold: Option<f64>,
    /// How a period is compared with the threshold.
    pub comparison_operator: Option<ComparisonOperator>,
    /// What a period without values is taken for: `notBreaching` suits a count of rare events. AWS's
    /// default is `missing`.
    pub treat_missing_data: Option<TreatMissingData>,
    /// Whether the alarm does anything when its state changes. AWS's default is true.
    pub actions_enabled: Option<bool>,
    /// What is told that it happens, up to 5 ARNs, in whatever order; [] for nothing. Topics are of the
    /// alarm's Region; of those of the own account, one that is not there is reported.
    #[schemars(length(max = 5))]
    pub alarm_actions: Option<BTreeSet<String>>,
    /// What is told that it is over, likewise.
    #[schemars(length(max = 5))]
    pub ok_actions: Option<BTreeSet<String>>,
    /// What is told that there are no values to judge by, likewise.
    #[schemars(length(max = 5))]
    pub insufficient_data_actions: Option<BTreeSet<String>>,
    /// All tags of the alarm; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

aws_enum! {
    /// What is made of the values of a period.
    Statistic {
        SampleCount = "SampleCount",
        Average = "Average",
        Sum = "Sum",
        Minimum = "Minimum",
        Maximum = "Maximum",
    }
}

aws_enum! {
    /// How a period is compared with the threshold.
    ComparisonOperator {
        AtLeast = "GreaterThanOrEqualToThreshold",
        Above = "GreaterThanThreshold",
        Below = "LessThanThreshold",
        AtMost = "LessThanOrEqualToThreshold",
    }
}

aws_enum! {
    /// What a period without values is taken for.
    TreatMissingData {
        Ignore = "ignore",
        Missing = "missing",
        NotBreaching = "notBreaching",
        Breaching = "breaching",
    }
}

/// Which alarm and filter.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    alarm_name: String,
    filter_name: String,
    log_group_name: String,
    /// Of what other sort the alarm of this name is, in words.
    #[serde(default)]
    other_sort: Option<String>,
}

impl Place {
    fn of(spec: &Spec) -> Self {
        Self {
            alarm_name: spec.alarm_name.clone(),
            filter_name: spec.filter_name().to_owned(),
            log_group_name: spec.log_group_name.clone(),
            other_sort: None,
        }
    }
}

impl Spec {
    fn filter_name(&self) -> &str {
        self.filter_name.as_deref().unwrap_or(&self.alarm_name)
    }
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct LogAlarm;

impl Kind for LogAlarm {
    const NAME: &'static str = "cloudwatch.log_alarm";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "alarm_name", prefix: "" };
    const AFTER: &'static [&'static str] =
        &["logs.log_group", "sns.topic", "sns.subscription", "cloudtrail.trail"];
    const NOT_STATE: &'static [&'static str] = &["alarm_name", "filter_name", "log_group_name"];
    const BESIDE: &'static [&'static str] =
        &["/parts/alarm/missing_topics", "/parts/require_trail", "/parts/other_filters"];
    const CONTROLS: Controls = Controls {
        cis_v3: &CIS,
        cis_v5: &CIS,
        security_hub: SECURITY_HUB,
        well_architected: &["SEC04-BP03", "SEC04-BP04"],
        by_fields: &[
            (&CIS, COUNTED),
            (COUNTED_CONTROLS, COUNTED),
            (&["CloudWatch.15"], &["alarm_actions"]),
            (&["CloudWatch.17"], &["actions_enabled"]),
        ],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[Use::read(alarms::DESCRIBE), Use::read(filter::DESCRIBE)];
    const MORE_EVENTS: &'static [&'static str] = &[
        "monitoring.amazonaws.com:DisableAlarmActions",
        "monitoring.amazonaws.com:EnableAlarmActions",
        "monitoring.amazonaws.com:PutCompositeAlarm",
        "logs.amazonaws.com:DeleteLogGroup",
        "sns.amazonaws.com:DeleteTopic",
    ];
    const CLAIMS: &'static [&'static str] = &[METRIC_FILTER];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("treat_missing_data", r#""missing""#),
        ("actions_enabled", "true"),
        ("alarm_actions", "[]"),
    ];
    const SAMPLES: &'static [&'static str] = &SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("apply_on_transformed_logs"),
        Stricter::Neither("comparison_operator"),
        Stricter::Neither("period"),
        Stricter::Neither("require_trail"),
        Stricter::Neither("statistic"),
        Stricter::Neither("treat_missing_data"),
        Stricter::On("actions_enabled"),
        Stricter::Set("alarm_actions"),
        Stricter::Less("evaluation_periods"),
        Stricter::Less("datapoints_to_alarm"),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = check::check(spec);
        problems.extend(CLOUDWATCH.check(spec.tags.as_ref()));
        problems
    }

    fn claims(_facts: &Facts, spec: &Spec, _object: &Object<Self::State>) -> Vec<Claim> {
        let (group, name) = (&spec.log_group_name, spec.filter_name());
        vec![Claim::whole(format!("{METRIC_FILTER} {name} of {group}"))]
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let (alarms, filters) = together!(alarms::of_metrics(cx), filter::all(cx))?;
        let pairs = alarms.iter().filter_map(|(alarm, metric)| {
            let filter = filters.iter().find(|filter| filter.feeds(metric))?;
            Some(found([
                ("alarm_name", alarm.clone()),
                ("filter_name", filter.filter_name.clone()),
                ("log_group_name", filter.log_group_name.clone()),
                ("metric_name", metric.name.clone()),
                ("metric_namespace", metric.namespace.clone()),
            ]))
        });
        Ok(pairs.collect())
    }

    fn other_names(facts: &Facts, object: &Object<Self::State>) -> Vec<String> {
        object.state().map(|state| arn(facts, &state.place)).into_iter().collect()
    }

    by_parts!();
}

impl Parted for LogAlarm {
    type Place = Place;
    type Making = filter::Record;

    // What is counted, before anybody is told.
    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &filter::Filter,
        &alarm::Alarm,
        &OwnTags::<Self>::PART,
        &trail::Delivery,
        &others::Others,
    ];
    const CREATE: Call = filter::PUT;
    const CREATING: &'static [Call] = &[filter::PUT, filter::DESCRIBE, alarms::DESCRIBE];
    const KEPT: &'static str = "evenkeel deletes no alarm";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let mut place = Place::of(spec);
        let (alarm, filter) = together!(
            alarms::named(cx, &place.alarm_name),
            filter::described(cx, &place.log_group_name, &place.filter_name),
        )?;
        let name = spec.alarm_name.as_str();
        if alarm.is_none() && filter.is_none() {
            return Ok(Object::absent(name));
        }
        if let Some(Named::OtherSort(sort)) = alarm {
            place.other_sort = Some(sort.to_owned());
        }
        Ok(Object::present(name, place).of_control_tower_by(name))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place::of(spec)
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<filter::Record> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.alarm_name));
        let lacks: Vec<&str> = filter::lacks(spec).chain(alarm::lacks(spec)).collect();
        match filter::Record::new(spec, &mut drift).filter(|_| lacks.is_empty()) {
            Some(record) => Change::new(record, drift),
            None => Change::finding(drift).withhold(undeclared("alarm", &lacks)),
        }
    }

    // The call replaces a filter that is there.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named(&place.alarm_name, place))
    }

    async fn create(
        cx: &WriteCx,
        place: &Place,
        record: &filter::Record,
    ) -> Result<Made, WriteError> {
        filter::put(cx, place, record).await
    }

    fn another(_spec: &Spec, place: &Place) -> Option<Change<filter::Record>> {
        let sort = place.other_sort.as_ref()?;
        let mut drift = Drift::new();
        drift.add("alarm_name", Some(sort), Some("an alarm on the metric of the filter"));
        Some(Change::finding(drift).withhold(format!(
            "{} is {sort}, and evenkeel puts nothing in its place: declare another alarm_name, or delete that alarm",
            place.alarm_name
        )))
    }

    fn unmade() -> Option<(&'static str, Value)> {
        Some(filter::deleting())
    }

    fn made(record: &filter::Record) -> Option<Value> {
        filter::making(record)
    }

    fn named(id: &str, place: &Place) -> Spec {
        let filter_name = Some(place.filter_name.clone()).filter(|name| name != id);
        Spec {
            alarm_name: id.to_owned(),
            filter_name,
            log_group_name: place.log_group_name.clone(),
            ..Spec::default()
        }
    }
}

impl Tagged for LogAlarm {
    const TAG_RULES: TagRules = CLOUDWATCH;
    const TAG: Call = Call::new("cloudwatch", "TagResource");
    const UNTAG: Call = Call::new("cloudwatch", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST_TAGS, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, on_alarm),
        Use::write_if(Self::UNTAG, declares::<Self>, on_alarm),
    ];
    const MADE_WITH_TAGS: bool = false;
    const TAG_NEEDS: &'static [&'static str] = &[alarm::NAME];

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let request = cx.client(Client::new).list_tags_for_resource().resource_arn(arn(cx, place));
        let answer = cx.read(LIST_TAGS, &place.alarm_name, request.send()).await;
        // Of the two, the filter alone may be there.
        let Some(answer) = answer.absent_if(&["ResourceNotFoundException"])? else {
            return Ok(Tags::new());
        };
        let tags = told("Tags", answer.tags.as_ref())?;
        let pairs: Option<Vec<_>> = tags.iter().map(|tag| tag.key().zip(tag.value())).collect();
        Ok(tags::collect(told("Tags.Key", pairs)?))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(cx, place));
        let request = request.set_tags(Some(tags.into_iter().map(tag).collect()));
        cx.send(Self::TAG, request.send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(cx, place));
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

/// Why something is not made.
fn undeclared(what: &str, lacks: &[&str]) -> String {
    format!("there is no such {what}, and none is made without {}: declare them", lacks.join(", "))
}

/// The ARN of an alarm.
fn arn(facts: &Facts, place: &Place) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{}", place.alarm_name)
}

fn on_alarm(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let name = arns.text(&spec.alarm_name);
    Allowed::on([arns.regional("cloudwatch", &format!("alarm:{name}"))]).into()
}

/// Policies know a group by both forms of its ARN.
fn on_group(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let arn = arns.regional("logs", &format!("log-group:{}", arns.text(&spec.log_group_name)));
    Allowed::on([format!("{arn}:*"), arn]).into()
}

/// The fields that say what is counted and when it is too much.
const COUNTED: &[&str] = &[
    "require_trail",
    "filter_pattern",
    "field_selection_criteria",
    "metric_name",
    "metric_namespace",
    "metric_value",
    "statistic",
    "period",
    "evaluation_periods",
    "datapoints_to_alarm",
    "threshold",
    "comparison_operator",
    "alarm_actions",
];

const CIS: [&str; 15] = [
    "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13",
    "4.14", "4.15",
];

const SECURITY_HUB: &[&str] = &[
    "CloudWatch.1",
    "CloudWatch.2",
    "CloudWatch.3",
    "CloudWatch.4",
    "CloudWatch.5",
    "CloudWatch.6",
    "CloudWatch.7",
    "CloudWatch.8",
    "CloudWatch.9",
    "CloudWatch.10",
    "CloudWatch.11",
    "CloudWatch.12",
    "CloudWatch.13",
    "CloudWatch.14",
    "CloudWatch.15",
    "CloudWatch.17",
];
const COUNTED_CONTROLS: &[&str] = SECURITY_HUB.split_at(14).0;

const SAMPLES: [&str; 3] = [
    r#"
[logs.log_group.trail]
log_group_name  = "/audit/cloudtrail"
log_group_class = "STANDARD"

[sns.topic.alerts]
name     = "security-alerts"
services = ["cloudwatch"]

[cloudwatch.log_alarm.root-use]
alarm_name          = "root-use"
log_group_name      = "${logs.log_group.trail.log_group_name}"
filter_pattern      = '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }'
metric_name         = "RootUse"
metric_namespace    = "CISBenchmark"
metric_value        = "1"
default_value       = 0
alarm_description   = "Somebody works as root"
statistic           = "Sum"
period              = 300
evaluation_periods  = 1
datapoints_to_alarm = 1
threshold           = 1
comparison_operator = "GreaterThanOrEqualToThreshold"
treat_missing_data  = "notBreaching"
actions_enabled     = true
alarm_actions       = ["arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"]
ok_actions          = ["arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"]
tags                = { team = "security", purpose = "alerts" }
"#,
    r#"
[logs.log_group.trail]
log_group_name  = "/audit/cloudtrail"
log_group_class = "STANDARD"

[sns.topic.on-call]
name = "on-call"

[cloudwatch.log_alarm.root-use]
alarm_name                = "root-use"
filter_name               = "root-use"
log_group_name            = "${logs.log_group.trail.log_group_name}"
require_trail             = false
filter_pattern            = '{ $.userIdentity.type = "Root" }'
field_selection_criteria  = '@aws.region = "us-east-1"'
apply_on_transformed_logs = false
metric_name               = "Root"
metric_namespace          = "Security"
metric_value              = "2"
default_value             = 1
alarm_description         = ""
statistic                 = "SampleCount"
period                    = 3600
evaluation_periods        = 3
datapoints_to_alarm       = 2
threshold                 = 2.5
comparison_operator       = "GreaterThanThreshold"
treat_missing_data        = "missing"
actions_enabled           = false
alarm_actions             = []
ok_actions                = []
insufficient_data_actions = []
tags                      = {}
"#,
    r#"
[logs.log_group.trail]
log_group_name  = "/audit/cloudtrail"
log_group_class = "STANDARD"

[sns.topic.on-call]
name = "on-call"

[cloudwatch.log_alarm.root-use]
alarm_name                = "root-use"
log_group_name            = "${logs.log_group.trail.log_group_name}"
filter_pattern            = "Root"
field_selection_criteria  = ""
metric_name               = "RootUse"
metric_namespace          = "CISBenchmark"
metric_value              = "1"
statistic                 = "Maximum"
period                    = 60
evaluation_periods        = 1
threshold                 = 0
comparison_operator       = "GreaterThanThreshold"
treat_missing_data        = "ignore"
insufficient_data_actions = ["arn:${partition}:sns:${region}:${account.id}:${sns.topic.on-call.name}"]
"#,
];

#[cfg(test)]
mod tests;
