//! The key of a topic's messages.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Place, SET, Service, Spec, Topic, attributes_of_found, requests, set, topic};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::let_in::{self, Asking, Keyed};
use crate::kinds::kms::named::{self, Named, Service as Encryptor};
use crate::kinds::kms::reads;
use crate::kinds::merged;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::together::together;
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared};
use crate::names::is_arn;
use crate::policy_document::Keys;

/// AWS's own key for topics, whose policy lets no service in (SNS Developer Guide, "Key management").
pub const OWN: &str = "alias/aws/sns";
/// Symmetric keys of the topic's Region, and of AWS's keys its own alone.
const KEYS: Encryptor = Encryptor { own_key: Some(OWN), of_region: true };
const FIELD: &str = "kms_master_key_id";

pub struct Key;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The topic's key, by the name that it was given; `None` for none.
    pub name: Option<String>,
    /// What that name stands for, where it is no ARN of a key.
    pub key: Option<Named>,
    /// What the declared name stands for; `None` when none is declared, or the topic is not there.
    pub declared: Option<Named>,
}

/// What is written as the topic's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// None.
    None,
    /// The declared one: its ARN, or its name where it is not there yet.
    Declared(String),
    /// The name that the topic had, to the letter: an alias may come to stand for another key.
    Former(String),
}

impl Now {
    /// Whether the topic has the declared key, whatever either is called.
    fn is(&self, wanted: Option<&str>) -> bool {
        // What was looked up is what was declared when it was: no key has no name to look up.
        let Some(wanted) = wanted else { return self.name.is_none() };
        let there = self.key.as_ref().and_then(Named::arn).or(self.name.as_deref());
        there == self.declared.as_ref().and_then(Named::arn).or(Some(wanted))
    }
}

fn name(spec: &Spec) -> Option<&str> {
    spec.kms_master_key_id.as_deref().filter(|name| !name.is_empty())
}

/// Whether a name is that of AWS's own key.
pub fn is_own(name: &str) -> bool {
    name == OWN || name.ends_with(&format!(":{OWN}"))
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let Some(name) = name(spec) else { return Vec::new() };
    let mut problems: Vec<SpecProblem> = named::wrong(FIELD, name, KEYS).into_iter().collect();
    let services = spec.services.iter().flatten();
    if is_own(name) && services.clone().next().is_some() {
        problems.push(SpecProblem::new(
            FIELD,
            "AWS's own key lets no service in, so that nothing that services publish would arrive",
            "name a key of your own whose policy lets them in (service_principals of kms.key)",
        ));
    }
    // Source: AWS Config Developer Guide, "Permissions for the Amazon SNS Topic".
    if services.into_iter().any(|service| *service == Service::Config) {
        problems.push(SpecProblem::new(
            FIELD,
            "AWS Config publishes to no topic that is encrypted",
            "declare another topic for Config, or \"\" for no key",
        ));
    }
    problems
}

impl Part for Key {
    type Of = Topic;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = FIELD;
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(reads::DESCRIBE, |spec| name(spec).is_some()),
        Use::write_if(SET, Self::is_declared, topic),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.kms_master_key_id.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let attributes = attributes_of_found(cx, &place.name).await?;
        // The attribute of encryption alone: without it, there is none.
        let there = attributes.get("KmsMasterKeyId").filter(|name| !name.is_empty()).cloned();
        let wanted = name(spec);
        // An ARN says which key it is; where none is declared, it does not matter.
        let is_name = |name: &&str| wanted.is_some() && !is_arn(name, "kms", "key/");
        let of_topic = there.as_deref().filter(is_name);
        let (key, declared) = together!(key_of(cx, of_topic), key_of(cx, wanted))?;
        Ok(Now { name: there, key, declared })
    }

    fn diff(look: &Look<'_, Topic>, now: &Now) -> Vec<Change<Write>> {
        compared::mark(FIELD);
        let wanted = name(look.spec);
        let declared = now.declared.as_ref();
        let problem = wanted.zip(declared.and_then(Named::problem));
        let mut drift = Drift::new();
        if !now.is(wanted) {
            drift.add(FIELD, now.name.as_deref(), wanted);
            let (key, warning) = match wanted {
                Some(name) => (
                    Write::Declared(declared.and_then(Named::arn).unwrap_or(name).to_owned()),
                    "who publishes to this topic needs rights to the key: the key's policy must let each service in",
                ),
                None => (Write::None, "messages are no longer encrypted with a key of yours"),
            };
            let mut change = look.disruptive(Change::new(key, drift), warning).sends(
                &look.facts.account,
                named::LEFT,
                wanted,
            );
            change.moves = now.name.is_some();
            return vec![match problem {
                // Another item may be about to make it.
                Some((name, _)) if declared == Some(&Named::Missing) && named::is_alias(name) => {
                    change.warn("the key is not there yet: it must be by the time of this change")
                }
                Some((name, problem)) => Change { action: None, ..change }
                    .withhold(format!("SNS could not use the key {name}: {problem}; put the key right, or declare another")),
                None => change,
            }];
        }
        let Some((name, problem)) = problem else { return Vec::new() };
        let (there, wanted) = named::out_of_order(now.name.as_deref(), name);
        drift.add(FIELD, Some(there), Some(wanted));
        let words = format!(
            "SNS cannot use the key {name}: {problem}; until it can be used, nobody can publish to the topic"
        );
        vec![Change::finding(drift).withhold(words)]
    }

    fn calls(key: &Write) -> Vec<Call> {
        match key {
            Write::None => vec![SET],
            Write::Declared(_) | Write::Former(_) => vec![SET, reads::DESCRIBE],
        }
    }

    async fn write(cx: &WriteCx, place: &Place, key: &Write) -> Result<(), WriteError> {
        let key = match key {
            Write::None => String::new(),
            // A key that the same plan makes has an ARN only now.
            Write::Declared(name) => named::ready(cx, name, KEYS).await?,
            Write::Former(name) => {
                named::ready(cx, name, KEYS).await?;
                name.clone()
            }
        };
        set(cx, place, "KmsMasterKeyId", &key).await
    }

    fn is_same(planned: &Write, now: &Write) -> bool {
        match (planned, now) {
            (Write::Declared(planned), Write::Declared(now) | Write::Former(now)) => {
                planned == now || named::is_there_by_now(planned, now)
            }
            _ => planned == now,
        }
    }

    fn undo(_: &Write, before: &Now) -> Undo<Write> {
        Undo::By(vec![before.name.clone().map_or(Write::None, Write::Former)])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.kms_master_key_id = Some(now.name.clone().unwrap_or_default());
    }
}

