//! Telemetry hears a controller.

use std::sync::Arc;

use chrono::Utc;

use super::hearing::Hearing;
use super::hub::{Sources, Telemetry};
use crate::controller::begun::Looking;
use crate::controller::queue::What;
use crate::controller::{Audience, Said, Service};
use crate::reconcile::{Listener, RunOutcome};

impl Sources {
    /// What there is to be seen of a controller.
    pub fn of(service: &Service) -> Self {
        Self {
            clocks: Arc::clone(&service.clocks),
            sight: Arc::clone(&service.sight),
            objectives: service.part.objectives.clone(),
            kill_switch: service.kill_switch().clone(),
            hears: service.inbox.is_some(),
        }
    }
}

/// Shows what it hears.
pub struct Shows(pub Arc<Telemetry>);

impl Audience for Shows {
    fn hear(&self, said: &Said<'_>) {
        let Self(telemetry) = self;
        match said {
            Said::Targets { targets } => {
                telemetry.objects().keep_targets(&targets.keys().cloned().collect());
            }
            Said::Shared { target, rest } => telemetry.objects().keep_accounts(target, rest),
            Said::NothingDeclared { what } => telemetry.runs().nothing_declared(what),
            Said::Failed { begun, error, has_looked } => {
                let (what, now) = (&begun.job.what, Utc::now());
                telemetry.runs().failed(what, begun.started, now);
                let was_stopped = error.outcome() == RunOutcome::Interrupted;
                if let (What::Target(name), false) = (what, was_stopped) {
                    telemetry.objects().target_failed(name, error.to_string(), *has_looked, now);
                }
            }
            said => telemetry.hear(said),
        }
    }

    fn of_run(&self, looking: &Looking<'_>) -> Vec<Arc<dyn Listener>> {
        let Looking { begun, is_whole, is_shared, .. } = looking;
        let what = &begun.job.what;
        vec![Hearing::of(&self.0, what, *is_whole, *is_shared, begun.started)]
    }
}
