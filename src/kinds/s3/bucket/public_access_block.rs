//! The four switches that keep a bucket from being public.

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Facts, GrantClass, ObserveError, Undo, Use, WriteCx, WriteError, told,
};

const GET: Call = Call::new("s3", "GetPublicAccessBlock");
const PUT: Call = Call::new("s3", "PutPublicAccessBlock");
const DELETE: Call = Call::new("s3", "DeletePublicAccessBlock");

/// The four switches that keep a bucket from being public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Whether new public ACLs are refused.
    pub block_public_acls: bool,
    /// Whether public ACLs have no effect.
    pub ignore_public_acls: bool,
    /// Whether new public policies are refused.
    pub block_public_policy: bool,
    /// Whether a public policy is open to the account and AWS services alone.
    pub restrict_public_buckets: bool,
}

pub struct Switches;

impl Part for Switches {
    type Of = Bucket;
    type Now = Option<PublicAccessBlock>;
    type Write = Option<PublicAccessBlock>;

    const NAME: &'static str = "public_access_block";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(PUT, Self::is_declared, bucket),
        Use::undo(DELETE, bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.public_access_block.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_public_access_block, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await;
        let answer = answer.absent_if(&["NoSuchPublicAccessBlockConfiguration"])?;
        let Some(answer) = answer else { return Ok(None) };
        let block =
            told("PublicAccessBlockConfiguration", answer.public_access_block_configuration())?;
        Ok(Some(PublicAccessBlock {
            block_public_acls: told("BlockPublicAcls", block.block_public_acls())?,
            ignore_public_acls: told("IgnorePublicAcls", block.ignore_public_acls())?,
            block_public_policy: told("BlockPublicPolicy", block.block_public_policy())?,
            restrict_public_buckets: told(
                "RestrictPublicBuckets",
                block.restrict_public_buckets(),
            )?,
        }))
    }

    fn diff(look: &Look<'_, Bucket>, now: &Self::Now) -> Vec<Change<Self::Write>> {
        let Some(desired) = look.spec.public_access_block else { return Vec::new() };
        let actual = now.unwrap_or_default();
        let known = (!look.is_new()).then_some(&actual);
        let mut drift = Drift::new();
        macro_rules! compare {
            ($($field:ident),+) => {$(
                drift.compare(
                    concat!("public_access_block.", stringify!($field)),
                    known.map(|known| &known.$field),
                    Some(&desired.$field),
                );
            )+};
        }
        compare!(
            block_public_acls,
            ignore_public_acls,
            block_public_policy,
            restrict_public_buckets
        );
        if drift.is_empty() {
            return Vec::new();
        }
        let closes = |then: bool, now: bool| then && !now;
        let mut change = Change::new(Some(desired), drift);
        let open = opened(&desired, &actual, look.is_new());
        if !open.is_empty() {
            let switches = open.join(", ");
            change = change
                .grant(
                    GrantClass::Public,
                    format!(
                        "what ACLs and the bucket's policy allow to everybody, without {switches}"
                    ),
                )
                .warn(format!("weaker than before: {switches} no longer hold for this bucket"));
        }
        let cuts = closes(desired.ignore_public_acls, actual.ignore_public_acls)
            || closes(desired.restrict_public_buckets, actual.restrict_public_buckets);
        vec![if cuts {
            look.disruptive(change, "whoever reads this bucket as the public is locked out")
        } else {
            change
        }]
    }

    fn calls(block: &Self::Write) -> Vec<Call> {
        vec![if block.is_some() { PUT } else { DELETE }]
    }

    async fn write(cx: &WriteCx, place: &Place, block: &Self::Write) -> Result<(), WriteError> {
        let bucket = &place.bucket;
        let Some(block) = block else {
            let request = request!(delete_public_access_block, cx, bucket);
            return cx.send(DELETE, request.send()).await;
        };
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(block.block_public_acls)
            .ignore_public_acls(block.ignore_public_acls)
            .block_public_policy(block.block_public_policy)
            .restrict_public_buckets(block.restrict_public_buckets)
            .build();
        let request = request!(put_public_access_block, cx, bucket)
            .public_access_block_configuration(configuration);
        cx.send(PUT, request.send()).await
    }

    fn undo(_: &Self::Write, before: &Self::Now) -> Undo<Self::Write> {
        Undo::By(vec![*before])
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        spec.public_access_block = *now;
    }

    fn as_it_was(_facts: &Facts, now: &Self::Now, spec: &mut Spec) {
        spec.public_access_block = Some(now.unwrap_or_default());
    }
}

/// The switches that go off. A bucket is made with all of them on (S3 User Guide, "Blocking public
/// access").
fn opened(
    desired: &PublicAccessBlock,
    actual: &PublicAccessBlock,
    is_new: bool,
) -> Vec<&'static str> {
    let opens = |then: bool, now: bool| !then && (now || is_new);
    [
        ("block_public_acls", opens(desired.block_public_acls, actual.block_public_acls)),
        ("ignore_public_acls", opens(desired.ignore_public_acls, actual.ignore_public_acls)),
        ("block_public_policy", opens(desired.block_public_policy, actual.block_public_policy)),
        (
            "restrict_public_buckets",
            opens(desired.restrict_public_buckets, actual.restrict_public_buckets),
        ),
    ]
    .into_iter()
    .filter_map(|(name, opens)| opens.then_some(name))
    .collect()
}
