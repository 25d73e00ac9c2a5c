//! A setting: one record for each account, or account and Region, that is read whole and written
//! whole.
//!
//! One type says it all. In a baseline its optional fields are those that somebody declares; what was
//! observed, and what is written, has every field. The shape insists on that: a record with a gap is
//! unknown when it was read, and refused when it is to be written. Comparing lays the declared fields
//! over what is there, all of them, so that none can be forgotten; undoing puts back the record that
//! was there before.

use std::any::TypeId;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Kind, Object, ObserveError, Scope, Status, Stricter, Undo,
    Use, WriteCx, WriteError,
};

/// A kind of one record that AWS reads and writes whole. [`Whole`] makes a [`Kind`] of it; what is
/// named as there is meant as there.
pub trait Setting: Send + Sync + 'static {
    /// `service.thing`.
    const NAME: &'static str;
    /// Where it lives.
    const SCOPE: Scope;
    /// Kinds that come first.
    const AFTER: &'static [&'static str] = &[];
    /// The compliance items that it serves.
    const CONTROLS: Controls;
    /// All its calls.
    const CALLS: &'static [Use<Self::Record>];
    /// The call that goes back to "not set", where AWS has one.
    const CLEAR: Option<Call> = None;
    /// Events of others, besides those of its own writes.
    const MORE_EVENTS: &'static [&'static str] = &[];
    /// Which way its fields are stricter, where they have a way.
    const STRICTER: &'static [Stricter] = &[];
    /// Sample baselines.
    const SAMPLES: &'static [&'static str];

    /// The record: what is declared, what is observed and what is written. Fields are optional unless
    /// the kind makes no sense without them.
    type Record: Record;

    /// Rules between fields, which the schema cannot say.
    fn check(_declared: &Self::Record) -> Vec<SpecProblem> {
        Vec::new()
    }

    /// Reads the record, with all its fields.
    ///
    /// # Errors
    /// What AWS answered, or did not say.
    fn read(cx: &Cx) -> impl Future<Output = Result<Object<Self::Record>, ObserveError>> + Send;

    /// What holds while nobody has set it.
    fn unset(declared: &Self::Record) -> Unset<Self::Record> {
        Unset::Nothing { first: declared.clone() }
    }

    /// Adds what the reader must know of a write: risk, warnings, rises of privileges. `now` is `None`
    /// where nothing is there and no record says what holds.
    fn judge(
        change: Change<Write<Self::Record>>,
        _now: Option<&Self::Record>,
        _then: &Self::Record,
    ) -> Change<Write<Self::Record>> {
        change
    }

    /// The call that writes a record.
    fn call(then: &Self::Record) -> Call;

    /// Writes a record, which has all its fields.
    ///
    /// # Errors
    /// What AWS answered.
    fn put(
        cx: &WriteCx,
        then: &Self::Record,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Goes back to "not set" from `now`, by the call [`CLEAR`](Self::CLEAR).
    ///
    /// # Errors
    /// What AWS answered.
    fn clear(
        _cx: &WriteCx,
        _now: &Self::Record,
    ) -> impl Future<Output = Result<(), WriteError>> + Send {
        std::future::ready(Err(WriteError::Unsendable(NO_CLEAR.to_owned())))
    }
}

/// What a record must be able to do.
pub trait Record:
    Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static
{
}
impl<R: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static> Record for R {}

/// What holds while nobody has set a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Unset<R> {
    /// The same as if somebody had set this record.
    SameAs(R),
    /// What no record says. The first write makes this record, with what is declared in its place.
    Nothing {
        /// The whole record.
        first: R,
    },
}

/// The writes of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Write<R> {
    /// Writes the whole record.
    Put {
        /// All its fields.
        record: R,
    },
    /// Goes back to "not set"; only to undo the first write.
    Clear {
        /// The record that was written.
        record: R,
    },
}

impl<R> Write<R> {
    fn record(&self) -> &R {
        match self {
            Self::Put { record } | Self::Clear { record } => record,
        }
    }
}

const NO_CLEAR: &str = "AWS has no call that goes back to \"not set\"";

