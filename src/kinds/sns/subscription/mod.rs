//! `sns.subscription`: who hears of what is published to a topic. One that its owner has not confirmed
//! yet waits, and is neither in sync nor drift.

mod check;
mod settings;

use std::collections::BTreeSet;

use aws_sdk_sns::{Client, types};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::spec::{aws_enum, found};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError, told,
};
use crate::names::Region;

const LIST: Call = Call::new("sns", "ListSubscriptionsByTopic");
const LIST_ALL: Call = Call::new("sns", "ListSubscriptions");
const SUBSCRIBE: Call = Call::new("sns", "Subscribe");
/// What stands in the place of the ARN of one that was not confirmed yet.
const PENDING: &str = "PendingConfirmation";
/// What stands there of one that is gone.
const DELETED: &str = "Deleted";

/// A subscription: where the messages of a topic are sent, which of them, and in which form.
///
/// Mail addresses, HTTPS endpoints, and queues and functions of other accounts get a message first, and
/// their owner must confirm. Until then the subscription is `waiting`: evenkeel has done its part, and
/// says who must do theirs. AWS forgets what nobody confirms after some days; then it is asked for
/// again.
///
/// evenkeel makes a subscription that is not there, with all that is declared of it, and takes nobody
/// off a topic. A queue's policy must let the topic send to it, a function's let it be called, by the
/// principal `sns.amazonaws.com`.
///
/// Source: SNS API Reference, `Subscribe`, `ListSubscriptionsByTopic`, `GetSubscriptionAttributes`,
/// `SetSubscriptionAttributes`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The topic's ARN; the example shows how to write that of a topic which is declared beside it.
    #[schemars(regex(pattern = r"^arn:[^:]+:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+$"))]
    pub topic_arn: String,
    /// How messages get there. Plain HTTP is not among them: whoever is on the way could read them.
    pub protocol: Protocol,
    /// Where they go: a mail address, an HTTPS address, the ARN of a queue, a function or a delivery
    /// stream, or a phone number. An address has no password in it, and no
    /// key or token in its query: plans and logs would show it.
    #[schemars(length(min = 1, max = 2048))]
    pub endpoint: String,
    /// Which messages are sent, in AWS's own JSON shape; {} for all, which is AWS's default.
    pub filter_policy: Option<Map<String, Value>>,
    /// What the filter policy looks at: `MessageAttributes`, AWS's default, or `MessageBody`.
    pub filter_policy_scope: Option<FilterPolicyScope>,
    /// Whether the message is sent as it was published, without SNS's envelope around it; for queues,
    /// HTTPS endpoints and delivery streams. AWS's default is false.
    pub raw_message_delivery: Option<bool>,
    /// The queue for messages that cannot be delivered, in AWS's own shape,
    /// `{ deadLetterTargetArn = "arn:…" }`; {} for none, which is AWS's default.
    pub redrive_policy: Option<Map<String, Value>>,
    /// How often deliveries to an HTTPS endpoint are tried, in AWS's own JSON shape; {} for what the
    /// topic says. Members that are not declared are not compared: AWS fills them in.
    pub delivery_policy: Option<Map<String, Value>>,
    /// The role with which SNS writes to a delivery stream, by ARN; for `firehose` alone.
    #[schemars(regex(pattern = r"^arn:[^:]+:iam::[0-9]{12}:role/.+$"))]
    pub subscription_role_arn: Option<String>,
}

aws_enum! {
    /// How messages get to an endpoint.
    Protocol {
        Email = "email",
        EmailJson = "email-json",
        Https = "https",
        Sqs = "sqs",
        Lambda = "lambda",
        Sms = "sms",
        Firehose = "firehose",
    }
}

aws_enum! {
    /// What a filter policy looks at.
    FilterPolicyScope { MessageAttributes = "MessageAttributes", MessageBody = "MessageBody", }
}

/// Which subscription.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    topic_arn: String,
    protocol: Protocol,
    endpoint: String,
    /// Of one that is there.
    subscription_arn: Option<String>,
}

