//! `s3.account_public_access_block`: no public buckets, whatever the buckets say.

use aws_sdk_s3control::Client;
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::{Setting, Unset, Write};
use crate::kinds::{
    Change, Controls, Cx, GrantClass, Object, ObserveError, Risk, Scope, Stricter, Use, WriteCx,
    WriteError, told,
};

const GET: Call = Call::new("s3control", "GetPublicAccessBlock");
const PUT: Call = Call::new("s3control", "PutPublicAccessBlock");
const DELETE: Call = Call::new("s3control", "DeletePublicAccessBlock");
const NOT_SET: &str = "NoSuchPublicAccessBlockConfiguration";

/// The four switches that keep all buckets of an account from being public, in all Regions.
///
/// AWS replaces all four with every write, and takes one that is left out for false. evenkeel
/// therefore sends all: the declared ones, and the others as they are. Where an organization policy
/// sets them, AWS refuses the write and evenkeel says so.
///
/// Source: S3 Control API Reference, `PutPublicAccessBlock`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// Whether new ACLs that would make something public are refused. AWS's default is false.
    pub block_public_acls: Option<bool>,
    /// Whether ACLs that make something public have no effect. AWS's default is false.
    pub ignore_public_acls: Option<bool>,
    /// Whether new bucket policies that would make something public are refused. AWS's default is
    /// false.
    pub block_public_policy: Option<bool>,
    /// Whether buckets with a public policy are open to the account and AWS services alone. AWS's
    /// default is false.
    pub restrict_public_buckets: Option<bool>,
}

/// The kind.
pub struct AccountPublicAccessBlock;

impl Setting for AccountPublicAccessBlock {
    const NAME: &'static str = "s3.account_public_access_block";
    const SCOPE: Scope = Scope::Global;
    const CONTROLS: Controls = Controls {
        cis_v3: &["2.1.4"],
        cis_v5: &["2.1.4"],
        fsbp: &["S3.1"],
        well_architected: &["SEC03-BP07", "SEC08-BP04"],
        ..Controls::NONE
    };
    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("block_public_acls"),
        Stricter::Neither("block_public_policy"),
        Stricter::Neither("ignore_public_acls"),
        Stricter::Neither("restrict_public_buckets"),
    ];
    const CALLS: &'static [Use<Switches>] =
        &[Use::read(GET), Use::write(PUT, everywhere), Use::undo(DELETE, everywhere)];
    const CLEAR: Option<Call> = Some(DELETE);
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

    type Record = Switches;

    async fn read(cx: &Cx) -> Result<Object<Switches>, ObserveError> {
        let request =
            cx.client(Client::new).get_public_access_block().account_id(cx.account.as_str());
        let answer = cx.read(GET, "", request.send()).await.absent_if(&[NOT_SET])?;
        let Some(answer) = answer else { return Ok(Object::absent("")) };
        let block =
            told("PublicAccessBlockConfiguration", answer.public_access_block_configuration())?;
        Ok(Object::only(Some(Switches {
            block_public_acls: block.block_public_acls(),
            ignore_public_acls: block.ignore_public_acls(),
            block_public_policy: block.block_public_policy(),
            restrict_public_buckets: block.restrict_public_buckets(),
        })))
    }

    /// "Not set" is the same as four times false.
    fn unset(_declared: &Switches) -> Unset<Switches> {
        Unset::SameAs(Switches {
            block_public_acls: Some(false),
            ignore_public_acls: Some(false),
            block_public_policy: Some(false),
            restrict_public_buckets: Some(false),
        })
    }

    fn judge(
        mut change: Change<Write<Switches>>,
        now: Option<&Switches>,
        then: &Switches,
    ) -> Change<Write<Switches>> {
        let turned_on = |switch: fn(&Switches) -> Option<bool>| {
            switch(then) == Some(true) && now.and_then(switch) != Some(true)
        };
        let turned_off: Vec<&str> = SWITCHES
            .iter()
            .filter(|(_, switch)| now.and_then(*switch) == Some(true) && switch(then) != Some(true))
            .map(|(name, _)| *name)
            .collect();
        if !turned_off.is_empty() {
            let switches = turned_off.join(", ");
            change = change
                .grant(
                    GrantClass::Public,
                    format!("what buckets and ACLs allow to everybody, without {switches}"),
                )
                .warn(format!(
                    "weaker than before: {switches} no longer hold for all buckets of the account"
                ));
        }
        if turned_on(|block| block.ignore_public_acls) {
            change = change
                .risk(Risk::Disruptive)
                .warn("objects that an ACL makes public are no longer public");
        }
        if turned_on(|block| block.restrict_public_buckets) {
            change = change.risk(Risk::Disruptive).warn(
                "buckets with a public policy are closed to everybody outside the account, \
                 websites and other accounts included",
            );
        }
        change
    }

    fn call(_then: &Switches) -> Call {
        PUT
    }

    async fn put(cx: &WriteCx, then: &Switches) -> Result<(), WriteError> {
        let block = PublicAccessBlockConfiguration::builder()
            .set_block_public_acls(then.block_public_acls)
            .set_ignore_public_acls(then.ignore_public_acls)
            .set_block_public_policy(then.block_public_policy)
            .set_restrict_public_buckets(then.restrict_public_buckets)
            .build();
        let request = cx
            .client(Client::new)
            .put_public_access_block()
            .account_id(cx.account.as_str())
            .public_access_block_configuration(block);
        cx.send(PUT, request.send()).await
    }

    async fn clear(cx: &WriteCx, _now: &Switches) -> Result<(), WriteError> {
        let request =
            cx.client(Client::new).delete_public_access_block().account_id(cx.account.as_str());
        cx.remove(DELETE, request.send(), &[NOT_SET]).await
    }
}