/// The kind that a [`Setting`] is.
#[derive(Debug)]
pub struct Whole<S>(PhantomData<fn() -> S>);

impl<S: Setting> Kind for Whole<S> {
    const NAME: &'static str = S::NAME;
    const SCOPE: Scope = S::SCOPE;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = S::AFTER;
    const CONTROLS: Controls = S::CONTROLS;
    const CALLS: &'static [Use<S::Record>] = S::CALLS;
    const MORE_EVENTS: &'static [&'static str] = S::MORE_EVENTS;
    const STRICTER: &'static [Stricter] = S::STRICTER;
    const SAMPLES: &'static [&'static str] = S::SAMPLES;

    type Spec = S::Record;
    type State = S::Record;
    type Action = Write<S::Record>;

    fn check(spec: &S::Record) -> Vec<SpecProblem> {
        S::check(spec)
    }

    fn calls(action: &Write<S::Record>) -> Vec<Call> {
        match action {
            Write::Put { record } => vec![S::call(record)],
            Write::Clear { .. } => S::CLEAR.into_iter().collect(),
        }
    }

    async fn observe(cx: &Cx, _spec: &S::Record) -> Result<Vec<Object<S::Record>>, ObserveError> {
        let object = S::read(cx).await?;
        match object.state().and_then(gap) {
            Some(field) => Err(ObserveError::Untold { field }),
            None => Ok(vec![object]),
        }
    }

    fn diff(
        _facts: &Facts,
        spec: &S::Record,
        object: &Object<S::Record>,
    ) -> Vec<Change<Write<S::Record>>> {
        let laid = match (object.state(), S::unset(spec)) {
            (Some(now), _) => lay_over(Some(now.clone()), now, spec),
            (None, Unset::SameAs(now)) => lay_over(Some(now.clone()), &now, spec),
            // What nobody declares is not made.
            (None, Unset::Nothing { .. }) if declared(spec).is_empty() => None,
            (None, Unset::Nothing { first }) => lay_over(None, &first, spec),
        };
        let Some(Laid { now, then, drift, added }) = laid else { return Vec::new() };
        if drift.is_empty() {
            return Vec::new();
        }
        let mut change = Change::new(Write::Put { record: then.clone() }, drift);
        if !added.is_empty() {
            change = change.warn(format!(
                "there is no {} yet, and AWS makes one as a whole; not declared: {}",
                S::NAME.rsplit('.').next().unwrap_or_default().replace('_', " "),
                added.join(", ")
            ));
        }
        vec![S::judge(change, now.as_ref(), &then)]
    }

    async fn apply(cx: &WriteCx, action: &Write<S::Record>) -> Result<(), WriteError> {
        if let Some(field) = gap(action.record()) {
            return Err(WriteError::Unsendable(format!("the plan does not say {field}")));
        }
        match action {
            Write::Put { record } => S::put(cx, record).await,
            Write::Clear { record } => S::clear(cx, record).await,
        }
    }

    fn undo(action: &Write<S::Record>, before: &Object<S::Record>) -> Undo<Write<S::Record>> {
        match (&before.status, S::CLEAR) {
            (Status::Present(record), _) => Undo::By(vec![Write::Put { record: record.clone() }]),
            (Status::Absent, Some(_)) => {
                Undo::By(vec![Write::Clear { record: action.record().clone() }])
            }
            (Status::Absent, None) => Undo::Impossible(NO_CLEAR.to_owned()),
            (Status::Unknown(_) | Status::Skipped { .. }, _) => {
                Undo::Impossible("what was there before was not observed".to_owned())
            }
        }
    }

    fn export(_facts: &Facts, object: &Object<S::Record>) -> Option<S::Record> {
        object.state().cloned()
    }

    fn as_it_was(_facts: &Facts, object: &Object<S::Record>) -> Option<S::Record> {
        match &object.status {
            Status::Present(record) => Some(record.clone()),
            Status::Absent => {
                let nothing = serde_json::from_value(Value::Object(Map::new())).ok()?;
                match S::unset(&nothing) {
                    Unset::SameAs(record) | Unset::Nothing { first: record } => Some(record),
                }
            }
            Status::Unknown(_) | Status::Skipped { .. } => None,
        }
    }
}

