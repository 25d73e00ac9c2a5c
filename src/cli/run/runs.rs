//! The runs of the controller: each of one version of the files, several at a time, one in an account.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use croner::Cron;
use evenkeel::aws::meter::Meter;
use evenkeel::controller::PATH;
use evenkeel::controller::drive::{Clocks, Ended, Runs, Woken};
use evenkeel::controller::events::Event;
use evenkeel::controller::in_force::Good;
use evenkeel::controller::queue::{Causes, Job, What};
use evenkeel::controller::setback::Setback;
use evenkeel::controller::sight::Sight;
use evenkeel::fleet::Fleet;
use evenkeel::fleet::access::source_identity;
use evenkeel::fleet::file::schedule;
use evenkeel::guards::KillSwitch;
use evenkeel::guards::kill_switch::{News, Watched};
use evenkeel::names::AccountId;
use evenkeel::notify::besides::{KILL_SWITCH, failed_run, kill_switch};
use evenkeel::plan::Detail;
use evenkeel::reconcile::look::{Listed, Listing};
use evenkeel::reconcile::{
    AccountLocks, LeaseCounts, Listener, Listeners, LookError, RunError, RunOutcome, Selection,
    Share, Shared, Stop, reconcile,
};
use evenkeel::store::StoreError;
use evenkeel::store::audit::SharedLog;
use evenkeel::telemetry::Telemetry;
use evenkeel::telemetry::hearing::Hearing;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::again;
use super::super::args::{RunArgs, Selectors};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::listen::{ByHand, JsonLine, Talk};
use super::super::look::{self, Asking, Wish};
use super::super::notices::store_of;
use super::super::remember::{Keeper, Kept};
use super::super::settings;
use super::PATH_EVERY;
use super::causes::{by_whom, heard, is_nothing_of_ours, is_part, lists_anew, run_key};
use super::files::{Files, Version};
use super::mended::Mended;
use super::shared::Among;
use super::whole::WholeLook;
use super::{log, said};

/// How often it is looked at whether the kill switch is on, to say so; each write looks for itself.
const SWITCH_EVERY: Duration = Duration::from_millis(500);
/// The same of a parameter, which a run that writes reads each second.
const PARAMETER_EVERY: Duration = Duration::from_secs(5);
/// How old a listing of the organization may be that an event's run goes by.
const LISTED_WITHIN: Duration = Duration::from_secs(5 * 60);
/// Runs whose calls are known to be ours; CloudTrail's events come within minutes of a call.
const RUNS_REMEMBERED: usize = 1_000;

/// What is known of the accounts, and the clocks by which it ages.
type SeenBy = (Arc<Mutex<Sight>>, Arc<dyn Clocks>);

/// Who reconciles.
pub struct Reconciler {
    files: Arc<Files>,
    selectors: Selectors,
    /// Open as long as the controller lives.
    audit_log: SharedLog,
    /// Two runs must never write to one account at the same time.
    locks: AccountLocks,
    /// The organization as it was listed last.
    listed: Arc<Listed>,
    /// What this controller is among several.
    among: Arc<Among>,
    /// Whether it shares out with others what a tick wants.
    shares: bool,
    /// How often it is looked at what events depend on.
    path_every: Duration,
    kill_switch: KillSwitch,
    /// Said when the kill switch is off again.
    released: Notify,
    stop: Stop,
    /// Who knows how well each account is seen, and by which clock.
    seen_by: Option<SeenBy>,
    /// Who shows what happens, if somebody does.
    telemetry: Option<Arc<Telemetry>>,
    /// Where runs are remembered.
    keeper: Keeper,
    /// The source identities of the latest runs.
    ours: Mutex<VecDeque<String>>,
}

/// The schedules of the targets that are selected, `default` for those without one.
///
/// # Errors
/// The default is no schedule.
pub fn schedules(
    fleet: Option<&Fleet>,
    selectors: &Selectors,
    default: &str,
) -> Result<BTreeMap<String, Cron>, String> {
    let Some(fleet) = fleet.filter(|_| selectors.baseline.is_empty()) else {
        return Ok([(settings::COMMAND_LINE.to_owned(), schedule(default)?)].into());
    };
    let is_selected =
        |name: &String| selectors.target.is_empty() || selectors.target.contains(name);
    let targets = fleet.file.targets.iter().filter(|target| is_selected(&target.name));
    targets
        .map(|target| {
            let cron = schedule(target.schedule.as_deref().unwrap_or(default))?;
            Ok((target.name.clone(), cron))
        })
        .collect()
}