/// A switch by its name.
type Switch = (&'static str, fn(&Switches) -> Option<bool>);

const SWITCHES: [Switch; 4] = [
    ("block_public_acls", |block| block.block_public_acls),
    ("ignore_public_acls", |block| block.ignore_public_acls),
    ("block_public_policy", |block| block.block_public_policy),
    ("restrict_public_buckets", |block| block.restrict_public_buckets),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind, Undo};

    type Block = Whole<AccountPublicAccessBlock>;

    fn diff(spec: &Switches, object: &Object<Switches>) -> Vec<Change<Write<Switches>>> {
        Block::diff(&Facts::example(Block::NAME), spec, object)
    }

    fn all_off() -> Switches {
        let Unset::SameAs(off) = AccountPublicAccessBlock::unset(&Switches::default()) else {
            unreachable!("\"not set\" is a record")
        };
        off
    }

    #[test]
    fn a_switch_that_goes_off_opens_to_everybody() {
        let all_on = Switches {
            block_public_acls: Some(true),
            ignore_public_acls: Some(true),
            block_public_policy: Some(true),
            restrict_public_buckets: Some(true),
        };
        let changes = diff(&all_off(), &Object::only(Some(all_on.clone())));
        assert_eq!(changes[0].grants[0].class, GrantClass::Public);
        assert!(changes[0].warnings[0].starts_with("weaker than before: block_public_acls, "));
        let changes = diff(&all_on, &Object::only(Some(all_off())));
        assert!(changes[0].grants.is_empty());
    }

    #[test]
    fn a_switch_that_is_not_declared_stays() {
        let now = Switches { block_public_acls: Some(true), ..all_off() };
        let spec = Switches { block_public_policy: Some(true), ..Switches::default() };
        let changes = diff(&spec, &Object::present("", now.clone()));
        let record = Switches { block_public_policy: Some(true), ..now };
        assert_eq!(changes[0].action, Some(Write::Put { record }));
        assert_eq!(changes[0].risk, Risk::Safe, "it stops only what is new");
    }

    #[test]
    fn not_set_is_the_same_as_off() {
        let off = Switches { restrict_public_buckets: Some(false), ..Switches::default() };
        assert!(diff(&off, &Object::absent("")).is_empty());
        let on = Switches { restrict_public_buckets: Some(true), ..Switches::default() };
        let changes = diff(&on, &Object::absent(""));
        assert_eq!(changes[0].risk, Risk::Disruptive);
        let clear = Write::Clear { record: all_off() };
        assert_eq!(Block::undo(&clear, &Object::absent("")), Undo::By(vec![clear]),);
    }
}
