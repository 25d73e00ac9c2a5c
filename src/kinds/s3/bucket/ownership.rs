//! Who owns the objects of a bucket that others write.

use aws_sdk_s3::types::{self, OwnershipControls, OwnershipControlsRule};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Cx, Drift, GrantClass, ObserveError, Undo, Use, WriteCx, WriteError, known, told,
};

const GET: Call = Call::new("s3", "GetBucketOwnershipControls");
const PUT: Call = Call::new("s3", "PutBucketOwnershipControls");
const DELETE: Call = Call::new("s3", "DeleteBucketOwnershipControls");

aws_enum! {
    /// Who owns objects.
    ObjectOwnership {
        BucketOwnerEnforced = "BucketOwnerEnforced",
        BucketOwnerPreferred = "BucketOwnerPreferred",
        ObjectWriter = "ObjectWriter",
    }
}

pub struct Ownership;

impl Part for Ownership {
    type Of = Bucket;
    type Now = Option<ObjectOwnership>;
    /// `None` goes back to AWS's oldest default.
    type Write = Option<ObjectOwnership>;

    const NAME: &'static str = "object_ownership";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(PUT, Self::is_declared, bucket),
        Use::undo(DELETE, bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.object_ownership.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_bucket_ownership_controls, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await;
        let answer = answer.absent_if(&["OwnershipControlsNotFoundError"])?;
        let Some(answer) = answer else { return Ok(None) };
        let controls = told("OwnershipControls", answer.ownership_controls())?;
        let rule = told("Rules", controls.rules().first())?;
        known("ObjectOwnership", rule.object_ownership().as_str()).map(Some)
    }

    fn diff(look: &Look<'_, Bucket>, now: &Self::Now) -> Vec<Change<Self::Write>> {
        let Some(desired) = look.spec.object_ownership else { return Vec::new() };
        // "Object writer" is what buckets from before there were ownership controls have (S3 User
        // Guide, "Controlling ownership of objects").
        let oldest = ObjectOwnership::ObjectWriter;
        let actual = now.or((!look.is_new()).then_some(oldest));
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, actual.as_ref(), Some(&desired)) {
            return Vec::new();
        }
        let change = Change::new(Some(desired), drift);
        vec![match (actual, desired) {
            (_, ObjectOwnership::BucketOwnerEnforced) => look.disruptive(
                change,
                "ACLs no longer count: who has access by an ACL alone loses it, and writers that set \
                 other ACLs than bucket-owner-full-control are refused",
            ),
            // "Disabled ACLs […] you can re-enable ACLs": those from before hold again (S3 User Guide,
            // "Controlling ownership of objects and disabling ACLs for your bucket").
            (Some(ObjectOwnership::BucketOwnerEnforced), _) if !look.is_new() => change
                .warn("ACLs of the bucket and of its objects count again, those from before included")
                .grant(GrantClass::Public, "what ACLs of the bucket and of its objects give, to whomever"),
            _ => change,
        }]
    }

    fn calls(ownership: &Self::Write) -> Vec<Call> {
        vec![if ownership.is_some() { PUT } else { DELETE }]
    }

    async fn write(cx: &WriteCx, place: &Place, ownership: &Self::Write) -> Result<(), WriteError> {
        let bucket = &place.bucket;
        let Some(ownership) = ownership else {
            return cx
                .send(DELETE, request!(delete_bucket_ownership_controls, cx, bucket).send())
                .await;
        };
        let rule = OwnershipControlsRule::builder()
            .object_ownership(types::ObjectOwnership::from(ownership.as_str()))
            .build()?;
        let controls = OwnershipControls::builder().rules(rule).build()?;
        let request =
            request!(put_bucket_ownership_controls, cx, bucket).ownership_controls(controls);
        cx.send(PUT, request.send()).await
    }

    fn undo(_: &Self::Write, before: &Self::Now) -> Undo<Self::Write> {
        Undo::By(vec![*before])
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        spec.object_ownership = *now;
    }
}