/// A record with the declared fields laid over it.
struct Laid<R> {
    now: Option<R>,
    then: R,
    drift: Drift,
    /// The fields that nobody declared of a record that is not there yet.
    added: Vec<String>,
}

/// Lays the declared fields over `base`, and compares each with `now`. `None` when they do not fit
/// together: nothing is compared then, so that what is declared is unknown.
fn lay_over<R: Record>(now: Option<R>, base: &R, spec: &R) -> Option<Laid<R>> {
    let wanted = declared(spec);
    let mut fields = fields(base);
    for (field, value) in &wanted {
        fields.insert(field.clone(), value.clone());
    }
    let then = serde_json::from_value(Value::Object(fields.clone())).ok()?;
    let there = now.as_ref().map(declared);
    let (mut drift, mut added) = (Drift::new(), Vec::new());
    for (field, value) in &fields {
        match (&there, wanted.get(field)) {
            (Some(there), Some(wanted)) => {
                // What AWS did not say is not compared.
                if let Some(actual) = there.get(field) {
                    drift.compare(field, Some(actual), Some(wanted));
                }
            }
            (Some(_), None) => {}
            (None, wanted) => {
                drift.add(field, None::<&Value>, Some(value));
                if wanted.is_none() {
                    added.push(field.clone());
                }
            }
        }
    }
    Some(Laid { now, then, drift, added })
}

/// All fields of a record, also those that its type leaves out when they say nothing.
fn fields<R: Record>(record: &R) -> Map<String, Value> {
    let mut fields = match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for name in names::<R>().iter() {
        fields.entry(name).or_insert(Value::Null);
    }
    fields
}

/// The names of all fields, by the type of the record.
static NAMES: LazyLock<RwLock<HashMap<TypeId, Arc<[String]>>>> = LazyLock::new(RwLock::default);

/// The names of all fields of a type, from its schema, which is made once.
fn names<R: Record>() -> Arc<[String]> {
    let of = TypeId::of::<R>();
    if let Some(names) = NAMES.read().unwrap_or_else(PoisonError::into_inner).get(&of) {
        return Arc::clone(names);
    }
    let schema = schemars::schema_for!(R);
    let properties = schema.get("properties").and_then(Value::as_object);
    let names: Arc<[String]> = properties.into_iter().flat_map(Map::keys).cloned().collect();
    let mut all = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(of).or_insert(names))
}

/// The fields of a record that say something.
fn declared<R: Record>(record: &R) -> Map<String, Value> {
    let mut fields = fields(record);
    fields.retain(|_, value| !value.is_null());
    fields
}

