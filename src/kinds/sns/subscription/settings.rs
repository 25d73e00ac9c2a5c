//! What is sent of the messages, in which form, and where those go that cannot be delivered.

use std::collections::BTreeMap;

use aws_sdk_sns::Client;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{FilterPolicyScope, Place, Spec, Subscription, subscription_arn, waiting};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::sns::delivery;
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, known, pattern, told,
};

const GET: Call = Call::new("sns", "GetSubscriptionAttributes");
const SET: Call = Call::new("sns", "SetSubscriptionAttributes");

/// Attributes by AWS's names, as a new subscription is made with.
pub type Attributes = BTreeMap<String, String>;
type Json = Map<String, Value>;

const FIELDS: [&str; 6] = [
    "filter_policy",
    "filter_policy_scope",
    "raw_message_delivery",
    "redrive_policy",
    "delivery_policy",
    "subscription_role_arn",
];

pub struct Settings;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    pub filter_policy: Option<Json>,
    pub filter_policy_scope: Option<FilterPolicyScope>,
    pub raw_message_delivery: Option<bool>,
    pub redrive_policy: Option<Json>,
    pub delivery_policy: Option<Json>,
    pub subscription_role_arn: Option<String>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Which messages are sent, and by what they are chosen: SNS takes no policy that does not go with
    /// the scope.
    Filter {
        /// `None` for all.
        policy: Option<Json>,
        /// What the policy looks at.
        scope: FilterPolicyScope,
        /// Whether it looks at something else now: then there is no policy for a moment.
        turns: bool,
    },
    /// Whether messages are sent as they are.
    Raw(bool),
    /// The queue for what cannot be delivered; `None` for none.
    Redrive(Option<Json>),
    /// How often a delivery is tried; `None` for what the topic says.
    Delivery(Option<Json>),
    /// The role for a delivery stream.
    Role(String),
}

impl Now {
    /// "MessageAttributes (default)" (`GetSubscriptionAttributes`, `FilterPolicyScope`).
    fn scope(&self) -> FilterPolicyScope {
        self.filter_policy_scope.unwrap_or(FilterPolicyScope::MessageAttributes)
    }
}

fn some(policy: Option<&Json>) -> Option<&Json> {
    policy.filter(|policy| !policy.is_empty())
}

fn text(policy: &Json) -> String {
    Value::Object(policy.clone()).to_string()
}

/// What goes to the queue of a redrive policy.
pub const UNDELIVERED: &str = "undelivered messages are sent";

/// The queue of what could not be delivered.
pub fn dead_letters(spec: &Spec) -> Option<&str> {
    spec.redrive_policy.as_ref()?.get("deadLetterTargetArn")?.as_str()
}

/// The attributes that a subscription is made with; each is a line of the drift.
pub fn made_with(spec: &Spec, drift: &mut Drift) -> Attributes {
    let mut attributes = Attributes::new();
    for (field, name, policy) in [
        ("filter_policy", "FilterPolicy", &spec.filter_policy),
        ("redrive_policy", "RedrivePolicy", &spec.redrive_policy),
        ("delivery_policy", "DeliveryPolicy", &spec.delivery_policy),
    ] {
        if let Some(policy) = some(policy.as_ref()) {
            drift.add(field, None::<&str>, Some(policy));
            attributes.insert(name.to_owned(), text(policy));
        }
    }
    if let Some(scope) = spec.filter_policy_scope {
        drift.add("filter_policy_scope", None::<&str>, Some(scope));
        attributes.insert("FilterPolicyScope".to_owned(), scope.as_str().to_owned());
    }
    if spec.raw_message_delivery == Some(true) {
        drift.add("raw_message_delivery", None::<bool>, Some(true));
        attributes.insert("RawMessageDelivery".to_owned(), "true".to_owned());
    }
    if let Some(role) = &spec.subscription_role_arn {
        drift.add("subscription_role_arn", None::<&str>, Some(role));
        attributes.insert("SubscriptionRoleArn".to_owned(), role.clone());
    }
    attributes
}