impl Reconciler {
    /// Who reconciles what the arguments select.
    pub fn new(
        files: &Arc<Files>,
        args: &RunArgs,
        audit_log: SharedLog,
        kill_switch: KillSwitch,
        stop: &Stop,
    ) -> Self {
        // Jobs that end keep a store when somebody names it, or a controller has made one.
        let keeper = Keeper::beside(audit_log.path(), !args.once);
        Self {
            files: Arc::clone(files),
            selectors: args.selectors.clone(),
            audit_log,
            locks: AccountLocks::default(),
            listed: Arc::default(),
            among: Arc::default(),
            shares: !args.once,
            path_every: PATH_EVERY,
            kill_switch,
            released: Notify::new(),
            stop: stop.clone(),
            seen_by: None,
            telemetry: None,
            keeper,
            ours: Mutex::default(),
        }
    }

    /// Tells it of each whole look at an account.
    pub fn seen_by(mut self, sight: Arc<Mutex<Sight>>, clocks: Arc<dyn Clocks>) -> Self {
        self.seen_by = Some((sight, clocks));
        self
    }

    /// Looks so often at what events depend on.
    pub fn path_every(mut self, path_every: Duration) -> Self {
        self.path_every = path_every;
        self
    }

    /// Tells telemetry of each run.
    pub fn shown_by(mut self, telemetry: Option<Arc<Telemetry>>) -> Self {
        self.telemetry = telemetry;
        self
    }

    /// Refuses where somebody else writes with the store already.
    ///
    /// # Errors
    /// Somebody does.
    pub async fn is_alone(&self) -> Result<(), Failure> {
        match self.keeper.kept(self.files.good().what.fleet.as_ref()).await {
            Kept::Gone(error @ StoreError::Held { .. }) => Err(error.into()),
            // What else is wrong with it may pass.
            Kept::Nowhere | Kept::In(..) | Kept::Gone(_) => Ok(()),
        }
    }

    /// Where runs are remembered.
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The audit log's file.
    pub fn audit_log(&self) -> PathBuf {
        self.audit_log.path().to_owned()
    }

    /// What it is among several controllers.
    pub fn among(&self) -> &Arc<Among> {
        &self.among
    }

    /// The leases that it has, where several controllers share the fleet.
    pub fn leases(&self) -> Option<LeaseCounts> {
        self.locks.leases()
    }

    /// Gives back what it has claimed among several controllers.
    pub async fn end(&self) {
        self.locks.end().await;
    }

    /// One run of one target, and its line in the log.
    pub async fn target(&self, name: &str) -> Exit {
        let job = Job { what: What::Target(name.to_owned()), causes: Causes::default() };
        let line = json!({ "target": name });
        self.reconcile(&job, line, &Arc::default(), &Arc::default()).await.0
    }

    /// A run, and when what other controllers have of it in hand is looked after. `meter` counts its calls.
    async fn reconcile(
        &self,
        job: &Job,
        line: Value,
        meter: &Arc<Meter>,
        mended: &Arc<Mended>,
    ) -> (Exit, Option<Duration>) {
        if self.stop.is_raised() {
            return (Exit::Interrupted, None);
        }
        let started = Utc::now();
        let version = self.files.good();
        self.kill_switch.look().await;
        let mut line = line;
        line["files"] = self.files.line(&version, started);
        if let Some(pulled) = self.kill_switch.pulled() {
            line["kill_switch"] = json!(pulled.to_string());
        }
        let log_line = JsonLine::new(line.clone(), started);
        let attempt = self.attempt(job, &version, log_line, meter, mended);
        attempt.await.unwrap_or_else(|failure| {
            line["event"] = json!("run");
            line["started"] = json!(started);
            line["outcome"] = json!("failed");
            line["error"] = json!(failure.to_string());
            log(&line);
            self.tell_of_failure(&job.what, &failure);
            if let Some(telemetry) = &self.telemetry {
                telemetry.runs().failed(&job.what, started, Utc::now());
            }
            (failure.exit(), None)
        })
    }

