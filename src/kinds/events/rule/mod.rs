//! `events.rule`: which events are sent on, and to whom.

mod check;
mod record;
mod targets;
mod topics;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::Tag;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::{OwnTags, Tagged, declares, sets};
use crate::kinds::spec::{aws_enum, found};
use crate::kinds::tags::{self, EVENTS, TagRules, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError, told,
};
use crate::names::Region;
pub use targets::Target;

const LIST_TAGS: Call = Call::new("events", "ListTagsForResource");
/// The bus that AWS's own events come over.
const DEFAULT_BUS: &str = "default";
const SERVICE: &str = "events.amazonaws.com";

/// A rule of EventBridge: which events, or at which times, something is sent to whom.
///
/// Events of AWS come over the default bus of the Region in which they happen. Those of services
/// without Regions (IAM, Organizations, Route 53, CloudFront, the sign-in of the root user at the global
/// endpoint) come over that of us-east-1 alone. Events that tell of API calls need a trail that records
/// management events in the Region.
///
/// A topic or a queue must let `events.amazonaws.com` in (`services = ["events"]` of `sns.topic`), and
/// so must the key that encrypts it. A declared topic of the account that is not there is a finding. evenkeel makes a rule that is not there, and deletes none; rules
/// that a service of AWS manages are reported and left alone.
///
/// Source: EventBridge API Reference, `PutRule`, `DescribeRule`, `PutTargets`, `ListTargetsByRule`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The rule's name, up to 64 letters, digits, `.`, `-` and `_`. It cannot be changed.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[.\-_A-Za-z0-9]+$"))]
    pub name: String,
    /// The bus that it listens to, by name; `default` by default. It cannot be changed.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[/.\-_A-Za-z0-9]+$"))]
    pub event_bus_name: Option<String>,
    /// Which events, in AWS's own JSON shape, compared by what it means. Numbers are told apart as they
    /// are written: of GuardDuty's severities, `[{ numeric = [">=", 7] }]` has 7.5 and `[7, 8]` has not.
    pub event_pattern: Option<Map<String, Value>>,
    /// At which times, `rate(1 day)` or `cron(…)`; "" for none.
    #[schemars(length(max = 256))]
    pub schedule_expression: Option<String>,
    /// Whether it is looked at: `ENABLED`, AWS's default, `DISABLED`, or
    /// `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`, which has calls that only read, too.
    pub state: Option<RuleState>,
    /// What it is for, up to 512 characters; "" for none.
    #[schemars(length(max = 512))]
    pub description: Option<String>,
    /// The role with which it sends, by ARN; "" for none. Targets may have roles of their own.
    pub role_arn: Option<String>,
    /// All targets, up to 5; [] for none.
    #[schemars(length(max = 5))]
    pub targets: Option<Vec<Target>>,
    /// All tags of the rule; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

aws_enum! {
    /// Whether a rule is looked at.
    RuleState {
        Disabled = "DISABLED",
        Enabled = "ENABLED",
        EnabledWithAll = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    }
}

/// Which rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    name: String,
    event_bus_name: String,
}

impl Place {
    fn of(spec: &Spec) -> Self {
        let event_bus_name = spec.event_bus_name.clone().unwrap_or_else(|| DEFAULT_BUS.to_owned());
        Self { name: spec.name.clone(), event_bus_name }
    }

