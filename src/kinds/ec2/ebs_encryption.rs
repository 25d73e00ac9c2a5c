//! `ec2.ebs_encryption`: whether new EBS volumes are encrypted, and with which key.

use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::Identity;
use crate::kinds::calls::everywhere;
use crate::kinds::together::together;
use crate::kinds::{
    Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Undo, Use, WriteCx,
    WriteError, compared, control,
};

const GET_DEFAULT: Call = Call::new("ec2", "GetEbsEncryptionByDefault");
const GET_KEY: Call = Call::new("ec2", "GetEbsDefaultKmsKeyId");
const ENABLE: Call = Call::new("ec2", "EnableEbsEncryptionByDefault");
const DISABLE: Call = Call::new("ec2", "DisableEbsEncryptionByDefault");
const MODIFY_KEY: Call = Call::new("ec2", "ModifyEbsDefaultKmsKeyId");
const RESET_KEY: Call = Call::new("ec2", "ResetEbsDefaultKmsKeyId");
const DESCRIBE_KEY: Call = Call::new("kms", "DescribeKey");
/// The key of AWS that is used when nobody chose one.
const AWS_KEY: &str = "alias/aws/ebs";

/// Whether new EBS volumes and copies of snapshots are encrypted in a Region, and with which KMS
/// key. Volumes that exist stay as they are.
///
/// AWS accepts any key id and finds out later, when instances fail to launch: evenkeel therefore
/// looks at the key first, and reports one that cannot work.
///
/// Source: EC2 API Reference, `EnableEbsEncryptionByDefault`, `ModifyEbsDefaultKmsKeyId`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether new volumes are encrypted. AWS's default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The key for volumes that name none: an ARN, an id or an alias; "" for AWS's own key,
    /// `alias/aws/ebs`. Volumes under AWS's own key cannot be shared with other accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
}

/// What was observed in a Region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    enabled: bool,
    /// The default key as AWS returned it; absent when not looked at.
    kms_key_id: Option<String>,
    /// The default key; absent when it is AWS's own.
    key: Option<Key>,
    /// The declared key; absent when it is AWS's own or not there (yet).
    declared_key: Option<Key>,
}

