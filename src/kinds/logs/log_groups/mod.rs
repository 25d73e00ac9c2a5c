//! `logs.log_groups`: what every log group has at least.

mod diff;
mod observe;
pub mod spec;

use super::claims::{self, Claimed};
use super::log_group::{self, deletion_protection, kms_key, retention};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::kms::let_in::GET_POLICY;
use crate::kinds::kms::{named, reads};
use crate::kinds::shapes::sweep;
use crate::kinds::{
    Allowed, Arns, Change, Claim, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Stricter,
    Undo, Use, WriteCx, WriteError,
};
use spec::{Action, Spec, State, Step};

/// The kind.
pub struct LogGroups;

impl Kind for LogGroups {
    const NAME: &'static str = "logs.log_groups";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const NOT_STATE: &'static [&'static str] = &["name_pattern", "exclude"];
    const AFTER: &'static [&'static str] = &["kms.key", "logs.log_group"];
    const IN_REGION: &'static [&'static str] = &["kms_key_id"];
    const BESIDE: &'static [&'static str] = &["/declared_key", "/shut_out", "/retention_policy"];
    const CONTROLS: Controls = Controls {
        security_hub: &["CloudWatch.16"],
        well_architected: &["SEC04-BP01", "SEC07-BP04", "SEC08-BP02"],
        by_fields: &[(&["CloudWatch.16"], &["retention_in_days"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(log_group::DESCRIBE),
        Use::read_if(log_group::LIST_TAGS, Spec::looks_at_tags),
        Use::read_if(reads::DESCRIBE, |spec| spec.key().is_some()),
        Use::read_if(GET_POLICY, |spec| spec.key().is_some()),
        Use::write_if(
            retention::PUT,
            |spec| spec.retention_in_days.is_some_and(|days| days > 0),
            groups,
        ),
        Use::write_if(retention::DELETE, |spec| spec.retention_in_days == Some(0), groups),
        Use::write_if(kms_key::ASSOCIATE, |spec| spec.key().is_some(), groups),
        Use::write_if(kms_key::DISASSOCIATE, |spec| spec.kms_key_id.as_deref() == Some(""), groups),
        Use::write_if(
            deletion_protection::PUT,
            |spec| spec.deletion_protection_enabled.is_some(),
            groups,
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "logs.amazonaws.com:CreateLogGroup",
        "logs.amazonaws.com:DeleteLogGroup",
        "logs.amazonaws.com:PutAccountPolicy",
        "logs.amazonaws.com:DeleteAccountPolicy",
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[kms.key.logs]
service_principals = ["logs.eu-west-1.amazonaws.com", "logs.us-east-1.amazonaws.com"]

[logs.log_groups]
name_pattern                = "/*"
retention_in_days           = 365
kms_key_id                  = "${kms.key.logs.alias}"
deletion_protection_enabled = true
exclude                     = [{ log_group_names = ["/app/*"], log_group_tags = { "retention" = "short" } }, { accounts = ["444455556666"] }]
"#,
        r#"
[logs.log_groups]
retention_in_days           = 0
kms_key_id                  = ""
deletion_protection_enabled = false
"#,
    ];
    const CLAIMS: &'static [&'static str] = &[claims::THING];
    const STRICTER: &'static [Stricter] = &[
        Stricter::MoreOrNone("retention_in_days"),
        Stricter::Set("kms_key_id"),
        Stricter::On("deletion_protection_enabled"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec.problems()
    }

    fn calls(action: &Action) -> Vec<Call> {
        match &action.step {
            Step::Retain(Some(_)) => vec![retention::PUT],
            Step::Retain(None) => vec![retention::DELETE],
            Step::Encrypt(Some(_)) => vec![kms_key::ASSOCIATE, reads::DESCRIBE],
            Step::Encrypt(None) => vec![kms_key::DISASSOCIATE],
            Step::Protect(_) => vec![deletion_protection::PUT],
        }
    }

    // A group can be declared by itself, too.
    fn claims(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Claim> {
        let Some(state) = object.state() else { return Vec::new() };
        Claimed {
            log_group_name: &object.id,
            retention_in_days: spec.retention_in_days,
            keeps_longer: true,
            kms_key_id: claims::key(spec.kms_key_id.as_deref(), state.declared_key.as_ref()),
            deletion_protection_enabled: spec.deletion_protection_enabled,
        }
        .claims()
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        sweep::observe::<Self>(cx, spec).await
    }

    async fn observe_one(
        cx: &Cx,
        spec: &Spec,
        id: &str,
    ) -> Result<Option<Object<State>>, ObserveError> {
        sweep::observe_one::<Self>(cx, spec, id).await
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        diff::changes(facts, spec, &object.id, state)
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let group = action.log_group_name.as_str();
        match &action.step {
            Step::Retain(days) => retention::set(cx, group, *days).await,
            Step::Encrypt(key) => kms_key::set(cx, group, key.as_deref()).await,
            Step::Protect(enabled) => deletion_protection::set(cx, group, *enabled).await,
        }
    }

    fn is_same_write(planned: &Action, now: &Action) -> bool {
        let (Step::Encrypt(key), Step::Encrypt(needed)) = (&planned.step, &now.step) else {
            return false;
        };
        planned.log_group_name == now.log_group_name && named::is_same(key, needed)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let Some(before) = before.state() else {
            return Undo::Impossible("what was there before was not observed".to_owned());
        };
        let step = match &action.step {
            Step::Retain(_) => Step::Retain(before.retention_in_days),
            Step::Encrypt(_) => Step::Encrypt(before.kms_key_id.clone()),
            // "By default log groups are created without deletion protection" (`CreateLogGroup`).
            Step::Protect(_) => Step::Protect(before.deletion_protection_enabled.unwrap_or(false)),
        };
        Undo::By(vec![Action { step, ..action.clone() }])
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let is_kept = state.log_group_class != Some(log_group::LogGroupClass::Delivery);
        Some(Spec {
            name_pattern: None,
            retention_in_days: is_kept.then(|| state.retention_in_days.unwrap_or(0)),
            kms_key_id: Some(state.kms_key_id.clone().unwrap_or_default()),
            deletion_protection_enabled: state.deletion_protection_enabled,
            exclude: None,
        })
    }
}

/// The groups that are meant; those that are left out by their names IAM cannot tell from them.
fn groups(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let pattern = spec.name_pattern.as_deref().unwrap_or("*");
    // The wildcards of a pattern are IAM's own.
    let part = |part: &str| match part.chars().next_back() {
        Some(last @ ('*' | '?')) => format!("{}{last}", arns.text(&part[..part.len() - 1])),
        _ => arns.text(part),
    };
    let pattern: String = pattern.split_inclusive(['*', '?']).map(part).collect();
    let arn = arns.regional("logs", &format!("log-group:{pattern}"));
    let every = arn.ends_with('*');
    let allowed = if every { Allowed::on([arn]) } else { Allowed::on([format!("{arn}:*"), arn]) };
    allowed.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
