//! `iam.role`: a role, its trust policy and its permissions.

mod apply;
mod calls;
mod diff;
mod limits;
mod observe;
mod order;
mod policy_arn;
mod rises;
pub mod spec;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use spec::{Action, Spec, State};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Change, Controls, Cx, Facts, Found, Kind, Object, ObserveError, Scope, Stricter, Undo, Use,
    WriteCx, WriteError, tags,
};
use crate::names::Region;
use crate::policy_document::{PolicyDocument, PolicyKind};

/// The kind.
pub struct Role;

impl Kind for Role {
    const NAME: &'static str = "iam.role";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Named { field: "role_name", prefix: "" };
    const NOT_STATE: &'static [&'static str] = &["role_name", "exclusive_policies"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["1.16", "1.17", "1.22"],
        cis_v5: &["1.15", "1.16", "1.21"],
        // IAM.1 and IAM.21 look at what customer managed policies say: no role decides that.
        fsbp: &["KMS.2"],
        security_hub: &["IAM.18", "IAM.24", "IAM.27"],
        well_architected: &["SEC03-BP01", "SEC03-BP02", "SEC03-BP03", "SEC03-BP05", "SEC10-BP05"],
        by_fields: &[
            (&["1.15", "1.16", "1.21", "IAM.18", "IAM.27"], &["managed_policy_arns"]),
            (&["KMS.2"], &["inline_policies"]),
            (&["IAM.24"], &["tags"]),
        ],
    };
    const CALLS: &'static [Use<Spec>] = calls::CALLS;
    const LENT: Option<&'static [Call]> =
        Some(&[apply::CREATE, apply::UPDATE_TRUST, apply::ATTACH, apply::PUT_INLINE]);
    const MORE_EVENTS: &'static [&'static str] = &["iam.amazonaws.com:UpdateRoleDescription"];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("path", r#""/""#),
        ("max_session_duration", "3600"),
        ("permissions_boundary", r#""""#),
        ("managed_policy_arns", "[]"),
        ("inline_policies", "{}"),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[iam.role.incident-responder]
role_name            = "incident-responder"
path                 = "/security/"
description          = "Reads everything, isolates what is compromised"
max_session_duration = 3600
trusted_account_ids  = ["${account.id}"]
external_id          = "ir-2026"
allowed_source_org   = "o-a1b2c3d4e5"
require_mfa          = true
mfa_max_age_seconds  = 3600
permissions_boundary = "arn:${partition}:iam::aws:policy/PowerUserAccess"
managed_policy_arns  = [
    "arn:${partition}:iam::aws:policy/SecurityAudit",
    "arn:${partition}:iam::aws:policy/AWSSupportAccess",
]
exclusive_policies   = true
tags                 = { team = "security", purpose = "incident-response" }

[iam.role.incident-responder.inline_policies.isolate]
Version   = "2012-10-17"
Statement = [{ Effect = "Allow", Action = ["ec2:ModifyInstanceAttribute", "ec2:CreateSnapshot"], Resource = "*" }]

[iam.role.incident-responder.inline_policies.read-logs]
Version   = "2012-10-17"
Statement = [{ Effect = "Allow", Action = "logs:FilterLogEvents", Resource = "*" }]
"#,
        r#"
[iam.role.incident-responder]
path                 = "/security/"
description          = ""
max_session_duration = 7200
permissions_boundary = ""
managed_policy_arns  = ["arn:${partition}:iam::aws:policy/ReadOnlyAccess"]
exclusive_policies   = true
tags                 = { team = "platform" }

[iam.role.incident-responder.assume_role_policy]
Version   = "2012-10-17"
Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]

[iam.role.incident-responder.inline_policies.isolate]
Version   = "2012-10-17"
Statement = [{ Effect = "Allow", Action = "ec2:CreateSnapshot", Resource = "*" }]
"#,
    ];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("mfa_max_age_seconds"),
        Stricter::Neither("require_mfa"),
        Stricter::Set("permissions_boundary"),
        Stricter::Less("max_session_duration"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        let mut problem = |field: &str, message: &str, help: &str| {
            problems.push(SpecProblem::new(field, message, help));
        };
        let shortcuts = [
            ("external_id", spec.external_id.is_some()),
            ("allowed_source_org", spec.allowed_source_org.is_some()),
            ("require_mfa", spec.require_mfa.is_some()),
            ("mfa_max_age_seconds", spec.mfa_max_age_seconds.is_some()),
        ];
        if spec.assume_role_policy.is_some() && spec.trusted_account_ids.is_some() {
            problem(
                "assume_role_policy",
                "the trust policy is declared twice: as a whole, and by trusted_account_ids",
                "keep one of the two",
            );
        } else if spec.trusted_account_ids.is_none() {
            for (field, _) in shortcuts.iter().filter(|(_, is_there)| *is_there) {
                problem(
                    field,
                    "this is a condition for the accounts in trusted_account_ids, and there are none",
                    "declare trusted_account_ids, or write the condition into assume_role_policy",
                );
            }
        }
        if spec.mfa_max_age_seconds.is_some() && spec.require_mfa != Some(true) {
            problem(
                "mfa_max_age_seconds",
                "an age of MFA has no meaning where MFA is not needed",
                "add require_mfa = true",
            );
        }
        if spec.exclusive_policies.is_some()
            && spec.managed_policy_arns.is_none()
            && spec.inline_policies.is_none()
        {
            problem(
                "exclusive_policies",
                "this has no effect without managed_policy_arns or inline_policies",
                "declare one of them; [] means that there must be none",
            );
        }
        let sizes = spec.inline_policies.iter().flat_map(|policies| policies.values());
        let total: usize = sizes.map(|policy| limits::size(&policy.to_compact_string())).sum();
        if total > limits::INLINE_POLICIES {
            problem(
                "inline_policies",
                &format!(
                    "the inline policies have {total} characters together, and IAM takes {}",
                    limits::INLINE_POLICIES
                ),
                "put some of it into managed policies, and name them in managed_policy_arns",
            );
        }
        for (field, message, help) in policy_arn::problems(spec) {
            problem(field, &message, &help);
        }
        for refusal in
            spec.assume_role_policy.iter().flat_map(|one| one.refusals(PolicyKind::Trust))
        {
            problem("assume_role_policy", &refusal.message, refusal.help);
        }
        for (name, policy) in spec.inline_policies.iter().flatten() {
            for refusal in policy.refusals(PolicyKind::Inline) {
                problem(&format!("inline_policies.{name}"), &refusal.message, refusal.help);
            }
        }
        problems.extend(tags::IAM.check(spec.tags.as_ref()));
        problems
    }

    fn calls(action: &Action) -> Vec<Call> {
        calls::of(&action.step)
    }

    // Names of roles are unique whatever the case. Source: IAM API Reference, `CreateRole`.
    fn governs(spec: &Value, _home: Option<&Region>) -> Option<String> {
        spec.get("role_name")?.as_str().map(str::to_lowercase)
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        observe::observe(cx, spec).await
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        diff::diff(facts, spec, object)
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        apply::apply(cx, action).await
    }

    fn is_same_write(planned: &Action, now: &Action) -> bool {
        diff::is_same_write(planned, now)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        diff::undo(action, before)
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let names = observe::names(cx).await?;
        Ok(names.into_iter().map(|name| crate::kinds::spec::found([("role_name", name)])).collect())
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        // Policies that were not understood are no state to declare.
        let Ok(trust) = PolicyDocument::from_text(&state.assume_role_policy) else { return None };
        let mut inline_policies = None;
        if let Some(policies) = &state.inline_policies {
            let mut declared = BTreeMap::new();
            for (name, text) in policies {
                let Ok(policy) = PolicyDocument::from_text(text) else { return None };
                declared.insert(name.clone(), policy);
            }
            inline_policies = Some(declared);
        }
        Some(Spec {
            role_name: state.role_name.clone(),
            path: Some(state.path.clone()),
            description: Some(state.description.clone()),
            max_session_duration: state.max_session_duration,
            assume_role_policy: Some(trust),
            permissions_boundary: Some(state.permissions_boundary.clone().unwrap_or_default()),
            managed_policy_arns: state.managed_policy_arns.clone(),
            inline_policies,
            tags: Some(state.tags.clone()),
            ..Spec::default()
        })
    }
}

#[cfg(test)]
mod tests;
