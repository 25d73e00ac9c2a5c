//! One run that writes: the audit log open, what an earlier run left unfinished looked after, the
//! guards asked, the plan applied and verified.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use tracing::Instrument;

use super::apply::Applier;
use super::event::{ListenError, Listener, Note, RunEvent, Stream};
use super::guard::Guards;
use super::guarded::Standing;
use super::locks::AccountLocks;
use super::look::{Claimants, Look, LookError, Looked, look};
use super::outcome::RunOutcome;
use super::recover::recover;
use super::refusal::Refusal;
use super::report::ApplyReport;
use super::stop::Stop;
use crate::aws::Session;
use crate::names::{AccountId, TRACE};
use crate::plan::Plan;
use crate::store::audit::{AuditError, AuditLog, SharedLog, Writer};

/// A run that came to an end before its first write.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no plan.
    #[error(transparent)]
    Look(#[from] LookError),
    /// A guard said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody who listens cannot go on; the audit log above all.
    #[error(transparent)]
    Listener(#[from] ListenError),
}

impl From<AuditError> for RunError {
    fn from(error: AuditError) -> Self {
        Self::Listener(error.into())
    }
}

impl RunError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Look(error) => error.remedy(),
            Self::Refused(refusal) => refusal.remedy().into_owned(),
            Self::Listener(ListenError::Audit(error)) => error.remedy().to_owned(),
            Self::Listener(ListenError::Store(error)) => error.remedy().to_owned(),
            Self::Listener(_) => "look at who listens, and run again".to_owned(),
        }
    }
}

/// A run that may write.
pub struct Run<'a> {
    audit: Writer,
    sessions: BTreeMap<AccountId, Arc<Session>>,
    claimants: Claimants,
    guards: Guards,
    standing: Option<Arc<Standing>>,
    locks: AccountLocks,
    concurrent_accounts: usize,
    stop: &'a Stop,
    listener: &'a dyn Listener,
}

impl<'a> Run<'a> {
    /// Opens the audit log, and looks after the writes during which an earlier run died. Gives the
    /// look's plan back, to be shown, bound and applied.
    ///
    /// # Errors
    /// The log cannot be used, or somebody wishes to stop.
    pub async fn begin(
        looked: Looked,
        log: &SharedLog,
        stop: &'a Stop,
        listener: &'a dyn Listener,
    ) -> Result<(Self, Plan), RunError> {
        let Looked { plan, sessions, claimants, guards, standing, locks, .. } = looked;
        let concurrent_accounts = looked.concurrent_accounts;
        let audit = log.writer(&plan.run)?;
        let stream = Stream::new(&plan.run, vec![listener]);
        stream.mention(RunEvent::Opened { log: &audit });
        if let Some(fault) = audit.log().faults().first() {
            stream.mention(RunEvent::Noted(Note::Damaged { log: audit.log().path(), fault }));
        }
        let guarded = standing.as_deref().map(Standing::guarded);
        tokio::select! {
            recovered = recover(&audit, &locks, &sessions, &plan, guarded, listener) => recovered?,
            () = stop.raised() => return Err(LookError::Stopped.into()),
        }
        let run = Self {
            audit,
            sessions,
            claimants,
            guards,
            standing,
            locks,
            concurrent_accounts,
            stop,
            listener,
        };
        Ok((run, plan))
    }

    /// Goes on from a later look, whose plan is given back.
    pub fn go_on_from(&mut self, looked: Looked) -> Plan {
        self.sessions = looked.sessions;
        self.claimants = looked.claimants;
        self.guards = looked.guards;
        self.standing = looked.standing;
        looked.plan
    }

    /// The audit log.
    pub fn audit(&self) -> &AuditLog {
        self.audit.log()
    }

