//! `ec2.old_volumes`: say in a line what it is.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::Identity;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::sweep::{self, Sweep, Way};
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Kind, Object, ObserveError, Scope, Status, Undo, Use,
    WriteCx, WriteError, told,
};

const LIST: Call = Call::new("ec2", "ListOldVolumes");
const SET: Call = Call::new("ec2", "SetOldVolumes");

/// Say what it is, which objects it finds and which it leaves alone: this is the page of the kind.
///
/// Source: name the pages of AWS's API Reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Say what it is, its range, and AWS's default.
    pub enabled: Option<bool>,
    /// Objects that are left out.
    pub exclude: Option<Vec<Exclude>>,
}

/// Objects that are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Their ids.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ids: BTreeSet<String>,
}

/// What was observed of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    enabled: bool,
}

/// Sets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    id: String,
    enabled: bool,
}

/// The kind.
pub struct OldVolumes;

impl Kind for OldVolumes {
    const NAME: &'static str = "ec2.old_volumes";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const NOT_STATE: &'static [&'static str] = &["exclude"];
    const CONTROLS: Controls = Controls { ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[Use::read(LIST), Use::write(SET, everywhere)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.old_volumes]
enabled = true
exclude = [{ ids = ["a-1"] }]
"#,
        r#"
[ec2.old_volumes]
enabled = false
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn calls(_action: &Action) -> Vec<Call> {
        vec![SET]
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

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let (Some(state), Some(enabled)) = (object.state(), spec.enabled) else {
            return Vec::new();
        };
        let mut drift = Drift::new();
        if !drift.compare("enabled", Some(&state.enabled), Some(&enabled)) {
            return Vec::new();
        }
        vec![Change::new(Action { id: object.id.clone(), enabled }, drift)]
    }

    async fn apply(_cx: &WriteCx, _action: &Action) -> Result<(), WriteError> {
        Err(WriteError::Unsendable("nothing sends it yet".to_owned()))
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match before.state() {
            Some(state) => Undo::By(vec![Action { id: action.id.clone(), enabled: state.enabled }]),
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        Some(Spec { enabled: Some(object.state()?.enabled), exclude: None })
    }
}

/// An object as the list shows it.
pub struct Listed {
    id: String,
}

impl Sweep for OldVolumes {
    type Listed = Listed;
    type Exclude = Exclude;

    async fn list(_cx: &Cx) -> Result<Vec<Listed>, ObserveError> {
        let id = told("which there are, for nothing asks it yet", None)?;
        Ok(vec![Listed { id }])
    }

    fn id(listed: &Listed) -> &str {
        &listed.id
    }

    fn exclude(spec: &Spec) -> &[Exclude] {
        spec.exclude.as_deref().unwrap_or_default()
    }

    fn ways<'a>(entry: &'a Exclude, listed: &'a Listed) -> Vec<Way<'a>> {
        vec![Way::Ids("ids", &entry.ids, vec![&listed.id])]
    }

    async fn tags(_cx: &Cx, _listed: &Listed) -> Result<BTreeMap<String, String>, ObserveError> {
        told("the tags, for nothing asks them yet", None)
    }

    async fn read(_cx: &Cx, _spec: &Spec, _listed: &Listed) -> Result<Status<State>, ObserveError> {
        let enabled = told("whether it is enabled, for nothing asks it yet", None)?;
        Ok(Status::Present(State { enabled }))
    }
}
