//! `iam.odd_user`: say in a line what it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::shapes::{Audit, Findings};
use crate::kinds::{Controls, Cx, Facts, Object, ObserveError, Scope, Use, told};

const GET: Call = Call::new("iam", "GetOddUser");

/// Say what it is, and why evenkeel only reports: this is the page of the kind.
///
/// Source: name the pages of AWS's API Reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Say what is a finding.
    pub allow_access: Option<bool>,
}

/// What was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    has_access: bool,
}

/// The kind.
pub struct OddUser;

impl Audit for OddUser {
    const NAME: &'static str = "iam.odd_user";
    const SCOPE: Scope = Scope::Global;
    const CONTROLS: Controls = Controls { ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[Use::read(GET)];
    const MORE_EVENTS: &'static [&'static str] = &[];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[iam.odd_user]
allow_access = false
"#,
        r#"
[iam.odd_user]
allow_access = true
"#,
    ];

    type Spec = Spec;
    type State = State;

    async fn observe(_cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let has_access = told("whether there is access, for nothing asks it yet", None)?;
        Ok(vec![Object::present("", State { has_access })])
    }

    fn judge(_facts: &Facts, spec: &Spec, state: &State) -> Findings {
        let mut findings = Findings::new();
        findings.judge(
            "allow_access",
            spec.allow_access.map(|allowed| !allowed && state.has_access),
            "access",
            "none",
            "say what somebody should do",
        );
        findings
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        Some(Spec { allow_access: Some(object.state()?.has_access) })
    }
}