impl Place {
    fn of(spec: &Spec, subscription_arn: Option<&str>) -> Self {
        Self {
            topic_arn: spec.topic_arn.clone(),
            protocol: spec.protocol,
            endpoint: spec.endpoint.clone(),
            subscription_arn: subscription_arn.map(str::to_owned),
        }
    }
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription;

impl Kind for Subscription {
    const NAME: &'static str = "sns.subscription";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "endpoint", prefix: "" };
    const AFTER: &'static [&'static str] = &["sns.topic", "iam.role"];
    const NOT_STATE: &'static [&'static str] = &["topic_arn", "protocol", "endpoint"];
    const IN_REGION: &'static [&'static str] = &["topic_arn"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC04-BP04", "SEC10-BP01"], ..Controls::NONE };
    const STRICTER: &'static [Stricter] =
        &[Stricter::Neither("filter_policy_scope"), Stricter::Neither("raw_message_delivery")];
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(LIST),
        Use::write(SUBSCRIBE, topic),
        Use::implied(
            "iam:PassRole",
            |spec| spec.subscription_role_arn.is_some(),
            |spec, arns| {
                Allowed::on(spec.subscription_role_arn.iter().map(|role| arns.text(role)))
                    .when("StringEquals", "iam:PassedToService", ["sns.amazonaws.com".to_owned()])
                    .into()
            },
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "sns.amazonaws.com:Unsubscribe",
        "sns.amazonaws.com:ConfirmSubscription",
        "sns.amazonaws.com:DeleteTopic",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("filter_policy", "{}"),
        ("filter_policy_scope", r#""MessageAttributes""#),
        ("raw_message_delivery", "false"),
        ("redrive_policy", "{}"),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[sns.topic.alerts]
name = "security-alerts"

[sns.subscription.team]
topic_arn = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol  = "email"
endpoint  = "security-team@example.com"

[sns.subscription.queue]
topic_arn            = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol             = "sqs"
endpoint             = "arn:${partition}:sqs:${region}:${account.id}:alerts"
filter_policy        = { severity = ["HIGH", "CRITICAL"] }
filter_policy_scope  = "MessageAttributes"
raw_message_delivery = true
redrive_policy       = { deadLetterTargetArn = "arn:${partition}:sqs:${region}:${account.id}:alerts-missed" }
"#,
        r#"
[sns.topic.alerts]
name = "security-alerts"

[sns.subscription.page]
topic_arn       = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol        = "https"
endpoint        = "https://pager.example.com/alerts"
delivery_policy = { healthyRetryPolicy = { numRetries = 20 } }

[sns.subscription.queue]
topic_arn            = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol             = "sqs"
endpoint             = "arn:${partition}:sqs:${region}:${account.id}:alerts"
filter_policy        = { detail = { severity = [{ numeric = [">=", 7] }] } }
filter_policy_scope  = "MessageBody"
raw_message_delivery = false
redrive_policy       = {}
"#,
        r#"
[sns.topic.alerts]
name = "security-alerts"

[sns.subscription.queue]
topic_arn     = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol      = "sqs"
endpoint      = "arn:${partition}:sqs:${region}:${account.id}:alerts"
filter_policy = {}

[iam.role.alerts]
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "sns.amazonaws.com" }, Action = "sts:AssumeRole" }] }

[sns.subscription.archive]
topic_arn             = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol              = "firehose"
endpoint              = "arn:${partition}:firehose:${region}:${account.id}:deliverystream/alerts"
raw_message_delivery  = true
subscription_role_arn = "arn:${partition}:iam::${account.id}:role/${iam.role.alerts.role_name}"
"#,
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check::check(spec)
    }

    fn governs(spec: &Value, _home: Option<&Region>) -> Option<String> {
        let text = |field: &str| spec.get(field).and_then(Value::as_str).unwrap_or_default();
        let protocol = text("protocol");
        let endpoint = folded(protocol, text("endpoint"));
        Some(format!("{} {protocol} {endpoint}", text("topic_arn")))
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let pages = cx.client(Client::new).list_subscriptions().into_paginator().send();
        let all = cx.list(LIST_ALL, "", pages, "Subscriptions", |page| page.subscriptions).await?;
        let confirmed = all.iter().filter(|one| arn(one).is_some());
        Ok(confirmed.filter_map(declarable).collect())
    }

    by_parts!();
}

