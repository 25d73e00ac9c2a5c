//! What differs of an object, field by field: each since when, and who may have made it so. Pure.
//!
//! Somebody is named for a field, and not for the object: whoever changes one thing of an object has not changed what
//! somebody else changed of it before or later. A call counts that may have been between the last look at which the
//! field was not so and the first at which it was.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::callers;
use super::records::{ByWhom, RowSeen};
use crate::store::error::StoreError;

/// In what is noted of drift: what differs.
pub(super) const DRIFT: &str = "drift";
/// What differed before, and does so no longer while the rest goes on.
pub(super) const PAST: &str = "past";
/// Who may have done any of it.
pub(super) const BY: &str = "by";
/// When the last look began that saw it.
pub(super) const LOOKED: &str = "looked";

/// Fields that are kept of what differs no longer.
const MOST_PAST: usize = 20;
/// How often a field is known to have had another value.
const MOST_EARLIER: usize = 8;

/// A field that is not as declared.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftRow {
    /// The field; empty for the whole object.
    pub field: String,
    /// What is there.
    pub actual: Value,
    /// What is declared.
    pub desired: Value,
    /// Whether only people can mend it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_finding: bool,
    /// Who may have made it so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<ByWhom>,
    /// When it was seen first. What was noted by an earlier version, which knew it of the object alone, has none.
    pub since: Option<DateTime<Utc>>,
    /// When it was not so last, as far as that is known.
    pub right: Option<DateTime<Utc>>,
    /// When it was seen to be so no longer.
    pub until: Option<DateTime<Utc>>,
    /// The calls that cannot have made it so.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_by: BTreeSet<String>,
    /// When it was seen, and not so last, with other values before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

impl DriftRow {
    /// What tells it apart from the others of an object, for comparing within one process.
    pub fn mark(&self) -> u64 {
        Self::mark_of(&self.field, (!self.is_finding).then_some((&self.actual, &self.desired)))
    }

    /// The same of a field with these values; without them, of a finding.
    pub fn mark_of(field: &str, values: Option<(&Value, &Value)>) -> u64 {
        callers::digest((field, values.map(|(one, other)| (one.to_string(), other.to_string()))))
    }

    fn is_it(&self, seen: &RowSeen) -> bool {
        self.field == seen.field && self.is_finding == seen.is_finding
    }

    /// Whether it is just what was seen.
    fn is_same(&self, seen: &RowSeen) -> bool {
        self.is_it(seen) && self.actual == seen.actual && self.desired == seen.desired
    }

    /// Whether what was seen is the same in other words, or with another declaration.
    fn is_as(&self, seen: &RowSeen) -> bool {
        self.is_it(seen)
            && (seen.is_finding || !seen.actual.is_null() && self.actual == seen.actual)
    }

    /// Whether what was seen is another value of it. Of what must not be there, another value is another thing.
    fn was_changed(&self, seen: &RowSeen) -> bool {
        self.is_it(seen) && !seen.desired.is_null() && self.desired == seen.desired
    }

    /// What of a call may have made it so. `is_latest` is whether the object has not drifted since: then whoever called at
    /// any time may have, where nobody knows when it was not so.
    fn of(&self, by: &ByWhom, is_latest: bool) -> Option<ByWhom> {
        if by.time.is_none() || self.not_by.contains(&by.call) {
            return None;
        }
        let of_one = |(since, right): &(DateTime<Utc>, Option<DateTime<Utc>>)| match right {
            None if !is_latest => None,
            right => by.between(*right, *since),
        };
        let now = self.since.map(|since| (since, self.right));
        self.earlier.iter().chain(&now).find_map(of_one)
    }
}

/// The times by which a look says who may have done what it saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// When it had looked.
    pub seen: DateTime<Utc>,
    /// When the look before began, where that saw that the object differs.
    pub looked: Option<DateTime<Utc>>,
    /// When the object was as declared last.
    pub right: Option<DateTime<Utc>>,
}

/// When a field was written by a change of ours that AWS accepted.
pub(super) type Wrote<'a> = &'a dyn Fn(&str) -> Option<DateTime<Utc>>;

/// What differs of an object and did.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    /// What differs.
    pub now: Vec<DriftRow>,
    /// What differs no longer.
    pub past: Vec<DriftRow>,
}

/// Whether a row is one that was seen.
type IsIt = fn(&DriftRow, &RowSeen) -> bool;

