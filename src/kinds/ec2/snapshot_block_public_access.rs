//! `ec2.snapshot_block_public_access`: whether EBS snapshots can be shared with everybody.

use aws_sdk_ec2::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::owner;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Controls, Cx, GrantClass, Object, ObserveError, Risk, Scope, Stricter, Use, WriteCx,
    WriteError, known, told,
};

const GET: Call = Call::new("ec2", "GetSnapshotBlockPublicAccessState");
const ENABLE: Call = Call::new("ec2", "EnableSnapshotBlockPublicAccess");
const DISABLE: Call = Call::new("ec2", "DisableSnapshotBlockPublicAccess");

aws_enum! {
    /// How much public sharing is blocked.
    Sharing {
        BlockAll = "block-all-sharing",
        BlockNew = "block-new-sharing",
        Unblocked = "unblocked",
    }
}

/// Whether the EBS snapshots of a Region can be shared with everybody: a public snapshot is a disk that
/// anybody can copy and read.
///
/// Where a declarative policy of the organization sets it, AWS refuses every write; evenkeel then
/// reports and leaves it alone. A snapshot that was shared keeps its attribute under
/// `block-all-sharing`, and is public again as soon as the block is lowered.
///
/// Source: EC2 API Reference, `GetSnapshotBlockPublicAccessState`, `EnableSnapshotBlockPublicAccess`,
/// `DisableSnapshotBlockPublicAccess`; EBS User Guide, "Block public access for snapshots".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// `block-all-sharing`: no snapshot is public, those that were shared before included.
    /// `block-new-sharing`: none becomes public, and those that are public stay so. `unblocked`, which
    /// is AWS's default: anybody who may change a snapshot can make it public.
    pub state: Sharing,
}

/// The kind.
pub struct SnapshotBlockPublicAccess;

impl Setting for SnapshotBlockPublicAccess {
    const NAME: &'static str = "ec2.snapshot_block_public_access";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls {
        fsbp: &["EC2.182"],
        well_architected: &["SEC03-BP07", "SEC08-BP04"],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Block>] = &[
        Use::read(GET),
        Use::write_if(ENABLE, |block| block.state != Sharing::Unblocked, everywhere),
        Use::write_if(DISABLE, |block| block.state == Sharing::Unblocked, everywhere),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.snapshot_block_public_access]
state = "block-all-sharing"
"#,
        r#"
[ec2.snapshot_block_public_access]
state = "unblocked"
"#,
    ];

    const STRICTER: &'static [Stricter] =
        &[Stricter::Order("state", &["unblocked", "block-new-sharing", "block-all-sharing"])];

    type Record = Block;

    async fn read(cx: &Cx) -> Result<Object<Block>, ObserveError> {
        let request = cx.client(Client::new).get_snapshot_block_public_access_state();
        let answer = cx.read(GET, "", request.send()).await?;
        let state = known("State", told("State", answer.state())?.as_str())?;
        let object = Object::only(Some(Block { state }));
        owner::of(object, answer.managed_by())
    }

    fn judge(
        change: Change<Write<Block>>,
        now: Option<&Block>,
        then: &Block,
    ) -> Change<Write<Block>> {
        use Sharing::{BlockAll, BlockNew, Unblocked};
        let change = match (now.map(|now| now.state), then.state) {
            (Some(BlockAll), BlockNew | Unblocked) => change.grant(
                GrantClass::Public,
                "snapshots that were shared with everybody are public again at once",
            ),
            _ => change,
        };
        match then.state {
            BlockAll => change
                .risk(Risk::Disruptive)
                .warn("snapshots that are public are closed to everybody outside the account"),
            BlockNew => change,
            Unblocked => {
                change.warn("whoever may change a snapshot can share it with everybody from now on")
            }
        }
    }

    fn call(then: &Block) -> Call {
        match then.state {
            Sharing::Unblocked => DISABLE,
            Sharing::BlockAll | Sharing::BlockNew => ENABLE,
        }
    }

    async fn put(cx: &WriteCx, then: &Block) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        // AWS takes `unblocked` for the second call alone.
        match then.state {
            Sharing::BlockAll | Sharing::BlockNew => {
                let request =
                    client.enable_snapshot_block_public_access().state(then.state.as_str().into());
                cx.send(ENABLE, request.send()).await
            }
            Sharing::Unblocked => {
                cx.send(DISABLE, client.disable_snapshot_block_public_access().send()).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind};

    fn change(now: Sharing, then: Sharing) -> Change<Write<Block>> {
        let facts = Facts::example(SnapshotBlockPublicAccess::NAME).away();
        let there = Object::present("", Block { state: now });
        Whole::<SnapshotBlockPublicAccess>::diff(&facts, &Block { state: then }, &there).remove(0)
    }

    #[test]
    fn closing_public_snapshots_cuts_off_who_uses_them_and_blocking_new_ones_nobody() {
        let closing = change(Sharing::BlockNew, Sharing::BlockAll);
        assert_eq!(closing.risk, Risk::Disruptive);
        let blocking = change(Sharing::Unblocked, Sharing::BlockNew);
        assert_eq!((blocking.risk, blocking.warnings.len()), (Risk::Safe, 0));
        assert!(closing.grants.is_empty() && blocking.grants.is_empty());
    }

    #[test]
    fn what_makes_snapshots_public_again_is_a_rise_of_privileges() {
        for then in [Sharing::BlockNew, Sharing::Unblocked] {
            let opening = change(Sharing::BlockAll, then);
            assert_eq!(opening.grants[0].class, GrantClass::Public, "{then:?}");
        }
        let allowing = change(Sharing::BlockNew, Sharing::Unblocked);
        assert!(allowing.grants.is_empty(), "what is public is so already");
        assert!(allowing.warnings[0].contains("from now on"));
    }

    #[test]
    fn each_state_has_its_call() {
        let calls = |state| {
            Whole::<SnapshotBlockPublicAccess>::calls(&Write::Put { record: Block { state } })
        };
        assert_eq!(calls(Sharing::BlockAll), [ENABLE]);
        assert_eq!(calls(Sharing::BlockNew), [ENABLE]);
        assert_eq!(calls(Sharing::Unblocked), [DISABLE]);
    }
}