impl Part for Settings {
    type Of = Subscription;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = "settings";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        // IAM knows no resource for it.
        Use::write_if(SET, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.filter_policy.is_some()
            || spec.filter_policy_scope.is_some()
            || spec.raw_message_delivery.is_some()
            || spec.redrive_policy.is_some()
            || spec.delivery_policy.is_some()
            || spec.subscription_role_arn.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let arn = subscription_arn(place)?;
        let request = cx.client(Client::new).get_subscription_attributes().subscription_arn(arn);
        let answer = cx.read(GET, arn, request.send()).await?;
        let attributes = told("Attributes", answer.attributes())?;
        let said = |name: &str| attributes.get(name).map(String::as_str);
        if told("SubscriptionArn", said("SubscriptionArn"))? != arn {
            return Err(malformed("SubscriptionArn", "it is that of another subscription"));
        }
        if truth("PendingConfirmation", told("PendingConfirmation", said("PendingConfirmation"))?)?
        {
            return Err(waiting(spec));
        }
        let scope = said("FilterPolicyScope");
        let raw = spec
            .raw_message_delivery
            .map(|_| told("RawMessageDelivery", said("RawMessageDelivery")));
        Ok(Now {
            filter_policy: json("FilterPolicy", said("FilterPolicy"))?,
            filter_policy_scope: scope.map(|word| known("FilterPolicyScope", word)).transpose()?,
            raw_message_delivery: raw
                .transpose()?
                .map(|word| truth("RawMessageDelivery", word))
                .transpose()?,
            redrive_policy: json("RedrivePolicy", said("RedrivePolicy"))?,
            delivery_policy: json("DeliveryPolicy", said("DeliveryPolicy"))?,
            subscription_role_arn: said("SubscriptionRoleArn").map(str::to_owned),
        })
    }

    fn diff(look: &Look<'_, Subscription>, now: &Now) -> Vec<Change<Write>> {
        let spec = look.spec;
        if look.is_new() {
            // A new one is made with all of it.
            FIELDS.into_iter().for_each(compared::mark);
            return Vec::new();
        }
        let mut changes: Vec<Change<Write>> = filter(look, now).into_iter().collect();
        let mut drift = Drift::new();
        if drift.compare(
            "raw_message_delivery",
            now.raw_message_delivery.as_ref(),
            spec.raw_message_delivery.as_ref(),
        ) {
            let change = Change::new(Write::Raw(spec.raw_message_delivery == Some(true)), drift);
            changes.push(
                look.disruptive(
                    change,
                    "whoever reads the messages must understand the other form",
                ),
            );
        }
        changes.extend(redrive(look, now));
        changes.extend(deliveries(look, now));
        let mut drift = Drift::new();
        let role = spec.subscription_role_arn.as_ref();
        if drift.compare("subscription_role_arn", now.subscription_role_arn.as_ref(), role) {
            let write = Write::Role(role.cloned().unwrap_or_default());
            changes.push(look.disruptive(
                Change::new(write, drift),
                "the role must let SNS write to the stream, or nothing more is delivered",
            ));
        }
        changes
    }

    fn calls(_: &Write) -> Vec<Call> {
        vec![SET]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        let arn = subscription_arn(place)?;
        match write {
            Write::Filter { policy, scope, turns } => {
                // SNS takes one of the two at a time, and no scope that does not fit the policy that is there.
                // The policy goes first, so that what is between, or stays where a later call fails, is a
                // message too many and never one that is lost; the next look finds it, and goes on.
                if *turns || policy.is_none() {
                    set(cx, arn, "FilterPolicy", Some("{}")).await?;
                }
                let Some(policy) = policy else { return Ok(()) };
                let rest = async {
                    if *turns {
                        set(cx, arn, "FilterPolicyScope", Some(scope.as_str())).await?;
                    }
                    set(cx, arn, "FilterPolicy", Some(&text(policy))).await
                };
                match rest.await {
                    Err(WriteError::Aws(error)) if *turns => Err(WriteError::Aws(error.after(
                        "the former filter policy was taken off before, so that every message is delivered here until the next apply",
                    ))),
                    done => done,
                }
            }
            Write::Raw(raw) => set(cx, arn, "RawMessageDelivery", Some(&raw.to_string())).await,
            Write::Redrive(policy) => {
                set(cx, arn, "RedrivePolicy", policy.as_ref().map(text).as_deref()).await
            }
            Write::Delivery(policy) => {
                set(cx, arn, "DeliveryPolicy", policy.as_ref().map(text).as_deref()).await
            }
            Write::Role(role) => set(cx, arn, "SubscriptionRoleArn", Some(role)).await,
        }
    }

    fn is_same(planned: &Write, now: &Write) -> bool {
        match (planned, now) {
            (
                Write::Filter { policy, scope, turns: _ },
                Write::Filter { policy: needed, scope: of_needed, turns: _ },
            ) => policy == needed && (policy.is_none() || scope == of_needed),
            _ => planned == now,
        }
    }

    fn undo(write: &Write, before: &Now) -> Undo<Write> {
        let former = |policy: &Option<Json>| some(policy.as_ref()).cloned();
        Undo::By(vec![match write {
            Write::Filter { policy, scope, .. } => {
                let former = former(&before.filter_policy);
                // A policy that was taken away took its scope with it.
                let scope = if policy.is_none() { Now::default().scope() } else { *scope };
                let turns = former.is_some() && scope != before.scope();
                Write::Filter { policy: former, scope: before.scope(), turns }
            }
            Write::Raw(raw) => Write::Raw(before.raw_message_delivery.unwrap_or(!raw)),
            Write::Redrive(_) => Write::Redrive(former(&before.redrive_policy)),
            Write::Delivery(_) => Write::Delivery(former(&before.delivery_policy)),
            Write::Role(_) => match &before.subscription_role_arn {
                Some(role) => Write::Role(role.clone()),
                None => return Undo::Impossible("no role was there before".to_owned()),
            },
        }])
    }

