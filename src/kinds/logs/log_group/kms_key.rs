//! The key of the events that come in from now on, and whether it lets CloudWatch Logs in.
//!
//! Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"
//! (the calls, and the group's ARN in the encryption context).

use aws_sdk_cloudwatchlogs::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{LogGroup, Place, Spec, arn, described, group};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::let_in::{self, Asking};
use crate::kinds::kms::named::{self, Named, Service};
use crate::kinds::kms::reads;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Facts, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared,
};
use crate::names::AccountId;

pub const ASSOCIATE: Call = Call::new("logs", "AssociateKmsKey");
pub const DISASSOCIATE: Call = Call::new("logs", "DisassociateKmsKey");
/// Symmetric keys that are enabled (CloudWatch Logs API Reference, `AssociateKmsKey`), of the
/// group's own Region and not of AWS (CloudWatch Logs User Guide, "Encrypt log data").
pub const KEYS: Service = Service { own_key: None, of_region: true };

pub struct KmsKey;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The ARN of the group's key; `None` for a key of AWS.
    pub arn: Option<String>,
    /// The declared key; `None` when none is declared, or the group is not there.
    pub declared: Option<Named>,
    /// The policy of the declared key, where it is told here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_policy: Option<String>,
}

/// What CloudWatch Logs cannot do without to write and read events.
const ASKED: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// In what words a key that a group is to have shuts CloudWatch Logs out, if it does.
pub fn shut_out(
    facts: &Facts,
    group: &str,
    name: &str,
    key: &Named,
    policy: Option<&str>,
) -> Option<String> {
    let key = key.arn()?;
    let partition = facts.partition.as_str();
    let service = format!("logs.{}.amazonaws.com", facts.region);
    let says = json!({ "ArnEquals": { "kms:EncryptionContext:aws:logs:arn": arn(facts, group) } });
    let asking = [Asking::of(&service, partition, key, &ASKED, &says)];
    let_in::said(name, policy, &asking, partition)
}

/// The key of a group that is there or about to be made, against the declared one.
#[derive(Debug)]
pub struct Keys<'a> {
    /// The ARN of the group's key; `None` for a key of AWS.
    pub actual: Option<&'a str>,
    /// The declared key's name; `None` for a key of AWS.
    pub wanted: Option<&'a str>,
    /// What the name stands for.
    pub declared: Option<&'a Named>,
    /// In what words the declared key shuts CloudWatch Logs out, if it does.
    pub shut_out: Option<String>,
}

impl Keys<'_> {
    /// The change, which leads to a key by its ARN, or by its name where none is there yet. Of a group
    /// that is made, nobody has read anything.
    pub fn change(self, account: &AccountId, is_made: bool) -> Option<Change<Option<String>>> {
        compared::mark(KmsKey::NAME);
        let Self { actual, wanted, declared, shut_out } = self;
        let arn = wanted.map(|name| declared.and_then(Named::arn).unwrap_or(name));
        let problem = wanted.zip(declared.and_then(Named::problem));
        let mut drift = Drift::new();
        if actual != arn {
            drift.add(KmsKey::NAME, actual, wanted);
            let mut change = Change::new(arn.map(str::to_owned), drift);
            change.moves = actual.is_some();
            let warning = match arn {
                Some(_) => {
                    "who reads this group needs rights to the key, and the key's policy must let CloudWatch Logs use it"
                }
                None => "the key must stay for as long as events that it encrypted are to be read",
            };
            if !is_made {
                change = change.risk(Risk::Disruptive).warn(warning);
            }
            let change = change.sends(account, named::LEFT, wanted);
            return Some(match problem {
                // Another item may be about to make it.
                Some((name, _)) if declared == Some(&Named::Missing) && named::is_alias(name) => {
                    change.warn("the key is not there yet: it must be by the time of this change")
                }
                Some((name, problem)) => Change { action: None, ..change }
                    .withhold(format!("CloudWatch Logs could not use the key {name}: {problem}; put the key right, or declare another")),
                None => match shut_out {
                    Some(said) => change.warn(format!(
                        "{said}: by the time of this change it must be let in, or AWS refuses the key"
                    )),
                    None => change,
                },
            });
        }
        let name = wanted?;
        let words = match problem {
            Some((_, problem)) => format!(
                "CloudWatch Logs cannot use the key {name}: {problem}; until it can be used, nobody can read or write events"
            ),
            None => shut_out.map(|said| {
                let help = let_in::remedy(
                    "kms:Encrypt*, kms:Decrypt*, kms:ReEncrypt*, kms:GenerateDataKey* and kms:Describe*",
                );
                format!("{said}, so that nobody can read or write events: {help}")
            })?,
        };
        let (there, wanted) = named::out_of_order(arn, name);
        drift.add(KmsKey::NAME, Some(there), Some(wanted));
        Some(Change::finding(drift).withhold(words))
    }
}

