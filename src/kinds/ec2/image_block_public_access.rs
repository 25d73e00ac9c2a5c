//! `ec2.image_block_public_access`: whether machine images can be shared with everybody.

use aws_sdk_ec2::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::settle::settle;
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::owner;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Controls, Cx, Object, ObserveError, Scope, Stricter, Use, WriteCx, WriteError, known,
    told,
};

const GET: Call = Call::new("ec2", "GetImageBlockPublicAccessState");
const ENABLE: Call = Call::new("ec2", "EnableImageBlockPublicAccess");
const DISABLE: Call = Call::new("ec2", "DisableImageBlockPublicAccess");

aws_enum! {
    /// Whether public sharing is blocked.
    Sharing {
        BlockNew = "block-new-sharing",
        Unblocked = "unblocked",
    }
}

/// Whether the machine images (AMIs) of a Region can be shared with everybody: a public image is a disk,
/// with whatever keys were left on it, that anybody can start and read.
///
/// Images that are public stay public under the block. AWS can take up to ten minutes until it shows the
/// block. evenkeel waits for two; after that it says that the setting is not as declared yet. Where a declarative policy of
/// the organization sets it, AWS refuses every write; evenkeel then reports and leaves it alone.
///
/// Source: EC2 API Reference, `GetImageBlockPublicAccessState`, `EnableImageBlockPublicAccess`,
/// `DisableImageBlockPublicAccess`; EC2 User Guide, "Block public access to your AMIs".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// `block-new-sharing`: no image becomes public, and those that are public stay so. `unblocked`:
    /// anybody who may change an image can make it public.
    pub state: Sharing,
}

/// The kind.
pub struct ImageBlockPublicAccess;

impl Setting for ImageBlockPublicAccess {
    const NAME: &'static str = "ec2.image_block_public_access";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls { well_architected: &["SEC03-BP07"], ..Controls::NONE };
    const CALLS: &'static [Use<Block>] = &[
        Use::read(GET),
        Use::write_if(ENABLE, |block| block.state == Sharing::BlockNew, everywhere),
        Use::write_if(DISABLE, |block| block.state == Sharing::Unblocked, everywhere),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.image_block_public_access]
state = "block-new-sharing"
"#,
        r#"
[ec2.image_block_public_access]
state = "unblocked"
"#,
    ];

    const STRICTER: &'static [Stricter] =
        &[Stricter::Order("state", &["unblocked", "block-new-sharing"])];

    type Record = Block;

    async fn read(cx: &Cx) -> Result<Object<Block>, ObserveError> {
        let request = cx.client(Client::new).get_image_block_public_access_state();
        let answer = cx.read(GET, "", request.send()).await?;
        let state = told("ImageBlockPublicAccessState", answer.image_block_public_access_state())?;
        let state = known("ImageBlockPublicAccessState", state)?;
        owner::of(Object::only(Some(Block { state })), answer.managed_by())
    }

    fn judge(
        change: Change<Write<Block>>,
        _now: Option<&Block>,
        then: &Block,
    ) -> Change<Write<Block>> {
        match then.state {
            Sharing::BlockNew => change,
            Sharing::Unblocked => {
                change.warn("whoever may change an image can share it with everybody from now on")
            }
        }
    }

    fn call(then: &Block) -> Call {
        match then.state {
            Sharing::BlockNew => ENABLE,
            Sharing::Unblocked => DISABLE,
        }
    }

    async fn put(cx: &WriteCx, then: &Block) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match then.state {
            Sharing::BlockNew => {
                let request = client
                    .enable_image_block_public_access()
                    .image_block_public_access_state(then.state.as_str().into());
                cx.send(ENABLE, request.send()).await?;
            }
            Sharing::Unblocked => {
                cx.send(DISABLE, client.disable_image_block_public_access().send()).await?;
            }
        }
        shown(cx, then).await;
        Ok(())
    }
}

/// Waits until AWS shows what was written, for as long as such things mostly take: whoever looked earlier would write
/// it again. How it fares then, the next look says.
async fn shown(cx: &WriteCx, then: &Block) {
    let look = || async {
        let seen = ImageBlockPublicAccess::read(&cx.afresh()).await;
        let is_shown = seen.is_ok_and(|seen| seen.state() == Some(then));
        if is_shown { Ok(()) } else { Err(()) }
    };
    let _ = settle(|()| true, look).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind, Risk};

    fn change(now: Sharing, then: Sharing) -> Change<Write<Block>> {
        let facts = Facts::example(ImageBlockPublicAccess::NAME);
        let there = Object::present("", Block { state: now });
        Whole::<ImageBlockPublicAccess>::diff(&facts, &Block { state: then }, &there).remove(0)
    }

    #[test]
    fn blocking_cuts_nobody_off_and_unblocking_says_who_may_share() {
        let blocking = change(Sharing::Unblocked, Sharing::BlockNew);
        assert_eq!((blocking.risk, blocking.warnings.len()), (Risk::Safe, 0));
        let allowing = change(Sharing::BlockNew, Sharing::Unblocked);
        assert!(allowing.warnings[0].contains("from now on"));
        // What is public is so already.
        assert!(allowing.grants.is_empty());
    }

    #[test]
    fn each_state_has_its_call() {
        let calls =
            |state| Whole::<ImageBlockPublicAccess>::calls(&Write::Put { record: Block { state } });
        assert_eq!(calls(Sharing::BlockNew), [ENABLE]);
        assert_eq!(calls(Sharing::Unblocked), [DISABLE]);
    }
}