/// Whether services are to publish with a key.
pub fn is_of_services(spec: &Spec) -> bool {
    let has_services = spec.services.as_ref().is_some_and(|services| !services.is_empty());
    has_services && spec.kms_master_key_id.as_deref() != Some("")
}

/// The key that services are to publish with: the declared one, or else the topic's.
pub async fn of_services(
    cx: &Cx,
    spec: &Spec,
    there: Option<&str>,
) -> Result<Option<Keyed>, ObserveError> {
    let wanted = if spec.kms_master_key_id.is_some() { name(spec) } else { there };
    match wanted.filter(|name| is_of_services(spec) && !is_own(name)) {
        Some(name) => let_in::look_at(cx, name, KEYS).await.map(Some),
        None => Ok(None),
    }
}

/// What SNS does with the key for whoever publishes (SNS Developer Guide, "Key management").
fn asking(look: &Look<'_, Topic>, key: &str) -> Vec<Asking> {
    let (partition, account) = (look.facts.partition.as_str(), look.facts.account.as_str());
    let of = |service: &Service| {
        let mut says = requests::says(partition, account, look.spec, *service);
        let topic = super::arn(look.facts, &look.spec.name);
        says["ArnEquals"] = json!({ "kms:EncryptionContext:aws:sns:topicArn": topic });
        let not_sent: &[&str] = match service {
            Service::Events => &["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID"],
            _ => &[],
        };
        let actions = ["kms:GenerateDataKey", "kms:Decrypt"];
        Asking::of(service.principal(), partition, key, &actions, &says)
            .with(Keys { not_sent, ..Keys::default() })
    };
    look.spec.services.iter().flatten().map(of).collect()
}

/// The services that the key shuts out.
pub fn shut_out(look: &Look<'_, Topic>, keyed: Option<&Keyed>) -> Option<Change<merged::Write>> {
    let keyed = keyed?;
    let mut words = Vec::new();
    // Of a declared one, its own part says it.
    if let Some(problem) = keyed.key.problem().filter(|_| look.spec.kms_master_key_id.is_none()) {
        words.push(format!("with the key {} nobody can publish: {problem}", keyed.name));
    }
    let mut remedy = "put the key right, or declare another as kms_master_key_id".to_owned();
    let key = keyed.key.arn().unwrap_or(&keyed.name);
    let policy = keyed.policy.as_deref();
    match policy.map(|policy| let_in::shut_out(policy, &asking(look, key), &look.facts.partition)) {
        None => {}
        Some(Ok(out)) => {
            if let Some(said) = let_in::words(&keyed.name, &out) {
                words.push(said);
                let help = let_in::remedy("kms:GenerateDataKey* and kms:Decrypt");
                remedy = format!("nothing arrives that they publish: {help}");
            }
            if out.iter().any(|one| one.service == Service::Events.principal()) {
                remedy.push_str(
                    "; EventBridge sends no aws:SourceAccount, aws:SourceArn or aws:SourceOrgID, so that \
                     a condition on one of these never holds",
                );
            }
        }
        Some(Err(error)) => {
            words.push(format!("the policy of the key {} is none: {error}", keyed.name));
        }
    }
    if words.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    let shut_out = format!("shut out by the key {}", keyed.name);
    drift.add("services", Some(shut_out), look.spec.services.as_ref());
    Some(Change::finding(drift).withhold(format!("{}; {remedy}", words.join("; "))))
}

async fn key_of(cx: &Cx, name: Option<&str>) -> Result<Option<Named>, ObserveError> {
    let Some(name) = name else { return Ok(None) };
    named::look_up(cx, name, KEYS).await.map(Some)
}
