//! The twin of [`Kind`] without types, so that one list can hold all kinds: specs, states and
//! actions are JSON values here, in the shape that snapshots and saved plans store.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use async_trait::async_trait;
use serde_json::Value;

use super::calls::{self, Needed, Touches};
use super::change::{Change, Undo};
use super::claim::Claim;
use super::compared;
use super::context::{Cx, Facts, WriteCx};
use super::misread;
use super::object::{Cause, Object, ObserveError, Status, Unknown};
use super::stricter::Stricter;
use super::write_error::WriteError;
use super::{Arns, Controls, Found, Kind, Scope};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::names::Region;

/// A stored spec, state or action does not fit its kind; it was edited, or made by another version.
#[derive(Debug, thiserror::Error)]
#[error("the stored {what} of {kind} does not fit this version of evenkeel: {source}")]
pub struct Misfit {
    what: &'static str,
    kind: &'static str,
    source: serde_json::Error,
}

/// Why an object cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The spec or state is not one of this kind's.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A declared field was not compared with what is there: a fault of the kind, which must not
    /// look like agreement.
    #[error("nobody can say whether {} of {kind} is as declared: what AWS says of it cannot be compared", fields.join(", "))]
    NotCompared {
        /// The kind.
        kind: &'static str,
        /// The declared fields.
        fields: Vec<String>,
    },
}

impl From<Misfit> for Unknown {
    fn from(misfit: Misfit) -> Self {
        Self {
            reason: misfit.to_string(),
            permission: None,
            remedy: Some(
                "it was edited, or made by another version of evenkeel: make it again with this one"
                    .to_owned(),
            ),
            cause: Cause::Unjudged,
        }
    }
}

impl From<DiffError> for Unknown {
    fn from(error: DiffError) -> Self {
        let reason = error.to_string();
        match error {
            DiffError::Misfit(misfit) => misfit.into(),
            DiffError::NotCompared { .. } => Self {
                reason,
                permission: None,
                remedy: Some(
                    "look at it in AWS; when nothing is wrong there, report this line, and take the field out of the baseline until it is mended"
                        .to_owned(),
                ),
                cause: Cause::Unjudged,
            },
        }
    }
}

