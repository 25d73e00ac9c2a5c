//! A part as one of a list: its types are erased.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::{Look, Part, Parted, State, before};
use crate::aws::Call;
use crate::kinds::{Change, Cx, Drift, Facts, Kind, ObserveError, Undo, Use, WriteCx, WriteError};

/// A part whose types are erased, so that one list holds all parts of a kind.
#[async_trait]
pub trait AnyPart<K: Parted>: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its calls.
    fn uses(&self) -> &'static [Use<K::Spec>];
    /// The parts that it needs.
    fn needs(&self) -> &'static [&'static str];
    /// Whether a spec says anything of it.
    fn is_declared(&self, spec: &K::Spec) -> bool;
    /// Reads it.
    async fn read(&self, cx: &Cx, spec: &K::Spec, place: &K::Place) -> Result<Value, ObserveError>;
    /// What differs; nothing, and nothing compared, when it was not read.
    fn diff(&self, look: &Look<'_, K>) -> Vec<Change<Value>>;
    /// The calls of a write.
    ///
    /// # Errors
    /// The write is not one of this part.
    fn calls(&self, write: &Value) -> Result<Vec<Call>, serde_json::Error>;
    /// Does one write.
    async fn write(&self, cx: &WriteCx, place: &K::Place, write: &Value) -> Result<(), WriteError>;
    /// Whether one of its writes that was planned does what another, which is needed now, would do.
    fn is_same(&self, planned: &Value, now: &Value) -> bool;
    /// The writes that put back what was there.
    fn undo(&self, write: &Value, before: Option<&State<K>>) -> Undo<Value>;
    /// Declares what is there.
    fn export(&self, state: &State<K>, spec: &mut K::Spec);
    /// Says what held.
    fn as_it_was(&self, facts: &Facts, state: &State<K>, spec: &mut K::Spec);
}

#[async_trait]
impl<P: Part> AnyPart<P::Of> for P {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn uses(&self) -> &'static [Use<<P::Of as Kind>::Spec>] {
        P::CALLS
    }

    fn needs(&self) -> &'static [&'static str] {
        P::NEEDS
    }

    fn is_declared(&self, spec: &<P::Of as Kind>::Spec) -> bool {
        P::is_declared(spec)
    }

    async fn read(
        &self,
        cx: &Cx,
        spec: &<P::Of as Kind>::Spec,
        place: &<P::Of as Parted>::Place,
    ) -> Result<Value, ObserveError> {
        let now = P::read(cx, spec, place).await?;
        serde_json::to_value(now).map_err(|error| ObserveError::Malformed {
            field: P::NAME.to_owned(),
            problem: error.to_string(),
        })
    }

    fn diff(&self, look: &Look<'_, P::Of>) -> Vec<Change<Value>> {
        let Some(now) = look.now::<P>() else { return Vec::new() };
        let changes = P::diff(look, &now).into_iter();
        changes
            .map(|change| {
                let drift = Drift(change.drift.clone());
                change.try_map(serde_json::to_value).unwrap_or_else(|error| {
                    Change::finding(drift).withhold(format!("the write cannot be kept: {error}"))
                })
            })
            .collect()
    }

    fn calls(&self, write: &Value) -> Result<Vec<Call>, serde_json::Error> {
        Ok(P::calls(&P::Write::deserialize(write)?))
    }

    async fn write(
        &self,
        cx: &WriteCx,
        place: &<P::Of as Parted>::Place,
        write: &Value,
    ) -> Result<(), WriteError> {
        let write = P::Write::deserialize(write)
            .map_err(|error| WriteError::Unsendable(error.to_string()))?;
        P::write(cx, place, &write).await
    }

    fn is_same(&self, planned: &Value, now: &Value) -> bool {
        let read = P::Write::deserialize;
        matches!((read(planned), read(now)), (Ok(planned), Ok(now)) if P::is_same(&planned, &now))
    }

    fn undo(&self, write: &Value, before: Option<&State<P::Of>>) -> Undo<Value> {
        let (Ok(write), Some(before)) = (P::Write::deserialize(write), self::before::<P>(before))
        else {
            return Undo::Impossible("what was there before it is not known".to_owned());
        };
        match P::undo(&write, &before) {
            Undo::By(writes) => writes
                .iter()
                .map(serde_json::to_value)
                .collect::<Result<_, _>>()
                .map_or_else(|error| Undo::Impossible(error.to_string()), Undo::By),
            Undo::Impossible(reason) => Undo::Impossible(reason),
        }
    }

    fn export(&self, state: &State<P::Of>, spec: &mut <P::Of as Kind>::Spec) {
        if let Some(now) = before::<P>(Some(state)) {
            P::export(&now, spec);
        }
    }

    fn as_it_was(&self, facts: &Facts, state: &State<P::Of>, spec: &mut <P::Of as Kind>::Spec) {
        if let Some(now) = before::<P>(Some(state)) {
            P::as_it_was(facts, &now, spec);
        }
    }
}
