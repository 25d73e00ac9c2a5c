//! `s3.account_public_access_block`: no public buckets, whatever the buckets say.

use aws_sdk_s3control::Client;
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::Identity;
use crate::kinds::calls::everywhere;
use crate::kinds::{
    Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Status, Undo, Use,
    WriteCx, WriteError, control, told,
};

const GET: Call = Call::new("s3control", "GetPublicAccessBlock");
const PUT: Call = Call::new("s3control", "PutPublicAccessBlock");
const DELETE: Call = Call::new("s3control", "DeletePublicAccessBlock");

/// The four switches that keep all buckets of an account from being public, in all Regions.
///
/// AWS replaces all four with every write, and takes one that is left out for false. evenkeel
/// therefore sends all: the declared ones, and the others as they are. Where an organization policy
/// sets them, AWS refuses the write and evenkeel says so.
///
/// Source: S3 Control API Reference, `PutPublicAccessBlock`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether new ACLs that would make something public are refused. AWS's default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_public_acls: Option<bool>,
    /// Whether ACLs that make something public have no effect. AWS's default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_public_acls: Option<bool>,
    /// Whether new bucket policies that would make something public are refused. AWS's default is
    /// false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_public_policy: Option<bool>,
    /// Whether buckets with a public policy are open to the account and AWS services alone. AWS's
    /// default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrict_public_buckets: Option<bool>,
}

/// The four switches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Sets all four.
    Put {
        /// The switches.
        block: State,
    },
    /// Goes back to "not set"; only to undo the first write.
    Delete,
}

/// The kind.
pub struct AccountPublicAccessBlock;

impl Kind for AccountPublicAccessBlock {
    const NAME: &'static str = "s3.account_public_access_block";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Singleton;
    const CONTROLS: &'static [Control] = &[
        control("cis-v3", "2.1.4"),
        control("cis-v5", "2.1.4"),
        control("fsbp", "S3.1"),
        control("wa-security", "SEC03-BP07"),
        control("wa-security", "SEC08-BP04"),
    ];
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(GET), Use::write(PUT, everywhere), Use::undo(DELETE)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[s3.account_public_access_block]
block_public_acls       = true
ignore_public_acls      = true
block_public_policy     = true
restrict_public_buckets = true
"#,
        r#"
[s3.account_public_access_block]
block_public_acls       = false
ignore_public_acls      = false
block_public_policy     = false
restrict_public_buckets = false
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn calls(action: &Action) -> Vec<Call> {
        vec![match action {
            Action::Put { .. } => PUT,
            Action::Delete => DELETE,
        }]
    }

    async fn observe(cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let request = client.get_public_access_block().account_id(cx.account.as_str()).send();
        let answer =
            cx.read(GET, "", request).await.absent_if(&["NoSuchPublicAccessBlockConfiguration"])?;
        let Some(answer) = answer else { return Ok(vec![Object::absent("")]) };
        let block =
            told("PublicAccessBlockConfiguration", answer.public_access_block_configuration())?;
        let state = State {
            block_public_acls: told("BlockPublicAcls", block.block_public_acls())?,
            ignore_public_acls: told("IgnorePublicAcls", block.ignore_public_acls())?,
            block_public_policy: told("BlockPublicPolicy", block.block_public_policy())?,
            restrict_public_buckets: told(
                "RestrictPublicBuckets",
                block.restrict_public_buckets(),
            )?,
        };
        Ok(vec![Object::present("", state)])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        // "Not set" is the same as four times false.
        let now = object.state().copied().unwrap_or_default();
        let mut drift = Drift::new();
        macro_rules! settle {
            ($field:ident) => {{
                drift.compare(stringify!($field), Some(&now.$field), spec.$field.as_ref());
                spec.$field.unwrap_or(now.$field)
            }};
        }
        let block = State {
            block_public_acls: settle!(block_public_acls),
            ignore_public_acls: settle!(ignore_public_acls),
            block_public_policy: settle!(block_public_policy),
            restrict_public_buckets: settle!(restrict_public_buckets),
        };
        if drift.is_empty() {
            return Vec::new();
        }
        let mut change = Change::new(Action::Put { block }, drift);
        if block.ignore_public_acls && !now.ignore_public_acls {
            change = change
                .risk(Risk::Disruptive)
                .warn("objects that an ACL makes public are no longer public");
        }
        if block.restrict_public_buckets && !now.restrict_public_buckets {
            change = change.risk(Risk::Disruptive).warn(
                "buckets with a public policy are closed to everybody outside the account, \
                 websites and other accounts included",
            );
        }
        vec![change]
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        let account = cx.account.as_str();
        match action {
            Action::Put { block } => {
                let configuration = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(block.block_public_acls)
                    .ignore_public_acls(block.ignore_public_acls)
                    .block_public_policy(block.block_public_policy)
                    .restrict_public_buckets(block.restrict_public_buckets)
                    .build();
                let request = client
                    .put_public_access_block()
                    .account_id(account)
                    .public_access_block_configuration(configuration);
                cx.write(PUT, request.send()).await.map(drop).map_err(Into::into)
            }
            Action::Delete => {
                let request = client.delete_public_access_block().account_id(account);
                cx.write(DELETE, request.send())
                    .await
                    .absent_if(&["NoSuchPublicAccessBlockConfiguration"])
                    .map(drop)
                    .map_err(Into::into)
            }
        }
    }

    fn undo(_action: &Action, before: &Object<State>) -> Undo<Action> {
        match &before.status {
            Status::Present(block) => Undo::By(vec![Action::Put { block: *block }]),
            Status::Absent => Undo::By(vec![Action::Delete]),
            Status::Unknown(_) | Status::Skipped { .. } => {
                Undo::Impossible("the former settings were not observed".to_owned())
            }
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        Some(Spec {
            block_public_acls: Some(state.block_public_acls),
            ignore_public_acls: Some(state.ignore_public_acls),
            block_public_policy: Some(state.block_public_policy),
            restrict_public_buckets: Some(state.restrict_public_buckets),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::{ItemName, Region};

    fn diff(spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let facts = Facts {
            account: "111122223333".parse().unwrap(),
            partition: "aws".to_owned(),
            region: Region::new("us-east-1"),
            home_region: Region::new("us-east-1"),
            item: ItemName::singleton(AccountPublicAccessBlock::NAME),
        };
        AccountPublicAccessBlock::diff(&facts, spec, object)
    }

    #[test]
    fn a_switch_that_is_not_declared_stays() {
        let now = State { block_public_acls: true, ..State::default() };
        let spec = Spec { block_public_policy: Some(true), ..Spec::default() };
        let changes = diff(&spec, &Object::present("", now));
        let block = State { block_public_policy: true, ..now };
        assert_eq!(changes[0].action, Some(Action::Put { block }));
        assert_eq!(changes[0].risk, Risk::Safe, "it stops only what is new");
    }

    #[test]
    fn not_set_is_the_same_as_off() {
        let off = Spec { restrict_public_buckets: Some(false), ..Spec::default() };
        assert!(diff(&off, &Object::absent("")).is_empty());
        let on = Spec { restrict_public_buckets: Some(true), ..Spec::default() };
        let changes = diff(&on, &Object::absent(""));
        assert_eq!(changes[0].risk, Risk::Disruptive);
        assert_eq!(
            AccountPublicAccessBlock::undo(&Action::Delete, &Object::absent("")),
            Undo::By(vec![Action::Delete])
        );
    }
}