    fn export(now: &Now, spec: &mut Spec) {
        let filter = some(now.filter_policy.as_ref());
        spec.filter_policy = Some(filter.cloned().unwrap_or_default());
        spec.filter_policy_scope = filter.map(|_| now.scope());
        spec.raw_message_delivery = now.raw_message_delivery;
        spec.redrive_policy = Some(now.redrive_policy.clone().unwrap_or_default());
        spec.delivery_policy = now.delivery_policy.clone();
        spec.subscription_role_arn = now.subscription_role_arn.clone();
    }
}

fn filter(look: &Look<'_, Subscription>, now: &Now) -> Option<Change<Write>> {
    let spec = look.spec;
    for field in ["filter_policy", "filter_policy_scope"] {
        compared::mark(field);
    }
    let there = some(now.filter_policy.as_ref());
    let wanted = some(spec.filter_policy.as_ref());
    let mut drift = Drift::new();
    if spec.filter_policy.is_some()
        && there.map(pattern::canonical) != wanted.map(pattern::canonical)
    {
        drift.add("filter_policy", there, wanted);
    }
    let scope = spec.filter_policy_scope.unwrap_or_else(|| now.scope());
    let turns = wanted.is_some() && scope != now.scope();
    if turns {
        drift.add("filter_policy_scope", Some(now.scope()), Some(scope));
    }
    if drift.is_empty() {
        return None;
    }
    let policy = wanted.cloned();
    let change = Change::new(Write::Filter { policy, scope, turns }, drift);
    let change = match turns {
        true => change.warn(
            "for a moment every message is delivered: SNS turns a scope without a policy alone; should a call in the middle fail, that stays so until the next apply",
        ),
        false => change,
    };
    Some(match wanted {
        Some(_) => {
            look.disruptive(change, "messages that do not fit the policy are not delivered here")
        }
        None => change.warn("every message of the topic is delivered here"),
    })
}

fn redrive(look: &Look<'_, Subscription>, now: &Now) -> Option<Change<Write>> {
    let declared = look.spec.redrive_policy.as_ref()?;
    compared::mark("redrive_policy");
    let (there, wanted) = (some(now.redrive_policy.as_ref()), some(Some(declared)));
    if there == wanted {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("redrive_policy", there, wanted);
    let change = Change::new(Write::Redrive(wanted.cloned()), drift);
    let change = change.sends(&look.facts.account, UNDELIVERED, dead_letters(look.spec));
    Some(match wanted {
        Some(_) => change,
        None => change.warn("weaker than before: messages that cannot be delivered are lost"),
    })
}

fn deliveries(look: &Look<'_, Subscription>, now: &Now) -> Option<Change<Write>> {
    let declared = look.spec.delivery_policy.as_ref()?;
    compared::mark("delivery_policy");
    let there = now.delivery_policy.as_ref();
    if delivery::is_as_declared(there, declared) {
        return None;
    }
    let mut drift = Drift::new();
    let whole = delivery::with(there, declared);
    let wanted = some(Some(&whole));
    drift.add("delivery_policy", there, wanted);
    let change = Change::new(Write::Delivery(wanted.cloned()), drift);
    Some(look.disruptive(
        change,
        "an endpoint that is down for a while may miss messages that it gets today",
    ))
}

/// Writes one attribute; without a value, it is taken away.
async fn set(cx: &WriteCx, arn: &str, name: &str, value: Option<&str>) -> Result<(), WriteError> {
    let request = cx.client(Client::new).set_subscription_attributes();
    let request = request.subscription_arn(arn).attribute_name(name);
    cx.send(SET, request.set_attribute_value(value.map(str::to_owned)).send()).await
}

fn malformed(field: &str, problem: &str) -> ObserveError {
    ObserveError::Malformed { field: field.to_owned(), problem: problem.to_owned() }
}

/// `true` or `false`.
fn truth(field: &str, word: &str) -> Result<bool, ObserveError> {
    known_word(field, word)
}

fn known_word<T: DeserializeOwned>(field: &str, word: &str) -> Result<T, ObserveError> {
    serde_json::from_str(word).map_err(|error| malformed(field, &error.to_string()))
}

fn json(field: &str, text: Option<&str>) -> Result<Option<Json>, ObserveError> {
    text.filter(|text| !text.is_empty()).map(|text| known_word(field, text)).transpose()
}
