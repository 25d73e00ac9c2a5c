//! Whether new accounts of the organization become members.

use aws_sdk_macie2::Client;

use super::{Place, Session, Spec};
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

const DESCRIBE: Call = Call::new("macie2", "DescribeOrganizationConfiguration");
const UPDATE: Call = Call::new("macie2", "UpdateOrganizationConfiguration");

pub struct AutoEnableMembers;

impl Part for AutoEnableMembers {
    type Of = Session;
    type Now = bool;
    type Write = bool;

    const NAME: &'static str = "auto_enable_members";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(DESCRIBE, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.auto_enable_members.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<bool, ObserveError> {
        let request = cx.client(Client::new).describe_organization_configuration();
        let answer = cx.read(DESCRIBE, "", request.send()).await.map_err(elsewhere)?;
        told("autoEnable", answer.auto_enable())
    }

    fn diff(look: &Look<'_, Session>, now: &bool) -> Vec<Change<bool>> {
        let Some(wanted) = look.spec.auto_enable_members else { return Vec::new() };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, Some(now), Some(&wanted)) {
            return Vec::new();
        }
        let change = Change::new(wanted, drift);
        let change = if look.is_new() { change } else { change.independent() };
        vec![match wanted {
            true => change.warn(
                "in every new account of the organization Macie is enabled, and AWS charges for each of its buckets",
            ),
            false => look.disruptive(change, "buckets of new accounts are not looked at"),
        }]
    }

    fn calls(_wanted: &bool) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &bool) -> Result<(), WriteError> {
        let request = cx.client(Client::new).update_organization_configuration();
        cx.send(UPDATE, request.auto_enable(*wanted).send()).await
    }

    fn undo(_wanted: &bool, before: &bool) -> Undo<bool> {
        Undo::By(vec![*before])
    }

    fn export(now: &bool, spec: &mut Spec) {
        spec.auto_enable_members = Some(*now);
    }
}

/// Only the organization's Macie administrator account is told; to others Macie says what it says where a permission is
/// missing.
fn elsewhere(error: AwsError) -> ObserveError {
    if error.class != ErrorClass::Denied {
        return error.into();
    }
    ObserveError::Refused {
        what: "whether new accounts of the organization become members".to_owned(),
        error,
        remedy: "declare auto_enable_members for the organization's Macie administrator account alone; there, let evenkeel call macie2:DescribeOrganizationConfiguration".to_owned(),
    }
}
