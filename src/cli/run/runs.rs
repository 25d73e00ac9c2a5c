//! The runs of the controller: the files are read anew for each, so that what is in git now is what
//! is desired now.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::Utc;
use croner::Cron;
use evenkeel::baseline::disk::Disk;
use evenkeel::controller::drive::{Ended, Runs};
use evenkeel::controller::events::Event;
use evenkeel::controller::queue::{Cause, Causes, Job, What};
use evenkeel::fleet::Fleet;
use evenkeel::fleet::access::source_identity;
use evenkeel::fleet::file::schedule;
use evenkeel::fleet::select::SelectError;
use evenkeel::plan::Detail;
use evenkeel::reconcile::{Listener, Listeners, LookError, RunError, Selection, Stop, reconcile};
use evenkeel::store::history::ByWhom;
use serde_json::{Value, json};
use tokio::sync::Mutex as Turn;

use super::super::args::{Global, RunArgs, Selectors};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::listen::{JsonLine, Talk};
use super::super::look::{self, Wish};
use super::super::remember::Keeper;
use super::super::settings;
use super::{log, said};

/// Runs whose calls are known to be ours; CloudTrail's events come within minutes of a call.
const RUNS_REMEMBERED: usize = 1_000;

/// Who reconciles.
pub struct Reconciler {
    global: Global,
    selectors: Selectors,
    schedule: String,
    audit_log: Option<PathBuf>,
    stop: Stop,
    /// Two runs must never write at the same time.
    turn: Turn<()>,
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
    pub fn new(global: &Global, args: &RunArgs, stop: &Stop) -> Self {
        Self {
            global: global.clone(),
            selectors: args.selectors.clone(),
            schedule: args.schedule.clone(),
            audit_log: args.audit_log.clone(),
            stop: stop.clone(),
            turn: Turn::new(()),
            keeper: Keeper::default(),
            ours: Mutex::default(),
        }
    }

    /// One run of one target, and its line in the log.
    pub async fn target(&self, name: &str) -> Exit {
        self.reconcile(&What::Target(name.to_owned()), json!({ "target": name }), Vec::new()).await
    }

    async fn reconcile(&self, what: &What, line: Value, caused_by: Vec<ByWhom>) -> Exit {
        let _turn = self.turn.lock().await;
        if self.stop.is_raised() {
            return Exit::Interrupted;
        }
        let started = Utc::now();
        self.attempt(what, JsonLine::new(line.clone(), started), caused_by).await.unwrap_or_else(
            |failure| {
                let mut line = line;
                line["event"] = json!("run");
                line["started"] = json!(started);
                line["outcome"] = json!("failed");
                line["error"] = json!(failure.to_string());
                log(&line);
                failure.exit()
            },
        )
    }

    async fn attempt(
        &self,
        what: &What,
        line: JsonLine,
        caused_by: Vec<ByWhom>,
    ) -> Result<Exit, Failure> {
        let Some(selectors) = self.selectors_of(what) else { return Ok(Exit::Done) };
        let settings = settings::resolve(&self.global, &selectors)?;
        let kept = self.keeper.kept(settings.fleet.as_ref()).await;
        let audit_log = self.audit_log.clone().unwrap_or_else(|| settings.audit_log.clone());
        let wish = Wish { detail: Some(Detail::All), ..Wish::default() };
        let wanted = look::wanted(&self.global, &selectors, settings, wish)?;
        self.remember(source_identity(&wanted.run));
        let mut listeners: Vec<Arc<dyn Listener>> = vec![Arc::new(Talk), Arc::new(line)];
        listeners.extend(kept.listener("run", &wanted, caused_by));
        let listener: Arc<dyn Listener> = Arc::new(Listeners(listeners));
        match reconcile(wanted, &audit_log, &self.stop, &listener).await {
            // Somebody did something to what nobody declares.
            Err(RunError::Look(error)) if is_part(what) && is_nothing_of_ours(&error) => {
                Ok(Exit::Done)
            }
            ended => Ok(ended?.into()),
        }
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
            What::Parts { account, parts } => {
                let asked = &self.selectors;
                if !asked.account.is_empty()
                    && !asked.account.iter().any(|id| id == account.as_str())
                {
                    return None;
                }
                let kinds = Selection {
                    kinds: asked.kind.iter().cloned().collect(),
                    ..Selection::default()
                };
                let is_asked = |region: &str| {
                    asked.region.is_empty() || asked.region.iter().any(|one| one == region)
                };
                let left = parts.iter().filter(|(kind, region)| {
                    kinds.has_kind(kind)
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

    fn remember(&self, identity: String) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        ours.push_back(identity);
        if ours.len() > RUNS_REMEMBERED {
            ours.pop_front();
        }
    }
}

/// Who did what a run is made for.
fn by_whom(causes: &Causes) -> Vec<ByWhom> {
    let of_events = causes.kept.iter().filter_map(|cause| match cause {
        Cause::Event { id, call, by } => Some(ByWhom {
            principal: by.clone(),
            call: call.clone(),
            event: Some(id.clone()),
            ..ByWhom::default()
        }),
        _ => None,
    });
    of_events.collect()
}

fn is_part(what: &What) -> bool {
    matches!(what, What::Parts { .. })
}

/// Whether a look came to nothing because nothing is declared there.
fn is_nothing_of_ours(error: &LookError) -> bool {
    matches!(
        error,
        LookError::NothingDeclared { .. }
            | LookError::NothingIn { .. }
            | LookError::Select(SelectError::NothingLeft)
    )
}

#[async_trait]
impl Runs for Reconciler {
    fn targets(&self) -> Result<BTreeMap<String, Cron>, String> {
        let fleet = settings::fleet_file(&self.global, &Disk);
        let fleet = fleet.map_err(|failure| failure.to_string())?;
        schedules(fleet.as_ref(), &self.selectors, &self.schedule)
    }

    async fn run(&self, job: &Job) -> Ended {
        let mut line = said::what(&job.what);
        line["causes"] = said::causes(&job.causes);
        match self.reconcile(&job.what, line, by_whom(&job.causes)).await {
            Exit::Done | Exit::Drift | Exit::Refused => Ended::Done,
            Exit::Partly | Exit::Error => Ended::Again,
            Exit::Interrupted => Ended::Stopped,
        }
    }

    /// A source identity stays with a session, and nobody can take one that the role's trust policy
    /// does not give them; without roles, our own calls are looked after once more.
    fn is_ours(&self, event: &Event) -> bool {
        let ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        event.by.source_identity.as_ref().is_some_and(|identity| ours.contains(identity))
    }
}
