//! `route53resolver.query_log_config`: a record of the DNS queries of VPCs.

mod apply;
mod diff;
mod observe;
mod spec;

use std::collections::BTreeSet;

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::flow_logs::spec::LogDestinationType;
use crate::kinds::ec2::vpcs::VPCS;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Found, Kind, Object, ObserveError, Scope, Undo,
    Use, WriteCx, WriteError,
};
use crate::names::Region;
use apply::{ASSOCIATE, CREATE, DELETE, DISASSOCIATE, TAG, UNTAG};
use observe::{ASSOCIATIONS, CONFIGS, TAGS};
pub use spec::Spec;
use spec::{Action, State, Step};

/// The services as principals.
const SERVICE: &str = "route53resolver.amazonaws.com";
const DELIVERY: &str = "delivery.logs.amazonaws.com";

/// The kind.
pub struct QueryLogConfig;

impl Kind for QueryLogConfig {
    const NAME: &'static str = "route53resolver.query_log_config";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "name", prefix: "" };
    const NOT_STATE: &'static [&'static str] = &["name", "exclude"];
    // AWS gives an id anew to each that is made again as it was.
    const BESIDE: &'static [&'static str] =
        &["/vpcs", "/config/config_id", "/config/problem", "/config/associated/*/problem"];
    const AFTER: &'static [&'static str] = &["s3.bucket", "logs.log_group"];
    const IN_REGION: &'static [&'static str] = &["destination_arn"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC04-BP01", "SEC09-BP03"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(CONFIGS),
        Use::read(ASSOCIATIONS),
        Use::read(TAGS),
        Use::read_if(VPCS, |spec| spec.vpcs.is_some()),
        Use::write(CREATE, configs),
        Use::write_if(ASSOCIATE, Spec::associates, configs),
        Use::write_if(DISASSOCIATE, |spec| spec.vpcs.is_some() && !spec.means_all_vpcs(), configs),
        Use::undo(DELETE, configs),
        Use::write_if(TAG, |spec| spec.tags.as_ref().is_some_and(|tags| !tags.is_empty()), configs),
        Use::write_if(UNTAG, |spec| spec.tags.is_some(), configs),
        // Whoever has query logs delivered must be allowed to: CloudWatch Logs User Guide, "Enable logging from
        // AWS services"; Route 53 Developer Guide, "Using service-linked roles for Resolver".
        Use::implied("logs:CreateLogDelivery", always, everywhere),
        Use::implied("firehose:TagDeliveryStream", to_a_stream, stream),
        Use::implied("iam:CreateServiceLinkedRole", makes_roles, roles),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "ec2.amazonaws.com:CreateVpc",
        "ec2.amazonaws.com:CreateDefaultVpc",
        "ec2.amazonaws.com:DeleteVpc",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] = &[("vpcs", "[]")];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match &action.step {
            Step::Create(_) => vec![CREATE, CONFIGS],
            Step::Delete => vec![DELETE, CONFIGS],
            Step::Associate { .. } => vec![ASSOCIATE, CONFIGS, ASSOCIATIONS],
            Step::Disassociate { .. } => vec![DISASSOCIATE, CONFIGS, ASSOCIATIONS],
            Step::Tag(_) => vec![TAG, CONFIGS],
            Step::Untag(_) => vec![UNTAG, CONFIGS],
        }
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
        // One that is still to be made has no id.
        let ids = [&planned.config_id, &now.config_id];
        let is_one = ids.contains(&&None) || planned.config_id == now.config_id;
        planned.name == now.name && is_one && diff::is_same_step(&planned.step, &now.step)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match before.state() {
            Some(before) => diff::undo(action, before),
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        observe::found_all(cx).await
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let there = object.state()?.config.as_ref()?;
        Some(Spec {
            name: object.id.clone(),
            destination_arn: there.destination_arn.clone(),
            vpcs: Some(there.associated.keys().cloned().collect()),
            exclude: None,
            tags: Some(there.tags.clone()),
        })
    }
}

fn always(_spec: &Spec) -> bool {
    true
}

/// The ids of configurations are AWS's own.
fn configs(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("route53resolver", "resolver-query-log-config/*")]).into()
}

fn to_a_stream(spec: &Spec) -> bool {
    LogDestinationType::of(&spec.destination_arn) == Some(LogDestinationType::Firehose)
}

fn stream(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let stream = match to_a_stream(spec) {
        true => arns.text(&spec.destination_arn),
        false => arns.regional("firehose", "deliverystream/*"),
    };
    Allowed::on([stream]).into()
}

fn makes_roles(spec: &Spec) -> bool {
    spec.associates() || to_a_stream(spec)
}

/// The role by which Resolver delivers, and the one by which CloudWatch Logs fills a stream.
fn roles(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let role = |service: &str, name| {
        Allowed::on([arns.service_linked_role(service, name)]).when(
            "StringEquals",
            "iam:AWSServiceName",
            [service.to_owned()],
        )
    };
    let of_stream = to_a_stream(spec).then(|| role(DELIVERY, "AWSServiceRoleForLogDelivery"));
    [role(SERVICE, "AWSServiceRoleForRoute53Resolver")].into_iter().chain(of_stream).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
