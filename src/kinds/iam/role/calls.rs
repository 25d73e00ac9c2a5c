//! The calls on a role, and what they are allowed on.

use super::apply::{
    ATTACH, CREATE, DELETE, DELETE_BOUNDARY, DELETE_INLINE, DETACH, PUT_BOUNDARY, PUT_INLINE, TAG,
    UNTAG, UPDATE, UPDATE_TRUST,
};
use super::observe::{GET, GET_INLINE, LIST_ATTACHED, LIST_INLINE};
use super::spec::{Spec, Step};
use crate::aws::Call;
use crate::kinds::{Allowed, Arns, Use};

/// The condition key for the boundary of the role that a call is about.
pub const BOUNDARY_KEY: &str = "iam:PermissionsBoundary";

/// All of them.
pub const CALLS: &[Use<Spec>] = &[
    Use::read(GET),
    Use::read_if(LIST_ATTACHED, |spec| spec.managed_policy_arns.is_some()),
    Use::read_if(LIST_INLINE, |spec| spec.inline_policies.is_some()),
    Use::read_if(GET_INLINE, |spec| spec.inline_policies.is_some()),
    Use::write_if(CREATE, Spec::has_trust, with_boundary),
    Use::undo(DELETE, role),
    Use::write_if(UPDATE_TRUST, Spec::has_trust, role),
    Use::write_if(
        UPDATE,
        |spec| spec.description.is_some() || spec.max_session_duration.is_some(),
        role,
    ),
    Use::write_if(PUT_BOUNDARY, |spec| boundary(spec).is_some(), with_boundary),
    Use::write_if(
        DELETE_BOUNDARY,
        |spec| spec.permissions_boundary.is_some() && boundary(spec).is_none(),
        role,
    ),
    Use::write_if(
        ATTACH,
        |spec| spec.managed_policy_arns.as_ref().is_some_and(|arns| !arns.is_empty()),
        |spec, arns| {
            let declared = spec.managed_policy_arns.iter().flatten().map(|arn| arns.text(arn));
            Allowed::on(names(spec, arns)).when("ArnLike", "iam:PolicyARN", declared).into()
        },
    ),
    // Whatever is attached and not declared is taken away, so that no policy can be named here.
    Use::write_if(DETACH, |spec| spec.managed_policy_arns.is_some() && spec.is_exclusive(), role),
    Use::write_if(
        PUT_INLINE,
        |spec| spec.inline_policies.as_ref().is_some_and(|policies| !policies.is_empty()),
        role,
    ),
    Use::write_if(
        DELETE_INLINE,
        |spec| spec.inline_policies.is_some() && spec.is_exclusive(),
        role,
    ),
    Use::write_if(TAG, |spec| spec.tags.is_some(), role),
    Use::write_if(UNTAG, |spec| spec.tags.is_some(), role),
];

fn boundary(spec: &Spec) -> Option<&str> {
    spec.permissions_boundary.as_deref().filter(|arn| !arn.is_empty())
}

fn role(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on(names(spec, arns)).into()
}

/// The role, with the declared boundary and no other.
fn with_boundary(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let role = Allowed::on(names(spec, arns));
    match boundary(spec) {
        Some(arn) => role.when("ArnLike", BOUNDARY_KEY, [arns.text(arn)]).into(),
        None => role.into(),
    }
}

/// The role's ARN. A role of that name may have any path when none is declared; there is at most
/// one of a name in an account (IAM User Guide, "IAM identifiers").
fn names(spec: &Spec, arns: &Arns) -> Vec<String> {
    let name = arns.text(&spec.role_name);
    match &spec.path {
        Some(path) => vec![arns.iam(&format!("role{}{name}", arns.text(path)))],
        None => vec![arns.iam(&format!("role/{name}")), arns.iam(&format!("role/*/{name}"))],
    }
}

/// The calls of a step.
pub fn of(step: &Step) -> Vec<Call> {
    vec![match step {
        // Made by an earlier try or by somebody else? Then it is looked at.
        Step::Create(_) => return vec![CREATE, GET],
        Step::Delete => DELETE,
        Step::Update { .. } => UPDATE,
        Step::UpdateTrust { .. } => UPDATE_TRUST,
        Step::PutBoundary { .. } => PUT_BOUNDARY,
        Step::DeleteBoundary => DELETE_BOUNDARY,
        Step::Attach { .. } => ATTACH,
        Step::Detach { .. } => DETACH,
        Step::PutInline { .. } => PUT_INLINE,
        Step::DeleteInline { .. } => DELETE_INLINE,
        Step::Tag { .. } => TAG,
        Step::Untag { .. } => UNTAG,
    }]
}
