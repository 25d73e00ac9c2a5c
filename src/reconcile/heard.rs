//! Who touched what, as events told.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::blame::{self, Blamed};
use super::drift_key::key;
use super::named::{Named, own_ids};
use super::right::LastRight;
use crate::names::{AccountId, Region};
use crate::plan::ObjectPlan;
use crate::store::history::{ByWhom, Rights, RowSeen, callers};

/// Somebody who touched a kind in an account, as an event told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: String,
    /// The Region; none where the kind's objects exist once in an account.
    pub region: Option<Region>,
    /// Who, and when.
    pub by: ByWhom,
    /// What the call names.
    pub named: Arc<Named>,
    /// When the event was told of, which is long after the call at times.
    pub told: DateTime<Utc>,
}

impl Heard {
    /// Whether it was of the kind of an object, where that is.
    fn is_there(&self, object: &ObjectPlan) -> bool {
        let in_region = || self.region.as_ref().is_none_or(|region| *region == object.region);
        self.account == object.account && self.kind == object.item.kind && in_region()
    }

    /// Whether it may have touched an object: not where it names another one.
    fn is_about(&self, object: &ObjectPlan, known_as: &[String]) -> bool {
        self.named.may_touch(&self.by.call, object, known_as)
    }
}

impl callers::Told for Heard {
    fn is_alike(&self, other: &Self) -> bool {
        self.account == other.account
            && self.kind == other.kind
            && self.region == other.region
            && self.by.is_alike(&other.by)
            && self.named == other.named
    }

    fn join(&mut self, other: Self, is_another: bool) {
        let count = self.by.count() + other.by.count();
        self.told = self.told.max(other.told);
        self.by.add_times(&other.by);
        if is_another {
            self.by.more += count.saturating_sub(self.by.count());
        }
    }

    fn group(&self) -> Option<u64> {
        let Self { account, by, .. } = self;
        (!by.is_not_kept()).then(|| callers::digest((account, by.whose(), &by.call)))
    }

    fn not_kept(self) -> Self {
        Self { by: callers::Told::not_kept(self.by), named: Arc::default(), ..self }
    }
}

/// What events told, and what is known of the objects besides.
#[derive(Debug, Clone, Default)]
pub struct Hearsay {
    /// Who touched what.
    pub told: Vec<Heard>,
    /// When each object was as declared last, as far as this process knows.
    pub right: Arc<LastRight>,
    /// The same from before it began, and of other processes, for the accounts of which events told.
    pub before: Arc<BTreeMap<AccountId, Rights>>,
}

impl Hearsay {
    /// Who may have made an object what it is now: nobody who named another one, called before what differs was last
    /// not so, or called what cannot have made it so.
    pub fn of_object(&self, object: &ObjectPlan) -> Vec<ByWhom> {
        let about = self.about(object);
        if about.is_empty() {
            return Vec::new();
        }
        let rows = self.rows_by(object, &about);
        callers::together(rows.iter().flat_map(|row| &row.by))
    }

    /// What differs of an object, each with who may have made it so.
    pub fn rows(&self, object: &ObjectPlan) -> Vec<RowSeen> {
        self.rows_by(object, &self.about(object))
    }

    fn rows_by(&self, object: &ObjectPlan, about: &[&Heard]) -> Vec<RowSeen> {
        let before = self.before.get(&object.account);
        let before = before.and_then(|before| before.last(&key(object)));
        let read = self.right.read(object);
        let one = |Blamed { drift, is_finding, not_by }: Blamed<'_>| {
            let right = self.right.last(object, drift.map(|drift| (drift, is_finding)));
            let right = right.max(before);
            let field = drift.map(|drift| drift.field.as_str()).unwrap_or_default();
            let may_have = |heard: &&&Heard| {
                let Heard { by, named, .. } = heard;
                !not_by.contains(&by.call) && !named.is_of_another_part(&by.call, object, field)
            };
            let until = read.unwrap_or(DateTime::<Utc>::MAX_UTC);
            let having = about.iter().filter(may_have);
            let by = having.filter_map(|heard| heard.by.between(right, until)).collect();
            let value = |of: Option<&Value>| of.cloned().unwrap_or_default();
            RowSeen {
                field: drift.map(|drift| drift.field.clone()).unwrap_or_default(),
                actual: value(drift.and_then(|drift| drift.actual.as_ref())),
                desired: value(drift.and_then(|drift| drift.desired.as_ref())),
                is_finding,
                read,
                right,
                not_by,
                by,
            }
        };
        blame::each(object).into_iter().map(one).collect()
    }

    /// Who may have touched an object, whenever that was: what they made of it may have been seen, and put right,
    /// before their event came.
    pub fn touching(&self, object: &ObjectPlan) -> Vec<ByWhom> {
        self.about(object).into_iter().map(|heard| heard.by.clone()).collect()
    }

    fn about(&self, object: &ObjectPlan) -> Vec<&Heard> {
        let there: Vec<&Heard> = self.told.iter().filter(|heard| heard.is_there(object)).collect();
        if there.is_empty() {
            return Vec::new();
        }
        let mut known_as = self.right.known_as(object);
        known_as.extend(own_ids(object));
        there.into_iter().filter(|heard| heard.is_about(object, &known_as)).collect()
    }
}
