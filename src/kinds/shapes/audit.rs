//! An audit: what evenkeel can find and only people can mend.
//!
//! There is no write to make by mistake, for its type has no value and the table of calls takes reads
//! alone. A field is compared when the audit says of it whether it is weak, and a field of which it
//! cannot say so is unknown.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::only_reads;
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Kind, Object, ObserveError, Scope, Undo, Use, WriteCx,
    WriteError, compared,
};

/// A kind that never writes. [`Inspect`] makes a [`Kind`] of it; what is named as there is meant as
/// there.
pub trait Audit: Send + Sync + 'static {
    /// `service.thing`.
    const NAME: &'static str;
    /// Where its objects live.
    const SCOPE: Scope;
    /// How its items are told apart.
    const IDENTITY: Identity = Identity::Singleton;
    /// The compliance items that it serves.
    const CONTROLS: Controls;
    /// All its calls, which are reads.
    const CALLS: &'static [Use<Self::Spec>];
    /// The events after which its objects must be looked at again.
    const MORE_EVENTS: &'static [&'static str];
    /// Members of what a call asks for that name another thing than an object of this kind: whoever names one has not
    /// touched it, as with `userName` a root user's key.
    const OF_OTHERS: &'static [&'static str] = &[];
    /// Sample baselines.
    const SAMPLES: &'static [&'static str];

    /// What a baseline declares; a field that is `None` is not looked at.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What was observed.
    type State: Serialize + DeserializeOwned + Send + Sync;

    /// Rules between fields, which the schema cannot say.
    fn check(_spec: &Self::Spec) -> Vec<SpecProblem> {
        Vec::new()
    }

    /// Reads the objects.
    ///
    /// # Errors
    /// When not even the list of objects could be read.
    fn observe(
        cx: &Cx,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Vec<Object<Self::State>>, ObserveError>> + Send;

    /// Says of each declared field whether the object is weak there. Pure.
    fn judge(facts: &Facts, spec: &Self::Spec, state: &Self::State) -> Findings;

    /// The spec that declares just what was observed.
    fn export(facts: &Facts, object: &Object<Self::State>) -> Option<Self::Spec>;
}

/// What an audit says of an object.
#[derive(Debug, Default)]
pub struct Findings(Vec<Change<NoWrite>>);

impl Findings {
    /// Nothing is said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says of a field whether the object is weak there, `None` being "not known". The rest is said of
    /// a weakness: what is there, what is wanted, and what somebody should do.
    pub fn judge(
        &mut self,
        field: &str,
        is_weak: Option<bool>,
        actual: impl Into<String>,
        wanted: impl Into<String>,
        what_to_do: impl Into<String>,
    ) {
        let Some(is_weak) = is_weak else { return };
        compared::mark(field);
        if is_weak {
            let mut drift = Drift::new();
            drift.add(field, Some(actual.into()), Some(wanted.into()));
            self.0.push(Change::finding(drift).withhold(what_to_do));
        }
    }
}

/// There are no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoWrite {}

/// The kind that an [`Audit`] is.
#[derive(Debug)]
pub struct Inspect<A>(PhantomData<fn() -> A>);

impl<A: Audit> Kind for Inspect<A> {
    const NAME: &'static str = A::NAME;
    const SCOPE: Scope = A::SCOPE;
    const IDENTITY: Identity = A::IDENTITY;
    const CONTROLS: Controls = A::CONTROLS;
    const CALLS: &'static [Use<A::Spec>] = only_reads(A::CALLS);
    const MORE_EVENTS: &'static [&'static str] = A::MORE_EVENTS;
    const OF_OTHERS: &'static [&'static str] = A::OF_OTHERS;
    const SAMPLES: &'static [&'static str] = A::SAMPLES;

    type Spec = A::Spec;
    type State = A::State;
    type Action = NoWrite;

    fn check(spec: &A::Spec) -> Vec<SpecProblem> {
        A::check(spec)
    }

    fn calls(action: &NoWrite) -> Vec<Call> {
        match *action {}
    }

    async fn observe(cx: &Cx, spec: &A::Spec) -> Result<Vec<Object<A::State>>, ObserveError> {
        A::observe(cx, spec).await
    }

    fn diff(facts: &Facts, spec: &A::Spec, object: &Object<A::State>) -> Vec<Change<NoWrite>> {
        object.state().map_or_else(Vec::new, |state| A::judge(facts, spec, state).0)
    }

    async fn apply(_cx: &WriteCx, action: &NoWrite) -> Result<(), WriteError> {
        match *action {}
    }

    fn undo(action: &NoWrite, _before: &Object<A::State>) -> Undo<NoWrite> {
        match *action {}
    }

    fn export(facts: &Facts, object: &Object<A::State>) -> Option<A::Spec> {
        A::export(facts, object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_compared_when_its_verdict_is_known() {
        let mut findings = Findings::new();
        let ((), fields) = compared::during(|| {
            findings.judge("weak", Some(true), "keys", "none", "delete them");
            findings.judge("fine", Some(false), "keys", "none", "delete them");
            findings.judge("untold", None, "keys", "none", "delete them");
        });
        assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["fine", "weak"]);
        let [finding] = findings.0.as_slice() else { unreachable!("one is weak") };
        assert_eq!(finding.drift[0].field, "weak");
        assert_eq!(finding.withheld.as_deref(), Some("delete them"));
    }
}
