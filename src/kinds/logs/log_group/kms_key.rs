//! The key of the events that come in from now on.

use aws_sdk_cloudwatchlogs::Client;
use serde::{Deserialize, Serialize};

use super::{LogGroup, Place, Spec, described, group};
use crate::aws::Call;
use crate::kinds::kms::key::spec::{KeySpec, KeyState};
use crate::kinds::kms::reads;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
};

const ASSOCIATE: Call = Call::new("logs", "AssociateKmsKey");
const DISASSOCIATE: Call = Call::new("logs", "DisassociateKmsKey");

pub struct KmsKey;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The ARN of the group's key; `None` for a key of AWS.
    pub arn: Option<String>,
    /// The declared key; `None` when KMS has none of that name, or none is declared.
    pub declared: Option<Key>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub arn: String,
    /// Why CloudWatch Logs cannot use it.
    pub problem: Option<String>,
}

fn name(spec: &Spec) -> Option<&str> {
    spec.kms_key_id.as_deref().filter(|name| !name.is_empty())
}

async fn key(cx: &Cx, name: &str) -> Result<Option<Key>, ObserveError> {
    let Some(metadata) = reads::describe(cx, name).await? else { return Ok(None) };
    let (nature, state) = (reads::nature(&metadata)?, reads::state(&metadata)?);
    let problem = if nature.key_spec != KeySpec::SymmetricDefault {
        Some(format!(
            "is of the spec {}, and only symmetric keys encrypt logs",
            nature.key_spec.as_str()
        ))
    } else {
        (state != KeyState::Enabled)
            .then(|| format!("is in the state {}: enable it", state.as_str()))
    };
    let arn = told("Arn", metadata.arn().filter(|arn| !arn.is_empty()))?.to_owned();
    Ok(Some(Key { arn, problem }))
}

impl Part for KmsKey {
    type Of = LogGroup;
    type Now = Now;
    /// The ARN of a key, or its name where none is there yet.
    type Write = Option<String>;

    const NAME: &'static str = "kms_key_id";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(reads::DESCRIBE, |spec| name(spec).is_some()),
        Use::write_if(ASSOCIATE, |spec| name(spec).is_some(), group),
        Use::write_if(DISASSOCIATE, |spec| spec.kms_key_id.as_deref() == Some(""), group),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.kms_key_id.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let group = described(cx, &place.log_group_name).await?;
        let declared = match name(spec) {
            Some(name) => key(cx, name).await?,
            None => None,
        };
        Ok(Now { arn: group.and_then(|group| group.kms_key_id), declared })
    }

    fn diff(look: &Look<'_, LogGroup>, now: &Now) -> Vec<Change<Option<String>>> {
        compared::mark(Self::NAME);
        let wanted = name(look.spec);
        let declared = now.declared.as_ref().map(|key| key.arn.as_str());
        let arn = wanted.map(|name| declared.unwrap_or(name));
        let problem = now.declared.as_ref().and_then(|key| key.problem.as_deref());
        let mut drift = Drift::new();
        if now.arn.as_deref() != arn {
            drift.add(Self::NAME, now.arn.as_deref(), wanted);
            let change = Change::new(arn.map(str::to_owned), drift);
            let warning = match arn {
                Some(_) => {
                    "who reads this group needs rights to the key, and the key's policy must let CloudWatch Logs use it"
                }
                None => "the key must stay for as long as events that it encrypted are to be read",
            };
            return vec![look.disruptive(change, warning)];
        }
        let (false, Some(name)) = (look.is_new(), wanted) else { return Vec::new() };
        let problem = match (&now.declared, problem) {
            (None, _) => "is not there any more",
            (Some(_), Some(problem)) => problem,
            (Some(_), None) => return Vec::new(),
        };
        drift.add(Self::NAME, Some(problem), wanted);
        let words = format!(
            "the key {name} {problem}; until it can be used, nobody can read or write events"
        );
        vec![Change::finding(drift).withhold(words)]
    }

    fn calls(key: &Option<String>) -> Vec<Call> {
        if key.is_some() { vec![ASSOCIATE, reads::DESCRIBE] } else { vec![DISASSOCIATE] }
    }

    async fn write(cx: &WriteCx, place: &Place, key: &Option<String>) -> Result<(), WriteError> {
        let (client, group) = (cx.client(Client::new), &place.log_group_name);
        let Some(name) = key else {
            return cx
                .send(DISASSOCIATE, client.disassociate_kms_key().log_group_name(group).send())
                .await;
        };
        // AWS takes an ARN alone, and a key that the same plan makes has one only now.
        let Some(key) = self::key(&cx.afresh(), name).await? else {
            return Err(WriteError::Changed(format!("KMS has no key {name}")));
        };
        cx.send(
            ASSOCIATE,
            client.associate_kms_key().log_group_name(group).kms_key_id(key.arn).send(),
        )
        .await
    }

    fn undo(_: &Option<String>, before: &Now) -> Undo<Option<String>> {
        Undo::By(vec![before.arn.clone()])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.kms_key_id = Some(now.arn.clone().unwrap_or_default());
    }
}
