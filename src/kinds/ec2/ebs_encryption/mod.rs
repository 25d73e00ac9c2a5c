//! `ec2.ebs_encryption`: whether new EBS volumes are encrypted, and with which key.

mod key;

use aws_sdk_ec2::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::kms::named::{self, is_alias};
use crate::kinds::kms::reads::DESCRIBE as DESCRIBE_KEY;
use crate::kinds::together::together;
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Stricter, Undo,
    Use, WriteCx, WriteError, compared, told,
};
use crate::names::Arn;
use key::{AWS_KEY, KEYS, Key, look_up, means_aws_own};

const GET_DEFAULT: Call = Call::new("ec2", "GetEbsEncryptionByDefault");
const GET_KEY: Call = Call::new("ec2", "GetEbsDefaultKmsKeyId");
const ENABLE: Call = Call::new("ec2", "EnableEbsEncryptionByDefault");
const DISABLE: Call = Call::new("ec2", "DisableEbsEncryptionByDefault");
const MODIFY_KEY: Call = Call::new("ec2", "ModifyEbsDefaultKmsKeyId");
const RESET_KEY: Call = Call::new("ec2", "ResetEbsDefaultKmsKeyId");

/// Whether new EBS volumes and copies of snapshots are encrypted in a Region, and with which KMS
/// key. Volumes that exist stay as they are.
///
/// AWS accepts any key id and finds out later, when instances fail to launch: evenkeel therefore
/// looks at the key first, and reports one that cannot work: disabled, about to be deleted, of the
/// wrong spec, or not there. With `enabled = true` and no `kms_key_id`, any key of the account that works
/// will do: one that cannot work is a finding, and so is one of another account, which may take it
/// away. Declare `kms_key_id` where such a key is meant.
///
/// Source: EC2 API Reference, `EnableEbsEncryptionByDefault`, `GetEbsDefaultKmsKeyId`,
/// `ModifyEbsDefaultKmsKeyId`; KMS API Reference, `DescribeKey`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether new volumes are encrypted. AWS's default is false.
    pub enabled: Option<bool>,
    /// The key for volumes that name none: an ARN, an id or an alias; "" for AWS's own key,
    /// `alias/aws/ebs`. Volumes under AWS's own key cannot be shared with other accounts.
    pub kms_key_id: Option<String>,
}

impl Spec {
    /// Whether the key of the Region must work.
    fn needs_key(&self) -> bool {
        self.kms_key_id.is_some() || self.enabled == Some(true)
    }
}

/// What was observed in a Region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    enabled: bool,
    /// The default key as AWS names it; absent when not looked at.
    kms_key_id: Option<String>,
    /// What that name stands for.
    key: Option<Key>,
    /// What the declared name stands for; absent when none is declared.
    declared_key: Option<Key>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Encrypts new volumes.
    Enable,
    /// Does not encrypt new volumes.
    Disable,
    /// Sets the default key.
    SetKey {
        /// ARN, id or alias.
        kms_key_id: String,
    },
    /// Goes back to AWS's own key.
    ResetKey,
}

/// The kind.
pub struct EbsEncryption;