    /// Tells that a target could not be looked at. What failed of less is looked at again with it.
    fn tell_of_failure(&self, what: &What, failure: &Failure) {
        if let (What::Target(name), Some(key)) = (what, run_key(what)) {
            let matter = failed_run(&format!("target {name}"), &key, &failure.to_string());
            self.files.telling.note(vec![matter], Vec::new());
        }
    }

    /// What of a job is left to this process, where several share it.
    async fn share(
        &self,
        what: &What,
        causes: &Causes,
        version: &Good<Version>,
    ) -> Option<Arc<Share>> {
        let name = match what {
            What::Target(name) | What::Path(name) => name,
            What::Account(_) | What::Parts { .. } => return None,
        };
        let schedule = version.what.targets.get(name);
        match self.among.share(what, causes, schedule, self.path_every).await {
            Ok(share) => share,
            Err(error) => {
                tracing::warn!("nobody knows what others have in hand: {error}");
                None
            }
        }
    }

    /// Ends a run's share; gives when what others have in hand is looked after.
    async fn end_share(&self, what: &What, share: &Share, is_over: bool) -> Option<Duration> {
        let shared = match share.end(is_over).await {
            Ok(shared) => shared,
            Err(error) => {
                tracing::warn!("what was looked at is not told to others: {error}");
                return None;
            }
        };
        if let What::Target(name) = what {
            self.looked_elsewhere(name, &shared, is_over);
        }
        (shared.open > 0).then(|| self.among.again_in())
    }

    /// Leaves to others what they have looked at. `is_over` is whether the run came to its end.
    fn looked_elsewhere(&self, target: &str, shared: &Shared, is_over: bool) {
        if let Some((sight, clocks)) = &self.seen_by {
            let mut sight = sight.lock().unwrap_or_else(PoisonError::into_inner);
            let now = clocks.now();
            let all = &shared.elsewhere;
            all.iter().for_each(|account| sight.looked_elsewhere(account, target, now));
        }
        if let Some(telemetry) = self.telemetry.as_ref().filter(|_| is_over && self.is_whole()) {
            telemetry.objects().keep_accounts(target, &shared.rest);
        }
    }