/// What matters of a KMS key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Key {
    arn: String,
    /// Why EBS cannot use it.
    unusable: Option<String>,
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
    const AFTER: &'static [&'static str] = &["kms.key"];
    const CONTROLS: &'static [Control] = &[
        control("cis-v3", "2.2.1"),
        control("cis-v5", "5.1.1"),
        control("fsbp", "EC2.7"),
        control("wa-security", "SEC08-BP02"),
        control("wa-security", "SEC08-BP03"),
    ];
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(GET_DEFAULT),
        Use::read_if(GET_KEY, |spec| spec.kms_key_id.is_some()),
        Use::read_if(DESCRIBE_KEY, |spec| spec.kms_key_id.is_some()),
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

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn calls(action: &Action) -> Vec<Call> {
        vec![match action {
            Action::Enable => ENABLE,
            Action::Disable => DISABLE,
            Action::SetKey { .. } => MODIFY_KEY,
            Action::ResetKey => RESET_KEY,
        }]
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let default = async {
            let request = client.get_ebs_encryption_by_default().send();
            Ok::<_, ObserveError>(cx.read(GET_DEFAULT, "", request).await?)
        };
        let keys = async {
            let Some(declared) = spec.kms_key_id.as_deref() else { return Ok((None, None, None)) };
            let request = client.get_ebs_default_kms_key_id().send();
            let answer = cx.read(GET_KEY, "", request).await?;
            let actual = answer.kms_key_id().unwrap_or(AWS_KEY).to_owned();
            let (key, declared) = together!(describe(cx, &actual), describe(cx, declared))?;
            Ok((Some(actual), key, declared))
        };
        let (default, (kms_key_id, key, declared_key)) = together!(default, keys)?;
        let enabled =
            default.ebs_encryption_by_default().ok_or_else(|| ObserveError::Malformed {
                field: "EbsEncryptionByDefault".to_owned(),
                problem: "AWS did not say".to_owned(),
            })?;
        Ok(vec![Object::present("", State { enabled, kms_key_id, key, declared_key })])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        let mut changes = Vec::new();
        // The key first: encryption must not start with the wrong one.
        changes.extend(key_change(spec, state));
        let mut drift = Drift::new();
        if drift.compare("enabled", Some(&state.enabled), spec.enabled.as_ref()) {
            changes.push(if state.enabled {
                Change::new(Action::Disable, drift)
                    .warn("new volumes are not encrypted from now on, unless they ask for it")
            } else {
                Change::new(Action::Enable, drift).risk(Risk::Disruptive).warn(
                    "instance types that cannot use encrypted volumes no longer launch; new \
                     snapshots under AWS's own key cannot be shared with other accounts",
                )
            });
        }
        changes
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match action {
            Action::Enable => cx
                .write(ENABLE, client.enable_ebs_encryption_by_default().send())
                .await
                .map(drop)
                .map_err(Into::into),
            Action::Disable => cx
                .write(DISABLE, client.disable_ebs_encryption_by_default().send())
                .await
                .map(drop)
                .map_err(Into::into),
            Action::SetKey { kms_key_id } => {
                let request = client.modify_ebs_default_kms_key_id().kms_key_id(kms_key_id);
                cx.write(MODIFY_KEY, request.send()).await.map(drop).map_err(Into::into)
            }
            Action::ResetKey => cx
                .write(RESET_KEY, client.reset_ebs_default_kms_key_id().send())
                .await
                .map(drop)
                .map_err(Into::into),
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match action {
            Action::Enable => Undo::By(vec![Action::Disable]),
            Action::Disable => Undo::By(vec![Action::Enable]),
            Action::SetKey { .. } | Action::ResetKey => {
                let former = before.state().and_then(|state| {
                    state.key.as_ref()?;
                    state.kms_key_id.clone()
                });
                Undo::By(vec![match former {
                    Some(kms_key_id) => Action::SetKey { kms_key_id },
                    None => Action::ResetKey,
                }])
            }
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let key = state.key.as_ref().map(|key| key.arn.clone()).unwrap_or_default();
        Some(Spec {
            enabled: Some(state.enabled),
            // A key that only the declaration names is not a part of what is there.
            kms_key_id: state
                .kms_key_id
                .is_some()
                .then_some(key)
                .filter(|_| state.key == state.declared_key),
        })
    }
}

fn key_change(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let desired = spec.kms_key_id.as_deref()?;
    compared::mark("kms_key_id");
    let actual = state.kms_key_id.as_deref().unwrap_or(AWS_KEY);
    let aws_own = desired.is_empty() || desired == AWS_KEY;
    let same = match (&state.key, &state.declared_key) {
        (Some(actual), Some(declared)) => actual.arn == declared.arn,
        (None, None) => aws_own,
        _ => false,
    };
    if same {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("kms_key_id", Some(actual), Some(if aws_own { AWS_KEY } else { desired }));
    if aws_own {
        return Some(
            Change::new(Action::ResetKey, drift)
                .risk(Risk::Disruptive)
                .warn("new snapshots under AWS's own key cannot be shared with other accounts"),
        );
    }
    if let Some(problem) = state.declared_key.as_ref().and_then(|key| key.unusable.as_deref()) {
        return Some(Change::finding(drift).withhold(format!(
            "EBS could not use this key: {problem}; AWS would accept it and launches would fail"
        )));
    }
    let change = Change::new(Action::SetKey { kms_key_id: desired.to_owned() }, drift)
        .risk(Risk::Disruptive)
        .warn(
            "whoever launches instances must be allowed to use the key; Auto Scaling needs a grant",
        );
    Some(match &state.declared_key {
        Some(_) => change,
        None => change.warn("the key is not there yet: it must be by the time of this change"),
    })
}

/// The key, unless it is AWS's own, or is not there.
async fn describe(cx: &Cx, key: &str) -> Result<Option<Key>, ObserveError> {
    if key.is_empty() || key == AWS_KEY {
        return Ok(None);
    }
    let client = cx.client(aws_sdk_kms::Client::new);
    let answer: Option<Arc<DescribeKeyOutput>> = cx
        .read(DESCRIBE_KEY, key, client.describe_key().key_id(key).send())
        .await
        .absent_if(&["NotFoundException"])?;
    let Some(metadata) = answer.as_ref().and_then(|answer| answer.key_metadata()) else {
        return Ok(None);
    };
    if metadata.key_manager().is_some_and(|manager| manager.as_str() == "AWS") {
        return Ok(None);
    }
    let spec = metadata.key_spec().map(|spec| spec.as_str()).unwrap_or_default();
    let state = metadata.key_state().map(|state| state.as_str()).unwrap_or_default();
    let unusable = if spec != "SYMMETRIC_DEFAULT" {
        Some(format!("it is of the spec {spec}, and must be SYMMETRIC_DEFAULT"))
    } else if state != "Enabled" {
        Some(format!("it is in the state {state}, and must be Enabled"))
    } else {
        None
    };
    Ok(Some(Key { arn: metadata.arn().unwrap_or_default().to_owned(), unusable }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::{ItemName, Region};

    fn diff(spec: &Spec, state: State) -> Vec<Change<Action>> {
        let facts = Facts {
            account: "111122223333".parse().unwrap(),
            partition: "aws".to_owned(),
            region: Region::new("eu-west-1"),
            home_region: Region::new("us-east-1"),
            item: ItemName::singleton(EbsEncryption::NAME),
        };
        EbsEncryption::diff(&facts, spec, &Object::present("", state))
    }

    fn key(arn: &str) -> Key {
        Key { arn: arn.to_owned(), unusable: None }
    }

    fn with(key: Option<Key>, declared_key: Option<Key>) -> State {
        let kms_key_id = Some(key.as_ref().map_or(AWS_KEY.to_owned(), |key| key.arn.clone()));
        State { enabled: false, kms_key_id, key, declared_key }
    }

    fn uses(key: &str) -> Spec {
        Spec { enabled: None, kms_key_id: Some(key.to_owned()) }
    }

    #[test]
    fn keys_are_compared_by_what_they_are() {
        let cases = [
            ("alias/own", with(Some(key("arn:a")), Some(key("arn:a"))), None),
            ("", with(None, None), None),
            ("alias/aws/ebs", with(None, None), None),
            ("", with(Some(key("arn:a")), None), Some(Action::ResetKey)),
            (
                "alias/own",
                with(None, Some(key("arn:a"))),
                Some(Action::SetKey { kms_key_id: "alias/own".to_owned() }),
            ),
            (
                "alias/own",
                with(None, None),
                Some(Action::SetKey { kms_key_id: "alias/own".to_owned() }),
            ),
        ];
        for (declared, state, expected) in cases {
            let actions: Vec<_> =
                diff(&uses(declared), state).into_iter().map(|change| change.action).collect();
            assert_eq!(actions, expected.into_iter().map(Some).collect::<Vec<_>>(), "{declared}");
        }
    }

    #[test]
    fn a_key_that_cannot_work_is_only_reported() {
        let broken = Key { arn: "arn:a".to_owned(), unusable: Some("it is disabled".to_owned()) };
        let changes = diff(&uses("alias/own"), with(None, Some(broken)));
        assert_eq!(changes[0].action, None);
        assert!(changes[0].withheld.as_deref().unwrap().contains("it is disabled"));
    }

    #[test]
    fn the_key_comes_before_encryption_and_enabling_is_disruptive() {
        let spec = Spec { enabled: Some(true), ..uses("alias/own") };
        let changes = diff(&spec, with(None, Some(key("arn:a"))));
        assert!(matches!(changes[0].action, Some(Action::SetKey { .. })));
        assert_eq!(changes[1].action, Some(Action::Enable));
        assert_eq!(changes[1].risk, Risk::Disruptive);
    }

    #[test]
    fn nothing_declared_is_nothing_to_do() {
        assert!(diff(&Spec::default(), with(Some(key("arn:a")), None)).is_empty());
    }
}