/// Why an erased write failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It was not done.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The action is not one of this kind's.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// Why an erased observation failed.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The observation failed.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The spec is not one of this kind's.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// A kind whose types are erased. See [`Kind`] for what each part means.
#[async_trait]
pub trait DynKind: Send + Sync {
    /// `service.thing`.
    fn name(&self) -> &'static str;
    /// Where its type stands in the code.
    #[cfg(test)]
    fn path(&self) -> &'static str;
    /// Where its objects live.
    fn scope(&self) -> Scope;
    /// How its items are told apart.
    fn identity(&self) -> Identity;
    /// The field that names its object's Region.
    fn region_field(&self) -> Option<&'static str>;
    /// The fields in which an ARN must be one of the Region of the object.
    fn in_region(&self) -> &'static [&'static str];
    /// Kinds that come first.
    fn after(&self) -> &'static [&'static str];
    /// The compliance items that it serves.
    fn controls(&self) -> Controls;
    /// The events after which it is looked at again.
    fn events(&self) -> Vec<String>;
    /// The events of its own writes.
    fn own_events(&self) -> Vec<String>;
    /// The events of one write.
    ///
    /// # Errors
    /// The action is not one of this kind's.
    fn events_of(&self, action: &Value) -> Result<Vec<String>, Misfit>;
    /// What a call, by the name of its event, does to what a spec declares.
    fn touches(&self, event: &str, spec: &Value) -> Touches;
    /// The fields of a spec that are no state of an object.
    fn not_state(&self) -> &'static [&'static str];
    /// The members of its state that are not the object's own.
    fn beside(&self) -> &'static [&'static str];
    /// What AWS gives to all that is new where nothing is declared: fields of the spec, and JSON.
    fn given(&self) -> &'static [(&'static str, &'static str)];
    /// Members of what a call asks for that name another thing than an object of the kind.
    fn of_others(&self) -> &'static [&'static str];
    /// Sample baselines.
    fn samples(&self) -> &'static [&'static str];
    /// JSON Schema of the spec.
    fn schema(&self) -> Value;
    /// Rules between fields; a spec that does not fit gives one problem.
    fn check(&self, spec: &Value) -> Vec<SpecProblem>;
    /// The IAM actions that a spec could ever need, and on what.
    ///
    /// # Errors
    /// The spec is not one of this kind's.
    fn needed(&self, spec: &Value, arns: &Arns) -> Result<Needed, Misfit>;
    /// What a spec and the way back from it need.
    ///
    /// # Errors
    /// The spec is not one of this kind's.
    fn needed_with_rollback(&self, spec: &Value, arns: &Arns) -> Result<Needed, Misfit>;
    /// IAM actions of one write.
    ///
    /// # Errors
    /// The action is not one of this kind's.
    fn writes(&self, action: &Value) -> Result<Vec<String>, Misfit>;
    /// Whether those who refer to its object wait for a write.
    ///
    /// # Errors
    /// The action is not one of this kind's.
    fn is_lent(&self, action: &Value) -> Result<bool, Misfit>;
    /// What an item governs, in one form whatever way it is written; `None` where the kind is declared
    /// once, or the spec is not one of this kind's.
    fn governs(&self, spec: &Value, home: Option<&Region>) -> Option<String>;
    /// Which way its fields are stricter.
    fn stricter(&self) -> &'static [Stricter];
    /// The sorts of things that its objects claim.
    fn claimed(&self) -> &'static [&'static str];
    /// What an object turned out to be.
    ///
    /// # Errors
    /// The spec or state is not one of this kind's.
    fn claims(
        &self,
        facts: &Facts,
        spec: &Value,
        object: &Object<Value>,
    ) -> Result<Vec<Claim>, Misfit>;
    /// Reads the objects.
    async fn observe(&self, cx: &Cx, spec: &Value) -> Result<Vec<Object<Value>>, LookError>;
    /// Reads one of the objects.
    async fn observe_one(
        &self,
        cx: &Cx,
        spec: &Value,
        id: &str,
    ) -> Result<Option<Object<Value>>, LookError>;
    /// The changes that an object needs.
    ///
    /// # Errors
    /// The spec or state is not one of this kind's.
    fn diff(
        &self,
        facts: &Facts,
        spec: &Value,
        object: &Object<Value>,
    ) -> Result<Vec<Change<Value>>, DiffError>;
    /// Does one write.
    async fn apply(&self, cx: &WriteCx, action: &Value) -> Result<(), ApplyError>;
    /// Whether two writes do the same.
    ///
    /// # Errors
    /// One of them is not one of this kind's.
    fn is_same_write(&self, planned: &Value, now: &Value) -> Result<bool, Misfit>;
    /// The writes that take one back.
    ///
    /// # Errors
    /// The action or state is not one of this kind's.
    fn undo(&self, action: &Value, before: &Object<Value>) -> Result<Undo<Value>, Misfit>;
    /// What is there of a named kind: the fields that find each object.
    async fn find_all(
        &self,
        cx: &Cx,
        regions: &BTreeSet<Region>,
    ) -> Result<Vec<Found>, ObserveError>;
    /// The spec that declares what was observed.
    ///
    /// # Errors
    /// The state is not one of this kind's.
    fn export(&self, facts: &Facts, object: &Object<Value>) -> Result<Option<Value>, Misfit>;
    /// The spec that says what held, also while nobody had set anything.
    ///
    /// # Errors
    /// The state is not one of this kind's.
    fn as_it_was(&self, facts: &Facts, object: &Object<Value>) -> Result<Option<Value>, Misfit>;
    /// Whether what `as_it_was` says is all that is there.
    ///
    /// # Errors
    /// The state is not one of this kind's.
    fn is_told_whole(&self, object: &Object<Value>) -> Result<bool, Misfit>;
    /// What other objects may call this one.
    ///
    /// # Errors
    /// The state is not one of this kind's.
    fn other_names(&self, facts: &Facts, object: &Object<Value>) -> Result<Vec<String>, Misfit>;
}

/// A kind for the registry.
pub fn erase<K: Kind>() -> Box<dyn DynKind> {
    Box::new(Erased::<K>(PhantomData))
}

struct Erased<K>(PhantomData<fn() -> K>);

impl<K: Kind> Erased<K> {
    fn read<T: serde::de::DeserializeOwned>(
        what: &'static str,
        value: &Value,
    ) -> Result<T, Misfit> {
        T::deserialize(value).map_err(|source| Misfit { what, kind: K::NAME, source })
    }

    /// The declared fields that a comparison left out.
    fn not_compared(spec: &Value, seen: &BTreeSet<String>) -> Vec<String> {
        let declared = spec.as_object().into_iter().flatten();
        declared
            .filter(|(field, value)| {
                !value.is_null()
                    && !seen.contains(compared::ALL)
                    && !seen.contains(*field)
                    && !K::NOT_STATE.contains(&field.as_str())
            })
            .map(|(field, _)| field.clone())
            .collect()
    }

