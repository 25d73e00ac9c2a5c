//! Whether new controls are turned on by themselves.

use aws_sdk_securityhub::Client;
use serde::{Deserialize, Serialize};

use super::{Hub, Place, Spec, UPDATE, hub};
use crate::aws::Call;
use crate::kinds::securityhub::described;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

pub struct AutoEnableControls;

/// A new hub turns them on (Security Hub API Reference, `DescribeHub`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Now(bool);

impl Default for Now {
    fn default() -> Self {
        Self(true)
    }
}

impl Part for AutoEnableControls {
    type Of = Hub;
    type Now = Now;
    type Write = bool;

    const NAME: &'static str = "auto_enable_controls";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(UPDATE, Self::is_declared, hub)];

    fn is_declared(spec: &Spec) -> bool {
        spec.auto_enable_controls.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let hub = told("DescribeHub", described(cx).await?)?;
        told("AutoEnableControls", hub.auto_enable_controls()).map(Now)
    }

    fn diff(look: &Look<'_, Hub>, now: &Now) -> Vec<Change<bool>> {
        let Some(wanted) = look.spec.auto_enable_controls else { return Vec::new() };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, Some(&now.0), Some(&wanted)) {
            return Vec::new();
        }
        vec![Change::new(wanted, drift).independent()]
    }

    fn calls(_write: &bool) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &bool) -> Result<(), WriteError> {
        let request = cx.client(Client::new).update_security_hub_configuration();
        cx.send(UPDATE, request.auto_enable_controls(*wanted).send()).await
    }

    fn undo(_write: &bool, before: &Now) -> Undo<bool> {
        Undo::By(vec![before.0])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.auto_enable_controls = Some(now.0);
    }
}
