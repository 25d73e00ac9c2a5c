//! The tags of an object as a part: read as a whole, some set, some taken away.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::part::{Look, Part, Parted};
use crate::aws::Call;
use crate::kinds::calls::On;
use crate::kinds::tags::{self, TagRules};
use crate::kinds::{Change, Cx, ObserveError, Undo, Use, WriteCx, WriteError};

/// A kind whose objects have tags; the part is [`Tags`], and the field of the spec is called `tags`.
pub trait Tagged: Parted {
    /// What the service takes for tags.
    const RULES: TagRules;
    /// Lists them.
    const LIST: Call;
    /// Sets some.
    const TAG: Call;
    /// Takes some away.
    const UNTAG: Call;
    /// On what they are written.
    const ON: On<Self::Spec>;

    /// The field of the spec.
    fn declared(spec: &Self::Spec) -> Option<&tags::Tags>;

    /// The same, to be filled in.
    fn declared_mut(spec: &mut Self::Spec) -> &mut Option<tags::Tags>;

    /// Reads them, AWS's own left out ([`tags::collect`]).
    ///
    /// # Errors
    /// Nobody can say which there are.
    fn list(
        cx: &Cx,
        place: &Self::Place,
    ) -> impl Future<Output = Result<tags::Tags, ObserveError>> + Send;

    /// Sets some.
    ///
    /// # Errors
    /// What AWS answered.
    fn tag(
        cx: &WriteCx,
        place: &Self::Place,
        tags: &tags::Tags,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Takes some away, by their keys.
    ///
    /// # Errors
    /// What AWS answered.
    fn untag(
        cx: &WriteCx,
        place: &Self::Place,
        keys: Vec<String>,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;
}

/// The part.
pub struct Tags<K>(PhantomData<fn() -> K>);

impl<K> Tags<K> {
    /// The part of a kind.
    pub const PART: Self = Self(PhantomData);
}

/// One write of tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Sets these.
    Set(tags::Tags),
    /// Takes these away; the values are those that were there.
    Remove(tags::Tags),
}

impl<K: Tagged> Part for Tags<K> {
    type Of = K;
    type Now = tags::Tags;
    type Write = Write;

    const NAME: &'static str = "tags";
    const CALLS: &'static [Use<K::Spec>] = &[
        Use::read_if(K::LIST, |spec| K::declared(spec).is_some()),
        Use::write_if(K::TAG, |spec| K::declared(spec).is_some_and(|tags| !tags.is_empty()), K::ON),
        Use::write_if(K::UNTAG, |spec| K::declared(spec).is_some(), K::ON),
    ];

    fn is_declared(spec: &K::Spec) -> bool {
        K::declared(spec).is_some()
    }

    async fn read(cx: &Cx, _spec: &K::Spec, place: &K::Place) -> Result<tags::Tags, ObserveError> {
        K::list(cx, place).await
    }

    fn diff(look: &Look<'_, K>, now: &tags::Tags) -> Vec<Change<Write>> {
        let Some(wanted) = K::declared(look.spec) else { return Vec::new() };
        K::RULES.changes(now, wanted, Write::Set, Write::Remove)
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Set(_) => K::TAG,
            Write::Remove(_) => K::UNTAG,
        }]
    }

    async fn write(cx: &WriteCx, place: &K::Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Set(tags) => K::tag(cx, place, tags).await,
            Write::Remove(tags) => K::untag(cx, place, tags.keys().cloned().collect()).await,
        }
    }

    fn undo(write: &Write, before: &tags::Tags) -> Undo<Write> {
        match write {
            Write::Set(tags) => {
                Undo::By(K::RULES.undo(tags, Some(before), Write::Set, Write::Remove))
            }
            Write::Remove(tags) => Undo::By(vec![Write::Set(tags.clone())]),
        }
    }

    fn export(now: &tags::Tags, spec: &mut K::Spec) {
        *K::declared_mut(spec) = Some(now.clone());
    }
}