impl Parted for Subscription {
    type Place = Place;
    type Making = settings::Attributes;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[&settings::Settings];
    const CREATE: Call = SUBSCRIBE;
    const CREATING: &'static [Call] = &[SUBSCRIBE, LIST];
    const KEPT: &'static str = "evenkeel takes nobody off a topic";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let id = id(cx, spec);
        let pages = cx.client(Client::new).list_subscriptions_by_topic().topic_arn(&spec.topic_arn);
        let pages = pages.into_paginator().send();
        let all = cx
            .list(LIST, &spec.topic_arn, pages, "Subscriptions", |page| page.subscriptions)
            .await
            .absent_if(&["NotFound"])?;
        let Some(all) = all else { return Ok(Object::absent(id)) };
        let own: Vec<&types::Subscription> = all.iter().filter(|one| is_it(spec, one)).collect();
        if let Some(arn) = own.iter().find_map(|one| arn(one)) {
            return Ok(Object::present(id, Place::of(spec, Some(arn))));
        }
        let is_pending =
            |one: &&types::Subscription| one.subscription_arn().is_some_and(|arn| arn == PENDING);
        if own.iter().any(is_pending) {
            return Ok(Object::unknown(id, waiting(spec)));
        }
        match own.iter().find(|one| one.subscription_arn() != Some(DELETED)) {
            None => Ok(Object::absent(id)),
            Some(one) => Err(ObserveError::Malformed {
                field: "SubscriptionArn".to_owned(),
                problem: format!("{:?} is no ARN", one.subscription_arn().unwrap_or_default()),
            }),
        }
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place::of(spec, None)
    }

    fn making(facts: &Facts, spec: &Spec) -> Change<settings::Attributes> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.endpoint));
        let change = Change::new(settings::made_with(spec, &mut drift), drift);
        let change = change
            .sends(&facts.account, "messages are sent", spec.endpoint.as_str())
            .sends(&facts.account, settings::UNDELIVERED, settings::dead_letters(spec));
        if spec.protocol.asks_first() {
            return change.warn(
                "the owner of the endpoint gets a message and must confirm: until then nothing is delivered",
            );
        }
        change
    }

    // AWS says the same of one that is there already.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named("", place))
    }

    async fn create(
        cx: &WriteCx,
        place: &Place,
        attributes: &settings::Attributes,
    ) -> Result<Made, WriteError> {
        let attributes = (!attributes.is_empty()).then(|| attributes.clone().into_iter().collect());
        let request = cx
            .client(Client::new)
            .subscribe()
            .topic_arn(&place.topic_arn)
            .protocol(place.protocol.as_str())
            .endpoint(&place.endpoint)
            .set_attributes(attributes)
            .return_subscription_arn(true);
        cx.made(SUBSCRIBE, request.send()).await
    }

    fn named(_id: &str, place: &Place) -> Spec {
        Spec {
            topic_arn: place.topic_arn.clone(),
            protocol: place.protocol,
            endpoint: place.endpoint.clone(),
            filter_policy: None,
            filter_policy_scope: None,
            raw_message_delivery: None,
            redrive_policy: None,
            delivery_policy: None,
            subscription_role_arn: None,
        }
    }
}

impl Protocol {
    /// Whether the owner of an endpoint is asked, whoever it is.
    fn asks_first(self) -> bool {
        matches!(self, Self::Email | Self::EmailJson | Self::Https)
    }
}

/// Nobody has confirmed it yet.
fn waiting(spec: &Spec) -> ObserveError {
    let (endpoint, protocol) = (&spec.endpoint, spec.protocol.as_str());
    ObserveError::Awaited {
        reason: format!("{endpoint} ({protocol}) has not confirmed that it wants the messages"),
        remedy: match spec.protocol {
            Protocol::Email | Protocol::EmailJson => format!(
                "let whoever reads the mail of {endpoint} follow the link in AWS's message, which holds for two days; after some days AWS forgets it, and evenkeel asks again"
            ),
            _ => format!(
                "let the owner of {endpoint} confirm with the token that it was sent (SubscribeURL), which holds for two days; after some days AWS forgets it, and evenkeel asks again"
            ),
        },
    }
}

/// An endpoint as it is compared: there is no case in mail addresses, as SNS keeps them.
fn folded(protocol: &str, endpoint: &str) -> String {
    if protocol.starts_with("email") { endpoint.to_lowercase() } else { endpoint.to_owned() }
}

/// Whether a row of the list is the declared subscription.
fn is_it(spec: &Spec, row: &types::Subscription) -> bool {
    let protocol = spec.protocol.as_str();
    let is_there =
        |endpoint: &str| folded(protocol, endpoint) == folded(protocol, spec.endpoint.as_str());
    row.protocol() == Some(protocol) && row.endpoint().is_some_and(is_there)
}

/// The ARN of one that was confirmed.
fn arn(row: &types::Subscription) -> Option<&str> {
    row.subscription_arn().filter(|arn| arn.starts_with("arn:"))
}

/// What finds a subscription that can be declared.
fn declarable(row: &types::Subscription) -> Option<Found> {
    let protocol: Protocol = crate::kinds::known("Protocol", row.protocol()?).ok()?;
    Some(found([
        ("topic_arn", row.topic_arn()?.to_owned()),
        ("protocol", protocol.as_str().to_owned()),
        ("endpoint", row.endpoint()?.to_owned()),
    ]))
}

/// `security-alerts email team@example.com`; of a topic of another account, with its ARN.
fn id(facts: &Facts, spec: &Spec) -> String {
    let own = super::topic::arn(facts, "");
    let topic = spec.topic_arn.strip_prefix(&own).unwrap_or(&spec.topic_arn);
    format!("{topic} {} {}", spec.protocol.as_str(), spec.endpoint)
}

fn topic(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.text(&spec.topic_arn)]).into()
}

/// The ARN of a subscription that is there.
fn subscription_arn(place: &Place) -> Result<&str, ObserveError> {
    told("SubscriptionArn", place.subscription_arn.as_deref())
}

#[cfg(test)]
mod tests;
