//! `guardduty.publishing_destination`: where findings are exported to.

mod apply;
mod diff;
mod observe;
pub mod spec;

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::guardduty::detector::{self, administrator};
use crate::kinds::kms::{let_in, reads};
use crate::kinds::s3::bucket::place;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Undo, Use,
    WriteCx, WriteError,
};
use apply::{CREATE, DELETE, TAG, UNTAG, UPDATE};
use observe::{DESCRIBE, LIST, looks_at_bucket};
use spec::{Action, Spec, State};

/// The kind.
pub struct PublishingDestination;

impl Kind for PublishingDestination {
    const NAME: &'static str = "guardduty.publishing_destination";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["kms.key", "s3.bucket", "guardduty.detector"];
    const BESIDE: &'static [&'static str] =
        &["/detector_id", "/declared_key", "/is_own_bucket", "/destination/status"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(detector::LIST),
        Use::read(administrator::GET),
        Use::read(LIST),
        Use::read(DESCRIBE),
        Use::read(reads::DESCRIBE),
        Use::read(let_in::GET_POLICY),
        Use::read_if(place::LIST, looks_at_bucket),
        Use::write(CREATE, everywhere),
        Use::write(UPDATE, destination),
        Use::undo(DELETE, destination),
        Use::write_if(
            TAG,
            |spec| spec.tags.as_ref().is_some_and(|tags| !tags.is_empty()),
            destination,
        ),
        Use::write_if(UNTAG, |spec| spec.tags.is_some(), destination),
        // GuardDuty asks for these as whoever calls: Service Authorization Reference, "Amazon GuardDuty", and
        // GuardDuty User Guide, "Permissions required to configure exporting findings".
        Use::implied("s3:GetBucketLocation", always, bucket),
        Use::implied("s3:ListBucket", always, bucket),
        Use::implied("s3:GetObject", always, objects),
        Use::implied("s3:PutObject", always, objects),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "guardduty.amazonaws.com:CreateDetector",
        "guardduty.amazonaws.com:DeleteDetector",
        "guardduty.amazonaws.com:DisassociateFromAdministratorAccount",
        "guardduty.amazonaws.com:DisassociateFromMasterAccount",
        "guardduty.amazonaws.com:AcceptAdministratorInvitation",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        apply::calls(action)
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        Ok(vec![observe::observe(cx, spec).await?])
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        object.state().map_or_else(Vec::new, |state| diff::changes(facts, spec, state))
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        apply::apply(cx, action).await
    }

    fn is_same_write(planned: &Action, now: &Action) -> bool {
        diff::is_same_write(planned, now)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match before.state() {
            Some(before) => diff::undo(action, before),
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let there = object.state()?.destination.as_ref()?;
        Some(Spec {
            destination_arn: there.properties.destination_arn.clone(),
            kms_key_arn: there.properties.kms_key_arn.clone(),
            expected_bucket_owner: there.properties.expected_bucket_owner.clone(),
            tags: Some(there.tags.clone()),
        })
    }
}

fn always(_spec: &Spec) -> bool {
    true
}

/// The ids of detectors and destinations are GuardDuty's own.
fn destination(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("guardduty", "detector/*/publishingdestination/*")]).into()
}

fn bucket(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.bucket(named(&spec.destination_arn))]).into()
}

fn objects(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([format!("{}/*", arns.bucket(named(&spec.destination_arn)))]).into()
}

/// The bucket in the ARN of a destination, of which something may not be known yet.
fn named(arn: &str) -> &str {
    let name = arn.rsplit_once(":::").map_or(arn, |(_, name)| name);
    name.split_once('/').map_or(name, |(bucket, _)| bucket)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
