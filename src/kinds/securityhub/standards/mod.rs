//! `securityhub.standards`: which standards Security Hub checks in a Region.

mod apply;
mod diff;
mod observe;
mod spec;

pub use self::observe::{is_of_aws, standard_of, subscriptions};
pub use self::spec::{Action, Spec, State};
use super::{DESCRIBE, administrator, hub_arn};
use crate::aws::Call;
use crate::aws::settle::settle;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Undo, Use,
    WriteCx, WriteError,
};

const STANDARDS: Call = Call::new("securityhub", "DescribeStandards");
pub const ENABLED: Call = Call::new("securityhub", "GetEnabledStandards");
const ENABLE: Call = Call::new("securityhub", "BatchEnableStandards");
const DISABLE: Call = Call::new("securityhub", "BatchDisableStandards");

/// The kind.
pub struct Standards;

impl Kind for Standards {
    const NAME: &'static str = "securityhub.standards";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["config.recorder", "securityhub.hub"];
    const NOT_STATE: &'static [&'static str] = &["exclusive", "under_administrator"];
    const BESIDE: &'static [&'static str] = &["/is_on", "/available", "/enabled/*/problem"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC01-BP03", "SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(DESCRIBE),
        Use::read(administrator::GET),
        Use::read(STANDARDS),
        Use::read(ENABLED),
        Use::write_if(ENABLE, |spec| !spec.standards.is_empty(), hub),
        Use::write_if(DISABLE, Spec::is_exclusive, hub),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:EnableSecurityHub",
        "securityhub.amazonaws.com:DisableSecurityHub",
        "securityhub.amazonaws.com:AcceptAdministratorInvitation",
        "securityhub.amazonaws.com:DisassociateFromAdministratorAccount",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match action {
            Action::Enable { .. } => vec![ENABLE, STANDARDS],
            Action::Disable { .. } => vec![DISABLE, ENABLED],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        observe::observe(cx, spec).await
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        object.state().map(|state| diff::diff(spec, state)).unwrap_or_default()
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        settle(super::is_settling, || apply::write(cx, action)).await
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        diff::undo(action, before.state())
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        diff::export(object.state()?)
    }
}

fn hub(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    hub_arn(arns)
}

/// The name of a standard in its ARN, without Region: `cis-aws-foundations-benchmark/v/5.0.0`. One of
/// them has an ARN of another form (Security Hub API Reference, `BatchEnableStandards`).
fn name(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once("::standards/").or_else(|| arn.split_once(":::ruleset/"))?;
    Some(name).filter(|name| name.contains("/v/"))
}

/// Whether a standard is AWS Control Tower's own (Security Hub User Guide, "Service-managed standards").
pub fn is_of_another_service(name: &str) -> bool {
    name.starts_with("service-managed-")
}

#[cfg(test)]
mod tests;
