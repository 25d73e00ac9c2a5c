//! When objects were as declared last, as far as this process knows: who called something before that has not
//! made them what they are now.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::event::{ListenError, Listener, RunEvent, Told};
use crate::plan::{ObjectPlan, Verdict};

/// When objects were as declared last.
#[derive(Debug, Default)]
pub struct LastRight {
    /// By a digest of what tells an object apart, as there may be a million.
    at: Mutex<HashMap<u64, DateTime<Utc>>>,
}

fn key(object: &ObjectPlan) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&object.account, &object.region, &object.item, &object.observed.id).hash(&mut hasher);
    hasher.finish()
}

impl LastRight {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, DateTime<Utc>>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object was as declared at a time.
    fn was(&self, object: &ObjectPlan, at: DateTime<Utc>) {
        let mut all = self.all();
        let last = all.entry(key(object)).or_insert(at);
        *last = at.max(*last);
    }

    /// When an object was as declared last.
    pub fn last(&self, object: &ObjectPlan) -> Option<DateTime<Utc>> {
        self.all().get(&key(object)).copied()
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

impl Listener for OfRun {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        let wrote = || self.wrote.lock().unwrap_or_else(PoisonError::into_inner);
        match told.event {
            // What was seen is so since the look began, and nobody knows since when later than that.
            RunEvent::Planned { plan } if plan.snapshot.is_none() => {
                for object in plan.objects.each() {
                    if object.verdict == Verdict::InSync {
                        self.right.was(&object, self.began);
                    }
                }
            }
            RunEvent::Writing { object, .. } => {
                wrote().insert(key(object), told.time);
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
        right.last(object).is_some_and(|last| by.is_before(last))
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
}