    /// Asks the guards whether a plan may be applied now.
    ///
    /// # Errors
    /// The first one that says no.
    pub fn check(&self, plan: &Plan) -> Result<(), Refusal> {
        let checked = self.guards.check(plan, Utc::now());
        if let Err(refusal) = &checked {
            let stream = Stream::new(&plan.run, vec![self.listener]);
            stream.mention(RunEvent::Refused { refusal });
        }
        checked
    }

    /// Applies a plan that the guards let through, and verifies it.
    ///
    /// # Errors
    /// The first guard that says no; nothing was written.
    pub async fn apply(&self, plan: &Plan) -> Result<ApplyReport, Refusal> {
        // Somebody may have thought about the plan for long.
        self.guards.kill_switch.look().await;
        self.check(plan)?;
        let applier = Applier {
            sessions: &self.sessions,
            claimants: &self.claimants,
            audit: self.audit.log(),
            locks: &self.locks,
            stop: self.stop,
            kill_switch: &self.guards.kill_switch,
            guarded: self.standing.as_deref().map(Standing::guarded),
            safety: &self.guards.safety,
            concurrent_accounts: self.concurrent_accounts,
            may_begin: &|| self.guards.may_begin(Utc::now()),
        };
        let span = tracing::debug_span!(target: TRACE, "write", evenkeel.run = %plan.run);
        let report = Box::pin(applier.apply(plan, self.listener)).instrument(span).await;
        self.conclude(&report.judged(plan), Some(&report)).await;
        Ok(report)
    }

    /// Tells the guards what the run has found and done. What they cannot remember only keeps back what
    /// comes later.
    async fn conclude(&self, plan: &Plan, report: Option<&ApplyReport>) {
        let Some(standing) = &self.standing else { return };
        if let Err(error) = standing.conclude(plan, report).await {
            tracing::warn!(
                "the guards cannot remember how {} ended: {error}; {}",
                plan.run,
                error.remedy()
            );
        }
    }
}

/// A run without anybody at the terminal: looks, looks after what was left unfinished, and applies
/// what the plan has to apply.
///
/// # Errors
/// The run came to an end before its first write.
pub async fn reconcile(
    wish: Look,
    log: &SharedLog,
    stop: &Stop,
    listener: &Arc<dyn Listener>,
) -> Result<RunOutcome, RunError> {
    let span = tracing::debug_span!(target: TRACE, "run", evenkeel.run = %wish.run);
    // In a box: all that a run waits for, one in the other, is more than the compiler follows.
    Box::pin(whole(wish, log, stop, listener)).instrument(span).await
}

async fn whole(
    wish: Look,
    log: &SharedLog,
    stop: &Stop,
    listener: &Arc<dyn Listener>,
) -> Result<RunOutcome, RunError> {
    let leaves_some = wish.share.is_some() || wish.patience.is_some();
    let looked = look(wish, listener, stop).await?;
    let id = looked.plan.run.clone();
    let stream = Stream::new(&id, vec![listener.as_ref()]);
    for why in &looked.outside {
        stream.mention(RunEvent::Noted(Note::OutsideFleet(why)));
    }
    let (run, plan) = Run::begin(looked, log, stop, listener.as_ref()).await?;
    let report = match plan.order.is_empty() {
        true => {
            run.conclude(&plan, None).await;
            None
        }
        false => Some(run.apply(&plan).await?),
    };
    let is_elsewhere = leaves_some && plan.targets.is_empty() && plan.failed.is_empty();
    let mut outcome = match is_elsewhere {
        true => RunOutcome::Elsewhere,
        false => RunOutcome::of(&plan, report.as_ref()),
    };
    // Also where there was nothing to be written: somebody should know before there is.
    if let Some(held) = run.standing.as_ref().and_then(|standing| standing.nothing()) {
        tracing::warn!("nothing could have been written: {held}");
        outcome = outcome.max(RunOutcome::Partly);
    }
    stream.tell(RunEvent::Ended { outcome, report: report.as_ref() })?;
    Ok(outcome)
}