    /// What tells rules apart: rules of two buses may have one name.
    fn id(&self) -> String {
        match self.event_bus_name.as_str() {
            DEFAULT_BUS => self.name.clone(),
            bus => format!("{bus}/{}", self.name),
        }
    }
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule;

impl Kind for Rule {
    const NAME: &'static str = "events.rule";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "name", prefix: "" };
    const AFTER: &'static [&'static str] =
        &["iam.role", "sns.topic", "logs.log_group", "logs.resource_policy", "cloudtrail.trail"];
    const NOT_STATE: &'static [&'static str] = &["name", "event_bus_name"];
    const BESIDE: &'static [&'static str] = &["/parts/topics"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC04-BP03", "SEC04-BP04"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(record::DESCRIBE),
        Use::write(record::PUT, rule),
        Use::implied(
            "iam:PassRole",
            |spec| roles(spec).next().is_some(),
            |spec, arns| {
                Allowed::on(roles(spec).map(|role| arns.text(role)))
                    .when("StringEquals", "iam:PassedToService", [SERVICE.to_owned()])
                    .into()
            },
        ),
    ];
    const LENT: Option<&'static [Call]> = Some(&[record::PUT]);
    const MORE_EVENTS: &'static [&'static str] = &[
        "events.amazonaws.com:DeleteRule",
        "events.amazonaws.com:DisableRule",
        "events.amazonaws.com:EnableRule",
        "sns.amazonaws.com:DeleteTopic",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] =
        &[("event_bus_name", r#""default""#), ("state", r#""ENABLED""#), ("targets", "[]")];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[sns.topic.alerts]
name     = "security-alerts"
services = ["events"]

[events.rule.trail]
name           = "trail-is-touched"
event_bus_name = "default"
description    = "Somebody stops, changes or deletes a trail"
state          = "ENABLED"
event_pattern  = { source = ["aws.cloudtrail"], "detail-type" = ["AWS API Call via CloudTrail"], detail = { eventName = ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"] } }
tags           = { team = "security", purpose = "alerts" }

[[events.rule.trail.targets]]
id                 = "mail"
arn                = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
dead_letter_config = { arn = "arn:${partition}:sqs:${region}:${account.id}:missed-alerts" }
retry_policy       = { maximum_retry_attempts = 20, maximum_event_age_in_seconds = 3600 }

[events.rule.trail.targets.input_transformer]
input_paths_map = { what = "$.detail.eventName", who = "$.detail.userIdentity.arn" }
input_template  = '"<who> did <what>"'

[[events.rule.trail.targets]]
id             = "queue"
arn            = "arn:${partition}:sqs:${region}:${account.id}:alerts"
input_path     = "$.detail"
sqs_parameters = { message_group_id = "trail" }
"#,
        r#"
[iam.role.rules]
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sts:AssumeRole" }] }

[events.rule.trail]
name                = "trail-is-touched"
description         = ""
state               = "DISABLED"
schedule_expression = "rate(1 day)"
event_pattern       = {}
role_arn            = "arn:${partition}:iam::${account.id}:role/${iam.role.rules.role_name}"
tags                = {}

[[events.rule.trail.targets]]
id       = "queue"
arn      = "arn:${partition}:sqs:${region}:${account.id}:alerts"
input    = '{"daily": true}'
role_arn = "arn:${partition}:iam::${account.id}:role/${iam.role.rules.role_name}"
"#,
        r#"
[events.rule.trail]
name                = "trail-is-touched"
schedule_expression = ""
event_pattern       = { source = ["aws.guardduty"], detail = { severity = [{ numeric = [">=", 7] }] } }
role_arn            = ""
targets             = []
"#,
    ];

    const STRICTER: &'static [Stricter] = &[Stricter::Order(
        "state",
        &["DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"],
    )];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = check::check(spec);
        problems.extend(EVENTS.check(spec.tags.as_ref()));
        problems
    }

    fn governs(spec: &Value, _home: Option<&Region>) -> Option<String> {
        let bus = spec.get("event_bus_name").and_then(Value::as_str).unwrap_or(DEFAULT_BUS);
        Some(format!("{bus}/{}", spec.get("name")?.as_str()?))
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let names = record::names(cx).await?;
        Ok(names.into_iter().map(|name| found([("name", name)])).collect())
    }

    fn other_names(facts: &Facts, object: &Object<Self::State>) -> Vec<String> {
        object.state().map(|state| arn(facts, &state.place)).into_iter().collect()
    }

    by_parts!();
}

impl Parted for Rule {
    type Place = Place;
    type Making = record::Record;

    const PARTS: &'static [&'static dyn AnyPart<Self>] =
        &[&targets::Targets, &topics::Topics, &record::Settings, &OwnTags::<Self>::PART];
    const CREATE: Call = record::PUT;
    const CREATING: &'static [Call] = &[record::PUT, record::DESCRIBE];
    const KEPT: &'static str = "evenkeel never deletes a rule";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let place = Place::of(spec);
        let id = place.id();
        let Some(rule) = record::described(cx, &place).await? else {
            return Ok(Object::absent(id));
        };
        let object = Object::present(id, place);
        Ok(match rule.managed_by().filter(|manager| !manager.is_empty()) {
            Some(manager) => object.managed_by(manager),
            None => object,
        })
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place::of(spec)
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<record::Record> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.name));
        let record = record::Record::default().with(spec);
        if record.event_pattern.is_none() && record.schedule_expression.is_none() {
            return Change::finding(drift).withhold(
                "there is no such rule, and none is made without an event_pattern or a schedule_expression: declare one",
            );
        }
        record::drift_of_new(spec, &mut drift);
        Change::new(record, drift)
    }

    // The call replaces a rule that is there.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named("", place))
    }

    async fn create(
        cx: &WriteCx,
        place: &Place,
        record: &record::Record,
    ) -> Result<Made, WriteError> {
        record::put(cx, place, record).await
    }

    fn named(_id: &str, place: &Place) -> Spec {
        let bus = Some(&place.event_bus_name).filter(|bus| *bus != DEFAULT_BUS);
        Spec { name: place.name.clone(), event_bus_name: bus.cloned(), ..Spec::default() }
    }
}

impl Tagged for Rule {
    const TAG_RULES: TagRules = EVENTS;
    const TAG: Call = Call::new("events", "TagResource");
    const UNTAG: Call = Call::new("events", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST_TAGS, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, rule),
        Use::write_if(Self::UNTAG, declares::<Self>, rule),
    ];
    const MADE_WITH_TAGS: bool = false;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let request = cx.client(Client::new).list_tags_for_resource().resource_arn(arn(cx, place));
        let answer = cx.read(LIST_TAGS, &place.id(), request.send()).await?;
        let tags = told("Tags", answer.tags.as_ref())?.iter();
        Ok(tags::collect(tags.map(|tag| (tag.key(), tag.value()))))
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
        let tags = tags.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(cx, place));
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(cx, place));
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

/// The ARN of a rule.
fn arn(facts: &Facts, place: &Place) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:events:{region}:{account}:rule/{}", place.id())
}

fn rule(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let place = Place::of(spec);
    Allowed::on([arns.regional("events", &format!("rule/{}", arns.text(&place.id())))]).into()
}

/// The roles that a rule is given.
fn roles(spec: &Spec) -> impl Iterator<Item = &str> {
    let own = spec.role_arn.as_deref().filter(|role| !role.is_empty());
    let of_targets = spec.targets.iter().flatten().filter_map(|target| target.role_arn.as_deref());
    own.into_iter().chain(of_targets)
}

#[cfg(test)]
mod tests;
