//! Hears one run, for telemetry.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, Utc};

use super::hub::Telemetry;
use super::objects::{Looked, Part};
use super::runs::{in_words, of_outcome, scope};
use super::status::RunLine;
use crate::controller::queue::What;
use crate::reconcile::{ApplyReport, ListenError, Listener, Note, RunEvent, RunOutcome, Told};

/// Hears one run.
pub struct Hearing {
    telemetry: Arc<Telemetry>,
    part: Part,
    scope: &'static str,
    began: DateTime<Utc>,
    of: String,
    /// The target that is looked at, be it narrowed by the command line.
    target: Option<String>,
    is_shared: bool,
    accounts: AtomicUsize,
    looked: Mutex<Looked>,
    /// The shard that is looked at, where it has no account.
    empty_shard: OnceLock<String>,
}

impl Hearing {
    /// Of a job that begins now. `is_whole` is whether the command line narrows nothing, `is_shared` whether
    /// others take some of its accounts.
    pub fn of(
        telemetry: &Arc<Telemetry>,
        what: &What,
        is_whole: bool,
        is_shared: bool,
        began: DateTime<Utc>,
    ) -> Arc<dyn Listener> {
        let telemetry = Arc::clone(telemetry);
        Arc::new(Self {
            telemetry,
            part: Part::of(what, is_whole),
            scope: scope(what),
            began,
            of: in_words(what),
            target: match what {
                What::Target(name) => Some(name.clone()),
                What::Path(_) | What::Account(_) | What::Parts { .. } => None,
            },
            is_shared,
            accounts: AtomicUsize::new(0),
            looked: Mutex::default(),
            empty_shard: OnceLock::new(),
        })
    }
}

impl Listener for Hearing {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        self.telemetry.runs.hear(told, self.scope, self.began);
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let RunEvent::Seen { account } = told.event {
            looked.insert(account.clone(), told.time);
        }
        self.telemetry.objects().hear(told, &self.part, &looked);
        match told.event {
            RunEvent::Selected { accounts } => {
                if let Part::Target(target) = &self.part {
                    self.telemetry.objects().keep_accounts(target, accounts);
                }
            }
            RunEvent::Planned { plan } => {
                if let Some(target) = &self.target {
                    self.telemetry.objects().target_seen(target);
                }
                self.accounts.store(plan.targets.len(), Ordering::Relaxed);
                if let (Part::Target(target), false) = (&self.part, self.is_shared) {
                    let failed = plan.failed.iter().map(|failed| &failed.account);
                    let accounts = plan.targets.iter().map(|target| &target.account).chain(failed);
                    let accounts = accounts.cloned().collect();
                    self.telemetry.objects().keep_accounts(target, &accounts);
                }
            }
            RunEvent::Noted(Note::EmptyShard(shard)) => {
                self.empty_shard.get_or_init(|| shard.to_string());
            }
            // There was nothing to look at.
            RunEvent::Ended { outcome: RunOutcome::Elsewhere, .. } => {}
            RunEvent::Ended { outcome, report } => self.telemetry.runs.note(RunLine {
                run: told.run.to_owned(),
                of: self.of.clone(),
                began: self.began,
                ended: Some(told.time),
                outcome: Some(of_outcome(outcome).to_owned()),
                accounts: self.accounts.load(Ordering::Relaxed),
                applied: report.map_or(0, ApplyReport::applied),
                empty_shard: self.empty_shard.get().cloned(),
            }),
            _ => {}
        }
        Ok(())
    }
}
