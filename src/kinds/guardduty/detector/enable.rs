//! Whether GuardDuty runs.

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::DetectorStatus;

use super::{Detector, Place, Spec, UPDATE, any, detector};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Charge, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
};

pub struct Enable;

impl Part for Enable {
    type Of = Detector;
    type Now = bool;
    type Write = bool;

    const NAME: &'static str = "enable";
    const CALLS: &'static [Use<Spec>] = &[Use::write(UPDATE, any)];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<bool, ObserveError> {
        match told("status", detector(cx, place).await?.status())? {
            DetectorStatus::Enabled => Ok(true),
            DetectorStatus::Disabled => Ok(false),
            other => Err(ObserveError::UnknownValue {
                field: "status".to_owned(),
                value: other.as_str().to_owned(),
            }),
        }
    }

    fn diff(look: &Look<'_, Detector>, now: &bool) -> Vec<Change<bool>> {
        compared::mark(Self::NAME);
        // A new detector is made with it.
        if look.is_new() {
            return Vec::new();
        }
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, Some(now), Some(&look.spec.enable)) {
            return Vec::new();
        }
        let change = Change::new(look.spec.enable, drift).independent();
        vec![if look.spec.enable {
            change.charged(
                "AWS charges by what GuardDuty analyzes, and for each feature that is on",
                [Charge::Guardduty],
            )
        } else {
            look.disruptive(
                change,
                "no threat is looked for, and none is found, until it runs again",
            )
        }]
    }

    fn calls(_enable: &bool) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, place: &Place, enable: &bool) -> Result<(), WriteError> {
        let request = cx.client(Client::new).update_detector().detector_id(place.id()?);
        cx.send(UPDATE, request.enable(*enable).send()).await
    }

    fn undo(_enable: &bool, before: &bool) -> Undo<bool> {
        Undo::By(vec![*before])
    }

    fn export(now: &bool, spec: &mut Spec) {
        spec.enable = *now;
    }
}
