//! `securityhub.control`: which controls are checked in a Region, and with which values.

mod apply;
mod check;
mod diff;
mod observe;
mod spec;

pub use self::spec::{Action, Spec, State};
use super::{DESCRIBE, administrator, standards};
use crate::aws::Call;
use crate::aws::settle::settle;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::{
    Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Undo, Use, WriteCx, WriteError,
};

const SET: Call = Call::new("securityhub", "BatchUpdateStandardsControlAssociations");
const PARAMETERS: Call = Call::new("securityhub", "UpdateSecurityControl");

/// The kind.
pub struct Control;

impl Kind for Control {
    const NAME: &'static str = "securityhub.control";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["securityhub.hub", "securityhub.standards"];
    const NOT_STATE: &'static [&'static str] = &["exclusive", "under_administrator"];
    const BESIDE: &'static [&'static str] = &["/is_on", "/standards", "/unknown", "/unavailable"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC01-BP03", "SEC04-BP04"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(DESCRIBE),
        Use::read(administrator::GET),
        Use::read(standards::ENABLED),
        Use::read(observe::DEFINITIONS),
        Use::read(observe::ASSOCIATIONS),
        Use::read(observe::CONTROLS),
        Use::write_if(SET, sets, everywhere),
        Use::write_if(PARAMETERS, gives, everywhere),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:UpdateStandardsControl",
        "securityhub.amazonaws.com:BatchEnableStandards",
        "securityhub.amazonaws.com:BatchDisableStandards",
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
        check::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match action {
            Action::Set { standards, .. } if standards.is_empty() => {
                vec![SET, standards::ENABLED, observe::DEFINITIONS]
            }
            Action::Set { .. } => vec![SET, standards::ENABLED],
            Action::Parameters { .. } => vec![PARAMETERS],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        observe::observe(cx, spec).await
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        object.state().map(|state| diff::diff(spec, state)).unwrap_or_default()
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        settle(is_settling, || apply::write(cx, action)).await
    }

    fn is_same_write(planned: &Action, now: &Action) -> bool {
        diff::is_same(planned, now)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        diff::undo(action, before.state())
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        diff::export(object.state()?)
    }
}

/// Whether a spec can have controls switched on or off.
fn sets(spec: &Spec) -> bool {
    spec.is_exclusive() || spec.controls.values().any(|one| one.association_status.is_some())
}

/// Whether a spec can have values changed.
fn gives(spec: &Spec) -> bool {
    spec.is_exclusive() || spec.controls.values().any(|one| one.parameters.is_some())
}

/// Whether an error passes by itself: a standard that is being turned on, or a control whose former update is
/// under way (Security Hub API Reference, `UpdateSecurityControl`).
fn is_settling(error: &WriteError) -> bool {
    match error {
        WriteError::Look(ObserveError::Pending { .. }) => true,
        WriteError::Aws(aws) if aws.is_code(&["ResourceInUseException"]) => true,
        _ => super::is_settling(error),
    }
}

#[cfg(test)]
mod tests;
