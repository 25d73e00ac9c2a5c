//! Whether new accounts of the organization become members.

use aws_sdk_detective::Client;

use super::{Graph, Place, Spec, graphs};
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

const DESCRIBE: Call = Call::new("detective", "DescribeOrganizationConfiguration");
const UPDATE: Call = Call::new("detective", "UpdateOrganizationConfiguration");

pub struct AutoEnable;

impl Part for AutoEnable {
    type Of = Graph;
    type Now = bool;
    type Write = bool;

    const NAME: &'static str = "auto_enable_members";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(DESCRIBE, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, graphs),
        // Detective asks Organizations as whoever calls (Service Authorization Reference, "Amazon Detective").
        Use::implied_read("organizations:DescribeOrganization", Self::is_declared),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.auto_enable_members.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<bool, ObserveError> {
        let arn = told("GraphArn", place.graph_arn.as_deref())?;
        let request = cx.client(Client::new).describe_organization_configuration().graph_arn(arn);
        let answer = cx.read(DESCRIBE, arn, request.send()).await.map_err(elsewhere)?;
        // Detective leaves out what is false.
        Ok(answer.auto_enable())
    }

    fn diff(look: &Look<'_, Graph>, now: &bool) -> Vec<Change<bool>> {
        let Some(wanted) = look.spec.auto_enable_members else { return Vec::new() };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, Some(now), Some(&wanted)) {
            return Vec::new();
        }
        let change = Change::new(wanted, drift);
        let change = if look.is_new() { change } else { change.independent() };
        vec![match wanted {
            true => change.warn(
                "every new account of the organization becomes a member, and AWS charges for what Detective takes in of it",
            ),
            false => look.disruptive(change, "what happens in new accounts cannot be looked into"),
        }]
    }

    fn calls(_wanted: &bool) -> Vec<Call> {
        vec![UPDATE, super::LIST]
    }

    async fn write(cx: &WriteCx, place: &Place, wanted: &bool) -> Result<(), WriteError> {
        let request = cx.client(Client::new).update_organization_configuration();
        let request = request.graph_arn(place.found(cx).await?).auto_enable(*wanted);
        cx.send(UPDATE, request.send()).await
    }

    fn undo(_wanted: &bool, before: &bool) -> Undo<bool> {
        Undo::By(vec![*before])
    }

    fn export(now: &bool, spec: &mut Spec) {
        spec.auto_enable_members = Some(*now);
    }
}

/// Only the organization's Detective administrator account is told; to others Detective says what it says where a
/// permission is missing.
fn elsewhere(error: AwsError) -> ObserveError {
    if error.class != ErrorClass::Denied {
        return error.into();
    }
    ObserveError::Refused {
        what: "whether new accounts of the organization become members".to_owned(),
        error,
        remedy: "declare auto_enable_members for the organization's Detective administrator account alone; there, let evenkeel call detective:DescribeOrganizationConfiguration and organizations:DescribeOrganization".to_owned(),
    }
}
