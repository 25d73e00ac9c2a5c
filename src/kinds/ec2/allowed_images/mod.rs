//! `ec2.allowed_images`: from which machine images instances may be launched.

mod criteria;

use aws_sdk_ec2::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::owner;
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Stricter, Undo,
    Use, WriteCx, WriteError, known, told,
};
use criteria::Criterion;

const GET: Call = Call::new("ec2", "GetAllowedImagesSettings");
const REPLACE: Call = Call::new("ec2", "ReplaceImageCriteriaInAllowedImagesSettings");
const ENABLE: Call = Call::new("ec2", "EnableAllowedImagesSettings");
const DISABLE: Call = Call::new("ec2", "DisableAllowedImagesSettings");

aws_enum! {
    /// Whether the criteria count.
    Settings {
        Disabled = "disabled",
        AuditMode = "audit-mode",
        Enabled = "enabled",
    }
}

/// From which machine images (AMIs) instances may be launched in a Region ("Allowed AMIs"). Without it,
/// anybody who may launch instances can use any public image, whoever has made it.
///
/// Images of the account itself are always allowed, and instances that run are not touched. An image that
/// meets one criterion is allowed; within a criterion, all conditions must hold. `audit-mode` refuses
/// nothing: `DescribeImages` then says of each image whether it would be allowed (`ImageAllowed`). Where a
/// declarative policy of the organization sets it, AWS refuses every write; evenkeel then reports and
/// leaves it alone.
///
/// Source: EC2 API Reference, `GetAllowedImagesSettings`, `ReplaceImageCriteriaInAllowedImagesSettings`,
/// `EnableAllowedImagesSettings`, `ImageCriterionRequest`; EC2 User Guide, "Control the discovery and use
/// of AMIs with Allowed AMIs".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// `disabled`, AWS's default: every image may be used. `audit-mode`: the same, and AWS says which would
    /// be refused. `enabled`: only images that meet a criterion, and those of the account itself.
    pub state: Option<Settings>,
    /// All criteria, up to 10, in any order; others are taken away. AWS's default is none.
    pub image_criteria: Option<Vec<Criterion>>,
}

/// What was observed in a Region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    state: Settings,
    image_criteria: Vec<Criterion>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Replaces all criteria.
    ReplaceCriteria {
        /// The new ones.
        image_criteria: Vec<Criterion>,
    },
    /// Has the criteria count, or shows which images they would refuse.
    Set {
        /// The new state.
        state: Settings,
    },
}

/// The kind.
pub struct AllowedImages;

impl Kind for AllowedImages {
    const NAME: &'static str = "ec2.allowed_images";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const CONTROLS: Controls = Controls { well_architected: &["SEC06-BP04"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(GET),
        Use::write_if(REPLACE, |spec| spec.image_criteria.is_some(), everywhere),
        Use::write_if(
            ENABLE,
            |spec| spec.state.is_some_and(|state| state != Settings::Disabled),
            everywhere,
        ),
        Use::write_if(DISABLE, |spec| spec.state == Some(Settings::Disabled), everywhere),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.allowed_images]
state = "audit-mode"

[[ec2.allowed_images.image_criteria]]
image_providers            = ["amazon", "aws-backup-vault"]
creation_date_condition    = { maximum_days_since_created = 300 }
deprecation_time_condition = { maximum_days_since_deprecated = 0 }

[[ec2.allowed_images.image_criteria]]
image_providers       = ["444455556666"]
image_names           = ["golden-*"]
scan_result_condition = { maximum_severity_label = "medium", max_days_since_last_finding_scan = 7 }
"#,
        r#"
[ec2.allowed_images]
state = "enabled"

[[ec2.allowed_images.image_criteria]]
image_providers           = ["aws-marketplace"]
marketplace_product_codes = ["abcdefghijklmnopqrstuvwxy"]

[[ec2.allowed_images.image_criteria]]
image_watermarks = [{ watermark_key = "444455556666:golden", source_image_region = "eu-*", maximum_days_since_source_image_created = 90, maximum_days_since_watermark_created = 30 }]

[ec2.allowed_images.image_criteria.scan_result_condition]
max_days_since_informational_fix_available = 365
max_days_since_low_fix_available           = 180
max_days_since_medium_fix_available        = 90
max_days_since_high_fix_available          = 30
max_days_since_critical_fix_available      = 7
"#,
        r#"
