//! Whether former versions of objects are kept, and whether deleting one needs MFA.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde::{Deserialize, Serialize};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request, unknown_value};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{Change, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, known};

const GET: Call = Call::new("s3", "GetBucketVersioning");
const PUT: Call = Call::new("s3", "PutBucketVersioning");

aws_enum! {
    /// Whether former versions are kept.
    Versioning { Enabled = "Enabled", Suspended = "Suspended", }
}

/// The versions of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// Whether they are kept; absent when they never were.
    pub versioning: Option<Versioning>,
    /// Whether deleting one needs MFA.
    pub mfa_delete: bool,
}

pub struct Versions;

impl Part for Versions {
    type Of = Bucket;
    type Now = Now;
    type Write = Versioning;

    const NAME: &'static str = "versioning";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(PUT, |spec| spec.versioning.is_some(), bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.versioning.is_some() || spec.mfa_delete.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_bucket_versioning, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await?;
        let versioning =
            answer.status().map(|status| known("Status", status.as_str())).transpose()?;
        // "This element is only returned if the bucket has been configured with MFA delete." So it is
        // with the status (S3 API Reference, GetBucketVersioning).
        let mfa_delete = match answer.mfa_delete().map(|status| status.as_str()) {
            None | Some("Disabled") => false,
            Some("Enabled") => true,
            Some(other) => return Err(unknown_value("MFADelete", other)),
        };
        Ok(Now { versioning, mfa_delete })
    }

    fn diff(look: &Look<'_, Bucket>, now: &Now) -> Vec<Change<Versioning>> {
        versioning(look, now).into_iter().chain(mfa_delete(look.spec, now)).collect()
    }

    fn calls(_: &Versioning) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, versioning: &Versioning) -> Result<(), WriteError> {
        let configuration = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::from(versioning.as_str()))
            .build();
        let request = request!(put_bucket_versioning, cx, &place.bucket)
            .versioning_configuration(configuration);
        cx.send(PUT, request.send()).await
    }

    fn undo(_: &Versioning, before: &Now) -> Undo<Versioning> {
        match before.versioning {
            Some(versioning) => Undo::By(vec![versioning]),
            None => Undo::Impossible(
                "a bucket that has had versions can never be without them again".to_owned(),
            ),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.versioning = now.versioning;
        spec.mfa_delete = Some(now.mfa_delete);
    }

    fn as_it_was(_facts: &Facts, now: &Now, spec: &mut Spec) {
        Self::export(now, spec);
        // A bucket that never had versions is as good as suspended.
        spec.versioning.get_or_insert(Versioning::Suspended);
    }
}

fn versioning(look: &Look<'_, Bucket>, now: &Now) -> Option<Change<Versioning>> {
    let desired = look.spec.versioning?;
    let mut drift = Drift::new();
    if !drift.compare("versioning", now.versioning.as_ref(), Some(&desired)) {
        return None;
    }
    let suspends = desired == Versioning::Suspended;
    // A bucket that never had versions is as good as suspended.
    if suspends && now.versioning.is_none() {
        return None;
    }
    let change = Change::new(desired, drift);
    if now.mfa_delete {
        return Some(change.withhold(
            "MFA delete is on, so that only the root user, with its MFA device, can change versioning: do it so, or declare what is there",
        ));
    }
    Some(if suspends {
        look.disruptive(change, "what is overwritten or deleted from now on is lost")
    } else {
        change
    })
}

fn mfa_delete(spec: &Spec, now: &Now) -> Option<Change<Versioning>> {
    let mut drift = Drift::new();
    drift.compare("mfa_delete", Some(&now.mfa_delete), spec.mfa_delete.as_ref()).then(|| {
        Change::finding(drift)
            .withhold("only the root user, with its MFA device, can change MFA delete: do it so, or declare what is there")
    })
}