    fn write<T: serde::Serialize>(what: &'static str, value: &T) -> Result<Value, Misfit> {
        serde_json::to_value(value).map_err(|source| Misfit { what, kind: K::NAME, source })
    }

    fn typed(object: &Object<Value>) -> Result<Object<K::State>, Misfit> {
        let status = match &object.status {
            Status::Present(state) => Status::Present(Self::read("state", state)?),
            Status::Absent => Status::Absent,
            Status::Unknown(unknown) => Status::Unknown(unknown.clone()),
            Status::Skipped { reason } => Status::Skipped { reason: reason.clone() },
        };
        Ok(Object {
            id: object.id.clone(),
            label: object.label.clone(),
            managed_by: object.managed_by.clone(),
            status,
        })
    }

    fn untyped(object: Object<K::State>) -> Result<Object<Value>, Misfit> {
        let status = match object.status {
            Status::Present(state) => Status::Present(Self::write("state", &state)?),
            Status::Absent => Status::Absent,
            Status::Unknown(unknown) => Status::Unknown(unknown),
            Status::Skipped { reason } => Status::Skipped { reason },
        };
        Ok(Object { id: object.id, label: object.label, managed_by: object.managed_by, status })
    }
}

/// A spec as a baseline can say it: what is not declared is not there, for TOML has no null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(field, value)| (field, without_nulls(value)))
                .collect(),
        ),
        Value::Array(entries) => Value::Array(entries.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[async_trait]
impl<K: Kind> DynKind for Erased<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    #[cfg(test)]
    fn path(&self) -> &'static str {
        std::any::type_name::<K>()
    }

    fn scope(&self) -> Scope {
        K::SCOPE
    }

    fn region_field(&self) -> Option<&'static str> {
        K::REGION
    }

    fn in_region(&self) -> &'static [&'static str] {
        K::IN_REGION
    }

    fn identity(&self) -> Identity {
        K::IDENTITY
    }

    fn after(&self) -> &'static [&'static str] {
        K::AFTER
    }

    fn controls(&self) -> Controls {
        K::CONTROLS
    }

    fn events(&self) -> Vec<String> {
        calls::events(K::uses(), K::MORE_EVENTS)
    }

    fn own_events(&self) -> Vec<String> {
        calls::events(K::uses(), &[])
    }

    fn events_of(&self, action: &Value) -> Result<Vec<String>, Misfit> {
        let calls = K::calls(&Self::read("action", action)?);
        Ok(calls.iter().map(|call| call.event()).collect())
    }

    fn touches(&self, event: &str, spec: &Value) -> Touches {
        calls::touches(K::uses(), event, Self::read("spec", spec).ok().as_ref())
    }

    fn not_state(&self) -> &'static [&'static str] {
        K::NOT_STATE
    }

    fn beside(&self) -> &'static [&'static str] {
        K::BESIDE
    }

    fn given(&self) -> &'static [(&'static str, &'static str)] {
        K::GIVEN
    }

    fn of_others(&self) -> &'static [&'static str] {
        K::OF_OTHERS
    }

    fn samples(&self) -> &'static [&'static str] {
        K::SAMPLES
    }

    fn schema(&self) -> Value {
        schemars::schema_for!(K::Spec).to_value()
    }

    fn check(&self, spec: &Value) -> Vec<SpecProblem> {
        match serde_path_to_error::deserialize::<_, K::Spec>(spec) {
            Ok(spec) => K::check(&spec),
            Err(error) => vec![misread::problem(spec, &error)],
        }
    }

    fn needed(&self, spec: &Value, arns: &Arns) -> Result<Needed, Misfit> {
        Ok(calls::needed(K::uses(), &Self::read("spec", spec)?, arns, false))
    }

    fn needed_with_rollback(&self, spec: &Value, arns: &Arns) -> Result<Needed, Misfit> {
        Ok(calls::needed(K::uses(), &Self::read("spec", spec)?, arns, true))
    }

    fn writes(&self, action: &Value) -> Result<Vec<String>, Misfit> {
        let calls = K::calls(&Self::read("action", action)?);
        Ok(calls.iter().map(|call| call.iam_action().into_owned()).collect())
    }

    fn is_lent(&self, action: &Value) -> Result<bool, Misfit> {
        let calls = K::calls(&Self::read("action", action)?);
        Ok(K::LENT.is_none_or(|lent| calls.iter().any(|call| lent.contains(call))))
    }

    fn governs(&self, spec: &Value, home: Option<&Region>) -> Option<String> {
        let Identity::Named { field, .. } = K::IDENTITY else { return None };
        K::governs(spec, home)
            .or_else(|| spec.get(field).and_then(Value::as_str).map(str::to_owned))
    }

    fn stricter(&self) -> &'static [Stricter] {
        K::STRICTER
    }

    fn claimed(&self) -> &'static [&'static str] {
        K::CLAIMS
    }

    fn claims(
        &self,
        facts: &Facts,
        spec: &Value,
        object: &Object<Value>,
    ) -> Result<Vec<Claim>, Misfit> {
        if K::CLAIMS.is_empty() {
            return Ok(Vec::new());
        }
        Ok(K::claims(facts, &Self::read("spec", spec)?, &Self::typed(object)?))
    }

    async fn observe(&self, cx: &Cx, spec: &Value) -> Result<Vec<Object<Value>>, LookError> {
        let spec = Self::read("spec", spec)?;
        let objects = K::observe(cx, &spec).await?;
        Ok(objects.into_iter().map(Self::untyped).collect::<Result<_, _>>()?)
    }

    async fn observe_one(
        &self,
        cx: &Cx,
        spec: &Value,
        id: &str,
    ) -> Result<Option<Object<Value>>, LookError> {
        let spec = Self::read("spec", spec)?;
        let object = K::observe_one(cx, &spec, id).await?;
        Ok(object.map(Self::untyped).transpose()?)
    }

    fn diff(
        &self,
        facts: &Facts,
        spec: &Value,
        object: &Object<Value>,
    ) -> Result<Vec<Change<Value>>, DiffError> {
        let (typed_spec, typed) = (Self::read("spec", spec)?, Self::typed(object)?);
        let (changes, seen) = compared::during(|| K::diff(facts, &typed_spec, &typed));
        let changes: Vec<Change<Value>> = changes
            .into_iter()
            .map(|change| change.try_map(|action| Self::write("action", &action)))
            .collect::<Result<_, _>>()?;
        // What is made anew is made as declared; nothing is compared then. Nor is anything where one
        // finding says that the whole object is missing.
        let is_whole = |one: &Change<Value>| {
            one.action.is_some() || one.drift.iter().any(|drift| drift.field.is_empty())
        };
        let is_said = matches!(object.status, Status::Absent) && changes.iter().any(is_whole);
        let fields = if is_said { Vec::new() } else { Self::not_compared(spec, &seen) };
        match fields.is_empty() {
            true => Ok(changes),
            false => Err(DiffError::NotCompared { kind: K::NAME, fields }),
        }
    }

    async fn apply(&self, cx: &WriteCx, action: &Value) -> Result<(), ApplyError> {
        let action = Self::read("action", action)?;
        Ok(K::apply(cx, &action).await?)
    }

    fn is_same_write(&self, planned: &Value, now: &Value) -> Result<bool, Misfit> {
        Ok(planned == now
            || K::is_same_write(&Self::read("action", planned)?, &Self::read("action", now)?))
    }

    fn undo(&self, action: &Value, before: &Object<Value>) -> Result<Undo<Value>, Misfit> {
        match K::undo(&Self::read("action", action)?, &Self::typed(before)?) {
            Undo::By(actions) => Ok(Undo::By(
                actions
                    .iter()
                    .map(|action| Self::write("action", action))
                    .collect::<Result<_, _>>()?,
            )),
            Undo::Impossible(reason) => Ok(Undo::Impossible(reason)),
        }
    }

    async fn find_all(
        &self,
        cx: &Cx,
        regions: &BTreeSet<Region>,
    ) -> Result<Vec<Found>, ObserveError> {
        K::find_all(cx, regions).await
    }

    fn export(&self, facts: &Facts, object: &Object<Value>) -> Result<Option<Value>, Misfit> {
        let spec = K::export(facts, &Self::typed(object)?);
        spec.map(|spec| Self::write("spec", &spec).map(without_nulls)).transpose()
    }

    fn as_it_was(&self, facts: &Facts, object: &Object<Value>) -> Result<Option<Value>, Misfit> {
        let spec = K::as_it_was(facts, &Self::typed(object)?);
        spec.map(|spec| Self::write("spec", &spec).map(without_nulls)).transpose()
    }

    fn is_told_whole(&self, object: &Object<Value>) -> Result<bool, Misfit> {
        Ok(K::is_told_whole(&Self::typed(object)?))
    }

    fn other_names(&self, facts: &Facts, object: &Object<Value>) -> Result<Vec<String>, Misfit> {
        Ok(K::other_names(facts, &Self::typed(object)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_exported_spec_has_no_nulls() {
        let spec = json!({ "a": null, "b": [{ "c": null, "d": 1 }], "e": { "f": null } });
        assert_eq!(without_nulls(spec), json!({ "b": [{ "d": 1 }], "e": {} }));
    }
}
