//! What this process knows of objects from its looks: when what differs of them was not so last, and by which ids they are
//! called. Who called something before that has not made them what they are now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{ListenError, Listener, RunEvent, Told};
use super::named::own_ids;
use crate::kinds::FieldDrift;
use crate::names::{AccountId, ItemName, Region};
use crate::plan::{ObjectPlan, Verdict};
use crate::store::history::callers::digest;

/// Ids of an object that are kept, of those that it has had.
const MOST_IDS: usize = 16;
/// What was read so shortly before its account's look was over was read at its end.
const AT_ONCE: TimeDelta = TimeDelta::seconds(5);

/// When objects were as declared last.
#[derive(Debug, Default)]
pub struct LastRight {
    /// By a digest of what tells an object apart, as there may be a million.
    at: Mutex<HashMap<u64, Last>>,
    /// When items were read, where that was long before the look at their account was over.
    read: Mutex<HashMap<AccountId, HashMap<u64, DateTime<Utc>>>>,
}

/// What is known of an object.
#[derive(Debug, Default)]
struct Last {
    /// When the last look began that saw it: all that it did not see to differ was right then.
    looked: Option<DateTime<Utc>>,
    more: Option<Box<More>>,
}

/// What is known of few objects.
#[derive(Debug, Default)]
struct More {
    /// When what differs was not so last, by its digest.
    rows: HashMap<u64, Option<DateTime<Utc>>>,
    /// By which ids AWS calls it and its parts, or called them.
    ids: Vec<String>,
}

impl Last {
    fn row(&self, row: u64) -> Option<DateTime<Utc>> {
        let known = self.more.as_ref().and_then(|more| more.rows.get(&row));
        known.copied().unwrap_or(self.looked)
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// It was seen to be as declared.
    fn right(&mut self, at: DateTime<Utc>) {
        if let Some(more) = &mut self.more {
            more.rows.clear();
            if more.ids.is_empty() {
                self.more = None;
            }
        }
        self.looked = self.looked.max(Some(at));
    }

    /// It was seen to differ.
    fn differs(&mut self, object: &ObjectPlan, began: DateTime<Utc>) {
        let rows = object.changes.iter().flat_map(|change| {
            change.drift.iter().map(|drift| row(drift, change.action.is_none()))
        });
        let rows = rows.map(|row| (row, self.row(row))).collect();
        self.more().rows = rows;
        self.looked = self.looked.max(Some(began));
    }

    fn is_called(&mut self, ids: Vec<String>) {
        for id in ids {
            let known = &mut self.more().ids;
            if !known.contains(&id) {
                known.push(id);
                known.drain(..known.len().saturating_sub(MOST_IDS));
            }
        }
    }
}

fn key(object: &ObjectPlan) -> u64 {
    digest((&object.account, &object.region, &object.item, &object.observed.id))
}

/// What differs; of what only people can mend, whatever its words.
fn row(drift: &FieldDrift, is_finding: bool) -> u64 {
    let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    match is_finding {
        true => digest((&drift.field, is_finding)),
        false => digest((&drift.field, text(&drift.actual), text(&drift.desired))),
    }
}

fn place(item: &ItemName, region: &Region) -> u64 {
    digest((item, region))
}

impl LastRight {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Last>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reads(&self) -> MutexGuard<'_, HashMap<AccountId, HashMap<u64, DateTime<Utc>>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object was as declared at a time.
    fn was(&self, object: &ObjectPlan, at: DateTime<Utc>) {
        self.all().entry(key(object)).or_default().right(at);
    }

    /// When what differs of an object, which may be a finding, was not so last; without that, the object.
    pub fn last(
        &self,
        object: &ObjectPlan,
        differs: Option<(&FieldDrift, bool)>,
    ) -> Option<DateTime<Utc>> {
        let all = self.all();
        let last = all.get(&key(object))?;
        match differs {
            Some((drift, is_finding)) => last.row(row(drift, is_finding)),
            None => last.looked,
        }
    }

    /// By which ids AWS calls an object and its parts, or called them.
    pub fn known_as(&self, object: &ObjectPlan) -> Vec<String> {
        let all = self.all();
        let more = all.get(&key(object)).and_then(|last| last.more.as_ref());
        more.map(|more| more.ids.clone()).unwrap_or_default()
    }

    /// When an object was read, where that was long before the latest look at its account was over.
    pub fn read(&self, object: &ObjectPlan) -> Option<DateTime<Utc>> {
        let reads = self.reads();
        reads.get(&object.account)?.get(&place(&object.item, &object.region)).copied()
    }

