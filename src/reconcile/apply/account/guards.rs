//! What the guards are asked before a write, and what they hear of it.

use super::OfAccount;
use crate::plan::{Held, ObjectPlan, PlannedChange};
use crate::reconcile::again::Standing;
use crate::reconcile::guarded::Sent;

impl OfAccount<'_, '_> {
    /// Why a guard holds a change back now, if one does.
    pub(super) async fn held_back(
        &self,
        object: &ObjectPlan,
        change: &PlannedChange,
    ) -> Option<Held> {
        let guarded = self.applier.guarded?;
        guarded.before(object, change, self.by(object), &self.plan.run).await.err()
    }

    /// Tells the guards how an object is after its changes.
    pub(super) async fn seen_after(&self, object: &ObjectPlan, standing: &Standing) {
        let Some(guarded) = self.applier.guarded else { return };
        let has_it = matches!(
            standing,
            Standing::InSync | Standing::OnlyReported | Standing::NeedsMore | Standing::Awaited(_)
        );
        if let Err(error) = guarded.seen_after(object, &self.plan.run, has_it).await {
            tracing::warn!(
                "the guards cannot remember how {} is: {error}; {}",
                object.title(),
                error.remedy()
            );
        }
    }

    /// Tells the guards what became of a change that they let through. When they cannot remember it,
    /// they let nothing more through either.
    pub(super) async fn after(&self, object: &ObjectPlan, change: &PlannedChange, sent: Sent) {
        let Some(guarded) = self.applier.guarded else { return };
        if let Err(error) = guarded.after(object, change, sent).await {
            tracing::warn!(
                "the guards cannot remember what became of {}: {error}; {}",
                object.title(),
                error.remedy()
            );
        }
    }
}