/// Gives a group a key, or takes it away.
pub async fn set(cx: &WriteCx, group: &str, key: Option<&str>) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let Some(name) = key else {
        return cx
            .send(DISASSOCIATE, client.disassociate_kms_key().log_group_name(group).send())
            .await;
    };
    // AWS takes an ARN alone, and a key that the same plan makes has one only now.
    let arn = named::ready(cx, name, KEYS).await?;
    cx.send(ASSOCIATE, client.associate_kms_key().log_group_name(group).kms_key_id(arn).send())
        .await
}

fn name(spec: &Spec) -> Option<&str> {
    spec.kms_key_id.as_deref().filter(|name| !name.is_empty())
}

pub fn check(spec: &Spec) -> Option<SpecProblem> {
    named::wrong(KmsKey::NAME, spec.kms_key_id.as_deref().unwrap_or_default(), KEYS)
}

impl Part for KmsKey {
    type Of = LogGroup;
    type Now = Now;
    /// The ARN of a key, or its name where none is there yet.
    type Write = Option<String>;

    const NAME: &'static str = "kms_key_id";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(reads::DESCRIBE, |spec| name(spec).is_some()),
        Use::read_if(let_in::GET_POLICY, |spec| name(spec).is_some()),
        Use::write_if(ASSOCIATE, |spec| name(spec).is_some(), group),
        Use::write_if(DISASSOCIATE, |spec| spec.kms_key_id.as_deref() == Some(""), group),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.kms_key_id.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let group = described(cx, &place.log_group_name).await?;
        let arn = group.and_then(|group| group.kms_key_id);
        Ok(match name(spec) {
            Some(name) => {
                let keyed = let_in::look_at(cx, name, KEYS).await?;
                Now { arn, declared: Some(keyed.key), key_policy: keyed.policy }
            }
            None => Now { arn, ..Now::default() },
        })
    }

    fn diff(look: &Look<'_, LogGroup>, now: &Now) -> Vec<Change<Option<String>>> {
        let wanted = name(look.spec);
        let declared = now.declared.as_ref();
        let group = &look.spec.log_group_name;
        let policy = now.key_policy.as_deref();
        let shut = wanted.zip(declared);
        let shut = shut.and_then(|(name, key)| shut_out(look.facts, group, name, key, policy));
        let keys = Keys { actual: now.arn.as_deref(), wanted, declared, shut_out: shut };
        keys.change(&look.facts.account, look.is_new()).into_iter().collect()
    }

    fn calls(key: &Option<String>) -> Vec<Call> {
        if key.is_some() { vec![ASSOCIATE, reads::DESCRIBE] } else { vec![DISASSOCIATE] }
    }

    async fn write(cx: &WriteCx, place: &Place, key: &Option<String>) -> Result<(), WriteError> {
        set(cx, &place.log_group_name, key.as_deref()).await
    }

    fn is_same(planned: &Option<String>, now: &Option<String>) -> bool {
        named::is_same(planned, now)
    }

    fn undo(_: &Option<String>, before: &Now) -> Undo<Option<String>> {
        Undo::By(vec![before.arn.clone()])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.kms_key_id = Some(now.arn.clone().unwrap_or_default());
    }
}