    /// Who hears of a run that began at a time.
    pub fn hearing(self: &Arc<Self>, began: DateTime<Utc>) -> Arc<dyn Listener> {
        Arc::new(OfRun { right: Arc::clone(self), began, wrote: Mutex::default() })
    }
}

/// Hears how the objects of a run are.
struct OfRun {
    right: Arc<LastRight>,
    began: DateTime<Utc>,
    /// When an object was written last.
    wrote: Mutex<HashMap<u64, DateTime<Utc>>>,
}

impl OfRun {
    fn planned(&self, object: &ObjectPlan) {
        let ids = own_ids(object);
        let mut all = self.right.all();
        let last = all.entry(key(object)).or_default();
        // What was seen is so since the look began, and nobody knows since when later than that.
        match object.verdict {
            Verdict::InSync => last.right(self.began),
            Verdict::Drifted => last.differs(object, self.began),
            _ => {}
        }
        last.is_called(ids);
    }

    /// All of an account was looked at.
    fn seen(&self, account: &AccountId, now: DateTime<Utc>) {
        let mut reads = self.right.reads();
        if let Some(of) = reads.get_mut(account) {
            of.retain(|_, read| now - *read > AT_ONCE);
            if of.is_empty() {
                reads.remove(account);
            }
        }
    }
}

impl Listener for OfRun {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        let wrote = || self.wrote.lock().unwrap_or_else(PoisonError::into_inner);
        match told.event {
            RunEvent::Observed { account, item, region } => {
                let mut reads = self.right.reads();
                let of = reads.entry(account.clone()).or_default();
                of.insert(place(item, region), told.time);
            }
            RunEvent::Seen { account } => self.seen(account, told.time),
            RunEvent::Planned { plan } if plan.snapshot.is_none() => {
                plan.objects.each().for_each(|object| self.planned(&object));
            }
            RunEvent::Writing { object, .. } => {
                wrote().insert(key(object), told.time);
            }
            // What differs of it from now on, somebody has done since.
            RunEvent::Wrote { object, change, step } if step.is_done() => {
                let at = wrote().get(&key(object)).copied().unwrap_or(told.time);
                let mut all = self.right.all();
                let rows = &mut all.entry(key(object)).or_default().more().rows;
                let is_finding = change.action.is_none();
                rows.extend(change.drift.iter().map(|drift| (row(drift, is_finding), Some(at))));
            }
            RunEvent::Verified { object, in_sync: true, .. } => {
                let at = wrote().get(&key(object)).copied().unwrap_or(self.began);
                self.right.was(object, at);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::history::ByWhom;

    fn is_after(right: &LastRight, object: &ObjectPlan, by: &ByWhom) -> bool {
        let last = right.last(object, None);
        last.is_some() && by.time.is_some() && by.between(last, DateTime::<Utc>::MAX_UTC).is_none()
    }

    #[test]
    fn who_called_before_an_object_was_right_has_not_done_what_came_later() {
        let object = |id: &str| -> ObjectPlan {
            serde_json::from_value(json!({
                "account": "111122223333", "region": "eu-west-1", "global": false,
                "item": "sns.topic.a", "mode": "enforce", "controls": [],
                "verdict": {"is": "drifted"}, "spec": {}, "state_digest": "",
                "observed": {"id": id, "status": "absent"}, "changes": [],
            }))
            .unwrap()
        };
        let at = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap();
        let by = |millis: i64| ByWhom { time: Some(at(millis)), ..ByWhom::default() };
        let (right, one) = (LastRight::default(), object("a"));
        assert!(!is_after(&right, &one, &by(1_000)), "nobody has looked");
        right.was(&one, at(60_500));
        right.was(&one, at(30_000));
        assert!(is_after(&right, &one, &by(1_000)) && is_after(&right, &one, &by(59_000)));
        // An event tells the second, in which it may have been later.
        assert!(!is_after(&right, &one, &by(60_000)) && !is_after(&right, &one, &by(61_000)));
        assert!(!is_after(&right, &object("b"), &by(1_000)));
        assert!(!is_after(&right, &one, &ByWhom::default()), "nobody knows when");
    }

    #[test]
    fn what_a_run_sees_and_writes_is_right_since_then() {
        let right = Arc::new(LastRight::default());
        let began = DateTime::from_timestamp(1_000, 0).unwrap();
        let hearing = right.hearing(began);
        let object: ObjectPlan = serde_json::from_value(json!({
            "account": "111122223333", "region": "eu-west-1", "global": false,
            "item": "sns.topic.a", "mode": "enforce", "controls": [],
            "verdict": {"is": "drifted"}, "spec": {}, "state_digest": "",
            "observed": {"id": "a", "status": "absent"}, "changes": [{
                "id": 1, "action": {}, "risk": "safe", "warnings": [], "permissions": [],
                "disposition": {"is": "apply"}, "depends_on": [], "drift": [],
            }],
        }))
        .unwrap();
        let by = |second| ByWhom { time: DateTime::from_timestamp(second, 0), ..ByWhom::default() };
        let hear = |second, event| {
            let time = DateTime::from_timestamp(second, 0).unwrap();
            hearing.hear(&Told { time, run: "r", event }).unwrap();
        };
        let writing = || RunEvent::Writing {
            object: &object,
            change: &object.changes[0],
            before: &object.observed,
            by: "us",
            token: None,
        };
        let verified =
            |in_sync| RunEvent::Verified { object: &object, after: None, in_sync, by: "us" };
        hear(1_010, writing());
        hear(1_020, verified(false));
        assert!(!is_after(&right, &object, &by(1_005)), "it is not right yet");
        hear(1_030, verified(true));
        assert!(is_after(&right, &object, &by(1_005)));
        assert!(!is_after(&right, &object, &by(1_015)), "it may have come after the write");
    }

    /// An object of a trail, of which these fields differ.
    fn trail(fields: &[&str], verdict: &str) -> ObjectPlan {
        let drift = |field: &&str| json!({"field": field, "actual": false, "desired": true});
        serde_json::from_value(json!({
            "account": "111122223333", "region": "eu-west-1", "global": false,
            "item": "cloudtrail.trail.main", "mode": "report", "controls": [],
            "verdict": {"is": verdict}, "spec": {}, "state_digest": "",
            "observed": {"id": "main", "status": "absent"},
            "changes": [{
                "id": 1, "action": {}, "risk": "safe", "warnings": [], "permissions": [],
                "disposition": {"is": "apply"}, "depends_on": [],
                "drift": fields.iter().map(drift).collect::<Vec<_>>(),
            }],
        }))
        .unwrap()
    }

    #[test]
    fn each_field_was_right_at_a_time_of_its_own() {
        let right = Arc::new(LastRight::default());
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let see = |second, object: &ObjectPlan| {
            OfRun { right: Arc::clone(&right), began: at(second), wrote: Mutex::default() }
                .planned(object);
        };
        let last = |object: &ObjectPlan| -> Vec<Option<DateTime<Utc>>> {
            object.changes[0]
                .drift
                .iter()
                .map(|drift| right.last(object, Some((drift, false))))
                .collect()
        };
        let (one, both) = (trail(&["valid"], "drifted"), trail(&["valid", "logs"], "drifted"));
        see(10, &trail(&[], "in_sync"));
        see(20, &one);
        assert_eq!(last(&both), [Some(at(10)), Some(at(20))], "asked before it is noted");
        see(30, &both);
        see(40, &both);
        assert_eq!(last(&both), [Some(at(10)), Some(at(20))]);
        // Right again for a while.
        see(50, &trail(&["logs"], "drifted"));
        see(60, &both);
        assert_eq!(last(&both), [Some(at(50)), Some(at(20))]);
        // What we have written is right since then.
        let hearing = right.hearing(at(60));
        let step = crate::reconcile::Step::Applied;
        let event = RunEvent::Wrote { object: &both, change: &both.changes[0], step: &step };
        hearing.hear(&Told { time: at(61), run: "r", event }).unwrap();
        see(70, &both);
        assert_eq!(last(&both), [Some(at(61)), Some(at(61))]);
    }

    #[test]
    fn what_was_read_long_before_its_look_was_over_is_known() {
        let right = Arc::new(LastRight::default());
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let (one, hearing) = (trail(&["logs"], "drifted"), right.hearing(at(10)));
        let hear = |second, event| {
            hearing.hear(&Told { time: at(second), run: "r", event }).unwrap();
        };
        let account = &one.account;
        let observed = || RunEvent::Observed { account, item: &one.item, region: &one.region };
        hear(11, observed());
        hear(25, RunEvent::Seen { account });
        assert_eq!(right.read(&one), Some(at(11)));
        hear(30, observed());
        hear(30, RunEvent::Seen { account });
        assert_eq!((right.read(&one), right.reads().len()), (None, 0));
    }
}
