//! Reading a role and its policies.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role;
use percent_encoding::percent_decode_str;

use super::spec::{Spec, State};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::object::{CONTROL_TOWER, is_of_control_tower};
use crate::kinds::together::{self, together};
use crate::kinds::{Cx, Object, ObserveError, count, tags, told};
use crate::policy_document::PolicyDocument;

pub const GET: Call = Call::new("iam", "GetRole");
pub const LIST: Call = Call::new("iam", "ListRoles");
/// Paths of roles that AWS makes and governs.
const AWS_PATHS: [&str; 2] = ["/aws-service-role/", "/aws-reserved/"];
pub const LIST_ATTACHED: Call = Call::new("iam", "ListAttachedRolePolicies");
pub const LIST_INLINE: Call = Call::new("iam", "ListRolePolicies");
pub const GET_INLINE: Call = Call::new("iam", "GetRolePolicy");

/// The roles that are not AWS's own.
pub async fn names(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    let client = cx.client(Client::new);
    let roles = cx.pages(LIST, "", client.list_roles().into_paginator().items().send()).await?;
    Ok(roles
        .iter()
        .filter(|role| !AWS_PATHS.iter().any(|path| role.path().starts_with(path)))
        .map(|role| role.role_name().to_owned())
        .collect())
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let client = cx.client(Client::new);
    let name = spec.role_name.as_str();
    let request = client.get_role().role_name(name).send();
    let answer = cx.read(GET, name, request).await.absent_if(&["NoSuchEntity"])?;
    let Some(answer) = answer else { return Ok(vec![Object::absent(name)]) };
    // An answer without a role is not the answer that there is none.
    let role = told("Role", answer.role())?;
    let (managed_policy_arns, inline_policies) = together!(
        async {
            match spec.managed_policy_arns {
                Some(_) => attached(cx, name).await.map(Some),
                None => Ok(None),
            }
        },
        async {
            match &spec.inline_policies {
                Some(declared) => inline(cx, name, declared, spec.is_exclusive()).await.map(Some),
                None => Ok(None),
            }
        },
    )?;
    let duration = role.max_session_duration();
    // UpdateRole writes both, whichever of them differs.
    let duration = match spec.description.is_some() || spec.max_session_duration.is_some() {
        true => Some(told("MaxSessionDuration", duration)?),
        false => duration,
    };
    let trust = told("AssumeRolePolicyDocument", role.assume_role_policy_document())?;
    let boundary = role
        .permissions_boundary()
        .map(|boundary| told("PermissionsBoundaryArn", boundary.permissions_boundary_arn()))
        .transpose()?;
    let state = State {
        role_name: role.role_name().to_owned(),
        arn: role.arn().to_owned(),
        role_id: role.role_id().to_owned(),
        path: role.path().to_owned(),
        // AWS leaves the description out of a role that has none.
        description: role.description().unwrap_or_default().to_owned(),
        max_session_duration: duration
            .map(|seconds| count("MaxSessionDuration", seconds))
            .transpose()?,
        assume_role_policy: document("AssumeRolePolicyDocument", trust)?,
        permissions_boundary: boundary.map(str::to_owned),
        managed_policy_arns,
        inline_policies,
        tags: tags::collect(role.tags().iter().map(|tag| (tag.key(), tag.value()))),
    };
    let object = Object::present(name, state);
    Ok(vec![match manager(cx, role) {
        Some(manager) => object.managed_by(manager),
        None => object,
    }])
}

/// Who else governs a role.
fn manager(cx: &Cx, role: &Role) -> Option<&'static str> {
    let (path, name) = (role.path(), role.role_name());
    if path.starts_with("/aws-service-role/") {
        Some("the AWS service that it is linked to")
    } else if path.starts_with("/aws-reserved/") {
        Some("IAM Identity Center")
    } else if is_of_control_tower(name) {
        Some(CONTROL_TOWER)
    } else if role.source_role_template().is_some() {
        Some("the AWS service that made it from a template")
    } else if cx.works_as(name) {
        Some("people: evenkeel runs as this role, and could lock itself out")
    } else {
        None
    }
}

async fn attached(cx: &Cx, role: &str) -> Result<BTreeSet<String>, ObserveError> {
    let client = cx.client(Client::new);
    let pages = client.list_attached_role_policies().role_name(role).into_paginator().send();
    let policies =
        cx.list(LIST_ATTACHED, role, pages, "AttachedPolicies", |page| page.attached_policies);
    let policies = policies.await?;
    policies
        .iter()
        .map(|policy| told("PolicyArn", policy.policy_arn()).map(str::to_owned))
        .collect()
}

async fn inline(
    cx: &Cx,
    role: &str,
    declared: &BTreeMap<String, PolicyDocument>,
    all: bool,
) -> Result<BTreeMap<String, String>, ObserveError> {
    let client = cx.client(Client::new);
    let names = cx
        .pages(
            LIST_INLINE,
            role,
            client.list_role_policies().role_name(role).into_paginator().items().send(),
        )
        .await?;
    let policies = names.iter().filter(|name| all || declared.contains_key(*name)).map(|name| {
        let request = client.get_role_policy().role_name(role).policy_name(name).send();
        async move {
            let answer = cx.read(GET_INLINE, &format!("{role}/{name}"), request).await?;
            Ok::<_, ObserveError>((
                name.clone(),
                document("PolicyDocument", answer.policy_document())?,
            ))
        }
    });
    Ok(together::all(policies).await?.into_iter().collect())
}

/// A policy's text, decoded, once it is known to be one.
fn document(field: &str, text: &str) -> Result<String, ObserveError> {
    let malformed = |problem: String| ObserveError::Malformed { field: field.to_owned(), problem };
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|error| malformed(error.to_string()))?
        .into_owned();
    PolicyDocument::from_text(&text).map_err(|error| malformed(error.to_string()))?;
    Ok(text)
}
