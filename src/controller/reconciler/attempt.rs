//! One run of the controller, from the files to its outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Reconciler;
use super::causes::{by_whom, heard, is_nothing_of_ours, is_part, lists_anew};
use super::mended::Mended;
use super::narrowed::{is_whole, narrowed};
use super::whole::WholeLook;
use crate::aws::meter::Meter;
use crate::controller::begun::{Begun, Looking};
use crate::controller::error::ControllerError;
use crate::controller::files::Version;
use crate::controller::in_force::Good;
use crate::controller::queue::What;
use crate::controller::said::Said;
use crate::controller::told::run_key;
use crate::names::AccountId;
use crate::reconcile::look::Listing;
use crate::reconcile::{
    Guarded, Hand, Heard, Hearsay, Kept, Listener, Listeners, Look, RunError, RunOutcome,
    Selectors, Share, Shared,
};
use crate::store::history::{ByWhom, Rights};

/// For how long a look at what events depend on waits for an account, at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// How old a listing of the organization may be that an event's run goes by.
const LISTED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// When the objects of the accounts of which events told were as declared last, as far as the store knows.
async fn rights(kept: &Kept, told: &[Heard]) -> BTreeMap<AccountId, Rights> {
    let accounts: BTreeSet<AccountId> = told.iter().map(|heard| heard.account.clone()).collect();
    let Some(store) = kept.history().filter(|_| !accounts.is_empty()) else {
        return BTreeMap::new();
    };
    match store.rights(accounts).await {
        Ok(rights) => rights,
        Err(error) => {
            tracing::warn!("when objects were as declared last is not known from before: {error}");
            BTreeMap::new()
        }
    }
}

/// One run.
pub(super) struct Attempt<'a> {
    pub(super) of: &'a Reconciler,
    pub(super) begun: &'a Begun<'a>,
    pub(super) version: &'a Good<Version>,
    /// Counts its calls.
    pub(super) meter: &'a Arc<Meter>,
    /// Hears whether it puts something right.
    pub(super) mended: &'a Arc<Mended>,
}