impl Kind for EbsEncryption {
    const NAME: &'static str = "ec2.ebs_encryption";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const IN_REGION: &'static [&'static str] = &["kms_key_id"];
    const AFTER: &'static [&'static str] = &["kms.key"];
    const BESIDE: &'static [&'static str] = &["/key", "/declared_key"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["2.2.1"],
        cis_v5: &["5.1.1"],
        fsbp: &["EC2.7"],
        well_architected: &["SEC08-BP02", "SEC08-BP03"],
        by_fields: &[(&["5.1.1", "EC2.7"], &["enabled"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(GET_DEFAULT),
        Use::read_if(GET_KEY, Spec::needs_key),
        Use::read_if(DESCRIBE_KEY, Spec::needs_key),
        Use::write_if(ENABLE, |spec| spec.enabled == Some(true), everywhere),
        Use::write_if(DISABLE, |spec| spec.enabled == Some(false), everywhere),
        Use::write_if(
            MODIFY_KEY,
            |spec| spec.kms_key_id.as_deref().is_some_and(|key| !key.is_empty()),
            everywhere,
        ),
        Use::write_if(RESET_KEY, |spec| spec.kms_key_id.as_deref() == Some(""), everywhere),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[kms.key.volumes]
alias = "alias/volumes"

[ec2.ebs_encryption]
enabled    = true
kms_key_id = "${kms.key.volumes.alias}"
"#,
        r#"
[ec2.ebs_encryption]
enabled    = false
kms_key_id = ""
"#,
    ];

    const STRICTER: &'static [Stricter] = &[Stricter::On("enabled")];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let name = spec.kms_key_id.as_deref().unwrap_or_default();
        named::wrong("kms_key_id", name, KEYS).into_iter().collect()
    }

    fn calls(action: &Action) -> Vec<Call> {
        match action {
            Action::Enable => vec![ENABLE],
            Action::Disable => vec![DISABLE],
            Action::SetKey { kms_key_id } if is_alias(kms_key_id) => vec![MODIFY_KEY, DESCRIBE_KEY],
            Action::SetKey { .. } => vec![MODIFY_KEY],
            Action::ResetKey => vec![RESET_KEY],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let default = async {
            let request = client.get_ebs_encryption_by_default().send();
            Ok::<_, ObserveError>(cx.read(GET_DEFAULT, "", request).await?)
        };
        let keys = async {
            if !spec.needs_key() {
                return Ok((None, None, None));
            }
            let request = client.get_ebs_default_kms_key_id().send();
            let answer = cx.read(GET_KEY, "", request).await?;
            // Where nobody chose a key, AWS names its own: an empty name says nothing.
            let actual = answer.kms_key_id().filter(|name| !name.is_empty());
            let actual = told("KmsKeyId", actual)?.to_owned();
            let declared = async {
                match spec.kms_key_id.as_deref() {
                    Some(declared) => look_up(cx, declared).await.map(Some),
                    None => Ok(None),
                }
            };
            let (key, declared) = together!(look_up(cx, &actual), declared)?;
            Ok((Some(actual), Some(key), declared))
        };
        let (default, (kms_key_id, key, declared_key)) = together!(default, keys)?;
        let enabled = told("EbsEncryptionByDefault", default.ebs_encryption_by_default())?;
        Ok(vec![Object::present("", State { enabled, kms_key_id, key, declared_key })])
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        let mut changes = Vec::new();
        // The key first: encryption must not start with the wrong one.
        let key = key_change(facts, spec, state).or_else(|| useless_key(spec, state));
        let in_the_way = key.as_ref().and_then(|change| change.withheld.clone());
        let before = key.as_ref().map(|_| 0);
        changes.extend(key);
        let mut drift = Drift::new();
        if drift.compare("enabled", Some(&state.enabled), spec.enabled.as_ref()) {
            changes.push(if state.enabled {
                Change::new(Action::Disable, drift)
                    .independent()
                    .warn("new volumes are not encrypted from now on, unless they ask for it")
            } else {
                let change = Change::new(Action::Enable, drift).risk(Risk::Disruptive).warn(
                    "instance types that cannot use encrypted volumes no longer launch; new \
                     snapshots under AWS's own key cannot be shared with other accounts",
                );
                match in_the_way {
                    Some(reason) => change.withhold(reason),
                    None => change.needs(before),
                }
            });
        }
        changes.extend(foreign_key(facts, spec, state));
        changes
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match action {
            Action::Enable => {
                cx.send(ENABLE, client.enable_ebs_encryption_by_default().send()).await
            }
            Action::Disable => {
                cx.send(DISABLE, client.disable_ebs_encryption_by_default().send()).await
            }
            Action::SetKey { kms_key_id } => {
                // An alias may stand for nothing yet, or not any more, and EC2 would take it.
                let key = if is_alias(kms_key_id) {
                    named::ready(cx, kms_key_id, KEYS).await?
                } else {
                    kms_key_id.clone()
                };
                let request = client.modify_ebs_default_kms_key_id().kms_key_id(key);
                cx.send(MODIFY_KEY, request.send()).await
            }
            Action::ResetKey => {
                cx.send(RESET_KEY, client.reset_ebs_default_kms_key_id().send()).await
            }
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match action {
            Action::Enable => Undo::By(vec![Action::Disable]),
            Action::Disable => Undo::By(vec![Action::Enable]),
            Action::SetKey { .. } | Action::ResetKey => {
                let former = before.state().and_then(|state| {
                    Some(match state.key.as_ref()? {
                        Key::AwsOwn => Action::ResetKey,
                        Key::There { .. } | Key::Missing { .. } => {
                            Action::SetKey { kms_key_id: state.kms_key_id.clone()? }
                        }
                    })
                });
                match former {
                    Some(action) => Undo::By(vec![action]),
                    None => Undo::Impossible("the former key was not observed".to_owned()),
                }
            }
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let kms_key_id = state.key.as_ref().map(|key| match key {
            Key::AwsOwn => String::new(),
            Key::There { arn, .. } => arn.clone(),
            Key::Missing { name } => name.clone(),
        });
        Some(Spec { enabled: Some(state.enabled), kms_key_id })
    }

    fn as_it_was(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        // A key that was not declared is no part of what is put back.
        let is_declared = object.state()?.declared_key.is_some();
        let was = Self::export(facts, object)?;
        Some(Spec { kms_key_id: was.kms_key_id.filter(|_| is_declared), ..was })
    }
}

/// The key where none is declared, and new volumes are to be encrypted with whichever there is.
fn any_key<'a>(spec: &Spec, state: &'a State) -> Option<(&'a str, &'a Key)> {
    let is_any = spec.kms_key_id.is_none() && spec.enabled == Some(true);
    state.kms_key_id.as_deref().zip(state.key.as_ref()).filter(|_| is_any)
}

/// A key that nobody declared and that cannot work.
fn useless_key(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let (name, key) = any_key(spec, state)?;
    let problem = key.problem()?;
    let mut drift = Drift::new();
    drift.add("enabled.kms_key_id", Some(format!("{name}, not in working order")), None::<&str>);
    Some(Change::finding(drift).withhold(format!(
        "EBS cannot use this key: {problem}; no encrypted volume can be made until the key works again, or another is declared (kms_key_id)"
    )))
}

/// A key of another account that nobody declared.
fn foreign_key(facts: &Facts, spec: &Spec, state: &State) -> Option<Change<Action>> {
    let (_, key) = any_key(spec, state)?;
    let Key::There { arn, unusable: None } = key else { return None };
    let owner = Arn::parse(arn).map(|arn| arn.account)?;
    if owner == facts.account.as_str() {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("enabled.kms_key_id", Some(arn), None::<&str>);
    Some(Change::finding(drift).withhold(format!(
        "the key is of account {owner}, which can take it away, and with it what is on new volumes: where it is meant, declare it (kms_key_id), else go back to AWS's own (kms_key_id = \"\")"
    )))
}

fn key_change(facts: &Facts, spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = spec.kms_key_id.as_deref()?;
    // Without both answers nothing is compared, and the object is unknown.
    let (actual, key, declared) =
        (state.kms_key_id.as_deref()?, state.key.as_ref()?, state.declared_key.as_ref()?);
    compared::mark("kms_key_id");
    let aws_own = means_aws_own(desired) || *declared == Key::AwsOwn;
    let shown = match key {
        Key::AwsOwn => AWS_KEY.to_owned(),
        Key::There { .. } => actual.to_owned(),
        Key::Missing { .. } => format!("{actual}, which is not there"),
    };
    let mut drift = Drift::new();
    if key.is_called(desired) || key.is_same(declared) {
        // The right one, which may not work all the same.
        let problem = key.problem()?;
        let (broken, wanted) = named::out_of_order(Some(actual), desired);
        let is_gone = matches!(key, Key::Missing { .. });
        drift.add("kms_key_id", Some(if is_gone { shown } else { broken }), Some(wanted));
        return Some(Change::finding(drift).withhold(format!(
            "EBS cannot use this key: {problem}; no encrypted volume can be made until the key works again, or another is declared"
        )));
    }
    drift.add("kms_key_id", Some(shown), Some(if aws_own { AWS_KEY } else { desired }));
    if aws_own {
        return Some(
            Change::new(Action::ResetKey, drift)
                .risk(Risk::Disruptive)
                .warn("new snapshots under AWS's own key cannot be shared with other accounts"),
        );
    }
    let change = Change::new(Action::SetKey { kms_key_id: desired.to_owned() }, drift)
        .risk(Risk::Disruptive)
        .warn(
            "whoever launches instances must be allowed to use the key; Auto Scaling needs a grant",
        )
        .sends(&facts.account, named::LEFT, desired);
    Some(match declared {
        // Another item may be about to make it.
        Key::Missing { name } if is_alias(name) => {
            change.warn("the key is not there yet: it must be by the time of this change")
        }
        declared => match declared.problem() {
            Some(problem) => Change { action: None, ..change }.withhold(format!(
                "EBS could not use this key: {problem}; AWS would accept it and launches would fail: put the key right, or declare another"
            )),
            None => change,
        },
    })
}

#[cfg(test)]
mod tests;
