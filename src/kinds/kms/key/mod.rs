//! `kms.key`: a key with its alias and its key policy.

mod apply;
mod calls;
mod diff;
mod grants;
mod marks;
mod observe;
pub(super) mod policy;
mod put_policy;
mod same;
pub mod spec;

use std::collections::BTreeSet;

use spec::KeySpec;
pub use spec::{Action, Spec, State};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Change, Claim, Controls, Cx, Facts, Found, Kind, Object, ObserveError, Scope, Stricter, Undo,
    Use, WriteCx, WriteError, tags,
};
use crate::names::Region;
use crate::policy_document::{Keepers, PolicyDocument, PolicyKind, refused_principal};

/// The kind.
pub struct Key;

impl Kind for Key {
    const NAME: &'static str = "kms.key";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "alias", prefix: "alias/" };
    const NOT_STATE: &'static [&'static str] =
        &["alias", "prevent_destroy", "deletion_window_days"];
    const AFTER: &'static [&'static str] = &["iam.role"];
    const BESIDE: &'static [&'static str] = &["/others"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["3.6"],
        cis_v5: &["3.6"],
        fsbp: &["KMS.3", "KMS.5"],
        security_hub: &["KMS.4"],
        well_architected: &["SEC08-BP01", "SEC08-BP04"],
        by_fields: &[
            (&["KMS.3"], &["key_state", "prevent_destroy"]),
            (&["3.6", "KMS.4"], &["enable_key_rotation"]),
            (
                &["KMS.5"],
                &[
                    "policy",
                    "key_administrators",
                    "key_users",
                    "service_principals",
                    "via_services",
                ],
            ),
        ],
    };
    const CALLS: &'static [Use<Spec>] = calls::CALLS;
    const LENT: Option<&'static [Call]> = Some(&[
        apply::CREATE_KEY,
        apply::CREATE_ALIAS,
        apply::UPDATE_ALIAS,
        apply::PUT_POLICY,
        apply::ENABLE,
        apply::CANCEL_DELETION,
    ]);
    const MORE_EVENTS: &'static [&'static str] = &["kms.amazonaws.com:UpdateAlias"];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("key_spec", r#""SYMMETRIC_DEFAULT""#),
        ("key_usage", r#""ENCRYPT_DECRYPT""#),
        ("origin", r#""AWS_KMS""#),
        ("multi_region", "false"),
        ("enabled", "true"),
        ("enable_key_rotation", "false"),
        ("rotation_period_in_days", "365"),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[kms.key.audit]
alias                   = "alias/audit"
description             = "Encrypts the audit trail"
key_spec                = "SYMMETRIC_DEFAULT"
key_usage               = "ENCRYPT_DECRYPT"
origin                  = "AWS_KMS"
multi_region            = false
key_administrators      = ["arn:${partition}:iam::${account.id}:root"]
key_users               = ["arn:${partition}:iam::${account.id}:root"]
service_principals      = ["cloudtrail.amazonaws.com", "logs.${region}.amazonaws.com"]
via_services            = ["s3"]
enabled                 = true
enable_key_rotation     = true
rotation_period_in_days = 365
tags                    = { team = "security", purpose = "audit" }
"#,
        r#"
[kms.key.audit]
description             = ""
key_spec                = "SYMMETRIC_DEFAULT"
key_usage               = "ENCRYPT_DECRYPT"
origin                  = "AWS_KMS"
multi_region            = false
enabled                 = false
enable_key_rotation     = false
prevent_destroy         = false
deletion_window_days    = 7
tags                    = { team = "platform" }

[kms.key.audit.policy]
Version = "2012-10-17"

[[kms.key.audit.policy.Statement]]
Effect    = "Allow"
Principal = { AWS = "arn:${partition}:iam::${account.id}:root" }
Action    = "kms:*"
Resource  = "*"
"#,
    ];

    const CLAIMS: &'static [&'static str] = &[super::THING];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("key_spec"),
        Stricter::Neither("key_usage"),
        Stricter::Neither("multi_region"),
        Stricter::Neither("origin"),
        Stricter::On("enable_key_rotation"),
        Stricter::Less("rotation_period_in_days"),
        Stricter::On("enabled"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        let mut problem = |field: &str, message: &str, help: &str| {
            problems.push(SpecProblem::new(field, message, help));
        };
        if spec.alias.starts_with("alias/aws/") {
            problem(
                "alias",
                "aliases that begin with alias/aws/ belong to AWS",
                "choose another alias",
            );
        }
        if spec.policy.is_some() && spec.has_lists() {
            problem(
                "policy",
                "the key policy is declared twice: as a whole, and by lists of who may use the key",
                "keep either policy, or key_administrators, key_users, service_principals and via_services",
            );
        }
        if spec.rotation_period_in_days.is_some() && spec.enable_key_rotation != Some(true) {
            problem(
                "rotation_period_in_days",
                "a rotation period has no effect without rotation",
                "add enable_key_rotation = true",
            );
        }
        let symmetric = spec.key_spec.is_none_or(|spec| spec == KeySpec::SymmetricDefault);
        if spec.enable_key_rotation == Some(true) && !symmetric {
            problem(
                "enable_key_rotation",
                "only keys of the spec SYMMETRIC_DEFAULT can rotate",
                "leave enable_key_rotation out, or change key_spec",
            );
        }
        if spec.deletion_window_days.is_some() && spec.prevent_destroy != Some(false) {
            problem(
                "deletion_window_days",
                "a deletion window has no effect, because evenkeel does not delete this key",
                "leave it out, or add prevent_destroy = false",
            );
        }
        for refusal in spec.policy.iter().flat_map(|policy| policy.refusals(PolicyKind::Key)) {
            problem("policy", &refusal.message, refusal.help);
        }
        for (field, names) in
            [("key_administrators", &spec.key_administrators), ("key_users", &spec.key_users)]
        {
            let refused = names.iter().flatten().filter_map(|name| refused_principal(name));
            for (message, help) in refused {
                problem(field, &message, help);
            }
        }
        // Whoever the account is: somebody must be let in.
        let policy = spec.policy.as_ref().filter(|_| !spec.has_lists());
        if policy.is_some_and(|policy| policy.keepers("", "aws") == Keepers::Nobody) {
            problem(
                "policy",
                "the policy lets nobody change it: AWS refuses it, and a key that has it is lost",
                "let the account do kms:* (Principal = { AWS = \"arn:${partition}:iam::${account.id}:root\" }), and deny kms:PutKeyPolicy to nobody without a condition",
            );
        }
        problems.extend(tags::KMS.check(spec.tags.as_ref()));
        problems
    }

    fn calls(action: &Action) -> Vec<Call> {
        calls::of(action)
    }

    // A key can have many aliases.
    fn claims(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Claim> {
        let Some(state) = object.state() else { return Vec::new() };
        let thing = super::thing(&state.key_id);
        let mut claims = vec![Claim::whole(thing.clone())];
        if let Some(rotates) = spec.enable_key_rotation {
            claims.push(Claim::setting(thing.clone(), super::ROTATION, rotates));
        }
        if let Some(days) = spec.rotation_period_in_days {
            claims.push(Claim::setting(thing, super::ROTATION_PERIOD, days));
        }
        claims
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
        same::is_same_write(planned, now)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        diff::undo(action, before)
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let names = observe::names(cx).await?;
        Ok(names.into_iter().map(|name| crate::kinds::spec::found([("alias", name)])).collect())
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state().filter(|state| state.found == spec::Found::Alias)?;
        let rotates = state.rotation.filter(|rotation| rotation.enabled);
        let policy = match state.policy.as_deref().map(PolicyDocument::from_text) {
            Some(Ok(policy)) => Some(policy),
            // A policy that was not understood is no state to declare.
            Some(Err(_)) => return None,
            None => None,
        };
        Some(Spec {
            alias: object.id.clone(),
            description: state.description.clone(),
            key_spec: Some(state.nature.key_spec),
            key_usage: Some(state.nature.key_usage),
            origin: Some(state.nature.origin),
            multi_region: state.nature.multi_region,
            policy,
            enabled: match state.key_state {
                spec::KeyState::Enabled => Some(true),
                spec::KeyState::Disabled => Some(false),
                _ => None,
            },
            enable_key_rotation: state.rotation.map(|rotation| rotation.enabled),
            rotation_period_in_days: rotates.and_then(|rotation| rotation.period_in_days),
            tags: state.tags.clone(),
            ..Spec::default()
        })
    }

    fn other_names(facts: &Facts, object: &Object<State>) -> Vec<String> {
        let Facts { account, partition, region, .. } = facts;
        let names = object.state().map(|State { key_id, .. }| {
            [key_id.clone(), format!("arn:{partition}:kms:{region}:{account}:key/{key_id}")]
        });
        names.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
