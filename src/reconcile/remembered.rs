//! The store as a listener: what a run sees and does is remembered. What is about to be written is in
//! the store before it is sent, as in the audit log; a store that cannot be reached stops writes, and
//! never a look.

mod hindered;
mod looked_after;
mod seen;
mod unnoted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::drift_key::key;
use super::event::{ListenError, Listener, Note, RunEvent, Told};
use super::heard::Hearsay;
use super::look::Look;
use super::outcome::RunOutcome;
use super::report::ApplyReport;
use crate::fleet;
use crate::names::AccountId;
use crate::plan::{ObjectPlan, Plan, PlannedChange};
use crate::store::audit::{Failed, FailureClass, NotSent};
use crate::store::history::{
    Alive, ByWhom, Intent, IntentAbout, Outcome, OutcomeAbout, OutcomeWord, RunAbout, RunRecord,
    Selected, Verified,
};
use crate::store::{Store, StoreError};
use seen::{seen, unseen};
use unnoted::Unnoted;

/// What is to be remembered of a run beside what happens in it.
#[derive(Debug, Clone, Default)]
pub struct Remembering {
    /// What was called: `check`, `apply` …
    pub command: String,
    /// Whether what it sees is drift of what the fleet declares, and not of what somebody tries.
    pub keeps_drift: bool,
    /// Whether each of its accounts is looked at in whole.
    pub is_whole: bool,
    /// The target that is looked at, where it is one.
    pub target: Option<String>,
    /// All targets that there are.
    pub targets: BTreeSet<String>,
    /// Whether other controllers look at some of its accounts.
    pub is_shared: bool,
    /// The commit of the files, where they are in git.
    pub commit: Option<String>,
    /// Who did what the run was made for.
    pub caused_by: Vec<ByWhom>,
    /// What each of them may have touched.
    pub heard: Hearsay,
    /// The run that it puts back.
    pub rolls_back: Option<String>,
    /// The guards that somebody overruled for it.
    pub overruled: Vec<String>,
    /// Who did, where some are overruled.
    pub overruled_by: Option<String>,
    /// After so long without a sign of life the run was killed, where several controllers share the store.
    pub term: Duration,
}

impl Remembering {
    /// Of a look that a command makes.
    pub fn of(command: &str, look: &Look, commit: Option<String>) -> Self {
        let mut own = look.targets.iter().filter(|target| !target.is_beside);
        let target = match (own.next(), own.next()) {
            (Some(one), None) => Some(one.name.clone()),
            _ => None,
        };
        Self {
            command: command.to_owned(),
            target,
            targets: look.targets.iter().map(|target| target.name.clone()).collect(),
            is_shared: look.share.is_some(),
            // A plan asks "what if", often of a branch that nobody has merged yet; what is put back is
            // as declared until then.
            keeps_drift: !matches!(command, "plan" | "rollback") && look.is_of_the_fleet(),
            is_whole: look.is_whole_in_its_accounts(),
            commit,
            term: {
                let file = look.fleet.as_ref().map(|fleet| fleet.file.store.lease);
                file.unwrap_or_else(|| fleet::file::Store::default().lease).duration()
            },
            heard: look.guarded.heard.clone(),
            overruled: look.guarded.overruled.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }
}

/// Writes what happens in a run into the store.
pub struct Remembered {
    store: Store,
    noted: Mutex<Noted>,
    /// Held while what was seen is noted.
    noting: Mutex<()>,
}

/// What was said of the run so far.
#[derive(Default)]
struct Noted {
    what: Remembering,
    began: DateTime<Utc>,
    run: Option<RunRecord>,
    /// The tokens of the leases under which accounts were looked at, where there are leases.
    tokens: BTreeMap<AccountId, i64>,
    /// The targets that declare things for an account which the run is not asked for.
    beside: BTreeMap<AccountId, BTreeSet<String>>,
    /// When each account had been looked at: the others may take long after that.
    looked: BTreeMap<AccountId, DateTime<Utc>>,
    /// The shard that is looked at, where it has no account.
    empty_shard: Option<String>,
    /// Of which kind the failures of its changes are.
    classes: BTreeMap<u32, FailureClass>,
    /// Whether the store has it.
    is_there: bool,
    /// What was seen and is not in the store yet.
    unnoted: Unnoted,
    /// Its signs of life, where others may ask about it.
    alive: Option<Alive>,
}

impl Remembered {
    /// For one run.
    pub fn new(store: Store, what: Remembering) -> Self {
        let noted = Noted { what, began: Utc::now(), ..Noted::default() };
        Self { store, noted: Mutex::new(noted), noting: Mutex::default() }
    }

