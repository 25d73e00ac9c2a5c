//! One life of the controller: evenkeel's own [`Reconciler`], and who sees to it that it is not asked for the
//! same thing twice at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use croner::Cron;

use super::super::audience::{Audience, Voice};
use super::super::drive::{Runs, Woken};
use super::super::ended::Ended;
use super::super::events::Event;
use super::super::files::Wanted;
use super::super::queue::{Job, What};
use super::super::reconciler::{Own, Reconciler};
use super::super::said::Said;
use super::super::sight::Sight;
use super::super::waiting::Waiting;
use super::declared::FLEET;
use super::leases::{Leasing, TERM};
use super::runs::Accounts;
use super::world::World;
use crate::notify::Telling;
use crate::reconcile::{Claims, Keeper, Selectors, Stop};
use crate::store::audit::SharedLog;

/// How often it is looked at what events depend on.
pub const PATH_EVERY: Duration = Duration::from_secs(300);
/// How often it is looked at whether the kill switch is on.
const SWITCH_EVERY: Duration = Duration::from_secs(30);

/// One life of the controller.
pub struct Process {
    world: Arc<World>,
    /// Who makes its runs.
    pub runs: Arc<Reconciler>,
    /// To whom it is said what happens.
    pub voice: Arc<Voice>,
    accounts: Arc<Accounts>,
    is_dead: Arc<AtomicBool>,
    in_hand: Mutex<Vec<What>>,
}

/// What is said becomes the story.
struct Tells(Arc<World>);

impl Audience for Tells {
    fn hear(&self, said: &Said<'_>) {
        assert!(!matches!(said, Said::Defect { .. }), "a rule was broken");
        self.0.say(|| match said {
            Said::Failed { begun, error, .. } => format!("{:?} failed: {error}", begun.job.what),
            Said::Targets { targets } => format!("targets {:?}", targets.keys()),
            Said::Problems { problems } => problems.errors_in_lines(1).concat(),
            said => format!("{said:?}"),
        });
    }
}

impl Process {
    /// Begins.
    pub fn start(world: &Arc<World>, stop: &Stop, sight: &Arc<Mutex<Sight>>) -> Self {
        world.say(|| "started".to_owned());
        let is_dead = Arc::new(AtomicBool::new(false));
        let clocks = world.clocks.clone();
        let own = Own::default();
        own.locks.claim_with(Claims {
            leases: Arc::new(Leasing::of(world, &is_dead)),
            holder: world.number(u64::MAX).to_string(),
            term: TERM,
            pause: Arc::new(move |time| {
                let clocks = clocks.clone();
                Box::pin(async move { clocks.sleep(time).await })
            }),
            tally: Arc::default(),
        });
        let voice = Voice::heard_by(Arc::new(Tells(Arc::clone(world))));
        let wanted = Wanted {
            config: PathBuf::from(FLEET),
            selectors: Selectors::default(),
            schedule: "0 */15 * * * *".to_owned(),
            commit: None,
        };
        let files = Arc::new(world.read_by(wanted, &voice));
        let accounts = Arc::new(Accounts::of(world));
        // Nothing is on a disk: nobody opens it.
        let audit_log = SharedLog::at("nowhere/audit.jsonl");
        let runs = Reconciler {
            hands: Arc::clone(&accounts) as _,
            clocks: Arc::new(world.clocks.clone()),
            keeper: Keeper::beside(audit_log.path(), false, voice.warns()),
            audit_log,
            kill_switch: world.kill_switch.clone(),
            switch_every: SWITCH_EVERY,
            stop: stop.clone(),
            telling: Arc::new(Telling::new(voice.warns())),
            seen_by: Some(Arc::clone(sight)),
            shares: true,
            path_every: PATH_EVERY,
            own,
            voice: Arc::clone(&voice),
            files: Arc::clone(&files),
        };
        world.lives(sight, &files);
        Self {
            world: Arc::clone(world),
            runs: Arc::new(runs),
            voice,
            accounts,
            is_dead,
            in_hand: Mutex::default(),
        }
    }

    /// It comes to its own end, and gives back what it has claimed.
    pub async fn end(&self) {
        self.runs.end().await;
    }

    /// It is no more.
    pub fn dies(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
        self.world.died(&self.accounts.runs());
    }
}

#[async_trait]
impl Runs for Process {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        self.runs.targets()
    }

    async fn woken(&self) -> Woken {
        self.runs.woken().await
    }

    async fn run(&self, job: &Job) -> Ended {
        let in_hand = || self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        let whom = |what: &What| match what {
            What::Account(account) | What::Parts { account, .. } => account.to_string(),
            other => format!("{other:?}"),
        };
        let is_alone = !in_hand().iter().any(|other| whom(other) == whom(&job.what));
        assert!(is_alone, "{:?} twice at once", job.what);
        in_hand().push(job.what.clone());
        self.world.say(|| format!("begins {:?}", job.what));
        let ended = self.runs.run(job).await;
        self.world.say(|| format!("ends {:?}: {ended:?}", job.what));
        in_hand().retain(|other| *other != job.what);
        ended
    }

    fn is_ours(&self, event: &Event) -> bool {
        self.runs.is_ours(event)
    }

    async fn keep(&self, waiting: Vec<Waiting>) {
        self.runs.keep(waiting).await;
    }

    async fn waiting(&self) -> Vec<Waiting> {
        self.runs.waiting().await
    }
}