[ec2.allowed_images]
state          = "disabled"
image_criteria = []
"#,
    ];

    const STRICTER: &'static [Stricter] =
        &[Stricter::Order("state", &["disabled", "audit-mode", "enabled"])];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        criteria::problems(spec.image_criteria.as_deref().unwrap_or_default())
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![match action {
            Action::ReplaceCriteria { .. } => REPLACE,
            Action::Set { state: Settings::Disabled } => DISABLE,
            Action::Set { state: Settings::AuditMode | Settings::Enabled } => ENABLE,
        }]
    }

    async fn observe(cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let request = cx.client(Client::new).get_allowed_images_settings();
        let answer = cx.read(GET, "", request.send()).await?;
        let state = known("State", told("State", answer.state())?)?;
        let image_criteria = criteria::seen(answer.image_criteria())?;
        let object = Object::only(Some(State { state, image_criteria }));
        Ok(vec![owner::of(object, answer.managed_by())?])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(now) = object.state() else { return Vec::new() };
        let replaced = criteria_change(spec, now);
        let has_criteria = match &spec.image_criteria {
            Some(declared) => !declared.is_empty(),
            None => !now.image_criteria.is_empty(),
        };
        let Some(set) = state_change(spec, now, has_criteria) else {
            return replaced.into_iter().collect();
        };
        let Some(replaced) = replaced else { return vec![set.independent()] };
        // What is refused goes by the criteria: they come before it begins, and after it ends.
        if spec.state > Some(now.state) {
            vec![replaced.independent(), set.needs([0])]
        } else {
            vec![set.independent(), replaced.independent()]
        }
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match action {
            Action::ReplaceCriteria { image_criteria } => {
                let request = client
                    .replace_image_criteria_in_allowed_images_settings()
                    .set_image_criteria(Some(criteria::requested(image_criteria)?));
                cx.send(REPLACE, request.send()).await
            }
            Action::Set { state: Settings::Disabled } => {
                cx.send(DISABLE, client.disable_allowed_images_settings().send()).await
            }
            Action::Set { state } => {
                let request = client
                    .enable_allowed_images_settings()
                    .allowed_images_settings_state(state.as_str().into());
                cx.send(ENABLE, request.send()).await
            }
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let Some(State { state, image_criteria }) = before.state().cloned() else {
            return Undo::Impossible("what was there before was not observed".to_owned());
        };
        Undo::By(vec![match action {
            Action::ReplaceCriteria { .. } => Action::ReplaceCriteria { image_criteria },
            Action::Set { .. } => Action::Set { state },
        }])
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let State { state, image_criteria } = object.state()?.clone();
        Some(Spec { state: Some(state), image_criteria: Some(image_criteria) })
    }
}

fn criteria_change(spec: &Spec, now: &State) -> Option<Change<Action>> {
    let wanted = spec.image_criteria.as_deref().map(criteria::sorted);
    let mut drift = Drift::new();
    if !drift.compare("image_criteria", Some(&now.image_criteria), wanted.as_ref()) {
        return None;
    }
    let image_criteria = wanted?;
    let is_new = |one: &Criterion| !now.image_criteria.contains(one);
    let more = image_criteria.iter().any(is_new);
    let fewer = now.image_criteria.iter().any(|one| !image_criteria.contains(one));
    let change = Change::new(Action::ReplaceCriteria { image_criteria }, drift);
    if now.state != Settings::Enabled {
        return Some(change);
    }
    let change = match more {
        true => change.warn("images that meet one of the new criteria can be used from now on"),
        false => change,
    };
    Some(match fewer {
        true => change.risk(Risk::Disruptive).warn(
            "instances can no longer be launched from images that only the former criteria allowed",
        ),
        false => change,
    })
}

fn state_change(spec: &Spec, now: &State, has_criteria: bool) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    if !drift.compare("state", Some(&now.state), spec.state.as_ref()) {
        return None;
    }
    let state = spec.state?;
    let change = Change::new(Action::Set { state }, drift);
    if state != Settings::Enabled {
        return Some(change);
    }
    let change = change.risk(Risk::Disruptive).warn(
        "instances can no longer be launched from images that no criterion allows, by Auto Scaling neither",
    );
    let change = match has_criteria {
        true => change,
        false => change.warn("there is no criterion: only the account's own images are allowed"),
    };
    Some(match now.state {
        Settings::Disabled => change.warn(
            "nobody has seen yet which images these are: audit-mode would show it (ImageAllowed of DescribeImages)",
        ),
        _ => change,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