    /// Goes on with a later look, which takes the place of the one before.
    pub fn go_on(&self, what: Remembering) {
        let mut noted = self.noted();
        noted.what = what;
        noted.began = Utc::now();
        noted.tokens.clear();
        noted.beside.clear();
        noted.classes.clear();
        noted.empty_shard = None;
        noted.unnoted = Unnoted::default();
    }

    /// Whether the store does not know what was seen: who did that is named by a later look.
    pub fn has_missed(&self) -> bool {
        !self.noted().unnoted.is_empty()
    }

    /// Says how a run ended whose end nobody has told, such as one that nobody agreed to; and why nothing
    /// was written, where something was to be.
    pub fn close(&self, outcome: RunOutcome, why: Option<&str>) {
        {
            let mut noted = self.noted();
            let Some(run) = noted.run.as_mut().filter(|run| run.ended.is_none()) else { return };
            run.ended = Some(Utc::now());
            run.outcome = Some(outcome.into());
            run.about.left.extend(why.map(|why| format!("nothing was written: {why}")));
        }
        if let Err(error) = self.note_run() {
            tracing::warn!("the end of the run is not remembered: {error}");
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self, told: &Told<'_>, plan: &Plan) {
        // A snapshot tells of another time.
        if plan.snapshot.is_some() {
            return;
        }
        self.close(RunOutcome::from(plan.outcome()), None);
        let (what, began, beside, at) = {
            let noted = self.noted();
            (noted.what.clone(), noted.began, noted.beside.clone(), noted.looked.clone())
        };
        if what.is_shared && plan.targets.is_empty() && plan.failed.is_empty() {
            // Others have looked: there was no run.
            return;
        }
        let may_write = !matches!(what.command.as_str(), "plan" | "check");
        let is_over = plan.order.is_empty() || !may_write;
        let run = RunRecord {
            run: told.run.to_owned(),
            command: what.command.clone(),
            began,
            ended: is_over.then_some(told.time),
            outcome: is_over.then(|| match may_write {
                true => RunOutcome::of(plan, None).into(),
                false => RunOutcome::from(plan.outcome()).into(),
            }),
            about: RunAbout {
                baseline: format!("{}@{}", plan.baseline.name, plan.baseline.digest),
                commit: what.commit.clone(),
                targets: plan.baseline.targets.clone(),
                accounts: plan.targets.len(),
                summary: json!(plan.summary()),
                applied: 0,
                left: Vec::new(),
                found: Vec::new(),
                killed: false,
                failed: false,
                empty_shard: self.noted().empty_shard.clone(),
                rolls_back: what.rolls_back.clone(),
                caused_by: what.caused_by.clone(),
                overruled: what.overruled.clone(),
                overruled_by: what.overruled_by.clone(),
            },
        };
        self.noted().run = Some(run);
        let (seen, unseen) = match what.keeps_drift {
            true => (seen(told, plan, &what, &beside, (began, &at)), unseen(told, plan, &what)),
            false => (Vec::new(), Vec::new()),
        };
        self.noted().unnoted = Unnoted::of(seen, unseen);
        let taken = self.take_over(told, plan);
        if let Err(error) =
            taken.and_then(|()| self.note_run()).and_then(|()| self.note_what_was_seen())
        {
            // What was seen is of use without it; before a write, it is tried again.
            tracing::warn!("what was seen is not remembered: {error}");
        }
    }

    fn selected(&self, told: &Told<'_>, accounts: &BTreeSet<AccountId>) -> Result<(), StoreError> {
        let what = self.noted().what.clone();
        let Some(target) = what.target.filter(|_| what.keeps_drift) else { return Ok(()) };
        let selected = Selected {
            run: told.run.to_owned(),
            time: told.time,
            target,
            accounts: accounts.clone(),
            targets: what.targets,
        };
        let store = self.store.clone();
        self.store.wait(async move { store.note_selected(selected).await })
    }

    fn note_run(&self) -> Result<(), StoreError> {
        let Some(run) = self.noted().run.clone() else { return Ok(()) };
        let (id, goes_on) = (run.run.clone(), run.ended.is_none());
        if !goes_on {
            self.noted().alive = None;
        }
        let store = self.store.clone();
        let done = self.store.wait(async move { store.note_run(&run).await });
        let mut noted = self.noted();
        noted.is_there = done.is_ok();
        if goes_on && noted.is_there && noted.alive.is_none() && self.store.is_shared() {
            noted.alive = Some(self.store.keep_alive(&id, noted.what.term)?);
        }
        done
    }

    fn writing(
        &self,
        told: &Told<'_>,
        (object, change): (&ObjectPlan, &PlannedChange),
        before: Value,
        by: &str,
        token: Option<i64>,
    ) -> Result<(), StoreError> {
        let is_there = self.noted().is_there;
        if !is_there {
            self.note_run()?;
        }
        self.note_before_a_write()?;
        let (baseline, commit) = {
            let noted = self.noted();
            let baseline = noted.run.as_ref().map(|run| run.about.baseline.clone());
            (baseline.unwrap_or_default(), noted.what.commit.clone())
        };
        let intent = Intent {
            run: told.run.to_owned(),
            change: change.id,
            time: told.time,
            account: object.account.clone(),
            region: object.region.clone(),
            item: object.item.clone(),
            object: object.observed.id.clone(),
            actor: by.to_owned(),
            token,
            about: IntentAbout {
                name: change.name(),
                action: change.action.as_deref().cloned().unwrap_or_default(),
                before,
                spec: object.spec.clone(),
                drift: serde_json::to_value(&change.drift)?,
                undo: serde_json::to_value(&change.undo)?,
                global: object.global,
                baseline,
                commit,
            },
        };
        let store = self.store.clone();
        self.store.wait(async move { store.begin_change(&intent).await })
    }

    fn answered(
        &self,
        told: &Told<'_>,
        change: u32,
        answer: Result<&[String], &Failed>,
        by: &str,
    ) -> Result<(), StoreError> {
        let (outcome, about) = match answer {
            Ok(made) => {
                let about = OutcomeAbout { made: made.to_vec(), ..OutcomeAbout::default() };
                (OutcomeWord::Applied, about)
            }
            Err(failed) => {
                if let Some(class) = failed.class {
                    self.noted().classes.insert(change, class);
                }
                let about = OutcomeAbout {
                    error: Some(failed.error.clone()),
                    class: Some(serde_json::to_value(failed.class)?),
                    left: failed.left.clone(),
                    ..OutcomeAbout::default()
                };
                (OutcomeWord::Failed, about)
            }
        };
        let ended = self.end(told, told.run, change, outcome, about, by);
        let is_unheard =
            |failed: &Failed| failed.class == Some(FailureClass::Ours(NotSent::Unheard));
        match answer {
            // Nobody knows whether the store heard of the beginning, and nothing was sent.
            Err(failed) if is_unheard(failed) => Ok(()),
            _ => ended,
        }
    }

    fn end(
        &self,
        told: &Told<'_>,
        run: &str,
        change: u32,
        outcome: OutcomeWord,
        about: OutcomeAbout,
        by: &str,
    ) -> Result<(), StoreError> {
        let outcome = Outcome {
            run: run.to_owned(),
            change,
            time: told.time,
            outcome,
            actor: by.to_owned(),
            about,
        };
        let store = self.store.clone();
        self.store.wait(async move { store.end_change(&outcome).await })
    }

    fn verified(
        &self,
        told: &Told<'_>,
        object: &ObjectPlan,
        after: Value,
        in_sync: bool,
    ) -> Result<(), StoreError> {
        let verified = Verified {
            run: told.run.to_owned(),
            object: key(object),
            time: told.time,
            after,
            in_sync,
        };
        let store = self.store.clone();
        self.store.wait(async move { store.note_verified(&verified).await })
    }

    fn ended(
        &self,
        told: &Told<'_>,
        outcome: RunOutcome,
        report: Option<&ApplyReport>,
    ) -> Result<(), StoreError> {
        {
            let mut noted = self.noted();
            let Some(run) = &mut noted.run else { return Ok(()) };
            run.ended = Some(told.time);
            run.outcome = Some(outcome.into());
            if let Some(report) = report {
                run.about.applied = report.applied();
                let left = report.outcomes.iter().filter(|outcome| !outcome.step.is_done());
                let left = left.map(|outcome| format!("{}: {}", outcome.title, outcome.step));
                run.about.left = left.collect();
            }
        }
        self.note_run()
    }

    fn hear_it(&self, told: &Told<'_>) -> Result<(), StoreError> {
        match told.event {
            RunEvent::Planned { plan } => {
                self.planned(told, plan);
                Ok(())
            }
            RunEvent::Noted(Note::EmptyShard(shard)) => {
                self.noted().empty_shard = Some(shard.to_string());
                Ok(())
            }
            RunEvent::Seen { account } => {
                self.noted().looked.insert(account.clone(), told.time);
                Ok(())
            }
            RunEvent::GovernedBeside { account, targets } => {
                self.noted().beside.insert(account.clone(), targets.clone());
                Ok(())
            }
            RunEvent::Selected { accounts } => {
                if let Err(error) = self.selected(told, accounts) {
                    tracing::warn!(
                        "which accounts are not selected any more is not noted: {error}"
                    );
                }
                Ok(())
            }
            RunEvent::Opened { log } => {
                if let Err(error) = self.catch_up(told, log) {
                    tracing::warn!("what was left open in the store stays so: {error}");
                }
                Ok(())
            }
            RunEvent::Held { account, token } => {
                self.noted().tokens.insert(account.clone(), token);
                Ok(())
            }
            RunEvent::Writing { object, change, before, by, token } => {
                self.writing(told, (object, change), serde_json::to_value(before)?, by, token)
            }
            RunEvent::Answered { change, answer, by, .. } => {
                self.answered(told, change.id, answer, by)
            }
            RunEvent::Verified { object, after, in_sync, .. } => {
                let after = after.map_or(Ok(Value::Null), serde_json::to_value)?;
                self.verified(told, object, after, in_sync)?;
                self.not_right(told, object, in_sync);
                Ok(())
            }
            RunEvent::Wrote { object, change, step } => {
                self.wrote(told, object, change.id, step);
                Ok(())
            }
            RunEvent::FoundThere { change, .. } => {
                if let Some(run) = &mut self.noted().run {
                    run.about.found.push(change.id);
                }
                self.note_run()
            }
            RunEvent::Recovered { intent, found, by } => {
                if let Ok(found) = found {
                    self.recovered(told, intent, found, by)?;
                }
                self.was_killed(&intent.run)
            }
            RunEvent::SeenSince { intent, now, .. } if now.in_sync => {
                let (store, run, change) = (self.store.clone(), intent.run.clone(), intent.change);
                self.store.wait(async move { store.note_found(&run, change).await })
            }
            RunEvent::Refused { .. } => self.ended(told, RunOutcome::Refused, None),
            RunEvent::Ended { outcome, report } => self.ended(told, outcome, report),
            _ => Ok(()),
        }
    }
}

impl Listener for Remembered {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        self.hear_it(told).map_err(|error| match error {
            StoreError::LeaseLost { .. } => ListenError::LeaseLost(error.to_string()),
            error => error.into(),
        })
    }
}

/// The place of a store that cannot be used: what is seen is not remembered, and nothing is written.
pub struct Unreachable(pub String);

impl Listener for Unreachable {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        match told.event {
            RunEvent::Writing { .. } => Err(ListenError::Other(self.0.clone().into())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
