//! What a write that was not done is to the run, to the log and to those who remember it.

use super::super::super::guarded::Sent;
use super::OfAccount;
use crate::aws::error::ErrorClass;
use crate::kinds::WriteError;
use crate::kinds::erased::ApplyError;
use crate::plan::{ObjectPlan, PlannedChange};
use crate::store::audit::{Failed, FailureClass, NotSent};

impl OfAccount<'_, '_> {
    /// What a failed write is to the run and to the log.
    pub(super) fn failure(
        &self,
        object: &ObjectPlan,
        change: &PlannedChange,
        error: &ApplyError,
    ) -> Failed {
        let (text, class) = match error {
            ApplyError::Write(write) => {
                let class = match write {
                    WriteError::Aws(error) | WriteError::Half { error, .. } => {
                        FailureClass::Aws(error.class)
                    }
                    WriteError::Another(_)
                    | WriteError::WasThere(_)
                    | WriteError::WasThereAlike(_) => FailureClass::Aws(ErrorClass::Refused),
                    WriteError::Unsendable(_)
                    | WriteError::Look(_)
                    | WriteError::Changed(_)
                    | WriteError::ThereByNow(_) => FailureClass::Ours(NotSent::Unsendable),
                };
                (format!("{write}\n{}", write.remedy()), class)
            }
            ApplyError::Misfit(misfit) => (
                format!("{misfit}\nmake a new plan with this version of evenkeel"),
                FailureClass::Ours(NotSent::Misfit),
            ),
        };
        let is_full = class == FailureClass::Aws(ErrorClass::Quota);
        let room = self.makes_room(object, change).filter(|_| is_full);
        let left = match error {
            ApplyError::Write(WriteError::Half { left, .. }) => Some(left.clone()),
            _ => None,
        };
        Failed { error: text, class: Some(class), again_after: room.map(|room| room.id), left }
    }
}

/// Why nothing was made because the thing was there by then, if that is why.
pub(super) fn there_by_then(error: &ApplyError) -> Option<String> {
    match error {
        ApplyError::Write(
            WriteError::WasThere(why)
            | WriteError::WasThereAlike(why)
            | WriteError::ThereByNow(why),
        ) => Some(why.clone()),
        _ => None,
    }
}

/// What became of a call, for those who remember it.
pub(super) fn sent(failed: bool, was_there: bool) -> Sent {
    match (failed, was_there) {
        (false, _) => Sent::Accepted,
        (true, true) => Sent::WasThere,
        (true, false) => Sent::Failed,
    }
}
