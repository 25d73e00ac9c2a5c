//! `sns.topic`: a topic that evenkeel makes and keeps as declared, its policy merged from what must be
//! in it.

mod attributes;
mod key;
mod policy;
mod requests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_sns::Client;
use aws_sdk_sns::types::Tag;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::object::is_of_control_tower;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::{OwnTags, Tagged, declares, sets};
use crate::kinds::spec::{aws_enum, found};
use crate::kinds::tags::{self, SNS, TagRules, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Stricter, Use, WriteCx, WriteError, told,
};
use crate::names::{AccountId, Region};

const LIST_TAGS: Call = Call::new("sns", "ListTagsForResource");
pub const GET: Call = Call::new("sns", "GetTopicAttributes");
const SET: Call = Call::new("sns", "SetTopicAttributes");
const LIST: Call = Call::new("sns", "ListTopics");
const CREATE: Call = Call::new("sns", "CreateTopic");
/// What the names of topics end with that keep messages in order.
const ORDERED: &str = ".fifo";

/// A topic, above all one that alarms and findings are sent to: who may publish to it, with which key
/// its messages are encrypted, and how they are delivered. Who hears of them is declared by
/// `sns.subscription`.
///
/// The topic policy follows from `services`, `require_tls` and `extra_policy_statements`: these
/// statements are merged into the policy that is there, AWS's own statement for the owner among
/// them. Whatever else the policy says stays. Replaced are only former versions: of an extra statement,
/// the one that has its `Sid`, whoever wrote it (AWS's own is called `__default_statement_ID`); of
/// evenkeel's own, the one that differs in the values of conditions alone.
///
/// evenkeel makes a topic that is not there, and never deletes one: its subscriptions would be lost.
/// FIFO topics, whose names end with `.fifo`, are not for alarms and are left alone.
///
/// Source: SNS API Reference, `CreateTopic`, `GetTopicAttributes`, `SetTopicAttributes`; SNS Developer
/// Guide, "Key management" and "API permissions: Actions and resources reference".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The topic's name, up to 256 letters, digits, `-` and `_`. It cannot be changed.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub name: String,
    /// The name that mail comes from, and that text messages begin with; "" for none, which is AWS's
    /// default.
    #[schemars(length(max = 100))]
    pub display_name: Option<String>,
    /// The KMS key of its messages, by ARN, id or alias; "" for none, which is AWS's default. Compared
    /// is the key itself; one that is gone or disabled is reported. The key's policy must let each
    /// service that publishes use it (`service_principals` of `kms.key`). AWS's own key,
    /// `alias/aws/sns`, lets no service in.
    pub kms_master_key_id: Option<String>,
    /// The AWS services that publish to the topic; each adds its statement to the policy, and one that is
    /// taken out of the list loses it. A statement of others that denies it is reported, and so is a key
    /// with which they cannot: AWS's own, and one whose policy does not let each of them use it. Of a key
    /// of another account, only that account can tell.
    pub services: Option<BTreeSet<Service>>,
    /// The accounts for which they publish; the topic's own by default. EventBridge publishes for the
    /// topic's own account alone: rules of other accounts do it with a role.
    pub source_accounts: Option<BTreeSet<AccountId>>,
    /// Whether publishing without TLS is denied. With false, evenkeel takes away the statement that
    /// it would have put there, and reports any other that denies it.
    pub require_tls: Option<bool>,
    /// More statements that the topic policy must have, in AWS's own shape. A `Sid` is the name by
    /// which a former version of a statement is known and replaced; one without a `Sid` is written
    /// under a name made of what it says, by which it is taken away again when it is not declared any
    /// more.
    pub extra_policy_statements: Option<Vec<BTreeMap<String, Value>>>,
    /// Whether it is a finding when the topic policy lets somebody outside of the account in: another
    /// account, everybody, or an AWS service on behalf of another account or of nobody in particular.
    /// Statements that are declared here do not count.
    pub forbid_foreign_access: Option<bool>,
    /// How often deliveries to HTTP and HTTPS endpoints are tried, in AWS's own JSON shape; {} for
    /// AWS's default. Members that are not declared are not compared: AWS fills them in.
    pub delivery_policy: Option<Map<String, Value>>,
    /// How messages are signed: `1` with SHA-1, AWS's default, or `2` with SHA-256.
    pub signature_version: Option<SignatureVersion>,
    /// Whether SNS tells X-Ray of the messages that it passes on: `PassThrough`, AWS's default, or
    /// `Active`.
    pub tracing_config: Option<TracingConfig>,
    /// All tags of the topic; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

