//! The tags of objects with parts: a part that every service has, and that differs in three calls.

use std::collections::HashMap;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::part::{Look, Part, Parted};
use crate::aws::Call;
use crate::kinds::tags::{TagRules, Tags};
use crate::kinds::{Change, Cx, Kind, ObserveError, Undo, Use, WriteCx, WriteError, compared};

/// A kind whose objects have tags. [`OwnTags::PART`] goes into its parts.
pub trait Tagged: Parted {
    /// What the service takes.
    const TAG_RULES: TagRules;
    /// Sets tags.
    const TAG: Call;
    /// Takes tags away.
    const UNTAG: Call;
    /// These two with their resources, and what reads the tags where no other part does.
    const TAG_CALLS: &'static [Use<Self::Spec>];
    /// Whether an object is made with its tags, by the call that makes it.
    const MADE_WITH_TAGS: bool;
    /// The parts without whose writes there is nothing to tag.
    const TAG_NEEDS: &'static [&'static str] = &[];

    /// All tags that are declared.
    fn tags(spec: &Self::Spec) -> Option<&Tags>;

    /// Declares tags.
    fn declare_tags(spec: &mut Self::Spec, tags: Tags);

    /// Reads them, without those of AWS.
    ///
    /// # Errors
    /// Nobody can say which there are.
    fn read_tags(
        cx: &Cx,
        place: &Self::Place,
    ) -> impl Future<Output = Result<Tags, ObserveError>> + Send;

    /// Sets some, by the call [`TAG`](Self::TAG).
    ///
    /// # Errors
    /// What AWS answered.
    fn set_tags(
        cx: &WriteCx,
        place: &Self::Place,
        tags: HashMap<String, String>,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Takes some away, by the call [`UNTAG`](Self::UNTAG).
    ///
    /// # Errors
    /// What AWS answered.
    fn remove_tags(
        cx: &WriteCx,
        place: &Self::Place,
        keys: Vec<String>,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;
}

/// Whether a spec says anything of tags.
pub fn declares<K: Tagged>(spec: &K::Spec) -> bool {
    K::tags(spec).is_some()
}

/// Whether a spec wants any.
pub fn sets<K: Tagged>(spec: &K::Spec) -> bool {
    K::tags(spec).is_some_and(|tags| !tags.is_empty())
}

/// The part.
pub struct OwnTags<K>(PhantomData<fn() -> K>);

impl<K> OwnTags<K> {
    /// For the list of parts.
    pub const PART: Self = Self(PhantomData);
}

/// A write of tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Sets them.
    Set(Tags),
    /// Takes them away.
    Remove(Tags),
}

impl<K: Tagged> Part for OwnTags<K> {
    type Of = K;
    type Now = Tags;
    type Write = Write;

    const NAME: &'static str = "tags";
    const CALLS: &'static [Use<<K as Kind>::Spec>] = K::TAG_CALLS;
    const NEEDS: &'static [&'static str] = K::TAG_NEEDS;

    fn is_declared(spec: &K::Spec) -> bool {
        declares::<K>(spec)
    }

    async fn read(cx: &Cx, _spec: &K::Spec, place: &K::Place) -> Result<Tags, ObserveError> {
        K::read_tags(cx, place).await
    }

    fn diff(look: &Look<'_, K>, now: &Tags) -> Vec<Change<Write>> {
        let Some(wanted) = K::tags(look.spec) else { return Vec::new() };
        if look.is_new() && K::MADE_WITH_TAGS {
            compared::mark(Self::NAME);
            return Vec::new();
        }
        K::TAG_RULES.changes(now, wanted, Write::Set, Write::Remove)
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Set(_) => K::TAG,
            Write::Remove(_) => K::UNTAG,
        }]
    }

    async fn write(cx: &WriteCx, place: &K::Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Set(tags) => K::set_tags(cx, place, tags.clone().into_iter().collect()).await,
            Write::Remove(tags) => K::remove_tags(cx, place, tags.keys().cloned().collect()).await,
        }
    }

    fn undo(write: &Write, before: &Tags) -> Undo<Write> {
        match write {
            Write::Set(tags) => {
                Undo::By(K::TAG_RULES.undo(tags, Some(before), Write::Set, Write::Remove))
            }
            Write::Remove(tags) => {
                Undo::By(K::TAG_RULES.undo_removal(tags, Some(before), Write::Set))
            }
        }
    }

    fn export(now: &Tags, spec: &mut K::Spec) {
        K::declare_tags(spec, now.clone());
    }
}
