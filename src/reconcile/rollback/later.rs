//! What evenkeel itself has written to the object of a run since.

use super::{drift_of, of_baseline};
use crate::reconcile::again;
use crate::store::history::{ChangeShown, DriftKey, What};

/// The changes that other runs have begun of an object since the run's last one.
pub struct Later<'a> {
    run: &'a str,
    /// In order.
    changes: Vec<&'a ChangeShown>,
}

impl<'a> Later<'a> {
    /// Those of an object, among all that came after a run.
    pub fn of(run: &'a str, object: &DriftKey, after: &'a [ChangeShown]) -> Self {
        let is_of = |change: &&ChangeShown| {
            let intent = &change.intent;
            // By whatever item: its name may be another one since.
            (&intent.account, &intent.region, &intent.item.kind, &intent.object)
                == (&object.account, &object.region, &object.item.kind, &object.object)
        };
        Self { run, changes: after.iter().filter(is_of).collect() }
    }

    /// Whether the last of them that touched a field belongs to a rollback of the run. Of a write that is not known
    /// to have failed, nobody says that it did not reach AWS.
    pub fn has_put_back(&self, field: &str) -> bool {
        let touches = |change: &&&ChangeShown| {
            let drift = drift_of(change);
            // What was taken over from the audit log does not say what differed: it may have been any field.
            let may_be =
                drift.is_empty() || drift.iter().any(|one| again::top(&one.field) == field);
            change.outcome != What::Failed && may_be
        };
        let last = self.changes.iter().rev().find(touches);
        last.is_some_and(|change| of_baseline(&change.intent.about.baseline) == Some(self.run))
    }
}