/// A service that publishes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Service {
    /// AWS CloudTrail, of log files that it delivers.
    Cloudtrail,
    /// Alarms of Amazon CloudWatch.
    Cloudwatch,
    /// AWS Config. It publishes to no topic that is encrypted.
    Config,
    /// Rules of Amazon EventBridge.
    Events,
    /// AWS Budgets.
    Budgets,
}

impl Service {
    const ALL: [Self; 5] =
        [Self::Cloudtrail, Self::Cloudwatch, Self::Config, Self::Events, Self::Budgets];

    /// Its name in policies.
    const fn principal(self) -> &'static str {
        match self {
            Self::Cloudtrail => "cloudtrail.amazonaws.com",
            Self::Cloudwatch => "cloudwatch.amazonaws.com",
            Self::Config => "config.amazonaws.com",
            Self::Events => "events.amazonaws.com",
            Self::Budgets => "budgets.amazonaws.com",
        }
    }
}

aws_enum! {
    /// How messages are signed.
    SignatureVersion { Sha1 = "1", Sha256 = "2", }
}

aws_enum! {
    /// What X-Ray is told.
    TracingConfig { PassThrough = "PassThrough", Active = "Active", }
}

/// Which topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    name: String,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic;

impl Kind for Topic {
    const NAME: &'static str = "sns.topic";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "name", prefix: "" };
    const AFTER: &'static [&'static str] = &["kms.key", "iam.role"];
    const NOT_STATE: &'static [&'static str] = &["name"];
    const IN_REGION: &'static [&'static str] = &["kms_master_key_id"];
    const BESIDE: &'static [&'static str] = &[
        "/parts/kms_master_key_id/key",
        "/parts/kms_master_key_id/declared",
        "/parts/policy/keyed",
    ];
    const CONTROLS: Controls = Controls {
        fsbp: &["SNS.4"],
        security_hub: &["SNS.1"],
        well_architected: &["SEC04-BP04", "SEC08-BP02", "SEC09-BP02"],
        by_fields: &[
            (&["SNS.1"], &["kms_master_key_id"]),
            (&["SNS.4"], &["forbid_foreign_access", "extra_policy_statements"]),
        ],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[Use::read(GET), Use::write(CREATE, topic)];
    const LENT: Option<&'static [Call]> = Some(&[CREATE, SET]);
    const MORE_EVENTS: &'static [&'static str] = &[
        "sns.amazonaws.com:DeleteTopic",
        "sns.amazonaws.com:AddPermission",
        "sns.amazonaws.com:RemovePermission",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("display_name", r#""""#),
        ("kms_master_key_id", r#""""#),
        ("signature_version", r#""1""#),
        ("tracing_config", r#""PassThrough""#),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[kms.key.alerts]
service_principals = ["budgets.amazonaws.com", "cloudtrail.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"]

[sns.topic.alerts]
name                  = "security-alerts"
display_name          = "Security alerts"
kms_master_key_id     = "${kms.key.alerts.alias}"
services              = ["cloudwatch", "events", "cloudtrail", "budgets"]
require_tls           = true
forbid_foreign_access = true
delivery_policy       = { http = { defaultHealthyRetryPolicy = { numRetries = 10 } } }
signature_version     = "2"
tracing_config        = "Active"
tags                  = { team = "security", purpose = "alerts" }
"#,
        r#"
[sns.topic.alerts]
name                  = "security-alerts"
display_name          = ""
kms_master_key_id     = ""
services              = ["config"]
source_accounts       = ["${account.id}", "444455556666"]
require_tls           = false
forbid_foreign_access = false
delivery_policy       = {}
signature_version     = "1"
tracing_config        = "PassThrough"
tags                  = {}

[[sns.topic.alerts.extra_policy_statements]]
Sid       = "PublishByAuditors"
Effect    = "Allow"
Principal = { AWS = "arn:${partition}:iam::${account.id}:root" }
Action    = "sns:Publish"
Resource  = "arn:${partition}:sns:${region}:${account.id}:security-alerts"
"#,
    ];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("forbid_foreign_access"),
        Stricter::Neither("tracing_config"),
        Stricter::Set("kms_master_key_id"),
        Stricter::On("require_tls"),
        Stricter::Order("signature_version", &["1", "2"]),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = key::check(spec);
        problems.extend(attributes::check(spec));
        problems.extend(policy::check(spec));
        problems.extend(SNS.check(spec.tags.as_ref()));
        problems
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let pages = cx.client(Client::new).list_topics().into_paginator().send();
        let topics = cx.list(LIST, "", pages, "Topics", |page| page.topics).await?;
        let names = topics.iter().filter_map(|topic| topic.topic_arn()?.rsplit(':').next());
        let governed = names.filter(|name| !name.ends_with(ORDERED) && !is_of_control_tower(name));
        Ok(governed.map(|name| found([("name", name.to_owned())])).collect())
    }

    fn other_names(facts: &Facts, object: &Object<Self::State>) -> Vec<String> {
        object.state().map(|state| arn(facts, &state.place.name)).into_iter().collect()
    }

    by_parts!();
}

impl Parted for Topic {
    type Place = Place;
    type Making = ();

    // The key comes before those who could publish without it.
    const PARTS: &'static [&'static dyn AnyPart<Self>] =
        &[&key::Key, &policy::Policy, &attributes::Attributes, &OwnTags::<Self>::PART];
    const CREATE: Call = CREATE;
    const CREATING: &'static [Call] = &[CREATE, GET];
    const KEPT: &'static str = "evenkeel never deletes a topic";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let name = spec.name.as_str();
        let object = match attributes_of(cx, name).await? {
            Some(_) => Object::present(name, Place { name: name.to_owned() }),
            None => Object::absent(name),
        };
        Ok(object.of_control_tower_by(name))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { name: spec.name.clone() }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<()> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.name));
        Change::new((), drift)
    }

    // AWS says the same of one that is there already.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named(&place.name, place))
    }

    async fn create(cx: &WriteCx, place: &Place, _making: &()) -> Result<Made, WriteError> {
        cx.made(CREATE, cx.client(Client::new).create_topic().name(&place.name).send()).await
    }

    fn named(id: &str, _place: &Place) -> Spec {
        Spec { name: id.to_owned(), ..Spec::default() }
    }
}