    async fn attempt(
        &self,
        job: &Job,
        version: &Good<Version>,
        line: JsonLine,
        meter: &Arc<Meter>,
        mended: &Arc<Mended>,
    ) -> Result<(Exit, Option<Duration>), Failure> {
        let (what, causes) = (&job.what, &job.causes);
        let Some(selectors) = self.selectors_of(what) else { return Ok((Exit::Done, None)) };
        let global = &self.files.global;
        let line = line.by_hand(self.by_hand(&selectors, version));
        let mut settings = settings::resolve_from(global, &selectors, &version.what.texts)?;
        self.files.remember_at_home(settings.fleet.as_mut());
        if !self.files.are_elsewhere() {
            self.kill_switch.follow(settings.fleet.as_ref());
        }
        let kept = self.keeper.kept(settings.fleet.as_ref()).await;
        if let Some(store) = store_of(&kept) {
            self.among.join(&self.locks, store, settings.fleet.as_ref()).await;
        }
        let caused_by = by_whom(causes);
        let asking = Asking {
            is_loop: true,
            heard: heard(what, &caused_by),
            audit_log: Some(self.audit_log.path().to_owned()),
            ..Asking::default()
        };
        let wish = Wish { detail: Some(Detail::All), asking, ..Wish::default() };
        let mut wanted = look::wanted(global, &selectors, settings, wish, Some(&kept)).await?;
        wanted.locks = self.locks.clone();
        wanted.share = match self.shares {
            true => self.share(what, causes, version).await,
            false => None,
        };
        let share = wanted.share.clone();
        wanted.kill_switch = self.kill_switch.clone();
        wanted.listing = Listing {
            at: Arc::clone(&self.listed),
            within: if lists_anew(what, causes) { Duration::ZERO } else { LISTED_WITHIN },
        };
        wanted.commit.clone_from(&version.label.commit);
        wanted.meter = Arc::clone(meter);
        self.remember(source_identity(&wanted.run));
        let mut listeners: Vec<Arc<dyn Listener>> =
            vec![Arc::new(Talk), Arc::new(line), Arc::clone(mended) as Arc<dyn Listener>];
        if let Some((sight, clocks)) = self.seen_by.clone().filter(|_| self.is_whole()) {
            listeners.extend(WholeLook::of(what, sight, clocks));
        }
        if let Some(telemetry) = &self.telemetry {
            let is_shared = share.is_some();
            listeners.push(Hearing::of(telemetry, what, self.is_whole(), is_shared, Utc::now()));
        }
        let telling = &self.files.telling;
        let notices = telling.of(wanted.fleet.as_ref(), self.audit_log.path(), &kept);
        let hearing = notices.as_ref().map(|notices| {
            let commit = wanted.commit.clone();
            notices.hearing("run", &wanted, commit, caused_by.clone())
        });
        listeners.extend(share.iter().map(|share| Arc::clone(share) as Arc<dyn Listener>));
        listeners.extend(kept.listener("run", &wanted, caused_by));
        listeners.extend(hearing.iter().map(|hearing| Arc::clone(hearing) as Arc<dyn Listener>));
        let listener: Arc<dyn Listener> = Arc::new(Listeners(listeners));
        let ended = reconcile(wanted, &self.audit_log, &self.stop, &listener).await;
        if let (Some(notices), Some(hearing)) = (notices, hearing) {
            let over: Vec<String> = run_key(what).filter(|_| ended.is_ok()).into_iter().collect();
            notices.tell(&hearing, &over).await;
            telling.wake();
        }
        let left = match &share {
            Some(share) => self.end_share(what, share, ended.is_ok()).await,
            None => None,
        };
        let done = self.concluded(what, ended);
        kept.close(done.as_ref().copied());
        done.map(|exit| (exit, left))
    }