impl Attempt<'_> {
    fn what(&self) -> &What {
        &self.begun.job.what
    }

    fn is_whole(&self) -> bool {
        is_whole(self.of.files.selectors())
    }

    /// Runs; gives when what other controllers have of it in hand is looked after.
    ///
    /// # Errors
    /// It came to nothing.
    pub(super) async fn run(&self) -> Result<(RunOutcome, Option<Duration>), ControllerError> {
        let Self { of, version, .. } = self;
        let Some(selectors) = narrowed(of.files.selectors(), self.what()) else {
            return Ok((RunOutcome::InSync, None));
        };
        let settings = of.files.settings(version, &selectors)?;
        if !of.files.are_elsewhere() {
            of.kill_switch.follow(settings.fleet.as_ref());
        }
        let kept = of.keeper.kept(settings.fleet.as_ref()).await;
        if let Some(store) = kept.store() {
            of.own.among.join(&of.own.locks, store, settings.fleet.as_ref()).await;
        }
        let caused_by = by_whom(&self.begun.job.causes);
        let told = heard(self.what(), &self.begun.job.causes);
        let memory = kept.memory(of.log_file());
        let mut guarded = Guarded::of(Hand::Loop, settings.fleet.as_ref(), memory);
        let clocks = Arc::clone(&of.clocks);
        guarded.clock = Arc::new(move || clocks.wall());
        let told = of.own.unanswered.with(told, self.begun.started);
        let before = Arc::new(rights(&kept, &told).await);
        guarded.heard = Hearsay { told, right: Arc::clone(&of.own.right), before };
        let wish = settings.look(&selectors, guarded)?;
        let wish = self.shared(wish).await;
        of.own.ours.begins(&wish.run);
        self.heard_by(wish, &selectors, &kept, caused_by).await
    }

    /// A wish as one among several runs and controllers.
    async fn shared(&self, wish: Look) -> Look {
        let (of, causes) = (self.of, &self.begun.job.causes);
        let within = match lists_anew(self.what(), causes) {
            true => Duration::ZERO,
            false => LISTED_WITHIN,
        };
        Look {
            locks: of.own.locks.clone(),
            share: if of.shares { self.share().await } else { None },
            kill_switch: of.kill_switch.clone(),
            patience: match self.what() {
                What::Path(_) => Some(PATIENCE.min(of.path_every / 2)),
                What::Target(_) | What::Account(_) | What::Parts { .. } => None,
            },
            listing: Listing { at: Arc::clone(&of.own.listed), within },
            commit: self.version.label.commit.clone(),
            meter: Arc::clone(self.meter),
            ..wish
        }
    }

    /// Runs, and lets everybody hear it whom it concerns.
    async fn heard_by(
        &self,
        wish: Look,
        selectors: &Selectors,
        kept: &Kept,
        caused_by: Vec<ByWhom>,
    ) -> Result<(RunOutcome, Option<Duration>), ControllerError> {
        let of = self.of;
        let share = wish.share.clone();
        let warn = of.voice.warns();
        let mut listeners = of.voice.of_run(&Looking {
            begun: self.begun,
            config: of.files.config(),
            selectors,
            checkout: of.files.checkout(&self.version.label).as_deref(),
            is_whole: self.is_whole(),
            is_shared: share.is_some(),
        });
        listeners.push(Arc::clone(self.mended) as Arc<dyn Listener>);
        listeners.push(Arc::clone(&of.own.behind) as Arc<dyn Listener>);
        listeners.push(of.own.right.hearing(self.begun.started));
        if let Some(sight) = of.seen_by.clone().filter(|_| self.is_whole()) {
            listeners.extend(WholeLook::of(self.what(), sight, Arc::clone(&of.clocks)));
        }
        listeners.extend(share.iter().map(|share| Arc::clone(share) as Arc<dyn Listener>));
        listeners.extend(kept.listener("run", &wish, caused_by, &warn));
        let notices = of.telling.of(wish.fleet.as_ref(), of.log_file(), kept);
        let hearing =
            notices.as_ref().map(|notices| notices.hearing("run", &wish, wish.commit.clone()));
        listeners.extend(hearing.iter().map(|hearing| Arc::clone(hearing) as Arc<dyn Listener>));
        let listener: Arc<dyn Listener> = Arc::new(Listeners(listeners));
        let ended = of.hands.reconcile(wish, &of.audit_log, &of.stop, &listener).await;
        if kept.has_missed() {
            self.mended.forgets();
        }
        if let (Some(notices), Some(hearing)) = (notices, hearing) {
            let over = run_key(self.what()).filter(|_| ended.is_ok()).map(|(_, key)| key);
            let over: Vec<String> = over.into_iter().collect();
            notices.tell(&hearing, &over).await;
            of.telling.wake();
        }
        let left = match &share {
            Some(share) => self.end_share(share, ended.is_ok()).await,
            None => None,
        };
        let done = self.concluded(ended);
        match &done {
            Ok(outcome) => kept.close(*outcome, None),
            Err(error) => kept.close(error.outcome(), Some(&error.to_string())),
        }
        done.map(|outcome| (outcome, left))
    }

    /// How a run ended, for the loop.
    fn concluded(
        &self,
        ended: Result<RunOutcome, RunError>,
    ) -> Result<RunOutcome, ControllerError> {
        match ended {
            Ok(outcome) => Ok(outcome),
            // Somebody did something to what nobody declares, as happens all the time in an organization:
            // no run.
            Err(RunError::Look(error)) if is_part(self.what()) && is_nothing_of_ours(&error) => {
                tracing::debug!(of = ?self.what(), "not looked at: {error}");
                self.of.voice.say(&Said::NothingDeclared { what: self.what() });
                Ok(RunOutcome::InSync)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What of a job is left to this process, where several share it.
    async fn share(&self) -> Option<Arc<Share>> {
        let name = match self.what() {
            What::Target(name) | What::Path(name) => name,
            What::Account(_) | What::Parts { .. } => return None,
        };
        let schedule = self.version.what.targets.get(name);
        let (of, causes) = (self.of, &self.begun.job.causes);
        match of.own.among.share(self.what(), causes, schedule, of.path_every).await {
            Ok(share) => share,
            Err(error) => {
                tracing::warn!("nobody knows what others have in hand: {error}");
                None
            }
        }
    }

    /// Ends a run's share; gives when what others have in hand is looked after.
    async fn end_share(&self, share: &Share, is_over: bool) -> Option<Duration> {
        let shared = match share.end(is_over).await {
            Ok(shared) => shared,
            Err(error) => {
                tracing::warn!("what was looked at is not told to others: {error}");
                return None;
            }
        };
        if let What::Target(name) = self.what() {
            self.looked_elsewhere(name, &shared, is_over);
        }
        match (shared.open, shared.left) {
            (0, _) => None,
            // Whoever is done first takes more.
            (_, 1..) => Some(Duration::ZERO),
            (_, 0) => Some(self.of.own.among.again_in()),
        }
    }

    /// Leaves to others what they have looked at. `is_over` is whether the run came to its end.
    fn looked_elsewhere(&self, target: &str, shared: &Shared, is_over: bool) {
        if let Some(sight) = &self.of.seen_by {
            let mut sight = sight.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.of.clocks.now();
            let all = &shared.elsewhere;
            all.iter().for_each(|account| sight.looked_elsewhere(account, target, now));
        }
        if is_over && self.is_whole() {
            self.of.voice.say(&Said::Shared { target, rest: &shared.rest });
        }
    }
}
