//! What evenkeel can keep in its declared state: one file a kind, grouped by AWS service.
//!
//! A kind supplies facts and single writes; order, retries, modes, exceptions, rendering, audit,
//! permissions and documentation are made from them elsewhere, once for all kinds. Kinds know
//! nothing of plans, queues, stores or the command line.

pub mod calls;
pub mod change;
pub mod charge;
pub mod claim;
pub mod compared;
pub mod context;
mod control;
pub mod describe;
pub mod erased;
pub(crate) mod merged;
mod misread;
pub mod object;
mod organization;
pub mod own;
mod pattern;
pub mod registry;
pub mod shapes;
pub mod spec;
pub mod stricter;
pub mod tags;
mod together;
pub mod write_error;

mod accessanalyzer;
mod cloudtrail;
mod cloudwatch;
mod config;
mod detective;
mod ec2;
mod ecr;
mod events;
mod guardduty;
mod iam;
mod inspector2;
pub(crate) mod kms;
mod logs;
mod macie2;
mod route53resolver;
mod s3;
mod securityhub;
mod sns;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use calls::{Allowed, Arns, Touches, Use};
pub use change::{AllowedGrants, Change, Drift, FieldDrift, Grant, GrantClass, Needs, Risk, Undo};
pub use charge::Charge;
pub use claim::Claim;
pub use context::{Cx, Facts, WriteCx};
pub use control::{Controls, Framework};
pub use object::{Object, ObserveError, Status, Unknown, count, known, told};
pub use stricter::Stricter;
pub use write_error::{Made, WriteError, sendable};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::names::Region;

/// The kind without which no event tells of any call: its drift is critical.
pub const TRAIL: &str = "cloudtrail.trail";

/// Where a kind's objects live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Once per account; observed and written in the home Region.
    Global,
    /// Once per account and Region.
    Regional,
}

/// The fields of a spec that find one object.
pub type Found = Map<String, Value>;