impl Tagged for Topic {
    const TAG_RULES: TagRules = SNS;
    const TAG: Call = Call::new("sns", "TagResource");
    const UNTAG: Call = Call::new("sns", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST_TAGS, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, topic),
        Use::write_if(Self::UNTAG, declares::<Self>, topic),
    ];
    const MADE_WITH_TAGS: bool = false;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        let arn = arn(cx, &place.name);
        let request = cx.client(Client::new).list_tags_for_resource().resource_arn(&arn);
        let answer = cx.read(LIST_TAGS, &place.name, request.send()).await?;
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
        let request = cx.client(Client::new).tag_resource().resource_arn(arn(cx, &place.name));
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request = cx.client(Client::new).untag_resource().resource_arn(arn(cx, &place.name));
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

/// The attributes of a topic, which all its parts read; `None` when it is not there.
async fn attributes_of(
    cx: &Cx,
    name: &str,
) -> Result<Option<HashMap<String, String>>, ObserveError> {
    let arn = arn(cx, name);
    let request = cx.client(Client::new).get_topic_attributes().topic_arn(&arn);
    let answer = cx.read(GET, name, request.send()).await.absent_if(&["NotFound"])?;
    let Some(answer) = answer else { return Ok(None) };
    let attributes = told("Attributes", answer.attributes())?;
    let said = told("TopicArn", attributes.get("TopicArn"))?;
    if *said != arn {
        return Err(ObserveError::Malformed {
            field: "TopicArn".to_owned(),
            problem: format!("the topic {arn} was asked for, and AWS answered for {said}"),
        });
    }
    Ok(Some(attributes.clone()))
}

/// Whether a topic of this account and Region is there.
///
/// # Errors
/// Nobody can say.
pub async fn is_there(cx: &Cx, name: &str) -> Result<bool, ObserveError> {
    Ok(attributes_of(cx, name).await?.is_some())
}

/// The attributes of a topic that was found in the same look: without them nothing can be said of it.
async fn attributes_of_found(cx: &Cx, name: &str) -> Result<HashMap<String, String>, ObserveError> {
    told("Attributes", attributes_of(cx, name).await?)
}

/// Writes one attribute.
async fn set(cx: &WriteCx, place: &Place, name: &str, value: &str) -> Result<(), WriteError> {
    let request = cx.client(Client::new).set_topic_attributes().topic_arn(arn(cx, &place.name));
    cx.send(SET, request.attribute_name(name).attribute_value(value).send()).await
}

/// The ARN of a topic.
pub fn arn(facts: &Facts, name: &str) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:sns:{region}:{account}:{name}")
}

fn topic(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("sns", &arns.text(&spec.name))]).into()
}

#[cfg(test)]
mod tests;
