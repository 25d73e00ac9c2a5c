//! Notes with drift why it was not put right.

use super::Remembered;
use crate::plan::ObjectPlan;
use crate::reconcile::drift_key::key;
use crate::reconcile::event::Told;
use crate::reconcile::report::Step;
use crate::store::StoreError;
use crate::store::history::{Hindered, Hindrance};

impl Remembered {
    /// What became of a change in the end.
    pub(super) fn wrote(&self, told: &Told<'_>, object: &ObjectPlan, change: u32, step: &Step) {
        let by = match step {
            Step::HeldBack { held } => serde_json::to_value(held).map(Hindrance::HeldBack),
            step if step.is_failure() => {
                let class = self.noted().classes.get(&change).copied();
                let class = class.map(serde_json::to_value).transpose();
                class.map(|class| Hindrance::Failed { why: step.to_string(), class })
            }
            _ => return,
        };
        self.mind(by.map_err(Into::into).and_then(|by| self.hindered(told, object, by)));
    }

    /// How an object is after its last change.
    pub(super) fn not_right(&self, told: &Told<'_>, object: &ObjectPlan, in_sync: bool) {
        if !in_sync && object.is_all_applied() {
            self.mind(self.hindered(told, object, Hindrance::NotRight));
        }
    }

    fn hindered(
        &self,
        told: &Told<'_>,
        object: &ObjectPlan,
        by: Hindrance,
    ) -> Result<(), StoreError> {
        if !self.noted().what.keeps_drift {
            return Ok(());
        }
        let (run, time, object) = (told.run.to_owned(), told.time, key(object));
        let hindered = Hindered { run, time, object, by };
        let store = self.store.clone();
        self.store.wait(async move { store.note_hindered(&hindered).await })
    }

    /// The write is over by now: what came of it is in the history, whether or not the drift says it too.
    fn mind(&self, noted: Result<(), StoreError>) {
        if let Err(error) = noted {
            tracing::warn!("why an object was not put right is not noted with its drift: {error}");
        }
    }
}