/// A type of declared state, such as `iam.password_policy`.
///
/// The doc comment of `Spec` is the kind's page in the documentation, the doc comments of its
/// fields are the table of fields.
pub trait Kind: Send + Sync + 'static {
    /// `service.thing`, in snake_case; the service is AWS's own short name.
    const NAME: &'static str;
    /// Where its objects live.
    const SCOPE: Scope;
    /// How its items are told apart.
    const IDENTITY: Identity;
    /// The field of a global kind that names the Region of its object, where it has one; the home Region
    /// where it is not declared.
    const REGION: Option<&'static str> = None;
    /// The fields in which an ARN must be one of the Region of the object.
    const IN_REGION: &'static [&'static str] = &[];
    /// Kinds whose objects must be in place first, where no reference in the baseline says so.
    const AFTER: &'static [&'static str] = &[];
    /// The compliance items that it serves.
    const CONTROLS: Controls;
    /// All its calls, with the specs that need them and, for writes, with their resources:
    /// permissions, and the events after which its objects are looked at again, come from here.
    const CALLS: &'static [Use<Self::Spec>];
    /// Those of its writes that others wait for who refer to one of its objects; `None` for all. Whoever
    /// delivers to a bucket needs its policy, and not its tags.
    const LENT: Option<&'static [Call]> = None;
    /// CloudTrail events of others, besides those of its own writes, after which its objects must
    /// be looked at again: `source:name`.
    const MORE_EVENTS: &'static [&'static str] = &[];
    /// Baselines in TOML (without header; `${account.id}` where a name must be unique), at least
    /// two that differ in every field. The first is the example in the documentation; going from
    /// one to the other and back is how the property tests exercise the kind.
    const SAMPLES: &'static [&'static str];

    /// The fields of the spec that are no state of an object: they choose objects (a name,
    /// `exclude`) or say how to write (`prevent_destroy`). Every other declared field must be
    /// compared by `diff`, or the object is unknown.
    const NOT_STATE: &'static [&'static str] = &[];

    /// The members of its state that are not the object's own, as JSON pointers in which `*` stands for every
    /// member: what is read of others to judge it, such as the policy of its key, and how it fares, such as
    /// what could not be delivered. Where they are otherwise, nobody has changed the object.
    const BESIDE: &'static [&'static str] = &[];

    /// What AWS gives to all that is new where nothing is declared, as JSON by the field of the spec, more than once
    /// where it may be one or the other: a plan that makes
    /// something says so, and whatever else is there of what a run has made a moment ago, somebody has set.
    const GIVEN: &'static [(&'static str, &'static str)] = &[];

    /// Members of what a call asks for that name another thing than an object of this kind: whoever names one has not
    /// touched it, as with `userName` a root user's key.
    const OF_OTHERS: &'static [&'static str] = &[];

    /// Which way its fields are stricter, where they have a way: a write that leaves an account weaker
    /// than it was says so.
    const STRICTER: &'static [Stricter] = &[];

    /// The sorts of things that `claims` speaks of, such as `KMS key`: without one, nothing is claimed.
    /// What is claimed is looked at even where it is not asked for, and again once something of a sort
    /// was made.
    const CLAIMS: &'static [&'static str] = &[];

    /// What a baseline declares; a field that is `None` is not managed.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What was observed, in the words of the spec.
    type State: Serialize + DeserializeOwned + Send + Sync;
    /// One exact write, as a saved plan stores it.
    type Action: Serialize + DeserializeOwned + Send + Sync;

    /// Rules between fields, which the schema cannot say.
    fn check(_spec: &Self::Spec) -> Vec<SpecProblem> {
        Vec::new()
    }

    /// All its calls, from wherever they are listed.
    fn uses() -> Vec<&'static Use<Self::Spec>> {
        Self::CALLS.iter().collect()
    }

    /// The calls of one write: itself, reads inside it, and what AWS asks for besides.
    fn calls(action: &Self::Action) -> Vec<Call>;

    /// What the item of a named kind governs, where its name alone does not say it: two items of a
    /// kind for which this is the same govern one object, whatever way they are written. Where it is not
    /// known yet whose objects they are, the spec holds placeholders as they are written and need not
    /// fit its type, and `home`, the home Region of the account, is missing.
    fn governs(_spec: &Value, _home: Option<&Region>) -> Option<String> {
        None
    }

    /// What an object turned out to be, once AWS has shown it: two items that claim one thing, or say
    /// different things of it, contradict each other, and neither is judged.
    fn claims(_facts: &Facts, _spec: &Self::Spec, _object: &Object<Self::State>) -> Vec<Claim> {
        Vec::new()
    }

    /// Reads the objects that an item governs in one account and Region. Never writes.
    ///
    /// # Errors
    /// When not even the list of objects could be read; an error with a single object is that
    /// object's [`Status::Unknown`].
    fn observe(
        cx: &Cx,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Vec<Object<Self::State>>, ObserveError>> + Send;

    /// Reads one of the objects that an item governs, directly before it is written: `None` when it
    /// is not among them any more. An item of many objects should read this one alone.
    ///
    /// # Errors
    /// As `observe`.
    fn observe_one(
        cx: &Cx,
        spec: &Self::Spec,
        id: &str,
    ) -> impl Future<Output = Result<Option<Object<Self::State>>, ObserveError>> + Send {
        async move { Ok(Self::observe(cx, spec).await?.into_iter().find(|object| object.id == id)) }
    }

    /// The writes that bring an object to its declared state, in the order to be done; empty when
    /// it is there. Pure: no clock, no network. Called for present and absent objects only.
    fn diff(
        facts: &Facts,
        spec: &Self::Spec,
        object: &Object<Self::State>,
    ) -> Vec<Change<Self::Action>>;

    /// Does one write. Decides nothing.
    ///
    /// # Errors
    /// What AWS answered.
    fn apply(
        cx: &WriteCx,
        action: &Self::Action,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Whether a planned write does what another, which is needed now, would do: AWS may keep what both start
    /// from in another form than it was written in, and what the plan only names may be there by now.
    fn is_same_write(_planned: &Self::Action, _now: &Self::Action) -> bool {
        false
    }

    /// The write that takes `action` back, given what was there before it. Pure.
    fn undo(action: &Self::Action, before: &Object<Self::State>) -> Undo<Self::Action>;

    /// The objects of a named kind that are there and that somebody could declare, for `export`:
    /// the fields of the spec that find each. AWS's own objects are left out. Singletons and sweeps
    /// have none. `regions` are those that a global kind may have to look into.
    fn find_all(
        _cx: &Cx,
        _regions: &BTreeSet<Region>,
    ) -> impl Future<Output = Result<Vec<Found>, ObserveError>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// The spec that declares just what was observed: planning it changes nothing. `None` when
    /// there is nothing to declare.
    fn export(facts: &Facts, object: &Object<Self::State>) -> Option<Self::Spec>;

    /// The spec that says what held, also while nobody had set anything, by which the way back to it is
    /// judged. `None` where no spec says that.
    fn as_it_was(facts: &Facts, object: &Object<Self::State>) -> Option<Self::Spec> {
        Self::export(facts, object)
    }

    /// Whether what `as_it_was` says is all that is there: where it is not, two that it says the same of may differ.
    fn is_told_whole(_object: &Object<Self::State>) -> bool {
        true
    }

    /// What other objects may call this one, besides the field that names it: its ids and ARNs.
    /// `export` tries to write a reference instead of them.
    fn other_names(_facts: &Facts, _object: &Object<Self::State>) -> Vec<String> {
        Vec::new()
    }
}
