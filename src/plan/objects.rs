//! The objects of a plan. Those of a small fleet are held as they are; those of a large one are kept
//! small, and taken out an account at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pack::Pack;
use super::{ObjectPlan, Summary, Verdict};
use crate::names::AccountId;

/// What is said of objects that are shown together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// They differ.
    Drifted,
    /// They could not be read.
    Unknown,
    /// They differ, and are excepted.
    Excepted,
    /// They are outside of their item's reach.
    Skipped,
}

impl Sort {
    fn fits(self, verdict: &Verdict) -> bool {
        match self {
            Self::Drifted => *verdict == Verdict::Drifted,
            Self::Unknown => matches!(verdict, Verdict::Unknown(_)),
            Self::Excepted => matches!(verdict, Verdict::Excepted { .. }),
            Self::Skipped => matches!(verdict, Verdict::Skipped { .. }),
        }
    }

    fn count(self, sum: &Summary) -> usize {
        match self {
            Self::Drifted => sum.to_change + sum.reported + sum.held_back,
            Self::Unknown => sum.unknown,
            Self::Excepted => sum.excepted,
            Self::Skipped => sum.skipped,
        }
    }
}

/// The objects of a plan, in its order.
///
/// It is a list of all of them to whoever wants one: then those of a large fleet are all in memory at
/// the same time. What only goes through them uses [`each`](Self::each), [`of`](Self::of) or
/// [`accounts`](Self::accounts).
#[derive(Clone, Default)]
pub struct Objects {
    /// Those of a large fleet; none when all are held.
    packs: Vec<Pack>,
    /// All of them, where there are no packs.
    held: Vec<ObjectPlan>,
    /// All of the packs' objects, once somebody wanted a list.
    opened: OnceLock<Vec<ObjectPlan>>,
}

impl Objects {
    /// The accounts' objects, in this order.
    pub fn packed(packs: Vec<Pack>) -> Self {
        match packs.iter().any(Pack::is_squeezed) {
            true => Self { packs, ..Self::default() },
            false => packs.into_iter().flat_map(Pack::into_objects).collect::<Vec<_>>().into(),
        }
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        match self.packs.as_slice() {
            [] => self.held.len(),
            packs => packs.iter().map(|pack| pack.count).sum(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One after the other.
    pub fn each(&self) -> impl Iterator<Item = Cow<'_, ObjectPlan>> {
        self.each_of(|_| true)
    }

    /// Those of which one thing is said, one after the other.
    pub fn of(&self, sort: Sort) -> impl Iterator<Item = Cow<'_, ObjectPlan>> {
        self.each_of(move |sum| sort.count(sum) > 0)
            .filter(move |object| sort.fits(&object.verdict))
    }

    /// Those of the accounts that may have what is looked for.
    fn each_of(
        &self,
        wanted: impl Fn(&Summary) -> bool,
    ) -> impl Iterator<Item = Cow<'_, ObjectPlan>> {
        let packs = self.packs.iter().filter(move |pack| wanted(&pack.summary));
        self.held.iter().map(Cow::Borrowed).chain(packs.flat_map(Pack::objects))
    }

    /// The accounts in the order of their ids, each with its objects and their places in the plan.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, Vec<(usize, Cow<'_, ObjectPlan>)>)> {
        let mut held: BTreeMap<AccountId, Vec<(usize, Cow<'_, ObjectPlan>)>> = BTreeMap::new();
        for (place, object) in self.held.iter().enumerate() {
            held.entry(object.account.clone()).or_default().push((place, Cow::Borrowed(object)));
        }
        let mut place = 0;
        let packs = self.packs.iter().filter_map(move |pack| {
            let first = place;
            place += pack.count;
            let objects: Vec<_> = (first..).zip(pack.objects()).collect();
            Some((objects.first()?.1.account.clone(), objects))
        });
        held.into_iter().chain(packs)
    }

    /// Counts them.
    pub fn summary(&self) -> Summary {
        let mut sum = Summary::default();
        self.held.iter().for_each(|object| sum.count(object));
        self.packs.iter().for_each(|pack| sum.add(&pack.summary));
        sum
    }
}

impl From<Vec<ObjectPlan>> for Objects {
    fn from(objects: Vec<ObjectPlan>) -> Self {
        Self { held: objects, ..Self::default() }
    }
}

impl FromIterator<ObjectPlan> for Objects {
    fn from_iter<T: IntoIterator<Item = ObjectPlan>>(objects: T) -> Self {
        objects.into_iter().collect::<Vec<_>>().into()
    }
}

impl Deref for Objects {
    type Target = Vec<ObjectPlan>;

    fn deref(&self) -> &Vec<ObjectPlan> {
        match self.packs.as_slice() {
            [] => &self.held,
            packs => self.opened.get_or_init(|| {
                packs.iter().flat_map(Pack::objects).map(Cow::into_owned).collect()
            }),
        }
    }
}

impl DerefMut for Objects {
    fn deref_mut(&mut self) -> &mut Vec<ObjectPlan> {
        if !self.packs.is_empty() {
            self.opened = OnceLock::new();
            self.held =
                std::mem::take(&mut self.packs).into_iter().flat_map(Pack::into_objects).collect();
        }
        &mut self.held
    }
}

impl IntoIterator for Objects {
    type Item = ObjectPlan;
    type IntoIter = std::vec::IntoIter<ObjectPlan>;

    fn into_iter(mut self) -> Self::IntoIter {
        std::mem::take(&mut *self).into_iter()
    }
}

impl<'a> IntoIterator for &'a Objects {
    type Item = &'a ObjectPlan;
    type IntoIter = std::slice::Iter<'a, ObjectPlan>;

    fn into_iter(self) -> Self::IntoIter {
        (**self).iter()
    }
}

impl<'a> IntoIterator for &'a mut Objects {
    type Item = &'a mut ObjectPlan;
    type IntoIter = std::slice::IterMut<'a, ObjectPlan>;

    fn into_iter(self) -> Self::IntoIter {
        (**self).iter_mut()
    }
}

impl PartialEq for Objects {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.each().eq(other.each())
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.each()).finish()
    }
}

impl Serialize for Objects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.each())
    }
}

impl<'de> Deserialize<'de> for Objects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

impl schemars::JsonSchema for Objects {
    fn inline_schema() -> bool {
        Vec::<ObjectPlan>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<ObjectPlan>::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Vec::<ObjectPlan>::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<ObjectPlan>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