/// The first field of a record that says nothing.
fn gap<R: Record>(record: &R) -> Option<String> {
    fields(record).into_iter().find(|(_, value)| value.is_null()).map(|(field, _)| field)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kinds::calls::everywhere;
    use crate::kinds::erased::erase;
    use serde_json::json;

    const PUT: Call = Call::new("iam", "PutLamp");

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Lamp {
        on: Option<bool>,
        colour: Option<String>,
    }

    /// A setting with or without a record that says what "not set" means.
    struct Lit<const SAME: bool>;

    impl<const SAME: bool> Setting for Lit<SAME> {
        const NAME: &'static str = "iam.night_lamp";
        const SCOPE: Scope = Scope::Global;
        const CONTROLS: Controls = Controls { ..Controls::NONE };
        const CALLS: &'static [Use<Lamp>] = &[Use::write(PUT, everywhere)];
        const CLEAR: Option<Call> = if SAME { None } else { Some(Call::new("iam", "DeleteLamp")) };
        const SAMPLES: &'static [&'static str] = &[];
        type Record = Lamp;

        async fn read(_cx: &Cx) -> Result<Object<Lamp>, ObserveError> {
            Ok(Object::absent(""))
        }

        fn unset(_declared: &Lamp) -> Unset<Lamp> {
            match SAME {
                true => Unset::SameAs(lamp(false, "red")),
                false => Unset::Nothing { first: lamp(false, "red") },
            }
        }

        fn call(_then: &Lamp) -> Call {
            PUT
        }

        async fn put(_cx: &WriteCx, _then: &Lamp) -> Result<(), WriteError> {
            Ok(())
        }
    }

    fn lamp(on: bool, colour: &str) -> Lamp {
        Lamp { on: Some(on), colour: Some(colour.to_owned()) }
    }

    fn diff<const SAME: bool>(spec: &Lamp, object: &Object<Lamp>) -> Vec<Change<Write<Lamp>>> {
        Whole::<Lit<SAME>>::diff(&Facts::example("iam.night_lamp"), spec, object)
    }

    #[test]
    fn what_is_not_declared_stays_and_every_declared_field_is_compared() {
        let spec = Lamp { on: Some(true), colour: None };
        let there = Object::present("", lamp(false, "green"));
        let changes = diff::<true>(&spec, &there);
        assert_eq!(changes[0].action, Some(Write::Put { record: lamp(true, "green") }));
        assert_eq!(changes[0].drift.len(), 1);
        assert!(diff::<true>(&lamp(false, "green"), &there).is_empty());
    }

    #[test]
    fn a_declared_field_that_aws_did_not_say_is_unknown() {
        let kind = erase::<Whole<Lit<true>>>();
        let facts = Facts::example("iam.night_lamp");
        let with_a_gap = Object::present("", json!({ "on": true, "colour": null }));
        let judged = |spec: Value| kind.diff(&facts, &spec, &with_a_gap);
        assert!(judged(json!({ "on": true })).unwrap().is_empty());
        assert!(judged(json!({ "on": true, "colour": "red" })).is_err());
    }

    #[test]
    fn nothing_there_is_a_record_or_none() {
        let (dark, lit) = (lamp(false, "red"), Lamp { on: Some(true), colour: None });
        assert!(diff::<true>(&dark, &Object::absent("")).is_empty());
        let change = diff::<true>(&lit, &Object::absent("")).remove(0);
        assert_eq!((change.drift.len(), change.warnings.len()), (1, 0));
        let change = diff::<false>(&dark, &Object::absent("")).remove(0);
        assert_eq!((change.drift.len(), change.warnings.len()), (2, 0));
        let change = diff::<false>(&lit, &Object::absent("")).remove(0);
        assert_eq!(change.action, Some(Write::Put { record: lamp(true, "red") }));
        assert_eq!(
            change.warnings,
            ["there is no night lamp yet, and AWS makes one as a whole; not declared: colour"]
        );
        assert!(diff::<false>(&Lamp::default(), &Object::absent("")).is_empty());
    }

    #[test]
    fn undo_puts_back_all_of_what_was_there() {
        let put = Write::Put { record: lamp(true, "red") };
        let before = Object::present("", lamp(false, "green"));
        assert_eq!(
            Whole::<Lit<false>>::undo(&put, &before),
            Undo::By(vec![Write::Put { record: lamp(false, "green") }])
        );
        assert_eq!(
            Whole::<Lit<false>>::undo(&put, &Object::absent("")),
            Undo::By(vec![Write::Clear { record: lamp(true, "red") }])
        );
        let undo = Whole::<Lit<true>>::undo(&put, &Object::absent(""));
        assert_eq!(undo, Undo::Impossible(NO_CLEAR.to_owned()));
    }

    #[test]
    fn a_record_with_a_gap_is_found() {
        assert_eq!(gap(&Lamp { on: Some(true), colour: None }).as_deref(), Some("colour"));
        assert_eq!(gap(&lamp(true, "red")), None);
        /// A type that hides what it does not say.
        #[serde_with::skip_serializing_none]
        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        struct Shy {
            secret: Option<bool>,
        }
        assert_eq!(gap(&Shy { secret: None }).as_deref(), Some("secret"));
        assert_eq!(gap(&Shy { secret: Some(false) }), None);
    }
}