    /// How a run ended, for the loop.
    fn concluded(&self, what: &What, ended: Result<RunOutcome, RunError>) -> Result<Exit, Failure> {
        match ended {
            Ok(outcome) => Ok(outcome.into()),
            // Somebody did something to what nobody declares.
            Err(RunError::Look(error)) if is_part(what) && is_nothing_of_ours(&error) => {
                self.nothing_of_ours(what, &error);
                Ok(Exit::Done)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody did something to what nobody declares, as happens all the time in an organization: no run.
    fn nothing_of_ours(&self, what: &What, error: &LookError) {
        tracing::debug!(of = %said::what(what), "not looked at: {error}");
        if let Some(telemetry) = &self.telemetry {
            telemetry.runs().nothing_declared(what);
        }
    }

    /// The command line that goes on by hand where a guard holds something back, and where it is run.
    fn by_hand(&self, selectors: &Selectors, version: &Good<Version>) -> ByHand {
        let (global, selectors) = (self.files.global.clone(), selectors.clone());
        let checkout = self.files.checkout(version);
        Box::new(move |guard| {
            let line = again::by_hand(&global, &selectors, guard)?;
            Some(match &checkout {
                Some(place) => format!("{line}   # {place}"),
                None => line,
            })
        })
    }

    /// Whether nothing is left out of a whole look.
    fn is_whole(&self) -> bool {
        let Selectors { kind, region, .. } = &self.selectors;
        kind.is_empty() && region.is_empty()
    }

    /// What the command line's selectors leave of it, if anything.
    fn selectors_of(&self, what: &What) -> Option<Selectors> {
        let mut selectors = self.selectors.clone();
        match what {
            What::Target(name) => {
                if selectors.baseline.is_empty() {
                    selectors.target = vec![name.clone()];
                }
            }
            What::Path(name) => {
                let kinds = PATH.iter().filter(|kind| self.asks_for(kind));
                selectors.kind = kinds.map(|kind| (*kind).to_owned()).collect();
                if selectors.baseline.is_empty() {
                    selectors.target = vec![name.clone()];
                }
                if selectors.kind.is_empty() {
                    return None;
                }
            }
            What::Account(account) => {
                if !self.asks_for_account(account) {
                    return None;
                }
                selectors.account = vec![account.to_string()];
            }
            What::Parts { account, parts } => {
                let asked = &self.selectors;
                if !self.asks_for_account(account) {
                    return None;
                }
                let is_asked = |region: &str| {
                    asked.region.is_empty() || asked.region.iter().any(|one| one == region)
                };
                let left = parts.iter().filter(|(kind, region)| {
                    self.asks_for(kind)
                        && region.as_ref().is_none_or(|region| is_asked(region.as_str()))
                });
                selectors.account = vec![account.to_string()];
                selectors.kind.clear();
                selectors.region.clear();
                for (kind, region) in left {
                    selectors.kind.push((*kind).to_owned());
                    selectors.region.extend(region.as_ref().map(ToString::to_string));
                }
                if selectors.kind.is_empty() {
                    return None;
                }
            }
        }
        Some(selectors)
    }

    fn asks_for_account(&self, account: &AccountId) -> bool {
        let asked = &self.selectors.account;
        asked.is_empty() || asked.iter().any(|id| id == account.as_str())
    }

    fn asks_for(&self, kind: &str) -> bool {
        let kinds = self.selectors.kind.iter().cloned().collect();
        Selection { kinds, ..Selection::default() }.has_kind(kind)
    }

    /// Says when the kill switch is pulled and released, for as long as the controller runs.
    pub async fn watch_kill_switch(&self) {
        let mut watched = Watched::default();
        loop {
            self.kill_switch.look_within(PARAMETER_EVERY).await;
            match watched.news(self.kill_switch.pulled()) {
                None => {}
                Some(News::On(on)) => {
                    said::kill_switch(Some(&on));
                    let matter = kill_switch(&on.to_string(), &on.release());
                    self.files.telling.note(vec![matter], Vec::new());
                }
                Some(News::Off { was_told }) => {
                    if was_told {
                        said::kill_switch(None);
                        let over = (None, KILL_SWITCH.to_owned());
                        self.files.telling.note(Vec::new(), vec![over]);
                    }
                    self.released.notify_one();
                }
            }
            tokio::time::sleep(SWITCH_EVERY).await;
        }
    }

    fn remember(&self, identity: String) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        ours.push_back(identity);
        if ours.len() > RUNS_REMEMBERED {
            ours.pop_front();
        }
    }
}

#[async_trait]
impl Runs for Reconciler {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        let targets = self.files.good().what.targets.clone();
        if let Some(telemetry) = &self.telemetry {
            telemetry.objects().keep_targets(&targets.keys().cloned().collect());
        }
        Ok(targets)
    }

    async fn woken(&self) -> Woken {
        tokio::select! {
            () = self.files.changed() => Woken::Files,
            () = self.released.notified() => Woken::Released,
        }
    }

    async fn run(&self, job: &Job) -> Ended {
        let mut line = said::what(&job.what);
        line["causes"] = said::causes(&job.causes);
        let meter = Arc::new(Meter::default());
        let mended = Arc::new(Mended::default());
        let (exit, left) = self.reconcile(job, line, &meter, &mended).await;
        match (exit, left) {
            (Exit::Done | Exit::Drift | Exit::Refused, None) if mended.anything() => Ended::Mended,
            (Exit::Done | Exit::Drift | Exit::Refused, None) => Ended::Done,
            (Exit::Done | Exit::Drift | Exit::Refused, Some(after)) => Ended::Elsewhere { after },
            (Exit::Partly | Exit::Error, _) => {
                Ended::Again(Setback::of(meter.failures(), meter.wait()))
            }
            (Exit::Interrupted, _) => Ended::Stopped,
        }
    }

    /// A source identity stays with a session, and nobody can take one that the role's trust policy
    /// does not give them; without roles, our own calls are looked after once more.
    fn is_ours(&self, event: &Event) -> bool {
        let ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        event.by.source_identity.as_ref().is_some_and(|identity| ours.contains(identity))
    }
}