impl Rows {
    /// What is noted of drift that was seen first and last at these times. An earlier version knew of the drift as a
    /// whole who may have done it.
    pub fn of(about: &Value, first_seen: DateTime<Utc>) -> Result<Self, StoreError> {
        let rows = |name: &str| match &about[name] {
            Value::Null => Ok(Vec::new()),
            there => serde_json::from_value(there.clone()),
        };
        let mut all = Self { now: rows(DRIFT)?, past: rows(PAST)? };
        let is_of_before = |row: &DriftRow| row.since.is_none();
        if all.now.iter().all(is_of_before) {
            let by: Option<Vec<ByWhom>> = serde_json::from_value(about[BY].clone())?;
            let right: Option<DateTime<Utc>> = serde_json::from_value(about["right"].clone())?;
            let not_by: Option<BTreeSet<String>> = serde_json::from_value(about["not_by"].clone())?;
            if all.now.is_empty() {
                all.now.push(DriftRow::default());
            }
            for row in &mut all.now {
                row.since = Some(first_seen);
                row.right = right;
                row.by = callers::together(by.iter().flatten());
                row.not_by = not_by.clone().unwrap_or_default();
            }
        }
        Ok(all)
    }

    /// The same after a look that saw this.
    pub fn after(self, seen: &[RowSeen], at: Moment, wrote: Wrote<'_>) -> Self {
        let mut before: Vec<Option<DriftRow>> = self.now.into_iter().map(Some).collect();
        let mut found: Vec<Option<(DriftRow, bool)>> = seen.iter().map(|_| None).collect();
        let ways: [(IsIt, bool); 3] =
            [(DriftRow::is_same, false), (DriftRow::is_as, false), (DriftRow::was_changed, true)];
        for (is_it, is_changed) in ways {
            for (found, seen) in found.iter_mut().zip(seen).filter(|(found, _)| found.is_none()) {
                let of =
                    before.iter_mut().find(|row| row.as_ref().is_some_and(|row| is_it(row, seen)));
                *found = of.and_then(Option::take).map(|row| (row, is_changed));
            }
        }
        let now = found.into_iter().zip(seen).map(|(before, seen)| match before {
            Some((row, is_changed)) => go_on(row, is_changed, seen, at, wrote),
            None => begins(seen, at, wrote),
        });
        let gone = before.into_iter().flatten();
        let gone = gone.map(|row| DriftRow { until: Some(at.seen), ..row });
        let mut past: Vec<DriftRow> = self.past.into_iter().chain(gone).collect();
        past.drain(..past.len().saturating_sub(MOST_PAST));
        Self { now: now.collect(), past }
    }

    /// Names who called something for the fields that they may have made what they are or were; gives who is new, of the
    /// former and of the latter.
    pub fn name(&mut self, by: &ByWhom, is_latest: bool) -> [Option<ByWhom>; 2] {
        let add = |rows: &mut Vec<DriftRow>| {
            let mut new = None;
            for row in rows {
                if let Some(of) = row.of(by, is_latest)
                    && callers::add(&mut row.by, of.clone())
                {
                    new = Some(of);
                }
            }
            new
        };
        [add(&mut self.now), add(&mut self.past)]
    }

    /// Who may have done any of what differs.
    pub fn by(&self) -> Vec<ByWhom> {
        callers::together(self.now.iter().flat_map(|row| &row.by))
    }

    /// Puts it into what is noted of drift.
    pub fn note(&self, about: &mut Value) -> Result<(), StoreError> {
        about[DRIFT] = serde_json::to_value(&self.now)?;
        about[BY] = serde_json::to_value(self.by())?;
        if !self.past.is_empty() {
            about[PAST] = serde_json::to_value(&self.past)?;
        }
        Ok(())
    }
}

fn begins(seen: &RowSeen, at: Moment, wrote: Wrote<'_>) -> DriftRow {
    let since = seen.read.unwrap_or(at.seen).min(at.seen);
    let right = seen.right.max(at.right).max(at.looked).max(wrote(&seen.field));
    let mut row = DriftRow {
        field: seen.field.clone(),
        actual: seen.actual.clone(),
        desired: seen.desired.clone(),
        is_finding: seen.is_finding,
        since: Some(since),
        right,
        not_by: seen.not_by.clone(),
        ..DriftRow::default()
    };
    let having: Vec<ByWhom> = seen.by.iter().filter_map(|by| by.between(right, since)).collect();
    row.by = callers::together(&having);
    row
}

/// A field that differed before. With another value, or after a write of ours, somebody has done it anew: who is
/// named already, stays beside.
fn go_on(
    before: DriftRow,
    is_changed: bool,
    seen: &RowSeen,
    at: Moment,
    wrote: Wrote<'_>,
) -> DriftRow {
    let written =
        wrote(&seen.field).filter(|wrote| before.since.is_none_or(|since| since < *wrote));
    if !is_changed && written.is_none() {
        let (actual, desired) = (seen.actual.clone(), seen.desired.clone());
        return DriftRow { actual, desired, ..before };
    }
    let now = begins(seen, at, wrote);
    let DriftRow { mut earlier, by, since, right, .. } = before;
    earlier.extend(since.map(|since| (since, right)));
    earlier.drain(..earlier.len().saturating_sub(MOST_EARLIER));
    let by = callers::together(by.iter().chain(&now.by));
    DriftRow { by, earlier, ..now }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
